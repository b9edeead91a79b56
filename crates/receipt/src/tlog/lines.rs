// SPDX-License-Identifier: Apache-2.0
//! What the text formats of logs have in common: lines, decimal numbers, hashes in base64.

use super::hash::Hash;
use crate::encoding::from_base64;

/// Reads a decimal number without sign and leading zeros.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let plain = text == "0" || !text.starts_with('0');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain && digits)
}

/// Reads a hash in padded base64.
pub(super) fn hash(text: &str) -> Option<Hash> {
    from_base64(text)
}

/// Takes the first line off, without its line feed.
pub(super) fn next<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let (line, after) = rest.split_once('\n')?;
    *rest = after;
    Some(line)
}

/// Takes hashes off, one for each line, up to the empty line that ends them.
pub(super) fn hashes(rest: &mut &str) -> Option<Vec<Hash>> {
    let mut hashes = Vec::new();
    loop {
        match next(rest)? {
            "" => return Some(hashes),
            line if hashes.len() < MAX_PROOF => hashes.push(hash(line)?),
            _ => return None,
        }
    }
}

/// The most hashes that a proof between trees of less than 2^64 leaves can have, and one more.
const MAX_PROOF: usize = 65;
