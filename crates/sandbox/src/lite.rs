// SPDX-License-Identifier: Apache-2.0
//! The tier without namespaces: Landlock, seccomp and limits for the same plan, on the machine's own
//! root. What it cannot hold a command to, it refuses.

use std::path::Path;

use ambit_launcher::{CommandSource, ProgramBuilder, Step, Sweep};
use zeroize::Zeroizing;

use crate::error::SandboxError;
use crate::extras::Extras;
use crate::filter::Host;
use crate::layout::{Grant, Layout, Place};
use crate::plan::LaunchPlan;
use crate::program::Built;
use crate::ruleset::Rights;
use crate::surface::{Proc, Profile};

/// Refuses a plan that needs more than Landlock and seccomp.
///
/// # Errors
/// [`SandboxError::BelowNeeds`] naming what is missing.
pub(crate) fn judge(
    plan: &LaunchPlan,
    layout: &Layout,
    extras: &Extras<'_>,
    reason: &str,
) -> Result<(), SandboxError> {
    match need(plan, layout, extras) {
        None => Ok(()),
        Some((mechanism, need)) => Err(SandboxError::BelowNeeds {
            mechanism,
            need,
            reason: reason.to_owned(),
        }),
    }
}

/// What is missing, and what for.
type Need = (&'static str, String);

const MOUNTS: &str = "a mount namespace";

fn need(plan: &LaunchPlan, layout: &Layout, extras: &Extras<'_>) -> Option<Need> {
    if plan.terminal.is_some() {
        return Some((MOUNTS, "to make a terminal of its own".to_owned()));
    }
    if let Some((_, path)) = extras.secret_files().next() {
        let what = format!("to put the secret `{}`", path.display());
        return Some((MOUNTS, what));
    }
    if plan.proc == Proc::Full {
        return Some(("a pid namespace", "to show `/proc`".to_owned()));
    }
    if plan.profile == Profile::Compat {
        let what = "to give profile `compat` processes of its own".to_owned();
        return Some(("a pid namespace", what));
    }
    if plan.allow_exec_from_memory {
        return Some((MOUNTS, "to execute from private scratch space".to_owned()));
    }
    let excepted = layout.places.iter().find_map(|(path, place)| {
        let shown = path.display();
        match place {
            Place::Hidden(_) => Some(format!("to hide `{shown}`")),
            Place::Mount(tree) if tree.grant == Grant::Read && layout.written_above(path) => {
                Some(format!("to keep `{shown}` read-only"))
            }
            Place::Link(_) | Place::Mount(_) | Place::Scratch => None,
        }
    });
    if let Some(what) = excepted {
        return Some((MOUNTS, what));
    }
    private_cwd(&plan.cwd, layout).map(|what| (MOUNTS, what))
}

/// Scratch space is private; without it the directory of that name is everybody's.
fn private_cwd(cwd: &Path, layout: &Layout) -> Option<String> {
    let granted = matches!(layout.places.get(cwd), Some(Place::Mount(_)));
    let scratch = cwd
        .ancestors()
        .any(|above| matches!(layout.places.get(above), Some(Place::Scratch)));
    let seen = granted || layout.mounted_above(cwd);
    (scratch && !seen).then(|| format!("to make `{}` private", cwd.display()))
}

/// Writes the program of a run.
pub(crate) fn build(rights: Rights, command: &CommandSource, extras: &Extras<'_>) -> Built {
    let sweep = if Host::of_abi(rights.version).scopes_signals() {
        Sweep::Domain
    } else {
        Sweep::Children
    };
    let steps = [
        ("adopting orphans", Step::Adopt(sweep)),
        ("giving up capabilities", Step::GiveUpCapabilities),
        ("enforcing the Landlock ruleset", Step::Restrict),
    ];
    let mut out = ProgramBuilder::default();
    let names = steps.map(|(name, step)| {
        out.push(step);
        name.to_owned()
    });
    Built {
        bytes: Zeroizing::new(out.finish(command, &extras.sources())),
        steps: names.to_vec(),
    }
}
