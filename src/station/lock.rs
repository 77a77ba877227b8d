//! One program per unit: a lock that the operating system releases with the process, however it
//! ends. A lock file that is left over locks nothing.
//!
//! On Linux there are two: the lock on the file, and a name that the kernel keeps, made of the
//! folder's device and inode. The name holds also where somebody has deleted or replaced the file,
//! and it is the same however the folder is called; the file holds also between containers.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// Holds the unit until it is dropped.
#[derive(Debug)]
pub struct UnitLock {
    _file: File,
    #[cfg(target_os = "linux")]
    _name: std::os::unix::net::UnixListener,
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
    #[error("the lock file {path} of unit {unit} cannot be used: {why}; check its folder")]
    File {
        /// The unit.
        unit: String,
        /// The lock file.
        path: PathBuf,
        /// The system's reason. Not a `source`: the sentence has it, and a chain would repeat it.
        why: std::io::Error,
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
        let unusable = |why| LockError::File { unit: unit.to_owned(), path: path.clone(), why };
        fs::create_dir_all(&folder).map_err(unusable)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(unusable)?;
        let taken = || LockError::Taken { unit: unit.to_owned(), path: path.clone() };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken()),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        #[cfg(target_os = "linux")]
        let name = match kept_name(dir, unit) {
            Ok(name) => name,
            Err(source) if source.kind() == std::io::ErrorKind::AddrInUse => return Err(taken()),
            Err(source) => return Err(unusable(source)),
        };
        Ok(Self {
            _file: file,
            #[cfg(target_os = "linux")]
            _name: name,
        })
    }
}

/// A name in the kernel's list of abstract sockets (unix(7)), on which nobody is answered.
#[cfg(target_os = "linux")]
fn kept_name(dir: &Path, unit: &str) -> std::io::Result<std::os::unix::net::UnixListener> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::net::{SocketAddr, UnixListener};

    let folder = fs::metadata(dir)?;
    let name = format!("holder/{}/{}/{unit}", folder.dev(), folder.ino());
    UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)
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

    #[test]
    fn a_lock_file_that_was_left_over_or_written_into_locks_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("locks")).expect("made");
        fs::write(dir.path().join("locks/a.lock"), "12345").expect("written");
        assert!(UnitLock::take(dir.path(), "a").is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn neither_a_deleted_lock_file_nor_another_way_to_the_folder_lets_a_second_one_in() {
        let dir = tempfile::tempdir().expect("a folder");
        let station = dir.path().join("station");
        fs::create_dir(&station).expect("made");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&station, &link).expect("linked");
        let _first = UnitLock::take(&station, "a").expect("free");
        assert!(matches!(UnitLock::take(&link, "a"), Err(LockError::Taken { .. })));
        fs::remove_dir_all(station.join("locks")).expect("somebody tidied up");
        for way in [&station, &link, &station.join("../station")] {
            assert!(matches!(UnitLock::take(way, "a"), Err(LockError::Taken { .. })), "{way:?}");
        }
    }
}
