// SPDX-License-Identifier: Apache-2.0
//! Options of a command line, as getopt reads them.

use crate::shell::command::{Flow, Origin, Word};

/// A piece of a word.
#[expect(clippy::struct_field_names, reason = "a piece of text has a text")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'w> {
    pub(crate) text: &'w str,
    pub(crate) flow: Flow,
    pub(crate) origin: Origin,
}

impl<'w> Text<'w> {
    pub(crate) fn of(word: &'w Word) -> Self {
        Self {
            text: &word.text,
            flow: word.flow,
            origin: word.origin,
        }
    }
}

/// One argument.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg<'w> {
    /// `-x` or `--xyz` without a value: its name without dashes.
    Flag(&'w str),
    /// With a value.
    Value(&'w str, Text<'w>),
    /// Anything else, with its place among the words.
    Plain(Text<'w>, usize),
}

/// Which options take values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    /// Letters.
    pub(crate) short: &'static str,
    /// Names. A beginning of a name counts as the name, as GNU and curl take it.
    pub(crate) long: &'static [&'static str],
    /// Single-dash names, as `openssl` and `find` have them.
    pub(crate) single: bool,
    /// The first plain argument ends the options.
    pub(crate) posix: bool,
}

impl Spec {
    pub(crate) const fn new(short: &'static str, long: &'static [&'static str]) -> Self {
        Self {
            short,
            long,
            single: false,
            posix: false,
        }
    }

    pub(crate) const fn posix(short: &'static str, long: &'static [&'static str]) -> Self {
        Self {
            short,
            long,
            single: false,
            posix: true,
        }
    }

    pub(crate) const fn single(long: &'static [&'static str]) -> Self {
        Self {
            short: "",
            long,
            single: true,
            posix: false,
        }
    }
}

/// Goes through the arguments.
#[derive(Debug)]
pub(crate) struct Args<'w> {
    words: &'w [Word],
    at: usize,
    spec: Spec,
    /// Letters of a cluster that are left.
    cluster: Option<Text<'w>>,
    plain: bool,
}

impl<'w> Args<'w> {
    /// `words` are the arguments without the program's name.
    pub(crate) const fn new(words: &'w [Word], spec: Spec) -> Self {
        Self {
            words,
            at: 0,
            spec,
            cluster: None,
            plain: false,
        }
    }

    fn take(&mut self) -> Option<&'w Word> {
        let word = self.words.get(self.at)?;
        self.at = self.at.saturating_add(1);
        Some(word)
    }

    /// The place of the next word.
    pub(crate) const fn place(&self) -> usize {
        self.at
    }

    fn long(&mut self, word: &'w Word, name: &'w str) -> Arg<'w> {
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        let full = self
            .spec
            .long
            .iter()
            .find(|long| **long == name)
            .or_else(|| {
                self.spec
                    .long
                    .iter()
                    .find(|long| name.len() > 2 && long.starts_with(name))
            });
        match (value, full) {
            (Some(text), _) => Arg::Value(
                full.copied().unwrap_or(name),
                Text {
                    text,
                    flow: word.flow,
                    origin: word.origin,
                },
            ),
            (None, Some(full)) => match self.take() {
                Some(value) => Arg::Value(full, Text::of(value)),
                None => Arg::Flag(full),
            },
            (None, None) => Arg::Flag(name),
        }
    }

    fn short(&mut self, cluster: Text<'w>) -> Option<Arg<'w>> {
        let letter = cluster.text.chars().next()?;
        let (name, rest) = cluster.text.split_at_checked(letter.len_utf8())?;
        if self.spec.short.contains(letter) {
            self.cluster = None;
            if rest.is_empty() {
                return Some(match self.take() {
                    Some(value) => Arg::Value(name, Text::of(value)),
                    None => Arg::Flag(name),
                });
            }
            return Some(Arg::Value(
                name,
                Text {
                    text: rest,
                    ..cluster
                },
            ));
        }
        self.cluster = (!rest.is_empty()).then_some(Text {
            text: rest,
            ..cluster
        });
        Some(Arg::Flag(name))
    }
}

impl<'w> Iterator for Args<'w> {
    type Item = Arg<'w>;

    fn next(&mut self) -> Option<Arg<'w>> {
        if let Some(cluster) = self.cluster.take()
            && let Some(arg) = self.short(cluster)
        {
            return Some(arg);
        }
        let place = self.at;
        let word = self.take()?;
        let text = word.text.as_str();
        if self.plain || !text.starts_with('-') || text == "-" {
            self.plain |= self.spec.posix;
            return Some(Arg::Plain(Text::of(word), place));
        }
        if text == "--" {
            self.plain = true;
            return self.next_plain();
        }
        if let Some(name) = text.strip_prefix("--") {
            return Some(self.long(word, name));
        }
        let name = text.get(1..).unwrap_or_default();
        if self.spec.single {
            return Some(self.long(word, name));
        }
        self.short(Text {
            text: name,
            flow: word.flow,
            origin: word.origin,
        })
    }
}

impl<'w> Args<'w> {
    fn next_plain(&mut self) -> Option<Arg<'w>> {
        let place = self.at;
        self.take().map(|word| Arg::Plain(Text::of(word), place))
    }
}
