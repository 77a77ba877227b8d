//! When heat is forbidden, whatever the controller wants.
//!
//! Asymmetric on purpose: one bad sample may cut the heat, several must agree before a batch is
//! stopped (STYLE, hubris' scars).

use holder_hal::{Celsius, Kelvin};

use super::alarm::Alarm;
use super::board::Flags;
use super::facts::is_lost;
use super::params::BatchParams;
use super::plausible::Doubts;

/// What the interlocks look at: facts of this period, nothing else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    /// The bath, if its probe gave a value to trust at this very step.
    pub(super) bath_new: Option<Celsius>,
    /// Whether the bath probe could ever be trusted.
    pub(super) bath_seen: bool,
    /// The hottest milk's newest reading, uncertainty and margin added.
    pub(super) hottest_milk: Option<Celsius>,
    /// Since when the bath probe has given nothing to trust, milliseconds.
    pub(super) bath_lost_ms: u64,
    /// The same for the worst required milk probe.
    pub(super) milk_lost_ms: u64,
    /// Whether the milk probes matter in this phase: the bottles are in.
    pub(super) milk_watched: bool,
    /// Whether milk may be in a bath that is heated: from the call for the bottles on.
    pub(super) milk_warms: bool,
    /// Whether the lid must be closed in this phase: milk is being heated or held.
    pub(super) milk_heated: bool,
    /// The lid is known to be open.
    pub(super) lid_open: bool,
    /// The orders do not reach the machine.
    pub(super) orders_lost: bool,
}

/// What the interlocks say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ruling {
    /// The alarms whose cause lasts.
    pub(super) lasting: Flags,
    /// The alarm that ends the batch.
    pub(super) stop: Option<Alarm>,
    /// The alarm by which the batch has failed.
    pub(super) fails: Option<Alarm>,
    /// No heat on this sample, though no alarm stands yet.
    pub(super) cut: bool,
}

/// The memory of the interlocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Interlocks {
    too_hot: bool,
    readings_above: u32,
}

impl Interlocks {
    /// So many readings above the trip before the bath is back stop the batch.
    const ABOVE_STOPS: u32 = 3;
    /// The bath is back within this of the clamp.
    const BACK_WITHIN: Kelvin = Kelvin::from_milli(300);

    /// Judges the facts of this period.
    pub(super) fn judge(&mut self, params: &BatchParams, seen: Watched, doubts: &Doubts) -> Ruling {
        // Latched: a bath that was too hot is too hot until it is seen back at the clamp.
        if let Some(bath) = seen.bath_new {
            let is_above = bath > params.bath_trip();
            let is_back = bath <= params.cascade.bath_max + Self::BACK_WITHIN;
            self.too_hot = is_above || (self.too_hot && !is_back);
            self.readings_above += u32::from(is_above);
            if !self.too_hot {
                self.readings_above = 0;
            }
        }
        let is_lost = |lost_ms: u64| is_lost(lost_ms, params);
        let milk_lost_ms = if seen.milk_watched { seen.milk_lost_ms } else { 0 };
        let given_up = |lost_ms: u64| lost_ms > params.recipe.limits.probe_lost_max_ms;

        let stop = if self.readings_above >= Self::ABOVE_STOPS {
            Some(Alarm::OverTemperature)
        } else if given_up(seen.bath_lost_ms) {
            Some(Alarm::BathProbeLost)
        } else if given_up(milk_lost_ms) {
            Some(Alarm::MilkProbeLost)
        } else if doubts.lasts(Alarm::HeaterStaysOn) {
            Some(Alarm::HeaterStaysOn)
        } else {
            None
        };
        let lasting = Alarm::ALL.map(|alarm| match alarm {
            Alarm::OverTemperature => self.too_hot || stop == Some(alarm),
            Alarm::MilkTooHot => {
                let ceiling = params.recipe.ceiling.fail;
                seen.milk_warms && seen.hottest_milk.is_some_and(|milk| milk > ceiling)
            }
            Alarm::BathProbeLost => is_lost(seen.bath_lost_ms) || !seen.bath_seen,
            Alarm::MilkProbeLost => is_lost(milk_lost_ms),
            Alarm::LidOpen => seen.milk_heated && seen.lid_open,
            Alarm::OrdersLost => seen.orders_lost,
            Alarm::HeaterStaysOn
            | Alarm::HeaterFails
            | Alarm::BathAboveSetpoint
            | Alarm::BathJumps
            | Alarm::MilkJumps
            | Alarm::MilkStuck
            | Alarm::MilkAboveBath
            | Alarm::MilkDisagrees
            | Alarm::AboveReference
            | Alarm::MilkInBath
            | Alarm::BathStuck
            | Alarm::AgitationLost
            | Alarm::LoadOff => doubts.lasts(alarm),
        });
        Ruling { lasting, stop, fails: doubts.fails, cut: doubts.cut }
    }
}

#[cfg(test)]
mod tests;
