//! Closes for good what an interrupted program left open: a batch that was over, or one that a person
//! gives up.

use std::path::Path;

use super::super::clock;
use super::super::closing::{self, CloseFault, close_judged, insist, insist_on_fit};
use super::super::conduct::{ConductError, Conducted, Request, tell};
use super::super::config::Unit;
use super::super::recovery::TakenUp;
use super::super::supervisor::Ending;
use super::{is_cooled, load, safety_now, unproved};
use crate::batch::verdict::Verdict;
use crate::store::model::{BatchHeader, Closing};
use crate::store::{Stamp, Store, StoreError, StoreThread};

/// Closes a batch that came to its end and only was not closed; `None` for any other, and for one
/// whose record does not give its controller again. The heat-off of its end may never have arrived,
/// so the machine is made safe before the record is looked at.
pub(super) async fn close_if_over(
    request: &Request<'_>,
    unit: &Unit<'_>,
    store: &StoreThread,
    left: &BatchHeader,
    told: &mut (impl Future<Output = &'static str> + Unpin),
) -> Result<Option<Conducted>, ConductError> {
    if !left.phase.is_final() {
        return Ok(None);
    }
    let (batch, name) = (left.code.clone(), left.unit.clone());
    let safe = safety_now(request, unit, is_cooled(left.phase)).await;
    tell(request.tell, format!("batch {batch}: {safe}.")).await;
    let unsafe_because = unproved(&safe);
    let (code, file) = (batch.clone(), request.file());
    let asked = store.call(move |store| {
        let fits = insist_on_fit(|| store.batch_fits(&code));
        Ok(fits.unwrap_or_else(|unread| Err(unread.into())).map_err(Box::new))
    });
    let (said, of) = ((&*file, request.tell), (&*left.code, &*left.unit, true));
    match (patiently(said, of, &safe, told, asked).await?, &unsafe_because) {
        (Ok(()), _) => {}
        (Err(misfit), None) => return Err(ConductError::unfit((batch, name), safe, misfit)),
        // First the heater; what the record is not is told at the next start.
        (Err(_), Some(_)) => return Err(ConductError::left_open(left.clone(), safe)),
    }
    let taken = patiently(said, of, &safe, told, load(store, &batch)).await?;
    let Ok(over) = taken.taken_up else { return Ok(None) };
    let closing = close_ended(request, store, &batch, over, unsafe_because);
    patiently(said, of, &safe, told, closing).await.map(Some)
}

/// Waits for the closing `of` a batch, on its unit, which is known to be over or not: for longer the
/// larger the file is, but not for ever, and a person hears that it goes on; whoever ends the program is
/// heard, too. The machine is known to be as `safe` says.
async fn patiently<R>(
    said: (&Path, fn(&str)),
    of: (&str, &str, bool),
    safe: &str,
    told: &mut (impl Future<Output = &'static str> + Unpin),
    work: impl Future<Output = Result<R, StoreError>>,
) -> Result<R, ConductError> {
    let what = format!("batch {}: its record is being checked and closed", of.0);
    let done = tokio::select! {
        done = closing::patiently(said, &what, work) => done,
        by = told => Err(CloseFault::Told(by)),
    };
    done.map_err(|fault| not_closed(of, safe, fault))
}

fn not_closed(
    (batch, unit, is_over): (&str, &str, bool),
    safe: &str,
    fault: CloseFault,
) -> ConductError {
    match fault {
        CloseFault::Store(why) => ConductError::Unreadable { safe: safe.to_owned(), why },
        why @ (CloseFault::Stalled(_) | CloseFault::Told(_)) => {
            let (batch, unit) = (batch.to_owned(), unit.to_owned());
            let unsafe_because = unproved(safe);
            ConductError::NotClosed { batch, unit, is_over, unsafe_because, why: Box::new(why) }
        }
    }
}

/// A batch that came to its end, but whose record was not closed.
async fn close_ended(
    request: &Request<'_>,
    store: &StoreThread,
    batch: &str,
    over: TakenUp,
    unsafe_because: Option<String>,
) -> Result<Conducted, StoreError> {
    let (accepts, last) = (over.engine.accepts(), over.last);
    let (code, who) = (batch.to_owned(), request.who.clone());
    let said = unsafe_because.clone();
    let verdict = store
        .call(move |store| {
            let stamp = Stamp { utc_ms: clock::utc_now_ms(), who: &who };
            if let Some(text) = said {
                insist(|| store.remark(stamp, &code, last, &text))?;
            }
            Ok(close_judged(store, &code, Closing::Ended, accepts, stamp)?.1)
        })
        .await?;
    let ending = Ending::Over(Box::new(over.engine));
    Ok(Conducted { batch: batch.to_owned(), ending, verdict, unsafe_because })
}

/// Gives the batch up: the machine is made safe, and the record is closed as incomplete, unless the batch
/// was over by then.
pub(in crate::station) async fn abandon(
    request: &Request<'_>,
    unit: &Unit<'_>,
    store: &StoreThread,
    left: &BatchHeader,
    reason: &str,
    told: &mut (impl Future<Output = &'static str> + Unpin),
) -> Result<Conducted, ConductError> {
    let safe = safety_now(request, unit, is_cooled(left.phase)).await;
    tell(request.tell, format!("batch {}: {safe}.", left.code)).await;
    let (code, who, reason) = (left.code.clone(), request.who.clone(), reason.to_owned());
    let unsafe_because = unproved(&safe);
    let of = (&*left.code, &*left.unit, left.phase.is_final());
    let (file, known) = (request.file(), safe.clone());
    let given_up = store.call(move |store| give_up(store, &code, &reason, &known, &who));
    let (header, verdict) = patiently((&file, request.tell), of, &safe, told, given_up).await?;
    let ending = Ending::Interrupted("a person, who gave it up").closed_with(&header);
    Ok(Conducted { batch: left.code.clone(), ending, verdict, unsafe_because })
}

/// Closes a batch that was left open as incomplete, with who gave it up and why. One that came to its end
/// by its record is closed as ended; who did it and why stands in the record all the same. Gives the first
/// page and the verdict.
///
/// # Errors
/// The store fails.
pub fn give_up(
    store: &mut Store,
    batch: &str,
    reason: &str,
    safe: &str,
    who: &str,
) -> Result<(BatchHeader, Verdict), StoreError> {
    let stamp = Stamp { utc_ms: clock::utc_now_ms(), who };
    let (record, inputs) = insist(|| store.load_to_replay(batch))?;
    let last = inputs.last().map_or_else(Default::default, |(at, _)| *at);
    let what = if record.header.phase.is_final() {
        "the batch was over, but not closed; it"
    } else {
        "the interrupted batch"
    };
    let text = format!("{what} was given up by {who}: {reason}. {safe}.");
    insist(|| store.remark(stamp, batch, last, &text))?;
    let (record, verdict) = close_judged(store, batch, Closing::Interrupted, None, stamp)?;
    Ok((record.header, verdict))
}

#[cfg(test)]
mod tests;
