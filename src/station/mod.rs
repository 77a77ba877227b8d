//! What keeps a unit alive: one loop per unit under a supervisor, with clock, locks, recovery.
//!
//! The way of one control period stands in `control_loop`: read → step → commit → permit →
//! command.

pub mod lock;
pub mod permit;
pub mod rehearsal;
pub mod screen;
pub mod view;
