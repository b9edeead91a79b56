// SPDX-License-Identifier: Apache-2.0
//! The launcher's bytes, and the sealed memfd from which it is executed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::error::SandboxError;
use crate::stream;

static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ambit-launcher"));
static IMAGE: OnceLock<OwnedFd> = OnceLock::new();

/// Returns the launcher, a static ELF program, as it was built into this library.
pub const fn launcher_image() -> &'static [u8] {
    BYTES
}

/// Returns the SHA-256 of [`launcher_image`], 64 lower-case hex digits.
pub(crate) fn sha256() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| stream::sha256(BYTES))
}

/// Returns the sealed memfd of this process that holds the launcher, or where no memfd can be executed the
/// file beside this library.
///
/// # Errors
/// [`SandboxError::Internal`] when the kernel gives no memfd.
pub(crate) fn descriptor() -> Result<BorrowedFd<'static>, SandboxError> {
    if let Some(image) = IMAGE.get() {
        return Ok(image.as_fd());
    }
    let fresh = executable()?;
    // two threads may both have made one; the first stays, the other is dropped
    Ok(IMAGE.get_or_init(|| fresh).as_fd())
}

/// The launcher in memory; as a file where programs in memory cannot be executed.
fn executable() -> Result<OwnedFd, SandboxError> {
    match memfd(c"ambit-launcher", MFD_EXEC) {
        // the sysctl vm.memfd_noexec is 2
        Err(Errno::EACCES) => beside(),
        made => filled(
            made.map_err(SandboxError::internal("making a memfd"))?,
            BYTES,
        ),
    }
}

/// The file beside this library, if its bytes are those that were built into it. Who may change that
/// file later may change this library too.
fn beside() -> Result<OwnedFd, SandboxError> {
    let missing = |source| SandboxError::Unsupported {
        mechanism: "executing the launcher: vm.memfd_noexec is 2, and no file `ambit-launcher` beside \
                    the addon is the one it was built with",
        source,
    };
    let path = own_folder()
        .ok_or_else(|| missing(Errno::ENOENT))?
        .join("ambit-launcher");
    let mut file = File::options()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| missing(Errno::from_raw(error.raw_os_error().unwrap_or_default())))?;
    let most = u64::try_from(BYTES.len())
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut found = Vec::new();
    let read = (&mut file).take(most).read_to_end(&mut found);
    if read.is_ok() && found == BYTES {
        return Ok(OwnedFd::from(file));
    }
    Err(missing(Errno::ENOEXEC))
}

/// Returns the folder of the file that this code was loaded from: the one mapped where it lies
/// (`proc_pid_maps(5)`: `start-end … path`).
fn own_folder() -> Option<PathBuf> {
    let here = executable as fn() -> Result<OwnedFd, SandboxError> as usize;
    let maps = fs::read("/proc/self/maps").ok()?;
    let line = maps.split(|byte| *byte == b'\n').find(|line| {
        let text = String::from_utf8_lossy(line);
        let range = text
            .split(' ')
            .next()
            .and_then(|range| range.split_once('-'));
        let number = |text| usize::from_str_radix(text, 16).ok();
        range
            .and_then(|(start, end)| Some(number(start)?..number(end)?))
            .is_some_and(|range| range.contains(&here))
    })?;
    let start = line.iter().position(|byte| *byte == b'/')?;
    let path = PathBuf::from(OsString::from_vec(line.get(start..)?.to_vec()));
    path.parent().map(Path::to_owned)
}

/// `MFD_NOEXEC_SEAL` and `MFD_EXEC` of `memfd_create(2)`, kernel 6.3.
const MFD_NOEXEC_SEAL: u32 = 8;
const MFD_EXEC: u32 = 0x10;

fn memfd(name: &std::ffi::CStr, whether_executable: u32) -> Result<OwnedFd, Errno> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    // kernels since 6.3 want to know whether it may be executed; older ones refuse the question
    let asked = memfd_create(name, flags | MFdFlags::from_bits_retain(whether_executable));
    match asked {
        Err(Errno::EINVAL) => memfd_create(name, flags),
        made => made,
    }
}

/// Returns a memfd with these bytes that nobody can change or execute any more (`memfd_create(2)`).
pub(crate) fn sealed(name: &std::ffi::CStr, bytes: &[u8]) -> Result<OwnedFd, SandboxError> {
    let made = memfd(name, MFD_NOEXEC_SEAL);
    filled(
        made.map_err(SandboxError::internal("making a memfd"))?,
        bytes,
    )
}

fn filled(fd: OwnedFd, bytes: &[u8]) -> Result<OwnedFd, SandboxError> {
    let mut file = File::from(fd);
    file.write_all(bytes)
        .map_err(|error| SandboxError::Internal {
            what: "filling a memfd",
            source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
        })?;
    let seals = SealFlag::F_SEAL_WRITE
        | SealFlag::F_SEAL_GROW
        | SealFlag::F_SEAL_SHRINK
        | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))
        .map_err(SandboxError::internal("sealing a memfd"))?;
    Ok(OwnedFd::from(file))
}
