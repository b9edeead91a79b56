// SPDX-License-Identifier: Apache-2.0
//! PKCS#11 URIs (RFC 7512), as far as they name one private key.

use std::path::{Path, PathBuf};

use super::TokenError;

/// A URI that names one private key in a token, the module that talks to the token, and where the PIN
/// is. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUri {
    /// Attributes of the token, in the order of [`TOKEN_ATTRIBUTES`]; all that are given must fit.
    pub(super) token: [Option<String>; 4],
    /// Label of the key.
    pub(super) object: Option<String>,
    /// Id of the key, any bytes.
    pub(super) id: Option<Vec<u8>>,
    /// Absolute path of the module.
    pub(super) module: PathBuf,
    /// Where the PIN is; without one the token is used without logging in.
    pub(super) pin: Option<PinSource>,
}

/// Where a PIN is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PinSource {
    /// An environment variable.
    Environment(String),
    /// A file that only its owner may read.
    File(PathBuf),
}

/// Names of the attributes that tell a token.
pub(super) const TOKEN_ATTRIBUTES: [&str; 4] = ["token", "serial", "manufacturer", "model"];

impl KeyUri {
    /// Reads a URI: `pkcs11:token=…;object=…?module-path=…&pin-source=…`.
    ///
    /// Needed are a token (`token` or `serial`), a key (`object` or `id`) and `module-path`, absolute.
    /// `pin-source` is `file:/…`, an absolute path, or `env:NAME`. `manufacturer`, `model` and
    /// `type=private` may stand too.
    ///
    /// # Errors
    ///
    /// [`TokenError::Uri`]: for all else, a PIN in the URI (`pin-value`) above all: command lines are
    /// read by others.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let fault = |reason| Err(TokenError::Uri(reason));
        let Some(rest) = text.strip_prefix(SCHEME) else {
            return fault("expected `pkcs11:`");
        };
        if text.len() > MAX_BYTES {
            return fault("longer than 4096 bytes");
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = attributes(path, ';', "token serial manufacturer model object id type")?;
        let query = attributes(query, '&', "module-path pin-source")?;
        let one = |name: &str| find(&path, name).map(text_of).transpose();
        let [token, serial, manufacturer, model] = TOKEN_ATTRIBUTES.map(one);
        let uri = Self {
            token: [token?, serial?, manufacturer?, model?],
            object: one("object")?,
            id: find(&path, "id").map(<[u8]>::to_vec),
            module: match find(&query, "module-path").map(text_of).transpose()? {
                Some(module) if module.starts_with('/') => PathBuf::from(module),
                _ => return fault("`module-path` must be there, an absolute path"),
            },
            pin: find(&query, "pin-source").map(pin_source).transpose()?,
        };
        if !matches!(one("type")?.as_deref(), None | Some("private")) {
            return fault("`type` must be `private`");
        }
        let [token, serial, ..] = &uri.token;
        if token.is_none() && serial.is_none() {
            return fault("expected `token` or `serial`");
        }
        if uri.object.is_none() && uri.id.is_none() {
            return fault("expected `object` or `id`");
        }
        Ok(uri)
    }

    /// Returns the file that the PIN is in, if it is in one.
    pub fn pin_file(&self) -> Option<&Path> {
        match &self.pin {
            Some(PinSource::File(path)) => Some(path),
            Some(PinSource::Environment(_)) | None => None,
        }
    }

    /// Returns the environment variable that the PIN is in, if it is in one.
    pub fn pin_variable(&self) -> Option<&str> {
        match &self.pin {
            Some(PinSource::Environment(name)) => Some(name),
            Some(PinSource::File(_)) | None => None,
        }
    }

    /// Returns whether `text` is meant as such a URI.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(SCHEME)
    }
}

type Attributes<'a> = Vec<(&'a str, Vec<u8>)>;

fn attributes<'a>(
    text: &'a str,
    separator: char,
    known: &'static str,
) -> Result<Attributes<'a>, TokenError> {
    let mut found = Attributes::new();
    for part in text.split(separator).filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return Err(TokenError::Uri("expected `name=value`"));
        };
        if matches!(name, "pin-value") {
            return Err(TokenError::Uri(PIN_VALUE));
        }
        if !known.split(' ').any(|known| known == name) {
            return Err(TokenError::Uri("an attribute that is not known here"));
        }
        if find(&found, name).is_some() {
            return Err(TokenError::Uri("an attribute stands twice"));
        }
        found.push((name, percent_decoded(value)?));
    }
    Ok(found)
}

fn find<'a>(attributes: &'a Attributes<'_>, name: &str) -> Option<&'a [u8]> {
    let mut found = attributes.iter().filter(|(known, _)| *known == name);
    found.next().map(|(_, value)| value.as_slice())
}

fn text_of(value: &[u8]) -> Result<String, TokenError> {
    match std::str::from_utf8(value) {
        Ok(text) if !text.is_empty() && !text.contains('\0') => Ok(text.to_owned()),
        _ => Err(TokenError::Uri("a value is empty or no UTF-8 text")),
    }
}

fn pin_source(value: &[u8]) -> Result<PinSource, TokenError> {
    let text = text_of(value)?;
    if let Some(name) = text.strip_prefix("env:") {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.is_empty() && name.bytes().all(plain) {
            return Ok(PinSource::Environment(name.to_owned()));
        }
    }
    let path = text
        .strip_prefix("file://")
        .or_else(|| text.strip_prefix("file:"));
    let path = path.unwrap_or(&text);
    if path.starts_with('/') {
        return Ok(PinSource::File(PathBuf::from(path)));
    }
    Err(TokenError::Uri(
        "`pin-source` must be `file:/…`, an absolute path or `env:NAME`",
    ))
}

fn percent_decoded(value: &str) -> Result<Vec<u8>, TokenError> {
    let mut bytes = value.bytes();
    let mut decoded = Vec::with_capacity(value.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if !byte.is_ascii_graphic() {
                return Err(TokenError::Uri("characters that must be percent-encoded"));
            }
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(TokenError::Uri("expected two hex digits after `%`"));
        };
        decoded.push(u8::try_from((high << 4) | low).unwrap_or_default());
    }
    Ok(decoded)
}

const PIN_VALUE: &str = "a PIN must not stand in the URI; use `pin-source`";
const SCHEME: &str = "pkcs11:";
const MAX_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_token_key_module_and_pin() {
        let uri = "pkcs11:token=My%20Token;object=ci;id=%00%ff;type=private\
            ?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin";
        let got = KeyUri::parse(uri).unwrap();
        let want = KeyUri {
            token: [Some("My Token".to_owned()), None, None, None],
            object: Some("ci".to_owned()),
            id: Some(vec![0, 0xff]),
            module: "/usr/lib/softhsm/libsofthsm2.so".into(),
            pin: Some(PinSource::File("/run/pin".into())),
        };
        assert_eq!(got, want);
        let pin = |source: &str| {
            let uri = format!("pkcs11:serial=1;object=k?pin-source={source}&module-path=/m");
            KeyUri::parse(&uri).map(|uri| uri.pin)
        };
        let file = Some(PinSource::File("/p".into()));
        assert_eq!(pin("/p").unwrap(), file);
        assert_eq!(pin("file:///p").unwrap(), file);
        let variable = Some(PinSource::Environment("AMBIT_PIN".into()));
        assert_eq!(pin("env:AMBIT_PIN").unwrap(), variable);
        for source in [
            "",
            "env:",
            "env:A=B",
            "p",
            "file:p",
            "|/bin/cat",
            "http://x",
        ] {
            assert_eq!(pin(source).unwrap_err().code(), "ERR_KEY_URI", "{source}");
        }
    }

    #[test]
    fn other_uris_are_refused_with_the_reason_and_without_their_values() {
        let tail = "?module-path=/m";
        let no_module = "`module-path` must be there, an absolute path";
        for (path, tail, reason) in [
            ("", "", no_module),
            ("token=t;object=o", "", no_module),
            ("token=t;object=o", "?module-path=m", no_module),
            ("object=o", tail, "expected `token` or `serial`"),
            ("token=t", tail, "expected `object` or `id`"),
            (
                "token=t;object=o;type=public",
                tail,
                "`type` must be `private`",
            ),
            (
                "token=t;token=t;object=o",
                tail,
                "an attribute stands twice",
            ),
            (
                "token=t;object=o;slot-id=1",
                tail,
                "an attribute that is not known here",
            ),
            (
                "token=%4;object=o",
                tail,
                "expected two hex digits after `%`",
            ),
            (
                "token=a b;object=o",
                tail,
                "characters that must be percent-encoded",
            ),
            (
                "token=%ff;object=o",
                tail,
                "a value is empty or no UTF-8 text",
            ),
            ("token;object=o", tail, "expected `name=value`"),
            (
                "token=t;object=o",
                "?module-path=/m&pin-value=1234",
                PIN_VALUE,
            ),
        ] {
            let error = KeyUri::parse(&format!("pkcs11:{path}{tail}")).unwrap_err();
            let want = format!("malformed PKCS#11 URI: {reason}");
            assert_eq!(error.to_string(), want, "{path}");
        }
        let scheme = KeyUri::parse("token=t;object=o?module-path=/m").unwrap_err();
        assert_eq!(
            scheme.to_string(),
            "malformed PKCS#11 URI: expected `pkcs11:`"
        );
        let long = format!("pkcs11:token={};object=o{tail}", "t".repeat(MAX_BYTES));
        assert_eq!(KeyUri::parse(&long).unwrap_err().code(), "ERR_KEY_URI");
    }
}
