// SPDX-License-Identifier: Apache-2.0
//! Shell text: which commands it runs.

mod command;

pub use command::{Command, Flow, Origin, Program, Redirection, Word};
