//! One program per unit: a lock that the operating system releases with the process, however it
//! ends. A lock file that is left over locks nothing.
//!
//! On Linux there are more: the lock on the file, and names that the kernel keeps, made of device and
//! inode of the folder and of the station's file. The names hold also where somebody has deleted or
//! replaced the lock file, and they are the same however folder or file are called; the lock file holds
//! also between containers.
//!
//! Two folders may describe one machine: a backup that was restored beside the station does. On
//! Linux a unit takes what it drives over the network, too, by names that know no folder.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use holder_hal::wire::{Holder, UnitSpec};

#[cfg(target_os = "linux")]
mod outputs;

/// Holds the unit until it is dropped.
#[derive(Debug)]
pub struct UnitLock {
    /// Not where it was taken only to make the machine safe.
    _file: Option<File>,
    #[cfg(target_os = "linux")]
    names: Vec<std::os::unix::net::UnixListener>,
}

/// Why a unit could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another program runs it.
    #[error(
        "unit {unit} is already run by another holder on this station ({}). End that one first, \
         by Ctrl-C where it runs{}; or use another unit",
        by.as_ref().map_or_else(|| path.display().to_string(), Holder::to_string),
        by.as_ref().map_or_else(String::new, |by| format!(
            ", or by kill {}: it switches the heat off, and the batch stays open", by.pid
        ))
    )]
    Taken {
        /// The unit.
        unit: String,
        /// The lock file.
        path: PathBuf,
        /// The program, if the system shows it.
        by: Option<Holder>,
    },
    /// Another program drives the machine.
    #[error(
        "unit {unit}: its {output} is already driven by another holder on this computer, from \
         another folder or for another unit; end that one first, or use another machine"
    )]
    Driven {
        /// The unit.
        unit: String,
        /// Role, device and address of what is driven.
        output: String,
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
        let path = lock_file(dir, unit);
        let unusable = |why| LockError::File { unit: unit.to_owned(), path: path.clone(), why };
        fs::create_dir_all(dir.join(FOLDER)).map_err(unusable)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(unusable)?;
        let taken = || {
            let by = Holder::of(&path);
            LockError::Taken { unit: unit.to_owned(), path: path.clone(), by }
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken()),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        #[cfg(target_os = "linux")]
        let names = match keep_own(dir, unit) {
            Ok(names) => names,
            Err(source) if source.kind() == std::io::ErrorKind::AddrInUse => return Err(taken()),
            Err(source) => return Err(unusable(source)),
        };
        Ok(Self {
            _file: Some(file),
            #[cfg(target_os = "linux")]
            names,
        })
    }

    /// The same to make the machine safe, of which a disk that takes no lock file must keep nobody:
    /// then the unit is taken by the kernel's name alone, and the reason why nothing may begin comes
    /// with it.
    ///
    /// # Errors
    /// It is taken, or it can be taken neither way.
    pub fn take_to_make_safe(
        dir: &Path,
        unit: &str,
    ) -> Result<(Self, Option<LockError>), LockError> {
        let (unit, path, why) = match Self::take(dir, unit) {
            Ok(lock) => return Ok((lock, None)),
            Err(LockError::File { unit, path, why }) => (unit, path, why),
            Err(taken @ (LockError::Taken { .. } | LockError::Driven { .. })) => return Err(taken),
        };
        match Self::by_name(dir, &unit) {
            Ok(lock) => Ok((lock, Some(LockError::File { unit, path, why }))),
            Err(fault) if fault.kind() == std::io::ErrorKind::AddrInUse => {
                let by = Holder::of(&path);
                Err(LockError::Taken { unit, path, by })
            }
            Err(_) => Err(LockError::File { unit, path, why }),
        }
    }

    #[cfg(target_os = "linux")]
    fn by_name(dir: &Path, unit: &str) -> std::io::Result<Self> {
        Ok(Self { _file: None, names: keep_own(dir, unit)? })
    }

    /// Only Linux has names that end with the program.
    #[cfg(not(target_os = "linux"))]
    fn by_name(_dir: &Path, _unit: &str) -> std::io::Result<Self> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// Takes also what the unit drives over sockets. A name for which the system has no room is let
    /// go: what is driven is then kept apart by the folder alone.
    ///
    /// # Errors
    /// Something of it is driven already.
    #[cfg(target_os = "linux")]
    pub fn with_outputs(mut self, spec: &UnitSpec) -> Result<Self, LockError> {
        for (name, output) in outputs::of(spec) {
            match keep(name) {
                Ok(name) => self.names.push(name),
                Err(fault) if fault.kind() == std::io::ErrorKind::AddrInUse => {
                    return Err(LockError::Driven { unit: spec.name().to_owned(), output });
                }
                Err(fault) => tracing::warn!(%fault, output, "another folder is not kept out"),
            }
        }
        Ok(self)
    }

    /// Keeps nobody in another folder out: only Linux has names that end with the program.
    ///
    /// # Errors
    /// None.
    #[cfg(not(target_os = "linux"))]
    pub fn with_outputs(self, _spec: &UnitSpec) -> Result<Self, LockError> {
        Ok(self)
    }
}

/// Where the lock files of a station lie.
const FOLDER: &str = "locks";

fn lock_file(dir: &Path, unit: &str) -> PathBuf {
    dir.join(FOLDER).join(format!("{unit}.lock"))
}

/// Who runs a unit of the station in `dir`, in words; `None` if nobody does. Nothing is made, and
/// nothing is taken for longer than this looks.
pub fn run_by(dir: &Path, unit: &str) -> Option<String> {
    let path = lock_file(dir, unit);
    if let Some(holder) = Holder::of(&path) {
        return Some(holder.to_string());
    }
    // A program of another user, or in another container, does not show.
    let file = File::open(&path).ok()?;
    let is_held = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    is_held.then(|| "a program that the system does not show".to_owned())
}

/// The names of a unit, kept: by its folder, however that is called, and by the station's file, to
/// which two folders may link.
#[cfg(target_os = "linux")]
fn keep_own(dir: &Path, unit: &str) -> std::io::Result<Vec<std::os::unix::net::UnixListener>> {
    use std::os::unix::fs::MetadataExt as _;

    let name = |kind, of: fs::Metadata| format!("holder{kind}{}/{}/{unit}", of.dev(), of.ino());
    let folder = name('/', fs::metadata(dir)?);
    // A station without its file is refused by whoever opens it.
    let file = fs::metadata(dir.join("holder.db")).ok().map(|file| name(':', file));
    [Some(folder), file].into_iter().flatten().map(keep).collect()
}

/// A name in the kernel's list of abstract sockets (unix(7)), on which nobody is answered.
#[cfg(target_os = "linux")]
fn keep(name: String) -> std::io::Result<std::os::unix::net::UnixListener> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixListener};

    UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REQ-UNIT-01
    #[test]
    fn a_second_instance_is_kept_out_until_the_first_is_gone() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(run_by(dir.path(), "a"), None);
        assert!(!dir.path().join(FOLDER).exists(), "who looks makes nothing");
        let first = UnitLock::take(dir.path(), "a").expect("free");
        assert!(run_by(dir.path(), "a").is_some());
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
    fn a_folder_that_links_to_the_file_of_a_station_is_kept_out_of_its_units() {
        let [station, linked] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        fs::write(station.path().join("holder.db"), "").expect("written");
        let link = linked.path().join("holder.db");
        std::os::unix::fs::symlink(station.path().join("holder.db"), &link).expect("linked");
        let first = UnitLock::take(station.path(), "a").expect("free");
        let second = UnitLock::take(linked.path(), "a");
        assert!(matches!(second, Err(LockError::Taken { .. })), "{second:?}");
        UnitLock::take(linked.path(), "b").expect("another unit");
        drop(first);
        UnitLock::take(linked.path(), "a").expect("free again");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn where_no_lock_file_can_be_made_a_machine_can_be_made_safe_but_not_behind_its_holder() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = UnitLock::take(dir.path(), "a").expect("free");
        fs::remove_dir_all(dir.path().join("locks")).expect("removed");
        fs::write(dir.path().join("locks"), "in the way").expect("written");
        let second = UnitLock::take_to_make_safe(dir.path(), "a");
        assert!(matches!(second, Err(LockError::Taken { .. })), "{second:?}");
        drop(first);
        let (_lock, why) = UnitLock::take_to_make_safe(dir.path(), "a").expect("by name");
        assert!(matches!(why, Some(LockError::File { .. })), "nothing may begin: {why:?}");
        let third = UnitLock::take_to_make_safe(dir.path(), "a");
        assert!(matches!(third, Err(LockError::Taken { .. })), "{third:?}");
    }

    /// The shipped demo unit, with what it drives at this socket and these addresses.
    #[cfg(target_os = "linux")]
    fn driving(panel: &str, controller: u8, relays: u8) -> UnitSpec {
        use crate::station::config::{Library, StationConfig};

        let at = |address: u8| format!("bus = \"panel\"\naddress = {address}");
        let text = crate::profiles::station("demo").expect("shipped");
        let text = text.replace("127.0.0.1:15021", panel).replace(&at(2), &at(relays));
        let text = text.replace(&at(1), &at(controller));
        let station = StationConfig::parse("demo", &text, Library::shipped()).expect("valid");
        station.unit("demo").expect("there").spec().expect("holds together")
    }

    /// REQ-UNIT-01
    #[cfg(target_os = "linux")]
    #[test]
    fn one_machine_is_not_driven_from_two_folders() {
        let [first, again] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let take = |dir: &tempfile::TempDir, panel: &str, controller, relays| {
            let lock = UnitLock::take(dir.path(), "demo").expect("a folder of its own");
            lock.with_outputs(&driving(panel, controller, relays))
        };
        // Nobody listens there, and no other test drives it.
        let held = take(&first, "127.0.0.1:15971", 1, 2).expect("free");
        let ways = ["127.0.0.1:15971", "localhost:15971", "LOCALHOST:15971"];
        for same in ways.into_iter().chain(["[::ffff:127.0.0.1]:15971"]) {
            let refused = take(&again, same, 1, 12).expect_err(same).to_string();
            assert!(refused.contains("device controller at"), "{refused}");
            assert!(refused.contains("another holder on this computer"), "{refused}");
        }
        let relays = take(&again, "127.0.0.1:15971", 11, 2).expect_err("taken").to_string();
        assert!(relays.contains("device relays at 127.0.0.1:15971, address 2"), "{relays}");
        take(&again, "127.0.0.1:15971", 11, 12).expect("other devices behind the same gateway");
        take(&again, "127.0.0.1:15972", 1, 2).expect("another gateway");
        drop(held);
        take(&again, "localhost:15971", 1, 2).expect("free again");
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
