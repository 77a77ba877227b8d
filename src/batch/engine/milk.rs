//! The phases with milk in the bath: what a hold begins with, what breaks it, when the milk is cold.

use holder_hal::{Kelvin, Tick};

use super::{Engine, Facts, Phase};
use crate::batch::event::{Alarm, Cause, Entry, HoldBreak};

impl Engine {
    pub(super) fn come_up(
        &mut self,
        since: Tick,
        above: Option<Tick>,
        facts: &Facts,
        out: &mut Vec<Entry>,
    ) {
        let rule = &self.params.recipe.hold;
        let is_warm = |clearance| self.newcomer.is_warm(facts.now, clearance, &self.params);
        let is_above = facts.clearance.is_some_and(|c| c >= rule.begin_above && is_warm(c))
            && facts.milk_gap_ms <= rule.max_gap_ms
            && !facts.lid_open
            && !self.board.lasts(Alarm::MilkInBath);
        let above_since = is_above.then(|| above.unwrap_or(facts.now));
        self.phase = Phase::ComeUp { since, above_since };
        if facts.now.ms_since(since) > self.params.recipe.heat_up.fail_ms {
            self.tally.heat_up_too_long = true;
            self.enter_cool(Cause::HeatUpTooLong, facts, out);
        } else if above_since.is_some_and(|from| facts.now.ms_since(from) >= rule.begin_after_ms) {
            self.enter_hold(facts, out);
        }
    }

    pub(super) fn hold(
        &mut self,
        since: Tick,
        unbroken: Tick,
        facts: &Facts,
        out: &mut Vec<Entry>,
    ) {
        let rule = &self.params.recipe.hold;
        let broken_by = if facts.lid_open {
            Some(HoldBreak::LidOpened)
        } else if facts.milk_gap_ms > rule.max_gap_ms {
            Some(HoldBreak::Gap)
        } else if facts.clearance.is_some_and(|clearance| clearance < Kelvin::ZERO) {
            Some(HoldBreak::BelowLimit)
        } else {
            None
        };
        let Some(by) = broken_by else {
            // Time counts only up to a moment at which the milk was known to be warm enough.
            let unbroken = if facts.clearance.is_some() { facts.now } else { unbroken };
            self.phase = Phase::Hold { since, unbroken };
            if unbroken.ms_since(since) >= rule.hold_ms && facts.milk_lost_ms == 0 {
                self.tally.hold_complete = true;
                self.enter_cool(Cause::HoldComplete, facts, out);
            }
            return;
        };
        self.tally.holds_broken += 1;
        self.broken_hold(by, unbroken.ms_since(since), facts, out);
    }

    pub(super) fn broken_hold(
        &mut self,
        by: HoldBreak,
        held_ms: u64,
        facts: &Facts,
        out: &mut Vec<Entry>,
    ) {
        let rule = &self.params.recipe.hold;
        if self.tally.holds_broken > rule.holds_restarted_max {
            self.enter_cool(Cause::RestartsExhausted { by, held_ms }, facts, out);
        } else {
            self.enter_come_up(Cause::HoldBroken { by, held_ms }, facts, out);
        }
    }

    pub(super) fn cool(&mut self, since: Tick, facts: &Facts, out: &mut Vec<Entry>) {
        let rule = &self.params.recipe.cooling;
        // A probe that froze cold in the come-up would call for hot bottles to be taken out.
        let is_known = facts.clearance.is_some() && facts.milk_lost_ms == 0;
        if is_known
            && !self.milk_is_doubted()
            && facts.hottest.is_some_and(|hottest| hottest <= rule.target)
        {
            self.tally.cooled_in_time = facts.now.ms_since(since) <= rule.fail_ms;
            self.enter_unload(Cause::Cooled, facts, out);
        } else if facts.now.ms_since(since) > rule.fail_ms {
            self.enter_unload(Cause::CoolingTooLong, facts, out);
        }
    }
}
