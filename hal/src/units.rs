//! Quantities with their units: a bare number never crosses a module boundary.
//!
//! Temperatures are integers of a thousandth of a degree, so that 62.500 °C compares exactly;
//! time is our own monotonic count of milliseconds, so that a test or a replay can make one.

use core::fmt;
use core::ops::{Add, AddAssign, Neg, Sub};

/// A temperature on the Celsius scale, in millidegrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Celsius(i32);

/// A difference of two temperatures, in millikelvin: offsets, uncertainties, margins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kelvin(i32);

/// A moment on the monotonic clock of one batch, in milliseconds since an arbitrary start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(u64);

/// The share of full heater power, in thousandths: 0 (off) to 1000 (full).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duty(u16);

/// Nearest integer of `value * 1000`, or `None` if it is not a number or out of range.
fn thousandths(value: f64) -> Option<i32> {
    let scaled = (value * 1000.0).round();
    // Every i32 is exact as f64, so the comparison is exact; NaN fails it.
    (scaled >= f64::from(i32::MIN / 4) && scaled <= f64::from(i32::MAX / 4))
        .then_some(scaled as i32)
}

impl Celsius {
    /// A temperature from thousandths of a degree: `Celsius::from_milli(62_500)` is 62.5 °C.
    pub const fn from_milli(millidegrees: i32) -> Self {
        Self(millidegrees)
    }

    /// The nearest representable temperature; `None` for NaN, infinities and absurd magnitudes.
    pub fn from_f64(degrees: f64) -> Option<Self> {
        thousandths(degrees).map(Self)
    }

    /// Thousandths of a degree.
    pub const fn milli(self) -> i32 {
        self.0
    }

    /// Degrees as a float, for physics and for pictures, never for a decision.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl Kelvin {
    /// No difference.
    pub const ZERO: Self = Self(0);

    /// A difference from thousandths of a kelvin.
    pub const fn from_milli(millikelvin: i32) -> Self {
        Self(millikelvin)
    }

    /// The nearest representable difference; `None` for NaN, infinities and absurd magnitudes.
    pub fn from_f64(kelvin: f64) -> Option<Self> {
        thousandths(kelvin).map(Self)
    }

    /// Thousandths of a kelvin.
    pub const fn milli(self) -> i32 {
        self.0
    }

    /// Kelvin as a float, for physics and for pictures, never for a decision.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl Tick {
    /// A moment from milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the start of this clock.
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; 0 if `earlier` is later (a clock oddity never
    /// makes a duration longer).
    pub const fn ms_since(self, earlier: Tick) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `ms` milliseconds later.
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Duty {
    /// Heater off.
    pub const OFF: Self = Self(0);
    /// Full power.
    pub const FULL: Self = Self(1000);

    /// A duty from thousandths of full power; `None` above 1000.
    pub const fn from_permille(permille: u16) -> Option<Self> {
        if permille <= 1000 { Some(Self(permille)) } else { None }
    }

    /// A duty from a share, clamped to 0…1; NaN is off.
    pub fn from_share(share: f64) -> Self {
        if share > 0.0 { Self((share.min(1.0) * 1000.0).round() as u16) } else { Self::OFF }
    }

    /// Thousandths of full power.
    pub const fn permille(self) -> u16 {
        self.0
    }

    /// The share of full power, 0…1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl Sub for Celsius {
    type Output = Kelvin;
    fn sub(self, other: Self) -> Kelvin {
        Kelvin(self.0.saturating_sub(other.0))
    }
}

impl Add<Kelvin> for Celsius {
    type Output = Self;
    fn add(self, difference: Kelvin) -> Self {
        Self(self.0.saturating_add(difference.0))
    }
}

impl Sub<Kelvin> for Celsius {
    type Output = Self;
    fn sub(self, difference: Kelvin) -> Self {
        Self(self.0.saturating_sub(difference.0))
    }
}

impl Add for Kelvin {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Kelvin {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Kelvin {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Kelvin {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

/// Writes thousandths with three decimals, or with as many as the format asks for.
fn write_milli(f: &mut fmt::Formatter<'_>, milli: i32) -> fmt::Result {
    match f.precision() {
        Some(digits) => write!(f, "{:.digits$}", f64::from(milli) / 1000.0),
        None => {
            let sign = if milli < 0 { "-" } else { "" };
            let magnitude = milli.unsigned_abs();
            write!(f, "{sign}{}.{:03}", magnitude / 1000, magnitude % 1000)
        }
    }
}

impl fmt::Display for Celsius {
    /// Degrees without the unit: `62.500`, or with `{:.1}` `62.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_milli(f, self.0)
    }
}

impl fmt::Display for Kelvin {
    /// Kelvin without the unit: `0.250`, or with `{:.2}` `0.25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_milli(f, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_compares_exactly() {
        assert_eq!(Celsius::from_f64(62.5), Some(Celsius::from_milli(62_500)));
        assert!(Celsius::from_milli(62_499) < Celsius::from_milli(62_500));
        assert_eq!(
            Celsius::from_milli(62_600) - Celsius::from_milli(62_500),
            Kelvin::from_milli(100)
        );
    }

    #[test]
    fn what_is_not_a_number_is_not_a_temperature() {
        for absurd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e12] {
            assert_eq!(Celsius::from_f64(absurd), None);
            assert_eq!(Kelvin::from_f64(absurd), None);
        }
        assert_eq!(Duty::from_share(f64::NAN), Duty::OFF);
    }

    #[test]
    fn small_negative_values_keep_their_sign() {
        assert_eq!(Kelvin::from_milli(-20).to_string(), "-0.020");
        assert_eq!(format!("{:.1}", Celsius::from_milli(62_549)), "62.5");
    }

    #[test]
    fn a_clock_that_goes_back_makes_no_duration() {
        assert_eq!(Tick::from_ms(5).ms_since(Tick::from_ms(9)), 0);
    }
}
