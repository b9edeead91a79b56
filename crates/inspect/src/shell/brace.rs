// SPDX-License-Identifier: Apache-2.0
//! Brace expansion: `{a,b}` and `{a..c}`.

use super::ast::Part;

/// Words that one may become.
const MOST_WORDS: usize = 64;
/// Parts of all of them.
const MOST_PARTS: usize = 1 << 14;

/// The words that a word with braces becomes, as lists of parts; `None` if there are too many.
pub(super) fn expand(parts: &[Part], text: &str) -> Option<Vec<Vec<Part>>> {
    let mut done = Vec::new();
    // The first to be looked at is the last: words come out in their order.
    let mut left = vec![(parts.to_vec(), 0_usize)];
    let mut total = parts.len();
    while let Some((word, from)) = left.pop() {
        let Some((open, close, alternatives)) = find(&word, from, text) else {
            done.push(word);
            continue;
        };
        if done
            .len()
            .saturating_add(left.len())
            .saturating_add(alternatives.len())
            > MOST_WORDS
        {
            return None;
        }
        for alternative in alternatives.into_iter().rev() {
            let mut next = word.get(..open).unwrap_or_default().to_vec();
            next.extend(alternative);
            next.extend_from_slice(word.get(close.saturating_add(1)..).unwrap_or_default());
            total = total.saturating_add(next.len());
            if total > MOST_PARTS {
                return None;
            }
            left.push((next, open));
        }
    }
    Some(done)
}

type Found = (usize, usize, Vec<Vec<Part>>);

/// The first braces that expand, from a part on: their places, and what stands for them.
fn find(word: &[Part], from: usize, text: &str) -> Option<Found> {
    // Which `{` has which `}`, and the commas right inside.
    let mut stack: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut best: Option<(usize, usize, Vec<usize>)> = None;
    for (place, part) in word.iter().enumerate().skip(from) {
        match part {
            Part::Brace(b'{') => stack.push((place, Vec::new())),
            Part::Brace(b',') => {
                if let Some((_, commas)) = stack.last_mut() {
                    commas.push(place);
                }
            }
            Part::Brace(_) => {
                let Some((open, commas)) = stack.pop() else {
                    continue;
                };
                let inside = word.get(open.saturating_add(1)..place).unwrap_or_default();
                let expands = !commas.is_empty() || sequence(inside, text).is_some();
                if expands && best.as_ref().is_none_or(|(first, ..)| open < *first) {
                    best = Some((open, place, commas));
                }
                if stack.is_empty() && best.is_some() {
                    break;
                }
            }
            Part::Text { .. }
            | Part::Made { .. }
            | Part::Variable { .. }
            | Part::End
            | Part::Sub { .. }
            | Part::Number
            | Part::Glob(_) => {}
        }
    }
    let (open, close, commas) = best?;
    let inside = |from: usize, to: usize| word.get(from.saturating_add(1)..to).unwrap_or_default();
    if commas.is_empty() {
        return Some((open, close, sequence(inside(open, close), text)?));
    }
    let mut alternatives = Vec::new();
    let mut start = open;
    for end in commas.into_iter().chain([close]) {
        alternatives.push(inside(start, end).to_vec());
        start = end;
    }
    Some((open, close, alternatives))
}

/// `a..c` or `1..3`.
fn sequence(inside: &[Part], text: &str) -> Option<Vec<Vec<Part>>> {
    let [
        Part::Text {
            start,
            end,
            quoted: false,
        },
    ] = inside
    else {
        return None;
    };
    let (from, to) = text.get(*start..*end)?.split_once("..")?;
    let to = to.split_once("..").map_or(to, |(to, _step)| to);
    let made = |text: String| {
        vec![Part::Made {
            text: text.into(),
            quoted: true,
        }]
    };
    if let (Ok(from), Ok(to)) = (from.parse::<i64>(), to.parse::<i64>()) {
        let (low, high) = (from.min(to), from.max(to));
        let count = high.saturating_sub(low).min(63);
        return Some(
            (0..=count)
                .map(|step| made(low.saturating_add(step).to_string()))
                .collect(),
        );
    }
    let one = |text: &str| {
        text.bytes()
            .next()
            .filter(|byte| text.len() == 1 && byte.is_ascii_alphabetic())
    };
    let (from, to) = (one(from)?, one(to)?);
    Some(
        (from.min(to)..=from.max(to))
            .map(|byte| made(char::from(byte).to_string()))
            .collect(),
    )
}
