//! Batch controller and record keeper for Holder pasteurizers in human milk banks.
//!
//! The way from the probe to the record: `station` (the loop) reads a machine through
//! `holder_hal`, steps [`batch`] (the rules), commits to `store` (the journal), and commands the
//! machine; `record` draws what QA reads from the store alone; `cli` is how people reach it; `soak`
//! tries to break all of it, from seeds.

pub mod batch;
pub mod cli;
pub mod invocation;
pub mod milk;
pub mod profiles;
pub mod qualify;
pub mod record;
pub(crate) mod soak;
pub mod software;
pub mod station;
pub mod store;
pub mod toml_file;
