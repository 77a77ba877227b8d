//! What a person sees of a running batch: made by the loop once per period, shown by the screen
//! or as plain lines. Nothing is decided from it.

use holder_hal::{Celsius, Command, MILK_PROBES_MAX, Quality, Tick};

use crate::batch::alarm::Standing;
use crate::batch::event::Entry;
use crate::batch::params::Purpose;
use crate::batch::phase::PhaseName;

/// One temperature as it is shown: corrected, with what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Corrected value; `None` when no number came.
    pub value: Option<Celsius>,
    /// How far it can be trusted.
    pub quality: Quality,
}

/// The state of a batch after one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Code of the batch.
    pub batch: String,
    /// Name of the unit.
    pub unit: String,
    /// Name of the recipe.
    pub recipe: String,
    /// Whether milk is in the bottles, or water.
    pub purpose: Purpose,
    /// Whether the machine is not real.
    pub simulated: bool,
    /// The batch's own time.
    pub at: Tick,
    /// Wall-clock time, milliseconds since 1970 UTC.
    pub utc_ms: i64,
    /// The phase, and since when.
    pub phase: PhaseName,
    /// When the phase was entered.
    pub phase_since: Tick,
    /// How long the unbroken hold has lasted, milliseconds.
    pub held_ms: Option<u64>,
    /// How long a hold must last, milliseconds.
    pub hold_ms: u64,
    /// How often a hold was broken.
    pub holds_broken: u32,
    /// The floor of the recipe.
    pub floor: Celsius,
    /// The limit by which the coldest probe is judged.
    pub limit: Celsius,
    /// The lowest ceiling line.
    pub ceiling: Celsius,
    /// The bottles are cooled to this.
    pub cooling_target: Celsius,
    /// The bath.
    pub bath: Shown,
    /// The milk probes.
    pub milk: [Option<Shown>; MILK_PROBES_MAX],
    /// The reference probe.
    pub reference: Option<Shown>,
    /// Whether the lid is closed, if it is known.
    pub lid_closed: Option<bool>,
    /// What the machine was told.
    pub command: Command,
    /// Whether the machine has confirmed that it follows; if not, what it does is not known.
    pub confirmed: bool,
    /// Alarms that stand.
    pub alarms: Vec<Standing>,
    /// New entries of this period; after an interruption all that were before, too.
    pub news: Vec<Entry>,
    /// Whether heat waits for a person to confirm it, after an interruption.
    pub heat_waits: bool,
    /// Something to tell the person once: a refusal, a command that did not arrive.
    pub message: Option<String>,
}
