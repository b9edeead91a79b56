// SPDX-License-Identifier: Apache-2.0
//! Why this machine gives no namespaces: what its settings say, after trying has failed.

use std::collections::BTreeMap;
use std::fs;

use crate::error::SandboxError;

const USER_NAMESPACES: &str = "/proc/sys/user/max_user_namespaces";
const DEBIAN_SWITCH: &str = "/proc/sys/kernel/unprivileged_userns_clone";
const APPARMOR_SWITCH: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

/// What keeps a process from namespaces, as far as it can be seen.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Signs {
    /// `user.max_user_namespaces`.
    pub(crate) max_user_namespaces: Option<u64>,
    /// Debian's `kernel.unprivileged_userns_clone`.
    pub(crate) unprivileged_userns_clone: Option<u64>,
    /// Ubuntu's `kernel.apparmor_restrict_unprivileged_userns`.
    pub(crate) apparmor_restricts: Option<u64>,
    /// The `AppArmor` profile of this process.
    pub(crate) apparmor_profile: Option<String>,
    /// How many seccomp filters hold this process (`Seccomp_filters` of `proc_pid_status(5)`).
    pub(crate) seccomp_filters: u64,
    /// Effective capabilities (`CapEff`).
    pub(crate) capabilities: u64,
}

impl Signs {
    /// Reads them.
    pub(crate) fn read() -> Self {
        let number = |path| fs::read_to_string(path).ok()?.trim().parse().ok();
        let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim().to_owned())
        };
        let profile = fs::read_to_string("/proc/thread-self/attr/apparmor/current").ok();
        Self {
            max_user_namespaces: number(USER_NAMESPACES),
            unprivileged_userns_clone: number(DEBIAN_SWITCH),
            apparmor_restricts: number(APPARMOR_SWITCH),
            apparmor_profile: profile.map(|text| text.trim_matches(['\0', '\n']).to_owned()),
            seccomp_filters: field("Seccomp_filters:")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0),
            capabilities: field("CapEff:")
                .and_then(|text| u64::from_str_radix(&text, 16).ok())
                .unwrap_or(0),
        }
    }

    /// Names what stands in the way, the surest first.
    fn causes(&self) -> Vec<String> {
        const CAP_SYS_ADMIN: u64 = 1 << 21;
        let mut out = Vec::new();
        if self.max_user_namespaces == Some(0) {
            out.push("the sysctl user.max_user_namespaces is 0".to_owned());
        }
        if self.unprivileged_userns_clone == Some(0) {
            out.push("the sysctl kernel.unprivileged_userns_clone is 0".to_owned());
        }
        let is_admin = self.capabilities & CAP_SYS_ADMIN != 0;
        if self.apparmor_restricts == Some(1) && !is_admin {
            out.push(
                "AppArmor restricts user namespaces of unprivileged programs (the sysctl \
                 kernel.apparmor_restrict_unprivileged_userns is 1)"
                    .to_owned(),
            );
        }
        if let Some(profile) = &self.apparmor_profile
            && profile != "unconfined"
        {
            out.push(format!(
                "the AppArmor profile `{profile}` holds this process"
            ));
        }
        if self.seccomp_filters > 0 {
            out.push(format!(
                "{} seccomp filter(s) hold this process, as in a container",
                self.seccomp_filters
            ));
        }
        out
    }
}

/// Returns all settings that decide, by name.
pub(crate) fn settings() -> BTreeMap<&'static str, String> {
    let signs = Signs::read();
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let text = |path| Some(fs::read_to_string(path).ok()?.trim().to_owned());
    [
        (
            "user.max_user_namespaces",
            number(signs.max_user_namespaces),
        ),
        (
            "kernel.unprivileged_userns_clone",
            number(signs.unprivileged_userns_clone),
        ),
        (
            "kernel.apparmor_restrict_unprivileged_userns",
            number(signs.apparmor_restricts),
        ),
        ("vm.memfd_noexec", text("/proc/sys/vm/memfd_noexec")),
        ("apparmor_profile", signs.apparmor_profile),
        ("seccomp_filters", Some(signs.seccomp_filters.to_string())),
        ("security_modules", text("/sys/kernel/security/lsm")),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// Returns whether no user namespace can ever be made here.
pub(crate) fn no_user_namespaces() -> bool {
    Signs::read().max_user_namespaces == Some(0)
}

/// Returns what failed, and what is known to stand in the way.
pub(crate) fn explain(error: &SandboxError) -> String {
    with_causes(&error.to_string(), &Signs::read())
}

fn with_causes(failed: &str, signs: &Signs) -> String {
    let causes = signs.causes();
    if causes.is_empty() {
        return failed.to_owned();
    }
    format!("{failed}; {}", causes.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Signs);

    #[test]
    fn names_what_stands_in_the_way() {
        let open = Signs {
            max_user_namespaces: Some(1000),
            unprivileged_userns_clone: Some(1),
            apparmor_restricts: Some(0),
            apparmor_profile: Some("unconfined".to_owned()),
            seccomp_filters: 0,
            capabilities: 0,
        };
        let changed = |change: Change| {
            let mut signs = open.clone();
            change(&mut signs);
            with_causes("x", &signs)
        };
        let table: [(Change, &str); 7] = [
            (|_| (), ""),
            (
                |it| it.max_user_namespaces = Some(0),
                "max_user_namespaces is 0",
            ),
            (
                |it| it.unprivileged_userns_clone = Some(0),
                "unprivileged_userns_clone is 0",
            ),
            (
                |it| it.apparmor_restricts = Some(1),
                "apparmor_restrict_unprivileged_userns is 1",
            ),
            (
                |it| (it.apparmor_restricts, it.capabilities) = (Some(1), u64::MAX),
                "",
            ),
            (
                |it| it.apparmor_profile = Some("docker-default (enforce)".to_owned()),
                "`docker-default (enforce)`",
            ),
            (|it| it.seccomp_filters = 1, "1 seccomp filter(s)"),
        ];
        for (change, want) in table {
            let text = changed(change);
            assert_eq!(text == "x", want.is_empty(), "{text}");
            assert!(text.contains(want), "{text}");
        }
    }
}
