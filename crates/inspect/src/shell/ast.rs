// SPDX-License-Identifier: Apache-2.0
//! A shell text, parsed. Everything lies flat in lists and refers by place, so that nothing that
//! reads or drops it recurses.

/// Places `from..to` in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl Slice {
    /// The part of `list` that it means.
    pub(crate) fn of<T>(self, list: &[T]) -> &[T] {
        list.get(self.from..self.to).unwrap_or_default()
    }
}

/// What is done with a variable's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `$x`, `${x}`, and what does not change the text much.
    Plain,
    /// `${#x}`
    Length,
    /// `${!x}`
    Indirect,
    /// `${x-w}`, `${x:-w}`, `${x=w}`, `${x:=w}`
    Default,
    /// `${x+w}`, `${x:+w}`
    Alternative,
    /// `${x#w}`, `${x##w}`
    TrimStart,
    /// `${x%w}`, `${x%%w}`
    TrimEnd,
    /// `${x/a/b}`, `${x//a/b}`
    Replace,
    /// `${x:0:2}`
    Cut,
    /// `${x^^}`
    Upper,
    /// `${x,,}`
    Lower,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Bytes of the text, as they stand.
    Text {
        start: usize,
        end: usize,
        quoted: bool,
    },
    /// Text that is not in the source: ANSI-C quotes.
    Made { text: Box<str>, quoted: bool },
    /// A variable; the parts of its word follow, up to [`Self::End`].
    Variable {
        name: Slice,
        form: Form,
        quoted: bool,
    },
    /// The end of a variable's word.
    End,
    /// `$(…)`, `` `…` ``, `<(…)`: a place in [`Ast::subs`].
    Sub { sub: usize, quoted: bool },
    /// A number that arithmetic gives.
    Number,
    /// An unquoted `*`, `?` or `[`.
    Glob(u8),
    /// An unquoted `{`, `,` or `}` which may be brace expansion.
    Brace(u8),
}

/// A word: its parts, and its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WordNode {
    pub(crate) parts: Slice,
    pub(crate) bytes: Slice,
}

/// Commands whose output or input stands in a word.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sub {
    /// `$(…)`: its items.
    Output(Slice),
    /// `` `…` ``: bytes whose backslashes are to be taken off before they are parsed.
    Backtick(Slice),
    /// `<(…)` or `>(…)`
    Process(Slice),
}

/// `NAME=value`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assign {
    pub(crate) name: Slice,
    pub(crate) append: bool,
    pub(crate) value: WordNode,
}

/// A redirection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Redirect {
    pub(crate) operator: &'static str,
    pub(crate) target: WordNode,
    /// Of a here-document: a place in [`Ast::bodies`].
    pub(crate) body: Option<usize>,
}

/// A here-document's text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Body {
    pub(crate) word: WordNode,
    /// What it runs: a part of [`Ast::sub_lists`].
    pub(crate) subs: Slice,
}

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `(…)`
    Subshell,
    /// `{…}`
    Group,
    /// `if`, `while`, `until`
    Branch,
    /// `for`, `select`
    For,
    /// `case`
    Case,
}

/// A command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node {
    /// Assignments, words, redirections.
    Simple {
        assigns: Slice,
        words: Slice,
        redirects: Slice,
        subs: Slice,
        bytes: Slice,
    },
    /// A list with brackets around it. `words`: those of `for x in …` and `case … in`.
    Block {
        kind: Kind,
        name: Slice,
        words: Slice,
        items: Slice,
        redirects: Slice,
        subs: Slice,
    },
    /// `name() body`
    Function { name: Slice, body: usize },
}

/// A command in a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) node: usize,
    /// Whether it reads what the one before it writes.
    pub(crate) piped: bool,
}

/// A parsed text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ast {
    pub(crate) parts: Vec<Part>,
    pub(crate) words: Vec<WordNode>,
    pub(crate) subs: Vec<Sub>,
    /// Places in `subs`: those that a command has in its words.
    pub(crate) sub_lists: Vec<usize>,
    pub(crate) assigns: Vec<Assign>,
    pub(crate) redirects: Vec<Redirect>,
    pub(crate) bodies: Vec<Body>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) items: Vec<Item>,
    /// The text's own list.
    pub(crate) top: Slice,
    /// Where something was opened that nothing closes.
    pub(crate) open: Option<usize>,
}
