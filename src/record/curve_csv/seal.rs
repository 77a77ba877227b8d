//! The last line of our own exports: a SHA-256 over all lines before it.
//!
//! It shows accidents: a lost end, a cell that a spreadsheet rewrote. It is no signature, since
//! whoever changes a file on purpose can write this line anew.

use super::preamble::sha256;
use super::{CsvError, Source, plain};

/// What stands before the hash.
pub(super) const MARK: &str = "# sha256 = ";

/// The hash of the lines of a file. Line ends that another system changed do not change it.
pub(super) fn digest(lines: &str) -> String {
    sha256(&lines.replace('\r', ""))
}

/// What is left of a sealed file.
pub(super) struct Opened<'a> {
    /// The lines before the seal.
    pub(super) lines: &'a str,
    /// There is no seal: the end of the file is missing, and what is left is judged incomplete.
    pub(super) cut_off: bool,
}

impl<'a> Opened<'a> {
    /// A foreign file has no seal that could be missing.
    pub(super) const fn foreign(lines: &'a str) -> Self {
        Self { lines, cut_off: false }
    }
}

/// The lines before the seal, if they fit the hash in it.
pub(super) fn opened<'a>(from: Source, text: &'a str) -> Result<Opened<'a>, CsvError> {
    let whole = text.trim_end();
    let start = whole.rfind('\n').map_or(0, |end| end + 1);
    let (lines, last) = whole.split_at_checked(start).unwrap_or_default();
    let Some(told) = last.strip_prefix(MARK) else {
        return Ok(Opened { lines: text, cut_off: true });
    };
    let found = digest(lines);
    if told.trim() == found {
        return Ok(Opened { lines, cut_off: false });
    }
    let told: String = told.trim().chars().take(found.len()).map(plain).collect();
    Err(from.whole(format!(
        "its lines were changed: SHA-256 {told} is expected by its last line, and {found} was \
         found; export the batch again"
    )))
}
