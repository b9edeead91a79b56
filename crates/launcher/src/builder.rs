// SPDX-License-Identifier: Apache-2.0
//! Writing programs, on the side that has a heap.

use std::ffi::CString;

use crate::codec::Writer;
use crate::program::{Object, Resource, Step, protocol, tag};

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

    /// Returns the encoded program.
    pub fn finish(&self, command: &CommandSource) -> Vec<u8> {
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
        out.out
    }
}

fn encode(out: &mut Writer, step: Step<'_>) {
    match step {
        Step::AllowPath { path, access } => {
            out.tagged(tag::ALLOW_PATH, &[path]);
            out.u64(access);
        }
        Step::Attach { slot, path, over } => {
            out.u8(tag::ATTACH);
            out.u16(slot);
            out.string(path);
            encode_maybe(out, over);
        }
        Step::Directory { path, mode } => {
            out.tagged(tag::DIRECTORY, &[path]);
            out.u32(mode);
        }
        Step::DropCapabilities => out.u8(tag::DROP_CAPABILITIES),
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
        Step::NewRoot { base, options } => out.tagged(tag::NEW_ROOT, &[base, options]),
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
        Step::Restrict => out.u8(tag::RESTRICT),
        Step::Symlink { path, target } => out.tagged(tag::SYMLINK, &[path, target]),
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
