//! Milk that warms faster than any bottle in the bath that is read. It cannot; so the bath is warmer
//! than its probe shows: a probe that froze, or slides out of the water so slowly that no step tells.
//! Seen while the milk is still below the bath's reading, this cuts the heat minutes before milk
//! reads warmer than its bath, when the water may be 5 K hotter already.

use super::Stage;
use super::blocks::{BLOCK_S, Block};
use crate::batch::params::BatchParams;

/// No bottle follows its bath with a shorter time constant, s: two thirds of the fastest, a bottle half
/// full, which has 190 s (PLANT).
const FASTEST_S: f64 = 125.0;
/// Means of ten seconds may differ by so much, and the steps of the reading, K.
const NOISE_K: f64 = 0.25;
/// Blocks over which the rise is measured.
const BLOCKS: usize = 6;
/// Until then a probe may still come to rest in its bottle, s.
const FROM_S: f64 = 60.0;
/// Blocks that must agree before heat is cut, …
const AGREE: u32 = 2;
/// … and before the batch fails.
const AGREE_TO_FAIL: u32 = 6;

/// The hottest milk and what the bath read above it, K.
#[derive(Clone, Copy, Debug)]
struct Seen {
    milk: f64,
    gap_k: f64,
}

/// The watcher.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fast {
    past: [Option<Seen>; BLOCKS],
    at: usize,
    in_a_row: u32,
}

impl Fast {
    /// Takes in one block.
    pub(super) fn observe(&mut self, params: &BatchParams, stage: &Stage, block: &Block) {
        let is_settled = stage.loaded_s().is_some_and(|loaded_s| loaded_s >= FROM_S);
        let is_watched = stage.is_heated() && is_settled;
        if block.follows_a_gap || !is_watched {
            *self = Self::default();
        }
        let seen = block.hottest(params.milk.len()).zip(block.bath);
        let Some((milk, bath)) = seen.filter(|_| is_watched) else { return };
        let now = Seen { milk, gap_k: (bath - milk).max(0.0) };
        let then = self.past.get(self.at).copied().flatten();
        let gaps_k: f64 = self.past.iter().flatten().map(|seen| seen.gap_k).sum();
        if let Some(slot) = self.past.get_mut(self.at) {
            *slot = Some(now);
        }
        self.at = (self.at + 1) % BLOCKS;
        let Some(then) = then else { return };
        let steps_k = params.milk.iter().map(|probe| probe.resolution.as_f64());
        let allowed_k = NOISE_K + steps_k.fold(0.0, f64::max) + gaps_k * BLOCK_S / FASTEST_S;
        let is_fast = now.milk - then.milk > allowed_k;
        self.in_a_row = if is_fast { self.in_a_row.saturating_add(1) } else { 0 };
    }

    /// Whether the heat must go off.
    pub(super) const fn lasts(&self) -> bool {
        self.in_a_row >= AGREE
    }

    /// Whether nobody can say any more how warm the bath was.
    pub(super) const fn fails(&self) -> bool {
        self.in_a_row >= AGREE_TO_FAIL
    }
}

#[cfg(test)]
mod tests {
    use holder_hal::{Command, MILK_PROBES_MAX, Tick};

    use super::*;
    use crate::batch::fixture;
    use crate::batch::phase::PhaseName;
    use crate::batch::plausible::blocks::Commanded;

    /// One milk probe.
    fn params() -> BatchParams {
        let mut params = fixture::params();
        params.milk.truncate(1);
        params
    }

    fn block(bath: f64, milk_c: f64) -> Block {
        let mut milk = [None; MILK_PROBES_MAX];
        milk[0] = Some(milk_c);
        Block {
            bath: Some(bath),
            milk,
            reference: None,
            commanded: Commanded::Off,
            cooled: false,
            follows_a_gap: false,
        }
    }

    /// The block that ends so long after the loading.
    fn stage(phase: PhaseName, at_s: u64) -> Stage {
        Stage {
            now: Tick::from_ms(at_s * 1_000),
            phase,
            loaded: Some(Tick::from_ms(0)),
            bottles: 12,
            command: Command::safe(false),
        }
    }

    /// After how many blocks heat is cut and the batch fails, the bath reading `bath` and the milk
    /// rising from 50 °C by `rise_k` with each block.
    fn seen(
        phase: PhaseName,
        bath: f64,
        rise_k: impl Fn(f64) -> f64,
    ) -> (Option<u64>, Option<u64>) {
        let (mut fast, mut cut, mut fails) = (Fast::default(), None, None);
        let mut milk_c = 50.0;
        for number in 0..40 {
            let stage = stage(phase, 60 + number * 10);
            fast.observe(&params(), &stage, &block(bath, milk_c));
            milk_c += rise_k(milk_c);
            cut = cut.or(fast.lasts().then_some(number));
            fails = fails.or(fast.fails().then_some(number));
        }
        (cut, fails)
    }

    #[test]
    fn milk_faster_than_any_bottle_cuts_the_heat_and_fails_if_it_goes_on() {
        // A bath at or below the milk: 0.25 K and the step of the reading in a minute.
        let step_k = fixture::params().milk[0].resolution.as_f64();
        let line_k = (NOISE_K + step_k) / 6.0;
        for phase in [PhaseName::ComeUp, PhaseName::Hold] {
            assert_eq!(seen(phase, 40.0, |_| line_k + 0.001), (Some(7), Some(11)), "{phase}");
            assert_eq!(seen(phase, 40.0, |_| line_k - 0.001), (None, None), "{phase}");
        }
        assert_eq!(seen(PhaseName::Cool, 40.0, |_| 1.0), (None, None));
    }

    #[test]
    fn a_gap_lets_the_milk_rise_by_the_fastest_bottle() {
        // In water that is 13 K warmer, and in water that is as warm as its probe says.
        let follows = |water: f64, lag_s: f64| move |milk: f64| (water - milk) * BLOCK_S / lag_s;
        assert_eq!(seen(PhaseName::ComeUp, 63.0, follows(63.0, 190.0)), (None, None));
        assert_eq!(seen(PhaseName::ComeUp, 63.0, follows(63.3, 190.0)), (None, None), "0.3 K off");
        let (cut, fails) = seen(PhaseName::ComeUp, 55.0, follows(68.0, 350.0));
        assert!(cut.is_some_and(|cut| cut <= 12) && fails.is_some(), "{cut:?} {fails:?}");
    }

    #[test]
    fn after_a_gap_in_the_readings_it_begins_anew() {
        let mut fast = Fast { in_a_row: AGREE_TO_FAIL, ..Fast::default() };
        let unread = Block { follows_a_gap: true, ..block(63.0, 50.0) };
        fast.observe(&params(), &stage(PhaseName::ComeUp, 600), &unread);
        assert!(!fast.lasts() && !fast.fails());
    }

    #[test]
    fn with_the_heating_it_is_over() {
        let mut fast = Fast { in_a_row: AGREE_TO_FAIL, ..Fast::default() };
        fast.observe(&params(), &stage(PhaseName::Hold, 600), &block(63.0, 50.0));
        assert!(fast.lasts() && fast.fails());
        fast.observe(&params(), &stage(PhaseName::Cool, 610), &block(63.0, 50.0));
        assert!(!fast.lasts() && !fast.fails());
    }

    #[test]
    fn in_the_first_minute_a_probe_may_come_to_rest_in_its_bottle() {
        // It warms by 3 K with each block until `until_s`, and by nothing after.
        let is_seen = |until_s: u64| {
            let mut fast = Fast::default();
            (0..24).any(|number| {
                let at_s = number * 10;
                let milk_c = 20.0 + 0.3 * at_s.min(until_s) as f64;
                fast.observe(&params(), &stage(PhaseName::ComeUp, at_s), &block(15.0, milk_c));
                fast.lasts()
            })
        };
        // Two blocks must agree.
        assert!(!is_seen(60) && !is_seen(70) && is_seen(80));
    }

    #[test]
    fn what_is_just_allowed_is_not_too_fast() {
        let step_k = params().milk[0].resolution.as_f64();
        let is_seen = |rise_k: f64| {
            let mut fast = Fast::default();
            for number in 0..8 {
                let milk_c = if number < 6 { 0.0 } else { rise_k };
                fast.observe(
                    &params(),
                    &stage(PhaseName::ComeUp, 60 + number * 10),
                    &block(0.0, milk_c),
                );
            }
            fast.lasts()
        };
        let line_k = NOISE_K + step_k;
        assert!(!is_seen(line_k) && is_seen(line_k.next_up()));
    }
}
