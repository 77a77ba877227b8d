//! What keeps a unit alive: one loop per unit under a supervisor, with clock, locks, recovery.
//!
//! The way of one control period stands in `control_loop`: read → step → commit → permit →
//! command.

pub mod changes;
pub mod clock;
pub(crate) mod closing;
pub mod commission;
pub mod conduct;
pub mod config;
pub mod control_loop;
#[cfg(test)]
mod fixture;
mod heard;
pub(crate) mod in_time;
mod insisting;
pub mod lock;
pub mod off;
mod opening;
pub mod permit;
pub mod ports;
mod reach;
pub mod recorder;
pub mod recovery;
pub mod rehearsal;
pub mod resume;
pub mod screen;
mod soundness;
pub mod supervisor;
pub mod technician;
pub mod view;
