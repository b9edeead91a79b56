// SPDX-License-Identifier: Apache-2.0
//! Runs a launch plan given as JSON on standard input; prints the outcome as JSON.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::io::Write;

use ambit_sandbox::{Cancel, LaunchPlan, Sink, Streams, launch, probe};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).as_deref() == Some("probe") {
        println!("{}", serde_json::to_string_pretty(&probe())?);
        return Ok(());
    }
    let plan: LaunchPlan = serde_json::from_reader(std::io::stdin().lock())?;
    let streams = Streams {
        stdout: Some(Sink::call(|bytes| drop(std::io::stdout().write_all(bytes)))),
        stderr: Some(Sink::call(|bytes| drop(std::io::stderr().write_all(bytes)))),
        ..Streams::default()
    };
    match launch(&plan, streams, &Cancel::new()?) {
        Ok(outcome) => println!("{}", serde_json::to_string_pretty(&outcome)?),
        Err(error) => println!("{} {error} {:?}", error.code(), error),
    }
    Ok(())
}
