// SPDX-License-Identifier: Apache-2.0
//! What a plan can widen: `/proc`, execution from memory, the profile of system calls. Each act is
//! shown outside first, then as it is refused by default, then as it is let through.

use std::path::PathBuf;
use std::process::Command;

use ambit_sandbox::{LaunchPlan, Proc, Profile};

use super::support::{Work, output_of, ready, shell};

/// Returns a plan that runs a Python program with what these programs need.
fn python(work: &Work, program: &str) -> LaunchPlan {
    let program = format!("{PRELUDE}\n{program}");
    work.file("program.py", &program);
    LaunchPlan {
        executable: PathBuf::from(PYTHON),
        argv: ["python3", "program.py"].map(str::to_owned).to_vec(),
        write_paths: vec![work.path.clone()],
        ..shell(&work.path, "")
    }
}

fn outside(plan: &LaunchPlan) -> String {
    let ran = Command::new(&plan.executable)
        .args(plan.argv.iter().skip(1))
        .current_dir(&plan.cwd)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

const PYTHON: &str = "/usr/bin/python3";

/// `said(f)` prints what a function returns, or the name of its error.
const PRELUDE: &str = "
import ctypes, errno, os, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    found = getattr(libc, name)(*args)
    if found < 0: raise OSError(ctypes.get_errno(), name)
    return found
def said(f):
    try: print(f())
    except OSError as e: print(errno.errorcode[e.errno])
";

#[test]
fn programs_in_memory_run_only_where_the_plan_says_so() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let closed = python(
        &work,
        "
import shutil
def memfd(flags, mode):
    fd = os.memfd_create('x', flags)
    os.write(fd, open('/bin/true', 'rb').read())
    if mode: os.fchmod(fd, mode)
    return subprocess.run([f'/proc/self/fd/{fd}'], pass_fds=[fd]).returncode
def scratch(folder):
    path = f'{folder}/ambit-true-{os.getpid()}'
    shutil.copy('/bin/true', path)
    try: return subprocess.run([path]).returncode
    finally: os.unlink(path)
NOEXEC_SEAL = 8
said(lambda: memfd(0, 0))
said(lambda: memfd(NOEXEC_SEAL, 0))
said(lambda: memfd(NOEXEC_SEAL, 0o755))
said(lambda: scratch('/tmp'))
said(lambda: scratch('/dev/shm'))
",
    );
    assert_eq!(outside(&closed), "0\nEACCES\nEPERM\n0\n0\n");
    assert_eq!(output_of(&closed), "EPERM\nEACCES\nEPERM\nEACCES\nEACCES\n");
    let open = LaunchPlan {
        allow_exec_from_memory: true,
        ..closed
    };
    assert_eq!(output_of(&open), "0\nEACCES\nEPERM\n0\n0\n");
}

#[test]
fn a_whole_proc_shows_figures_and_nothing_that_tells_of_the_machine() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let masked = python(
        &work,
        "
def size(path): return len(open(path).read()) > 0
for path in ['meminfo', 'cpuinfo', 'stat', 'sys/kernel/osrelease', 'cmdline', 'interrupts',
             'sys/kernel/core_pattern', 'self/status']:
    said(lambda: size('/proc/' + path))
said(lambda: os.listdir('/proc/irq') != [])
said(lambda: sorted(os.listdir('/proc/sys')))
said(lambda: open('/proc/sys/vm/overcommit_memory', 'w').close())
said(lambda: open('/proc/self/oom_score_adj', 'w').close())
said(lambda: [p for p in os.listdir('/proc') if p.isdigit() and int(p) > 64])
",
    );
    let control = outside(&masked);
    let shown = "True\n".repeat(9);
    assert!(control.starts_with(&shown), "{control}");
    let absent = "ENOENT\n";
    let figures = absent.repeat(7);
    assert_eq!(
        output_of(&masked),
        format!("{figures}True\n{absent}{absent}{absent}EACCES\n[]\n")
    );
    let whole = LaunchPlan {
        proc: Proc::Full,
        ..masked
    };
    assert_eq!(
        output_of(&whole),
        "True\nTrue\nTrue\nTrue\nFalse\nFalse\nENOENT\nTrue\nFalse\n\
         ['fs', 'kernel', 'vm']\nEROFS\nEROFS\n[]\n"
    );
}

#[test]
fn a_debugger_works_in_the_compat_profile_alone() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let strict = python(
        &work,
        "
PTRACE_ATTACH = 16
child = subprocess.Popen(['/bin/sleep', '20'])
def attach(pid):
    found = call('ptrace', PTRACE_ATTACH, pid, 0, 0)
    os.waitpid(pid, 0)
    return found
said(lambda: attach(child.pid))
child.kill()
if len(sys.argv) == 1: said(lambda: call('ptrace', PTRACE_ATTACH, 1, 0, 0))
said(lambda: call('personality', 0x40000) >= 0)
said(lambda: call('unshare', 0x10000000))
",
    );
    let control = LaunchPlan {
        argv: ["python3", "program.py", "no launcher"]
            .map(str::to_owned)
            .to_vec(),
        ..strict.clone()
    };
    assert!(outside(&control).starts_with("0\nTrue\n"));
    assert_eq!(output_of(&strict), "EPERM\nEPERM\nEPERM\nEPERM\n");
    let compat = LaunchPlan {
        profile: Profile::Compat,
        ..strict
    };
    assert_eq!(output_of(&compat), "0\nEPERM\nTrue\nEPERM\n");
}

/// A datagram socket of a pair can send to any that listens on a file, and a stream can connect.
#[test]
fn no_socket_of_the_host_is_reached_through_a_granted_folder() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let stream = std::os::unix::net::UnixListener::bind(work.path.join("stream")).unwrap();
    let datagrams = std::os::unix::net::UnixDatagram::bind(work.path.join("datagrams")).unwrap();
    stream.set_nonblocking(true).unwrap();
    datagrams.set_nonblocking(true).unwrap();
    let strict = python(
        &work,
        "
U = socket.AF_UNIX
def pair(kind):
    a, b = socket.socketpair(U, kind)
    return a.sendto(b'out', 'datagrams') if kind == socket.SOCK_DGRAM else 0
def connect():
    s = socket.socket(U, socket.SOCK_STREAM)
    s.connect('stream')
    return 'connected'
def listening():
    s = socket.socket(U, socket.SOCK_STREAM)
    s.bind('own'); s.listen(); os.unlink('own')
    return 'listening'
said(lambda: pair(socket.SOCK_DGRAM))
said(lambda: pair(socket.SOCK_STREAM))
said(lambda: pair(socket.SOCK_SEQPACKET))
said(connect)
said(listening)
said(lambda: socket.socket(U, socket.SOCK_DGRAM) and 'made')
",
    );
    assert_eq!(outside(&strict), "3\n0\n0\nconnected\nlistening\nmade\n");
    let mut buffer = [0; 8];
    assert_eq!(datagrams.recv(&mut buffer).unwrap(), 3);
    drop(stream.accept().unwrap());
    assert_eq!(output_of(&strict), "EPERM\n0\n0\nEPERM\nEPERM\nEPERM\n");
    let compat = LaunchPlan {
        profile: Profile::Compat,
        ..strict
    };
    assert_eq!(output_of(&compat), "EPERM\n0\n0\nEPERM\nlistening\nEPERM\n");
    datagrams.recv(&mut buffer).unwrap_err();
    stream.accept().unwrap_err();
}
