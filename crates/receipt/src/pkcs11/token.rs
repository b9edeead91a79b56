// SPDX-License-Identifier: Apache-2.0
//! A private key in a token.

use std::fmt;
use std::process;
use std::sync::{Mutex, PoisonError};

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::uri::PinSource;
use super::{KeyUri, TokenError, module};
use crate::key::{KeyError, Sign, VerifyingKey};
use crate::key_file;

/// An Ed25519 key in a token. Its private half never enters this process; `Debug` shows its
/// thumbprint only.
///
/// One session is kept open, and one signature is made at a time. A session that is lost, as by a
/// reset of the token, and one from before a fork, is opened anew, once for each signature.
pub struct Pkcs11Key {
    uri: KeyUri,
    public: VerifyingKey,
    state: Mutex<State>,
}

enum State {
    Closed,
    Open(Live),
    /// The PIN was refused: tokens lock themselves after a few attempts.
    Refused,
}

/// A session in which the key can be used.
struct Live {
    session: Session,
    private: ObjectHandle,
    /// The process that opened it.
    pid: u32,
}

impl Pkcs11Key {
    /// Opens the key that `uri` names: loads the module, finds the one token and the one key, logs in
    /// where there is a PIN, and reads the public key, an object beside the private one.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn open(uri: KeyUri) -> Result<Self, TokenError> {
        let (live, public) = connect(&uri)?;
        Ok(Self {
            uri,
            public,
            state: Mutex::new(State::Open(live)),
        })
    }

    fn sign_once(&self, state: &mut State, message: &[u8]) -> Result<[u8; 64], TokenError> {
        let is_ready = matches!(&*state, State::Open(live) if live.pid == process::id());
        if !is_ready && !matches!(state, State::Refused) {
            *state = self.reopen()?;
        }
        match state {
            State::Open(live) => live.sign(&self.public, message),
            State::Closed | State::Refused => Err(TokenError::PinRefused),
        }
    }

    fn reopen(&self) -> Result<State, TokenError> {
        match connect(&self.uri) {
            Ok((live, public)) if public == self.public => Ok(State::Open(live)),
            Ok(_) => Err(TokenError::NotFound("key")),
            Err(TokenError::Pin(_)) => Ok(State::Refused),
            Err(error) => Err(error),
        }
    }
}

impl Sign for Pkcs11Key {
    fn verifying_key(&self) -> VerifyingKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let first = self.sign_once(&mut state, message);
        let signed = match first {
            Err(TokenError::Failed(_, Error::Pkcs11(error, _))) if is_lost(error) => {
                *state = State::Closed;
                self.sign_once(&mut state, message)
            }
            other => other,
        };
        signed.map_err(|error| KeyError::Token(Box::new(error)))
    }
}

impl fmt::Debug for Pkcs11Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pkcs11Key({})", self.public.thumbprint())
    }
}

impl Live {
    fn sign(&self, public: &VerifyingKey, message: &[u8]) -> Result<[u8; 64], TokenError> {
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        let signed = self.session.sign(&mechanism, self.private, message);
        let signature = signed.map_err(|error| TokenError::Failed("sign", error))?;
        // What a faulty token signs wrongly can give its key away, and verifies nowhere.
        match <[u8; 64]>::try_from(signature) {
            Ok(signature) if public.verify(message, &signature) => Ok(signature),
            _ => Err(TokenError::Signature),
        }
    }
}

/// Whether the session, the token or the login went away, and may be back.
fn is_lost(error: RvError) -> bool {
    matches!(
        error,
        RvError::CryptokiNotInitialized
            | RvError::DeviceError
            | RvError::DeviceRemoved
            | RvError::KeyHandleInvalid
            | RvError::ObjectHandleInvalid
            | RvError::SessionClosed
            | RvError::SessionHandleInvalid
            | RvError::TokenNotPresent
            | RvError::UserNotLoggedIn
    )
}

fn connect(uri: &KeyUri) -> Result<(Live, VerifyingKey), TokenError> {
    let failed = |step| move |error| TokenError::Failed(step, error);
    let module = module::load(&uri.module)?;
    let slot = find_slot(&module, uri)?;
    let session = module.open_ro_session(slot);
    let session = session.map_err(failed("open a session"))?;
    if let Some(source) = &uri.pin {
        log_in(&session, source)?;
    }
    let private = find_key(&session, uri, ObjectClass::PRIVATE_KEY)?;
    let public = find_key(&session, uri, ObjectClass::PUBLIC_KEY)?;
    let public = read_public(&session, public)?;
    let live = Live {
        session,
        private,
        pid: process::id(),
    };
    Ok((live, public))
}

fn find_slot(module: &Pkcs11, uri: &KeyUri) -> Result<Slot, TokenError> {
    let slots = module.get_slots_with_token();
    let mut found = None;
    for slot in slots.map_err(|error| TokenError::Failed("list its slots", error))? {
        // A slot may be emptied at any time: one that does not answer does not fit.
        let Ok(info) = module.get_token_info(slot) else {
            continue;
        };
        let own = [
            info.label(),
            info.serial_number(),
            info.manufacturer_id(),
            info.model(),
        ];
        let fits = |(asked, own): (&Option<String>, &str)| {
            asked.as_deref().is_none_or(|asked| asked == own)
        };
        if uri.token.iter().zip(own).all(fits) && found.replace(slot).is_some() {
            return Err(TokenError::Ambiguous("token"));
        }
    }
    found.ok_or(TokenError::NotFound("token"))
}

fn log_in(session: &Session, source: &PinSource) -> Result<(), TokenError> {
    match session.login(UserType::User, Some(&read_pin(source)?)) {
        // The login is the process's: another key in the same token may have done it.
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(TokenError::Pin(error)),
    }
}

fn read_pin(source: &PinSource) -> Result<AuthPin, TokenError> {
    let bytes = match source {
        PinSource::File(path) => key_file::read_private(path).map_err(TokenError::PinFile)?,
        PinSource::Environment(name) => match std::env::var(name) {
            Ok(text) => Zeroizing::new(text.into_bytes()),
            Err(_) => return Err(TokenError::PinMissing),
        },
    };
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    match std::str::from_utf8(line) {
        Ok(pin) if !pin.is_empty() => Ok(AuthPin::from(pin)),
        _ => Err(TokenError::PinMissing),
    }
}

fn find_key(
    session: &Session,
    uri: &KeyUri,
    class: ObjectClass,
) -> Result<ObjectHandle, TokenError> {
    let name = if class == ObjectClass::PRIVATE_KEY {
        "private key"
    } else {
        "public key"
    };
    let mut template = vec![
        Attribute::Class(class),
        Attribute::KeyType(KeyType::EC_EDWARDS),
    ];
    let label = uri.object.as_ref().map(|label| label.as_bytes().to_vec());
    template.extend(label.map(Attribute::Label));
    template.extend(uri.id.clone().map(Attribute::Id));
    let found = session
        .find_objects(&template)
        .map_err(|error| TokenError::Failed("search for the key", error))?;
    match found.as_slice() {
        [key] => Ok(*key),
        [] => Err(TokenError::NotFound(name)),
        _ => Err(TokenError::Ambiguous(name)),
    }
}

/// Reads `CKA_EC_POINT`: 32 bytes, inside a DER octet string as PKCS#11 asks, or bare.
fn read_public(session: &Session, object: ObjectHandle) -> Result<VerifyingKey, TokenError> {
    let attributes = session
        .get_attributes(object, &[AttributeType::EcPoint])
        .map_err(|error| TokenError::Failed("give its public key", error))?;
    let point = attributes.into_iter().find_map(|attribute| {
        if let Attribute::EcPoint(point) = attribute {
            Some(point)
        } else {
            None
        }
    });
    let point = point.ok_or(TokenError::Key(None))?;
    let bare = point.strip_prefix(&[0x04, 0x20]).unwrap_or(&point);
    let bytes = bare.try_into().ok().ok_or(TokenError::Key(None))?;
    VerifyingKey::from_bytes(bytes).map_err(|error| TokenError::Key(Some(Box::new(error))))
}
