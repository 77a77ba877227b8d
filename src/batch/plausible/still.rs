//! Readings that stand still while something must move them: a frozen bath probe, and a device
//! that repeats an old answer for ever.
//!
//! The bath is held by what it reads. So a bath reading that froze below its set point heats the
//! bath without end, and nothing else shows it until the milk is too hot.

use holder_hal::{Celsius, Heat, Tick};

use super::{Doubts, Fresh, Stage};
use crate::batch::alarm::Alarm;
use crate::batch::params::BatchParams;
use crate::batch::phase::PhaseName;

/// A bath reading that is the same for this long does not see the bath, ms, …
const BATH_STILL_MS: u64 = 300_000;
/// … where it is so far below its set point, K: the heater is on, and at the turn after loading
/// no bath of PLANT stands for minutes; in the hold, where the set point creeps, half a step of the
/// reading further, …
const BELOW_SETPOINT_K: f64 = 0.15;
/// … or, on a machine driven by power that has to bring the bath to its clamp, so far below that,
/// K: its controller would have made up for any step, …
const BELOW_CLAMP_K: f64 = 0.05;
/// … or that has had so much of its heat for all that time, permille: what bottles take changes too fast
/// for any bath to stand then, …
const NEARLY_ALL_PERMILLE: u16 = 900;
/// … or where its steps are as fine as this, K, and the milk has moved by …
const FINE_STEP_K: f64 = 0.02;
/// … this meanwhile, K: then the bath's load has changed.
const MILK_MOVED_K: f64 = 5.0;
/// No reading of all has changed for this long, ms: at steps of 0.1 °C a good probe may stand
/// still for minutes, but not all of them together …
const ALL_STILL_MS: u64 = 600_000;
/// … nor, in the hold, where milk and bath are at rest, two of them for longer than this, ms: one
/// good batch of 5000 had both still for 620 s.
const TWO_STILL_MS: u64 = 900_000;

/// A value that stands still, since when.
#[derive(Clone, Copy, Debug, Default)]
struct Same<T> {
    value: T,
    since: Option<Tick>,
}

impl<T: PartialEq> Same<T> {
    /// Takes in a value; for how long it has been the same, ms.
    fn take(&mut self, now: Tick, value: T) -> u64 {
        if self.since.is_none() || self.value != value {
            *self = Self { value, since: Some(now) };
        }
        self.since.map_or(0, |since| now.ms_since(since))
    }
}

/// The watcher.
#[derive(Clone, Debug, Default)]
pub(super) struct Stillness {
    bath: Same<Option<Celsius>>,
    /// The coldest milk when the bath reading changed last.
    milk_then: Option<Celsius>,
    all: Same<Fresh>,
    /// Whether nearly all of the heat is commanded.
    full: Same<bool>,
}

impl Stillness {
    /// Takes in one reading. What is missing is another alarm's.
    pub(super) fn observe(
        &mut self,
        params: &BatchParams,
        stage: &Stage,
        fresh: &Fresh,
        doubts: &mut Doubts,
    ) {
        // Without heat a bath may be at rest; but what was raised lasts until the reading moves.
        let is_driven = stage.command.heats() || doubts.lasts(Alarm::BathStuck);
        let heats = match stage.phase {
            PhaseName::Preheat | PhaseName::Load | PhaseName::ComeUp | PhaseName::Hold => is_driven,
            PhaseName::Cool | PhaseName::Unload | PhaseName::Finished | PhaseName::Aborted => false,
        };
        if !heats {
            (self.bath, self.milk_then) = (Same::default(), None);
        }
        // With milk in it nothing is at rest together, heated or cut: a cut by another alarm that a
        // person acknowledges again and again must not begin this time anew.
        if !heats && !stage.is_heated() {
            self.all = Same::default();
        }
        let all_ms = self.all.take(stage.now, *fresh);
        let Some(bath) = fresh.bath.filter(|_| heats) else {
            return doubts.raise(Alarm::BathStuck, false);
        };
        let coldest = fresh.milk.iter().flatten().min().copied();
        let bath_ms = self.bath.take(stage.now, Some(bath));
        if bath_ms == 0 {
            self.milk_then = coldest;
        }
        let is_full = matches!(stage.command.heat, Heat::Duty(duty) if duty.permille() >= NEARLY_ALL_PERMILLE);
        let full_ms = self.full.take(stage.now, is_full);
        let is_below = match stage.command.heat {
            // The machine holds what its own probe shows; the bath here is corrected.
            Heat::Setpoint(wanted) => {
                let held = params.bath.certificate.correct(wanted);
                let is_hold = stage.phase == PhaseName::Hold;
                let creeps_k = if is_hold { params.bath.resolution.as_f64() / 2.0 } else { 0.0 };
                (held - bath).as_f64() > BELOW_SETPOINT_K + creeps_k
            }
            Heat::Duty(_) => {
                let to_clamp = matches!(stage.phase, PhaseName::Preheat | PhaseName::Load);
                let below_clamp_k = (params.cascade.bath_max - bath).as_f64();
                (to_clamp && below_clamp_k > BELOW_CLAMP_K)
                    || (is_full && full_ms >= BATH_STILL_MS && stage.is_heated())
            }
            Heat::Off => false,
        };
        // A bath that waits may stand, and the probes of the milk lie somewhere else.
        let waits = stage.phase == PhaseName::Load;
        let moved_k = coldest.zip(self.milk_then).map_or(0.0, |(now, then)| {
            let moved = now - then;
            moved.as_f64().abs()
        });
        let is_fine = params.bath.resolution.as_f64() <= FINE_STEP_K;
        let is_loaded = !waits && is_fine && moved_k > MILK_MOVED_K;
        let bath_stands = bath_ms >= BATH_STILL_MS && (is_below || is_loaded);
        // Once raised it lasts until the reading moves, whatever is commanded then.
        let lasts = doubts.lasts(Alarm::BathStuck) && bath_ms >= BATH_STILL_MS;
        let read = fresh.milk.iter().flatten().count() + usize::from(fresh.reference.is_some());
        let are_two = stage.phase == PhaseName::Hold && read < 2;
        let all_stand = all_ms >= if are_two { TWO_STILL_MS } else { ALL_STILL_MS };
        // Nobody knows the milk any more: a hold by such readings is none.
        doubts.fail(Alarm::BathStuck, all_stand && stage.is_heated());
        doubts.raise(Alarm::BathStuck, bath_stands || (!waits && all_stand) || lasts);
    }
}

#[cfg(test)]
mod tests {
    use holder_hal::{Command, Duty, Kelvin, MILK_PROBES_MAX};

    use super::*;
    use crate::batch::fixture;

    const WARM: Heat = Heat::Setpoint(Celsius::from_milli(63_500));

    /// After so many seconds 210 was raised first; the bath reads `bath(s)`, the milk `milk(s)`.
    fn raised_s(
        heat: Heat,
        resolution_milli: i32,
        bath: impl Fn(u64) -> i32,
        milk: impl Fn(u64) -> i32,
    ) -> Option<u64> {
        raised_in_s(PhaseName::ComeUp, heat, resolution_milli, bath, milk)
    }

    fn raised_in_s(
        phase: PhaseName,
        heat: Heat,
        resolution_milli: i32,
        bath: impl Fn(u64) -> i32,
        milk: impl Fn(u64) -> i32,
    ) -> Option<u64> {
        let mut params = fixture::params();
        params.bath.resolution = Kelvin::from_milli(resolution_milli);
        let (mut stillness, mut doubts) = (Stillness::default(), Doubts::default());
        (0..1_200).find(|s| {
            let mut probes = [None; MILK_PROBES_MAX];
            probes[0] = Some(Celsius::from_milli(milk(*s)));
            let bath = Some(Celsius::from_milli(bath(*s)));
            let fresh = Fresh { bath, milk: probes, reference: None };
            let stage = Stage {
                now: Tick::from_ms(s * 1_000),
                phase,
                loaded: Some(Tick::from_ms(0)),
                bottles: 48,
                command: Command { heat, agitator: true, cooling: false },
            };
            stillness.observe(&params, &stage, &fresh, &mut doubts);
            doubts.lasts(Alarm::BathStuck)
        })
    }

    fn rises(s: u64) -> i32 {
        20_000 + 25 * i32::try_from(s).expect("small")
    }

    #[test]
    fn a_bath_that_stands_still_below_its_set_point_is_seen_in_five_minutes() {
        assert_eq!(raised_s(WARM, 100, |_| 62_900, rises), Some(300));
        assert_eq!(raised_s(WARM, 100, |_| 63_400, rises), None, "at its set point it may");
        assert_eq!(raised_s(WARM, 100, |_| 63_350, rises), None, "0.15 K below it");
        assert_eq!(raised_s(WARM, 100, |_| 63_349, rises), Some(300));
        let holds = |bath| raised_in_s(PhaseName::Hold, WARM, 100, |_| bath, rises);
        assert_eq!((holds(63_300), holds(63_299)), (None, Some(300)), "0.2 K below it in the hold");
        let turns = |s| if s % 250 == 0 { 62_800 } else { 62_900 };
        assert_eq!(raised_s(WARM, 100, turns, rises), None, "it moves");
    }

    #[test]
    fn a_bath_of_fine_steps_must_move_with_the_milk_however_it_is_heated() {
        let duty = Heat::Duty(holder_hal::Duty::from_permille(500).expect("a half"));
        assert_eq!(raised_s(duty, 10, |_| 63_410, rises), Some(300));
        assert_eq!(raised_s(duty, 100, |_| 63_400, rises), None, "steps of 0.1 hide it");
        // The milk swings, so that it is not all that stands still.
        let moves = |by: i32| move |s| 20_000 + if s % 2 == 0 { 0 } else { by };
        let later = |by: i32| move |s| if s < 300 { 20_000 } else { moves(by)(s) };
        assert_eq!(raised_s(duty, 10, |_| 63_410, later(5_000)), None, "5 K");
        assert_eq!(raised_s(duty, 10, |_| 63_410, later(5_001)), Some(301));
    }

    #[test]
    fn no_reading_that_moves_for_ten_minutes_is_an_old_answer_but_not_without_heat() {
        assert_eq!(raised_s(WARM, 100, |_| 63_500, |_| 63_000), Some(600));
        assert_eq!(raised_s(Heat::Off, 100, |_| 22_000, |_| 4_000), None);
    }

    /// After so many seconds 210 was raised first, none of these readings ever moving.
    fn raised_at_rest_s(phase: PhaseName, fresh: Fresh, heat: impl Fn(u64) -> Heat) -> Option<u64> {
        let params = fixture::params();
        let (mut stillness, mut doubts) = (Stillness::default(), Doubts::default());
        (0..1_200).find(|s| {
            let stage = Stage {
                now: Tick::from_ms(s * 1_000),
                phase,
                loaded: None,
                bottles: 48,
                command: Command { heat: heat(*s), agitator: true, cooling: false },
            };
            stillness.observe(&params, &stage, &fresh, &mut doubts);
            doubts.lasts(Alarm::BathStuck)
        })
    }

    #[test]
    fn before_the_loading_the_ten_minutes_count_while_the_bath_is_heated() {
        let fresh = Fresh { bath: Some(Celsius::from_milli(63_500)), ..Fresh::default() };
        let raised_s = |cut: std::ops::Range<u64>| {
            let heat = |s| if cut.contains(&s) { Heat::Off } else { WARM };
            raised_at_rest_s(PhaseName::Preheat, fresh, heat)
        };
        assert_eq!(raised_s(0..0), Some(600));
        assert_eq!(raised_s(300..390), Some(389 + 600));
    }

    #[test]
    fn three_readings_that_stand_in_the_hold_are_believed_no_longer_than_in_the_come_up() {
        let still = Some(Celsius::from_milli(63_500));
        let mut fresh = Fresh { bath: still, ..Fresh::default() };
        let raised_s = |fresh| raised_at_rest_s(PhaseName::Hold, fresh, |_| WARM);
        fresh.milk[0] = still;
        assert_eq!(raised_s(fresh), Some(900), "bath and milk");
        assert_eq!(raised_s(Fresh { reference: still, ..fresh }), Some(600), "and the reference");
        fresh.milk[1] = still;
        assert_eq!(raised_s(fresh), Some(600), "and a second milk probe");
    }

    #[test]
    fn a_bath_that_waits_for_its_bottles_may_stand_at_its_set_point_only() {
        let waits = |heat, bath: i32| raised_in_s(PhaseName::Load, heat, 100, |_| bath, rises);
        assert_eq!(waits(WARM, 63_300), Some(300));
        assert_eq!(waits(WARM, 63_400), None, "the machine's own controller rounds, too");
        let duty = Heat::Duty(holder_hal::Duty::FULL);
        assert_eq!(waits(duty, 63_400), Some(300), "any step below the clamp of 63.5");
        assert_eq!(waits(duty, 63_500), None);
        assert_eq!((waits(duty, 63_450), waits(duty, 63_449)), (None, Some(300)), "0.05 K");
        assert_eq!(raised_in_s(PhaseName::Load, duty, 10, |_| 63_500, rises), None);
        assert_eq!(raised_in_s(PhaseName::Preheat, duty, 100, |_| 40_000, |_| 4_000), Some(300));
        let half = Heat::Duty(Duty::from_share(0.5));
        assert_eq!(raised_in_s(PhaseName::Hold, half, 100, |_| 62_900, rises), None);
    }

    #[test]
    fn no_bath_stands_still_while_it_has_nearly_all_of_its_heat() {
        let duty = |permille| Heat::Duty(Duty::from_permille(permille).expect("a share"));
        for phase in [PhaseName::ComeUp, PhaseName::Hold] {
            let raised = |permille| raised_in_s(phase, duty(permille), 100, |_| 63_400, rises);
            assert_eq!((raised(900), raised(899)), (Some(300), None), "{phase}");
        }
        let turns = |s| if s % 250 == 0 { 62_800 } else { 62_900 };
        assert_eq!(raised_s(duty(1_000), 100, turns, rises), None, "it moves");
    }

    #[test]
    fn a_machine_holds_what_its_own_probe_shows_and_not_what_is_corrected() {
        use crate::batch::certificate::OffsetPoint;
        let mut params = fixture::params();
        let (at, offset) = (Celsius::from_milli(62_500), Kelvin::from_milli(-200));
        params.bath.certificate.offsets = vec![OffsetPoint { at, offset }];
        let raised = |bath: i32| {
            let (mut stillness, mut doubts) = (Stillness::default(), Doubts::default());
            for s in 0..=300 {
                let fresh = Fresh { bath: Some(Celsius::from_milli(bath)), ..Fresh::default() };
                let stage = Stage {
                    now: Tick::from_ms(s * 1_000),
                    phase: PhaseName::Load,
                    loaded: None,
                    bottles: 0,
                    command: Command { heat: WARM, agitator: true, cooling: false },
                };
                stillness.observe(&params, &stage, &fresh, &mut doubts);
            }
            doubts.lasts(Alarm::BathStuck)
        };
        assert!(!raised(63_300), "it shows 63.5, which is its set point");
        assert!(raised(63_100));
    }

    #[test]
    fn a_cut_of_the_heat_does_not_begin_the_time_anew_in_which_nothing_moves() {
        let params = fixture::params();
        let raised_s = |phase, cut: std::ops::Range<u64>| {
            let (mut stillness, mut doubts) = (Stillness::default(), Doubts::default());
            (0..1_000).find(|s| {
                let bath = Some(Celsius::from_milli(62_900));
                let fresh = Fresh { bath, ..Fresh::default() };
                let half = Heat::Duty(Duty::from_share(0.5));
                let heat = if cut.contains(s) { Heat::Off } else { half };
                let stage = Stage {
                    now: Tick::from_ms(s * 1_000),
                    phase,
                    loaded: None,
                    bottles: 48,
                    command: Command { heat, agitator: true, cooling: false },
                };
                stillness.observe(&params, &stage, &fresh, &mut doubts);
                // A hold by readings that do not move is none.
                assert_eq!(doubts.fails.is_some(), doubts.lasts(Alarm::BathStuck), "{s}");
                doubts.lasts(Alarm::BathStuck)
            })
        };
        // In the hold one bath and one bottle may be at rest together for longer.
        for (phase, after_s) in [(PhaseName::ComeUp, 600), (PhaseName::Hold, 900)] {
            assert_eq!(raised_s(phase, 0..0), Some(after_s));
            assert_eq!(raised_s(phase, 300..390), Some(after_s), "somebody acknowledged 104");
            assert_eq!(raised_s(phase, 590..910), Some(910), "with the heat");
        }
    }

    #[test]
    fn what_was_raised_lasts_until_the_reading_moves_and_heat_alone_does_not_end_it() {
        let params = fixture::params();
        let (mut stillness, mut doubts) = (Stillness::default(), Doubts::default());
        let mut lasts = |s: u64, heat, bath| {
            let bath = Some(Celsius::from_milli(bath));
            let fresh = Fresh { bath, ..Fresh::default() };
            let stage = Stage {
                now: Tick::from_ms(s * 1_000),
                phase: PhaseName::Preheat,
                loaded: None,
                bottles: 0,
                command: Command { heat, agitator: true, cooling: false },
            };
            stillness.observe(&params, &stage, &fresh, &mut doubts);
            doubts.lasts(Alarm::BathStuck)
        };
        assert!(!lasts(0, WARM, 40_000));
        assert!(lasts(300, WARM, 40_000));
        assert!(lasts(301, Heat::Off, 40_000), "the heat was cut by it");
        assert!(!lasts(302, Heat::Off, 40_100));
    }
}
