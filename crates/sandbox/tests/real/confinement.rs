// SPDX-License-Identifier: Apache-2.0
//! What a run cannot do. Each subject has its control: the same act works outside.

use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::thread;

use ambit_sandbox::Network;

use crate::support::{Work, assert_inside, inside, output_of, ready, run, shell};

#[test]
fn a_read_only_tree_cannot_be_changed() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let file = work.file("tree/file", "kept");
    let mut plan = inside(&work.path, "cannot_change_a_read_only_tree");
    plan.read_paths.push(work.path.clone());
    let before = fs::metadata(&file).unwrap();
    assert_inside(&plan);
    let after = fs::metadata(&file).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    assert_eq!(before.permissions(), after.permissions());
    assert_eq!(fs::read_dir(work.path.join("tree")).unwrap().count(), 1);
    // the control: the shell, which works where it is told to, can do all of it
    let control = "cd tree && : >> file && : > file && chmod 600 file && : > new && mkdir directory && ln file linked \
                   && mv file renamed && mv renamed file && rm file";
    let ended = Command::new("sh")
        .args(["-c", control])
        .current_dir(&work.path)
        .status();
    assert!(ended.unwrap().success());
}

#[test]
fn device_nodes_of_the_host_cannot_be_changed() {
    if !ready() {
        return;
    }
    let state = || {
        ["full", "null", "random", "urandom", "zero"].map(|name| {
            let found = fs::metadata(Path::new("/dev").join(name)).unwrap();
            let owner = (found.uid(), found.gid());
            (found.mode(), owner, found.ctime(), found.ctime_nsec())
        })
    };
    let before = state();
    assert_inside(&inside(Path::new("/usr"), "cannot_change_device_nodes"));
    assert_eq!(state(), before);
}

#[test]
fn files_that_can_only_be_read_cannot_be_leased_or_followed() {
    if !ready() {
        return;
    }
    let work = Work::new();
    work.file("file", "kept");
    // F_SETLEASE with F_RDLCK, then F_NOTIFY with DN_MODIFY; each with its error number
    let script = r#"use Fcntl; sysopen(my $file, "file", O_RDONLY) and sysopen(my $folder, ".", O_RDONLY) or die;
        for ([$file, 1024, 0], [$folder, 1026, 2]) { my ($fd, $command, $with) = @$_;
            print defined fcntl($fd, $command, $with) ? 0 : $! + 0, "\n" }"#;
    let control = Command::new("perl")
        .args(["-e", script])
        .current_dir(&work.path)
        .output();
    let Ok(control) = control else {
        return println!("skipped: no perl here");
    };
    assert_eq!(String::from_utf8_lossy(&control.stdout), "0\n0\n");
    let mut plan = shell(&work.path, "");
    plan.executable = "/usr/bin/perl".into();
    plan.argv = ["perl", "-e", script].map(str::to_owned).to_vec();
    plan.read_paths = vec![work.path.clone()];
    assert_eq!(
        output_of(&plan),
        format!("{}\n{}\n", libc::EPERM, libc::EPERM)
    );
}

#[test]
fn hidden_paths_are_empty_inside_and_untouched_outside() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let key = work.file("secrets/key", "CANARY");
    let token = work.file("below/token", "CANARY");
    let mut plan = inside(&work.path, "sees_nothing_hidden");
    plan.write_paths = vec![work.path.clone()];
    plan.hidden_paths = vec![
        work.path.join("secrets"),
        token.clone(),
        work.path.join("missing"),
    ];
    assert_inside(&plan);
    for path in [key, token] {
        assert_eq!(fs::read_to_string(path).unwrap(), "CANARY");
    }
    assert_eq!(
        fs::read_to_string(work.path.join("below/other")).unwrap(),
        "written"
    );
    assert!(!work.path.join("missing").exists());
}

#[test]
fn read_only_paths_in_a_writable_tree_cannot_be_changed_or_moved() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let config = work.file(".git/config", "kept");
    work.file(".git/index", "old");
    fs::create_dir(work.path.join(".git/hooks")).unwrap();
    let mut plan = inside(&work.path, "cannot_change_read_only_paths");
    plan.write_paths = vec![work.path.clone()];
    let names = [".git/config", ".git/hooks", ".git/missing", "also/missing"];
    plan.read_only_paths = names.map(|name| work.path.join(name)).to_vec();
    assert_inside(&plan);
    assert_eq!(fs::read_to_string(config).unwrap(), "kept");
    assert_eq!(
        fs::read_dir(work.path.join(".git/hooks")).unwrap().count(),
        0
    );
    assert_eq!(
        fs::read_to_string(work.path.join(".git/index.old")).unwrap(),
        "changed"
    );
    assert!(!work.path.join(".git/missing").exists());
    assert!(!work.path.join("also").exists());
}

#[test]
fn no_file_gets_a_set_id_bit() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let mut plan = inside(&work.path, "cannot_make_set_id_files");
    plan.write_paths = vec![work.path.clone()];
    assert_inside(&plan);
}

#[test]
fn only_granted_paths_are_there() {
    if !ready() {
        return;
    }
    let (granted, other) = (Work::new(), Work::new());
    granted.file("seen", "");
    let canary = other.file("canary", "CANARY");
    let script = format!(
        "ls; cat {} 2>&1; ls -a /home /root /sys /var 2>&1",
        canary.display()
    );
    let mut plan = shell(&granted.path, &format!("{script}; true"));
    plan.read_paths = vec![granted.path.clone()];
    let seen = output_of(&plan);
    assert!(seen.starts_with("seen\n"), "{seen}");
    assert!(!seen.contains("CANARY"), "{seen}");
    let absent = seen.matches("No such file or directory").count();
    // the canary, /home, /root, /sys; /var holds the link /var/tmp
    assert_eq!(absent, 4, "{seen}");
}

#[test]
fn private_scratch_space_stays_private() {
    if !ready() {
        return;
    }
    let name = format!("ambit-scratch-{}", std::process::id());
    let script = format!("echo x > /tmp/{name} && echo x > /dev/shm/{name} && cat /tmp/{name}");
    assert_eq!(output_of(&shell(Path::new("/tmp"), &script)), "x\n");
    assert!(!Path::new("/tmp").join(&name).exists());
    assert!(!Path::new("/dev/shm").join(&name).exists());
    let run = "cp /bin/true /tmp/t && /tmp/t; echo $?";
    assert_eq!(output_of(&shell(Path::new("/tmp"), run)), "126\n");
}

/// Listeners outside, and how to reach them in files of `work`.
struct Listeners {
    _tcp: TcpListener,
    _abstract: UnixListener,
    _path: UnixListener,
}

fn listen(work: &Work) -> Listeners {
    let tcp = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    work.file("port", &tcp.local_addr().unwrap().port().to_string());
    let name = work.path.to_str().unwrap().to_owned();
    work.file("name", &name);
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listeners = Listeners {
        _tcp: tcp,
        _abstract: UnixListener::bind_addr(&address).unwrap(),
        _path: UnixListener::bind(work.path.join("socket")).unwrap(),
    };
    // the control
    UnixStream::connect_addr(&address).unwrap();
    UnixStream::connect(work.path.join("socket")).unwrap();
    listeners
}

#[test]
fn without_a_network_no_socket_of_the_host_is_reached() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let _listeners = listen(&work);
    let mut plan = inside(&work.path, "has_no_network");
    plan.write_paths = vec![work.path.clone()];
    assert_inside(&plan);
}

#[test]
fn with_the_network_abstract_sockets_are_still_out_of_reach() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let _listeners = listen(&work);
    let mut plan = inside(&work.path, "has_the_network_but_no_abstract_sockets");
    plan.network = Network::Full;
    plan.read_paths.push(work.path.clone());
    let abi = &run(&shell(Path::new("/usr"), "exit 0"))
        .unwrap()
        .enforcement
        .mechanisms["landlock"];
    if abi.facts["abi"].parse::<u32>().unwrap() < 6 {
        return println!("skipped: this kernel's Landlock has no scopes");
    }
    assert_inside(&plan);
}

#[test]
fn processes_of_the_host_and_of_other_runs_are_not_seen() {
    if !ready() {
        return;
    }
    let work = Work::new();
    work.file("pid", &std::process::id().to_string());
    let mut plan = inside(&work.path, "sees_only_its_own_processes");
    plan.read_paths.push(work.path.clone());
    thread::scope(|scope| {
        let sleeper =
            scope.spawn(|| output_of(&shell(Path::new("/usr"), "sleep 1; echo /proc/[0-9]*")));
        assert_inside(&plan);
        assert_eq!(sleeper.join().unwrap(), "/proc/1 /proc/2\n");
    });
}

#[test]
fn shared_memory_of_the_host_is_not_seen() {
    if !ready() {
        return;
    }
    let Ok(made) = Command::new("ipcmk").args(["-M", "4096"]).output() else {
        return println!("skipped: no ipcmk here");
    };
    let text = String::from_utf8_lossy(&made.stdout).into_owned();
    let id = text.trim().rsplit(' ').next().unwrap().to_owned();
    let script = format!("ipcrm -m {id}");
    let inside = run(&shell(Path::new("/usr"), &script)).unwrap();
    // the control, which also cleans up
    let outside = Command::new("sh").args(["-c", &script]).status().unwrap();
    assert!(outside.success());
    assert_eq!(
        inside.termination,
        ambit_sandbox::Termination::Exited { code: 1 }
    );
    let said = String::from_utf8_lossy(&inside.stderr.captured).into_owned();
    assert!(said.contains("invalid id"), "{said}");
}
