//! What a probe in milk can show, as data of the recipe: the lines by which the judge tells a
//! reading of the milk from one of something else.
//!
//! The defaults hold for the good plants of the simulator (1400 runs on 700 drawn machines, 1 to
//! 69 bottles of 130 ml or 36 of 250 ml, readings in 0.1 and 0.01 °C): beside each stands what
//! those plants show at their worst. They are physics of an agitated water bath, not a guideline:
//! a bank with other bottles or another machine sets its own. A recipe without them, as those of
//! older batches, is judged by these.

use holder_hal::Kelvin;
use serde::{Deserialize, Serialize};

use super::recipe::de;

/// The lines of plausibility. **Lag** of a bottle: the time in which its milk follows the bath,
/// that is the gap between bath and milk, summed over time, divided by what the milk warmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlausibilityRule {
    /// No bottle follows the bath faster, milliseconds (good plants: 250 s and above).
    #[serde(rename = "bottle_lag_min_s", with = "de::seconds")]
    pub bottle_lag_min_ms: u64,
    /// No bottle in an agitated bath follows slower, milliseconds (good plants: 685 s and below).
    #[serde(rename = "bottle_lag_max_s", with = "de::seconds")]
    pub bottle_lag_max_ms: u64,
    /// The lag later in a batch may be so many hundredths of that at its beginning (good plants:
    /// 96 to 103; a stopped agitator more than doubles it).
    pub bottle_lag_change_max_percent: u32,
    /// The least gap between a preheated bath and the milk in the minutes after the loading
    /// (good plants: 20 °C; a probe in the bath: below 1 °C).
    #[serde(rename = "gap_after_loading_min_c", with = "de::kelvin")]
    pub gap_after_loading_min: Kelvin,
    /// The milk may be so much hotter than the bath that heats it, in means of five minutes
    /// (good plants: 0.17 °C; errors of the bath probe come on top).
    #[serde(rename = "milk_over_bath_max_c", with = "de::kelvin")]
    pub milk_over_bath_max: Kelvin,
    /// A reading may change by so much more than a bottle can (good plants: 0.2 °C).
    #[serde(rename = "jump_max_c", with = "de::kelvin")]
    pub jump_max: Kelvin,
    /// A reading may stand still while the slowest bottle would have changed by this much (good
    /// plants: 0.2 °C).
    #[serde(rename = "still_max_c", with = "de::kelvin")]
    pub still_max: Kelvin,
    /// Bath and all milk may show the very same values for so long, milliseconds (good plants:
    /// 3 min).
    #[serde(rename = "unchanged_max_min", with = "de::minutes")]
    pub unchanged_max_ms: u64,
    /// From five minutes after the loading the bath may fall by so much in a minute (good plants:
    /// 0.2 °C; 12 cold bottles of 130 ml in 40 l: 0.2 to 0.5 °C; its lid open and no heat: 0.43).
    #[serde(rename = "bath_fall_max_c", with = "de::kelvin")]
    pub bath_fall_max: Kelvin,
}

impl Default for PlausibilityRule {
    fn default() -> Self {
        Self {
            bottle_lag_min_ms: 100_000,
            bottle_lag_max_ms: 1_000_000,
            bottle_lag_change_max_percent: 150,
            gap_after_loading_min: Kelvin::from_milli(5_000),
            milk_over_bath_max: Kelvin::from_milli(400),
            jump_max: Kelvin::from_milli(500),
            still_max: Kelvin::from_milli(1_000),
            unchanged_max_ms: 15 * 60_000,
            bath_fall_max: Kelvin::from_milli(250),
        }
    }
}

impl PlausibilityRule {
    /// The first contradiction, as key and rule.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let above_zero = "must be above zero";
        let rules = [
            ("bottle_lag_min_s", self.bottle_lag_min_ms < 10_000, "must not be below 10 s"),
            (
                "bottle_lag_max_s",
                self.bottle_lag_max_ms <= self.bottle_lag_min_ms,
                "must be above bottle_lag_min_s",
            ),
            (
                "bottle_lag_change_max_percent",
                self.bottle_lag_change_max_percent <= 100,
                "must be above 100",
            ),
            ("gap_after_loading_min_c", self.gap_after_loading_min <= Kelvin::ZERO, above_zero),
            ("milk_over_bath_max_c", self.milk_over_bath_max <= Kelvin::ZERO, above_zero),
            ("jump_max_c", self.jump_max <= Kelvin::ZERO, above_zero),
            ("still_max_c", self.still_max <= Kelvin::ZERO, above_zero),
            ("unchanged_max_min", self.unchanged_max_ms < 60_000, "must not be below 1 min"),
            ("bath_fall_max_c", self.bath_fall_max <= Kelvin::ZERO, above_zero),
        ];
        rules.into_iter().find(|(_, broken, _)| *broken).map(|(key, _, rule)| (key, rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key that is refused.
    fn refused(change: impl FnOnce(&mut PlausibilityRule)) -> Option<&'static str> {
        let mut rule = PlausibilityRule::default();
        change(&mut rule);
        rule.fault().map(|(key, _)| key)
    }

    #[test]
    fn each_time_is_refused_beyond_its_edge_only() {
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|rule| rule.bottle_lag_min_ms = 10_000), None);
        assert_eq!(refused(|rule| rule.bottle_lag_min_ms = 9_999), Some("bottle_lag_min_s"));
        assert_eq!(refused(|rule| rule.bottle_lag_max_ms = 100_001), None);
        assert_eq!(refused(|rule| rule.bottle_lag_max_ms = 100_000), Some("bottle_lag_max_s"));
        assert_eq!(refused(|rule| rule.unchanged_max_ms = 60_000), None);
        assert_eq!(refused(|rule| rule.unchanged_max_ms = 59_999), Some("unchanged_max_min"));
        assert_eq!(refused(|rule| rule.bottle_lag_change_max_percent = 101), None);
        let change = refused(|rule| rule.bottle_lag_change_max_percent = 100);
        assert_eq!(change, Some("bottle_lag_change_max_percent"));
    }

    #[test]
    fn each_difference_must_be_above_zero() {
        type Field = fn(&mut PlausibilityRule) -> &mut Kelvin;
        let fields: [(&str, Field); 5] = [
            ("gap_after_loading_min_c", |rule| &mut rule.gap_after_loading_min),
            ("milk_over_bath_max_c", |rule| &mut rule.milk_over_bath_max),
            ("jump_max_c", |rule| &mut rule.jump_max),
            ("still_max_c", |rule| &mut rule.still_max),
            ("bath_fall_max_c", |rule| &mut rule.bath_fall_max),
        ];
        for (key, field) in fields {
            let with = |milli| refused(|rule| *field(rule) = Kelvin::from_milli(milli));
            assert_eq!((with(1), with(0), with(-1)), (None, Some(key), Some(key)));
        }
    }
}
