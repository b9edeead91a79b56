// SPDX-License-Identifier: Apache-2.0
//! Finding entries: by place and time in the database, by what they say one at a time.

use std::ops::ControlFlow;

use ambit_canon::{Limits, Value, parse};
use rusqlite::params_from_iter;
use rusqlite::types::Value as Stored;

use crate::MAX_ENTRY_BYTES;
use crate::entry::{ENTRY_COLUMNS, Entry, Phase};
use crate::error::LedgerError;
use crate::ids::RunId;
use crate::ledger::Ledger;
use crate::read::{Span, damaged, stored_seq};

/// Which entries are wanted; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The lowest number.
    pub from_seq: Option<u64>,
    /// The highest number.
    pub until_seq: Option<u64>,
    /// The earliest time, in milliseconds since 1970-01-01T00:00:00Z.
    pub since_ms: Option<i64>,
    /// The time before which entries were made, in the same unit.
    pub until_ms: Option<i64>,
    /// What the entry means for its run.
    pub phase: Option<Phase>,
    /// The run.
    pub run_id: Option<RunId>,
    /// `decision` in the signed payload.
    pub decision: Option<String>,
    /// `agent_id` in the signed payload, or in its `actor`.
    pub agent: Option<String>,
    /// `session_id` in the signed payload, or in its `actor`.
    pub session: Option<String>,
    /// One of `reason_codes` in the signed payload, or `code` in its `error`.
    pub code: Option<String>,
}

/// In which direction entries are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// From the lowest number.
    #[default]
    OldestFirst,
    /// From the highest number.
    NewestFirst,
}

impl Ledger {
    /// Hands each entry that the filter lets through to `visit`, which may stop the reading;
    /// returns whether it did. No lock is held while `visit` runs, and writers never wait.
    ///
    /// Entries that are appended meanwhile may be among them. An entry that is not JSON has no
    /// payload, and meets no condition about it.
    ///
    /// # Errors
    /// `ERR_LEDGER_CORRUPT` at a damaged entry, after all before it were handed out;
    /// `ERR_LEDGER_UNAVAILABLE` and `ERR_LEDGER_BUSY` when the database cannot be read.
    pub fn query(
        &self,
        filter: &Filter,
        order: Order,
        mut visit: impl FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, LedgerError> {
        let mut rest = filter.clone();
        loop {
            let (sql, values) = statement(&rest, order);
            let span = Span {
                from: rest.from_seq.unwrap_or(1),
                until: rest.until_seq.unwrap_or(u64::MAX),
                order,
            };
            let page = self.page(&sql, params_from_iter(values), span)?;
            let Some(last) = page.last() else {
                return Ok(ControlFlow::Continue(()));
            };
            let last = last.seq;
            for entry in page {
                if !entry.is_intact() {
                    return Err(damaged(&entry));
                }
                if filter.admits(&entry.bytes) && visit(entry).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            match order {
                Order::OldestFirst => rest.from_seq = Some(last.saturating_add(1)),
                Order::NewestFirst => rest.until_seq = Some(last.saturating_sub(1)),
            }
        }
    }

    /// Hands every entry from `from_seq` on to `visit`, in order, in bounded memory.
    ///
    /// # Errors
    /// As [`Ledger::query`].
    pub fn for_each_entry(
        &self,
        from_seq: u64,
        visit: impl FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, LedgerError> {
        let filter = Filter {
            from_seq: Some(from_seq),
            ..Filter::default()
        };
        self.query(&filter, Order::OldestFirst, visit)
    }
}

impl Filter {
    /// Judges the conditions that only the signed bytes can answer.
    fn admits(&self, bytes: &[u8]) -> bool {
        let Self {
            decision,
            agent,
            session,
            code,
            ..
        } = self;
        if [decision, agent, session, code]
            .iter()
            .all(|wanted| wanted.is_none())
        {
            return true;
        }
        let limits = Limits {
            max_bytes: MAX_ENTRY_BYTES,
            ..Limits::default()
        };
        let Ok(document) = parse(bytes, &limits) else {
            return false;
        };
        let payload = document.get("payload").unwrap_or(&document);
        let meets = |wanted: &Option<String>, says: &dyn Fn(&str) -> bool| {
            wanted.as_deref().is_none_or(says)
        };
        meets(decision, &|wanted| is(payload.get("decision"), wanted))
            && meets(agent, &|wanted| of_actor(payload, "agent_id", wanted))
            && meets(session, &|wanted| of_actor(payload, "session_id", wanted))
            && meets(code, &|wanted| has_code(payload, wanted))
    }
}

fn is(value: Option<&Value>, wanted: &str) -> bool {
    value.and_then(Value::as_str) == Some(wanted)
}

fn of_actor(payload: &Value, name: &str, wanted: &str) -> bool {
    let in_actor = payload.get("actor").and_then(|actor| actor.get(name));
    is(payload.get(name), wanted) || is(in_actor, wanted)
}

fn has_code(payload: &Value, wanted: &str) -> bool {
    let codes = payload.get("reason_codes").and_then(Value::as_array);
    codes.is_some_and(|codes| codes.iter().any(|code| is(Some(code), wanted)))
        || is(
            payload.get("error").and_then(|error| error.get("code")),
            wanted,
        )
}

/// Returns the statement for one page, and its values.
fn statement(filter: &Filter, order: Order) -> (String, Vec<Stored>) {
    let mut sql = format!("SELECT {ENTRY_COLUMNS} FROM entries");
    let mut values = Vec::new();
    let mut and = |condition: &str, value: Option<Stored>| {
        if let Some(value) = value {
            sql.push_str(if values.is_empty() {
                " WHERE "
            } else {
                " AND "
            });
            sql.push_str(condition);
            values.push(value);
        }
    };
    and(
        "seq >= ?",
        filter.from_seq.map(stored_seq).map(Stored::from),
    );
    and(
        "seq <= ?",
        filter.until_seq.map(stored_seq).map(Stored::from),
    );
    and("created_at_ms >= ?", filter.since_ms.map(Stored::from));
    and("created_at_ms < ?", filter.until_ms.map(Stored::from));
    and(
        "phase = ?",
        filter.phase.map(|phase| phase.as_str().to_owned().into()),
    );
    let run_id = filter
        .run_id
        .as_ref()
        .map(|run_id| run_id.as_str().to_owned());
    and("run_id = ?", run_id.map(Stored::from));
    sql.push_str(match order {
        Order::OldestFirst => " ORDER BY seq LIMIT 256",
        Order::NewestFirst => " ORDER BY seq DESC LIMIT 256",
    });
    (sql, values)
}
