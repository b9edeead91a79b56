// SPDX-License-Identifier: Apache-2.0
//! Every scalar of a call's parameters, and every name, as text with its place.

use std::borrow::Cow;

use ambit_canon::{Value, write};

use crate::finding::Span;

/// A scalar, or the name of a member.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    /// The name of the nearest member; empty at the top.
    pub(crate) key: &'a str,
    /// A string as it is; a number, a boolean and `null` as JSON writes them.
    pub(crate) text: Cow<'a, str>,
    /// Whether this is a member's name.
    pub(crate) is_name: bool,
    node: usize,
}

/// One step to a value.
#[derive(Debug)]
enum Step<'a> {
    Member(&'a str),
    Index(usize),
}

/// All fields, in the order of the parameters' canonical text.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) list: Vec<Field<'a>>,
    /// Where a value hangs, and by which step. The first is the parameters themselves.
    nodes: Vec<(usize, Step<'a>)>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(params: &'a Value) -> Self {
        let mut all = Self {
            list: Vec::new(),
            nodes: vec![(0, Step::Index(0))],
        };
        let mut open = vec![(params, 0, "")];
        while let Some((value, node, key)) = open.pop() {
            match value {
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate().rev() {
                        open.push((item, all.node(node, Step::Index(index)), key));
                    }
                }
                Value::Object(members) => {
                    let first = open.len();
                    for (name, member) in members.iter() {
                        let node = all.node(node, Step::Member(name));
                        all.list.push(Field {
                            key: name,
                            text: Cow::Borrowed(name),
                            is_name: true,
                            node,
                        });
                        open.push((member, node, name));
                    }
                    if let Some(members) = open.get_mut(first..) {
                        members.reverse();
                    }
                }
                Value::String(text) => all.scalar(key, Cow::Borrowed(text), node),
                Value::Null | Value::Bool(_) | Value::Number(_) => {
                    all.scalar(key, Cow::Owned(write(value)), node);
                }
            }
        }
        all
    }

    fn scalar(&mut self, key: &'a str, text: Cow<'a, str>, node: usize) {
        self.list.push(Field {
            key,
            text,
            is_name: false,
            node,
        });
    }

    fn node(&mut self, parent: usize, step: Step<'a>) -> usize {
        self.nodes.push((parent, step));
        self.nodes.len().saturating_sub(1)
    }

    /// The scalars.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Field<'a>> {
        self.list.iter().filter(|field| !field.is_name)
    }

    /// The JSON Pointer (RFC 6901) of a field's value.
    pub(crate) fn pointer(&self, field: &Field<'_>) -> String {
        let mut steps = Vec::new();
        let mut at = field.node;
        while at != 0 {
            let Some((parent, step)) = self.nodes.get(at) else {
                break;
            };
            steps.push(step);
            at = *parent;
        }
        let mut pointer = String::new();
        for step in steps.iter().rev() {
            pointer.push('/');
            match step {
                Step::Member(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }

    /// Bytes `start..end` of a field's text; of a name, the place of its value.
    pub(crate) fn span(&self, field: &Field<'_>, start: usize, end: usize) -> Span {
        let (start, end) = if field.is_name { (0, 0) } else { (start, end) };
        Span {
            pointer: self.pointer(field),
            start,
            end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ambit_canon::{Limits, parse};

    #[test]
    fn every_scalar_and_name_is_there_with_its_place() {
        let text = br#"{"a":[1,{"b/c":true}],"d":"x","e":null}"#;
        let params = parse(text, &Limits::default()).unwrap();
        let fields = Fields::of(&params);
        let values: Vec<_> = fields
            .values()
            .map(|it| format!("{} {} {}", fields.pointer(it), it.key, it.text))
            .collect();
        assert_eq!(
            values,
            ["/a/0 a 1", "/a/1/b~1c b/c true", "/d d x", "/e e null"]
        );
        let names: Vec<_> = fields.list.iter().filter(|it| it.is_name).collect();
        assert_eq!(names.len(), 4);
        assert_eq!(fields.span(names[0], 3, 4).end, 0);
    }
}
