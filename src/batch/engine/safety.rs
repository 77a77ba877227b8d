//! Safety: what the interlocks look at, which alarms that makes, who has seen them, and what may be
//! commanded.

use holder_hal::{Celsius, Command, Heat, Kelvin};

use super::{Engine, Facts, Phase, entry};
use crate::batch::control::Wanted;
use crate::batch::event::{Alarm, Entry, Event, Refusal};
use crate::batch::interlock::{Ruling, Watched};
use crate::batch::plausible::Stage;

impl Engine {
    /// Whether the orders were last noted not to reach the machine.
    pub fn orders_lost(&self) -> bool {
        self.orders_lost
    }

    /// Whether it was last noted that the record is behind, so that no heat is let through.
    pub fn record_is_behind(&self) -> bool {
        self.record_behind
    }

    /// Whether nobody can say by its probes how warm the milk is. The batch has failed by that.
    pub(super) fn milk_is_doubted(&self) -> bool {
        let by_failing = self.tally.implausible.is_some_and(Alarm::doubts_the_milk);
        by_failing || self.board.lasts(Alarm::MilkStuck)
    }

    /// Whether milk is being heated or held.
    pub(super) fn is_heated(&self) -> bool {
        matches!(self.phase, Phase::ComeUp { .. } | Phase::Hold { .. })
    }

    pub(super) fn is_heating(&self) -> bool {
        match self.phase {
            Phase::Preheat { .. }
            | Phase::Load { .. }
            | Phase::ComeUp { .. }
            | Phase::Hold { .. } => true,
            Phase::Cool { .. } | Phase::Unload | Phase::Finished | Phase::Aborted { .. } => false,
        }
    }

    pub(super) fn watched(&self, facts: &Facts) -> Watched {
        let is_heated = self.is_heated();
        Watched {
            bath_new: facts.bath.filter(|_| facts.bath_is_new),
            bath_seen: facts.bath_seen,
            hottest_milk: facts.newest_allowed_for,
            bath_lost_ms: facts.bath_lost_ms,
            milk_lost_ms: facts.milk_lost_ms,
            milk_watched: is_heated || matches!(self.phase, Phase::Cool { .. }),
            milk_warms: self.bottles_called && self.is_heating(),
            milk_heated: is_heated,
            lid_open: facts.lid_open,
            orders_lost: self.orders_lost,
        }
    }

    /// Where the batch is while a reading comes in.
    pub(super) fn stage(&self) -> Stage {
        Stage {
            now: self.now,
            phase: self.phase(),
            loaded: self.loaded,
            bottles: self.bottles,
            command: self.commanded,
        }
    }

    /// Brings the board up to date, and remembers what has failed the batch.
    pub(super) fn note_alarms(&mut self, ruling: &Ruling, facts: &Facts, entries: &mut Vec<Entry>) {
        self.cut = ruling.cut;
        let waits = matches!(self.phase, Phase::Load { .. });
        let failed = &mut self.tally.heat_failed_waiting;
        self.board.update(ruling.lasting, |event| {
            let is_failed = matches!(event, Event::Raised { alarm: Alarm::HeaterFails, .. });
            *failed += u32::from(waits && is_failed);
            entries.push(entry(facts, event));
        });
        if let (None, Some(alarm)) = (self.tally.implausible, ruling.fails) {
            self.tally.implausible = Some(alarm);
            entries.push(entry(facts, Event::Failed { alarm }));
        }
    }

    pub(super) fn acknowledge(
        &mut self,
        alarm: Alarm,
        by: String,
        facts: &Facts,
        out: &mut Vec<Entry>,
    ) -> Result<(), Refusal> {
        if by.trim().is_empty() {
            return Err(Refusal::NoName);
        }
        if !self.board.acknowledge(alarm) {
            return Err(Refusal::NothingToAcknowledge(alarm));
        }
        out.push(entry(facts, Event::Acknowledged { alarm, by }));
        Ok(())
    }

    pub(super) fn ceiling_lines(&self) -> [Celsius; 3] {
        let ceiling = &self.params.recipe.ceiling;
        [ceiling.note, ceiling.deviation, ceiling.fail]
    }

    /// Notes each line of the ceiling when it is passed for the first time.
    pub(super) fn note_ceiling(&mut self, facts: &Facts, entries: &mut Vec<Entry>) {
        // From the loading until the milk is cold: a probe in the wash afterwards is no milk.
        let in_bath =
            matches!(self.phase, Phase::ComeUp { .. } | Phase::Hold { .. } | Phase::Cool { .. });
        let Some(hottest) = facts.hottest_allowed_for.filter(|_| in_bath) else { return };
        for (index, line) in self.ceiling_lines().into_iter().enumerate() {
            if hottest > line && self.tally.ceiling_lines_passed <= index {
                self.tally.ceiling_lines_passed = index + 1;
                let allowance = facts.hottest.map_or(Kelvin::ZERO, |mean| hottest - mean);
                entries.push(entry(facts, Event::AboveCeiling { line, allowance }));
            }
        }
    }

    /// What the machine shall do until the next step: in doubt no heat.
    pub(super) fn command(&mut self, facts: &Facts) -> Command {
        let (agitator, cooling, milk_target) = match self.phase {
            Phase::Preheat { .. } | Phase::Load { .. } => (true, false, None),
            Phase::ComeUp { .. } | Phase::Hold { .. } => (true, false, Some(self.params.target())),
            Phase::Cool { .. } | Phase::Unload => (true, true, None),
            Phase::Finished => (false, false, None),
            Phase::Aborted { cooling } => (true, cooling, None),
        };
        // What would not be let through is not wanted: so it is known what the machine was told.
        // No outage makes a probe good that gave nothing since: it is not lost yet, and not read.
        let is_blind = facts.milk_unread && milk_target.is_some();
        let is_let = self.is_heating() && !self.cut && !is_blind && !self.waits_for_heat();
        if !is_let || self.record_behind || !self.board.heat_allowed() {
            return Command { heat: Heat::Off, agitator, cooling };
        }
        // Control works on the coldest probe by its own limit, as the judge does.
        let milk = facts.newest_clearance.map(|clearance| self.params.limit_max() + clearance);
        let wanted = Wanted { milk_target, milk, bath: facts.bath };
        Command { heat: self.control.heat(facts.now, wanted), agitator, cooling }
    }
}
