//! What is remembered: one SQLite file per station, with the journal as the truth.

pub mod model;
