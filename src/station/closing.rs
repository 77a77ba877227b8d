//! Closes the record of a batch: what the person must know first, then replay, verdict, closing.

use std::path::Path;
use std::time::Duration;

use holder_hal::Tick;
use tokio::sync::oneshot;

use super::clock::Clock;
use super::heard;
use super::recorder::Recorder;
use super::soundness::telling;
use super::supervisor::Ending;
use crate::batch::engine::Engine;
use crate::batch::event::Input;
use crate::batch::judge;
use crate::batch::verdict::Verdict;
use crate::record::curve;
use crate::software::Software;
use crate::store::model::{BatchHeader, BatchRecord, Closing};
use crate::store::{
    Close, Misfit, Proved, Stamp, Store, StoreError, StoreThread, made_by_words, revive,
};

/// A disk that has not closed the record after this long (real time) is left behind.
pub(super) const CLOSE_WITHIN: Duration = Duration::from_secs(60);

/// A disk that takes longer to close the file keeps nobody waiting: the log stays beside it.
const FILE_CLOSED_WITHIN: Duration = Duration::from_secs(10);

/// The same where somebody has ended the waiting for the disk already.
const LEFT_BEHIND_WITHIN: Duration = Duration::from_secs(1);

/// So much of the file is read and hashed in a second, at the least: the journal of all years is
/// walked before a verdict. An unoptimized build on a busy computer did ten times as much.
const READ_MB_PER_S_MIN: u64 = 2;

mod trying;

pub(super) use trying::{insist, insist_on_fit};
use trying::{proved, rest, trying};

/// Why a record was not closed.
#[derive(Debug, thiserror::Error)]
pub enum CloseFault {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk does not answer.
    #[error("the disk did not answer within {} s", .0.as_secs())]
    Stalled(Duration),
    /// The program was told to stop, by this.
    #[error("the program was stopped by {0} before the disk had answered")]
    Told(&'static str),
}

impl CloseFault {
    /// Whether somebody has ended the waiting.
    pub(super) const fn is_told(&self) -> bool {
        match self {
            Self::Told(_) => true,
            Self::Store(_) | Self::Stalled(_) => false,
        }
    }

    /// Whether the station's file is damaged.
    pub(super) const fn is_damage(&self) -> bool {
        match self {
            Self::Store(why) => why.is_damage(),
            Self::Stalled(_) | Self::Told(_) => false,
        }
    }
}

/// What a person must know before anything else of a batch that has ended: that the machine is
/// not known to be safe, or, if the batch did not come to its end, that it is.
pub(super) fn safety(batch: &str, ending: &Ending, unsafe_because: Option<&str>) -> Option<String> {
    match (ending, unsafe_because) {
        (_, Some(_)) => Some(warning(batch, unsafe_because).trim_end().to_owned()),
        (Ending::Over(_) | Ending::WasOver(_), None) => None,
        (Ending::Interrupted(_) | Ending::RecordLost(_) | Ending::Panicked(_), None) => {
            Some(format!("batch {batch}: heat was commanded off, and the machine confirmed it"))
        }
    }
}

/// The warning that the machine is not known to be safe, with a space after it, or nothing.
pub(super) fn warning(batch: &str, unsafe_because: Option<&str>) -> String {
    let why = unsafe_because.map(|why| {
        format!(
            "ATTENTION: batch {batch}: the machine did not confirm the safe state ({why}). Switch \
             the heater off at the machine. "
        )
    });
    why.unwrap_or_default()
}

/// Waits for what `recorder` still has in line, then judges the stored record and closes the batch
/// with the verdict. A machine that is not known to be safe is remarked first. Gives the first page,
/// too: a batch that was told to stop may have been over by then.
///
/// # Errors
/// The store fails.
pub(super) async fn close(
    store: &StoreThread,
    batch: &str,
    ending: &Ending,
    recorder: Option<Recorder>,
    clock: &Clock,
    who: &str,
    unsafe_because: Option<&str>,
) -> Result<(BatchHeader, Verdict), StoreError> {
    let (closing, engine_accepts) = match ending {
        Ending::Over(engine) => (Closing::Ended, engine.accepts()),
        Ending::Interrupted(_)
        | Ending::WasOver(_)
        | Ending::RecordLost(_)
        | Ending::Panicked(_) => (Closing::Interrupted, None),
    };
    let (batch, who, utc_ms, at) = (batch.to_owned(), who.to_owned(), clock.utc_ms(), clock.now());
    let unproved = unsafe_because.map(|why| format!("the safe state was not confirmed: {why}"));
    let close = move |store: &mut Store| {
        let stamp = Stamp { utc_ms, who: &who };
        if let Some(text) = unproved {
            insist(|| store.remark(stamp, &batch, at, &text))?;
        }
        let (record, verdict) = close_judged(store, &batch, closing, engine_accepts, stamp)?;
        Ok((record.header, verdict))
    };
    if let Some(mut recorder) = recorder {
        recorder.settle().await?;
    }
    store.call(close).await
}

/// Lets the record tell why the program left a batch that stays open, once all that was in line
/// before is on the disk.
///
/// # Errors
/// The store fails, or the disk does not answer.
pub(super) async fn keep_open(
    store: &StoreThread,
    batch: &str,
    ending: &Ending,
    clock: &Clock,
    who: &str,
    unsafe_because: Option<&str>,
) -> Result<(), CloseFault> {
    let safe = unsafe_because
        .map_or("the machine confirmed that the heat is off".to_owned(), |why| {
            format!("the safe state was not confirmed: {why}")
        });
    let text = format!("the batch {}; {safe}. It stays open.", ending.words());
    within(CLOSE_WITHIN, remark(store, batch, clock, who, text)).await
}

/// Lets the record tell that the machine confirmed in the end what it had not confirmed by then: that
/// stands there already.
///
/// # Errors
/// The store fails, or the disk does not answer.
pub(super) async fn confirmed_late(
    store: &StoreThread,
    batch: &str,
    clock: &Clock,
    who: &str,
) -> Result<(), CloseFault> {
    let text = "heat was commanded off once more, and the machine confirmed it".to_owned();
    within(CLOSE_WITHIN, remark(store, batch, clock, who, text)).await
}

/// A remark on what is the case now.
async fn remark(
    store: &StoreThread,
    batch: &str,
    clock: &Clock,
    who: &str,
    text: String,
) -> Result<(), StoreError> {
    let (batch, who, utc_ms, at) = (batch.to_owned(), who.to_owned(), clock.utc_ms(), clock.now());
    let kept = store.call(move |store| {
        let stamp = Stamp { utc_ms, who: &who };
        insist(|| store.remark(stamp, &batch, at, &text))
    });
    kept.await
}

/// Waits for `work` on the file at `path`, for longer the larger that is, but not for ever; tells by
/// `say` that `what` still goes on.
///
/// # Errors
/// The store fails, or the disk does not answer.
pub(super) async fn patiently<R>(
    (path, say): (&Path, fn(&str)),
    what: &str,
    work: impl Future<Output = Result<R, StoreError>>,
) -> Result<R, CloseFault> {
    let size_mb = size_mb(path);
    let text = |so_far_s| format!("{what} ({size_mb} MB): {so_far_s} s so far");
    telling(say, text, within(patience(size_mb), work)).await
}

/// Waits for `work`; whoever tells the program to stop hears at once that it was heard, and ends the
/// waiting the second time.
///
/// # Errors
/// That of the work, or the program was told to stop twice.
pub(super) async fn unless_told<R>(
    (say, next_signal): (fn(&str), &mut impl AsyncFnMut() -> &'static str),
    what: &str,
    within: Duration,
    work: impl Future<Output = Result<R, CloseFault>>,
) -> Result<R, CloseFault> {
    let done = heard::unless_told_twice(say, (what, within), next_signal, work);
    done.await.unwrap_or_else(|by| Err(CloseFault::Told(by)))
}

/// Waits until the store's thread has closed the file, so that no log is left beside it, but not for
/// ever; whether it has. Who `is_left_behind` by the person already is given a moment only.
pub(super) async fn file_closed(
    thread: std::thread::JoinHandle<()>,
    is_left_behind: bool,
    say: fn(&str),
    next_signal: impl AsyncFnMut() -> &'static str,
) -> bool {
    let (done, closed) = oneshot::channel();
    let waiting = std::thread::Builder::new().name("closing".into()).spawn(move || {
        // A defect of the store's thread was told to whoever asked it for something.
        thread.join().ok();
        done.send(()).ok();
    });
    let within = if is_left_behind { LEFT_BEHIND_WITHIN } else { FILE_CLOSED_WITHIN };
    let closed = tokio::time::timeout(within, closed);
    let what = ("the station's file is being closed", within);
    let waited = heard::unless_told_twice(say, what, next_signal, closed);
    waiting.is_ok() && matches!(waited.await, Ok(Ok(_)))
}

/// How long work on the file at `path` may take.
pub(super) fn patience_with(path: &Path) -> Duration {
    patience(size_mb(path))
}

fn size_mb(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len() / 1_000_000)
}

/// How long work on a file of this size may take.
fn patience(size_mb: u64) -> Duration {
    CLOSE_WITHIN + Duration::from_secs(size_mb / READ_MB_PER_S_MIN)
}

/// Waits for the store, but not for ever.
pub(super) async fn within<R>(
    patience: Duration,
    work: impl Future<Output = Result<R, StoreError>>,
) -> Result<R, CloseFault> {
    let done = tokio::time::timeout(patience, work).await;
    Ok(done.map_err(|_| CloseFault::Stalled(patience))??)
}

/// The same for whoever closes a batch: the verdict on the record as it stands goes into the
/// journal with the closing. The record must be what was written, and the stored inputs must give
/// the stored entries again, and the live decision; otherwise the controller is not believed
/// (docs/decisions/0002), and no judge can make the batch acceptable. A batch that came to its end by
/// its record is closed as ended, whatever its program came to before it could do so, and with what the
/// controller decided. Gives the record that was judged, with the verdict.
///
/// # Errors
/// The store fails, or the record cannot be looked at: then nothing is known against it, and it stays
/// open (docs/decisions/0036).
pub(crate) fn close_judged(
    store: &mut Store,
    batch: &str,
    closing: Closing,
    engine_accepts: Option<bool>,
    stamp: Stamp<'_>,
) -> Result<(BatchRecord, Verdict), StoreError> {
    close_trying(store, batch, (closing, engine_accepts), stamp, &rest)
}

fn close_trying(
    store: &mut Store,
    batch: &str,
    known: (Closing, Option<bool>),
    stamp: Stamp<'_>,
    rest: &dyn Fn(),
) -> Result<(BatchRecord, Verdict), StoreError> {
    let Proved { mut record, inputs, fits } = proved(store, batch, rest)?;
    let (closing, engine_accepts) = known;
    (record.header.closing, record.header.engine_accepts) = (Some(closing), engine_accepts);
    let (closing, engine_accepts) = match revived(store, &record, &inputs, fits, rest)? {
        Ok(engine) if engine.phase().is_final() => (Closing::Ended, engine.accepts()),
        Ok(_) => known,
        Err(disputed) => {
            let at = record.periods.last().map_or(Tick::default(), |period| period.at);
            trying(rest, || store.remark(stamp, batch, at, &disputed))?;
            record = trying(rest, || store.load_batch(batch))?; // with the remark
            (closing, Some(false))
        }
    };
    (record.header.closing, record.header.engine_accepts) = (Some(closing), engine_accepts);
    let verdict = judge::judge(&record.params.recipe, &curve::curve(&record));
    let kept = serde_json::to_value(&verdict).ok();
    let phase = record.header.phase;
    let verdict_kept = kept.as_ref();
    let close = Close { batch, stamp, closing, engine_accepts, phase, verdict: verdict_kept };
    trying(rest, || store.close_batch(&close))?;
    Ok((record, verdict))
}

/// The controller as the stored inputs give it again; or why the record is not to be believed: it is not
/// what was written, or the replay of the stored inputs and it part. What cannot be understood keeps no
/// batch open: it must be possible to give up a batch on a damaged file.
fn revived(
    store: &Store,
    record: &BatchRecord,
    inputs: &[(Tick, Input)],
    fits: Result<(), Misfit>,
    rest: &dyn Fn(),
) -> Result<Result<Engine, String>, StoreError> {
    if let Err(misfit) = fits {
        return Ok(Err(misfit.to_string()));
    }
    let misfit = match revive(record, inputs) {
        Ok(engine) => return Ok(Ok(engine)),
        Err(misfit) => misfit,
    };
    let made_by = trying(rest, || store.made_by(&record.header.code))?;
    Ok(Err(format!(
        "the stored inputs do not give the stored entries again: {misfit}; made by: {}; replayed by: {}",
        made_by_words(&made_by),
        Software::this()
    )))
}

#[cfg(test)]
mod tests;
