// SPDX-License-Identifier: Apache-2.0
//! Private keys under a passphrase, as OpenSSL writes them and as we do.

mod common;

use std::time::{Duration, Instant};

use ambit_receipt::{KeyError, SigningKey, VerifyingKey};
use common::bytes;
use zeroize::Zeroizing;

const PUBLIC: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const PASSPHRASE: &[u8] = b"correct-horse";

fn decode(name: &str, passphrase: &[u8]) -> Result<VerifyingKey, &'static str> {
    let file = bytes(&format!("encrypted/{name}.pem"));
    SigningKey::decode_with(&file, || {
        Ok::<_, KeyError>(Zeroizing::new(passphrase.to_vec()))
    })
    .map(|key| key.verifying_key())
    .map_err(|error| error.code())
}

#[test]
fn keys_that_openssl_encrypted_are_read() {
    let key = VerifyingKey::from_hex(PUBLIC).unwrap();
    for name in [
        "pbkdf2-sha256-aes256",
        "pbkdf2-sha512-aes128-100000",
        "scrypt-aes256",
    ] {
        assert_eq!(decode(name, PASSPHRASE), Ok(key), "{name}");
        for wrong in [b"correct-horsf".as_slice(), b"", b"correct-horse\n"] {
            assert_eq!(decode(name, wrong), Err("ERR_KEY_PASSPHRASE"), "{name}");
        }
        let file = bytes(&format!("encrypted/{name}.pem"));
        let code = SigningKey::decode(&file).map_err(|error| error.code());
        assert_eq!(code.err(), Some("ERR_KEY_ENCRYPTED"), "{name}");
    }
}

#[test]
fn files_that_ask_for_too_much_work_are_refused_before_it_is_done() {
    let start = Instant::now();
    for name in ["pbkdf2-costly", "scrypt-costly-n", "scrypt-costly-p"] {
        assert_eq!(decode(name, PASSPHRASE), Err("ERR_KEY_COST"), "{name}");
    }
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn weak_schemes_and_other_keys_are_refused() {
    for name in ["pbes1-des", "pbkdf2-des3", "pbkdf2-sha1", "x25519"] {
        assert_eq!(decode(name, PASSPHRASE), Err("ERR_KEY_MALFORMED"), "{name}");
    }
}

#[test]
fn an_encrypted_key_survives_its_pem_and_differs_each_time() {
    let key = SigningKey::from_seed(&[7; 32]);
    let (one, two) = (
        key.to_encrypted_pem(PASSPHRASE).unwrap(),
        key.to_encrypted_pem(PASSPHRASE).unwrap(),
    );
    assert_ne!(*one, *two);
    assert!(one.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let again = SigningKey::from_encrypted_pem(&one, PASSPHRASE).unwrap();
    assert_eq!(again.verifying_key(), key.verifying_key());
    let wrong = SigningKey::from_encrypted_pem(&one, b"x").map_err(|error| error.code());
    assert_eq!(wrong.err(), Some("ERR_KEY_PASSPHRASE"));
    let empty = key.to_encrypted_pem(b"").map_err(|error| error.code());
    assert_eq!(empty.err(), Some("ERR_KEY_PASSPHRASE"));
}
