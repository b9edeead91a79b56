// SPDX-License-Identifier: Apache-2.0
//! The tier without namespaces, on a machine that is made to give none.
//!
//! Each test here starts this program once more under a filter that answers as Docker's default
//! profile does: no new namespaces, and no `clone3(2)` at all.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};

use ambit_sandbox::{
    Floor, LaunchPlan, Network, Outcome, Protection, SandboxError, State, Termination, Tier, probe,
};
use landlock::{
    ABI, Access, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
};
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::support::{Work, await_growth, await_standstill, output_of, ready, run, shell};

/// Runs a function of this module in a process that may make no namespace.
fn without_namespaces(name: &str) {
    if !ready() {
        return;
    }
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("lite::{name}")])
        .args(["--ignored", "--nocapture", "--test-threads=1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{text}\n{errors}");
    assert!(text.contains("1 passed"), "{text}");
}

/// Answers as Docker's default profile: `EPERM` for namespaces and mounts, `ENOSYS` for `clone3`.
pub(crate) fn forbid_namespaces() {
    let with = |flag: libc::c_int| {
        let mask = u64::from(flag.unsigned_abs());
        let op = SeccompCmpOp::MaskedEq(mask);
        let condition = SeccompCondition::new(0, SeccompCmpArgLen::Dword, op, mask).unwrap();
        SeccompRule::new(vec![condition]).unwrap()
    };
    let flags = [
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWNS,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWUTS,
    ];
    install(
        [
            (libc::SYS_clone, flags.map(with).to_vec()),
            (libc::SYS_unshare, flags.map(with).to_vec()),
            (libc::SYS_setns, Vec::new()),
            (libc::SYS_mount, Vec::new()),
        ],
        libc::EPERM,
    );
    install([(libc::SYS_clone3, Vec::new())], libc::ENOSYS);
}

fn install<const N: usize>(rules: [(i64, Vec<SeccompRule>); N], errno: i32) {
    let filter: BpfProgram = SeccompFilter::new(
        rules.into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno.unsigned_abs()),
        std::env::consts::ARCH.try_into().unwrap(),
    )
    .unwrap()
    .try_into()
    .unwrap();
    seccompiler::apply_filter(&filter).unwrap();
}

fn lite(cwd: &Path, script: &str) -> LaunchPlan {
    LaunchPlan {
        floor: Floor::Lite,
        write_paths: vec![cwd.to_owned()],
        ..shell(cwd, script)
    }
}

fn ran(plan: &LaunchPlan) -> (Outcome, String) {
    let outcome = run(plan).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = text(&outcome.stdout.captured) + &text(&outcome.stderr.captured);
    (outcome, all)
}

#[test]
fn a_machine_without_namespaces_gives_tier_lite_where_the_floor_allows_it() {
    without_namespaces("tells_the_tier");
}

#[test]
#[ignore = "the other half of a_machine_without_namespaces_gives_tier_lite_where_the_floor_allows_it"]
fn tells_the_tier() {
    forbid_namespaces();
    let work = Work::new();
    // the floor of every plan that does not say otherwise
    let mut full = lite(&work.path, "echo ran > ran");
    full.floor = Floor::Full;
    let refused = run(&full).unwrap_err();
    assert_eq!(refused.code(), "ERR_SANDBOX_UNSUPPORTED", "{refused}");
    assert!(!work.path.join("ran").exists());
    let (outcome, text) = ran(&lite(&work.path, "echo $$; id -u"));
    assert_eq!(
        outcome.termination,
        Termination::Exited { code: 0 },
        "{text}"
    );
    assert_eq!(outcome.enforcement.tier, Tier::Lite);
    let found = &outcome.enforcement.mechanisms;
    for name in [
        "mount_namespace",
        "pid_namespace",
        "net_namespace",
        "user_namespace",
    ] {
        assert_eq!(found[name].state, State::Unavailable, "{name}");
        let reason = found[name].reason.as_deref().unwrap_or_default();
        assert!(
            reason.contains("EPERM") && reason.contains("seccomp filter"),
            "{reason}"
        );
    }
    for name in ["seccomp", "no_new_privs", "metadata", "signals"] {
        assert_eq!(
            found[name].state,
            State::Enforced,
            "{name}: {:?}",
            found[name]
        );
    }
    assert_eq!(found["capabilities"].facts["held"], "0x0");
    assert!(found["landlock"].facts.contains_key("observed"));
    let report = probe();
    assert_eq!(report.tier, Tier::Lite, "{report:?}");
    assert!(report.reason.unwrap().contains("seccomp filter"));
}

/// The sysctl that an administrator sets to switch user namespaces off, in a user namespace of its own.
#[test]
fn a_limit_of_no_user_namespaces_is_named() {
    if !ready() {
        return;
    }
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" --exact \
                  lite::tells_of_the_limit --ignored --nocapture --test-threads=1";
    let program = std::env::current_exe().unwrap();
    let ran = Command::new("unshare")
        .args(["--user", "--map-root-user", "sh", "-c", script])
        .arg(program)
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
#[ignore = "the other half of a_limit_of_no_user_namespaces_is_named"]
fn tells_of_the_limit() {
    let work = Work::new();
    let (outcome, text) = ran(&lite(&work.path, "true"));
    assert_eq!(outcome.enforcement.tier, Tier::Lite, "{text}");
    let found = &outcome.enforcement.mechanisms["user_namespace"];
    let reason = found.reason.as_deref().unwrap_or_default();
    assert!(reason.contains("user.max_user_namespaces is 0"), "{reason}");
    let mut full = lite(&work.path, "true");
    full.floor = Floor::Full;
    let refused = run(&full).unwrap_err();
    assert_eq!(refused.code(), "ERR_SANDBOX_UNSUPPORTED", "{refused}");
}

#[test]
fn lite_holds_files_and_metadata() {
    without_namespaces("files_and_metadata");
}

#[test]
#[ignore = "the other half of lite_holds_files_and_metadata"]
fn files_and_metadata() {
    forbid_namespaces();
    let (work, other) = (Work::new(), Work::new());
    let secret = other.file("secret", "CANARY");
    let readable = other.file("readable/file", "words");
    let script = format!(
        "cat {secret}; echo x > {other}/new; cat /proc/self/status; ls /; ls /tmp; echo y > /tmp/ambit-lite; \
         cat {readable} && echo z >> {readable}; chmod 600 {readable}; touch {readable}; \
         mv {readable} {readable}2; ln {readable} here; echo fine > fine; cat fine",
        secret = secret.display(),
        other = other.path.display(),
        readable = readable.display(),
    );
    let before = fs::metadata(&readable).unwrap();
    // the control: outside, every one of these works
    let plan = LaunchPlan {
        read_paths: vec![readable.parent().unwrap().to_owned()],
        ..lite(&work.path, &script)
    };
    let (outcome, text) = ran(&plan);
    assert_eq!(
        outcome.termination,
        Termination::Exited { code: 0 },
        "{text}"
    );
    assert!(text.contains("words") && text.contains("fine"), "{text}");
    assert!(
        !text.contains("CANARY") && !text.contains("NoNewPrivs"),
        "{text}"
    );
    assert_eq!(fs::read_to_string(&readable).unwrap(), "words");
    assert_eq!(
        fs::metadata(&readable).unwrap().modified().unwrap(),
        before.modified().unwrap()
    );
    assert!(!other.path.join("new").exists() && !Path::new("/tmp/ambit-lite").exists());
    assert!(!work.path.join("here").exists());
}

#[test]
fn lite_holds_sockets_objects_and_signals() {
    without_namespaces("sockets_objects_and_signals");
}

const REACH: &str = r#"
import ctypes, os, resource, signal, socket, sys
parent, port = int(sys.argv[1]), int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
def tried(name, act):
    try:
        act()
        print(name, "DONE")
    except OSError as error:
        print(name, error.errno)
def raw(*args):
    def act():
        if libc.syscall(*args) < 0:
            raise OSError(ctypes.get_errno(), "x")
    return act
for family in (1, 2, 10, 16, 17, 38, 40):
    tried("socket%d" % family, lambda: socket.socket(family, socket.SOCK_STREAM if family != 17 else socket.SOCK_RAW))
tried("mptcp", lambda: socket.socket(2, 1, 262))
tried("pair", lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
tried("shm", raw(29, 0, 4096, 0o1600))
tried("mq", raw(240, b"ambit-lite", 0o102, 0o600, 0))
tried("kill-caller", lambda: os.kill(parent, 0))
tried("kill-launcher", lambda: os.kill(os.getppid(), signal.SIGKILL))
tried("kill-all", lambda: os.kill(-1, 0) if False else os.kill(1, 0))
tried("limit", lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE, (1, 1)))
tried("priority", lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19))
tried("userns", raw(272, 0x10000000))
tried("ptrace", raw(101, 16, parent, 0, 0))
tried("own", lambda: os.kill(os.getpid(), 0))
"#;

#[test]
#[ignore = "the other half of lite_holds_sockets_objects_and_signals"]
fn sockets_objects_and_signals() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let own = std::process::id().to_string();
    // the control: whoever is not held can do the least of these
    assert_eq!(kill(Pid::this(), None), Ok(()));
    assert_eq!(kill(Pid::parent(), None), Ok(()));
    forbid_namespaces();
    let work = Work::new();
    let argv = ["python3", "-c", REACH, &own, &port];
    let plan = LaunchPlan {
        executable: fs::canonicalize("/usr/bin/python3").unwrap(),
        argv: argv.map(str::to_owned).to_vec(),
        ..lite(&work.path, "")
    };
    let (outcome, text) = ran(&plan);
    assert_eq!(
        outcome.termination,
        Termination::Exited { code: 0 },
        "{text}"
    );
    assert_eq!(outcome.enforcement.tier, Tier::Lite);
    let lines: Vec<&str> = text.lines().collect();
    let (last, denied) = lines.split_last().unwrap();
    assert_eq!(*last, "own DONE", "{text}");
    assert_eq!(denied.len(), 18, "{text}");
    let refused = Errno::EPERM as i32;
    for line in denied {
        assert!(line.ends_with(&format!(" {refused}")), "{line}\n{text}");
    }
}

#[test]
fn lite_with_the_network_sends_to_no_socket_with_a_name() {
    without_namespaces("nothing_sent_to_names");
}

#[test]
#[ignore = "the other half of lite_with_the_network_sends_to_no_socket_with_a_name"]
fn nothing_sent_to_names() {
    const SEND: &str = r#"
import socket, sys
for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
    try:
        a, b = socket.socketpair(socket.AF_UNIX, kind)
        a.sendto(b"out", sys.argv[1])
        print("SENT")
    except OSError as error:
        print(error.errno)
a, b = socket.socketpair()
a.sendall(b"ok")
print(b.recv(2).decode())
"#;
    let outside = Work::new();
    let name = outside.path.join("socket");
    let listener = UnixDatagram::bind(&name).unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut buffer = [0_u8; 8];
    // the control: whoever is not held can
    UnixDatagram::unbound()
        .unwrap()
        .send_to(b"control", &name)
        .unwrap();
    assert_eq!(listener.recv(&mut buffer).unwrap(), 7);
    forbid_namespaces();
    let work = Work::new();
    let argv = ["python3", "-c", SEND, name.to_str().unwrap()];
    let plan = LaunchPlan {
        executable: fs::canonicalize("/usr/bin/python3").unwrap(),
        argv: argv.map(str::to_owned).to_vec(),
        network: Network::Full,
        ..lite(&work.path, "")
    };
    let (outcome, text) = ran(&plan);
    assert_eq!(outcome.enforcement.tier, Tier::Lite);
    assert_eq!(text, "1\n1\nok\n");
    let nothing = listener.recv(&mut buffer).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
}

#[test]
fn lite_leaves_nothing_running() {
    without_namespaces("nothing_left_running");
}

#[test]
#[ignore = "the other half of lite_leaves_nothing_running"]
fn nothing_left_running() {
    forbid_namespaces();
    let work = Work::new();
    let beat = work.file("beat", "");
    let daemon = "setsid sh -c '(while :; do echo x >> beat; sleep 0.02; done) & (trap \"\" TERM HUP; while :; do echo x >> beat; sleep 0.02; done)' > /dev/null 2>&1 & ";
    let plan = |then: &str, timeout_ms| LaunchPlan {
        timeout_ms,
        ..lite(&work.path, &format!("{daemon}{then}"))
    };
    let waits = "while [ $(wc -c < beat) -lt 8 ]; do sleep 0.02; done";
    let (outcome, text) = ran(&plan(waits, 30_000));
    assert_eq!(
        outcome.termination,
        Termination::Exited { code: 0 },
        "{text}"
    );
    assert!(fs::metadata(&beat).unwrap().len() >= 8);
    await_standstill(&beat);
    let (outcome, _) = ran(&plan("sleep 60", 1500));
    assert_eq!(outcome.termination, Termination::TimedOut);
    await_standstill(&beat);
}

/// When the process that asked is killed, the launcher ends everything.
#[test]
fn lite_ends_with_its_caller() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let beat = work.file("beat", "");
    let mut caller = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "lite::caller_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env("AMBIT_TEST_WORK", &work.path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    await_growth(&beat);
    caller.kill().unwrap();
    caller.wait().unwrap();
    await_standstill(&beat);
    let rest = BufReader::new(caller.stdout.take().unwrap()).lines();
    assert!(
        rest.map_while(Result::ok)
            .all(|line| !line.contains("ended"))
    );
}

#[test]
#[ignore = "the other half of lite_ends_with_its_caller"]
fn caller_that_is_killed() {
    forbid_namespaces();
    let work = std::env::var_os("AMBIT_TEST_WORK").unwrap();
    let work = Path::new(&work);
    let plan = LaunchPlan {
        ..lite(
            work,
            "setsid sh -c 'while :; do echo x >> beat; sleep 0.02; done' & sleep 60",
        )
    };
    let (outcome, _) = ran(&plan);
    println!("ended {:?}", outcome.termination);
}

#[test]
fn lite_refuses_what_needs_more() {
    without_namespaces("needs_more");
}

#[test]
#[ignore = "the other half of lite_refuses_what_needs_more"]
fn needs_more() {
    type Change = fn(&mut LaunchPlan);
    forbid_namespaces();
    let work = Work::new();
    work.file("secret", "x");
    work.file("repo/.git/hooks/pre-commit", "x");
    work.file("repo/.git/config", "x");
    let table: [(Change, &str); 6] = [
        (
            |plan| plan.hidden_paths = vec![plan.cwd.join("secret")],
            "to hide `",
        ),
        (
            |plan| plan.read_only_paths = vec![plan.cwd.join("repo/.git/hooks")],
            "to keep `",
        ),
        (|plan| plan.cwd = "/tmp".into(), "to make `/tmp` private"),
        (
            |plan| plan.proc = ambit_sandbox::Proc::Full,
            "to show `/proc`",
        ),
        (|plan| plan.allow_exec_from_memory = true, "scratch"),
        (
            |plan| plan.profile = ambit_sandbox::Profile::Compat,
            "`compat`",
        ),
    ];
    for (change, want) in table {
        let mut plan = LaunchPlan {
            lifted_protections: [
                Protection::AutoRun,
                Protection::Credentials,
                Protection::Dotenv,
                Protection::GitConfig,
                Protection::GitHooks,
            ]
            .into(),
            ..lite(&work.path, "echo x > ran")
        };
        output_of(&plan);
        fs::remove_file(work.path.join("ran")).unwrap();
        change(&mut plan);
        let error = run(&plan).unwrap_err();
        assert!(matches!(error, SandboxError::BelowNeeds { .. }), "{error}");
        assert_eq!(error.code(), "ERR_SANDBOX_UNSUPPORTED");
        let text = error.to_string();
        assert!(
            text.contains(want) && text.contains("seccomp filter"),
            "{text}"
        );
        assert!(!work.path.join("ran").exists());
    }
}

/// With a network the machine's sockets with names are in sight, so none can be made.
#[test]
fn lite_with_a_network_has_no_unix_sockets() {
    without_namespaces("network_without_unix_sockets");
}

#[test]
#[ignore = "the other half of lite_with_a_network_has_no_unix_sockets"]
fn network_without_unix_sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    forbid_namespaces();
    let work = Work::new();
    let script = format!(
        "import socket\nsocket.create_connection(('127.0.0.1', {port}))\nprint('tcp')\ntry:\n socket.socket(socket.AF_UNIX)\n print('unix')\nexcept PermissionError:\n print('none')"
    );
    let plan = LaunchPlan {
        executable: fs::canonicalize("/usr/bin/python3").unwrap(),
        argv: ["python3", "-c", &script].map(str::to_owned).to_vec(),
        network: Network::Full,
        ..lite(&work.path, "")
    };
    let (_, text) = ran(&plan);
    assert_eq!(text, "tcp\nnone\n");
}

/// Inside somebody else's Landlock domain nothing can be mounted: a run gets tier lite, and is held by
/// both rulesets.
#[test]
fn a_caller_in_a_landlock_domain_gets_tier_lite() {
    if !ready() {
        return;
    }
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lite::caller_in_a_domain", "--ignored"])
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
#[ignore = "the other half of a_caller_in_a_landlock_domain_gets_tier_lite"]
fn caller_in_a_domain() {
    let (work, other) = (Work::new(), Work::new());
    let all = AccessFs::from_all(ABI::V1);
    let write = |path: &Path, access| PathBeneath::new(PathFd::new(path).unwrap(), access);
    Ruleset::default()
        .handle_access(all)
        .unwrap()
        .create()
        .unwrap()
        .add_rule(write(Path::new("/"), AccessFs::from_read(ABI::V1)))
        .unwrap()
        .add_rule(write(&work.path, all))
        .unwrap()
        .add_rule(write(Path::new("/dev/null"), AccessFs::from_file(ABI::V1)))
        .unwrap()
        .restrict_self()
        .unwrap();
    let mut full = lite(&work.path, "true");
    full.floor = Floor::Full;
    assert_eq!(run(&full).unwrap_err().code(), "ERR_SANDBOX_UNSUPPORTED");
    let (outcome, text) = ran(&lite(&work.path, "echo x > inside; cat inside"));
    assert_eq!(text, "x\n");
    assert_eq!(outcome.enforcement.tier, Tier::Lite);
    // what the plan grants, the domain around it still refuses
    let mut wider = lite(
        &work.path,
        &format!("echo x > {}/out", other.path.display()),
    );
    wider.write_paths.push(other.path.clone());
    let (outcome, text) = ran(&wider);
    assert_ne!(
        outcome.termination,
        Termination::Exited { code: 0 },
        "{text}"
    );
    assert!(!other.path.join("out").exists());
}
