//! The record of a run: what a disk has acknowledged, in memory, and in a real store where the
//! run has one. The disk has its own faults; nothing else here knows of them.

use std::collections::VecDeque;

use holder_hal::Tick;

use super::fault::Kind;
use super::rig::Rig;
use super::scenario::Scenario;
use crate::batch::event::{Effects, Entry, Input};
use crate::batch::judge;
use crate::batch::params::BatchParams;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::Verdict;
use crate::record::curve;
use crate::station::closing::close_judged;
use crate::station::recorder::WAITING_MAX;
use crate::station::recovery::{self, TakenUp};
use crate::store::model::{BatchHeader, BatchRecord, Closing, Period, StampedEntry};
use crate::store::{BootMoment, ClockEntry, Stamp, Step, Store, StoreError};

mod begun;

use begun::{new_batch, station_with_milk};

/// Who acts.
const WHO: &str = "soak";
/// 2026-07-01 12:00 UTC.
const NOON_MS: i64 = 1_782_907_200_000;

/// A step that the disk has not acknowledged yet.
#[derive(Clone, Debug)]
struct Waiting {
    done: Tick,
    at: Tick,
    utc_ms: i64,
    input: Input,
    effects: Effects,
    phase: PhaseName,
}

/// The record cannot be kept: then nothing may be heated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// Too much waits for the disk.
    #[error("the disk does not keep up")]
    Stalled,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored inputs do not give what is stored of the engine.
    #[error("the record cannot be taken up: {0}")]
    Disputed(String),
}

/// A batch that a program left open.
pub(crate) struct Left {
    /// Its engine, and its last input.
    pub(crate) taken_up: TakenUp,
    /// How long nobody ran it; `None` where nobody knows.
    pub(crate) outage_ms: Option<u64>,
    /// Where its own time goes on.
    pub(crate) at: Tick,
}

/// The record.
pub(crate) struct Record {
    params: BatchParams,
    bottles: u16,
    periods: Vec<Period>,
    entries: Vec<StampedEntry>,
    waiting: VecDeque<Waiting>,
    store: Option<(Store, String)>,
    /// What did not verify after a crash.
    misfit: Option<String>,
    /// A defect on purpose: the next step does not go into the store.
    #[cfg(test)]
    pub(crate) forgets_next: bool,
}

impl Record {
    /// Begins the record of a run, in a store if it has one.
    ///
    /// # Errors
    /// The store refuses what the run begins with.
    pub(crate) fn begin(scenario: &Scenario, in_store: bool) -> Result<Self, Lost> {
        let bottles = u16::try_from(scenario.plant.bottles).unwrap_or(u16::MAX);
        let store = in_store.then(|| station_with_milk(scenario)).transpose()?;
        let begun = store.map(|mut store| {
            let code = store.begin_batch(&new_batch(scenario))?;
            Ok::<_, StoreError>((store, code))
        });
        Ok(Self {
            params: scenario.params.clone(),
            bottles,
            periods: Vec::with_capacity(8_000),
            entries: Vec::new(),
            waiting: VecDeque::new(),
            store: begun.transpose()?,
            misfit: None,
            #[cfg(test)]
            forgets_next: false,
        })
    }

    /// A second program on the same station and unit: refused, or a defect.
    pub(crate) fn second_instance(&mut self, scenario: &Scenario) -> Option<String> {
        let (store, _) = self.store.as_mut()?;
        match store.begin_batch(&new_batch(scenario)) {
            Err(StoreError::UnitBusy { .. }) => None,
            Err(other) => {
                Some(format!("a second instance was refused for another reason: {other}"))
            }
            Ok(code) => Some(format!("a second instance began batch {code} on the same unit")),
        }
    }

    /// Hands one step to the disk, and says when it will be acknowledged.
    ///
    /// # Errors
    /// Too many steps wait.
    pub(crate) fn submit(
        &mut self,
        rig: &Rig,
        now: Tick,
        at: Tick,
        input: Input,
        effects: &Effects,
        phase: PhaseName,
    ) -> Result<Tick, Lost> {
        if self.waiting.len() >= WAITING_MAX {
            return Err(Lost::Stalled);
        }
        let begins = self.waiting.back().map_or(now, |last| last.done.max(now));
        let done = if rig.active(Kind::DiskStalled).is_some() {
            rig.over_at(Kind::DiskStalled).max(begins)
        } else if let Some(slow) = rig.active(Kind::DiskSlow) {
            begins.plus_ms(slow.size as u64)
        } else {
            begins
        };
        let utc_ms = utc_ms(now, rig);
        self.waiting.push_back(Waiting {
            done,
            at,
            utc_ms,
            input,
            effects: effects.clone(),
            phase,
        });
        Ok(done)
    }

    /// When the disk will have acknowledged everything.
    pub(crate) fn last_done(&self) -> Tick {
        self.waiting.back().map_or(Tick::default(), |last| last.done)
    }

    /// Takes in what the disk has acknowledged by now, and gives the newest reading among it.
    ///
    /// # Errors
    /// The store refuses a step.
    pub(crate) fn settle(&mut self, now: Tick) -> Result<Option<Tick>, Lost> {
        let mut newest = None;
        while let Some(step) = self.waiting.pop_front_if(|step| step.done <= now) {
            #[cfg(test)]
            let is_kept = !std::mem::take(&mut self.forgets_next);
            #[cfg(not(test))]
            let is_kept = true;
            if let Some((store, code)) = self.store.as_mut().filter(|_| is_kept) {
                store.commit_step(&Step {
                    batch: code,
                    at: step.at,
                    stamp: Stamp { utc_ms: step.utc_ms, who: WHO },
                    input: &step.input,
                    effects: &step.effects,
                    phase: step.phase,
                })?;
            }
            for entry in step.effects.entries {
                self.entries.push(stamped(self.entries.len(), step.utc_ms, entry));
            }
            if let Input::Reading(reading) = step.input {
                let (command, phase) = (step.effects.command, step.phase);
                self.periods.push(Period { at: step.at, reading, command, phase });
                newest = Some(step.at);
            }
        }
        Ok(newest)
    }

    /// What the program did not know to be on the disk is gone with it.
    ///
    /// # Errors
    /// The store cannot be opened again.
    pub(crate) fn crash(&mut self) -> Result<(), Lost> {
        self.waiting.clear();
        if let Some((store, code)) = self.store.take() {
            let store = store.reopened()?;
            let broken = store.verify(None).err().map(|misfit| misfit.to_string());
            self.misfit = self.misfit.take().or(broken);
            self.store = Some((store, code));
        }
        Ok(())
    }

    /// What the store gives of a batch that a program left open, with the outage by the clock.
    ///
    /// # Errors
    /// The store, or a record that its inputs do not give again.
    pub(crate) fn take_up(&mut self, now: BootMoment, utc_ms: i64) -> Result<Option<Left>, Lost> {
        let Some((store, code)) = &mut self.store else { return Ok(None) };
        let (record, inputs) = store.load_to_replay(code)?;
        let taken_up = recovery::take_up(&record, &inputs)
            .map_err(|misfit| Lost::Disputed(misfit.to_string()))?;
        let now = ClockEntry { moment: now, tick_ms: 0, speed: 1 };
        let then = store.clock_of(code, taken_up.last)?;
        let outage_ms = recovery::outage_ms(then.as_ref(), Some(&now), taken_up.last);
        let at = recovery::goes_on_at(taken_up.last, outage_ms, &record.params.recipe);
        let stamp = Stamp { utc_ms, who: WHO };
        store.note_clock(stamp, code, &ClockEntry { tick_ms: at.ms(), ..now })?;
        Ok(Some(Left { taken_up, outage_ms, at }))
    }

    /// Closes the record, and gives it with its verdict.
    ///
    /// # Errors
    /// The store.
    pub(crate) fn close(
        mut self,
        closing: Closing,
        engine_accepts: Option<bool>,
        rig: &Rig,
        now: Tick,
    ) -> Result<Closed, Lost> {
        self.settle(now)?;
        let utc_ms = utc_ms(now, rig);
        let phase = self.entered_last();
        let mut misfit = self.misfit.take();
        let mut from_store = None;
        if let Some((store, code)) = &mut self.store {
            let stamp = Stamp { utc_ms, who: WHO };
            let (mut record, verdict) = close_judged(store, code, closing, engine_accepts, stamp)?;
            // What was judged is what is compared; that it is still there, the hashes show.
            record.header = store.batch(code)?;
            misfit = misfit.or_else(|| differs(store, &record, &self.periods, &self.entries));
            from_store = Some((record, verdict));
        }
        let (record, verdict) = match from_store {
            Some(found) => found,
            None => {
                let record = self.into_record(closing, engine_accepts, phase, utc_ms);
                let verdict = judge::judge(&record.params.recipe, &curve::curve(&record));
                (record, verdict)
            }
        };
        Ok(Closed { record, verdict, misfit })
    }

    /// The phase of the newest acknowledged step.
    fn entered_last(&self) -> PhaseName {
        use crate::batch::event::Event;
        let entered = |stamped: &StampedEntry| match &stamped.entry.event {
            Event::Entered { phase, .. } => Some(*phase),
            Event::Raised { .. }
            | Event::Cleared { .. }
            | Event::Acknowledged { .. }
            | Event::Failed { .. }
            | Event::AboveCeiling { .. }
            | Event::Resumed { .. }
            | Event::HeatConfirmed
            | Event::CountDiffers { .. } => None,
        };
        self.entries.iter().rev().find_map(entered).unwrap_or(PhaseName::Preheat)
    }

    fn into_record(
        self,
        closing: Closing,
        engine_accepts: Option<bool>,
        phase: PhaseName,
        closed_utc_ms: i64,
    ) -> BatchRecord {
        let params = self.params;
        BatchRecord {
            header: BatchHeader {
                code: "B-2026-0001".into(),
                unit: params.unit.clone(),
                purpose: params.purpose,
                simulated: true,
                recipe: params.recipe.name.clone(),
                pool: None,
                bottles: self.bottles,
                bottle_ul: 0,
                operator: WHO.into(),
                started_utc_ms: NOON_MS,
                closed_utc_ms: Some(closed_utc_ms),
                closing: Some(closing),
                phase,
                engine_accepts,
            },
            station: WHO.into(),
            time_zone: "UTC".into(),
            params,
            texts: Vec::new(),
            entries: self.entries,
            periods: self.periods,
            actions: Vec::new(),
            remarks: Vec::new(),
            pool: None,
            head_seq: 0,
            head_hash: "0".repeat(64),
        }
    }
}

/// A closed record.
pub(crate) struct Closed {
    /// All of it.
    pub(crate) record: BatchRecord,
    /// The judge's verdict.
    pub(crate) verdict: Verdict,
    /// What is not in the store as it was acknowledged.
    pub(crate) misfit: Option<String>,
}

fn stamped(seq: usize, utc_ms: i64, entry: Entry) -> StampedEntry {
    let seq = i64::try_from(seq + 1).unwrap_or(i64::MAX);
    StampedEntry { seq, utc_ms, who: WHO.into(), entry }
}

/// What the boot-time clock shows at this moment of the run, after so many starts.
pub(crate) fn boot(starts: u32, now: Tick) -> BootMoment {
    BootMoment {
        boot_id: format!("start-{starts}"),
        since_boot_ms: now.ms().saturating_add(60_000),
    }
}

/// What the wall clock shows: it annotates, and may be stepped.
pub(crate) fn utc_ms(at: Tick, rig: &Rig) -> i64 {
    let mut utc_ms = NOON_MS.saturating_add(i64::try_from(at.ms()).unwrap_or(i64::MAX));
    for kind in [Kind::WallClock, Kind::DaylightSaving] {
        if let Some(step) = rig.active(kind) {
            utc_ms = utc_ms.saturating_add((step.size * 1_000.0) as i64);
        }
    }
    utc_ms
}

/// Everything that was acknowledged must be in the store as it was, and the chain must verify.
fn differs(
    store: &Store,
    record: &BatchRecord,
    periods: &[Period],
    entries: &[StampedEntry],
) -> Option<String> {
    if let Err(misfit) = store.verify(None) {
        return Some(format!("the store does not verify: {misfit}"));
    }
    if record.periods != periods {
        let first = record.periods.iter().zip(periods).position(|(kept, given)| kept != given);
        return Some(format!(
            "{} periods were acknowledged, {} are kept; the first that differs: {first:?}",
            periods.len(),
            record.periods.len()
        ));
    }
    let kept = record.entries.iter().map(|kept| &kept.entry);
    let given = entries.iter().map(|given| &given.entry);
    (!kept.eq(given)).then(|| "an entry that was acknowledged is not kept as it was".to_owned())
}
