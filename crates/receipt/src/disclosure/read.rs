// SPDX-License-Identifier: Apache-2.0
//! One disclosure, read.

use ambit_canon::{Digest, Object, Value, write};

use super::{DisclosureCode, Fault, MALFORMED, tree};
use crate::encoding::{base64url_bytes, from_hex, quoted};

/// A field that is shown, with its proof.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) name: &'a str,
    salt: &'a str,
    value: &'a Value,
    pub(super) index: u64,
    pub(super) size: u64,
    pub(super) siblings: Vec<Digest>,
}

impl<'a> Shown<'a> {
    pub(super) fn read(value: &'a Value) -> Result<Self, Fault> {
        let malformed = |member: &str, expected: &str| {
            let detail = format!("{member}: expected {expected}");
            (MALFORMED, detail)
        };
        let text = |name| value.get(name).and_then(Value::as_str);
        let name = text("name").ok_or_else(|| malformed("name", "a string"))?;
        let salt = text("salt").ok_or_else(|| malformed("salt", "a string"))?;
        let shown = value
            .get("value")
            .ok_or_else(|| malformed("value", "a required member"))?;
        let proof = value
            .get("proof")
            .and_then(Value::as_object)
            .ok_or_else(|| malformed("proof", "an object"))?;
        check_salt(salt)?;
        let integer = |name: &str| {
            let number = proof.get(name).and_then(Value::as_i64);
            let number = number.ok_or_else(|| malformed(&format!("proof.{name}"), "an integer"))?;
            u64::try_from(number).ok().ok_or_else(|| {
                let detail = format!("proof.{name}: expected no negative number");
                (DisclosureCode::ProofInvalid, detail)
            })
        };
        Ok(Self {
            name,
            salt,
            value: shown,
            index: integer("index")?,
            size: integer("tree_size")?,
            siblings: siblings(proof).ok_or_else(|| {
                malformed("proof.siblings", "digests in 64 lowercase hex digits each")
            })?,
        })
    }

    /// Returns the hash of the leaf.
    pub(super) fn leaf(&self) -> Digest {
        tree::leaf(leaf_text(self.name, self.salt, self.value).as_bytes())
    }
}

/// Returns the text of a leaf.
pub(super) fn leaf_text(name: &str, salt: &str, value: &Value) -> String {
    let members = [
        ("name", Value::from(name)),
        ("salt", Value::from(salt)),
        ("value", value.clone()),
    ];
    write(&Value::Object(members.into_iter().collect()))
}

/// Says why fields that each lead to the root cannot all be in one tree, if so.
pub(super) fn find_conflict(fields: &[&Shown<'_>]) -> Option<String> {
    let mut sorted = fields.to_vec();
    sorted.sort_by_key(|field| field.index);
    let pairs = sorted.windows(2).filter_map(|pair| match pair {
        [before, after] => Some((before, after)),
        _ => None,
    });
    for (before, after) in pairs {
        let same = before.index == after.index && before.name == after.name;
        let ordered = before.index < after.index && before.name.as_bytes() < after.name.as_bytes();
        if before.size != after.size || !(same || ordered) {
            let (before, after) = (quoted(before.name), quoted(after.name));
            return Some(format!(
                "the fields {before} and {after} cannot stand in one tree as they are shown"
            ));
        }
    }
    None
}

/// Reads a digest of 64 lowercase hex digits.
pub(super) fn digest(text: &str) -> Option<Digest> {
    from_hex(text).map(Digest::from_bytes)
}

fn siblings(proof: &Object) -> Option<Vec<Digest>> {
    let siblings = proof.get("siblings")?.as_array()?.iter();
    siblings.map(|it| it.as_str().and_then(digest)).collect()
}

fn check_salt(salt: &str) -> Result<(), Fault> {
    let Some(bytes) = base64url_bytes(salt) else {
        let detail = "salt: expected base64url without padding".to_owned();
        return Err((DisclosureCode::SaltEncoding, detail));
    };
    if bytes.len() < MIN_SALT_BYTES {
        let detail = format!("salt: expected at least {MIN_SALT_BYTES} bytes");
        return Err((DisclosureCode::SaltTooShort, detail));
    }
    Ok(())
}

const MIN_SALT_BYTES: usize = 16;
