// SPDX-License-Identifier: Apache-2.0
//! What a tool can do, told from its name.

/// What a tool can do. An unknown tool can do anything: its parameters are read as what they look
/// like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five abilities that do not exclude each other"
)]
pub struct Capabilities {
    /// Runs shell text or an argv.
    pub shell: bool,
    /// Sends requests.
    pub http: bool,
    /// Reads files, lists or searches.
    pub read: bool,
    /// Writes files: what it writes is text, not run.
    pub write: bool,
    /// Runs code of another language.
    pub code: bool,
}

impl Capabilities {
    /// Whether the name said nothing.
    pub const fn is_unknown(self) -> bool {
        !(self.shell || self.http || self.read || self.write || self.code)
    }

    /// Reads a tool's name: its words, as `snake_case`, `camelCase`, `kebab-case` and dots part
    /// them. Of `mcp__server__tool` and `server.tool` all words count.
    pub fn of(tool: &str) -> Self {
        let mut can = Self::default();
        let mut all = [0_u8; 64];
        let mut used = 0_usize;
        for word in Words(tool) {
            // Words are short; what is longer than any that is known says nothing.
            let mut lower = [0_u8; 16];
            let Some(lower) = lower.get_mut(..word.len()) else {
                continue;
            };
            lower.copy_from_slice(word.as_bytes());
            lower.make_ascii_lowercase();
            can.add(lower);
            if let Some(room) = all.get_mut(used..used.saturating_add(lower.len())) {
                room.copy_from_slice(lower);
                used = used.saturating_add(lower.len());
            }
        }
        // `runshell`, `webfetch`, `writefile`: written as one word.
        if can.is_unknown() {
            can.add_joined(all.get(..used).unwrap_or_default());
        }
        // A file tool that "runs" or "executes" nothing is not one of the shell.
        can
    }

    fn add(&mut self, word: &[u8]) {
        match word {
            b"shell" | b"bash" | b"sh" | b"zsh" | b"terminal" | b"cmd" | b"command"
            | b"commands" | b"exec" | b"console" | b"powershell" | b"pwsh" | b"subprocess"
            | b"tty" | b"ssh" | b"process" | b"run" | b"execute" | b"spawn" | b"system" => {
                self.shell = true;
            }
            b"http" | b"https" | b"fetch" | b"webfetch" | b"web" | b"url" | b"browser"
            | b"browse" | b"navigate" | b"request" | b"requests" | b"curl" | b"wget"
            | b"download" | b"upload" | b"webhook" | b"post" | b"goto" | b"crawl" | b"scrape"
            | b"api" => self.http = true,
            b"read" | b"view" | b"cat" | b"ls" | b"glob" | b"grep" | b"search" | b"list"
            | b"find" | b"stat" | b"open" | b"tree" | b"head" | b"tail" | b"diff" => {
                self.read = true;
            }
            b"write" | b"edit" | b"editor" | b"patch" | b"append" | b"create" | b"save"
            | b"replace" | b"insert" | b"update" | b"delete" | b"move" | b"rename"
            | b"multiedit" | b"todo" | b"note" => self.write = true,
            b"python" | b"python3" | b"ipython" | b"py" | b"node" | b"nodejs" | b"js"
            | b"javascript" | b"typescript" | b"code" | b"eval" | b"repl" | b"jupyter"
            | b"notebook" | b"ruby" | b"perl" | b"php" | b"interpreter" | b"evaluate" => {
                self.code = true;
            }
            _ => {}
        }
    }

    fn add_joined(&mut self, name: &[u8]) {
        const PARTS: [&[u8]; 21] = [
            b"shell",
            b"bash",
            b"terminal",
            b"command",
            b"exec",
            b"fetch",
            b"http",
            b"browser",
            b"request",
            b"url",
            b"download",
            b"upload",
            b"write",
            b"edit",
            b"patch",
            b"read",
            b"search",
            b"list",
            b"python",
            b"code",
            b"javascript",
        ];
        for part in PARTS {
            if name.windows(part.len()).any(|window| window == part) {
                self.add(part);
            }
        }
    }
}

/// The words of a name.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let start = self.0.find(|c: char| c.is_ascii_alphanumeric())?;
        let rest = self.0.get(start..)?;
        let bytes = rest.as_bytes();
        let mut end = 1_usize;
        while let (Some(before), Some(byte)) = (bytes.get(end.saturating_sub(1)), bytes.get(end)) {
            let next_is_lower = bytes
                .get(end.saturating_add(1))
                .is_some_and(u8::is_ascii_lowercase);
            let starts_word =
                byte.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_is_lower);
            if !byte.is_ascii_alphanumeric() || starts_word {
                break;
            }
            end = end.saturating_add(1);
        }
        let (word, rest) = rest.split_at_checked(end)?;
        self.0 = rest;
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(name: &str) -> String {
        let can = Capabilities::of(name);
        [
            (can.shell, 's'),
            (can.http, 'h'),
            (can.read, 'r'),
            (can.write, 'w'),
            (can.code, 'c'),
        ]
        .iter()
        .filter_map(|(has, letter)| has.then_some(*letter))
        .collect()
    }

    #[test]
    fn names_are_read_by_their_words() {
        for (name, want) in [
            ("shell", "s"),
            ("Bash", "s"),
            ("run_command", "s"),
            ("runShell", "s"),
            ("execute_bash", "s"),
            ("mcp__desktop__execute_command", "s"),
            ("functions.exec_command", "s"),
            ("RunTerminalCmd", "s"),
            ("container.exec", "s"),
            ("webfetch", "h"),
            ("WebFetch", "h"),
            ("http_request", "h"),
            ("HTTPRequest", "h"),
            ("browser_navigate", "h"),
            ("read_file", "r"),
            ("ReadFile", "r"),
            ("write_file", "w"),
            ("str_replace_editor", "w"),
            ("execute_python", "sc"),
            ("python", "c"),
            ("runcommand", "s"),
            ("writefile", "w"),
            ("frobnicate", ""),
            ("", ""),
            ("ééé", ""),
        ] {
            assert_eq!(letters(name), want, "{name}");
        }
    }
}
