// SPDX-License-Identifier: Apache-2.0
//! From what a command does to a verdict.

use crate::finding::Severity;
use crate::net::{AllowList, Host, Place, Target};
use crate::shell::{Act, Command, Flow, Origin, Program, Way, Word, has_secret, is_encoded};

/// Secrets, and much at once.
const SECRETS: Flow = Flow::SECRET
    .with(Flow::ENVIRONMENT)
    .with(Flow::BULK)
    .with(Flow::TOKEN);
/// What tells of this machine besides.
const PRIVATE: Flow = SECRETS.with(Flow::IDENTITY);

/// Services where anybody may take what was sent there.
const DROP_ZONES: [&str; 40] = [
    "transfer.sh",
    "ix.io",
    "0x0.st",
    "paste.rs",
    "termbin.com",
    "pastebin.com",
    "webhook.site",
    "requestbin.com",
    "requestbin.net",
    "pipedream.net",
    "ngrok.io",
    "ngrok.app",
    "ngrok-free.app",
    "trycloudflare.com",
    "burpcollaborator.net",
    "oastify.com",
    "interact.sh",
    "oast.fun",
    "oast.pro",
    "oast.live",
    "oast.me",
    "oast.site",
    "api.telegram.org",
    "discord.com",
    "discordapp.com",
    "file.io",
    "bashupload.com",
    "temp.sh",
    "catbox.moe",
    "hastebin.com",
    "dpaste.com",
    "dpaste.org",
    "sprunge.us",
    "clbin.com",
    "requestcatcher.com",
    "beeceptor.com",
    "gofile.io",
    "anonfiles.com",
    "loca.lt",
    "serveo.net",
];

/// Schemes that reach files, or speak to other services than a web server.
const WRONG_SCHEMES: [&str; 14] = [
    "file",
    "gopher",
    "dict",
    "ldap",
    "ldaps",
    "tftp",
    "jar",
    "netdoc",
    "php",
    "expect",
    "phar",
    "telnet",
    "smb",
    "view-source",
];

pub(super) type Found = (Severity, &'static str, String, Origin);

/// What is judged against.
#[derive(Debug)]
pub(super) struct Judge<'p> {
    pub(super) allowed: &'p AllowList,
    pub(super) strict: bool,
    pub(super) program: &'p Program,
}

/// What is known of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Loopback,
    Metadata,
    Listed,
    Unlisted,
    /// Its host cannot be told at all.
    Unknown,
    /// It has no host.
    Nowhere,
}

/// All that goes along with a connection.
struct Sending<'a> {
    way: Way,
    data: Flow,
    name: Flow,
    header: Flow,
    text: &'a str,
    head: &'a str,
}

impl Judge<'_> {
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    pub(super) fn act(&self, act: &Act, command: &Command) -> Option<Found> {
        let deny = |code: &'static str, message: String, origin: Origin| {
            Some((Severity::Deny, code, message, origin))
        };
        match act {
            Act::Connect {
                way,
                target,
                data,
                name,
                header,
                text,
                head,
                origin,
            } => {
                let target = self.program.targets.get(*target)?;
                let sending = Sending {
                    way: *way,
                    data: *data,
                    name: *name,
                    header: *header,
                    text,
                    head,
                };
                let (severity, code, message) = self.connection(target, &sending, command)?;
                Some((severity, code, message, *origin))
            }
            Act::Upload {
                service,
                data,
                text,
                origin,
            } => {
                if data.meets(SECRETS) || has_secret(text) {
                    return deny(
                        "EGRESS_UPLOAD",
                        format!("secrets or much at once are sent to {service}"),
                        *origin,
                    );
                }
                let message = format!("something is sent to {service}");
                Some((self.unless_strict(), "EGRESS_SERVICE", message, *origin))
            }
            Act::Execute { flow, origin } => self.execution(*flow, *origin),
            Act::Persist { flow, origin } => {
                let remote = flow
                    .meets(Flow::NETWORK.with(Flow::DECODED))
                    .then(|| self.execution(*flow, *origin))?;
                remote.map(|(severity, _, message, origin)| {
                    (severity, "EGRESS_PERSISTENCE", message, origin)
                })
            }
            Act::Dynamic { origin } => Some((
                Severity::Warn,
                "COMMAND_DYNAMIC",
                "which program runs cannot be told".to_owned(),
                *origin,
            )),
            Act::Opens { what, deny, origin } => {
                let severity = if *deny {
                    Severity::Deny
                } else {
                    self.unless_strict()
                };
                Some((severity, "EGRESS_OPENS", (*what).to_owned(), *origin))
            }
        }
    }

    const fn unless_strict(&self) -> Severity {
        if self.strict {
            Severity::Deny
        } else {
            Severity::Warn
        }
    }

    fn standing(&self, target: &Target) -> Standing {
        let hosts: Vec<&Host> = target.hosts().collect();
        let places: Vec<Place> = hosts.iter().map(|host| host.place()).collect();
        if hosts.is_empty() {
            return Standing::Nowhere;
        }
        if places.contains(&Place::Metadata) {
            return Standing::Metadata;
        }
        if places.iter().all(|place| *place == Place::Loopback) {
            return Standing::Loopback;
        }
        let ok = |host: &&Host| {
            host.place() == Place::Loopback || self.allowed.allows(host, port_of(target))
        };
        if hosts.iter().all(ok) {
            return Standing::Listed;
        }
        // `x.$PART` is not known, `$PART.evil.example` is another's.
        let unknown = |host: &&Host| match host {
            Host::Unknown(known) => {
                known
                    .rsplit(Word::HOLE)
                    .next()
                    .is_none_or(|end| !end.trim_start_matches('.').contains('.'))
                    && known.contains(Word::HOLE)
            }
            Host::Name(_) | Host::Address(_) => false,
        };
        if hosts.iter().all(unknown) {
            Standing::Unknown
        } else {
            Standing::Unlisted
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn connection(
        &self,
        target: &Target,
        sending: &Sending<'_>,
        command: &Command,
    ) -> Option<(Severity, &'static str, String)> {
        let deny = |code: &'static str, message: String| Some((Severity::Deny, code, message));
        if WRONG_SCHEMES.contains(&target.scheme.as_str())
            && matches!(sending.way, Way::Get | Way::Send | Way::Raw)
        {
            return deny(
                "EGRESS_SCHEME",
                format!("{}: reaches what a fetch should not", target.scheme),
            );
        }
        let standing = self.standing(target);
        let shown = target
            .hosts()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" or ");
        match standing {
            Standing::Metadata => {
                return deny(
                    "EGRESS_METADATA",
                    format!("{shown} gives out a cloud's credentials"),
                );
            }
            Standing::Loopback | Standing::Nowhere => return None,
            Standing::Listed | Standing::Unlisted | Standing::Unknown => {}
        }
        // `https://github.com@evil.example/`
        if standing == Standing::Unlisted
            && target.user.contains('.')
            && self.allowed.allows(&Host::read(&target.user), None)
        {
            return deny(
                "EGRESS_HOST_CONFUSION",
                format!("{shown} passes for {}", target.user),
            );
        }
        if let Some(message) = self.leak(target, sending, standing) {
            return deny(message.0, format!("{} {shown}", message.1));
        }
        let listed = standing == Standing::Listed;
        let host = if standing == Standing::Unknown {
            ("EGRESS_UNKNOWN_HOST", "a host that cannot be told")
        } else {
            ("EGRESS_UNLISTED_HOST", shown.as_str())
        };
        match sending.way {
            Way::Raw => deny("EGRESS_RAW_SOCKET", format!("a raw connection to {shown}")),
            Way::Probe if command.elsewhere => deny(
                "EGRESS_RAW_SOCKET",
                format!("a raw connection to {shown} from another machine"),
            ),
            Way::Tunnel if !listed => deny("EGRESS_TUNNEL", format!("a tunnel to {shown}")),
            Way::Copy if !listed => deny("EGRESS_UPLOAD", format!("files are copied to {shown}")),
            Way::Push if standing == Standing::Unlisted => {
                deny("EGRESS_PUSH", format!("commits are pushed to {shown}"))
            }
            Way::Publish => Some((
                self.unless_strict(),
                "EGRESS_PUBLISH",
                format!("something is published on {shown}"),
            )),
            Way::Tunnel => Some((
                Severity::Warn,
                "EGRESS_TUNNEL",
                format!("a tunnel to {shown}"),
            )),
            _ if listed => None,
            Way::Get
            | Way::Send
            | Way::Copy
            | Way::Push
            | Way::Probe
            | Way::Remote
            | Way::Lookup
            | Way::Install
            | Way::Proxy
            | Way::Mention => Some((self.unless_strict(), host.0, format!("talks to {}", host.1))),
        }
    }

    /// Whether something goes along that should not.
    #[expect(clippy::unused_self, reason = "a method like those beside it")]
    #[expect(
        clippy::too_many_lines,
        reason = "one table or one walk, which reads better whole"
    )]
    fn leak(
        &self,
        target: &Target,
        sending: &Sending<'_>,
        standing: Standing,
    ) -> Option<(&'static str, &'static str)> {
        let Sending {
            way,
            data,
            name,
            header,
            text,
            head,
        } = *sending;
        let listed = standing == Standing::Listed;
        let in_query = target
            .rest
            .find('?')
            .is_some_and(|query| target.rest.find(Word::HOLE).is_none_or(|hole| hole > query));
        // All of the host out of a file: that is a list of hosts, and no leak.
        let whole = matches!(&target.host, Some(Host::Unknown(known)) if known.trim_matches(Word::HOLE).is_empty())
            && !name.meets(SECRETS);
        if way == Way::Lookup {
            let leaves = data.with(name).meets(PRIVATE.with(Flow::FILE)) && !whole;
            let label = target.hosts().any(encoded_label);
            return (!listed && (leaves || label)).then_some((
                "EGRESS_LOOKUP",
                "data leaves in a name that is looked up at",
            ));
        }
        if listed {
            let body = matches!(way, Way::Send | Way::Copy | Way::Mention) && data.meets(SECRETS);
            let written = way == Way::Send && has_secret(text);
            let named = name.meets(Flow::SECRET.with(Flow::ENVIRONMENT).with(Flow::BULK))
                && matches!(way, Way::Get | Way::Send);
            return (body || written || named)
                .then_some(("EGRESS_UPLOAD", "secrets or much at once are sent to"));
        }
        if name.meets(PRIVATE) && !whole || header.meets(PRIVATE) {
            return Some((
                "EGRESS_EXFILTRATION",
                "secrets leave in a URL or a header to",
            ));
        }
        let file_in_query =
            name.meets(Flow::FILE) && in_query && !whole || header.meets(Flow::FILE);
        if file_in_query || target.hosts().any(|host| matches!(host, Host::Unknown(known) if !whole && name.meets(Flow::FILE) && known.contains('.'))) {
            return Some(("EGRESS_EXFILTRATION", "a file leaves in a URL or a header to"));
        }
        let sends = matches!(
            way,
            Way::Send | Way::Copy | Way::Proxy | Way::Mention | Way::Remote | Way::Publish
        );
        if sends
            && data.meets(PRIVATE.with(if way == Way::Mention {
                Flow::NONE
            } else {
                Flow::FILE
            }))
        {
            return Some((
                "EGRESS_UPLOAD",
                "files, secrets or the environment are sent to",
            ));
        }
        let drops = way == Way::Send && target.hosts().any(is_drop_zone);
        if drops && !data.is_empty() {
            return Some(("EGRESS_UPLOAD", "data is sent to an open drop"));
        }
        if has_secret(text) || has_secret(head) || has_secret(&target.rest) {
            return Some(("EGRESS_SECRET", "a secret stands in what is sent to"));
        }
        let query = target.rest.split_once('?').map_or("", |(_, query)| query);
        let encoded = query.split(['&', '=', '#', '?', ';']).any(is_encoded)
            || target.hosts().any(encoded_label);
        (encoded && standing == Standing::Unlisted && matches!(way, Way::Get | Way::Send))
            .then_some(("EGRESS_EXFILTRATION", "encoded data leaves in a URL to"))
    }

    fn execution(&self, flow: Flow, origin: Origin) -> Option<Found> {
        if flow.meets(Flow::DECODED) {
            return Some((
                Severity::Deny,
                "EGRESS_EXECUTE_DECODED",
                "decoded text is run".to_owned(),
                origin,
            ));
        }
        if !flow.meets(Flow::NETWORK) {
            return Some((
                Severity::Warn,
                "CODE_DYNAMIC",
                "which code runs cannot be told".to_owned(),
                origin,
            ));
        }
        let Some(targets) = flow.targets() else {
            return Some((
                Severity::Deny,
                "EGRESS_EXECUTE_REMOTE",
                "code from the network is run".to_owned(),
                origin,
            ));
        };
        let mut worst: Option<Found> = None;
        for target in targets.filter_map(|place| self.program.targets.get(place)) {
            let shown = target
                .hosts()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" or ");
            let severity = match self.standing(target) {
                Standing::Loopback | Standing::Nowhere => continue,
                Standing::Listed => Severity::Warn,
                Standing::Unknown => self.unless_strict(),
                Standing::Unlisted | Standing::Metadata => Severity::Deny,
            };
            if worst.as_ref().is_none_or(|(known, ..)| *known < severity) {
                worst = Some((
                    severity,
                    "EGRESS_EXECUTE_REMOTE",
                    format!("code from {shown} is run"),
                    origin,
                ));
            }
        }
        worst
    }
}

fn port_of(target: &Target) -> Option<u16> {
    target.port.or(match target.scheme.as_str() {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "ssh" | "sftp" => Some(22),
        "ftp" => Some(21),
        _ => None,
    })
}

fn is_drop_zone(host: &Host) -> bool {
    let Host::Name(name) = host else { return false };
    DROP_ZONES.iter().any(|zone| {
        name.strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

fn encoded_label(host: &Host) -> bool {
    let Host::Name(name) = host else { return false };
    name.split('.').any(|label| {
        label.len() >= 24 && !label.starts_with("xn--") && {
            let digits = label.bytes().filter(u8::is_ascii_digit).count();
            is_encoded(label) || (digits >= 4 && !label.contains('-'))
        }
    })
}
