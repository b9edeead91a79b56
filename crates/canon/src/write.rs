// SPDX-License-Identifier: Apache-2.0
//! RFC 8785 text of a value.

use std::slice;

use crate::value::Value;

/// Returns the RFC 8785 text of `value`: no white space, members by the UTF-16 code units of their
/// names, numbers and strings as ECMAScript writes them.
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    let mut open: Vec<Open<'_>> = Vec::new();
    start(value, &mut out, &mut open);
    while let Some(level) = open.last_mut() {
        let next = level.next(&mut out);
        match next {
            Some(value) => start(value, &mut out, &mut open),
            None => {
                open.pop();
            }
        }
    }
    out
}

/// An array or object whose opening bracket is written.
enum Open<'a> {
    Array {
        rest: slice::Iter<'a, Value>,
        first: bool,
    },
    Object {
        rest: slice::Iter<'a, (String, Value)>,
        first: bool,
    },
}

impl<'a> Open<'a> {
    /// Writes what stands before the next value and returns it, or writes the closing bracket.
    fn next(&mut self, out: &mut String) -> Option<&'a Value> {
        let (first, next, close) = match self {
            Self::Array { rest, first } => (first, rest.next().map(|value| (None, value)), ']'),
            Self::Object { rest, first } => (
                first,
                rest.next().map(|(name, value)| (Some(name), value)),
                '}',
            ),
        };
        let Some((name, value)) = next else {
            out.push(close);
            return None;
        };
        if !std::mem::take(first) {
            out.push(',');
        }
        if let Some(name) = name {
            write_string(name, out);
            out.push(':');
        }
        Some(value)
    }
}

/// Writes a scalar, or the opening bracket of anything else.
fn start<'a>(value: &'a Value, out: &mut String, open: &mut Vec<Open<'a>>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => number.write_to(out),
        Value::String(text) => write_string(text, out),
        Value::Array(elements) => {
            out.push('[');
            open.push(Open::Array {
                rest: elements.iter(),
                first: true,
            });
        }
        Value::Object(object) => {
            out.push('{');
            open.push(Open::Object {
                rest: object.members().iter(),
                first: true,
            });
        }
    }
}

/// Writes a string by RFC 8785 section 3.2.2.2: the short escapes, `\u00xx` for other controls,
/// every other character as it is.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    out.reserve(text.len().saturating_add(1));
    let mut rest = text;
    // Runs of plain bytes go over whole; what is escaped is one byte, so that the cuts are sound.
    while let Some(at) = rest.bytes().position(|byte| !plain(byte)) {
        let (run, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(run);
        let mut characters = after.chars();
        if let Some(character) = characters.next() {
            write_character(character, out);
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn write_character(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\0'..='\u{f}' | '\u{10}'..='\u{1f}' => {
            out.push_str(if character < '\u{10}' {
                "\\u000"
            } else {
                "\\u001"
            });
            out.extend(char::from_digit(u32::from(character) & 0xf, 16));
        }
        _ => out.push(character),
    }
}
