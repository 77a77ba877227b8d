//! The parts of the program that the steps put to the test, so that a test can hand in a broken one
//! and see that a step notices: a step that passes without the part that it is about shows nothing.

use holder_hal::Tick;

use crate::batch::curve::Curve;
use crate::batch::engine::Engine;
use crate::batch::event::{Effects, Input};
use crate::batch::judge;
use crate::batch::recipe::Recipe;
use crate::batch::verdict::Verdict;
use crate::record::judgement::Judgement;
use crate::record::{RecordError, json};
use crate::store::model::BatchRecord;
use crate::store::{JournalEntry, Misfit, ReplayMisfit, Store, StoreError, VerifyReport, replay};

/// What the steps call.
pub trait Parts {
    /// The live engine takes one input.
    fn step(&self, engine: &mut Engine, now: Tick, input: Input) -> Effects {
        engine.step(now, input)
    }

    /// The second judge decides.
    fn judge(&self, recipe: &Recipe, curve: &Curve) -> Verdict {
        judge::judge(recipe, curve)
    }

    /// The whole record is recomputed, and compared with a hash from paper.
    ///
    /// # Errors
    /// The first thing that does not fit.
    fn verify(&self, store: &Store, paper: Option<&str>) -> Result<VerifyReport, Misfit> {
        store.verify(paper)
    }

    /// The record of a batch is read back.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    fn load(&self, store: &Store, batch: &str) -> Result<BatchRecord, StoreError> {
        store.load_batch(batch)
    }

    /// The newest entry of the journal of this kind that is about the station itself.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn newest_entry(&self, store: &Store, kind: &str) -> Result<Option<JournalEntry>, StoreError> {
        store.newest_entry(kind, "station")
    }

    /// A record is exported.
    ///
    /// # Errors
    /// It cannot be JSON.
    fn export(
        &self,
        record: &BatchRecord,
        judgement: &Judgement,
        now_utc_ms: i64,
    ) -> Result<String, RecordError> {
        json::export(record, judgement, now_utc_ms)
    }

    /// A new engine is stepped with stored inputs.
    ///
    /// # Errors
    /// The first difference.
    fn replay(
        &self,
        record: &BatchRecord,
        inputs: &[(Tick, Input)],
    ) -> Result<usize, ReplayMisfit> {
        replay(record, inputs)
    }
}

/// The program as it is.
#[derive(Clone, Copy, Debug)]
pub struct Program;

impl Parts for Program {}
