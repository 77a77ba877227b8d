//! Chance from one number, by a generator that is written down here and never changes.
//!
//! SplitMix64 (Steele, Lea and Flood 2014): the state grows by a constant, and each output is a
//! mix of it. A seed therefore means the same run on every computer and with every compiler.

/// What the state grows by: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A row of numbers that only its seed decides.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Row number `row` of this seed; rows do not depend on each other, so that a new draw in
    /// one changes nothing in the others.
    pub(crate) fn new(seed: u64, row: u64) -> Self {
        let mut dice = Self(seed ^ row.wrapping_mul(0xD1B5_4A32_D192_ED03));
        Self(dice.next())
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`; 0 if that is 0.
    pub(crate) fn below(&mut self, count: u64) -> u64 {
        // The upper half of the product: Lemire's way without a division.
        ((u128::from(self.next()) * u128::from(count)) >> 64) as u64
    }

    /// A whole number from `low` to `high`, both included.
    pub(crate) fn whole(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// A number from `low` up to `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        low + (high - low) * share
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T], otherwise: T) -> T {
        let index = self.below(from.len() as u64) as usize;
        from.get(index).copied().unwrap_or(otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference output of SplitMix64 for seed 1234567 (Vigna's splitmix64.c).
    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        let mut dice = Dice(1_234_567);
        let first = [dice.next(), dice.next(), dice.next()];
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn every_number_below_the_count_comes_and_none_above() {
        let mut dice = Dice::new(1, 0);
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            seen[dice.below(7) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (850..1150).contains(count)), "{seen:?}");
        assert!((0..1000).all(|_| (2.0..3.0).contains(&dice.between(2.0, 3.0))));
        assert_eq!(dice.below(0), 0);
    }
}
