// SPDX-License-Identifier: Apache-2.0
//! Secrets: where the command finds them, and where nobody does.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use ambit_sandbox::{
    Cancel, LaunchPlan, Outcome, SandboxError, SecretPlace, Sink, Stdin, Streams, Termination,
    launch,
};

use crate::support::{Work, ready, shell};

const USR: &str = "/usr";
/// Joined at run time, so that this program's own image and arguments do not hold it.
fn value() -> String {
    ["s3cr3t", "of-the", "test"].join("-")
}

fn in_variable(name: &str, env: &str) -> SecretPlace {
    SecretPlace {
        name: name.to_owned(),
        env: Some(env.to_owned()),
        file: None,
    }
}

fn in_file(name: &str, file: impl Into<PathBuf>) -> SecretPlace {
    SecretPlace {
        name: name.to_owned(),
        env: None,
        file: Some(file.into()),
    }
}

fn with(script: &str, secrets: &[SecretPlace]) -> LaunchPlan {
    let mut plan = shell(Path::new(USR), script);
    plan.secrets = secrets.to_vec();
    plan
}

fn run(plan: &LaunchPlan, values: &[&[u8]]) -> Result<Outcome, SandboxError> {
    let streams = Streams {
        secrets: values.iter().map(|value| value.to_vec().into()).collect(),
        ..Streams::default()
    };
    launch(plan, streams, &Cancel::new().unwrap())
}

#[test]
fn are_where_the_plan_says_and_cannot_be_changed() {
    if !ready() {
        return;
    }
    let script = "printf %s \"$TOKEN\"; echo; cat /run/secrets/key; echo; cat /tmp/deep/er/key; echo; \
                  stat -c %a:%s /run/secrets/key; \
                  chmod 644 /run/secrets/key 2>/dev/null || echo no-chmod; \
                  rm -f /run/secrets/key 2>/dev/null || echo no-rm; \
                  echo x 2>/dev/null >> /run/secrets/key || echo no-write; \
                  echo x 2>/dev/null > /run/secrets/new || echo no-new";
    let secrets = [
        in_variable("a", "TOKEN"),
        in_file("b", "/run/secrets/key"),
        in_file("c", "/tmp/deep/er/key"),
    ];
    let outcome = run(&with(script, &secrets), &[b"one", b"t\0wo", b"three"]).unwrap();
    assert_eq!(
        String::from_utf8(outcome.stdout.captured).unwrap(),
        "one\nt\0wo\nthree\n400:4\nno-chmod\nno-rm\nno-write\nno-new\n"
    );
    // the control: nothing of it is on this machine, or in a run without secrets
    assert!(!Path::new("/run/secrets/key").exists() && !Path::new("/tmp/deep").exists());
    let outcome = run(&with("echo $TOKEN; cat /run/secrets/key", &[]), &[]).unwrap();
    assert_eq!(outcome.stdout.captured, b"\n");
    assert_eq!(outcome.termination, Termination::Exited { code: 1 });
}

#[test]
fn are_refused_where_they_would_touch_files_of_this_machine() {
    if !ready() {
        return;
    }
    let work = Work::new();
    let inside = work.path.join("key");
    let above = work.path.parent().unwrap().to_owned();
    let taken = [
        inside.as_path(),
        work.path.as_path(),
        above.as_path(),
        Path::new("/usr/share/key"),
        Path::new("/usr"),
        Path::new("/etc/passwd"),
        Path::new("/dev/key"),
        Path::new("/dev/shm/key"),
        Path::new("/proc/key"),
        Path::new("/"),
    ];
    for path in taken {
        let mut plan = with("true", &[in_file("a", path)]);
        plan.write_paths = vec![work.path.clone()];
        let error = run(&plan, &[b"x"]).unwrap_err();
        assert_eq!(
            error.code(),
            "ERR_SANDBOX_PATH_REFUSED",
            "{}",
            path.display()
        );
    }
    assert_eq!(fs::read_dir(&work.path).unwrap().count(), 0);
}

#[test]
fn are_refused_in_words_that_do_not_hold_them() {
    let place = || in_variable("token", "TOKEN");
    let long = vec![b'x'; 65_537];
    let table: [(Vec<SecretPlace>, Vec<&[u8]>); 6] = [
        (vec![place()], vec![]),
        (vec![], vec![b"s3cr3t"]),
        (vec![place()], vec![b"s3cr3t\0s3cr3t"]),
        (vec![place()], vec![&long]),
        (vec![in_variable("token", "A=B")], vec![b"s3cr3t"]),
        (
            vec![SecretPlace {
                name: "token".to_owned(),
                ..SecretPlace::default()
            }],
            vec![b"s3cr3t"],
        ),
    ];
    if !ready() {
        return;
    }
    for (places, values) in table {
        let error = run(&with("true", &places), &values).unwrap_err();
        assert_eq!(error.code(), "ERR_SANDBOX_PLAN_INVALID");
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
    }
    let streams = Streams {
        secrets: vec![b"s3cr3t".to_vec().into()],
        ..Streams::default()
    };
    assert!(!format!("{streams:?}").contains("s3cr3t"));
    assert!(!format!("{:?}", with("true", &[place()])).contains("s3cr3t"));
}

/// Names of the processes of this machine whose environment or arguments hold some text.
fn holders(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        for name in ["environ", "cmdline"] {
            let Ok(bytes) = fs::read(entry.path().join(name)) else {
                continue;
            };
            if bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
            {
                let command = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                found.push(format!("{} {name}", command.trim()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn are_in_no_environment_and_argument_but_that_of_the_command() {
    if !ready() {
        return;
    }
    let table = [
        (in_variable("a", "TOKEN"), vec!["sh environ"]),
        (in_file("a", "/run/key"), vec![]),
    ];
    for (place, want) in table {
        let mut plan = with(
            "echo ready; read line; test -n \"$TOKEN$(cat /run/key 2>/dev/null)\"",
            &[place],
        );
        plan.stdin = Stdin::Stream;
        let (reader, writer) = std::io::pipe().unwrap();
        let (told, hear) = channel();
        let streams = Streams {
            secrets: vec![value().into_bytes().into()],
            input: Some(reader.into()),
            stdout: Some(Sink::call(move |_| told.send(()).unwrap())),
            ..Streams::default()
        };
        let cancel = Cancel::new().unwrap();
        std::thread::scope(|scope| {
            let run = scope.spawn(|| launch(&plan, streams, &cancel).unwrap());
            hear.recv().unwrap();
            assert_eq!(holders(&value()), want);
            drop(writer);
            assert_eq!(
                run.join().unwrap().termination,
                Termination::Exited { code: 0 }
            );
        });
    }
}
