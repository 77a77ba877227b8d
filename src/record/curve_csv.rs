//! Curves as CSV: our own export, and anybody's logger file for `holder judge`.
//!
//! **Columns that are read.** `t_s` (seconds) or `time` (RFC 3339); every column whose name
//! starts with `milk`; `bath`, `reference`, `lid` (`closed`/`open`, or `true`/`1` for closed) and
//! `phase`. A unit may follow a name (`milk_1_c`, `bath (°C)`), °C only. Any other column is left
//! alone, but where `q_` and the name of a milk column or of the reference stand above a column,
//! a reading counts only with the word `good` in it. An empty cell is a missing reading; an
//! empty cell of the lid leaves it as it was last told.
//!
//! **Preamble.** Our exports begin with `# holder = 1` and `# key = value` lines that hold all
//! that the judge needs, the recipe's own text included (`# | line`), so that the file can be
//! judged by itself. A file without it is a foreign curve and is judged as read. In ours, the
//! quality columns of the milk are required, and `lid`, `reference` and `q_reference` where the
//! preamble tells of them; what the preamble repeats of the recipe must agree with its text.
//!
//! **Last line.** `# sha256 = …` over all lines before it shows accidents. An export is not
//! signed: compare it with the database (`holder batch show`).

mod columns;
mod preamble;
mod read;
mod seal;
#[cfg(test)]
mod tests;
mod write;

use holder_hal::Kelvin;

pub use self::read::{BYTES_MAX, read};
pub use self::write::write;
use crate::batch::curve::Curve;
use crate::batch::recipe::Recipe;
use crate::profiles;

/// Why nobody judges the export of a record that did not fit its hashes.
pub(crate) const ALTERED: &str = "the record was not what was written when this was exported, so that \
     no decision about milk may rest on it; `holder db verify` says what does not fit";

/// What the user says of a foreign curve. Our own exports say it themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Expanded uncertainty of every milk probe; 0 unless given.
    pub uncertainty: Option<Kelvin>,
    /// Distance from the probe's bottle to the coldest; 0 unless given.
    pub margin: Option<Kelvin>,
    /// The recipe's `max_gap_foreign_s`, milliseconds.
    pub max_gap_foreign_ms: u64,
}

/// A curve that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadCurve {
    /// The curve.
    pub curve: Curve,
    /// What our own export says of itself; `None` for a foreign curve.
    pub origin: Option<Origin>,
}

/// What our own export says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The batch's code.
    pub batch: String,
    /// Whether anything in it came from a machine that is not real.
    pub simulated: bool,
    /// The recipe as it was frozen at the start; it fits its SHA-256 in the file.
    pub recipe_text: String,
    /// The same, parsed.
    pub recipe: Recipe,
    /// Hash of the journal's head when the file was written, hexadecimal: as the file tells it.
    pub head_hash: String,
}

impl Origin {
    /// Whether the recipe goes by the name of a shipped one, but is another.
    pub fn borrows_shipped_name(&self) -> bool {
        let plain = |text: &str| text.replace('\r', "");
        profiles::recipe(&self.recipe.name)
            .is_some_and(|shipped| plain(shipped) != plain(&self.recipe_text))
    }
}

/// Why a file is not a curve.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// A cell breaks a rule.
    #[error("{file}:{line}: column `{column}`, value `{value}`: {rule}")]
    Cell {
        /// The file.
        file: String,
        /// Its line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell, shortened.
        value: String,
        /// The rule, and what to do.
        rule: String,
    },
    /// A line breaks a rule.
    #[error("{file}:{line}: {rule}")]
    Line {
        /// The file.
        file: String,
        /// Its line, from 1.
        line: u64,
        /// The rule, and what to do.
        rule: String,
    },
    /// The file as a whole breaks a rule.
    #[error("{file}: {rule}")]
    File {
        /// The file.
        file: String,
        /// The rule, and what to do.
        rule: String,
    },
}

/// The file that is being read, for its errors.
#[derive(Clone, Copy)]
struct Source<'a> {
    file: &'a str,
}

impl Source<'_> {
    fn cell(self, line: u64, column: &str, value: &str, rule: impl Into<String>) -> CsvError {
        CsvError::Cell {
            file: self.file.to_owned(),
            line,
            column: shortened(column),
            value: shortened(value),
            rule: rule.into(),
        }
    }

    fn line(self, line: u64, rule: impl Into<String>) -> CsvError {
        CsvError::Line { file: self.file.to_owned(), line, rule: rule.into() }
    }

    fn whole(self, rule: impl Into<String>) -> CsvError {
        CsvError::File { file: self.file.to_owned(), rule: rule.into() }
    }
}

/// At most 40 characters, without line breaks.
fn shortened(value: &str) -> String {
    let mut shown: String = value.chars().take(40).map(plain).collect();
    if value.chars().nth(40).is_some() {
        shown.push('…');
    }
    shown
}

/// A character that cannot break a line.
fn plain(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}
