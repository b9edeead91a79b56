// SPDX-License-Identifier: Apache-2.0
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;

fn plan(cwd: &Path, read: &[&Path], write: &[&Path]) -> LaunchPlan {
    let owned = |paths: &[&Path]| paths.iter().map(|path| path.to_path_buf()).collect();
    LaunchPlan {
        executable: PathBuf::from("/usr/bin/true"),
        argv: vec!["true".to_owned()],
        cwd: cwd.to_owned(),
        read_paths: owned(read),
        write_paths: owned(write),
        timeout_ms: 1000,
        ..LaunchPlan::default()
    }
}

/// A directory with `w/sub/deep/file`, `w/other`, `link -> w`, `socket`.
fn fixture() -> (tempfile::TempDir, PathBuf) {
    let holder = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(holder.path()).unwrap();
    fs::create_dir_all(root.join("w/sub/deep")).unwrap();
    fs::write(root.join("w/sub/deep/file"), "x").unwrap();
    fs::write(root.join("w/other"), "x").unwrap();
    symlink(root.join("w"), root.join("link")).unwrap();
    UnixListener::bind(root.join("socket")).unwrap();
    (holder, root)
}

fn resolved(plan: &LaunchPlan) -> Result<Layout, SandboxError> {
    let mounts = MountTable::read()?;
    Layout::resolve(plan, &mounts, Bounds::USUAL, &Progress::unwatched())
}

type Change = fn(&mut LaunchPlan, PathBuf);

/// What a layout has at a path, in short.
fn at(layout: &Layout, path: &Path) -> String {
    match layout.places.get(path) {
        None => "nothing".to_owned(),
        Some(Place::Scratch) => "scratch".to_owned(),
        Some(Place::Link(target)) => format!("link {}", target.display()),
        Some(Place::Hidden(_)) => "hidden".to_owned(),
        Some(Place::Mount(tree)) => format!("{:?}", tree.grant),
    }
}

#[test]
fn refuses_paths_that_cannot_be_granted() {
    let (_holder, root) = fixture();
    let table = [
        (root.join("missing"), "ERR_SANDBOX_PATH_MISSING"),
        (
            root.join("w/other/below-a-file"),
            "ERR_SANDBOX_PATH_MISSING",
        ),
        (root.join("link"), "ERR_SANDBOX_PATH_SYMLINK"),
        (root.join("link/sub"), "ERR_SANDBOX_PATH_SYMLINK"),
        (root.join("socket"), "ERR_SANDBOX_PATH_REFUSED"),
        (PathBuf::from("/"), "ERR_SANDBOX_PATH_REFUSED"),
        (PathBuf::from("/proc"), "ERR_SANDBOX_PATH_REFUSED"),
        (PathBuf::from("/proc/self"), "ERR_SANDBOX_PATH_REFUSED"),
        (PathBuf::from("/sys/kernel"), "ERR_SANDBOX_PATH_REFUSED"),
        (PathBuf::from("/dev/kmsg"), "ERR_SANDBOX_PATH_REFUSED"),
    ];
    for (path, want) in table {
        for plan in [
            plan(Path::new("/usr"), &[&path], &[]),
            plan(Path::new("/usr"), &[], &[&path]),
        ] {
            let code = resolved(&plan).map(|_| ()).unwrap_err().code();
            assert_eq!(code, want, "{}", path.display());
        }
    }
}

#[test]
fn mounts_what_is_granted_and_the_widest_right_wins() {
    let (_holder, root) = fixture();
    let (work, sub) = (root.join("w"), root.join("w/sub"));
    let nested = resolved(&plan(&work, &[&work], &[&sub])).unwrap();
    assert_eq!(
        (at(&nested, &work), at(&nested, &sub)),
        ("Read".to_owned(), "Write".to_owned())
    );
    let covered = resolved(&plan(&work, &[&sub], &[&work])).unwrap();
    assert_eq!(
        (at(&covered, &work), at(&covered, &sub)),
        ("Write".to_owned(), "nothing".to_owned())
    );
    let both = resolved(&plan(&work, &[&work], &[&work])).unwrap();
    assert_eq!(at(&both, &work), "Write");
    assert_eq!(at(&both, Path::new("/tmp")), "scratch");
    assert_eq!(at(&both, Path::new("/dev/null")), "Device");
}

#[test]
fn refuses_a_covered_read_path_that_does_not_exist() {
    let (_holder, root) = fixture();
    let plan = plan(&root, &[&root.join("w/missing")], &[&root.join("w")]);
    assert_eq!(
        resolved(&plan).unwrap_err().code(),
        "ERR_SANDBOX_PATH_MISSING"
    );
}

#[test]
fn a_granted_etc_shows_itself_without_its_credentials() {
    let layout = resolved(&plan(Path::new("/etc"), &[Path::new("/etc")], &[])).unwrap();
    assert_eq!(at(&layout, Path::new("/etc")), "Read");
    assert_eq!(at(&layout, Path::new("/etc/ssl/certs")), "nothing");
    assert_eq!(at(&layout, Path::new("/etc/shadow")), "hidden");
    let shadow = Path::new("/etc/shadow");
    let named = resolved(&plan(Path::new("/usr"), &[shadow], &[])).unwrap();
    assert_eq!(at(&named, shadow), "Read");
}

#[test]
fn hides_what_is_there_and_pins_the_way_to_it() {
    let (_holder, root) = fixture();
    let work = root.join("w");
    let mut plan = plan(&work, &[], &[&work]);
    plan.hidden_paths = vec![
        root.join("link/sub/deep/file"),
        root.join("w/missing"),
        root.join("outside"),
    ];
    let layout = resolved(&plan).unwrap();
    let seen = [
        "w",
        "w/sub",
        "w/sub/deep",
        "w/sub/deep/file",
        "w/other",
        "w/missing",
    ]
    .map(|name| at(&layout, &root.join(name)));
    assert_eq!(
        seen,
        ["Write", "Write", "Write", "hidden", "nothing", "nothing"]
    );
}

#[test]
fn hides_the_outermost_of_nested_hidden_paths() {
    let (_holder, root) = fixture();
    let work = root.join("w");
    let mut plan = plan(&work, &[&work], &[]);
    plan.hidden_paths = vec![root.join("w/sub/deep"), root.join("w/sub")];
    let layout = resolved(&plan).unwrap();
    let seen = ["w", "w/sub", "w/sub/deep"].map(|name| at(&layout, &root.join(name)));
    assert_eq!(seen, ["Read", "hidden", "nothing"]);
}

#[test]
fn hiding_a_base_directory_takes_it_away() {
    let mut plan = plan(Path::new("/tmp"), &[], &[]);
    plan.hidden_paths = vec![
        PathBuf::from("/etc"),
        PathBuf::from("/tmp"),
        PathBuf::from("/dev"),
    ];
    let layout = resolved(&plan).unwrap();
    assert!(!layout.places.keys().any(|path| path.starts_with("/etc")));
    assert_eq!(at(&layout, Path::new("/tmp")), "scratch");
    assert_eq!(at(&layout, Path::new("/dev/null")), "Device");
}

#[test]
fn keeps_read_only_what_is_there_and_pins_the_way_to_it() {
    let (_holder, root) = fixture();
    let work = root.join("w");
    let mut plan = plan(&work, &[Path::new("/usr/share")], &[&work]);
    plan.read_only_paths = vec![
        root.join("w/sub/deep"),
        root.join("w/missing"),
        root.join("outside"),
        PathBuf::from("/usr/share/doc"),
    ];
    let layout = resolved(&plan).unwrap();
    let seen = ["w", "w/sub", "w/sub/deep", "w/missing"].map(|name| at(&layout, &root.join(name)));
    assert_eq!(seen, ["Write", "Write", "Read", "nothing"]);
    assert_eq!(at(&layout, Path::new("/usr/share/doc")), "nothing");
}

#[test]
fn refuses_exceptions_that_contradict_a_grant() {
    let (_holder, root) = fixture();
    let (work, sub) = (root.join("w"), root.join("w/sub"));
    let hidden: Change = |plan, path| plan.hidden_paths.push(path);
    let read_only: Change = |plan, path| plan.read_only_paths.push(path);
    let table = [
        (hidden, work.clone(), "ERR_SANDBOX_PATH_REFUSED"),
        (hidden, sub.clone(), "ERR_SANDBOX_PATH_REFUSED"),
        (hidden, root.clone(), "ERR_SANDBOX_PATH_REFUSED"),
        (read_only, work.clone(), "ERR_SANDBOX_PATH_REFUSED"),
        (read_only, sub.clone(), "ERR_SANDBOX_PATH_REFUSED"),
        (read_only, root.clone(), "ERR_SANDBOX_PATH_REFUSED"),
        (read_only, work.join("way/to"), "ERR_SANDBOX_PATH_SYMLINK"),
    ];
    symlink(root.join("w/sub"), root.join("w/way")).unwrap();
    for (change, path, want) in table {
        let mut plan = plan(&work, &[], &[&work, &sub]);
        change(&mut plan, path.clone());
        assert_eq!(
            resolved(&plan).unwrap_err().code(),
            want,
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_working_directory_lies_in_a_granted_path_and_is_not_hidden() {
    let (_holder, root) = fixture();
    let work = root.join("w");
    let table = [
        (work.clone(), true),
        (work.join("sub"), true),
        (PathBuf::from("/usr"), true),
        (PathBuf::from("/tmp"), true),
        (root.clone(), false),
        (PathBuf::from("/var"), false),
        (work.join("sub/deep"), false),
    ];
    for (cwd, want) in table {
        let mut plan = plan(&cwd, &[&work], &[]);
        plan.hidden_paths = vec![root.join("w/sub/deep")];
        let code = resolved(&plan).map_err(|error| error.code()).map(|_| ());
        let want = if want {
            Ok(())
        } else {
            Err("ERR_SANDBOX_PATH_REFUSED")
        };
        assert_eq!(code, want, "{}", cwd.display());
    }
}

#[test]
fn a_resolver_file_that_is_a_link_leads_to_the_real_file_inside() {
    let (_holder, root) = fixture();
    let mut places = Places::new();
    add_resolver(&mut places, &root.join("link/other")).unwrap();
    add_resolver(&mut places, &root.join("w/sub/deep/file")).unwrap();
    add_resolver(&mut places, &root.join("missing")).unwrap();
    let layout = Layout {
        places,
        whole_proc: None,
        protected: Protected::default(),
        made: Made::default(),
    };
    let real = root.join("w/other");
    assert_eq!(
        at(&layout, &root.join("link/other")),
        format!("link {}", real.display())
    );
    assert_eq!(at(&layout, &real), "Read");
    assert_eq!(at(&layout, &root.join("w/sub/deep/file")), "Read");
    assert_eq!(layout.places.len(), 3);
}

#[test]
fn a_missing_path_is_an_error_left_out_or_made() {
    let (_holder, root) = fixture();
    let new = root.join("new/deep");
    let asked = |missing, read: &[&Path], write: &[&Path]| LaunchPlan {
        on_missing_path: missing,
        ..plan(Path::new("/usr"), read, write)
    };
    let code = |plan: &LaunchPlan| resolved(plan).map(|_| ()).unwrap_err().code();
    let missing = "ERR_SANDBOX_PATH_MISSING";
    assert_eq!(code(&asked(OnMissingPath::Error, &[], &[&new])), missing);
    assert_eq!(code(&asked(OnMissingPath::Create, &[&new], &[])), missing);
    let layout = resolved(&asked(OnMissingPath::Skip, &[&new], &[&new])).unwrap();
    assert_eq!(at(&layout, &new), "nothing");
    // nothing started: what was made goes again
    let create = asked(OnMissingPath::Create, &[], &[&new]);
    let layout = resolved(&create).unwrap();
    assert_eq!(at(&layout, &new), "Write");
    assert!(new.is_dir());
    drop(layout);
    assert!(!root.join("new").exists());
    // a failure after it was made is no different; what somebody put there stays
    let refused = LaunchPlan {
        cwd: root.join("nowhere"),
        ..create.clone()
    };
    assert_eq!(code(&refused), "ERR_SANDBOX_PATH_REFUSED");
    assert!(!root.join("new").exists());
    let layout = resolved(&create).unwrap();
    fs::write(new.join("theirs"), "").unwrap();
    drop(layout);
    assert!(new.join("theirs").exists());
    fs::remove_dir_all(root.join("new")).unwrap();
    let layout = resolved(&create).unwrap();
    layout.made.keep();
    drop(layout);
    assert!(new.is_dir());
    // no link is followed on the way, and nothing is made of what is protected or refused
    let odd = [
        (root.join("link/x"), "ERR_SANDBOX_PATH_SYMLINK"),
        (root.join("w/other/x"), missing),
        (root.join(".git/hooks"), "ERR_SANDBOX_PATH_REFUSED"),
        (PathBuf::from("/proc/x"), "ERR_SANDBOX_PATH_REFUSED"),
    ];
    for (path, want) in odd {
        let found = code(&asked(OnMissingPath::Create, &[], &[&path]));
        assert_eq!(found, want, "{}", path.display());
        assert!(!path.exists());
    }
}

#[test]
fn standard_input_is_no_hidden_file() {
    let (_holder, root) = fixture();
    fs::write(root.join("w/.env"), "CANARY").unwrap();
    let asked = LaunchPlan {
        stdin: Stdin::File {
            path: root.join("w/.env"),
        },
        ..plan(&root.join("w"), &[&root.join("w")], &[])
    };
    let found = resolved(&asked).map(|_| ()).unwrap_err();
    assert_eq!(found.code(), "ERR_SANDBOX_PATH_REFUSED");
}

/// What is pinned for a hidden file must not stay writable where the tree around it is not.
#[test]
fn nothing_beneath_a_read_only_path_can_be_written() {
    let (_holder, root) = fixture();
    let asked = LaunchPlan {
        hidden_paths: vec![root.join("w/sub/deep/file")],
        read_only_paths: vec![root.join("w/sub")],
        ..plan(&root.join("w"), &[], &[&root.join("w")])
    };
    let layout = resolved(&asked).unwrap();
    let found =
        ["w", "w/sub", "w/sub/deep", "w/sub/deep/file"].map(|it| at(&layout, &root.join(it)));
    assert_eq!(found, ["Write", "Read", "Read", "hidden"]);
}
