//! Tells a disk that fails from a file that is damaged. SQLite calls both malformed: of a read that the
//! system refuses (EIO, ENXIO) it makes `SQLITE_CORRUPT` (`SQLITE_IOERR_CORRUPTFS` in its vdbe.c).

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::Store;
use super::error::StoreError;
use super::verify::Misfit;

/// A part of a file that is read at once.
const PART_BYTES: usize = 1 << 20;

/// So many handles are kept at most: a program that finds more than that has long told a person.
const KEPT_MAX: usize = 16;

/// Handles of our own to a station's file are never closed: the system would drop the locks of all who
/// have it open in this process (<https://sqlite.org/howtocorrupt.html>, 2.2).
static KEPT_OPEN: Mutex<Vec<File>> = Mutex::new(Vec::new());

impl Store {
    /// What was found, with a disk that fails called so.
    pub(super) fn looked<R>(&self, found: Result<R, Misfit>) -> Result<R, Misfit> {
        found.map_err(|misfit| match misfit {
            Misfit::Unreadable(why) => Misfit::Unreadable(self.told_apart(why)),
            differs @ Misfit::Differs { .. } => differs,
        })
    }

    /// Why something could not be read, with a disk that fails called so. One that has recovered by now
    /// is not found: whoever can, tries again.
    pub(super) fn told_apart(&self, why: StoreError) -> StoreError {
        let StoreError::Damaged(_) = why else { return why };
        let path = self.db.path().filter(|path| !path.is_empty());
        let files = path.into_iter().flat_map(|path| [path.to_owned(), format!("{path}-wal")]);
        let fault = files.into_iter().find_map(|file| unread(Path::new(&file)).err());
        fault.map_or(why, |fault| StoreError::Disk(fault.to_string()))
    }
}

/// Reads the whole file, as far as a handle may be kept for it; one that is not there has nothing to be
/// read.
fn unread(path: &Path) -> io::Result<()> {
    let mut kept_open = KEPT_OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if kept_open.len() >= KEPT_MAX {
        return Ok(());
    }
    let mut file = match File::open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let read = read_through(&mut file);
    kept_open.push(file);
    read
}

fn read_through(file: &mut File) -> io::Result<()> {
    let mut part = vec![0; PART_BYTES];
    loop {
        match file.read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::new;
    use super::*;

    #[test]
    fn a_file_that_can_be_read_is_damaged_and_one_that_the_system_refuses_is_not() {
        let (_dir, path, store) = new();
        let damaged = || StoreError::Damaged("malformed".to_owned());
        assert!(store.told_apart(damaged()).is_damage());
        assert!(matches!(store.told_apart(StoreError::Locked), StoreError::Locked));
        assert!(unread(&path.with_file_name("none")).is_ok());
        // The beginning of the memory of a program is no memory (proc(5)): EIO.
        #[cfg(target_os = "linux")]
        assert_eq!(
            unread(Path::new("/proc/self/mem")).expect_err("refused").raw_os_error(),
            Some(5)
        );
    }
}
