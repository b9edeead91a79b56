// SPDX-License-Identifier: Apache-2.0
//! Private keys under a passphrase: PKCS#8 `EncryptedPrivateKeyInfo` with PBES2 (RFC 8018), as
//! OpenSSL writes it.

use ed25519_dalek::pkcs8::KeypairBytes;
use pkcs8::der::Decode as _;
use pkcs8::der::pem::{LineEnding, PemLabel as _};
use pkcs8::der::{Encode as _, SecretDocument};
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::pkcs5::{self, EncryptionScheme, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoOwned, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use zeroize::{Zeroize as _, Zeroizing};

use super::{KeyError, SigningKey};

impl SigningKey {
    /// Reads an encrypted PKCS#8 PEM: PBES2 with PBKDF2 (HMAC with SHA-224 to SHA-512) or scrypt,
    /// and AES in CBC or GCM mode.
    ///
    /// The work that the file may ask for is bounded: [`MAX_ITERATIONS`] of PBKDF2,
    /// [`MAX_SCRYPT_BYTES`] of memory for scrypt and four times that in traffic.
    ///
    /// # Errors
    ///
    /// [`KeyError::Cost`] over these bounds, [`KeyError::Passphrase`] where the passphrase is not
    /// the file's, [`KeyError::Pkcs8`] for malformed files and other schemes.
    pub fn from_encrypted_pem(pem: &str, passphrase: &[u8]) -> Result<Self, KeyError> {
        let malformed = |error: pkcs8::der::Error| KeyError::Pkcs8(error.into());
        let (label, document) = SecretDocument::from_pem(pem.trim_ascii()).map_err(malformed)?;
        EncryptedPrivateKeyInfoRef::validate_pem_label(label)
            .map_err(|error| malformed(error.into()))?;
        let info = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes()).map_err(malformed)?;
        check_cost(&info.encryption_algorithm)?;
        let key = info.decrypt(passphrase).map_err(of_decryption)?;
        // One wrong passphrase in 256 leaves well-formed padding, and no key behind it.
        let Ok(info) = PrivateKeyInfoRef::from_der(key.as_bytes()) else {
            return Err(KeyError::Passphrase);
        };
        let mut pair = KeypairBytes::try_from(info).map_err(KeyError::Pkcs8)?;
        let key = Self::from_pair(&pair);
        pair.secret_key.zeroize();
        key
    }

    /// Returns the key as an encrypted PKCS#8 PEM: scrypt (N 16384, r 8, p 5: 16 MiB) and AES-256
    /// in CBC mode, which OpenSSL 1.1 and later read with their default limits.
    ///
    /// # Errors
    ///
    /// [`KeyError::EmptyPassphrase`], [`KeyError::Random`], and [`KeyError::Pkcs8`], which a valid
    /// key never meets.
    pub fn to_encrypted_pem(&self, passphrase: &[u8]) -> Result<Zeroizing<String>, KeyError> {
        if passphrase.is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        getrandom::fill(&mut salt).map_err(KeyError::Random)?;
        getrandom::fill(&mut iv).map_err(KeyError::Random)?;
        let failed = |error: pkcs5::Error| KeyError::Pkcs8(error.into());
        let cost = scrypt::Params::new(LOG_N, R, P).map_err(|_invalid| {
            failed(pkcs5::Error::AlgorithmParametersInvalid {
                oid: pkcs5::pbes2::SCRYPT_OID,
            })
        })?;
        let parameters = Parameters::generate_scrypt_aes256cbc(cost, &salt, iv).map_err(failed)?;
        let plain = self.to_der()?;
        let encrypted = parameters
            .encrypt(passphrase, plain.as_bytes())
            .map_err(failed)?;
        let malformed = |error: pkcs8::der::Error| KeyError::Pkcs8(error.into());
        let info = EncryptedPrivateKeyInfoOwned {
            encryption_algorithm: parameters.into(),
            encrypted_data: pkcs8::der::asn1::OctetString::new(encrypted).map_err(malformed)?,
        };
        let document =
            SecretDocument::try_from(info.to_der().map_err(malformed)?).map_err(malformed)?;
        document
            .to_pem(EncryptedPrivateKeyInfoOwned::PEM_LABEL, LineEnding::LF)
            .map_err(malformed)
    }
}

/// The most iterations of PBKDF2 that a file may ask for: some two seconds.
pub const MAX_ITERATIONS: u32 = 5_000_000;
/// The most memory that a file may ask scrypt for (128 × N × r): 256 MiB, one second.
pub const MAX_SCRYPT_BYTES: u64 = 1 << 28;

/// Refuses a file that would keep this process busy, before any of the work is done.
fn check_cost(scheme: &EncryptionScheme) -> Result<(), KeyError> {
    let EncryptionScheme::Pbes2(parameters) = scheme else {
        return Err(KeyError::Pkcs8(pkcs5::Error::NoPbes1CryptSupport.into()));
    };
    let fits = match &parameters.kdf {
        Kdf::Pbkdf2(cost) => cost.iteration_count <= MAX_ITERATIONS,
        Kdf::Scrypt(cost) => {
            let bytes = cost
                .cost_parameter
                .saturating_mul(128)
                .saturating_mul(u64::from(cost.block_size));
            let traffic = bytes.saturating_mul(u64::from(cost.parallelization));
            bytes <= MAX_SCRYPT_BYTES && traffic <= MAX_SCRYPT_BYTES.saturating_mul(4)
        }
        // The enum may grow; what is not known here is not bounded here.
        _ => false,
    };
    if fits { Ok(()) } else { Err(KeyError::Cost) }
}

fn of_decryption(error: pkcs8::Error) -> KeyError {
    let wrong = matches!(
        error,
        pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::DecryptFailed) | pkcs8::Error::Asn1(_)
    );
    if wrong {
        KeyError::Passphrase
    } else {
        KeyError::Pkcs8(error)
    }
}

const LOG_N: u8 = 14;
const R: u32 = 8;
const P: u32 = 5;
