// SPDX-License-Identifier: Apache-2.0
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::key_log::KeyStanding;

const DAYS: [&str; 5] = [
    "2026-01-01T00:00:00.000Z",
    "2026-01-02T00:00:00.000Z",
    "2026-01-03T00:00:00.000Z",
    "2026-01-04T00:00:00.000Z",
    "2026-01-05T00:00:00.000Z",
];

fn on(day: usize) -> impl FnOnce() -> String {
    move || DAYS[day].to_owned()
}

fn none() -> Result<Passphrase, KeyHomeError> {
    Err(KeyHomeError::Key(KeyError::Encrypted))
}

fn open(folder: &Path) -> KeyHome {
    KeyHome::open(&folder.join("keys")).unwrap()
}

fn code<T>(result: Result<T, KeyHomeError>) -> Option<&'static str> {
    result.map_err(|error| error.code()).err()
}

fn public(home: &KeyHome) -> VerifyingKey {
    home.load(none).unwrap().verifying_key()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("keys")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn standings(home: &KeyHome) -> Vec<(VerifyingKey, &'static str)> {
    let states = home.states().unwrap();
    let standing = |state: &KeyState| (state.key, state.standing().as_str());
    states.iter().map(standing).collect()
}

#[test]
fn keys_are_made_rotated_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let home = open(folder.path());
    assert_eq!(home.states().unwrap(), []);
    assert_eq!(code(home.load(none)), Some("ERR_KEY_FILE_UNREADABLE"));
    let first = home.generate(None, on(0)).unwrap();
    assert_eq!(public(&home), first);
    assert_eq!(
        code(home.generate(None, on(1))),
        Some("ERR_KEY_FILE_EXISTS")
    );
    assert_eq!(public(&home), first);

    let second = home.rotate(none, None, OldKey::Kept, on(1)).unwrap();
    assert_eq!(public(&home), second);
    assert_eq!(standings(&home), [(first, "retired"), (second, "current")]);
    let (one, two) = (first.thumbprint(), second.thumbprint());
    let mut want = vec![
        ".lock".to_owned(),
        format!("{one}.pem"),
        format!("{one}.pub.pem"),
    ];
    want.extend(["default.pem", "default.pub.pem", "key-log.jsonl"].map(str::to_owned));
    want.sort();
    assert_eq!(names(folder.path()), want);
    let old = key_file::read_private(&home.private(&one)).unwrap();
    assert_eq!(SigningKey::decode(&old).unwrap().verifying_key(), first);

    let third = home.rotate(none, None, OldKey::Deleted, on(2)).unwrap();
    assert_eq!(
        KeyHome::look(&folder.path().join("keys")).unwrap(),
        home.states().unwrap()
    );
    assert_eq!(KeyHome::look(&folder.path().join("none")).unwrap(), []);
    assert!(!home.private(&two).exists() && home.public(&two).exists());
    let revocation = Revocation {
        key_id: &third.thumbprint(),
        revoked_at: None,
        reason: None,
    };
    home.revoke(none, &revocation, on(3)).unwrap();
    assert_eq!(code(home.load(none)), Some("ERR_KEY_REVOKED"));
    assert_eq!(
        code(home.rotate(none, None, OldKey::Kept, on(3))),
        Some("ERR_KEY_REVOKED")
    );
    let fourth = home.generate(None, on(4)).unwrap();
    assert_eq!(public(&home), fourth);
    let standing = [
        KeyStanding::Retired,
        KeyStanding::Retired,
        KeyStanding::Revoked,
    ];
    let got: Vec<KeyStanding> = home
        .states()
        .unwrap()
        .iter()
        .map(KeyState::standing)
        .collect();
    assert_eq!(got, [standing.as_slice(), &[KeyStanding::Current]].concat());
}

#[test]
fn an_encrypted_key_stays_encrypted_when_it_is_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let home = open(folder.path());
    let secret = |text: &'static [u8]| move || Ok::<_, KeyHomeError>(Zeroizing::new(text.to_vec()));
    home.generate(Some(b"one"), on(0)).unwrap();
    assert_eq!(code(home.load(none)), Some("ERR_KEY_ENCRYPTED"));
    assert_eq!(code(home.load(secret(b"two"))), Some("ERR_KEY_PASSPHRASE"));
    let rotate = |with, new| home.rotate(secret(with), new, OldKey::Kept, on(1));
    assert_eq!(code(rotate(b"two", None)), Some("ERR_KEY_PASSPHRASE"));
    let second = rotate(b"one", None).unwrap();
    assert_eq!(home.load(secret(b"one")).unwrap().verifying_key(), second);
    let third = home.rotate(secret(b"one"), Some(b"two"), OldKey::Kept, on(2));
    let got = home.load(secret(b"two")).unwrap().verifying_key();
    assert_eq!(got, third.unwrap());
}

/// The key of an installation from before there were key logs.
#[test]
fn a_key_without_a_log_gets_one_when_it_is_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let home = open(folder.path());
    let old = SigningKey::from_seed(&[5; 32]);
    home.write_pair(DEFAULT, &old, None).unwrap();
    assert_eq!(standings(&home), [(old.verifying_key(), "current")]);
    let new = home.rotate(none, None, OldKey::Kept, on(0)).unwrap();
    let states = home.states().unwrap();
    assert_eq!(
        standings(&home),
        [(old.verifying_key(), "retired"), (new, "current")]
    );
    assert_eq!(states[0].valid_from, None);
    assert_eq!(states[0].valid_until.as_deref(), Some(DAYS[0]));
}

/// A rotation counts from the moment when its event is in the log. Every state that a process can leave
/// behind is finished by the next one.
#[test]
fn a_rotation_that_was_interrupted_is_finished() {
    for done in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let home = open(folder.path());
        let first = home.generate(None, on(0)).unwrap();
        let (old, new) = (home.load(none).unwrap(), SigningKey::from_seed(&[8; 32]));
        let name = new.verifying_key().thumbprint();
        home.write_pair(&name, &new, None).unwrap();
        assert_eq!(
            public(&open_again(&home)),
            first,
            "not in the log: does not count"
        );
        let line = home
            .log()
            .unwrap()
            .unwrap()
            .rotate(&old, &new, DAYS[1])
            .unwrap();
        home.append(&line).unwrap();
        let one = first.thumbprint();
        if done > 0 {
            fs::hard_link(home.private(DEFAULT), home.private(&one)).unwrap();
        }
        if done > 1 {
            fs::hard_link(home.public(DEFAULT), home.public(&one)).unwrap();
        }
        if done > 2 {
            fs::rename(home.private(&name), home.private(DEFAULT)).unwrap();
        }
        let home = open_again(&home);
        assert_eq!(public(&home), new.verifying_key(), "{done}");
        assert_eq!(home.read_public(DEFAULT).unwrap(), new.verifying_key());
        assert_eq!(home.read_public(&one).unwrap(), first);
        assert!(home.private(&one).exists() && !home.private(&name).exists());
    }
}

/// The first key, and the next one after a revocation, count from the moment of their event as well.
#[test]
fn a_key_whose_making_was_interrupted_is_finished_or_made_again() {
    for (revoked, in_log) in [(false, false), (false, true), (true, false), (true, true)] {
        let folder = tempfile::tempdir().unwrap();
        let home = open(folder.path());
        if revoked {
            let first = home.generate(None, on(0)).unwrap();
            let revocation = Revocation {
                key_id: &first.thumbprint(),
                revoked_at: Some(DAYS[0]),
                reason: None,
            };
            home.revoke(none, &revocation, on(1)).unwrap();
        }
        let key = SigningKey::from_seed(&[8; 32]);
        let line = match home.log().unwrap() {
            Some(log) => log.begin_again(&key, DAYS[2]),
            None => KeyLog::begin(&key, &"00".repeat(16), DAYS[2], Beginning::Known),
        };
        let name = key.verifying_key().thumbprint();
        home.write_pair(&name, &key, None).unwrap();
        if in_log {
            home.append(&line.unwrap()).unwrap();
        }
        let home = open_again(&home);
        if in_log {
            assert_eq!(public(&home), key.verifying_key());
            assert_eq!(home.read_public(DEFAULT).unwrap(), key.verifying_key());
        } else {
            let next = home.generate(None, on(3)).unwrap();
            assert_eq!(public(&home), next);
        }
    }
}

#[test]
fn a_file_in_the_place_of_the_public_key_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let home = open(folder.path());
    fs::write(home.public(DEFAULT), "not a key").unwrap();
    assert_eq!(
        code(home.generate(None, on(0))),
        Some("ERR_KEY_FILE_EXISTS")
    );
    assert!(home.log().unwrap().is_none());
}

#[test]
fn half_written_keys_of_a_process_that_ended_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let home = open(folder.path());
    home.generate(None, on(0)).unwrap();
    drop(home);
    let before = names(folder.path());
    let left = folder.path().join("keys/.default.pem.0123456789abcdef.tmp");
    fs::write(left, "secret").unwrap();
    assert_ne!(names(folder.path()), before);
    drop(open(folder.path()));
    assert_eq!(names(folder.path()), before);
}

#[test]
fn a_log_does_not_grow_beyond_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let home = open(folder.path());
    home.generate(None, on(0)).unwrap();
    let long = vec![b' '; MAX_LOG_BYTES];
    assert_eq!(code(home.append(&long)), Some("ERR_KEY_LOG_MALFORMED"));
    assert_eq!(home.states().unwrap().len(), 1);
}

#[test]
fn a_look_at_a_folder_that_others_can_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let keys = folder.path().join("keys");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(code(KeyHome::look(&keys)), Some("ERR_KEY_FILE_PERMISSIONS"));
}

/// The lock is held for each process; within one, a second handle on the same folder finishes too.
fn open_again(home: &KeyHome) -> KeyHome {
    let again = KeyHome {
        folder: home.folder.clone(),
        _lock: None,
    };
    again.finish().unwrap();
    again
}

#[test]
fn a_folder_or_log_that_others_can_read_or_that_was_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let home = open(folder.path());
    home.generate(None, on(0)).unwrap();
    drop(home);
    let set =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let denied = Some("ERR_KEY_FILE_PERMISSIONS");
    for (path, mode, good) in [
        (keys.clone(), 0o750, 0o700),
        (keys.join(LOG), 0o644, 0o600),
        (keys.clone(), 0o701, 0o700),
    ] {
        set(&path, mode);
        assert_eq!(code(KeyHome::open(&keys)), denied, "{}", path.display());
        set(&path, good);
    }
    set(&keys.join("default.pem"), 0o640);
    assert_eq!(code(open(folder.path()).load(none)), denied);
    set(&keys.join("default.pem"), 0o600);
    // another key in the place of the one that the log says
    let home = open(folder.path());
    let other = SigningKey::from_seed(&[3; 32]).to_pkcs8_pem().unwrap();
    key_file::replace(&home.private(DEFAULT), other.as_bytes(), Access::Owner).unwrap();
    assert_eq!(code(home.load(none)), Some("ERR_KEY_FOREIGN"));
    drop(home);
    let text = fs::read_to_string(keys.join(LOG)).unwrap();
    fs::write(keys.join(LOG), text.replace("2026-01-01", "2026-01-02")).unwrap();
    assert_eq!(code(KeyHome::open(&keys)), Some("ERR_KEY_LOG_SIGNATURE"));
}
