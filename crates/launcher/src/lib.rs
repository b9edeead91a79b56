// SPDX-License-Identifier: Apache-2.0
//! The launch plan as the launcher obeys it, and what the launcher reports back.
//!
//! *Step*: one act of building the sandbox, in order. *Program*: all steps and the command that
//! runs at the end. *Report*: a fixed-size message from the launcher to the process that started
//! it. All three are plain data; nothing here touches the kernel.
//!
//! The types are `no_std` and decode without allocation, since the launcher has neither libc nor
//! a heap. The feature `std` adds the encoder for the side that writes programs.
#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![forbid(unsafe_code)]

#[cfg(any(feature = "std", test))]
mod builder;
mod codec;
mod program;
mod report;

pub use codec::{DecodeError, Strings};
pub use program::{
    Command, Object, Program, Resource, Secret, Segment, Stdin, Step, Sweep, TreeFlags, protocol,
};
pub use report::{Observation, REPORT_BYTES, Report, Stage, Usage};

#[cfg(any(feature = "std", test))]
pub use builder::{CommandSource, ProgramBuilder, SecretSource, SegmentSource, StdinSource};

#[cfg(test)]
mod tests;
