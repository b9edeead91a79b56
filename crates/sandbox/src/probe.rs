// SPDX-License-Identifier: Apache-2.0
//! What this machine can enforce, found by trying.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use nix::sys::utsname::{UtsName, uname};
use serde::Serialize;

use crate::enforcement::{Mechanism, State, Tier, missing_rights};
use crate::error::SandboxError;
use crate::launch::launch;
use crate::outcome::Termination;
use crate::plan::LaunchPlan;
use crate::stream::Streams;
use crate::supervise::Cancel;
use crate::sys;

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
    /// Each mechanism, tried.
    pub mechanisms: BTreeMap<&'static str, Mechanism>,
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
    let (tier, reason, mut mechanisms) = match trial() {
        Ok(mechanisms) => (Tier::Full, None, mechanisms),
        Err(error) => (Tier::None, Some(explain(&error)), BTreeMap::new()),
    };
    mechanisms.insert("landlock", landlock());
    mechanisms.entry("cgroup_limits").or_insert_with(|| {
        Mechanism::new(State::NotRequested).because("no limit of this version uses cgroups")
    });
    ProbeReport {
        kernel: text(UtsName::release),
        machine: text(UtsName::machine),
        tier,
        reason,
        mechanisms,
    }
}

/// Builds a whole sandbox and starts nothing in it. The launcher refuses to get as far as starting
/// when any mechanism is not in force, so getting there is the proof.
fn trial() -> Result<BTreeMap<&'static str, Mechanism>, SandboxError> {
    let plan = LaunchPlan {
        executable: PathBuf::from(NOTHING),
        argv: vec!["probe".to_owned()],
        cwd: PathBuf::from("/usr"),
        timeout_ms: 10_000,
        ..LaunchPlan::default()
    };
    let outcome = launch(&plan, Streams::default(), &Cancel::new()?)?;
    if outcome.termination == Termination::NotFound {
        return Ok(outcome.enforcement.mechanisms);
    }
    Err(SandboxError::NotAsPlanned {
        mechanism: format!("the trial ended as {:?}", outcome.termination),
    })
}

fn explain(error: &SandboxError) -> String {
    let mut out = error.to_string();
    if matches!(
        error,
        SandboxError::Unsupported {
            mechanism: "user namespaces" | "mapping the caller's id",
            ..
        }
    ) {
        out.push_str(
            " (look at the sysctls user.max_user_namespaces, kernel.unprivileged_userns_clone and \
             kernel.apparmor_restrict_unprivileged_userns, and at the container's seccomp profile)",
        );
    }
    out
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
