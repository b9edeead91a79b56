// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with a key log.

use crate::acta::ActaError;
use crate::key::KeyError;
use crate::schema::SchemaError;

/// A key log that is not to be believed, or an event that cannot be added to one.
#[derive(Debug, thiserror::Error)]
pub enum KeyLogError {
    /// The log is wrong at a line.
    #[error("line {line}: {fault}")]
    At {
        /// The first line at fault, from 1.
        line: usize,
        /// What is wrong.
        #[source]
        fault: KeyLogFault,
    },
    /// The log has no current key: the last one was revoked. A new one must begin.
    #[error("the log has no current key; its last one was revoked")]
    Closed,
    /// Two copies of a log differ before the end of the shorter one.
    #[error("two logs differ from line {line} on: one of them is a fork")]
    Forked {
        /// The first line that differs, from 1.
        line: usize,
    },
    /// The key that is to sign is not the log's current one.
    #[error("the key that signs is not the current key of the log")]
    NotCurrent,
    /// The proof of possession could not be made.
    #[error("cannot make the proof that the new key is at hand")]
    Proof(#[source] KeyError),
    /// A copy of a log has fewer events than one that was seen before.
    #[error("the log has {found} events, and had {known} before: it was rolled back")]
    RolledBack {
        /// Events now.
        found: usize,
        /// Events before.
        known: usize,
    },
    /// The event could not be signed.
    #[error("cannot sign the event")]
    Sign(#[source] ActaError),
    /// The log is larger than a key log may be.
    #[error("the log is larger than 4 MiB")]
    TooLarge,
}

/// What is wrong with an event where it stands in its log.
#[derive(Debug, thiserror::Error)]
pub enum KeyLogFault {
    /// The event is dated before the one that it follows.
    #[error("dated before the event that it follows")]
    Backdated,
    /// `previousReceiptHash` is not the digest of the event before.
    #[error("does not follow the event before it: its hash is another")]
    Chain,
    /// The event before stands here again.
    #[error("an event stands twice")]
    Duplicate,
    /// The event is not one that can happen here. Says why.
    #[error("{0}")]
    Event(&'static str),
    /// The event belongs to another log.
    #[error("belongs to another log")]
    Foreign,
    /// The event has a number that another event has.
    #[error("two events have the same number: the log was forked")]
    Fork,
    /// Events are missing before this one.
    #[error("events are missing before this one")]
    Gap,
    /// The line is not an event in canonical form.
    #[error("not an event in canonical form")]
    Malformed,
    /// The new key did not sign its introduction.
    #[error("the new key's proof of possession is wrong")]
    Proof,
    /// The log begins with a key that the verifier does not trust.
    #[error("begins with a key that is not trusted; give the key that it is to begin with")]
    Root,
    /// The payload breaks the rules of its event.
    #[error("breaks the rules of its event")]
    Schema(#[source] SchemaError),
    /// The signature is not the named key's over this event.
    #[error("the signature is wrong")]
    Signature,
    /// The event is signed by a key that was not the current one.
    #[error("signed by a key that was not the current one")]
    Signer,
    /// The log ends within a line, or has none.
    #[error("the log ends within a line")]
    Truncated,
}

impl KeyLogError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::At { fault, .. } => fault.code(),
            Self::Closed => "ERR_KEY_LOG_CLOSED",
            Self::Forked { .. } => "ERR_KEY_LOG_FORK",
            Self::NotCurrent => "ERR_KEY_LOG_SIGNER",
            Self::Proof(error) => error.code(),
            Self::RolledBack { .. } => "ERR_KEY_LOG_ROLLED_BACK",
            Self::Sign(error) => error.code(),
            Self::TooLarge => "ERR_KEY_LOG_MALFORMED",
        }
    }
}

impl KeyLogFault {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Backdated => "ERR_KEY_LOG_BACKDATED",
            Self::Chain => "ERR_KEY_LOG_CHAIN",
            Self::Duplicate => "ERR_KEY_LOG_DUPLICATE",
            Self::Event(_) => "ERR_KEY_LOG_EVENT",
            Self::Foreign => "ERR_KEY_LOG_FOREIGN",
            Self::Fork => "ERR_KEY_LOG_FORK",
            Self::Gap => "ERR_KEY_LOG_GAP",
            Self::Malformed | Self::Schema(_) => "ERR_KEY_LOG_MALFORMED",
            Self::Proof => "ERR_KEY_LOG_PROOF",
            Self::Root => "ERR_KEY_LOG_ROOT",
            Self::Signature => "ERR_KEY_LOG_SIGNATURE",
            Self::Signer => "ERR_KEY_LOG_SIGNER",
            Self::Truncated => "ERR_KEY_LOG_TRUNCATED",
        }
    }
}
