// SPDX-License-Identifier: Apache-2.0
//! Export and import: what comes back is what went out, and nothing that is not whole comes back.

use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ambit_canon::Digest;
use ambit_store::{
    AppendError, Entry, Form, Ledger, LedgerError, NewEntry, OpenOptions, Phase, Position,
    approval_use,
};
use tempfile::TempDir;

use crate::common::{entry, open};

/// A receipt that says where it stands, as ours do; `name` makes it differ.
fn receipt(position: &Position, run: &str, name: &str) -> Vec<u8> {
    let previous = position.previous.map_or_else(String::new, |digest| {
        let digest = Digest::from(digest).prefixed();
        format!(r#""previousReceiptHash":"{digest}","#)
    });
    let (id, seq) = (&position.ledger_id, position.seq);
    format!(
        r#"{{"payload":{{"decision":"{name}","ledger_id":"{id}",{previous}"run_id":"{run}","seq":{seq}}},"signature":{{"sig":"ü"}}}}"#
    )
    .into_bytes()
}

fn add(ledger: &Ledger, phase: Phase, run: &'static str) {
    let new = NewEntry {
        created_at_ms: -5,
        consumes: Vec::new(),
        ..entry(phase, run)
    };
    ledger
        .append(new, move |position| {
            Ok::<_, Infallible>(receipt(position, run, "deny"))
        })
        .unwrap();
}

/// Appends a decision that uses an approval up, as its receipt says.
fn add_approved(ledger: &Ledger, run: &'static str, approval: &'static str) -> Result<u64, String> {
    let new = NewEntry {
        consumes: vec![approval_use("k", approval)],
        ..entry(Phase::Intent, run)
    };
    let appended = ledger.append(new, move |position| {
        let text = String::from_utf8(receipt(position, run, "allow")).unwrap();
        let approvals = format!(
            r#"{{"payload":{{"approvals":[{{"approval_id":"{approval}","approver_key_id":"k"}}],"type":"ambit:decision","#
        );
        Ok::<_, Infallible>(text.replacen(r#"{"payload":{"#, &approvals, 1).into_bytes())
    });
    match appended {
        Ok(appended) => Ok(appended.seq),
        Err(AppendError::Ledger(error)) => Err(error.code().to_owned()),
        Err(AppendError::Seal(never)) => match never {},
    }
}

#[test]
fn what_an_approval_was_used_for_is_not_forgotten_by_an_import() {
    for form in [Form::Lines, Form::Files] {
        let root = tempfile::tempdir().unwrap();
        let ledger = open(&root.path().join("ledger"));
        add_approved(&ledger, "a", "one").unwrap();
        let target = root.path().join("export");
        ledger.export(&target, form, &mut |_, _| ()).unwrap();
        let copy = import(&target, &root.path().join("copy")).unwrap();
        assert_eq!(
            add_approved(&copy, "b", "one"),
            Err("ERR_APPROVAL_CONSUMED".to_owned())
        );
        assert_eq!(add_approved(&copy, "b", "two"), Ok(2));
    }
}

#[test]
fn an_export_in_which_an_approval_is_used_twice_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(&root.path().join("ledger"));
    add_approved(&ledger, "a", "one").unwrap();
    let used = Ledger::approvals_used(&ledger, &[approval_use("k", "one")]);
    assert_eq!(used.unwrap(), [Some(1)]);
    // one that another program wrote: its receipt says more than its ledger kept
    let forged = NewEntry {
        consumes: Vec::new(),
        ..entry(Phase::Intent, "b")
    };
    let sealed = ledger.append(forged, |position| {
        let text = String::from_utf8(receipt(position, "b", "allow")).unwrap();
        let approvals = r#"{"payload":{"approvals":[{"approval_id":"one","approver_key_id":"k"}],"type":"ambit:decision","#;
        Ok::<_, Infallible>(text.replacen(r#"{"payload":{"#, approvals, 1).into_bytes())
    });
    sealed.unwrap();
    let target = root.path().join("export");
    ledger.export(&target, Form::Lines, &mut |_, _| ()).unwrap();
    let error = import(&target, &root.path().join("copy")).unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_IMPORT");
    let problem = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(problem, "it uses an approval that was used before");
}

/// A ledger of four entries: a closed run, a refusal, an open run.
fn ledger_of_four(root: &Path) -> Ledger {
    let ledger = open(&root.join("ledger"));
    add(&ledger, Phase::Intent, "a");
    add(&ledger, Phase::Refusal, "b");
    add(&ledger, Phase::Outcome, "a");
    add(&ledger, Phase::Intent, "c");
    ledger
}

fn exported(form: Form) -> (TempDir, Ledger, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let ledger = ledger_of_four(root.path());
    let target = root.path().join("export");
    let mut said = Vec::new();
    let head = ledger.export(&target, form, &mut |done, total| said.push((done, total)));
    assert_eq!(head.unwrap(), ledger.head().unwrap());
    assert_eq!(said, [(1, 4), (2, 4), (3, 4), (4, 4)]);
    (root, ledger, target)
}

fn import(source: &Path, folder: &Path) -> Result<Ledger, LedgerError> {
    Ledger::import(source, folder, &OpenOptions::default(), &mut |_, _| ()).map(|(id, head)| {
        let ledger = open(folder);
        assert_eq!((ledger.id(), ledger.head().unwrap()), (&id, head));
        ledger
    })
}

/// Names beside the ledger: nothing half-made may be among them.
fn names(root: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(root)
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn an_import_is_the_same_ledger_and_goes_on_where_it_was() {
    for form in [Form::Lines, Form::Files] {
        let (root, ledger, target) = exported(form);
        let copy = import(&target, &root.path().join("new/copy")).unwrap();
        assert_eq!(copy.id(), ledger.id());
        assert_eq!(
            copy.entries(1, 100).unwrap(),
            ledger.entries(1, 100).unwrap()
        );
        // the open run is nobody's here
        let orphans = copy.orphans().unwrap();
        assert_eq!(orphans.len(), 1);
        assert_eq!(orphans[0].run_id.as_str(), "c");
        add(&copy, Phase::Outcome, "c");
        assert_eq!(copy.head().unwrap().unwrap().seq, 5);
        assert_eq!(names(root.path()), ["export", "ledger", "new"]);
        assert_eq!(names(&root.path().join("new")), ["copy"]);
    }
}

#[test]
fn files_are_the_exact_bytes_under_names_in_their_order() {
    let (_root, ledger, target) = exported(Form::Files);
    let want: Vec<String> = ["000001", "000002", "000003", "000004"]
        .map(|name| format!("{name}.json"))
        .into_iter()
        .chain(["ledger.index".to_owned(), "ledger.json".to_owned()])
        .collect();
    assert_eq!(names(&target), want);
    for Entry { seq, bytes, .. } in ledger.entries(1, 10).unwrap() {
        let file = target.join(format!("{seq:06}.json"));
        assert_eq!(fs::read(file).unwrap(), bytes);
    }
}

#[test]
fn lines_are_a_header_and_a_record_each() {
    let (_root, ledger, target) = exported(Form::Lines);
    let text = fs::read_to_string(target).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let head = Digest::from(ledger.head().unwrap().unwrap().digest).hex();
    let id = ledger.id();
    assert_eq!(
        lines[0],
        format!(r#"{{"entries":4,"format":"ambit.ledger.v1","head":"{head}","ledger_id":"{id}"}}"#)
    );
    let first = ledger.entry(1).unwrap().unwrap().bytes;
    let quoted = String::from_utf8(first).unwrap().replace('"', "\\\"");
    assert_eq!(
        lines[1],
        format!(
            r#"{{"created_at_ms":-5,"phase":"intent","receipt":"{quoted}","run_id":"a","seq":1}}"#
        )
    );
    assert_eq!(lines.len(), 5);
}

#[test]
fn an_empty_ledger_is_passed_on_too() {
    for form in [Form::Lines, Form::Files] {
        let root = tempfile::tempdir().unwrap();
        let ledger = open(&root.path().join("ledger"));
        let target = root.path().join("export");
        ledger.export(&target, form, &mut |_, _| ()).unwrap();
        // an empty folder is no obstacle
        let folder = root.path().join("copy");
        fs::create_dir(&folder).unwrap();
        let copy = import(&target, &folder).unwrap();
        assert_eq!((copy.id(), copy.head().unwrap()), (ledger.id(), None));
    }
}

#[test]
fn nothing_that_exists_is_replaced() {
    let (root, ledger, target) = exported(Form::Lines);
    for form in [Form::Lines, Form::Files] {
        let error = ledger.export(&target, form, &mut |_, _| ()).unwrap_err();
        assert_eq!(error.code(), "ERR_LEDGER_EXISTS");
    }
    for taken in [ledger.folder().to_owned(), target.clone()] {
        let error = import(&target, &taken).unwrap_err();
        assert_eq!(error.code(), "ERR_LEDGER_EXISTS", "{}", taken.display());
    }
    assert_eq!(ledger.head().unwrap().unwrap().seq, 4);
    assert_eq!(names(root.path()), ["export", "ledger"]);
}

#[test]
fn a_broken_ledger_is_not_exported() {
    let (root, ledger, _target) = exported(Form::Lines);
    let raw = rusqlite::Connection::open(ledger.folder().join("ledger.db")).unwrap();
    raw.execute_batch(
        "DROP TRIGGER entries_update; UPDATE entries SET bytes = x'00' WHERE seq = 2",
    )
    .unwrap();
    for form in [Form::Lines, Form::Files] {
        let error = ledger
            .export(&root.path().join("again"), form, &mut |_, _| ())
            .unwrap_err();
        assert_eq!(error.code(), "ERR_LEDGER_CORRUPT");
        assert_eq!(
            error.to_string(),
            "the ledger is damaged: entry 2 does not have its stored digest"
        );
    }
    assert_eq!(names(root.path()), ["export", "ledger"]);
}

/// A change to the lines of an export.
type Change = fn(&mut Vec<String>);

/// Each change to an export, and what its refusal says.
const CHANGES: &[(&str, Change, &str)] = &[
    (
        "cut",
        |lines| drop(lines.pop()),
        ":4`: it ends after 3 entries; the header says 4",
    ),
    (
        "gap",
        |lines| drop(lines.remove(2)),
        ":3`: entry 3 stands where 2 should be",
    ),
    (
        "swapped",
        |lines| lines.swap(2, 3),
        ":3`: entry 3 stands where 2 should be",
    ),
    (
        "doubled",
        |lines| lines.push(lines[4].clone()),
        ":6`: entry 4 stands where 5 should be",
    ),
    (
        "more",
        |lines| lines.push(lines[4].replace(r#""seq":4}"#, r#""seq":5}"#)),
        ":6`: there is more than the 4 entries of the header",
    ),
    (
        "changed",
        |lines| change(lines, 2, "deny", "fine"),
        ":4`: the receipt's own `previousReceiptHash` is not that of its place",
    ),
    (
        "changed at the end",
        |lines| change(lines, 4, "deny", "fine"),
        ":5`: the last entry does not have the digest in the header",
    ),
    (
        "of another ledger",
        |lines| lines[0] = lines[0].split("ledger_id").next().unwrap().to_owned() + OTHER_ID,
        ":2`: the receipt's own `ledger_id` is not that of its place",
    ),
    (
        "run renamed",
        |lines| {
            change(
                lines,
                3,
                r#""run_id":"a","seq":3}"#,
                r#""run_id":"b","seq":3}"#,
            );
        },
        ":4`: the receipt's own `run_id` is not that of its place",
    ),
    (
        "phase changed",
        |lines| change(lines, 1, "intent", "refusal"),
        ":4`: it does not fit what its run has already",
    ),
    (
        "no receipt",
        |lines| lines[1] = r#"{"created_at_ms":0,"phase":"intent","run_id":"a","seq":1}"#.into(),
        ":2`: `receipt` is missing or malformed",
    ),
    ("no json", |lines| lines[2] = "{".to_owned(), ":3`: "),
    (
        "blank line",
        |lines| lines.insert(1, String::new()),
        ":2`: ",
    ),
    (
        "no header",
        |lines| drop(lines.remove(0)),
        "`: `format` is missing or malformed",
    ),
    (
        "other format",
        |lines| change(lines, 0, "ledger.v1", "ledger.v2"),
        "`: it is not an export of a ledger; accepted: `ambit.ledger.v1`",
    ),
    ("nothing", Vec::clear, "`: "),
];

const OTHER_ID: &str = r#"ledger_id":"00000000000000000000000000000000"}"#;

fn change(lines: &mut [String], line: usize, from: &str, to: &str) {
    let changed = lines[line].replace(from, to);
    assert_ne!(changed, lines[line]);
    lines[line] = changed;
}

#[test]
fn what_is_not_whole_and_in_order_is_refused_by_name() {
    let (root, _ledger, target) = exported(Form::Lines);
    let text = fs::read_to_string(&target).unwrap();
    for (name, change, want) in CHANGES {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        change(&mut lines);
        let source = root.path().join("changed");
        fs::write(&source, lines.join("\n")).unwrap();
        let error = import(&source, &root.path().join("copy")).unwrap_err();
        assert_eq!(error.code(), "ERR_LEDGER_IMPORT", "{name}: {error}");
        assert!(error.to_string().contains(want), "{name}: {error}");
        assert_eq!(
            names(root.path()),
            ["changed", "export", "ledger"],
            "{name}"
        );
    }
}

#[test]
fn a_missing_receipt_of_a_folder_is_an_error() {
    let (root, _ledger, target) = exported(Form::Files);
    fs::remove_file(target.join("000002.json")).unwrap();
    let error = import(&target, &root.path().join("copy")).unwrap_err();
    assert_eq!(error.code(), "ERR_LEDGER_UNAVAILABLE", "{error}");
    assert_eq!(names(root.path()), ["export", "ledger"]);
}

#[test]
fn what_is_no_plain_file_in_a_folder_is_refused_and_not_waited_for() {
    for name in ["ledger.json", "ledger.index", "000002.json"] {
        for make in [make_pipe, make_link] {
            let (root, _ledger, target) = exported(Form::Files);
            make(&target.join(name));
            let error = import(&target, &root.path().join("copy")).unwrap_err();
            assert_eq!(error.code(), "ERR_LEDGER_UNAVAILABLE", "{name}: {error}");
            let said = error.to_string();
            assert!(said.contains("is not a plain file"), "{name}: {said}");
        }
    }
}

fn make_pipe(path: &Path) {
    fs::remove_file(path).unwrap();
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRUSR).unwrap();
}

fn make_link(path: &Path) {
    let moved = path.with_extension("moved");
    fs::rename(path, &moved).unwrap();
    std::os::unix::fs::symlink(moved, path).unwrap();
}

#[test]
fn a_pipe_in_the_place_of_an_imports_lock_does_not_stop_the_collection_of_garbage() {
    let (root, ledger, _target) = exported(Form::Lines);
    let folder = root
        .path()
        .join(format!("ledger.import-{}", "0".repeat(32)));
    fs::create_dir(&folder).unwrap();
    nix::unistd::mkfifo(&folder.join("ledger.lock"), nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert_eq!(ledger.collect_garbage().unwrap().imports, 0);
    assert!(folder.exists());
}

#[test]
fn garbage_is_what_died_and_nothing_else() {
    let (root, ledger, target) = exported(Form::Lines);
    let id = "0".repeat(32);
    let part = |name: &str| root.path().join(format!("ledger.import-{name}"));
    // an import that was killed, one that is at work, and what only looks like one
    let (dead, alive, other) = (part(&id), part(&"1".repeat(32)), part("x"));
    for folder in [&dead, &alive, &other] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("ledger.lock"), "").unwrap();
    }
    let file = fs::File::open(alive.join("ledger.lock")).unwrap();
    let _held = nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusive).unwrap();
    let lock = ledger.folder().join("owners").join(&id);
    fs::write(&lock, "").unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o600)).unwrap();
    let before = ledger.entries(1, 100).unwrap();
    let log = ledger.status().unwrap().log_bytes;
    assert!(log > 0);

    let collected = ledger.collect_garbage().unwrap();
    assert_eq!((collected.locks, collected.imports), (1, 1));
    assert_eq!(collected.log_bytes, log);
    assert_eq!(ledger.status().unwrap().log_bytes, 0);
    assert_eq!(ledger.entries(1, 100).unwrap(), before);
    assert_eq!(
        names(root.path()),
        [
            "export",
            "ledger",
            &format!("ledger.import-{}", "1".repeat(32)),
            "ledger.import-x",
        ]
    );
    // the run of a process that lives keeps its lock
    assert_eq!(ledger.orphans().unwrap(), []);
    assert!(target.exists());
    let again = ledger.collect_garbage().unwrap();
    assert_eq!((again.locks, again.imports, again.log_bytes), (0, 0, 0));
}

#[test]
fn free_pages_are_given_back_when_they_are_many() {
    let (_root, ledger, _target) = exported(Form::Lines);
    let before = ledger.entries(1, 100).unwrap();
    let raw = rusqlite::Connection::open(ledger.folder().join("ledger.db")).unwrap();
    raw.execute_batch(
        "CREATE TABLE x (a); INSERT INTO x VALUES (zeroblob(1000000)); DROP TABLE x;
         PRAGMA wal_checkpoint(TRUNCATE)",
    )
    .unwrap();
    drop(raw);
    let collected = ledger.collect_garbage().unwrap();
    assert!(collected.database_bytes >= 900_000, "{collected:?}");
    assert_eq!(ledger.entries(1, 100).unwrap(), before);
    assert_eq!(open(ledger.folder()).entries(1, 100).unwrap(), before);
}

#[test]
fn a_status_says_what_is_there() {
    let (_root, ledger, _target) = exported(Form::Lines);
    let status = ledger.status().unwrap();
    assert_eq!(status.head, ledger.head().unwrap());
    assert_eq!((status.first_ms, status.last_ms), (Some(-5), Some(-5)));
    assert_eq!(status.open_runs, 1);
    assert!(status.database_bytes > 0 && status.log_bytes > 0);
    let root = tempfile::tempdir().unwrap();
    let empty = open(&root.path().join("ledger")).status().unwrap();
    assert_eq!(
        (empty.head, empty.first_ms, empty.last_ms, empty.open_runs),
        (None, None, None, 0)
    );
}
