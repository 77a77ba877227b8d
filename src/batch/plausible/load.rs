//! The bath against the number of bottles that was told: cold bottles take heat, and the bath
//! shows it before any heater can make up for it.
//!
//! Only gross errors show, for bottles, heaters and baths differ: over PLANT's range 48 bottles
//! take the bath down by 1.1 to 3.1 K within three minutes, 69 by 1.2 to 4.3 K, 12 by 0.3 to
//! 0.7 K, one bottle by 0.25 K at most (measured: `measure_loads`).

use super::blocks::Block;
use super::{Doubts, Stage};
use crate::batch::alarm::Alarm;
use crate::batch::phase::PhaseName;

/// When the bath has shown what was put into it, seconds after the bottles were confirmed.
const SHOWN_S: f64 = 180.0;
/// Fewer bottles do not show.
const BOTTLES_LEAST: u16 = 24;
/// The bath sinks at least by this for each bottle, K; bottles may be small.
const SINKS_LEAST_K: f64 = 0.008;
/// … and at most by this for each bottle, K, and this besides.
const SINKS_MOST_K: f64 = 0.12;
const SINKS_BESIDES_K: f64 = 0.5;

/// How far the bath sank.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LoadWatch {
    base: Option<f64>,
    least: Option<f64>,
    off: bool,
}

impl LoadWatch {
    /// Takes in one block.
    pub(super) fn observe(&mut self, stage: &Stage, block: &Block, doubts: &mut Doubts) {
        match stage.phase {
            PhaseName::Preheat => self.base = block.bath.or(self.base),
            PhaseName::Load => self.sinks(block),
            PhaseName::ComeUp if stage.loaded_s().is_some_and(|since_s| since_s < SHOWN_S) => {
                self.sinks(block);
                self.off |= self.sunk_k().is_some_and(|sunk_k| sunk_k > most_k(stage.bottles));
            }
            PhaseName::ComeUp => {
                // Decided once: what comes later is no load.
                let sunk_k = self.sunk_k().filter(|_| stage.bottles >= BOTTLES_LEAST);
                self.off |= sunk_k.is_some_and(|sunk_k| sunk_k < least_k(stage.bottles));
                (self.base, self.least) = (None, None);
            }
            PhaseName::Hold
            | PhaseName::Cool
            | PhaseName::Unload
            | PhaseName::Finished
            | PhaseName::Aborted => *self = Self::default(),
        }
        doubts.raise(Alarm::LoadOff, self.off);
    }

    fn sinks(&mut self, block: &Block) {
        self.least = block.bath.into_iter().chain(self.least).reduce(f64::min);
    }

    fn sunk_k(&self) -> Option<f64> {
        Some(self.base? - self.least?)
    }
}

fn least_k(bottles: u16) -> f64 {
    SINKS_LEAST_K * f64::from(bottles)
}

fn most_k(bottles: u16) -> f64 {
    SINKS_BESIDES_K + SINKS_MOST_K * f64::from(bottles)
}

#[cfg(test)]
mod tests;
