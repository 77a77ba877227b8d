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
use std::time::Duration;

use holder_hal::wire::{Holder, UnitSpec};

use super::in_time::in_time;

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
         by Ctrl-C where it runs: it switches the heat off, and a batch is closed as incomplete{}; or \
         use another unit",
        by.as_ref().map_or_else(|| path.display().to_string(), |by| format!("process {}", by.pid)),
        by.as_ref().map_or_else(String::new, |by| format!(
            "; by kill {}: it switches the heat off, and the batch stays open", by.pid
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
        let file = take_file(dir, unit)?;
        Self::take_names(dir, unit, Some(file))
    }

    /// The same to make the machine safe, of which a disk that takes no lock file, or hangs, must keep
    /// nobody: then the unit is taken by the kernel's name alone, and the reason why nothing may begin
    /// comes with it.
    ///
    /// # Errors
    /// It is taken, or it can be taken neither way.
    pub fn take_to_make_safe(
        dir: &Path,
        unit: &str,
    ) -> Result<(Self, Option<LockError>), LockError> {
        Self::take_within(FILE_WITHIN, dir, unit)
    }

    fn take_within(
        within: Duration,
        dir: &Path,
        unit: &str,
    ) -> Result<(Self, Option<LockError>), LockError> {
        let whose = (dir.to_owned(), unit.to_owned());
        let late = || unusable(dir, unit, hangs());
        // One that comes too late is given back at once.
        let file = in_time(within, move || take_file(&whose.0, &whose.1));
        let file = file.unwrap_or_else(|| Err(late()));
        let (file, why) = match file {
            Ok(file) => (Some(file), None),
            Err(why @ LockError::File { .. }) => (None, Some(why)),
            Err(taken @ (LockError::Taken { .. } | LockError::Driven { .. })) => return Err(taken),
        };
        // The disk is asked for folder and file here, too, but most often the system knows both.
        let whose = (dir.to_owned(), unit.to_owned());
        let named = in_time(FILE_WITHIN, move || Self::take_names(&whose.0, &whose.1, file));
        match (named.unwrap_or_else(|| Err(late())), why) {
            (Ok(lock), why) => Ok((lock, why)),
            // The file is what a person can put right.
            (Err(LockError::File { .. }), Some(why)) => Err(why),
            (Err(taken), _) => Err(taken),
        }
    }

    #[cfg(target_os = "linux")]
    fn take_names(dir: &Path, unit: &str, file: Option<File>) -> Result<Self, LockError> {
        match keep_own(dir, unit) {
            Ok(names) => Ok(Self { _file: file, names }),
            Err(why) if why.kind() == std::io::ErrorKind::AddrInUse => Err(taken(dir, unit)),
            Err(why) => Err(unusable(dir, unit, why)),
        }
    }

    /// Only Linux has names that end with the program: elsewhere nothing but the file keeps two apart.
    #[cfg(not(target_os = "linux"))]
    fn take_names(dir: &Path, unit: &str, file: Option<File>) -> Result<Self, LockError> {
        match file {
            Some(file) => Ok(Self { _file: Some(file) }),
            None => Err(unusable(dir, unit, std::io::ErrorKind::Unsupported.into())),
        }
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

/// A lock file that takes longer (real time) must not keep a machine waiting that may be hot.
const FILE_WITHIN: Duration = Duration::from_secs(2);

fn hangs() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "the disk does not answer")
}

fn take_file(dir: &Path, unit: &str) -> Result<File, LockError> {
    let unusable = |why| unusable(dir, unit, why);
    fs::create_dir_all(dir.join(FOLDER)).map_err(unusable)?;
    let file = File::options().create(true).truncate(false).write(true).open(lock_file(dir, unit));
    let file = file.map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(taken(dir, unit)),
        Err(TryLockError::Error(why)) => Err(unusable(why)),
    }
}

fn taken(dir: &Path, unit: &str) -> LockError {
    let path = lock_file(dir, unit);
    let by = Holder::of(&path);
    LockError::Taken { unit: unit.to_owned(), path, by }
}

fn unusable(dir: &Path, unit: &str, why: std::io::Error) -> LockError {
    LockError::File { unit: unit.to_owned(), path: lock_file(dir, unit), why }
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
mod tests;
