// SPDX-License-Identifier: Apache-2.0
//! The Landlock ruleset of one run (`landlock(7)`).
//!
//! Made fresh for each run: a ruleset is a shared, growing object. The rights handled are all that
//! the running kernel knows; nothing is left out silently (`HardRequirement`).

use std::os::fd::OwnedFd;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreatedAttr, Scope,
};
use nix::errno::Errno;

use crate::error::SandboxError;
use crate::layout::{Grant, Layout, Place, Tree};
use crate::plan::Network;
use crate::sys;

/// Which rights a ruleset handles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rights {
    abi: ABI,
    /// The number the kernel gave.
    pub(crate) version: u32,
}

impl Rights {
    /// Asks the running kernel.
    ///
    /// # Errors
    /// [`SandboxError::Unsupported`] when Landlock is absent or switched off.
    pub(crate) fn of_kernel() -> Result<Self, SandboxError> {
        let version = sys::landlock_abi().map_err(|source| SandboxError::Unsupported {
            mechanism: "Landlock",
            source,
        })?;
        Ok(Self::of_version(version))
    }

    /// Returns the rights of one ABI version.
    pub(crate) fn of_version(version: u32) -> Self {
        Self {
            abi: ABI::from(i32::try_from(version).unwrap_or(i32::MAX)),
            version,
        }
    }

    /// All file system rights, handled for every path.
    pub(crate) fn files(self) -> BitFlags<AccessFs> {
        AccessFs::from_all(self.abi)
    }

    /// Reading and executing, as far as `is_directory` allows.
    pub(crate) fn read(self, is_directory: bool) -> BitFlags<AccessFs> {
        self.fitting(
            AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::Execute,
            is_directory,
        )
    }

    /// Reading, executing and writing, but no making or driving of devices, and no connecting to
    /// a socket that something outside the sandbox listens on.
    pub(crate) fn write(self, is_directory: bool) -> BitFlags<AccessFs> {
        let refused =
            AccessFs::IoctlDev | AccessFs::MakeBlock | AccessFs::MakeChar | AccessFs::ResolveUnix;
        self.fitting(self.files() & !refused, is_directory)
    }

    /// Scratch space: as writing, without executing.
    pub(crate) fn scratch(self) -> BitFlags<AccessFs> {
        self.write(true) & !BitFlags::from(AccessFs::Execute)
    }

    /// Device nodes of the sandbox's `/dev`.
    pub(crate) fn device(self) -> BitFlags<AccessFs> {
        let wanted = AccessFs::ReadFile
            | AccessFs::WriteFile
            | AccessFs::Truncate
            | BitFlags::from(AccessFs::IoctlDev);
        wanted & self.files()
    }

    /// The sandbox's own terminals.
    pub(crate) fn terminals(self) -> BitFlags<AccessFs> {
        self.device() | BitFlags::from(AccessFs::ReadDir)
    }

    /// A file that may be read and not executed.
    pub(crate) fn file_to_read(self) -> BitFlags<AccessFs> {
        BitFlags::from(AccessFs::ReadFile) & self.files()
    }

    /// The sandbox's `/proc`, and names in its root directories.
    pub(crate) fn look() -> BitFlags<AccessFs> {
        AccessFs::ReadFile | AccessFs::ReadDir
    }

    /// Names in the root directories, which hold nothing that was not granted.
    pub(crate) fn list(self) -> BitFlags<AccessFs> {
        BitFlags::from(AccessFs::ReadDir) & self.files()
    }

    fn fitting(self, wanted: BitFlags<AccessFs>, is_directory: bool) -> BitFlags<AccessFs> {
        let possible = if is_directory {
            self.files()
        } else {
            AccessFs::from_file(self.abi)
        };
        wanted & possible
    }

    /// TCP rights, handled (and so denied) when the plan has no network.
    pub(crate) fn net(self, network: Network) -> BitFlags<AccessNet> {
        match network {
            Network::Deny => AccessNet::from_all(self.abi),
            Network::Full => BitFlags::empty(),
        }
    }

    /// Abstract unix sockets and signals outside the sandbox.
    pub(crate) fn scopes(self) -> BitFlags<Scope> {
        Scope::from_all(self.abi)
    }
}

/// Returns the rights a tree gets.
pub(crate) fn rights_of(tree: &Tree, rights: Rights) -> BitFlags<AccessFs> {
    match tree.grant {
        Grant::Device => rights.device(),
        Grant::Read => rights.read(tree.is_directory),
        Grant::Write => rights.write(tree.is_directory),
    }
}

/// Builds the ruleset of a layout. What only exists inside the sandbox is added by the launcher.
///
/// # Errors
/// [`SandboxError::Compile`] when the kernel refuses a rule it must know at its own ABI.
pub(crate) fn build(
    layout: &Layout,
    rights: Rights,
    network: Network,
) -> Result<OwnedFd, SandboxError> {
    let failed = |error: landlock::RulesetError| SandboxError::Compile {
        what: "the Landlock ruleset",
        message: error.to_string(),
    };
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(rights.files())
        .map_err(failed)?;
    if !rights.net(network).is_empty() {
        ruleset = ruleset.handle_access(rights.net(network)).map_err(failed)?;
    }
    if !rights.scopes().is_empty() {
        ruleset = ruleset.scope(rights.scopes()).map_err(failed)?;
    }
    let mut created = ruleset.create().map_err(failed)?;
    for place in layout.places.values() {
        if let Place::Mount(tree) = place {
            let rule = PathBeneath::new(tree.handle(), rights_of(tree, rights));
            created = created.add_rule(rule).map_err(failed)?;
        }
    }
    let fd: Option<OwnedFd> = created.into();
    fd.ok_or(SandboxError::Unsupported {
        mechanism: "Landlock",
        source: Errno::EOPNOTSUPP,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ABI, then the bits of: handled, directory read, directory write, file write, scratch,
    /// device, TCP, scopes (`include/uapi/linux/landlock.h`).
    const TABLE: &[(u32, [u64; 8])] = &[
        (1, [0x1FFF, 0xD, 0x17BF, 0x7, 0x17BE, 0x6, 0, 0]),
        (2, [0x3FFF, 0xD, 0x37BF, 0x7, 0x37BE, 0x6, 0, 0]),
        (3, [0x7FFF, 0xD, 0x77BF, 0x4007, 0x77BE, 0x4006, 0, 0]),
        (4, [0x7FFF, 0xD, 0x77BF, 0x4007, 0x77BE, 0x4006, 3, 0]),
        (5, [0xFFFF, 0xD, 0x77BF, 0x4007, 0x77BE, 0xC006, 3, 0]),
        (6, [0xFFFF, 0xD, 0x77BF, 0x4007, 0x77BE, 0xC006, 3, 3]),
        (7, [0xFFFF, 0xD, 0x77BF, 0x4007, 0x77BE, 0xC006, 3, 3]),
        (8, [0xFFFF, 0xD, 0x77BF, 0x4007, 0x77BE, 0xC006, 3, 3]),
        (9, [0x1_FFFF, 0xD, 0x77BF, 0x4007, 0x77BE, 0xC006, 3, 3]),
        // a newer kernel: what this version knows
        (10, [0x1_FFFF, 0xD, 0x77BF, 0x4007, 0x77BE, 0xC006, 3, 3]),
    ];

    #[test]
    fn asks_for_all_rights_of_each_abi_and_grants_the_least() {
        for (version, want) in TABLE {
            let rights = Rights::of_version(*version);
            let found = [
                rights.files().bits(),
                rights.read(true).bits(),
                rights.write(true).bits(),
                rights.write(false).bits(),
                rights.scratch().bits(),
                rights.device().bits(),
                rights.net(Network::Deny).bits(),
                rights.scopes().bits(),
            ];
            assert_eq!(found, *want, "ABI {version}: {found:x?}");
            assert_eq!(rights.read(false).bits(), 0x5, "ABI {version}");
            assert_eq!(rights.list().bits(), 0x8, "ABI {version}");
            assert_eq!(rights.net(Network::Full).bits(), 0, "ABI {version}");
        }
        assert_eq!(Rights::look().bits(), 0xC);
    }
}
