//! Times in which nobody runs the machine: the program is gone, or it stands still; and what the
//! station does when it is back.

use holder_hal::Command;

use super::super::fault::Kind;
use super::super::record::{self, Lost};
use super::Run;
use crate::batch::event::{Action, Input};
use crate::batch::phase::PhaseName;
use crate::station::control_loop::{Newest, Orders, unwatched_ms_max};
use crate::station::permit::{HeatPermit, Withheld};
use crate::station::resume::is_cooled;

/// A time in which nobody ran the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    /// The phase that the record was in.
    pub(crate) phase: PhaseName,
    /// How long it was, by the record; `None` where nobody knows.
    pub(crate) known_ms: Option<u64>,
    /// How long it really was, milliseconds.
    pub(crate) real_ms: u64,
}

impl Run<'_> {
    /// Somebody starts the program again: the machine to safety, then the record through a fresh
    /// engine, then the loop. False if there is nothing to go on from.
    pub(super) fn come_back(&mut self) -> Result<bool, Lost> {
        let stopped = self.now;
        self.starts += u32::from(self.rig.active(Kind::PowerLost).is_some());
        self.record.crash()?;
        self.be_away();
        let boot = record::boot(self.starts, self.now);
        let utc_ms = record::utc_ms(self.now, &self.rig);
        let Some(left) = self.record.take_up(boot, utc_ms)? else { return Ok(false) };
        self.engine = left.taken_up.engine;
        self.phase = self.engine.phase();
        let real_ms = self.now.ms_since(stopped);
        let known_ms = left.outage_ms;
        self.outages.push(Outage { phase: self.phase, known_ms, real_ms });
        if self.phase.is_final() {
            return Ok(true);
        }
        let needs_person = self.scenario.params.recipe.interruption.heat_needs_person;
        self.watch.came_back(needs_person, self.engine.alarms());
        self.send(Command::safe(is_cooled(self.phase)));
        self.orders = Orders::default();
        self.permit = HeatPermit::new(self.scenario.params.period_ms);
        self.newest = Newest::taken_up(left.taken_up.last);
        self.ahead_ms = left.at.ms().saturating_sub(self.now.ms());
        #[cfg(test)]
        let known_ms = self.wanted.defect.spoil_outage(known_ms);
        let resume = Action::Resume { outage_ms: known_ms };
        self.withheld = Withheld::default();
        self.take(self.now, Input::Operator(resume))?;
        self.newest.read_after_input();
        Ok(true)
    }

    /// The program stood still and goes on.
    pub(super) fn notice_absence(&mut self) -> Result<(), Lost> {
        let gone_ms = self.newest.unwatched_ms(self.own(self.now));
        let params = &self.scenario.params;
        let max_ms = unwatched_ms_max(params.recipe.hold.max_gap_ms, params.period_ms);
        let Some(gone_ms) = gone_ms.filter(|gone_ms| *gone_ms > max_ms) else { return Ok(()) };
        let (phase, known_ms) = (self.phase, Some(gone_ms));
        self.outages.push(Outage { phase, known_ms, real_ms: self.stood_still_ms });
        let needs_person = self.scenario.params.recipe.interruption.heat_needs_person;
        self.watch.came_back(needs_person, self.engine.alarms());
        #[cfg(test)]
        let known_ms = self.wanted.defect.spoil_outage(known_ms);
        self.take(self.now, Input::Operator(Action::Resume { outage_ms: known_ms }))?;
        self.newest.read_after_input();
        Ok(())
    }

    pub(super) fn is_down(&self) -> bool {
        self.rig.active(Kind::Killed).is_some() || self.rig.active(Kind::PowerLost).is_some()
    }

    /// Nobody runs the machine: it goes on by what it was told last.
    pub(super) fn be_away(&mut self) {
        while self.is_down() {
            self.let_alone();
        }
    }

    /// The program is there, and does nothing.
    pub(super) fn stand_still(&mut self) {
        let began = self.now;
        while self.rig.active(Kind::StandsStill).is_some() && !self.is_down() {
            self.let_alone();
        }
        self.stood_still_ms = self.now.ms_since(began);
    }

    fn let_alone(&mut self) {
        let slice_ms = self.scenario.params.period_ms;
        self.rig.pass(slice_ms);
        self.now = self.now.plus_ms(slice_ms);
        self.look();
    }
}
