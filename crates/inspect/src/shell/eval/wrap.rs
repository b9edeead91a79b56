// SPDX-License-Identifier: Apache-2.0
//! Programs that run other programs: which of their words are the command.

use super::options::{Arg, Args, Spec};
use super::run::program_name;
use crate::shell::command::{Flow, Word};

/// What a command line is.
#[derive(Debug)]
pub(super) enum Peeled {
    /// No wrapper.
    None,
    /// The command begins after so many words.
    Argv { skip: usize, elsewhere: bool },
    /// The same, and its input becomes arguments: where `replace` stands, else at the end.
    Input {
        skip: usize,
        replace: Option<String>,
    },
    /// Its code is a text.
    Code { text: Word, elsewhere: bool },
    /// It does something itself, and runs commands.
    Several(Vec<Vec<Word>>),
}

/// How a wrapper is called.
struct Wrapper {
    short: &'static str,
    long: &'static [&'static str],
    /// Plain arguments before the command.
    skip: usize,
    /// `NAME=value` may stand before the command.
    assigns: bool,
    /// The option whose value is code.
    code: &'static str,
    /// Options that only name the command.
    names: &'static str,
}

const fn plain(short: &'static str, long: &'static [&'static str], skip: usize) -> Wrapper {
    Wrapper {
        short,
        long,
        skip,
        assigns: false,
        code: "",
        names: "",
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one table or one walk, which reads better whole"
)]
fn wrapper(name: &str) -> Option<Wrapper> {
    Some(match name {
        "env" | "genv" => Wrapper {
            assigns: true,
            code: "S",
            ..plain(
                "uCS",
                &[
                    "unset",
                    "chdir",
                    "split-string",
                    "block-signal",
                    "default-signal",
                    "ignore-signal",
                ],
                0,
            )
        },
        "sudo" => Wrapper {
            assigns: true,
            ..plain(
                "ughpCrtTUDRac",
                &[
                    "user",
                    "group",
                    "host",
                    "prompt",
                    "close-from",
                    "role",
                    "type",
                    "chroot",
                    "chdir",
                    "other-user",
                    "command-timeout",
                ],
                0,
            )
        },
        "doas" => plain("uCa", &[], 0),
        "nohup" | "setsid" | "unbuffer" | "catchsegv" | "fakeroot" | "firejail" | "torsocks"
        | "torify" | "tsocks" | "chronic" | "pkexec" | "dumb-init" | "tini" | "catatonit"
        | "caffeinate" | "rlwrap" | "dbus-run-session" | "linux64" | "linux32" | "busybox"
        | "toybox" | "proot" | "wine" | "qemu-x86_64" | "nodaemon" | "winpty" | "eatmydata"
        | "noglob" | "nocorrect" | "builtin" | "numactl" | "setpriv" | "prlimit" | "sem"
        | "ltrace" | "choom" | "coresched" | "gosu-none" => plain(
            "ocpnEafuk",
            &[
                "user",
                "cpunodebind",
                "membind",
                "reuid",
                "regid",
                "groups",
                "profile",
            ],
            0,
        ),
        "command" => Wrapper {
            names: "vV",
            ..plain("", &[], 0)
        },
        "exec" => plain("a", &[], 0),
        "nice" => plain("n", &["adjustment"], 0),
        "ionice" => plain("cnpPu", &["class", "classdata"], 0),
        "chrt" | "taskset" | "gosu" | "su-exec" | "setuidgid" | "faketime" | "softlimit" => {
            plain("TPD", &[], 1)
        }
        "timeout" | "gtimeout" => plain("sk", &["signal", "kill-after"], 1),
        "stdbuf" => plain("ioe", &["input", "output", "error"], 0),
        "time" | "gtime" => plain("fo", &["format", "output"], 0),
        "chroot" => plain("", &["userspec", "groups"], 1),
        "unshare" | "nsenter" => plain(
            "tSGRlw",
            &[
                "target",
                "root",
                "setuid",
                "setgid",
                "map-user",
                "map-group",
                "wd",
            ],
            0,
        ),
        "strace" => plain("eopsauEPIOSXb", &["trace", "output"], 0),
        "valgrind" | "perf-none" => plain("", &[], 0),
        "flock" => Wrapper {
            code: "c",
            ..plain(
                "wEc",
                &["timeout", "wait", "conflict-exit-code", "command"],
                1,
            )
        },
        "script" => Wrapper {
            code: "c",
            ..plain(
                "cBEIOTmo",
                &["command", "log-in", "log-out", "log-io", "log-timing"],
                usize::MAX,
            )
        },
        "su" | "runuser" => Wrapper {
            code: "c",
            ..plain(
                "cgGsuwT",
                &[
                    "command",
                    "group",
                    "supp-group",
                    "shell",
                    "user",
                    "session-command",
                    "whitelist-environment",
                ],
                usize::MAX,
            )
        },
        "sshpass" => plain("pfdeP", &[], 0),
        "proxychains" | "proxychains4" => plain("f", &[], 0),
        "systemd-run" => plain(
            "pEutMHGdC",
            &[
                "property",
                "setenv",
                "unit",
                "machine",
                "host",
                "description",
                "slice",
                "uid",
                "gid",
                "nice",
                "working-directory",
                "on-active",
                "on-calendar",
                "on-boot",
                "service-type",
            ],
            0,
        ),
        "xvfb-run" => plain("nesfpw", &["server-num", "server-args", "error-file"], 0),
        "gdb" => plain("xp", &["args", "command", "ex"], 0),
        "uvx" | "npx" | "bunx" | "pnpx" => Wrapper {
            code: "c",
            ..plain("pcw", &["package", "call", "from", "with", "python"], 0)
        },
        _ => return None,
    })
}

/// Runners whose first words choose what they do: their sub-command, and plain arguments after it.
const RUNNERS: [(&str, &[&str], usize, bool); 34] = [
    ("npm", &["exec", "x"], 0, false),
    ("pnpm", &["exec", "dlx"], 0, false),
    ("yarn", &["exec", "dlx"], 0, false),
    ("bun", &["x"], 0, false),
    ("poetry", &["run"], 0, false),
    ("uv", &["run"], 0, false),
    ("pipx", &["run"], 0, false),
    ("pipenv", &["run"], 0, false),
    ("hatch", &["run"], 0, false),
    ("pdm", &["run"], 0, false),
    ("rye", &["run"], 0, false),
    ("conda", &["run"], 0, false),
    ("mamba", &["run"], 0, false),
    ("bundle", &["exec"], 0, false),
    ("rustup", &["run"], 1, false),
    ("direnv", &["exec"], 1, false),
    ("mise", &["exec", "x"], 0, false),
    ("asdf", &["exec"], 0, false),
    ("op", &["run"], 0, false),
    ("doppler", &["run"], 0, false),
    ("dotenv", &["run"], 0, false),
    ("aws-vault", &["exec"], 1, false),
    ("git-annex", &[], 0, false),
    ("docker", &["run", "exec", "create"], 1, true),
    ("podman", &["run", "exec", "create"], 1, true),
    ("nerdctl", &["run", "exec"], 1, true),
    ("docker-compose", &["run", "exec"], 1, true),
    ("kubectl", &["exec", "run", "debug"], 1, true),
    ("oc", &["exec", "run", "rsh"], 1, true),
    ("lxc", &["exec"], 1, true),
    ("incus", &["exec"], 1, true),
    ("multipass", &["exec"], 1, true),
    ("vagrant", &["exec"], 0, true),
    ("perf", &["record", "stat", "trace"], 0, false),
];

/// Flags of container runners; every other long option without `=` takes a value.
const CONTAINER_FLAGS: [&str; 17] = [
    "rm",
    "it",
    "interactive",
    "tty",
    "detach",
    "privileged",
    "init",
    "read-only",
    "no-healthcheck",
    "publish-all",
    "quiet",
    "oom-kill-disable",
    "stdin",
    "no-deps",
    "no-TTY",
    "service-ports",
    "attach",
];

/// Looks at a command line.
pub(super) fn peel(words: &[Word]) -> Peeled {
    let Some((first, rest)) = words.split_first() else {
        return Peeled::None;
    };
    let name = program_name(&first.text);
    if rest.is_empty() {
        return Peeled::None;
    }
    if let Some(wrapper) = wrapper(name) {
        return peel_wrapper(&wrapper, rest);
    }
    match name {
        "xargs" | "gxargs" => peel_xargs(rest),
        "parallel" => peel_parallel(rest),
        "watch" | "entr" | "hyperfine" | "concurrently" => joined(
            Args::new(rest, Spec::posix("nwrRmi", &["interval", "warmup", "runs"])),
            false,
        ),
        "eval" => joined(Args::new(rest, Spec::posix("", &[])), false),
        "find" | "gfind" => peel_find(rest),
        "fd" | "fdfind" => after_flag(rest, &["-x", "--exec", "-X", "--exec-batch"]),
        "vim" | "vi" | "nvim" | "ex" | "view" | "gvim" | "vimdiff" => peel_vim(rest),
        "make" | "gmake" => peel_make(rest),
        "cargo" => peel_cargo(rest),
        "rg" => peel_option_command(rest, &["--pre", "--hostname-bin"]),
        "tmux" | "screen" => peel_terminal(rest),
        "git" => peel_git(rest),
        "trap" => first_plain(rest),
        "nix-shell" | "nix" => code_option(rest, &["--run", "--command", "-c"]),
        "adb" => after_word(rest, "shell"),
        "tar" | "gtar" | "bsdtar" => peel_tar(rest),
        "man" => peel_option_command(rest, &["-P", "--pager"]),
        _ => peel_runner(name, rest),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one table or one walk, which reads better whole"
)]
fn peel_wrapper(wrapper: &Wrapper, rest: &[Word]) -> Peeled {
    let mut args = Args::new(rest, Spec::posix(wrapper.short, wrapper.long));
    let mut skip = wrapper.skip;
    loop {
        let Some(arg) = args.next() else {
            return Peeled::None;
        };
        match arg {
            Arg::Flag(flag) if !wrapper.names.is_empty() && wrapper.names.contains(flag) => {
                return Peeled::None;
            }
            Arg::Flag(_) => {}
            Arg::Value(name, value) => {
                let code = !wrapper.code.is_empty()
                    && (name == wrapper.code
                        || matches!(
                            name,
                            "command" | "split-string" | "session-command" | "call"
                        ));
                if code {
                    let mut text = Word {
                        text: value.text.to_owned(),
                        flow: value.flow,
                        glob: false,
                        origin: value.origin,
                    };
                    if wrapper.code == "S" {
                        for word in rest.get(args.place()..).unwrap_or_default() {
                            text.text.push(' ');
                            text.text.push_str(&word.text);
                            text.flow = text.flow.with(word.flow);
                        }
                    }
                    return Peeled::Code {
                        text,
                        elsewhere: false,
                    };
                }
            }
            Arg::Plain(text, place) => {
                if wrapper.assigns && is_assignment(text.text) {
                    continue;
                }
                if wrapper.skip == usize::MAX {
                    // `su user -c code`: options may follow.
                    return late_code(rest.get(place..).unwrap_or_default(), wrapper);
                }
                if skip == 0 {
                    // The program's name is not in `rest`.
                    return Peeled::Argv {
                        skip: place.saturating_add(1),
                        elsewhere: false,
                    };
                }
                skip = skip.saturating_sub(1);
                // After `flock FILE` an option may name code.
                if skip == 0
                    && wrapper.code == "c"
                    && rest
                        .get(place.saturating_add(1))
                        .is_some_and(|word| word.text == "-c")
                {
                    return match rest.get(place.saturating_add(2)) {
                        Some(word) => Peeled::Code {
                            text: word.clone(),
                            elsewhere: false,
                        },
                        None => Peeled::None,
                    };
                }
            }
        }
    }
}

fn late_code(rest: &[Word], wrapper: &Wrapper) -> Peeled {
    for arg in Args::new(rest, Spec::new(wrapper.short, wrapper.long)) {
        if let Arg::Value(name, value) = arg
            && (name == wrapper.code || matches!(name, "command" | "session-command"))
        {
            let text = Word {
                text: value.text.to_owned(),
                flow: value.flow,
                glob: false,
                origin: value.origin,
            };
            return Peeled::Code {
                text,
                elsewhere: false,
            };
        }
    }
    Peeled::None
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

fn peel_xargs(rest: &[Word]) -> Peeled {
    let spec = Spec::posix(
        "IinPLldEsaJ",
        &[
            "replace",
            "max-args",
            "max-procs",
            "max-lines",
            "delimiter",
            "eof",
            "max-chars",
            "arg-file",
            "process-slot-var",
        ],
    );
    let mut replace = None;
    for arg in Args::new(rest, spec) {
        match arg {
            Arg::Value("I" | "i" | "J" | "replace", value) => replace = Some(value.text.to_owned()),
            Arg::Plain(_, place) => {
                return Peeled::Input {
                    skip: place.saturating_add(1),
                    replace,
                };
            }
            Arg::Flag(_) | Arg::Value(..) => {}
        }
    }
    Peeled::None
}

/// GNU parallel: the command, then `:::` and what it is run with.
fn peel_parallel(rest: &[Word]) -> Peeled {
    let spec = Spec::posix(
        "jnNIdaSX",
        &[
            "jobs", "max-args", "arg-file", "sshlogin", "delay", "timeout", "colsep", "joblog",
            "retries", "tmpdir", "results",
        ],
    );
    let start = Args::new(rest, spec).find_map(|arg| {
        if let Arg::Plain(_, place) = arg {
            Some(place)
        } else {
            None
        }
    });
    let Some(words) = start.and_then(|start| rest.get(start..)) else {
        return Peeled::None;
    };
    let cut = words.iter().position(|word| word.text.starts_with(":::"));
    let (command, input) = words.split_at(cut.unwrap_or(words.len()));
    let mut values = input.iter().filter(|word| !word.text.starts_with(":::"));
    let mut text = join(command);
    let given = values.next().cloned().unwrap_or_else(|| Word {
        text: Word::HOLE.into(),
        flow: Flow::UNKNOWN,
        ..Word::default()
    });
    text.flow = text.flow.with(given.flow);
    if command.is_empty() {
        text.text.clone_from(&given.text);
    } else if text.text.contains("{}") {
        text.text = text.text.replace("{}", &given.text);
    } else {
        text.text.push(' ');
        text.text.push_str(&given.text);
    }
    Peeled::Code {
        text,
        elsewhere: false,
    }
}

fn join(words: &[Word]) -> Word {
    let mut all = Word::default();
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            all.text.push(' ');
        } else {
            all.origin = word.origin;
        }
        all.text.push_str(&word.text);
        all.flow = all.flow.with(word.flow);
    }
    all
}

/// All plain arguments together are code.
fn joined(args: Args<'_>, elsewhere: bool) -> Peeled {
    let mut words = Vec::new();
    for arg in args {
        if let Arg::Plain(text, _) = arg {
            words.push(Word {
                text: text.text.to_owned(),
                flow: text.flow,
                glob: false,
                origin: text.origin,
            });
        }
    }
    if words.is_empty() {
        Peeled::None
    } else {
        Peeled::Code {
            text: join(&words),
            elsewhere,
        }
    }
}

fn first_plain(rest: &[Word]) -> Peeled {
    match rest.iter().find(|word| !word.text.starts_with('-')) {
        Some(word) if !word.text.is_empty() => Peeled::Code {
            text: word.clone(),
            elsewhere: false,
        },
        _ => Peeled::None,
    }
}

/// `find … -exec COMMAND ;`. `{}` is what is looked for.
fn peel_find(rest: &[Word]) -> Peeled {
    let mut commands = Vec::new();
    let root = rest
        .first()
        .filter(|word| !word.text.starts_with('-'))
        .map_or(".", |word| word.text.as_str());
    let mut pattern = None;
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "-name" | "-iname" | "-path" | "-wholename" => {
                pattern = words.next().map(|word| word.text.clone());
            }
            "-exec" | "-execdir" | "-ok" | "-okdir" => {
                let found = pattern
                    .as_deref()
                    .map_or_else(|| root.to_owned(), |pattern| format!("{root}/{pattern}"));
                let mut command: Vec<Word> = Vec::new();
                for word in words.by_ref() {
                    if matches!(word.text.as_str(), ";" | "+") {
                        break;
                    }
                    let mut word = word.clone();
                    if word.text.contains("{}") {
                        word.text = word.text.replace("{}", &found);
                        word.flow = word.flow.with(super::files::flow_of_path(&found));
                    }
                    command.push(word);
                }
                commands.push(command);
            }
            _ => {}
        }
    }
    if commands.is_empty() {
        Peeled::None
    } else {
        Peeled::Several(commands)
    }
}

fn after_flag(rest: &[Word], flags: &[&str]) -> Peeled {
    match rest
        .iter()
        .position(|word| flags.contains(&word.text.as_str()))
    {
        Some(at) => match rest.get(at.saturating_add(1)..) {
            Some(words) if !words.is_empty() => Peeled::Several(vec![words.to_vec()]),
            _ => Peeled::None,
        },
        None => Peeled::None,
    }
}

fn after_word(rest: &[Word], name: &str) -> Peeled {
    match rest.iter().position(|word| word.text == name) {
        Some(at) if at.saturating_add(1) < rest.len() => Peeled::Code {
            text: join(rest.get(at.saturating_add(1)..).unwrap_or_default()),
            elsewhere: true,
        },
        _ => Peeled::None,
    }
}

/// The value of an option, as code.
fn code_option(rest: &[Word], names: &[&str]) -> Peeled {
    match rest
        .iter()
        .position(|word| names.contains(&word.text.as_str()))
    {
        Some(at) => match rest.get(at.saturating_add(1)) {
            Some(word) => Peeled::Code {
                text: word.clone(),
                elsewhere: false,
            },
            None => Peeled::None,
        },
        None => Peeled::None,
    }
}

fn one_code(texts: Vec<Word>) -> Peeled {
    if texts.is_empty() {
        return Peeled::None;
    }
    let shell = |text: Word| {
        let word = |text: &str| Word {
            text: text.to_owned(),
            origin: Word::default().origin,
            ..Word::default()
        };
        vec![word("sh"), word("-c"), text]
    };
    Peeled::Several(texts.into_iter().map(shell).collect())
}

/// `--pre=COMMAND`, `--pre COMMAND`
fn peel_option_command(rest: &[Word], names: &[&str]) -> Peeled {
    let mut found = Vec::new();
    let mut words = rest.iter().peekable();
    while let Some(word) = words.next() {
        let value = match word.text.split_once('=') {
            Some((name, value)) if names.contains(&name) => Some(value.to_owned()),
            _ if names.contains(&word.text.as_str()) => words.peek().map(|next| next.text.clone()),
            _ => None,
        };
        if let Some(text) = value {
            found.push(Word {
                text,
                ..word.clone()
            });
        }
    }
    one_code(found)
}

/// Ex commands after `!`: `-c '!cmd'`, `+'r !cmd'`, `:!cmd`.
fn peel_vim(rest: &[Word]) -> Peeled {
    let mut found = Vec::new();
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let ex = match word.text.as_str() {
            "-c" | "--cmd" | "-S" => words.next().cloned(),
            text => text.strip_prefix('+').map(|text| Word {
                text: text.to_owned(),
                ..word.clone()
            }),
        };
        if let Some(ex) = ex
            && let Some((before, code)) = ex.text.split_once('!')
            && before.chars().all(|c| {
                c.is_ascii_alphanumeric() || matches!(c, ' ' | ':' | '%' | ',' | '.' | '$')
            })
        {
            found.push(Word {
                text: code.to_owned(),
                ..ex.clone()
            });
        }
    }
    one_code(found)
}

/// `--eval` of make: its recipe lines, and `$(shell …)`.
fn peel_make(rest: &[Word]) -> Peeled {
    let mut found = Vec::new();
    let mut words = rest.iter().peekable();
    while let Some(word) = words.next() {
        let text = match word.text.as_str() {
            "--eval" | "-E" => words.next().map(|word| word.text.clone()),
            text => text.strip_prefix("--eval=").map(str::to_owned),
        };
        for line in text.iter().flat_map(|text| text.lines()) {
            let recipe = line
                .strip_prefix('\t')
                .or_else(|| line.split_once(';').map(|(_, recipe)| recipe));
            let call = line
                .split_once("$(shell ")
                .map(|(_, rest)| rest.split(')').next().unwrap_or(rest));
            for code in recipe.into_iter().chain(call) {
                found.push(Word {
                    text: code.trim_start_matches(['@', '-', '+']).to_owned(),
                    ..word.clone()
                });
            }
        }
        if let Some(shell) = word.text.strip_prefix("SHELL=") {
            found.push(Word {
                text: shell.to_owned(),
                ..word.clone()
            });
        }
    }
    one_code(found)
}

/// Programs in `--config` of cargo: runners, linkers, wrappers.
fn peel_cargo(rest: &[Word]) -> Peeled {
    let mut found = Vec::new();
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let text = match word.text.as_str() {
            "--config" => words.next().map(|word| word.text.clone()),
            text => text.strip_prefix("--config=").map(str::to_owned),
        };
        let Some(text) = text else { continue };
        let Some((key, value)) = text.split_once('=') else {
            continue;
        };
        if [
            "runner",
            "linker",
            "rustc-wrapper",
            "rustc",
            "rustdoc",
            "credential-provider",
        ]
        .iter()
        .any(|end| key.trim().ends_with(end))
        {
            let code: String = value
                .chars()
                .map(|c| {
                    if matches!(c, '"' | '\'' | '[' | ']' | ',') {
                        ' '
                    } else {
                        c
                    }
                })
                .collect();
            found.push(Word {
                text: code,
                ..word.clone()
            });
        }
    }
    one_code(found)
}

/// A command for a new window.
fn peel_terminal(rest: &[Word]) -> Peeled {
    let spec = Spec::new("fLSscntFexyX", &[]);
    let mut words = Vec::new();
    for arg in Args::new(
        rest,
        Spec {
            posix: false,
            ..spec
        },
    ) {
        if let Arg::Plain(text, _) = arg {
            words.push(Word {
                text: text.text.to_owned(),
                flow: text.flow,
                glob: false,
                origin: text.origin,
            });
        }
    }
    let verb = words.first().is_some_and(|word| {
        matches!(
            word.text.as_str(),
            "new"
                | "new-session"
                | "new-window"
                | "neww"
                | "split-window"
                | "splitw"
                | "send-keys"
                | "send"
                | "respawn-pane"
                | "run-shell"
                | "run"
                | "respawn-window"
        )
    });
    let words = words.get(usize::from(verb)..).unwrap_or_default().to_vec();
    let keys = words
        .into_iter()
        .filter(|word| !matches!(word.text.as_str(), "Enter" | "C-m"))
        .collect::<Vec<_>>();
    if keys.is_empty() {
        Peeled::None
    } else {
        one_code(vec![join(&keys)])
    }
}

/// Code that git runs: in its configuration, hooks and sub-commands.
#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "names in lower case"
)]
#[expect(clippy::if_same_then_else, reason = "one branch for each reason")]
#[expect(
    clippy::too_many_lines,
    reason = "one table or one walk, which reads better whole"
)]
fn peel_git(rest: &[Word]) -> Peeled {
    let mut found = Vec::new();
    let mut words = rest.iter().peekable();
    while let Some(word) = words.next() {
        let text = word.text.as_str();
        let next = words
            .peek()
            .map(|next| next.text.as_str())
            .unwrap_or_default();
        let mut add = |code: &str| {
            found.push(Word {
                text: code.to_owned(),
                ..word.clone()
            });
        };
        if text == "-c" || text == "config" || text == "--config" {
            let (key, value) = next.split_once('=').unwrap_or((next, ""));
            let key = key.to_ascii_lowercase();
            let runs = key.ends_with("command")
                || key.ends_with(".helper")
                || key.ends_with("pager")
                || key.ends_with("editor")
                || key.ends_with(".cmd")
                || key.ends_with("askpass")
                || key.ends_with("fsmonitor")
                || key.ends_with("gitproxy")
                || key.ends_with(".textconv")
                || key.ends_with(".clean")
                || key.ends_with(".smudge")
                || key.ends_with(".process")
                || key.ends_with("external")
                || key.ends_with("hookspath")
                || key.ends_with("program");
            if runs {
                add(value.trim_start_matches('!'));
            } else if key.starts_with("alias.") && value.starts_with('!') {
                add(value.trim_start_matches('!'));
            }
        } else if let Some(code) = text.strip_prefix("ext::") {
            add(code);
        } else if matches!(
            text,
            "-x" | "--exec"
                | "--tree-filter"
                | "--index-filter"
                | "--msg-filter"
                | "--env-filter"
                | "--upload-pack"
                | "-u"
                | "--receive-pack"
        ) {
            if !next.starts_with('-') && next.contains(' ') {
                add(next);
            }
        } else if let Some(code) = text
            .strip_prefix("--upload-pack=")
            .or_else(|| text.strip_prefix("--receive-pack="))
            .or_else(|| text.strip_prefix("--exec="))
        {
            add(code);
        } else if text == "foreach" {
            let rest: Vec<_> = words
                .clone()
                .filter(|word| word.text != "--recursive")
                .cloned()
                .collect();
            add(&join(&rest).text);
            break;
        } else if text == "run" && rest.first().is_some_and(|word| word.text == "bisect") {
            let rest: Vec<_> = words.clone().cloned().collect();
            add(&join(&rest).text);
            break;
        }
    }
    one_code(found)
}

/// Programs that tar runs.
fn peel_tar(rest: &[Word]) -> Peeled {
    let mut found = Vec::new();
    for word in rest {
        for option in [
            "--to-command=",
            "--checkpoint-action=exec=",
            "--use-compress-program=",
            "--rsh-command=",
            "--info-script=",
            "--new-volume-script=",
        ] {
            if let Some(code) = word.text.strip_prefix(option) {
                found.push(Word {
                    text: code.to_owned(),
                    ..word.clone()
                });
            }
        }
    }
    one_code(found)
}

#[expect(
    clippy::too_many_lines,
    reason = "one table or one walk, which reads better whole"
)]
fn peel_runner(name: &str, rest: &[Word]) -> Peeled {
    let Some((_, verbs, skip, elsewhere)) = RUNNERS.iter().find(|(runner, ..)| *runner == name)
    else {
        return Peeled::None;
    };
    // `docker compose exec`, `kubectl -n x exec`
    let Some(verb) = rest
        .iter()
        .take(8)
        .position(|word| verbs.contains(&word.text.as_str()))
    else {
        return Peeled::None;
    };
    let after = verb.saturating_add(1);
    if name == "kubectl" || name == "oc" {
        let dashes = rest.iter().position(|word| word.text == "--");
        if let Some(at) = dashes {
            return Peeled::Argv {
                skip: at.saturating_add(2),
                elsewhere: true,
            };
        }
    }
    let mut left = *skip;
    let mut at = after;
    while let Some(word) = rest.get(at) {
        let text = word.text.as_str();
        if text == "--" {
            at = at.saturating_add(1);
            if left == 0 {
                break;
            }
        } else if let Some(long) = text.strip_prefix("--") {
            let (option, value) = long
                .split_once('=')
                .map_or((long, None), |(option, value)| (option, Some(value)));
            let value = value.or_else(|| {
                rest.get(at.saturating_add(1))
                    .map(|word| word.text.as_str())
            });
            if option == "entrypoint"
                && let Some(program) = value
            {
                let mut words = vec![Word {
                    text: program.to_owned(),
                    ..word.clone()
                }];
                words.extend_from_slice(rest.get(at.saturating_add(2)..).unwrap_or_default());
                return Peeled::Several(vec![words]);
            }
            let takes = *elsewhere && !long.contains('=') && !CONTAINER_FLAGS.contains(&option);
            at = at.saturating_add(if takes { 2 } else { 1 });
        } else if text.len() > 1 && text.starts_with('-') {
            let takes = text.len() == 2
                && ((*elsewhere && !"itdPT".contains(text.get(1..).unwrap_or("")))
                    || matches!(text, "-p" | "-n" | "-c" | "-e"));
            at = at.saturating_add(if takes { 2 } else { 1 });
        } else if left == 0 {
            break;
        } else {
            left = left.saturating_sub(1);
            at = at.saturating_add(1);
        }
    }
    if at < rest.len() {
        Peeled::Argv {
            skip: at.saturating_add(1),
            elsewhere: *elsewhere,
        }
    } else {
        Peeled::None
    }
}
