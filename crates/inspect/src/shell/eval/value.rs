// SPDX-License-Identifier: Apache-2.0
//! Values of variables, and streams.

use std::rc::Rc;

use crate::shell::command::{Flow, Word};

/// How much of a stream's text is kept.
const KEPT: usize = 1 << 20;

/// A variable's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Value {
    /// With [`Word::HOLE`] where it is not known.
    pub(crate) text: String,
    pub(crate) flow: Flow,
}

impl Value {
    pub(crate) fn known(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            flow: Flow::NONE,
        }
    }

    pub(crate) fn hole(flow: Flow) -> Self {
        Self {
            text: Word::HOLE.to_string(),
            flow,
        }
    }

    pub(crate) fn is_known(&self) -> bool {
        !self.text.contains(Word::HOLE)
    }
}

/// What one command gives the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) flow: Flow,
    /// All of it, if it is known.
    pub(crate) text: Option<Rc<String>>,
    /// Whether anything writes to it at all: a terminal's silence is no script.
    pub(crate) given: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self::empty()
    }
}

thread_local! {
    /// The text of all streams in which nothing is: most are, and each would allocate.
    static NOTHING: Rc<String> = Rc::default();
}

fn nothing() -> Rc<String> {
    NOTHING.try_with(Rc::clone).unwrap_or_default()
}

impl Stream {
    /// Nothing, so far.
    pub(crate) fn empty() -> Self {
        Self {
            flow: Flow::NONE,
            text: Some(nothing()),
            given: false,
        }
    }

    pub(crate) fn known(text: impl Into<String>, flow: Flow) -> Self {
        Self {
            flow,
            text: Some(Rc::new(text.into())),
            given: true,
        }
    }

    pub(crate) const fn unknown(flow: Flow) -> Self {
        Self {
            flow,
            text: None,
            given: true,
        }
    }

    /// Adds what another command writes.
    pub(crate) fn append(&mut self, other: Self) {
        self.flow = self.flow.with(other.flow);
        self.given |= other.given;
        self.text = match (self.text.take(), other.text) {
            (Some(mut mine), Some(more)) if mine.len().saturating_add(more.len()) <= KEPT => {
                if mine.is_empty() {
                    Some(more)
                } else {
                    Rc::make_mut(&mut mine).push_str(&more);
                    Some(mine)
                }
            }
            (Some(_), Some(_)) => {
                // Too long to be followed: what it says is not known any more.
                self.flow = self.flow.with(Flow::UNKNOWN);
                None
            }
            _ => None,
        };
    }

    /// Its text, if it is known; else nothing.
    pub(crate) fn text_or_empty(&self) -> String {
        self.text.as_deref().cloned().unwrap_or_default()
    }

    /// As `$(…)` gives it.
    pub(crate) fn into_value(self) -> Value {
        match self.text {
            Some(text) => {
                let mut text = Rc::unwrap_or_clone(text);
                let end = text.trim_end_matches('\n').len();
                text.truncate(end);
                Value {
                    text,
                    flow: self.flow,
                }
            }
            None => Value::hole(self.flow),
        }
    }
}
