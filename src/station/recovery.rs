//! What an interrupted program left behind: a batch without an end is found at the next start
//! and closed as incomplete. (Continuing one comes later; it will begin here.)

use super::clock;
use super::conduct::close_judged;
use crate::store::model::Closing;
use crate::store::{StoreError, StoreThread};

/// Closes the batches of `unit` that an interrupted program left open. The caller holds the
/// unit's lock, so that none of them can be running.
///
/// # Errors
/// The store fails.
pub async fn close_interrupted(
    store: &StoreThread,
    unit: &str,
    who: &str,
) -> Result<Vec<String>, StoreError> {
    let mut closed = Vec::new();
    for header in store.open_batches().await? {
        if header.unit == unit {
            let now = clock::utc_now_ms();
            close_judged(store, &header.code, Closing::Interrupted, None, None, now, who).await?;
            closed.push(header.code);
        }
    }
    Ok(closed)
}
