// SPDX-License-Identifier: Apache-2.0
//! Commands that a call runs, as values.

use super::act::Act;
use crate::budget::OverBudget;
use crate::net::Target;

/// Where data comes from: a set of sources, and the hosts if the network is one of them. Empty:
/// written in the call itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flow {
    sources: u16,
    /// Places in `Program::targets`; the last bit stands for all from there on.
    hosts: u64,
}

impl Flow {
    /// Nothing but what is written in the call.
    pub const NONE: Self = Self::source(0);
    /// The network.
    pub const NETWORK: Self = Self::source(1);
    /// A file that may hold a secret (keys, credentials, `.env`, system accounts), or its value.
    pub const SECRET: Self = Self::source(1 << 1);
    /// Any other file.
    pub const FILE: Self = Self::source(1 << 2);
    /// The environment, whole.
    pub const ENVIRONMENT: Self = Self::source(1 << 3);
    /// What tells this machine or its user from others: `whoami`, `hostname`.
    pub const IDENTITY: Self = Self::source(1 << 4);
    /// A file tree, a dump, history: much at once.
    pub const BULK: Self = Self::source(1 << 5);
    /// A decoder: base64, hex, `rev`, `tr`, decryption.
    pub const DECODED: Self = Self::source(1 << 6);
    /// Not known: the output of a command, a variable that nothing set.
    pub const UNKNOWN: Self = Self::source(1 << 7);
    /// A variable of the environment whose name says that it is secret.
    pub const TOKEN: Self = Self::source(1 << 8);

    const fn source(sources: u16) -> Self {
        Self { sources, hosts: 0 }
    }

    /// The network, from the target at a place in `Program::targets`.
    pub(crate) fn from_target(place: usize) -> Self {
        let bit = u32::try_from(place.min(63)).unwrap_or(63);
        Self {
            sources: Self::NETWORK.sources,
            hosts: 1_u64.wrapping_shl(bit),
        }
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self {
            sources: self.sources | other.sources,
            hosts: self.hosts | other.hosts,
        }
    }

    /// Without the sources of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self {
            sources: self.sources & !other.sources,
            hosts: self.hosts,
        }
    }

    /// Whether they share a source.
    pub const fn meets(self, other: Self) -> bool {
        self.sources & other.sources != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.sources == 0
    }

    /// The places in `Program::targets` that it came from; `None` if there are too many to tell.
    pub(crate) fn targets(self) -> Option<impl Iterator<Item = usize>> {
        let bits = self.hosts;
        let set =
            move |place: &usize| bits.wrapping_shr(u32::try_from(*place).unwrap_or(63)) & 1 == 1;
        (bits.wrapping_shr(63) == 0).then(|| (0..63_usize).filter(set))
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
    /// Whether it runs in a container, a pod or on another machine.
    pub elsewhere: bool,
    /// What it does that leaves this machine or runs other code.
    pub(crate) acts: Vec<Act>,
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
    /// Every target that a command or a piece of code talks to.
    pub targets: Vec<Target>,
    /// In the order in which they stand.
    pub commands: Vec<Command>,
    /// Why reading stopped, if it did.
    pub over: Option<OverBudget>,
    /// Text that no shell would read, an open quote for example: where.
    pub unreadable: Option<Origin>,
}
