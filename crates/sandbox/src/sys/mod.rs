// SPDX-License-Identifier: Apache-2.0
//! The raw system calls of this crate: starting the launcher without forking a copy of a threaded
//! process, and the few calls that `nix` does not have.
//!
//! [`start`] uses `clone3(2)`, or `clone(2)` where that is absent, with `CLONE_VM | CLONE_VFORK`: the child shares our memory and we
//! stand still until it has executed the launcher or ended. It therefore does nothing but raw
//! system calls: no allocation, no lock, no libc function with state. A child that joins an
//! [`Anchor`] does so in two stages: the first joins, and clones the second as our own child, since
//! a process cannot move itself into the namespaces that need the joined one's rights.
#![expect(
    unsafe_code,
    reason = "the one module of this crate that may call the kernel directly"
)]
#![expect(
    clippy::cast_possible_wrap,
    reason = "addresses are passed to the kernel as words"
)]

mod clone;

use std::ffi::{CStr, CString, c_int, c_long, c_void};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};

use ambit_launcher::Usage;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use crate::plan::WindowSize;
use crate::supervise::reap;
use clone::{New, Span, Stack};

/// A null pointer or a zero, as a word of the kernel.
const NULL: c_long = 0;

/// Asks for the Landlock ABI of the running kernel (`landlock_create_ruleset(2)`).
pub(crate) fn landlock_abi() -> Result<u32, Errno> {
    const CREATE_RULESET_VERSION: c_long = 1;
    // SAFETY: with the version flag the call takes no memory: null and size 0 are what it demands.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            NULL,
            NULL,
            CREATE_RULESET_VERSION,
        )
    };
    u32::try_from(answer).ok().ok_or_else(Errno::last)
}

/// Returns a second descriptor of what the caller has open under a number; it is closed on
/// execution.
///
/// # Errors
/// `EBADF` when nothing is open there.
pub fn duplicate(number: RawFd) -> Result<OwnedFd, Errno> {
    const LEAST: c_long = 3;
    let command = c_long::from(libc::F_DUPFD_CLOEXEC);
    let args = [c_long::from(number), command, LEAST, NULL, NULL];
    let slot = AtomicI32::new(c_int::try_from(call(libc::SYS_fcntl, args)?).unwrap_or(-1));
    // nobody else was told of it
    adopt(&slot).ok_or(Errno::EBADF)
}

/// Takes one message and the descriptor that may come with it, without waiting. Further descriptors
/// are closed by the kernel, since there is no room for them (`unix(7)`, `MSG_CTRUNC`).
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    into: &mut [u8],
) -> Result<(usize, Option<OwnedFd>), Errno> {
    let mut space = nix::cmsg_space!(RawFd);
    let mut parts = [std::io::IoSliceMut::new(into)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
    let mut fd = None;
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(fds) = part {
            let first = fds.first().copied().unwrap_or(-1);
            fd = adopt(&AtomicI32::new(first));
        }
    }
    Ok((message.bytes, fd))
}

/// Gives a terminal another size (`TIOCSWINSZ` of `ioctl_tty(2)`).
pub(crate) fn resize(terminal: BorrowedFd<'_>, size: WindowSize) -> Result<(), Errno> {
    let words = [size.rows, size.columns, 0, 0];
    let request = c_long::try_from(libc::TIOCSWINSZ).unwrap_or_default();
    let fd = c_long::from(terminal.as_raw_fd());
    call(libc::SYS_ioctl, [fd, request, address(&words), NULL, NULL]).map(|_| ())
}

/// Kills the process a pidfd stands for.
pub(crate) fn kill(process: BorrowedFd<'_>) -> Result<(), Errno> {
    signal(process, Signal::SIGKILL)
}

/// Sends a signal to the process a pidfd stands for (`pidfd_send_signal(2)`, kernel 5.1).
pub(crate) fn signal(process: BorrowedFd<'_>, signal: Signal) -> Result<(), Errno> {
    let fd = c_long::from(process.as_raw_fd());
    let number = c_long::from(signal as c_int);
    call(libc::SYS_pidfd_send_signal, [fd, number, NULL, NULL, NULL]).map(|_| ())
}

/// Returns a descriptor that stands for a child that was not reaped yet (`pidfd_open(2)`, kernel
/// 5.3); it is closed on execution.
pub(crate) fn pidfd_open(child: Pid) -> Result<OwnedFd, Errno> {
    let id = c_long::from(child.as_raw());
    let fd = call(libc::SYS_pidfd_open, [id, NULL, NULL, NULL, NULL])?;
    let slot = AtomicI32::new(c_int::try_from(fd).unwrap_or(-1));
    // nobody else was told of it
    adopt(&slot).ok_or(Errno::EBADF)
}

/// Reaps a child if it has ended (`wait4(2)`): its wait status, and what it and its own reaped
/// children used.
pub(crate) fn reap_if_ended(child: Pid) -> Result<Option<(u64, Usage)>, Errno> {
    /// `struct rusage` (`getrusage(2)`): two times of two words each, and 14 more words.
    const RUSAGE_WORDS: usize = 18;
    let mut status: c_int = 0;
    let mut words: [c_long; RUSAGE_WORDS] = [0; RUSAGE_WORDS];
    let status_address = (&raw mut status) as usize as c_long;
    let words_address = (&raw mut words) as usize as c_long;
    let options = c_long::from(libc::WNOHANG);
    let id = c_long::from(child.as_raw());
    let args = [id, status_address, options, words_address, NULL];
    if call(libc::SYS_wait4, args)? == 0 {
        return Ok(None);
    }
    let [user, user_rest, system, system_rest, max_rss_kib, ..] =
        words.map(|word| u64::try_from(word).unwrap_or_default());
    let micros = |seconds: u64, rest: u64| seconds.saturating_mul(1_000_000).saturating_add(rest);
    let usage = Usage {
        user_us: micros(user, user_rest),
        system_us: micros(system, system_rest),
        max_rss_kib,
    };
    Ok(Some((u64::try_from(status).unwrap_or_default(), usage)))
}

/// Returns whether a file has an extended attribute of this name and of the value `1`.
pub(crate) fn has_attribute(path: &Path, name: &CStr) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_encoded_bytes()) else {
        return false;
    };
    let mut value = [0_u8; 2];
    let at = |text: &CStr| text.as_ptr() as usize as c_long;
    let into = (&raw mut value) as usize as c_long;
    let length = c_long::try_from(value.len()).unwrap_or_default();
    let got = call(
        libc::SYS_getxattr,
        [at(&path), at(name), into, length, NULL],
    );
    got == Ok(1) && value == *b"1\0"
}

/// Has a function called when this process ends in order (`atexit(3)`); answers whether it will be.
pub(crate) fn at_exit(function: extern "C" fn()) -> bool {
    // SAFETY: the function takes nothing, and stays loaded: an addon is never unloaded.
    unsafe { libc::atexit(function) == 0 }
}

/// Returns whether two processes have the same memory (`kcmp(2)`).
pub(crate) fn share_memory(first: u32, second: u32) -> Result<bool, Errno> {
    const KCMP_VM: c_long = 1;
    let args = [
        c_long::from(first),
        c_long::from(second),
        KCMP_VM,
        NULL,
        NULL,
    ];
    call(libc::SYS_kcmp, args).map(|order| order == 0)
}

/// Gives up the supplementary groups of the calling thread only (the raw call, unlike libc's,
/// does not touch the other threads).
pub(crate) fn drop_groups_of_thread() -> Result<(), Errno> {
    // SAFETY: a list of length 0 is never read.
    Errno::result(unsafe { libc::syscall(libc::SYS_setgroups, NULL, NULL) }).map(|_| ())
}

/// Where starting the launcher stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StartStage {
    /// Joining the anchor (`setns(2)`).
    Join,
    /// `clone3(2)` or `clone(2)` itself: namespaces are not allowed.
    Clone,
    /// Starting in the cgroup that was asked for (`CLONE_INTO_CGROUP`).
    Cgroup,
    /// Writing the id maps of the user namespace.
    IdMap,
    /// Handing the needed capabilities to the launcher.
    Capabilities,
    /// Descriptors and signals.
    Descriptors,
    /// Executing the launcher.
    Exec,
}

/// Lines of `user_namespaces(7)`: inner, outer, count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdMaps<'a> {
    /// For users.
    pub(crate) uid: &'a CStr,
    /// For groups.
    pub(crate) gid: &'a CStr,
}

/// A user namespace and a network namespace that belongs to it; both live as long as this.
#[derive(Debug)]
pub(crate) struct Anchor {
    user: OwnedFd,
    net: OwnedFd,
}

/// Whose ids and rights the launcher starts with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Identity<'a> {
    /// Those of a user namespace of its own.
    Own(IdMaps<'a>),
    /// Those of the caller: no namespace is made, nor may any be asked for.
    Caller,
    /// Those of the anchor.
    Joined(&'a Anchor),
}

/// What to start, and in which namespaces.
#[derive(Debug)]
pub(crate) struct StartRequest<'a> {
    /// The launcher's sealed memfd.
    pub(crate) image: BorrowedFd<'a>,
    /// Its end of the control socket.
    pub(crate) control: BorrowedFd<'a>,
    /// `CLONE_NEW*` flags besides those of the identity.
    pub(crate) namespaces: c_int,
    /// Ids and rights.
    pub(crate) identity: Identity<'a>,
    /// A group of cgroup v2, opened: the launcher is in it from the start (`CLONE_INTO_CGROUP`, which
    /// only `clone3(2)` has). Where it cannot be, the start fails in [`StartStage::Cgroup`].
    pub(crate) cgroup: Option<BorrowedFd<'a>>,
}

/// Where a child writes what stopped it, for us to read once it has let go of our memory.
struct Fault {
    stage: AtomicI32,
    errno: AtomicI32,
}

impl Fault {
    const fn none() -> Self {
        Self {
            stage: AtomicI32::new(-1),
            errno: AtomicI32::new(0),
        }
    }

    fn store(&self, stage: StartStage, errno: Errno) {
        self.errno.store(errno as i32, Ordering::Release);
        self.stage.store(stage as i32, Ordering::Release);
    }

    fn taken(&self) -> Option<(StartStage, Errno)> {
        let stage = usize::try_from(self.stage.load(Ordering::Acquire)).ok()?;
        let errno = Errno::from_raw(self.errno.load(Ordering::Acquire));
        STAGES.get(stage).map(|stage| (*stage, errno))
    }
}

/// The launcher's view of a request; it writes nothing but the fault.
struct Task<'a> {
    request: &'a StartRequest<'a>,
    fault: Fault,
}

/// The first stage's view: it writes its fault and the descriptor of the second.
struct Joining<'a> {
    task: &'a Task<'a>,
    anchor: &'a Anchor,
    flags: c_int,
    stack: Span,
    pidfd: AtomicI32,
}

/// The anchor maker's view: it writes its fault and both descriptors.
struct Making<'a> {
    maps: IdMaps<'a>,
    fault: Fault,
    user: AtomicI32,
    net: AtomicI32,
}

/// One thing the launcher's process does before it is the launcher.
type Act = fn(&StartRequest<'_>) -> Result<(), Errno>;

/// In the order of their declaration, which is the number that a child writes.
const STAGES: [StartStage; 7] = [
    StartStage::Join,
    StartStage::Clone,
    StartStage::Cgroup,
    StartStage::IdMap,
    StartStage::Capabilities,
    StartStage::Descriptors,
    StartStage::Exec,
];

const SHARED: c_int = libc::CLONE_VM | libc::CLONE_VFORK;

/// Starts the launcher and returns its pidfd.
///
/// The caller blocks all signals first, so that no handler of this process runs in the child.
pub(crate) fn start(request: &StartRequest<'_>) -> Result<OwnedFd, (StartStage, Errno)> {
    let task = Task {
        request,
        fault: Fault::none(),
    };
    let pidfd = match request.identity {
        Identity::Joined(anchor) => start_joined(&task, anchor)?,
        Identity::Own(_) => start_directly(&task, libc::CLONE_NEWUSER)?,
        Identity::Caller => start_directly(&task, 0)?,
    };
    let Some(fault) = task.fault.taken() else {
        return Ok(pidfd);
    };
    // the child has ended already; what is left of it is for us to take
    reap(pidfd.as_fd()).map_err(|errno| (StartStage::Clone, errno))?;
    Err(fault)
}

fn start_directly(task: &Task<'_>, user: c_int) -> Result<OwnedFd, (StartStage, Errno)> {
    let mut stack = Stack::new();
    let request = task.request;
    let new = New {
        flags: SHARED | libc::CLONE_PIDFD | user | request.namespaces,
        entry: launcher,
        argument: (&raw const *task).cast_mut().cast::<c_void>(),
        stack: stack.span(),
        cgroup: request.cgroup.map(|group| group.as_raw_fd()),
    };
    // SAFETY: only the child uses the stack; with CLONE_VFORK we do not return before the child has
    // let go of our memory, so stack, task and request outlive it.
    let (_, pidfd) = unsafe { new.start() }?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(pidfd) })
}

fn start_joined(task: &Task<'_>, anchor: &Anchor) -> Result<OwnedFd, (StartStage, Errno)> {
    let (mut first, mut second) = (Stack::new(), Stack::new());
    let joining = Joining {
        task,
        anchor,
        flags: SHARED | libc::CLONE_PARENT | libc::CLONE_PIDFD | task.request.namespaces,
        stack: second.span(),
        pidfd: AtomicI32::new(-1),
    };
    let new = New {
        // the pidfd that the first stage gets is to be ours: it shares our descriptors, the second
        // does not
        flags: SHARED | libc::CLONE_FILES,
        entry: join,
        argument: (&raw const joining).cast_mut().cast::<c_void>(),
        stack: first.span(),
        cgroup: None,
    };
    // SAFETY: as in `start_directly`; the first stage in turn waits for the second, so that both
    // stacks, task and request outlive both.
    let (pid, _) = unsafe { new.start() }?;
    reap_pid(pid).map_err(|errno| (StartStage::Clone, errno))?;
    let pidfd = joining.pidfd.load(Ordering::Acquire);
    if pidfd < 0 {
        let unknown = (StartStage::Clone, Errno::ECHILD);
        return Err(task.fault.taken().unwrap_or(unknown));
    }
    // SAFETY: the kernel made this descriptor for the first stage, in the table that we shared with
    // it; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(pidfd) })
}

/// The first stage: joins, clones the launcher's process, and ends.
extern "C" fn join(argument: *mut c_void) -> c_int {
    // SAFETY: `start_joined` passes a live `Joining` and waits for us; we only read it and its atomics.
    let joining = unsafe { &*argument.cast_const().cast::<Joining<'_>>() };
    let set = |fd: &OwnedFd, kind: c_int| {
        let fd = c_long::from(fd.as_raw_fd());
        call(libc::SYS_setns, [fd, c_long::from(kind), 0, 0, 0])
    };
    let joined = set(&joining.anchor.user, libc::CLONE_NEWUSER)
        .and_then(|_| set(&joining.anchor.net, libc::CLONE_NEWNET));
    if let Err(errno) = joined {
        joining.task.fault.store(StartStage::Join, errno);
        return 127;
    }
    let cgroup = joining.task.request.cgroup;
    let new = New {
        flags: joining.flags,
        entry: launcher,
        argument: (&raw const *joining.task).cast_mut().cast::<c_void>(),
        stack: joining.stack,
        cgroup: cgroup.map(|group| group.as_raw_fd()),
    };
    // SAFETY: as in `start_directly`, with this process in our place.
    match unsafe { new.start() } {
        Ok((_, pidfd)) => joining.pidfd.store(pidfd, Ordering::Release),
        Err((stage, errno)) => {
            joining.task.fault.store(stage, errno);
            return 127;
        }
    }
    0
}

/// Makes a user namespace with these ids and a network namespace in it.
///
/// The caller blocks all signals first, as for [`start`].
pub(crate) fn make_anchor(maps: &IdMaps<'_>) -> Result<Anchor, (StartStage, Errno)> {
    let mut stack = Stack::new();
    let making = Making {
        maps: *maps,
        fault: Fault::none(),
        user: AtomicI32::new(-1),
        net: AtomicI32::new(-1),
    };
    let new = New {
        flags: SHARED | libc::CLONE_FILES | libc::CLONE_NEWUSER | libc::CLONE_NEWNET,
        entry: anchor,
        argument: (&raw const making).cast_mut().cast::<c_void>(),
        stack: stack.span(),
        cgroup: None,
    };
    // SAFETY: as in `start_directly`.
    let (pid, _) = unsafe { new.start() }?;
    reap_pid(pid).map_err(|errno| (StartStage::Clone, errno))?;
    // a descriptor that was opened is ours, whatever came after
    let user = adopt(&making.user);
    let net = adopt(&making.net);
    match (making.fault.taken(), user, net) {
        (None, Some(user), Some(net)) => Ok(Anchor { user, net }),
        (Some(fault), ..) => Err(fault),
        (None, ..) => Err((StartStage::Clone, Errno::ECHILD)),
    }
}

/// Takes a descriptor that a child opened in the table it shared with us.
fn adopt(slot: &AtomicI32) -> Option<OwnedFd> {
    let fd = slot.load(Ordering::Acquire);
    // SAFETY: the child has ended and told nobody else of it.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The anchor's maker: its namespaces live on in the descriptors that it opens for us.
extern "C" fn anchor(argument: *mut c_void) -> c_int {
    // SAFETY: `make_anchor` passes a live `Making` and waits for us; we only read it and its atomics.
    let making = unsafe { &*argument.cast_const().cast::<Making<'_>>() };
    let done = write_id_maps(&making.maps)
        .and_then(|()| open_namespace(c"/proc/self/ns/user", &making.user))
        .and_then(|()| open_namespace(c"/proc/self/ns/net", &making.net));
    if let Err(errno) = done {
        making.fault.store(StartStage::IdMap, errno);
        return 127;
    }
    0
}

fn open_namespace(path: &CStr, slot: &AtomicI32) -> Result<(), Errno> {
    let flags = c_long::from(libc::O_RDONLY | libc::O_CLOEXEC);
    let fd = open(path, flags)?;
    slot.store(c_int::try_from(fd).unwrap_or(-1), Ordering::Release);
    Ok(())
}

/// Waits for the end of a child that told nobody when it died.
fn reap_pid(pid: libc::pid_t) -> Result<(), Errno> {
    loop {
        match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::__WALL)) {
            Ok(_) | Err(Errno::ECHILD) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// The launcher's process: on its own stack, in our memory. Its return value is its exit code.
extern "C" fn launcher(argument: *mut c_void) -> c_int {
    // SAFETY: `start` passes a live `Task` and waits for us; we only read it and its atomics.
    let task = unsafe { &*argument.cast_const().cast::<Task<'_>>() };
    let steps: [(StartStage, Act); 4] = [
        (StartStage::IdMap, take_ids),
        (StartStage::Capabilities, keep_capabilities),
        (StartStage::Descriptors, arrange_descriptors),
        (StartStage::Exec, execute),
    ];
    for (stage, step) in steps {
        if let Err(errno) = step(task.request) {
            task.fault.store(stage, errno);
            break;
        }
    }
    127
}

/// One raw call with up to five arguments.
fn call(number: c_long, args: [c_long; 5]) -> Result<c_long, Errno> {
    let [first, second, third, fourth, fifth] = args;
    // SAFETY: every caller in this module passes addresses of live, large enough objects as the
    // call demands; libc::syscall itself only sets errno of the waiting thread.
    Errno::result(unsafe { libc::syscall(number, first, second, third, fourth, fifth) })
}

fn address<T: ?Sized>(object: &T) -> c_long {
    (&raw const *object).cast::<u8>() as usize as c_long
}

fn take_ids(request: &StartRequest<'_>) -> Result<(), Errno> {
    match &request.identity {
        Identity::Own(maps) => write_id_maps(maps),
        Identity::Joined(_) | Identity::Caller => Ok(()),
    }
}

fn write_id_maps(maps: &IdMaps<'_>) -> Result<(), Errno> {
    write_file(c"/proc/self/setgroups", c"deny")?;
    write_file(c"/proc/self/uid_map", maps.uid)?;
    write_file(c"/proc/self/gid_map", maps.gid)
}

fn open(path: &CStr, flags: c_long) -> Result<c_long, Errno> {
    let at = c_long::from(libc::AT_FDCWD);
    let path = path.as_ptr() as usize as c_long;
    call(libc::SYS_openat, [at, path, flags, 0, 0])
}

fn write_file(path: &CStr, content: &CStr) -> Result<(), Errno> {
    let fd = open(path, c_long::from(libc::O_WRONLY | libc::O_CLOEXEC))?;
    let bytes = content.to_bytes();
    let length = c_long::try_from(bytes.len()).ok().ok_or(Errno::E2BIG)?;
    call(libc::SYS_write, [fd, address(bytes), length, 0, 0])?;
    call(libc::SYS_close, [fd, 0, 0, 0, 0]).map(|_| ())
}

/// Makes the capabilities the launcher needs survive its own `execve(2)` (`capabilities(7)`,
/// "ambient"): mounting, and giving up the bounding set.
fn keep_capabilities(request: &StartRequest<'_>) -> Result<(), Errno> {
    const VERSION_3: u32 = 0x2008_0522;
    const CAP_SETPCAP: u32 = 8;
    const CAP_SYS_ADMIN: u32 = 21;
    if matches!(request.identity, Identity::Caller) {
        return Ok(());
    }
    let header = [VERSION_3, 0];
    let mut sets = [0_u32; 6];
    let sets_address = (&raw mut sets) as usize as c_long;
    call(libc::SYS_capget, [address(&header), sets_address, 0, 0, 0])?;
    let [_, _, inheritable, ..] = &mut sets;
    *inheritable |= (1 << CAP_SETPCAP) | (1 << CAP_SYS_ADMIN);
    call(
        libc::SYS_capset,
        [address(&header), address(&sets), 0, 0, 0],
    )?;
    for capability in [CAP_SETPCAP, CAP_SYS_ADMIN] {
        let (option, raise) = (
            c_long::from(libc::PR_CAP_AMBIENT),
            c_long::from(libc::PR_CAP_AMBIENT_RAISE),
        );
        call(
            libc::SYS_prctl,
            [option, raise, c_long::from(capability), 0, 0],
        )?;
    }
    Ok(())
}

/// Leaves the launcher its control socket and nothing else, and every signal at its default.
fn arrange_descriptors(request: &StartRequest<'_>) -> Result<(), Errno> {
    const CLOSE_RANGE_CLOEXEC: c_long = 4;
    const SIGNAL_SET_BYTES: c_long = 8;
    let control = c_long::from(request.control.as_raw_fd());
    for number in 0..3 {
        call(libc::SYS_dup3, [control, number, 0, 0, 0])?;
    }
    call(
        libc::SYS_close_range,
        [3, c_long::from(u32::MAX), CLOSE_RANGE_CLOEXEC, 0, 0],
    )?;
    let default = [0_u64; 4];
    for signal in 1..=64 {
        if signal != c_long::from(libc::SIGKILL) && signal != c_long::from(libc::SIGSTOP) {
            call(
                libc::SYS_rt_sigaction,
                [signal, address(&default), 0, SIGNAL_SET_BYTES, 0],
            )?;
        }
    }
    Ok(())
}

fn execute(request: &StartRequest<'_>) -> Result<(), Errno> {
    let argv = [c"ambit-launcher".as_ptr(), std::ptr::null()];
    let env: [*const std::ffi::c_char; 1] = [std::ptr::null()];
    let image = c_long::from(request.image.as_raw_fd());
    let path = c"".as_ptr() as usize as c_long;
    let flags = c_long::from(libc::AT_EMPTY_PATH);
    call(
        libc::SYS_execveat,
        [image, path, address(&argv), address(&env), flags],
    )
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use nix::unistd::{Gid, Uid};

    use super::*;

    #[test]
    fn a_launcher_that_cannot_be_executed_leaves_nothing() {
        let line = |inner: u32, outer: u32| CString::new(format!("{inner} {outer} 1")).unwrap();
        let uid = line(1000, Uid::effective().as_raw());
        let gid = line(1000, Gid::effective().as_raw());
        let maps = IdMaps {
            uid: &uid,
            gid: &gid,
        };
        let null = File::open("/dev/null").unwrap();
        let request = StartRequest {
            image: null.as_fd(),
            control: null.as_fd(),
            namespaces: 0,
            identity: Identity::Own(maps),
            cgroup: None,
        };
        let failed = start(&request).map(|_| ()).unwrap_err();
        assert_eq!(failed, (StartStage::Exec, Errno::EACCES));
        let children = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
        assert_eq!(children, "");
    }
}
