//! Every way into a phase: one function each, which makes one entry with its cause and the
//! readings behind it.

use holder_hal::Tick;

use super::{Engine, Facts, Phase, STABLE_WITHIN, entry};
use crate::batch::event::{Cause, Entry, Event, Refusal};

impl Engine {
    pub(super) fn enter_preheat(&mut self, facts: &Facts, out: &mut Vec<Entry>) {
        self.started = Some(facts.now);
        self.enter_warming(Cause::Started, facts, out);
    }

    pub(super) fn enter_warming(&mut self, cause: Cause, facts: &Facts, out: &mut Vec<Entry>) {
        let preheat = Phase::Preheat { since: facts.now, stable_since: None };
        self.enter(preheat, cause, facts, out);
    }

    pub(super) fn enter_load(&mut self, facts: &Facts, out: &mut Vec<Entry>) {
        self.bottles_called = true;
        self.enter(Phase::Load { since: facts.now }, Cause::BathStable, facts, out);
    }

    pub(super) fn enter_come_up(&mut self, cause: Cause, facts: &Facts, out: &mut Vec<Entry>) {
        self.control.reset();
        self.enter(Phase::ComeUp { since: facts.now, above_since: None }, cause, facts, out);
    }

    pub(super) fn enter_hold(&mut self, facts: &Facts, out: &mut Vec<Entry>) {
        let hold = Phase::Hold { since: facts.now, unbroken: facts.now };
        self.enter(hold, Cause::HoldBegun, facts, out);
    }

    pub(super) fn enter_cool(&mut self, cause: Cause, facts: &Facts, out: &mut Vec<Entry>) {
        self.enter(Phase::Cool { since: facts.now }, cause, facts, out);
    }

    pub(super) fn enter_unload(&mut self, cause: Cause, facts: &Facts, out: &mut Vec<Entry>) {
        self.enter(Phase::Unload, cause, facts, out);
    }

    /// The bottles that came out: a count that is not the load is taken the second time.
    pub(super) fn count_out(
        &mut self,
        bottles: u16,
        facts: &Facts,
        out: &mut Vec<Entry>,
    ) -> Result<(), Refusal> {
        if bottles == 0 {
            return Err(Refusal::NoBottles);
        }
        let loaded = self.bottles;
        let is_first = self.tally.bottles_out.replace(bottles).is_none();
        if is_first && bottles != loaded {
            out.push(entry(facts, Event::CountDiffers { loaded, counted: bottles }));
        } else {
            self.enter(Phase::Finished, Cause::Unloaded { bottles, loaded }, facts, out);
        }
        Ok(())
    }

    pub(super) fn enter_aborted(&mut self, cause: Cause, facts: &Facts, out: &mut Vec<Entry>) {
        let cooling = matches!(self.phase, Phase::Cool { .. } | Phase::Unload);
        self.enter(Phase::Aborted { cooling }, cause, facts, out);
    }

    fn enter(&mut self, phase: Phase, cause: Cause, facts: &Facts, out: &mut Vec<Entry>) {
        self.phase = phase;
        out.push(entry(facts, Event::Entered { phase: self.phase(), cause }));
    }

    /// Since when the bath has been where it may be loaded.
    pub(super) fn bath_stable_since(&self, since: Option<Tick>, facts: &Facts) -> Option<Tick> {
        let off_by = facts.bath? - self.params.cascade.bath_max;
        let is_near = off_by <= STABLE_WITHIN && -off_by <= STABLE_WITHIN;
        is_near.then(|| since.unwrap_or(facts.now))
    }
}
