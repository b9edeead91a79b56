// SPDX-License-Identifier: Apache-2.0
//! Descriptors, small files and messages.

use core::ffi::CStr;

use super::{Errno, Fd, answer, nr, syscall};
use ambit_launcher::Object;

const AT_FDCWD: Fd = Fd(-100);
const O_WRONLY: usize = 1;
const O_RDWR: usize = 2;
const O_CREAT: usize = 0o100;
const O_EXCL: usize = 0o200;
const O_NOCTTY: usize = 0o400;
const O_CLOEXEC: usize = 0o2_000_000;
const O_PATH: usize = 0o10_000_000;
#[cfg(target_arch = "x86_64")]
const O_NOFOLLOW: usize = 0o400_000;
#[cfg(target_arch = "aarch64")]
const O_NOFOLLOW: usize = 0o100_000;

/// Opens `path` as a handle only, not following a link at its end.
pub(crate) fn open_handle(path: &CStr) -> Result<Fd, Errno> {
    open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0)
}

/// Creates a new file for writing.
pub(crate) fn create(path: &CStr, mode: u32) -> Result<Fd, Errno> {
    open(
        path,
        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
        mode,
    )
}

/// Opens a terminal multiplexer for both directions, without taking it for our own terminal.
pub(crate) fn open_terminal(path: &CStr) -> Result<Fd, Errno> {
    open(path, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC, 0)
}

/// Opens a file for reading, not following a link at its end.
pub(crate) fn open_to_read(path: &CStr) -> Result<Fd, Errno> {
    open(path, O_NOFOLLOW | O_CLOEXEC, 0)
}

/// Opens a file that exists for writing, not following a link at its end.
pub(crate) fn open_to_write(path: &CStr) -> Result<Fd, Errno> {
    open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0)
}

/// Writes `content` over the beginning of a file that exists.
pub(crate) fn overwrite(path: &CStr, content: &[u8]) -> Result<(), Errno> {
    let file = open_to_write(path)?;
    let written = write_all(file, content);
    close(file)?;
    written
}

/// `struct open_how` of `openat2(2)` (kernel 5.6).
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

/// Opens `path`, relative to the working directory, as a handle only. No link is followed
/// anywhere on the way, nothing above the working directory is reached, and what is found must be
/// `judged`, if that is given.
pub(crate) fn open_judged(path: &CStr, judged: Option<Object>) -> Result<Fd, Errno> {
    const RESOLVE_NO_MAGICLINKS: u64 = 2;
    const RESOLVE_NO_SYMLINKS: u64 = 4;
    const RESOLVE_BENEATH: u64 = 8;
    let how = OpenHow {
        flags: (O_PATH | O_CLOEXEC) as u64,
        mode: 0,
        resolve: RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
    };
    let (how_ptr, size) = ((&raw const how) as usize, size_of::<OpenHow>());
    let args = [AT_FDCWD.word(), path.as_ptr() as usize, how_ptr, size, 0, 0];
    // SAFETY: openat2(2) reads the NUL-terminated path and `size` bytes of `how`.
    let found = descriptor(unsafe { syscall(nr::OPENAT2, args) })?;
    if let Some(judged) = judged {
        require(found, judged)?;
    }
    Ok(found)
}

fn open(path: &CStr, flags: usize, mode: u32) -> Result<Fd, Errno> {
    let args = [
        AT_FDCWD.word(),
        path.as_ptr() as usize,
        flags,
        mode as usize,
        0,
        0,
    ];
    // SAFETY: openat(2) reads the NUL-terminated path.
    descriptor(unsafe { syscall(nr::OPENAT, args) })
}

pub(super) fn descriptor(raw: isize) -> Result<Fd, Errno> {
    answer(raw).and_then(|fd| i32::try_from(fd).map(Fd).ok().ok_or(Errno::INVALID))
}

/// Writes all of `bytes`.
pub(crate) fn write_all(fd: Fd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let args = [fd.word(), bytes.as_ptr() as usize, bytes.len(), 0, 0, 0];
        // SAFETY: write(2) reads `len` bytes from the slice.
        match answer(unsafe { syscall(nr::WRITE, args) }) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTERRUPTED) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Reads once; returns how many bytes came.
pub(crate) fn read(fd: Fd, into: &mut [u8]) -> Result<usize, Errno> {
    let args = [fd.word(), into.as_mut_ptr() as usize, into.len(), 0, 0, 0];
    // SAFETY: read(2) writes at most `len` bytes into the exclusively borrowed slice.
    answer(unsafe { syscall(nr::READ, args) })
}

/// Reads one message of 8 bytes as a number; `None` for any other, and for the end.
pub(crate) fn read_word(fd: Fd) -> Result<Option<u64>, Errno> {
    let mut bytes = [0_u8; 8];
    let length = read(fd, &mut bytes)?;
    Ok((length == bytes.len()).then(|| u64::from_le_bytes(bytes)))
}

/// Reads once from the beginning of a file; returns how many bytes came (`pread(2)`).
pub(crate) fn read_start(fd: Fd, into: &mut [u8]) -> Result<usize, Errno> {
    let args = [fd.word(), into.as_mut_ptr() as usize, into.len(), 0, 0, 0];
    // SAFETY: pread64(2) writes at most `len` bytes into the exclusively borrowed slice.
    answer(unsafe { syscall(nr::PREAD64, args) })
}

/// Makes a directory; one that is already there is fine.
pub(crate) fn make_directory(path: &CStr, mode: u32) -> Result<(), Errno> {
    const EEXIST: Errno = Errno(17);
    let args = [
        AT_FDCWD.word(),
        path.as_ptr() as usize,
        mode as usize,
        0,
        0,
        0,
    ];
    // SAFETY: mkdirat(2) reads the NUL-terminated path.
    match answer(unsafe { syscall(nr::MKDIRAT, args) }) {
        Ok(_) | Err(EEXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Makes a symbolic link at `path` that holds `target`.
pub(crate) fn make_symlink(target: &CStr, path: &CStr) -> Result<(), Errno> {
    let args = [
        target.as_ptr() as usize,
        AT_FDCWD.word(),
        path.as_ptr() as usize,
        0,
        0,
        0,
    ];
    // SAFETY: symlinkat(2) reads two NUL-terminated strings.
    answer(unsafe { syscall(nr::SYMLINKAT, args) }).map(|_| ())
}

/// `struct statx` up to `stx_dev_minor` (`include/uapi/linux/stat.h`), padded to its 256 bytes.
#[repr(C)]
struct Statx {
    head: [u32; 8],
    inode: u64,
    middle: [u64; 11],
    rdev: [u32; 2],
    dev_major: u32,
    dev_minor: u32,
    tail: [u64; 14],
}

/// Returns the name under which procfs leads to an open object (`proc_pid_fd(5)`), while the old
/// root's `/proc` is there.
pub(crate) fn name_of(fd: Fd, buffer: &mut [u8; 32]) -> Result<&CStr, Errno> {
    const PREFIX: &[u8] = b"/proc/self/fd/";
    let mut left = fd.0;
    let mut digits = [0_u8; 10];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' | u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
    }
    let zeros = digits.iter().take(9).take_while(|digit| **digit == b'0');
    let number = digits.get(zeros.count()..).unwrap_or_default();
    let bytes = PREFIX.iter().chain(number).copied().chain([0]);
    for (slot, byte) in buffer.iter_mut().zip(bytes) {
        *slot = byte;
    }
    CStr::from_bytes_until_nul(buffer)
        .ok()
        .ok_or(Errno::INVALID)
}

/// Refuses an open object that is not the one the policy judged.
pub(crate) fn require(found: Fd, judged: Object) -> Result<(), Errno> {
    if identity(Some(found), c"")? == judged {
        Ok(())
    } else {
        Err(Errno::STALE)
    }
}

/// Returns the identity of an open object (`path` empty) or of what `path` leads to.
pub(crate) fn identity(fd: Option<Fd>, path: &CStr) -> Result<Object, Errno> {
    const AT_EMPTY_PATH: usize = 0x1000;
    const STATX_INO: usize = 0x100;
    let mut out = Statx {
        head: [0; 8],
        inode: 0,
        middle: [0; 11],
        rdev: [0; 2],
        dev_major: 0,
        dev_minor: 0,
        tail: [0; 14],
    };
    let flags = if fd.is_some() { AT_EMPTY_PATH } else { 0 };
    let start = fd.unwrap_or(AT_FDCWD);
    let out_ptr = (&raw mut out) as usize;
    let args = [
        start.word(),
        path.as_ptr() as usize,
        flags,
        STATX_INO,
        out_ptr,
        0,
    ];
    // SAFETY: statx(2) reads the path and writes 256 bytes, the size of `Statx` (asserted below).
    answer(unsafe { syscall(nr::STATX, args) })?;
    Ok(Object {
        major: out.dev_major,
        minor: out.dev_minor,
        inode: out.inode,
    })
}

const _: () = assert!(size_of::<Statx>() == 256);

/// Copies a descriptor onto the number `to`.
pub(crate) fn duplicate(from: Fd, to: Fd, close_on_exec: bool) -> Result<(), Errno> {
    let flags = if close_on_exec { O_CLOEXEC } else { 0 };
    // SAFETY: dup3(2) takes no memory.
    answer(unsafe { syscall(nr::DUP3, [from.word(), to.word(), flags, 0, 0, 0]) }).map(|_| ())
}

/// Closes every descriptor from `first` up.
pub(crate) fn close_from(first: u32) -> Result<(), Errno> {
    close_range(first as usize, u32::MAX as usize)
}

/// Closes one descriptor.
pub(crate) fn close(fd: Fd) -> Result<(), Errno> {
    close_range(fd.word(), fd.word())
}

/// Closes a range, both ends included (kernel 5.9).
fn close_range(first: usize, last: usize) -> Result<(), Errno> {
    let args = [first, last, 0, 0, 0, 0];
    // SAFETY: close_range(2) takes no memory.
    answer(unsafe { syscall(nr::CLOSE_RANGE, args) }).map(|_| ())
}

/// Makes a pipe; both ends close on exec.
pub(crate) fn pipe() -> Result<(Fd, Fd), Errno> {
    let mut ends = [0_i32; 2];
    let args = [ends.as_mut_ptr() as usize, O_CLOEXEC, 0, 0, 0, 0];
    // SAFETY: pipe2(2) writes two ints into the exclusively borrowed array.
    answer(unsafe { syscall(nr::PIPE2, args) })?;
    let [reader, writer] = ends;
    Ok((Fd(reader), Fd(writer)))
}

/// How many descriptors one message can bring; the last is not always there.
const FDS: usize = ambit_launcher::protocol::PASSED_FDS;

#[repr(C)]
struct IoVec {
    base: *mut u8,
    len: usize,
}

#[repr(C)]
struct MsgHdr {
    name: *mut u8,
    name_len: u32,
    iov: *mut IoVec,
    iov_len: usize,
    control: *mut ControlBuffer,
    control_len: usize,
    flags: i32,
}

#[repr(C)]
struct ControlBuffer {
    len: usize,
    level: i32,
    kind: i32,
    fds: [i32; FDS],
}

/// Receives one message of at most `into.len()` bytes and [`FDS`] descriptors, or one less: then the
/// last is -1 (`unix(7)`, `SCM_RIGHTS`).
pub(crate) fn receive(socket: Fd, into: &mut [u8]) -> Result<(usize, [Fd; FDS]), Errno> {
    const MSG_CMSG_CLOEXEC: usize = 0x4000_0000;
    // a header of one word and two ints, then the descriptors
    const COMPLETE: usize = size_of::<usize>() + (2 + FDS) * size_of::<i32>();
    const WITHOUT_LAST: usize = COMPLETE - size_of::<i32>();
    const { assert!(size_of::<ControlBuffer>() == COMPLETE.next_multiple_of(size_of::<usize>())) };
    let mut control = ControlBuffer {
        len: 0,
        level: 0,
        kind: 0,
        fds: [-1; FDS],
    };
    let mut io = IoVec {
        base: into.as_mut_ptr(),
        len: into.len(),
    };
    let mut header = MsgHdr {
        name: core::ptr::null_mut(),
        name_len: 0,
        iov: &raw mut io,
        iov_len: 1,
        control: &raw mut control,
        control_len: size_of::<ControlBuffer>(),
        flags: 0,
    };
    let header_ptr = (&raw mut header) as usize;
    let args = [socket.word(), header_ptr, MSG_CMSG_CLOEXEC, 0, 0, 0];
    // SAFETY: recvmsg(2) fills `into` and `control` within the lengths given; both, and the header
    // that points at them, are exclusively ours and outlive the call.
    let length = answer(unsafe { syscall(nr::RECVMSG, args) })?;
    let complete = (control.len == COMPLETE || control.len == WITHOUT_LAST)
        && (control.level, control.kind) == (1, 1)
        && header.flags & 0x28 == 0; // MSG_TRUNC | MSG_CTRUNC
    if complete {
        Ok((length, control.fds.map(Fd)))
    } else {
        Err(Errno::INVALID)
    }
}

#[repr(C)]
struct OneDescriptor {
    len: usize,
    level: i32,
    kind: i32,
    fd: i32,
}

/// Sends one message with a descriptor (`unix(7)`, `SCM_RIGHTS`).
pub(crate) fn send_with(socket: Fd, bytes: &[u8], fd: Fd) -> Result<(), Errno> {
    const MSG_NOSIGNAL: usize = 0x4000;
    // a header of one word and two ints, then the descriptor
    const LENGTH: usize = size_of::<usize>() + 3 * size_of::<i32>();
    let mut control = OneDescriptor {
        len: LENGTH,
        level: 1,
        kind: 1,
        fd: fd.0,
    };
    let mut io = IoVec {
        base: bytes.as_ptr().cast_mut(),
        len: bytes.len(),
    };
    let header = MsgHdr {
        name: core::ptr::null_mut(),
        name_len: 0,
        iov: &raw mut io,
        iov_len: 1,
        control: (&raw mut control).cast(),
        control_len: size_of::<OneDescriptor>(),
        flags: 0,
    };
    let header_ptr = (&raw const header) as usize;
    // SAFETY: sendmsg(2) only reads `bytes`, `control` and the header that points at them; all
    // outlive the call.
    answer(unsafe {
        syscall(
            nr::SENDMSG,
            [socket.word(), header_ptr, MSG_NOSIGNAL, 0, 0, 0],
        )
    })
    .map(|_| ())
}

/// Maps `length` bytes of `fd` read-only for the rest of the launcher's life.
pub(crate) fn map_file(fd: Fd, length: usize) -> Result<&'static [u8], Errno> {
    const PROT_READ: usize = 1;
    const MAP_PRIVATE: usize = 2;
    // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
    let start =
        answer(unsafe { syscall(nr::MMAP, [0, length, PROT_READ, MAP_PRIVATE, fd.word(), 0]) })?;
    // SAFETY: the kernel mapped `length` readable bytes there, nobody unmaps them, and the file is
    // sealed against writing and shrinking (the sender's promise, `memfd_create(2)`).
    Ok(unsafe { core::slice::from_raw_parts(start as *const u8, length) })
}

/// Returns `count` zeroed words of fresh memory that is never given back.
pub(crate) fn zeroed_words(count: usize) -> Result<&'static mut [usize], Errno> {
    const PROT_READ_WRITE: usize = 3;
    const MAP_PRIVATE_ANONYMOUS: usize = 0x22;
    let bytes = count
        .checked_mul(size_of::<usize>())
        .ok_or(Errno::INVALID)?;
    let args = [
        0,
        bytes.max(1),
        PROT_READ_WRITE,
        MAP_PRIVATE_ANONYMOUS,
        usize::MAX,
        0,
    ];
    // SAFETY: a new anonymous mapping at an address of the kernel's choice.
    let start = answer(unsafe { syscall(nr::MMAP, args) })?;
    // SAFETY: page-aligned, zeroed, `bytes` long, referenced by nothing else.
    Ok(unsafe { core::slice::from_raw_parts_mut(start as *mut usize, count) })
}
