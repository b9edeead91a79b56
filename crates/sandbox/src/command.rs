// SPDX-License-Identifier: Apache-2.0
//! The command, its limits, and what it must not share with us.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ambit_launcher::{CommandSource, Resource, SegmentSource, StdinSource};
use nix::errno::Errno;
use nix::sys::resource::getrlimit;

use crate::enforcement::NAMESPACES;
use crate::error::SandboxError;
use crate::plan::{LaunchPlan, Limits, Network, Stdin, c_string};

/// How long after the wall-clock limit the launcher ends a run by itself, milliseconds: time enough
/// for us to do it first, so that only a caller who is stopped is ever overtaken.
const GRACE_MS: u64 = 1000;

/// Returns the command as the launcher's program writes it.
///
/// # Errors
/// [`SandboxError::PlanInvalid`] for NUL characters, [`SandboxError::Internal`] when our own
/// limits or namespaces cannot be read.
pub(crate) fn command(
    plan: &LaunchPlan,
    filter: Vec<u8>,
    data_bytes: Option<u64>,
) -> Result<CommandSource, SandboxError> {
    let env = plan
        .env
        .iter()
        .map(|(name, value)| c_string("env", format!("{name}={value}")));
    Ok(CommandSource {
        segments: segments(plan)?,
        stdin: match &plan.stdin {
            Stdin::Bytes | Stdin::Stream => StdinSource::Passed,
            Stdin::File { path } => StdinSource::File(path_string("stdin", path)?),
            Stdin::Empty => StdinSource::File(c"/dev/null".to_owned()),
        },
        env: env.collect::<Result<Vec<CString>, _>>()?,
        cwd: path_string("cwd", &plan.cwd)?,
        outside: outside(plan.network)?,
        backstop_ms: plan.timeout_ms.saturating_add(GRACE_MS),
        limits: resources(&plan.limits, data_bytes)?,
        filter,
        announce: false,
    })
}

fn segments(plan: &LaunchPlan) -> Result<Vec<SegmentSource>, SandboxError> {
    let first = (&plan.executable, &plan.argv);
    let further = plan.piped_into.iter().map(|it| (&it.executable, &it.argv));
    std::iter::once(first)
        .chain(further)
        .map(|(executable, argv)| {
            let argv = argv.iter().map(|text| c_string("argv", text.as_str()));
            Ok(SegmentSource {
                executable: path_string("executable", executable)?,
                argv: argv.collect::<Result<Vec<CString>, _>>()?,
            })
        })
        .collect()
}

fn path_string(field: &'static str, path: &Path) -> Result<CString, SandboxError> {
    c_string(field, path.as_os_str().as_bytes())
}

/// Returns the namespaces of this thread, from which the launcher starts and which the command must not share.
fn outside(network: Network) -> Result<[u64; 7], SandboxError> {
    let mut out = [0; 7];
    for (slot, name) in out.iter_mut().zip(NAMESPACES) {
        let short = match name {
            "mount_namespace" => "mnt",
            "net_namespace" if network == Network::Full => continue,
            other => other.strip_suffix("_namespace").unwrap_or(other),
        };
        *slot = std::fs::metadata(format!("/proc/thread-self/ns/{short}"))
            .map_err(|error| SandboxError::Internal {
                what: "reading our own namespaces",
                source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
            })?
            .ino();
    }
    Ok(out)
}

/// Core dumps are always off: they write outside every scope and can hold secrets. A limit of 1
/// and not 0, since a core that the kernel pipes to a program of the host ignores 0 (`core(5)`).
fn resources(limits: &Limits, data_bytes: Option<u64>) -> Result<Vec<Resource>, SandboxError> {
    use nix::sys::resource::Resource as Kind;
    // the launcher is a process of the sandbox too
    let processes = limits.max_processes.map(|count| count.saturating_add(1));
    let wanted = [
        (Kind::RLIMIT_CORE, Some(1)),
        (Kind::RLIMIT_CPU, limits.cpu_sec),
        (Kind::RLIMIT_AS, limits.address_space_bytes),
        (Kind::RLIMIT_DATA, data_bytes),
        (Kind::RLIMIT_FSIZE, limits.max_file_size_bytes),
        (Kind::RLIMIT_NOFILE, limits.max_open_files),
        (Kind::RLIMIT_NPROC, processes),
    ];
    let mut out = Vec::new();
    for (kind, value) in wanted {
        let Some(value) = value else { continue };
        let (_, hard) = getrlimit(kind).map_err(SandboxError::internal("reading a limit"))?;
        let limit = value.min(hard);
        // at the soft limit the kernel sends SIGXCPU, at the hard one SIGKILL: with both the same it
        // never says why
        let spare = u64::from(kind == Kind::RLIMIT_CPU);
        out.push(Resource {
            number: kind as u32,
            soft: limit,
            hard: limit.saturating_add(spare).min(hard),
        });
    }
    Ok(out)
}
