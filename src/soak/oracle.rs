//! What really happened to the milk, from the truth alone. Nothing that decides can see it.

use holder_hal::{Celsius, Tick};
use holder_sim::plant::Truth;

/// The witness of one run.
#[derive(Clone, Debug)]
pub(crate) struct Oracle {
    floor_c: f64,
    above_since: Option<Tick>,
    longest_ms: u64,
    hottest_c: Option<f64>,
}

impl Oracle {
    /// Nothing was seen yet.
    pub(crate) fn new(floor: Celsius) -> Self {
        Self { floor_c: floor.as_f64(), above_since: None, longest_ms: 0, hottest_c: None }
    }

    /// Sees the truth at this moment.
    pub(crate) fn see(&mut self, now: Tick, truth: &Truth) {
        let is_above = truth.coldest_milk().is_some_and(|coldest_c| coldest_c >= self.floor_c);
        self.above_since = is_above.then(|| self.above_since.unwrap_or(now));
        let lasted_ms = self.above_since.map_or(0, |since| now.ms_since(since));
        self.longest_ms = self.longest_ms.max(lasted_ms);
        self.hottest_c = truth.hottest_milk().into_iter().chain(self.hottest_c).reduce(f64::max);
    }

    /// The longest unbroken time that the coldest milk of all was at or above the floor, in
    /// milliseconds; too short by at most two periods.
    pub(crate) const fn longest_ms(&self) -> u64 {
        self.longest_ms
    }

    /// The hottest milk of all, °C.
    pub(crate) const fn hottest_c(&self) -> Option<f64> {
        self.hottest_c
    }
}
