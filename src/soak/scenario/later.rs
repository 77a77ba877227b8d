//! What a seed stands for beside what it stood for at first: each draw has a row of dice of its own,
//! from 20 on, so that the others keep their meaning.

use holder_hal::{Celsius, Kelvin};
use holder_sim::Part;

use super::super::dice::Dice;
use super::super::fault::{Channel, Fault, Kind};
use super::super::hands::Counts;
use super::{FOR_EVER_MS, OUT_LAG_S, Scenario};
use crate::batch::certificate::OffsetPoint;
use crate::batch::phase::PhaseName;
use crate::batch::recipe::{InterruptionRule, WhenInterrupted};

/// One that comes out slowly does so with at most this one, s.
const SLIDES_S_MAX: f64 = 1_800.0;

impl Scenario {
    /// In half of the runs another rule on interruptions than the recipe's own.
    pub(super) fn draw_interruption_rule(&mut self) {
        let dice = &mut Dice::new(self.seed, 20);
        if dice.percent(50) {
            use WhenInterrupted::{Continue, Fail, Restart};
            self.params.recipe.interruption = InterruptionRule {
                outage_max_ms: 60_000 * dice.pick(&[0, 1, 5, 10, 20, 120], 10),
                come_up: dice.pick(&[Continue, Fail], Fail),
                hold: dice.pick(&[Restart, Restart, Fail], Fail),
                heat_needs_person: dice.percent(50),
            };
            self.params.recipe.hold.holds_restarted_max = dice.pick(&[0, 1, 1, 2], 1);
        }
    }

    /// In some runs what went wrong goes wrong again: at another moment, or with another probe.
    pub(super) fn draw_one_again(&mut self) {
        let dice = &mut Dice::new(self.seed, 21);
        if !dice.percent(15) {
            return;
        }
        let index = dice.below(self.faults.len() as u64) as usize;
        let Some(first) = self.faults.get(index).copied() else { return };
        let again = Fault { channel: first.channel, ..self.draw_fault(first.kind, dice) };
        let other = self.draw_channel(first.kind, dice);
        let is_elsewhere = first.is_of_a_probe() && first.kind != Kind::BathProbeOut;
        let channel = if is_elsewhere { other } else { first.channel };
        let again = Fault { channel, ..again };
        if comes_twice(first.kind) && self.is_possible(&again) {
            self.faults.push(again);
        }
    }

    /// Half of the loads go in part by part, the control bottle last, as people are told to; a few,
    /// as a fault, with the control bottle first. In half of the others the second milk probe stands
    /// in a bottle of another place. And a bath probe may come out slowly.
    pub(super) fn draw_places(&mut self) {
        let dice = &mut Dice::new(self.seed, 22);
        let mut parts = [Part::Slow, Part::Nominal, Part::Fast];
        let shift = dice.below(3) as usize;
        parts.rotate_left(shift);
        let [first, second, third] = parts;
        if dice.percent(50) {
            self.order = Some([first, second, third, Part::Control]);
        } else if dice.percent(50) {
            self.second_stands = first;
        }
        if dice.percent(5) && !self.is_clean() {
            self.order = Some([first, second, third, Part::Control]);
            self.faults.push(Fault {
                kind: Kind::ControlFirst,
                channel: Channel::Bath,
                size: 0.0,
                phase: PhaseName::Load,
                after_ms: 0,
                lasts_ms: FOR_EVER_MS,
            });
        }
        if dice.percent(50) {
            self.slides_s = OUT_LAG_S * (SLIDES_S_MAX / OUT_LAG_S).powf(dice.between(0.0, 1.0));
        }
    }

    /// In half of the runs the milk probes and the reference read wrong by what their certificates
    /// say.
    pub(super) fn draw_offsets(&mut self) {
        let dice = &mut Dice::new(self.seed, 23);
        if dice.percent(50) {
            for probe in self.params.milk.iter_mut().chain(&mut self.params.reference) {
                let mut point = |at_mc| OffsetPoint {
                    at: Celsius::from_milli(at_mc),
                    offset: Kelvin::from_milli(dice.whole(0, 1_000) as i32 - 500),
                };
                probe.certificate.offsets = vec![point(20_000), point(70_000)];
            }
        }
    }
}

impl Scenario {
    /// One in ten counts wrongly at first, by a few; one in a hundred does not look at all, or not
    /// again. With cold bottles among the others one in four does not look: what is measured must show
    /// most of them, too.
    pub(super) fn draw_counts(&mut self) {
        let dice = &mut Dice::new(self.seed, 24);
        let off = dice.pick(&[-2, -1, 1, 1, 2], 1);
        self.counts = match dice.below(200) {
            0 => Counts::BelievesTheScreen,
            1 => Counts::Never,
            2..22 => Counts::WrongAtFirst(off),
            22.. => Counts::Right,
        };
        if dice.percent(25) && self.fault(Kind::ColdBottles).is_some() {
            self.counts = Counts::Never;
        }
    }
}

/// Whether it can come twice: what people forget or do to a whole batch is done once.
const fn comes_twice(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::WrongCount
            | Kind::LateLoad
            | Kind::EarlyConfirm
            | Kind::ConfirmTwice
            | Kind::Stop
            | Kind::WalksAway
            | Kind::SecondInstance
            | Kind::ControlFirst
            | Kind::SwappedMilk
            | Kind::SwappedWithBath
    )
}
