// SPDX-License-Identifier: Apache-2.0
//! Takes receipts one by one and judges what joins them.

use std::collections::BTreeMap;
use std::sync::Arc;

use ambit_canon::Digest;

use super::chain::Chain;
use super::claims::{ChainId, Claims, Previous};
use super::completeness::Held;
use super::engine::Examined;
use super::finding::{Finding, Findings, Place, SetCode};
use super::linked;
use super::node::{ChainFault, Node};
use super::numbered::{self, Numbered};
use super::options::{Commitment, Scope, Sequence, SetOptions};
use super::report::{ChainReport, Completeness, Counts, ReceiptResult, SetVerdict};
use crate::encoding::hex;
use crate::key::{KeySet, KeyStatus};
use crate::tlog::WitnessPolicy;
use crate::verdict::{Status, Verdict, VerdictCode};

/// Takes examined receipts in the order of their source, and judges what joins them.
#[derive(Debug, Default)]
pub struct SetVerifier {
    options: SetOptions,
    counts: Counts,
    findings: Findings,
    sources: Vec<Arc<str>>,
    chains: BTreeMap<ChainId, Chain>,
    held: Vec<Held>,
    completeness: Option<Completeness>,
    /// How many chains a checkpoint or a proof is about.
    covered: usize,
}

impl SetVerifier {
    /// Starts a set without receipts.
    pub fn new(options: SetOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Holds the set against a checkpoint that was kept elsewhere, or a proof of one entry
    /// (`c2sp.org/tlog-proof@v1`). It must be signed by one of `keys`, and by as many witnesses as
    /// the policy asks for; where it is not, that is a finding.
    ///
    /// `own` are the latest checkpoints that came with the receipts themselves.
    pub fn hold_against(
        &mut self,
        checkpoint: &[u8],
        keys: &KeySet,
        policy: &WitnessPolicy,
        own: &[Vec<u8>],
    ) {
        match Held::open(checkpoint, keys, policy, own) {
            Ok(held) => {
                self.options.commitments.extend(held.commitments());
                self.held.push(held);
            }
            Err(refused) => self.refuse(None, refused),
        }
    }

    /// Holds the set against the checkpoints that came with the receipts, beside those that were
    /// given. One that no trusted key signed says nothing then: who made it could have left it out.
    pub fn hold_against_own(&mut self, own: &[Vec<u8>], keys: &KeySet) {
        for note in own {
            let anybody = WitnessPolicy::default();
            if let Ok(mut held) = Held::open(note, keys, &anybody, &[]) {
                (held.used, held.beside) = (true, true);
                self.held.push(held);
            }
        }
    }

    /// Says that witnesses were asked for, where there is no checkpoint that they could have signed.
    pub fn miss_witnesses(&mut self) {
        let detail = "there is no checkpoint that a witness could have signed".to_owned();
        self.refuse(None, (SetCode::WitnessesMissing, detail));
    }

    fn refuse(&mut self, chain: Option<String>, (code, detail): (SetCode, String)) {
        self.completeness = Some(Completeness::NotComplete);
        self.findings.push(Finding {
            code,
            place: None,
            chain,
            detail,
        });
    }

    /// Takes the next receipt.
    pub(super) fn take(&mut self, examined: Examined) -> ReceiptResult {
        self.counts.receipts = self.counts.receipts.saturating_add(1);
        let Examined { place, outcome } = examined;
        let (verdict, claims) = match outcome {
            Ok(found) => found,
            Err(fault) => {
                add(&mut self.counts.unreadable);
                self.findings.note_receipt(match fault.code {
                    "ERR_LEDGER_CORRUPT" => SetCode::SourceCorrupt,
                    _ => SetCode::SourceUnreadable,
                });
                return ReceiptResult {
                    place,
                    outcome: Err(fault),
                    seq: None,
                };
            }
        };
        self.count(&verdict);
        let seq = claims.as_ref().map(|claims| claims.seq);
        if let Some(claims) = claims {
            self.join(&place, &verdict, &claims);
        }
        ReceiptResult {
            place,
            outcome: Ok(verdict),
            seq: seq.filter(|seq| *seq > 0),
        }
    }

    fn count(&mut self, verdict: &Verdict) {
        match (verdict.status, verdict.code) {
            (Status::Valid, _) => add(&mut self.counts.valid),
            (Status::Invalid, _) => {
                add(&mut self.counts.invalid);
                self.findings.note_receipt(SetCode::ReceiptInvalid);
            }
            (Status::Undecidable, code) => {
                add(&mut self.counts.undecidable);
                let unknown = code == VerdictCode::UnknownKey;
                self.findings.note_receipt(if unknown {
                    SetCode::UnknownKey
                } else {
                    SetCode::ReceiptUndecidable
                });
            }
        }
    }

    /// Puts a receipt into its chain, and checks what can be checked at once.
    fn join(&mut self, place: &Place, verdict: &Verdict, claims: &Claims) {
        let valid = verdict.status == Status::Valid;
        let source = self.source(place);
        let mut node = Node::new(claims, source, place.number, valid);
        if valid {
            if verdict.key_status == Some(KeyStatus::NotEstablished) {
                add(&mut self.counts.key_not_established);
            }
            self.check_bindings(place, claims);
            self.check_time(claims);
        }
        if claims.chain == ChainId::None {
            return;
        }
        let chain = self.chains.entry(claims.chain.clone()).or_default();
        node.index = u32::try_from(chain.nodes.len()).unwrap_or(u32::MAX);
        chain.nodes.push(node);
        let position = match claims.seq {
            0 => u64::try_from(chain.nodes.len()).unwrap_or(u64::MAX),
            seq => seq,
        };
        if !valid {
            return;
        }
        chain.observe(claims, verdict);
        chain.runs.push(claims, node);
        if matches!(claims.previous, Previous::Bare(_)) {
            add(&mut self.counts.bare_links);
        }
        self.check_commitments(place, claims, position);
    }

    /// Returns the number of a source; receipts of one come one after the other.
    fn source(&mut self, place: &Place) -> u32 {
        if self.sources.last() != Some(&place.source) {
            self.sources.push(Arc::clone(&place.source));
        }
        u32::try_from(self.sources.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    fn check_bindings(&mut self, place: &Place, claims: &Claims) {
        let bound = |accepted: &[Digest], claim: Option<&str>, missing, other, what: &str| {
            let claim = match (accepted, claim) {
                ([], _) => return None,
                (_, None) => {
                    return Some((
                        missing,
                        format!("it carries no digest of a {what} that could be compared"),
                    ));
                }
                (_, Some(claim)) => claim.parse::<Digest>(),
            };
            match claim {
                Ok(digest) if accepted.contains(&digest) => None,
                Ok(_) | Err(_) => {
                    Some((other, format!("it is bound to a {what} that was not given")))
                }
            }
        };
        let policy = bound(
            &self.options.policies,
            claims.policy.as_deref(),
            SetCode::PolicyNotChecked,
            SetCode::PolicyMismatch,
            "policy",
        );
        let contract = bound(
            &self.options.contracts,
            claims.contract.as_deref(),
            SetCode::ContractNotChecked,
            SetCode::ContractMismatch,
            "contract",
        );
        for (code, detail) in [policy, contract].into_iter().flatten() {
            self.find(code, place, &claims.chain, detail);
        }
    }

    fn check_time(&mut self, claims: &Claims) {
        if let (Some(at), Some(issued)) = (self.options.at_us, claims.issued_us)
            && issued > at.saturating_add(SKEW_US)
        {
            add(&mut self.counts.dated_later);
        }
    }

    /// Holds a receipt against what others saw of its chain.
    fn check_commitments(&mut self, place: &Place, claims: &Claims, position: u64) {
        let ordered = claims.seq > 0 || self.options.sequence == Sequence::Ordered;
        let concerns = |it: &&Commitment| match (&it.ledger, &claims.chain) {
            (Some(named), ChainId::Ledger(ledger)) => named == ledger,
            (None, ChainId::Linked(_) | ChainId::SbRuntime(_)) => ordered,
            _ => false,
        };
        let mut faults = Vec::new();
        for commitment in self.options.commitments.iter().filter(concerns) {
            faults.extend(commitment.judge(claims, position));
        }
        for (code, detail) in faults {
            self.find(code, place, &claims.chain, detail);
        }
    }

    fn find(&mut self, code: SetCode, place: &Place, chain: &ChainId, detail: String) {
        self.findings.push(Finding {
            code,
            place: Some(place.clone()),
            chain: chain.name(),
            detail,
        });
    }

    /// Judges the chains and answers for the whole set.
    #[must_use]
    pub fn finish(mut self) -> SetVerdict {
        if self.counts.receipts == 0 {
            self.findings.note_receipt(SetCode::Empty);
        }
        let mut chains = Vec::new();
        for (id, chain) in std::mem::take(&mut self.chains) {
            chains.extend(self.judge(&id, chain));
        }
        for held in std::mem::take(&mut self.held) {
            if !held.used {
                self.refuse(None, held.unused(self.counts.receipts));
            }
        }
        // Of a set nothing more is known than of the chain of which least is known.
        if self.covered < chains.len()
            && matches!(
                self.completeness,
                Some(Completeness::CompleteToCheckpoint { .. })
            )
        {
            self.completeness = None;
        }
        let code = self.findings.worst.unwrap_or(SetCode::Ok);
        SetVerdict {
            status: code.status(),
            code,
            detail: self.words(code),
            counts: self.counts,
            chains,
            findings: self.findings.kept,
            findings_total: self.findings.total,
            completeness: self.completeness.unwrap_or(Completeness::IntegrityOnly),
        }
    }

    fn judge(&mut self, id: &ChainId, mut chain: Chain) -> Option<ChainReport> {
        let nodes = std::mem::take(&mut chain.nodes);
        let receipts = u64::try_from(nodes.len()).unwrap_or(u64::MAX);
        let valid = nodes.iter().filter(|node| node.valid).count();
        let mut report = ChainReport {
            id: id.name().unwrap_or_default(),
            receipts,
            first_seq: None,
            last_seq: None,
            head: None,
            issuers: chain.issuers,
            issuer_changes: chain.issuer_changes,
            open_runs: 0,
            parts: 1,
            clock_steps_back: chain.clock_steps_back,
            convention: None,
        };
        let faults = if matches!(id, ChainId::Linked(_)) {
            let found = linked::judge(&nodes, self.options.sequence);
            (report.receipts, report.parts) = (found.receipts, found.chains);
            report.head = found.head.map(|digest| hex(&digest));
            self.check_end(id, nodes.len());
            report.convention = chain.convention.map(str::to_owned);
            found.faults
        } else {
            let found = numbered::judge(nodes, self.options.sequence);
            report.first_seq = found.entries.first().map(|node| node.seq);
            report.last_seq = found.entries.last().map(|node| node.seq);
            report.head = found.entries.last().map(|node| hex(&node.own));
            self.check_end(id, found.entries.len());
            self.compare(id, &found);
            let (mut faults, open) = chain.runs.finish(&found.entries, found.dense);
            report.open_runs = open;
            faults.splice(0..0, found.faults);
            faults
        };
        // Of a numbered chain for which nobody vouches nothing is to be said.
        let vouched = valid > 0 || matches!(id, ChainId::Linked(_));
        if self.options.scope == Scope::Set && vouched {
            self.report(id, faults);
        }
        (report.receipts > 0).then_some(report)
    }

    /// Holds a ledger against the checkpoints and proofs of it.
    fn compare(&mut self, id: &ChainId, chain: &Numbered) {
        let ChainId::Ledger(ledger) = id else {
            return;
        };
        let mut held = std::mem::take(&mut self.held);
        if held.iter().any(|held| !held.beside && held.covers(ledger)) {
            self.covered = self.covered.saturating_add(1);
        }
        for held in held.iter_mut().filter(|held| held.covers(ledger)) {
            match held.compare(&chain.entries, chain.dense) {
                Ok(_) if held.beside => {}
                Ok(found) => {
                    self.completeness.get_or_insert(found);
                }
                Err(refused) => self.refuse(id.name(), refused),
            }
        }
        self.held = held;
    }

    /// Checks that the chain is not shorter than somebody saw it.
    fn check_end(&mut self, id: &ChainId, receipts: usize) {
        let have = u64::try_from(receipts).unwrap_or(u64::MAX);
        let ledger = match id {
            ChainId::Ledger(ledger) => Some(ledger),
            ChainId::Linked(_) | ChainId::None | ChainId::SbRuntime(_) => None,
        };
        let longest = self.options.commitments.iter();
        let longest = longest.filter(|it| it.ledger.as_ref() == ledger);
        let want = longest.map(|it| it.count).max().unwrap_or(0);
        // What a checkpoint says of its ledger's length is told where it is compared.
        let told = ledger.is_some_and(|it| self.held.iter().any(|held| held.covers(it)));
        if want > have && !told && self.options.scope == Scope::Set {
            self.findings.push(Finding {
                code: SetCode::ChainTruncated,
                place: None,
                chain: id.name(),
                detail: format!("somebody saw {want} receipts; {have} are here"),
            });
        }
    }

    fn report(&mut self, id: &ChainId, faults: Vec<ChainFault>) {
        for (code, node, detail) in faults {
            let place = node.map(|node| self.place(&node));
            self.findings.push(Finding {
                code,
                place,
                chain: id.name(),
                detail,
            });
        }
    }

    fn place(&self, node: &Node) -> Place {
        let source = usize::try_from(node.source).ok();
        let source = source.and_then(|at| self.sources.get(at));
        Place {
            source: source.map_or_else(|| Arc::from(""), Arc::clone),
            number: (node.number > 0).then_some(u64::from(node.number)),
        }
    }

    fn words(&self, code: SetCode) -> String {
        let Counts { receipts, .. } = self.counts;
        match (code, self.findings.kept.iter().find(|it| it.code == code)) {
            (SetCode::Ok, _) => {
                format!("all {receipts} receipts are valid, and so is what joins them")
            }
            (_, Some(first)) => first.detail.clone(),
            (SetCode::Empty, None) => "there is no receipt".to_owned(),
            (SetCode::UnknownKey, None) => "a receipt names a key that was not given".to_owned(),
            (SetCode::SourceCorrupt, None) => "the ledger's file is damaged".to_owned(),
            (SetCode::SourceUnreadable, None) => "something could not be read".to_owned(),
            (SetCode::ReceiptInvalid, None) => {
                format!("{} of {receipts} receipts are invalid", self.counts.invalid)
            }
            (_, None) => format!(
                "{} of {receipts} receipts are undecidable",
                self.counts.undecidable
            ),
        }
    }
}

fn add(count: &mut u64) {
    *count = count.saturating_add(1);
}

/// How far the clocks of signer and verifier may be apart: five minutes.
const SKEW_US: i64 = 300_000_000;
