//! Parameters for tests: the strict recipe on a set-point machine with two milk probes.

use holder_hal::{Celsius, Kelvin};

use super::certificate::Certificate;
use super::params::{BatchParams, Cascade, Heater, MARGIN_UNKNOWN, Probe, Purpose};
use super::recipe::Recipe;
use crate::profiles;

/// A probe that reads true, with U = 0.1 °C and steps of 0.1 °C.
pub(crate) fn probe(source: &str) -> Probe {
    Probe {
        source: source.into(),
        resolution: Kelvin::from_milli(100),
        certificate: Certificate {
            number: format!("CAL-{source}"),
            date: "2026-06-01".into(),
            due: "2026-12-01".into(),
            by: "calibration laboratory".into(),
            reference: "SPRT 7".into(),
            uncertainty: Kelvin::from_milli(100),
            offsets: Vec::new(),
        },
    }
}

/// The shipped default recipe.
pub(crate) fn recipe() -> Recipe {
    let text = profiles::recipe(profiles::RECIPE_DEFAULT).expect("shipped");
    Recipe::parse("holder-hmbana", text).expect("valid")
}

/// A milk batch on a simulated unit; its limit is 62.8 °C, its target 63.05 °C.
pub(crate) fn params() -> BatchParams {
    BatchParams {
        purpose: Purpose::Milk,
        unit: "demo".into(),
        simulated: true,
        recipe: recipe(),
        period_ms: 1_000,
        milk: vec![probe("probes.ch1"), probe("probes.ch2")],
        bath: probe("bath.pv"),
        reference: None,
        has_lid: true,
        margin: MARGIN_UNKNOWN,
        margin_measured: false,
        heater: Heater::Setpoint,
        cascade: Cascade::UNKNOWN,
    }
}

/// A temperature in millidegrees.
pub(crate) const fn milli(value: i32) -> Celsius {
    Celsius::from_milli(value)
}
