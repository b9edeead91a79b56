// SPDX-License-Identifier: Apache-2.0
//! What the encoder writes, the decoder reads; anything else it refuses without harm.

use std::ffi::CString;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::{
    CommandSource, DecodeError, Object, Observation, Program, ProgramBuilder, REPORT_BYTES, Report,
    Resource, Secret, SecretSource, SegmentSource, Stage, Stdin, StdinSource, Step, Sweep,
    TreeFlags, Usage, protocol,
};

/// A step that owns its strings.
#[derive(Clone, Debug)]
enum Owned {
    Adopt(Sweep),
    AllowPath(CString, u64),
    Attach(u16, CString, Option<Object>),
    Directory(CString, u32),
    DropCapabilities,
    EnterRoot,
    GiveUpCapabilities,
    PrivateMounts,
    File(CString, u32, Vec<u8>),
    Hostname(CString),
    NewRoot(CString, CString),
    OpenTree(u16, CString, Object, TreeFlags),
    PidMax(u32),
    Proc(CString, CString),
    ReadOnly(CString),
    Restrict,
    Symlink(CString, CString),
    SecretFile(CString, u16),
    Terminal([CString; 3], u16, u16),
    Tmpfs(CString, CString, TreeFlags, Option<Object>),
}

impl Owned {
    fn lent(&self) -> Step<'_> {
        match self {
            Self::AllowPath(path, access) => Step::AllowPath {
                path,
                access: *access,
            },
            Self::Attach(slot, path, over) => Step::Attach {
                slot: *slot,
                path,
                over: *over,
            },
            Self::Directory(path, mode) => Step::Directory { path, mode: *mode },
            Self::DropCapabilities => Step::DropCapabilities,
            Self::EnterRoot => Step::EnterRoot,
            Self::Adopt(sweep) => Step::Adopt(*sweep),
            Self::GiveUpCapabilities => Step::GiveUpCapabilities,
            Self::PrivateMounts => Step::PrivateMounts,
            Self::File(path, mode, content) => Step::File {
                path,
                mode: *mode,
                content,
            },
            Self::Hostname(name) => Step::Hostname { name },
            Self::NewRoot(base, options) => Step::NewRoot { base, options },
            Self::OpenTree(slot, path, object, flags) => {
                let (slot, object, flags) = (*slot, *object, *flags);
                Step::OpenTree {
                    slot,
                    path,
                    object,
                    flags,
                }
            }
            Self::PidMax(highest) => Step::PidMax { highest: *highest },
            Self::Proc(path, options) => Step::Proc { path, options },
            Self::ReadOnly(path) => Step::ReadOnly { path },
            Self::Restrict => Step::Restrict,
            Self::Symlink(path, target) => Step::Symlink { path, target },
            Self::SecretFile(path, index) => Step::SecretFile {
                path,
                index: *index,
            },
            Self::Terminal([path, options, multiplexer], columns, rows) => Step::Terminal {
                path,
                options,
                multiplexer,
                columns: *columns,
                rows: *rows,
            },
            Self::Tmpfs(path, options, flags, over) => {
                let (flags, over) = (*flags, *over);
                Step::Tmpfs {
                    path,
                    options,
                    flags,
                    over,
                }
            }
        }
    }
}

fn text() -> impl Strategy<Value = CString> {
    vec(1_u8.., 0..40).prop_map(|bytes| CString::new(bytes).unwrap())
}

fn object() -> impl Strategy<Value = Object> {
    any::<(u32, u32, u64)>().prop_map(|(major, minor, inode)| Object {
        major,
        minor,
        inode,
    })
}

fn flags() -> impl Strategy<Value = TreeFlags> {
    any::<(bool, bool, bool)>().prop_map(|(device, no_exec, read_only)| {
        let chosen = [
            (device, TreeFlags::DEVICE),
            (no_exec, TreeFlags::NO_EXEC),
            (read_only, TreeFlags::READ_ONLY),
        ];
        let all = chosen.into_iter().filter(|(set, _)| *set);
        all.fold(TreeFlags::default(), |flags, (_, flag)| flags.with(flag))
    })
}

fn step() -> impl Strategy<Value = Owned> {
    let over = || proptest::option::of(object());
    prop_oneof![
        (text(), any::<u64>()).prop_map(|(path, access)| Owned::AllowPath(path, access)),
        (any::<u16>(), text(), over())
            .prop_map(|(slot, path, over)| Owned::Attach(slot, path, over)),
        (text(), any::<u32>()).prop_map(|(path, mode)| Owned::Directory(path, mode)),
        Just(Owned::DropCapabilities),
        Just(Owned::EnterRoot),
        prop_oneof![Just(Sweep::Domain), Just(Sweep::Children)].prop_map(Owned::Adopt),
        Just(Owned::GiveUpCapabilities),
        Just(Owned::PrivateMounts),
        (text(), any::<u32>(), vec(any::<u8>(), 0..40)).prop_map(|(a, b, c)| Owned::File(a, b, c)),
        text().prop_map(Owned::Hostname),
        (text(), text()).prop_map(|(base, options)| Owned::NewRoot(base, options)),
        (any::<u16>(), text(), object(), flags())
            .prop_map(|(a, b, c, d)| Owned::OpenTree(a, b, c, d)),
        any::<u32>().prop_map(Owned::PidMax),
        (text(), text()).prop_map(|(path, options)| Owned::Proc(path, options)),
        text().prop_map(Owned::ReadOnly),
        Just(Owned::Restrict),
        (text(), text()).prop_map(|(path, target)| Owned::Symlink(path, target)),
        (text(), any::<u16>()).prop_map(|(path, index)| Owned::SecretFile(path, index)),
        ([text(), text(), text()], any::<u16>(), any::<u16>())
            .prop_map(|(texts, columns, rows)| Owned::Terminal(texts, columns, rows)),
        (text(), text(), flags(), over()).prop_map(|(a, b, c, d)| Owned::Tmpfs(a, b, c, d)),
    ]
}

fn command() -> impl Strategy<Value = CommandSource> {
    let limit =
        any::<(u32, u64, u64)>().prop_map(|(number, soft, hard)| Resource { number, soft, hard });
    let strings = || vec(text(), 0..6);
    let bytes = vec(any::<u8>(), 0..64);
    let segment =
        (text(), strings()).prop_map(|(executable, argv)| SegmentSource { executable, argv });
    let stdin = prop_oneof![
        Just(StdinSource::Passed),
        text().prop_map(StdinSource::File)
    ];
    let whole = (
        vec(segment, 0..4),
        stdin,
        strings(),
        text(),
        any::<([u64; 7], u64, bool)>(),
        vec(limit, 0..4),
        bytes,
    );
    whole.prop_map(
        |(segments, stdin, env, cwd, (outside, backstop_ms, announce), limits, filter)| {
            CommandSource {
                segments,
                stdin,
                env,
                cwd,
                outside,
                backstop_ms,
                limits,
                filter,
                announce,
            }
        },
    )
}

fn encoded(steps: &[Owned], command: &CommandSource) -> Vec<u8> {
    let mut builder = ProgramBuilder::default();
    for step in steps {
        builder.push(step.lent());
    }
    let secrets = [
        SecretSource::Variable("TOKEN", b"of the test"),
        SecretSource::Content(b""),
        SecretSource::Content(b"\0binary\xFF"),
    ];
    builder.finish(command, &secrets)
}

/// Reads a whole program, as the launcher would.
fn read_all(bytes: &[u8]) -> Result<usize, DecodeError> {
    let program = Program::decode(bytes)?;
    let mut items = 0_usize;
    for step in program.steps() {
        step?;
        items = items.saturating_add(1);
    }
    for segment in program.command.segments() {
        for string in segment?.argv.iter() {
            string?;
        }
    }
    for string in program.command.env.iter() {
        string?;
    }
    for limit in program.command.limits() {
        limit?;
    }
    for secret in program.secrets() {
        secret?;
    }
    Ok(items)
}

proptest! {
    #[test]
    fn reads_back_what_was_written(steps in vec(step(), 0..20), source in command()) {
        let bytes = encoded(&steps, &source);
        let program = Program::decode(&bytes).unwrap();
        let read: Vec<Step<'_>> = program.steps().map(Result::unwrap).collect();
        let written: Vec<Step<'_>> = steps.iter().map(Owned::lent).collect();
        prop_assert_eq!(read, written);
        let command = program.command;
        prop_assert_eq!(command.cwd, source.cwd.as_c_str());
        let strings = |list: crate::Strings<'_>| -> Vec<CString> {
            list.iter().map(|string| string.unwrap().to_owned()).collect()
        };
        let segments: Vec<crate::Segment<'_>> = command.segments().map(Result::unwrap).collect();
        prop_assert_eq!(segments.len(), source.segments.len());
        for (segment, written) in segments.iter().zip(&source.segments) {
            prop_assert_eq!(segment.executable, written.executable.as_c_str());
            let announced = usize::try_from(segment.argv.announced());
            prop_assert_eq!(announced, Ok(written.argv.len()));
            prop_assert_eq!(&strings(segment.argv), &written.argv);
        }
        let stdin = match &source.stdin {
            StdinSource::File(path) => Stdin::File(path),
            StdinSource::Passed => Stdin::Passed,
        };
        prop_assert_eq!(command.stdin, stdin);
        prop_assert_eq!(strings(command.env), source.env);
        prop_assert_eq!(command.outside, source.outside);
        prop_assert_eq!(command.backstop_ms, source.backstop_ms);
        let limits: Vec<Resource> = command.limits().map(Result::unwrap).collect();
        prop_assert_eq!(limits, source.limits);
        prop_assert_eq!(command.filter, source.filter.as_slice());
        prop_assert_eq!(command.announce, source.announce);
        let secrets: Vec<Secret<'_>> = program.secrets().map(Result::unwrap).collect();
        let [Secret::Variable(line), Secret::Content(empty), Secret::Content(content)] = &secrets[..] else {
            panic!("{} secrets", secrets.len());
        };
        prop_assert_eq!(*line, c"TOKEN=of the test");
        prop_assert_eq!((*empty, *content), (&b""[..], &b"\0binary\xFF"[..]));
    }

    #[test]
    fn refuses_every_truncation(steps in vec(step(), 0..4), source in command()) {
        let bytes = encoded(&steps, &source);
        for end in 0..bytes.len() {
            prop_assert!(read_all(&bytes[..end]).is_err(), "cut at {}", end);
        }
    }

    #[test]
    fn survives_any_change_of_a_byte(
        steps in vec(step(), 0..4),
        source in command(),
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let mut bytes = encoded(&steps, &source);
        let at = at.index(bytes.len());
        bytes[at] = value;
        // every answer is fine, a panic or an endless loop is not
        prop_assert!(read_all(&bytes).map_or(true, |items| items <= bytes.len()));
    }

    #[test]
    fn survives_any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        let mut programs = vec![bytes.clone()];
        programs.push([protocol::VERSION.to_le_bytes().as_slice(), &bytes].concat());
        for program in programs {
            prop_assert!(read_all(&program).map_or(true, |items| items <= program.len()));
        }
    }

    #[test]
    fn survives_any_report(bytes in vec(any::<u8>(), REPORT_BYTES)) {
        if let Some(report) = Report::decode(&bytes) {
            prop_assert_eq!(Report::decode(&report.encode()), Some(report));
        }
    }
}

#[test]
fn refuses_another_version_and_trailing_bytes() {
    let mut bytes = encoded(&[Owned::Restrict], &CommandSource::default());
    assert_eq!(read_all(&bytes), Ok(1));
    bytes.push(0);
    assert_eq!(read_all(&bytes), Err(DecodeError::BadTag));
    bytes[0] = bytes[0].wrapping_add(1);
    assert_eq!(read_all(&bytes), Err(DecodeError::Version));
}

#[test]
fn reads_back_every_report() {
    let stages = [
        Stage::Program,
        Stage::Step(0),
        Stage::Step(u32::MAX),
        Stage::Fork,
        Stage::Prepare(6),
        Stage::Filter,
        Stage::Observe,
        Stage::Exec(15),
    ];
    let failed = stages.map(|stage| Report::Failed { stage, errno: 116 });
    let usage = Usage {
        user_us: 1,
        system_us: 2,
        max_rss_kib: u64::MAX,
    };
    let started = Observation {
        namespaces: [1, 2, 3, 4, 5, 6, 7],
        no_new_privs: 8,
        seccomp_mode: 9,
        capabilities: 10,
        bounding: 11,
        ambient: 12,
        landlock: 13,
        pid_max: 14,
    };
    let others = [
        Report::Exited {
            segment: 3,
            status: 0x8B,
            usage,
        },
        Report::Started(started),
        Report::Terminal,
        Report::Executing,
    ];
    for report in failed.into_iter().chain(others) {
        let bytes = report.encode();
        assert_eq!(Report::decode(&bytes), Some(report));
        assert_eq!(Report::decode(&bytes[1..]), None);
    }
    assert_eq!(Report::decode(&[0; REPORT_BYTES]), None);
}
