// SPDX-License-Identifier: Apache-2.0
//! Any bytes as a note, a checkpoint, a note key, a request to a witness or its state: what is read
//! is written back as it was.
#![no_main]

use ambit_receipt::tlog::{Checkpoint, Note, NoteKey, WitnessRequest, WitnessState};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        if let Ok(checkpoint) = Checkpoint::parse(note.text()) {
            assert_eq!(checkpoint.text(), note.text());
        }
        // Nobody is trusted.
        assert!(Checkpoint::open_by(&note.to_string().into_bytes(), &[]).is_err());
    }
    if let Ok(request) = WitnessRequest::parse(bytes) {
        let again = WitnessRequest::parse(request.to_string().as_bytes());
        assert_eq!(again, Ok(request));
    }
    if let Ok(state) = WitnessState::parse(bytes) {
        assert_eq!(WitnessState::parse(state.to_json().as_bytes()), Ok(state));
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(key) = text.parse::<NoteKey>()
    {
        assert_eq!(key.to_string(), text);
    }
});
