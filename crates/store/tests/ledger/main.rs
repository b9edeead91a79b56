// SPDX-License-Identifier: Apache-2.0
//! The ledger as its callers use it. One binary, because some tests start it again as another
//! process.
#![cfg(test)]

mod append;
mod approvals;
mod chain;
mod checkpoint;
mod common;
mod disk;
mod group;
mod hostile;
mod open;
mod processes;
mod query;
mod transfer;
