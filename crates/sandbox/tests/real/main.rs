// SPDX-License-Identifier: Apache-2.0
//! The sandbox on the real kernel. As root, every test runs once more as an unprivileged user.
#![expect(
    clippy::print_stdout,
    clippy::redundant_clone,
    clippy::unwrap_used,
    reason = "a test may fail by panicking; plans are copied so that their parts stay at hand"
)]

mod anchor;
mod confinement;
mod dead_mounts;
mod faults;
mod inside;
mod lifetime;
mod limits;
mod lite;
mod memory;
mod network;
mod outcomes;
mod pipelines;
mod protections;
mod remote;
mod secrets;
mod support;
mod surface;
mod terminal;
mod unprivileged;
