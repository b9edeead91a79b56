// SPDX-License-Identifier: Apache-2.0
use std::fs;

use super::*;
use crate::enforcement::{Mechanism, State};
use crate::layout::MountTable;

/// A repository as `git init` makes it, without hooks.
fn repository(folder: &Path) {
    let git = folder.join(".git");
    fs::create_dir_all(git.join("objects")).unwrap();
    fs::create_dir_all(git.join("refs")).unwrap();
    fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    fs::write(git.join("config"), "[core]\n\tbare = false\n").unwrap();
}

fn resolved(plan: &LaunchPlan, folders: usize) -> Result<Layout, SandboxError> {
    let bounds = Bounds {
        folders,
        ..Bounds::USUAL
    };
    let mounts = MountTable::read()?;
    Layout::resolve(plan, &mounts, bounds, &Progress::unwatched())
}

fn settled(layout: &Layout, plan: &LaunchPlan) -> Mechanism {
    let progress = Progress::unwatched();
    layout.protected.settle(plan, layout, true, &progress)
}

#[test]
fn a_search_that_ends_at_its_bound_says_so_and_near_repositories_are_held() {
    let holder = tempfile::tempdir().unwrap();
    let work = fs::canonicalize(holder.path()).unwrap();
    repository(&work);
    for index in 0..40 {
        fs::create_dir_all(work.join(format!("d{index}"))).unwrap();
    }
    let far = work.join("d0/deep/repository");
    repository(&far);
    let plan = LaunchPlan {
        executable: "/usr/bin/true".into(),
        argv: vec!["true".to_owned()],
        cwd: work.clone(),
        write_paths: vec![work.clone()],
        timeout_ms: 1000,
        ..LaunchPlan::default()
    };
    let config = work.join(".git/config");
    let hooks = work.join(".git/hooks");
    let held = |layout: &Layout, path: &Path| matches!(layout.places.get(path), Some(Place::Mount(tree)) if tree.grant == Grant::Read);
    // the positive control: with room for all, the far repository is held, and nothing is degraded
    let whole = resolved(&plan, 100).unwrap();
    assert!(held(&whole, &config) && held(&whole, &far.join(".git/config")));
    assert_eq!(settled(&whole, &plan).state, State::Enforced);
    // 1 for the top, 41 beneath, 1 for `deep`: the repository there is beyond
    let part = resolved(&plan, 20).unwrap();
    assert!(held(&part, &config));
    assert!(!held(&part, &far.join(".git/config")));
    fs::create_dir(&hooks).unwrap();
    let found = settled(&part, &plan);
    assert_eq!(found.state, State::Degraded);
    let reason = found.reason.clone().unwrap_or_default();
    assert!(reason.contains("20 folders were looked at"), "{reason}");
    let moved = found.facts.get("moved_aside").cloned().unwrap_or_default();
    assert!(moved.ends_with(".git/hooks"), "{found:?}");
    assert!(!hooks.exists());
    // a pattern that cannot be followed to its end is an error
    let holes = LaunchPlan {
        hidden_globs: vec![format!("{}/**/*.key", work.display())],
        ..plan
    };
    resolved(&holes, 100).unwrap();
    assert_eq!(
        resolved(&holes, 20).map(|_| ()).unwrap_err().code(),
        "ERR_SANDBOX_PATHS_EXCEEDED"
    );
}
