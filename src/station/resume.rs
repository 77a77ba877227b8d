//! Takes up what an interrupted program left open: the machine to safety first, then the record
//! through a fresh engine, then the person, then the loop.

use std::time::Duration;

use holder_hal::wire::WiredUnit;
use holder_hal::{Celsius, Tick};

use super::clock;
use super::conduct::{ConductError, Conducted, Request, Run, reach_safely, tell};
use super::config::Unit;
use super::reach::{Pace, Reached};
use super::recovery::{self, TakenUp};
use super::screen::Mode;
use super::soundness::{self, Checked};
use crate::batch::phase::PhaseName;
use crate::batch::words;
use crate::store::model::{BatchHeader, BatchRecord, Period};
use crate::store::{ClockEntry, ReplayMisfit, Stamp, StoreError, StoreThread, made_by_words};

mod for_good;

pub(super) use for_good::abandon;
use for_good::close_if_over;
pub use for_good::give_up;

/// The safe state must have arrived after this long (real time), or a person must act.
const SAFE_WITHIN: Duration = Duration::from_secs(5);

/// So often a machine is tried before a person is told that it cannot be reached.
const REACH_TRIES: u32 = 3;

/// Whether milk or water may be in the machine. It may be before the loading was confirmed, too.
pub(super) fn may_hold_bottles(phase: PhaseName) -> bool {
    match phase {
        PhaseName::Preheat | PhaseName::Finished => false,
        PhaseName::Load
        | PhaseName::ComeUp
        | PhaseName::Hold
        | PhaseName::Cool
        | PhaseName::Unload
        | PhaseName::Aborted => true,
    }
}

/// Whether the cooling water runs in this phase, and must go on running.
pub(crate) fn is_cooled(phase: PhaseName) -> bool {
    match phase {
        PhaseName::Cool | PhaseName::Unload => true,
        PhaseName::Preheat
        | PhaseName::Load
        | PhaseName::ComeUp
        | PhaseName::Hold
        | PhaseName::Finished
        | PhaseName::Aborted => false,
    }
}

/// A new batch was asked for, but one is open. One that came to its end and only was not closed is
/// closed now; any other stays as it is: the machine is made safe, and the person decides.
pub(super) async fn out_of_the_way(
    request: &Request<'_>,
    unit: &Unit<'_>,
    store: &StoreThread,
    left: BatchHeader,
    told: &mut (impl Future<Output = &'static str> + Unpin),
) -> Result<(), ConductError> {
    let phase = left.phase;
    if let Some(closed) = close_if_over(request, unit, store, &left, told).await? {
        let Conducted { batch, verdict, .. } = closed;
        let said = format!("batch {batch} was over; it was closed: {}", verdict.outcome);
        tell(request.tell, said).await;
        return Ok(());
    }
    let safe = safety_now(request, unit, is_cooled(phase)).await;
    Err(ConductError::left_open(left, safe))
}

/// The machine is made safe also where the record cannot be read; then the reason is given.
pub(super) async fn unreadable(
    request: &Request<'_>,
    unit: &Unit<'_>,
    cooling: bool,
    why: StoreError,
) -> ConductError {
    ConductError::Unreadable { safe: safety_now(request, unit, cooling).await, why }
}

/// Makes the machine safe, as far as it can be reached, and says so.
pub(super) async fn safety_now(request: &Request<'_>, unit: &Unit<'_>, cooling: bool) -> String {
    match request.pace.of(unit) {
        // The simulated machine was a part of the program that is gone.
        Pace::Lockstep { .. } => "The simulated machine is gone with its program".to_owned(),
        Pace::Running { .. } => match reach_safely(request, unit, cooling).await {
            Ok(_) => "Heat was commanded off, and the machine confirmed it".to_owned(),
            Err(fault) => {
                tell_safe(unit, cooling).await;
                format!(
                    "ATTENTION: the machine did not confirm all of the safe state ({fault}): switch \
                     the heater off at the machine"
                )
            }
        },
    }
}

/// Why the machine is not known to be safe, if that is what [`safety_now`] says.
fn unproved(safe: &str) -> Option<String> {
    safe.starts_with("ATTENTION").then(|| safe.to_owned())
}

/// Reaches the machine, and tries again: what the killed program was just saying on a line may have
/// cost its device the first question. Between two tries whatever answers is told to be safe.
async fn reach_again(
    request: &Request<'_>,
    unit: &Unit<'_>,
    cooling: bool,
) -> Result<Reached, ConductError> {
    for _ in 1..REACH_TRIES {
        match reach_safely(request, unit, cooling).await {
            Err(ConductError::Machine(fault)) if fault.is_unreachable() => {
                tracing::warn!(%fault, "the machine is tried again");
                tell_safe(unit, cooling).await;
            }
            done => return done,
        }
    }
    reach_safely(request, unit, cooling).await
}

/// Not all of a machine could be reached and made safe: whatever answers is told once more, and the
/// person that its heater needs them. A simulated machine of this process heats nothing.
pub(super) async fn tell_what_answers(
    (pace, say): (Pace, fn(&str)),
    unit: &Unit<'_>,
    cooling: bool,
    whose: &str,
) {
    if matches!(pace.of(unit), Pace::Lockstep { .. }) {
        return;
    }
    tell_safe(unit, cooling).await;
    let said = "ATTENTION: not all of the machine could be reached and made safe. Switch the heater \
                off at the machine, or see that it is off.";
    tell(say, format!("{whose}: {said}")).await;
}

/// A machine of which one part is gone may still be heating by another: that one is told.
async fn tell_safe(unit: &Unit<'_>, cooling: bool) {
    let Ok(spec) = unit.spec() else { return };
    let told = WiredUnit::tell_safe(spec, cooling);
    match tokio::time::timeout(SAFE_WITHIN, told).await {
        Ok(Ok(())) => tracing::info!("the safe state was told and confirmed"),
        Ok(Err(fault)) => tracing::warn!(%fault, "not all parts confirmed the safe state"),
        Err(_) => tracing::warn!("not all parts confirmed the safe state in time"),
    }
}

/// All that the record has of the batch, and what the replay makes of it.
struct Taken {
    record: BatchRecord,
    /// The programs that made it, in words.
    made_by: String,
    clock: Option<ClockEntry>,
    taken_up: Result<TakenUp, ReplayMisfit>,
}

async fn load(store: &StoreThread, batch: &str) -> Result<Taken, StoreError> {
    let batch = batch.to_owned();
    store
        .call(move |store| {
            let (record, inputs) = store.load_to_replay(&batch)?;
            let taken_up = recovery::take_up(&record, &inputs);
            let last = inputs.last().map_or_else(Tick::default, |(at, _)| *at);
            let (clock, made_by) = (store.clock_of(&batch, last)?, store.made_by(&batch)?);
            Ok(Taken { record, made_by: made_by_words(&made_by), clock, taken_up })
        })
        .await
}

/// Continues the batch that was left open.
pub(super) async fn resume(
    request: &Request<'_>,
    unit: &Unit<'_>,
    store: StoreThread,
    left: BatchHeader,
    mut person: (Mode, impl Future<Output = &'static str> + Unpin),
) -> Result<Conducted, ConductError> {
    if let Some(closed) = close_if_over(request, unit, &store, &left, &mut person.1).await? {
        return Ok(closed);
    }
    let BatchHeader { code: batch, phase, bottles, .. } = left;
    let cooling = is_cooled(phase);
    let reached = reach_again(request, unit, cooling).await;
    if reached.is_err() {
        let whose = format!("batch {batch}");
        tell_what_answers((request.pace, request.tell), unit, cooling, &whose).await;
    }
    let (machine, clock, hands) = reached?;
    // The outage is over: a machine that is safe waits for the check, however large the file is.
    let (was, back) = (clock.now(), clock.entry());
    let name = request.unit.to_owned();
    let file = request.file();
    match soundness::check((&file, request.tell), &store, Some(&batch), &mut person.1).await? {
        Checked::Fits => {}
        Checked::Told(by) => {
            let safe = format!("Heat is off, and batch {batch} is still open");
            return Err(ConductError::Told { by, safe });
        }
        Checked::Unfit(misfit) => {
            let safe = "Heat was commanded off, and the machine confirmed it".to_owned();
            return Err(ConductError::unfit((batch, name), safe, misfit));
        }
    }
    let Taken { record, made_by, clock: then, taken_up } = load(&store, &batch).await?;
    if let Some(what) = changed(unit, &record) {
        return Err(ConductError::Changed { batch, unit: name, what });
    }
    let taken_up = match taken_up {
        Ok(taken_up) => taken_up,
        Err(misfit) => {
            return Err(ConductError::Disputed { batch, unit: name, made_by, misfit });
        }
    };
    let outage_ms = recovery::outage_ms(then.as_ref(), back.as_ref(), taken_up.last);
    let at = recovery::goes_on_at(taken_up.last, outage_ms, &record.params.recipe);
    let clock = clock.set(was, at);
    tell(request.tell, what_happened(&record, &taken_up, outage_ms)).await;
    if let Some(back) = back {
        note_clock(request, &store, &batch, ClockEntry { tick_ms: at.ms(), ..back }).await?;
    }
    let engine = taken_up.engine.clone();
    let resumes = Some((taken_up, outage_ms, at));
    let run = Run { store, machine, clock, engine, batch, bottles, hands, resumes };
    run.until_closed(request, person).await
}

/// From its first input on an outage is measured by this clock. Written before that: whatever happens
/// between the two, the next program measures by the clock before it (`Store::clock_of`).
async fn note_clock(
    request: &Request<'_>,
    store: &StoreThread,
    batch: &str,
    entry: ClockEntry,
) -> Result<(), StoreError> {
    let (batch, who, utc_ms) = (batch.to_owned(), request.who.clone(), clock::utc_now_ms());
    store.call(move |store| store.note_clock(Stamp { utc_ms, who: &who }, &batch, &entry)).await
}

/// What of the unit is not what it was when the batch began. The recipe is the frozen one anyway.
fn changed(unit: &Unit<'_>, record: &BatchRecord) -> Option<String> {
    let now = unit.made_of().unwrap_or_default();
    let frozen = record.texts.iter().filter(|text| text.kind != "recipe");
    let differs = frozen.into_iter().find(|then| {
        !now.iter()
            .any(|now| (&now.kind, &now.name, &now.text) == (&then.kind, &then.name, &then.text))
    });
    differs.map(|text| format!("the {} {}", text.kind, text.name))
}

/// What a person must know before the batch goes on: where it was, and for how long nobody watched.
fn what_happened(record: &BatchRecord, taken_up: &TakenUp, outage_ms: Option<u64>) -> String {
    let engine = &taken_up.engine;
    let lasted = taken_up.last.ms_since(taken_up.phase_since);
    let held = engine.held_ms().map(|ms| format!(", {} of the hold", words::duration(ms)));
    let newest = record.periods.last().map_or("no reading yet".to_owned(), |period| {
        format!("newest reading: {}", reading(record, period))
    });
    format!(
        "batch {} was interrupted in phase {} after {}{}; {newest}. Since then the controller was \
         gone {}. Heat is off.",
        record.header.code,
        engine.phase(),
        words::duration(lasted),
        held.unwrap_or_default(),
        words::outage(outage_ms)
    )
}

fn reading(record: &BatchRecord, period: &Period) -> String {
    let shown =
        |value: Option<Celsius>| value.map_or("?".to_owned(), |value| format!("{value:.2}"));
    let bath = shown(record.params.bath.trusted(period.reading.bath));
    let probes = record.params.milk.iter().zip(period.reading.milk);
    let milk = probes.map(|(probe, sample)| shown(sample.and_then(|one| probe.trusted(one))));
    let milk: Vec<String> = milk.collect();
    format!("bath {bath} °C, milk {} °C", milk.join(" and "))
}
