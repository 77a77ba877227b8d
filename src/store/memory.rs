//! A station that is on no disk: for the soak, which makes thousands of them.
//!
//! Everything but the file is the same: schema, triggers, chain, transactions. That a file
//! outlives its program is shown by other tests; here a crash loses what the program knew.

use super::error::StoreError;
use super::{Station, Store, schema, station};

impl Store {
    /// Makes a new station in memory, with its first entry.
    ///
    /// # Errors
    /// A name or time zone that cannot be used.
    pub(crate) fn in_memory(of: &Station, who: &str) -> Result<Self, StoreError> {
        let db = schema::in_memory(|db| station::found(db, of, who))?;
        Self::from_connection(db)
    }

    /// The same station as the next program finds it: nothing is known but what was acknowledged.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub(crate) fn reopened(self) -> Result<Self, StoreError> {
        self.db.flush_prepared_statement_cache();
        Self::from_connection(self.db)
    }
}
