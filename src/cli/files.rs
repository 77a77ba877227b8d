//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;

use super::failure::Failure;
use super::out;

/// Stands for stdout where a file is asked for.
pub(crate) const STDOUT: &str = "-";

/// Writes `bytes` to `path`, or to stdout for `-`, and says so. A file that is there is kept
/// unless `force`.
///
/// # Errors
/// The file exists, or the system refuses; then nothing is left behind.
pub(crate) fn deliver(path: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    if path.as_os_str() == STDOUT {
        return Ok(out::bytes(bytes)?);
    }
    write(path, bytes, force)?;
    out::note(&format!("wrote {}", path.display()));
    Ok(())
}

/// Reads a text file that a person named.
///
/// # Errors
/// It cannot be read, or is not UTF-8.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path);
    Ok(text.with_context(|| format!("{} cannot be read", path.display()))?)
}

/// Writes `bytes` to `path`: first beside it, then in its place in one step.
///
/// # Errors
/// As [`deliver`].
pub(crate) fn write(path: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    if !force && path.exists() {
        return Err(Failure::refused(format!(
            "{} exists already and was kept; choose another name, or add --force to replace it",
            path.display()
        )));
    }
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = write_whole(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // Nothing half-written stays behind; if even this fails, the first error says why.
        let _ = fs::remove_file(&beside);
    }
    written.with_context(|| {
        format!("{} cannot be written; check its folder and the space left", path.display())
    })?;
    Ok(())
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_kept_unless_forced() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("record.pdf");
        write(&path, b"one", false).expect("new");
        assert!(write(&path, b"two", false).is_err());
        assert_eq!(fs::read(&path).expect("there"), b"one");
        write(&path, b"two", true).expect("forced");
        assert_eq!(fs::read(&path).expect("there"), b"two");
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1, "no leftovers");
    }

    #[test]
    fn a_folder_that_is_not_there_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(write(&dir.path().join("no/such/file"), b"x", false).is_err());
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0);
    }
}
