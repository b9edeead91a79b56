// SPDX-License-Identifier: Apache-2.0
//! JSON as Python writes it: `json.dumps(value, sort_keys=True, ensure_ascii=True,
//! separators=(",", ":"))`.
//!
//! Python tells `1` from `1.0`, which a parsed number here does not; so numbers are read again from
//! the document's text. It writes a float by `repr`: the shortest digits that read back the same,
//! with an exponent below 1e-4 and from 1e16.

use ambit_canon::{Limits, Value, parse};

use crate::acta::has_ascii_names;
use crate::encoding::hex;
use crate::verify::LIMITS;

/// Returns the text of the document's `payload`, or nothing if Python would not have signed it or
/// its text is uncertain.
///
/// `value` must be what the document parses to.
pub(crate) fn payload_text(document: &[u8], value: &Value) -> Option<String> {
    member_text(document, value, &["payload"])
}

/// Returns the text of the member to which `names` lead, under the same conditions.
pub(crate) fn member_text(document: &[u8], value: &Value, names: &[&str]) -> Option<String> {
    let value = marked(document, value)?;
    let mut member = &value;
    for name in names {
        member = member.get(name)?;
    }
    let mut out = String::new();
    write_value(member, &mut out)?;
    Some(out)
}

/// Returns the text of the whole document, or nothing if it is uncertain.
///
/// `value` must be what the document parses to.
pub(crate) fn text(document: &[u8], value: &Value) -> Option<String> {
    member_text(document, value, &[])
}

/// Returns the document with its numbers as strings of a mark and their own text.
fn marked(document: &[u8], value: &Value) -> Option<Value> {
    // The skill signs nothing with other names; and of these the order is the same everywhere.
    if !has_ascii_names(value) || has_marked_strings(value) {
        return None;
    }
    let marked = mark_numbers(std::str::from_utf8(document).ok()?);
    let limits = Limits {
        // A digit with its comma, two bytes, becomes ten.
        max_bytes: LIMITS.max_bytes.saturating_mul(8),
        ..LIMITS
    };
    parse(marked.as_bytes(), &limits).ok()
}

/// What a number's text gets in front when it is turned into a string.
const MARK: char = '\u{1}';
const ESCAPED_MARK: &str = "\\u0001";

fn has_marked_strings(value: &Value) -> bool {
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        match value {
            Value::String(text) if text.starts_with(MARK) => return true,
            Value::Array(elements) => rest.extend(elements),
            Value::Object(object) => rest.extend(object.iter().map(|(_, value)| value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    false
}

/// Turns the numbers of strict JSON into strings of a mark and the number's own text.
fn mark_numbers(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    let (mut in_string, mut escaped, mut in_number) = (false, false, false);
    for character in document.chars() {
        let starts = matches!(character, '-' | '0'..='9');
        if in_number && !(starts || matches!(character, '+' | '.' | 'e' | 'E')) {
            out.push('"');
            in_number = false;
        } else if !in_number && !in_string && starts {
            out.push('"');
            out.push_str(ESCAPED_MARK);
            in_number = true;
        }
        if in_string {
            let ends = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            in_string = !ends;
        } else {
            in_string = character == '"';
        }
        out.push(character);
    }
    out
}

/// Recurses once per level; a parsed value has at most as many as [`LIMITS`] says.
fn write_value(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::String(text) => match text.strip_prefix(MARK) {
            Some(number) => write_number(number, out)?,
            None => write_string(text, out),
        },
        // There are none left.
        Value::Number(_) => return None,
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(element, out)?;
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (index, (name, member)) in object.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write_value(member, out)?;
            }
            out.push('}');
        }
    }
    Some(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str("\\u");
                    out.push_str(&hex(&unit.to_be_bytes()));
                }
            }
        }
    }
    out.push('"');
}

fn write_number(text: &str, out: &mut String) -> Option<()> {
    if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        out.push_str(&float(text.parse().ok()?)?);
    } else {
        out.push_str(&text.parse::<i64>().ok()?.to_string());
    }
    Some(())
}

/// Returns Python's `repr` of a finite float.
fn float(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e')?;
    let decimals = mantissa
        .split_once('.')
        .map_or(0, |(_, digits)| digits.len());
    let exponent: i32 = exponent.parse().ok()?;
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let text = half_even(value, format!("{value:.decimals$e}"), &shortest);
        let (mantissa, _) = text.split_once('e')?;
        let sign = if exponent < 0 { '-' } else { '+' };
        return Some(format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs()));
    }
    let decimals = i32::try_from(decimals).ok()?.saturating_sub(exponent);
    let decimals = usize::try_from(decimals).unwrap_or(0);
    let plain = half_even(value, format!("{value:.decimals$}"), &format!("{value}"));
    let point = if plain.contains('.') { "" } else { ".0" };
    Some(format!("{plain}{point}"))
}

/// Chooses between two texts of as many digits. Where the value lies in the middle of both, Rust's
/// shortest text is rounded up and Python's to the even digit, as Rust's text of a given length is;
/// but not every text of that length reads back the same.
fn half_even(value: f64, rounded: String, shortest: &str) -> String {
    let same = |read: f64| read.to_bits() == value.to_bits();
    if rounded.parse().is_ok_and(same) {
        rounded
    } else {
        shortest.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (value, want) in [
            (1.0, "1.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.55, "0.55"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e22, "1.25e+22"),
            (1e100, "1e+100"),
            (-123_456.789, "-123456.789"),
            (333_333_333.333_333_3, "333333333.3333333"),
            // In the middle of two texts: to the even digit.
            (-163_031_794_690_089.13, "-163031794690089.12"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(float(value).as_deref(), Some(want));
        }
        assert_eq!((float(f64::NAN), float(f64::INFINITY)), (None, None));
    }

    #[test]
    fn a_payload_is_written_as_python_writes_it() {
        let text = |payload: &str| {
            let document = format!("{{\"payload\":{payload}}}");
            let value = parse(document.as_bytes(), &LIMITS).unwrap();
            payload_text(document.as_bytes(), &value)
        };
        for (payload, want) in [
            (
                r#"{"b":1,"a":1.0,"c":1e0,"d":-0}"#,
                r#"{"a":1.0,"b":1,"c":1.0,"d":0}"#,
            ),
            (
                r#"{"a":"1.0","b":[1,-2.50,true,null,{}]}"#,
                r#"{"a":"1.0","b":[1,-2.5,true,null,{}]}"#,
            ),
            (r#"{"a":"\\\"1","b":"\\"}"#, r#"{"a":"\\\"1","b":"\\"}"#),
            (
                "{\"a\":\"é\u{7f}😀/\\/\"}",
                r#"{"a":"\u00e9\u007f\ud83d\ude00//"}"#,
            ),
        ] {
            assert_eq!(text(payload).as_deref(), Some(want), "{payload}");
        }
        for payload in [r#"{"é":1}"#, r#"{"a":["\u0001x"]}"#] {
            assert_eq!(text(payload), None, "{payload}");
        }
    }
}
