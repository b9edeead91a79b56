// SPDX-License-Identifier: Apache-2.0
//! Shell text: which commands it runs.

mod act;
mod ast;
mod brace;
mod build;
mod command;
mod escape;
mod eval;
mod heredoc;
mod lex;
mod parse;
mod secret;

pub(crate) use act::{Act, Way};
pub(crate) use eval::{Evaluator, is_inert, is_program};
pub(crate) use secret::{has_secret, is_encoded};

pub use command::{Command, Flow, Origin, Program, Redirection, Word};
