//! What the journal says of the commissioning of a unit.

use serde_json::Value;

use super::{BEGUN, CommissionError, ENDED};
use crate::invocation;
use crate::station::config::Unit;
use crate::store::{JournalEntry, Store, StoreError};

/// A commissioning that was begun and has no end: it goes on now, or the computer died in it.
fn unended(store: &Store, begun: &JournalEntry) -> Result<String, StoreError> {
    let day = store.day(begun.utc_ms)?;
    Ok(format!("a commissioning was begun on {day} by {}, and has no end", begun.who))
}

/// What the journal says of the commissioning of this unit as it is described now.
///
/// # Errors
/// The store, or a profile of the unit.
pub fn known(store: &Store, unit: &Unit<'_>) -> Result<String, CommissionError> {
    Ok(known_of(store, unit.name, &unit.make_sha256()?)?)
}

/// The same of the unit of this name that is described so.
pub(in crate::station) fn known_of(
    store: &Store,
    name: &str,
    make_sha256: &str,
) -> Result<String, StoreError> {
    let Some(entry) = store.newest_entry(ENDED, name)? else {
        if let Some(begun) = store.newest_entry(BEGUN, name)? {
            return unended(store, &begun);
        }
        let how = invocation::command(format_args!("unit commission {name}"));
        return Ok(format!("not commissioned yet: `{how}`, with water"));
    };
    let JournalEntry { seq, utc_ms, who, body } = entry;
    let newer = store.newest_entry(BEGUN, name)?.filter(|begun| begun.seq > seq);
    if let Some(begun) = newer {
        return unended(store, &begun);
    }
    let day = store.day(utc_ms)?;
    let after = body.after.unwrap_or_default();
    let outcome = after.get("outcome").and_then(Value::as_str).unwrap_or("of unknown outcome");
    let same = after.get("make_sha256").and_then(Value::as_str) == Some(make_sha256);
    Ok(match (outcome, same) {
        ("passed", true) => format!("commissioned on {day} by {who}, as it is described now"),
        ("passed", false) => format!(
            "commissioned on {day} by {who}, but its description has changed since: commission it \
             again"
        ),
        (outcome, _) => format!(
            "its last commissioning, on {day} by {who}, {}",
            match outcome {
                "stopped" => "was stopped before its end",
                _ => "failed",
            }
        ),
    })
}
