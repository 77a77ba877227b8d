//! Keeps the record of one batch: every step goes to the store's thread, and what the disk has
//! acknowledged gives heat its permit.

use std::collections::VecDeque;
use std::time::Duration;

use holder_hal::Tick;
use tokio::sync::oneshot;

use super::clock::Clock;
use super::permit::HeatPermit;
use crate::batch::event::{Effects, Input};
use crate::batch::phase::PhaseName;
use crate::store::{Stamp, Step, StoreError, StoreThread};

/// Jobs that may wait for the disk: five minutes at one a second. More means that the record
/// is lost. The store's queue has room for as many.
pub const WAITING_MAX: usize = 300;

/// How often a step is tried while another program holds the database. SQLite itself waits 5 s
/// each time: five minutes in all, while the queue fills up behind it and heat has no permit.
const LOCKED_TRIES: u32 = 60;

/// Between two tries, for the cases in which SQLite does not wait.
const LOCKED_PAUSE: Duration = Duration::from_millis(100);

/// Why the record cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk does not keep up.
    #[error(
        "the disk has not acknowledged {WAITING_MAX} readings: heat is off; check the disk, then \
         start holder again"
    )]
    Stalled,
}

impl RecordError {
    /// Whether the station's file is damaged.
    pub const fn is_damage(&self) -> bool {
        match self {
            Self::Store(why) => why.is_damage(),
            Self::Stalled => false,
        }
    }
}

/// A job that the store has not acknowledged yet.
struct Waiting {
    /// The moment of the input; a remark has none.
    at: Option<Tick>,
    /// Whether it is a reading; nothing else earns a permit.
    earns: bool,
    reply: oneshot::Receiver<Result<(), StoreError>>,
}

/// Does `work` again while another program holds the database, `tries` times at most. It runs on
/// the store's thread, where nobody but the disk is kept waiting.
///
/// # Errors
/// That of the last try.
fn insist<R>(
    tries: u32,
    pause: Duration,
    work: impl FnMut() -> Result<R, StoreError>,
) -> Result<R, StoreError> {
    let is_locked = |why: &StoreError| matches!(why, StoreError::Locked);
    again(tries, || std::thread::sleep(pause), is_locked, work)
}

/// Does `work` again, after a `pause`, while what it fails for `may_pass`; `tries` times at most.
///
/// # Errors
/// That of the last try.
pub(super) fn again<R>(
    tries: u32,
    pause: impl Fn(),
    may_pass: impl Fn(&StoreError) -> bool,
    mut work: impl FnMut() -> Result<R, StoreError>,
) -> Result<R, StoreError> {
    for _ in 1..tries {
        match work() {
            Err(why) if may_pass(&why) => pause(),
            done => return done,
        }
    }
    work()
}

/// The record of one batch.
pub struct Recorder {
    store: StoreThread,
    batch: String,
    operator: String,
    permit: HeatPermit,
    patience: Duration,
    waiting: VecDeque<Waiting>,
}

impl Recorder {
    /// The record of `batch`, which the store has begun. `patience` is how long a step may wait
    /// for the disk before the loop goes on without it (real time).
    pub fn new(
        store: StoreThread,
        batch: String,
        operator: String,
        permit: HeatPermit,
        patience: Duration,
    ) -> Self {
        Self { store, batch, operator, permit, patience, waiting: VecDeque::new() }
    }

    /// Code of the batch.
    pub fn batch(&self) -> &str {
        &self.batch
    }

    /// The permit, as the disk has earned it.
    pub fn permit(&self) -> HeatPermit {
        self.permit
    }

    /// Hands one step to the store and waits for the disk, but not for ever: a step that is not
    /// acknowledged in time waits in line, and heat loses its permit meanwhile.
    ///
    /// # Errors
    /// The store failed, or too many steps wait.
    pub async fn commit(
        &mut self,
        clock: &Clock,
        at: Tick,
        input: Input,
        effects: &Effects,
        phase: PhaseName,
    ) -> Result<(), RecordError> {
        if self.waiting.len() >= WAITING_MAX {
            return Err(RecordError::Stalled);
        }
        let (batch, who, utc_ms) = (self.batch.clone(), self.operator.clone(), clock.utc_ms());
        let (effects, is_reading) = (effects.clone(), matches!(input, Input::Reading(_)));
        let reply = self.store.submit(move |store| {
            let stamp = Stamp { utc_ms, who: &who };
            let (batch, input, effects) = (batch.as_str(), &input, &effects);
            let step = Step { batch, at, stamp, input, effects, phase };
            insist(LOCKED_TRIES, LOCKED_PAUSE, || store.commit_step(&step))
        })?;
        self.waiting.push_back(Waiting { at: Some(at), earns: is_reading, reply });
        match tokio::time::timeout(self.patience, self.settle()).await {
            Ok(settled) => Ok(settled?),
            Err(_) => {
                tracing::warn!(waiting = self.waiting.len(), "the disk is slow");
                Ok(())
            }
        }
    }

    /// Puts a remark of the loop in line for the record; if it is lost, the next commit says so.
    ///
    /// # Errors
    /// Too many jobs wait, or the store's thread is gone.
    pub fn remark(&mut self, clock: &Clock, at: Tick, text: String) -> Result<(), RecordError> {
        if self.waiting.len() >= WAITING_MAX {
            return Err(RecordError::Stalled);
        }
        let (batch, who, utc_ms) = (self.batch.clone(), self.operator.clone(), clock.utc_ms());
        let reply = self.store.submit(move |store| {
            let stamp = Stamp { utc_ms, who: &who };
            insist(LOCKED_TRIES, LOCKED_PAUSE, || store.remark(stamp, &batch, at, &text))
        })?;
        self.waiting.push_back(Waiting { at: None, earns: false, reply });
        Ok(())
    }

    /// Waits until the disk has acknowledged everything.
    ///
    /// # Errors
    /// The store failed.
    pub async fn settle(&mut self) -> Result<(), StoreError> {
        while let Some(first) = self.waiting.front_mut() {
            (&mut first.reply).await.map_err(|_| StoreError::ThreadGone)??;
            if let Some(at) = first.at {
                // What kills.py holds against the record after a crash.
                tracing::debug!(tick_ms = at.ms(), "on the disk");
            }
            if let Some(at) = first.at.filter(|_| first.earns) {
                self.permit.committed(at);
            }
            self.waiting.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often the database was tried, and what came of it.
    fn tried(locked: u32, tries: u32) -> (u32, Result<u32, StoreError>) {
        let mut count = 0;
        let done = insist(tries, Duration::ZERO, || {
            count += 1;
            if count <= locked { Err(StoreError::Locked) } else { Ok(count) }
        });
        (count, done)
    }

    #[test]
    fn a_step_waits_for_another_program_that_holds_the_database_but_not_for_ever() {
        assert!(matches!(tried(7, 60), (8, Ok(8))));
        assert!(matches!(tried(100, 60), (60, Err(StoreError::Locked))));
    }

    #[test]
    fn a_disk_that_fails_is_not_asked_again() {
        let mut count = 0;
        let done: Result<(), _> = insist(60, Duration::ZERO, || {
            count += 1;
            Err(StoreError::DiskFull)
        });
        assert!(matches!((count, done), (1, Err(StoreError::DiskFull))));
    }
}
