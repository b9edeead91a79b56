// SPDX-License-Identifier: Apache-2.0
//! Tells the forms of key files apart.

use std::fmt;

/// The form of a key file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// `-----BEGIN ENCRYPTED PRIVATE KEY-----`
    EncryptedPem,
    /// 64 hex digits in either case: a seed or a public key; which one, only the use can tell.
    Hex,
    /// A JSON object (RFC 7517): a private key with its member `d`, else a public one.
    Jwk,
    /// `-----BEGIN PRIVATE KEY-----` (PKCS#8, RFC 8410)
    PrivatePem,
    /// `-----BEGIN PUBLIC KEY-----` (SPKI, RFC 8410)
    PublicPem,
    /// 32 bytes: a seed or a public key; which one, only the use can tell.
    Raw32,
    /// 64 bytes: a seed and its public key.
    Raw64,
}

impl KeyForm {
    /// Tells the form from the bytes alone, without checking that they hold a key.
    ///
    /// White space around text is ignored. A file of exactly 32 or 64 bytes is raw, except that 64
    /// hex digits are hex.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        let text = bytes.trim_ascii();
        if text.len() == 64 && text.iter().all(u8::is_ascii_hexdigit) {
            return Some(Self::Hex);
        }
        match bytes.len() {
            32 => return Some(Self::Raw32),
            64 => return Some(Self::Raw64),
            _ => {}
        }
        let starts = [
            ("-----BEGIN PRIVATE KEY-----", Self::PrivatePem),
            ("-----BEGIN PUBLIC KEY-----", Self::PublicPem),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----", Self::EncryptedPem),
            ("{", Self::Jwk),
        ];
        starts
            .into_iter()
            .find(|(start, _)| text.starts_with(start.as_bytes()))
            .map(|(_, form)| form)
    }
}

impl fmt::Display for KeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EncryptedPem => "an encrypted PKCS#8 PEM",
            Self::Hex => "64 hex digits",
            Self::Jwk => "a JWK",
            Self::PrivatePem => "a PKCS#8 PEM",
            Self::PublicPem => "an SPKI PEM",
            Self::Raw32 => "a raw 32-byte key",
            Self::Raw64 => "a raw 64-byte key",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_from_the_bytes() {
        let hex = "0123456789abcdefABCDEF"
            .repeat(3)
            .get(..64)
            .unwrap()
            .to_owned();
        let cases: [(&[u8], Option<KeyForm>); 11] = [
            (
                b"-----BEGIN PRIVATE KEY-----\nMC4",
                Some(KeyForm::PrivatePem),
            ),
            (
                b"\n-----BEGIN PUBLIC KEY-----\r\n",
                Some(KeyForm::PublicPem),
            ),
            (
                b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
                Some(KeyForm::EncryptedPem),
            ),
            (b" {\"kty\":\"OKP\"}", Some(KeyForm::Jwk)),
            (&[0x7b; 32], Some(KeyForm::Raw32)),
            (&[0x0a; 64], Some(KeyForm::Raw64)),
            (hex.as_bytes(), Some(KeyForm::Hex)),
            (&[hex.as_bytes(), b"\n"].concat(), Some(KeyForm::Hex)),
            (b"", None),
            (&[0; 33], None),
            (b"-----BEGIN OPENSSH PRIVATE KEY-----\n", None),
        ];
        for (bytes, want) in cases {
            assert_eq!(KeyForm::detect(bytes), want, "{}", bytes.escape_ascii());
        }
    }
}
