// SPDX-License-Identifier: Apache-2.0
//! What a command gets besides its layout: secrets, and a terminal of its own.

use std::collections::BTreeSet;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ambit_launcher::{SecretSource, Step};
use zeroize::Zeroizing;

use crate::error::SandboxError;
use crate::layout::{Layout, Place};
use crate::plan::{LaunchPlan, SecretPlace, WindowSize, c_string};
use crate::program::Writer;
use crate::ruleset::Rights;

/// Room of the sandbox's root, which holds names and the few files that are written into it, bytes.
const ROOT_BYTES: usize = 1 << 20;
/// What a file of a tmpfs takes at least, bytes.
const PAGE_BYTES: usize = 4096;
/// Largest secret, bytes: half of what one line of an environment can hold (`execve(2)`).
const MAX_SECRET: usize = 64 * 1024;
/// Most secrets of one run.
const MAX_SECRETS: usize = 256;
/// One instance of devpts; nobody but the command has it open, and few terminals are enough.
const TERMINAL_OPTIONS: &str = "newinstance,ptmxmode=0666,mode=0620,max=64";

/// See the module.
pub(crate) struct Extras<'a> {
    pub(crate) terminal: Option<WindowSize>,
    secrets: Vec<(&'a SecretPlace, &'a [u8])>,
}

impl<'a> Extras<'a> {
    /// Joins places and values.
    ///
    /// # Errors
    /// [`SandboxError::PlanInvalid`]; its words never hold a value.
    pub(crate) fn new(
        plan: &'a LaunchPlan,
        values: &'a [Zeroizing<Vec<u8>>],
    ) -> Result<Self, SandboxError> {
        if plan.secrets.len() != values.len() || values.len() > MAX_SECRETS {
            let problem = "needs as many values as places, at most 256";
            return Err(invalid(problem.to_owned()));
        }
        let secrets: Vec<_> = plan
            .secrets
            .iter()
            .zip(values.iter().map(|value| value.as_slice()))
            .collect();
        let mut variables: BTreeSet<&str> = plan.env.keys().map(String::as_str).collect();
        for (place, value) in &secrets {
            judge(place, value)?;
            if place
                .env
                .as_deref()
                .is_some_and(|name| !variables.insert(name))
            {
                let problem = "has a variable that has another value already";
                return Err(invalid(format!("the secret `{}` {problem}", place.name)));
            }
        }
        Ok(Self {
            terminal: plan.terminal,
            secrets,
        })
    }

    /// Refuses files that would hide or be hidden by something else: nothing is written where a
    /// path of this machine is seen.
    pub(crate) fn fit_into(&self, layout: &Layout) -> Result<(), SandboxError> {
        let reserved = ["/dev", "/proc"].map(Path::new);
        for (_, path) in self.secret_files() {
            let taken = layout.mounted_above(path)
                || layout.places.iter().any(|(place, what)| {
                    let scratch = matches!(what, Place::Scratch);
                    place.starts_with(path) || (path.starts_with(place) && !scratch)
                })
                || reserved.iter().any(|top| path.starts_with(top))
                || path == Path::new("/")
                || crate::program::WRITTEN.contains(&path.to_str().unwrap_or_default());
            if taken {
                return Err(SandboxError::PathRefused {
                    path: path.to_owned(),
                    reason: "a file for a secret lies where nothing else is",
                });
            }
        }
        Ok(())
    }

    /// Refuses what there is in a sandbox only.
    pub(crate) fn refuse_in_local_mode(&self) -> Result<(), SandboxError> {
        if self.terminal.is_some() {
            return Err(SandboxError::PlanInvalid {
                field: "terminal",
                problem: "there is none without a sandbox".to_owned(),
            });
        }
        match self.secret_files().next() {
            Some(_) => Err(invalid("a file for a secret needs a sandbox".to_owned())),
            None => Ok(()),
        }
    }

    /// Variables that hold a secret.
    pub(crate) fn variables(&self) -> Vec<(&'a str, &'a OsStr)> {
        let variable = |(place, value): &(&'a SecretPlace, &'a [u8])| {
            Some((place.env.as_deref()?, OsStr::from_bytes(value)))
        };
        self.secrets.iter().filter_map(variable).collect()
    }

    /// Files, each with the number of its secret.
    pub(crate) fn secret_files(&self) -> impl Iterator<Item = (u16, &'a Path)> + '_ {
        let numbered = (0..).zip(&self.secrets);
        numbered.filter_map(|(index, (place, _))| Some((index, place.file.as_deref()?)))
    }

    /// Values as the program takes them, in order.
    pub(crate) fn sources(&self) -> Vec<SecretSource<'a>> {
        let source = |(place, value): &(&'a SecretPlace, &'a [u8])| match &place.env {
            Some(name) => SecretSource::Variable(name, value),
            None => SecretSource::Content(value),
        };
        self.secrets.iter().map(source).collect()
    }

    /// Options of the root, with room for the files.
    pub(crate) fn root_options(&self, others: &str) -> String {
        let room = self
            .secrets
            .iter()
            .filter(|(place, _)| place.file.is_some())
            .map(|(_, value)| value.len().saturating_add(PAGE_BYTES))
            .fold(ROOT_BYTES, usize::saturating_add);
        format!("size={room},{others}")
    }
}

fn judge(place: &SecretPlace, value: &[u8]) -> Result<(), SandboxError> {
    let name = &place.name;
    let problem = match (&place.env, &place.file) {
        (Some(_), Some(_)) | (None, None) => "has exactly one of `env` and `file`",
        (Some(env), None) if env.is_empty() || env.contains(['=', '\0']) => {
            "has a variable that is empty, or holds `=` or NUL"
        }
        (Some(_), None) if value.contains(&0) => "holds NUL, which no variable can",
        _ if value.len() > MAX_SECRET => "has more than 65536 bytes",
        _ => return Ok(()),
    };
    Err(invalid(format!("the secret `{name}` {problem}")))
}

const fn invalid(problem: String) -> SandboxError {
    SandboxError::PlanInvalid {
        field: "secrets",
        problem,
    }
}

impl Writer<'_> {
    /// Makes `/dev/pts` and the command's terminal in it.
    pub(crate) fn terminal(&mut self, size: WindowSize) -> Result<(), SandboxError> {
        self.target(Path::new("/dev/pts"), true)?;
        self.link(Path::new("/dev/ptmx"), Path::new("pts/ptmx"))?;
        let step = Step::Terminal {
            path: c"dev/pts",
            options: &c_string("terminal", TERMINAL_OPTIONS)?,
            multiplexer: c"dev/pts/ptmx",
            columns: size.columns,
            rows: size.rows,
        };
        self.step("making a terminal", step);
        Ok(())
    }

    /// Writes the file of one secret.
    pub(crate) fn secret(&mut self, index: u16, path: &Path) -> Result<(), SandboxError> {
        self.parents(path)?;
        let step = Step::SecretFile {
            path: &crate::program::relative(path)?,
            index,
        };
        self.step(format!("writing the secret `{}`", path.display()), step);
        Ok(())
    }

    /// Rules for the terminals and files that only exist inside.
    pub(crate) fn allow_extras(
        &mut self,
        rights: Rights,
        extras: &Extras<'_>,
    ) -> Result<(), SandboxError> {
        let mut inside: Vec<(CString, u64)> = Vec::new();
        if extras.terminal.is_some() {
            inside.push((c"/dev/pts".to_owned(), rights.terminals().bits()));
        }
        for (_, path) in extras.secret_files() {
            inside.push((
                crate::program::path_text(path)?,
                rights.file_to_read().bits(),
            ));
        }
        for (path, access) in inside {
            let name = format!("allowing `{}`", path.to_string_lossy());
            let step = Step::AllowPath {
                path: &path,
                access,
            };
            self.step(name, step);
        }
        Ok(())
    }
}
