// SPDX-License-Identifier: Apache-2.0
//! The program the launcher obeys: steps that build the sandbox, then one command.

use core::ffi::CStr;

use crate::codec::{DecodeError, Reader, Strings};

/// Numbers both sides must agree on.
pub mod protocol {
    /// First field of a program; changes with any change of its form.
    pub const VERSION: u32 = 1;
    /// How many trees a program may open.
    pub const MAX_TREES: usize = 512;
    /// Descriptors that come with the program, in this order.
    pub const PASSED_FDS: usize = 5;
}

/// How a tree is mounted. `nosuid` is always set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeFlags(u8);

impl TreeFlags {
    /// Device nodes work (only for the few nodes of the sandbox's own `/dev`).
    pub const DEVICE: Self = Self(2);
    /// No program in it can be executed.
    pub const NO_EXEC: Self = Self(4);
    /// Read-only, with everything mounted beneath it.
    pub const READ_ONLY: Self = Self(1);

    /// Returns both sets of flags together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns whether all of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    const fn decode(bits: u8) -> Result<Self, DecodeError> {
        if bits > 7 { Err(DecodeError::BadTag) } else { Ok(Self(bits)) }
    }
}

/// One act of building the sandbox. Paths after [`Step::NewRoot`] are relative to the new root;
/// after [`Step::EnterRoot`] they are absolute in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Adds a rule beneath `path` to the passed ruleset (`landlock_add_rule(2)`), for what only
    /// exists inside the sandbox.
    AllowPath {
        /// Absolute path inside.
        path: &'a CStr,
        /// Landlock rights as a bit set.
        access: u64,
    },
    /// Mounts the opened tree `slot` at `path` (`move_mount(2)`, kernel 5.2).
    Attach {
        /// Number of the tree.
        slot: u16,
        /// Mount point; exists.
        path: &'a CStr,
    },
    /// Makes a directory; one that exists is fine.
    Directory {
        /// Its parent exists.
        path: &'a CStr,
        /// Permission bits.
        mode: u32,
    },
    /// Empties every capability set and the bounding set, and locks the securebits.
    DropCapabilities,
    /// Makes the new root the root and detaches the old one (`pivot_root(2)`).
    EnterRoot,
    /// Writes a regular file.
    File {
        /// Must not exist.
        path: &'a CStr,
        /// Permission bits.
        mode: u32,
        /// Whole content.
        content: &'a [u8],
    },
    /// Sets the host name of the UTS namespace.
    Hostname {
        /// At most 64 bytes.
        name: &'a CStr,
    },
    /// Mounts a tmpfs over `base` in this mount namespace, and works inside it from then on.
    NewRoot {
        /// Any directory of the old root; what it held is out of reach from then on.
        base: &'a CStr,
        /// Options of tmpfs.
        options: &'a CStr,
    },
    /// Clones the mount at `path` with all beneath it (`open_tree(2)`, kernel 5.2) and checks that
    /// it is the object the policy judged: same device, same inode, else `ESTALE`.
    OpenTree {
        /// Number by which [`Step::Attach`] names it; below [`protocol::MAX_TREES`].
        slot: u16,
        /// Absolute path in the old root.
        path: &'a CStr,
        /// Major number of its device.
        major: u32,
        /// Minor number of its device.
        minor: u32,
        /// Its inode number.
        inode: u64,
        /// How it is mounted.
        flags: TreeFlags,
    },
    /// Mounts a fresh procfs of the pid namespace.
    Proc {
        /// Mount point; exists.
        path: &'a CStr,
        /// Options of procfs.
        options: &'a CStr,
    },
    /// Makes one mount read-only (`mount_setattr(2)`, kernel 5.12).
    ReadOnly {
        /// Mount point.
        path: &'a CStr,
    },
    /// Sets `no_new_privs` and enforces the passed ruleset (`landlock_restrict_self(2)`).
    Restrict,
    /// Makes a symbolic link.
    Symlink {
        /// Must not exist.
        path: &'a CStr,
        /// What the link holds.
        target: &'a CStr,
    },
    /// Mounts a tmpfs; `nosuid` and `nodev` always, `noexec` if asked.
    Tmpfs {
        /// Mount point; exists.
        path: &'a CStr,
        /// Options of tmpfs.
        options: &'a CStr,
        /// Whether programs in it cannot be executed.
        no_exec: bool,
    },
}

/// A limit of `prlimit(2)`: resource number of the running architecture, soft and hard value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// `RLIMIT_*`.
    pub number: u32,
    /// Soft limit.
    pub soft: u64,
    /// Hard limit.
    pub hard: u64,
}

/// What runs once the sandbox stands.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// Absolute path inside the sandbox.
    pub executable: &'a CStr,
    /// Arguments, `argv[0]` included.
    pub argv: Strings<'a>,
    /// Environment, `NAME=value`.
    pub env: Strings<'a>,
    /// Working directory, absolute inside the sandbox.
    pub cwd: &'a CStr,
    /// File mode creation mask.
    pub umask: u32,
    /// Inode numbers of the namespaces outside, in the order of `Observation::namespaces`. The
    /// command is not started where it would share one of them; 0 means sharing is planned.
    pub outside: [u64; 7],
    /// Encoded limits; see [`Command::limits`].
    limits: Reader<'a>,
    /// The seccomp filter as an array of `struct sock_filter` (8 bytes each).
    pub filter: &'a [u8],
}

impl<'a> Command<'a> {
    /// Returns the limits in order.
    pub fn limits(&self) -> impl Iterator<Item = Result<Resource, DecodeError>> + use<'a> {
        let mut fields = self.limits;
        core::iter::from_fn(move || {
            if fields.is_empty() {
                return None;
            }
            let mut next = || {
                Ok(Resource { number: fields.u32()?, soft: fields.u64()?, hard: fields.u64()? })
            };
            Some(next())
        })
    }
}

/// All that the launcher does, in order.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    steps: Reader<'a>,
    /// The command that runs at the end.
    pub command: Command<'a>,
}

impl<'a> Program<'a> {
    /// Reads a program.
    ///
    /// # Errors
    /// [`DecodeError`] for any form the encoder does not write.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Reader::new(bytes);
        if fields.u32()? != protocol::VERSION {
            return Err(DecodeError::Version);
        }
        let steps = Reader::new(fields.bytes()?);
        let command = Command {
            executable: fields.string()?,
            argv: fields.strings()?,
            env: fields.strings()?,
            cwd: fields.string()?,
            umask: fields.u32()?,
            outside: namespaces(&mut fields)?,
            limits: Reader::new(fields.bytes()?),
            filter: fields.bytes()?,
        };
        if fields.is_empty() { Ok(Self { steps, command }) } else { Err(DecodeError::BadTag) }
    }

    /// Returns the steps in order.
    pub const fn steps(&self) -> Steps<'a> {
        Steps { fields: self.steps }
    }
}

fn namespaces(fields: &mut Reader<'_>) -> Result<[u64; 7], DecodeError> {
    let mut out = [0; 7];
    for slot in &mut out {
        *slot = fields.u64()?;
    }
    Ok(out)
}

/// An iterator over the steps of a program.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    fields: Reader<'a>,
}

impl<'a> Iterator for Steps<'a> {
    type Item = Result<Step<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.fields.is_empty() {
            return None;
        }
        Some(step(&mut self.fields))
    }
}

fn step<'a>(fields: &mut Reader<'a>) -> Result<Step<'a>, DecodeError> {
    Ok(match fields.u8()? {
        1 => Step::AllowPath { path: fields.string()?, access: fields.u64()? },
        2 => Step::Attach { slot: fields.u16()?, path: fields.string()? },
        3 => Step::Directory { path: fields.string()?, mode: fields.u32()? },
        4 => Step::DropCapabilities,
        5 => Step::EnterRoot,
        6 => {
            Step::File { path: fields.string()?, mode: fields.u32()?, content: fields.bytes()? }
        }
        7 => Step::Hostname { name: fields.string()? },
        8 => Step::NewRoot { base: fields.string()?, options: fields.string()? },
        9 => Step::OpenTree {
            slot: fields.u16()?,
            path: fields.string()?,
            major: fields.u32()?,
            minor: fields.u32()?,
            inode: fields.u64()?,
            flags: TreeFlags::decode(fields.u8()?)?,
        },
        10 => Step::Proc { path: fields.string()?, options: fields.string()? },
        11 => Step::ReadOnly { path: fields.string()? },
        12 => Step::Restrict,
        13 => Step::Symlink { path: fields.string()?, target: fields.string()? },
        14 => Step::Tmpfs {
            path: fields.string()?,
            options: fields.string()?,
            no_exec: fields.u8()? != 0,
        },
        _ => return Err(DecodeError::BadTag),
    })
}

#[cfg(feature = "std")]
pub use builder::{CommandSource, ProgramBuilder};

#[cfg(feature = "std")]
mod builder {
    use std::ffi::CString;

    use super::{Resource, Step, protocol};
    use crate::codec::Writer;

    /// The command as its writer holds it.
    #[derive(Clone, Debug, Default)]
    pub struct CommandSource {
        /// Absolute path inside the sandbox.
        pub executable: CString,
        /// Arguments, `argv[0]` included.
        pub argv: Vec<CString>,
        /// Environment, `NAME=value`.
        pub env: Vec<CString>,
        /// Working directory, absolute inside the sandbox.
        pub cwd: CString,
        /// File mode creation mask.
        pub umask: u32,
        /// See [`Command::outside`](super::Command::outside).
        pub outside: [u64; 7],
        /// Limits, applied in order.
        pub limits: Vec<Resource>,
        /// The seccomp filter as an array of `struct sock_filter`.
        pub filter: Vec<u8>,
    }

    /// Writes programs.
    #[derive(Debug, Default)]
    pub struct ProgramBuilder {
        steps: Writer,
    }

    impl ProgramBuilder {
        /// Adds a step after those already there.
        pub fn push(&mut self, step: Step<'_>) -> &mut Self {
            encode(&mut self.steps, step);
            self
        }

        /// Returns the encoded program.
        pub fn finish(&self, command: &CommandSource) -> Vec<u8> {
            let mut out = Writer::default();
            out.u32(protocol::VERSION);
            out.bytes(&self.steps.out);
            out.string(&command.executable);
            out.strings(&command.argv);
            out.strings(&command.env);
            out.string(&command.cwd);
            out.u32(command.umask);
            command.outside.iter().for_each(|inode| out.u64(*inode));
            let mut limits = Writer::default();
            for limit in &command.limits {
                limits.u32(limit.number);
                limits.u64(limit.soft);
                limits.u64(limit.hard);
            }
            out.bytes(&limits.out);
            out.bytes(&command.filter);
            out.out
        }
    }

    fn encode(out: &mut Writer, step: Step<'_>) {
        match step {
            Step::AllowPath { path, access } => {
                out.u8(1);
                out.string(path);
                out.u64(access);
            }
            Step::Attach { slot, path } => {
                out.u8(2);
                out.u16(slot);
                out.string(path);
            }
            Step::Directory { path, mode } => {
                out.u8(3);
                out.string(path);
                out.u32(mode);
            }
            Step::DropCapabilities => out.u8(4),
            Step::EnterRoot => out.u8(5),
            Step::File { path, mode, content } => {
                out.u8(6);
                out.string(path);
                out.u32(mode);
                out.bytes(content);
            }
            Step::Hostname { name } => {
                out.u8(7);
                out.string(name);
            }
            Step::NewRoot { base, options } => {
                out.u8(8);
                out.string(base);
                out.string(options);
            }
            Step::OpenTree { .. } => encode_tree(out, step),
            Step::Proc { path, options } => {
                out.u8(10);
                out.string(path);
                out.string(options);
            }
            Step::ReadOnly { path } => {
                out.u8(11);
                out.string(path);
            }
            Step::Restrict => out.u8(12),
            Step::Symlink { path, target } => {
                out.u8(13);
                out.string(path);
                out.string(target);
            }
            Step::Tmpfs { path, options, no_exec } => {
                out.u8(14);
                out.string(path);
                out.string(options);
                out.u8(u8::from(no_exec));
            }
        }
    }

    fn encode_tree(out: &mut Writer, step: Step<'_>) {
        if let Step::OpenTree { slot, path, major, minor, inode, flags } = step {
            out.u8(9);
            out.u16(slot);
            out.string(path);
            out.u32(major);
            out.u32(minor);
            out.u64(inode);
            out.u8(flags.0);
        }
    }
}
