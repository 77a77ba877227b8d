//! How far the bath is below its clamp, once it has been there. What is put into it takes it down
//! by little and not for long: a reading that goes further, or stays away, is that of a probe that
//! is not in the bath, and a bath that is heated by it boils.

use holder_hal::Celsius;

use super::super::Stage;
use super::super::blocks::{BLOCK_S, Block, Commanded};
use crate::batch::phase::PhaseName;

/// A whole load takes the bath down by 4.04 K at most, with its heater on (600 machines of PLANT,
/// up to 69 bottles put in at once: `measure_waiting_loads`); this is 60 % more, K.
const DEEP_K: f64 = 6.5;
/// So many blocks must agree on a bath that went there with its heater on.
const FELL_BLOCKS: u32 = 2;
/// One that cooled without heat must rise within so many blocks of it, where its heater gives more
/// than its bottles can take: dead time and lag of the slowest element take 77 s, …
pub(super) const RISES_BLOCKS: u32 = 12;
/// … and the rest gives it 0.47 K; this much of it must show, K.
pub(super) const RISES_K: f64 = 0.3;
/// While they wait for their bottles the same baths were back within this of the clamp, K, …
const LOW_K: f64 = 2.0;
/// … after 578 s at the latest; this is half as much again, s.
const LOW_S: f64 = 900.0;

/// Where the bath has been since it is heated.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Depth {
    /// It was near its clamp.
    was_near: bool,
    /// So many blocks it has been deep since, and its lowest, °C.
    deep: u32,
    least: Option<f64>,
    /// So many blocks it has been low.
    low: u32,
    /// It went deep with its heater on and milk in it.
    fell: bool,
    /// And when it was heated again, with milk in it, it did not rise.
    unbelieved: bool,
}

impl Depth {
    /// Bottles came in: how deep the bath was says nothing of what comes now.
    pub(super) fn loaded(&mut self) {
        *self = Self::default();
    }

    /// Takes in one block with the clamp of the bath. Without heat nothing is asked of it, and
    /// no rise where the bottles may take it all.
    pub(super) fn observe(&mut self, clamp: Celsius, stage: &Stage, block: &Block, can_rise: bool) {
        let (watched, waits) = match stage.phase {
            PhaseName::Load => (true, true),
            PhaseName::ComeUp | PhaseName::Hold => (true, false),
            // On its way to the clamp, or not to be heated.
            PhaseName::Preheat
            | PhaseName::Cool
            | PhaseName::Unload
            | PhaseName::Finished
            | PhaseName::Aborted => (false, false),
        };
        let heated = watched && block.commanded != Commanded::Off;
        let Some(bath) = block.bath.filter(|_| heated) else {
            // That it failed the batch is kept where it was told.
            *self = Self { fell: self.fell, ..Self::default() };
            return;
        };
        let away_k = clamp.as_f64() - bath;
        self.low = if waits && away_k > LOW_K { self.low.saturating_add(1) } else { 0 };
        if away_k <= DEEP_K {
            (self.was_near, self.deep, self.least) = (true, 0, None);
            return;
        }
        if !self.was_near && !can_rise {
            (self.deep, self.least) = (0, None);
            return;
        }
        self.deep = self.deep.saturating_add(1);
        let least = self.least.map_or(bath, |least| least.min(bath));
        self.least = Some(least);
        if !self.was_near && bath >= least + RISES_K {
            (self.deep, self.least) = (0, None);
        }
        self.fell |= self.was_near && self.deep >= FELL_BLOCKS && stage.is_heated();
        let stays_down = !self.was_near && self.deep >= RISES_BLOCKS;
        self.unbelieved |= self.fell && stays_down && stage.is_heated();
    }

    /// Whether the batch has failed by it: the bath fell, a person let it heat again, and it does
    /// not rise. Nobody can say how hot it is, and each such trial is two minutes of heat.
    pub(super) const fn fails_the_batch(&self) -> bool {
        self.unbelieved
    }

    /// Whether the bath does not show the heat that it gets.
    pub(super) fn is_cold(&self) -> bool {
        let agree = if self.was_near { FELL_BLOCKS } else { RISES_BLOCKS };
        self.deep >= agree || f64::from(self.low) * BLOCK_S > LOW_S
    }
}
