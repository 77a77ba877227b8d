//! `holder db stats`: how much is stored.

use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::out;
use crate::record::zone::Zone;

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let store = context.store_to_read()?;
    let stats = store.stats()?;
    if context.json {
        return Ok(out::json(&json!({ "station": store.station(), "stats": stats }))?);
    }
    let backup = match &stats.newest_backup {
        None => "none was ever made".to_owned(),
        Some(backup) => format!(
            "{} into {}, head {}",
            Zone::named(&store.station().time_zone).stamp(backup.utc_ms),
            backup.file,
            backup.head_hash
        ),
    };
    let mut rows: Vec<Vec<String>> =
        stats.rows.iter().map(|(table, count)| vec![table.clone(), count.to_string()]).collect();
    rows.push(vec!["bytes in holder.db".to_owned(), stats.bytes.to_string()]);
    rows.push(vec!["schema version".to_owned(), stats.schema_version.to_string()]);
    let table = out::table(&["STORED", "COUNT"], &rows);
    Ok(out::text(&format!("{table}\nhead {}\nnewest backup: {backup}", stats.head_hash))?)
}
