//! What the steps work on: the parameters of a batch, a machine made of equations, a folder for
//! copies of the record.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use holder_hal::{Reading, Tick};
use holder_sim::params::PlantParams;
use jiff::civil::Date;

use super::parts::Parts;
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Effects, Input};
use crate::batch::params::BatchParams;
use crate::batch::verdict::Verdict;
use crate::record::curve;
use crate::station::config::Unit;
use crate::station::config::library::KnownRecipe;
use crate::station::rehearsal::{Rehearsal, rehearse_stepped};
use crate::store::Store;
use crate::store::model::BatchRecord;

/// Resolution of the readings of the machine made of equations, °C.
const RESOLUTION_K: f64 = 0.1;

/// What the protocol is run on.
pub struct Bench<'a> {
    /// The unit, or a shipped one where none was named.
    pub unit: Unit<'a>,
    /// The recipe.
    pub recipe: &'a KnownRecipe,
    /// The unit's parameters for a batch of the recipe.
    pub params: BatchParams,
    /// The volume of a bottle for which a unit is mapped, millilitres.
    pub bottle_ml: u32,
    /// The station's memory, if this is about a unit of a station.
    pub store: Option<&'a Store>,
    /// A folder for copies of the record: empty, and of this run alone.
    pub folder: &'a Path,
    /// Today in the station's zone.
    pub today: Date,
    /// Now, milliseconds since 1970 UTC.
    pub now_utc_ms: i64,
    /// Who runs it.
    pub who: &'a str,
    /// How many good plants are drawn for the step on good batches.
    pub plants: u64,
    /// The first seed of what is drawn.
    pub seed: u64,
    /// What is put to the test.
    pub parts: &'a dyn Parts,
}

/// A rehearsed batch, with its record and the judge's verdict on it.
pub(super) struct Rehearsed {
    pub(super) run: Rehearsal,
    pub(super) record: BatchRecord,
    pub(super) verdict: Verdict,
}

impl Bench<'_> {
    /// Whether it is about a unit of a station, and not about the program alone.
    pub(super) fn is_unit(&self) -> bool {
        self.store.is_some()
    }

    pub(super) fn bottles(&self) -> u16 {
        self.unit.written.bottles_max
    }

    /// A batch on the nominal machine, whose readings `spoil` may change.
    pub(super) fn spoiled(
        &self,
        spoil: impl FnMut(Tick, &mut Reading),
    ) -> anyhow::Result<Rehearsed> {
        self.on(PlantParams::nominal(), self.seed, spoil)
    }

    /// A batch on this machine.
    pub(super) fn on(
        &self,
        plant: PlantParams,
        seed: u64,
        spoil: impl FnMut(Tick, &mut Reading),
    ) -> anyhow::Result<Rehearsed> {
        let step = |engine: &mut Engine, now, input| self.parts.step(engine, now, input);
        self.stepped(plant, seed, spoil, step)
    }

    fn stepped(
        &self,
        plant: PlantParams,
        seed: u64,
        spoil: impl FnMut(Tick, &mut Reading),
        step: impl Fn(&mut Engine, Tick, Input) -> Effects,
    ) -> anyhow::Result<Rehearsed> {
        let (params, bottles) = (self.params.clone(), self.bottles());
        let run = rehearse_stepped(params, plant, seed, RESOLUTION_K, bottles, spoil, step)?;
        let record = run.record();
        let verdict = self.judged(&record);
        Ok(Rehearsed { run, record, verdict })
    }

    /// A good batch whose bottles are counted so when they come out: at first, and if asked again.
    pub(super) fn counted(&self, first: u16, again: u16) -> anyhow::Result<Rehearsed> {
        let is_first = Cell::new(true);
        let step = |engine: &mut Engine, now, mut input: Input| {
            if let Input::Operator(Action::ConfirmUnload { bottles }) = &mut input {
                *bottles = if is_first.replace(false) { first } else { again };
            }
            self.parts.step(engine, now, input)
        };
        self.stepped(PlantParams::nominal(), self.seed, |_, _| (), step)
    }

    /// The judge's verdict on a record.
    pub(super) fn judged(&self, record: &BatchRecord) -> Verdict {
        self.parts.judge(&record.params.recipe, &curve::curve(record))
    }

    /// A good batch, untouched.
    pub(super) fn good(&self) -> anyhow::Result<Rehearsed> {
        self.spoiled(|_, _| ())
    }

    /// A file of this name in the folder of this run.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
