// SPDX-License-Identifier: Apache-2.0
//! What every inspector is.

use std::any::Any;
use std::fmt;

use crate::finding::{Finding, Verdict};
use crate::reading::Reading;

/// What one inspector remembers of one session. Starts empty.
#[derive(Default)]
pub struct State(Option<Box<dyn Any + Send>>);

impl State {
    /// The state as a `T`; an empty one, or one of another type, starts anew.
    pub fn of<T: Any + Send + Default>(&mut self) -> &mut T {
        self.of_or::<T>(T::default)
    }

    /// The same, for a type that is made by `start`.
    pub fn of_or<T: Any + Send>(&mut self, start: impl Fn() -> T) -> &mut T {
        if !self.0.as_ref().is_some_and(|state| state.is::<T>()) {
            self.0 = None;
        }
        let state = self.0.get_or_insert_with(|| Box::new(start()));
        match state.downcast_mut::<T>() {
            Some(state) => state,
            // INVARIANT: it was found to be a T, or made as one, above.
            None => Box::leak(Box::new(start())),
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is remembered may hold what was in the calls.
        f.write_str(if self.0.is_some() {
            "State(..)"
        } else {
            "State()"
        })
    }
}

/// Looks at calls, and says what it finds.
///
/// Inspectors are shared by threads and sessions: what they remember is in the [`State`].
pub trait Inspector: Send + Sync + fmt::Debug {
    /// Its name in findings: lower case, one word.
    fn name(&self) -> &str;

    /// Looks at one call. Each finding bears this inspector's name.
    fn inspect(&self, reading: &Reading<'_>, state: &mut State) -> Vec<Finding>;

    /// Told of a call that an inspector before this one denied, so that what counts calls counts it.
    fn skipped(&self, _reading: &Reading<'_>, _state: &mut State) {}

    /// Told what became of the call that [`Self::inspect`] saw last, once the whole chain has spoken:
    /// what counts what was done must not count what was denied.
    fn settled(&self, _state: &mut State, _verdict: Verdict) {}

    /// Forgets what was seen in the session.
    fn reset_session(&self, state: &mut State) {
        *state = State::default();
    }
}
