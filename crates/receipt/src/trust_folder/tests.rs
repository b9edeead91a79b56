// SPDX-License-Identifier: Apache-2.0
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::key::SigningKey;
use crate::key_log::{Beginning, Revocation};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn public(seed: u8) -> VerifyingKey {
    key(seed).verifying_key()
}

fn day(day: u8) -> String {
    format!("2026-01-{day:02}T12:00:00.000Z")
}

/// Key 1 from day 1, `next` from day 2.
fn log(next: u8) -> Vec<u8> {
    let id = "00".repeat(16);
    let mut text = KeyLog::begin(&key(1), &id, &day(1), Beginning::Known).unwrap();
    let begun = KeyLog::verify(&text, &[public(1)]).unwrap();
    text.extend(begun.rotate(&key(1), &key(next), &day(2)).unwrap());
    text
}

fn revoked(text: &[u8]) -> Vec<u8> {
    let log = KeyLog::verify(text, &[public(1)]).unwrap();
    let revocation = Revocation {
        key_id: &public(1).thumbprint(),
        revoked_at: Some(&day(1)),
        reason: None,
    };
    let line = log.revoke(&key(2), &revocation, &day(3)).unwrap();
    [text, &line].concat()
}

fn roots(seed: u8) -> Trusting {
    Trusting {
        roots: vec![public(seed)],
        ..Trusting::default()
    }
}

fn code(result: Result<TrustedSet, TrustError>) -> Option<&'static str> {
    result.map_err(|error| error.code()).err()
}

#[test]
fn a_stranger_with_the_first_key_follows_the_log_and_no_other() {
    let place = tempfile::tempdir().unwrap();
    let folder = TrustFolder::new(&place.path().join("trust"));
    let add = |text: &[u8], how: &Trusting| code(folder.add("them", text, how));
    let plain = Trusting::default();
    assert_eq!(add(&log(2), &plain), Some("ERR_KEY_LOG_ROOT"));
    assert_eq!(add(&log(2), &roots(2)), Some("ERR_KEY_LOG_ROOT"));
    let pem = public(1).to_spki_pem().unwrap();
    assert_eq!(
        add(pem.as_bytes(), &roots(1)),
        Some("ERR_KEY_LOG_MALFORMED"),
        "a root says that a log is meant"
    );
    assert_eq!(folder.sets().unwrap(), []);
    assert_eq!(add(&log(2), &roots(1)), None);
    assert!(
        folder.sets().unwrap()[0]
            .jwks
            .contains(&public(2).thumbprint())
    );
    // the same again, and what goes on from it
    for text in [log(2), revoked(&log(2))] {
        assert_eq!(add(&text, &plain), None);
    }
    let sets = folder.sets().unwrap();
    assert!(sets[0].jwks.contains("revoked_at"));
    for (text, how, want) in [
        (log(2), plain.clone(), "ERR_KEY_LOG_ROLLED_BACK"),
        (log(3), plain.clone(), "ERR_KEY_LOG_FORK"),
        (log(3), roots(1), "ERR_KEY_LOG_FORK"),
        (
            log(2)[..700].to_vec(),
            plain.clone(),
            "ERR_KEY_LOG_TRUNCATED",
        ),
        (
            public(9).to_jwk().into_bytes(),
            plain.clone(),
            "ERR_KEY_LOG_TRUNCATED",
        ),
        (
            public(9).to_spki_pem().unwrap().into_bytes(),
            plain,
            "ERR_KEY_FILE_EXISTS",
        ),
    ] {
        assert_eq!(add(&text, &how), Some(want));
        assert_eq!(folder.sets().unwrap(), sets);
    }
    let replace = Trusting {
        replace: true,
        ..roots(1)
    };
    assert_eq!(add(&log(3), &replace), None);
    assert!(
        folder.sets().unwrap()[0]
            .jwks
            .contains(&public(3).thumbprint())
    );
}

#[test]
fn the_window_of_a_single_jwk_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let folder = TrustFolder::new(&place.path().join("trust"));
    let jwk = public(1).to_jwk();
    let jwk = jwk.replace('{', r#"{"kid":"ci","revoked_at":"2026-01-01T00:00:00Z","#);
    let set = folder
        .add("one", jwk.as_bytes(), &Trusting::default())
        .unwrap();
    assert!(
        set.jwks
            .contains(r#""kid":"ci","kty":"OKP","revoked_at":"2026-01-01T00:00:00Z""#)
    );
    assert_eq!(folder.sets().unwrap(), [set]);
    let named = Trusting {
        id: Some("other".to_owned()),
        ..Trusting::default()
    };
    let set = folder.add("two", jwk.as_bytes(), &named).unwrap();
    assert!(
        set.jwks
            .contains(r#""kid":"other","kty":"OKP","revoked_at""#)
    );
    assert_eq!(
        code(folder.add("three", set.jwks.as_bytes(), &named)),
        Some("ERR_KEY_FORM")
    );
}

#[test]
fn a_set_is_replaced_when_asked_only_and_names_stay_in_the_folder() {
    let place = tempfile::tempdir().unwrap();
    let folder = TrustFolder::new(&place.path().join("trust"));
    let bytes = |seed: u8| *public(seed).as_bytes();
    let plain = Trusting::default();
    assert_eq!(code(folder.add("a", &bytes(1), &plain)), None);
    assert_eq!(
        code(folder.add("a", &bytes(2), &plain)),
        Some("ERR_KEY_FILE_EXISTS")
    );
    let replace = Trusting {
        replace: true,
        ..Trusting::default()
    };
    assert_eq!(code(folder.add("a", &bytes(2), &replace)), None);
    assert!(
        folder.sets().unwrap()[0]
            .jwks
            .contains(&public(2).thumbprint())
    );
    for name in ["", "../x", ".x", "own", "a/b"] {
        assert_eq!(
            code(folder.add(name, &bytes(1), &plain)),
            Some("ERR_KEY_NAME"),
            "{name}"
        );
    }
}

#[test]
fn a_folder_that_others_can_write_is_not_believed() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("trust");
    let folder = TrustFolder::new(&path);
    assert_eq!(folder.sets().unwrap(), []);
    folder
        .add("a", public(1).as_bytes(), &Trusting::default())
        .unwrap();
    let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    set(0o770);
    assert_eq!(
        folder.sets().unwrap_err().code(),
        "ERR_KEY_FILE_PERMISSIONS"
    );
    set(0o700);
    assert_eq!(folder.sets().unwrap().len(), 1);
    fs::create_dir(path.join("b.jwks.json")).unwrap();
    assert_eq!(folder.sets().unwrap_err().code(), "ERR_KEY_FILE_UNUSABLE");
}
