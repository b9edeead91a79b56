// SPDX-License-Identifier: Apache-2.0
//! The keys that a verifier trusts.

use std::collections::BTreeMap;

use super::VerifyingKey;
use crate::encoding::from_base64url;

/// Trusted public keys, by the id that a receipt must name.
///
/// A key that was given without an id verifies any receipt, with one exception: where the receipt
/// names a key by its thumbprint, only the key of that thumbprint does. The verdict reports the id
/// that the receipt names; for such a key, that name is the receipt's own claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    by_id: BTreeMap<String, VerifyingKey>,
    any: Vec<VerifyingKey>,
}

impl KeySet {
    /// Returns a set without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts `key` for receipts that name `id`, and returns the key that it replaces.
    pub fn insert(&mut self, id: impl Into<String>, key: VerifyingKey) -> Option<VerifyingKey> {
        self.by_id.insert(id.into(), key)
    }

    /// Trusts `key` for receipts that name its thumbprint.
    pub fn insert_by_thumbprint(&mut self, key: VerifyingKey) {
        self.by_id.insert(key.thumbprint(), key);
    }

    /// Trusts `key` for every receipt that names no other key by id or thumbprint.
    pub fn insert_any(&mut self, key: VerifyingKey) {
        self.any.push(key);
    }

    /// Returns whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty() && self.any.is_empty()
    }

    /// Returns the keys that may have signed a receipt that names `id`.
    pub(crate) fn candidates(&self, id: &str) -> Vec<VerifyingKey> {
        if let Some(key) = self.by_id.get(id) {
            return vec![*key];
        }
        let named_by_thumbprint = from_base64url::<32>(id).is_some();
        let fits = |key: &&VerifyingKey| !named_by_thumbprint || key.thumbprint() == id;
        self.any.iter().filter(fits).copied().collect()
    }

    /// Returns the keys that a name outside the signed bytes may point to: the key that was given
    /// under `id`, or one given without an id whose thumbprint it is.
    pub(crate) fn named(&self, id: &str) -> Vec<VerifyingKey> {
        if let Some(key) = self.by_id.get(id) {
            return vec![*key];
        }
        let fits = |key: &&VerifyingKey| key.thumbprint() == id;
        self.any.iter().filter(fits).copied().collect()
    }

    /// Returns every key.
    pub(crate) fn all(&self) -> Vec<VerifyingKey> {
        self.by_id.values().chain(&self.any).copied().collect()
    }
}
