// SPDX-License-Identifier: Apache-2.0
//! Where this process stands in the hierarchies of control groups, from what `/proc` says.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// A hierarchy that is mounted, and our own group in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Seat {
    /// Where the hierarchy, or the part of it that we see, is mounted.
    pub(super) mount: PathBuf,
    /// The directory of our own group.
    pub(super) own: PathBuf,
}

/// Our seats, where there are any.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Seats {
    /// `cgroups(7)`, version 2.
    pub(super) unified: Option<Seat>,
    /// Of version 1: the one with the memory controller.
    pub(super) memory: Option<Seat>,
    /// Of version 1: the one with the controller of processes.
    pub(super) pids: Option<Seat>,
}

/// Reads `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`) and `/proc/self/cgroup` (`cgroups(7)`).
pub(super) fn seats(mountinfo: &str, cgroups: &str) -> Seats {
    let mut seats = Seats::default();
    for mount in mountinfo.lines().filter_map(Mount::parse) {
        let seat = |controller: Option<&str>| mount.seat(path_of(cgroups, controller)?);
        let has = |controller: &str| mount.options.split(',').any(|it| it == controller);
        match mount.kind {
            "cgroup2" => seats.unified = seats.unified.or_else(|| seat(None)),
            "cgroup" if has("memory") => {
                seats.memory = seats.memory.or_else(|| seat(Some("memory")));
            }
            "cgroup" if has("pids") => seats.pids = seats.pids.or_else(|| seat(Some("pids"))),
            _ => {}
        }
    }
    seats
}

/// Returns the path of our group in the hierarchy of a controller, or in that of version 2.
fn path_of<'a>(cgroups: &'a str, controller: Option<&str>) -> Option<&'a str> {
    cgroups.lines().find_map(|line| {
        let (number, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let found = match controller {
            None => number == "0" && controllers.is_empty(),
            Some(name) => controllers.split(',').any(|it| it == name),
        };
        found.then_some(path)
    })
}

struct Mount<'a> {
    root: PathBuf,
    at: PathBuf,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (root, at) = (before.next()?, before.next()?);
        let mut after = after.split(' ');
        let (kind, _source, options) = (after.next()?, after.next()?, after.next()?);
        Some(Self {
            root: unescaped(root),
            at: unescaped(at),
            kind,
            options,
        })
    }

    /// A group that lies outside of the part that is mounted cannot be reached by a path.
    fn seat(&self, path: &str) -> Option<Seat> {
        let path = Path::new(path);
        if path.components().any(|part| part == Component::ParentDir) {
            return None;
        }
        let below = path.strip_prefix(&self.root).ok()?;
        Some(Seat {
            mount: self.at.clone(),
            own: self.at.components().chain(below.components()).collect(),
        })
    }
}

/// Undoes the octal escapes of a path in `mountinfo`.
fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail.get(..3).filter(|_| first == b'\\');
        let byte =
            octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(byte.unwrap_or(first));
        rest = match byte {
            Some(_) => tail.get(3..).unwrap_or_default(),
            None => tail,
        };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as the fields are")]
    fn seat(mount: &str, own: &str) -> Option<Seat> {
        Some(Seat {
            mount: mount.into(),
            own: own.into(),
        })
    }

    #[test]
    fn finds_our_group_in_every_kind_of_machine() {
        let unified = "24 1 0:21 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
        let hybrid = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
            35 31 0:32 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n\
            39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let odd = r"1 0 0:1 /docker/a\040b /my\040groups\134x rw - cgroup2 cgroup2 rw";
        let part = "1 0 0:1 /docker/a /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
        let table = [
            (
                unified,
                "0::/user.slice/a.scope\n",
                Seats {
                    unified: seat("/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/a.scope"),
                    ..Seats::default()
                },
            ),
            (
                hybrid,
                "8:pids:/\n4:memory:/x/y\n2:cpu,cpuacct:/\n0::/\n",
                Seats {
                    unified: seat("/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified"),
                    memory: seat("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/x/y"),
                    pids: seat("/sys/fs/cgroup/pids", "/sys/fs/cgroup/pids"),
                },
            ),
            (
                odd,
                "0::/docker/a b/c",
                Seats {
                    unified: seat(r"/my groups\x", r"/my groups\x/c"),
                    ..Seats::default()
                },
            ),
            // our group is not in the part that is mounted
            (part, "4:memory:/docker/b", Seats::default()),
            (unified, "0::/../elsewhere", Seats::default()),
            (unified, "4:memory:/", Seats::default()),
            ("", "0::/", Seats::default()),
            ("no such line\n - \n", "::\n", Seats::default()),
        ];
        for (mountinfo, cgroups, want) in table {
            assert_eq!(seats(mountinfo, cgroups), want, "{mountinfo}{cgroups}");
        }
    }
}
