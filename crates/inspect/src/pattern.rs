// SPDX-License-Identifier: Apache-2.0
//! Patterns of rules: on names of tools, on parameters, on whole calls.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::fields::{Field, Fields};
use crate::reading::{Capabilities, Reading};

/// The most memory that a compiled pattern may take, bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// A regular expression, in the syntax of the `regex` crate: linear in the text, whatever the
/// pattern; without look-around and back-references.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Regex);

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        compile(&text).map(Self)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// Why a text is no pattern: one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

fn compile(text: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(text)
        .size_limit(MAX_PATTERN_BYTES)
        .build()
        .map_err(|error| {
            let words = error.to_string();
            let last = words.lines().last().unwrap_or_default();
            PatternError(last.trim_start_matches("error: ").to_owned())
        })
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// What is wrong with it, or that it is too large.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        compile(text).map(Self)
    }

    /// The same pattern, for a text as a whole.
    pub(crate) fn whole(&self) -> Result<Self, PatternError> {
        compile(&format!(r"\A(?:{})\z", self.0.as_str())).map(Self)
    }

    /// Any of these texts, whatever their case unless that counts.
    pub(crate) fn any_of(texts: &[String], case_sensitive: bool) -> Result<Self, PatternError> {
        let words: Vec<_> = texts.iter().map(|text| regex::escape(text)).collect();
        let flags = if case_sensitive { "" } else { "(?i)" };
        compile(&format!("{flags}(?:{})", words.join("|"))).map(Self)
    }

    /// The bytes of the first match.
    pub(crate) fn find(&self, text: &str) -> Option<(usize, usize)> {
        self.0.find(text).map(|found| (found.start(), found.end()))
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// One text or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Texts {
    /// One.
    One(String),
    /// Any of these.
    Any(Vec<String>),
}

impl Texts {
    /// Whether one of them, `*` being any text, is this one. Letters of either case are the same.
    pub(crate) fn cover(&self, text: &str) -> bool {
        match self {
            Self::One(pattern) => wildcard(pattern, text),
            Self::Any(patterns) => patterns.iter().any(|pattern| wildcard(pattern, text)),
        }
    }
}

/// Greedy matching with one place to come back to: `pattern.len() * text.len()` at most, and both
/// are names.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut from) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match (pattern.get(at), text.get(from)) {
            (Some(b'*'), _) => {
                star = Some((at, from));
                at = at.saturating_add(1);
            }
            (Some(one), Some(other)) if one.eq_ignore_ascii_case(other) => {
                at = at.saturating_add(1);
                from = from.saturating_add(1);
            }
            _ => {
                let Some((place, start)) = star else {
                    return false;
                };
                let start = start.saturating_add(1);
                star = Some((place, start));
                at = place.saturating_add(1);
                from = start;
            }
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// What a tool can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// Runs code of another language than the shell's.
    Code,
    /// Sends requests.
    Http,
    /// Reads files.
    Read,
    /// Runs commands.
    Shell,
    /// Writes files.
    Write,
}

impl Ability {
    /// A tool of which nothing is known can do everything.
    const fn is_of(self, can: Capabilities) -> bool {
        let known = match self {
            Self::Code => can.code,
            Self::Http => can.http,
            Self::Read => can.read,
            Self::Shell => can.shell,
            Self::Write => can.write,
        };
        known || can.is_unknown()
    }
}

/// Which calls are meant: those that meet every condition that is given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallPattern {
    /// The tool's name; `*` is any text.
    pub tool: Option<Texts>,
    /// What the tool can do, all of it; one of which nothing is known can do everything.
    pub can: Vec<Ability>,
    /// For each name of a parameter, at whatever depth, or JSON Pointer: a pattern that one of its
    /// values matches.
    pub params: BTreeMap<String, Pattern>,
    /// A pattern that some value, or the words of a command that the call runs, match.
    pub text: Option<Pattern>,
}

impl CallPattern {
    pub(crate) fn matches(&self, reading: &Reading<'_>, fields: &Fields<'_>) -> bool {
        let tool = self.tool.as_ref();
        tool.is_none_or(|names| names.cover(reading.call().tool))
            && self.can.iter().all(|ability| ability.is_of(reading.can()))
            && self.params.iter().all(|(name, pattern)| {
                named(fields, name).any(|field| pattern.matches(&field.text))
            })
            && self.text.as_ref().is_none_or(|pattern| {
                fields.list.iter().any(|field| pattern.matches(&field.text))
                    || command_lines(reading).any(|line| pattern.matches(&line))
            })
    }
}

/// The values of a parameter: by the name of its member at whatever depth, by its JSON Pointer, or
/// all of them for `*`.
pub(crate) fn named<'f, 'a>(
    fields: &'f Fields<'a>,
    name: &'f str,
) -> impl Iterator<Item = &'f Field<'a>> {
    fields.values().filter(move |field| {
        if name.starts_with('/') {
            fields.pointer(field) == name
        } else {
            name == "*" || field.key == name
        }
    })
}

/// The commands that a call runs, as words with single spaces between them: what quotes and
/// variables hide is seen there.
pub(crate) fn command_lines(reading: &Reading<'_>) -> impl Iterator<Item = String> {
    reading.commands().iter().map(|command| {
        let words: Vec<_> = command.words.iter().map(|it| it.text.as_str()).collect();
        words.join(" ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, Limits};
    use ambit_canon::parse;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, want) in [
            ("shell", "Shell", true),
            ("shell", "shells", false),
            ("*", "", true),
            ("mcp__*__delete*", "mcp__git__delete_branch", true),
            ("mcp__*__delete*", "mcp__git__create", false),
            ("*a*b", "xaxxab", true),
            ("*a*b", "xaxxa", false),
            ("", "x", false),
        ] {
            assert_eq!(wildcard(pattern, text), want, "{pattern} {text}");
        }
    }

    #[test]
    fn every_condition_that_is_given_must_be_met() {
        let params = parse(
            br#"{"to":[{"mail":"a@b.example"}],"n":7}"#,
            &ambit_canon::Limits::default(),
        );
        let params = params.unwrap();
        let reading = Reading::new(Call::new("send_mail", &params), Limits::default());
        let fields = Fields::of(&params);
        for (pattern, want) in [
            ("{}", true),
            (r#"{"tool":"send*"}"#, true),
            (r#"{"tool":["x","send_mail"]}"#, true),
            (r#"{"tool":"x"}"#, false),
            (r#"{"can":["http"]}"#, true),
            (r#"{"params":{"mail":"@b\\.example$"}}"#, true),
            (r#"{"params":{"/to/0/mail":"^a@"}}"#, true),
            (r#"{"params":{"/to/1/mail":"^a@"}}"#, false),
            (r#"{"params":{"mail":"@c"}}"#, false),
            (r#"{"params":{"n":"^7$"}}"#, true),
            (r#"{"params":{"other":""}}"#, false),
            (r#"{"text":"b\\.ex"}"#, true),
            (r#"{"text":"nothing"}"#, false),
            (r#"{"tool":"send*","text":"nothing"}"#, false),
        ] {
            let pattern: CallPattern = serde_json::from_str(pattern).unwrap();
            assert_eq!(pattern.matches(&reading, &fields), want, "{pattern:?}");
        }
        serde_json::from_str::<CallPattern>(r#"{"tools":"x"}"#).unwrap_err();
    }

    #[test]
    fn a_pattern_that_is_none_is_an_error_in_one_line() {
        for (text, want) in [
            ("(", "unclosed group"),
            (
                "(?=x)",
                "look-around, including look-ahead and look-behind, is not supported",
            ),
            (r"(a)\1", "backreferences are not supported"),
        ] {
            assert_eq!(Pattern::new(text).unwrap_err().to_string(), want);
        }
        let large = format!("{}{{1000}}", r"(\w{1000})");
        Pattern::new(&large).unwrap_err();
    }
}
