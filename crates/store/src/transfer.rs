// SPDX-License-Identifier: Apache-2.0
//! The form in which a ledger is passed on, `ambit.ledger.v1`: a header, and a record for each entry.
//!
//! - As **lines**: JSON Lines. The first line is the header, each further one a record with the exact
//!   signed text as its member `receipt`.
//! - As **files**: a folder with the header in `ledger.json`, the records without `receipt` in
//!   `ledger.index`, a line each, and the exact signed bytes in `000001.json` and so on.
//!
//! Header: `{entries, format, head, ledger_id}`; `head` is the SHA-256 of the last entry's bytes in
//! hex, or null. Record: `{created_at_ms, phase, receipt, run_id, seq}`.

use ambit_canon::{CanonError, Digest, Limits, Number, Object, Value, parse, write};

use crate::MAX_ENTRY_BYTES;
use crate::approval::approvals_consumed_by;
use crate::entry::{Entry, Head, NewEntry, Phase};
use crate::error::LedgerError;
use crate::ids::{LedgerId, RunId};

/// How a ledger is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One file of JSON Lines.
    Lines,
    /// A folder with a file for each entry.
    Files,
}

/// What the first line of an export says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) ledger_id: LedgerId,
    pub(crate) entries: u64,
    pub(crate) head: Option<[u8; 32]>,
}

impl Header {
    pub(crate) fn of(ledger_id: &LedgerId, head: Option<Head>) -> Self {
        Self {
            ledger_id: ledger_id.clone(),
            entries: head.map_or(0, |head| head.seq),
            head: head.map(|head| head.digest),
        }
    }

    pub(crate) fn text(&self) -> Result<String, LedgerError> {
        let mut header = Object::new();
        header.insert("format", FORMAT);
        header.insert("ledger_id", self.ledger_id.as_str());
        header.insert("entries", number(self.entries, "entries.seq")?);
        let head = self.head.map(|head| Value::from(Digest::from(head).hex()));
        header.insert("head", head.unwrap_or(Value::Null));
        Ok(write(&Value::Object(header)))
    }

    pub(crate) fn read(text: &[u8]) -> Result<Self, TransferProblem> {
        let header = parse(text, &LIMITS)?;
        let member = |name| header.get(name).ok_or(TransferProblem::Member(name));
        if member("format")?.as_str() != Some(FORMAT) {
            return Err(TransferProblem::Format);
        }
        let ledger_id = member("ledger_id")?.as_str().map(str::to_owned);
        let ledger_id = ledger_id.and_then(|id| LedgerId::stored(id).ok());
        let named = member("head")?;
        let head = digest_of(named);
        if head.is_none() && !named.is_null() {
            return Err(TransferProblem::Member("head"));
        }
        let entries = unsigned(member("entries")?).ok_or(TransferProblem::Member("entries"))?;
        if (entries == 0) != head.is_none() {
            return Err(TransferProblem::Member("head"));
        }
        Ok(Self {
            ledger_id: ledger_id.ok_or(TransferProblem::Member("ledger_id"))?,
            entries,
            head,
        })
    }
}

/// One entry on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) seq: u64,
    pub(crate) entry: NewEntry,
    /// Absent in the index of a folder.
    pub(crate) receipt: Option<String>,
}

impl Record {
    /// Returns the line of an entry. Bytes that are no text were not written by us.
    pub(crate) fn text(entry: &Entry, form: Form) -> Result<String, LedgerError> {
        let mut record = Object::new();
        record.insert("seq", number(entry.seq, "entries.seq")?);
        record.insert("phase", entry.phase.as_str());
        record.insert("run_id", entry.run_id.as_str());
        let created = Number::try_from(entry.created_at_ms).ok();
        let corrupt = |column| LedgerError::CorruptValue { column };
        let created = created.ok_or_else(|| corrupt("entries.created_at_ms"))?;
        record.insert("created_at_ms", Value::from(created));
        if form == Form::Lines {
            let receipt = std::str::from_utf8(&entry.bytes).ok();
            record.insert("receipt", receipt.ok_or_else(|| corrupt("entries.bytes"))?);
        }
        Ok(write(&Value::Object(record)))
    }

    pub(crate) fn read(text: &[u8]) -> Result<Self, TransferProblem> {
        let record = parse(text, &LIMITS)?;
        let member = |name| record.get(name).ok_or(TransferProblem::Member(name));
        let text = |name| {
            let value = member(name)?.as_str();
            value.ok_or(TransferProblem::Member(name))
        };
        let phase = Phase::stored(text("phase")?).ok();
        let run_id = RunId::try_from(text("run_id")?).ok();
        let receipt = match record.get("receipt") {
            None => None,
            Some(_) => Some(text("receipt")?.to_owned()),
        };
        Ok(Self {
            seq: unsigned(member("seq")?).ok_or(TransferProblem::Member("seq"))?,
            entry: NewEntry {
                phase: phase.ok_or(TransferProblem::Member("phase"))?,
                run_id: run_id.ok_or(TransferProblem::Member("run_id"))?,
                created_at_ms: signed(member("created_at_ms")?)
                    .ok_or(TransferProblem::Member("created_at_ms"))?,
                // what the receipt says, once it is read
                consumes: Vec::new(),
            },
            receipt,
        })
    }
}

/// Checks that a receipt says of itself that it stands at this place; returns the approvals that it
/// says it used up.
pub(crate) fn check_place(
    receipt: &[u8],
    id: &LedgerId,
    record: &Record,
    previous: Option<[u8; 32]>,
) -> Result<Vec<[u8; 32]>, TransferProblem> {
    let document = parse(receipt, &LIMITS)?;
    let payload = document.get("payload");
    let payload = payload.ok_or(TransferProblem::Unbound("payload"))?;
    let text = |name| payload.get(name).and_then(Value::as_str);
    if text("ledger_id") != Some(id.as_str()) {
        return Err(TransferProblem::Unbound("ledger_id"));
    }
    if payload.get("seq").and_then(unsigned) != Some(record.seq) {
        return Err(TransferProblem::Unbound("seq"));
    }
    // a payload of another type may have none
    if text("run_id").is_some_and(|run_id| run_id != record.entry.run_id.as_str()) {
        return Err(TransferProblem::Unbound("run_id"));
    }
    let named = payload.get("previousReceiptHash");
    let fits = match (named, previous) {
        (None, None) => true,
        (Some(named), Some(previous)) => {
            named.as_str() == Some(Digest::from(previous).prefixed().as_str())
        }
        (Some(_), None) | (None, Some(_)) => false,
    };
    if fits {
        Ok(approvals_consumed_by(payload))
    } else {
        Err(TransferProblem::Unbound("previousReceiptHash"))
    }
}

/// Why an export cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum TransferProblem {
    /// It uses an approval that an entry before it used.
    #[error("it uses an approval that was used before")]
    Approval,
    /// It ends before what its header announces.
    #[error("it ends after {found} entries; the header says {announced}")]
    Cut {
        /// How many there are.
        found: u64,
        /// How many the header says.
        announced: u64,
    },
    /// The header is not one of `ambit.ledger.v1`.
    #[error("it is not an export of a ledger; accepted: `ambit.ledger.v1`")]
    Format,
    /// The last entry is not the one that the header names.
    #[error("the last entry does not have the digest in the header")]
    Head,
    /// It is not strict JSON.
    #[error(transparent)]
    Json(#[from] CanonError),
    /// A member is missing, or has a value that no export has.
    #[error("`{0}` is missing or malformed")]
    Member(&'static str),
    /// It has more entries than its header announces.
    #[error("there is more than the {announced} entries of the header")]
    More {
        /// How many the header says.
        announced: u64,
    },
    /// The entry does not fit what its run has already.
    #[error("it does not fit what its run has already")]
    Run,
    /// An entry is missing, or not in its place.
    #[error("entry {found} stands where {wanted} should be")]
    Seq {
        /// The number that is there.
        found: u64,
        /// The number that should be.
        wanted: u64,
    },
    /// A line, or a receipt, is longer than any that an export has.
    #[error("it is longer than any entry can be")]
    TooLong,
    /// The signed receipt says something else of its place than the ledger, or nothing.
    #[error("the receipt's own `{0}` is not that of its place")]
    Unbound(&'static str),
}

/// Returns the name of an entry's file: as many digits as the last one needs, six at least, so that
/// the order of names is that of the entries.
pub(crate) fn file_name(seq: u64, entries: u64) -> String {
    let width = entries.to_string().len().max(6);
    format!("{seq:0width$}.json")
}

fn number(value: u64, column: &'static str) -> Result<Value, LedgerError> {
    let number = i64::try_from(value)
        .ok()
        .and_then(|value| Number::try_from(value).ok());
    number
        .map(Value::from)
        .ok_or(LedgerError::CorruptValue { column })
}

fn signed(value: &Value) -> Option<i64> {
    value.as_i64()
}

fn unsigned(value: &Value) -> Option<u64> {
    signed(value).and_then(|value| u64::try_from(value).ok())
}

fn digest_of(value: &Value) -> Option<[u8; 32]> {
    let hex = value.as_str()?;
    let digest: Digest = format!("sha256:{hex}").parse().ok()?;
    Some(*digest.as_bytes())
}

pub(crate) const HEADER_FILE: &str = "ledger.json";
pub(crate) const INDEX_FILE: &str = "ledger.index";
/// A line can hold an entry all of whose bytes are written as escapes, and the other members.
pub(crate) const MAX_LINE_BYTES: usize = 6 * MAX_ENTRY_BYTES + 64 * 1024;

const FORMAT: &str = "ambit.ledger.v1";
const LIMITS: Limits = Limits {
    max_bytes: MAX_LINE_BYTES,
    max_depth: 64,
};
