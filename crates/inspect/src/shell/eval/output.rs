// SPDX-License-Identifier: Apache-2.0
//! What programs write that only read: text, files, decoders, what tells of this machine.

use std::rc::Rc;

use super::options::{Arg, Args, Spec};
use super::run::relative;
use super::value::{Stream, Value};
use super::{Evaluator, files};
use crate::shell::command::{Command, Flow, Word};
use crate::shell::escape::{Style, unescape};

impl Evaluator<'_> {
    /// What a program writes that this file knows; `None` if it is not one of them.
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    pub(super) fn plain_output(
        &mut self,
        command: &Command,
        name: &str,
        stdin: &Stream,
    ) -> Option<Stream> {
        let words = command.arguments();
        Some(match name {
            "echo" => echo(words),
            "printf" => printf(words),
            "cat" | "tac" | "bat" | "batcat" | "less" | "more" | "zcat" | "bzcat" | "xzcat"
            | "gunzip" | "bunzip2" | "unxz" | "zstdcat" | "gzip" | "bzip2" | "xz" | "zstd"
            | "head" | "tail" | "sort" | "uniq" | "nl" | "fold" | "paste" | "column"
            | "strings" | "cut" | "shuf" | "split" | "fmt" | "dos2unix" | "sponge" | "pv"
            | "buffer" | "mbuffer" | "expand" => self.cat(words, stdin, name),
            "tee" => self.tee(words, stdin),
            "base64" | "base32" | "basenc" | "uuencode" | "uudecode" | "base58" | "openssl"
            | "gpg" | "age" | "xxd" | "od" | "hexdump" | "ascii85" => {
                return self.decoder(command, name, stdin);
            }
            "rev" => self.mapped(words, stdin, |text| {
                text.lines()
                    .map(|line| line.chars().rev().collect::<String>() + "\n")
                    .collect()
            }),
            "tr" => tr(words, stdin),
            "env" | "printenv" | "set" | "export" | "declare" | "typeset" => {
                self.environment_output(words, name)
            }
            "whoami" | "id" | "hostname" | "uname" | "logname" | "ifconfig" | "hostid" | "w"
            | "who" | "last" | "lsb_release" | "hostnamectl" | "arp" | "dmidecode" | "ip" => {
                Stream::unknown(Flow::IDENTITY)
            }
            "history" | "fc" => Stream::unknown(Flow::BULK.with(Flow::SECRET)),
            "mysqldump" | "pg_dump" | "pg_dumpall" | "mongodump" | "mongoexport" | "sqlite3"
            | "mysql" | "psql" | "redis-cli" | "mongo" | "mongosh" | "mariadb-dump" | "cqlsh" => {
                return None;
            }
            "which" | "whereis" | "type" => lookup(words),
            "basename" | "dirname" | "realpath" | "readlink" => words
                .iter()
                .rfind(|word| !word.text.starts_with('-'))
                .map_or_else(
                    || Stream::unknown(Flow::UNKNOWN),
                    |word| {
                        let text = if name == "basename" {
                            word.text.rsplit('/').next().unwrap_or_default()
                        } else {
                            &word.text
                        };
                        Stream::known(text, word.flow)
                    },
                ),
            "read" | "mapfile" | "readarray" => self.read_builtin(words, stdin),
            "local" | "readonly" => self.declare(words),
            "cp" | "mv" | "ln" | "install" => self.copy_files(words),
            "dd" => self.dd(words, stdin),
            "tar" | "gtar" | "bsdtar" | "zip" | "7z" | "7za" | "rar" | "cpio" | "pax" => {
                self.archive(words, name, stdin)
            }
            "sed" | "awk" | "grep" | "egrep" | "fgrep" | "rg" | "jq" | "yq" | "ag" | "mawk"
            | "wc" | "md5sum" | "sha256sum" | "sha1sum" | "sha512sum" | "shasum" | "diff"
            | "cmp" | "find" | "ls" | "stat" | "file" | "du" | "tree" | "comm" | "join" | "seq"
            | "date" | "pwd" | "true" | "false" | "test" | "[" | "[[" | ":" | "sleep" | "expr"
            | "bc" | "mktemp" | "yes" | "ps" | "kill" => self.filter(words, name, stdin),
            _ => return None,
        })
    }

    fn cat(&mut self, words: &[Word], stdin: &Stream, name: &str) -> Stream {
        let numbers = matches!(
            name,
            "head"
                | "tail"
                | "cut"
                | "fold"
                | "sort"
                | "split"
                | "shuf"
                | "paste"
                | "column"
                | "nl"
                | "fmt"
        );
        let spec = if numbers {
            Spec::new(
                "ncdfwskto",
                &["lines", "bytes", "delimiter", "fields", "width"],
            )
        } else {
            Spec::new("", &[])
        };
        let mut out: Option<Stream> = None;
        for arg in Args::new(words, spec) {
            if let Arg::Plain(text, _) = arg {
                let word = Word {
                    text: text.text.to_owned(),
                    flow: text.flow,
                    glob: false,
                    origin: text.origin,
                };
                let stream = self.read_file(&word);
                out.get_or_insert_with(Stream::empty).append(stream);
            }
        }
        let mut out = out.unwrap_or_else(|| stdin.clone());
        if !matches!(
            name,
            "cat"
                | "less"
                | "more"
                | "pv"
                | "buffer"
                | "mbuffer"
                | "sponge"
                | "bat"
                | "head"
                | "tail"
                | "sort"
                | "uniq"
                | "tac"
        ) {
            out.text = None;
        }
        out.given = true;
        out
    }

    fn tee(&mut self, words: &[Word], stdin: &Stream) -> Stream {
        for word in words.iter().filter(|word| !word.text.starts_with('-')) {
            self.write_file(word, stdin.clone());
        }
        stdin.clone()
    }

    fn mapped(&mut self, words: &[Word], stdin: &Stream, map: impl Fn(&str) -> String) -> Stream {
        let input = self.cat(words, stdin, "cat");
        let text = input.text.as_deref().map(|text| Rc::new(map(text)));
        Stream {
            flow: input.flow.with(Flow::DECODED),
            text,
            given: true,
        }
    }

    /// base64 and its kin: encoders pass on what they read, decoders say what it was.
    fn decoder(&mut self, command: &Command, name: &str, stdin: &Stream) -> Option<Stream> {
        let words = command.arguments();
        if name == "openssl"
            && !words.first().is_some_and(|word| {
                matches!(
                    word.text.as_str(),
                    "enc" | "base64" | "aes-256-cbc" | "zlib"
                )
            })
        {
            return None;
        }
        let decodes = name == "uudecode"
            || words.iter().any(|word| {
                let text = word.text.as_str();
                let cluster = text.starts_with('-') && !text.starts_with("--") && text.len() <= 4;
                (text.len() > 3 && "--decode".starts_with(text))
                    || text == "--decrypt"
                    || text == "--reverse"
                    || (cluster
                        && name != "openssl"
                        && text.contains(['d', 'D'])
                        && !matches!(name, "od" | "hexdump" | "xxd"))
                    || (name == "openssl" && text == "-d")
                    || (name == "xxd" && cluster && text.contains('r'))
            });
        let files: Vec<Word> = words
            .iter()
            .skip(usize::from(name == "openssl"))
            .filter(|word| !word.text.starts_with('-') && word.text.parse::<u32>().is_err())
            .cloned()
            .collect();
        let input = self.cat(&files, stdin, "cat");
        let secret = name == "gpg"
            && words
                .iter()
                .any(|word| word.text.starts_with("--export-secret"));
        if secret {
            return Some(Stream::unknown(Flow::SECRET));
        }
        if !decodes {
            return Some(Stream::unknown(input.flow));
        }
        let text = input.text.as_deref().and_then(|text| {
            let bytes = if name == "xxd" {
                hex_decode(text)
            } else {
                base64_decode(text)
            };
            bytes.map(|bytes| Rc::new(String::from_utf8_lossy(&bytes).into_owned()))
        });
        Some(Stream {
            flow: input.flow.with(Flow::DECODED),
            text,
            given: true,
        })
    }

    fn environment_output(&mut self, words: &[Word], name: &str) -> Stream {
        let plain: Vec<_> = words
            .iter()
            .filter(|word| !word.text.starts_with('-'))
            .cloned()
            .collect();
        match name {
            "printenv" if !plain.is_empty() => {
                let mut out = Stream::empty();
                for word in &plain {
                    let value = self.lookup(&word.text).unwrap_or_else(|| {
                        Value::hole(if files::names_secret(&word.text) {
                            Flow::TOKEN
                        } else {
                            Flow::UNKNOWN
                        })
                    });
                    out.append(Stream {
                        flow: value.flow,
                        text: value.is_known().then(|| Rc::new(value.text)),
                        given: true,
                    });
                }
                out
            }
            "env" | "printenv" => Stream::unknown(Flow::ENVIRONMENT),
            _ if plain.is_empty() => {
                let dumps = words.is_empty()
                    || words
                        .iter()
                        .any(|word| word.text.contains('p') || word.text.contains('x'));
                if dumps && name != "set" || words.is_empty() {
                    Stream::unknown(Flow::ENVIRONMENT)
                } else {
                    Stream::empty()
                }
            }
            "set" => {
                // `set -- a b` sets the arguments.
                if let Some(at) = words.iter().position(|word| word.text == "--") {
                    let values = words.get(at.saturating_add(1)..).unwrap_or_default().iter();
                    let values = values
                        .map(|word| Value {
                            text: word.text.clone(),
                            flow: word.flow,
                        })
                        .collect();
                    if let Some(arguments) = self.arguments.last_mut() {
                        *arguments = values;
                    }
                }
                Stream::empty()
            }
            _ => self.declare(words),
        }
    }

    fn declare(&mut self, words: &[Word]) -> Stream {
        for word in words {
            if let Some((name, value)) = word.text.split_once('=') {
                self.spend(value.len());
                self.variables.insert(
                    name.to_owned(),
                    Value {
                        text: value.to_owned(),
                        flow: word.flow,
                    },
                );
            }
        }
        Stream::empty()
    }

    fn read_builtin(&mut self, words: &[Word], stdin: &Stream) -> Stream {
        let line = stdin.text.as_deref().and_then(|text| {
            let mut lines = text.lines();
            let first = lines.next();
            first.filter(|_| lines.next().is_none())
        });
        let value = match line {
            Some(line) => Value {
                text: line.to_owned(),
                flow: stdin.flow,
            },
            None => Value::hole(stdin.flow.with(Flow::UNKNOWN)),
        };
        let mut any = false;
        for arg in Args::new(words, Spec::new("adinNptu", &[])) {
            if let Arg::Plain(text, _) | Arg::Value("a", text) = arg {
                any = true;
                self.variables.insert(text.text.to_owned(), value.clone());
            }
        }
        if !any {
            self.variables.insert("REPLY".to_owned(), value);
        }
        Stream::empty()
    }

    fn copy_files(&mut self, words: &[Word]) -> Stream {
        let plain: Vec<_> = words
            .iter()
            .filter(|word| !word.text.starts_with('-'))
            .collect();
        if let Some((to, from)) = plain.split_last() {
            let to = *to;
            let mut all = Stream::empty();
            for word in from {
                let mut stream = self.read_file(word);
                if files::is_tree(&word.text) {
                    stream.flow = stream.flow.with(Flow::BULK);
                }
                // Into a folder: by its name there.
                let name = word.text.rsplit('/').next().unwrap_or_default();
                let inside = Word {
                    text: format!("{}/{name}", to.text.trim_end_matches('/')),
                    ..to.clone()
                };
                self.write_file(&inside, stream.clone());
                all.append(stream);
            }
            if !from.is_empty() {
                self.write_file(to, all);
            }
        }
        Stream::empty()
    }

    fn dd(&mut self, words: &[Word], stdin: &Stream) -> Stream {
        let mut stream = stdin.clone();
        let mut to = None;
        for word in words {
            if let Some(path) = word.text.strip_prefix("if=") {
                stream = self.read_file(&Word {
                    text: path.to_owned(),
                    ..word.clone()
                });
            } else if let Some(path) = word.text.strip_prefix("of=") {
                to = Some(Word {
                    text: path.to_owned(),
                    ..word.clone()
                });
            }
        }
        match to {
            Some(to) => {
                self.write_file(&to, stream);
                Stream::empty()
            }
            None => stream,
        }
    }

    /// What an archive holds: to a file, or to the output.
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn archive(&mut self, words: &[Word], name: &str, stdin: &Stream) -> Stream {
        let first = words.first().map_or("", |word| word.text.as_str());
        let tar = matches!(name, "tar" | "gtar" | "bsdtar");
        let extracts = tar
            && (first.trim_start_matches('-').starts_with('x')
                || first.trim_start_matches('-').starts_with('t')
                || words.iter().any(|word| {
                    matches!(word.text.as_str(), "--extract" | "--list" | "-x" | "-t")
                }));
        let mut to = None;
        let mut flow = Flow::NONE;
        let mut skip_next = false;
        let mut folder = None;
        for (place, word) in words.iter().enumerate() {
            let text = word.text.as_str();
            if std::mem::take(&mut skip_next) {
                continue;
            }
            let cluster = tar
                && ((place == 0 && !text.contains('/'))
                    || (text.starts_with('-') && !text.starts_with("--")));
            if cluster && text.ends_with('f') {
                to = words.get(place.saturating_add(1)).cloned();
                skip_next = true;
                continue;
            }
            if let Some(file) = text.strip_prefix("--file=") {
                to = Some(Word {
                    text: file.to_owned(),
                    ..word.clone()
                });
                continue;
            }
            if text == "-C" {
                folder = words
                    .get(place.saturating_add(1))
                    .map(|word| word.text.clone());
            }
            if text == "-C" || text == "--exclude" || text == "-X" {
                skip_next = text != "-C";
                continue;
            }
            if cluster || (text.starts_with('-') && text != "-") {
                continue;
            }
            if !tar && to.is_none() {
                if name != "cpio" && (name == "zip" || place > 0) {
                    to = Some(word.clone());
                }
                continue;
            }
            flow = flow.with(self.read_file(word).flow);
            if files::is_tree(text) {
                flow = flow.with(Flow::BULK);
            }
        }
        if extracts {
            // What comes out of an archive is what went in.
            let from = to.map(|to| self.read_file(&to).flow).unwrap_or_default();
            let flow = from.with(stdin.flow);
            if flow.meets(Flow::NETWORK) {
                if let Some(folder) = &folder {
                    let key = format!("{}/*", relative(folder).trim_end_matches('/'));
                    self.files.insert(key, Stream::unknown(flow));
                }
                self.files
                    .insert("*extracted".to_owned(), Stream::unknown(flow));
            }
            return Stream::unknown(flow);
        }
        flow = flow.with(stdin.flow);
        match to.filter(|to| to.text != "-") {
            Some(to) => {
                self.write_file(&to, Stream::unknown(flow.with(Flow::FILE)));
                Stream::empty()
            }
            None => Stream::unknown(flow),
        }
    }

    /// Programs that pass on a part of what they read, or tell little.
    fn filter(&mut self, words: &[Word], name: &str, stdin: &Stream) -> Stream {
        let mut flow = stdin.flow;
        let reads = matches!(
            name,
            "sed"
                | "awk"
                | "mawk"
                | "grep"
                | "egrep"
                | "fgrep"
                | "rg"
                | "ag"
                | "jq"
                | "yq"
                | "diff"
                | "comm"
                | "join"
        );
        if reads {
            for (place, word) in words.iter().enumerate() {
                let known = self.files.get(&word.text).map(|stream| stream.flow);
                // The first plain argument is a program or a pattern.
                let secret = !word.text.starts_with('-')
                    && files::is_secret_path(&word.text)
                    && (place > 0 || words.len() == 1);
                flow = flow
                    .with(known.unwrap_or(if secret { Flow::SECRET } else { Flow::NONE }))
                    .with(word.flow);
            }
            return Stream::unknown(flow.with(if stdin.given { Flow::NONE } else { Flow::FILE }));
        }
        match name {
            "pwd" | "true" | "false" | "test" | "[" | "[[" | ":" | "sleep" | "date" | "seq"
            | "mktemp" | "expr" | "bc" | "kill" => Stream {
                given: false,
                ..Stream::unknown(Flow::NONE)
            },
            "wc" | "md5sum" | "sha256sum" | "sha1sum" | "sha512sum" | "shasum" | "cmp" => {
                Stream::unknown(Flow::NONE)
            }
            _ => Stream::unknown(Flow::UNKNOWN.with(flow.without(Flow::NETWORK))),
        }
    }
}

fn flow_of(words: &[Word]) -> Flow {
    words
        .iter()
        .fold(Flow::NONE, |flow, word| flow.with(word.flow))
}

fn echo(words: &[Word]) -> Stream {
    let mut rest = words;
    let (mut newline, mut escapes) = (true, false);
    while let Some((first, more)) = rest.split_first() {
        let option = first
            .text
            .strip_prefix('-')
            .filter(|letters| !letters.is_empty() && letters.chars().all(|c| "neE".contains(c)));
        let Some(letters) = option else { break };
        newline &= !letters.contains('n');
        escapes |= letters.contains('e');
        rest = more;
    }
    let mut text = rest
        .iter()
        .map(|word| word.text.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    if escapes {
        text = unescape(text.as_bytes(), Style::Echo);
    }
    if newline {
        text.push('\n');
    }
    Stream::known(text, flow_of(rest))
}

/// `printf FORMAT [ARGUMENT…]`: escapes, `%s`, `%b`, `%c`, numbers.
fn printf(words: &[Word]) -> Stream {
    let words = words
        .get(usize::from(words.first().is_some_and(|word| word.text == "--"))..)
        .unwrap_or_default();
    let Some((format, arguments)) = words.split_first() else {
        return Stream::empty();
    };
    let mut out = String::new();
    let mut left = arguments.iter();
    for _ in 0..64 {
        let before = left.len();
        let mut characters = format.text.chars().peekable();
        let mut literal = String::new();
        while let Some(c) = characters.next() {
            if c != '%' {
                literal.push(c);
                continue;
            }
            if characters.peek() == Some(&'%') {
                characters.next();
                literal.push('%');
                continue;
            }
            while characters
                .next_if(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | '#' | ' ' | '0'))
                .is_some()
            {}
            let kind = characters.next().unwrap_or('s');
            out.push_str(&unescape(literal.as_bytes(), Style::AnsiC));
            literal.clear();
            let argument = left.next().map_or("", |word| word.text.as_str());
            match kind {
                'b' => out.push_str(&unescape(argument.as_bytes(), Style::Echo)),
                'c' => out.extend(argument.chars().next()),
                _ => out.push_str(argument),
            }
        }
        out.push_str(&unescape(literal.as_bytes(), Style::AnsiC));
        if left.len() == 0 || left.len() == before || out.len() > 1 << 16 {
            break;
        }
    }
    Stream::known(out, flow_of(words))
}

fn lookup(words: &[Word]) -> Stream {
    match words.iter().find(|word| !word.text.starts_with('-')) {
        Some(word) => Stream::known(word.text.clone(), Flow::NONE),
        None => Stream::empty(),
    }
}

/// `tr SET1 SET2`, with ranges and a few classes.
fn tr(words: &[Word], stdin: &Stream) -> Stream {
    let flag = words.first().is_some_and(|word| word.text.starts_with('-'));
    if flag {
        let deletes = words
            .first()
            .is_some_and(|word| word.text.contains('d') && !word.text.contains(['c', 'C']));
        let set = words
            .get(1)
            .map(|word| tr_set(&word.text))
            .unwrap_or_default();
        let text = stdin
            .text
            .as_ref()
            .filter(|_| deletes)
            .map(|text| Rc::new(text.chars().filter(|c| !set.contains(c)).collect()));
        return Stream {
            flow: stdin.flow,
            text,
            given: true,
        };
    }
    let (Some(from), Some(to)) = (words.first(), words.get(1)) else {
        return stdin.clone();
    };
    let (from, to) = (tr_set(&from.text), tr_set(&to.text));
    let last = to.last().copied();
    let text = stdin.text.as_ref().map(|text| {
        let text: String = text
            .chars()
            .map(|c| match from.iter().rposition(|f| *f == c) {
                Some(at) => to.get(at).copied().or(last).unwrap_or(c),
                None => c,
            })
            .collect();
        Rc::new(text)
    });
    Stream {
        flow: stdin.flow.with(Flow::DECODED),
        text,
        given: true,
    }
}

fn tr_set(set: &str) -> Vec<char> {
    let expanded = set
        .replace("[:lower:]", "a-z")
        .replace("[:upper:]", "A-Z")
        .replace("[:digit:]", "0-9")
        .replace("[:alpha:]", "A-Za-z")
        .replace("[:space:]", " \t\n");
    let expanded = unescape(expanded.as_bytes(), Style::AnsiC);
    let characters: Vec<char> = expanded.chars().take(1024).collect();
    let mut out = Vec::new();
    let mut at = 0_usize;
    while let Some(c) = characters.get(at) {
        let end = characters
            .get(at.saturating_add(2))
            .filter(|_| characters.get(at.saturating_add(1)) == Some(&'-'));
        match end {
            Some(end) if end >= c => {
                out.extend((*c..=*end).take(1024));
                at = at.saturating_add(3);
            }
            _ => {
                out.push(*c);
                at = at.saturating_add(1);
            }
        }
    }
    out
}

/// Base64, either alphabet, blanks and padding left out; `None` if it is none.
pub(super) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' | b' ' | b'\n' | b'\r' | b'\t' => continue,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count = count.wrapping_add(6);
        if count >= 8 {
            count = count.wrapping_sub(8);
            out.push(u8::try_from((bits >> count) & 0xFF).unwrap_or(0));
        }
    }
    Some(out)
}

/// Hex digits, blanks left out.
pub(super) fn hex_decode(text: &str) -> Option<Vec<u8>> {
    let text = text.replace("\\x", "");
    let mut digits = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16));
    let mut out = Vec::new();
    while let Some(high) = digits.next() {
        let low = digits.next()??;
        out.push(u8::try_from(high?.wrapping_mul(16).wrapping_add(low)).unwrap_or(0));
    }
    Some(out)
}
