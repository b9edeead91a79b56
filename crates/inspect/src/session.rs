// SPDX-License-Identifier: Apache-2.0
//! What a chain remembers between the calls of one session.

use crate::inspector::State;

/// One session of one chain: a state for each inspector.
#[derive(Debug, Default)]
pub struct Session {
    pub(crate) states: Vec<State>,
}
