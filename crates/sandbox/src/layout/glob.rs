// SPDX-License-Identifier: Apache-2.0
//! Globs of whole paths: `**` spans folders, `*` and `?` stay in one name, `[a-z]` and `[!a-z]` are
//! one character. They mean what `src/run/glob.ts` means by them; one table tests both. Matching
//! takes steps in proportion to pattern times name and never goes back.

use std::collections::BTreeSet;

/// A glob, to be followed name by name from the root.
#[derive(Debug)]
pub(crate) struct Glob {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    /// `**`: any number of names.
    Span,
    /// One name.
    Name(Vec<Piece>),
}

#[derive(Clone, Debug)]
enum Piece {
    /// Any one character.
    Any,
    /// Exactly this character.
    One(char),
    /// Any text.
    Text,
    /// One character of these ranges, or, negated, of none.
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// Where in a glob the path so far may have come to.
pub(crate) type Positions = BTreeSet<usize>;

impl Glob {
    /// Reads an absolute pattern.
    pub(crate) fn new(pattern: &str) -> Self {
        let names = pattern.split('/').filter(|name| !name.is_empty());
        let parts = names
            .map(|name| match name {
                "**" => Part::Span,
                name => Part::Name(pieces(name)),
            })
            .collect();
        Self { parts }
    }

    /// Returns the positions before the first name.
    pub(crate) fn start(&self) -> Positions {
        self.settled([0])
    }

    /// Returns where a path comes to with one name more; nothing when it cannot match any more.
    pub(crate) fn step(&self, positions: &Positions, name: &str) -> Positions {
        let next = positions
            .iter()
            .filter_map(|&position| match self.parts.get(position)? {
                Part::Span => Some(position),
                Part::Name(pieces) => is_like(name, pieces).then(|| position.saturating_add(1)),
            });
        self.settled(next)
    }

    /// Returns whether a path that came to these positions is matched whole.
    pub(crate) fn is_match(&self, positions: &Positions) -> bool {
        positions.contains(&self.parts.len())
    }

    /// `**` may also be no name at all.
    fn settled(&self, positions: impl IntoIterator<Item = usize>) -> Positions {
        let mut out = Positions::new();
        for mut position in positions {
            out.insert(position);
            while matches!(self.parts.get(position), Some(Part::Span)) {
                position = position.saturating_add(1);
                out.insert(position);
            }
        }
        out
    }
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rest: Vec<char> = pattern.chars().rev().collect();
    while let Some(character) = rest.pop() {
        out.push(match character {
            '*' if matches!(out.last(), Some(Piece::Text)) => continue,
            '*' => Piece::Text,
            '?' => Piece::Any,
            '[' => set(&mut rest).unwrap_or(Piece::One('[')),
            other => Piece::One(other),
        });
    }
    out
}

/// Reads a set whose `[` was taken; `rest` is in reverse. A `]` that stands first is of the set.
fn set(rest: &mut Vec<char>) -> Option<Piece> {
    let ahead: Vec<char> = rest.iter().rev().copied().collect();
    let negated = ahead.first() == Some(&'!');
    let first = usize::from(negated);
    let after_first = ahead.get(first.checked_add(1)?..)?;
    let length = after_first.iter().position(|it| *it == ']')?;
    let end = first.checked_add(1)?.checked_add(length)?;
    let members = ahead.get(first..end)?;
    rest.truncate(rest.len().checked_sub(end.checked_add(1)?)?);
    let mut ranges = Vec::new();
    let mut left = members;
    while let [low, after @ ..] = left {
        (ranges, left) = match after {
            ['-', high, others @ ..] => (pushed(ranges, (*low, *high)), others),
            others => (pushed(ranges, (*low, *low)), others),
        };
    }
    Some(Piece::Set { negated, ranges })
}

fn pushed<T>(mut list: Vec<T>, item: T) -> Vec<T> {
    list.push(item);
    list
}

/// Matches a name greedily: when it fails, only the last `*` takes one character more.
fn is_like(name: &str, pieces: &[Piece]) -> bool {
    let characters: Vec<char> = name.chars().collect();
    let (mut at, mut piece) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&character) = characters.get(at) {
        match pieces.get(piece) {
            Some(Piece::Text) => {
                star = Some((piece, at));
                piece = piece.saturating_add(1);
            }
            Some(one) if takes(one, character) => {
                at = at.saturating_add(1);
                piece = piece.saturating_add(1);
            }
            Some(_) | None => match star {
                None => return false,
                Some((text, taken)) => {
                    at = taken.saturating_add(1);
                    piece = text.saturating_add(1);
                    star = Some((text, at));
                }
            },
        }
    }
    pieces
        .get(piece..)
        .unwrap_or_default()
        .iter()
        .all(|rest| matches!(rest, Piece::Text))
}

fn takes(piece: &Piece, character: char) -> bool {
    match piece {
        Piece::Any => true,
        Piece::One(wanted) => *wanted == character,
        Piece::Text => false,
        Piece::Set { negated, ranges } => {
            let among = |(low, high): &(char, char)| (*low..=*high).contains(&character);
            ranges.iter().any(among) != *negated
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `__test__/vectors/globs.json`, which `src/run/glob.ts` is tested with too.
    #[test]
    fn matches_as_the_globs_of_artifacts_do() {
        let table = include_str!("../../../../__test__/vectors/globs.json");
        let rows: Vec<(String, String, bool)> = serde_json::from_str(table).unwrap();
        assert!(rows.len() > 30);
        for (pattern, path, want) in rows {
            let glob = Glob::new(&pattern);
            let names = path.split('/').filter(|name| !name.is_empty());
            let end = names.fold(glob.start(), |at, name| glob.step(&at, name));
            assert_eq!(glob.is_match(&end), want, "`{pattern}` on `{path}`");
        }
    }

    #[test]
    fn takes_time_in_proportion_to_a_hostile_pattern() {
        let pattern = format!("/{}b", "*a".repeat(500));
        let name = "a".repeat(4000);
        let glob = Glob::new(&pattern);
        assert!(!glob.is_match(&glob.step(&glob.start(), &name)));
    }
}
