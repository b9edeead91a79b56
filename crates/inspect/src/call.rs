// SPDX-License-Identifier: Apache-2.0
//! A tool call, before it is made.

use ambit_canon::Value;

/// What an agent wants to call.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The tool's name, as the agent gives it.
    pub tool: &'a str,
    /// Its parameters: an object in general, but any value is read.
    pub params: &'a Value,
}

impl<'a> Call<'a> {
    /// A call of `tool` with `params`.
    pub const fn new(tool: &'a str, params: &'a Value) -> Self {
        Self { tool, params }
    }
}
