// SPDX-License-Identifier: Apache-2.0
//! Starting the launcher.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::errno::Errno;
use nix::sys::signal::SigSet;
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
};
use nix::unistd::getgroups;

use crate::cgroup::Lease;
use crate::error::SandboxError;
use crate::host::Caller;
use crate::plan::c_string;
use crate::supervise::{Running, pid_of};
use crate::sys::{self, IdMaps, Identity, StartRequest, StartStage};
use crate::{anchor, image};

/// Descriptors that go to the launcher with the program.
pub(crate) struct Passed {
    /// Standard input, if it is not opened inside.
    pub(crate) stdin: Option<OwnedFd>,
    pub(crate) ruleset: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
}

/// Which namespaces a run has for itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Namespaces {
    /// Every kind there is.
    All,
    /// It has the network of the machine.
    AllButNetwork,
    /// It sees what the caller sees.
    None,
}

/// Starts the launcher with its program, in namespaces of its own if it is to have any.
///
/// # Errors
/// [`SandboxError`]; nothing is left of the launcher then.
pub(crate) fn start(
    namespaces: Namespaces,
    caller: Caller,
    program: &[u8],
    passed: Passed,
    group: Option<&Lease>,
) -> Result<Running, SandboxError> {
    let (control, launcher_end) = socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .map_err(SandboxError::internal("making the control socket"))?;
    let map = |inner: u32, outer: u32| c_string("uid_map", format!("{inner} {outer} 1"));
    let uid_map = map(caller.inner_uid(), caller.uid.as_raw())?;
    let gid_map = map(caller.inner_gid(), caller.gid.as_raw())?;
    let how = Start {
        image: image::descriptor()?,
        control: launcher_end.as_fd(),
        wanted: namespaces,
        caller,
        maps: IdMaps {
            uid: &uid_map,
            gid: &gid_map,
        },
        group: group.and_then(Lease::folder),
        inside: AtomicBool::new(false),
    };
    let started = if must_drop_groups(caller)? {
        without_groups(|| how.start_quietly())?
    } else {
        how.start_quietly()
    };
    let (process, shared) = started.map_err(refused)?;
    let running = Running::new(process, control, shared);
    let running = match namespaces {
        Namespaces::All | Namespaces::AllButNetwork => running,
        Namespaces::None => running.without_namespaces(),
    };
    // it waits for its program, and has no child before it
    if let Some(group) = group.filter(|_| !how.inside.load(Ordering::Acquire)) {
        enter(group, &running)?;
    }
    hand_over(&running.control, program, &passed)?;
    // only the launcher holds the writing ends from here on, so that their end shows
    drop(passed);
    Ok(running)
}

fn enter(group: &Lease, running: &Running) -> Result<(), SandboxError> {
    let number = pid_of(running.process.as_fd());
    let entered = number.ok_or(Errno::ESRCH).and_then(|it| group.attach(it));
    entered.map_err(|source| SandboxError::Setup {
        step: "entering the control group".to_owned(),
        source,
    })
}

struct Start<'a> {
    image: BorrowedFd<'a>,
    control: BorrowedFd<'a>,
    wanted: Namespaces,
    caller: Caller,
    maps: IdMaps<'a>,
    /// The control group, where the kernel can start a process in it.
    group: Option<BorrowedFd<'a>>,
    /// Whether it did.
    inside: AtomicBool,
}

impl Start<'_> {
    /// Starts the launcher with every signal blocked, so that no handler runs in the shared memory.
    fn start_quietly(&self) -> Started {
        let descriptors = |errno| (StartStage::Descriptors, errno);
        let before = SigSet::thread_get_mask().map_err(descriptors)?;
        SigSet::all().thread_set_mask().map_err(descriptors)?;
        let started = self.start();
        before.thread_set_mask().map_err(descriptors)?;
        started
    }

    /// Without a network, in the anchor's namespaces, unless this process may not join any.
    fn start(&self) -> Started {
        let anchor = match self.wanted {
            Namespaces::All => anchor::of(self.caller, &self.maps)?,
            Namespaces::AllButNetwork => None,
            Namespaces::None => {
                return self
                    .start_as(Identity::Caller, 0)
                    .map(|process| (process, false));
            }
        };
        if let Some(anchor) = anchor {
            match self.start_as(Identity::Joined(&anchor), OWN) {
                Err((StartStage::Join, _)) => anchor::refuse(),
                started => return started.map(|process| (process, true)),
            }
        }
        let net = if self.wanted == Namespaces::All {
            libc::CLONE_NEWNET
        } else {
            0
        };
        self.start_as(Identity::Own(self.maps), OWN | net)
            .map(|process| (process, false))
    }

    fn start_as(
        &self,
        identity: Identity<'_>,
        namespaces: libc::c_int,
    ) -> Result<OwnedFd, (StartStage, Errno)> {
        let start = |cgroup| {
            sys::start(&StartRequest {
                image: self.image,
                control: self.control,
                namespaces,
                identity,
                cgroup,
            })
        };
        match start(self.group) {
            // it enters the group after its start
            Err((StartStage::Cgroup, _)) if self.group.is_some() => start(None),
            started => {
                let inside = self.group.is_some() && started.is_ok();
                self.inside.store(inside, Ordering::Release);
                started
            }
        }
    }
}

/// Namespaces that every run has for itself.
const OWN: libc::c_int = libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWUTS;

/// A root caller's supplementary groups would count inside too. Others cannot give theirs up.
fn must_drop_groups(caller: Caller) -> Result<bool, SandboxError> {
    let groups = getgroups().map_err(SandboxError::internal("reading our own groups"))?;
    Ok(caller.uid.is_root() && !groups.is_empty())
}

/// Works in a thread that ends here, so that this process keeps its groups.
fn without_groups(work: impl FnOnce() -> Started + Send) -> Result<Started, SandboxError> {
    let failed = |source| SandboxError::Internal {
        what: "starting a thread without groups",
        source,
    };
    thread::scope(|scope| {
        let bare = || {
            match sys::drop_groups_of_thread() {
                // a root of a container or user namespace that may not: as an unprivileged caller,
                // whose groups stay too
                Ok(()) | Err(Errno::EPERM) => work(),
                Err(errno) => Err((StartStage::Capabilities, errno)),
            }
        };
        let worker = thread::Builder::new().spawn_scoped(scope, bare);
        let worker = worker
            .map_err(|error| failed(Errno::from_raw(error.raw_os_error().unwrap_or_default())))?;
        worker.join().ok().ok_or_else(|| failed(Errno::ECANCELED))
    })
}

/// The launcher's process, and whether it is in namespaces that other runs share.
type Started = Result<(OwnedFd, bool), (StartStage, Errno)>;

fn refused((stage, source): (StartStage, Errno)) -> SandboxError {
    let named = |step: &str| SandboxError::Setup {
        step: step.to_owned(),
        source,
    };
    match stage {
        // too many processes or too little memory pass by; the rest is how this machine is set up
        StartStage::Clone if matches!(source, Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE) => {
            named("starting the launcher")
        }
        StartStage::Clone | StartStage::Join => SandboxError::Unsupported {
            mechanism: "user namespaces",
            source,
        },
        StartStage::IdMap => SandboxError::Unsupported {
            mechanism: "mapping the caller's id",
            source,
        },
        StartStage::Cgroup => named("starting in the cgroup"),
        StartStage::Capabilities => named("keeping the launcher's capabilities"),
        StartStage::Descriptors => named("arranging the launcher's descriptors"),
        StartStage::Exec => named("executing the launcher"),
    }
}

/// Sends the program's length with its memfd, both output streams, the ruleset and the input, if any.
fn hand_over(control: &OwnedFd, program: &[u8], passed: &Passed) -> Result<(), SandboxError> {
    let image = image::sealed(c"ambit-program", program)?;
    let length = u64::try_from(program.len())
        .unwrap_or(u64::MAX)
        .to_le_bytes();
    let always = [&image, &passed.stdout, &passed.stderr, &passed.ruleset];
    let fds: Vec<RawFd> = always
        .into_iter()
        .chain(&passed.stdin)
        .map(AsRawFd::as_raw_fd)
        .collect();
    let messages = [ControlMessage::ScmRights(&fds)];
    let parts = [IoSlice::new(&length)];
    sendmsg::<()>(
        control.as_raw_fd(),
        &parts,
        &messages,
        MsgFlags::MSG_NOSIGNAL,
        None,
    )
    .map(|_| ())
    .map_err(SandboxError::internal("handing over the program"))
}
