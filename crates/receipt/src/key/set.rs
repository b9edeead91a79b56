// SPDX-License-Identifier: Apache-2.0
//! The keys that a verifier trusts.

use std::collections::BTreeMap;

use super::window::Window;
use super::{KeyStatus, KeyWindow, VerifyingKey};
use crate::encoding::from_base64url;
use crate::time::Instant;

/// Trusted public keys, by the id that a receipt must name, with the times at which they were good.
///
/// A key has two ids of its own: the RFC 7638 thumbprint, and `sb:issuer:` with 12 characters of
/// Base58. One that was given under either of them may be named by both. An id of other form that was
/// given is binding: the key goes by no other name. A key that was given without an id verifies any
/// receipt, with one exception: where the receipt names a key by a thumbprint, or another trusted key
/// by its id, only that key does. (`sb:issuer:` alone says nothing: some tools write other digits
/// behind it.) The verdict reports the id that the receipt names; for a key given without one, that
/// name is the receipt's own claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    by_id: BTreeMap<String, Trusted>,
    /// By thumbprint and by issuer id: the keys that may be named so.
    by_own_id: BTreeMap<String, Vec<Trusted>>,
    any: Vec<Trusted>,
    /// All of them, and those that were replaced: a revocation is not taken back.
    by_key: BTreeMap<[u8; 32], Vec<Trusted>>,
}

/// A key, and when it was good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trusted {
    pub(crate) key: VerifyingKey,
    window: Window,
}

impl KeySet {
    /// Returns a set without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts `key` for receipts that name `id`, at any time, and returns the key that it replaces.
    pub fn insert(&mut self, id: impl Into<String>, key: VerifyingKey) -> Option<VerifyingKey> {
        self.insert_within(id, key, &KeyWindow::default())
    }

    /// Trusts `key` for receipts that name `id` and are dated within `window`, and returns the key
    /// that it replaces.
    pub fn insert_within(
        &mut self,
        id: impl Into<String>,
        key: VerifyingKey,
        window: &KeyWindow,
    ) -> Option<VerifyingKey> {
        let id = id.into();
        let trusted = Trusted::new(key, window);
        let replaced = self.by_id.insert(id.clone(), trusted.clone());
        if let Some(replaced) = &replaced {
            self.forget(&id, replaced);
        }
        if key.own_ids().contains(&id) {
            self.name_by_own_ids(&trusted);
        }
        self.by_key
            .entry(*key.as_bytes())
            .or_default()
            .push(trusted);
        replaced.map(|replaced| replaced.key)
    }

    /// Trusts `key` for receipts that name its thumbprint or its issuer id, at any time.
    pub fn insert_by_thumbprint(&mut self, key: VerifyingKey) {
        self.insert_by_own_id(key, &KeyWindow::default());
    }

    /// Trusts `key` for receipts that name its thumbprint or its issuer id and are dated within
    /// `window`.
    pub fn insert_by_own_id(&mut self, key: VerifyingKey, window: &KeyWindow) {
        self.insert_within(key.thumbprint(), key, window);
    }

    /// Trusts `key` for every receipt that names no other key by id, thumbprint or issuer id, at any
    /// time.
    pub fn insert_any(&mut self, key: VerifyingKey) {
        self.insert_any_within(key, &KeyWindow::default());
    }

    /// Trusts `key` for every receipt that is dated within `window` and names no other key by id,
    /// thumbprint or issuer id.
    pub fn insert_any_within(&mut self, key: VerifyingKey, window: &KeyWindow) {
        let trusted = Trusted::new(key, window);
        self.name_by_own_ids(&trusted);
        self.any.push(trusted.clone());
        self.by_key
            .entry(*key.as_bytes())
            .or_default()
            .push(trusted);
    }

    /// Returns whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Returns the key given under `id`, if there is one.
    pub fn get(&self, id: &str) -> Option<VerifyingKey> {
        self.by_id.get(id).map(|trusted| trusted.key)
    }

    /// Returns the window of the key given under `id`.
    pub(super) fn window(&self, id: &str) -> Option<&Window> {
        self.by_id.get(id).map(|trusted| &trusted.window)
    }

    /// Returns the keys that may have signed a receipt that names `id`.
    pub(crate) fn candidates(&self, id: &str) -> Vec<&Trusted> {
        let named = self.named(id);
        if !named.is_empty() || from_base64url::<32>(id).is_some() {
            return named;
        }
        self.any.iter().collect()
    }

    /// Returns the keys that a name outside the signed bytes may point to: the key that was given
    /// under `id`, or those whose own id it is.
    pub(crate) fn named(&self, id: &str) -> Vec<&Trusted> {
        match (self.by_id.get(id), self.by_own_id.get(id)) {
            (Some(trusted), _) => vec![trusted],
            (None, Some(trusted)) => trusted.iter().collect(),
            (None, None) => Vec::new(),
        }
    }

    /// Returns every key.
    pub(crate) fn all(&self) -> Vec<&Trusted> {
        self.by_id.values().chain(&self.any).collect()
    }

    /// Says where a receipt issued at `issued` stands that was signed with the key of `proven`, all
    /// of which are the same key.
    ///
    /// A revocation of a key holds under whatever id it was given. Of several windows, being inside of
    /// one is enough; but a window that was given is not outdone by trust without one.
    pub(crate) fn place(&self, proven: &[&Trusted], issued: Option<&Instant>) -> KeyStatus {
        let revocations: Vec<KeyStatus> = self
            .same_key(proven)
            .filter_map(|trusted| trusted.window.revocation(issued))
            .collect();
        if let Some(worst) = revocations.into_iter().max_by_key(|status| {
            // A revocation that cannot be placed does not hide one that can.
            u8::from(*status == KeyStatus::Revoked)
        }) {
            return worst;
        }
        let found: Vec<KeyStatus> = proven
            .iter()
            .map(|trusted| trusted.window.place(issued))
            .collect();
        [
            KeyStatus::Inside,
            KeyStatus::Undecidable,
            KeyStatus::Outside,
        ]
        .into_iter()
        .find(|status| found.contains(status))
        .unwrap_or(KeyStatus::NotEstablished)
    }

    /// Whether the key of `proven` was revoked at some time, under whatever id.
    pub(crate) fn is_revoked(&self, proven: &[&Trusted]) -> bool {
        self.same_key(proven)
            .any(|trusted| trusted.window.has_revocation())
    }

    /// Returns every entry of the key that `proven` are.
    fn same_key(&self, proven: &[&Trusted]) -> impl Iterator<Item = &Trusted> {
        let first = proven.first();
        let same = first.and_then(|trusted| self.by_key.get(trusted.key.as_bytes()));
        same.into_iter().flatten()
    }

    fn name_by_own_ids(&mut self, trusted: &Trusted) {
        for id in trusted.key.own_ids() {
            self.by_own_id.entry(id).or_default().push(trusted.clone());
        }
    }

    /// Takes a key's own names back that it had by `id`.
    fn forget(&mut self, id: &str, trusted: &Trusted) {
        let own = trusted.key.own_ids();
        if !own.iter().any(|own| own == id) {
            return;
        }
        for id in own {
            if let Some(same) = self.by_own_id.get_mut(&id)
                && let Some(at) = same.iter().position(|other| other == trusted)
            {
                same.remove(at);
            }
        }
    }
}

impl Trusted {
    fn new(key: VerifyingKey, window: &KeyWindow) -> Self {
        let window = Window::new(window);
        Self { key, window }
    }
}
