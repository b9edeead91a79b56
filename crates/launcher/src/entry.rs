// SPDX-License-Identifier: Apache-2.0
//! What a program without a C library must bring itself: the entry point, the panic handler and
//! the memory functions that the compiler calls.

use core::arch::global_asm;
use core::panic::PanicInfo;

use crate::sys;

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "and rsp, -16",
    "call {main}",
    "ud2",
    main = sym main,
);

#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, xzr", "bl {main}", "brk 1", main = sym main);

extern "C" fn main() -> ! {
    crate::run()
}

/// A panic is a defect of the launcher: it ends the sandbox, and nothing runs.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    sys::exit(101)
}

/// Named by the precompiled `core`, never called: this program is built with `panic=abort`.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// `memcpy(3)`.
///
/// # Safety
/// `to` is writable and `from` readable for `count` bytes; they do not overlap.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    let mut index = 0;
    while index < count {
        // SAFETY: `index < count`, so both addresses lie in the ranges the caller promised.
        let byte = unsafe { from.wrapping_add(index).read() };
        // SAFETY: as above.
        unsafe { to.wrapping_add(index).write(byte) };
        index = index.wrapping_add(1);
    }
    to
}

/// `memmove(3)`.
///
/// # Safety
/// `to` is writable and `from` readable for `count` bytes; they may overlap.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if to.cast_const() <= from {
        // SAFETY: copying upwards reads each byte before it can be overwritten.
        return unsafe { memcpy(to, from, count) };
    }
    let mut index = count;
    while index > 0 {
        index = index.wrapping_sub(1);
        // SAFETY: `index < count`, so both addresses lie in the ranges the caller promised.
        let byte = unsafe { from.wrapping_add(index).read() };
        // SAFETY: as above.
        unsafe { to.wrapping_add(index).write(byte) };
    }
    to
}

/// `memset(3)`.
///
/// # Safety
/// `to` is writable for `count` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    let mut index = 0;
    while index < count {
        // SAFETY: `index < count`, so the address lies in the range the caller promised.
        unsafe { to.wrapping_add(index).write(byte as u8) };
        index = index.wrapping_add(1);
    }
    to
}

/// `memcmp(3)`.
///
/// # Safety
/// Both are readable for `count` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    let mut index = 0;
    while index < count {
        // SAFETY: `index < count`, so the address lies in the range the caller promised.
        let left = unsafe { a.wrapping_add(index).read() };
        // SAFETY: as above.
        let right = unsafe { b.wrapping_add(index).read() };
        if left != right {
            return i32::from(left).wrapping_sub(i32::from(right));
        }
        index = index.wrapping_add(1);
    }
    0
}

/// `bcmp(3)`.
///
/// # Safety
/// Both are readable for `count` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    // SAFETY: the same demands as ours.
    unsafe { memcmp(a, b, count) }
}

/// `strlen(3)`.
///
/// # Safety
/// `text` is readable up to and with its NUL.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut length = 0_usize;
    loop {
        // SAFETY: the NUL was not passed yet, so the address lies in the string.
        if unsafe { text.wrapping_add(length).read() } == 0 {
            return length;
        }
        length = length.wrapping_add(1);
    }
}
