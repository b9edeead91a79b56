// SPDX-License-Identifier: Apache-2.0
//! Default protections on real repositories. Each act is one that works where its protection is
//! lifted; what is looked at in the end is the host.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use ambit_sandbox::{LaunchPlan, Mechanism, Outcome, Protection, SandboxError, State, Termination};

use super::support::{Work, ready, run, shell};

const HOOKS: [Protection; 1] = [Protection::GitHooks];

fn git(folder: &Path, arguments: &[&str]) -> String {
    let ran = Command::new("/usr/bin/git")
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("GIT_TEMPLATE_DIR", "/nonexistent")
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{arguments:?}: {ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

/// A repository with one commit, without hooks of its template.
fn repository(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    git(folder, &["init", "-q", "--template=", "-b", "main"]);
    fs::write(folder.join("a.txt"), "one\n").unwrap();
    git(folder, &["add", "a.txt"]);
    git(folder, &["commit", "-qm", "one"]);
}

fn writing(work: &Work, script: &str) -> LaunchPlan {
    let plan = LaunchPlan {
        write_paths: vec![work.path.clone()],
        ..shell(&work.path, script)
    };
    let mut env = plan.env.clone();
    for (name, value) in [
        ("HOME", "/tmp"),
        ("GIT_AUTHOR_NAME", "a"),
        ("GIT_AUTHOR_EMAIL", "a@b"),
        ("GIT_COMMITTER_NAME", "a"),
        ("GIT_COMMITTER_EMAIL", "a@b"),
    ] {
        env.insert(name.to_owned(), value.to_owned());
    }
    LaunchPlan { env, ..plan }
}

fn lifted(plan: &LaunchPlan, protections: &[Protection]) -> LaunchPlan {
    LaunchPlan {
        lifted_protections: protections.iter().copied().collect(),
        ..plan.clone()
    }
}

/// Runs a plan that must end well, and returns what it says of protections.
fn protections_of(plan: &LaunchPlan) -> (String, Mechanism) {
    let outcome: Outcome = run(plan).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (
        text(&outcome.stdout.captured),
        text(&outcome.stderr.captured),
    );
    assert_eq!(
        outcome.termination,
        Termination::Exited { code: 0 },
        "{out}{err}"
    );
    let found = outcome.enforcement.mechanisms.get("protections");
    (out, found.cloned().unwrap())
}

fn fact<'a>(found: &'a Mechanism, name: &str) -> &'a str {
    found.facts.get(name).map_or("", String::as_str)
}

#[test]
fn hooks_and_settings_of_a_repository_cannot_be_changed_and_git_goes_on() {
    if !ready() {
        return;
    }
    let work = Work::new();
    repository(&work.path);
    fs::create_dir(work.path.join(".git/hooks")).unwrap();
    let acts = "
        try() { if \"$@\" 2>/dev/null; then echo did; else echo refused; fi; }
        try sh -c 'echo x > .git/hooks/pre-commit'
        try sh -c 'echo x >> .git/config'
        try git config core.fsmonitor /tmp/x
        try mv .git .g2
        try mv .git/hooks .git/h2
        try rm -rf .git/hooks
        try chmod 777 .git/config
        try ln .git/config other-name
        echo two > a.txt && git commit -qam two && git worktree add -q tree && git -C tree commit -q --allow-empty -m three
        git log --format=%s --all | sort | tr '\\n' ' '";
    let plan = writing(&work, acts);
    let (out, found) = protections_of(&plan);
    assert_eq!(out, format!("{}one three two ", "refused\n".repeat(8)));
    assert_eq!(found.state, State::Enforced, "{found:?}");
    let at = |name: &str| work.path.join(name).display().to_string();
    assert_eq!(
        fact(&found, "read_only"),
        format!("{}, {}", at(".git/config"), at(".git/hooks"))
    );
    assert_eq!(fact(&found, "moved_aside"), "");
    assert_eq!(
        fs::read_dir(work.path.join(".git/hooks")).unwrap().count(),
        0
    );
    assert!(
        !fs::read_to_string(work.path.join(".git/config"))
            .unwrap()
            .contains('x')
    );
    // lifted, the same acts work
    let freed = writing(
        &work,
        "echo x > .git/hooks/pre-commit; git config core.editor x",
    );
    let (_, found) = protections_of(&lifted(
        &freed,
        &[Protection::GitHooks, Protection::GitConfig],
    ));
    assert_eq!(fact(&found, "lifted"), "git_config,git_hooks");
    assert!(work.path.join(".git/hooks/pre-commit").exists());
}

#[test]
fn hooks_that_were_not_there_are_moved_aside_and_nothing_is_made_on_the_host() {
    if !ready() {
        return;
    }
    let work = Work::new();
    repository(&work.path);
    fs::create_dir(work.path.join("elsewhere")).unwrap();
    let before = git(&work.path, &["status", "--porcelain"]);
    let (_, found) = protections_of(&writing(&work, "ls -A .git > /dev/null"));
    assert_eq!(found.state, State::Enforced, "{found:?}");
    for name in [
        ".git/hooks",
        ".git/info",
        ".git/config.worktree",
        ".env",
        ".vscode",
    ] {
        assert!(!work.path.join(name).exists(), "{name}");
    }
    assert_eq!(git(&work.path, &["status", "--porcelain"]), before);
    let table = [
        (
            "mkdir .git/hooks && echo x > .git/hooks/pre-commit",
            ".git/hooks",
        ),
        ("ln -s ../elsewhere .git/hooks", ".git/hooks"),
        ("mv elsewhere .git/hooks", ".git/hooks"),
        (
            "mkdir .git/info; echo '* filter=x' > .git/info/attributes",
            ".git/info/attributes",
        ),
        (
            "mkdir .vscode; echo '{}' > .vscode/tasks.json",
            ".vscode/tasks.json",
        ),
        (
            "mkdir -p /tmp/v; ln -s elsewhere .vscode; echo '{}' > elsewhere/tasks.json",
            "",
        ),
        ("echo x > .mcp.json", ".mcp.json"),
    ];
    for (script, want) in table {
        let work = Work::new();
        repository(&work.path);
        fs::create_dir(work.path.join("elsewhere")).unwrap();
        let (_, found) = protections_of(&writing(&work, script));
        let path = work.path.join(want).display().to_string();
        let moved = if want.is_empty() { "" } else { path.as_str() };
        assert_eq!(fact(&found, "moved_aside"), moved, "{script}");
        if !want.is_empty() {
            fs::symlink_metadata(&path).unwrap_err();
            fs::symlink_metadata(format!("{path}.moved-aside-by-ambit")).unwrap();
        }
    }
    let work = Work::new();
    repository(&work.path);
    let make = writing(&work, "mkdir .git/hooks && echo x > .git/hooks/pre-commit");
    let (_, found) = protections_of(&lifted(&make, &HOOKS));
    assert_eq!(fact(&found, "moved_aside"), "");
    assert!(work.path.join(".git/hooks/pre-commit").exists());
}

#[test]
fn secrets_read_as_empty_wherever_they_lie() {
    if !ready() {
        return;
    }
    let work = Work::new();
    for name in [
        ".env",
        "app/.env.local",
        "home/.ssh/id_rsa",
        "home/.docker/config.json",
        ".netrc",
        "app/.npmrc",
    ] {
        work.file(name, "//host/:_authToken=CANARY\n");
    }
    for name in [".env.example", "lib/.npmrc", ".env.d/x"] {
        work.file(name, "SHOWN=1\n");
    }
    symlink("app/.env.local", work.path.join("link")).unwrap();
    let script = "cat .env app/.env.local home/.docker/config.json .netrc app/.npmrc link
        cat home/.ssh/id_rsa 2>/dev/null; ls home/.ssh
        cat .env.example lib/.npmrc .env.d/x
        mv .env x 2>/dev/null; mv app/.env.local x 2>/dev/null; mv app y 2>/dev/null; ls";
    for plan in [
        LaunchPlan {
            read_paths: vec![work.path.clone()],
            ..shell(&work.path, script)
        },
        writing(&work, script),
    ] {
        let (out, found) = protections_of(&plan);
        assert_eq!(out, "SHOWN=1\nSHOWN=1\nSHOWN=1\napp\nhome\nlib\nlink\n");
        assert_eq!(found.state, State::Enforced, "{found:?}");
    }
    let all = [Protection::Dotenv, Protection::Credentials];
    let (out, _) = protections_of(&lifted(&writing(&work, "cat .env .netrc"), &all));
    assert_eq!(out.matches("CANARY").count(), 2);
}

#[test]
fn a_contract_alone_cannot_be_granted_what_is_protected() {
    if !ready() {
        return;
    }
    let work = Work::new();
    repository(&work.path);
    fs::create_dir(work.path.join(".git/hooks")).unwrap();
    work.file(".env", "CANARY");
    let read = |name: &str| LaunchPlan {
        read_paths: vec![work.path.join(name)],
        ..shell(Path::new("/tmp"), "true")
    };
    let write = |name: &str| LaunchPlan {
        write_paths: vec![work.path.join(name)],
        ..shell(Path::new("/tmp"), "true")
    };
    for plan in [
        read(".env"),
        write(".env"),
        write(".git/hooks"),
        write(".git/config"),
    ] {
        let found = run(&plan).unwrap_err();
        assert!(
            matches!(found, SandboxError::PathRefused { .. }),
            "{found:?}"
        );
    }
    for plan in [
        read(".git/hooks"),
        read(".git/config"),
        lifted(&read(".env"), &[Protection::Dotenv]),
    ] {
        run(&plan).unwrap();
    }
}

#[test]
fn repositories_deeper_down_submodules_and_worktrees_are_protected_too() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let (main, lib) = (work.path.join("main"), work.path.join("lib"));
    repository(&lib);
    repository(&main);
    git(
        &main,
        &["submodule", "--quiet", "add", lib.to_str().unwrap(), "sub"],
    );
    git(&main, &["commit", "-qm", "sub"]);
    git(&main, &["worktree", "add", "-q", "../tree"]);
    git(&work.path, &["clone", "-q", "--bare", "main", "bare"]);
    fs::create_dir(main.join(".githooks")).unwrap();
    git(&main, &["config", "core.hooksPath", ".githooks"]);
    fs::write(main.join("more.conf"), "").unwrap();
    git(&main, &["config", "include.path", "../more.conf"]);
    let targets = [
        "lib/.git/config",
        "main/.git/config",
        "main/.git/modules/sub/config",
        "main/sub/.git",
        "tree/.git",
        "bare/config",
        "main/.githooks/pre-commit",
        "main/more.conf",
        "main/.git/worktrees/tree/commondir",
    ];
    let mut script = String::new();
    for target in targets {
        let changed = format!("(echo x >> {target}) 2>/dev/null && echo {target}\n");
        script.push_str(&changed);
        let moved = format!("mv {target} {target}2 2>/dev/null && echo moved {target}\n");
        script.push_str(&moved);
    }
    script.push_str("(rm -rf tree/.git main/sub/.git; mv main other) 2>/dev/null\n");
    script.push_str(
        "echo x > tree/n && git -C tree add n && git -C tree commit -qm n && echo committed\n",
    );
    script.push_str("mkdir bare/hooks main/.git/modules/sub/hooks");
    let (out, found) = protections_of(&writing(&work, &script));
    assert_eq!(out, "committed\n", "{found:?}");
    assert_eq!(found.state, State::Enforced, "{found:?}");
    let at = |name: &str| work.path.join(name).display().to_string();
    let want = [at("bare/hooks"), at("main/.git/modules/sub/hooks")].join(", ");
    assert_eq!(fact(&found, "moved_aside"), want);
    assert_eq!(git(&main.join("sub"), &["log", "--format=%s"]), "one\n");
}

#[test]
fn hostile_workspaces_gain_nothing_and_what_is_not_held_is_said() {
    if !ready() {
        return;
    }
    // a `.git` that is a link, and one that leads outside
    let work = Work::new();
    let outside = Work::new();
    repository(&work.path.join("real"));
    repository(&outside.path);
    fs::rename(work.path.join("real/.git"), work.path.join("real/gitdir")).unwrap();
    symlink("gitdir", work.path.join("real/.git")).unwrap();
    let named = format!("gitdir: {}\n", outside.path.join(".git").display());
    work.file("led/.git", &named);
    symlink("/usr", work.path.join(".ssh")).unwrap();
    symlink(&outside.path, work.path.join(".aws")).unwrap();
    let script =
        "rm real/.git && mkdir real/.git && (echo x >> real/gitdir/config) 2>/dev/null || echo kept
        (rm led/.git) 2>/dev/null || echo held";
    let (out, found) = protections_of(&writing(&work, script));
    assert_eq!(out, "kept\nheld\n");
    assert_eq!(found.state, State::Degraded);
    let reason = found.reason.clone().unwrap_or_default();
    assert!(
        reason.contains("symbolic links") && reason.contains("real/.git"),
        "{reason}"
    );
    assert!(
        fact(&found, "moved_aside").ends_with("real/.git"),
        "{found:?}"
    );
    assert!(!work.path.join("real/.git").exists());
    // another name for a file that is held
    let work = Work::new();
    repository(&work.path);
    fs::hard_link(work.path.join(".git/config"), work.path.join("other")).unwrap();
    let (_, found) = protections_of(&writing(&work, "true"));
    assert!(found.reason.unwrap_or_default().contains("other names"));
}

#[test]
fn repositories_of_the_command_are_its_own_and_reported() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let script = "git init -q new && echo x > new/.git/hooks/pre-commit && mkdir new/.vscode && echo x > new/.vscode/tasks.json";
    let (_, found) = protections_of(&writing(&work, script));
    let at = |name: &str| work.path.join(name).display().to_string();
    assert_eq!(
        fact(&found, "new_repositories"),
        at("new/.git"),
        "{found:?}"
    );
    assert_eq!(fact(&found, "moved_aside"), "");
    // at the top, what acts when the folder is opened is not covered by a repository made for it
    let (_, found) = protections_of(&writing(&work, "git init -q && echo x > .mcp.json"));
    assert_eq!(fact(&found, "new_repositories"), at(".git"), "{found:?}");
    assert_eq!(fact(&found, "moved_aside"), at(".mcp.json"));
}

#[test]
fn patterns_hide_what_matches_when_the_run_starts() {
    if !ready() {
        return;
    }
    let work = Work::new();
    for name in ["a/b.key", "c.key", "keys/x", "kept.txt"] {
        work.file(name, "CANARY\n");
    }
    let top = work.path.display();
    let plan = LaunchPlan {
        hidden_globs: vec![format!("{top}/**/*.key"), format!("{top}/key?")],
        ..writing(
            &work,
            "cat a/b.key c.key kept.txt; ls keys; mv a d 2>/dev/null; ls",
        )
    };
    let (out, _) = protections_of(&plan);
    assert_eq!(out, "CANARY\na\nc.key\nkept.txt\nkeys\n");
    let granted = LaunchPlan {
        read_paths: vec![PathBuf::from(format!("{top}/c.key"))],
        write_paths: vec![],
        cwd: "/tmp".into(),
        ..plan
    };
    assert_eq!(
        run(&granted).unwrap_err().code(),
        "ERR_SANDBOX_PATH_REFUSED"
    );
}

#[test]
fn what_lies_behind_a_link_on_the_way_is_held_and_the_link_stays() {
    if !ready() {
        return;
    }
    // as `git-new-workdir` makes them, and a folder of hooks that is reached through a link
    let work = Work::new();
    repository(&work.path);
    git(&work.path, &["config", "core.hooksPath", "tools/hooks"]);
    work.file("packages/tools/hooks/pre-push", "kept\n");
    fs::create_dir_all(work.path.join("shared")).unwrap();
    fs::remove_dir_all(work.path.join(".git/info")).unwrap_or(());
    symlink("../shared", work.path.join(".git/info")).unwrap();
    symlink("packages/tools", work.path.join("tools")).unwrap();
    let script = "(echo x > tools/hooks/pre-push) 2>/dev/null || echo held
        (echo x > packages/tools/hooks/pre-commit) 2>/dev/null || echo held
        echo ok > packages/tools/other";
    let (out, found) = protections_of(&writing(&work, script));
    assert_eq!(out, "held\nheld\n", "{found:?}");
    assert_eq!(fact(&found, "moved_aside"), "", "{found:?}");
    for (link, target) in [(".git/info", "../shared"), ("tools", "packages/tools")] {
        assert_eq!(
            fs::read_link(work.path.join(link)).unwrap(),
            Path::new(target)
        );
    }
    assert_eq!(
        fs::read_to_string(work.path.join("tools/hooks/pre-push")).unwrap(),
        "kept\n"
    );
    // what was not there appears behind the link; and a link that leads elsewhere now
    let script = "echo x > shared/attributes; mkdir -p evil/hooks; rm tools; ln -s evil tools";
    let (_, found) = protections_of(&writing(&work, script));
    assert_eq!(found.state, State::Degraded);
    let moved = fact(&found, "moved_aside");
    assert!(moved.contains("shared/attributes"), "{found:?}");
    assert!(!work.path.join(".git/info/attributes").exists());
    assert!(!work.path.join("tools").exists(), "{found:?}");
}

#[test]
fn git_directories_and_settings_are_found_behind_links() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let at = |name: &str| work.path.join(name);
    repository(&at("sub"));
    git(&at("sub"), &["config", "core.hooksPath", "tools"]);
    work.file("sub/tools/pre-push", "kept\n");
    fs::create_dir(at("real")).unwrap();
    fs::rename(at("sub/.git"), at("real/gd")).unwrap();
    // an earlier command took away what tells that this is a git directory
    fs::rename(at("real/gd/HEAD"), at("real/head")).unwrap();
    fs::create_dir(at("real/gd/hooks")).unwrap();
    symlink("real", at("way")).unwrap();
    work.file("sub/.git", "gitdir: ../way/gd\n");
    fs::rename(at("real/gd/config"), at("real/settings")).unwrap();
    symlink("../settings", at("real/gd/config")).unwrap();
    let script = "for at in real/gd/hooks/pre-commit real/settings sub/tools/pre-push; do
        (echo x >> $at) 2>/dev/null || echo held; done; mv real/head real/gd/HEAD";
    let (out, found) = protections_of(&writing(&work, script));
    assert_eq!(out, "held\n".repeat(3), "{found:?}");
    assert_eq!(fact(&found, "moved_aside"), "", "{found:?}");
    assert_eq!(found.state, State::Degraded);
    assert!(found.reason.unwrap_or_default().contains("way"));
}

#[test]
fn hooks_that_settings_name_are_held_in_every_work_tree() {
    if !ready() {
        return;
    }
    let work = Work::new();
    repository(&work.path);
    git(&work.path, &["config", "core.hooksPath", "tools"]);
    git(&work.path, &["worktree", "add", "-q", "tree"]);
    for folder in ["tools", "tree/tools"] {
        fs::create_dir(work.path.join(folder)).unwrap();
    }
    let script =
        "for at in tools tree/tools; do (echo x > $at/pre-push) 2>/dev/null || echo held; done";
    let (out, found) = protections_of(&writing(&work, script));
    assert_eq!(out, "held\nheld\n", "{found:?}");
    assert_eq!(found.state, State::Enforced);
}

#[test]
fn a_folder_that_cannot_be_listed_hides_nothing_from_the_search() {
    if !ready() {
        return;
    }
    if nix::unistd::geteuid().is_root() {
        println!("skipped: root can list every folder");
        return;
    }
    let closed = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let work = Work::new();
    repository(&work.path.join("sub"));
    fs::create_dir(work.path.join("sub/.git/hooks")).unwrap();
    work.file("deep/.env", "SECRET\n");
    // as an earlier command can leave them
    for mode in [0o300, 0o000] {
        for folder in ["deep", "sub/.git"] {
            closed(&work.path.join(folder), mode);
        }
        let script = "chmod 700 deep sub/.git 2>/dev/null
            cat deep/.env 2>/dev/null
            (echo x > sub/.git/hooks/pre-commit) 2>/dev/null || echo held";
        let (out, found) = protections_of(&writing(&work, script));
        for folder in ["deep", "sub/.git"] {
            closed(&work.path.join(folder), 0o700);
        }
        assert_eq!(out, "held\n", "{found:?}");
        assert!(!work.path.join("sub/.git/hooks/pre-commit").exists());
        assert!(fact(&found, "hidden").contains("deep"), "{found:?}");
    }
    // one that is closed during a run is said
    let script = "mkdir -p new/.vscode; echo x > new/.vscode/tasks.json; chmod 300 new";
    let (_, found) = protections_of(&writing(&work, script));
    closed(&work.path.join("new"), 0o700);
    assert_eq!(found.state, State::Degraded, "{found:?}");
    let reason = found.reason.unwrap_or_default();
    assert!(
        reason.contains("cannot be listed") && reason.contains("new"),
        "{reason}"
    );
}
