// SPDX-License-Identifier: Apache-2.0
//! How much of a call is read.

/// The budgets of one reading. What is over budget is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all strings of a call, and of all text that is made out of them (code in code,
    /// values of variables).
    pub bytes: usize,
    /// Commands, words and other nodes.
    pub nodes: usize,
    /// Code in code (`sh -c "sh -c …"`), and brackets in brackets.
    pub depth: usize,
}

impl Default for Limits {
    /// 4 MiB, 250,000 nodes, 24 levels of code in code.
    fn default() -> Self {
        Self {
            bytes: 4 << 20,
            nodes: 250_000,
            depth: 24,
        }
    }
}

/// Which budget was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverBudget {
    /// Too many bytes.
    #[error("the call has more text than is read")]
    Bytes,
    /// Too many nodes.
    #[error("the call has more commands and words than are read")]
    Nodes,
    /// Too deep.
    #[error("the call has code in code deeper than is read")]
    Depth,
}
