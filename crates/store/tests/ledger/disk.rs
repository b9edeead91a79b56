// SPDX-License-Identifier: Apache-2.0
//! Disks that are full or read-only.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use ambit_store::{AppendError, ChainEnd, Ledger, LedgerError, OpenOptions, Phase};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::geteuid;

use crate::common::{append, entry, next_line, open, role, role_folder, start};

#[test]
fn a_torn_write_of_the_log_costs_only_what_was_not_acknowledged() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    for _ in 0..3 {
        append(&ledger, Phase::Refusal, "a").unwrap();
    }
    let before = fs::metadata(ledger.folder().join("ledger.db-wal"))
        .unwrap()
        .len();
    let acknowledged = check(&ledger);
    append(&ledger, Phase::Refusal, "a").unwrap();
    let log = fs::read(ledger.folder().join("ledger.db-wal")).unwrap();
    let whole = check(&ledger);
    // What a crash in the middle of the fourth append can leave: its frames cut off or damaged.
    let start = usize::try_from(before).unwrap();
    let middle = start.midpoint(log.len());
    let mut damaged = log.clone();
    damaged[middle] ^= 1;
    let cases = [
        ("cut at its start", log[..start].to_vec(), &acknowledged),
        ("cut in its middle", log[..middle].to_vec(), &acknowledged),
        (
            "cut before its last byte",
            log[..log.len() - 1].to_vec(),
            &acknowledged,
        ),
        ("damaged", damaged, &acknowledged),
        ("whole: the control", log.clone(), &whole),
    ];
    for (name, log, want) in cases {
        let copy = root.path().join(name);
        fs::DirBuilder::new().mode(0o700).create(&copy).unwrap();
        fs::copy(ledger.folder().join("ledger.db"), copy.join("ledger.db")).unwrap();
        fs::write(copy.join("ledger.db-wal"), log).unwrap();
        fs::set_permissions(
            copy.join("ledger.db-wal"),
            fs::Permissions::from_mode(0o600),
        )
        .unwrap();
        let copy = open(&copy);
        assert_eq!(&check(&copy), want, "{name}");
        let next = u64::try_from(want.len()).unwrap().checked_add(1).unwrap();
        assert_eq!(
            append(&copy, Phase::Refusal, "a").unwrap().seq,
            next,
            "{name}"
        );
        assert_eq!(u64::try_from(check(&copy).len()).unwrap(), next, "{name}");
    }
}

#[test]
fn a_file_size_limit_is_a_typed_error_and_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ledger");
    // Blocks of 512 or 1024 bytes, as the shell likes: 256 or 512 KiB.
    let limit = "trap '' XFSZ; ulimit -f 512";
    let (mut child, mut lines) = start(role("disk::role_fills", &folder, Some(limit)));
    let said: Vec<String> = std::iter::from_fn(|| next_line(&mut lines)).collect();
    assert!(child.wait().unwrap().success(), "{said:?}");
    assert_eq!(said.len(), 1, "{said:?}");
    let count: u64 = said[0]
        .strip_prefix("full after ")
        .unwrap()
        .parse()
        .unwrap();

    let ledger = open(&folder);
    let kept = check(&ledger);
    assert_eq!(kept.len(), usize::try_from(count).unwrap());
    assert_eq!(
        append(&ledger, Phase::Refusal, "after").unwrap().seq,
        count + 1
    );
}

#[test]
#[ignore = "a role that another test starts"]
fn role_fills() {
    let Some(folder) = role_folder() else { return };
    eprintln!("full after {}", fill(&folder));
}

#[test]
fn a_full_file_system_is_a_typed_error_and_loses_nothing() {
    assert_mounted_role("disk::role_fills_a_file_system", "full");
}

#[test]
#[ignore = "a role that another test starts"]
fn role_fills_a_file_system() {
    let Some(folder) = role_folder() else { return };
    if !mounted(&folder) {
        return;
    }
    let ledger_folder = folder.join("ledger");
    let count = fill(&ledger_folder);
    let ledger = open(&ledger_folder);
    assert_eq!(u64::try_from(check(&ledger).len()).unwrap(), count);
    // A second ledger has no room even to begin.
    fs::write(folder.join("rest"), vec![0; 1 << 20]).unwrap_err();
    let error = Ledger::open(&folder.join("second"), &OpenOptions::default()).unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_WRITE", "{error:?}");
    // Room again: it goes on where it was.
    fs::remove_file(folder.join("rest")).unwrap();
    fs::remove_file(folder.join("ballast")).unwrap();
    assert_eq!(
        append(&ledger, Phase::Refusal, "after").unwrap().seq,
        count + 1
    );
    assert_eq!(
        append(&open(&folder.join("second")), Phase::Refusal, "a")
            .unwrap()
            .seq,
        1
    );
    eprintln!("full");
}

#[test]
fn a_read_only_file_system_is_a_typed_error_and_loses_nothing() {
    assert_mounted_role("disk::role_opens_read_only", "read-only");
}

#[test]
#[ignore = "a role that another test starts"]
fn role_opens_read_only() {
    let Some(folder) = role_folder() else { return };
    if !mounted(&folder) {
        return;
    }
    let ledger_folder = folder.join("ledger");
    let first = open(&ledger_folder);
    append(&first, Phase::Intent, "a").unwrap();
    let before = check(&first);
    drop(first);
    let remount = |flags: MsFlags| {
        let flags = flags | MsFlags::MS_REMOUNT;
        mount(None::<&str>, &folder, None::<&str>, flags, None::<&str>).unwrap();
    };
    remount(MsFlags::MS_RDONLY);
    for folder in [&ledger_folder, &folder.join("new")] {
        let error = Ledger::open(folder, &OpenOptions::default()).unwrap_err();
        assert_eq!(error.code(), "ERR_LEDGER_WRITE", "{error:?}");
    }
    // It can be read all the same, without leaving anything behind.
    let reader = Ledger::open_read_only(&ledger_folder, &OpenOptions::default()).unwrap();
    assert_eq!(check(&reader), before);
    drop(reader);
    remount(MsFlags::empty());
    // A tail that is in the log alone is not left out in silence.
    let first = open(&ledger_folder);
    append(&first, Phase::Refusal, "b").unwrap();
    for name in ["ledger.db", "ledger.db-wal"] {
        fs::copy(ledger_folder.join(name), folder.join(name)).unwrap();
    }
    drop(first);
    remount(MsFlags::MS_RDONLY);
    let error = Ledger::open_read_only(&folder, &OpenOptions::default()).unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_UNAVAILABLE", "{error:?}");
    remount(MsFlags::empty());
    let before = check(&open(&ledger_folder));
    let again = open(&ledger_folder);
    assert_eq!(check(&again), before);
    append(&again, Phase::Outcome, "a").unwrap();
    eprintln!("read-only");
}

/// Appends until the disk is full, tries again, and returns how many entries were acknowledged.
fn fill(folder: &Path) -> u64 {
    let ledger = open(folder);
    let mut count: u64 = 0;
    let error = loop {
        // More than one page each, of no two the same.
        let bytes = format!("{count} ").repeat(1500).into_bytes();
        let sealed = ledger.append(entry(Phase::Refusal, "a"), |_| Ok::<_, Infallible>(bytes));
        match sealed {
            Ok(appended) => {
                count = count.saturating_add(1);
                assert_eq!(appended.seq, count);
            }
            Err(AppendError::Ledger(error)) => break error,
            Err(AppendError::Seal(never)) => match never {},
        }
    };
    assert!(count > 3, "{count}");
    assert_eq!(error.code(), "ERR_LEDGER_WRITE", "{error:?}");
    assert!(matches!(error, LedgerError::Write { .. }), "{error:?}");
    assert_eq!(u64::try_from(check(&ledger).len()).unwrap(), count);
    count
}

fn check(ledger: &Ledger) -> BTreeMap<u64, Vec<u8>> {
    let mut kept = BTreeMap::new();
    let report = ledger
        .check_chain(|entry| {
            kept.insert(entry.seq, entry.bytes.clone());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(report.end, ChainEnd::Complete);
    kept
}

/// Runs a role that mounts, and passes only if it says `want`.
fn assert_mounted_role(name: &str, want: &str) {
    let root = tempfile::tempdir().unwrap();
    let first = (!geteuid().is_root()).then_some(BECOME_ROOT);
    let (mut child, mut lines) = start(role(name, root.path(), first));
    let said: Vec<String> = std::iter::from_fn(|| next_line(&mut lines)).collect();
    assert!(child.wait().unwrap().success(), "{said:?}");
    if let [skip] = said.as_slice()
        && skip.starts_with("skip: ")
    {
        assert!(
            std::env::var_os("REQUIRE_SANDBOX").is_none_or(|value| value != "1"),
            "{skip}"
        );
        eprintln!("{name} {skip}");
        return;
    }
    assert_eq!(said, [want]);
}

/// Mounts a file system of 1 MiB at `folder`, seen by this thread alone, with a ballast to remove.
/// Where the kernel does not let us, says so and returns `false`.
fn mounted(folder: &Path) -> bool {
    if let Err(errno) = unshare(CloneFlags::CLONE_NEWNS) {
        eprintln!("skip: no mount namespace ({errno})");
        return false;
    }
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
    let options = Some("size=1m,mode=0700");
    if let Err(errno) = mount(
        Some("tmpfs"),
        folder,
        Some("tmpfs"),
        MsFlags::empty(),
        options,
    ) {
        eprintln!("skip: no tmpfs ({errno})");
        return false;
    }
    fs::write(folder.join("ballast"), vec![0; 256 << 10]).unwrap();
    true
}

/// Shell commands that become root of a new user namespace.
const BECOME_ROOT: &str = "unshare --user --map-root-user true 2> /dev/null || \
    { echo 'skip: no user namespace' >&2; exit 0; }; \
    exec unshare --user --map-root-user \"$0\" \"$@\"";
