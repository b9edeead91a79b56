// SPDX-License-Identifier: Apache-2.0
//! Code of other languages: which hosts it talks to, what it reads, what it runs. Told from its
//! names and strings alone.

use super::options::Text;
use super::output::{base64_decode, hex_decode};
use super::tokens::{Token, tokens};
use super::value::Stream;
use super::{Evaluator, Sent, files};
use crate::net::{Host, find_urls};
use crate::shell::act::{Act, Way};
use crate::shell::command::{Command, Flow, Origin, Word};

/// Code within code, by decoding.
const LAYERS: usize = 4;

/// What a piece of code does, as far as its tokens say.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not exclude each other"
)]
#[derive(Debug, Default)]
struct Does {
    requests: bool,
    sends: bool,
    raw: bool,
    /// Runs text as code.
    evaluates: bool,
    /// Hands something that is no plain text to a shell.
    runs_unknown: bool,
    decodes: bool,
    reads: bool,
    data: Flow,
    urls: Vec<String>,
    hosts: Vec<String>,
    /// Shell texts, and argument vectors as quoted text.
    shell: Vec<String>,
    layers: Vec<String>,
}

/// Names of what sends requests.
#[expect(
    clippy::too_many_lines,
    reason = "one table or one walk, which reads better whole"
)]
fn is_request(lower: &str) -> bool {
    matches!(
        lower,
        "requests"
            | "urllib"
            | "urllib2"
            | "urllib3"
            | "urlopen"
            | "urlretrieve"
            | "httpx"
            | "aiohttp"
            | "fetch"
            | "axios"
            | "got"
            | "superagent"
            | "xmlhttprequest"
            | "lwp"
            | "useragent"
            | "httpclient"
            | "httpsconnection"
            | "httpconnection"
            | "httplib"
            | "httplib2"
            | "undici"
            | "needle"
            | "curl_init"
            | "curl_exec"
            | "pycurl"
            | "invoke-webrequest"
            | "invoke-restmethod"
            | "iwr"
            | "irm"
            | "webclient"
            | "downloadstring"
            | "downloadfile"
            | "downloaddata"
            | "uploadstring"
            | "uploadfile"
            | "uploaddata"
            | "uploadvalues"
            | "start-bitstransfer"
            | "webrequest"
            | "sendbeacon"
            | "websocket"
            | "eventsource"
            | "smtplib"
            | "smtp"
            | "ftplib"
            | "paramiko"
            | "open-uri"
            | "faraday"
            | "httparty"
            | "restclient"
            | "typhoeus"
            | "guzzlehttp"
            | "getstore"
            | "nodemailer"
            | "boto3"
            | "winhttp"
            | "msxml2"
            | "wget"
            | "send-mailmessage"
    )
}

/// Names of what opens sockets.
fn opens_socket(lower: &str) -> bool {
    matches!(
        lower,
        "tcpsocket"
            | "udpsocket"
            | "fsockopen"
            | "pfsockopen"
            | "stream_socket_client"
            | "socket_connect"
            | "create_connection"
            | "createconnection"
            | "tcpclient"
            | "udpclient"
            | "open_connection"
            | "connect_ex"
            | "sslsocket"
            | "telnetlib"
            | "telnet"
            | "dgram"
            | "createsocket"
            | "io::socket"
            | "opentcp"
            | "open_tcp_stream"
    )
}

/// Names of what runs text as code.
fn evaluates(lower: &str) -> bool {
    matches!(
        lower,
        "exec"
            | "eval"
            | "iex"
            | "invoke-expression"
            | "runinthiscontext"
            | "runinnewcontext"
            | "runincontext"
            | "instance_eval"
            | "class_eval"
            | "execfile"
            | "runpy"
            | "create_function"
            | "assert_eval"
            | "exec_module"
            | "loadstring"
            | "dofile"
            | "_compile"
    )
}

/// Names of what starts programs.
fn starts_program(lower: &str) -> bool {
    matches!(
        lower,
        "system"
            | "popen"
            | "popen2"
            | "popen3"
            | "subprocess"
            | "execsync"
            | "execfilesync"
            | "execfile"
            | "spawn"
            | "spawnsync"
            | "check_output"
            | "check_call"
            | "getoutput"
            | "getstatusoutput"
            | "shell_exec"
            | "passthru"
            | "proc_open"
            | "start-process"
            | "execvp"
            | "execv"
            | "execve"
            | "execl"
            | "execlp"
            | "spawnl"
            | "spawnv"
            | "capture2"
            | "capture3"
            | "create_subprocess_shell"
            | "create_subprocess_exec"
            | "exec"
            | "run"
            | "call"
            | "processbuilder"
            | "getline"
            | "qx"
            | "command"
            | "startprocess"
    )
}

/// Names that say that something is sent.
fn sends(lower: &str) -> bool {
    matches!(
        lower,
        "post"
            | "put"
            | "patch"
            | "data"
            | "json"
            | "files"
            | "body"
            | "upload"
            | "method"
            | "sendmail"
            | "storbinary"
            | "uploadstring"
            | "uploadfile"
            | "uploaddata"
            | "sendbeacon"
            | "-method"
            | "-body"
            | "-infile"
            | "postfields"
            | "curlopt_postfields"
            | "send_message"
            | "put_object"
            | "upload_file"
            | "upload_fileobj"
            | "content"
            | "multipart"
            | "formdata"
            | "uploadvalues"
            | "http_post_fields"
            | "send"
            | "write"
            | "form"
    )
}

/// Names that say that files are read.
fn reads_files(lower: &str) -> bool {
    matches!(
        lower,
        "open"
            | "read"
            | "readfile"
            | "readfilesync"
            | "read_text"
            | "read_bytes"
            | "createreadstream"
            | "file_get_contents"
            | "fopen"
            | "file"
            | "slurp"
            | "binread"
            | "readlines"
            | "get-content"
            | "gc"
            | "readalltext"
            | "readallbytes"
            | "-infile"
            | "glob"
            | "walk"
            | "readdir"
            | "readdirsync"
            | "rglob"
            | "listdir"
            | "path"
            | "uploadfile"
            | "upload_file"
    )
}

fn decodes(lower: &str) -> bool {
    matches!(
        lower,
        "b64decode"
            | "atob"
            | "fromhex"
            | "unhexlify"
            | "decode64"
            | "strict_decode64"
            | "urlsafe_decode64"
            | "base64_decode"
            | "decode_base64"
            | "frombase64string"
            | "a2b_base64"
            | "b32decode"
            | "b85decode"
            | "standard_b64decode"
            | "decompress"
            | "gzinflate"
            | "gzuncompress"
            | "str_rot13"
            | "rot13"
            | "rot_13"
            | "hex2bin"
            | "marshal"
            | "decodestring"
            | "inflate"
            | "inflatesync"
            | "gunzipsync"
            | "unpack"
            | "pack"
            | "fromcharcode"
            | "chr"
    )
}

impl Evaluator<'_> {
    /// Reads code and notes what it does. Returns what its output may hold.
    pub(super) fn read_code(
        &mut self,
        command: &mut Command,
        code: &str,
        stdin: Flow,
        origin: Origin,
    ) -> Flow {
        let mut does = Does {
            data: stdin.without(Flow::UNKNOWN),
            ..Does::default()
        };
        let mut left = vec![code.to_owned()];
        for _ in 0..LAYERS {
            let Some(code) = left.pop() else { break };
            self.spend(code.len());
            if self.program.over.is_some() {
                return Flow::NONE;
            }
            let tokens = tokens(&code);
            self.nodes = self.nodes.saturating_add(tokens.len());
            does.read(&tokens);
            if does.requests && does.urls.is_empty() {
                // PowerShell needs no quotes around a URL.
                let urls = find_urls(&code).into_iter().take(64);
                does.urls.extend(
                    urls.filter_map(|(start, end)| code.get(start..end).map(str::to_owned)),
                );
            }
            left.append(&mut does.layers);
        }
        self.note(command, &does, origin)
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn note(&mut self, command: &mut Command, does: &Does, origin: Origin) -> Flow {
        let network = does.requests || does.raw;
        let mut from = Flow::NONE;
        if network {
            let mut targets: Vec<&str> = does.urls.iter().map(String::as_str).collect();
            if does.raw || targets.is_empty() {
                targets.extend(does.hosts.iter().map(String::as_str));
            }
            let hole = Word::HOLE.to_string();
            if targets.is_empty() {
                targets.push(&hole);
            }
            let secret = Flow::SECRET
                .with(Flow::ENVIRONMENT)
                .with(Flow::TOKEN)
                .with(Flow::IDENTITY)
                .with(Flow::BULK);
            let way = if does.raw {
                Way::Raw
            } else if does.sends {
                Way::Send
            } else {
                Way::Get
            };
            // Reading a page into a file opens one, too.
            let name = if way == Way::Get && does.data.meets(secret) {
                does.data.without(Flow::FILE)
            } else {
                Flow::NONE
            };
            for target in targets.into_iter().take(64) {
                let text = Text {
                    text: target,
                    flow: name,
                    origin,
                };
                let data = if way == Way::Get {
                    Flow::NONE
                } else {
                    does.data
                };
                let place = self.connect(
                    command,
                    way,
                    text,
                    Sent {
                        data,
                        ..Sent::default()
                    },
                );
                from = from.with(Flow::from_target(place));
            }
            if does.evaluates || does.runs_unknown {
                command.acts.push(Act::Execute { flow: from, origin });
            }
        } else if does.data.meets(
            Flow::SECRET
                .with(Flow::ENVIRONMENT)
                .with(Flow::TOKEN)
                .with(Flow::BULK),
        ) {
            // What a library that is not known is told may be a URL.
            for url in does.urls.iter().take(64) {
                let text = Text {
                    text: url,
                    flow: Flow::NONE,
                    origin,
                };
                self.connect(
                    command,
                    Way::Mention,
                    text,
                    Sent {
                        data: does.data.without(Flow::FILE),
                        ..Sent::default()
                    },
                );
            }
        }
        if does.decodes && (does.evaluates || does.runs_unknown) {
            command.acts.push(Act::Execute {
                flow: Flow::DECODED,
                origin,
            });
        }
        for text in does.shell.iter().take(256) {
            self.code(text, origin, Stream::empty());
        }
        from.with(does.data)
    }
}

impl Does {
    fn read(&mut self, all: &[Token]) {
        let mut previous = String::new();
        let mut socket = false;
        let mut connects = false;
        for (at, token) in all.iter().enumerate() {
            let rest = all.get(at.saturating_add(1)..).unwrap_or_default();
            match token {
                Token::Name(name) => {
                    let lower = name.to_ascii_lowercase();
                    self.name(&lower, name, &previous, rest);
                    socket |= matches!(
                        lower.as_str(),
                        "socket" | "sockets" | "net" | "tls" | "io" | "inetaddress"
                    );
                    connects |= matches!(
                        lower.as_str(),
                        "connect"
                            | "create_connection"
                            | "sendto"
                            | "inet"
                            | "dial"
                            | "createconnection"
                    );
                    previous = lower;
                }
                Token::Text { text, tick } => {
                    // `require("socket")`
                    socket |= previous == "require"
                        && matches!(text.as_str(), "socket" | "net" | "tls" | "dgram");
                    self.string(text, *tick, all, at, &previous);
                }
                Token::Mark(_) => {}
            }
        }
        self.raw |= socket && connects;
    }

    #[expect(clippy::nonminimal_bool, reason = "as it is said")]
    #[expect(
        clippy::match_same_arms,
        reason = "one arm for each case, as the reader thinks of them"
    )]
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn name(&mut self, lower: &str, name: &str, previous: &str, rest: &[Token]) {
        let after = rest.iter().take(2).collect::<Vec<_>>();
        let accesses = matches!(after.first(), Some(Token::Mark(b'.' | b'[')));
        self.requests |= is_request(lower);
        self.requests |= matches!(previous, "http" | "https" | "http2")
            && matches!(
                lower,
                "get" | "request" | "post" | "connect" | "tiny" | "start"
            );
        self.requests |=
            previous == "net" && lower == "http" || previous == "uri" && lower == "open";
        self.raw |= opens_socket(lower);
        self.evaluates |= evaluates(lower)
            && !(lower == "exec"
                && matches!(
                    previous,
                    "child_process" | "cp" | "re" | "regex" | "pattern"
                ))
            || name == "Function";
        self.evaluates |= lower == "eval" && previous == "then";
        self.sends |= sends(lower)
            && !(matches!(lower, "json" | "data" | "content" | "write" | "body")
                && !followed_by(rest, b"=:({"));
        self.decodes |= decodes(lower);
        self.reads |= reads_files(lower);
        let data = match lower {
            "environ" | "env"
                if matches!(previous, "os" | "process" | "deno" | "")
                    || lower == "environ"
                    || name == "ENV" =>
            {
                let key = rest.iter().take(4).find_map(|token| match token {
                    Token::Text { text, .. } => Some(text.as_str()),
                    Token::Name(name) if !matches!(name.as_str(), "get" | "fetch" | "encode") => {
                        Some(name.as_str())
                    }
                    Token::Name(_) | Token::Mark(_) => None,
                });
                match key.filter(|_| accesses) {
                    Some(key) if files::names_secret(key) => Flow::TOKEN,
                    Some(
                        "items" | "copy" | "keys" | "values" | "to_h" | "to_s" | "inspect"
                        | "to_json",
                    ) => Flow::ENVIRONMENT,
                    Some(_) => Flow::UNKNOWN,
                    None => Flow::ENVIRONMENT,
                }
            }
            "getenv" => match rest.iter().take(3).find_map(text_of) {
                Some(key) if files::names_secret(key) => Flow::TOKEN,
                Some(_) => Flow::UNKNOWN,
                None => Flow::ENVIRONMENT,
            },
            "$_env" | "$_server" | "getallheaders" => Flow::ENVIRONMENT,
            "gethostname" | "hostname" | "getuser" | "userinfo" | "getlogin" | "uname"
            | "whoami" => Flow::IDENTITY,
            "walk" | "rglob" | "readdir" | "readdirsync" | "make_archive" | "tarfile"
            | "zipfile" => Flow::BULK,
            _ => Flow::NONE,
        };
        self.data = self.data.with(data);
        if starts_program(lower)
            && (lower != "exec"
                || matches!(previous, "child_process" | "cp" | "os" | "kernel" | ""))
            && !matches!(lower, "run" | "call" if !matches!(previous, "subprocess" | "sp" | "runtime"))
        {
            self.started(rest, lower);
        }
    }

    /// The arguments of what starts a program.
    fn started(&mut self, rest: &[Token], name: &str) {
        let mut words: Vec<String> = Vec::new();
        let mut opened = false;
        for token in rest.iter().take(512) {
            match token {
                Token::Text { text, .. } => words.push(text.clone()),
                Token::Mark(b'(' | b'[') if words.is_empty() => opened = true,
                Token::Mark(b'[' | b']' | b',') if opened => {}
                Token::Mark(_) | Token::Name(_) => break,
            }
        }
        match words.as_slice() {
            [] => {
                let call = matches!(rest.first(), Some(Token::Mark(b'(' | b'[')));
                let argument = rest
                    .get(1)
                    .is_some_and(|token| matches!(token, Token::Name(_)));
                self.runs_unknown |= call && argument && !matches!(name, "command" | "getline");
            }
            [one] => self.shell.push(one.clone()),
            many => {
                let quoted: Vec<_> = many
                    .iter()
                    .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
                    .collect();
                self.shell.push(quoted.join(" "));
            }
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn string(&mut self, text: &str, tick: bool, all: &[Token], at: usize, previous: &str) {
        if tick
            && matches!(
                all.get(at.saturating_sub(1)),
                None | Some(Token::Mark(b'=' | b';' | b'{' | b'('))
            )
            && !text.contains("://")
            && text.contains(' ')
        {
            self.shell.push(text.to_owned());
        }
        for (start, end) in find_urls(text) {
            self.urls.extend(text.get(start..end).map(str::to_owned));
        }
        if text.starts_with("/inet") {
            self.raw = true;
            self.hosts.extend(text.split('/').nth(4).map(str::to_owned));
        }
        if matches!(text, "net" | "socket" | "tls" | "dgram") && previous == "require" {
            let connects = all.iter().skip(at).take(8).any(
                |token| matches!(token, Token::Name(name) if name.eq_ignore_ascii_case("connect")),
            );
            self.raw |= connects;
        }
        self.requests |= previous == "require" && matches!(text, "http" | "https" | "axios" | "node-fetch" | "request" | "got" | "undici" | "node:https" | "node:http")
            && all.iter().skip(at).any(|token| matches!(token, Token::Name(name) if matches!(name.as_str(), "get" | "request" | "post")));
        self.requests |= matches!(
            previous,
            "file_get_contents" | "fopen" | "copy" | "open" | "readfile"
        ) && text.contains("://");
        self.sends |= matches!(text, "POST" | "PUT" | "PATCH" | "method");
        self.decodes |= matches!(text, "base64" | "hex" | "rot13" | "rot_13" | "zlib");
        // In awk a string beside a bar is a command.
        let bar = |token: Option<&Token>| matches!(token, Some(Token::Mark(b'|')));
        if (bar(all.get(at.saturating_add(1))) || bar(all.get(at.saturating_sub(1))))
            && text.contains(' ')
        {
            self.shell.push(text.to_owned());
        }
        if files::is_secret_path(text)
            && text.len() < 256
            && !text.contains("://")
            && !text.contains(' ')
            && text.contains(['.', '/'])
        {
            self.data = self.data.with(Flow::SECRET);
        } else if self.reads
            && text.len() < 256
            && text.contains(['.', '/'])
            && !text.contains("://")
            && !text.contains(' ')
            && !is_host(text)
            && matches!(
                previous,
                "open"
                    | "readfilesync"
                    | "readfile"
                    | "read"
                    | "file_get_contents"
                    | "path"
                    | "fopen"
                    | "file"
                    | "createreadstream"
            )
        {
            self.data = self.data.with(Flow::FILE);
        }
        if is_host(text) {
            self.hosts.push(text.to_owned());
        }
        if text.len() >= 16 && !text.contains(' ') {
            let hex = hex_decode(text).filter(|_| text.len().is_multiple_of(2));
            let decoded = hex
                .or_else(|| base64_decode(text))
                .and_then(|bytes| String::from_utf8(bytes).ok());
            let readable =
                |text: &String| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
            self.layers.extend(decoded.filter(readable));
        }
        // Escapes may hide code; decoded, it reads as code.
        if text.len() > 24
            && text.contains('(')
            && (self.evaluates || matches!(previous, "exec" | "eval" | "compile" | "function"))
        {
            self.layers.push(text.to_owned());
        }
    }
}

fn text_of(token: &Token) -> Option<&str> {
    if let Token::Text { text, .. } = token {
        Some(text)
    } else {
        None
    }
}

fn followed_by(rest: &[Token], marks: &[u8]) -> bool {
    matches!(rest.first(), Some(Token::Mark(mark)) if marks.contains(mark))
}

/// `evil.example`, `203.0.113.7`, `evil.example:4444`
fn is_host(text: &str) -> bool {
    let name = text.split_once(':').map_or(text, |(name, _)| name);
    if name.is_empty()
        || name.len() > 253
        || !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    {
        return text.starts_with('[') && matches!(Host::read(text), Host::Address(_));
    }
    if name == "localhost" {
        return true;
    }
    let Some((_, last)) = name.rsplit_once('.') else {
        return false;
    };
    // A file's ending is no top-level domain that is used here.
    let file = matches!(
        last,
        "py" | "js"
            | "ts"
            | "txt"
            | "json"
            | "env"
            | "pem"
            | "key"
            | "csv"
            | "log"
            | "html"
            | "xml"
            | "yml"
            | "yaml"
            | "gz"
            | "zip"
            | "tar"
            | "php"
            | "rb"
            | "pl"
            | "conf"
            | "cfg"
            | "db"
            | "md"
            | "lock"
            | "toml"
    );
    !file
        && (last.len() >= 2 || name.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        && matches!(Host::read(name), Host::Name(_) | Host::Address(_))
        && !name.starts_with('.')
}
