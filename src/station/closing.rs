//! Closes the record of a batch: what the person must know first, then replay, verdict, closing.

use std::path::Path;
use std::time::Duration;

use holder_hal::Tick;

use super::clock::Clock;
use super::recorder::{Recorder, insist};
use super::soundness::telling;
use super::supervisor::Ending;
use crate::batch::event::Input;
use crate::batch::judge;
use crate::batch::verdict::Verdict;
use crate::record::curve;
use crate::software::Software;
use crate::store::model::{BatchRecord, Closing};
use crate::store::{
    Close, Misfit, Proved, Stamp, Store, StoreError, StoreThread, made_by_words, replay,
};

/// A disk that has not closed the record after this long (real time) is left behind.
const CLOSE_WITHIN: Duration = Duration::from_secs(60);

/// So much of the file is read and hashed in a second, at the least: the journal of all years is
/// walked before a verdict. An unoptimized build on a busy computer did ten times as much.
const READ_MB_PER_S_MIN: u64 = 2;

/// How often closing is tried while another program holds the database, 5 s each time.
const LOCKED_TRIES: u32 = 6;
const LOCKED_PAUSE: Duration = Duration::from_millis(100);

/// Why a record was not closed.
#[derive(Debug, thiserror::Error)]
pub enum CloseFault {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk does not answer.
    #[error("the disk did not answer within {} s", .0.as_secs())]
    Stalled(Duration),
}

impl CloseFault {
    /// Whether the station's file is damaged.
    pub(super) const fn is_damage(&self) -> bool {
        match self {
            Self::Store(why) => why.is_damage(),
            Self::Stalled(_) => false,
        }
    }
}

/// What a person must know before anything else of a batch that has ended: that the machine is
/// not known to be safe, or, if the batch did not come to its end, that it is.
pub(super) fn safety(batch: &str, ending: &Ending, unsafe_because: Option<&str>) -> Option<String> {
    match (ending, unsafe_because) {
        (_, Some(_)) => Some(warning(batch, unsafe_because).trim_end().to_owned()),
        (Ending::Over(_), None) => None,
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
/// with the verdict. A machine that is not known to be safe is remarked first.
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
) -> Result<Verdict, StoreError> {
    let (closing, engine_accepts) = match ending {
        Ending::Over(engine) => (Closing::Ended, engine.accepts()),
        Ending::Interrupted(_) | Ending::RecordLost(_) | Ending::Panicked(_) => {
            (Closing::Interrupted, None)
        }
    };
    let (batch, who, utc_ms, at) = (batch.to_owned(), who.to_owned(), clock.utc_ms(), clock.now());
    let unproved = unsafe_because.map(|why| format!("the safe state was not confirmed: {why}"));
    let close = move |store: &mut Store| {
        let stamp = Stamp { utc_ms, who: &who };
        if let Some(text) = unproved {
            insist(LOCKED_TRIES, LOCKED_PAUSE, || store.remark(stamp, &batch, at, &text))?;
        }
        Ok(close_judged(store, &batch, closing, engine_accepts, stamp)?.1)
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
    let (batch, who, utc_ms, at) = (batch.to_owned(), who.to_owned(), clock.utc_ms(), clock.now());
    let kept = store.call(move |store| {
        let stamp = Stamp { utc_ms, who: &who };
        insist(LOCKED_TRIES, LOCKED_PAUSE, || store.remark(stamp, &batch, at, &text))
    });
    within(CLOSE_WITHIN, kept).await
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
    let size_mb = std::fs::metadata(path).map_or(0, |file| file.len() / 1_000_000);
    let text = |so_far_s| format!("{what} ({size_mb} MB): {so_far_s} s so far");
    telling(say, text, within(patience(size_mb), work)).await
}

/// How long work on a file of this size may take.
fn patience(size_mb: u64) -> Duration {
    CLOSE_WITHIN + Duration::from_secs(size_mb / READ_MB_PER_S_MIN)
}

/// Waits for the store, but not for ever.
async fn within<R>(
    patience: Duration,
    work: impl Future<Output = Result<R, StoreError>>,
) -> Result<R, CloseFault> {
    let done = tokio::time::timeout(patience, work).await;
    Ok(done.map_err(|_| CloseFault::Stalled(patience))??)
}

/// The same for whoever closes a batch: the verdict on the record as it stands goes into the
/// journal with the closing. The record must be what was written, and the stored inputs must give
/// the stored entries again, and the live decision; otherwise the controller is not believed
/// (docs/decisions/0002), and no judge can make the batch acceptable. Gives the record that was
/// judged, with the verdict.
///
/// # Errors
/// The store fails.
pub(crate) fn close_judged(
    store: &mut Store,
    batch: &str,
    closing: Closing,
    engine_accepts: Option<bool>,
    stamp: Stamp<'_>,
) -> Result<(BatchRecord, Verdict), StoreError> {
    let proved = insist(LOCKED_TRIES, LOCKED_PAUSE, || store.load_proved(batch))?;
    let Proved { mut record, inputs, fits } = proved;
    (record.header.closing, record.header.engine_accepts) = (Some(closing), engine_accepts);
    let mut engine_accepts = engine_accepts;
    if let Some(text) = disputed(store, &record, &inputs, fits)? {
        engine_accepts = Some(false);
        let at = record.periods.last().map_or(Tick::default(), |period| period.at);
        insist(LOCKED_TRIES, LOCKED_PAUSE, || store.remark(stamp, batch, at, &text))?;
        record = store.load_batch(batch)?; // with the remark
        record.header.engine_accepts = engine_accepts;
    }
    let verdict = judge::judge(&record.params.recipe, &curve::curve(&record));
    let kept = serde_json::to_value(&verdict).ok();
    let phase = record.header.phase;
    let verdict_kept = kept.as_ref();
    let close = Close { batch, stamp, closing, engine_accepts, phase, verdict: verdict_kept };
    insist(LOCKED_TRIES, LOCKED_PAUSE, || store.close_batch(&close))?;
    Ok((record, verdict))
}

/// Why the record is not to be believed, if so: it is not what was written, or the replay of the
/// stored inputs and it part. What cannot even be read keeps no batch open: it must be possible to
/// give up a batch on a damaged file.
fn disputed(
    store: &Store,
    record: &BatchRecord,
    inputs: &[(Tick, Input)],
    fits: Result<(), Misfit>,
) -> Result<Option<String>, StoreError> {
    if let Err(misfit) = fits {
        return Ok(Some(misfit.to_string()));
    }
    let batch = &record.header.code;
    let Err(misfit) = replay(record, inputs) else { return Ok(None) };
    let made_by = insist(LOCKED_TRIES, LOCKED_PAUSE, || store.made_by(batch))?;
    Ok(Some(format!(
        "the stored inputs do not give the stored entries again: {misfit}; made by: {}; replayed by: {}",
        made_by_words(&made_by),
        Software::this()
    )))
}

/// Whether something fits, asked again while another program holds the database: a file that is in use
/// is no misfit.
///
/// # Errors
/// It is still in use.
pub(super) fn insist_on_fit(
    mut ask: impl FnMut() -> Result<(), Misfit>,
) -> Result<Result<(), Misfit>, StoreError> {
    insist(LOCKED_TRIES, LOCKED_PAUSE, || match ask() {
        Err(Misfit::Unreadable(StoreError::Locked)) => Err(StoreError::Locked),
        fits => Ok(fits),
    })
}

#[cfg(test)]
mod tests {
    use holder_sim::params::PlantParams;

    use super::*;
    use crate::batch::engine::Engine;
    use crate::batch::event::Effects;
    use crate::batch::verdict::{Outcome, Rule};
    use crate::station::conduct::ConductError;
    use crate::station::fixture;
    use crate::station::rehearsal::rehearse;
    use crate::store::Step;

    const NOW: Stamp<'_> = Stamp { utc_ms: 0, who: "ann" };

    /// A new station with a batch of water that has begun.
    fn begun() -> (tempfile::TempDir, Store, String) {
        let (dir, _, mut store) = fixture::station();
        let batch = store.begin_batch(&fixture::water()).expect("begun");
        (dir, store, batch)
    }

    fn tamper(dir: &tempfile::TempDir, sql: &str) {
        let db = rusqlite::Connection::open(dir.path().join("holder.db")).expect("opens");
        db.execute_batch(sql).expect("tampered");
    }

    /// A good batch of water as a controller with this defect stores it, in a file that somebody
    /// changes before it is closed, and its verdict.
    fn closed(mut defect: impl FnMut(&mut Effects), tampering: &str) -> (BatchRecord, Verdict) {
        let params = fixture::water().params;
        let run = rehearse(params.clone(), PlantParams::nominal(), 1, 0.1, 48).expect("runs");
        let (dir, mut store, batch) = begun();
        let mut engine = Engine::new(params).expect("valid");
        for period in &run.periods {
            let action = crate::station::rehearsal::asked(engine.phase(), 48);
            let inputs = action.map(Input::Operator).into_iter();
            for input in inputs.chain([Input::Reading(period.reading)]) {
                let mut effects = engine.step(period.at, input.clone());
                defect(&mut effects);
                let (at, phase) = (period.at, engine.phase());
                let (batch, input, effects) = (batch.as_str(), &input, &effects);
                let step = Step { batch, at, stamp: NOW, input, effects, phase };
                store.commit_step(&step).expect("kept");
            }
        }
        assert_eq!(engine.accepts(), Some(true));
        tamper(&dir, tampering);
        let verdict = close_judged(&mut store, &batch, Closing::Ended, engine.accepts(), NOW);
        (store.load_batch(&batch).expect("kept"), verdict.expect("closed").1)
    }

    /// REQ-JUDGE-01, REQ-REC-01
    #[test]
    fn a_record_that_its_inputs_do_not_give_again_is_disputed_and_says_so() {
        let (record, verdict) = closed(|_| (), "");
        assert_eq!(record.header.engine_accepts, Some(true));
        assert_eq!(verdict.outcome, Outcome::Acceptable, "{verdict:#?}");
        assert!(record.remarks.is_empty());

        let (record, verdict) = closed(|effects| effects.command.agitator = true, "");
        assert_eq!(record.header.engine_accepts, Some(false));
        assert_ne!(verdict.outcome, Outcome::Acceptable);
        assert!(verdict.findings.iter().any(|finding| finding.rule == Rule::Disputed));
        let said = &record.remarks.first().expect("a remark").text;
        assert!(said.starts_with("the stored inputs do not give"), "{said}");
        let this = Software::this();
        assert!(said.ends_with(&format!("made by: {this}; replayed by: {this}")), "{said}");
        // Whoever judges the record later comes to the same.
        assert_eq!(judge::judge(&record.params.recipe, &curve::curve(&record)), verdict);
    }

    /// REQ-REC-01: the reference probe decides nothing live, so that the replay fits; the running
    /// hash does not.
    #[test]
    fn a_record_that_was_changed_while_the_batch_ran_is_disputed_and_says_so() {
        let (record, verdict) = closed(
            |_| (),
            "DROP TRIGGER inputs_no_update;
             UPDATE inputs SET reference_mc = reference_mc + 1
             WHERE tick_ms = (SELECT max(tick_ms) FROM inputs WHERE reference_mc IS NOT NULL);",
        );
        assert_eq!(record.header.engine_accepts, Some(false));
        assert_ne!(verdict.outcome, Outcome::Acceptable);
        assert!(verdict.findings.iter().any(|finding| finding.rule == Rule::Disputed));
        let said = &record.remarks.first().expect("a remark").text;
        assert!(said.contains("not verify"), "{said}");
    }

    #[test]
    fn a_batch_can_be_given_up_on_a_file_that_cannot_be_read_whole() {
        let (dir, mut store, batch) = begun();
        let garbled = "DROP TRIGGER journal_no_update;
                       UPDATE journal SET who = CAST(x'ff' AS TEXT) WHERE seq = 1;";
        tamper(&dir, garbled);
        let misfit = store.batch_fits(&batch).expect_err("garbled");
        assert!(matches!(misfit, Misfit::Unreadable(_)), "{misfit}");
        let verdict = close_judged(&mut store, &batch, Closing::Interrupted, None, NOW);
        assert_ne!(verdict.expect("closed").1.outcome, Outcome::Acceptable);
        let record = store.load_batch(&batch).expect("kept");
        assert_eq!(record.header.closing, Some(Closing::Interrupted));
        assert_eq!(record.remarks.first().map(|said| said.text.clone()), Some(misfit.to_string()));
    }

    #[tokio::test]
    async fn a_disk_that_hangs_does_not_hold_the_warning_back() {
        let why = within(Duration::ZERO, std::future::pending::<Result<(), _>>()).await;
        let why = Box::new(why.expect_err("it hangs"));
        let unsafe_because = Some("the wire is cut".to_owned());
        let error =
            ConductError::NotClosed { batch: "B-1".into(), unit: "u".into(), unsafe_because, why };
        let text = error.to_string();
        assert!(text.starts_with("ATTENTION: batch B-1: the machine did not confirm"), "{text}");
        assert!(text.contains("Switch the heater off at the machine."), "{text}");
        assert!(text.contains("the disk did not answer"), "{text}");
    }

    #[test]
    fn a_record_in_a_file_of_many_years_has_the_time_that_its_journal_takes() {
        assert_eq!(patience(0), CLOSE_WITHIN);
        // 0022: 21 s for 469 MB on a busy computer; five years of it, on one ten times as slow.
        assert!(patience(5 * 469) > Duration::from_secs(10 * 5 * 21), "{:?}", patience(5 * 469));
    }

    #[test]
    fn a_file_that_is_in_use_for_a_moment_is_no_misfit() {
        let mut answers = vec![Ok(()), Err(Misfit::Unreadable(StoreError::Locked))];
        let fits = insist_on_fit(|| answers.pop().expect("asked twice"));
        assert!(matches!(fits, Ok(Ok(()))), "{fits:?}");
    }

    #[test]
    fn every_end_but_a_good_one_says_whether_the_heat_is_off() {
        let broken = Ending::Panicked("a defect".into());
        let said = safety("B-1", &broken, None).expect("said");
        assert!(said.contains("B-1") && said.contains("heat was commanded off"), "{said}");
        let engine = Engine::new(fixture::water().params).expect("valid");
        let over = Ending::Over(Box::new(engine));
        assert_eq!(safety("B-1", &over, None), None);
        assert!(safety("B-1", &over, Some("cut")).expect("said").starts_with("ATTENTION"));
    }
}
