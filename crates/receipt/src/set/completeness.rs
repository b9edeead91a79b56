// SPDX-License-Identifier: Apache-2.0
//! What a checkpoint that was kept elsewhere, or a proof of one receipt, says of a set.

use super::SetCode;
use super::node::Node;
use super::options::Commitment;
use super::report::Completeness;
use crate::key::{KeySet, VerifyingKey};
use crate::tlog::{
    Checkpoint, Comparison, Cosignature, OpenedCheckpoint, TlogProof, WitnessError, WitnessPolicy,
    leaf_hash, ledger_origin, verify_inclusion,
};

/// A checkpoint, or a proof with its checkpoint, by a key that is trusted.
#[derive(Clone, Debug)]
pub(super) struct Held {
    checkpoint: Checkpoint,
    witnesses: Vec<Cosignature>,
    /// Of a proof: the entry that it is about.
    proof: Option<TlogProof>,
    /// The size of the latest checkpoint that came with the receipts, if one did.
    own_size: Option<u64>,
    pub(super) used: bool,
    /// Whether it came with the receipts, beside others that did not: it may find what is missing,
    /// and vouches for nothing.
    pub(super) beside: bool,
}

/// Why a checkpoint does not count.
pub(super) type Refused = (SetCode, String);

impl Held {
    /// Opens a checkpoint or a proof. It must be signed by a trusted key that was not revoked: a
    /// checkpoint has no time of its own that could be before the revocation.
    pub(super) fn open(
        bytes: &[u8],
        keys: &KeySet,
        policy: &WitnessPolicy,
        own: &[Vec<u8>],
    ) -> Result<Self, Refused> {
        let refused = |detail: String| (SetCode::CheckpointInvalid, detail);
        let proof = bytes
            .starts_with(PROOF_HEADER)
            .then(|| TlogProof::parse(bytes))
            .transpose()
            .map_err(|error| refused(error.to_string()))?;
        let note = proof.as_ref().map_or(bytes, |it| it.checkpoint.as_bytes());
        let usable = keys.all().into_iter().filter(|it| !keys.is_revoked(&[it]));
        let usable: Vec<VerifyingKey> = usable.map(|trusted| trusted.key).collect();
        let opened: OpenedCheckpoint =
            Checkpoint::open_by(note, &usable).map_err(|error| refused(error.to_string()))?;
        let witnesses = policy.check(&opened).map_err(|error| match error {
            WitnessError::Quorum { .. } => (SetCode::WitnessesMissing, error.to_string()),
            WitnessError::Signature { .. } => refused(error.to_string()),
        })?;
        let own = own
            .iter()
            .filter_map(|note| Checkpoint::open_by(note, &usable).ok());
        Ok(Self {
            own_size: own
                .filter(|own| own.checkpoint.origin() == opened.checkpoint.origin())
                .map(|own| own.checkpoint.size())
                .max(),
            checkpoint: opened.checkpoint,
            witnesses,
            proof,
            used: false,
            beside: false,
        })
    }

    /// What its witnesses say of when its entries were there.
    pub(super) fn commitments(&self) -> Vec<Commitment> {
        let ledger = self.checkpoint.origin().strip_prefix(&ledger_origin(""));
        let Some(ledger) = ledger else {
            return Vec::new();
        };
        let seen = |it: &Cosignature| Commitment {
            ledger: Some(ledger.to_owned()),
            count: self.checkpoint.size(),
            terminal: None,
            time_us: i64::try_from(it.time).map_or(i64::MAX, |it| it.saturating_mul(1_000_000)),
            skew_us: SKEW_US,
        };
        self.witnesses.iter().map(seen).collect()
    }

    /// Whether it is about this ledger.
    pub(super) fn covers(&self, ledger: &str) -> bool {
        self.checkpoint.origin() == ledger_origin(ledger)
    }

    /// Holds all entries of its ledger against it.
    pub(super) fn compare(
        &mut self,
        entries: &[Node],
        dense: bool,
    ) -> Result<Completeness, Refused> {
        self.used = true;
        if let Some(proof) = &self.proof {
            let at = proof.index.checked_add(1);
            let entry = entries
                .iter()
                .find(|node| Some(node.seq) == at && node.valid);
            return self.include(entry, proof);
        }
        let size = self.checkpoint.size();
        if !dense {
            let detail = "entries that the checkpoint covers are missing".to_owned();
            return Err((SetCode::ChainGap, detail));
        }
        let mut comparison = Comparison::new(&self.checkpoint);
        for node in entries {
            if let Err(error) = comparison.push(&node.own) {
                return Err((SetCode::CheckpointInvalid, error.to_string()));
            }
        }
        match comparison.finish(self.own_size) {
            crate::tlog::Completeness::Complete { size: have } => {
                Ok(Completeness::CompleteToCheckpoint {
                    origin: self.checkpoint.origin().to_owned(),
                    size,
                    beyond: have.saturating_sub(size),
                    witnesses: self.names(),
                })
            }
            crate::tlog::Completeness::Forked { size, .. } => {
                let detail = format!("the first {size} entries are not those of the checkpoint");
                Err((SetCode::LogForked, detail))
            }
            crate::tlog::Completeness::RolledBack { have, want } => {
                let detail = format!(
                    "the ledger is in an earlier state: {have} entries, and its own checkpoint is \
                     older than the one of {want}"
                );
                Err((SetCode::LogRolledBack, detail))
            }
            crate::tlog::Completeness::Truncated { have, want } => {
                let detail = format!("the checkpoint covers {want} entries; {have} are here");
                Err((SetCode::ChainTruncated, detail))
            }
        }
    }

    fn include(&self, entry: Option<&Node>, proof: &TlogProof) -> Result<Completeness, Refused> {
        let refused = |detail: &str| (SetCode::ProofInvalid, detail.to_owned());
        let entry =
            entry.ok_or_else(|| refused("the receipt that the proof is about is not here"))?;
        let (size, root) = (self.checkpoint.size(), self.checkpoint.root());
        verify_inclusion(
            proof.index,
            size,
            &leaf_hash(&entry.own),
            &proof.hashes,
            root,
        )
        .map_err(|error| refused(&error.to_string()))?;
        Ok(Completeness::Included {
            origin: self.checkpoint.origin().to_owned(),
            seq: entry.seq,
            size,
            witnesses: self.names(),
        })
    }

    /// What is to be said when none of the chains is its own.
    pub(super) fn unused(&self, receipts: u64) -> Refused {
        if receipts == 0 {
            let detail = format!(
                "the checkpoint covers {} entries; none is here",
                self.checkpoint.size()
            );
            return (SetCode::ChainTruncated, detail);
        }
        let detail = "no receipt here is of the ledger that the checkpoint covers".to_owned();
        (SetCode::CheckpointUnused, detail)
    }

    fn names(&self) -> Vec<String> {
        let names = self.witnesses.iter().map(|it| it.witness.name().to_owned());
        names.collect()
    }
}

/// How a proof of one entry begins.
const PROOF_HEADER: &[u8] = b"c2sp.org/tlog-proof@";
/// How far the clocks of signer and witness may be apart: five minutes.
const SKEW_US: i64 = 300_000_000;
