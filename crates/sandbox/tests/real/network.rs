// SPDX-License-Identifier: Apache-2.0
//! Without a network: every family of sockets is refused, each act works outside first, and no run finds
//! another.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::Command;
use std::thread;

use ambit_sandbox::{LaunchPlan, Network, Termination};

use crate::support::{Work, output_of, ready, run, shell};

/// Prints a line for each act: its name, and `DONE` or the number of the error.
const ACTS: &str = r#"
import os, socket, sys
path = sys.argv[1]
def tried(name, act):
    try:
        act()
        print(name, "DONE")
    except OSError as error:
        print(name, error.errno)
def tcp(family, host):
    def act():
        server = socket.socket(family, socket.SOCK_STREAM)
        server.bind((host, 0))
        server.listen()
        client = socket.socket(family, socket.SOCK_STREAM)
        client.connect(server.getsockname())
    return act
def udp():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.sendto(b"x", server.getsockname())
    assert server.recv(1) == b"x"
def fast_open():
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.bind(("127.0.0.1", 0))
    server.listen()
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.sendto(b"x", socket.MSG_FASTOPEN, server.getsockname())
def unix():
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen()
    os.unlink(path)
def abstract():
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind("\0ambit-network-%d" % os.getpid())
tried("tcp", tcp(socket.AF_INET, "127.0.0.1"))
tried("tcp6", tcp(socket.AF_INET6, "::1"))
tried("udp", udp)
tried("fast_open", fast_open)
tried("mptcp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262))
tried("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))
tried("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
tried("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
tried("alg", lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET, 0))
tried("vsock", lambda: socket.socket(40, socket.SOCK_STREAM, 0))
tried("unix", unix)
tried("abstract", abstract)
tried("pair", lambda: socket.socketpair())
"#;

fn python(work: &Path, script: &str, args: &[&str]) -> LaunchPlan {
    let call = ["python3", "-c", script];
    LaunchPlan {
        executable: fs::canonicalize("/usr/bin/python3").unwrap(),
        argv: call.iter().chain(args).map(|&it| it.to_owned()).collect(),
        write_paths: vec![work.to_owned()],
        ..shell(work, "")
    }
}

/// Name and answer of each line.
fn answers(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, answer)| (name.to_owned(), answer.to_owned()))
        .collect()
}

#[test]
fn no_family_of_sockets_can_be_made_without_a_network() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let path = work.path.join("socket");
    let path = path.to_str().unwrap();
    let outside = Command::new("/usr/bin/python3")
        .args(["-c", ACTS, path])
        .output()
        .unwrap();
    let outside = answers(&String::from_utf8_lossy(&outside.stdout));
    let inside = answers(&output_of(&python(&work.path, ACTS, &[path])));
    assert_eq!(outside.len(), 13);
    assert_eq!(inside.len(), 13);
    let mut controls = 0_usize;
    for ((name, before), (_, found)) in outside.iter().zip(&inside) {
        let want = if name == "pair" { "DONE" } else { "1" };
        assert_eq!(found, want, "{name}: {found}, outside {before}");
        controls = controls.saturating_add(usize::from(before == "DONE"));
    }
    // what this machine or its kernel refuses outside too (IPv6, MPTCP, vsock, raw sockets of an
    // unprivileged caller) is no control
    let known = |name: &str| outside.contains(&(name.to_owned(), "DONE".to_owned()));
    for name in ["tcp", "udp", "netlink", "unix", "abstract", "pair"] {
        assert!(known(name), "{name}: {outside:?}");
    }
    println!("{controls} of 13 acts work outside");
}

/// A run that waits, with what another could look for: processes, names of sockets, objects of System V,
/// files in scratch space, the name of the machine.
const WAITS: &str = r#"
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
open("/tmp/canary", "w").write("CANARY")
open("/dev/shm/canary", "w").write("CANARY")
assert libc.shmget(0x0AB17, 4096, 0o1666) >= 0
assert libc.msgget(0x0AB17, 0o1666) >= 0
open(sys.argv[1], "w").write("up")
while not os.path.exists(sys.argv[2]):
    time.sleep(0.02)
"#;

const LOOKS: &str = r#"
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print("processes", sorted(int(name) for name in os.listdir("/proc") if name.isdigit()) == [1, os.getpid()])
print("tmp", [name for top in ("/tmp", "/dev/shm") for name in os.listdir(top) if "canary" in name])
print("shm", libc.shmget(0x0AB17, 4096, 0))
print("msg", libc.msgget(0x0AB17, 0))
print("kill", [pid for pid in range(3, 400) if pid != os.getpid() and libc.kill(pid, 0) == 0])
"#;

#[test]
fn two_runs_do_not_see_each_other() {
    if !ready() {
        return;
    }
    let (work, other) = (Work::new(), Work::new());
    let (up, done) = (work.path.join("up"), work.path.join("done"));
    let args = [up.to_str().unwrap(), done.to_str().unwrap()];
    let waits = python(&work.path, WAITS, &args);
    let looks = python(&other.path, LOOKS, &[]);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| run(&waits).unwrap());
        while !up.exists() {
            assert!(!waiting.is_finished(), "{:?}", waiting.join());
            thread::yield_now();
        }
        let seen = run(&looks);
        fs::write(&done, "").unwrap();
        let waited = waiting.join().unwrap();
        assert_eq!(waited.termination, Termination::Exited { code: 0 });
        let seen = seen.unwrap();
        let text = String::from_utf8_lossy(&seen.stdout.captured);
        let want = "processes True\ntmp []\nshm -1\nmsg -1\nkill []\n";
        assert_eq!(
            text,
            want,
            "{}",
            String::from_utf8_lossy(&seen.stderr.captured)
        );
        // both are in the one network namespace that such runs share
        let net = |outcome: &ambit_sandbox::Outcome| {
            outcome.enforcement.mechanisms["net_namespace"].facts["inode"].clone()
        };
        assert_eq!(net(&waited), net(&seen));
    });
}

/// With the host's network, where sockets can be made: an abstract one of the host is out of reach where
/// the kernel has scopes (Landlock ABI 6).
#[test]
fn abstract_sockets_of_the_host_and_of_other_runs_are_out_of_reach() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let name = format!("ambit-abstract-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    let script = "import socket, sys\n\
                  s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)\n\
                  try:\n s.connect('\\0' + sys.argv[1])\n print('DONE')\n\
                  except OSError as error:\n print(error.errno)";
    let control = Command::new("/usr/bin/python3")
        .args(["-c", script, &name])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&control.stdout), "DONE\n");
    let mut plan = python(&work.path, script, &[&name]);
    plan.network = Network::Full;
    let outcome = run(&plan).unwrap();
    let scoped = &outcome.enforcement.mechanisms["landlock"].facts["scoped"];
    if scoped == "0x3" {
        assert_eq!(String::from_utf8_lossy(&outcome.stdout.captured), "1\n");
    }
    // another run that listens is another domain: the same answer
    let (up, done) = (work.path.join("up"), work.path.join("done"));
    let listens = format!(
        "import os, socket, time\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0{name}-run')\ns.listen()\n\
         open('up', 'w').close()\nwhile not os.path.exists('done'): time.sleep(0.02)"
    );
    let mut listening = python(&work.path, &listens, &[]);
    listening.network = Network::Full;
    plan.argv[3] = format!("{name}-run");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| run(&listening).unwrap());
        while !up.exists() {
            assert!(!waiting.is_finished(), "{:?}", waiting.join());
            thread::yield_now();
        }
        let found = run(&plan);
        fs::write(&done, "").unwrap();
        waiting.join().unwrap();
        if scoped == "0x3" {
            assert_eq!(
                String::from_utf8_lossy(&found.unwrap().stdout.captured),
                "1\n"
            );
        }
    });
}
