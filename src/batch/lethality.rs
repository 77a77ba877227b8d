//! What the heat did, by Bigelow: L(T) = 10^((T − Tref)/z), F = ∫ L dt, log reduction = F / D.
//!
//! **Terms.** *z*: the rise of temperature that makes the effect ten times faster. *Tref*: the
//! temperature at which one minute counts as one minute. *D*: time at Tref that kills nine
//! tenths. A figure without its Tref, z and D means nothing, so they stand together here; and
//! no log reduction is ever promised, because the literature disagrees (DOMAIN).

use holder_hal::{Celsius, Kelvin};

/// How the effect of heat depends on temperature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bigelow {
    /// Tref.
    pub tref: Celsius,
    /// z.
    pub z: Kelvin,
}

/// What heat does to one organism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Organism {
    /// Its name.
    pub name: &'static str,
    /// How its death depends on temperature.
    pub bigelow: Bigelow,
    /// D at Tref, milliseconds.
    pub d_ms: u64,
}

/// *Coxiella burnetii*: D71.7 = 1.99 s; z is implied by 63 °C/30 min ≡ 72 °C/15 s (DOMAIN \[33\],
/// \[36\]).
pub const COXIELLA_BURNETII: Organism = Organism {
    name: "Coxiella burnetii",
    bigelow: Bigelow { tref: Celsius::from_milli(71_700), z: Kelvin::from_milli(4_330) },
    d_ms: 1_990,
};

impl Bigelow {
    /// Minutes at 62.5 °C with the same effect, for this z.
    pub const fn equivalent(z: Kelvin) -> Self {
        Self { tref: Celsius::from_milli(62_500), z }
    }

    /// L: how many times faster the effect is at this temperature than at Tref.
    pub fn rate(self, at: Celsius) -> f64 {
        let above = f64::from(at.milli()) - f64::from(self.tref.milli());
        (above / f64::from(self.z.milli()) * std::f64::consts::LOG2_10).exp2()
    }

    /// F: milliseconds at Tref with the same effect as this curve, by trapezoids between
    /// trusted readings. A step longer than `max_gap_ms` is given no credit. `None` if there are
    /// no two readings to go by, or z is not positive.
    pub fn equivalent_ms(
        self,
        curve: impl IntoIterator<Item = (u64, Option<Celsius>)>,
        max_gap_ms: u64,
    ) -> Option<f64> {
        if self.z <= Kelvin::ZERO {
            return None;
        }
        let mut last: Option<(u64, f64)> = None;
        let mut total = None;
        for (t_ms, celsius) in curve {
            let Some(celsius) = celsius else { continue };
            let rate = self.rate(celsius);
            let step = last.and_then(|(at, before)| Some((t_ms.checked_sub(at)?, before)));
            if let Some((step_ms, before)) = step.filter(|(step_ms, _)| *step_ms <= max_gap_ms) {
                let part = step_ms as f64 * f64::midpoint(before, rate);
                total = Some(total.unwrap_or(0.0) + part);
            }
            last = Some((t_ms, rate));
        }
        total
    }
}

impl Organism {
    /// The log reduction of an effect of `f_ms` milliseconds at Tref.
    pub fn log_reduction(&self, f_ms: f64) -> f64 {
        f_ms / self.d_ms as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN_MS: u64 = 60_000;

    fn level(milli: i32, minutes: u64) -> Vec<(u64, Option<Celsius>)> {
        (0..=minutes * 60).map(|s| (s * 1_000, Some(Celsius::from_milli(milli)))).collect()
    }

    /// REQ-LETH-01
    #[test]
    fn thirty_minutes_reduce_coxiella_by_the_logs_of_the_domain() {
        let coxiella = COXIELLA_BURNETII;
        for (milli, logs) in [(61_700, 4.4), (62_000, 5.2), (62_500, 6.8), (63_000, 8.8)] {
            let f_ms = coxiella.bigelow.equivalent_ms(level(milli, 30), 10_000).expect("readings");
            let found = coxiella.log_reduction(f_ms);
            assert!((found - logs).abs() < 0.1, "{milli}: {found} instead of {logs}");
        }
    }

    #[test]
    fn a_minute_at_tref_is_a_minute_and_one_z_higher_ten() {
        let bigelow = Bigelow::equivalent(Kelvin::from_milli(10_800));
        let at = |milli| bigelow.equivalent_ms(level(milli, 1), 10_000).expect("readings");
        assert!((at(62_500) - MIN_MS as f64).abs() < 1e-6);
        assert!((at(73_300) - 10.0 * MIN_MS as f64).abs() < 1e-3);
    }

    #[test]
    fn a_gap_is_given_no_credit_and_a_missing_reading_within_it_is_bridged() {
        let bigelow = Bigelow::equivalent(Kelvin::from_milli(10_800));
        let hot = Some(Celsius::from_milli(62_500));
        let gap = [(0, hot), (1_000, hot), (12_000, hot), (13_000, hot)];
        assert_eq!(bigelow.equivalent_ms(gap, 10_000), Some(2_000.0));
        let bridged = [(0, hot), (1_000, None), (2_000, hot)];
        assert_eq!(bigelow.equivalent_ms(bridged, 10_000), Some(2_000.0));
    }

    #[test]
    fn no_readings_and_no_z_give_no_figure() {
        let bigelow = Bigelow::equivalent(Kelvin::from_milli(10_800));
        assert_eq!(bigelow.equivalent_ms([], 10_000), None);
        assert_eq!(bigelow.equivalent_ms([(5, None)], 10_000), None);
        assert_eq!(Bigelow::equivalent(Kelvin::ZERO).equivalent_ms(level(62_500, 1), 9_000), None);
    }
}
