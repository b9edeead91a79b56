// SPDX-License-Identifier: Apache-2.0
//! A folder of receipts: every `*.json` and `*.jsonl` in it, by name, without its own folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Item, Shape, Source, content, names};

/// Reads a folder.
pub(super) fn of_folder(folder: &Path, name: &Arc<str>) -> Source {
    let mut found: Vec<String> = match list(folder) {
        Ok(found) => found,
        Err(error) => return Source::unreadable(name, &error),
    };
    found.sort_by(|a, b| names::compare(a, b));
    let names: Vec<&str> = found.iter().map(String::as_str).collect();
    let shape = match found.as_slice() {
        [only] if is_lines(only) => Shape::Ordered,
        _ if found.iter().any(|it| is_lines(it)) => Shape::Unordered,
        _ if names::are_counted(&names) => Shape::Ordered,
        _ => Shape::Unordered,
    };
    let folder: PathBuf = folder.to_path_buf();
    let checkpoint = std::fs::metadata(folder.join(CHECKPOINT))
        .ok()
        .filter(|it| it.is_file() && it.len() <= MAX_CHECKPOINT_BYTES)
        .and_then(|_| std::fs::read(folder.join(CHECKPOINT)).ok());
    let items = found
        .into_iter()
        .flat_map(move |file| -> Box<dyn Iterator<Item = Item> + Send> {
            let path = folder.join(&file);
            let name: Arc<str> = Arc::from(path.to_string_lossy());
            content::of_file(&path, &name).items
        });
    Source::new(name, items, shape).with_checkpoint(checkpoint)
}

fn list(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let wanted = Path::new(&name).extension().and_then(|it| it.to_str());
        if matches!(wanted, Some("json" | "jsonl" | "ndjson")) && name != LEDGER_HEAD {
            found.push(name);
        }
    }
    Ok(found)
}

pub(super) fn is_lines(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|it| it.to_str());
    matches!(extension, Some("jsonl" | "ndjson"))
}

/// The checkpoint of an exported log.
const CHECKPOINT: &str = "checkpoint";
/// What an exported ledger says of itself; it holds no receipt.
const LEDGER_HEAD: &str = "ledger.json";
const MAX_CHECKPOINT_BYTES: u64 = 1 << 16;
