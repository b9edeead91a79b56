// SPDX-License-Identifier: Apache-2.0
//! The evaluator: goes through a parsed text as a shell would, without running anything, and notes
//! what is run, where data comes from, and where it goes.
//!
//! All branches are taken, loops are gone through once. What cannot be told from the text becomes a
//! hole that remembers its sources ([`crate::Flow`]). A stack of operations stands for recursion.

mod code;
mod expand;
pub(crate) mod files;
pub(crate) mod options;
mod output;
mod run;
mod shells;
mod tokens;
mod tools;
mod value;
mod wrap;

use std::collections::BTreeMap;
use std::rc::Rc;

use super::act::{Act, Way};
use super::ast::{Ast, Kind, Node, Slice, Sub};
use super::command::{Command, Flow, Origin, Program, Word};
use super::parse::parse;
use crate::budget::{Limits, OverBudget};
use crate::net::Target;
use options::Text;
pub(crate) use tools::{is_inert, is_program};
use value::{Stream, Value};

/// A text that is being read.
#[derive(Debug)]
struct Script {
    text: String,
    ast: Ast,
    /// Where it stands in the call; for code in code, the word that holds it.
    place: Origin,
    /// Whether `place` is where its first byte is, and the others follow.
    exact: bool,
    depth: usize,
}

impl Script {
    fn origin(&self, start: usize, end: usize) -> Origin {
        if self.exact {
            Origin {
                text: self.place.text,
                start,
                end,
            }
        } else {
            self.place
        }
    }
}

/// What a list reads and writes.
#[derive(Debug, Default)]
struct Io {
    stdin: Stream,
    stdout: Stream,
}

/// What is still to be done.
#[derive(Debug)]
enum Op {
    /// The items of a list.
    List {
        script: usize,
        items: Slice,
    },
    /// An item is done: its output goes to the next, or out.
    ItemDone {
        pipes: bool,
    },
    Node {
        script: usize,
        node: usize,
    },
    Sub {
        script: usize,
        sub: usize,
    },
    SubDone {
        script: usize,
        sub: usize,
    },
    /// A simple command whose substitutions are done.
    Simple {
        script: usize,
        node: usize,
    },
    /// A block whose substitutions are done.
    Block {
        script: usize,
        node: usize,
    },
    /// A block is done: its output goes where its redirections say.
    BlockDone {
        redirected: Option<Word>,
    },
    /// One round of a `for`.
    Round {
        name: String,
        value: Value,
        script: usize,
        items: Slice,
    },
    /// Code in code is run.
    Code {
        text: String,
        origin: Origin,
        stdin: Stream,
    },
    /// A command that another one starts is run.
    Invoke(Box<Command>),
    /// The end of a shell of its own: what it set is gone.
    Restore(Box<Scope>),
    /// The end of a function or of code in code.
    Leave {
        arguments: bool,
    },
}

/// What a shell that another one starts does not change in it.
#[derive(Debug)]
struct Scope {
    variables: BTreeMap<String, Value>,
    functions: BTreeMap<String, (usize, usize)>,
    arguments: Vec<Value>,
    /// How many lists of arguments there were.
    depth: usize,
}

/// The state.
#[derive(Debug)]
pub(crate) struct Evaluator<'l> {
    limits: &'l Limits,
    bytes: usize,
    nodes: usize,
    scripts: Vec<Rc<Script>>,
    results: Vec<Vec<Stream>>,
    ops: Vec<Op>,
    io: Vec<Io>,
    /// What the last item of a pipeline wrote.
    pipe: Option<Stream>,
    variables: BTreeMap<String, Value>,
    functions: BTreeMap<String, (usize, usize)>,
    /// Functions that are being called.
    calling: Vec<String>,
    files: BTreeMap<String, Stream>,
    remotes: BTreeMap<String, String>,
    arguments: Vec<Vec<Value>>,
    program: Program,
    depth: usize,
    elsewhere: bool,
}

impl<'l> Evaluator<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            bytes: 0,
            nodes: 0,
            scripts: Vec::new(),
            results: Vec::new(),
            ops: Vec::new(),
            io: Vec::new(),
            pipe: None,
            variables: BTreeMap::new(),
            functions: BTreeMap::new(),
            calling: Vec::new(),
            files: BTreeMap::new(),
            remotes: BTreeMap::new(),
            arguments: vec![Vec::new()],
            program: Program::default(),
            depth: 0,
            elsewhere: false,
        }
    }

    /// Reads one shell text of a call; `stdin` is what it is given to read.
    pub(crate) fn shell_text(&mut self, text: &str, origin: Origin, stdin: Option<String>) {
        self.begin(stdin);
        self.enter(text, origin, true);
        self.work();
    }

    /// Reads one argument vector of a call.
    pub(crate) fn argv(&mut self, words: Vec<Word>, stdin: Option<String>) {
        self.begin(stdin);
        let origin = words.first().map(|word| word.origin).unwrap_or_default();
        let command = Command {
            words,
            origin,
            ..Command::default()
        };
        let stdin = self.stdin();
        self.invoke(command, stdin);
        self.work();
    }

    /// Reads code of another language.
    pub(crate) fn code_text(&mut self, text: &str, language: &str, origin: Origin) {
        self.begin(None);
        let mut command = Command {
            origin,
            ..Command::default()
        };
        command.words.push(Word {
            text: language.to_owned(),
            origin,
            ..Word::default()
        });
        let flow = self.read_code(&mut command, text, Flow::NONE, origin);
        self.write(Stream::unknown(flow));
        self.program.commands.push(command);
        self.work();
    }

    /// What is written to a file that is run later.
    pub(crate) fn written(&mut self, path: &str, text: &str, origin: Origin) {
        if run::persists(path) {
            self.begin(None);
            self.persist(&Stream::known(text, Flow::NONE), origin);
            self.work();
        }
    }

    /// A request that a tool makes itself.
    pub(crate) fn fetch(
        &mut self,
        url: &str,
        origin: Origin,
        sends: bool,
        text: String,
        head: String,
    ) {
        let mut command = Command {
            origin,
            ..Command::default()
        };
        let way = if sends { Way::Send } else { Way::Get };
        let sent = Sent {
            text,
            head,
            ..Sent::default()
        };
        self.connect(
            &mut command,
            way,
            Text {
                text: url,
                flow: Flow::NONE,
                origin,
            },
            sent,
        );
        self.program.commands.push(command);
    }

    /// A variable of the environment that a call sets.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.spend(value.len());
        self.variables.insert(name.to_owned(), Value::known(value));
    }

    /// What a whole call runs.
    pub(crate) fn finish(self) -> Program {
        self.program
    }

    fn begin(&mut self, stdin: Option<String>) {
        let stdin = stdin.map_or_else(Stream::empty, |text| Stream::known(text, Flow::NONE));
        self.depth = 0;
        self.elsewhere = false;
        self.io = vec![Io {
            stdin,
            stdout: Stream::empty(),
        }];
    }

    /// Counts bytes that are made or read.
    fn spend(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limits.bytes {
            self.over(OverBudget::Bytes);
        }
    }

    fn over(&mut self, over: OverBudget) {
        self.program.over.get_or_insert(over);
        self.ops.clear();
    }

    /// The text is to be run next, before what is already planned.
    fn enter(&mut self, text: &str, origin: Origin, exact: bool) {
        self.spend(text.len());
        let depth = self.depth;
        if depth > self.limits.depth {
            return self.over(OverBudget::Depth);
        }
        if self.program.over.is_some() {
            return;
        }
        let ast = match parse(text) {
            Ok(ast) => ast,
            Err(over) => return self.over(over),
        };
        let made = ast
            .nodes
            .len()
            .saturating_add(ast.words.len())
            .saturating_add(ast.parts.len());
        self.nodes = self.nodes.saturating_add(made);
        if self.nodes > self.limits.nodes {
            return self.over(OverBudget::Nodes);
        }
        let script = self.scripts.len();
        let items = ast.top;
        let open = ast.open;
        self.results.push(vec![Stream::empty(); ast.subs.len()]);
        let text = text.to_owned();
        self.scripts.push(Rc::new(Script {
            text,
            ast,
            place: origin,
            exact,
            depth,
        }));
        self.ops.push(Op::List { script, items });
        if let Some(start) = open {
            self.unclosed(script, start);
        }
    }

    /// A quote that nothing closes: what follows it is read as if it were not there, once.
    fn unclosed(&mut self, script: usize, start: usize) {
        let Some(script) = self.scripts.get(script).map(Rc::clone) else {
            return;
        };
        let origin = script.origin(start.saturating_sub(1), script.text.len());
        self.program.unreadable.get_or_insert(origin);
        let rest = script.text.get(start..).unwrap_or_default();
        let Ok(ast) = parse(rest) else {
            return self.over(OverBudget::Depth);
        };
        self.spend(rest.len());
        let id = self.scripts.len();
        self.ops.push(Op::List {
            script: id,
            items: ast.top,
        });
        self.results.push(vec![Stream::empty(); ast.subs.len()]);
        let script = Script {
            text: rest.to_owned(),
            ast,
            place: origin,
            exact: false,
            depth: script.depth,
        };
        self.scripts.push(Rc::new(script));
    }

    /// Does what is planned.
    fn work(&mut self) {
        while let Some(op) = self.ops.pop() {
            self.nodes = self.nodes.saturating_add(1);
            if self.nodes > self.limits.nodes {
                return self.over(OverBudget::Nodes);
            }
            self.step(op);
        }
    }

    /// What is planned next runs in a shell of its own, until that is done. Its copy counts as nodes.
    fn scope(&mut self) {
        let arguments = self.arguments.last().cloned().unwrap_or_default();
        let copied = self
            .variables
            .len()
            .saturating_add(self.functions.len())
            .saturating_add(arguments.len());
        self.nodes = self.nodes.saturating_add(copied);
        self.spend(
            self.variables
                .values()
                .chain(&arguments)
                .map(|value| value.text.len())
                .sum(),
        );
        if self.program.over.is_some() {
            return;
        }
        self.ops.push(Op::Restore(Box::new(Scope {
            variables: self.variables.clone(),
            functions: self.functions.clone(),
            arguments,
            depth: self.arguments.len(),
        })));
    }

    fn script(&self, id: usize) -> Option<Rc<Script>> {
        self.scripts.get(id).map(Rc::clone)
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::List { script, items } => self.item(script, items),
            Op::ItemDone { pipes } => {
                let out = self.io.pop().unwrap_or_default().stdout;
                if pipes {
                    self.pipe = Some(Stream { given: true, ..out });
                } else {
                    self.write(out);
                }
            }
            Op::Node { script, node } => self.node(script, node),
            Op::Sub { script, sub } => self.substitute(script, sub),
            Op::SubDone { script, sub } => self.substituted(script, sub),
            Op::Simple { script, node } => self.simple(script, node),
            Op::Block { script, node } => self.block(script, node),
            Op::BlockDone { redirected } => {
                let out = self.io.pop().unwrap_or_default().stdout;
                match redirected {
                    Some(target) => self.write_file(&target, out),
                    None => self.write(out),
                }
            }
            Op::Round {
                name,
                value,
                script,
                items,
            } => {
                self.variables.insert(name, value);
                self.ops.push(Op::List { script, items });
            }
            Op::Code {
                text,
                origin,
                stdin,
            } => self.enter_code(&text, origin, stdin),
            Op::Invoke(command) => self.invoke(*command, Stream::empty()),
            Op::Restore(scope) => {
                self.variables = scope.variables;
                self.functions = scope.functions;
                self.arguments.truncate(scope.depth);
                if let Some(arguments) = self.arguments.last_mut() {
                    *arguments = scope.arguments;
                }
            }
            Op::Leave { arguments } => {
                self.depth = self.depth.saturating_sub(1);
                self.elsewhere &= self.depth > 0;
                if arguments {
                    self.arguments.pop();
                    self.calling.pop();
                }
            }
        }
    }

    fn item(&mut self, script: usize, items: Slice) {
        let Some(ast) = self.script(script) else {
            return;
        };
        let list = items.of(&ast.ast.items);
        let Some((item, rest)) = list.split_first() else {
            return;
        };
        let pipes = rest.first().is_some_and(|next| next.piped);
        self.ops.push(Op::List {
            script,
            items: Slice {
                from: items.from.saturating_add(1),
                to: items.to,
            },
        });
        let stdin = match self.pipe.take() {
            Some(pipe) if item.piped => pipe,
            _ => self.stdin(),
        };
        // A command alone in its list writes where the list does.
        self.io.push(Io {
            stdin,
            stdout: Stream::empty(),
        });
        self.ops.push(Op::ItemDone { pipes });
        self.ops.push(Op::Node {
            script,
            node: item.node,
        });
    }

    fn stdin(&self) -> Stream {
        self.io
            .last()
            .map(|io| io.stdin.clone())
            .unwrap_or_default()
    }

    /// What a command writes to its standard output.
    fn write(&mut self, out: Stream) {
        self.spend(out.text.as_ref().map_or(0, |text| text.len()));
        if let Some(io) = self.io.last_mut() {
            io.stdout.append(out);
        }
    }

    fn node(&mut self, script: usize, node: usize) {
        let Some(ast) = self.script(script) else {
            return;
        };
        let (subs, redirects, next) = match ast.ast.nodes.get(node) {
            Some(Node::Simple {
                subs, redirects, ..
            }) => (*subs, *redirects, Op::Simple { script, node }),
            Some(Node::Block {
                subs, redirects, ..
            }) => (*subs, *redirects, Op::Block { script, node }),
            Some(Node::Function { name, body }) => {
                let name = ast
                    .text
                    .get(name.from..name.to)
                    .unwrap_or_default()
                    .trim()
                    .to_owned();
                self.functions.insert(name, (script, *body));
                // Read once as it stands, whether it is called or not.
                self.ops.push(Op::Node {
                    script,
                    node: *body,
                });
                return;
            }
            None => return,
        };
        self.ops.push(next);
        for body in redirects
            .of(&ast.ast.redirects)
            .iter()
            .filter_map(|redirect| redirect.body)
        {
            let subs = ast
                .ast
                .bodies
                .get(body)
                .map_or_else(Slice::default, |body| body.subs);
            for sub in subs.of(&ast.ast.sub_lists).iter().rev() {
                self.ops.push(Op::Sub { script, sub: *sub });
            }
        }
        for sub in subs.of(&ast.ast.sub_lists).iter().rev() {
            self.ops.push(Op::Sub { script, sub: *sub });
        }
    }

    fn substitute(&mut self, script: usize, sub: usize) {
        let Some(ast) = self.script(script) else {
            return;
        };
        let Some(what) = ast.ast.subs.get(sub) else {
            return;
        };
        let stdin = self.stdin();
        self.io.push(Io {
            stdin,
            stdout: Stream::empty(),
        });
        self.ops.push(Op::SubDone { script, sub });
        match what {
            Sub::Output(items) | Sub::Process(items) => self.ops.push(Op::List {
                script,
                items: *items,
            }),
            Sub::Backtick(bytes) => {
                let text = ast.text.get(bytes.from..bytes.to).unwrap_or_default();
                let text = unescape_backticks(text);
                let origin = ast.origin(bytes.from, bytes.to);
                self.depth = self.depth.saturating_add(1);
                self.ops.push(Op::Leave { arguments: false });
                self.enter(&text, origin, false);
            }
        }
    }

    fn substituted(&mut self, script: usize, sub: usize) {
        let Some(ast) = self.script(script) else {
            return;
        };
        let mut out = self.io.pop().unwrap_or_default().stdout;
        if matches!(ast.ast.subs.get(sub), Some(Sub::Process(_))) {
            // A file that holds what the commands write.
            let path = format!("/dev/fd/{}", self.files.len().saturating_add(60));
            let flow = out.flow;
            self.files
                .insert(path.clone(), Stream { given: true, ..out });
            out = Stream::known(path, flow);
        }
        if let Some(result) = self
            .results
            .get_mut(script)
            .and_then(|results| results.get_mut(sub))
        {
            *result = out;
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn block(&mut self, id: usize, node: usize) {
        let Some(script) = self.script(id) else {
            return;
        };
        let Some(Node::Block {
            kind,
            name,
            words,
            items,
            redirects,
            ..
        }) = script.ast.nodes.get(node).copied()
        else {
            return;
        };
        let mut command = Command {
            elsewhere: self.elsewhere,
            ..Command::default()
        };
        let (stdin, redirected) = self.redirections(&script, id, redirects, &mut command);
        if !command.redirections.is_empty() {
            command.origin = command
                .redirections
                .first()
                .map(|r| r.target.origin)
                .unwrap_or_default();
            self.note_devices(&mut command, &stdin);
            self.program.commands.push(command);
        }
        self.io.push(Io {
            stdin,
            stdout: Stream::empty(),
        });
        self.ops.push(Op::BlockDone { redirected });
        if kind == Kind::Subshell {
            self.scope();
        }
        if kind != Kind::For {
            for word in words.of(&script.ast.words) {
                let _subject = self.expand_one(&script, id, *word);
            }
            self.ops.push(Op::List { script: id, items });
            return;
        }
        let mut values = Vec::new();
        for word in words.of(&script.ast.words) {
            self.expand(&script, id, *word, true, &mut values);
        }
        let name = script
            .text
            .get(name.from..name.to)
            .unwrap_or_default()
            .to_owned();
        let all = values
            .iter()
            .fold(Flow::NONE, |flow, word| flow.with(word.flow));
        let mut rounds: Vec<Value> = Vec::new();
        if values.is_empty() || values.len() > 8 || values.iter().any(|word| word.glob) {
            rounds.push(Value {
                text: Word::HOLE.into(),
                flow: all.with(Flow::UNKNOWN),
            });
        }
        if values.len() <= 8 {
            rounds.extend(values.into_iter().map(|word| Value {
                text: word.text,
                flow: word.flow,
            }));
        }
        for value in rounds.into_iter().rev() {
            self.ops.push(Op::Round {
                name: name.clone(),
                value,
                script: id,
                items,
            });
        }
    }

    /// The place of a target in the program.
    fn target(&mut self, text: &str) -> usize {
        self.add_target(Target::read(text))
    }

    fn add_target(&mut self, target: Target) -> usize {
        let targets = &mut self.program.targets;
        // Looking further back would make many targets dear.
        let recent = targets.len().saturating_sub(16);
        if let Some(at) = targets
            .iter()
            .skip(recent)
            .position(|known| *known == target)
        {
            return at.saturating_add(recent);
        }
        targets.push(target);
        targets.len().saturating_sub(1)
    }

    /// Notes that a command talks to a target. Returns its place.
    fn connect(&mut self, command: &mut Command, way: Way, target: Text<'_>, sent: Sent) -> usize {
        let place = self.target(target.text);
        command.acts.push(Act::Connect {
            way,
            target: place,
            data: sent.data,
            name: target.flow,
            header: sent.header,
            text: sent.text,
            head: sent.head,
            origin: target.origin,
        });
        place
    }
}

/// What goes along with a connection.
#[derive(Clone, Debug, Default)]
struct Sent {
    data: Flow,
    header: Flow,
    text: String,
    /// The text of headers.
    head: String,
}

/// In backticks a backslash before `` ` ``, `\` and `$` is taken off.
fn unescape_backticks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match characters.peek() {
            Some(next @ ('`' | '\\' | '$')) if c == '\\' => {
                out.push(*next);
                characters.next();
            }
            _ => out.push(c),
        }
    }
    out
}
