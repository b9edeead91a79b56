// SPDX-License-Identifier: Apache-2.0
//! What makes a call the same although its text differs: white space, and fields that change with
//! every call.

use ambit_canon::{Object, Value, write};

/// Names of members and of query parameters that change with every call and mean nothing, in lower
/// case.
const VOLATILE: [&str; 26] = [
    "_",
    "_t",
    "cache_buster",
    "cachebust",
    "cachebuster",
    "call_id",
    "cb",
    "correlation_id",
    "correlationid",
    "guid",
    "idempotency_key",
    "nonce",
    "rand",
    "random",
    "req_id",
    "request_id",
    "requestid",
    "salt",
    "span_id",
    "timestamp",
    "tool_call_id",
    "tool_use_id",
    "trace_id",
    "ts",
    "uuid",
    "x-request-id",
];

/// Names that are masked: those of the table, and those that were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Masks {
    /// In lower case.
    own: Vec<String>,
}

impl Masks {
    pub(super) fn new(names: &[String]) -> Self {
        let own = names.iter().map(|name| name.to_lowercase()).collect();
        Self { own }
    }

    fn covers(&self, name: &str) -> bool {
        let in_table = VOLATILE.iter().any(|it| it.eq_ignore_ascii_case(name));
        in_table || self.own.iter().any(|it| it.eq_ignore_ascii_case(name))
    }

    /// The canonical text of `params` with white space collapsed; `None` where that changes nothing.
    pub(super) fn collapsed(canonical: &str) -> Option<String> {
        if !canonical.contains([' ', '\\']) {
            return None;
        }
        let collapsed = collapse(canonical);
        (collapsed != canonical).then_some(collapsed)
    }

    /// The same without volatile fields; `None` where there are none.
    pub(super) fn masked(&self, params: &Value, canonical: &str) -> Option<String> {
        let members = self.has_member(params);
        let text = if members {
            write(&self.without(params))
        } else if canonical.contains('?') {
            canonical.to_owned()
        } else {
            return None;
        };
        let (text, queries) = self.without_queries(&text);
        (members || queries).then(|| collapse(&text))
    }

    fn has_member(&self, value: &Value) -> bool {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(items) => open.extend(items),
                Value::Object(members) => {
                    if members.names().any(|name| self.covers(name)) {
                        return true;
                    }
                    open.extend(members.iter().map(|(_, value)| value));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        false
    }

    /// Recurses once per level; a parsed value is at most 128 levels deep.
    fn without(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => Value::Array(items.iter().map(|it| self.without(it)).collect()),
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .filter(|(name, _)| !self.covers(name))
                    .map(|(name, value)| (name, self.without(value)))
                    .collect::<Object>(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    /// Takes `name=value` after `?` and `&` out where the name is volatile.
    fn without_queries(&self, text: &str) -> (String, bool) {
        let mut out = String::with_capacity(text.len());
        let mut found = false;
        let mut rest = text;
        while let Some(at) = rest.find(['?', '&']) {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let after = from.get(1..).unwrap_or_default();
            let end = after
                .find(['&', '?', '#', '"', '\\', ' ', '\''])
                .unwrap_or(after.len());
            let (pair, next) = after.split_at(end);
            let named = pair
                .split_once('=')
                .is_some_and(|(name, _)| self.covers(name));
            if named {
                found = true;
            } else {
                out.push_str(from.get(..1).unwrap_or_default());
                out.push_str(pair);
            }
            rest = next;
        }
        out.push_str(rest);
        (out, found)
    }
}

/// White space of any length within a string becomes one space, and at its ends nothing. Works on
/// canonical text, whose only white space stands in strings.
fn collapse(canonical: &str) -> String {
    let mut out = String::with_capacity(canonical.len());
    // Whether white space is still to be written, and whether a quote was the last character.
    let (mut space, mut quoted) = (false, true);
    let mut rest = canonical;
    while !rest.is_empty() {
        // What is no white space, escape or quote goes over as it is.
        let run = rest
            .bytes()
            .position(|byte| matches!(byte, b' ' | b'\\' | b'"'))
            .unwrap_or(rest.len());
        if let Some((plain, after)) = rest.split_at_checked(run)
            && run > 0
        {
            if std::mem::take(&mut space) {
                out.push(' ');
            }
            quoted = false;
            out.push_str(plain);
            rest = after;
            continue;
        }
        let mut characters = rest.chars();
        let Some(character) = characters.next() else {
            break;
        };
        let escaped = if character == '\\' {
            characters.next()
        } else {
            None
        };
        rest = characters.as_str();
        match (character, escaped) {
            (' ', _) | ('\\', Some('n' | 't' | 'r')) => {
                space = !quoted;
                continue;
            }
            // The end of a string, or its start: white space at its ends is nothing.
            ('"', None) => {
                quoted = true;
                out.push('"');
            }
            _ => {
                if space {
                    out.push(' ');
                }
                quoted = false;
                out.push(character);
                out.extend(escaped);
            }
        }
        space = false;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ambit_canon::{Limits, parse};

    fn canonical(text: &str) -> (Value, String) {
        let value = parse(text.as_bytes(), &Limits::default()).unwrap();
        let text = write(&value);
        (value, text)
    }

    #[test]
    fn white_space_is_collapsed_within_strings_and_dropped_at_their_ends() {
        for (text, want) in [
            (r#"{"a":" ls  -l\n"}"#, Some(r#"{"a":"ls -l"}"#)),
            (r#"{"a":"ls -l"}"#, None),
            (r#"["\t","x \\n y"]"#, Some(r#"["","x \\n y"]"#)),
            (r#""a\"  b""#, Some(r#""a\" b""#)),
        ] {
            let (_, canonical) = canonical(text);
            assert_eq!(Masks::collapsed(&canonical).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn volatile_members_and_query_parameters_are_masked() {
        let masks = Masks::new(&["Page".to_owned()]);
        for (text, want) in [
            (r#"{"a":1,"nonce":7}"#, Some(r#"{"a":1}"#)),
            (
                r#"{"a":[{"Timestamp":7,"b":2}],"page":3}"#,
                Some(r#"{"a":[{"b":2}]}"#),
            ),
            (
                r#"{"url":"http://h/?a=1&_=7&b=2"}"#,
                Some(r#"{"url":"http://h/?a=1&b=2"}"#),
            ),
            (
                r#"{"url":"http://h/?ts=1"}"#,
                Some(r#"{"url":"http://h/"}"#),
            ),
            (r#"{"url":"http://h/?a=1"}"#, None),
            (r#"{"a":1}"#, None),
        ] {
            let (value, canonical) = canonical(text);
            assert_eq!(masks.masked(&value, &canonical).as_deref(), want, "{text}");
        }
    }
}
