// SPDX-License-Identifier: Apache-2.0
//! Commits to fields that are to be shown later, or never.

use ambit_canon::{Digest, Object, Value, write};

use super::read::leaf_text;
use super::tree;
use crate::encoding::base64url;

/// A commitment, and what is needed to show each of its fields.
#[derive(Debug)]
pub struct Commitment {
    /// The root: its hex goes into the payload as `committed_fields_root`.
    pub root: Digest,
    /// One disclosure for each field, sorted by the names' bytes, as RFC 8785 text. They are secrets
    /// of whoever commits until they are shown.
    pub disclosures: Vec<String>,
}

/// Commits to the members of `fields`, each with a salt of 32 random bytes.
///
/// # Errors
///
/// [`CommitmentError`]
pub fn commit(fields: &Object) -> Result<Commitment, CommitmentError> {
    let salts = fields.names().map(|_| random_salt());
    build(fields, salts.collect::<Result<_, _>>()?)
}

/// Why no commitment was made.
#[derive(Debug, thiserror::Error)]
pub enum CommitmentError {
    /// There are no fields, or too many.
    #[error("{0} fields; expected 1 to {MAX_FIELDS}")]
    Fields(usize),
    /// The kernel gave no random bytes.
    #[error("cannot read random bytes")]
    Random(#[source] getrandom::Error),
}

impl CommitmentError {
    /// Returns the stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Fields(_) => "ERR_RECEIPT_SCHEMA",
            Self::Random(_) => "ERR_KEY_RANDOM_UNAVAILABLE",
        }
    }
}

/// Commits with given salts, one for each field in the order of their names' bytes.
fn build(fields: &Object, salts: Vec<String>) -> Result<Commitment, CommitmentError> {
    // The order of RFC 8785 is by UTF-16 units, which is another one beyond U+FFFF.
    let mut sorted: Vec<(&str, &Value)> = fields.iter().collect();
    sorted.sort_by_key(|(name, _)| name.as_bytes());
    let leaves: Vec<Digest> = sorted
        .iter()
        .zip(&salts)
        .map(|((name, value), salt)| tree::leaf(leaf_text(name, salt, value).as_bytes()))
        .collect();
    let count = leaves.len();
    let wrong = CommitmentError::Fields(count);
    if count > MAX_FIELDS {
        return Err(wrong);
    }
    let Some((root, paths)) = tree::build(&leaves) else {
        return Err(wrong);
    };
    let disclosures = sorted
        .iter()
        .zip(salts)
        .zip(paths)
        .enumerate()
        .map(|(index, (((name, value), salt), path))| {
            let siblings = path.iter().map(|it| Value::from(it.hex().as_str()));
            let proof: Object = [
                ("index", number(index)),
                ("siblings", Value::Array(siblings.collect())),
                ("tree_size", number(count)),
            ]
            .into_iter()
            .collect();
            let disclosure: Object = [
                ("name", Value::from(*name)),
                ("proof", Value::Object(proof)),
                ("salt", Value::from(salt.as_str())),
                ("value", (*value).clone()),
            ]
            .into_iter()
            .collect();
            write(&Value::Object(disclosure))
        })
        .collect();
    Ok(Commitment { root, disclosures })
}

fn random_salt() -> Result<String, CommitmentError> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(CommitmentError::Random)?;
    Ok(base64url(&salt))
}

/// At most [`MAX_FIELDS`].
fn number(value: usize) -> Value {
    Value::from(u32::try_from(value).unwrap_or(u32::MAX))
}

const MAX_FIELDS: usize = 1024;

#[cfg(test)]
mod tests {
    use ambit_canon::parse;

    use super::*;
    use crate::LIMITS;

    #[test]
    fn the_recorded_trees_are_made_again() {
        let file =
            include_bytes!("../../../../__test__/vectors/receipts/acta/commitment-mode.json");
        let file = parse(file, &LIMITS).unwrap();
        let list = |value: &Value, name| value.get(name).unwrap().as_array().unwrap().to_vec();
        for tree in list(&file, "trees") {
            let shown = list(&tree, "disclosures");
            let text = |value: &Value, name| value.get(name).unwrap().as_str().unwrap().to_owned();
            let fields: Object = shown
                .iter()
                .map(|it| (text(it, "name"), it.get("value").unwrap().clone()))
                .collect();
            let salts = shown.iter().map(|it| text(it, "salt")).collect();
            let made = build(&fields, salts).unwrap();
            assert_eq!(made.root.hex(), text(&tree, "root"));
            for (made, shown) in made.disclosures.iter().zip(&shown) {
                let Value::Object(mut shown) = shown.clone() else {
                    panic!("not an object")
                };
                shown.remove("leaf_bytes_utf8");
                shown.remove("leaf_hash");
                assert_eq!(*made, write(&Value::Object(shown)));
            }
        }
    }

    #[test]
    fn a_commitment_has_fields_and_salts_of_its_own() {
        let fields: Object = [("b", 1), ("a", 1)].into_iter().collect();
        let (one, other) = (commit(&fields).unwrap(), commit(&fields).unwrap());
        assert_ne!(one.root, other.root);
        assert_eq!(one.disclosures.len(), 2);
        assert!(matches!(
            commit(&Object::default()),
            Err(CommitmentError::Fields(0))
        ));
    }
}
