//! Device profiles, buses and protocols: the wires that fulfil the contract.
//!
//! - [`profile`]: what a device is, as TOML; registers to values and back.
//! - `spec`: a unit put together from devices by role.
//! - `bus`: one connection; `modbus`, `text`, `huber_pb`, `neslab_nc`: questions whose answers
//!   are checked; `ask`: what they have in common.
//! - `device`, `unit`: polling, and commands that are proved by reading back.
//! - `timer`: how old an answer is, and when a reading must be over.
//! - `report`: what a check of a unit says.
//! - [`probe`]: who answers on a bus, and what a register could mean.
//! - [`capture`]: what went over the wires, in a file, and back.

mod ask;
#[cfg(test)]
mod bench;
mod bus;
#[cfg(test)]
mod bus_tests;
pub mod capture;
#[cfg(test)]
mod command_tests;
mod device;
mod error;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod family_tests;
#[cfg(test)]
mod frames_tests;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod hex;
mod holder;
mod huber_pb;
mod line;
mod modbus;
#[cfg(test)]
mod modbus_tests;
mod neslab_nc;
mod polled;
mod port;
pub mod probe;
pub mod profile;
mod report;
mod schedule;
mod spec;
#[cfg(test)]
mod spec_tests;
mod text;
#[cfg(test)]
mod text_device_tests;
#[cfg(test)]
mod text_tests;
mod timer;
mod unit;
#[cfg(test)]
mod unit_tests;
mod url;

pub use error::{CallFault, Place, WireError};
pub use holder::Holder;
pub use modbus::SIMULATOR_MARKER;
pub use profile::{Profile, ProfileError};
pub use report::{CheckLine, Grade};
pub use schedule::Schedule;
pub use spec::{BusSpec, DeviceSpec, RoleSpec, SpecError, UnitSpec};
pub use unit::{DeviceTold, WiredUnit};
pub use url::{BusUrl, Flow, Framing, LineSettings, Parity, Port};
