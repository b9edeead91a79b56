// SPDX-License-Identifier: Apache-2.0
//! The transparency log over a ledger: what shows that nothing is missing.
//!
//! # Terms
//!
//! - A **leaf** is the SHA-256 digest of one entry's exact bytes, 32 bytes. A log publishes digests,
//!   never receipts.
//! - The **tree** over the leaves is that of RFC 6962 section 2.1 (the same in RFC 9162): leaf hash
//!   `SHA-256(0x00 ‖ leaf)`, node hash `SHA-256(0x01 ‖ left ‖ right)`.
//! - A **root** is the one hash over the first `size` leaves.
//! - An **inclusion proof** shows that a leaf is in a tree; a **consistency proof**, that one tree
//!   is the beginning of another.
//! - A **checkpoint** ([`Checkpoint`]) is a signed note that names a log, its size and its root.
//! - A **cosignature** is the word of a **witness** that it saw the checkpoint, and that the log
//!   only grew since the last one it saw.
//!
//! The formats are those of C2SP: `signed-note`, `tlog-checkpoint`, `tlog-cosignature` (Ed25519),
//! `tlog-proof`, `tlog-tiles`, and the request of `tlog-witness`.
//!
//! # Example
//!
//! ```
//! use ambit_receipt::SigningKey;
//! use ambit_receipt::tlog::{Checkpoint, Frontier, NoteKey, leaf_hash};
//!
//! let mut frontier = Frontier::new();
//! for digest in [[1; 32], [2; 32], [3; 32]] {
//!     frontier.append(leaf_hash(&digest))?;
//! }
//! let checkpoint = Checkpoint::new("ambit-ledger/0123", frontier.size(), frontier.root())?;
//! let key = SigningKey::from_seed(&[7; 32]);
//! let note = checkpoint.sign(&key)?;
//!
//! let trusted = NoteKey::ed25519("ambit-ledger/0123", key.verifying_key())?;
//! let opened = Checkpoint::open(note.as_bytes(), &[trusted])?;
//! assert_eq!(opened.checkpoint, checkpoint);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checkpoint;
mod compare;
mod cosignature;
mod frontier;
mod hash;
mod key;
mod lines;
mod note;
mod proof_file;
mod prove;
mod tiles;
mod tiles_folder;
mod verify;
mod witness;
mod witness_file;

pub use checkpoint::{Checkpoint, CheckpointError, OpenedCheckpoint, ledger_origin};
pub use compare::{Comparison, Completeness, compare};
pub use cosignature::{Cosignature, WitnessError, WitnessPolicy, cosign};
pub use frontier::{Frontier, TreeError};
pub use hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
pub use key::{NoteKey, NoteKeyError, SignatureKind};
pub use note::{Note, NoteError, NoteSignature};
pub use proof_file::{TlogProof, TlogProofError};
pub use prove::{ProveError, Prover};
pub use tiles::{TileFile, Tiler, TilesError, verify_tiles};
pub use tiles_folder::{TileFolder, TileFolderError, verify_tile_folder};
pub use verify::{
    ProofError, verify_consistency, verify_inclusion, verify_subtree_consistency,
    verify_subtree_inclusion,
};
pub use witness::{WitnessRefusal, WitnessRequest, WitnessState};
pub use witness_file::{Witness, WitnessingError};
