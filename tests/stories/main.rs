//! Stories: the binary is run as a user runs it. One module per thing that a user does; one test
//! binary, so that it links once.

#![allow(clippy::expect_used, clippy::panic, reason = "a story that cannot go on has failed")]

mod at_once;
mod backups;
mod bad_devices;
mod bad_files;
mod batches;
mod commissioning;
mod crashes;
mod damage;
mod databases;
mod donors_and_pools;
mod foreign_curves;
mod fuzz_corpus;
mod help;
mod interruptions;
mod new_station;
mod other_programs;
mod probing;
mod qualification;
mod rig;
mod simulator;
mod slips;
mod small_disks;
mod soak;
mod switched_off;
mod technician;
mod unclosed;
#[cfg(unix)]
mod unplugged;
