// SPDX-License-Identifier: Apache-2.0
//! Runs one simple command, as far as its words tell what it does.

use super::options::Text;
use super::value::{Stream, Value};
use super::wrap::{self, Peeled};
use super::{Evaluator, Op, Script, Sent, files};
use crate::shell::act::{Act, Way};
use crate::shell::ast::{Node, Slice};
use crate::shell::command::{Command, Flow, Origin, Redirection, Word};

/// Wrappers around one command.
const MAX_WRAPPERS: usize = 64;

/// Variables whose values are commands that programs run.
const CODE_VARIABLES: [&str; 22] = [
    "GIT_SSH_COMMAND",
    "GIT_SSH",
    "GIT_PAGER",
    "GIT_EDITOR",
    "GIT_EXTERNAL_DIFF",
    "GIT_ASKPASS",
    "GIT_PROXY_COMMAND",
    "GIT_SEQUENCE_EDITOR",
    "SSH_ASKPASS",
    "PAGER",
    "MANPAGER",
    "EDITOR",
    "VISUAL",
    "SUDO_EDITOR",
    "PROMPT_COMMAND",
    "LESSOPEN",
    "RSYNC_RSH",
    "CVS_RSH",
    "BROWSER",
    "BASH_ENV",
    "ENV",
    "FCEDIT",
];

impl Evaluator<'_> {
    /// A simple command whose substitutions are done.
    pub(super) fn simple(&mut self, id: usize, node: usize) {
        let Some(script) = self.script(id) else {
            return;
        };
        let Some(Node::Simple {
            assigns,
            words,
            redirects,
            bytes,
            ..
        }) = script.ast.nodes.get(node).copied()
        else {
            return;
        };
        let mut command = Command {
            elsewhere: self.elsewhere,
            origin: script.origin(bytes.from, bytes.to),
            ..Command::default()
        };
        for word in words.of(&script.ast.words) {
            self.expand(&script, id, *word, true, &mut command.words);
        }
        for assign in assigns.of(&script.ast.assigns) {
            let value = self.expand_one(&script, id, assign.value);
            let name = script
                .text
                .get(assign.name.from..assign.name.to)
                .unwrap_or_default();
            let name = name.split('[').next().unwrap_or_default().to_owned();
            command.environment.push((name, value));
            if assign.append
                && let Some((name, value)) = command.environment.last_mut()
                && let Some(before) = self.variables.get(name)
            {
                value.text.insert_str(0, &before.text);
                value.flow = value.flow.with(before.flow);
            }
        }
        let (stdin, redirected) = self.redirections(&script, id, redirects, &mut command);
        self.note_devices(&mut command, &stdin);
        // Every command has an `Io` of its own.
        if let Some(io) = self.io.last_mut() {
            io.stdin = stdin.clone();
        }
        self.environment(&mut command);
        if command.words.is_empty() {
            self.bare(command, stdin, redirected);
            return;
        }
        if redirected.is_none() {
            self.invoke(command, stdin);
            return;
        }
        // What it writes goes to a file: caught on the way.
        self.io.push(super::Io {
            stdin: stdin.clone(),
            stdout: Stream::empty(),
        });
        self.ops.push(Op::BlockDone { redirected });
        self.invoke(command, stdin);
    }

    /// Variables before a command that other programs run as commands.
    fn environment(&mut self, command: &mut Command) {
        let mut code = Vec::new();
        for (name, value) in &command.environment {
            let proxy = name.to_ascii_lowercase();
            if CODE_VARIABLES.contains(&name.as_str()) {
                code.push((value.text.clone(), value.origin));
            }
            if matches!(
                proxy.as_str(),
                "http_proxy" | "https_proxy" | "all_proxy" | "ftp_proxy"
            ) && !value.text.is_empty()
            {
                let place = self.target(&value.text);
                command.acts.push(Act::Connect {
                    way: Way::Proxy,
                    target: place,
                    data: Flow::NONE,
                    name: value.flow,
                    header: Flow::NONE,
                    text: String::new(),
                    head: String::new(),
                    origin: value.origin,
                });
            }
        }
        for (text, origin) in code {
            self.code(&text, origin, Stream::empty());
        }
    }

    /// Assignments or redirections alone.
    fn bare(&mut self, mut command: Command, stdin: Stream, redirected: Option<Word>) {
        for (name, value) in &command.environment {
            let value = Value {
                text: value.text.clone(),
                flow: value.flow,
            };
            self.spend(value.text.len());
            self.variables.insert(name.clone(), value);
        }
        let reads = command
            .redirections
            .iter()
            .any(|r| matches!(r.operator, "<" | "<<" | "<<<"));
        match redirected {
            Some(target) => self.write_file(&target, Stream::empty()),
            // `$(<file)`
            None if reads => self.write(stdin),
            None => {}
        }
        if !command.redirections.is_empty() || !command.environment.is_empty() {
            command.stdin = Flow::NONE;
            self.program.commands.push(command);
        }
    }

    /// Expands redirections. Returns what is read, and where output goes.
    pub(super) fn redirections(
        &mut self,
        script: &Script,
        id: usize,
        redirects: Slice,
        command: &mut Command,
    ) -> (Stream, Option<Word>) {
        let mut stdin = self.stdin();
        let mut redirected = None;
        for redirect in redirects.of(&script.ast.redirects) {
            let node = redirect
                .body
                .and_then(|body| script.ast.bodies.get(body).map(|body| body.word));
            let target = self.expand_one(script, id, node.unwrap_or(redirect.target));
            match redirect.operator {
                "<" | "<>" => stdin = self.read_file(&target),
                "<<" => stdin = stream_of(&target, ""),
                "<<<" => stdin = stream_of(&target, "\n"),
                ">" | ">>" | ">|" | "&>" | "&>>"
                    if !matches!(target.text.as_str(), "/dev/null" | "/dev/stderr") =>
                {
                    redirected = Some(target.clone());
                }
                ">&" if target.text.parse::<u32>().is_err() && target.text != "-" => {
                    redirected = Some(target.clone());
                }
                _ => {}
            }
            command.redirections.push(Redirection {
                operator: redirect.operator,
                target,
            });
        }
        (stdin, redirected)
    }

    /// `/dev/tcp/HOST/PORT` and its kin, which bash opens itself.
    pub(super) fn note_devices(&mut self, command: &mut Command, stdin: &Stream) {
        for place in 0..command.redirections.len() {
            let Some(redirection) = command.redirections.get(place) else {
                return;
            };
            if !redirection.target.text.starts_with("/dev/") {
                continue;
            }
            let target = redirection.target.clone();
            let rest = ["/dev/tcp/", "/dev/udp/"]
                .iter()
                .find_map(|device| target.text.strip_prefix(device));
            let hidden = target.text.starts_with("/dev/")
                && !target.is_known()
                && target.text.matches('/').count() >= 4;
            let host = rest.map(|rest| rest.split('/').next().unwrap_or(rest).to_owned());
            if host.is_some() || hidden {
                let host = host.unwrap_or_else(|| Word::HOLE.to_string());
                let text = Text {
                    text: &host,
                    flow: target.flow,
                    origin: target.origin,
                };
                let sent = Sent {
                    data: stdin.flow,
                    ..Sent::default()
                };
                self.connect(command, Way::Raw, text, sent);
            }
        }
    }

    /// What reading a file gives.
    pub(super) fn read_file(&mut self, path: &Word) -> Stream {
        if let Some(stream) = self.files.get(relative(&path.text)) {
            return stream.clone();
        }
        if matches!(
            path.text.as_str(),
            "-" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0"
        ) {
            return self.stdin();
        }
        Stream::unknown(files::flow_of_path(&path.text).with(path.flow))
    }

    /// Something was written to a file.
    pub(super) fn write_file(&mut self, path: &Word, stream: Stream) {
        if matches!(path.text.as_str(), "/dev/stdout" | "/dev/tty" | "/dev/fd/1") {
            return self.write(stream);
        }
        if persists(&path.text) {
            self.persist(&stream, path.origin);
        }
        if self.files.len() < 4096 {
            self.spend(path.text.len());
            self.files.insert(
                relative(&path.text).to_owned(),
                Stream {
                    given: true,
                    ..stream
                },
            );
        }
    }

    /// What is written there is run later: at login, by cron, by git.
    pub(super) fn persist(&mut self, stream: &Stream, origin: Origin) {
        let act = Act::Persist {
            flow: stream.flow,
            origin,
        };
        self.program.commands.push(Command {
            acts: vec![act],
            origin,
            ..Command::default()
        });
        if let Some(text) = &stream.text {
            // Lines of a crontab begin with five fields of time.
            let code: Vec<_> = text.lines().map(without_schedule).collect();
            self.code(&code.join("\n"), origin, Stream::empty());
        }
    }

    /// Code in code is run next.
    pub(super) fn code(&mut self, text: &str, origin: Origin, stdin: Stream) {
        self.spend(text.len());
        self.ops.push(Op::Code {
            text: text.to_owned(),
            origin,
            stdin,
        });
    }

    pub(super) fn enter_code(&mut self, text: &str, origin: Origin, stdin: Stream) {
        if self.depth >= self.limits.depth {
            return self.over(crate::budget::OverBudget::Depth);
        }
        self.depth = self.depth.saturating_add(1);
        self.io.push(super::Io {
            stdin,
            stdout: Stream::empty(),
        });
        self.ops.push(Op::Leave { arguments: false });
        self.ops.push(Op::ItemDone { pipes: false });
        self.enter(text, origin, false);
    }

    /// A command with its wrappers.
    pub(super) fn invoke(&mut self, command: Command, stdin: Stream) {
        let mut command = command;
        let mut stdin = stdin;
        let mut at = 0_usize;
        for _ in 0..MAX_WRAPPERS {
            let rest = command.words.get(at..).unwrap_or_default();
            match wrap::peel(rest) {
                Peeled::None => {
                    command.words.drain(..at.min(command.words.len()));
                    return self.single(command, stdin);
                }
                Peeled::Argv { skip, elsewhere } => {
                    // A wrapper is a command of its own in the list.
                    let end = at.saturating_add(skip);
                    let words = command.words.get(at..end).unwrap_or_default().to_vec();
                    self.program.commands.push(Command {
                        words,
                        origin: command.origin,
                        ..Command::default()
                    });
                    command.elsewhere |= elsewhere;
                    at = end;
                }
                Peeled::Input { skip, replace } => {
                    // xargs: arguments come from its input.
                    let end = at.saturating_add(skip);
                    add_input(&mut command.words, end, replace.as_deref(), &stdin);
                    stdin = Stream::empty();
                    at = end;
                }
                Peeled::Code { text, elsewhere } => {
                    command.words.drain(..at.min(command.words.len()));
                    command.stdin = stdin.flow;
                    let origin = command.origin;
                    self.spend(text.text.len());
                    self.note_code(&mut command, &text);
                    self.program.commands.push(command);
                    self.elsewhere |= elsewhere;
                    return self.code(&text.text, origin, stdin);
                }
                Peeled::Several(commands) => {
                    command.words.drain(..at.min(command.words.len()));
                    let elsewhere = command.elsewhere;
                    let origin = command.origin;
                    self.single(command, stdin);
                    for words in commands {
                        self.nodes = self.nodes.saturating_add(words.len());
                        self.spend(words.iter().map(|word| word.text.len()).sum());
                        let command = Command {
                            words,
                            elsewhere,
                            origin,
                            ..Command::default()
                        };
                        self.ops.push(Op::Invoke(Box::new(command)));
                    }
                    return;
                }
            }
        }
        self.over(crate::budget::OverBudget::Depth);
    }

    /// Code whose text is not known, or that came from somewhere.
    #[expect(clippy::unused_self, reason = "a method like those beside it")]
    pub(super) fn note_code(&mut self, command: &mut Command, text: &Word) {
        let suspicious = Flow::NETWORK.with(Flow::DECODED).with(Flow::UNKNOWN);
        if text.flow.meets(suspicious) {
            let flow = text.flow;
            command.acts.push(Act::Execute {
                flow,
                origin: command.origin,
            });
        }
    }

    /// A command without wrappers.
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn single(&mut self, mut command: Command, stdin: Stream) {
        command.stdin = stdin.flow;
        let Some(first) = command.words.first() else {
            self.program.commands.push(command);
            return;
        };
        // `((i++))`
        if command.words.len() == 1 && first.flow.is_empty() && is_hole(&first.text) {
            return;
        }
        let mut name = program_name(&first.text).to_owned();
        if !first.is_known() {
            name = name.replace(Word::HOLE, "");
        }
        let dynamic = !first.is_known()
            && (program_name(&first.text).contains(Word::HOLE) || name.is_empty());
        if dynamic || first.flow.meets(Flow::NETWORK.with(Flow::DECODED)) {
            let origin = first.origin;
            if first.flow.meets(Flow::NETWORK) {
                command.acts.push(Act::Execute {
                    flow: first.flow,
                    origin,
                });
            } else {
                command.acts.push(Act::Dynamic { origin });
            }
        }
        if first.glob {
            name = super::tools::match_glob(&name).map_or(name, str::to_owned);
        }
        if let Some((script, body)) = self.functions.get(&name).copied()
            && !self.calling.contains(&name)
            && self.calling.len() < 8
        {
            let arguments = command.arguments().iter();
            let arguments = arguments
                .map(|word| Value {
                    text: word.text.clone(),
                    flow: word.flow,
                })
                .collect();
            self.arguments.push(arguments);
            self.calling.push(name);
            self.depth = self.depth.saturating_add(1);
            self.ops.push(Op::Leave { arguments: true });
            self.ops.push(Op::Node { script, node: body });
            self.program.commands.push(command);
            return;
        }
        // A file that was downloaded or made here is run.
        if let Some(stream) = self
            .files
            .get(&first.text)
            .or_else(|| self.files.get(relative(&first.text)))
            .cloned()
        {
            let origin = first_origin(&command);
            self.run_stream(&mut command, stream, origin);
        }
        let out = self.perform(&mut command, &name, stdin);
        self.program.commands.push(command);
        if let Some(out) = out {
            self.write(out);
        }
    }
}

/// A part that is not known, and nothing else.
fn is_hole(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next() == Some(Word::HOLE) && characters.next().is_none()
}

fn first_origin(command: &Command) -> Origin {
    command
        .words
        .first()
        .map(|word| word.origin)
        .unwrap_or_default()
}

/// `./a.sh` is `a.sh`.
pub(super) fn relative(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

/// The name of a program without folder and ending.
pub(super) fn program_name(text: &str) -> &str {
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    name.strip_suffix(".exe").unwrap_or(name)
}

fn stream_of(word: &Word, end: &str) -> Stream {
    if word.is_known() {
        Stream::known(format!("{}{end}", word.text), word.flow)
    } else {
        Stream::known(word.text.clone(), word.flow)
    }
}

/// Puts what `xargs` reads where it puts it.
fn add_input(words: &mut Vec<Word>, from: usize, replace: Option<&str>, stdin: &Stream) {
    let origin = words.last().map(|word| word.origin).unwrap_or_default();
    let text = match &stdin.text {
        Some(text) => text.trim_end_matches(['\n', '\0']).to_owned(),
        None => Word::HOLE.to_string(),
    };
    let Some(replace) = replace else {
        // A shell's code is one argument, whatever it holds; so is what is not known.
        let shell = words
            .last()
            .is_some_and(|word| word.text.starts_with('-') && word.text.ends_with('c'));
        let flow = stdin.flow;
        if shell {
            words.push(Word {
                text,
                flow,
                glob: false,
                origin,
            });
        } else {
            words.extend(text.split_whitespace().map(|text| Word {
                text: text.to_owned(),
                flow,
                glob: false,
                origin,
            }));
        }
        return;
    };
    for word in words.iter_mut().skip(from) {
        if word.text.contains(replace) {
            word.text = word.text.replace(replace, &text);
            word.flow = word.flow.with(stdin.flow);
        }
    }
}

/// Whether what is written to a path is run later by somebody.
pub(super) fn persists(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let startup = matches!(
        name,
        ".bashrc"
            | ".bash_profile"
            | ".bash_login"
            | ".profile"
            | ".zshrc"
            | ".zshenv"
            | ".zprofile"
            | ".zlogin"
            | ".kshrc"
            | ".bash_aliases"
            | ".bash_logout"
            | ".xprofile"
            | ".xinitrc"
            | ".xsessionrc"
            | "config.fish"
            | "crontab"
            | "rc.local"
            | ".login"
            | ".cshrc"
            | ".tcshrc"
            | ".vimrc"
            | ".gitconfig"
            | "authorized_keys"
    );
    startup
        || [
            "/etc/cron",
            "/etc/profile",
            "/etc/init.d/",
            "/etc/rc",
            "/etc/systemd/",
            "/var/spool/cron",
            "/etc/bash.bashrc",
        ]
        .iter()
        .any(|start| path.starts_with(start))
        || [
            "/.git/hooks/",
            "/systemd/",
            "/autostart/",
            "/LaunchAgents/",
            "/LaunchDaemons/",
            "/.husky/",
        ]
        .iter()
        .any(|part| path.contains(part))
        || path.starts_with(".git/hooks/")
        || path.starts_with(".husky/")
}

/// A crontab's line without its times.
fn without_schedule(line: &str) -> &str {
    let line = line.trim_start();
    if let Some(rest) = line.strip_prefix('@') {
        return rest
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest);
    }
    let is_time = |field: &str| {
        !field.is_empty()
            && field
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'/' | b',' | b'-'))
    };
    let mut rest = line;
    for _ in 0..5 {
        match rest.split_once([' ', '\t']) {
            Some((field, more)) if is_time(field) => rest = more.trim_start(),
            _ => return line,
        }
    }
    // A system's crontab names a user, too.
    rest.strip_prefix("root ").unwrap_or(rest)
}
