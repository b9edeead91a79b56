// SPDX-License-Identifier: Apache-2.0
//! The strings of a call.

use ambit_canon::Value;

use super::keys;
use super::tool::Capabilities;

/// What a string is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Shell text, which is run.
    Shell,
    /// One element of an argument vector.
    Argv,
    /// A URL or a host that is asked or sent to.
    Url,
    /// A path of a file.
    Path,
    /// Code of another language, which is run.
    Code,
    /// What a request sends: body, form, query.
    Body,
    /// A header, a cookie, credentials of a request.
    Header,
    /// The value of an environment variable.
    Environment,
    /// What a command reads.
    Stdin,
    /// What is written to a file, or looked for in one.
    Content,
    /// Text for people, which nothing acts on.
    Prose,
    /// One of a few fixed words: a method, a format.
    Option,
    /// Nothing is known of it.
    Other,
}

/// One step to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// A member of an object.
    Member(&'a str),
    /// An element of an array.
    Index(usize),
}

/// One string of a call.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The string.
    pub text: &'a str,
    /// The name of the nearest member; empty at the top.
    pub key: &'a str,
    /// What it is.
    pub role: Role,
    /// The way to it: a place in `Texts::nodes`.
    node: usize,
}

/// A value on the way: where it hangs, and by which key. The first is the parameters themselves.
#[derive(Clone, Copy, Debug)]
struct Node<'a> {
    parent: usize,
    key: Key<'a>,
}

/// All strings of a call.
#[derive(Debug, Default)]
pub(super) struct Texts<'a> {
    pub(super) list: Vec<Text<'a>>,
    pub(super) argvs: Vec<Vec<usize>>,
    nodes: Vec<Node<'a>>,
}

/// A value that is still to be read.
struct Open<'a> {
    value: &'a Value,
    node: usize,
    key: &'a str,
    role: Role,
    /// The argument vector that it is an element of.
    argv: Option<usize>,
}

impl<'a> Texts<'a> {
    /// Reads all strings of `params`.
    pub(super) fn of(params: &'a Value, can: Capabilities) -> Self {
        let mut all = Self {
            nodes: vec![Node {
                parent: 0,
                key: Key::Member(""),
            }],
            ..Self::default()
        };
        let top = if can.shell {
            Role::Shell
        } else if can.code {
            Role::Code
        } else if can.http {
            Role::Url
        } else {
            Role::Other
        };
        let object = params.as_object().is_some();
        let role = if object { Role::Other } else { top };
        let mut stack = vec![Open {
            value: params,
            node: 0,
            key: "",
            role,
            argv: None,
        }];
        while let Some(open) = stack.pop() {
            all.read(&open, can, &mut stack);
        }
        all
    }

    fn read(&mut self, open: &Open<'a>, can: Capabilities, stack: &mut Vec<Open<'a>>) {
        match open.value {
            Value::String(text) => {
                let place = self.list.len();
                self.list.push(Text {
                    text,
                    key: open.key,
                    role: open.role,
                    node: open.node,
                });
                if let Some(argv) = open.argv.and_then(|argv| self.argvs.get_mut(argv)) {
                    argv.push(place);
                }
            }
            Value::Array(items) => {
                let argv = self.starts_argv(open, items, can);
                let role = if argv.is_some() && open.role != Role::Argv {
                    Role::Argv
                } else {
                    open.role
                };
                for (index, value) in items.iter().enumerate().rev() {
                    let node = self.node(open.node, Key::Index(index));
                    stack.push(Open {
                        value,
                        node,
                        key: open.key,
                        role,
                        argv,
                    });
                }
            }
            Value::Object(members) => self.read_members(open, members, can, stack),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn read_members(
        &mut self,
        open: &Open<'a>,
        members: &'a ambit_canon::Object,
        can: Capabilities,
        stack: &mut Vec<Open<'a>>,
    ) {
        let argv = command_with_args(members, can).then(|| self.new_argv());
        // Backwards on a stack comes out forwards. The command goes before its arguments
        // as canonical order has it: `args` is put last.
        let mut later = None;
        let first = stack.len();
        for (name, value) in members.iter() {
            let role = keys::role(name, can, open.role);
            let node = self.node(open.node, Key::Member(name));
            let is_command = matches!(role, Role::Shell) && value.as_str().is_some();
            let part = argv.filter(|_| is_command || role == Role::Argv);
            let open = Open {
                value,
                node,
                key: name,
                role,
                argv: part,
            };
            if role == Role::Argv {
                later = Some(open);
            } else {
                stack.push(open);
            }
        }
        if let Some(rest) = stack.get_mut(first..) {
            rest.reverse();
        }
        if let Some(args) = later {
            stack.insert(first, args);
        }
    }

    /// An array of strings that is a command: one vector. Arrays of whole commands are none.
    fn starts_argv(
        &mut self,
        open: &Open<'a>,
        items: &[Value],
        can: Capabilities,
    ) -> Option<usize> {
        if open.argv.is_some() {
            return open.argv;
        }
        let strings = items.iter().all(|item| item.as_str().is_some());
        let is_argv = match open.role {
            Role::Argv => true,
            Role::Shell => strings && !is_list_of_commands(open.key, items),
            Role::Url
            | Role::Path
            | Role::Code
            | Role::Body
            | Role::Header
            | Role::Environment
            | Role::Stdin
            | Role::Content
            | Role::Prose
            | Role::Option
            | Role::Other => false,
        };
        (is_argv
            && !items.is_empty()
            && (can.shell || can.is_unknown() || open.role == Role::Shell))
            .then(|| self.new_argv())
    }

    fn new_argv(&mut self) -> usize {
        self.argvs.push(Vec::new());
        self.argvs.len().saturating_sub(1)
    }

    fn node(&mut self, parent: usize, key: Key<'a>) -> usize {
        self.nodes.push(Node { parent, key });
        self.nodes.len().saturating_sub(1)
    }

    /// The JSON Pointer of a text.
    pub(super) fn pointer(&self, text: usize) -> String {
        let mut keys = Vec::new();
        let mut at = self.list.get(text).map_or(0, |text| text.node);
        while at != 0 {
            let Some(node) = self.nodes.get(at) else {
                break;
            };
            keys.push(node.key);
            at = node.parent;
        }
        let mut pointer = String::new();
        for key in keys.iter().rev() {
            pointer.push('/');
            match key {
                Key::Member(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Key::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }
}

/// `{"command": "bash", "args": ["-c", …]}` is one argument vector.
fn command_with_args(members: &ambit_canon::Object, can: Capabilities) -> bool {
    let role = |name: &str| keys::role(name, can, Role::Other);
    let has_args = members
        .iter()
        .any(|(name, value)| role(name) == Role::Argv && value.as_array().is_some());
    has_args
        && members
            .iter()
            .any(|(name, value)| role(name) == Role::Shell && value.as_str().is_some())
}

/// `commands` is a list of shell texts; so is an array whose first element is not one word.
fn is_list_of_commands(key: &str, items: &[Value]) -> bool {
    matches!(key, "commands" | "cmds")
        || items
            .first()
            .and_then(Value::as_str)
            .is_some_and(|first| first.trim().contains([' ', '\t', '\n']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ambit_canon::{Limits, parse};

    fn read(tool: &str, params: &str) -> Vec<String> {
        let params = parse(params.as_bytes(), &Limits::default()).unwrap();
        let all = Texts::of(&params, Capabilities::of(tool));
        let mut lines: Vec<_> = all
            .list
            .iter()
            .enumerate()
            .map(|(place, text)| format!("{} {:?} {}", all.pointer(place), text.role, text.text))
            .collect();
        for argv in &all.argvs {
            lines.push(
                argv.iter()
                    .map(|place| all.list[*place].text)
                    .collect::<Vec<_>>()
                    .join("␣"),
            );
        }
        lines
    }

    #[test]
    fn strings_are_what_their_keys_say() {
        for (tool, params, want) in [
            ("shell", r#""ls""#, vec![" Shell ls"]),
            (
                "shell",
                r#"{"command":"ls","description":"d"}"#,
                vec!["/command Shell ls", "/description Prose d"],
            ),
            (
                "shell",
                r#"{"input":{"command":"ls"}}"#,
                vec!["/input/command Shell ls"],
            ),
            (
                "shell",
                r#"{"command":["ls","-l"]}"#,
                vec!["/command/0 Argv ls", "/command/1 Argv -l", "ls␣-l"],
            ),
            (
                "shell",
                r#"{"args":["-c","x"],"command":"bash"}"#,
                vec![
                    "/command Shell bash",
                    "/args/0 Argv -c",
                    "/args/1 Argv x",
                    "bash␣-c␣x",
                ],
            ),
            (
                "shell",
                r#"{"commands":["ls","pwd"]}"#,
                vec!["/commands/0 Shell ls", "/commands/1 Shell pwd"],
            ),
            (
                "http",
                r#"{"url":["a"],"body":{"url":"b"}}"#,
                vec!["/body/url Body b", "/url/0 Url a"],
            ),
            (
                "frob",
                r#"{"x":{"a/b~":[{"cmd":"ls"}]}}"#,
                vec!["/x/a~1b~0/0/cmd Shell ls"],
            ),
            (
                "write_file",
                r#"{"path":"p","content":"c"}"#,
                vec!["/content Content c", "/path Path p"],
            ),
        ] {
            assert_eq!(read(tool, params), want, "{tool} {params}");
        }
    }
}
