//! The contract with a pasteurizer, and the wires that fulfil it.
//!
//! - [`units`]: `Celsius`, `Kelvin`, `Tick`, `Duty`; integer quantities with private fields.
//! - [`contract`]: `Reading` in, `Command` out; what the rules know of any machine.
//! - `wire` (feature): device profiles, buses and protocols, which bring tokio.

pub mod contract;
pub mod units;
#[cfg(feature = "wire")]
pub mod wire;

pub use contract::{
    Command, Heat, MILK_PROBES_MAX, Machine, PERIOD_MS_MAX, PERIOD_MS_MIN, Quality, Reading, Role,
    Sample, Switch,
};
pub use units::{Celsius, Duty, Kelvin, Tick};
