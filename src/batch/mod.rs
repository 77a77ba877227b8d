//! What a good batch is, how one is driven, and how one is judged.
//!
//! Everything in here is pure: no I/O, no clock, no async, no randomness. Time and readings
//! come in as arguments, decisions go out as values, so that the simulator, the tests, the
//! recovery and the real loop all call the same functions.
//!
//! | file | decides |
//! |---|---|
//! | [`recipe`] | what a good batch is: the rules as data |
//! | [`plausibility`] | what a probe in milk can show, as data of the recipe |
//! | [`certificate`] | what a raw reading means |
//! | [`params`] | what was frozen when the batch began |
//! | [`engine`] | the phases, live: facts first, safety second, phase logic last |
//! | `control` | how much heat is wanted |
//! | [`alarm`] | the alarms: numbers, words, what each does |
//! | `interlock` | when heat is forbidden, whatever is wanted |
//! | `plausible` | what the readings cannot be, by physics |
//! | `newcomer` | whether what may have come in under an open lid is warm |
//! | `board` | which alarms stand: latching, acknowledging, first causes |
//! | [`curve`] | what the judge reads: corrected, trusted values over time |
//! | [`judge`] | the verdict, again, by separate code |
//! | [`lethality`] | what the heat did, by Bigelow |
//! | [`verdict`] | the words of a verdict |
//! | [`words`] | entries as sentences, the same on screen and on paper |

pub mod alarm;
mod board;
pub mod certificate;
mod control;
pub mod curve;
pub mod engine;
pub mod event;
mod facts;
#[cfg(test)]
pub(crate) mod fixture;
mod interlock;
pub mod judge;
pub mod lethality;
mod newcomer;
pub mod params;
pub mod phase;
pub mod plausibility;
mod plausible;
pub mod recipe;
pub mod verdict;
mod window;
pub mod words;
