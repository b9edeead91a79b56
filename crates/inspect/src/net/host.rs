// SPDX-License-Identifier: Apache-2.0
//! A host: a name or an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::shell::Word;

/// A host, in one form whatever the spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A name: lower case, ASCII (IDNA applied), without the dot at its end.
    Name(String),
    /// An address; IPv4 in IPv6 is IPv4.
    Address(IpAddr),
    /// A part of it is not known, or nothing reads it: what is known of it.
    Unknown(String),
}

/// Where a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// This machine.
    Loopback,
    /// A cloud's metadata service, or an address by which it is reached.
    Metadata,
    /// Anywhere else.
    Elsewhere,
}

/// Names of metadata services: AWS, Google, Azure, Alibaba, Oracle, `DigitalOcean`, Tencent, `OpenStack`.
const METADATA_NAMES: [&str; 7] = [
    "metadata.google.internal",
    "metadata.goog",
    "metadata",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.tencentyun.com",
    "metadata.azure.internal",
];

impl Host {
    /// Reads a host as WHATWG URL does: percent-decoding, IDNA, IPv4 in every spelling, IPv6 in
    /// brackets. Without brackets IPv6 is read, too, as `nc` and `ssh` take it.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        if text.contains(Word::HOLE) {
            return Self::Unknown(text.to_ascii_lowercase());
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<Ipv6Addr>() {
            return Self::from_v6(address);
        }
        // An IPv6 zone (`fe80::1%eth0`) is no part of the address.
        if let Some((address, _zone)) = text.trim_matches(['[', ']']).split_once('%')
            && let Ok(address) = address.parse::<Ipv6Addr>()
        {
            return Self::from_v6(address);
        }
        match url::Host::parse(text.trim_end_matches('.')) {
            Ok(url::Host::Domain(name)) => Self::Name(name.trim_end_matches('.').to_owned()),
            Ok(url::Host::Ipv4(address)) => Self::Address(IpAddr::V4(address)),
            Ok(url::Host::Ipv6(address)) => Self::from_v6(address),
            Err(_) => Self::Unknown(text.to_ascii_lowercase()),
        }
    }

    fn from_v6(address: Ipv6Addr) -> Self {
        match address.to_ipv4_mapped().or_else(|| embedded(address)) {
            Some(v4) => Self::Address(IpAddr::V4(v4)),
            None => Self::Address(IpAddr::V6(address)),
        }
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        match self {
            Self::Name(name) => place_of_name(name),
            Self::Address(address) => place_of(*address),
            Self::Unknown(known) if known.contains("169.254.169.254") => Place::Metadata,
            Self::Unknown(_) => Place::Elsewhere,
        }
    }

    /// Whether it is a name with a dot, or an address: what could not be a mere word.
    pub fn looks_like_one(&self) -> bool {
        match self {
            Self::Name(name) => name.contains('.') || name == "localhost",
            Self::Address(_) => true,
            Self::Unknown(known) => known.contains('.'),
        }
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
            Self::Unknown(_) => f.write_str("a host that is not known"),
        }
    }
}

/// IPv4 within NAT64 (RFC 6052) and 6to4 (RFC 3056) addresses, and the deprecated compatible form.
#[expect(
    clippy::match_same_arms,
    reason = "one arm for each case, as the reader thinks of them"
)]
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let low = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0x64, 0xFF9B, 0, 0, 0, 0, first, second] => Some(low(first, second)),
        [0x2002, first, second, ..] => Some(low(first, second)),
        [0, 0, 0, 0, 0, 0, first, second] if first != 0 => Some(low(first, second)),
        _ => None,
    }
}

fn place_of(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(v4) => match v4.octets() {
            [127, ..] | [0, 0, 0, 0] => Place::Loopback,
            // AWS, Azure, Google, Oracle, DigitalOcean; ECS; AWS time sync is beside it.
            [169, 254, 169, 254]
            | [169, 254, 170, 2 | 23]
            | [100, 100, 100, 200]
            | [168, 63, 129, 16]
            | [192, 0, 0, 192]
            | [169, 254, 0, 23] => Place::Metadata,
            _ => Place::Elsewhere,
        },
        IpAddr::V6(v6) => {
            if v6.is_loopback() || v6.is_unspecified() {
                Place::Loopback
            } else if v6.segments() == [0xFD00, 0xEC2, 0, 0, 0, 0, 0, 0x254]
                || v6.segments() == [0xFD20, 0xCE, 0, 0, 0, 0, 0, 0x254]
            {
                Place::Metadata
            } else {
                Place::Elsewhere
            }
        }
    }
}

/// Services whose names say the address that they resolve to.
const WILDCARD_DNS: [&str; 7] = [
    "nip.io",
    "sslip.io",
    "xip.io",
    "traefik.me",
    "localtest.me",
    "lvh.me",
    "1u.ms",
];

fn place_of_name(name: &str) -> Place {
    if name == "localhost"
        || name.ends_with(".localhost")
        || name == "localhost.localdomain"
        || name == "ip6-localhost"
        || name == "ip6-loopback"
    {
        return Place::Loopback;
    }
    if METADATA_NAMES.contains(&name) {
        return Place::Metadata;
    }
    let wildcard = WILDCARD_DNS.iter().any(|zone| {
        name.strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    if wildcard && names_metadata(name) {
        return Place::Metadata;
    }
    Place::Elsewhere
}

/// `169.254.169.254.nip.io`, `169-254-169-254.sslip.io`, `a9fea9fe.nip.io`, `foo.2852039166.…`.
fn names_metadata(name: &str) -> bool {
    let dotted = name.replace('-', ".");
    let labels: Vec<&str> = dotted.split('.').collect();
    let four = labels.windows(4).any(|window| {
        window
            .join(".")
            .parse::<Ipv4Addr>()
            .is_ok_and(|v4| place_of(IpAddr::V4(v4)) == Place::Metadata)
    });
    four || labels.iter().any(|label| {
        let number = u32::from_str_radix(label, 16)
            .ok()
            .filter(|_| label.len() == 8);
        let number = number.or_else(|| label.parse::<u32>().ok().filter(|_| label.len() > 8));
        number.is_some_and(|number| place_of(IpAddr::V4(Ipv4Addr::from(number))) == Place::Metadata)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_one_form() {
        for (text, want) in [
            ("GitHub.COM.", "github.com"),
            ("2852039166", "169.254.169.254"),
            ("0xA9FEA9FE", "169.254.169.254"),
            ("0251.0376.0251.0376", "169.254.169.254"),
            ("169.16689662", "169.254.169.254"),
            ("[::ffff:a9fe:a9fe]", "169.254.169.254"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("64:ff9b::a9fe:a9fe", "169.254.169.254"),
            ("127.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("%67ithub.com", "github.com"),
            ("evil.example。github.com", "evil.example.github.com"),
            ("１６９.254.169.254", "169.254.169.254"),
            ("fe80::1%eth0", "fe80::1"),
            ("gıthub.com", "xn--gthub-n4a.com"),
        ] {
            assert_eq!(Host::read(text).to_string(), want, "{text}");
        }
        assert!(matches!(Host::read("a\u{FFFC}b.example"), Host::Unknown(_)));
        assert!(matches!(Host::read("a b"), Host::Unknown(_)));
    }

    #[test]
    fn places_are_known() {
        for (text, want) in [
            ("localhost", Place::Loopback),
            ("a.localhost", Place::Loopback),
            ("127.9.9.9", Place::Loopback),
            ("0.0.0.0", Place::Loopback),
            ("0", Place::Loopback),
            ("[::1]", Place::Loopback),
            ("localhost.evil.example", Place::Elsewhere),
            ("metadata.google.internal.", Place::Metadata),
            ("169.254.169.254", Place::Metadata),
            ("169-254-169-254.nip.io", Place::Metadata),
            ("a9fea9fe.nip.io", Place::Metadata),
            ("1.2.3.4.nip.io", Place::Elsewhere),
            ("100.100.100.200", Place::Metadata),
            ("[fd00:ec2::254]", Place::Metadata),
        ] {
            assert_eq!(Host::read(text).place(), want, "{text}");
        }
    }
}
