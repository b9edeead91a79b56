// SPDX-License-Identifier: Apache-2.0
//! Writing programs, on the side that has a heap.

use std::ffi::CString;

use crate::codec::Writer;
use crate::program::{Object, Resource, Step, Sweep, protocol, tag};

/// One process of a pipeline as its writer holds it.
#[derive(Clone, Debug, Default)]
pub struct SegmentSource {
    /// Absolute path inside the sandbox.
    pub executable: CString,
    /// Arguments, `argv[0]` included.
    pub argv: Vec<CString>,
}

/// See [`Stdin`](crate::Stdin).
#[derive(Clone, Debug, Default)]
pub enum StdinSource {
    /// Absolute path inside the sandbox.
    File(CString),
    /// The fifth of the descriptors that come with the program.
    #[default]
    Passed,
}

/// The command as its writer holds it.
#[derive(Clone, Debug, Default)]
pub struct CommandSource {
    /// From 1 to [`protocol::MAX_SEGMENTS`].
    pub segments: Vec<SegmentSource>,
    /// Standard input of the first segment.
    pub stdin: StdinSource,
    /// Environment, `NAME=value`.
    pub env: Vec<CString>,
    /// Working directory, absolute inside the sandbox.
    pub cwd: CString,
    /// See [`Command::outside`](crate::Command::outside).
    pub outside: [u64; 7],
    /// See [`Command::backstop_ms`](crate::Command::backstop_ms).
    pub backstop_ms: u64,
    /// Limits, applied in order.
    pub limits: Vec<Resource>,
    /// The seccomp filter as an array of `struct sock_filter`.
    pub filter: Vec<u8>,
    /// See [`Command::announce`](crate::Command::announce).
    pub announce: bool,
}

/// See [`Secret`](crate::Secret); borrowed, so that no copy is made but the one in the program.
#[derive(Clone, Copy)]
pub enum SecretSource<'a> {
    /// What a file holds.
    Content(&'a [u8]),
    /// Name and value; neither holds NUL.
    Variable(&'a str, &'a [u8]),
}

impl std::fmt::Debug for SecretSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretSource").finish_non_exhaustive()
    }
}

/// Writes programs.
#[derive(Debug, Default)]
pub struct ProgramBuilder {
    steps: Writer,
}

impl ProgramBuilder {
    /// Adds a step after those already there.
    pub fn push(&mut self, step: Step<'_>) -> &mut Self {
        encode(&mut self.steps, step);
        self
    }

    /// Returns the encoded program. Its buffer is the only copy of the secrets that is made here:
    /// it does not grow once they are in it.
    pub fn finish(&self, command: &CommandSource, secrets: &[SecretSource<'_>]) -> Vec<u8> {
        let mut out = Writer::default();
        out.u32(protocol::VERSION);
        out.bytes(&self.steps.out);
        let mut segments = Writer::default();
        for segment in &command.segments {
            segments.string(&segment.executable);
            segments.strings(&segment.argv);
        }
        out.bytes(&segments.out);
        match &command.stdin {
            StdinSource::Passed => out.u8(0),
            StdinSource::File(path) => out.tagged(1, &[path]),
        }
        out.strings(&command.env);
        out.string(&command.cwd);
        command.outside.iter().for_each(|inode| out.u64(*inode));
        out.u64(command.backstop_ms);
        let mut limits = Writer::default();
        for limit in &command.limits {
            limits.u32(limit.number);
            limits.u64(limit.soft);
            limits.u64(limit.hard);
        }
        out.bytes(&limits.out);
        out.bytes(&command.filter);
        out.u8(u8::from(command.announce));
        finish_secrets(out, secrets)
    }
}

fn finish_secrets(mut out: Writer, secrets: &[SecretSource<'_>]) -> Vec<u8> {
    // a tag and a length each
    const FRAME: usize = 5;
    let content = |secret: &SecretSource<'_>| match secret {
        SecretSource::Content(bytes) => bytes.len(),
        SecretSource::Variable(name, value) => {
            // `=` and the final NUL
            name.len().saturating_add(value.len()).saturating_add(2)
        }
    };
    let framed = |secret| content(secret).saturating_add(FRAME);
    let total = secrets.iter().map(framed).fold(0, usize::saturating_add);
    out.out
        .reserve_exact(total.saturating_add(size_of::<u32>()));
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    out.u32(length(total));
    for secret in secrets {
        match secret {
            SecretSource::Content(bytes) => {
                out.u8(1);
                out.bytes(bytes);
            }
            SecretSource::Variable(name, value) => {
                out.u8(0);
                out.u32(length(content(secret)));
                for part in [name.as_bytes(), b"=", value, b"\0"] {
                    out.out.extend_from_slice(part);
                }
            }
        }
    }
    out.out
}

fn encode(out: &mut Writer, step: Step<'_>) {
    match step {
        Step::Adopt(sweep) => {
            out.u8(tag::ADOPT);
            out.u8(match sweep {
                Sweep::Domain => 0,
                Sweep::Children => 1,
            });
        }
        Step::AllowPath { path, access } => {
            out.tagged(tag::ALLOW_PATH, &[path]);
            out.u64(access);
        }
        Step::Directory { path, mode } => {
            out.tagged(tag::DIRECTORY, &[path]);
            out.u32(mode);
        }
        Step::DropCapabilities => out.u8(tag::DROP_CAPABILITIES),
        Step::GiveUpCapabilities => out.u8(tag::GIVE_UP_CAPABILITIES),
        Step::EnterRoot => out.u8(tag::ENTER_ROOT),
        Step::File {
            path,
            mode,
            content,
        } => {
            out.tagged(tag::FILE, &[path]);
            out.u32(mode);
            out.bytes(content);
        }
        Step::Hostname { name } => out.tagged(tag::HOSTNAME, &[name]),
        Step::PidMax { highest } => {
            out.u8(tag::PID_MAX);
            out.u32(highest);
        }
        Step::Restrict => out.u8(tag::RESTRICT),
        Step::SecretFile { path, index } => {
            out.tagged(tag::SECRET_FILE, &[path]);
            out.u16(index);
        }
        Step::Symlink { path, target } => out.tagged(tag::SYMLINK, &[path, target]),
        Step::Attach { .. }
        | Step::NewRoot { .. }
        | Step::OpenTree { .. }
        | Step::PrivateMounts
        | Step::Proc { .. }
        | Step::ReadOnly { .. }
        | Step::Terminal { .. }
        | Step::Tmpfs { .. } => encode_mount(out, step),
    }
}

fn encode_mount(out: &mut Writer, step: Step<'_>) {
    match step {
        Step::Attach { slot, path, over } => {
            out.u8(tag::ATTACH);
            out.u16(slot);
            out.string(path);
            encode_maybe(out, over);
        }
        Step::NewRoot { base, options } => out.tagged(tag::NEW_ROOT, &[base, options]),
        Step::PrivateMounts => out.u8(tag::PRIVATE_MOUNTS),
        Step::OpenTree {
            slot,
            path,
            object,
            flags,
        } => {
            out.u8(tag::OPEN_TREE);
            out.u16(slot);
            out.string(path);
            encode_object(out, object);
            out.u8(flags.bits());
        }
        Step::Proc { path, options } => out.tagged(tag::PROC, &[path, options]),
        Step::ReadOnly { path } => out.tagged(tag::READ_ONLY, &[path]),
        Step::Terminal {
            path,
            options,
            multiplexer,
            columns,
            rows,
        } => {
            out.tagged(tag::TERMINAL, &[path, options, multiplexer]);
            out.u16(columns);
            out.u16(rows);
        }
        Step::Tmpfs {
            path,
            options,
            flags,
            over,
        } => {
            out.tagged(tag::TMPFS, &[path, options]);
            out.u8(flags.bits());
            encode_maybe(out, over);
        }
        Step::Adopt(_)
        | Step::AllowPath { .. }
        | Step::Directory { .. }
        | Step::DropCapabilities
        | Step::EnterRoot
        | Step::GiveUpCapabilities
        | Step::File { .. }
        | Step::Hostname { .. }
        | Step::PidMax { .. }
        | Step::Restrict
        | Step::SecretFile { .. }
        | Step::Symlink { .. } => {}
    }
}

fn encode_object(out: &mut Writer, object: Object) {
    out.u32(object.major);
    out.u32(object.minor);
    out.u64(object.inode);
}

fn encode_maybe(out: &mut Writer, object: Option<Object>) {
    out.u8(u8::from(object.is_some()));
    if let Some(object) = object {
        encode_object(out, object);
    }
}
