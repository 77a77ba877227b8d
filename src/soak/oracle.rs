//! What really happened to the milk, from the truth alone. Nothing that decides can see it.

use holder_hal::{Celsius, Tick};
use holder_sim::plant::{CLASSES, Truth};

/// The witness of one run.
#[derive(Clone, Debug)]
pub(crate) struct Oracle {
    floor_c: f64,
    /// Of each class of bottles that was ever in: those that came late have their own hold, or none.
    held: [Option<Held>; CLASSES],
    hottest_c: Option<f64>,
    is_held: bool,
    /// The coldest milk of all in the newest hold that the engine declared, °C.
    coldest_held_c: Option<f64>,
}

/// What one class of bottles has had.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    above_since: Option<Tick>,
    longest_ms: u64,
}

impl Held {
    /// Sees whether all of it is at or above the floor now.
    fn see(&mut self, now: Tick, is_above: bool) {
        self.above_since = is_above.then(|| self.above_since.unwrap_or(now));
        let lasted_ms = self.above_since.map_or(0, |since| now.ms_since(since));
        self.longest_ms = self.longest_ms.max(lasted_ms);
    }
}

impl Oracle {
    /// Nothing was seen yet.
    pub(crate) fn new(floor: Celsius) -> Self {
        Self {
            floor_c: floor.as_f64(),
            held: [None; CLASSES],
            hottest_c: None,
            is_held: false,
            coldest_held_c: None,
        }
    }

    /// Sees the truth at this moment, and whether the engine says that this is the hold.
    pub(crate) fn see_with(&mut self, now: Tick, truth: &Truth, is_held: bool) {
        self.see(now, truth);
        if is_held {
            let before_c = self.coldest_held_c.filter(|_| self.is_held);
            self.coldest_held_c = truth.coldest_milk().into_iter().chain(before_c).reduce(f64::min);
        }
        self.is_held = is_held;
    }

    /// How much the coldest milk of all was below the floor in the newest hold that the engine
    /// declared, K; 0 where it never was.
    pub(crate) fn lacked_k(&self) -> f64 {
        self.coldest_held_c.map_or(0.0, |coldest_c| (self.floor_c - coldest_c).max(0.0))
    }

    fn see(&mut self, now: Tick, truth: &Truth) {
        for (held, coldest_c) in self.held.iter_mut().zip(truth.coldest_of_classes()) {
            match (held.as_mut(), coldest_c) {
                (Some(held), _) => held.see(now, coldest_c.is_some_and(|c| c >= self.floor_c)),
                (None, Some(coldest_c)) => {
                    held.insert(Held::default()).see(now, coldest_c >= self.floor_c);
                }
                (None, None) => {}
            }
        }
        self.hottest_c = truth.hottest_milk().into_iter().chain(self.hottest_c).reduce(f64::max);
    }

    /// The longest unbroken time at or above the floor that *every* bottle had that was ever in,
    /// each for itself, in milliseconds: 0 if one of them never got there, or if none was in. Too
    /// short by at most two periods.
    pub(crate) fn longest_ms(&self) -> u64 {
        self.held.iter().flatten().map(|held| held.longest_ms).min().unwrap_or(0)
    }

    /// The hottest milk of all, °C.
    pub(crate) const fn hottest_c(&self) -> Option<f64> {
        self.hottest_c
    }
}

#[cfg(test)]
mod tests {
    use holder_sim::{Plant, PlantParams};

    use super::*;

    const FLOOR_C: f64 = 62.5;

    /// What every bottle had that was in for `first_ms`, and with six raw ones added for as long.
    fn held_ms(first_ms: u64, added: u32) -> u64 {
        let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 1, 62.75);
        let mut oracle = Oracle::new(Celsius::from_f64(FLOOR_C).expect("it is one"));
        for second in 0..2 * first_ms / 1_000 {
            if second * 1_000 == first_ms && added > 0 {
                plant.add_cold(added, 4.0);
            }
            oracle.see(Tick::from_ms(second * 1_000), &plant.truth());
            plant.advance(1_000);
        }
        oracle.longest_ms()
    }

    #[test]
    fn bottles_that_were_added_after_the_hold_have_had_none() {
        let whole_ms = held_ms(1_800_000, 0);
        assert!(whole_ms >= 3_590_000, "{whole_ms}");
        assert_eq!(held_ms(1_800_000, 6), 0, "raw milk is in, and the first had their hold");
    }

    #[test]
    fn the_milk_lacked_what_it_was_below_the_floor_in_the_newest_hold_alone() {
        let mut oracle = Oracle::new(Celsius::from_f64(FLOOR_C).expect("it is one"));
        let mut see = |second: u64, milk_c: f64, is_held: bool| {
            let plant = Plant::mid_hold(PlantParams::nominal(), 1, 1, milk_c);
            oracle.see_with(Tick::from_ms(second * 1_000), &plant.truth(), is_held);
            (oracle.lacked_k() * 1_000.0).round()
        };
        assert_eq!(see(0, 60.0, false), 0.0, "no hold yet");
        assert_eq!(see(1, 61.5, true), 1_000.0);
        assert_eq!(see(2, 62.0, true), 1_000.0);
        assert_eq!(see(3, 61.0, false), 1_000.0, "the hold was broken");
        assert_eq!(see(4, 62.25, true), 250.0, "another hold");
        assert_eq!(see(5, 60.0, false), 250.0, "the cooling");
    }

    #[test]
    fn taking_bottles_out_takes_nothing_from_their_hold() {
        let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 1, 62.75);
        let mut oracle = Oracle::new(Celsius::from_f64(FLOOR_C).expect("it is one"));
        oracle.see(Tick::from_ms(0), &plant.truth());
        oracle.see(Tick::from_ms(60_000), &plant.truth());
        plant.unload();
        oracle.see(Tick::from_ms(120_000), &plant.truth());
        assert_eq!(oracle.longest_ms(), 60_000);
    }
}
