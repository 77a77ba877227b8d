//! What may have come in while the lid was open, live. Nobody saw it, and the control bottle shows
//! nothing of it: so a bottle as cold as milk can be is taken to have come in with the last reading
//! that told an open lid, and no hold begins before that bottle would be warm, too.
//!
//! It stands in the same bath as the control bottle: what it is behind shrinks with the time
//! constant of a bottle (its *lag*), whatever the bath does. The lag is that of this very batch, as
//! the come-up showed it.

use holder_hal::{Kelvin, Tick};

use super::facts::Facts;
use super::params::BatchParams;
use super::plausible::Fresh;

/// Milk is put in liquid: nothing is colder, °C.
const COLDEST_C: f64 = 0.0;
/// A bottle in a slow place takes longer than the control bottle: PLANT's control bottle is within
/// 5 % of the slowest; the rest is for the error of the lag. The judge allows less.
const SLOWER: f64 = 1.2;
/// Until then the cold spot of a bottle does not move as it will, milliseconds.
const MIXED_MS: u64 = 120_000;
/// Such a rise shows the lag, K.
const RISE_K: f64 = 12.0;
/// Over a longer time without readings nobody knows the heat, milliseconds.
const HOLE_MS: u64 = 30_000;

/// The last reading that told an open lid.
#[derive(Clone, Copy, Debug)]
struct Open {
    at: Tick,
    /// What came in then is behind the control bottle by so much, K.
    behind_k: f64,
}

/// A rise that is being measured.
#[derive(Clone, Copy, Debug)]
struct Rise {
    from_c: f64,
    last: Tick,
    /// Bath − milk, summed over time, K s.
    area_k_s: f64,
}

/// What may have come in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Newcomer {
    open: Option<Open>,
    rise: Option<Rise>,
    lag_s: Option<f64>,
}

impl Newcomer {
    /// Takes in a reading with bottles in the bath, loaded then.
    pub(super) fn observe(&mut self, facts: &Facts, fresh: &Fresh, loaded: Tick) {
        if facts.lid_open {
            // Without a reading nobody knows how warm the control bottle is: as warm as it gets.
            let hottest_c = facts.hottest.or(facts.bath).map_or(100.0, |hottest| hottest.as_f64());
            self.open = Some(Open { at: facts.now, behind_k: hottest_c - COLDEST_C });
        }
        if self.lag_s.is_some() || facts.now.ms_since(loaded) < MIXED_MS {
            return;
        }
        let coldest = fresh.milk.iter().flatten().min();
        let Some((bath, milk)) = fresh.bath.zip(coldest) else { return };
        let (bath_c, milk_c) = (bath.as_f64(), milk.as_f64());
        let begun = Rise { from_c: milk_c, last: facts.now, area_k_s: 0.0 };
        let mut rise = self.rise.unwrap_or(begun);
        let ms = facts.now.ms_since(rise.last);
        if ms > HOLE_MS {
            rise = begun;
        } else {
            rise.area_k_s += (bath_c - milk_c) * ms as f64 / 1_000.0;
            rise.last = facts.now;
        }
        let risen_k = milk_c - rise.from_c;
        self.lag_s = (risen_k >= RISE_K).then_some(rise.area_k_s / risen_k);
        self.rise = Some(rise);
    }

    /// Whether what may have come in is warm by now, the control bottle being so far above its
    /// limit.
    pub(super) fn is_warm(&self, now: Tick, clearance: Kelvin, params: &BatchParams) -> bool {
        let Some(open) = self.open else { return true };
        let rule = &params.recipe.plausibility;
        let seconds = |ms: u64| ms as f64 / 1_000.0;
        let (least_s, most_s) = (seconds(rule.bottle_lag_min_ms), seconds(rule.bottle_lag_max_ms));
        let lag_s = self.lag_s.unwrap_or(most_s).max(least_s);
        let since_s = seconds(now.ms_since(open.at));
        clearance.as_f64() >= open.behind_k * (-since_s / (SLOWER * lag_s)).exp()
    }
}

#[cfg(test)]
mod tests;
