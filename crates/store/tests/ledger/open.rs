// SPDX-License-Identifier: Apache-2.0
//! Who may open what.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use ambit_store::{Ledger, LedgerError, OpenOptions, Phase};
use rusqlite::Connection;

use crate::common::{append, next_line, open, role, role_folder, start, wait_for_parent};

type Make<'a> = &'a dyn Fn(&Path);

fn refusal(folder: &Path) -> (&'static str, String) {
    let error = Ledger::open(
        folder,
        &OpenOptions {
            busy_timeout_ms: 50,
        },
    )
    .unwrap_err();
    (error.code(), error.to_string())
}

/// Every file under `folder` by its path, with its permission bits.
fn modes(folder: &Path) -> BTreeMap<String, String> {
    let mut modes = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            waiting.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|item| item.unwrap().path()),
            );
        }
        let mut name = path.strip_prefix(folder).unwrap().display().to_string();
        if name.starts_with("owners/") {
            "owners/*".clone_into(&mut name);
        }
        modes.insert(
            name,
            format!("{:o}", metadata.permissions().mode() & 0o7777),
        );
    }
    modes
}

#[test]
fn files_are_private_under_any_umask() {
    let want = [
        ("", "700"),
        ("ledger.db", "600"),
        ("ledger.db-shm", "600"),
        ("ledger.db-wal", "600"),
        ("ledger.lock", "600"),
        ("owners", "700"),
        ("owners/*", "600"),
    ];
    let want = want.map(|(name, mode)| (name.to_owned(), mode.to_owned()));
    for umask in ["0000", "0022", "0077", "0177", "0777"] {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("deep/er/ledger");
        let first = format!("umask {umask}");
        let (mut child, mut lines) = start(role("open::role_holds_a_run", &folder, Some(&first)));
        assert_eq!(
            next_line(&mut lines).as_deref(),
            Some("open"),
            "umask {umask}"
        );
        assert_eq!(
            modes(&folder),
            BTreeMap::from(want.clone()),
            "umask {umask}"
        );
        for parent in ["deep", "deep/er"] {
            let mode = fs::metadata(root.path().join(parent))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o7777, 0o700, "umask {umask}: {parent}");
        }
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}

#[test]
#[ignore = "a role that another test starts"]
fn role_holds_a_run() {
    let Some(folder) = role_folder() else { return };
    let ledger = open(&folder);
    append(&ledger, Phase::Intent, "a").unwrap();
    eprintln!("open");
    wait_for_parent();
}

#[test]
fn what_others_can_reach_is_refused() {
    for name in [
        "",
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.lock",
        "owners",
    ] {
        for bits in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("ledger");
            let held = open(&folder);
            append(&held, Phase::Refusal, "a").unwrap();
            let path = if name.is_empty() {
                folder.clone()
            } else {
                folder.join(name)
            };
            let mode = (fs::metadata(&path).unwrap().permissions().mode() & 0o7777) | bits;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let (code, message) = refusal(&folder);
            assert_eq!(code, "ERR_LEDGER_UNAVAILABLE", "{name} {bits:o}");
            let want = format!("is open to others (mode {mode:04o}); accepted: owner only");
            assert!(message.ends_with(&want), "{message}");
        }
    }
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let root = tempfile::tempdir().unwrap();
    // Root gives a folder away; anybody else finds one of root's.
    let (folder, uid) = if nix::unistd::geteuid().is_root() {
        let folder = root.path().join("ledger");
        drop(open(&folder));
        std::os::unix::fs::chown(&folder, Some(65534), None).unwrap();
        (folder, 65534)
    } else {
        (PathBuf::from("/proc/1"), 0)
    };
    let (code, message) = refusal(&folder);
    assert_eq!(code, "ERR_LEDGER_UNAVAILABLE");
    let want = format!("belongs to user {uid}; accepted: the user of this process");
    assert!(message.ends_with(&want), "{message}");
}

#[test]
fn symbolic_links_and_other_kinds_of_file_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let real = root.path().join("real");
    drop(open(&real));
    let link = root.path().join("link");
    symlink(&real, &link).unwrap();
    let dangling = root.path().join("dangling");
    symlink(root.path().join("nowhere"), &dangling).unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    for folder in [
        &link,
        &root.path().join("link/"),
        &root.path().join("link/."),
        &dangling,
        &file,
    ] {
        let (code, message) = refusal(folder);
        assert_eq!(code, "ERR_LEDGER_UNAVAILABLE");
        let want = "is not a plain folder; symbolic links are refused";
        assert!(message.ends_with(want), "{}: {message}", folder.display());
    }
    assert!(!root.path().join("nowhere").exists());

    for name in [
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.lock",
        "owners",
    ] {
        for make in [link_to, make_fifo] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("ledger");
            drop(open(&folder));
            let path = folder.join(name);
            let target = root.path().join("target");
            match fs::rename(&path, &target) {
                Ok(()) => {}
                // The log's files are gone after a clean end.
                Err(_) => fs::write(&target, "").unwrap(),
            }
            make(&path, &target);
            let (code, message) = refusal(&folder);
            assert_eq!(code, "ERR_LEDGER_UNAVAILABLE", "{name}");
            let kind = if name == "owners" { "folder" } else { "file" };
            let want = format!("is not a plain {kind}; symbolic links are refused");
            assert!(message.ends_with(&want), "{name}: {message}");
        }
    }
}

fn link_to(path: &Path, target: &Path) {
    symlink(target, path).unwrap();
}

fn make_fifo(path: &Path, _target: &Path) {
    nix::unistd::mkfifo(
        path,
        nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR,
    )
    .unwrap();
}

#[test]
fn a_parent_that_is_a_link_is_followed() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("real")).unwrap();
    symlink(root.path().join("real"), root.path().join("link")).unwrap();
    append(&open(&root.path().join("link/ledger")), Phase::Refusal, "a").unwrap();
    assert_eq!(
        open(&root.path().join("real/ledger"))
            .entries(1, 9)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_file_that_is_not_a_ledger_of_this_version_is_refused_and_left_alone() {
    let made_by = |sql: &'static str| {
        move |path: &Path| Connection::open(path).unwrap().execute_batch(sql).unwrap()
    };
    let text = |path: &Path| fs::write(path, "not a database ".repeat(100)).unwrap();
    let torn = |path: &Path| fs::write(path, b"SQLite format 3\0\x10").unwrap();
    let id = "is not a ledger (application id 0x7b)";
    let cases: [(Make<'_>, &str, &str); 7] = [
        (
            &made_by("PRAGMA application_id = 123"),
            "ERR_LEDGER_FOREIGN",
            id,
        ),
        (
            &made_by("PRAGMA application_id = 123; CREATE TABLE entries (x)"),
            "ERR_LEDGER_FOREIGN",
            id,
        ),
        (
            &made_by("CREATE TABLE entries (x)"),
            "ERR_LEDGER_FOREIGN",
            "is not a ledger (application id 0x0)",
        ),
        (
            &made_by("PRAGMA user_version = 1"),
            "ERR_LEDGER_FOREIGN",
            "is not a ledger (application id 0x0)",
        ),
        // `Ambt`
        (
            &made_by("PRAGMA application_id = 1097687668; PRAGMA user_version = 4"),
            "ERR_LEDGER_VERSION",
            "ledger of version 4; accepted: 3",
        ),
        (
            &text,
            "ERR_LEDGER_CORRUPT",
            "the ledger's database is damaged",
        ),
        (
            &torn,
            "ERR_LEDGER_CORRUPT",
            "the ledger's database is damaged",
        ),
    ];
    for (index, (make, code, message)) in cases.into_iter().enumerate() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("ledger");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let path = folder.join("ledger.db");
        make(&path);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let before = fs::read(&path).unwrap();
        let got = refusal(&folder);
        assert_eq!(got.0, code, "case {index}: {}", got.1);
        assert!(got.1.ends_with(message), "case {index}: {}", got.1);
        assert_eq!(fs::read(&path).unwrap(), before, "case {index}");
    }
}

#[test]
fn an_empty_file_left_by_a_crash_becomes_a_ledger() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    drop(open(&folder));
    fs::write(folder.join("ledger.db"), "").unwrap();
    assert_eq!(append(&open(&folder), Phase::Refusal, "a").unwrap().seq, 1);
}

#[test]
fn an_open_waits_for_another_open_up_to_the_bound() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    drop(open(&folder));
    let file = fs::File::open(folder.join("ledger.lock")).unwrap();
    let held = nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusive).unwrap();
    let error = Ledger::open(
        &folder,
        &OpenOptions {
            busy_timeout_ms: 40,
        },
    )
    .unwrap_err();
    assert!(
        matches!(error, LedgerError::Busy { timeout_ms: 40 }),
        "{error:?}"
    );
    drop(held);
    drop(open(&folder));
}
