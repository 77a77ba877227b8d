//! How much is stored.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Store;
use super::error::StoreError;
use super::journal::Kind;

/// The newest backup that the journal knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackupNoted {
    /// When, milliseconds since 1970 UTC.
    pub utc_ms: i64,
    /// By whom.
    pub who: String,
    /// Into which file.
    pub file: String,
    /// Hash of the newest entry in it, hexadecimal.
    pub head_hash: String,
}

/// How much is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Rows of each table.
    pub rows: BTreeMap<String, i64>,
    /// Length of the database without its log, bytes.
    pub bytes: i64,
    /// Version of the schema.
    pub schema_version: i64,
    /// Hash of the newest entry of the journal, hexadecimal.
    pub head_hash: String,
    /// The newest backup that the journal knows.
    pub newest_backup: Option<BackupNoted>,
}

/// Tables that a person asks after.
const TABLES: [&str; 9] =
    ["batches", "deposits", "donors", "inputs", "journal", "params", "pools", "texts", "users"];

impl Store {
    /// Counts what is stored.
    ///
    /// # Errors
    /// The disk.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let db = self.db.unchecked_transaction()?;
        let mut rows = BTreeMap::new();
        for table in TABLES {
            let count = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))?;
            rows.insert(table.to_owned(), count);
        }
        let pragma = |name: &str| -> Result<i64, StoreError> {
            Ok(db.pragma_query_value(None, name, |r| r.get(0))?)
        };
        Ok(Stats {
            rows,
            bytes: pragma("page_count")?.saturating_mul(pragma("page_size")?),
            schema_version: pragma("user_version")?,
            head_hash: self.head()?.hash(),
            newest_backup: self.newest_backup()?,
        })
    }

    /// The newest backup that the journal knows; one that was made by copying files is not.
    ///
    /// # Errors
    /// The disk, or an entry that cannot be understood.
    pub fn newest_backup(&self) -> Result<Option<BackupNoted>, StoreError> {
        let entry = self.newest_entry(Kind::Backup.word(), super::backup::STATION)?;
        Ok(entry.map(|entry| {
            let after = entry.body.after.unwrap_or_default();
            let text = |key: &str| after[key].as_str().unwrap_or_default().to_owned();
            let (file, head_hash) = (text("file"), text("head_hash"));
            BackupNoted { utc_ms: entry.utc_ms, who: entry.who, file, head_hash }
        }))
    }
}
