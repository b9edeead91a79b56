// SPDX-License-Identifier: Apache-2.0
//! Any bytes as a key of every form, as a key set, as a key log and as the URI of a key in a token:
//! an error, never a panic, and what is read can be written and read again.
#![no_main]

use ambit_receipt::key_log::{KeyLog, to_jwks};
use ambit_receipt::pkcs11::KeyUri;
use ambit_receipt::{KeySet, SigningKey, VerifyingKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = VerifyingKey::decode(bytes) {
        let pem = key.to_spki_pem().expect("a key has a PEM");
        for form in [pem.as_bytes(), key.to_jwk().as_bytes(), key.as_bytes()] {
            assert_eq!(VerifyingKey::decode(form).ok(), Some(key));
        }
        assert!(key.has_id(&key.thumbprint()) && key.has_id(&key.issuer_id()));
    }
    // Not the encrypted ones: finding out that they are not is their work.
    if let Ok(key) = SigningKey::decode(bytes) {
        let pem = key.to_pkcs8_pem().expect("a key has a PEM");
        let again = SigningKey::from_pkcs8_pem(&pem).expect("what we wrote");
        assert_eq!(again.verifying_key(), key.verifying_key());
    }
    if let Ok(set) = KeySet::from_jwks(bytes) {
        assert_eq!(set.keys.is_empty(), set.taken == 0);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(uri) = KeyUri::parse(text)
    {
        assert!(KeyUri::is_one(text) && !text.contains("pin-value="));
        drop(uri);
    }
    let roots = KeyLog::roots_named(bytes);
    assert!(KeyLog::verify(bytes, &[]).is_err());
    if let Ok(log) = KeyLog::verify(bytes, &roots) {
        assert!(log.check_extends(&log).is_ok());
        let set = KeySet::from_jwks(to_jwks(log.states()).as_bytes()).expect("what we wrote");
        assert_eq!(set.taken, log.states().len());
    }
});
