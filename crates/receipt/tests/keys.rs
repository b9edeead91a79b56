// SPDX-License-Identifier: Apache-2.0
//! Keys in every form, and which signatures they accept.

mod common;

use ambit_canon::Value;
use ambit_receipt::{EDGE_CASES, KeyError, KeySet, SigningKey, VerifyingKey};
use common::{bytes, json, list, text, unhex};

const CSC_1: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

fn code<T>(result: Result<T, KeyError>) -> &'static str {
    result.err().map_or("OK", |error| error.code())
}

#[test]
fn private_keys_are_read_in_every_form() {
    let keys = json("csc/keys.json");
    for id in ["vec-key-1", "vec-key-2"] {
        let public = text(keys.get(id).unwrap(), "public_hex").unwrap();
        for form in ["private.pem", "seed.raw", "keypair64.raw"] {
            let key = SigningKey::decode(&bytes(&format!("csc/keys/{id}.{form}"))).unwrap();
            assert_eq!(
                key.verifying_key(),
                VerifyingKey::from_hex(public).unwrap(),
                "{id}.{form}"
            );
            let pem = String::from_utf8(bytes(&format!("csc/keys/{id}.private.pem"))).unwrap();
            assert_eq!(*key.to_pkcs8_pem().unwrap(), pem, "{id}.{form}");
        }
    }
}

#[test]
fn private_keys_are_read_as_hex_and_jwk() {
    // RFC 8037 appendix A.1: the key of RFC 8032's test 1.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let key = |bytes: &[u8]| SigningKey::decode(bytes).map(|key| key.verifying_key());
    let want = VerifyingKey::from_hex(public).unwrap();
    let upper = format!("{}\n", seed.to_uppercase());
    for form in [seed, &upper, jwk, &format!("\n {jwk}")] {
        assert_eq!(key(form.as_bytes()).unwrap(), want, "{form}");
    }
    let cases = [
        (jwk.replace("\"d\"", "\"e\""), "ERR_KEY_MALFORMED"),
        (jwk.replace("nWGx", "nWG"), "ERR_KEY_MALFORMED"),
        (
            jwk.replace("\"nWGx", "\"mWGx"),
            "ERR_KEY_PUBLIC_HALF_MISMATCH",
        ),
        (jwk.replace("11qY", "11qZ"), "ERR_KEY_MALFORMED"),
        (jwk.replace('{', r#"{"d":1,"#), "ERR_KEY_MALFORMED"),
        (jwk.replace("Ed25519", "X25519"), "ERR_KEY_MALFORMED"),
    ];
    for (form, want) in cases {
        assert_ne!(form, jwk);
        assert_eq!(code(key(form.as_bytes())), want, "{form}");
    }
}

#[test]
fn public_keys_are_read_in_every_form() {
    let key = VerifyingKey::from_hex(CSC_1).unwrap();
    let pem = String::from_utf8(bytes("csc/keys/vec-key-1.public.pem")).unwrap();
    assert_eq!(key.to_spki_pem().unwrap(), pem);
    let forms = [
        bytes("csc/keys/vec-key-1.pub.raw"),
        pem.clone().into_bytes(),
        pem.replace('\n', "\r\n").into_bytes(),
        CSC_1.as_bytes().to_vec(),
        format!(" {}\n", CSC_1.to_uppercase()).into_bytes(),
        key.to_jwk().into_bytes(),
        key.to_jwk()
            .replace('{', r#"{"use":"sig","alg":"EdDSA","kid":"x","#)
            .into_bytes(),
    ];
    for form in forms {
        assert_eq!(
            VerifyingKey::decode(&form).unwrap(),
            key,
            "{}",
            form.escape_ascii()
        );
    }
    assert_eq!(unhex(CSC_1), key.as_bytes());
}

#[test]
fn other_bytes_are_refused_with_their_code() {
    let private = bytes("csc/keys/vec-key-1.private.pem");
    let public = bytes("csc/keys/vec-key-1.public.pem");
    let pair = bytes("csc/keys/vec-key-1.keypair64.raw");
    let broken = String::from_utf8(private.clone())
        .unwrap()
        .replace("MC4C", "MC4D");
    let mut swapped = pair.clone();
    swapped[40] ^= 1;
    let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n".to_vec();
    let cases = [
        (swapped, "ERR_KEY_PUBLIC_HALF_MISMATCH"),
        (public.clone(), "ERR_KEY_FORM"),
        (b"{}".to_vec(), "ERR_KEY_MALFORMED"),
        (encrypted.clone(), "ERR_KEY_ENCRYPTED"),
        (broken.into_bytes(), "ERR_KEY_MALFORMED"),
        (Vec::new(), "ERR_KEY_MALFORMED"),
        (vec![7; 31], "ERR_KEY_MALFORMED"),
    ];
    for (form, want) in cases {
        assert_eq!(
            code(SigningKey::decode(&form)),
            want,
            "{}",
            form.escape_ascii()
        );
    }
    let broken = String::from_utf8(public).unwrap().replace("MCow", "MCox");
    let cases = [
        (private, "ERR_KEY_FORM"),
        (pair, "ERR_KEY_FORM"),
        (encrypted, "ERR_KEY_FORM"),
        (broken.into_bytes(), "ERR_KEY_MALFORMED"),
        (
            b"-----BEGIN PUBLIC KEY-----\xff".to_vec(),
            "ERR_KEY_MALFORMED",
        ),
        (vec![7; 33], "ERR_KEY_MALFORMED"),
    ];
    for (form, want) in cases {
        assert_eq!(
            code(VerifyingKey::decode(&form)),
            want,
            "{}",
            form.escape_ascii()
        );
    }
    assert_eq!(code(VerifyingKey::from_hex("03a1")), "ERR_KEY_MALFORMED");
}

#[test]
fn points_with_a_second_encoding_or_of_small_order_are_no_keys() {
    let one = "0100000000000000000000000000000000000000000000000000000000000000";
    let cases = [
        (one, "ERR_KEY_SMALL_ORDER"),
        // y = p + 1, the second encoding of the point above.
        (
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "ERR_KEY_SMALL_ORDER",
        ),
        (
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "ERR_KEY_SMALL_ORDER",
        ),
        // y = p + 3: a point of large order, not canonically encoded.
        (
            "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "ERR_KEY_MALFORMED",
        ),
        // y = 2 is on no point.
        (
            "0200000000000000000000000000000000000000000000000000000000000000",
            "ERR_KEY_MALFORMED",
        ),
    ];
    for (hex, want) in cases {
        assert_eq!(code(VerifyingKey::from_hex(hex)), want, "{hex}");
    }
    // The canonical encoding of the same large point is a key.
    VerifyingKey::from_hex(&format!("03{}", "00".repeat(31))).unwrap();
}

#[test]
fn a_jwk_must_be_a_public_ed25519_signing_key() {
    let jwk = VerifyingKey::from_hex(CSC_1).unwrap().to_jwk();
    let x = jwk.split('"').nth(11).unwrap().to_owned();
    let cases = [
        jwk.replace("OKP", "EC"),
        jwk.replace("Ed25519", "X25519"),
        jwk.replace("\"x\"", "\"y\""),
        jwk.replace(&x, &format!("{x}=")),
        jwk.replace(
            &x,
            &x.replace('-', "+").replace('_', "/").replacen('A', "+", 1),
        ),
        jwk.replace('{', r#"{"d":"AAAA","#),
        jwk.replace('{', r#"{"use":"enc","#),
        jwk.replace('{', r#"{"alg":"ES256","#),
        jwk.replace('{', r#"{"kty":"OKP","#),
        "[]".to_owned(),
    ];
    for case in cases {
        assert_ne!(case, jwk);
        assert_eq!(
            code(VerifyingKey::from_jwk(case.as_bytes())),
            "ERR_KEY_MALFORMED",
            "{case}"
        );
    }
}

#[test]
fn thumbprints_are_those_of_rfc_8037_and_the_vectors() {
    // RFC 8037 appendix A.2 and A.3.
    let jwk = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let key = VerifyingKey::from_jwk(jwk).unwrap();
    assert_eq!(
        key.thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    let keys = json("acta/keys.json");
    for known in list(&keys, "keys") {
        let member = |name| text(known, name).unwrap();
        let key = SigningKey::from_pkcs8_pem(member("pkcs8_pem")).unwrap();
        assert_eq!(*key.to_pkcs8_pem().unwrap(), member("pkcs8_pem"));
        let public = key.verifying_key();
        assert_eq!(public.thumbprint(), member("kid_rfc7638"));
        assert_eq!(public.issuer_id(), member("kid_sb_issuer_base58"));
        for (id, own) in [
            (member("kid_rfc7638"), true),
            (member("kid_sb_issuer_base58"), true),
            (member("agt_issuer_id"), false),
            ("", false),
            ("sb:issuer:", false),
        ] {
            assert_eq!(public.has_id(id), own, "{id}");
        }
        assert_eq!(public.to_spki_pem().unwrap(), member("spki_pem"));
        assert_eq!(public.as_bytes().to_vec(), unhex(member("public_key_hex")));
        assert_eq!(
            format!("{key:?}"),
            format!("SigningKey({})", member("kid_rfc7638"))
        );
        assert_eq!(
            format!("{public:?}"),
            format!("VerifyingKey({})", member("kid_rfc7638"))
        );
    }
}

#[test]
fn generated_keys_differ_and_survive_their_pem() {
    let (one, two) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
    );
    assert_ne!(one.verifying_key(), two.verifying_key());
    let again = SigningKey::decode(one.to_pkcs8_pem().unwrap().as_bytes()).unwrap();
    assert_eq!(again.verifying_key(), one.verifying_key());
}

/// A PKCS#8 version 2 key: RFC 8410 section 10.3, once as published and once with a public half
/// that does not belong to it.
#[test]
fn a_version_2_key_must_have_its_own_public_half() {
    let published = "-----BEGIN PRIVATE KEY-----\n\
        MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n\
        Z9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PRIVATE KEY-----\n";
    let public = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    let key = SigningKey::decode(published.as_bytes()).unwrap();
    assert_eq!(key.verifying_key(), VerifyingKey::from_hex(public).unwrap());
    let other = published.replace("SEAGb9E", "SEAGb9F");
    assert_ne!(other, published);
    assert_eq!(
        code(SigningKey::decode(other.as_bytes())),
        "ERR_KEY_MALFORMED"
    );
}

#[test]
fn wycheproof_signatures_are_judged_as_published() {
    let file = json("ed25519/wycheproof.json");
    let (mut valid, mut invalid) = (0, 0);
    for group in list(&file, "testGroups") {
        let public = group.get("publicKey").unwrap();
        let key = VerifyingKey::from_hex(text(public, "pk").unwrap()).unwrap();
        assert_eq!(
            VerifyingKey::from_spki_pem(text(group, "publicKeyPem").unwrap()).unwrap(),
            key
        );
        for test in list(group, "tests") {
            let message = unhex(text(test, "msg").unwrap());
            let signature = unhex(text(test, "sig").unwrap()).try_into();
            let got = signature.is_ok_and(|signature| key.verify(&message, &signature));
            assert_eq!(
                got,
                text(test, "result") == Some("valid"),
                "{:?}",
                test.get("tcId")
            );
            *if got { &mut valid } else { &mut invalid } += 1;
        }
    }
    assert_eq!((valid + invalid, valid), (151, 88));
}

#[test]
fn edge_signatures_are_accepted_as_strict_verification_does() {
    let file = json("ed25519/acceptance.json");
    let mut accepted = Vec::new();
    for case in list(&file, "speccheck") {
        let signature = unhex(text(case, "sig").unwrap()).try_into().unwrap();
        let message = unhex(text(case, "msg").unwrap());
        let got = VerifyingKey::from_hex(text(case, "pub").unwrap())
            .is_ok_and(|key| key.verify(&message, &signature));
        assert_eq!(
            Some(got),
            case.get("dalek_verify_strict").and_then(Value::as_bool)
        );
        if got {
            accepted.push(case.get("id").and_then(Value::as_i64).unwrap());
        }
    }
    let known = EDGE_CASES.iter().filter(|case| case.accepted);
    let known: Vec<i64> = known.map(|case| i64::from(case.id)).collect();
    assert_eq!(
        (list(&file, "speccheck").len(), accepted),
        (EDGE_CASES.len(), known)
    );
    let numbered = EDGE_CASES.iter().enumerate();
    assert!(
        numbered
            .clone()
            .all(|(at, case)| at == usize::from(case.id))
    );
}

#[test]
fn a_key_set_replaces_a_key_of_the_same_id() {
    let (one, two) = (
        SigningKey::from_seed(&[1; 32]),
        SigningKey::from_seed(&[2; 32]),
    );
    let mut keys = KeySet::new();
    assert!(keys.is_empty());
    assert_eq!(keys.insert("a", one.verifying_key()), None);
    assert_eq!(
        keys.insert("a", two.verifying_key()),
        Some(one.verifying_key())
    );
    assert!(!keys.is_empty());
}
