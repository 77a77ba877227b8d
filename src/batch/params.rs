//! What was frozen when the batch began: the engine runs on it, and the judge judges by it,
//! whatever the files say later.

use std::ops::RangeInclusive;

use holder_hal::{Celsius, Kelvin, MILK_PROBES_MAX, PERIOD_MS_MAX, PERIOD_MS_MIN, Sample};
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::recipe::{Recipe, de};

/// What the batch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Donor milk; needs a pool.
    Milk,
    /// Commissioning or mapping with water; never releasable.
    Water,
}

impl Purpose {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Milk => "milk",
            Self::Water => "water",
        }
    }
}

/// A probe with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Where it is read: `device.point` of `station.toml`.
    pub source: String,
    /// The smallest step of its readings.
    #[serde(rename = "resolution_c", with = "de::kelvin")]
    pub resolution: Kelvin,
    /// Its certificate.
    pub certificate: Certificate,
}

impl Probe {
    /// The corrected temperature of a sample that can be trusted; `None` of any other.
    pub fn trusted(&self, sample: Sample) -> Option<Celsius> {
        sample.trusted().map(|raw| self.certificate.correct(raw))
    }
}

/// How the machine is heated, with what the controller must know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "mode")]
pub enum Heater {
    /// The machine holds its bath by itself; we give it set points.
    Setpoint,
    /// We give the heater's duty; the bath is held by our own inner loop (SIMC, PLANT).
    Power {
        /// Power of the heater, watts.
        power_w: u32,
        /// Heat capacity of bath and vessel, joules per kelvin.
        bath_j_per_k: u32,
        /// Dead time + heater lag + half the bath probe's lag, milliseconds.
        delay_ms: u32,
    },
}

/// Settings of the clamped cascade (PLANT, "The trap"): the first controller and the fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cascade {
    /// The milk is controlled to the limit plus this.
    #[serde(rename = "target_above_limit_c", with = "de::kelvin")]
    pub target_above_limit: Kelvin,
    /// Lowest bath set point.
    #[serde(rename = "bath_min_c", with = "de::celsius")]
    pub bath_min: Celsius,
    /// Highest bath set point: the clamp. The bath is preheated to it.
    #[serde(rename = "bath_max_c", with = "de::celsius")]
    pub bath_max: Celsius,
    /// Bath set point per kelvin that the milk lacks, in thousandths.
    pub gain_permille: u32,
    /// Integral time: the time constant of the bottle, milliseconds.
    #[serde(rename = "integral_s", with = "de::seconds")]
    pub integral_ms: u64,
}

impl Cascade {
    /// For a machine whose cold-bottle margin was not measured: 1.31 × the least possible time.
    pub const UNKNOWN: Self = Self {
        target_above_limit: Kelvin::from_milli(250),
        bath_min: Celsius::from_milli(62_000),
        bath_max: Celsius::from_milli(63_500),
        gain_permille: 1_500,
        integral_ms: 330_000,
    };

    /// For a machine whose margin was measured, with good probes: 1.26 × the least time.
    pub const KNOWN: Self = Self { target_above_limit: Kelvin::from_milli(300), ..Self::UNKNOWN };
}

/// The margin that is used until the machine's own is measured (PLANT).
pub const MARGIN_UNKNOWN: Kelvin = Kelvin::from_milli(200);

/// The control periods that the rules were made for, milliseconds.
pub const PERIOD_MS: RangeInclusive<u64> = PERIOD_MS_MIN..=PERIOD_MS_MAX;

/// Everything that was frozen at the start of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchParams {
    /// Milk or water.
    pub purpose: Purpose,
    /// The unit's name.
    pub unit: String,
    /// Whether the unit is marked as not real hardware.
    pub simulated: bool,
    /// The recipe.
    pub recipe: Recipe,
    /// Control period, milliseconds.
    pub period_ms: u64,
    /// Required milk probes, the coldest of which is judged; 1 to 8.
    pub milk: Vec<Probe>,
    /// The bath probe.
    pub bath: Probe,
    /// The independent indicating probe, in the bottle of milk probe 0.
    pub reference: Option<Probe>,
    /// Whether the unit has a lid switch.
    pub has_lid: bool,
    /// Distance from the control bottle to the coldest bottle.
    #[serde(rename = "margin_c", with = "de::kelvin")]
    pub margin: Kelvin,
    /// Whether the margin was measured on this machine (false: the safe default).
    pub margin_measured: bool,
    /// How it is heated.
    pub heater: Heater,
    /// Settings of the controller.
    pub cascade: Cascade,
}

/// Why a batch cannot begin with these parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsFault {
    /// No milk probe, or more than a unit can have.
    #[error("{0} milk probes: a unit needs 1 to {MILK_PROBES_MAX}; see the roles in station.toml")]
    MilkProbes(usize),
    /// A control period outside of what the rules were made for.
    #[error("a control period of {0} ms: it must lie between 200 and 2000 ms")]
    Period(u64),
    /// The probes cannot serve the margin (PLANT: target > clamp − 0.2 °C).
    #[error(
        "the milk would have to be held at {target} °C, but the bath may not pass {clamp} °C and \
         must stay 0.2 °C above: use probes with a smaller uncertainty, or measure the margin of \
         this machine"
    )]
    TargetAboveClamp {
        /// Where the milk would be held.
        target: Celsius,
        /// The highest bath set point.
        clamp: Celsius,
    },
    /// A certificate or a controller setting contradicts itself.
    #[error("{0}")]
    Contradiction(String),
}

impl BatchParams {
    /// The limit of one milk probe: floor + its expanded uncertainty + the machine's margin.
    pub fn limit(&self, probe: &Probe) -> Celsius {
        self.recipe.hold.floor + probe.certificate.uncertainty + self.margin
    }

    /// The highest limit of the required milk probes.
    pub fn limit_max(&self) -> Celsius {
        let limits = self.milk.iter().map(|probe| self.limit(probe));
        limits.max().unwrap_or(self.recipe.hold.floor + self.margin)
    }

    /// Where the milk is controlled to.
    pub fn target(&self) -> Celsius {
        self.limit_max() + self.cascade.target_above_limit
    }

    /// Above this bath temperature heat is cut (clamp + 1.0 °C, DESIGN).
    pub fn bath_trip(&self) -> Celsius {
        self.cascade.bath_max + Kelvin::from_milli(1_000)
    }

    /// Checks that a batch can begin with these parameters.
    ///
    /// # Errors
    /// The first rule that they break.
    pub fn check(&self) -> Result<(), ParamsFault> {
        if self.milk.is_empty() || self.milk.len() > MILK_PROBES_MAX {
            return Err(ParamsFault::MilkProbes(self.milk.len()));
        }
        if !PERIOD_MS.contains(&self.period_ms) {
            return Err(ParamsFault::Period(self.period_ms));
        }
        let probes = self.milk.iter().chain([&self.bath]).chain(&self.reference);
        if let Some(fault) = probes.filter_map(|probe| probe.certificate.fault()).next() {
            return Err(ParamsFault::Contradiction(fault));
        }
        let probes = self.milk.iter().chain([&self.bath]).chain(&self.reference);
        for probe in probes {
            let (u, step) = (probe.certificate.uncertainty, probe.resolution);
            if u.milli().saturating_mul(2) < step.milli() {
                return Err(ParamsFault::Contradiction(format!(
                    "{}: uncertainty_c = {u} is less than half a step of its readings ({step} °C), \
                     which it must include; see its certificate",
                    probe.source
                )));
            }
        }
        if self.margin < Kelvin::ZERO {
            return Err(ParamsFault::Contradiction(format!(
                "margin_c = {} is below 0",
                self.margin
            )));
        }
        if self.cascade.integral_ms == 0 || self.cascade.bath_min > self.cascade.bath_max {
            let fault = "cascade: integral_s must be above 0 and bath_min_c not above bath_max_c";
            return Err(ParamsFault::Contradiction(fault.to_owned()));
        }
        if self.bath_trip() > self.recipe.ceiling.fail {
            return Err(ParamsFault::Contradiction(format!(
                "cascade: bath_max_c = {} + 1.0 °C, where heat is cut, must not be above the \
                 recipe's ceiling.fail_c = {}",
                self.cascade.bath_max, self.recipe.ceiling.fail
            )));
        }
        let (target, clamp) = (self.target(), self.cascade.bath_max);
        if target > clamp - Kelvin::from_milli(200) {
            return Err(ParamsFault::TargetAboveClamp { target, clamp });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
