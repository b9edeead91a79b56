// SPDX-License-Identifier: Apache-2.0
//! Names of ledgers, owners and runs.

use std::fmt;

use crate::error::LedgerError;

/// The name of a ledger: 128 random bits as 32 lowercase hex digits, drawn once when it is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerId(String);

impl LedgerId {
    /// Returns the 32 lowercase hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn random() -> Result<Self, LedgerError> {
        random_hex().map(Self)
    }

    pub(crate) fn stored(text: String) -> Result<Self, LedgerError> {
        if is_hex_id(&text) {
            Ok(Self(text))
        } else {
            Err(LedgerError::CorruptValue {
                column: "ledger.id",
            })
        }
    }
}

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of one open ledger in one process; also that of its lock file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OwnerId(String);

impl OwnerId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn random() -> Result<Self, LedgerError> {
        random_hex().map(Self)
    }

    /// Reads an id that becomes a file name, so a damaged one must not get further than here.
    pub(crate) fn stored(text: String) -> Result<Self, LedgerError> {
        if is_hex_id(&text) {
            Ok(Self(text))
        } else {
            Err(LedgerError::CorruptValue {
                column: "runs.owner",
            })
        }
    }

    /// Reads a file name; `None` for a name that no owner has.
    pub(crate) fn from_file_name(name: &str) -> Option<Self> {
        is_hex_id(name).then(|| Self(name.to_owned()))
    }
}

/// The name of a run, given by the caller: 1 to [`RunId::MAX_BYTES`] of `A-Z a-z 0-9 . _ : -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// The longest id, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn stored(text: String) -> Result<Self, LedgerError> {
        if is_run_id(&text) {
            Ok(Self(text))
        } else {
            Err(LedgerError::CorruptValue {
                column: "entries.run_id",
            })
        }
    }
}

impl TryFrom<&str> for RunId {
    type Error = RunIdError;

    fn try_from(text: &str) -> Result<Self, RunIdError> {
        if is_run_id(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RunIdError::Malformed)
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a run id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunIdError {
    /// Empty, too long, or with a character that is not accepted.
    #[error(
        "not a run id; accepted: 1 to {} of `A-Z a-z 0-9 . _ : -`",
        RunId::MAX_BYTES
    )]
    Malformed,
}

impl RunIdError {
    /// Returns the stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "ERR_LEDGER_RUN_ID",
        }
    }
}

fn is_run_id(text: &str) -> bool {
    (1..=RunId::MAX_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
}

fn is_hex_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn random_hex() -> Result<String, LedgerError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|source| LedgerError::Random { source })?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_is_short_plain_text() {
        let longest = "a".repeat(RunId::MAX_BYTES);
        for good in ["a", "run-1", "01J9:Z_x.y", &longest] {
            assert_eq!(RunId::try_from(good).unwrap().as_str(), good);
        }
        let too_long = "a".repeat(RunId::MAX_BYTES + 1);
        for bad in ["", " ", "a b", "a/b", "é", "a\0", "a\n", "a'", &too_long] {
            assert_eq!(RunId::try_from(bad), Err(RunIdError::Malformed), "{bad:?}");
        }
        assert_eq!(RunIdError::Malformed.code(), "ERR_LEDGER_RUN_ID");
    }

    #[test]
    fn a_stored_owner_is_never_a_path() {
        for bad in [
            "",
            "..",
            "../../etc/passwd",
            &"A".repeat(32),
            &"0".repeat(31),
        ] {
            let error = OwnerId::stored(bad.to_owned()).unwrap_err();
            assert_eq!(error.code(), "ERR_LEDGER_CORRUPT", "{bad}");
            assert_eq!(OwnerId::from_file_name(bad), None);
        }
    }

    #[test]
    fn random_ids_have_the_stored_form_and_differ() {
        let (a, b) = (OwnerId::random().unwrap(), OwnerId::random().unwrap());
        assert_ne!(a, b);
        assert_eq!(OwnerId::stored(a.as_str().to_owned()).unwrap(), a);
        let id = LedgerId::random().unwrap();
        assert_eq!(LedgerId::stored(id.to_string()).unwrap(), id);
    }
}
