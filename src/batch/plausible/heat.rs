//! The heat balance of the bath: what goes in must show, and what shows must have gone in.
//!
//! A bare slope says nothing: after loading the bath falls for minutes at full power. So the
//! rise of the bath over some minutes is compared with what heater, room and bottles can have
//! made of it at most and at least.
//!
//! **What is known.** A machine driven by power tells its power, heat capacity and duty. A machine
//! driven by set points keeps its duty to itself: then only what *every* working controller must
//! do is asked of it, and its power is learned from the empty bath (the fastest three minutes of
//! the preheat), or taken as the least of PLANT's range.

mod depth;

use holder_hal::Celsius;

use self::depth::{Depth, RISES_BLOCKS, RISES_K as MUST_RISE_K};
use super::blocks::{BLOCK_S, Block, Commanded};
use super::{Doubts, Stage};
use crate::batch::alarm::Alarm;
use crate::batch::params::{BatchParams, Heater};
use crate::batch::phase::PhaseName;

/// Blocks over which the balance is drawn: three minutes.
const BALANCE_BLOCKS: usize = 18;
/// The same as a duration, s.
const BALANCE_S: f64 = BALANCE_BLOCKS as f64 * BLOCK_S;
/// Blocks over which a rise without heat shows: one minute.
const RISE_BLOCKS: usize = 6;
/// The slowest machine of PLANT (3 kW, 52 l) gains this much with an empty bath, K/s.
const SLOWEST_RISE_K_S: f64 = 0.011;
/// One bottle takes from the smallest bath at most this much of the gap each second, 1/s: 1.65 W/K
/// + 30 %, of 0.250 l (× 1.55), in 28 l − 30 % vessel (PLANT).
const UPTAKE_PER_BOTTLE_S: f64 = 2.75e-5;
/// The most that a closed bath of the smallest kind loses to a cold room, K/s.
const LOSS_MOST_K_S: f64 = 0.0037;
/// The most that any closed bath loses, W: 9.1 W/K, 63 °C in a room of 15 °C (PLANT), and some more.
const LOSS_MOST_W: f64 = 450.0;
/// Dead time, lag of the element and of the probe after the heat was cut, blocks: 13 s + 4 × 16 s
/// + 2 × 8 s.
const STILL_WARM_BLOCKS: u32 = 9;
/// The slowest element gives nothing for so long: 13 s + 4 × 16 s, s.
const ELEMENT_SLOWEST_S: f64 = 77.0;
/// A bath that should only cool rises by this, K: heat comes from somewhere.
const RISES_K: f64 = 0.4;
/// What is left in an element after it was cut warms the bath by less than this, K.
const LEFT_K: f64 = 2.5;
/// Blocks above the set point before a rise is no overshoot.
const ABOVE_BLOCKS: u32 = 3;
/// A bath that goes above its set point by more than this …
const ABOVE_SETPOINT_K: f64 = 0.6;
/// … and still rises by this in 20 s goes somewhere else.
const STILL_RISES_K: f64 = 0.1;

/// What one block gave to the balance.
#[derive(Clone, Copy, Debug)]
struct Past {
    bath: f64,
    commanded: Commanded,
    /// Bath − coldest milk; nothing without bottles.
    gap: Option<f64>,
}

/// The balance.
#[derive(Clone, Debug)]
pub(super) struct HeatBalance {
    heater: Heater,
    past: [Option<Past>; BALANCE_BLOCKS],
    at: usize,
    seen: usize,
    learned_k_s: Option<f64>,
    off_blocks: u32,
    off_from: f64,
    off_least: f64,
    above_blocks: u32,
    stays_on: u32,
    fails: u32,
    depth: Depth,
}

impl HeatBalance {
    /// Nothing was seen yet.
    pub(super) fn new(params: &BatchParams) -> Self {
        Self {
            heater: params.heater,
            past: [None; BALANCE_BLOCKS],
            at: 0,
            seen: 0,
            learned_k_s: None,
            off_blocks: 0,
            off_from: 0.0,
            off_least: 0.0,
            above_blocks: 0,
            stays_on: 0,
            fails: 0,
            depth: Depth::default(),
        }
    }

    /// Bottles came in: a balance across that moment would be wrong.
    pub(super) fn loaded(&mut self) {
        self.interrupted();
        self.depth.loaded();
    }

    /// A block is missing.
    pub(super) fn interrupted(&mut self) {
        (self.past, self.seen) = ([None; BALANCE_BLOCKS], 0);
        (self.off_blocks, self.above_blocks, self.stays_on, self.fails) = (0, 0, 0, 0);
    }

    /// Takes in one block.
    pub(super) fn observe(
        &mut self,
        params: &BatchParams,
        stage: &Stage,
        block: &Block,
        doubts: &mut Doubts,
    ) {
        let Some(bath) = block.bath.filter(|_| !block.cooled) else {
            self.interrupted();
            self.depth.observe(params.cascade.bath_max, stage, block, false);
            self.tell(doubts);
            return;
        };
        let milk = block.coldest(params.milk.len()).filter(|_| stage.is_heated());
        let commanded = held(block.commanded, params);
        let now = Past { bath, commanded, gap: milk.map(|milk| bath - milk) };
        let can_rise = self.can_rise(&now, stage);
        self.depth.observe(params.cascade.bath_max, stage, block, can_rise);
        self.without_heat(&now, block, params);
        self.above_setpoint(&now);
        self.balance(&now, stage);
        if let Some(slot) = self.past.get_mut(self.at) {
            *slot = Some(now);
        }
        self.at = (self.at + 1) % BALANCE_BLOCKS;
        self.seen = (self.seen + 1).min(BALANCE_BLOCKS);
        self.tell(doubts);
    }

    fn tell(&self, doubts: &mut Doubts) {
        doubts.raise(Alarm::HeaterStaysOn, self.stays_on >= 2);
        doubts.raise(Alarm::HeaterFails, self.fails >= 2 || self.depth.is_cold());
        doubts.fail(Alarm::HeaterFails, self.depth.fails_the_batch());
        doubts.raise(Alarm::BathAboveSetpoint, self.above_blocks >= ABOVE_BLOCKS);
    }

    /// The block `back` blocks before the newest that is kept; 1 is the newest.
    fn before(&self, back: usize) -> Option<Past> {
        let index = (self.at + BALANCE_BLOCKS).checked_sub(back)? % BALANCE_BLOCKS;
        self.past.get(index).copied().flatten().filter(|_| back <= self.seen)
    }

    /// A bath without heat can only cool, unless something in it is warmer than it is.
    fn without_heat(&mut self, now: &Past, block: &Block, params: &BatchParams) {
        let hottest = block.hottest(params.milk.len());
        if now.commanded != Commanded::Off {
            self.off_blocks = 0;
            self.stays_on =
                if self.power_stays_on(now) { self.stays_on.saturating_add(1) } else { 0 };
            return;
        }
        if self.off_blocks == 0 {
            self.off_from = now.bath;
        }
        self.off_blocks = self.off_blocks.saturating_add(1);
        if self.off_blocks <= STILL_WARM_BLOCKS {
            self.off_least = now.bath;
        }
        self.off_least = self.off_least.min(now.bath);
        let warmed_by_milk = hottest.is_some_and(|milk| milk > now.bath);
        let rises = now.bath > self.off_least + RISES_K || now.bath > self.off_from + LEFT_K;
        self.stays_on = if rises && !warmed_by_milk { self.stays_on.saturating_add(1) } else { 0 };
    }

    /// With a known duty: the bath rises by more than twice what was asked for in the two minutes
    /// before can give.
    fn power_stays_on(&self, now: &Past) -> bool {
        let (Heater::Power { power_w, bath_j_per_k, .. }, Some(then)) =
            (self.heater, self.before(RISE_BLOCKS))
        else {
            return false;
        };
        let mut most = 0.0_f64;
        for back in 1..=2 * RISE_BLOCKS {
            match self.before(back).map(|past| past.commanded) {
                Some(Commanded::Duty(share)) => most = most.max(share),
                Some(Commanded::Off) => {}
                Some(Commanded::Setpoint(_) | Commanded::Mixed) | None => return false,
            }
        }
        let full_k_s = f64::from(power_w) / f64::from(bath_j_per_k.max(1));
        let given_k = 2.0 * most * full_k_s * RISE_BLOCKS as f64 * BLOCK_S;
        now.bath - then.bath > given_k + RISES_K
    }

    /// Above its set point a controller gives no heat: what still rises after half a minute goes
    /// to another set point.
    fn above_setpoint(&mut self, now: &Past) {
        let rises = self.before(2).is_some_and(|then| now.bath - then.bath > STILL_RISES_K);
        let is_above = match now.commanded {
            Commanded::Setpoint(wanted) => now.bath > wanted + ABOVE_SETPOINT_K,
            Commanded::Off | Commanded::Duty(_) | Commanded::Mixed => false,
        };
        self.above_blocks = match (is_above, rises) {
            (true, true) => self.above_blocks.saturating_add(1),
            // Once raised it lasts until the bath is back.
            (true, false) if self.above_blocks >= ABOVE_BLOCKS => self.above_blocks,
            (true | false, _) => 0,
        };
    }

    /// Whether three minutes of heat are missing.
    fn balance(&mut self, now: &Past, stage: &Stage) {
        let Some(then) = self.before(BALANCE_BLOCKS) else { return };
        let rise_k = now.bath - then.bath;
        if stage.phase == PhaseName::Preheat {
            let learned = self.learned_k_s.unwrap_or(0.0).max(rise_k / BALANCE_S);
            self.learned_k_s = Some(learned);
        }
        let is_missing = match self.heater {
            Heater::Power { power_w, bath_j_per_k, .. } => {
                let bath_j_per_k = f64::from(bath_j_per_k.max(1));
                let full_k_s = f64::from(power_w) / bath_j_per_k;
                let loss_k_s = LOSS_MOST_W / bath_j_per_k;
                self.power_is_missing(now, stage, rise_k, full_k_s, loss_k_s)
            }
            Heater::Setpoint => self.setpoint_is_missing(now, stage, rise_k),
        };
        self.fails = if is_missing { self.fails.saturating_add(1) } else { 0 };
    }

    /// Whether a sound heater gives more than bottles and room can take while a bath that was deep
    /// is heated again. Bottles that go in one by one raise no more than the alarm.
    fn can_rise(&self, now: &Past, stage: &Stage) -> bool {
        let bottles = f64::from(stage.bottles) + 1.0;
        let taken_k_s = match stage.phase {
            PhaseName::Load => Some(0.0),
            PhaseName::ComeUp | PhaseName::Hold => {
                now.gap.map(|gap| gap * UPTAKE_PER_BOTTLE_S * bottles)
            }
            PhaseName::Preheat
            | PhaseName::Cool
            | PhaseName::Unload
            | PhaseName::Finished
            | PhaseName::Aborted => None,
        };
        let Some(taken_k_s) = taken_k_s else { return false };
        let full_k_s = match self.heater {
            Heater::Power { power_w, bath_j_per_k, .. } => {
                f64::from(power_w) / f64::from(bath_j_per_k.max(1))
            }
            Heater::Setpoint => self.learned_k_s.unwrap_or(0.0).max(SLOWEST_RISE_K_S),
        };
        let asked_s = f64::from(RISES_BLOCKS) * BLOCK_S;
        let given_k = full_k_s * (asked_s - ELEMENT_SLOWEST_S);
        given_k - (LOSS_MOST_K_S + taken_k_s) * asked_s > MUST_RISE_K
    }

    /// What the bottles can have taken in three minutes, K of the bath. Between loading and the
    /// first good reading of the milk it is not known.
    fn taken_k(&self, now: &Past, stage: &Stage) -> Option<f64> {
        let past = self.past.iter().flatten();
        let mut gaps = past.map(|past| past.gap).chain([now.gap]);
        let gap = gaps.try_fold(0.0_f64, |most, gap| Some(most.max(gap?)));
        match stage.phase {
            PhaseName::Preheat => Some(0.0),
            PhaseName::ComeUp | PhaseName::Hold => gap.map(|gap| {
                gap * UPTAKE_PER_BOTTLE_S * (f64::from(stage.bottles) + 1.0) * BALANCE_S
            }),
            // Bottles go in one by one, the lid is open.
            PhaseName::Load
            | PhaseName::Cool
            | PhaseName::Unload
            | PhaseName::Finished
            | PhaseName::Aborted => None,
        }
    }

    /// With a known duty: 70 % of it must show, room and bottles taken off.
    fn power_is_missing(
        &self,
        now: &Past,
        stage: &Stage,
        rise_k: f64,
        full_k_s: f64,
        loss_k_s: f64,
    ) -> bool {
        let Some(taken_k) = self.taken_k(now, stage) else { return false };
        let mut given_k = 0.0;
        for past in self.past.iter().flatten() {
            match past.commanded {
                Commanded::Duty(share) => given_k += share * full_k_s * BLOCK_S,
                Commanded::Off => {}
                Commanded::Setpoint(_) | Commanded::Mixed => return false,
            }
        }
        rise_k < 0.7 * given_k - taken_k - loss_k_s * BALANCE_S - 0.3
    }

    /// With set points: a bath that stays below its set point for three minutes must rise, if the
    /// bottles cannot explain that it does not.
    fn setpoint_is_missing(&self, now: &Past, stage: &Stage, rise_k: f64) -> bool {
        let Some(taken_k) = self.taken_k(now, stage) else { return false };
        let mut below_k = f64::INFINITY;
        for past in self.past.iter().flatten().chain([now]) {
            let Commanded::Setpoint(wanted) = past.commanded else { return false };
            below_k = below_k.min(wanted - past.bath);
        }
        let heated_k = 0.8 * self.learned_k_s.unwrap_or(0.0).max(SLOWEST_RISE_K_S) * BALANCE_S;
        let needed_k = if below_k > 2.0 {
            0.1
        } else if below_k > 0.2 {
            -0.08
        } else {
            return false;
        };
        rise_k <= needed_k && taken_k < heated_k - needed_k
    }
}

/// What was commanded, as the bath reading shows it: a machine holds what its own probe shows, and the
/// bath here is corrected by that probe's certificate.
fn held(commanded: Commanded, params: &BatchParams) -> Commanded {
    match commanded {
        Commanded::Setpoint(wanted) => {
            let of = |shown: Celsius| (params.bath.certificate.correct(shown) - shown).as_f64();
            Commanded::Setpoint(wanted + Celsius::from_f64(wanted).map_or(0.0, of))
        }
        Commanded::Off | Commanded::Duty(_) | Commanded::Mixed => commanded,
    }
}

#[cfg(test)]
mod tests;
