// SPDX-License-Identifier: Apache-2.0
//! Which tier a run gets: the best that this machine gives, found by trying, and never below the
//! plan's floor.

use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;

use crate::error::SandboxError;
use crate::host::Caller;
use crate::plan::Floor;
use crate::{blocked, probe};

/// How a run is to be built.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Choice {
    /// With namespaces.
    Full,
    /// Without, for this reason.
    Lite(String),
}

/// What was found out, and for whom.
static KNOWN: Mutex<Option<(Caller, Choice)>> = Mutex::new(None);

/// Chooses. A floor of `full` leaves no choice; then the launch itself says what is missing.
///
/// The trial is a whole sandbox in which nothing is started, made once in a process. What may pass
/// by itself (too little memory, too many processes) is not remembered, and is no reason to run with
/// less: the launch says it.
pub(crate) fn choose(floor: Floor, caller: Caller) -> Choice {
    if floor == Floor::Full {
        return Choice::Full;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((whose, choice)) = &*known
        && *whose == caller
    {
        return choice.clone();
    }
    let choice = match probe::try_full() {
        Ok(_) => Choice::Full,
        Err(error) if lasts(&error) => Choice::Lite(blocked::explain(&error)),
        Err(_) => return Choice::Full,
    };
    *known = Some((caller, choice.clone()));
    choice
}

/// Errors that come of how a machine is set up.
const SETTINGS: [Errno; 5] = [
    Errno::EPERM,
    Errno::EACCES,
    Errno::ENOSYS,
    Errno::EINVAL,
    Errno::EOPNOTSUPP,
];

/// Returns whether a failure is how this machine is set up. The limit on namespaces (`ENOSPC`,
/// `EUSERS`) counts only where it is 0: else whoever uses them up would take ours away too.
pub(crate) fn lasts(error: &SandboxError) -> bool {
    let (SandboxError::Unsupported { source, .. } | SandboxError::Setup { source, .. }) = error
    else {
        return false;
    };
    let is_limit = [Errno::ENOSPC, Errno::EUSERS].contains(source);
    SETTINGS.contains(source) || (is_limit && blocked::no_user_namespaces())
}
