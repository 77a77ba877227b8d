//! What an interrupted program left behind: a batch without an end is found at the next start
//! and closed as incomplete. (Continuing one comes later; it will begin here.)

use super::clock;
use super::closing::close_judged;
use crate::store::model::Closing;
use crate::store::{Stamp, Store, StoreError};

/// Closes the batches of `unit` that an interrupted program left open, and gives their codes.
/// The caller holds the unit's lock, so that none of them can be running.
///
/// # Errors
/// The store fails.
pub fn close_interrupted(
    store: &mut Store,
    unit: &str,
    who: &str,
) -> Result<Vec<String>, StoreError> {
    let open = store.open_batches()?;
    let mine = open.into_iter().filter(|header| header.unit == unit);
    mine.map(|header| {
        let stamp = Stamp { utc_ms: clock::utc_now_ms(), who };
        close_judged(store, &header.code, Closing::Interrupted, None, stamp)?;
        Ok(header.code)
    })
    .collect()
}
