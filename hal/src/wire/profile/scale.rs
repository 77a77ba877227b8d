//! A scale that stands in the device: a register that says how many decimals its numbers have.
//!
//! Such a point means nothing until that register was read. What it says is never guessed, and a
//! device that is set too coarse is refused by name.

use thiserror::Error;

use super::Point;

/// The most decimals that a register of 16 bits leaves room for.
const DECIMALS_MAX: i64 = 4;
/// Billionths in one.
const ONE_NANO: i64 = 1_000_000_000;
/// The coarsest step of a temperature, in billionths: 62.5 must be distinguishable.
pub(crate) const STEP_NANO_MAX: i64 = 100_000_000;

/// Why a number of decimals cannot serve.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScaleFault {
    /// It is no number of decimals.
    #[error(
        "{decimals} decimals are none that a register can have (0 to {DECIMALS_MAX}). Is the \
         profile the right one for this model?"
    )]
    Absurd {
        /// What the device says.
        decimals: i64,
    },
    /// One step would be coarser than 0.1 °C.
    #[error(
        "with {decimals} decimals one step of {point} is {step_milli} thousandths of a degree, \
         coarser than 0.1 °C: 62.5 could not be told from its neighbours. Set the device to one \
         decimal or more"
    )]
    Coarse {
        /// Name of the point.
        point: String,
        /// What the device says.
        decimals: i64,
        /// One step, in thousandths of the degree that the device speaks.
        step_milli: i64,
    },
}

impl Point {
    /// The point with the scale that belongs to `decimals`, as its register says.
    ///
    /// # Errors
    /// A number of decimals that cannot be, or is too coarse for a temperature.
    pub fn scaled(&self, decimals: i64) -> Result<Self, ScaleFault> {
        let exponent = u32::try_from(decimals).ok().filter(|_| decimals <= DECIMALS_MAX);
        let Some(scale_nano) = exponent.map(|exponent| ONE_NANO / 10_i64.pow(exponent)) else {
            return Err(ScaleFault::Absurd { decimals });
        };
        if self.unit.is_temperature() && scale_nano > STEP_NANO_MAX {
            let (point, step_milli) = (self.name.clone(), scale_nano / 1_000_000);
            return Err(ScaleFault::Coarse { point, decimals, step_milli });
        }
        Ok(Self { scale_nano, scale_from: None, ..self.clone() })
    }
}
