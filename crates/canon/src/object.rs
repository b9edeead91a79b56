// SPDX-License-Identifier: Apache-2.0
//! Objects: members in canonical order.

use std::cmp::Ordering;

use crate::value::Value;

/// A JSON object. Its members stand in the order of RFC 8785 section 3.2.3: by the UTF-16 code
/// units of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    // INVARIANT: strictly increasing by `compare_names`, so names are unique.
    members: Vec<(String, Value)>,
}

impl Object {
    /// Returns an object without members.
    pub const fn new() -> Self {
        Self {
            members: Vec::new(),
        }
    }

    /// Takes members that already stand in strictly increasing order.
    pub(crate) const fn from_sorted(members: Vec<(String, Value)>) -> Self {
        Self { members }
    }

    /// Returns the value of the member `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let index = self.position(name).ok()?;
        self.members.get(index).map(|(_, value)| value)
    }

    /// Returns whether there is a member `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_ok()
    }

    /// Sets the member `name` and returns the value it had. Moves the members behind it: to build
    /// an object of many members, collect an iterator.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        match self.position(&name) {
            Ok(index) => {
                let (_, old) = self.members.get_mut(index)?;
                Some(std::mem::replace(old, value))
            }
            Err(index) => {
                self.members.insert(index, (name, value));
                None
            }
        }
    }

    /// Removes the member `name` and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.position(name).ok()?;
        Some(self.members.remove(index).1)
    }

    /// Returns the number of members.
    pub const fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether there are no members.
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns the members in canonical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.members
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the names in canonical order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) const fn members(&self) -> &[(String, Value)] {
        self.members.as_slice()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.members
            .binary_search_by(|(other, _)| compare_names(other, name))
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Object {
    /// Collects members in any order; of members with one name the last one stays.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut members: Vec<(String, Value)> = members
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        members.reverse();
        members.sort_by(|(a, _), (b, _)| compare_names(a, b));
        members.dedup_by(|(later, _), (kept, _)| later == kept);
        Self { members }
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

/// Compares two names by their UTF-16 code units.
///
/// UTF-8 bytes sort by code point. UTF-16 differs in one place: surrogates (D800 to DFFF, which
/// stand for U+10000 and above, first byte F0 to F4) come before U+E000 to U+FFFF (first byte EE or
/// EF). Those two first bytes are moved behind F4; neither is ever a continuation byte.
pub(crate) fn compare_names(a: &str, b: &str) -> Ordering {
    fn rank(byte: u8) -> u8 {
        if matches!(byte, 0xee | 0xef) {
            byte | 0x10
        } else {
            byte
        }
    }
    a.bytes().map(rank).cmp(b.bytes().map(rank))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(members: &[(&str, i32)]) -> Object {
        members
            .iter()
            .map(|(name, value)| (*name, *value))
            .collect()
    }

    #[test]
    fn collecting_sorts_by_utf16_and_keeps_the_last() {
        let got = object(&[
            ("\u{fb33}", 1),
            ("b", 2),
            ("\u{1f600}", 3),
            ("b", 4),
            ("", 5),
        ]);
        let names: Vec<&str> = got.names().collect();
        assert_eq!(names, ["", "b", "\u{1f600}", "\u{fb33}"]);
        assert_eq!(got.get("b"), Some(&Value::from(4)));
        assert_eq!(
            (got.len(), got.is_empty(), Object::new().is_empty()),
            (4, false, true)
        );
    }

    #[test]
    fn insert_and_remove_return_the_old_value_and_keep_the_order() {
        let mut got = object(&[("c", 1), ("a", 2)]);
        assert_eq!(got.insert("b", 3), None);
        assert_eq!(got.insert("a", "x"), Some(Value::from(2)));
        assert_eq!(got.remove("c"), Some(Value::from(1)));
        assert_eq!(
            (got.remove("c"), got.get("c"), got.contains("b")),
            (None, None, true)
        );
        let members: Vec<(String, Value)> = got.into_iter().collect();
        assert_eq!(
            members,
            [("a".into(), Value::from("x")), ("b".into(), Value::from(3))]
        );
    }

    proptest! {
        #[test]
        fn names_compare_as_their_utf16_code_units(a in "\\PC{0,6}|[\u{d7fe}-\u{e002}\u{fffc}-\u{10002}]{0,4}",
                                                   b in "\\PC{0,6}|[\u{d7fe}-\u{e002}\u{fffc}-\u{10002}]{0,4}") {
            prop_assert_eq!(compare_names(&a, &b), a.encode_utf16().cmp(b.encode_utf16()));
        }
    }
}
