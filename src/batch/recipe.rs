//! What a good batch is: the rules as data, read from `profiles/recipes/*.toml`.
//!
//! Guidelines differ between countries and every bank's procedure differs, so that no limit is
//! a constant in code (DOMAIN). A recipe says for each of its keys that rest on memory rather
//! than on a source: they are listed in `unverified`.

use std::ops::RangeInclusive;

use holder_hal::{Celsius, Kelvin};
use serde::{Deserialize, Serialize};

use super::plausibility::PlausibilityRule;
use crate::toml_file::{self, TomlError};

pub mod de;

/// What may call itself Holder pasteurization: 61.7 °C for 30 min failed against *C. burnetii*
/// (Enright), so that 62 °C is the least that any recipe may ask for.
const HOLDER_FLOOR: RangeInclusive<Celsius> =
    Celsius::from_milli(62_000)..=Celsius::from_milli(65_000);
/// The same for the length of the hold, milliseconds.
const HOLDER_HOLD_MS: RangeInclusive<u64> = 30 * 60_000..=60 * 60_000;

/// A recipe: what a good batch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Its name, as on the command line.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Where the rules come from.
    pub sources: Vec<String>,
    /// Keys that rest on memory or on our own choice, not on a source that was read.
    #[serde(default)]
    pub unverified: Vec<String>,
    /// The hold.
    pub hold: HoldRule,
    /// The hottest milk.
    pub ceiling: CeilingRule,
    /// From loading to the hold.
    pub heat_up: HeatUpRule,
    /// The figures by which the literature judges a pasteurizer.
    pub figures: FigureRule,
    /// Cooling.
    pub cooling: CoolingRule,
    /// Agreement of the probes.
    pub probes: ProbeRule,
    /// What a probe in milk can show.
    #[serde(default)]
    pub plausibility: PlausibilityRule,
    /// When the run is given up.
    pub limits: RunLimits,
    /// Who may be in a pool, and how long the milk keeps.
    pub pool: PoolRule,
    /// What an interruption of the controller does to the batch.
    #[serde(default)]
    pub interruption: InterruptionRule,
    /// Cultures before and after.
    pub culture: CultureRule,
}

/// The hold (DOMAIN, "How the hold is judged").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldRule {
    /// No milk may be colder than this during the hold.
    #[serde(rename = "floor_c", with = "de::celsius")]
    pub floor: Celsius,
    /// Length of the hold, milliseconds.
    #[serde(rename = "hold_min", with = "de::minutes")]
    pub hold_ms: u64,
    /// The hold begins this far above the limit.
    #[serde(rename = "begin_above_c", with = "de::kelvin")]
    pub begin_above: Kelvin,
    /// The hold begins after this long above it, milliseconds.
    #[serde(rename = "begin_after_s", with = "de::seconds")]
    pub begin_after_ms: u64,
    /// The readings of this long are averaged, milliseconds.
    #[serde(rename = "mean_s", with = "de::seconds")]
    pub mean_ms: u64,
    /// A longer time without a good reading restarts the hold, milliseconds.
    #[serde(rename = "max_gap_s", with = "de::seconds")]
    pub max_gap_ms: u64,
    /// The same for a curve from a foreign logger, milliseconds.
    #[serde(rename = "max_gap_foreign_s", with = "de::seconds")]
    pub max_gap_foreign_ms: u64,
    /// More restarts fail the batch.
    pub holds_restarted_max: u32,
}

/// The hottest milk, uncertainty and margin added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeilingRule {
    /// Above it: a note.
    #[serde(rename = "note_c", with = "de::celsius")]
    pub note: Celsius,
    /// Above it: a deviation.
    #[serde(rename = "deviation_c", with = "de::celsius")]
    pub deviation: Celsius,
    /// Above it: failed.
    #[serde(rename = "fail_c", with = "de::celsius")]
    pub fail: Celsius,
}

/// Time from loading to the hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeatUpRule {
    /// Longer: a note. Milliseconds.
    #[serde(rename = "note_min", with = "de::minutes")]
    pub note_ms: u64,
    /// Longer: failed. Milliseconds.
    #[serde(rename = "fail_min", with = "de::minutes")]
    pub fail_ms: u64,
}

/// Figures that are reported against a range; outside of it is a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureRule {
    /// 58 °C to the floor takes longer: a note. Milliseconds.
    #[serde(rename = "t58_to_floor_note_min", with = "de::minutes")]
    pub t58_to_floor_note_ms: u64,
    /// Above 58 °C for longer: a note. Milliseconds.
    #[serde(rename = "above_58_note_min", with = "de::minutes")]
    pub above_58_note_ms: u64,
    /// A hold longer than this: a note. Milliseconds.
    #[serde(rename = "plateau_note_min", with = "de::minutes")]
    pub plateau_note_ms: u64,
    /// z of the equivalent minutes at 62.5 °C (10.8 °C: lactoferrin, PLANT).
    #[serde(rename = "equivalent_z_c", with = "de::kelvin")]
    pub equivalent_z: Kelvin,
}

/// Cooling, judged on the hottest milk probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoolingRule {
    /// Cooled means: at or below this.
    #[serde(rename = "target_c", with = "de::celsius")]
    pub target: Celsius,
    /// Longer: a note. Milliseconds.
    #[serde(rename = "note_min", with = "de::minutes")]
    pub note_ms: u64,
    /// Longer, or never: failed. Milliseconds.
    #[serde(rename = "fail_min", with = "de::minutes")]
    pub fail_ms: u64,
}

/// Agreement of the probes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeRule {
    /// A larger difference between milk probes during the hold is a deviation.
    #[serde(rename = "spread_max_c", with = "de::kelvin")]
    pub spread_max: Kelvin,
    /// The recorder may read higher than the reference by half its resolution and this.
    #[serde(rename = "over_reference_max_c", with = "de::kelvin")]
    pub over_reference_max: Kelvin,
    /// Means of this long are compared with the reference, milliseconds.
    #[serde(rename = "reference_mean_s", with = "de::seconds")]
    pub reference_mean_ms: u64,
    /// How often probes are calibrated, months.
    pub calibration_months: u32,
}

/// When the run is given up rather than waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunLimits {
    /// The bath must be stable after this long, milliseconds.
    #[serde(rename = "preheat_max_min", with = "de::minutes")]
    pub preheat_max_ms: u64,
    /// The bottles must be loaded after this long, milliseconds.
    #[serde(rename = "load_max_min", with = "de::minutes")]
    pub load_max_ms: u64,
    /// A needed probe may be lost this long before the batch is stopped, milliseconds.
    #[serde(rename = "probe_lost_max_s", with = "de::seconds")]
    pub probe_lost_max_ms: u64,
}

/// What an interruption of the controller does to a batch whose milk is in the machine: a power
/// cut, a crash. Cooling always goes on, and its time counts on. An outage of unknown length
/// exceeds every limit. A recipe that does not say anything allows none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterruptionRule {
    /// From the last reading before it until the batch is continued: longer, and the batch has
    /// failed. Milliseconds.
    #[serde(rename = "outage_max_min", with = "de::minutes")]
    pub outage_max_ms: u64,
    /// In the come-up.
    pub come_up: WhenInterrupted,
    /// In the hold: `continue` is refused, since a hold that nobody watched is not unbroken.
    pub hold: WhenInterrupted,
    /// Whether a person must confirm that the machine may heat again.
    pub heat_needs_person: bool,
}

/// What becomes of a phase that was interrupted for no longer than is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenInterrupted {
    /// It goes on.
    Continue,
    /// It begins again, and counts as a restart of the hold.
    Restart,
    /// The batch has failed.
    Fail,
}

impl Default for InterruptionRule {
    fn default() -> Self {
        let (come_up, hold) = (WhenInterrupted::Fail, WhenInterrupted::Fail);
        Self { outage_max_ms: 0, come_up, hold, heat_needs_person: true }
    }
}

/// Who may be in a pool, and how long the milk keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolRule {
    /// Fewest donors.
    pub donors_min: u32,
    /// Most donors.
    pub donors_max: u32,
    /// Months after pasteurization.
    pub expiry_months: u32,
    /// Months after the oldest expression date.
    pub expression_months: u32,
}

/// Cultures; figures in CFU per ml, absent where the guideline asks for none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CultureRule {
    /// Most colonies in all before pasteurization.
    pub before_total_max: Option<u32>,
    /// Most *S. aureus* or Enterobacteriaceae before pasteurization.
    pub before_pathogen_max: Option<u32>,
    /// Most colonies after pasteurization; 0 rejects any growth.
    pub after_max: u32,
}

impl Recipe {
    /// Reads a recipe. `file` is for the message.
    ///
    /// # Errors
    /// Malformed TOML, an unknown key (with the nearest known one), or a rule that contradicts
    /// another, with file, line and key.
    pub fn parse(file: &str, text: &str) -> Result<Self, TomlError> {
        let recipe: Self = toml_file::parse(file, text)?;
        match recipe.fault() {
            Some((key, rule)) => Err(TomlError::rule(file, text, key, rule)),
            None => Ok(recipe),
        }
    }

    /// A time that exceeds every limit of the recipe, milliseconds: what the batch's own time goes
    /// on by over an outage of unknown length.
    pub fn beyond_every_limit_ms(&self) -> u64 {
        let limits = [
            self.heat_up.fail_ms,
            self.cooling.fail_ms,
            self.limits.preheat_max_ms,
            self.limits.load_max_ms,
            self.limits.probe_lost_max_ms,
            self.interruption.outage_max_ms,
            self.hold.max_gap_ms,
            self.hold.max_gap_foreign_ms,
        ];
        limits.into_iter().max().unwrap_or(0).saturating_add(1)
    }

    /// The first contradiction, as key and rule.
    fn fault(&self) -> Option<(&'static str, String)> {
        let (hold, ceiling) = (&self.hold, &self.ceiling);
        let rules = [
            ("floor_c", hold.floor >= ceiling.note, "the floor must lie below ceiling.note_c"),
            ("deviation_c", ceiling.deviation < ceiling.note, "must not lie below note_c"),
            ("fail_c", ceiling.fail < ceiling.deviation, "must not lie below deviation_c"),
            ("floor_c", !HOLDER_FLOOR.contains(&hold.floor), "Holder pasteurization: 62 to 65 °C"),
            (
                "hold_min",
                !HOLDER_HOLD_MS.contains(&hold.hold_ms),
                "Holder pasteurization: 30 to 60 min",
            ),
            ("mean_s", !(1_000..=60_000).contains(&hold.mean_ms), "must be from 1 to 60 s"),
            ("begin_after_s", hold.begin_after_ms > 300_000, "must not be above 300 s"),
            ("holds_restarted_max", hold.holds_restarted_max > 3, "must not be above 3"),
            ("max_gap_foreign_s", hold.max_gap_foreign_ms > 300_000, "must not be above 300 s"),
            ("fail_c", ceiling.fail > Celsius::from_milli(75_000), "must not be above 75 °C"),
            ("max_gap_s", hold.max_gap_ms == 0, "no reading could satisfy it"),
            ("max_gap_s", hold.max_gap_ms > 60_000, "the record must show one reading a minute"),
            ("max_gap_foreign_s", hold.max_gap_foreign_ms < hold.max_gap_ms, "below max_gap_s"),
            ("begin_above_c", hold.begin_above < Kelvin::ZERO, "must not be negative"),
            ("target_c", self.cooling.target >= hold.floor, "must lie below the floor"),
            ("fail_min", self.heat_up.fail_ms < self.heat_up.note_ms, "must not be below note_min"),
            ("fail_min", self.cooling.fail_ms < self.cooling.note_ms, "must not be below note_min"),
            ("spread_max_c", self.probes.spread_max <= Kelvin::ZERO, "must be above zero"),
            ("equivalent_z_c", self.figures.equivalent_z <= Kelvin::ZERO, "must be above zero"),
            (
                "hold",
                self.interruption.hold == WhenInterrupted::Continue,
                "a hold that nobody watched is not unbroken: `restart` or `fail`",
            ),
            (
                "come_up",
                self.interruption.come_up == WhenInterrupted::Restart,
                "there is nothing to begin again: `continue` or `fail`",
            ),
            (
                "outage_max_min",
                self.interruption.outage_max_ms > 7_200_000,
                "must not be above 120",
            ),
            ("donors_min", self.pool.donors_min == 0, "a pool has at least one donor"),
            ("donors_max", self.pool.donors_max < self.pool.donors_min, "is below donors_min"),
        ];
        let own = rules.into_iter().find(|(_, broken, _)| *broken);
        own.map(|(key, _, rule)| (key, rule))
            .or_else(|| self.plausibility.fault())
            .map(|(key, rule)| (key, rule.to_owned()))
    }
}

#[cfg(test)]
mod tests;
