// SPDX-License-Identifier: Apache-2.0
//! The N-API addon: conversions only, no logic.
//!
//! Every entry point answers with an object of kind `ok` or `err`; none throws for what a caller
//! may meet. A panic is caught at the border and becomes a rejected call, never an abort.
//! `src/native.ts` is the only file that loads this addon.

#![expect(
    missing_debug_implementations,
    reason = "JavaScript's objects; some hold secrets"
)]
#![expect(clippy::new_without_default, reason = "JavaScript makes these")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "N-API hands owned values over"
)]

pub mod answer;
pub mod documents;
pub mod inspect;
pub mod json;
pub mod keys;
pub mod ledger;
mod ledger_source;
pub mod own_keys;
pub mod receipts;
pub mod run;
mod set_report;
pub mod stored;
pub mod tlog;
pub mod verify;
