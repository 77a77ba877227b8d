//! One database copied into another file, page by page, while others read and write it.
//!
//! SQLite's online backup (<https://sqlite.org/backup.html>) begins again whenever another program
//! writes, and so would never end beside a running batch. Here the source is read in one read
//! transaction: the copy is the state of that moment, nobody waits for it (in WAL a reader stops
//! no writer), and the log beside the source grows a little until it is done.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::journal::{self, Head};
use super::verify::Misfit;

/// Pages per step: at 4 KiB each a quarter of a MiB, so that a commit of a running batch never
/// queues at the disk behind much of a copy.
const STEP_PAGES: i32 = 64;
/// After so many steps (16 MiB) the copy so far is put on the disk: one flush of all of it at the
/// end would hold up everybody's commits for as long as it takes.
const STEPS_PER_FLUSH: u32 = 64;
/// Files that SQLite may put beside a database.
const SIDE_FILES: [&str; 3] = ["-journal", "-shm", "-wal"];

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pages that are copied.
    pub pages: u64,
    /// Pages in all.
    pub pages_all: u64,
}

/// Why a backup was not made, or not restored. Nothing half-written is left.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something is where the copy should go.
    #[error("{} exists already and was kept as it is; choose another name", .0.display())]
    Exists(PathBuf),
    /// A station is only restored into a new folder.
    #[error(
        "{} is there and not empty; it was left as it is; restore into a new folder, so that \
         nothing is ever put over an existing record", .0.display()
    )]
    NotEmpty(PathBuf),
    /// The place does not exist.
    #[error("the folder {} does not exist; make it first, or name another one", .0.display())]
    NoFolder(PathBuf),
    /// No file to restore.
    #[error("there is no backup {}; name a file that `holder db backup` made", .0.display())]
    NoBackup(PathBuf),
    /// It is no database.
    #[error(
        "{} is no backup: it is not a database, or its beginning is lost; nothing was restored; \
         use another backup", .0.display()
    )]
    NotABackup(PathBuf),
    /// The backup is torn, or not what was once written.
    #[error(
        "{} does not verify ({why}); nothing was restored; use another backup, and keep this one \
         as it is", path.display()
    )]
    Torn {
        /// The backup.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// The copy cannot be written.
    #[error("{} cannot be written ({why}); check its folder and the space left", path.display())]
    Target {
        /// The copy.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The station's memory is not what was once written.
    #[error("{} does not verify, so no backup of it was kept: {misfit}", path.display())]
    Unfit {
        /// What was copied.
        path: PathBuf,
        /// What does not fit.
        misfit: Box<Misfit>,
    },
    /// The copy is good; the journal does not know it.
    #[error("the backup {} is made and verified, but the journal could not note it: {why}", path.display())]
    NotNoted {
        /// The copy.
        path: PathBuf,
        /// Why not.
        why: StoreError,
    },
    /// The database that is copied, or the new one, fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CopyError {
    /// Whether what was to be copied is damaged, or not what was once written.
    pub const fn is_damage(&self) -> bool {
        match self {
            Self::Torn { .. } => true,
            Self::Unfit { misfit, .. } => misfit.is_damage(),
            Self::Store(why) | Self::NotNoted { why, .. } => why.is_damage(),
            Self::Exists(_)
            | Self::NotEmpty(_)
            | Self::NoFolder(_)
            | Self::NoBackup(_)
            | Self::NotABackup(_)
            | Self::Target { .. } => false,
        }
    }
}

impl From<rusqlite::Error> for CopyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A [`CopyError::Target`].
pub(super) fn target(path: &Path) -> impl Fn(std::io::Error) -> CopyError {
    let path = path.to_owned();
    move |why| CopyError::Target { path: path.clone(), why }
}

/// The folder in which `path` lies; it must be there.
pub(super) fn parent_of(path: &Path) -> Result<&Path, CopyError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    if parent.is_dir() { Ok(parent) } else { Err(CopyError::NoFolder(parent.to_owned())) }
}

/// Puts a folder's names on the disk, where the system can.
pub(super) fn flush_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The name under which something is made before it gets its own: beside it, so that a rename is
/// one step.
pub(super) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

/// A file in the making: it is gone with all that SQLite puts beside it, unless it is kept.
pub(super) struct Part {
    /// Where it is made.
    pub(super) path: PathBuf,
    kept: bool,
}

impl Part {
    /// Begins an empty one beside `target`.
    pub(super) fn begin(to: &Path) -> Result<Self, CopyError> {
        let path = beside(to);
        File::create_new(&path).map_err(target(to))?;
        Ok(Self { path, kept: false })
    }

    /// Gives it its own name, in one step, where nothing may be yet.
    pub(super) fn keep(mut self, to: &Path) -> Result<(), CopyError> {
        if to.exists() {
            return Err(CopyError::Exists(to.to_owned()));
        }
        std::fs::rename(&self.path, to).map_err(target(to))?;
        self.kept = true;
        flush_folder(parent_of(to)?).map_err(target(to))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // If even this fails, the first error says why.
        for side in SIDE_FILES {
            let mut name = self.path.as_os_str().to_owned();
            name.push(side);
            std::fs::remove_file(name).ok();
        }
        std::fs::remove_file(&self.path).ok();
    }
}

/// Copies all of `from`, as of one moment, into the empty file `to`, which is on the disk and
/// whole in itself (no log beside it) afterwards; gives the newest entry of the copy.
pub(super) fn copy(
    from: &Connection,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Head, CopyError> {
    let moment = from.unchecked_transaction()?;
    let head = journal::head(&moment)?;
    let file = File::options().write(true).open(to).map_err(target(to))?;
    let mut into = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    into.pragma_update(None, "journal_mode", "OFF")?;
    into.pragma_update(None, "synchronous", "OFF")?;
    copy_pages(&moment, &mut into, &file, progress)?;
    drop(moment);
    // One file that can be read from a write-protected stick: no log belongs to it.
    into.pragma_update(None, "journal_mode", "DELETE")?;
    into.close().map_err(|(_, error)| error)?;
    file.sync_all().map_err(target(to))?;
    Ok(head)
}

fn copy_pages(
    from: &Connection,
    into: &mut Connection,
    file: &File,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), CopyError> {
    let pages = Backup::new(from, into)?;
    for step in 1_u32.. {
        let stepped = pages.step(STEP_PAGES)?;
        let (left, all) = (pages.progress().remaining, pages.progress().pagecount);
        let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
        progress(Progress { pages: count(all - left.clamp(0, all)), pages_all: count(all) });
        if step % STEPS_PER_FLUSH == 0 {
            file.sync_data().map_err(StoreError::from)?;
        }
        if stepped == StepResult::Done {
            return Ok(());
        }
        if stepped != StepResult::More {
            // Nobody else knows the new file, and a reader in WAL waits for nobody.
            return Err(StoreError::Locked.into());
        }
    }
    Ok(())
}
