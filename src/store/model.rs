//! What the store gives back: one batch with everything that a judge or a reader needs.

use holder_hal::{Command, Reading, Tick};
use serde::{Deserialize, Serialize};

use crate::batch::event::{Action, Entry};
use crate::batch::params::{BatchParams, Purpose};
use crate::batch::phase::PhaseName;

/// How the record of a batch was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closing {
    /// The engine came to its end: finished or aborted.
    Ended,
    /// It was interrupted before its end, and closed then or later: a person left or gave it up, or the
    /// program ended.
    Interrupted,
}

/// The first page of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchHeader {
    /// Its code: `B-2026-0001`.
    pub code: String,
    /// The unit's name.
    pub unit: String,
    /// Milk or water.
    pub purpose: Purpose,
    /// Whether anything in it came from a machine that is not real.
    pub simulated: bool,
    /// The recipe's name.
    pub recipe: String,
    /// The pool's code; a water batch has none.
    pub pool: Option<String>,
    /// Bottles told at the start, the control bottle not counted.
    pub bottles: u16,
    /// In each bottle as told at the start, microlitres; 0 where it is not known: older water batches.
    pub bottle_ul: i64,
    /// Who started it.
    pub operator: String,
    /// Wall-clock time of tick 0, milliseconds since 1970 UTC.
    pub started_utc_ms: i64,
    /// Wall-clock time of the closing; `None` while it runs.
    pub closed_utc_ms: Option<i64>,
    /// How it was closed; `None` while it runs.
    pub closing: Option<Closing>,
    /// The phase it is in, or was closed in.
    pub phase: PhaseName,
    /// What the live engine decided; `None` while it runs or if it never could.
    pub engine_accepts: Option<bool>,
}

/// The full text of something that decides a verdict, frozen at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrozenText {
    /// What it is: `recipe`, `unit`, `profile`, `certificate`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// SHA-256 of the text, hexadecimal.
    pub sha256: String,
    /// The text.
    pub text: String,
}

/// One control period as it was stored: the input, and the command that answered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// When, on the batch's own monotonic time.
    pub at: Tick,
    /// The reading, raw.
    pub reading: Reading,
    /// The command that the engine wanted after it. Where heat was withheld from it, a remark says so.
    pub command: Command,
    /// The phase after it.
    pub phase: PhaseName,
}

/// An entry of the engine, with who and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StampedEntry {
    /// Its number in the journal.
    pub seq: i64,
    /// Wall-clock time, milliseconds since 1970 UTC.
    pub utc_ms: i64,
    /// On whose behalf.
    pub who: String,
    /// The entry.
    pub entry: Entry,
}

/// An action of a person, with who and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StampedAction {
    /// When, on the batch's own monotonic time, milliseconds.
    pub tick_ms: u64,
    /// Wall-clock time, milliseconds since 1970 UTC.
    pub utc_ms: i64,
    /// Who.
    pub who: String,
    /// What.
    pub action: Action,
}

/// What the station's loop has to say beside the engine: heat that was withheld because the
/// record was behind, a command that did not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Its number in the journal.
    pub seq: i64,
    /// When, on the batch's own monotonic time, milliseconds.
    pub tick_ms: u64,
    /// Wall-clock time, milliseconds since 1970 UTC.
    pub utc_ms: i64,
    /// A sentence.
    pub text: String,
}

/// One deposit in a pool, by codes: no names on a batch record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolShare {
    /// Code of the deposit.
    pub deposit: String,
    /// Code of its donor.
    pub donor: String,
    /// Volume, microlitres.
    pub volume_ul: i64,
    /// Oldest day of expression, `YYYY-MM-DD`.
    pub expressed_on: String,
}

/// The pool of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolRecord {
    /// Its code.
    pub code: String,
    /// Whole volume, microlitres.
    pub volume_ul: i64,
    /// What is in it.
    pub shares: Vec<PoolShare>,
}

/// One batch with everything that a judge or a reader needs, from the store alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRecord {
    /// The first page.
    pub header: BatchHeader,
    /// The station's name.
    pub station: String,
    /// The station's time zone, IANA name.
    pub time_zone: String,
    /// What was frozen at the start.
    pub params: BatchParams,
    /// The texts that were frozen with it.
    pub texts: Vec<FrozenText>,
    /// Every stored period, in order.
    pub periods: Vec<Period>,
    /// The engine's entries, in order.
    pub entries: Vec<StampedEntry>,
    /// The actions of people, in order.
    pub actions: Vec<StampedAction>,
    /// What the loop had to say, in order.
    pub remarks: Vec<Remark>,
    /// The pool; a water batch has none.
    pub pool: Option<PoolRecord>,
    /// Number of the newest journal entry when this was read.
    pub head_seq: i64,
    /// Hash of the newest journal entry when this was read, hexadecimal.
    pub head_hash: String,
}
