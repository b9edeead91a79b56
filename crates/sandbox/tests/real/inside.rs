// SPDX-License-Identifier: Apache-2.0
//! What runs inside the sandbox: each function is started there by a test of the same subject, in
//! the working directory it works on. None of them means anything outside.

use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io::{Error, IoSlice, Read, stdin};
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, chown, fchown};
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

/// Asserts the exact error of each act.
fn refused<const N: usize>(table: [(&str, Result<(), Error>, i32); N]) {
    for (act, result, want) in table {
        let found = result.map_err(|error| error.raw_os_error());
        assert_eq!(found, Err(Some(want)), "{act}");
    }
}

#[test]
#[ignore = "runs inside the sandbox"]
fn cannot_change_a_read_only_tree() {
    assert_eq!(fs::read_to_string("tree/file").unwrap(), "kept");
    let open = |options: &mut OpenOptions| options.open("tree/file").map(drop);
    let mode = Permissions::from_mode(0o600);
    refused([
        (
            "open for writing",
            open(OpenOptions::new().write(true)),
            libc::EROFS,
        ),
        (
            "truncate",
            open(OpenOptions::new().write(true).truncate(true)),
            libc::EROFS,
        ),
        ("chmod", fs::set_permissions("tree/file", mode), libc::EROFS),
        ("create", File::create("tree/new").map(drop), libc::EROFS),
        (
            "make a directory",
            fs::create_dir("tree/directory"),
            libc::EROFS,
        ),
        (
            "rename",
            fs::rename("tree/file", "tree/renamed"),
            libc::EROFS,
        ),
        (
            "link",
            fs::hard_link("tree/file", "tree/linked"),
            libc::EROFS,
        ),
        ("remove", fs::remove_file("tree/file"), libc::EROFS),
    ]);
}

#[test]
#[ignore = "runs inside the sandbox"]
fn cannot_change_device_nodes() {
    // everything is set to what it is, which shows outside in the time of the last change alone
    let change = |node: &File| {
        let found = node.metadata().unwrap();
        let (mode, time) = (found.permissions(), found.modified().unwrap());
        let time = FileTimes::new().set_modified(time);
        refused([
            ("chmod", node.set_permissions(mode), libc::EROFS),
            ("chown", fchown(node, None, None), libc::EROFS),
            ("utime", node.set_times(time), libc::EROFS),
        ]);
    };
    for name in ["full", "null", "random", "urandom", "zero"] {
        let path = Path::new("/dev").join(name);
        let mode = fs::metadata(&path).unwrap().permissions();
        refused([
            ("chmod", fs::set_permissions(&path, mode), libc::EROFS),
            ("chown", chown(&path, None, None), libc::EROFS),
        ]);
        change(&File::open(&path).unwrap());
    }
    // standard input is such a node too, and was opened before the command began
    change(&File::from(stdin().as_fd().try_clone_to_owned().unwrap()));
    // what they are for still works
    fs::write("/dev/null", "x").unwrap();
    refused([("write", fs::write("/dev/full", "x"), libc::ENOSPC)]);
    let mut read = [1_u8; 4];
    File::open("/dev/zero")
        .unwrap()
        .read_exact(&mut read)
        .unwrap();
    assert_eq!(read, [0; 4]);
}

#[test]
#[ignore = "runs inside the sandbox"]
fn sees_nothing_hidden() {
    assert_eq!(fs::read_dir("secrets").unwrap().count(), 0);
    assert_eq!(fs::read("below/token").unwrap(), b"");
    refused([
        (
            "write into",
            File::create("secrets/new").map(drop),
            libc::EROFS,
        ),
        (
            "rename directory",
            fs::rename("secrets", "elsewhere"),
            libc::EBUSY,
        ),
        (
            "rename file",
            fs::rename("below/token", "below/elsewhere"),
            libc::EBUSY,
        ),
        (
            "rename what holds it",
            fs::rename("below", "elsewhere"),
            libc::EBUSY,
        ),
        ("remove file", fs::remove_file("below/token"), libc::EBUSY),
    ]);
    fs::write("below/other", "written").unwrap();
}

#[test]
#[ignore = "runs inside the sandbox"]
fn cannot_change_read_only_paths() {
    assert_eq!(fs::read_to_string(".git/config").unwrap(), "kept");
    refused([
        (
            "plant",
            File::create(".git/hooks/pre-commit").map(drop),
            libc::EROFS,
        ),
        (
            "overwrite",
            OpenOptions::new().write(true).open(".git/config").map(drop),
            libc::EROFS,
        ),
        (
            "replace",
            fs::rename(".git/index", ".git/config"),
            libc::EBUSY,
        ),
        ("remove", fs::remove_file(".git/config"), libc::EBUSY),
        (
            "rename it",
            fs::rename(".git/hooks", ".git/h2"),
            libc::EBUSY,
        ),
        (
            "rename what holds it",
            fs::rename(".git", ".g2"),
            libc::EBUSY,
        ),
    ]);
    fs::write(".git/index", "changed").unwrap();
    fs::rename(".git/index", ".git/index.old").unwrap();
}

#[test]
#[ignore = "runs inside the sandbox"]
fn cannot_make_set_id_files() {
    fs::write("plain", "").unwrap();
    let made = |mode: u32| {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = OpenOptions::new();
        options
            .create(true)
            .write(true)
            .mode(mode)
            .open(format!("made-{mode:o}"))
            .map(drop)
    };
    refused([
        (
            "set-uid",
            fs::set_permissions("plain", Permissions::from_mode(0o4755)),
            libc::EPERM,
        ),
        (
            "set-gid",
            fs::set_permissions("plain", Permissions::from_mode(0o2755)),
            libc::EPERM,
        ),
        ("made set-uid", made(0o4755), libc::EPERM),
        ("made set-gid", made(0o2755), libc::EPERM),
    ]);
    fs::set_permissions("plain", Permissions::from_mode(0o1755)).unwrap();
    made(0o755).unwrap();
}

#[test]
#[ignore = "runs inside the sandbox"]
fn has_no_network() {
    let port = fs::read_to_string("port").unwrap().parse().unwrap();
    refused([
        (
            "tcp",
            TcpStream::connect(("127.0.0.1", port)).map(drop),
            libc::EPERM,
        ),
        ("abstract socket", abstract_socket(), libc::EPERM),
        (
            "socket of a path",
            UnixStream::connect("socket").map(drop),
            libc::EPERM,
        ),
    ]);
}

#[test]
#[ignore = "runs inside the sandbox"]
fn has_the_network_but_no_abstract_sockets() {
    let port = fs::read_to_string("port").unwrap().parse().unwrap();
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    refused([("abstract socket", abstract_socket(), libc::EPERM)]);
}

/// Connects to the abstract socket that the file `name` names.
fn abstract_socket() -> Result<(), Error> {
    let name = fs::read("name")?;
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?).map(drop)
}

#[test]
#[ignore = "runs inside the sandbox"]
fn sees_only_its_own_processes() {
    let outside = fs::read_to_string("pid").unwrap();
    assert!(!Path::new(&format!("/proc/{outside}")).exists());
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        entry
            .unwrap()
            .file_name()
            .into_string()
            .unwrap()
            .parse::<u32>()
            .ok()
    });
    let mut seen: Vec<u32> = numbers.collect();
    seen.sort_unstable();
    assert_eq!(seen, [1, 2]);
    let pid = nix::unistd::Pid::from_raw(outside.parse().unwrap());
    let signalled = nix::sys::signal::kill(pid, None);
    assert_eq!(signalled, Err(nix::errno::Errno::ESRCH));
}

#[test]
#[ignore = "runs inside the sandbox"]
fn gives_its_output_away() {
    let socket = match UnixStream::connect("holder") {
        Ok(socket) => socket,
        Err(error) => return println!("refused: {error}"),
    };
    let (byte, descriptors) = ([IoSlice::new(b"!")], [1]);
    let message = [ControlMessage::ScmRights(&descriptors)];
    sendmsg::<()>(socket.as_raw_fd(), &byte, &message, MsgFlags::empty(), None).unwrap();
}
