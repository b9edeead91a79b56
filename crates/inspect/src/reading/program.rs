// SPDX-License-Identifier: Apache-2.0
//! What a call runs and asks for: each of its strings read as what it is.

use super::Reading;
use super::texts::{Role, Text};
use crate::net::{Host, Target, find_urls};
use crate::shell::{Evaluator, Origin, Program, Word, is_program};

/// Reads all strings of a call.
#[expect(
    clippy::too_many_lines,
    reason = "one table or one walk, which reads better whole"
)]
pub(super) fn read(reading: &Reading<'_>) -> Program {
    let limits = reading.limits();
    let mut evaluator = Evaluator::new(&limits);
    let texts = reading.texts();
    let in_argv: Vec<usize> = reading.argvs().iter().flatten().copied().collect();
    let stdin = of_role(texts, Role::Stdin);
    for text in texts.iter().filter(|text| text.role == Role::Environment) {
        evaluator.set(text.key, text.text);
    }
    for argv in reading.argvs() {
        evaluator.argv(words_of(texts, argv), stdin.clone());
    }
    let shell_language = texts.iter().any(|text| {
        text.role == Role::Option
            && matches!(
                text.key,
                "language" | "lang" | "interpreter" | "shell" | "type"
            )
            && matches!(text.text, "bash" | "sh" | "shell" | "zsh" | "shellscript")
    });
    let body = joined(texts, Role::Body);
    let head = joined(texts, Role::Header);
    let method = texts
        .iter()
        .find(|text| text.key.eq_ignore_ascii_case("method"))
        .map_or("", |text| text.text);
    let sends = !body.is_empty()
        || ["POST", "PUT", "PATCH"]
            .iter()
            .any(|verb| method.eq_ignore_ascii_case(verb));
    let can = reading.can();
    let commands = texts
        .iter()
        .any(|text| matches!(text.role, Role::Shell | Role::Argv));
    for (place, text) in texts.iter().enumerate() {
        let origin = Origin {
            text: place,
            start: 0,
            end: text.text.len(),
        };
        match text.role {
            Role::Shell if !in_argv.contains(&place) => {
                evaluator.shell_text(text.text, origin, stdin.clone());
            }
            Role::Environment if is_code_variable(text.key) => {
                evaluator.shell_text(text.text, origin, None);
            }
            Role::Code if shell_language => evaluator.shell_text(text.text, origin, stdin.clone()),
            Role::Code => {
                evaluator.code_text(text.text, reading.call().tool, origin);
                if can.is_unknown() && starts_like_shell(text.text) {
                    evaluator.shell_text(text.text, origin, stdin.clone());
                }
            }
            Role::Url if is_target(text) => {
                evaluator.fetch(text.text, origin, sends, body.clone(), head.clone());
            }
            Role::Stdin if !commands && (can.shell || starts_like_shell(text.text)) => {
                evaluator.shell_text(text.text, origin, None);
            }
            Role::Content if can.write => {
                for path in texts.iter().filter(|text| text.role == Role::Path) {
                    evaluator.written(path.text, text.text, origin);
                }
            }
            Role::Other | Role::Argv if (can.is_unknown() || can.http) && is_url(text.text) => {
                evaluator.fetch(text.text.trim(), origin, sends, body.clone(), head.clone());
            }
            Role::Other | Role::Content
                if (can.is_unknown() || (can.shell && text.role == Role::Other))
                    && starts_like_shell(text.text) =>
            {
                evaluator.shell_text(text.text, origin, stdin.clone());
            }
            Role::Shell
            | Role::Argv
            | Role::Url
            | Role::Path
            | Role::Body
            | Role::Header
            | Role::Environment
            | Role::Stdin
            | Role::Content
            | Role::Prose
            | Role::Option
            | Role::Other => {}
        }
    }
    evaluator.finish()
}

/// All strings of a role, for what is given on standard input.
fn of_role(texts: &[Text<'_>], role: Role) -> Option<String> {
    let all = joined(texts, role);
    (!all.is_empty()).then_some(all)
}

fn joined(texts: &[Text<'_>], role: Role) -> String {
    let mut all = String::new();
    for text in texts.iter().filter(|text| text.role == role) {
        if role != Role::Stdin {
            all.push_str(text.key);
            all.push('=');
        }
        all.push_str(text.text);
        all.push('\n');
    }
    all
}

/// The words of an argument vector. A first element with blanks is a command line of its own.
fn words_of(texts: &[Text<'_>], argv: &[usize]) -> Vec<Word> {
    let mut words = Vec::new();
    for place in argv {
        let Some(text) = texts.get(*place) else {
            continue;
        };
        let origin = Origin {
            text: *place,
            start: 0,
            end: text.text.len(),
        };
        let word = |part: &str| Word {
            text: part.to_owned(),
            origin,
            ..Word::default()
        };
        if words.is_empty() && text.role == Role::Shell {
            words.extend(text.text.split_whitespace().map(word));
        } else {
            words.push(word(text.text));
        }
    }
    words
}

fn is_code_variable(name: &str) -> bool {
    matches!(
        name,
        "GIT_SSH_COMMAND"
            | "BASH_ENV"
            | "ENV"
            | "PROMPT_COMMAND"
            | "GIT_EXTERNAL_DIFF"
            | "GIT_PAGER"
            | "PAGER"
            | "LESSOPEN"
    )
}

/// A URL and nothing else.
fn is_url(text: &str) -> bool {
    let text = text.trim();
    !text.contains([' ', '\n'])
        && find_urls(text)
            .first()
            .is_some_and(|(start, _)| *start == 0)
}

/// Whether a string under a key of URLs is one: `owner/name` of a repository is none.
fn is_target(text: &Text<'_>) -> bool {
    if text.text.trim().is_empty() {
        return false;
    }
    let named = [
        "url", "uri", "host", "endpoint", "href", "webhook", "proxy", "address",
    ];
    let named = named
        .iter()
        .any(|name| text.key.to_ascii_lowercase().contains(name));
    let target = Target::read(text.text);
    let scheme = !target.scheme.is_empty();
    scheme
        || text.key.is_empty()
        || named
        || target.host.as_ref().is_some_and(Host::looks_like_one) && !text.text.contains(' ')
}

/// Whether the first word of a text is a program that matters.
fn starts_like_shell(text: &str) -> bool {
    let first = text
        .trim_start()
        .split(|c: char| c.is_whitespace() || matches!(c, ';' | '|' | '&'))
        .next()
        .unwrap_or_default();
    first.len() < text.trim().len() && is_program(first)
}
