//! The controller was gone and is back: what becomes of the batch, by the recipe's rule alone.
//!
//! **Terms.** *Outage*: from the last reading before it to the moment at which the batch is
//! continued: nobody watched the milk in it. What is watched again is judged by the other rules.
//!
//! | phase | allowed | too long, unknown, or forbidden |
//! |---|---|---|
//! | preheat | preheats again | preheats again: no milk is in |
//! | load | goes on | preheats again |
//! | come-up | goes on, as soon as heat is confirmed | failed, the milk is cooled |
//! | hold | broken: it begins again, or failed | failed, the milk is cooled |
//! | cool | goes on, its time counts on | the same; failed if nobody knows how long |
//! | unload | goes on | goes on, failed |

use holder_hal::{Command, Heat};

use super::super::event::{Cause, Effects, Entry, Event, HoldBreak, Refusal};
use super::super::facts::Facts;
use super::super::recipe::WhenInterrupted;
use super::{Control, Engine, Phase, entry};

impl Engine {
    /// Whether heat waits for a person to confirm it, after an interruption.
    pub fn waits_for_heat(&self) -> bool {
        self.heat_waits && self.is_heating()
    }

    /// Takes the batch up again. Nothing is known of the machine at this moment, so nothing but
    /// the outage is judged, and heat is off until the first reading at least.
    pub(super) fn resume(&mut self, outage_ms: Option<u64>) -> Effects {
        let mut entries = Vec::new();
        let facts = self.senses.facts(self.now, &self.params, self.now);
        let refusal = match self.phase {
            Phase::Finished | Phase::Aborted { .. } => Some(Refusal::Over(self.phase())),
            Phase::Preheat { .. }
            | Phase::Load { .. }
            | Phase::ComeUp { .. }
            | Phase::Hold { .. }
            | Phase::Cool { .. }
            | Phase::Unload => {
                self.take_up(outage_ms, &facts, &mut entries);
                None
            }
        };
        self.commanded = Command { heat: Heat::Off, ..self.command(&facts) };
        Effects { command: self.commanded, entries, refusal }
    }

    fn take_up(&mut self, outage_ms: Option<u64>, facts: &Facts, out: &mut Vec<Entry>) {
        let last_reading = self.senses.resume(self.now).unwrap_or(self.now);
        self.control = Control::new(self.params.cascade, self.params.heater);
        out.push(entry(facts, Event::Resumed { outage_ms }));
        let rule = &self.params.recipe.interruption;
        let (come_up, hold) = (rule.come_up, rule.hold);
        // The time between the readings counts, whatever the outage was said to be.
        let gone_ms = outage_ms.map(|ms| ms.max(self.now.ms_since(last_reading)));
        let too_long = gone_ms.is_none_or(|ms| ms > rule.outage_max_ms);
        self.heat_waits |= rule.heat_needs_person;
        match self.phase {
            Phase::Load { .. } if !too_long => {}
            Phase::Preheat { .. } | Phase::Load { .. } if self.started.is_some() => {
                self.enter_warming(Cause::Resumed, facts, out);
            }
            // Not even begun: the first reading begins it.
            Phase::Preheat { .. } | Phase::Load { .. } => {}
            Phase::ComeUp { .. } if too_long => self.fail_interrupted(None, facts, out),
            Phase::ComeUp { since, .. } => match come_up {
                WhenInterrupted::Continue => {
                    self.phase = Phase::ComeUp { since, above_since: None };
                }
                WhenInterrupted::Restart | WhenInterrupted::Fail => {
                    self.fail_interrupted(None, facts, out);
                }
            },
            Phase::Hold { since, unbroken } => {
                let held_ms = unbroken.ms_since(since);
                self.tally.holds_broken += 1;
                match hold {
                    WhenInterrupted::Restart if !too_long => {
                        self.broken_hold(HoldBreak::Interrupted, held_ms, facts, out);
                    }
                    WhenInterrupted::Continue
                    | WhenInterrupted::Restart
                    | WhenInterrupted::Fail => {
                        self.fail_interrupted(Some(held_ms), facts, out);
                    }
                }
            }
            // The time of the outage counts as time to cool; of an unknown one nobody knows.
            Phase::Cool { .. } if outage_ms.is_none() => self.fail_on_the_spot(facts, out),
            Phase::Unload if too_long => self.fail_on_the_spot(facts, out),
            Phase::Cool { .. } | Phase::Unload => {}
            Phase::Finished | Phase::Aborted { .. } => {}
        }
    }

    /// The batch has failed, and the phase goes on: the milk is being cooled, or is cold.
    fn fail_on_the_spot(&mut self, facts: &Facts, out: &mut Vec<Entry>) {
        self.tally.interruption_fails = true;
        let cause = Cause::InterruptionNotAllowed { held_ms: None };
        out.push(entry(facts, Event::Entered { phase: self.phase(), cause }));
    }

    fn fail_interrupted(&mut self, held_ms: Option<u64>, facts: &Facts, out: &mut Vec<Entry>) {
        self.tally.interruption_fails = true;
        self.enter_cool(Cause::InterruptionNotAllowed { held_ms }, facts, out);
    }
}
