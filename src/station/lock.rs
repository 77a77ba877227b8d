//! One program per unit: a lock file that the operating system releases with the process,
//! however it ends.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// Holds the unit until it is dropped.
#[derive(Debug)]
pub struct UnitLock {
    _file: File,
}

/// Why a unit could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another program runs it.
    #[error(
        "unit {unit} is already run by another holder on this station ({path}); end that one \
         first, or use another unit"
    )]
    Taken {
        /// The unit.
        unit: String,
        /// The lock file.
        path: PathBuf,
    },
    /// The lock file cannot be used.
    #[error("the lock file {path} of unit {unit} cannot be used: {source}; check its folder")]
    File {
        /// The unit.
        unit: String,
        /// The lock file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl UnitLock {
    /// Takes the unit of the station in `dir`.
    ///
    /// # Errors
    /// It is taken, or the lock file cannot be made.
    pub fn take(dir: &Path, unit: &str) -> Result<Self, LockError> {
        let folder = dir.join("locks");
        let path = folder.join(format!("{unit}.lock"));
        let unusable =
            |source| LockError::File { unit: unit.to_owned(), path: path.clone(), source };
        fs::create_dir_all(&folder).map_err(unusable)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(LockError::Taken { unit: unit.to_owned(), path: path.clone() })
            }
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REQ-UNIT-01
    #[test]
    fn a_second_instance_is_kept_out_until_the_first_is_gone() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = UnitLock::take(dir.path(), "a").expect("free");
        assert!(matches!(UnitLock::take(dir.path(), "a"), Err(LockError::Taken { .. })));
        assert!(UnitLock::take(dir.path(), "b").is_ok(), "another unit is another lock");
        drop(first);
        assert!(UnitLock::take(dir.path(), "a").is_ok());
    }
}
