// SPDX-License-Identifier: Apache-2.0
//! The verdict for a set, as JSON; and what it is held against, from JavaScript.

use ambit_receipt::set::{ChainReport, Commitment, Completeness, Finding, SetVerdict};
use serde_json::{Value, json};

use crate::answer::{Failure, caused, failure};
use crate::verify::SeenChain;

/// Writes the verdict for a set. `elsewhere` says that the checkpoint did not come with the receipts.
pub(crate) fn verdict(set: &SetVerdict, elsewhere: bool) -> Value {
    let counts = set.counts;
    json!({
        "status": set.status.as_str(),
        "code": set.code.as_str(),
        "detail": set.detail,
        "exit_code": set.code.exit_code(),
        "counts": {
            "receipts": counts.receipts,
            "valid": counts.valid,
            "invalid": counts.invalid,
            "undecidable": counts.undecidable,
            "unreadable": counts.unreadable,
            "dated_later": counts.dated_later,
            "bare_links": counts.bare_links,
            "key_not_established": counts.key_not_established,
        },
        "completeness": completeness(&set.completeness, elsewhere),
        "chains": set.chains.iter().map(chain).collect::<Vec<_>>(),
        "findings": set.findings.iter().map(finding).collect::<Vec<_>>(),
        "findings_total": set.findings_total,
    })
}

fn completeness(found: &Completeness, elsewhere: bool) -> Value {
    match found {
        // who cuts off the newest receipts also puts back the checkpoint that lies beside them; only
        // others can say that there were no more
        Completeness::CompleteToCheckpoint {
            origin,
            size,
            witnesses,
            ..
        } if !elsewhere && witnesses.is_empty() => json!({
            "kind": "integrity_only",
            "beside": { "origin": origin, "size": size },
        }),
        Completeness::CompleteToCheckpoint {
            origin,
            size,
            beyond,
            witnesses,
        } => json!({
            "kind": "complete_to_checkpoint",
            "origin": origin,
            "size": size,
            "beyond": beyond,
            "witnesses": witnesses,
        }),
        Completeness::Included {
            origin,
            seq,
            size,
            witnesses,
        } => json!({
            "kind": "included",
            "origin": origin,
            "seq": seq,
            "size": size,
            "witnesses": witnesses,
        }),
        Completeness::IntegrityOnly => json!({ "kind": "integrity_only" }),
        Completeness::NotComplete => json!({ "kind": "not_complete" }),
    }
}

fn chain(chain: &ChainReport) -> Value {
    json!({
        "id": chain.id,
        "receipts": chain.receipts,
        "first_seq": chain.first_seq,
        "last_seq": chain.last_seq,
        "head": chain.head,
        "issuers": chain.issuers,
        "issuer_changes": chain.issuer_changes,
        "open_runs": chain.open_runs,
        "parts": chain.parts,
        "clock_steps_back": chain.clock_steps_back,
        "convention": chain.convention,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "code": finding.code.as_str(),
        "source": finding.place.as_ref().map(|it| &*it.source),
        "number": finding.place.as_ref().and_then(|it| it.number),
        "chain": finding.chain,
        "detail": finding.detail,
    })
}

/// Reads what somebody saw of a chain.
pub(crate) fn commitment(seen: &SeenChain) -> Result<Commitment, Failure> {
    let count = u64::try_from(seen.count)
        .ok()
        .ok_or_else(|| failure("ERR_CONFIG_INVALID", "a count of receipts is negative"))?;
    let terminal = seen.terminal.as_ref().map(|text| {
        text.parse()
            .map_err(|error| caused("ERR_CONFIG_INVALID", &error))
    });
    Ok(Commitment {
        ledger: seen.ledger.clone(),
        count,
        terminal: terminal.transpose()?,
        time_us: seen.time_ms.saturating_mul(1000),
        skew_us: seen.skew_ms.saturating_mul(1000),
    })
}
