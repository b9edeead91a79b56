// SPDX-License-Identifier: Apache-2.0
//! Measures what the search for what is protected adds to a launch of `/bin/true`, before and after
//! the run: one launch with all protections beside one with none, interleaved, in trees of several
//! sizes. Prints the minimum and median of both in microseconds.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use ambit_sandbox::{Cancel, LaunchPlan, Streams, launch};

type Failure = Box<dyn std::error::Error>;

const ROUNDS: usize = 15;
const ALL: &str = r#"["auto_run","credentials","dotenv","git_config","git_hooks"]"#;

fn main() -> Result<(), Failure> {
    let holder = tempfile::tempdir()?;
    let top = fs::canonicalize(holder.path())?;
    for (name, folders) in [("empty", 0), ("folders", 1_000), ("node_modules", 15_000)] {
        let work = top.join(name);
        tree(&work, folders)?;
        let [with, without] = ["[]", ALL].map(|lifted| plan(&work, lifted));
        let (with, without) = (with?, without?);
        let mut times = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            for (plan, times) in [&with, &without].into_iter().zip(&mut times) {
                let begun = Instant::now();
                launch(plan, Streams::default(), &Cancel::new()?)?;
                times.push(begun.elapsed().as_micros());
            }
        }
        let [with, without] = times.map(|mut times| {
            times.sort_unstable();
            let at = |index: usize| times.get(index).copied().unwrap_or_default();
            format!("min {} median {}", at(0), at(ROUNDS / 2))
        });
        println!("{name} ({folders} folders): protected {with}; lifted {without}");
    }
    Ok(())
}

/// Packages of three folders (`NAME`, `lib`, `lib/x`) with four files each.
fn tree(work: &Path, folders: usize) -> Result<(), Failure> {
    fs::create_dir_all(work)?;
    for index in 0..folders / 3 {
        let package = work.join(format!("node_modules/package-{index}"));
        fs::create_dir_all(package.join("lib/x"))?;
        for folder in [package.clone(), package.join("lib"), package.join("lib/x")] {
            for file in ["a.js", "b.js", "c.js", "package.json"] {
                fs::write(folder.join(file), "")?;
            }
        }
    }
    Ok(())
}

fn plan(work: &Path, lifted: &str) -> Result<LaunchPlan, Failure> {
    let work = serde_json::to_string(work)?;
    let text = format!(
        r#"{{"executable":"/usr/bin/true","argv":["true"],"env":{{}},"cwd":{work},"read_paths":[],
        "write_paths":[{work}],"lifted_protections":{lifted},"network":"deny","timeout_ms":30000}}"#
    );
    Ok(serde_json::from_str(&text)?)
}
