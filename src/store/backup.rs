//! A copy of the station's memory in one file, made while others write.
//!
//! It appears under its name only when it is whole, on the disk and verified; and the journal of
//! the station notes it afterwards, so that nobody finds a backup in the journal that is not
//! there. The station's own files (its description, profiles and recipes) travel inside, as an
//! entry of the journal that is written whenever they have changed: a station is more than its
//! memory.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::copy::{self, CopyError, Part, Progress};
use super::error::{StoreError, garbled};
use super::journal::{self, Body, Kind, Place, Stamp};
use super::{Store, VerifyReport};

/// Subject of the entry that holds the station's own files.
pub(super) const STATION: &str = "station";

/// One of the station's own files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// Its path in the station's folder, with `/` between the parts.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A backup that is whole, on the disk, verified and noted in the journal.
#[derive(Clone, Debug)]
pub struct BackupMade {
    /// The file.
    pub path: PathBuf,
    /// Its length, bytes.
    pub bytes: u64,
    /// Number of the newest entry in it.
    pub head_seq: i64,
    /// What was recomputed in it.
    pub report: VerifyReport,
}

impl Store {
    /// Makes a backup in the new file `to`, with `files` inside, while others may write. The
    /// journal notes it under the hash of the newest entry in it.
    ///
    /// # Errors
    /// Something is at `to`, or it cannot be written; what is stored does not verify. Then there
    /// is no backup, and nothing is left of it. [`CopyError::NotNoted`] says that there is one.
    pub fn back_up(
        &mut self,
        stamp: Stamp<'_>,
        to: &Path,
        files: &[KeptFile],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<BackupMade, CopyError> {
        copy::parent_of(to)?;
        if to.exists() {
            return Err(CopyError::Exists(to.to_owned()));
        }
        self.take_along(stamp, files)?;
        let part = Part::begin(to)?;
        let head = copy::copy(&self.db, &part.path, progress)?;
        let report = Self::open_read_only(&part.path)?.verify(Some(&head.hash()));
        let report = report.map_err(|misfit| {
            let misfit = Box::new(misfit);
            CopyError::Unfit { path: PathBuf::from(self.db.path().unwrap_or_default()), misfit }
        })?;
        let bytes = std::fs::metadata(&part.path).map_err(copy::target(to))?.len();
        part.keep(to)?;
        let made = BackupMade { path: to.to_owned(), bytes, head_seq: head.seq, report };
        let noted = self.note_backup(stamp, &made);
        noted.map(|()| made).map_err(|why| CopyError::NotNoted { path: to.to_owned(), why })
    }

    /// Writes the station's own files into the journal, unless they are those that it knows.
    fn take_along(&mut self, stamp: Stamp<'_>, files: &[KeptFile]) -> Result<(), StoreError> {
        let known = self.station_files()?;
        if known.as_deref().unwrap_or_default() == files {
            return Ok(());
        }
        let after = serde_json::to_value(files).map_err(|error| garbled("station files", error))?;
        let what = format!("{} of the station's own files, as a backup takes them", files.len());
        self.append_own(stamp, Kind::StationFiles, STATION, &Body::new(what).after(after))
    }

    /// The station's own files as the newest backup took them; `None` before the first one.
    ///
    /// # Errors
    /// The disk, or an entry that cannot be understood.
    pub fn station_files(&self) -> Result<Option<Vec<KeptFile>>, StoreError> {
        let Some(entry) = self.newest_entry(Kind::StationFiles.word(), STATION)? else {
            return Ok(None);
        };
        let files = serde_json::from_value(entry.body.after.unwrap_or(Value::Null));
        files.map(Some).map_err(|error| garbled(format!("entry {}", entry.seq), error))
    }

    fn note_backup(&mut self, stamp: Stamp<'_>, made: &BackupMade) -> Result<(), StoreError> {
        let after = json!({
            "file": made.path.display().to_string(),
            "head_seq": made.head_seq,
            "head_hash": made.report.head_hash,
        });
        let body = Body::new("backup made and verified").after(after);
        self.append_own(stamp, Kind::Backup, STATION, &body)
    }

    /// Appends an entry of a kind of the store's own that no table is made of.
    pub(super) fn append_own(
        &mut self,
        stamp: Stamp<'_>,
        kind: Kind,
        subject: &str,
        body: &Body,
    ) -> Result<(), StoreError> {
        let tx = self.write()?;
        journal::append(&tx, stamp, Place::of(kind, subject), body)?;
        Ok(tx.commit()?)
    }
}

#[cfg(test)]
mod tests;
