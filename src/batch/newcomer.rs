//! What may have come in after the control bottle, live: with the load, as late as that was
//! confirmed, or later, while the lid was open. Nobody saw it, and the control bottle shows nothing of
//! it: so a bottle as cold as milk can be is taken to have come in then, and no hold begins before that
//! bottle would be warm, too.
//!
//! It stands in the same bath as the control bottle: what it is behind shrinks with the time
//! constant of a bottle (its *lag*), whatever the bath does. The lag is that of this very batch, as
//! the come-up showed it: the slowest, since it grows when the water stops. A reading that no bottle
//! can have come to (*doubted*) shows neither.

use holder_hal::{Celsius, Kelvin, Tick};

use super::facts::Facts;
use super::params::BatchParams;
use super::plausible::Fresh;

/// Milk is put in liquid: nothing is colder, °C.
const COLDEST_C: f64 = 0.0;
/// A bottle in a slow place takes longer than the control bottle: PLANT's control bottle is within
/// 5 % of the slowest; the rest is for the error of the lag. The judge allows less.
const SLOWER: f64 = 1.2;
/// For the bottles of the load the margin has that already: here it is the error of the lag alone.
const SLOWER_OF_LOAD: f64 = 1.08;
/// Until then the cold spot of a bottle does not move as it will, milliseconds.
const MIXED_MS: u64 = 120_000;
/// Such a rise shows the lag, K.
const RISE_K: f64 = 12.0;
/// … and so much, if it never was that: of a load that was confirmed late.
const RISE_LEAST_K: f64 = 4.0;
/// Each further rise of that shows it again, while the bath is warmer by so much, K: below, the errors
/// of the probes weigh too much …
const GAP_LEAST_K: f64 = 3.0;
/// … and a lag that is longer by less than this is their error, too: a stopped agitator doubles it.
const GROWN: f64 = 1.25;
/// A mean of ten seconds is this far behind the fastest bottle's newest reading, K.
const MEAN_BEHIND_K: f64 = 0.5;
/// Over a longer time without readings nobody knows the heat, nor whether the water moved,
/// milliseconds.
const HOLE_MS: u64 = 30_000;

/// The latest moment at which something may have come in.
#[derive(Clone, Copy, Debug)]
struct CameIn {
    at: Tick,
    /// It was behind the control bottle by so much then, K.
    behind_k: f64,
    /// Its lag, in lags of the control bottle.
    slower: f64,
}

impl CameIn {
    /// Nobody knows what it was warmed by in the last so many milliseconds: nothing.
    fn was_unwatched(&mut self, now: Tick, ms: u64) {
        self.at = self.at.plus_ms(ms).min(now);
    }

    /// What it is behind now, with this lag of the control bottle, K.
    fn left_k(&self, now: Tick, lag_s: f64) -> f64 {
        let since_s = now.ms_since(self.at) as f64 / 1_000.0;
        self.behind_k * (-since_s / (self.slower * lag_s)).exp()
    }
}

/// A rise that is being measured.
#[derive(Clone, Copy, Debug)]
struct Rise {
    from_c: f64,
    risen_k: f64,
    last: Tick,
    /// Bath − milk, summed over time, K s.
    area_k_s: f64,
}

impl Rise {
    const fn begun(now: Tick, milk_c: f64) -> Self {
        Self { from_c: milk_c, risen_k: 0.0, last: now, area_k_s: 0.0 }
    }

    fn lag_s(&self) -> f64 {
        self.area_k_s / self.risen_k
    }
}

/// What may have come in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Newcomer {
    /// With the last reading that told an open lid.
    lid: Option<CameIn>,
    /// When the load was confirmed.
    load: Option<CameIn>,
    /// Milk that a test moves by hand has no lag.
    #[cfg(test)]
    pub(super) load_is_believed: bool,
    rise: Option<Rise>,
    /// The slowest that a rise has shown, s.
    slowest_s: Option<f64>,
    /// When bath and milk were read last.
    read: Option<Tick>,
}

impl Newcomer {
    /// Takes in a reading with bottles in the bath, loaded then. One that is doubted is a step that
    /// physics cannot give.
    pub(super) fn observe(&mut self, facts: &Facts, fresh: &Fresh, loaded: Tick, is_doubted: bool) {
        let at = facts.now;
        let coldest = fresh.milk.iter().flatten().min().copied().filter(|_| !is_doubted);
        let read = fresh.bath.zip(coldest);
        if read.is_some() {
            let silent_ms = at.ms_since(self.read.replace(at).unwrap_or(at));
            if silent_ms > HOLE_MS {
                let came_in = self.lid.iter_mut().chain(&mut self.load);
                came_in.for_each(|came_in| came_in.was_unwatched(at, silent_ms));
            }
        }
        // Without a reading nobody knows how warm the control bottle is: as warm as it gets.
        let or_unknown_k =
            |mean: Option<Celsius>| mean.or(facts.bath).map_or(100.0, Celsius::as_f64) - COLDEST_C;
        if facts.lid_open {
            let behind_k = or_unknown_k(facts.hottest);
            self.lid = Some(CameIn { at, behind_k, slower: SLOWER });
        }
        // By then all of the load is in; and nothing of it is ever colder than milk. The mean has
        // doubted readings in it, and the newest has noise.
        let behind_k = or_unknown_k(facts.coldest.max(coldest));
        let slowest_s = self.lag_s().unwrap_or(f64::INFINITY);
        let is_less = |load: CameIn| coldest.is_some() && behind_k < load.left_k(at, slowest_s);
        if self.load.is_none_or(is_less) {
            self.load = Some(CameIn { at, behind_k, slower: SLOWER_OF_LOAD });
        }
        #[cfg(test)]
        if self.load_is_believed {
            self.load = None;
        }
        if let Some((bath, milk)) = read.filter(|_| at.ms_since(loaded) >= MIXED_MS) {
            let mean = facts.coldest.unwrap_or(milk);
            self.measure(at, bath.as_f64(), milk.as_f64(), mean.as_f64());
        }
    }

    /// The lag, from one rise to the next, by means; but a mean that a doubted reading has moved makes
    /// no rise look larger, and the bottle faster, than the newest readings do.
    fn measure(&mut self, now: Tick, bath_c: f64, milk_c: f64, mean_c: f64) {
        let begun = Rise::begun(now, mean_c.max(milk_c - MEAN_BEHIND_K));
        let mut rise = self.rise.unwrap_or(begun);
        let ms = now.ms_since(rise.last);
        if ms > HOLE_MS {
            rise = begun;
        } else {
            rise.area_k_s += (bath_c - milk_c) * ms as f64 / 1_000.0;
            (rise.last, rise.risen_k) = (now, milk_c.min(mean_c) - rise.from_c);
        }
        let whole_k = if self.slowest_s.is_some() { RISE_LEAST_K } else { RISE_K };
        if rise.risen_k >= whole_k {
            let still_holds = |known_s: &f64| rise.lag_s() <= known_s * GROWN;
            self.slowest_s = self.slowest_s.filter(still_holds).or(Some(rise.lag_s()));
            rise = begun;
        } else if self.slowest_s.is_some() && bath_c - milk_c < GAP_LEAST_K {
            rise = begun;
        }
        self.rise = Some(rise);
    }

    /// The lag as this come-up has shown it, s.
    fn lag_s(&self) -> Option<f64> {
        let risen = self.rise.filter(|rise| rise.risen_k >= RISE_LEAST_K);
        self.slowest_s.or_else(|| risen.map(|rise| rise.lag_s()))
    }

    /// Whether what may have come in is warm by now, the control bottle being so far above its
    /// limit.
    pub(super) fn is_warm(&self, now: Tick, clearance: Kelvin, params: &BatchParams) -> bool {
        let rule = &params.recipe.plausibility;
        let seconds = |ms: u64| ms as f64 / 1_000.0;
        let (least_s, most_s) = (seconds(rule.bottle_lag_min_ms), seconds(rule.bottle_lag_max_ms));
        let lag_s = self.lag_s().unwrap_or(most_s).max(least_s);
        let mut came_in = [self.lid, self.load].into_iter().flatten();
        came_in.all(|came_in| clearance.as_f64() >= came_in.left_k(now, lag_s))
    }
}

#[cfg(test)]
mod tests;
