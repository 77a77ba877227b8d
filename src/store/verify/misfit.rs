//! The first thing of a record that does not fit: where it is, what it is, and how that is said.

use super::super::error::StoreError;
use super::super::journal::{Hash, hex};

/// Where something does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MisfitPlace {
    /// The file as a whole.
    File,
    /// An entry of the journal.
    Entry {
        /// Its number.
        seq: i64,
    },
    /// The hash on paper.
    Paper,
    /// A block of inputs, with the samples in them.
    Block {
        /// The batch.
        batch: String,
        /// Its first tick, milliseconds on the batch's own time.
        first_tick_ms: i64,
        /// Its last tick.
        last_tick_ms: i64,
    },
    /// One input with its samples.
    Input {
        /// The batch.
        batch: String,
        /// Its number, from 1.
        n: i64,
    },
    /// A batch as a whole.
    Batch {
        /// Its code.
        batch: String,
    },
    /// A frozen text.
    Text {
        /// The batch.
        batch: String,
        /// What it is: `recipe`, `unit`, `profile`, `certificate`.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The frozen parameters of a batch.
    Params {
        /// The batch.
        batch: String,
    },
    /// A row of a projection.
    Row {
        /// The table.
        table: &'static str,
        /// Its key.
        key: String,
    },
}

impl MisfitPlace {
    /// The verb that goes with its words.
    const fn does(&self) -> &'static str {
        match self {
            // "samples of batch …"
            Self::Block { .. } | Self::Params { .. } => "do",
            Self::File
            | Self::Entry { .. }
            | Self::Paper
            | Self::Input { .. }
            | Self::Batch { .. }
            | Self::Text { .. }
            | Self::Row { .. } => "does",
        }
    }
}

impl std::fmt::Display for MisfitPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File => f.write_str("the database file"),
            Self::Entry { seq } => write!(f, "entry {seq} of the journal"),
            Self::Paper => f.write_str("the hash on paper"),
            Self::Block { batch, first_tick_ms, last_tick_ms } => {
                write!(f, "samples of batch {batch} from {first_tick_ms} to {last_tick_ms} ms")
            }
            Self::Input { batch, n } => {
                write!(f, "input {n} of batch {batch}, with its samples,")
            }
            Self::Batch { batch } => write!(f, "batch {batch}"),
            Self::Text { batch, kind, name } => {
                write!(f, "frozen text of {kind} {name} of batch {batch}")
            }
            Self::Params { batch } => write!(f, "frozen parameters of batch {batch}"),
            Self::Row { table, key } => write!(f, "row {key} of {table}"),
        }
    }
}

/// The first thing that does not fit.
#[derive(Debug, thiserror::Error)]
pub enum Misfit {
    /// Something is not what it was.
    #[error("{place} {} not verify: {what}; expected {expected}, found {found}", place.does())]
    Differs {
        /// Where.
        place: Box<MisfitPlace>,
        /// Which of its properties.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Something cannot even be read.
    ///
    /// The reason is no `source`: the sentence has it, and a chain would repeat it.
    #[error("the record cannot be verified: {0}")]
    Unreadable(StoreError),
}

impl Misfit {
    /// Whether it is about a hash that somebody typed from paper, and nothing else was found.
    pub fn is_of_paper(&self) -> bool {
        matches!(self, Self::Differs { place, .. } if **place == MisfitPlace::Paper)
    }

    /// Whether something is not what was written; else it could not be looked at.
    pub const fn is_damage(&self) -> bool {
        match self {
            Self::Differs { .. } => true,
            Self::Unreadable(error) => error.is_damage(),
        }
    }
}

impl From<StoreError> for Misfit {
    fn from(error: StoreError) -> Self {
        Self::Unreadable(error)
    }
}

impl From<rusqlite::Error> for Misfit {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unreadable(error.into())
    }
}

/// Compares, and names the difference.
pub(super) fn same<T: PartialEq + ToString>(
    place: impl FnOnce() -> MisfitPlace,
    what: &'static str,
    expected: &T,
    found: &T,
) -> Result<(), Misfit> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(Misfit::Differs { place: Box::new(place()), what, expected, found })
}

/// Compares two hashes, and names the difference.
pub(super) fn same_hash(
    place: impl FnOnce() -> MisfitPlace,
    what: &'static str,
    expected: &Hash,
    found: &Hash,
) -> Result<(), Misfit> {
    if expected == found {
        return Ok(());
    }
    same(place, what, &hex(expected), &hex(found))
}
