// SPDX-License-Identifier: Apache-2.0
//! The launcher's bytes, and the sealed memfd from which it is executed.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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

/// Returns the sealed memfd of this process that holds the launcher.
///
/// # Errors
/// [`SandboxError::Internal`] when the kernel gives no memfd.
pub(crate) fn descriptor() -> Result<BorrowedFd<'static>, SandboxError> {
    if let Some(image) = IMAGE.get() {
        return Ok(image.as_fd());
    }
    let fresh = sealed(c"ambit-launcher", BYTES)?;
    // two threads may both have made one; the first stays, the other is dropped
    Ok(IMAGE.get_or_init(|| fresh).as_fd())
}

/// `MFD_EXEC` of `memfd_create(2)`, kernel 6.3.
const MFD_EXEC: u32 = 0x10;

/// Returns a memfd with these bytes that nobody can change any more (`memfd_create(2)`).
pub(crate) fn sealed(name: &std::ffi::CStr, bytes: &[u8]) -> Result<OwnedFd, SandboxError> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    // kernels since 6.3 want to know whether it may be executed; older ones refuse the question
    let fd = memfd_create(name, flags | MFdFlags::from_bits_retain(MFD_EXEC))
        .or_else(|_| memfd_create(name, flags))
        .map_err(SandboxError::internal("making a memfd"))?;
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
