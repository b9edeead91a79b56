// SPDX-License-Identifier: Apache-2.0
//! What the parser has in hand: commands, words and lists that are not complete.

use super::ast::{Assign, Item, Kind, Node, Part, Slice, WordNode};
use super::ast::{Ast, Redirect};

/// What ends a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closer {
    /// The end of the text.
    End,
    /// `)` of `$(`, `<(`, `>(`
    Sub { process: bool, quoted: bool },
    /// `)`
    Paren,
    /// `}`
    Brace,
    /// `fi`
    Fi,
    /// `done`
    Done,
    /// `esac`
    Esac,
}

/// What the next word of a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// A command.
    Command,
    /// The variable of a `for`.
    Variable,
    /// `in`, or the first command.
    In,
    /// The words that a `for` goes through.
    Words,
    /// What a `case` looks at.
    Subject,
    /// `in` of a `case`.
    CaseIn,
    /// Patterns, up to `)`.
    Pattern,
}

/// What a word is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Argument,
    Target(&'static str),
    Body(usize),
}

/// A word in the making.
#[derive(Debug)]
pub(super) struct WordBuilder {
    pub(super) parts: Vec<Part>,
    pub(super) start: usize,
    pub(super) purpose: Purpose,
    /// Where the value begins, if it is an assignment; and whether it appends.
    pub(super) value: Option<(usize, bool)>,
    /// Parentheses of an array or a pattern that are open.
    pub(super) parens: usize,
    pub(super) array: bool,
    /// What a here-document runs.
    pub(super) subs: Vec<usize>,
}

/// A command in the making.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) assigns: Vec<Assign>,
    pub(super) words: Vec<WordNode>,
    pub(super) redirects: Vec<Redirect>,
    pub(super) subs: Vec<usize>,
    /// A block that is complete but for redirections after it.
    pub(super) block: Option<BlockParts>,
    /// The function that it is the body of.
    pub(super) function: Option<Slice>,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Inside of `[[ … ]]`.
    pub(super) test: bool,
    /// The next word names a function.
    pub(super) names_function: bool,
}

/// A block that is closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockParts {
    pub(super) kind: Kind,
    pub(super) name: Slice,
    pub(super) words: Slice,
    pub(super) items: Slice,
}

impl Command {
    /// Whether nothing of it was read.
    pub(super) fn is_bare(&self) -> bool {
        self.words.is_empty()
            && self.assigns.is_empty()
            && self.redirects.is_empty()
            && self.block.is_none()
    }

    /// Puts it into the tree. Returns the place of its node.
    pub(super) fn finish(&mut self, ast: &mut Ast) -> Option<usize> {
        if self.is_bare() {
            return None;
        }
        let redirects = append(&mut ast.redirects, &mut self.redirects);
        let subs = append(&mut ast.sub_lists, &mut self.subs);
        let node = if let Some(block) = self.block.take() {
            let BlockParts {
                kind,
                name,
                words,
                items,
            } = block;
            Node::Block {
                kind,
                name,
                words,
                items,
                redirects,
                subs,
            }
        } else {
            let assigns = append(&mut ast.assigns, &mut self.assigns);
            let words = append(&mut ast.words, &mut self.words);
            let bytes = Slice {
                from: self.start,
                to: self.end,
            };
            Node::Simple {
                assigns,
                words,
                redirects,
                subs,
                bytes,
            }
        };
        self.test = false;
        self.names_function = false;
        let mut place = push(&mut ast.nodes, node);
        if let Some(name) = self.function.take() {
            place = push(&mut ast.nodes, Node::Function { name, body: place });
        }
        Some(place)
    }
}

/// A list in the making.
#[derive(Debug)]
pub(super) struct List {
    pub(super) closer: Closer,
    pub(super) items: Vec<Item>,
    pub(super) piped: bool,
    pub(super) command: Command,
    pub(super) expect: Expect,
    pub(super) kind: Kind,
    pub(super) name: Slice,
    /// Words of its header, and what they run.
    pub(super) header: Vec<WordNode>,
    pub(super) header_subs: Vec<usize>,
}

impl List {
    pub(super) fn new(closer: Closer, kind: Kind, expect: Expect) -> Self {
        Self {
            closer,
            items: Vec::new(),
            piped: false,
            command: Command::default(),
            expect,
            kind,
            name: Slice::default(),
            header: Vec::new(),
            header_subs: Vec::new(),
        }
    }
}

/// Moves all of `from` to the end of `to`, and says where it lies there.
pub(super) fn append<T>(to: &mut Vec<T>, from: &mut Vec<T>) -> Slice {
    let start = to.len();
    to.append(from);
    Slice {
        from: start,
        to: to.len(),
    }
}

/// Puts one at the end, and says where it lies.
pub(super) fn push<T>(to: &mut Vec<T>, one: T) -> usize {
    to.push(one);
    to.len().saturating_sub(1)
}
