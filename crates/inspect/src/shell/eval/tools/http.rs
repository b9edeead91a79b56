// SPDX-License-Identifier: Apache-2.0
//! curl, wget, `HTTPie` and other clients of HTTP.

use super::super::options::{Arg, Args, Spec, Text};
use super::super::value::Stream;
use super::super::{Evaluator, Sent, files};
use crate::shell::act::{Act, Way};
use crate::shell::command::{Command, Flow, Word};

const CURL: Spec = Spec::new(
    "AbcCdDeEFHKmoPQrtTuUwxXyYz",
    &[
        "data",
        "data-ascii",
        "data-binary",
        "data-raw",
        "data-urlencode",
        "json",
        "form",
        "form-string",
        "upload-file",
        "header",
        "user-agent",
        "cookie",
        "cookie-jar",
        "user",
        "proxy",
        "proxy-user",
        "proxy-header",
        "preproxy",
        "socks4",
        "socks4a",
        "socks5",
        "socks5-hostname",
        "output",
        "output-dir",
        "url",
        "url-query",
        "request",
        "referer",
        "config",
        "cert",
        "key",
        "cacert",
        "capath",
        "max-time",
        "connect-timeout",
        "retry",
        "retry-delay",
        "retry-max-time",
        "limit-rate",
        "range",
        "resolve",
        "connect-to",
        "interface",
        "write-out",
        "dump-header",
        "mail-from",
        "mail-rcpt",
        "mail-auth",
        "oauth2-bearer",
        "proto",
        "proto-default",
        "proto-redir",
        "max-redirs",
        "max-filesize",
        "time-cond",
        "netrc-file",
        "quote",
        "unix-socket",
        "abstract-unix-socket",
        "ciphers",
        "tls-max",
        "trace",
        "trace-ascii",
        "stderr",
        "aws-sigv4",
        "doh-url",
        "dns-servers",
        "noproxy",
        "pinnedpubkey",
        "hostpubmd5",
        "engine",
        "krb",
        "login-options",
        "service-name",
        "speed-limit",
        "speed-time",
        "create-file-mode",
        "variable",
        "expand-url",
        "expand-data",
        "continue-at",
        "ftp-port",
        "ftp-account",
        "telnet-option",
        "keepalive-time",
        "local-port",
        "etag-save",
        "etag-compare",
        "happy-eyeballs-timeout-ms",
    ],
);

const WGET: Spec = Spec::new(
    "OoaePUtTwQBiDIXRlA",
    &[
        "post-data",
        "post-file",
        "body-data",
        "body-file",
        "method",
        "header",
        "user-agent",
        "output-document",
        "output-file",
        "append-output",
        "execute",
        "directory-prefix",
        "tries",
        "timeout",
        "wait",
        "quota",
        "base",
        "input-file",
        "domains",
        "level",
        "accept",
        "reject",
        "user",
        "password",
        "http-user",
        "http-password",
        "ftp-user",
        "ftp-password",
        "proxy-user",
        "proxy-password",
        "referer",
        "load-cookies",
        "save-cookies",
        "certificate",
        "private-key",
        "ca-certificate",
        "limit-rate",
        "bind-address",
        "config",
        "warc-file",
        "connect-timeout",
        "read-timeout",
        "dns-timeout",
        "exclude-domains",
    ],
);

/// What a request is made of.
#[derive(Default)]
struct Request {
    urls: Vec<Word>,
    proxies: Vec<Word>,
    sent: Sent,
    sends: bool,
    files: Vec<Word>,
    /// The output is named after the URL.
    remote_name: bool,
    to_output: bool,
}

fn word_of(text: Text<'_>) -> Word {
    Word {
        text: text.text.to_owned(),
        flow: text.flow,
        glob: false,
        origin: text.origin,
    }
}

impl Evaluator<'_> {
    #[expect(clippy::unnecessary_wraps, reason = "all tools answer in one form")]
    pub(super) fn http(
        &mut self,
        command: &mut Command,
        name: &str,
        stdin: &Stream,
    ) -> Option<Stream> {
        let words = command.arguments().to_vec();
        let request = match name {
            "curl" | "curlie" => self.curl(command, &words, stdin),
            "wget" | "wget2" => self.wget(&words, stdin),
            "http" | "https" | "xh" | "xhs" | "httpie" => self.httpie(&words, stdin),
            _ => self.other_client(&words, name, stdin),
        };
        Some(self.request(command, request))
    }

    /// What `@file`, `@-` and `<file` give.
    fn file_value(&mut self, value: Text<'_>, path: &str, stdin: &Stream) -> (Flow, String) {
        let stream = if path == "-" {
            stdin.clone()
        } else {
            self.read_file(&Word {
                text: path.to_owned(),
                flow: value.flow,
                glob: false,
                origin: value.origin,
            })
        };
        (stream.flow.with(value.flow), stream.text_or_empty())
    }

    fn send(&mut self, request: &mut Request, value: Text<'_>, path: Option<&str>, stdin: &Stream) {
        request.sends = true;
        let (flow, text) = match path {
            Some(path) => self.file_value(value, path, stdin),
            None => (value.flow, value.text.to_owned()),
        };
        request.sent.data = request.sent.data.with(flow);
        request.sent.text.push_str(&text);
        request.sent.text.push('\n');
    }

    #[expect(
        clippy::match_same_arms,
        reason = "one arm for each case, as the reader thinks of them"
    )]
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn curl(&mut self, command: &mut Command, words: &[Word], stdin: &Stream) -> Request {
        let mut request = Request {
            to_output: true,
            ..Request::default()
        };
        for arg in Args::new(words, CURL) {
            match arg {
                Arg::Value("d" | "data" | "data-ascii" | "data-binary" | "json", value) => {
                    self.send(&mut request, value, value.text.strip_prefix('@'), stdin);
                }
                Arg::Value("data-raw" | "form-string" | "url-query" | "expand-data", value) => {
                    self.send(&mut request, value, None, stdin);
                }
                Arg::Value("data-urlencode", value) => {
                    let path = value
                        .text
                        .split_once('@')
                        .filter(|(name, _)| !name.contains('='))
                        .map(|(_, path)| path);
                    self.send(&mut request, value, path, stdin);
                }
                Arg::Value("F" | "form", value) => {
                    let content = value
                        .text
                        .split_once('=')
                        .map_or(value.text, |(_, content)| content);
                    let path = content
                        .strip_prefix(['@', '<'])
                        .map(|path| path.split(';').next().unwrap_or(path));
                    self.send(&mut request, value, path, stdin);
                }
                Arg::Value("T" | "upload-file", value) => {
                    self.send(&mut request, value, Some(value.text), stdin);
                }
                Arg::Value(
                    "H" | "header" | "proxy-header" | "A" | "user-agent" | "b" | "cookie" | "u"
                    | "user" | "e" | "referer" | "oauth2-bearer",
                    value,
                ) => {
                    let file = value.text.strip_prefix('@').filter(|path| !path.is_empty());
                    let (flow, text) = match file {
                        Some(path) => self.file_value(value, path, stdin),
                        None => (value.flow, value.text.to_owned()),
                    };
                    request.sent.header = request.sent.header.with(flow);
                    request.sent.head.push_str(&text);
                    request.sent.head.push('\n');
                }
                Arg::Value(
                    "x" | "proxy" | "preproxy" | "socks4" | "socks4a" | "socks5"
                    | "socks5-hostname",
                    value,
                ) => request.proxies.push(word_of(value)),
                Arg::Value("resolve" | "connect-to", value) => {
                    request.urls.extend(redirect_target(value));
                }
                Arg::Value("doh-url" | "dns-servers", value) => {
                    request.proxies.push(word_of(value));
                }
                Arg::Value("o" | "output" | "D" | "dump-header" | "c" | "cookie-jar", value) => {
                    if value.text != "-" && value.text != "/dev/null" {
                        request.files.push(word_of(value));
                    }
                    request.to_output &= value.text == "-";
                }
                Arg::Value("K" | "config", value) => {
                    let what = "curl takes its arguments from a file";
                    command.acts.push(Act::Opens {
                        what,
                        deny: value.flow.meets(Flow::NETWORK),
                        origin: value.origin,
                    });
                    let stream = self.read_file(&word_of(value));
                    for url in stream
                        .text
                        .iter()
                        .flat_map(|text| text.split(['"', '\'', ' ', '=', '\n']))
                        .filter(|part| part.contains("://"))
                    {
                        request.urls.push(Word {
                            text: url.to_owned(),
                            ..word_of(value)
                        });
                    }
                }
                Arg::Value("X" | "request", value) => {
                    request.sends |= matches!(value.text, "POST" | "PUT" | "PATCH" | "DELETE");
                }
                Arg::Value("unix-socket" | "abstract-unix-socket", _) => return Request::default(),
                Arg::Value("url" | "expand-url", value) | Arg::Plain(value, _) => {
                    request.urls.push(word_of(value));
                }
                Arg::Value("mail-rcpt", _) => request.sends = true,
                Arg::Flag("O" | "remote-name" | "remote-name-all") => request.remote_name = true,
                Arg::Flag("h" | "help" | "V" | "version" | "manual") => return Request::default(),
                Arg::Flag(_) | Arg::Value(..) => {}
            }
        }
        request
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn wget(&mut self, words: &[Word], stdin: &Stream) -> Request {
        let mut request = Request {
            remote_name: true,
            ..Request::default()
        };
        for arg in Args::new(words, WGET) {
            match arg {
                Arg::Value("post-data" | "body-data", value) => {
                    self.send(&mut request, value, None, stdin);
                }
                Arg::Value("post-file" | "body-file", value) => {
                    self.send(&mut request, value, Some(value.text), stdin);
                }
                Arg::Value(
                    "header" | "user-agent" | "U" | "referer" | "password" | "http-password"
                    | "user",
                    value,
                ) => {
                    request.sent.header = request.sent.header.with(value.flow);
                    request.sent.head.push_str(value.text);
                    request.sent.head.push('\n');
                }
                Arg::Value("O" | "output-document", value) => {
                    request.remote_name = false;
                    if value.text == "-" || value.text == "/dev/stdout" {
                        request.to_output = true;
                    } else if value.text != "/dev/null" {
                        request.files.push(word_of(value));
                    }
                }
                Arg::Value("e" | "execute", value) => {
                    if let Some((name, proxy)) = value.text.split_once('=')
                        && name.trim().to_ascii_lowercase().ends_with("proxy")
                        && proxy.contains(['.', ':'])
                    {
                        request.proxies.push(Word {
                            text: proxy.trim().to_owned(),
                            ..word_of(value)
                        });
                    }
                }
                Arg::Value("i" | "input-file" | "B" | "base", value) => {
                    let stream = if value.text == "-" {
                        stdin.clone()
                    } else {
                        self.read_file(&word_of(value))
                    };
                    let urls = stream.text.as_deref().map(|text| {
                        text.split_whitespace()
                            .map(str::to_owned)
                            .collect::<Vec<_>>()
                    });
                    let urls = urls.unwrap_or_else(|| vec![Word::HOLE.to_string()]);
                    request
                        .urls
                        .extend(urls.into_iter().take(64).map(|text| Word {
                            text,
                            flow: stream.flow,
                            ..word_of(value)
                        }));
                }
                Arg::Value("method", value) => {
                    request.sends |= !matches!(value.text, "GET" | "HEAD");
                }
                Arg::Plain(value, _) => request.urls.push(word_of(value)),
                Arg::Flag("h" | "help" | "V" | "version") => return Request::default(),
                Arg::Flag(_) | Arg::Value(..) => {}
            }
        }
        request
    }

    /// `http [METHOD] URL [name=value | name:value | file@path]`
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn httpie(&mut self, words: &[Word], stdin: &Stream) -> Request {
        let spec = Spec::new(
            "asAohp",
            &[
                "auth",
                "auth-type",
                "session",
                "proxy",
                "output",
                "print",
                "style",
                "timeout",
                "cert",
                "cert-key",
                "verify",
                "raw",
                "boundary",
            ],
        );
        let mut request = Request {
            to_output: true,
            ..Request::default()
        };
        let mut plain = Vec::new();
        for arg in Args::new(words, spec) {
            match arg {
                Arg::Plain(value, _) => plain.push(value),
                Arg::Value("proxy", value) => {
                    let text = value
                        .text
                        .split_once(':')
                        .map_or(value.text, |(_, proxy)| proxy);
                    request.proxies.push(Word {
                        text: text.to_owned(),
                        ..word_of(value)
                    });
                }
                Arg::Value("a" | "auth", value) => {
                    request.sent.header = request.sent.header.with(value.flow);
                }
                Arg::Value("raw", value) => self.send(&mut request, value, None, stdin),
                Arg::Value("o" | "output", value) => {
                    request.files.push(word_of(value));
                    request.to_output = false;
                }
                Arg::Flag("d" | "download") => request.remote_name = true,
                Arg::Flag(_) | Arg::Value(..) => {}
            }
        }
        let method = plain.first().filter(|first| {
            first.text.len() > 2 && first.text.bytes().all(|b| b.is_ascii_uppercase())
        });
        request.sends |=
            method.is_some_and(|method| !matches!(method.text, "GET" | "HEAD" | "OPTIONS"));
        let mut rest = plain.iter().skip(usize::from(method.is_some()));
        if let Some(url) = rest.next() {
            let mut word = word_of(*url);
            // `:3000/path` is this machine.
            if word.text.starts_with([':', '/']) {
                word.text.insert_str(0, "localhost");
            }
            request.urls.push(word);
        }
        for item in rest {
            let text = item.text;
            let at = text.find(['=', '@', ':']);
            let (name, value) = at
                .and_then(|at| text.split_at_checked(at))
                .unwrap_or((text, ""));
            if let Some(path) = value
                .strip_prefix('@')
                .or_else(|| value.strip_prefix("=@"))
                .or_else(|| value.strip_prefix(":=@"))
            {
                self.send(&mut request, *item, Some(path), stdin);
            } else if value.starts_with(':') && !value.starts_with(":=") {
                request.sent.header = request.sent.header.with(item.flow);
                request.sent.head.push_str(text);
            } else if !name.is_empty() {
                self.send(&mut request, *item, None, stdin);
            }
        }
        if stdin.given {
            let empty = Text {
                text: "",
                flow: Flow::NONE,
                origin: words.first().map(|word| word.origin).unwrap_or_default(),
            };
            self.send(&mut request, empty, Some("-"), stdin);
        }
        request
    }

    fn other_client(&mut self, words: &[Word], name: &str, stdin: &Stream) -> Request {
        let spec = Spec::new(
            "odxsjHdm",
            &[
                "out",
                "dir",
                "output",
                "header",
                "post-data",
                "method",
                "data",
            ],
        );
        let mut request = Request {
            to_output: !matches!(name, "aria2c" | "axel" | "lwp-download"),
            ..Request::default()
        };
        request.remote_name = !request.to_output;
        request.sends =
            matches!(name, "POST") || (matches!(name, "websocat" | "wscat") && stdin.given);
        if request.sends {
            request.sent.data = stdin.flow;
            request.sent.text = stdin.text_or_empty();
        }
        for arg in Args::new(words, spec) {
            match arg {
                Arg::Plain(value, _)
                    if value.text.contains(['.', ':']) || !value.flow.is_empty() =>
                {
                    request.urls.push(word_of(value));
                }
                Arg::Value("post-data" | "data", value) => {
                    self.send(&mut request, value, value.text.strip_prefix('@'), stdin);
                }
                Arg::Value("o" | "out", value) => {
                    if value.text == "-" {
                        request.to_output = true;
                    } else {
                        request.files.push(word_of(value));
                    }
                    request.remote_name = false;
                }
                Arg::Value("H" | "header", value) => {
                    request.sent.header = request.sent.header.with(value.flow);
                }
                Arg::Plain(..) | Arg::Flag(_) | Arg::Value(..) => {}
            }
        }
        request
    }

    /// Notes what a request does, and says what it writes.
    #[expect(clippy::needless_pass_by_value, reason = "a stream is handed on")]
    fn request(&mut self, command: &mut Command, request: Request) -> Stream {
        let mut flow = Flow::NONE;
        for proxy in &request.proxies {
            let sent = Sent {
                header: request.sent.header,
                data: request.sent.data,
                ..Sent::default()
            };
            self.connect(command, Way::Proxy, Text::of(proxy), sent);
        }
        for url in &request.urls {
            let lower = url.text.trim_start().to_ascii_lowercase();
            if let Some(path) = lower.strip_prefix("file://") {
                flow = flow.with(files::flow_of_path(path));
                continue;
            }
            let raw = ["telnet:", "gopher:", "dict:", "tftp:", "ldap:"]
                .iter()
                .any(|scheme| lower.starts_with(scheme));
            let way = if raw {
                Way::Raw
            } else if request.sends {
                Way::Send
            } else {
                Way::Get
            };
            let place = self.connect(command, way, Text::of(url), request.sent.clone());
            let from = Flow::from_target(place);
            flow = flow.with(from);
            if request.remote_name {
                let path = url.text.split(['?', '#']).next().unwrap_or_default();
                let name = path
                    .rsplit('/')
                    .next()
                    .filter(|name| !name.is_empty())
                    .unwrap_or("index.html");
                self.write_file(
                    &Word {
                        text: name.to_owned(),
                        ..url.clone()
                    },
                    Stream::unknown(from),
                );
            }
        }
        for file in &request.files {
            self.write_file(file, Stream::unknown(flow));
        }
        if request.to_output && !request.remote_name && request.files.is_empty() {
            Stream::unknown(flow)
        } else {
            Stream::unknown(Flow::NONE)
        }
    }
}

/// Where `--resolve HOST:PORT:ADDRESS` and `--connect-to HOST:PORT:HOST:PORT` really lead.
fn redirect_target(value: Text<'_>) -> Option<Word> {
    let mut parts = value.text.splitn(3, ':');
    let (_, _) = (parts.next()?, parts.next()?);
    let target = parts.next()?.trim_end_matches(':');
    (!target.is_empty()).then(|| Word {
        text: target.split(',').next().unwrap_or(target).to_owned(),
        ..word_of(value)
    })
}
