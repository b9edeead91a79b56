// SPDX-License-Identifier: Apache-2.0
//! A quick look that tells calls in which nothing can leave: one pass over a command of plain
//! words, none of which names a program that matters, and over nothing else.
//!
//! It never changes a verdict. A word of letters, digits and a few marks is what it is to a shell;
//! whatever could make it another (quotes inside of words, backslashes, variables, patterns,
//! braces, brackets, redirections) makes the look give up. `tests/prefilter.rs` holds it to that.

use ambit_canon::Value;

use crate::reading::Reading;
use crate::shell::is_inert;

/// Parameters of a command that are text for people, or a number.
const ASIDE: [&str; 4] = ["description", "timeout", "explanation", "justification"];

/// Whether a call has nothing that the parser could find.
pub(super) fn is_harmless(reading: &Reading<'_>) -> bool {
    let can = reading.can();
    if !can.shell || can.http || can.code {
        return false;
    }
    let Some(params) = reading.call().params.as_object() else {
        return false;
    };
    let mut command = None;
    for (name, value) in params.iter() {
        match (name, value) {
            ("command" | "cmd", Value::String(text)) if command.is_none() => command = Some(text),
            (_, Value::Bool(_) | Value::Number(_) | Value::Null) => {}
            (_, Value::String(_)) if ASIDE.contains(&name) => {}
            _ => return false,
        }
    }
    command.is_some_and(|text| is_plain(text.as_bytes(), reading.limits().bytes))
}

/// What a byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Part of a word.
    Word,
    /// Between words.
    Blank,
    /// Between commands.
    Separator,
    /// A quote.
    Quote,
    /// Anything else: the parser must look.
    Other,
}

const CLASSES: [Class; 256] = classes();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when compiled: a place beyond the end is an error there"
)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "evaluated when compiled, from 0 to 255"
)]
const fn classes() -> [Class; 256] {
    let mut all = [Class::Other; 256];
    let mut at = 0_usize;
    while at < 256 {
        let byte = at as u8;
        all[at] = match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'_'
            | b'-'
            | b'.'
            | b'/'
            | b','
            | b'+'
            | b'%'
            | b'@' => Class::Word,
            b' ' | b'\t' => Class::Blank,
            b'\n' | b';' | b'&' | b'|' => Class::Separator,
            b'\'' | b'"' => Class::Quote,
            _ => Class::Other,
        };
        at = at.wrapping_add(1);
    }
    all
}

/// Whether a text is plain words, and its commands inert.
#[expect(
    clippy::too_many_lines,
    reason = "one table or one walk, which reads better whole"
)]
fn is_plain(bytes: &[u8], limit: usize) -> bool {
    // The budgets of bytes and nodes are the parser's to count.
    if bytes.len() > limit.min(128 << 10) {
        return false;
    }
    let mut rest = bytes;
    let (mut first, mut second, mut pair, mut message) = (true, false, false, false);
    // Of a package manager only scripts and what is locked: no options, for some run commands.
    let mut package = false;
    while let Some((byte, tail)) = rest.split_first() {
        match class(*byte) {
            Class::Blank => rest = tail,
            Class::Separator => {
                // `;;`, `&&`, `||`: all the same here. `|` gives the next one something to read,
                // which no inert program runs.
                if second {
                    return false;
                }
                first = true;
                rest = tail;
            }
            Class::Word => {
                let end = rest
                    .iter()
                    .position(|byte| class(*byte) != Class::Word)
                    .unwrap_or(rest.len());
                let (word, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                // A quote or another mark inside of a word.
                if after
                    .first()
                    .is_some_and(|byte| matches!(class(*byte), Class::Quote | Class::Other))
                {
                    return false;
                }
                if first {
                    package = matches!(word, b"npm" | b"pnpm" | b"yarn");
                    pair = package || matches!(word, b"git" | b"cargo");
                    if !pair && !is_inert(word) {
                        return false;
                    }
                    second = pair;
                } else if std::mem::take(&mut second) {
                    let inert = if package {
                        matches!(word, b"run" | b"test" | b"ci" | b"install" | b"ls")
                    } else {
                        is_inert_verb(word)
                    };
                    if !inert {
                        return false;
                    }
                } else if pair && (runs_code(word) || package && word.starts_with(b"-")) {
                    return false;
                }
                first = false;
                message = word == b"-m";
                rest = after;
            }
            Class::Quote if !first && !second && (!pair || message) => {
                // A whole word in quotes: nothing in it may expand, and it is no URL.
                let quote = *byte;
                let Some(end) = tail.iter().position(|byte| *byte == quote) else {
                    return false;
                };
                let (text, after) = tail.split_at_checked(end).unwrap_or((tail, &[]));
                let expands = text.contains(&b':')
                    || (quote == b'"'
                        && text.iter().any(|byte| matches!(byte, b'$' | b'`' | b'\\')));
                let after = after.get(1..).unwrap_or_default();
                if expands
                    || after.first().is_some_and(|byte| {
                        matches!(class(*byte), Class::Word | Class::Quote | Class::Other)
                    })
                {
                    return false;
                }
                rest = after;
            }
            Class::Quote | Class::Other => return false,
        }
    }
    !second
}

/// Sub-commands of git and cargo that stay here.
fn is_inert_verb(word: &[u8]) -> bool {
    matches!(
        word,
        b"status"
            | b"diff"
            | b"log"
            | b"add"
            | b"commit"
            | b"branch"
            | b"show"
            | b"test"
            | b"build"
            | b"check"
            | b"clippy"
            | b"fmt"
            | b"doc"
    )
}

/// Arguments by which these are told to run something, or to do something else.
fn runs_code(word: &[u8]) -> bool {
    matches!(
        word,
        b"-c"
            | b"-x"
            | b"-u"
            | b"config"
            | b"foreach"
            | b"run"
            | b"publish"
            | b"exec"
            | b"dlx"
            | b"x"
    ) || word.starts_with(b"--")
        && !matches!(
            word,
            b"--workspace"
                | b"--all-targets"
                | b"--release"
                | b"--short"
                | b"--stat"
                | b"--oneline"
                | b"--cached"
                | b"--"
                | b"--check"
                | b"--quiet"
        )
}

fn class(byte: u8) -> Class {
    CLASSES
        .get(usize::from(byte))
        .copied()
        .unwrap_or(Class::Other)
}
