// SPDX-License-Identifier: Apache-2.0
//! A log in tiles: the files that the specification names, and nothing that fits them but the log.
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use ambit_receipt::SigningKey;
use ambit_receipt::tlog::{
    Checkpoint, Frontier, Hash, TileFile, TileFolder, Tiler, TilesError, leaf_hash,
    verify_tile_folder, verify_tiles,
};

use crate::naive;

fn tiled(size: u64) -> (BTreeMap<String, Vec<u8>>, Frontier) {
    let mut tiler = Tiler::new();
    let mut files: Vec<TileFile> = Vec::new();
    for digest in naive::digests(size) {
        files.extend(tiler.push(&digest).unwrap());
    }
    let (last, frontier) = tiler.finish();
    files.extend(last);
    let count = files.len();
    let files: BTreeMap<_, _> = files.into_iter().collect();
    assert_eq!(files.len(), count, "no file twice");
    (files, frontier)
}

fn hashes(bytes: &[u8]) -> &[Hash] {
    let (hashes, rest) = bytes.as_chunks();
    assert!(rest.is_empty());
    hashes
}

#[test]
fn the_example_of_the_specification_has_its_tiles() {
    let (files, frontier) = tiled(70_000);
    assert_eq!(frontier.size(), 70_000);
    let count = |prefix: &str, part: bool| {
        let of = |path: &&String| path.starts_with(prefix) && path.contains(".p/") == part;
        files.keys().filter(of).count()
    };
    assert_eq!([count("tile/0/", false), count("tile/0/", true)], [273, 1]);
    assert_eq!([count("tile/1/", false), count("tile/1/", true)], [1, 1]);
    assert_eq!([count("tile/2/", false), count("tile/2/", true)], [0, 1]);
    assert_eq!(
        [count("tile/entries/", false), count("tile/entries/", true)],
        [273, 1]
    );
    assert_eq!(files.len(), 551);
    for (path, hashes) in [
        ("tile/0/273.p/112", 112),
        ("tile/1/001.p/17", 17),
        ("tile/2/000.p/1", 1),
        ("tile/0/272", 256),
    ] {
        assert_eq!(files[path].len(), hashes * 32, "{path}");
    }
    // Leaves behind their length, leaf hashes, and roots of full tiles.
    let digests = naive::digests(70_000);
    assert_eq!(files["tile/entries/000"][..2], [0, 32]);
    assert_eq!(files["tile/entries/000"][2..34], digests[0]);
    assert_eq!(hashes(&files["tile/0/001"])[7], leaf_hash(&digests[263]));
    assert_eq!(
        hashes(&files["tile/1/000"])[3],
        naive::root(&digests[768..1024])
    );
    assert_eq!(
        hashes(&files["tile/2/000.p/1"])[0],
        naive::root(&digests[..65_536])
    );
}

#[test]
fn a_tree_of_one_full_tile_has_a_partial_one_above() {
    let (files, _) = tiled(256);
    let paths: Vec<&String> = files.keys().collect();
    assert_eq!(paths, ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    assert_eq!(tiled(0).0.len(), 0);
}

#[test]
fn tiles_of_any_size_lead_to_their_root() {
    for size in [0, 1, 2, 255, 256, 257, 511, 513, 1000] {
        let (files, frontier) = tiled(size);
        assert_eq!(frontier.root(), naive::root(&naive::digests(size)));
        let checkpoint = Checkpoint::new("log", size, frontier.root()).unwrap();
        let fetch = |path: &str| files.get(path).cloned().ok_or(());
        assert!(verify_tiles(&checkpoint, fetch).is_ok(), "{size}");
        let larger = Checkpoint::new("log", size + 1, frontier.root()).unwrap();
        let missing = verify_tiles(&larger, fetch);
        assert!(matches!(missing, Err(TilesError::Fetch(()))), "{size}");
    }
}

#[test]
fn any_changed_file_is_noticed() {
    let (files, frontier) = tiled(513);
    let checkpoint = Checkpoint::new("log", 513, frontier.root()).unwrap();
    let verify = |files: &BTreeMap<String, Vec<u8>>| {
        verify_tiles(&checkpoint, |path| files.get(path).cloned().ok_or(()))
    };
    assert!(verify(&files).is_ok());
    for path in files.keys() {
        for place in [0, files[path].len() - 1] {
            let mut changed = files.clone();
            changed.get_mut(path).unwrap()[place] ^= 1;
            assert!(verify(&changed).is_err(), "{path} {place}");
        }
        let mut longer = files.clone();
        longer.get_mut(path).unwrap().push(0);
        assert!(verify(&longer).is_err(), "{path}");
        let mut without = files.clone();
        without.remove(path);
        assert!(
            matches!(verify(&without), Err(TilesError::Fetch(()))),
            "{path}"
        );
    }
    // Another log altogether, in order by itself.
    let other = Checkpoint::new("log", 513, [1; 32]).unwrap();
    let root = verify_tiles(&other, |path| files.get(path).cloned().ok_or(()));
    assert!(matches!(root, Err(TilesError::Root)));
}

#[test]
fn a_folder_of_tiles_is_written_whole_and_read_back() {
    let root = tempfile::tempdir().unwrap();
    let (key, folder) = (SigningKey::from_seed(&[1; 32]), root.path().join("tiles"));
    let (digests, part) = (naive::digests(300), root.path().join("tiles.part"));
    let mut dropped = TileFolder::create(&folder).unwrap();
    for digest in &digests {
        dropped.push(digest).unwrap();
    }
    let busy = TileFolder::create(&folder).unwrap_err();
    assert_eq!(
        (busy.kind(), part.exists()),
        (ErrorKind::AlreadyExists, true)
    );
    let said = format!("`{}` exists already", part.display());
    assert_eq!(busy.to_string(), said);
    let other = dropped.finish("", &[1; 32]).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::InvalidData);
    assert!(!part.exists() && !folder.exists());

    let checkpoint = Checkpoint::new("log", 300, naive::root(&digests)).unwrap();
    // a slash behind the name changes nothing
    let mut written = TileFolder::create(&folder.join("")).unwrap();
    for digest in &digests {
        written.push(digest).unwrap();
    }
    let note = checkpoint.sign(&key).unwrap();
    let frontier = written.finish(&note, checkpoint.root()).unwrap();
    assert_eq!(frontier.root(), *checkpoint.root());
    let verify = |folder: &Path| {
        let opened = verify_tile_folder(folder, &[key.verifying_key()]);
        opened.map(|it| it.checkpoint).map_err(|error| error.code())
    };
    assert_eq!(verify(&folder), Ok(checkpoint));
    assert!(!part.exists());
    assert!(TileFolder::create(&folder).is_err());
    fs::write(folder.join("tile/0/000"), [0; 8192]).unwrap();
    assert_eq!(verify(&folder), Err("ERR_LEDGER_PROOF"));
    fs::remove_file(folder.join("tile/0/000")).unwrap();
    assert_eq!(verify(&folder), Err("ERR_LEDGER_UNAVAILABLE"));
}
