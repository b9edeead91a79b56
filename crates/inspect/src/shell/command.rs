// SPDX-License-Identifier: Apache-2.0
//! Commands that a call runs, as values.

use crate::budget::OverBudget;

/// Where data comes from: a set, as bits. Empty: written in the call itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flow(u16);

impl Flow {
    /// Nothing but what is written in the call.
    pub const NONE: Self = Self(0);
    /// The network, from a host that is not allowed or not known.
    pub const NETWORK: Self = Self(1);
    /// The network, from hosts that are allowed.
    pub const LISTED: Self = Self(1 << 1);
    /// A file that may hold a secret (keys, credentials, `.env`, system accounts), or its value.
    pub const SECRET: Self = Self(1 << 2);
    /// Any other file.
    pub const FILE: Self = Self(1 << 3);
    /// The environment, whole.
    pub const ENVIRONMENT: Self = Self(1 << 4);
    /// What tells this machine or its user from others: `whoami`, `hostname`.
    pub const IDENTITY: Self = Self(1 << 5);
    /// A file tree, a dump, history: much at once.
    pub const BULK: Self = Self(1 << 6);
    /// A decoder: base64, hex, `rev`, `tr`, decryption.
    pub const DECODED: Self = Self(1 << 7);
    /// Not known: the output of a command, a variable that nothing set.
    pub const UNKNOWN: Self = Self(1 << 8);

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they share a source.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Which bytes of the call something was read from. For code in code: those of the word that holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// A place in `Reading::texts`.
    pub text: usize,
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A word after all expansions that can be told from the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Its text, without quotes; `\u{FFFC}` stands where a part is not known.
    pub text: String,
    /// Where its parts come from.
    pub flow: Flow,
    /// Whether a pattern (`*`, `?`, `[…]`) outside of quotes is in it.
    pub glob: bool,
    /// Where it stands.
    pub origin: Origin,
}

impl Word {
    /// Stands for a part that is not known.
    pub const HOLE: char = '\u{FFFC}';

    /// Whether all of it is known.
    pub fn is_known(&self) -> bool {
        !self.text.contains(Self::HOLE)
    }
}

/// A redirection of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    /// The operator: `<`, `>`, `>>`, `<>`, `>|`, `&>`, `&>>`, `<&`, `>&`, `<<`, `<<<`.
    pub operator: &'static str,
    /// The file, or the text of a here-document.
    pub target: Word,
}

/// One command that is run, without the wrappers (`env`, `sudo`, `timeout`, …) before it; these
/// are commands of their own, before it in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The program's name and its arguments. Empty for a bare redirection or assignment.
    pub words: Vec<Word>,
    /// `NAME=value` before it.
    pub environment: Vec<(String, Word)>,
    /// Its redirections.
    pub redirections: Vec<Redirection>,
    /// What it reads: what the command before it in the pipeline writes, a file, a here-document.
    pub stdin: Flow,
    /// Where it stands.
    pub origin: Origin,
}

impl Command {
    /// The program's name without its folder, as it is run. Empty if there is none.
    pub fn name(&self) -> &str {
        let name = self.words.first().map_or("", |word| word.text.as_str());
        name.rsplit('/').next().unwrap_or(name)
    }

    /// Its arguments.
    pub fn arguments(&self) -> &[Word] {
        self.words.get(1..).unwrap_or_default()
    }
}

/// All that a call runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// In the order in which they stand.
    pub commands: Vec<Command>,
    /// Why reading stopped, if it did.
    pub over: Option<OverBudget>,
    /// Text that no shell would read, an open quote for example: where.
    pub unreadable: Option<Origin>,
}
