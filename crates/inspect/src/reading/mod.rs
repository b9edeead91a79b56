// SPDX-License-Identifier: Apache-2.0
//! What a call means. Everything is worked out on demand, and once.

mod keys;
mod program;
mod texts;
mod tool;

use std::cell::OnceCell;

use crate::budget::Limits;
use crate::call::Call;
use crate::finding::Span;
use crate::shell::{Command, Program};

pub use texts::{Key, Role, Text};
pub use tool::Capabilities;

use texts::Texts;

/// A call, and what it means.
#[derive(Debug)]
pub struct Reading<'a> {
    call: Call<'a>,
    limits: Limits,
    can: Capabilities,
    texts: OnceCell<Texts<'a>>,
    program: OnceCell<Program>,
}

impl<'a> Reading<'a> {
    /// Reads `call` within `limits`.
    pub fn new(call: Call<'a>, limits: Limits) -> Self {
        Self {
            call,
            limits,
            can: Capabilities::of(call.tool),
            texts: OnceCell::new(),
            program: OnceCell::new(),
        }
    }

    /// The call itself.
    pub const fn call(&self) -> Call<'a> {
        self.call
    }

    /// The budgets.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// What the tool can do.
    pub const fn can(&self) -> Capabilities {
        self.can
    }

    /// Every string of the parameters, in the order of its members, with what it is.
    pub fn texts(&self) -> &[Text<'a>] {
        &self.read_texts().list
    }

    /// The argument vectors: each a list of places in [`Self::texts`].
    pub fn argvs(&self) -> &[Vec<usize>] {
        &self.read_texts().argvs
    }

    /// What the call runs: the commands of its shell texts and argument vectors.
    pub fn program(&self) -> &Program {
        self.program.get_or_init(|| program::read(self))
    }

    /// The commands of [`Self::program`].
    pub fn commands(&self) -> &[Command] {
        &self.program().commands
    }

    /// The JSON Pointer of the text at a place in [`Self::texts`].
    pub fn pointer(&self, text: usize) -> String {
        self.read_texts().pointer(text)
    }

    /// Bytes `start..end` of the text at a place in [`Self::texts`], as a finding gives them.
    pub fn span(&self, text: usize, start: usize, end: usize) -> Span {
        Span {
            pointer: self.pointer(text),
            start,
            end,
        }
    }

    fn read_texts(&self) -> &Texts<'a> {
        self.texts
            .get_or_init(|| Texts::of(self.call.params, self.can))
    }
}
