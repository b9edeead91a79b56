// SPDX-License-Identifier: Apache-2.0
//! What this machine can enforce, found by trying.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use nix::sys::utsname::{UtsName, uname};
use serde::Serialize;

use crate::enforcement::{Mechanism, State, Tier, missing_rights};
use crate::error::SandboxError;
use crate::launch::launch_as;
use crate::outcome::Termination;
use crate::plan::LaunchPlan;
use crate::stream::Streams;
use crate::supervise::Cancel;
use crate::tier::Choice;
use crate::{blocked, sys};

/// Result of trying every mechanism.
#[derive(Clone, Debug, Serialize)]
pub struct ProbeReport {
    /// Kernel release, as `uname(2)` gives it.
    pub kernel: String,
    /// Machine, as `uname(2)` gives it.
    pub machine: String,
    /// What a run on this machine would get.
    pub tier: Tier,
    /// Why it is less than full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Each tier by name, tried.
    pub tiers: BTreeMap<&'static str, TierReport>,
    /// Settings of this machine that decide, as the kernel gives them; those that it does not have are
    /// left out.
    pub settings: BTreeMap<&'static str, String>,
    /// Each mechanism of the tier that a run would get.
    pub mechanisms: BTreeMap<&'static str, Mechanism>,
}

/// What came of trying one tier.
#[derive(Clone, Debug, Serialize)]
pub struct TierReport {
    /// Whether a sandbox of it could be built.
    pub works: bool,
    /// Why it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A path that no machine has: the trial run builds the whole sandbox, and then finds nothing to
/// execute.
const NOTHING: &str = "/ambit/probe";

/// Tries every mechanism on the running kernel.
pub fn probe() -> ProbeReport {
    let names = uname().ok();
    let text = |read: fn(&UtsName) -> &OsStr| {
        names.as_ref().map_or_else(
            || "unknown".to_owned(),
            |names| read(names).to_string_lossy().into_owned(),
        )
    };
    let full = try_full();
    let reason = full.as_ref().err().map(blocked::explain);
    let lite = try_as(&Choice::Lite(reason.clone().unwrap_or_else(|| {
        "tried though this machine gives tier full".to_owned()
    })));
    let tiers = BTreeMap::from([("full", report(&full)), ("lite", report(&lite))]);
    let (tier, mut mechanisms) = match (full, lite) {
        (Ok(mechanisms), _) => (Tier::Full, mechanisms),
        (Err(_), Ok(mechanisms)) => (Tier::Lite, mechanisms),
        (Err(_), Err(_)) => (Tier::None, BTreeMap::new()),
    };
    mechanisms.entry("landlock").or_insert_with(landlock);
    mechanisms.entry("cgroup_limits").or_insert_with(|| {
        Mechanism::new(State::NotRequested).because("no limit of this version uses cgroups")
    });
    ProbeReport {
        kernel: text(UtsName::release),
        machine: text(UtsName::machine),
        tier,
        reason,
        tiers,
        settings: blocked::settings(),
        mechanisms,
    }
}

fn report(tried: &Result<Mechanisms, SandboxError>) -> TierReport {
    TierReport {
        works: tried.is_ok(),
        reason: tried.as_ref().err().map(blocked::explain),
    }
}

/// Builds a whole sandbox and starts nothing in it. The launcher refuses to get as far as starting
/// when any mechanism is not in force, so getting there is the proof.
pub(crate) fn try_full() -> Result<Mechanisms, SandboxError> {
    try_as(&Choice::Full)
}

type Mechanisms = BTreeMap<&'static str, Mechanism>;

fn try_as(choice: &Choice) -> Result<Mechanisms, SandboxError> {
    let plan = LaunchPlan {
        executable: PathBuf::from(NOTHING),
        argv: vec!["probe".to_owned()],
        cwd: PathBuf::from("/usr"),
        timeout_ms: 10_000,
        ..LaunchPlan::default()
    };
    let outcome = launch_as(choice, &plan, Streams::default(), &Cancel::new()?)?;
    if outcome.termination == Termination::NotFound {
        return Ok(outcome.enforcement.mechanisms);
    }
    Err(SandboxError::NotAsPlanned {
        mechanism: format!("the trial ended as {:?}", outcome.termination),
    })
}

fn landlock() -> Mechanism {
    match sys::landlock_abi() {
        Err(errno) => Mechanism::new(State::Unavailable).because(errno.to_string()),
        Ok(abi) => {
            let missing = missing_rights(abi);
            let state = if missing.is_some() {
                State::Degraded
            } else {
                State::Enforced
            };
            let found = Mechanism::new(state).fact("abi", abi.to_string());
            match missing {
                None => found,
                Some(missing) => found.because(format!("this kernel lacks: {missing}")),
            }
        }
    }
}
