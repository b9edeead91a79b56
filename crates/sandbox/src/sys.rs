// SPDX-License-Identifier: Apache-2.0
//! The raw system calls of this crate: starting the launcher without forking a copy of a threaded
//! process, and the few calls that `nix` does not have.
//!
//! [`start`] uses `clone(2)` with `CLONE_VM | CLONE_VFORK`: the child shares our memory and we
//! stand still until it has executed the launcher or ended. It therefore does nothing but raw
//! system calls: no allocation, no lock, no libc function with state.
#![expect(
    unsafe_code,
    reason = "the one module of this crate that may call the kernel directly"
)]
#![expect(
    clippy::cast_possible_wrap,
    reason = "addresses are passed to the kernel as words"
)]

use std::ffi::{CStr, c_int, c_long, c_void};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno;

use crate::supervise::reap;

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

/// Kills the process a pidfd stands for (`pidfd_send_signal(2)`, kernel 5.1).
pub(crate) fn kill(process: BorrowedFd<'_>) -> Result<(), Errno> {
    let (fd, signal) = (
        c_long::from(process.as_raw_fd()),
        c_long::from(libc::SIGKILL),
    );
    // SAFETY: a null siginfo is allowed, no other memory is taken.
    let answer = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, NULL, NULL) };
    Errno::result(answer).map(|_| ())
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
    /// `clone(2)` itself: namespaces are not allowed.
    Clone,
    /// Writing the id maps of the user namespace.
    IdMap,
    /// Handing the needed capabilities to the launcher.
    Capabilities,
    /// Descriptors and signals.
    Descriptors,
    /// Executing the launcher.
    Exec,
}

/// What to start, and in which namespaces.
#[derive(Debug)]
pub(crate) struct StartRequest<'a> {
    /// The launcher's sealed memfd.
    pub(crate) image: BorrowedFd<'a>,
    /// Its end of the control socket.
    pub(crate) control: BorrowedFd<'a>,
    /// `CLONE_NEW*` flags.
    pub(crate) namespaces: c_int,
    /// One line of `user_namespaces(7)`: inner, outer, count.
    pub(crate) uid_map: &'a CStr,
    /// The same for groups.
    pub(crate) gid_map: &'a CStr,
}

/// The child's view of a request; it writes nothing but `stage` and `errno`.
struct Task<'a> {
    request: &'a StartRequest<'a>,
    stage: AtomicI32,
    errno: AtomicI32,
}

/// One thing the child does.
type Act = fn(&StartRequest<'_>) -> Result<(), Errno>;

const STAGES: [StartStage; 4] = [
    StartStage::IdMap,
    StartStage::Capabilities,
    StartStage::Descriptors,
    StartStage::Exec,
];
/// 64 KiB in units of the alignment a stack needs: plenty for the child's few frames.
const STACK_UNITS: usize = 64 * 1024 / size_of::<u128>();

/// Starts the launcher and returns its pidfd.
///
/// The caller blocks all signals first, so that no handler of this process runs in the child.
pub(crate) fn start(request: &StartRequest<'_>) -> Result<OwnedFd, (StartStage, Errno)> {
    let task = Task {
        request,
        stage: AtomicI32::new(-1),
        errno: AtomicI32::new(0),
    };
    let mut stack = vec![0_u128; STACK_UNITS];
    let mut pidfd: RawFd = -1;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | request.namespaces;
    let top = stack.as_mut_ptr_range().end.cast::<c_void>();
    let argument = (&raw const task).cast_mut().cast::<c_void>();
    // SAFETY: `top` is the 16-byte aligned end of a stack that only the child uses; with
    // CLONE_VFORK we do not return before the child has let go of our memory, so stack, task and
    // request outlive it; with CLONE_PIDFD the kernel writes one int to the fifth argument.
    let pid = unsafe { libc::clone(child, top, flags, argument, &raw mut pidfd) };
    if pid < 0 {
        return Err((StartStage::Clone, Errno::last()));
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    let stage = usize::try_from(task.stage.load(Ordering::Acquire)).ok();
    let Some(stage) = stage.and_then(|stage| STAGES.get(stage)) else {
        return Ok(pidfd);
    };
    // the child has ended already; what is left of it is for us to take
    reap(pidfd.as_fd()).map_err(|errno| (StartStage::Clone, errno))?;
    Err((*stage, Errno::from_raw(task.errno.load(Ordering::Acquire))))
}

/// The child: on its own stack, in our memory. Its return value is its exit code.
extern "C" fn child(argument: *mut c_void) -> c_int {
    // SAFETY: `start` passes a live `Task` and waits for us; we only read it and its atomics.
    let task = unsafe { &*argument.cast_const().cast::<Task<'_>>() };
    let steps: [Act; 4] = [
        write_id_maps,
        keep_capabilities,
        arrange_descriptors,
        execute,
    ];
    for (stage, step) in (0..).zip(steps) {
        if let Err(errno) = step(task.request) {
            task.errno.store(errno as i32, Ordering::Release);
            task.stage.store(stage, Ordering::Release);
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

fn write_id_maps(request: &StartRequest<'_>) -> Result<(), Errno> {
    if request.namespaces & libc::CLONE_NEWUSER == 0 {
        return Ok(());
    }
    write_file(c"/proc/self/setgroups", c"deny")?;
    write_file(c"/proc/self/uid_map", request.uid_map)?;
    write_file(c"/proc/self/gid_map", request.gid_map)
}

fn write_file(path: &CStr, content: &CStr) -> Result<(), Errno> {
    let flags = c_long::from(libc::O_WRONLY | libc::O_CLOEXEC);
    let at = c_long::from(libc::AT_FDCWD);
    let fd = call(
        libc::SYS_openat,
        [at, path.as_ptr() as usize as c_long, flags, 0, 0],
    )?;
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
    if request.namespaces & libc::CLONE_NEWUSER == 0 {
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

    use super::*;

    #[test]
    fn a_launcher_that_cannot_be_executed_leaves_nothing() {
        let null = File::open("/dev/null").unwrap();
        let request = StartRequest {
            image: null.as_fd(),
            control: null.as_fd(),
            namespaces: 0,
            uid_map: c"",
            gid_map: c"",
        };
        let failed = start(&request).map(|_| ()).unwrap_err();
        assert_eq!(failed, (StartStage::Exec, Errno::EACCES));
        let children = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
        assert_eq!(children, "");
    }
}
