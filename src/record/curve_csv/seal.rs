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

/// The lines before the last one, if they fit the hash in it.
pub(super) fn opened<'a>(from: Source, text: &'a str) -> Result<&'a str, CsvError> {
    let whole = text.trim_end();
    let start = whole.rfind('\n').map_or(0, |end| end + 1);
    let (lines, last) = whole.split_at_checked(start).unwrap_or_default();
    let Some(told) = last.strip_prefix(MARK) else {
        let rule = format!(
            "its last line is not `{MARK}…`: the end of the file is missing, or was changed; \
             export the batch again"
        );
        return Err(from.whole(rule));
    };
    let found = digest(lines);
    if told.trim() == found {
        return Ok(lines);
    }
    let told: String = told.trim().chars().take(found.len()).map(plain).collect();
    Err(from.whole(format!(
        "its lines were changed: SHA-256 {told} is expected by its last line, and {found} was \
         found; export the batch again"
    )))
}
