// SPDX-License-Identifier: Apache-2.0
//! Reads a log, and writes its next event.

use ambit_canon::{Digest, Object, Value, write};

use super::event::{Event, What, key_member, payload, proven};
use super::{KeyLogError, KeyLogFault, KeyStanding, KeyState};
use crate::acta::{self, SignOptions};
use crate::encoding::hex;
use crate::key::{KeySet, Sign, VerifyingKey};
use crate::verdict::Status;
use crate::verify;

/// A log that was verified from its first line to its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLog {
    log_id: String,
    /// Digest of each line, without its line feed.
    lines: Vec<Digest>,
    last_at: String,
    states: Vec<KeyState>,
}

impl KeyLog {
    /// Verifies a log. `roots` are the keys that it may begin with, and begin again with after its
    /// current key was revoked: known from elsewhere, not from the log.
    ///
    /// # Errors
    ///
    /// [`KeyLogError::At`] with the first line at fault and what is wrong there;
    /// [`KeyLogError::TooLarge`].
    pub fn verify(text: &[u8], roots: &[VerifyingKey]) -> Result<Self, KeyLogError> {
        if text.len() > MAX_LOG_BYTES {
            return Err(KeyLogError::TooLarge);
        }
        let mut log = Self {
            log_id: String::new(),
            lines: Vec::new(),
            last_at: String::new(),
            states: Vec::new(),
        };
        let mut rest = text;
        while !rest.is_empty() || log.lines.is_empty() {
            let line = log.lines.len().saturating_add(1);
            let at = |fault| KeyLogError::At { line, fault };
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return Err(at(KeyLogFault::Truncated));
            };
            let (head, tail) = rest.split_at(end);
            log.take(head, roots).map_err(at)?;
            rest = tail.get(1..).unwrap_or_default();
        }
        Ok(log)
    }

    /// Returns the keys that the log itself says it begins with: nothing is verified. For the log of
    /// one's own keys only, in a place that no one else can write.
    pub fn roots_named(text: &[u8]) -> Vec<VerifyingKey> {
        let events = text.split(|byte| *byte == b'\n').map(Event::read);
        events
            .filter_map(|event| match event.ok()?.what {
                What::Created { key, .. } => Some(key),
                What::Revoked { .. } | What::Rotated { .. } => None,
            })
            .collect()
    }

    /// Returns the line that begins a log: `key` is good from `at` on, or without a known beginning
    /// where it was used before. `log_id` is 32 hex digits, drawn for this log.
    ///
    /// # Errors
    ///
    /// [`KeyLogError::Sign`].
    pub fn begin(
        key: &dyn Sign,
        log_id: &str,
        at: &str,
        beginning: Beginning,
    ) -> Result<Vec<u8>, KeyLogError> {
        let public = key.verifying_key();
        let mut event = payload("created", log_id, (1, None), at, &public);
        event.insert("key", key_member(&public));
        if beginning == Beginning::Known {
            event.insert("valid_from", at);
        }
        sealed(event, key)
    }

    /// Returns the line that begins a log again, after its current key was revoked.
    ///
    /// # Errors
    ///
    /// [`KeyLogError::At`] where the event cannot follow; [`KeyLogError::Sign`].
    pub fn begin_again(&self, key: &dyn Sign, at: &str) -> Result<Vec<u8>, KeyLogError> {
        let public = key.verifying_key();
        let mut event = payload("created", &self.log_id, self.place(), at, &public);
        event.insert("key", key_member(&public));
        event.insert("valid_from", at);
        self.checked(sealed(event, key)?, &[public])
    }

    /// Returns the line by which `new` takes the place of `current` at `at`.
    ///
    /// # Errors
    ///
    /// [`KeyLogError::At`] where the event cannot follow; [`KeyLogError::Closed`],
    /// [`KeyLogError::NotCurrent`], [`KeyLogError::Proof`] and [`KeyLogError::Sign`].
    pub fn rotate(
        &self,
        current: &dyn Sign,
        new: &dyn Sign,
        at: &str,
    ) -> Result<Vec<u8>, KeyLogError> {
        let public = self.signer(current)?;
        let mut event = payload("rotated", &self.log_id, self.place(), at, &public);
        event.insert("key", key_member(&new.verifying_key()));
        let proof = new.sign(&proven(&event)).map_err(KeyLogError::Proof)?;
        event.insert("proof", hex(&proof));
        self.checked(sealed(event, current)?, &[])
    }

    /// Returns the line by which the key named `key_id` (thumbprint) is revoked from `revoked_at` on.
    ///
    /// # Errors
    ///
    /// [`KeyLogError::At`] where the event cannot follow; [`KeyLogError::Closed`],
    /// [`KeyLogError::NotCurrent`] and [`KeyLogError::Sign`].
    pub fn revoke(
        &self,
        current: &dyn Sign,
        revocation: &Revocation<'_>,
        at: &str,
    ) -> Result<Vec<u8>, KeyLogError> {
        let public = self.signer(current)?;
        let mut event = payload("revoked", &self.log_id, self.place(), at, &public);
        event.insert("key_id", revocation.key_id);
        event.insert("revoked_at", revocation.revoked_at.unwrap_or(at));
        if let Some(reason) = revocation.reason {
            event.insert("reason", reason);
        }
        self.checked(sealed(event, current)?, &[])
    }

    /// Checks that this log is `known`, or `known` with events behind it: `known` was seen before.
    ///
    /// # Errors
    ///
    /// [`KeyLogError::RolledBack`] and [`KeyLogError::Forked`].
    pub fn check_extends(&self, known: &Self) -> Result<(), KeyLogError> {
        let mut pairs = self.lines.iter().zip(&known.lines);
        if let Some(differs) = pairs.position(|(own, other)| own != other) {
            let line = differs.saturating_add(1);
            return Err(KeyLogError::Forked { line });
        }
        let (found, known) = (self.lines.len(), known.lines.len());
        if found < known {
            return Err(KeyLogError::RolledBack { found, known });
        }
        Ok(())
    }

    /// Returns the log's id, 32 hex digits.
    pub fn log_id(&self) -> &str {
        &self.log_id
    }

    /// Returns how many events the log has.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns `false`: a verified log has a first event.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns the time of the last event.
    pub fn last_at(&self) -> &str {
        &self.last_at
    }

    /// Returns every key, oldest first.
    pub fn states(&self) -> &[KeyState] {
        &self.states
    }

    /// Returns the key that signs, if there is one: the last, unless it was revoked.
    pub fn current(&self) -> Option<&KeyState> {
        let last = self.states.last();
        last.filter(|state| state.standing() == KeyStanding::Current)
    }

    fn signer(&self, key: &dyn Sign) -> Result<VerifyingKey, KeyLogError> {
        let current = self.current().ok_or(KeyLogError::Closed)?;
        if key.verifying_key() == current.key {
            Ok(current.key)
        } else {
            Err(KeyLogError::NotCurrent)
        }
    }

    fn place(&self) -> (u64, Option<Digest>) {
        (self.next_seq(), self.lines.last().copied())
    }

    fn next_seq(&self) -> u64 {
        u64::try_from(self.lines.len()).map_or(u64::MAX, |lines| lines.saturating_add(1))
    }

    /// Checks a new line as any reader will, before anyone sees it.
    fn checked(&self, line: Vec<u8>, roots: &[VerifyingKey]) -> Result<Vec<u8>, KeyLogError> {
        let mut next = self.clone();
        let body = line.strip_suffix(b"\n").unwrap_or(&line);
        match next.take(body, roots) {
            Ok(()) => Ok(line),
            Err(fault) => Err(KeyLogError::At {
                line: self.lines.len().saturating_add(1),
                fault,
            }),
        }
    }

    /// Takes the next line in.
    fn take(&mut self, line: &[u8], roots: &[VerifyingKey]) -> Result<(), KeyLogFault> {
        let event = Event::read(line)?;
        let digest = Digest::of(line);
        self.check_place(&event, &digest)?;
        self.check_signature(line, &event, roots)?;
        self.check_link(&event)?;
        if event.issued_at < self.last_at {
            return Err(KeyLogFault::Backdated);
        }
        match event.what {
            What::Created { key, valid_from } => {
                if valid_from
                    .as_ref()
                    .is_some_and(|from| *from != event.issued_at)
                {
                    return Err(KeyLogFault::Event(
                        "`valid_from` is not the time of the event",
                    ));
                }
                self.check_new(&key)?;
                self.states.push(KeyState::new(key, valid_from));
            }
            What::Revoked {
                key_id,
                revoked_at,
                reason,
            } => self.revoke_key(&key_id, revoked_at, reason, &event.issued_at)?,
            What::Rotated { key, proof, proven } => {
                self.check_new(&key)?;
                if !key.verify(&proven, &proof) {
                    return Err(KeyLogFault::Proof);
                }
                self.retire(&event.issued_at)?;
                self.states
                    .push(KeyState::new(key, Some(event.issued_at.clone())));
            }
        }
        self.log_id = event.log_id;
        self.last_at = event.issued_at;
        self.lines.push(digest);
        Ok(())
    }

    /// Tells a line that stands where it does not belong, by what it says of itself.
    fn check_place(&self, event: &Event, digest: &Digest) -> Result<(), KeyLogFault> {
        if self.lines.contains(digest) {
            return Err(KeyLogFault::Duplicate);
        }
        if !self.lines.is_empty() && event.log_id != self.log_id {
            return Err(KeyLogFault::Foreign);
        }
        match event.seq.cmp(&self.next_seq()) {
            std::cmp::Ordering::Less => Err(KeyLogFault::Fork),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(KeyLogFault::Gap),
        }
    }

    /// Checks that the key that may sign here did.
    fn check_signature(
        &self,
        line: &[u8],
        event: &Event,
        roots: &[VerifyingKey],
    ) -> Result<(), KeyLogFault> {
        let named = |key: &&VerifyingKey| key.thumbprint() == event.issuer;
        let signer = match (&event.what, self.current()) {
            (What::Created { .. }, Some(_)) => {
                return Err(KeyLogFault::Event("the log has a current key already"));
            }
            (What::Created { key, .. }, None) => {
                let root = roots.iter().find(named).ok_or(KeyLogFault::Root)?;
                if root != key {
                    return Err(KeyLogFault::Signer);
                }
                root
            }
            (_, Some(current)) => Some(&current.key)
                .filter(named)
                .ok_or(KeyLogFault::Signer)?,
            (_, None) if self.lines.is_empty() => return Err(KeyLogFault::Root),
            (_, None) => return Err(KeyLogFault::Event("the log's last key was revoked")),
        };
        let mut keys = KeySet::new();
        keys.insert_by_thumbprint(*signer);
        if verify(line, &keys).status == Status::Valid {
            Ok(())
        } else {
            Err(KeyLogFault::Signature)
        }
    }

    fn check_link(&self, event: &Event) -> Result<(), KeyLogFault> {
        if event.previous == self.lines.last().map(Digest::prefixed) {
            Ok(())
        } else {
            Err(KeyLogFault::Chain)
        }
    }

    /// A key is introduced once.
    fn check_new(&self, key: &VerifyingKey) -> Result<(), KeyLogFault> {
        if self.states.iter().any(|state| state.key == *key) {
            return Err(KeyLogFault::Event("the key was introduced before"));
        }
        Ok(())
    }

    /// Ends the current key's window.
    fn retire(&mut self, at: &str) -> Result<(), KeyLogFault> {
        if let Some(state) = self.states.last_mut() {
            if state.valid_from.as_deref() >= Some(at) {
                return Err(KeyLogFault::Event(
                    "the key was never good: its window is empty",
                ));
            }
            state.valid_until = Some(at.to_owned());
        }
        Ok(())
    }

    /// A revocation may be dated back to when the key was first good, never into the future, and may be
    /// dated back further by another one: nothing that was revoked is given back.
    fn revoke_key(
        &mut self,
        key_id: &str,
        revoked_at: String,
        reason: Option<String>,
        issued_at: &str,
    ) -> Result<(), KeyLogFault> {
        let mut states = self.states.iter_mut();
        let Some(state) = states.find(|state| state.key.thumbprint() == key_id) else {
            return Err(KeyLogFault::Event(
                "revokes a key that the log does not have",
            ));
        };
        if revoked_at.as_str() > issued_at {
            return Err(KeyLogFault::Event("a revocation dated into the future"));
        }
        if state
            .valid_from
            .as_ref()
            .is_some_and(|from| revoked_at < *from)
        {
            return Err(KeyLogFault::Event("a revocation before the key was good"));
        }
        if state
            .revoked_at
            .as_ref()
            .is_some_and(|before| revoked_at >= *before)
        {
            return Err(KeyLogFault::Event("the key was revoked before"));
        }
        state.revoked_at = Some(revoked_at);
        state.reason = reason;
        Ok(())
    }
}

/// What is known of the time from which a log's first key was good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// The key was made now.
    Known,
    /// The key was used before there was a log.
    Unknown,
}

/// A key that is no longer good.
#[derive(Clone, Copy, Debug)]
pub struct Revocation<'a> {
    /// Its thumbprint.
    pub key_id: &'a str,
    /// From when on: UTC with milliseconds; from the event itself on, if none.
    pub revoked_at: Option<&'a str>,
    /// Why, in words: 1 to 1024 bytes.
    pub reason: Option<&'a str>,
}

impl KeyState {
    pub(super) const fn new(key: VerifyingKey, valid_from: Option<String>) -> Self {
        Self {
            key,
            valid_from,
            valid_until: None,
            revoked_at: None,
            reason: None,
        }
    }
}

fn sealed(event: Object, key: &dyn Sign) -> Result<Vec<u8>, KeyLogError> {
    let text = write(&Value::Object(event));
    let signed = acta::sign(text.as_bytes(), key, SignOptions::default());
    let mut line = signed.map_err(KeyLogError::Sign)?;
    line.push(b'\n');
    Ok(line)
}

/// The most bytes that a log may have: 4 MiB, some 7,000 events.
pub const MAX_LOG_BYTES: usize = 4 << 20;
