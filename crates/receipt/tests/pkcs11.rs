// SPDX-License-Identifier: Apache-2.0
//! Signing with a key that never leaves its token: `SoftHSM`, a token made of files.
//!
//! The module reads `SOFTHSM2_CONF` from its environment. So each test starts this program again with
//! that variable, and the test that is ignored does the work there.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ambit_receipt::pkcs11::{KeyUri, Pkcs11Key, TokenError};
use ambit_receipt::{KeySet, Sign, SigningKey, Status, acta, verify};
use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeInfo, AttributeType};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

const PIN: &str = "1234-user";
const MODULES: [&str; 2] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

fn module() -> Option<&'static str> {
    MODULES.into_iter().find(|path| Path::new(path).exists())
}

#[test]
fn a_key_in_a_token_signs() {
    if module().is_none() {
        assert!(
            std::env::var_os("REQUIRE_SANDBOX").is_none(),
            "SoftHSM is not installed (softhsm2)"
        );
        return println!("skipped: SoftHSM is not installed (softhsm2)");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tokens")).unwrap();
    let tokens = folder.path().join("tokens");
    let config = folder.path().join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\n",
        tokens.display()
    );
    fs::write(&config, text).unwrap();
    write_pin(&folder.path().join("pin"), &format!("{PIN}\n"));
    write_pin(&folder.path().join("wrong"), "0000-wrong");
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "in_a_process_with_a_token",
            "--ignored",
            "--nocapture",
        ])
        .env("SOFTHSM2_CONF", &config)
        .env("AMBIT_TEST_FOLDER", folder.path())
        .env("AMBIT_TEST_PIN", PIN)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(said.contains("1 passed"), "{said}");
    for secret in [PIN, "0000-wrong"] {
        assert!(!said.contains(secret) && !errors.contains(secret));
    }
}

#[test]
#[ignore = "started by the other test, with its environment"]
fn in_a_process_with_a_token() {
    let folder = PathBuf::from(std::env::var_os("AMBIT_TEST_FOLDER").unwrap());
    let (pkcs11, session) = make_token();
    make_key(&session, "signer", 1);
    make_key(&session, "twin", 2);
    make_key(&session, "twin", 3);

    let open = |key: &str, pin: &str| {
        let uri = format!(
            "pkcs11:token=ambit%20test;{key}?module-path={}&pin-source={pin}",
            module().unwrap()
        );
        Pkcs11Key::open(KeyUri::parse(&uri).unwrap())
    };
    let code = |key: &str, pin: &str| open(key, pin).map_err(|error| error.code()).err();
    let pin = folder.join("pin").display().to_string();
    let key = open("object=signer", &pin).unwrap();
    signs_what_verifies(&key);
    assert_eq!(
        format!("{key:?}"),
        format!("Pkcs11Key({})", key.verifying_key().thumbprint())
    );
    cannot_be_read(&session);

    let other = open("id=%02", "env:AMBIT_TEST_PIN").unwrap();
    signs_what_verifies(&other);
    assert_ne!(other.verifying_key(), key.verifying_key());
    for (name, want) in [
        ("object=twin", Some("ERR_KEY_TOKEN_NOT_FOUND")),
        ("object=twin;id=%03", None),
        ("object=nobody", Some("ERR_KEY_TOKEN_NOT_FOUND")),
        (
            "object=signer;serial=nothing",
            Some("ERR_KEY_TOKEN_NOT_FOUND"),
        ),
    ] {
        assert_eq!(code(name, &pin), want, "{name}");
    }

    // The login is the process's: another user of the module ends it. The next signature logs in.
    session.logout().unwrap();
    signs_what_verifies(&key);
    // Every session is lost, and the module's state with them.
    pkcs11.clone().finalize().unwrap();
    signs_what_verifies(&key);

    pkcs11.finalize().unwrap();
    is_refused_without_its_pin(&folder, &key, &open);
}

fn is_refused_without_its_pin(
    folder: &Path,
    key: &Pkcs11Key,
    open: &dyn Fn(&str, &str) -> Result<Pkcs11Key, TokenError>,
) {
    let code = |pin: &str| {
        let opened = open("object=signer", pin);
        opened.map_err(|error| error.code()).err()
    };
    let path = |name: &str| folder.join(name).display().to_string();
    assert_eq!(code("env:AMBIT_TEST_UNSET"), Some("ERR_KEY_PIN"));
    assert_eq!(code(&path("missing")), Some("ERR_KEY_FILE_UNREADABLE"));
    assert_eq!(code(&path("wrong")), Some("ERR_KEY_PIN"));
    let everyone = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.join("wrong"), everyone).unwrap();
    assert_eq!(code(&path("wrong")), Some("ERR_KEY_FILE_PERMISSIONS"));
    // A PIN that the token refuses once is not tried again: tokens lock themselves.
    write_pin(&folder.join("pin"), "0000-wrong");
    for _ in 0..2 {
        let error = key.sign(b"message").unwrap_err();
        assert_eq!(error.code(), "ERR_KEY_PIN");
        assert!(
            error.to_string().contains("refused the PIN before"),
            "{error}"
        );
        write_pin(&folder.join("pin"), PIN);
    }
    signs_what_verifies(&open("object=signer", &path("pin")).unwrap());
}

fn signs_what_verifies(key: &Pkcs11Key) {
    let payload = br#"{"type":"example:note","issued_at":"2026-01-01T00:00:00.000Z"}"#;
    let receipt = acta::sign(payload, key, acta::SignOptions::default()).unwrap();
    let mut keys = KeySet::new();
    keys.insert_by_thumbprint(key.verifying_key());
    assert_eq!(verify(&receipt, &keys).status, Status::Valid);
    let mut others = KeySet::new();
    others.insert_by_thumbprint(SigningKey::from_seed(&[1; 32]).verifying_key());
    assert_eq!(verify(&receipt, &others).code.as_str(), "UNKNOWN_KEY");
}

fn make_token() -> (Pkcs11, Session) {
    let pkcs11 = Pkcs11::new(module().unwrap()).unwrap();
    let flags = cryptoki::context::CInitializeFlags::OS_LOCKING_OK;
    let args = cryptoki::context::CInitializeArgs::new(flags);
    pkcs11.initialize(args).unwrap();
    let slot = *pkcs11.get_slots_with_token().unwrap().first().unwrap();
    let officer = AuthPin::from("1234-officer");
    pkcs11.init_token(slot, &officer, "ambit test").unwrap();
    let slot = *pkcs11
        .get_slots_with_initialized_token()
        .unwrap()
        .first()
        .unwrap();
    let session = pkcs11.open_rw_session(slot).unwrap();
    session.login(UserType::So, Some(&officer)).unwrap();
    session.init_pin(&AuthPin::from(PIN)).unwrap();
    session.logout().unwrap();
    session
        .login(UserType::User, Some(&AuthPin::from(PIN)))
        .unwrap();
    (pkcs11, session)
}

fn make_key(session: &Session, label: &str, id: u8) {
    let name = [
        Attribute::Token(true),
        Attribute::Label(label.into()),
        Attribute::Id(vec![id]),
    ];
    // the curve as a PrintableString, `edwards25519`
    let curve = [b"\x13\x0c".as_slice(), b"edwards25519"].concat();
    let public = [
        name.to_vec(),
        vec![Attribute::EcParams(curve), Attribute::Verify(true)],
    ]
    .concat();
    let private = [
        name.to_vec(),
        vec![
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ],
    ]
    .concat();
    let mechanism = Mechanism::EccEdwardsKeyPairGen;
    session
        .generate_key_pair(&mechanism, &public, &private)
        .unwrap();
}

/// The private half is really not to be had.
fn cannot_be_read(session: &Session) {
    let label = Attribute::Label("signer".into());
    let private = Attribute::Class(cryptoki::object::ObjectClass::PRIVATE_KEY);
    let found = session.find_objects(&[label, private]).unwrap();
    let found = *found.first().unwrap();
    let info = session
        .get_attribute_info(found, &[AttributeType::Value])
        .unwrap();
    assert!(
        matches!(info.as_slice(), [AttributeInfo::Sensitive]),
        "{info:?}"
    );
    let never = [AttributeType::NeverExtractable];
    let attributes = session.get_attributes(found, &never).unwrap();
    assert_eq!(attributes, [Attribute::NeverExtractable(true)]);
    let wrong = session.login(UserType::User, Some(&AuthPin::from(PIN)));
    assert!(matches!(
        wrong,
        Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _))
    ));
}

fn write_pin(path: &Path, pin: &str) {
    fs::write(path, pin).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
