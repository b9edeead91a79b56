// SPDX-License-Identifier: Apache-2.0
//! What a run takes from the machine besides the plan: the caller, the base system, defaults.

use nix::unistd::{Gid, Uid};

/// Who calls, and who the command believes to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Caller {
    /// Effective user of this process; what the command writes belongs to it.
    pub(crate) uid: Uid,
    /// Effective group.
    pub(crate) gid: Gid,
}

/// Numbers a root caller has inside: tools behave differently as 0, and 0 is what the kernel
/// gives special rights to.
const UNPRIVILEGED_ID: u32 = 1000;

impl Caller {
    /// Returns the caller of this process.
    pub(crate) fn current() -> Self {
        Self {
            uid: Uid::effective(),
            gid: Gid::effective(),
        }
    }

    /// Returns the user number inside the sandbox.
    pub(crate) fn inner_uid(self) -> u32 {
        if self.uid.is_root() {
            UNPRIVILEGED_ID
        } else {
            self.uid.as_raw()
        }
    }

    /// Returns the group number inside the sandbox.
    pub(crate) fn inner_gid(self) -> u32 {
        if self.gid.as_raw() == 0 {
            UNPRIVILEGED_ID
        } else {
            self.gid.as_raw()
        }
    }
}

/// Directories of the base system, read-only and executable; those that are symbolic links (merged
/// `/usr`) become the same links inside.
pub(crate) const SYSTEM: &[&str] = &[
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
];

/// What programs commonly need of `/etc`, and nothing that names users, hosts or secrets.
pub(crate) const ETC: &[&str] = &[
    "/etc/alternatives",
    "/etc/java-11-openjdk",
    "/etc/java-17-openjdk",
    "/etc/java-21-openjdk",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
];

/// What name resolution needs, when the plan has a network.
pub(crate) const ETC_NETWORK: &[&str] = &["/etc/hosts", "/etc/resolv.conf"];

/// Files that hold credentials: hidden wherever a granted path would show them, unless a plan
/// grants exactly that file.
pub(crate) const CREDENTIALS: &[&str] = &[
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssl/private",
];

/// Nodes of the sandbox's own `/dev`.
pub(crate) const DEVICES: &[&str] = &[
    "/dev/full",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
];

/// Where a process finds its controlling terminal (`tty(4)`); there only with a terminal of its own.
pub(crate) const OWN_TERMINAL: &str = "/dev/tty";

/// Trees that no plan can grant: they show or control the kernel and other processes.
pub(crate) const REFUSED: &[(&str, &str)] = &[
    ("/proc", "the sandbox has its own"),
    ("/sys", "it shows and controls the kernel"),
    ("/dev", "the sandbox has its own"),
];
