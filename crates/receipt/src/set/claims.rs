// SPDX-License-Identifier: Apache-2.0
//! What a receipt says of its place among others: read from a parsed document, whether or not its
//! signature holds.

use ambit_canon::{Digest, Object, Value, write};

use crate::encoding::from_base64url;
use crate::legacy::agt;
use crate::time::Instant;
use crate::verdict::{Format, Verdict};

/// What one receipt claims.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    /// The chain, if it claims to be in one that numbers its entries, or one that may be linked.
    pub(crate) chain: ChainId,
    /// Its number in a chain that has numbers, else 0.
    pub(crate) seq: u64,
    pub(crate) previous: Previous,
    /// The digest by which its successor names it.
    pub(crate) own: [u8; 32],
    /// Digests by which other tools' successors would name it, with the convention's name.
    pub(crate) others: Vec<(&'static str, [u8; 32])>,
    pub(crate) issued_us: Option<i64>,
    pub(crate) role: Role,
    /// The digest of the policy, as the receipt spells it.
    pub(crate) policy: Option<String>,
    /// The digest of the contract, as the receipt spells it.
    pub(crate) contract: Option<String>,
}

/// Which receipts may be linked to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ChainId {
    /// A ledger of ours, by its id.
    Ledger(String),
    /// Receipts without numbers, by their format.
    Linked(&'static str),
    /// In no chain.
    None,
    /// Receipts of one `sb` key.
    SbRuntime(String),
}

/// How a receipt names the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Previous {
    /// By its digest, without the prefix that the draft asks for.
    Bare([u8; 32]),
    /// It says that it is the first.
    First,
    /// By its digest.
    Named([u8; 32]),
    /// In no spelling that is known.
    Unreadable,
}

impl Previous {
    pub(super) const fn digest(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Bare(digest) | Self::Named(digest) => Some(digest),
            Self::First | Self::Unreadable => None,
        }
    }
}

/// What a receipt of ours is in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A decision that allows.
    Allow { run: [u8; 32] },
    /// A decision that does not.
    Refusal,
    /// What became of a decision's run.
    Execution { run: [u8; 32], decision: [u8; 32] },
    /// Not a receipt of ours.
    Other,
}

/// Reads the claims of a document that has a format.
pub(crate) fn read(document: &[u8], value: &Value, verdict: &Verdict) -> Option<Claims> {
    let format = verdict.format?;
    let whole = *verdict.digest.as_ref()?.as_bytes();
    match format {
        Format::Acta => Some(acta(value, whole)),
        // Written once for each call, and linked to nothing.
        Format::AgtBilateral => Some(Claims {
            chain: ChainId::None,
            previous: Previous::First,
            ..agt_skill(document, value, whole)
        }),
        Format::AgtSkill => Some(agt_skill(document, value, whole)),
        Format::Csc => Some(csc(value, whole)),
        Format::SbRuntime => Some(sb_runtime(value, whole)),
        Format::Flat => Some(linked(value.as_object(), value, whole, format)),
        Format::V2 => Some(linked(
            value.get("payload").and_then(Value::as_object),
            value,
            whole,
            format,
        )),
    }
}

/// An envelope of the draft: ours has numbers, every other has links alone.
fn acta(value: &Value, whole: [u8; 32]) -> Claims {
    let payload = value.get("payload").and_then(Value::as_object);
    let text = |name| payload.and_then(|it| it.get(name)).and_then(Value::as_str);
    let seq = payload.and_then(|it| it.get("seq")).and_then(Value::as_i64);
    let seq = seq.and_then(|seq| u64::try_from(seq).ok());
    let ours = text("type").is_some_and(|it| it.starts_with("ambit:"));
    let common = Claims {
        chain: ChainId::None,
        seq: 0,
        previous: link(payload, "previousReceiptHash"),
        own: whole,
        others: Vec::new(),
        issued_us: text("issued_at").and_then(micros),
        role: Role::Other,
        policy: text("policy_hash")
            .or_else(|| text("policy_digest"))
            .map(str::to_owned),
        contract: text("contract_hash").map(str::to_owned),
    };
    match (ours, text("ledger_id"), seq) {
        (true, Some(ledger), Some(seq)) if ledger.len() <= MAX_CHAIN_ID => Claims {
            chain: ChainId::Ledger(ledger.to_owned()),
            seq,
            role: role(payload),
            ..common
        },
        _ => Claims {
            chain: ChainId::Linked(Format::Acta.as_str()),
            others: other_conventions(value),
            ..common
        },
    }
}

/// Digests by which tools name a receipt where the draft has that of the whole.
fn other_conventions(value: &Value) -> Vec<(&'static str, [u8; 32])> {
    let digest = |value: &Value| *Digest::of(write(value).as_bytes()).as_bytes();
    let mut found = Vec::new();
    if let Some(payload) = value.get("payload") {
        found.push(("the payload's digest", digest(payload)));
    }
    if let Some(digest) = unsigned_digest(value.as_object()) {
        found.push(("the digest of the receipt without its signature", digest));
    }
    found
}

fn unsigned_digest(object: Option<&Object>) -> Option<[u8; 32]> {
    let mut unsigned = object?.clone();
    unsigned.remove("signature");
    Some(*Digest::of(write(&Value::Object(unsigned)).as_bytes()).as_bytes())
}

/// What a receipt of ours is in its run.
fn role(payload: Option<&Object>) -> Role {
    let text = |name| payload.and_then(|it| it.get(name)).and_then(Value::as_str);
    let run = || {
        let parts = ["run_id", "contract_hash", "policy_hash"].map(|name| text(name).unwrap_or(""));
        let bound: Value = parts
            .into_iter()
            .map(Value::from)
            .collect::<Vec<_>>()
            .into();
        *Digest::of(write(&bound).as_bytes()).as_bytes()
    };
    match (text("type"), text("decision")) {
        (Some("ambit:decision"), Some("allow")) => Role::Allow { run: run() },
        (Some("ambit:decision"), _) => Role::Refusal,
        (Some("ambit:execution"), _) => Role::Execution {
            run: run(),
            decision: text("decision_hash")
                .and_then(|it| it.parse::<Digest>().ok())
                .map_or([0; 32], |digest| *digest.as_bytes()),
        },
        _ => Role::Other,
    }
}

/// The skill names the Python text of the whole envelope, in base64url.
fn agt_skill(document: &[u8], value: &Value, whole: [u8; 32]) -> Claims {
    let payload = value.get("payload").and_then(Value::as_object);
    let previous = match payload.and_then(|it| it.get("previousReceiptHash")) {
        None => Previous::First,
        Some(text) => text
            .as_str()
            .and_then(from_base64url::<32>)
            .map_or(Previous::Unreadable, Previous::Named),
    };
    let text = |name| payload.and_then(|it| it.get(name)).and_then(Value::as_str);
    Claims {
        chain: ChainId::Linked(Format::AgtSkill.as_str()),
        seq: 0,
        previous,
        own: agt::envelope_digest(document, value).unwrap_or(whole),
        others: Vec::new(),
        issued_us: text("issued_at").and_then(micros),
        role: Role::Other,
        // The skill's digest is one of Python's `repr`: it cannot be compared.
        policy: None,
        contract: None,
    }
}

fn csc(value: &Value, whole: [u8; 32]) -> Claims {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    Claims {
        chain: ChainId::None,
        seq: 0,
        previous: Previous::First,
        own: whole,
        others: Vec::new(),
        issued_us: text("started_at").and_then(micros),
        role: Role::Other,
        policy: text("policy_sha256").map(str::to_owned),
        contract: text("contract_sha256").map(str::to_owned),
    }
}

/// The `sb` program numbers its receipts and names the payload alone.
fn sb_runtime(value: &Value, whole: [u8; 32]) -> Claims {
    let payload = value.get("payload");
    let text = |name| payload.and_then(|it| it.get(name)).and_then(Value::as_str);
    let seq = payload
        .and_then(|it| it.get("sequence"))
        .and_then(Value::as_i64);
    let key = value
        .get("pubkey")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Claims {
        chain: ChainId::SbRuntime(key.chars().take(MAX_CHAIN_ID).collect()),
        seq: seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0),
        previous: match text("prev_hash") {
            Some("genesis") => Previous::First,
            Some(text) => spelled(text),
            None => Previous::Unreadable,
        },
        own: payload.map_or(whole, |it| *Digest::of(write(it).as_bytes()).as_bytes()),
        others: Vec::new(),
        issued_us: text("timestamp").and_then(micros),
        role: Role::Other,
        policy: None,
        contract: None,
    }
}

/// Receipts of versions 1 and 2: the former name what was signed, the latter the whole.
fn linked(payload: Option<&Object>, value: &Value, whole: [u8; 32], format: Format) -> Claims {
    let outer = value.as_object();
    let holder = [outer, payload]
        .into_iter()
        .flatten()
        .find(|object| object.contains("previousReceiptHash"));
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    Claims {
        chain: ChainId::Linked(format.as_str()),
        seq: 0,
        previous: link(holder, "previousReceiptHash"),
        own: if format == Format::Flat {
            unsigned_digest(outer).unwrap_or(whole)
        } else {
            whole
        },
        others: Vec::new(),
        issued_us: text("issued_at").and_then(micros),
        role: Role::Other,
        policy: text("policy_digest").map(str::to_owned),
        contract: None,
    }
}

/// Reads a link of the draft. Only a member that is absent makes a receipt the first.
fn link(object: Option<&Object>, name: &str) -> Previous {
    match object.and_then(|it| it.get(name)) {
        None => Previous::First,
        Some(value) => value.as_str().map_or(Previous::Unreadable, spelled),
    }
}

fn spelled(text: &str) -> Previous {
    match text.parse::<Digest>() {
        Ok(digest) if text.starts_with("sha256:") => Previous::Named(*digest.as_bytes()),
        Ok(digest) => Previous::Bare(*digest.as_bytes()),
        Err(_) => Previous::Unreadable,
    }
}

fn micros(text: &str) -> Option<i64> {
    Instant::parse(text)?.micros()
}

/// Longest name of a chain, characters; ours have 32.
const MAX_CHAIN_ID: usize = 64;
