//! Single entries of the journal, for what has no table of its own.

use rusqlite::{OptionalExtension, params};

use super::Store;
use super::error::StoreError;
use super::journal::{Body, Row};

/// One entry of the journal, as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// Its number.
    pub seq: i64,
    /// Wall-clock time, milliseconds since 1970 UTC.
    pub utc_ms: i64,
    /// On whose behalf.
    pub who: String,
    /// What it says.
    pub body: Body,
}

impl Store {
    /// The newest entry of this kind about `subject`, outside of any batch.
    ///
    /// # Errors
    /// The disk, or an entry that cannot be understood.
    pub fn newest_entry(
        &self,
        kind: &str,
        subject: &str,
    ) -> Result<Option<JournalEntry>, StoreError> {
        let mut select = self.db.prepare_cached(&format!(
            "SELECT {} FROM journal WHERE batch IS NULL AND kind = ?1 AND subject = ?2 \
             ORDER BY seq DESC LIMIT 1",
            Row::COLUMNS
        ))?;
        let row = select.query_row(params![kind, subject], Row::read).optional()?;
        row.map(|row| {
            let body = row.body()?;
            Ok(JournalEntry { seq: row.seq, utc_ms: row.utc_ms, who: row.who, body })
        })
        .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ANN, new};
    use super::*;

    #[test]
    fn the_newest_entry_of_a_kind_is_that_of_its_own_subject() {
        let (_dir, _path, mut store) = new();
        for (subject, what) in [("a", "one"), ("a", "two"), ("b", "three")] {
            store.append(ANN, "note", subject, None, &Body::new(what)).expect("kept");
        }
        let found = store.newest_entry("note", "a").expect("read").expect("there");
        assert_eq!((found.body.what.as_str(), found.who.as_str()), ("two", ANN.who));
        assert_eq!(store.newest_entry("other", "a").expect("read"), None);
    }
}
