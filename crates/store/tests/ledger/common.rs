// SPDX-License-Identifier: Apache-2.0
//! What several tests need: entries, and this test binary started again as another process.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use ambit_store::{
    AppendError, Appended, Ledger, LedgerError, NewEntry, OpenOptions, Phase, Position, RunId,
};

pub(crate) fn open(folder: &Path) -> Ledger {
    Ledger::open(folder, &OpenOptions::default()).unwrap()
}

pub(crate) fn entry(phase: Phase, run: &str) -> NewEntry {
    NewEntry {
        phase,
        run_id: RunId::try_from(run).unwrap(),
        created_at_ms: 1_700_000_000_000,
        consumes: Vec::new(),
    }
}

/// Stands for a signature: the bytes name their place.
pub(crate) fn seal(position: &Position) -> Vec<u8> {
    let previous = position.previous.map(hex);
    format!("{} {} {previous:?}", position.ledger_id, position.seq).into_bytes()
}

pub(crate) fn append(ledger: &Ledger, phase: Phase, run: &str) -> Result<Appended, LedgerError> {
    match ledger.append(entry(phase, run), |position| {
        Ok::<_, Infallible>(seal(position))
    }) {
        Ok(appended) => Ok(appended),
        Err(AppendError::Ledger(error)) => Err(error),
        Err(AppendError::Seal(never)) => match never {},
    }
}

pub(crate) fn hex(digest: [u8; 32]) -> String {
    let (high, low) = digest.split_at(16);
    let number = |half: &[u8]| u128::from_be_bytes(half.try_into().unwrap());
    format!("{:032x}{:032x}", number(high), number(low))
}

/// This test binary, to run the ignored test `role` on `folder`. With `shell`, a shell runs those
/// commands first and then becomes the role.
pub(crate) fn role(role: &str, folder: &Path, shell: Option<&str>) -> Command {
    let binary = std::env::current_exe().unwrap();
    let mut command = match shell {
        None => Command::new(binary),
        Some(first) => {
            let mut command = Command::new("/bin/sh");
            command
                .arg("-c")
                .arg(format!("{first}; exec \"$0\" \"$@\""))
                .arg(binary);
            command
        }
    };
    command
        .args([
            "--exact",
            role,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// The folder that a role was given; `None` when a person runs the ignored tests.
pub(crate) fn role_folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

pub(crate) fn start(mut command: Command) -> (Child, BufReader<ChildStderr>) {
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap());
    (child, lines)
}

/// The next line that a role said; `None` when it has ended.
pub(crate) fn next_line(lines: &mut BufReader<ChildStderr>) -> Option<String> {
    let mut line = String::new();
    let count = lines.read_line(&mut line).unwrap();
    (count > 0).then(|| line.trim_end().to_owned())
}

/// Waits until the parent closes our standard input, or for ever.
pub(crate) fn wait_for_parent() {
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}

const FOLDER: &str = "AMBIT_STORE_TEST_FOLDER";
