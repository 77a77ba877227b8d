//! Before heat: can this file be entrusted with a record? A file that is damaged, or is not what
//! was written, takes no more milk (docs/decisions/0022).

use std::time::Duration;

use super::conduct::{Request, tell};
use crate::store::{Misfit, StoreError, StoreThread};

/// So often (real time) a person is told that the check still goes on.
const SAID_EVERY: Duration = Duration::from_secs(5);

/// How a check ended.
pub(super) enum Checked {
    /// Nothing was found.
    Fits,
    /// The first thing that does not fit.
    Unfit(Box<Misfit>),
    /// The program was told to stop before the end, by this.
    Told(&'static str),
}

/// Checks the station's file, and all that is stored of the batch `open`. The machine has been made
/// safe by then: on a file of years this takes half a minute, and says so.
///
/// # Errors
/// The store's thread is gone.
pub(super) async fn check(
    request: &Request<'_>,
    store: &StoreThread,
    open: Option<&str>,
    told: &mut (impl Future<Output = &'static str> + Unpin),
) -> Result<Checked, StoreError> {
    let open = open.map(str::to_owned);
    let checked = store.call(move |store| Ok(store.fit_to_run(open.as_deref()).map_err(Box::new)));
    let mut checked = std::pin::pin!(checked);
    let path = request.file();
    let size_mb = std::fs::metadata(&path).map_or(0, |file| file.len() / 1_000_000);
    for said in 1_u64.. {
        tokio::select! {
            fits = &mut checked => {
                return Ok(fits?.map_or_else(Checked::Unfit, |()| Checked::Fits));
            }
            by = &mut *told => return Ok(Checked::Told(by)),
            () = tokio::time::sleep(SAID_EVERY) => tell(request.tell, format!(
                "heat is off; {} ({size_mb} MB) is being checked: {} s so far",
                path.display(),
                said * SAID_EVERY.as_secs()
            )).await,
        }
    }
    Err(StoreError::ThreadGone)
}
