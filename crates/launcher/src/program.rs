// SPDX-License-Identifier: Apache-2.0
//! The program the launcher obeys: steps that build the sandbox, then one command.

use core::ffi::CStr;

use crate::codec::{DecodeError, Reader, Strings, records};

/// Numbers both sides must agree on.
pub mod protocol {
    /// First field of a program; changes with any change of its form.
    pub const VERSION: u32 = 5;
    /// How many trees a program may open.
    pub const MAX_TREES: usize = 512;
    /// Descriptors that come with the program: the program itself, standard output, standard error,
    /// the ruleset and, if the command's [`Stdin`](super::Stdin) says so, its standard input.
    pub const PASSED_FDS: usize = 5;
    /// How many segments a pipeline may have.
    pub const MAX_SEGMENTS: usize = 16;
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

    #[cfg(any(feature = "std", test))]
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    const fn decode(bits: u8) -> Result<Self, DecodeError> {
        if bits > 7 {
            Err(DecodeError::BadTag)
        } else {
            Ok(Self(bits))
        }
    }
}

/// Which object a path leads to: device and inode numbers (`stat(2)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Major number of its device.
    pub major: u32,
    /// Minor number of its device.
    pub minor: u32,
    /// Its inode number.
    pub inode: u64,
}

/// How everything is ended that descends from the launcher, where no pid namespace ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// By signalling every process that this one may signal: only where a ruleset that scopes
    /// signals holds this one, so that these are its own.
    Domain,
    /// By killing its children, again and again until there are none: orphans become its children.
    Children,
}

/// One act of building the sandbox. Paths after [`Step::NewRoot`] are relative to the new root;
/// after [`Step::EnterRoot`] they are absolute in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Makes the launcher the parent of every orphan among its descendants
    /// (`PR_SET_CHILD_SUBREAPER`), and has it end them all at its own end. Comes before
    /// [`Step::Restrict`].
    Adopt(Sweep),
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
        /// Mount point; exists. No symbolic link on the way is followed.
        path: &'a CStr,
        /// What the mount point must be, else `ESTALE`.
        over: Option<Object>,
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
    /// Empties every capability set, and of the bounding set and securebits as much as the caller
    /// may: without `CAP_SETPCAP` they stay, and `no_new_privs` alone keeps them from mattering.
    GiveUpCapabilities,
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
        /// What it must be.
        object: Object,
        /// How it is mounted.
        flags: TreeFlags,
    },
    /// Cuts the mounts of this mount namespace off from those it was copied from.
    PrivateMounts,
    /// Lets the pid namespace give out no higher process number (`kernel.pid_max`, of each pid
    /// namespace since kernel 6.14: before, of the machine, and this step must not be written). Where
    /// the kernel refuses, nothing changes; what holds then stands in `Observation::pid_max`.
    PidMax {
        /// From 301, which the kernel keeps as its least.
        highest: u32,
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
    /// Writes a secret of the program into a regular file, mode 0400.
    SecretFile {
        /// Must not exist.
        path: &'a CStr,
        /// Which of [`Program::secrets`], from 0.
        index: u16,
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
    /// Mounts a devpts instance that shows the terminals of this sandbox only, makes one, and hands
    /// its outer end to the process that started us. Its inner end takes the place of the streams
    /// that came with the program, and becomes the controlling terminal of the command.
    Terminal {
        /// Mount point; exists.
        path: &'a CStr,
        /// Options of devpts.
        options: &'a CStr,
        /// The multiplexer in it.
        multiplexer: &'a CStr,
        /// Width, characters.
        columns: u16,
        /// Height, characters.
        rows: u16,
    },
    /// Mounts a tmpfs; `nosuid` and `nodev` always.
    Tmpfs {
        /// Mount point; exists. No symbolic link on the way is followed.
        path: &'a CStr,
        /// Options of tmpfs.
        options: &'a CStr,
        /// What else holds for it.
        flags: TreeFlags,
        /// What the mount point must be, else `ESTALE`.
        over: Option<Object>,
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

/// What the first segment reads as its standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdin<'a> {
    /// A file, opened inside the sandbox by its absolute path; `/dev/null` where there is no input.
    File(&'a CStr),
    /// The descriptor that came with the program.
    Passed,
}

/// One process of a pipeline; a plain command has one.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Absolute path inside the sandbox.
    pub executable: &'a CStr,
    /// Arguments, `argv[0]` included.
    pub argv: Strings<'a>,
}

/// What runs once the sandbox stands.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// Encoded segments; see [`Command::segments`].
    segments: Reader<'a>,
    /// Standard input of the first segment.
    pub stdin: Stdin<'a>,
    /// Environment of every segment, `NAME=value`.
    pub env: Strings<'a>,
    /// Working directory, absolute inside the sandbox.
    pub cwd: &'a CStr,
    /// Inode numbers of the namespaces outside, in the order of `Observation::namespaces`. The
    /// command is not started where it would share one of them; 0 means sharing is planned.
    pub outside: [u64; 7],
    /// Milliseconds from the start of the command after which the launcher ends everything by itself,
    /// whether or not somebody is left to tell it to; 0 means never.
    pub backstop_ms: u64,
    /// Encoded limits; see [`Command::limits`].
    limits: Reader<'a>,
    /// The seccomp filter as an array of `struct sock_filter` (8 bytes each).
    pub filter: &'a [u8],
    /// Whether the launcher says that every segment is executing ([`Report::Executing`](crate::Report)).
    pub announce: bool,
}

/// A secret of the program.
#[derive(Clone, Copy, Debug)]
pub enum Secret<'a> {
    /// What a [`Step::SecretFile`] writes.
    Content(&'a [u8]),
    /// Another line of the environment, `NAME=value`.
    Variable(&'a CStr),
}

impl<'a> Command<'a> {
    /// Returns the segments in order, the output of each being the input of the next; the first
    /// error ends them.
    pub fn segments(&self) -> impl Iterator<Item = Result<Segment<'a>, DecodeError>> + use<'a> {
        records(self.segments, |fields| {
            Ok(Segment {
                executable: fields.string()?,
                argv: fields.strings()?,
            })
        })
    }

    /// Returns the limits in order; the first error ends them.
    pub fn limits(&self) -> impl Iterator<Item = Result<Resource, DecodeError>> + use<'a> {
        records(self.limits, |fields| {
            Ok(Resource {
                number: fields.u32()?,
                soft: fields.u64()?,
                hard: fields.u64()?,
            })
        })
    }
}

/// All that the launcher does, in order.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    steps: Reader<'a>,
    /// The command that runs at the end.
    pub command: Command<'a>,
    secrets: Reader<'a>,
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
            segments: Reader::new(fields.bytes()?),
            stdin: stdin(&mut fields)?,
            env: fields.strings()?,
            cwd: fields.string()?,
            outside: namespaces(&mut fields)?,
            backstop_ms: fields.u64()?,
            limits: Reader::new(fields.bytes()?),
            filter: fields.bytes()?,
            announce: flag(&mut fields)?,
        };
        let secrets = Reader::new(fields.bytes()?);
        if fields.is_empty() {
            Ok(Self {
                steps,
                command,
                secrets,
            })
        } else {
            Err(DecodeError::BadTag)
        }
    }

    /// Returns the secrets in order; the first error ends them.
    pub fn secrets(&self) -> impl Iterator<Item = Result<Secret<'a>, DecodeError>> + use<'a> {
        records(self.secrets, |fields| match fields.u8()? {
            0 => Ok(Secret::Variable(fields.string()?)),
            1 => Ok(Secret::Content(fields.bytes()?)),
            _ => Err(DecodeError::BadTag),
        })
    }

    /// Returns the steps in order; the first error ends them.
    pub fn steps(&self) -> impl Iterator<Item = Result<Step<'a>, DecodeError>> + use<'a> {
        records(self.steps, step)
    }
}

fn flag(fields: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match fields.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::BadTag),
    }
}

fn stdin<'a>(fields: &mut Reader<'a>) -> Result<Stdin<'a>, DecodeError> {
    match fields.u8()? {
        0 => Ok(Stdin::Passed),
        1 => Ok(Stdin::File(fields.string()?)),
        _ => Err(DecodeError::BadTag),
    }
}

fn namespaces(fields: &mut Reader<'_>) -> Result<[u64; 7], DecodeError> {
    let mut out = [0; 7];
    for slot in &mut out {
        *slot = fields.u64()?;
    }
    Ok(out)
}

fn step<'a>(fields: &mut Reader<'a>) -> Result<Step<'a>, DecodeError> {
    Ok(match fields.u8()? {
        tag::ADOPT => Step::Adopt(match fields.u8()? {
            0 => Sweep::Domain,
            1 => Sweep::Children,
            _ => return Err(DecodeError::BadTag),
        }),
        tag::ALLOW_PATH => Step::AllowPath {
            path: fields.string()?,
            access: fields.u64()?,
        },
        tag::DIRECTORY => Step::Directory {
            path: fields.string()?,
            mode: fields.u32()?,
        },
        tag::DROP_CAPABILITIES => Step::DropCapabilities,
        tag::ENTER_ROOT => Step::EnterRoot,
        tag::GIVE_UP_CAPABILITIES => Step::GiveUpCapabilities,
        tag::FILE => Step::File {
            path: fields.string()?,
            mode: fields.u32()?,
            content: fields.bytes()?,
        },
        tag::HOSTNAME => Step::Hostname {
            name: fields.string()?,
        },
        tag::PID_MAX => Step::PidMax {
            highest: fields.u32()?,
        },
        tag::RESTRICT => Step::Restrict,
        tag::SECRET_FILE => Step::SecretFile {
            path: fields.string()?,
            index: fields.u16()?,
        },
        tag::SYMLINK => Step::Symlink {
            path: fields.string()?,
            target: fields.string()?,
        },
        mount => return mount_step(mount, fields),
    })
}

fn mount_step<'a>(number: u8, fields: &mut Reader<'a>) -> Result<Step<'a>, DecodeError> {
    Ok(match number {
        tag::ATTACH => Step::Attach {
            slot: fields.u16()?,
            path: fields.string()?,
            over: maybe_object(fields)?,
        },
        tag::NEW_ROOT => Step::NewRoot {
            base: fields.string()?,
            options: fields.string()?,
        },
        tag::OPEN_TREE => Step::OpenTree {
            slot: fields.u16()?,
            path: fields.string()?,
            object: object(fields)?,
            flags: TreeFlags::decode(fields.u8()?)?,
        },
        tag::PRIVATE_MOUNTS => Step::PrivateMounts,
        tag::PROC => Step::Proc {
            path: fields.string()?,
            options: fields.string()?,
        },
        tag::READ_ONLY => Step::ReadOnly {
            path: fields.string()?,
        },
        tag::TERMINAL => Step::Terminal {
            path: fields.string()?,
            options: fields.string()?,
            multiplexer: fields.string()?,
            columns: fields.u16()?,
            rows: fields.u16()?,
        },
        tag::TMPFS => Step::Tmpfs {
            path: fields.string()?,
            options: fields.string()?,
            flags: TreeFlags::decode(fields.u8()?)?,
            over: maybe_object(fields)?,
        },
        _ => return Err(DecodeError::BadTag),
    })
}

fn object(fields: &mut Reader<'_>) -> Result<Object, DecodeError> {
    Ok(Object {
        major: fields.u32()?,
        minor: fields.u32()?,
        inode: fields.u64()?,
    })
}

fn maybe_object(fields: &mut Reader<'_>) -> Result<Option<Object>, DecodeError> {
    match fields.u8()? {
        0 => Ok(None),
        1 => object(fields).map(Some),
        _ => Err(DecodeError::BadTag),
    }
}

/// First byte of each encoded step.
pub(crate) mod tag {
    pub(crate) const ALLOW_PATH: u8 = 1;
    pub(crate) const ATTACH: u8 = 2;
    pub(crate) const DIRECTORY: u8 = 3;
    pub(crate) const DROP_CAPABILITIES: u8 = 4;
    pub(crate) const ENTER_ROOT: u8 = 5;
    pub(crate) const FILE: u8 = 6;
    pub(crate) const HOSTNAME: u8 = 7;
    pub(crate) const NEW_ROOT: u8 = 8;
    pub(crate) const OPEN_TREE: u8 = 9;
    pub(crate) const PROC: u8 = 10;
    pub(crate) const READ_ONLY: u8 = 11;
    pub(crate) const RESTRICT: u8 = 12;
    pub(crate) const SYMLINK: u8 = 13;
    pub(crate) const TMPFS: u8 = 14;
    pub(crate) const PID_MAX: u8 = 20;
    pub(crate) const SECRET_FILE: u8 = 15;
    pub(crate) const TERMINAL: u8 = 16;
    pub(crate) const ADOPT: u8 = 17;
    pub(crate) const GIVE_UP_CAPABILITIES: u8 = 18;
    pub(crate) const PRIVATE_MOUNTS: u8 = 19;
}
