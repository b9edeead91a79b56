// SPDX-License-Identifier: Apache-2.0
//! From a launch plan to an outcome: builds the sandbox on the running kernel, runs one command
//! in it, and says what was really enforced.
//!
//! *Launch plan*: what a run may see, write and use; typed data with unknown fields refused.
//! *Layout*: the plan resolved against this machine, every path opened once. *Program*: the steps
//! the launcher obeys. *Outcome*: how the command ended. *Enforcement*: each mechanism with what
//! was observed from inside.
//!
//! ```no_run
//! use ambit_sandbox::{Cancel, LaunchPlan, Streams, launch};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let plan: LaunchPlan = serde_json::from_str(
//!     r#"{"executable":"/usr/bin/id","argv":["id"],"env":{},"cwd":"/usr","read_paths":[],
//!         "write_paths":[],"network":"deny","timeout_ms":5000}"#,
//! )?;
//! let outcome = launch(&plan, Streams::default(), &Cancel::new()?)?;
//! println!("{:?}", outcome.termination);
//! # Ok(())
//! # }
//! ```
#![deny(unsafe_code)]

mod anchor;
mod blocked;
mod cgroup;
mod command;
mod counting;
mod enforcement;
mod error;
mod extras;
mod filter;
mod hold;
mod host;
mod image;
mod launch;
mod layout;
mod lite;
mod local;
mod outcome;
mod plan;
mod probe;
mod program;
mod protection;
mod reached;
mod remote;
mod ruleset;
mod start;
mod stream;
mod supervise;
mod surface;
mod sys;
mod tier;
mod waiting;

pub use enforcement::{Enforcement, Mechanism, State, Tier};
pub use error::SandboxError;
pub use image::launcher_image;
pub use launch::{launch, unwaiting_pipe};
pub use local::launch_local;
pub use nix::errno::Errno;
pub use outcome::{End, Limit, LimitReached, Outcome, Termination};
pub use plan::{
    Floor, LaunchPlan, Limits, Network, OutputLimits, SecretPlace, Segment, Stdin, WindowSize,
};
pub use probe::{ProbeReport, TierReport, probe};
pub use protection::Protection;
pub use stream::{Sink, StreamOutcome, Streams};
pub use supervise::Cancel;
pub use surface::{OnMissingPath, Proc, Profile};
pub use sys::duplicate;
