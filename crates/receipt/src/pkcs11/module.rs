// SPDX-License-Identifier: Apache-2.0
//! PKCS#11 modules: native code, loaded once and kept.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use super::TokenError;
use crate::key_file::effective_uid;

/// Modules by their real path. A module's state belongs to the process and is shared by all keys in
/// it: none is ever finalised, and none is unloaded while the process lives.
static LOADED: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// Returns the module at `path`, loaded and ready.
pub(super) fn load(path: &Path) -> Result<Pkcs11, TokenError> {
    let real = trusted(path)?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let module = match loaded.get(&real) {
        Some(module) => module.clone(),
        None => Pkcs11::new(&real).map_err(|error| TokenError::Module(real.clone(), error))?,
    };
    // Again for a module that is loaded: after a fork, the child must do it for itself.
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(TokenError::Module(real, error)),
    }
    loaded.insert(real, module.clone());
    Ok(module)
}

/// Returns the path without links, if it is a file that only root or this user could have written,
/// in folders of which that is true as well.
fn trusted(path: &Path) -> Result<PathBuf, TokenError> {
    let untrusted = |path: &Path| TokenError::ModuleUntrusted(path.to_owned());
    let real = fs::canonicalize(path).map_err(|_missing| untrusted(path))?;
    let own = effective_uid().map_err(|_unknown| untrusted(path))?;
    for (depth, place) in real.ancestors().enumerate() {
        let found = fs::metadata(place).map_err(|_missing| untrusted(place))?;
        let is_module = depth == 0;
        let sticky = found.is_dir() && found.mode() & libc::S_ISVTX != 0;
        let shut = found.mode() & 0o022 == 0 || sticky;
        let owned = found.uid() == own || found.uid() == 0;
        let is_regular = found.mode() & libc::S_IFMT == libc::S_IFREG;
        if !owned || !shut || is_module != is_regular {
            return Err(untrusted(place));
        }
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_module_that_others_could_have_written_is_not_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().canonicalize().unwrap();
        let (module, link) = (place.join("module.so"), place.join("link.so"));
        fs::write(&module, "not a library").unwrap();
        symlink(&module, &link).unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for (file, parent, fault) in [
            (0o644, 0o700, None),
            (0o755, 0o755, None),
            (0o664, 0o700, Some(&module)),
            (0o646, 0o700, Some(&module)),
            (0o644, 0o777, Some(&place)),
            (0o644, 0o770, Some(&place)),
            (0o644, 0o1777, None),
        ] {
            set(&module, file);
            set(&place, parent);
            for path in [&module, &link] {
                let got = match trusted(path) {
                    Ok(real) => {
                        assert_eq!(real, module);
                        None
                    }
                    Err(TokenError::ModuleUntrusted(at)) => Some(at),
                    Err(other) => panic!("{other}"),
                };
                assert_eq!(got.as_ref(), fault, "{file:o} {parent:o}");
            }
        }
        let code = |path: &Path| load(path).map_err(|error| error.code()).err();
        for path in [&module, &place, &place.join("missing")] {
            assert_eq!(code(path), Some("ERR_KEY_MODULE"), "{}", path.display());
        }
    }
}
