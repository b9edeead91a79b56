// SPDX-License-Identifier: Apache-2.0
//! Finding a place for groups of our own, by trying.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::unistd::{AccessFlags, Uid, access};

use super::mounts::{Seat, Seats};
use crate::sys;

/// Which form of control groups holds a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// Directories in which the groups of runs are made; of version 2 they are one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Ground {
    pub(super) version: Version,
    pub(super) memory: PathBuf,
    pub(super) pids: PathBuf,
}

/// How the directories of a process are named: its number follows, and a count.
const PREFIX: &str = "ambit-";

/// Makes directories for this process, of version 2 if that can be.
///
/// # Errors
/// Why neither version can be used, in words.
pub(super) fn settle(seats: &Seats) -> Result<Ground, String> {
    let second = match &seats.unified {
        None => Err("not mounted where this process is in it".to_owned()),
        Some(seat) => settle_unified(seat),
    };
    let second = match second {
        Ok(ground) => return Ok(ground),
        Err(reason) => reason,
    };
    let first = match (&seats.memory, &seats.pids) {
        (Some(memory), Some(pids)) => settle_split(memory, pids),
        (None, _) => Err("no memory controller is mounted".to_owned()),
        (_, None) => Err("no pids controller is mounted".to_owned()),
    };
    first.map_err(|first| format!("cgroup v2: {second}; cgroup v1: {first}"))
}

const CONTROLLERS: [&str; 2] = ["memory", "pids"];
const ENABLE: &str = "+memory +pids";

/// The nearest group at or above our own that we may divide. A group that has processes cannot give
/// its controllers on (but for the root), so it is mostly the parent of ours.
fn settle_unified(seat: &Seat) -> Result<Ground, String> {
    let mut why = None;
    for above in seat.own.ancestors() {
        match divide(above, above == seat.own) {
            Ok(pool) => {
                return Ok(Ground {
                    version: Version::V2,
                    memory: pool.clone(),
                    pids: pool,
                });
            }
            // the reason nearest to us is the one that can be mended
            Err(reason) => why = why.or(Some(reason)),
        }
        if above == seat.mount {
            break;
        }
    }
    Err(why.unwrap_or_else(|| "nothing to divide".to_owned()))
}

fn divide(group: &Path, is_own: bool) -> Result<PathBuf, String> {
    let listed = |name: &str| {
        fs::read_to_string(group.join(name))
            .map_err(|error| format!("cannot read `{name}`: {error}"))
            .map(|text| {
                text.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
    };
    let there = listed("cgroup.controllers")?;
    if let Some(missing) = CONTROLLERS
        .iter()
        .find(|it| !there.iter().any(|one| one == *it))
    {
        return Err(format!("the {missing} controller is not available"));
    }
    require_delegated(group)?;
    let given = listed("cgroup.subtree_control")?;
    if !CONTROLLERS
        .iter()
        .all(|it| given.iter().any(|one| one == it))
    {
        give_on(group, is_own)?;
    }
    let pool = make_own(group)?;
    match enable(&pool) {
        Ok(()) => Ok(pool),
        Err(error) => {
            let _left = fs::remove_dir(&pool);
            Err(format!("cannot enable controllers: {error}"))
        }
    }
}

fn enable(group: &Path) -> io::Result<()> {
    write(&group.join("cgroup.subtree_control"), ENABLE)
}

/// Lets the groups below have the controllers. In our own group, if nobody else is in it, we make
/// room by moving into a group below: so delegation is meant (systemd's `Delegate=`).
fn give_on(group: &Path, is_own: bool) -> Result<(), String> {
    let refused = |error: io::Error| format!("cannot enable controllers: {error}");
    match enable(group) {
        Ok(()) => return Ok(()),
        Err(error) if !is_own || error.raw_os_error() != Some(libc::EBUSY) => {
            return Err(refused(error));
        }
        Err(_) => {}
    }
    let us = std::process::id().to_string();
    let there = fs::read_to_string(group.join("cgroup.procs")).map_err(refused)?;
    if there.trim() != us {
        return Err("the group has other processes, so it cannot be divided".to_owned());
    }
    let aside = group.join(format!("{PREFIX}{us}-self"));
    fs::create_dir(&aside)
        .and_then(|()| write(&aside.join("cgroup.procs"), &us))
        .and_then(|()| enable(group))
        .map_err(refused)
}

/// Of version 1 every group can be divided, and each controller has a hierarchy of its own.
fn settle_split(memory: &Seat, pids: &Seat) -> Result<Ground, String> {
    require_delegated(&memory.own)?;
    require_delegated(&pids.own)?;
    let first = make_own(&memory.own)?;
    match make_own(&pids.own) {
        Ok(second) => Ok(Ground {
            version: Version::V1,
            memory: first,
            pids: second,
        }),
        Err(reason) => {
            let _left = fs::remove_dir(&first);
            Err(reason)
        }
    }
}

/// Only what was given to us is divided: one writer for each group is the rule. A group that we own
/// was; as root, who may write all, it was if its manager says so, or if there is none.
fn require_delegated(group: &Path) -> Result<(), String> {
    let owner = fs::metadata(group)
        .map_err(|error| format!("cannot look at the group: {error}"))?
        .uid();
    let us = Uid::effective();
    let writable = access(&group.join("cgroup.procs"), AccessFlags::W_OK).is_ok();
    if owner != us.as_raw() || !writable {
        return Err("not delegated to this user".to_owned());
    }
    let managed = us.is_root() && Path::new("/run/systemd/system").exists();
    let marks = [c"trusted.delegate", c"user.delegate"];
    if managed && !marks.iter().any(|name| sys::has_attribute(group, name)) {
        return Err("not delegated by systemd (`Delegate=yes`)".to_owned());
    }
    Ok(())
}

/// Makes a directory for this process, and removes those of processes that are gone.
fn make_own(group: &Path) -> Result<PathBuf, String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    sweep(group);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let own = group.join(format!("{PREFIX}{}-{count}", std::process::id()));
    match fs::create_dir(&own) {
        Ok(()) => Ok(own),
        Err(error) => Err(format!("cannot make a group: {error}")),
    }
}

/// What a process that was killed left behind. The kernel removes no group that has processes; one
/// that another needs by then is made again.
fn sweep(group: &Path) {
    let Ok(entries) = fs::read_dir(group) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .and_then(|rest| rest.split_once('-'));
        let Some((owner, _)) = owner else { continue };
        let gone = owner.parse::<u32>().is_ok() && !Path::new("/proc").join(owner).exists();
        if gone {
            remove_all(&entry.path());
        }
    }
}

/// Removes a group and those below it, as far as they have no processes.
pub(super) fn remove_all(group: &Path) {
    let below = fs::read_dir(group).into_iter().flatten().flatten();
    for entry in below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let _busy = fs::remove_dir(entry.path());
    }
    let _busy = fs::remove_dir(group);
}

/// Writes one value to a file that exists, in one call.
pub(super) fn write(path: &Path, value: &str) -> io::Result<()> {
    use std::io::Write;
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    file.write_all(value.as_bytes())
}
