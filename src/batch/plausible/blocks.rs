//! Ten seconds of readings, averaged.

use holder_hal::{Heat, MILK_PROBES_MAX};

use super::{Fresh, Stage};

/// Length of a block, milliseconds.
pub(super) const BLOCK_MS: u64 = 10_000;
/// The same in seconds.
pub(super) const BLOCK_S: f64 = 10.0;

/// What was commanded during a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Commanded {
    /// Nothing at any moment.
    Off,
    /// This set point at the end, and some set point all the time, °C.
    Setpoint(f64),
    /// This share of the power on average, 0…1.
    Duty(f64),
    /// Something and nothing in turns.
    Mixed,
}

/// The means of ten seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// The bath, °C.
    pub(super) bath: Option<f64>,
    /// The milk probes, °C.
    pub(super) milk: [Option<f64>; MILK_PROBES_MAX],
    /// The reference, °C.
    pub(super) reference: Option<f64>,
    /// What the heater was told.
    pub(super) commanded: Commanded,
    /// The cold water was on at some moment.
    pub(super) cooled: bool,
    /// The block before this one is missing.
    pub(super) follows_a_gap: bool,
}

impl Block {
    /// The coldest of the milk probes, if all of `probes` gave a mean.
    pub(super) fn coldest(&self, probes: usize) -> Option<f64> {
        let required = self.milk.get(..probes)?;
        required.iter().copied().try_fold(f64::INFINITY, |least, milk| Some(least.min(milk?)))
    }

    /// The warmest of the milk probes, if all of `probes` gave a mean.
    pub(super) fn hottest(&self, probes: usize) -> Option<f64> {
        let required = self.milk.get(..probes)?;
        required.iter().copied().try_fold(f64::NEG_INFINITY, |most, milk| Some(most.max(milk?)))
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: u32,
    sum: f64,
}

impl Sum {
    fn add(&mut self, value: Option<holder_hal::Celsius>) {
        if let Some(value) = value {
            self.count += 1;
            self.sum += value.as_f64();
        }
    }

    fn mean(self, count_min: u32) -> Option<f64> {
        (self.count >= count_min).then(|| self.sum / f64::from(self.count))
    }
}

/// The block that is being filled.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    count_min: u32,
    index: Option<u64>,
    gap_before: bool,
    bath: Sum,
    milk: [Sum; MILK_PROBES_MAX],
    reference: Sum,
    commanded: Option<Commanded>,
    duties: u32,
    cooled: bool,
}

impl Blocks {
    /// With readings every `period_ms`; a mean needs half of them.
    pub(super) fn new(period_ms: u64) -> Self {
        let half = BLOCK_MS / 2 / period_ms.max(1);
        Self {
            count_min: u32::try_from(half).unwrap_or(1).max(1),
            index: None,
            gap_before: true,
            bath: Sum::default(),
            milk: [Sum::default(); MILK_PROBES_MAX],
            reference: Sum::default(),
            commanded: None,
            duties: 0,
            cooled: false,
        }
    }

    /// Forgets what the milk probes showed in this block.
    pub(super) fn forget_milk(&mut self) {
        self.milk = [Sum::default(); MILK_PROBES_MAX];
        self.reference = Sum::default();
    }

    /// Takes in one reading, and gives the block that it ends, if it begins another.
    pub(super) fn take(&mut self, stage: &Stage, fresh: &Fresh) -> Option<Block> {
        let index = stage.now.ms() / BLOCK_MS;
        let ended = self.index.filter(|last| *last != index).map(|last| {
            let block = self.end();
            self.gap_before = index != last + 1;
            block
        });
        self.index = Some(index);
        self.bath.add(fresh.bath);
        self.reference.add(fresh.reference);
        self.milk.iter_mut().zip(fresh.milk).for_each(|(sum, value)| sum.add(value));
        self.command(stage.command.heat);
        self.cooled |= stage.command.cooling;
        ended
    }

    fn command(&mut self, heat: Heat) {
        let next = match heat {
            Heat::Off => Commanded::Off,
            Heat::Setpoint(bath) => Commanded::Setpoint(bath.as_f64()),
            Heat::Duty(duty) => Commanded::Duty(duty.share()),
        };
        self.duties += 1;
        self.commanded = Some(match (self.commanded, next) {
            (None, next) | (Some(Commanded::Off), next @ Commanded::Off) => next,
            (Some(Commanded::Setpoint(_)), next @ Commanded::Setpoint(_)) => next,
            (Some(Commanded::Duty(mean)), Commanded::Duty(share)) => {
                Commanded::Duty(mean + (share - mean) / f64::from(self.duties))
            }
            // A duty that is cut is a duty of nothing.
            (Some(Commanded::Duty(mean)), Commanded::Off) => {
                Commanded::Duty(mean - mean / f64::from(self.duties))
            }
            (Some(_), _) => Commanded::Mixed,
        });
    }

    fn end(&mut self) -> Block {
        let mean = |sum: Sum| sum.mean(self.count_min);
        let block = Block {
            bath: mean(self.bath),
            milk: self.milk.map(mean),
            reference: mean(self.reference),
            commanded: self.commanded.unwrap_or(Commanded::Mixed),
            cooled: self.cooled,
            follows_a_gap: self.gap_before,
        };
        let empty = Sum::default();
        (self.bath, self.milk, self.reference) = (empty, [empty; MILK_PROBES_MAX], empty);
        (self.commanded, self.duties, self.cooled) = (None, 0, false);
        block
    }
}

#[cfg(test)]
mod tests;
