// SPDX-License-Identifier: Apache-2.0
//! The user and network namespace that runs without a network join.
//!
//! Making a network namespace is the dearest step of a launch, so one pair is made and kept as long
//! as this process lives. Runs that share it still cannot meet in it: their filter lets no socket be
//! made, their process, mount, IPC, UTS and cgroup namespaces are their own, and none of them holds
//! a capability. Its loopback device is never brought up.

use std::sync::{Arc, Mutex, PoisonError};

use nix::errno::Errno;

use crate::host::Caller;
use crate::sys::{self, Anchor, IdMaps, StartStage};

/// What is known about anchors in this process.
#[derive(Debug)]
enum Known {
    Nothing,
    /// Joining was refused; runs make their own namespaces.
    Refused,
    Made(Caller, Arc<Anchor>),
}

static KNOWN: Mutex<Known> = Mutex::new(Known::Nothing);

/// Returns the anchor for this caller, making it if there is none; `None` where joining one was
/// refused before.
///
/// # Errors
/// What stopped the making of the namespaces.
pub(crate) fn of(
    caller: Caller,
    maps: &IdMaps<'_>,
) -> Result<Option<Arc<Anchor>>, (StartStage, Errno)> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match &*known {
        Known::Refused => return Ok(None),
        Known::Made(owner, anchor) if *owner == caller => return Ok(Some(Arc::clone(anchor))),
        Known::Nothing | Known::Made(..) => {}
    }
    let anchor = Arc::new(sys::make_anchor(maps)?);
    *known = Known::Made(caller, Arc::clone(&anchor));
    Ok(Some(anchor))
}

/// Remembers that this process may not join namespaces.
pub(crate) fn refuse() {
    *KNOWN.lock().unwrap_or_else(PoisonError::into_inner) = Known::Refused;
}
