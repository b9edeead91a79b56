// SPDX-License-Identifier: Apache-2.0
//! From the parts of a word to the words that a command gets.

use std::borrow::Cow;

use super::files;
use super::value::Value;
use super::{Evaluator, Script};
use crate::shell::ast::{Form, Part, WordNode};
use crate::shell::brace;
use crate::shell::command::{Flow, Origin, Word};

/// A `${…}` that is open: what its word is so far.
struct Open {
    name: String,
    form: Form,
    quoted: bool,
    word: Value,
}

/// The words that come out of one.
struct Fields<'o> {
    out: &'o mut Vec<Word>,
    word: Word,
    /// Whether there is a word at all: `$x` of nothing is none, `""` is one.
    any: bool,
    split: bool,
    separators: Cow<'static, str>,
}

impl Fields<'_> {
    fn push(&mut self, value: &Value, quoted: bool) {
        self.word.flow = self.word.flow.with(value.flow);
        if quoted || !self.split {
            self.word.text.push_str(&value.text);
            self.any = true;
            return;
        }
        let mut rest = value.text.as_str();
        while let Some(at) = rest.find(|c| self.separators.contains(c)) {
            let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.word.text.push_str(before);
            self.any |= !before.is_empty();
            self.cut();
            let mut after = after.chars();
            after.next();
            rest = after.as_str();
        }
        self.word.text.push_str(rest);
        self.any |= !rest.is_empty();
    }

    fn cut(&mut self) {
        if self.any {
            let next = Word {
                origin: self.word.origin,
                flow: self.word.flow,
                ..Word::default()
            };
            self.out.push(std::mem::replace(&mut self.word, next));
            self.any = false;
        }
    }
}

impl Evaluator<'_> {
    /// The words that `node` becomes. With `split`, fields and braces make several.
    pub(super) fn expand(
        &mut self,
        script: &Script,
        id: usize,
        node: WordNode,
        split: bool,
        out: &mut Vec<Word>,
    ) {
        let origin = script.origin(node.bytes.from, node.bytes.to);
        let parts = node.parts.of(&script.ast.parts);
        self.spend(node.bytes.to.saturating_sub(node.bytes.from));
        // Most words are one piece of text.
        if let [Part::Text { start, end, .. }] = parts {
            let text = script.text.get(*start..*end).unwrap_or_default().to_owned();
            return out.push(Word {
                text,
                origin,
                ..Word::default()
            });
        }
        let braces = split && parts.iter().any(|part| matches!(part, Part::Brace(b'{')));
        if braces {
            match brace::expand(parts, &script.text) {
                Some(words) => {
                    for word in words {
                        self.spend(word.len());
                        self.fields(script, id, &word, origin, split, out);
                    }
                }
                None => out.push(Word {
                    text: Word::HOLE.into(),
                    flow: Flow::UNKNOWN,
                    glob: false,
                    origin,
                }),
            }
            return;
        }
        self.fields(script, id, parts, origin, split, out);
    }

    /// One word, without splitting.
    pub(super) fn expand_one(&mut self, script: &Script, id: usize, node: WordNode) -> Word {
        let mut out = Vec::new();
        self.expand(script, id, node, false, &mut out);
        out.pop().unwrap_or_default()
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn fields(
        &mut self,
        script: &Script,
        id: usize,
        parts: &[Part],
        origin: Origin,
        split: bool,
        out: &mut Vec<Word>,
    ) {
        let before = out.len();
        let separators = match self.variables.get("IFS") {
            Some(value) if value.is_known() => Cow::Owned(value.text.clone()),
            _ => Cow::Borrowed(" \t\n"),
        };
        let word = Word {
            origin,
            ..Word::default()
        };
        let mut fields = Fields {
            out,
            word,
            any: false,
            split,
            separators,
        };
        let mut open: Vec<Open> = Vec::new();
        for part in parts {
            let (value, quoted) = match part {
                Part::Variable { name, form, quoted } => {
                    let name = script
                        .text
                        .get(name.from..name.to)
                        .unwrap_or_default()
                        .to_owned();
                    open.push(Open {
                        name,
                        form: *form,
                        quoted: *quoted,
                        word: Value::default(),
                    });
                    continue;
                }
                Part::End => match open.pop() {
                    // `"$@"` is as many words as there are arguments.
                    Some(done) if open.is_empty() && is_all(&done) && split => {
                        let all = self.arguments.last().cloned().unwrap_or_default();
                        for (place, value) in all.iter().enumerate() {
                            self.spend(value.text.len());
                            if place > 0 {
                                fields.cut();
                            }
                            fields.push(value, true);
                        }
                        continue;
                    }
                    Some(done) => {
                        let quoted = done.quoted;
                        (self.form(&done), quoted)
                    }
                    None => continue,
                },
                // Text as it stands, at the top: nothing to part, and its flow is none.
                Part::Text { start, end, .. } if open.is_empty() => {
                    let text = script.text.get(*start..*end).unwrap_or_default();
                    self.spend(text.len());
                    fields.word.text.push_str(text);
                    fields.any = true;
                    continue;
                }
                Part::Text { start, end, .. } => (
                    Value::known(script.text.get(*start..*end).unwrap_or_default()),
                    true,
                ),
                // The blanks between an array's elements part words.
                Part::Made { text, quoted } => (Value::known(text.as_ref()), *quoted),
                Part::Sub { sub, quoted } => (self.sub_value(id, *sub), *quoted),
                Part::Number => (Value::hole(Flow::NONE), true),
                Part::Glob(byte) => {
                    fields.word.glob |= open.is_empty();
                    (Value::known(char::from(*byte)), true)
                }
                Part::Brace(byte) => (Value::known(char::from(*byte)), true),
            };
            self.spend(value.text.len());
            if let Some(outer) = open.last_mut() {
                outer.word.text.push_str(&value.text);
                outer.word.flow = outer.word.flow.with(value.flow);
            } else {
                fields.push(&value, quoted);
            }
        }
        if fields.any || !split {
            fields.any = true;
            fields.cut();
        }
        // The flow of a word is that of all its parts, also of those split off later.
        let made = out.get_mut(before..).unwrap_or_default();
        let all = made
            .iter()
            .fold(Flow::NONE, |flow, word| flow.with(word.flow));
        for word in made {
            word.flow = all;
        }
    }

    fn sub_value(&self, id: usize, sub: usize) -> Value {
        let stream = self.results.get(id).and_then(|results| results.get(sub));
        stream.cloned().unwrap_or_default().into_value()
    }

    /// A variable after what its `${…}` does with it.
    fn form(&self, open: &Open) -> Value {
        let word = &open.word;
        let known = self.lookup(&open.name);
        let value = known.clone().unwrap_or_else(|| unset(&open.name));
        let flow = value.flow;
        let whole = value.is_known();
        let map = |text: String| Value { text, flow };
        match open.form {
            Form::Plain => value,
            Form::Length => Value::hole(Flow::NONE),
            Form::Indirect if whole => self
                .lookup(&value.text)
                .unwrap_or_else(|| unset(&value.text)),
            Form::Default => match known {
                // Not set here: the word is what it is in doubt.
                Some(known) if !known.text.is_empty() => known,
                _ => Value {
                    text: word.text.clone(),
                    flow: word.flow.with(flow.without(Flow::UNKNOWN)),
                },
            },
            Form::Alternative => match known {
                Some(known) if known.text.is_empty() => known,
                _ => word.clone(),
            },
            Form::TrimStart if whole && is_literal(&word.text) => map(value
                .text
                .strip_prefix(word.text.as_str())
                .unwrap_or(&value.text)
                .to_owned()),
            Form::TrimEnd if whole && is_literal(&word.text) => map(value
                .text
                .strip_suffix(word.text.as_str())
                .unwrap_or(&value.text)
                .to_owned()),
            Form::Replace if whole => {
                let (from, to) = word.text.split_once('/').unwrap_or((&word.text, ""));
                if from.is_empty() || !is_literal(from) {
                    return Value::hole(flow);
                }
                map(value.text.replace(from, to))
            }
            Form::Cut if whole => {
                cut(&value.text, &word.text).map_or_else(|| Value::hole(flow), map)
            }
            Form::Upper if whole => map(value.text.to_uppercase()),
            Form::Lower if whole => map(value.text.to_lowercase()),
            Form::Indirect
            | Form::TrimStart
            | Form::TrimEnd
            | Form::Replace
            | Form::Cut
            | Form::Upper
            | Form::Lower => Value::hole(flow),
        }
    }

    /// The value of a variable that this text, or every shell, sets.
    pub(super) fn lookup(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.variables.get(name) {
            return Some(value.clone());
        }
        let arguments = self.arguments.last();
        let joined = |arguments: &Vec<Value>| {
            let text = arguments
                .iter()
                .map(|value| value.text.as_str())
                .collect::<Vec<_>>()
                .join(" ");
            let flow = arguments
                .iter()
                .fold(Flow::NONE, |flow, value| flow.with(value.flow));
            Value { text, flow }
        };
        match name {
            "@" | "*" => return Some(arguments.map_or_else(Value::default, joined)),
            "HOME" => return Some(Value::known("~")),
            "PWD" => return Some(Value::known(".")),
            "IFS" => return Some(Value::known(" \t\n")),
            "TMPDIR" => return Some(Value::known("/tmp")),
            "PATH" => return Some(Value::known("/usr/bin:/bin")),
            "SHELL" => return Some(Value::known("/bin/bash")),
            "0" | "BASH" => return Some(Value::known("bash")),
            _ => {}
        }
        if name.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() {
            let place = name.parse::<usize>().unwrap_or(usize::MAX);
            let value = arguments.and_then(|arguments| arguments.get(place.saturating_sub(1)));
            // Without arguments `$1` is nothing: it serves to hide names.
            return Some(value.cloned().unwrap_or_default());
        }
        None
    }
}

/// Whether it is `"$@"`.
fn is_all(open: &Open) -> bool {
    open.quoted && open.name == "@" && open.form == Form::Plain
}

fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '[', Word::HOLE])
}

/// What a variable holds that the text does not set.
fn unset(name: &str) -> Value {
    let flow = match name {
        "USER" | "LOGNAME" | "HOSTNAME" | "UID" | "EUID" | "HOST" => Flow::IDENTITY,
        "?" | "#" | "$" | "!" | "-" | "RANDOM" | "SECONDS" | "LINENO" | "PPID" | "COLUMNS"
        | "LINES" | "OLDPWD" | "SHLVL" | "EPOCHSECONDS" | "BASHPID" => Flow::NONE,
        _ if files::names_secret(name) => Flow::TOKEN,
        _ => Flow::UNKNOWN,
    };
    Value::hole(flow)
}

/// `${x:from:length}`
fn cut(text: &str, range: &str) -> Option<String> {
    let (from, length) = range.split_once(':').unwrap_or((range, ""));
    let from: usize = from.trim().parse().ok()?;
    let length: usize = if length.trim().is_empty() {
        usize::MAX
    } else {
        length.trim().parse().ok()?
    };
    Some(text.chars().skip(from).take(length).collect())
}
