// SPDX-License-Identifier: Apache-2.0
//! File names that count.

use std::cmp::Ordering;

/// Compares names so that numbers in them count as numbers: `r-2` comes before `r-10`.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (left, right) = (digits(a), digits(b));
        if !left.is_empty() && !right.is_empty() {
            let (x, y) = (trimmed(left), trimmed(right));
            let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if order != Ordering::Equal {
                return order;
            }
            a = a.get(left.len()..).unwrap_or_default();
            b = b.get(right.len()..).unwrap_or_default();
            continue;
        }
        match (a.split_first(), b.split_first()) {
            (Some((x, rest)), Some((y, others))) if x == y => (a, b) = (rest, others),
            (left, right) => return left.cmp(&right),
        }
    }
}

/// Whether the names differ in their numbers alone, and count up: then somebody numbered them, and
/// their order says something.
pub(super) fn are_counted(names: &[&str]) -> bool {
    let pattern = |name: &str| {
        let mut pattern: Vec<u8> = Vec::new();
        for byte in name.bytes() {
            let mark = if byte.is_ascii_digit() { b'0' } else { byte };
            if mark != b'0' || pattern.last() != Some(&b'0') {
                pattern.push(mark);
            }
        }
        pattern
    };
    let Some(first) = names.first().map(|name| pattern(name)) else {
        return false;
    };
    names.len() > 1
        && first.contains(&b'0')
        && names.iter().all(|name| pattern(name) == first)
        && names.is_sorted_by(|a, b| compare(a, b) == Ordering::Less)
}

fn digits(text: &[u8]) -> &[u8] {
    let count = text.iter().take_while(|it| it.is_ascii_digit()).count();
    text.get(..count).unwrap_or_default()
}

fn trimmed(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|it| **it == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let mut names = ["r-10", "r-9", "r-", "q", "r-010a", "r-2"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["q", "r-", "r-2", "r-9", "r-10", "r-010a"]);
    }

    #[test]
    fn names_count_only_if_nothing_but_their_numbers_differs() {
        assert!(are_counted(&["a/000.json", "a/001.json", "a/010.json"]));
        assert!(are_counted(&["r9.json", "r10.json"]));
        assert!(!are_counted(&["r10.json", "r9.json"]));
        assert!(!are_counted(&["r1.json"]));
        assert!(!are_counted(&["a.json", "b.json"]));
        assert!(!are_counted(&["1a.json", "2b.json"]));
        assert!(!are_counted(&[]));
    }
}
