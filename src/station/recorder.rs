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

/// Steps that may wait for the disk: five minutes at one a second. More means that the record
/// is lost.
const WAITING_MAX: usize = 300;

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

/// The record of one batch.
pub struct Recorder {
    store: StoreThread,
    batch: String,
    operator: String,
    permit: HeatPermit,
    patience: Duration,
    waiting: VecDeque<(Tick, oneshot::Receiver<Result<(), StoreError>>)>,
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
        let effects = effects.clone();
        let reply = self.store.submit(move |store| {
            let stamp = Stamp { utc_ms, who: &who };
            let (batch, input, effects) = (batch.as_str(), &input, &effects);
            store.commit_step(&Step { batch, at, stamp, input, effects, phase })
        })?;
        self.waiting.push_back((at, reply));
        match tokio::time::timeout(self.patience, self.settle()).await {
            Ok(settled) => settled,
            Err(_) => {
                tracing::warn!(waiting = self.waiting.len(), "the disk is slow");
                Ok(())
            }
        }
    }

    /// Puts a remark of the loop in line for the record. It is lost only if the record is.
    ///
    /// # Errors
    /// Too many steps wait, or the store's thread is gone.
    pub fn remark(&self, clock: &Clock, at: Tick, text: String) -> Result<(), RecordError> {
        let (batch, who, utc_ms) = (self.batch.clone(), self.operator.clone(), clock.utc_ms());
        self.store
            .submit(move |store| store.remark(Stamp { utc_ms, who: &who }, &batch, at, &text))?;
        Ok(())
    }

    /// Waits until the disk has acknowledged everything.
    ///
    /// # Errors
    /// The store failed.
    pub async fn settle(&mut self) -> Result<(), RecordError> {
        while let Some((at, reply)) = self.waiting.front_mut() {
            reply.await.map_err(|_| StoreError::ThreadGone)??;
            self.permit.committed(*at);
            self.waiting.pop_front();
        }
        Ok(())
    }
}
