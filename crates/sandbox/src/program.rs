// SPDX-License-Identifier: Apache-2.0
//! From a layout to the steps the launcher obeys.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use ambit_launcher::{CommandSource, Object, ProgramBuilder, Step, TreeFlags, protocol};

use crate::error::SandboxError;
use crate::extras::Extras;
use crate::host::Caller;
use crate::layout::{Grant, Layout, Place, Tree, WholeProc};
use crate::plan::{Network, c_string};
use crate::ruleset::Rights;

/// An encoded program, and what each step is called in an error.
pub(crate) struct Built {
    /// May hold secrets.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) steps: Vec<String>,
}

/// What the steps depend on besides the layout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) rights: Rights,
    pub(crate) caller: Caller,
    pub(crate) network: Network,
    /// Whether programs in scratch space may be executed.
    pub(crate) memory: bool,
    /// Of the whole run, where it is limited: scratch space is memory too.
    pub(crate) memory_bytes: Option<u64>,
    /// The highest process number that is asked for.
    pub(crate) pid_max: Option<u32>,
}

/// More is added for secrets.
const ROOT_OPTIONS: &str = "nr_inodes=4096,mode=0755";
const SCRATCH_BYTES: u64 = 512 << 20;
const SCRATCH_OPTIONS: &str = "nr_inodes=131072,mode=1777";
const VALUES_OPTIONS: &str = "size=256k,nr_inodes=64,mode=0755";
const HIDDEN_OPTIONS: &str = "size=4k,nr_inodes=1,mode=0555";
/// Only the process directories: no `/proc/sys`, `/proc/kcore`, `/proc/keys` (kernel 5.8).
const PROC_OPTIONS: &str = "subset=pid";
/// Files of the root that are made for every run.
pub(crate) const WRITTEN: &[&str] = &[
    "/etc/group",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/passwd",
];
const HOSTNAME: &str = "ambit";
const DEV_LINKS: &[(&str, &str)] = &[
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/var/tmp", "/tmp"),
];

/// Writes the program of a run.
///
/// # Errors
/// [`SandboxError::PlanInvalid`] when a path holds NUL or there are too many.
pub(crate) fn build(
    layout: &Layout,
    context: Context,
    command: &CommandSource,
    extras: &Extras<'_>,
) -> Result<Built, SandboxError> {
    let mut writer = Writer {
        layout,
        memory: context.memory,
        scratch: scratch_options(context.memory_bytes),
        made: BTreeSet::new(),
        out: ProgramBuilder::default(),
        steps: Vec::new(),
    };
    writer.step("making the mounts private", Step::PrivateMounts);
    if let Some(highest) = context.pid_max {
        writer.step("limiting process numbers", Step::PidMax { highest });
    }
    let slots = writer.open_trees()?;
    writer.step(
        "making a new root",
        Step::NewRoot {
            base: c"/tmp",
            options: &text(&extras.root_options(ROOT_OPTIONS))?,
        },
    );
    for (path, place) in &layout.places {
        writer.place(path, place, &slots)?;
    }
    writer.files_of_etc(context)?;
    writer.links_and_proc(&slots)?;
    if let Some(size) = extras.terminal {
        writer.terminal(size)?;
    }
    for (index, path) in extras.secret_files() {
        writer.secret(index, path)?;
    }
    writer.step(
        "naming the host",
        Step::Hostname {
            name: &text(HOSTNAME)?,
        },
    );
    writer.step("entering the new root", Step::EnterRoot);
    writer.step("making the root read-only", Step::ReadOnly { path: c"/" });
    writer.allow_inside(context.rights)?;
    writer.allow_extras(context.rights, extras)?;
    writer.step("dropping capabilities", Step::DropCapabilities);
    writer.step("enforcing the Landlock ruleset", Step::Restrict);
    Ok(Built {
        bytes: Zeroizing::new(writer.out.finish(command, &extras.sources())),
        steps: writer.steps,
    })
}

/// No more is written there than there may be memory.
fn scratch_options(memory_bytes: Option<u64>) -> String {
    let size = memory_bytes.map_or(SCRATCH_BYTES, |most| most.min(SCRATCH_BYTES));
    format!("size={size},{SCRATCH_OPTIONS}")
}

pub(crate) struct Writer<'a> {
    layout: &'a Layout,
    memory: bool,
    scratch: String,
    made: BTreeSet<PathBuf>,
    out: ProgramBuilder,
    steps: Vec<String>,
}

/// Slot of each mounted or masking tree, by path.
type Slots = BTreeMap<PathBuf, u16>;

impl Writer<'_> {
    pub(crate) fn step(&mut self, name: impl Into<String>, step: Step<'_>) {
        self.steps.push(name.into());
        self.out.push(step);
    }

    /// Opens every tree while the old root is still in sight.
    fn open_trees(&mut self) -> Result<Slots, SandboxError> {
        let mut slots = Slots::new();
        let null = self.layout.places.get(Path::new("/dev/null"));
        for (path, place) in &self.layout.places {
            let tree = match (place, null) {
                (Place::Mount(tree), _) => tree,
                (Place::Hidden(over), Some(Place::Mount(null))) if !over.is_directory => null,
                (Place::Hidden(_) | Place::Link(_) | Place::Scratch, _) => continue,
            };
            self.open_into(&mut slots, path, tree)?;
        }
        if let (Some(whole), Some(Place::Mount(null))) = (&self.layout.whole_proc, null) {
            for path in &whole.hidden_files {
                self.open_into(&mut slots, path, null)?;
            }
        }
        Ok(slots)
    }

    fn open_into(
        &mut self,
        slots: &mut Slots,
        path: &Path,
        tree: &Tree,
    ) -> Result<(), SandboxError> {
        let slot = slots.len();
        if slot >= protocol::MAX_TREES {
            return Err(SandboxError::PlanInvalid {
                field: "read_only_paths",
                problem: "too many directories lie above the excepted paths".to_owned(),
            });
        }
        let slot = u16::try_from(slot).unwrap_or(u16::MAX);
        self.open_tree(slot, tree)?;
        slots.insert(path.to_owned(), slot);
        Ok(())
    }

    fn open_tree(&mut self, slot: u16, tree: &Tree) -> Result<(), SandboxError> {
        let flags = match tree.grant {
            // a node can be written on a read-only mount; its mode, owner and times cannot
            Grant::Device => TreeFlags::DEVICE
                .with(TreeFlags::NO_EXEC)
                .with(TreeFlags::READ_ONLY),
            Grant::Read => TreeFlags::READ_ONLY,
            Grant::Write => TreeFlags::default(),
        };
        let step = Step::OpenTree {
            slot,
            path: &path_text(&tree.source)?,
            object: tree.object,
            flags,
        };
        self.step(format!("opening `{}`", tree.source.display()), step);
        Ok(())
    }

    fn place(&mut self, path: &Path, place: &Place, slots: &Slots) -> Result<(), SandboxError> {
        match place {
            Place::Mount(tree) => {
                self.target(path, tree.is_directory)?;
                // seen through a tree above, the mount point is the very object
                let over = self.layout.mounted_above(path).then_some(tree.object);
                self.attach(path, slots, over)
            }
            Place::Scratch => {
                self.target(path, true)?;
                let flags = if self.memory {
                    TreeFlags::default()
                } else {
                    TreeFlags::NO_EXEC
                };
                let options = self.scratch.clone();
                self.tmpfs(path, &options, flags, None)
            }
            Place::Link(target) => self.link(path, target),
            Place::Hidden(tree) if tree.is_directory => {
                let flags = TreeFlags::NO_EXEC.with(TreeFlags::READ_ONLY);
                self.tmpfs(path, HIDDEN_OPTIONS, flags, Some(tree.object))
            }
            Place::Hidden(tree) => self.attach(path, slots, Some(tree.object)),
        }
    }

    fn tmpfs(
        &mut self,
        path: &Path,
        options: &str,
        flags: TreeFlags,
        over: Option<Object>,
    ) -> Result<(), SandboxError> {
        let step = Step::Tmpfs {
            path: &relative(path)?,
            options: &text(options)?,
            flags,
            over,
        };
        self.step(format!("covering `{}` with a tmpfs", path.display()), step);
        Ok(())
    }

    pub(crate) fn link(&mut self, path: &Path, target: &Path) -> Result<(), SandboxError> {
        if self.layout.mounted_above(path) {
            return Ok(());
        }
        self.parents(path)?;
        let step = Step::Symlink {
            path: &relative(path)?,
            target: &path_text(target)?,
        };
        self.step(format!("linking `{}`", path.display()), step);
        Ok(())
    }

    fn attach(
        &mut self,
        path: &Path,
        slots: &Slots,
        over: Option<Object>,
    ) -> Result<(), SandboxError> {
        if let Some(slot) = slots.get(path) {
            let step = Step::Attach {
                slot: *slot,
                path: &relative(path)?,
                over,
            };
            self.step(format!("mounting `{}`", path.display()), step);
        }
        Ok(())
    }

    /// Makes the mount point, unless a tree mounted above already shows it.
    pub(crate) fn target(&mut self, path: &Path, is_directory: bool) -> Result<(), SandboxError> {
        if self.layout.mounted_above(path) {
            return Ok(());
        }
        self.parents(path)?;
        let at = relative(path)?;
        let step = if is_directory {
            self.made.insert(path.to_owned());
            Step::Directory {
                path: &at,
                mode: 0o755,
            }
        } else {
            Step::File {
                path: &at,
                mode: 0o644,
                content: &[],
            }
        };
        self.step(format!("making `{}`", path.display()), step);
        Ok(())
    }

    pub(crate) fn parents(&mut self, path: &Path) -> Result<(), SandboxError> {
        let mut missing: Vec<&Path> = path
            .ancestors()
            .skip(1)
            .filter(|above| above.parent().is_some() && !self.made.contains(*above))
            .collect();
        missing.reverse();
        for above in missing {
            let at = relative(above)?;
            self.step(
                format!("making `{}`", above.display()),
                Step::Directory {
                    path: &at,
                    mode: 0o755,
                },
            );
            self.made.insert(above.to_owned());
        }
        Ok(())
    }

    /// Names for the one user there is, and a resolver that matches the network.
    fn files_of_etc(&mut self, context: Context) -> Result<(), SandboxError> {
        let (uid, gid) = (context.caller.inner_uid(), context.caller.inner_gid());
        let passwd = format!("ambit:x:{uid}:{gid}:ambit:/tmp:/bin/sh\n");
        let group = format!("ambit:x:{gid}:\n");
        let mut files = vec![
            ("/etc/passwd", passwd.as_str()),
            ("/etc/group", group.as_str()),
            (
                "/etc/nsswitch.conf",
                "passwd: files\ngroup: files\nhosts: files dns\n",
            ),
        ];
        if context.network == Network::Deny {
            files.push(("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"));
        }
        for (path, content) in files {
            let path = Path::new(path);
            if self.layout.mounted_above(path) || self.layout.places.contains_key(path) {
                continue;
            }
            self.parents(path)?;
            let step = Step::File {
                path: &relative(path)?,
                mode: 0o644,
                content: content.as_bytes(),
            };
            self.step(format!("writing `{}`", path.display()), step);
        }
        Ok(())
    }

    fn links_and_proc(&mut self, slots: &Slots) -> Result<(), SandboxError> {
        for (path, target) in DEV_LINKS {
            let path = Path::new(path);
            let taken = self
                .layout
                .places
                .keys()
                .any(|place| place.starts_with(path));
            if !taken {
                self.link(path, Path::new(target))?;
            }
        }
        self.target(Path::new("/proc"), true)?;
        let step = Step::Proc {
            path: c"proc",
            options: &text(match self.layout.whole_proc {
                Some(_) => "",
                None => PROC_OPTIONS,
            })?,
        };
        self.step("mounting `/proc`", step);
        match &self.layout.whole_proc {
            Some(whole) => self.cover_proc(whole, slots),
            None => Ok(()),
        }
    }

    /// Covers what a whole `/proc` must not show.
    fn cover_proc(&mut self, whole: &WholeProc, slots: &Slots) -> Result<(), SandboxError> {
        let flags = TreeFlags::NO_EXEC.with(TreeFlags::READ_ONLY);
        for path in &whole.hidden_directories {
            self.tmpfs(path, HIDDEN_OPTIONS, flags, None)?;
        }
        for path in &whole.hidden_files {
            self.attach(path, slots, None)?;
        }
        let values = Path::new("/proc/sys");
        self.tmpfs(values, VALUES_OPTIONS, TreeFlags::NO_EXEC, None)?;
        self.made.insert(values.to_owned());
        self.made.insert(PathBuf::from("/proc"));
        for (path, content) in &whole.values {
            self.parents(path)?;
            let step = Step::File {
                path: &relative(path)?,
                mode: 0o444,
                content,
            };
            self.step(format!("writing `{}`", path.display()), step);
        }
        for path in [values, Path::new("/proc")] {
            let at = relative(path)?;
            let step = Step::ReadOnly { path: &at };
            self.step(format!("making `{}` read-only", path.display()), step);
        }
        Ok(())
    }

    /// Rules for what the launcher itself has mounted.
    fn allow_inside(&mut self, rights: Rights) -> Result<(), SandboxError> {
        let mut inside = vec![
            (PathBuf::from("/"), rights.list()),
            (PathBuf::from("/proc"), Rights::look()),
        ];
        for (path, place) in &self.layout.places {
            if matches!(place, Place::Scratch) {
                let access = if self.memory {
                    rights.write(true)
                } else {
                    rights.scratch()
                };
                inside.push((path.clone(), access));
            }
        }
        if !self.layout.places.contains_key(Path::new("/etc")) {
            inside.push((PathBuf::from("/etc"), Rights::look()));
        }
        for (path, access) in inside {
            let step = Step::AllowPath {
                path: &path_text(&path)?,
                access: access.bits(),
            };
            self.step(format!("allowing `{}`", path.display()), step);
        }
        Ok(())
    }
}

fn text(value: &str) -> Result<CString, SandboxError> {
    c_string("read_paths", value)
}

pub(crate) fn path_text(path: &Path) -> Result<CString, SandboxError> {
    c_string("read_paths", path.as_os_str().as_bytes())
}

/// A path as the new root, where the launcher then works, names it.
pub(crate) fn relative(path: &Path) -> Result<CString, SandboxError> {
    let inside = path
        .strip_prefix("/")
        .map_or(path.as_os_str(), Path::as_os_str);
    let named = if inside.is_empty() {
        OsStr::new(".")
    } else {
        inside
    };
    c_string("read_paths", named.as_bytes())
}
