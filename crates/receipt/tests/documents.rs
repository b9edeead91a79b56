// SPDX-License-Identifier: Apache-2.0
//! The tables of `docs/receipt-format.md` say what the code does.
#![expect(clippy::unwrap_used, reason = "a broken document fails the test")]

use std::fs;
use std::path::PathBuf;

use ambit_receipt::disclosure::DisclosureCode;
use ambit_receipt::{Format, Status, VerdictCode};

/// The first two cells of every row whose first cell is code, marks taken off.
fn rows() -> Vec<[String; 2]> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/receipt-format.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let mut cells = line
            .split('|')
            .skip(1)
            .map(|cell| cell.trim().replace('`', ""));
        [cells.next().unwrap(), cells.next().unwrap()]
    })
    .collect()
}

fn verdict_row(code: VerdictCode) -> [String; 2] {
    let status = code.status(Some(Format::Acta)).as_str();
    let csc = code.status(Some(Format::Csc)).as_str();
    let status = if status == csc {
        status.to_owned()
    } else {
        format!("{status} (csc: {csc})")
    };
    [code.as_str().to_owned(), status]
}

#[test]
fn every_verdict_code_stands_in_its_table_with_its_status() {
    let mut want: Vec<_> = VerdictCode::ALL.into_iter().map(verdict_row).collect();
    want.sort();
    let rows = rows();
    let codes = rows
        .iter()
        .filter(|[code, _]| want.iter().any(|it| it[0] == *code));
    // `OK` stands in the table of disclosures, too.
    let mut got: Vec<_> = codes.cloned().collect();
    got.sort();
    got.dedup();
    assert_eq!(got, want);
}

#[test]
fn every_code_of_a_disclosure_stands_in_its_table_with_its_status() {
    let rows = rows();
    for code in DisclosureCode::ALL {
        let row = [code.as_str(), code.status().as_str()];
        assert!(rows.iter().any(|it| *it == row), "{row:?}");
    }
}

#[test]
fn only_ok_is_valid() {
    for code in VerdictCode::ALL {
        for format in [None, Some(Format::Acta), Some(Format::Csc)] {
            let valid = code.status(format) == Status::Valid;
            assert_eq!(valid, code == VerdictCode::Ok, "{code:?}");
        }
    }
}
