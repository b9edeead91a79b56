// SPDX-License-Identifier: Apache-2.0
//! Tokens of code in any of the common languages: names, strings, marks. Linear, without grammar.

use crate::shell::command::Word;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name; `-` and `:` belong to it as `PowerShell` and Perl have them.
    Name(String),
    /// A string without its quotes; what is put in at run time is a hole.
    Text { text: String, tick: bool },
    /// Any other byte.
    Mark(u8),
}

/// The most tokens that are read of one piece of code.
const MOST: usize = 200_000;

/// Reads `code` into tokens. Comments are left out; adjacent strings with `+` or `.` between are one.
pub(super) fn tokens(code: &str) -> Vec<Token> {
    let bytes = code.as_bytes();
    let mut out: Vec<Token> = Vec::new();
    let mut at = 0_usize;
    let get = |at: usize| bytes.get(at).copied().unwrap_or(0);
    while at < bytes.len() && out.len() < MOST {
        let byte = get(at);
        let next = get(at.saturating_add(1));
        let before = at.checked_sub(1).map_or(b'\n', get);
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at = at.saturating_add(1),
            b'#' if matches!(before, b' ' | b'\t' | b'\n' | b';') && next != b'{' => {
                at = line_end(bytes, at);
            }
            b'/' if next == b'/' && before != b':' => at = line_end(bytes, at),
            b'/' if next == b'*' => {
                let rest = code.get(at.saturating_add(2)..).unwrap_or_default();
                at = rest
                    .find("*/")
                    .map_or(bytes.len(), |end| at.saturating_add(end).saturating_add(4));
            }
            b'"' | b'\'' | b'`' => {
                let (text, end) = string(code, at, byte);
                push_text(&mut out, text, byte == b'`');
                at = end;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | b'$' | b'@' | 0x80.. => {
                let mut end = at.saturating_add(1);
                while is_name(get(end))
                    || (get(end) == b'-' && get(end.saturating_add(1)).is_ascii_alphabetic())
                {
                    end = end.saturating_add(1);
                }
                out.push(Token::Name(
                    code.get(at..end).unwrap_or_default().to_owned(),
                ));
                at = end;
            }
            _ => {
                out.push(Token::Mark(byte));
                at = at.saturating_add(1);
            }
        }
    }
    out
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at.saturating_add(
        rest.iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len()),
    )
}

/// A string from its quote at `start`; returns its text and the place after it.
fn string(code: &str, start: usize, quote: u8) -> (String, usize) {
    let bytes = code.as_bytes();
    let triple = bytes
        .get(start..start.saturating_add(3))
        .is_some_and(|three| three.iter().all(|byte| *byte == quote));
    let open = if triple { 3 } else { 1 };
    let from = start.saturating_add(open);
    let mut at = from;
    let closes = |at: usize| {
        if triple {
            bytes
                .get(at..at.saturating_add(3))
                .is_some_and(|three| three.iter().all(|byte| *byte == quote))
        } else {
            bytes.get(at) == Some(&quote)
        }
    };
    while at < bytes.len() && !closes(at) {
        at = at.saturating_add(if bytes.get(at) == Some(&b'\\') { 2 } else { 1 });
    }
    let end = at.min(bytes.len());
    let raw = code.get(from..end).unwrap_or_default();
    let text = crate::shell::escape::unescape(raw.as_bytes(), crate::shell::escape::Style::AnsiC);
    (holes(&text), end.saturating_add(open).min(bytes.len()))
}

/// `${…}`, `#{…}` and `{…}` of templates become holes.
fn holes(text: &str) -> String {
    if !text.contains("${") && !text.contains("#{") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '#']) {
        let (before, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        if tail.get(1..2) == Some("{") {
            out.push(Word::HOLE);
            rest = tail
                .find('}')
                .and_then(|end| tail.get(end.saturating_add(1)..))
                .unwrap_or_default();
        } else {
            out.push_str(tail.get(..1).unwrap_or_default());
            rest = tail.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

/// Adds a string; one that is joined to the last is a part of it.
fn push_text(out: &mut Vec<Token>, text: String, tick: bool) {
    let joined = matches!(out.last(), Some(Token::Mark(b'+' | b'.')))
        && matches!(out.iter().rev().nth(1), Some(Token::Text { .. }));
    if joined {
        out.pop();
        if let Some(Token::Text { text: before, .. }) = out.last_mut() {
            before.push_str(&text);
            return;
        }
    }
    out.push(Token::Text { text, tick });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_becomes_names_and_strings() {
        let read = |code: &str| {
            let all: Vec<_> = tokens(code)
                .into_iter()
                .map(|token| match token {
                    Token::Name(name) => name,
                    Token::Text { text, .. } => format!("\"{text}\""),
                    Token::Mark(byte) => char::from(byte).to_string(),
                })
                .collect();
            all.join(" ")
        };
        assert_eq!(read("f('a' + \"b\") # 'c'"), "f ( \"ab\" )");
        assert_eq!(read("x = 1 // 'no'\ny"), "x = 1 y");
        assert_eq!(
            read("Invoke-WebRequest 'https://a.example//b'"),
            "Invoke-WebRequest \"https://a.example//b\""
        );
        assert_eq!(read("`curl ${x}y`"), "\"curl \u{FFFC}y\"");
        assert_eq!(read("'''a'b'''"), "\"a'b\"");
        assert_eq!(read("'open"), "\"open\"");
    }
}
