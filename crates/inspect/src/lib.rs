// SPDX-License-Identifier: Apache-2.0
//! Reads a tool call, as an agent wants to make it, and finds what should not be done.
//!
//! # Terms
//!
//! - *Call*: a tool's name and its parameters, a JSON value.
//! - *Reading*: what a call means: what its tool can do, which of its strings are shell text, URLs,
//!   paths or code, and which commands the shell text runs. Made once a call, on demand, and shared
//!   by all inspectors.
//! - *Inspector*: looks at a reading, and answers with findings. What it remembers between calls is
//!   kept in a session, an object of its own, so that one chain serves many sessions and threads.
//! - *Finding*: inspector, code, severity, message, and the bytes of the input that it is about.
//! - *Chain*: inspectors in order. The first deny stops it, unless everything is to be collected.
//!
//! # Budgets
//!
//! Input is hostile. All reading is iterative and linear, and counts bytes, nodes and depth; what
//! is over budget is denied with a code of its own. So is a call on which an inspector panics.
#![forbid(unsafe_code)]

mod budget;
mod call;
mod chain;
mod egress;
mod fields;
mod finding;
mod inspector;
mod net;
mod paths;
mod pattern;
mod reading;
mod repetition;
mod rules;
mod secrets;
mod sequence;
mod session;
mod shell;
mod spec;

pub use budget::{Limits, OverBudget};
pub use call::Call;
pub use chain::{InspectorChain, OnFailure};
pub use egress::EgressInspector;
pub use finding::{Finding, InspectionResult, Report, Severity, Span, Verdict};
pub use inspector::{Inspector, State};
pub use net::{AllowList, AllowListError, DEFAULT_HOSTS, Host, Place, Target};
pub use paths::{Paths, PathsOptions};
pub use pattern::{Ability, CallPattern, Pattern, PatternError, Texts};
pub use reading::{Capabilities, Key, Reading, Role, Text};
pub use repetition::{Repetition, RepetitionOptions};
pub use rules::{Rule, RuleError, RuleKind, Rules};
pub use secrets::{Fingerprint, FingerprintError, Secrets, SecretsOptions};
pub use sequence::{Same, Sequence, SequenceKind, SequenceRule};
pub use session::Session;
pub use shell::{Command, Flow, Origin, Program, Redirection, Word};
pub use spec::SpecError;
