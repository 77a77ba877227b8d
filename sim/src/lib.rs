//! A Holder pasteurizer made of equations, and servers that speak its devices' protocols.
//!
//! - [`params`]: what one machine is made of, and the range of good machines.
//! - [`plant`]: the physics; what is true is kept apart from what the probes say.
//! - [`machine`]: one plant in the process, a command in and a reading out, without sockets.
//! - [`troubles`]: what goes wrong with the machine itself.
//! - [`faults`]: what goes wrong on the wire.
//! - [`hands`]: a technician at a simulator in another process.
//! - [`server`]: one plant on real sockets, as all the devices of a unit at once.

pub mod faults;
pub mod hands;
pub mod machine;
pub mod params;
mod pi;
pub mod plant;
mod probe;
pub mod server;
mod thermal;
pub mod troubles;

pub use faults::{Asking, FaultError, FaultKind, FaultSpec, Often};
pub use machine::SimMachine;
pub use params::{BottleParams, PlantParams, ProbeParams};
pub use plant::{BOTTLES_MAX, Part, Plant, Truth};
pub use server::{Pace, Place, Reached, SimError, SimOptions, SimServer, Start, Wiring};
pub use troubles::{HeaterState, ProbeSite, Troubles};

#[cfg(test)]
mod check_values;
