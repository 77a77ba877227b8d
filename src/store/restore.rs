//! A new station from a backup: into a new folder only, and its journal says so.
//!
//! The folder is made under another name beside the one that was asked for, and gets its own name
//! in one step when everything in it is on the disk and verified.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use serde_json::json;

use super::backup::{KeptFile, STATION};
use super::copy::{self, CopyError, Part, Progress};
use super::error::StoreError;
use super::journal::{Body, Kind, Stamp};
use super::{Store, VerifyReport, schema};

/// The memory's name in a station's folder.
const DATABASE_FILE: &str = "holder.db";

/// A station that is being restored. Until [`Staged::finish`] it lies under another name; if it is
/// dropped before, nothing of it remains.
pub struct Staged {
    from: PathBuf,
    to: PathBuf,
    /// `None` only while it is being closed.
    store: Option<Store>,
    /// Newest entry of the backup: number, hash.
    head: (i64, String),
    folder: StagedFolder,
}

/// A folder that is gone unless it was kept.
struct StagedFolder {
    path: PathBuf,
    kept: bool,
}

impl Drop for StagedFolder {
    fn drop(&mut self) {
        if !self.kept {
            // If even this fails, the first error says why.
            fs::remove_dir_all(&self.path).ok();
        }
    }
}

/// A restored station.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Its folder.
    pub folder: PathBuf,
    /// Number of the newest entry of the backup.
    pub head_seq: i64,
    /// Its hash, hexadecimal.
    pub head_hash: String,
    /// What was recomputed in the new station, its own entries included.
    pub report: VerifyReport,
    /// The station's own files that came along, as paths in its folder.
    pub files: Vec<String>,
}

impl Staged {
    /// Copies the backup `from` for a station in `to`, brings it up to date if an older program
    /// made it, and verifies it. `paper` is a head hash that it must contain.
    ///
    /// # Errors
    /// `to` is there and not empty; `from` is no backup, of a newer version, torn, or does not
    /// verify; the disk.
    pub fn begin(
        from: &Path,
        to: &Path,
        paper: Option<&str>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, CopyError> {
        check_empty(to)?;
        let damaged = |error| {
            if let CopyError::Store(why) = &error
                && why.is_damage()
            {
                return torn(from, why);
            }
            error
        };
        Self::copied(from, to, paper, progress).map_err(damaged)
    }

    fn copied(
        from: &Path,
        to: &Path,
        paper: Option<&str>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, CopyError> {
        let source = open_backup(from)?;
        copy::parent_of(to)?;
        let folder = StagedFolder { path: copy::beside(to), kept: false };
        fs::create_dir(&folder.path).map_err(copy::target(to))?;
        let database = folder.path.join(DATABASE_FILE);
        let part = Part::begin(&database)?;
        let head = copy::copy(&source, &part.path, progress)?;
        drop(source);
        part.keep(&database)?;
        let store = Store::open(&database)?;
        store.verify(paper).map_err(|misfit| torn(from, &misfit))?;
        let head = (head.seq, head.hash());
        Ok(Self { from: from.to_owned(), to: to.to_owned(), store: Some(store), head, folder })
    }

    /// The new station's memory, for what must be done before anybody uses it.
    ///
    /// # Errors
    /// Never as long as it is not finished.
    pub fn store(&mut self) -> Result<&mut Store, StoreError> {
        self.store.as_mut().ok_or(StoreError::ThreadGone)
    }

    /// Says in the journal from what it was restored, writes the station's own files, and gives
    /// the folder its name.
    ///
    /// # Errors
    /// The disk, or files with names that leave the folder.
    pub fn finish(mut self, stamp: Stamp<'_>) -> Result<Restored, CopyError> {
        let (head_seq, head_hash) = self.head.clone();
        let after = json!({
            "file": self.from.display().to_string(),
            "head_seq": head_seq,
            "head_hash": head_hash,
        });
        let body = Body::new("restored from a backup into a new folder").after(after);
        let store = self.store()?;
        store.append_own(stamp, Kind::Restored, STATION, &body)?;
        let files = store.station_files()?.unwrap_or_default();
        let report = store.verify(Some(&head_hash));
        let report = report.map_err(|misfit| torn(&self.from, &misfit))?;
        self.store = None; // closed: the log is emptied into the one file
        for file in &files {
            write(&self.folder.path, file).map_err(copy::target(&self.to))?;
        }
        let database = File::open(self.folder.path.join(DATABASE_FILE));
        database.and_then(|file| file.sync_all()).map_err(copy::target(&self.to))?;
        copy::flush_folder(&self.folder.path).map_err(copy::target(&self.to))?;
        check_empty(&self.to)?;
        // Not every system renames a folder over an empty one.
        if self.to.exists() {
            fs::remove_dir(&self.to).map_err(copy::target(&self.to))?;
        }
        fs::rename(&self.folder.path, &self.to).map_err(copy::target(&self.to))?;
        self.folder.kept = true;
        copy::flush_folder(copy::parent_of(&self.to)?).map_err(copy::target(&self.to))?;
        let files = files.into_iter().map(|file| file.path).collect();
        Ok(Restored { folder: self.to.clone(), head_seq, head_hash, report, files })
    }
}

fn torn(path: &Path, why: &impl ToString) -> CopyError {
    CopyError::Torn { path: path.to_owned(), why: why.to_string() }
}

/// The backup, to read; of any version that this program can bring up to date.
fn open_backup(from: &Path) -> Result<rusqlite::Connection, CopyError> {
    match schema::open_to_copy(from) {
        Ok(db) => Ok(db),
        Err(StoreError::Missing(path)) => Err(CopyError::NoBackup(path)),
        Err(StoreError::NotADatabase(path)) => Err(CopyError::NotABackup(path)),
        Err(error) => Err(error.into()),
    }
}

fn check_empty(to: &Path) -> Result<(), CopyError> {
    match fs::read_dir(to) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(CopyError::NotEmpty(to.to_owned())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(_) if to.is_file() => Err(CopyError::Exists(to.to_owned())),
        Err(why) => Err(CopyError::Target { path: to.to_owned(), why }),
    }
}

/// Writes one of the station's own files, and puts it on the disk. What a backup says is not
/// believed where it leads out of the folder.
fn write(folder: &Path, file: &KeptFile) -> std::io::Result<()> {
    let relative = Path::new(&file.path);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || file.path.is_empty() {
        let why = format!("the backup holds a file with the path {:?}", file.path);
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, why));
    }
    let path = folder.join(relative);
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent)?;
    let mut written = File::create_new(&path)?;
    written.write_all(file.text.as_bytes())?;
    written.sync_all()?;
    copy::flush_folder(parent)
}
