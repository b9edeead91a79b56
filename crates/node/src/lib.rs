// SPDX-License-Identifier: Apache-2.0
//! The N-API addon: conversions only, no logic.
//!
//! Every entry point answers with an object of kind `ok` or `err`; none throws for what a caller
//! may meet. A panic is caught at the border and becomes a rejected call, never an abort.
//! `src/native.ts` is the only file that loads this addon.

mod answer;
mod json;
mod keys;
mod ledger;
mod receipts;
mod run;
