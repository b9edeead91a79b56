// SPDX-License-Identifier: Apache-2.0
//! Every step of a launch made to fail, one after the other: nothing runs, the error names the step, and
//! nothing is left behind.
//!
//! A filter on the starting thread answers one call, or one of its forms, with an error. The launcher and
//! the command's process inherit it, so their steps fail too. Each case has a thread of its own, since a
//! filter cannot be taken off again; all have one process of their own, where nothing else opens or starts
//! anything.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use ambit_sandbox::{
    Cancel, Floor, LaunchPlan, Limits, Outcome, SandboxError, Streams, Termination, Tier, launch,
};
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, waitpid};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::support::{Work, ready, run, shell};

/// An argument of a call, by place and value, that makes it the one to fail.
type Form = Option<(u8, u64)>;

/// What must come of it.
#[derive(Clone, Copy, Debug)]
enum Want {
    /// An error that holds these words.
    Error(&'static str),
    /// The command is not executed, and that is how it ends.
    NotExecuted,
    /// A whole sandbox all the same.
    Full,
}

use Want::{Error, Full, NotExecuted};

const ANY: Form = None;

/// Calls of the addon, up to the start of the launcher. The first ones come before anything is kept.
const BEFORE: &[(i64, Form, Errno, Want)] = &[
    (
        libc::SYS_memfd_create,
        ANY,
        Errno::ENOMEM,
        Error("making a memfd"),
    ),
    (
        libc::SYS_fcntl,
        Some((1, 1033)),
        Errno::EPERM,
        Error("sealing a memfd"),
    ),
    (
        libc::SYS_landlock_create_ruleset,
        ANY,
        Errno::ENOSYS,
        Error("Landlock"),
    ),
    (
        libc::SYS_landlock_add_rule,
        ANY,
        Errno::ENOMEM,
        Error("Landlock ruleset"),
    ),
    (
        libc::SYS_eventfd2,
        ANY,
        Errno::EMFILE,
        Error("making an eventfd"),
    ),
    (libc::SYS_pipe2, ANY, Errno::EMFILE, Error("making a pipe")),
    (
        libc::SYS_socketpair,
        ANY,
        Errno::ENFILE,
        Error("making the control socket"),
    ),
    (
        libc::SYS_sendmsg,
        ANY,
        Errno::ETOOMANYREFS,
        Error("handing over the program"),
    ),
    (
        libc::SYS_openat2,
        ANY,
        Errno::EIO,
        Error("cannot be opened"),
    ),
    (
        libc::SYS_rt_sigprocmask,
        ANY,
        Errno::EINVAL,
        Error("reading the program"),
    ),
    // setns(2) with CLONE_NEWUSER: runs make their own namespaces then
    (libc::SYS_setns, ANY, Errno::EPERM, Full),
];

/// Steps between the clone and the launcher's first own one.
const START: &[(i64, Form, Errno, Want)] = &[
    (
        libc::SYS_capget,
        ANY,
        Errno::EPERM,
        Error("keeping the launcher's capabilities"),
    ),
    (
        libc::SYS_capset,
        ANY,
        Errno::EPERM,
        Error("keeping the launcher's capabilities"),
    ),
    (
        libc::SYS_prctl,
        Some((0, 47)),
        Errno::EPERM,
        Error("keeping the launcher's capabilities"),
    ),
    (
        libc::SYS_dup3,
        ANY,
        Errno::EBUSY,
        Error("arranging the launcher's descriptors"),
    ),
    (
        libc::SYS_close_range,
        ANY,
        Errno::ENOSYS,
        Error("arranging the launcher's descriptors"),
    ),
    (
        libc::SYS_rt_sigaction,
        ANY,
        Errno::EINVAL,
        Error("arranging the launcher's descriptors"),
    ),
    (
        libc::SYS_execveat,
        ANY,
        Errno::EACCES,
        Error("executing the launcher"),
    ),
];

/// Steps of the launcher.
const STEPS: &[(i64, Form, Errno, Want)] = &[
    (
        libc::SYS_prctl,
        Some((0, 4)),
        Errno::EINVAL,
        Error("reading the program"),
    ),
    (
        libc::SYS_mount,
        ANY,
        Errno::EPERM,
        Error("making the mounts private"),
    ),
    (libc::SYS_open_tree, ANY, Errno::EPERM, Error("opening `")),
    (
        libc::SYS_mount_setattr,
        ANY,
        Errno::EINVAL,
        Error("opening `"),
    ),
    (
        libc::SYS_mount,
        Some((3, 6)),
        Errno::ENOMEM,
        Error("making a new root"),
    ),
    (
        libc::SYS_chdir,
        ANY,
        Errno::EACCES,
        Error("making a new root"),
    ),
    (libc::SYS_mkdirat, ANY, Errno::ENOSPC, Error("making `")),
    (libc::SYS_move_mount, ANY, Errno::EBUSY, Error("mounting `")),
    (
        libc::SYS_mount,
        Some((3, 14)),
        Errno::ENOSPC,
        Error("tmpfs"),
    ),
    (libc::SYS_symlinkat, ANY, Errno::ENOSPC, Error("linking `")),
    (
        libc::SYS_sethostname,
        ANY,
        Errno::EPERM,
        Error("naming the host"),
    ),
    (
        libc::SYS_pivot_root,
        ANY,
        Errno::EINVAL,
        Error("entering the new root"),
    ),
    (
        libc::SYS_umount2,
        ANY,
        Errno::EBUSY,
        Error("entering the new root"),
    ),
    (
        libc::SYS_prctl,
        Some((0, 23)),
        Errno::EINVAL,
        Error("dropping capabilities"),
    ),
    (
        libc::SYS_prctl,
        Some((0, 24)),
        Errno::EPERM,
        Error("dropping capabilities"),
    ),
    (
        libc::SYS_prctl,
        Some((0, 28)),
        Errno::EPERM,
        Error("dropping capabilities"),
    ),
    (
        libc::SYS_prctl,
        Some((0, 38)),
        Errno::EINVAL,
        Error("enforcing the Landlock ruleset"),
    ),
    (
        libc::SYS_landlock_restrict_self,
        ANY,
        Errno::E2BIG,
        Error("enforcing the Landlock ruleset"),
    ),
];

/// Steps of the command's process, which is the last to be started.
const COMMAND: &[(i64, Form, Errno, Want)] = &[
    (
        libc::SYS_clone,
        Some((0, 17)),
        Errno::EAGAIN,
        Error("starting the command's process"),
    ),
    (
        libc::SYS_setsid,
        ANY,
        Errno::EPERM,
        Error("starting a session"),
    ),
    (
        libc::SYS_prlimit64,
        Some((3, 0)),
        Errno::EPERM,
        Error("applying limits"),
    ),
    (
        libc::SYS_seccomp,
        ANY,
        Errno::EINVAL,
        Error("installing the seccomp filter"),
    ),
    (
        libc::SYS_prctl,
        Some((0, 39)),
        Errno::EINVAL,
        Error("other restrictions"),
    ),
    (
        libc::SYS_prctl,
        Some((0, 21)),
        Errno::EINVAL,
        Error("other restrictions"),
    ),
    (libc::SYS_execve, ANY, Errno::EACCES, NotExecuted),
    (libc::SYS_execve, ANY, Errno::E2BIG, NotExecuted),
];

/// The same for tier `lite`, where the clone for namespaces is refused first.
const LITE: &[(i64, Form, Errno, Want)] = &[
    (
        libc::SYS_prctl,
        Some((0, 36)),
        Errno::EINVAL,
        Error("adopting orphans"),
    ),
    (
        libc::SYS_capset,
        ANY,
        Errno::EPERM,
        Error("giving up capabilities"),
    ),
    (
        libc::SYS_landlock_restrict_self,
        ANY,
        Errno::E2BIG,
        Error("enforcing the Landlock ruleset"),
    ),
    (
        libc::SYS_prctl,
        Some((0, 1)),
        Errno::EINVAL,
        Error("starting the command's process"),
    ),
    (
        libc::SYS_setsid,
        ANY,
        Errno::EPERM,
        Error("starting a session"),
    ),
    (
        libc::SYS_seccomp,
        ANY,
        Errno::EINVAL,
        Error("installing the seccomp filter"),
    ),
    (
        libc::SYS_kill,
        Some((1, 0)),
        Errno::ESRCH,
        Error("other restrictions"),
    ),
    (
        libc::SYS_prctl,
        Some((0, 21)),
        Errno::EINVAL,
        Error("other restrictions"),
    ),
    (libc::SYS_execve, ANY, Errno::EACCES, NotExecuted),
];

fn filter(call: i64, form: Form, errno: Errno) -> BpfProgram {
    let rules = form.map_or_else(Vec::new, |(place, value)| {
        let condition =
            SeccompCondition::new(place, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value).unwrap();
        vec![SeccompRule::new(vec![condition]).unwrap()]
    });
    SeccompFilter::new(
        [(call, rules)].into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno((errno as i32).unsigned_abs()),
        std::env::consts::ARCH.try_into().unwrap(),
    )
    .unwrap()
    .try_into()
    .unwrap()
}

/// What this process has open, started and mounted.
fn held() -> (usize, String, Result<(), Errno>) {
    let open = fs::read_dir("/proc/self/fd").unwrap().count();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let any = Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL);
    (open, mounts, waitpid(None, any).map(|_| ()))
}

fn check(plan: &LaunchPlan, (call, form, errno, want): (i64, Form, Errno, Want)) {
    let ran = plan.cwd.join("ran");
    let before = held();
    assert_eq!(before.2, Err(Errno::ECHILD));
    let program = filter(call, form, errno);
    let cancel = Cancel::new().unwrap();
    let result: Result<Outcome, SandboxError> = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            seccompiler::apply_filter(&program).unwrap();
            launch(plan, Streams::default(), &cancel)
        });
        worker.join().unwrap()
    });
    let case = format!("call {call} {form:?} {errno}: {result:?}");
    match (want, result) {
        (Error(words), Err(error)) => {
            assert!(error.to_string().contains(words), "{case}");
            assert!(!ran.exists(), "{case}");
        }
        (NotExecuted, Ok(outcome)) => {
            let errno = errno as i32;
            assert_eq!(
                outcome.termination,
                Termination::NotExecutable { errno },
                "{case}"
            );
            assert!(!ran.exists(), "{case}");
        }
        (Full, Ok(outcome)) => {
            assert_eq!(outcome.enforcement.tier, Tier::Full, "{case}");
            assert_eq!(fs::read_to_string(&ran).unwrap(), "ran\n", "{case}");
            fs::remove_file(&ran).unwrap();
        }
        (Error(_) | NotExecuted | Full, Ok(_) | Err(_)) => assert!(case.is_empty(), "{case}"),
    }
    drop(cancel);
    let after = held();
    assert_eq!(after.2, Err(Errno::ECHILD), "{case}");
    assert_eq!(after.1, before.1, "{case}");
    // the launcher's image and the anchor's two namespaces are kept for the next run
    assert!(
        after.0 <= before.0.saturating_add(3),
        "{case}: {} and {}",
        before.0,
        after.0
    );
}

fn plan(work: &Path, floor: Floor) -> LaunchPlan {
    LaunchPlan {
        write_paths: vec![work.to_owned()],
        limits: Limits {
            max_file_size_bytes: Some(1 << 20),
            ..Limits::default()
        },
        floor,
        ..shell(work, "echo ran > ran")
    }
}

fn each(name: &str) {
    if !ready() {
        return;
    }
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("faults::{name}"), "--ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success() && text.contains("1 passed"),
        "{text}\n{errors}"
    );
}

#[test]
fn a_step_that_fails_starts_nothing_is_named_and_leaves_nothing() {
    each("full");
}

#[test]
#[ignore = "the other half of a_step_that_fails_starts_nothing_is_named_and_leaves_nothing"]
fn full() {
    let work = Work::new();
    let plan = plan(&work.path, Floor::Full);
    for case in BEFORE {
        check(&plan, *case);
    }
    // now everything that is kept is there, and nothing may be added any more
    run(&plan).unwrap();
    fs::remove_file(work.path.join("ran")).unwrap();
    let open = held().0;
    for case in START.iter().chain(STEPS).chain(COMMAND) {
        check(&plan, *case);
        assert_eq!(held().0, open, "{case:?}");
    }
    run(&plan).unwrap();
    assert!(work.path.join("ran").exists());
}

#[test]
fn a_step_of_lite_that_fails_starts_nothing_is_named_and_leaves_nothing() {
    each("lite");
}

#[test]
#[ignore = "the other half of a_step_of_lite_that_fails_starts_nothing_is_named_and_leaves_nothing"]
fn lite() {
    crate::lite::forbid_namespaces();
    let work = Work::new();
    let plan = plan(&work.path, Floor::Lite);
    let outcome = run(&plan).unwrap();
    assert_eq!(outcome.enforcement.tier, Tier::Lite);
    fs::remove_file(work.path.join("ran")).unwrap();
    let open = held().0;
    for case in LITE {
        check(&plan, *case);
        assert_eq!(held().0, open, "{case:?}");
    }
}
