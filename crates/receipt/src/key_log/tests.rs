// SPDX-License-Identifier: Apache-2.0
use ambit_canon::{Value, parse};

use super::*;
use crate::key::{KeySet, Sign, SigningKey, VerifyingKey};
use crate::verdict::VerdictCode;
use crate::verify::LIMITS;
use crate::{acta, verify};

const LOG: &str = "000102030405060708090a0b0c0d0e0f";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn public(seed: u8) -> VerifyingKey {
    key(seed).verifying_key()
}

/// Noon of a day in January.
fn day(day: u8) -> String {
    format!("2026-01-{day:02}T12:00:00.000Z")
}

fn read(lines: &[Vec<u8>]) -> Result<KeyLog, &'static str> {
    KeyLog::verify(&lines.concat(), &[public(1)]).map_err(|error| error.code())
}

fn revoke(log: &KeyLog, by: u8, whom: u8, at: u8, on: u8) -> Result<Vec<u8>, KeyLogError> {
    let revocation = Revocation {
        key_id: &public(whom).thumbprint(),
        revoked_at: Some(&day(at)),
        reason: Some("stolen"),
    };
    log.revoke(&key(by), &revocation, &day(on))
}

/// Key 1 from day 1, key 2 from day 5, key 3 from day 9; key 1 is revoked from day 3 on.
fn lines() -> Vec<Vec<u8>> {
    let mut lines = vec![KeyLog::begin(&key(1), LOG, &day(1), Beginning::Known).unwrap()];
    lines.push(
        read(&lines)
            .unwrap()
            .rotate(&key(1), &key(2), &day(5))
            .unwrap(),
    );
    lines.push(
        read(&lines)
            .unwrap()
            .rotate(&key(2), &key(3), &day(9))
            .unwrap(),
    );
    lines.push(revoke(&read(&lines).unwrap(), 3, 1, 3, 10).unwrap());
    lines
}

#[test]
fn a_log_says_when_each_key_was_good() {
    let log = read(&lines()).unwrap();
    let state = |seed: u8, from: u8, until: Option<u8>, revoked: Option<u8>| KeyState {
        key: public(seed),
        valid_from: Some(day(from)),
        valid_until: until.map(day),
        revoked_at: revoked.map(day),
        reason: revoked.map(|_| "stolen".to_owned()),
    };
    let want = [
        state(1, 1, Some(5), Some(3)),
        state(2, 5, Some(9), None),
        state(3, 9, None, None),
    ];
    assert_eq!(log.states(), want);
    let standings: Vec<&str> = want.iter().map(|state| state.standing().as_str()).collect();
    assert_eq!(standings, ["revoked", "retired", "current"]);
    assert_eq!(log.current(), want.last());
    assert_eq!(
        (log.log_id(), log.len(), log.last_at()),
        (LOG, 4, day(10).as_str())
    );
    let old = [KeyLog::begin(&key(1), LOG, &day(1), Beginning::Unknown).unwrap()];
    assert_eq!(read(&old).unwrap().current().unwrap().valid_from, None);
}

/// What the log says holds for receipts, by way of the JWKS.
#[test]
fn its_jwks_bounds_what_the_keys_signed() {
    let log = read(&lines()).unwrap();
    let jwks = KeySet::from_jwks(to_jwks(log.states()).as_bytes()).unwrap();
    assert_eq!((jwks.taken, jwks.skipped), (3, 0));
    for (signer, on, want) in [
        (1, 2, VerdictCode::Ok),
        (1, 3, VerdictCode::KeyRevoked),
        (1, 6, VerdictCode::KeyRevoked),
        (2, 4, VerdictCode::KeyOutsideWindow),
        (2, 5, VerdictCode::Ok),
        (2, 9, VerdictCode::KeyOutsideWindow),
        (3, 9, VerdictCode::Ok),
        (4, 9, VerdictCode::UnknownKey),
    ] {
        let payload = format!(r#"{{"type":"example:note","issued_at":"{}"}}"#, day(on));
        for key_id in [acta::KeyId::Issuer, acta::KeyId::Thumbprint] {
            let options = acta::SignOptions {
                key_id,
                ..acta::SignOptions::default()
            };
            let receipt = acta::sign(payload.as_bytes(), &key(signer), options).unwrap();
            assert_eq!(verify(&receipt, &jwks.keys).code, want, "{signer} {on}");
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_change_of_a_line_is_found_and_named() {
    let good = lines();
    read(&good).unwrap();
    let moved = |from: usize, to: usize| {
        let mut lines = good.clone();
        let line = lines.remove(from);
        lines.insert(to, line);
        lines
    };
    let without = |at: usize| {
        let mut lines = good.clone();
        lines.remove(at);
        lines
    };
    let with = |at: usize, line: Vec<u8>| {
        let mut lines = good.clone();
        lines.insert(at, line);
        lines
    };
    let changed = |at: usize, from: &str, to: &str| {
        let mut lines = good.clone();
        let text = String::from_utf8(lines.remove(at)).unwrap();
        assert!(text.contains(from), "{text}");
        lines.insert(at, text.replacen(from, to, 1).into_bytes());
        lines
    };
    let fork = read(&good[..1])
        .unwrap()
        .rotate(&key(1), &key(9), &day(6))
        .unwrap();
    let other_id = LOG.replace('0', "1");
    let other = KeyLog::begin(&key(1), &other_id, &day(1), Beginning::Known).unwrap();
    let mut torn = good.clone();
    torn.last_mut().unwrap().pop();
    for (what, lines, want) in [
        ("an event left out", without(1), "ERR_KEY_LOG_GAP"),
        ("the beginning left out", without(0), "ERR_KEY_LOG_GAP"),
        (
            "two events in the other order",
            moved(1, 2),
            "ERR_KEY_LOG_GAP",
        ),
        (
            "an event twice",
            with(2, good[1].clone()),
            "ERR_KEY_LOG_DUPLICATE",
        ),
        (
            "another event in its place",
            with(2, fork),
            "ERR_KEY_LOG_FORK",
        ),
        (
            "an event of another log",
            with(1, other),
            "ERR_KEY_LOG_FOREIGN",
        ),
        ("a line that is torn", torn, "ERR_KEY_LOG_TRUNCATED"),
        ("no line", Vec::new(), "ERR_KEY_LOG_TRUNCATED"),
        (
            "an empty line",
            with(1, b"\n".to_vec()),
            "ERR_KEY_LOG_MALFORMED",
        ),
        (
            "white space",
            changed(1, ":", ": "),
            "ERR_KEY_LOG_MALFORMED",
        ),
        (
            "a time",
            changed(1, "-05T", "-06T"),
            "ERR_KEY_LOG_SIGNATURE",
        ),
        (
            "a reason",
            changed(3, "stolen", "stolem"),
            "ERR_KEY_LOG_SIGNATURE",
        ),
        (
            "a number",
            changed(1, "\"seq\":2", "\"seq\":1"),
            "ERR_KEY_LOG_MALFORMED",
        ),
        (
            "a type",
            changed(1, "ambit:key", "ambit:kez"),
            "ERR_KEY_LOG_MALFORMED",
        ),
        (
            "a member",
            changed(1, "\"seq\":2", "\"seq\":2,\"t\":1"),
            "ERR_KEY_LOG_MALFORMED",
        ),
    ] {
        assert_eq!(read(&lines).map(|log| log.len()), Err(want), "{what}");
    }
    let root = KeyLog::verify(&good.concat(), &[public(2)]).unwrap_err();
    assert_eq!(
        (root.code(), root.to_string()),
        (
            "ERR_KEY_LOG_ROOT",
            "line 1: begins with a key that is not trusted; give the key that it is to begin with"
                .to_owned(),
        )
    );
    assert_eq!(
        KeyLog::verify(&good.concat(), &[]).unwrap_err().code(),
        "ERR_KEY_LOG_ROOT"
    );
}

#[test]
fn every_byte_of_a_log_counts() {
    let good = lines().concat();
    let mut tried = 0;
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        let code = KeyLog::verify(&changed, &[public(1)]).map_err(|error| error.code());
        assert!(code.is_err(), "byte {at}");
        tried += 1;
    }
    assert_eq!(tried, good.len());
}

/// Events that the right key did sign, but that cannot happen.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn events_that_cannot_happen_are_refused_though_signed() {
    let good = lines();
    let forge = |by: u8, change: &dyn Fn(&mut ambit_canon::Object)| {
        let last = parse(good[3].trim_ascii_end(), &LIMITS).unwrap();
        let Some(Value::Object(payload)) = last.get("payload") else {
            panic!("no payload")
        };
        let mut payload = payload.clone();
        let log = read(&good).unwrap();
        let previous = ambit_canon::Digest::of(good[3].trim_ascii_end());
        payload.insert("previousReceiptHash", previous.prefixed());
        payload.insert("seq", Value::Number(5.into()));
        payload.insert("issued_at", log.last_at());
        payload.insert("issuer_id", public(by).thumbprint());
        change(&mut payload);
        let text = ambit_canon::write(&Value::Object(payload));
        let options = acta::SignOptions::default();
        let mut line = acta::sign(text.as_bytes(), &key(by), options).unwrap();
        line.push(b'\n');
        read(&[good.clone(), vec![line]].concat()).map(|log| log.len())
    };
    let set = |name: &'static str, value: String| {
        move |payload: &mut ambit_canon::Object| drop(payload.insert(name, value.as_str()))
    };
    let id = |seed: u8| public(seed).thumbprint();
    let zero = format!("sha256:{}", "0".repeat(64));
    for (what, by, change, want) in [
        ("dated back further", 3, set("revoked_at", day(2)), Ok(5)),
        (
            "the same again",
            3,
            set("reason", "x".to_owned()),
            Err("ERR_KEY_LOG_EVENT"),
        ),
        (
            "taken back",
            3,
            set("revoked_at", day(4)),
            Err("ERR_KEY_LOG_EVENT"),
        ),
        (
            "an unknown key",
            3,
            set("key_id", id(8)),
            Err("ERR_KEY_LOG_EVENT"),
        ),
        (
            "before it was good",
            3,
            set("revoked_at", "2025-12-31T00:00:00.000Z".to_owned()),
            Err("ERR_KEY_LOG_EVENT"),
        ),
        (
            "in the future",
            3,
            set("revoked_at", day(11)),
            Err("ERR_KEY_LOG_EVENT"),
        ),
        (
            "backdated",
            3,
            set("issued_at", day(9)),
            Err("ERR_KEY_LOG_BACKDATED"),
        ),
        (
            "another predecessor",
            3,
            set("previousReceiptHash", zero),
            Err("ERR_KEY_LOG_CHAIN"),
        ),
        (
            "by a retired key",
            2,
            set("revoked_at", day(2)),
            Err("ERR_KEY_LOG_SIGNER"),
        ),
        (
            "by a stranger",
            8,
            set("revoked_at", day(2)),
            Err("ERR_KEY_LOG_SIGNER"),
        ),
        (
            "a time of other form",
            3,
            set("revoked_at", "2026-01-02T12:00:00Z".to_owned()),
            Err("ERR_KEY_LOG_MALFORMED"),
        ),
    ] {
        assert_eq!(forge(by, &change), want, "{what}");
    }
}

#[test]
fn a_rotation_needs_the_new_key_itself() {
    /// Signs with another key than it says.
    struct Pretender;
    impl Sign for Pretender {
        fn verifying_key(&self) -> VerifyingKey {
            public(5)
        }
        fn sign(&self, message: &[u8]) -> Result<[u8; 64], crate::KeyError> {
            Sign::sign(&key(6), message)
        }
    }
    let log = read(&lines()).unwrap();
    let code = |line: Result<Vec<u8>, KeyLogError>| line.map_err(|error| error.code()).err();
    let rotate = |old: u8, new: &dyn Sign, on: u8| code(log.rotate(&key(old), new, &day(on)));
    assert_eq!(rotate(3, &key(5), 12), None);
    assert_eq!(rotate(3, &Pretender, 12), Some("ERR_KEY_LOG_PROOF"));
    assert_eq!(rotate(2, &key(5), 12), Some("ERR_KEY_LOG_SIGNER"));
    assert_eq!(rotate(3, &key(1), 12), Some("ERR_KEY_LOG_EVENT"));
    assert_eq!(rotate(3, &key(3), 12), Some("ERR_KEY_LOG_EVENT"));
    assert_eq!(rotate(3, &key(5), 9), Some("ERR_KEY_LOG_BACKDATED"));
    let fresh = read(&lines()[..1]).unwrap();
    assert_eq!(
        code(fresh.rotate(&key(1), &key(5), &day(1))),
        Some("ERR_KEY_LOG_EVENT")
    );
}

#[test]
fn after_its_current_key_is_revoked_a_log_begins_again_with_a_trusted_key_only() {
    let mut lines = lines();
    lines.push(revoke(&read(&lines).unwrap(), 3, 3, 10, 11).unwrap());
    let closed = read(&lines).unwrap();
    assert_eq!(closed.current(), None);
    let code = |result: Result<Vec<u8>, KeyLogError>| result.map_err(|error| error.code()).err();
    let closed_code = Some("ERR_KEY_LOG_CLOSED");
    assert_eq!(code(closed.rotate(&key(3), &key(4), &day(12))), closed_code);
    assert_eq!(code(revoke(&closed, 3, 2, 12, 12)), closed_code);
    lines.push(closed.begin_again(&key(4), &day(12)).unwrap());
    assert_eq!(read(&lines).map(|log| log.len()), Err("ERR_KEY_LOG_ROOT"));
    let both = KeyLog::verify(&lines.concat(), &[public(1), public(4)]).unwrap();
    assert_eq!(both.current().map(|state| state.key), Some(public(4)));
    let early = read(&lines[..4]).unwrap();
    assert_eq!(
        code(early.begin_again(&key(4), &day(12))),
        Some("ERR_KEY_LOG_EVENT")
    );
}

#[test]
fn a_copy_that_lost_events_or_has_others_is_found_against_an_older_one() {
    let lines = lines();
    let log = |count: usize| read(&lines[..count]).unwrap();
    let code =
        |new: &KeyLog, old: &KeyLog| new.check_extends(old).map_err(|error| error.to_string());
    for (new, old) in [(4, 4), (4, 2), (4, 1)] {
        assert_eq!(code(&log(new), &log(old)), Ok(()));
    }
    let rolled_back = "the log has 2 events, and had 4 before: it was rolled back".to_owned();
    assert_eq!(code(&log(2), &log(4)), Err(rolled_back));
    let other = log(1).rotate(&key(1), &key(9), &day(6)).unwrap();
    let fork = read(&[lines[..1].to_vec(), vec![other]].concat()).unwrap();
    let forked = "two logs differ from line 2 on: one of them is a fork".to_owned();
    assert_eq!(code(&fork, &log(4)), Err(forked.clone()));
    assert_eq!(code(&log(4), &fork), Err(forked));
}
