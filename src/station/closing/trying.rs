//! Tries again what cannot be looked at for a moment: that says nothing against a record
//! (docs/decisions/0036).

use std::time::Duration;

use super::super::recorder::again;
use crate::store::{Misfit, Proved, Store, StoreError};

/// How often closing is tried while another program holds the database, 5 s each time, or while the
/// disk fails.
pub(super) const TRIES: u32 = 6;
/// Between two tries: a disk that fails does so at once.
const PAUSE: Duration = Duration::from_millis(500);

/// The batch as it is read; whether it fits is asked again while that cannot be looked at.
pub(super) fn proved(store: &Store, batch: &str, rest: &dyn Fn()) -> Result<Proved, StoreError> {
    let mut unfit = None;
    let looked = trying(rest, || match store.load_proved(batch)? {
        Proved { record, inputs, fits: Err(Misfit::Unreadable(why)) } => {
            unfit = Some((record, inputs));
            Err(why)
        }
        proved => Ok(proved),
    });
    match (looked, unfit) {
        (Err(why), Some((record, inputs))) if why.is_damage() => {
            Ok(Proved { record, inputs, fits: Err(why.into()) })
        }
        (looked, _) => looked,
    }
}

/// Whether something fits, asked again while that cannot be looked at: a file that is in use, or a
/// disk that fails, is no misfit.
///
/// # Errors
/// It still cannot be looked at.
pub(in crate::station) fn insist_on_fit(
    ask: impl FnMut() -> Result<(), Misfit>,
) -> Result<Result<(), Misfit>, StoreError> {
    fit_trying(ask, &rest)
}

pub(super) fn fit_trying(
    mut ask: impl FnMut() -> Result<(), Misfit>,
    rest: &dyn Fn(),
) -> Result<Result<(), Misfit>, StoreError> {
    let looked = trying(rest, || match ask() {
        Err(Misfit::Unreadable(why)) => Err(why),
        looked => Ok(looked),
    });
    match looked {
        Err(why) if why.is_damage() => Ok(Err(why.into())),
        looked => looked,
    }
}

/// Does `work` on the file again while another program holds it, or the disk fails: either may pass, and
/// what SQLite calls malformed may be a disk that failed (`store::disk`). It runs on a thread on which
/// nobody but the disk is kept waiting.
///
/// # Errors
/// That of the last try.
pub(in crate::station) fn insist<R>(
    work: impl FnMut() -> Result<R, StoreError>,
) -> Result<R, StoreError> {
    trying(&rest, work)
}

/// The same, with this rest between two tries.
pub(super) fn trying<R>(
    rest: &dyn Fn(),
    work: impl FnMut() -> Result<R, StoreError>,
) -> Result<R, StoreError> {
    let may_pass = |why: &StoreError| {
        matches!(why, StoreError::Locked | StoreError::Disk(_) | StoreError::Damaged(_))
    };
    again(TRIES, rest, may_pass, work)
}

/// Between two tries.
pub(super) fn rest() {
    std::thread::sleep(PAUSE);
}
