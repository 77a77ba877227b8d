//! The milk against the bath: it must follow, not faster and not slower than bottles do, and it
//! can never be warmer than the bath has been.

use holder_hal::{Kelvin, MILK_PROBES_MAX};

use super::blocks::{BLOCK_S, Block};
use super::{Doubts, Stage};
use crate::batch::alarm::Alarm;
use crate::batch::params::{BatchParams, Purpose};
use crate::batch::phase::PhaseName;

/// No bottle, its water not moving, follows more slowly than with this time constant, s: PLANT's
/// slowest, 0.250 l in a slow place, has 720 s moved and 1600 s unmoved.
const SLOWEST_S: f64 = 1_500.0;
/// A reading that should have moved by so much, K, …
const STUCK_EXPECTED_K: f64 = 3.0;
/// … and moved by less than this and its resolution, K, stands still.
const STUCK_WITHIN_K: f64 = 0.15;

/// A gap below this soon after loading is no gap, K: the fastest bottle still has 18 K after
/// 300 s.
const GAP_LEAST_K: f64 = 5.0;
/// When the gap is looked at, seconds after loading.
const GAP_LOOKED_AT_S: std::ops::RangeInclusive<f64> = 60.0..=300.0;
/// A probe that stays in the bath for longer than this fails the batch, seconds.
const IN_BATH_MAX_S: f64 = 600.0;

/// The slowest bottle in water that moves follows its bath with this time constant, s (PLANT:
/// 0.250 l in a slow place of the slowest machine). Nothing stays warm for longer than it does.
const MOVED_SLOWEST_S: f64 = 720.0;
/// Milk may read above the hottest the bath has been by both uncertainties and this, K.
const ABOVE_BATH_K: f64 = 0.3;
/// In the hold means of 5 minutes may read above what the bath can have made of the slowest bottle
/// by both uncertainties and this, K.
const ABOVE_BATH_IN_HOLD_K: f64 = 0.1;
/// Blocks of such a mean.
const HOLD_BLOCKS: u32 = 30;

/// Blocks over which the uptake of heat is measured.
const UPTAKE_BLOCKS: usize = 6;
/// The uptake is measured from so long after loading, s: until then the milk mixes.
const UPTAKE_FROM_S: f64 = 180.0;
/// … and down to this gap, K: below it the steps of the readings show.
const UPTAKE_GAP_K: f64 = 4.0;
/// Less of the best uptake of this come-up than this share: the water has stopped.
const UPTAKE_SHARE: f64 = 0.55;
/// A time constant that no bottle has in moving water, s.
const UNMOVED_S: f64 = 1_000.0;

/// Blocks that must agree.
const AGREE: u32 = 2;
/// The same for the uptake.
const AGREE_UPTAKE: u32 = 3;

/// How long one reading has stood still.
#[derive(Clone, Copy, Debug, Default)]
struct Still {
    base: Option<f64>,
    expected_k: f64,
    stuck: bool,
}

/// The watchers of the milk.
#[derive(Clone, Debug, Default)]
pub(super) struct MilkWatch {
    still: [Still; MILK_PROBES_MAX],
    near: u32,
    away: u32,
    in_bath_since_s: Option<f64>,
    bath_max: Option<f64>,
    /// The warmest that a bottle can be now, by what the bath was.
    warmest: Option<f64>,
    above: u32,
    hold_blocks: u32,
    hold_over_sum: f64,
    hold_above: bool,
    past: [Option<(f64, f64)>; UPTAKE_BLOCKS],
    past_at: usize,
    best_per_s: f64,
    slow: u32,
}

impl MilkWatch {
    /// A block is missing: what needs an unbroken row begins anew.
    pub(super) fn interrupted(&mut self) {
        self.past = [None; UPTAKE_BLOCKS];
        (self.slow, self.above, self.near) = (0, 0, 0);
    }

    /// Takes in one block.
    pub(super) fn observe(
        &mut self,
        params: &BatchParams,
        stage: &Stage,
        block: &Block,
        doubts: &mut Doubts,
    ) {
        let stuck = self.stuck(params, stage, block);
        doubts.raise(Alarm::MilkStuck, stuck);
        doubts.fail(Alarm::MilkStuck, stuck);
        self.in_bath(params, stage, block);
        let lasts_s = self.in_bath_since_s.zip(stage.loaded_s()).map(|(since, now)| now - since);
        doubts.raise(Alarm::MilkInBath, lasts_s.is_some());
        doubts.fail(Alarm::MilkInBath, lasts_s.is_some_and(|lasts_s| lasts_s > IN_BATH_MAX_S));
        let above = self.above_bath(params, stage, block);
        doubts.raise(Alarm::MilkAboveBath, above);
        doubts.fail(Alarm::MilkAboveBath, above);
        let slow = self.uptake(params, stage, block);
        doubts.raise(Alarm::AgitationLost, slow);
    }

    /// Judged in ramps only: in the hold a healthy probe may stand still.
    fn stuck(&mut self, params: &BatchParams, stage: &Stage, block: &Block) -> bool {
        let is_ramp = matches!(stage.phase, PhaseName::ComeUp | PhaseName::Cool);
        if !is_ramp {
            self.still = [Still::default(); MILK_PROBES_MAX];
            return false;
        }
        for ((still, milk), probe) in self.still.iter_mut().zip(block.milk).zip(&params.milk) {
            let Some((milk, bath)) = milk.zip(block.bath) else { continue };
            let within_k = STUCK_WITHIN_K + probe.resolution.as_f64();
            match still.base {
                Some(base) if (milk - base).abs() <= within_k => {
                    still.expected_k += (bath - milk).abs() * BLOCK_S / SLOWEST_S;
                }
                Some(_) | None => *still = Still { base: Some(milk), ..Still::default() },
            }
            still.stuck = still.expected_k > STUCK_EXPECTED_K;
        }
        self.still.iter().any(|still| still.stuck)
    }

    /// Only with milk, which comes cold: water may be put in at any temperature.
    fn in_bath(&mut self, params: &BatchParams, stage: &Stage, block: &Block) {
        if params.purpose != Purpose::Milk || !stage.is_heated() {
            self.in_bath_since_s = None;
            return;
        }
        let Some(loaded_s) = stage.loaded_s() else { return };
        let warmest = block.hottest(params.milk.len()).zip(block.bath);
        let Some((milk, bath)) = warmest else { return };
        let is_near = bath - milk < GAP_LEAST_K;
        (self.near, self.away) = if is_near { (self.near + 1, 0) } else { (0, self.away + 1) };
        if GAP_LOOKED_AT_S.contains(&loaded_s) && self.near >= AGREE {
            self.in_bath_since_s = self.in_bath_since_s.or(Some(loaded_s));
        } else if self.away >= AGREE {
            self.in_bath_since_s = None;
        }
    }

    /// Milk that came in cold is never warmer than the bath has been, and cools with a bath that
    /// falls.
    fn above_bath(&mut self, params: &BatchParams, stage: &Stage, block: &Block) -> bool {
        if !stage.is_heated() {
            (self.above, self.hold_above) = (0, false);
            return false;
        }
        let coldest = block.coldest(params.milk.len());
        let Some((milk, bath)) = coldest.zip(block.bath) else { return self.is_above() };
        let bath_max = self.bath_max.map_or(bath, |known| known.max(bath));
        self.bath_max = Some(bath_max);
        let kept = self.warmest.map(|kept| kept + (bath - kept) * BLOCK_S / MOVED_SLOWEST_S);
        let warmest = kept.map_or(bath, |kept| kept.max(bath));
        self.warmest = Some(warmest);
        let widest = params.milk.iter().map(|probe| probe.certificate.uncertainty).max();
        let uncertain = params.bath.certificate.uncertainty + widest.unwrap_or(Kelvin::ZERO);
        let uncertain_k = uncertain.as_f64();
        let is_above = milk > bath_max + uncertain_k + ABOVE_BATH_K;
        self.above = if is_above { self.above.saturating_add(1) } else { 0 };
        if stage.phase != PhaseName::Hold {
            (self.hold_blocks, self.hold_over_sum) = (0, 0.0);
            return self.is_above();
        }
        self.hold_blocks += 1;
        self.hold_over_sum += milk - warmest;
        if self.hold_blocks == HOLD_BLOCKS {
            let over_k = self.hold_over_sum / f64::from(HOLD_BLOCKS);
            self.hold_above = over_k > uncertain_k + ABOVE_BATH_IN_HOLD_K;
            (self.hold_blocks, self.hold_over_sum) = (0, 0.0);
        }
        self.is_above()
    }

    fn is_above(&self) -> bool {
        self.above >= AGREE || self.hold_above
    }

    /// Uptake: the rate of the milk divided by the gap, measured over a minute. A bottle in water
    /// that moves keeps it through the come-up; when the agitator stops, the cold spot of the
    /// bottle mixes eight times more slowly at once (PLANT).
    fn uptake(&mut self, params: &BatchParams, stage: &Stage, block: &Block) -> bool {
        if stage.phase != PhaseName::ComeUp {
            self.past = [None; UPTAKE_BLOCKS];
            self.slow = 0;
            return false;
        }
        let now = block.coldest(params.milk.len()).map(|milk| (milk, block.bath));
        let now = now.and_then(|(milk, bath)| Some((milk, bath? - milk)));
        let then = self.past.get(self.past_at).copied().flatten();
        let gaps: f64 = self.past.iter().flatten().map(|(_, gap)| gap).sum();
        // A mean of fewer gaps would be too small, and the uptake too good for ever.
        let is_whole = self.past.iter().all(Option::is_some);
        if let Some(slot) = self.past.get_mut(self.past_at) {
            *slot = now;
        }
        self.past_at = (self.past_at + 1) % UPTAKE_BLOCKS;
        let is_late_enough = stage.loaded_s().is_some_and(|loaded_s| loaded_s >= UPTAKE_FROM_S);
        let Some(((from, _), (to, gap))) = then.zip(now).filter(|_| is_late_enough && is_whole)
        else {
            return self.slow >= AGREE_UPTAKE;
        };
        let gap_mean = gaps / UPTAKE_BLOCKS as f64;
        if gap.min(gap_mean) < UPTAKE_GAP_K {
            self.slow = 0;
            return false;
        }
        let per_s = (to - from) / (gap_mean * BLOCK_S * UPTAKE_BLOCKS as f64);
        let is_slow = per_s < (self.best_per_s * UPTAKE_SHARE).max(1.0 / UNMOVED_S);
        self.slow = if is_slow { self.slow.saturating_add(1) } else { 0 };
        self.best_per_s = self.best_per_s.max(per_s);
        self.slow >= AGREE_UPTAKE
    }
}

#[cfg(test)]
mod tests;
