//! What the judge reads: corrected, trusted values over time, wherever they come from.

use holder_hal::{Celsius, Kelvin, MILK_PROBES_MAX};

use super::phase::PhaseName;

/// One moment of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Milliseconds on the curve's own time.
    pub t_ms: u64,
    /// Corrected milk temperatures; `None` where there is no trustworthy value.
    pub milk: [Option<Celsius>; MILK_PROBES_MAX],
    /// Corrected bath temperature.
    pub bath: Option<Celsius>,
    /// Corrected temperature of the indicating probe.
    pub reference: Option<Celsius>,
    /// Lid switch: true is closed.
    pub lid: Option<bool>,
    /// The phase that the controller was in after this moment, if the curve tells.
    pub phase: Option<PhaseName>,
    /// Whether the controller wanted heat after this moment, if the curve tells.
    pub heats: Option<bool>,
}

/// The controller was gone, and came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// When the batch was continued, milliseconds on the curve's own time.
    pub at_ms: u64,
    /// How long the controller was said to have been gone, milliseconds; `None` where nobody
    /// knows.
    pub outage_ms: Option<u64>,
}

/// A curve with what is needed to judge it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve {
    /// Expanded uncertainty of each milk probe; its length is the number of required probes.
    pub milk_uncertainty: Vec<Kelvin>,
    /// Distance from the control bottle to the coldest bottle of the machine.
    pub margin: Kelvin,
    /// Whether the margin was measured on this machine (false: a default or a guess).
    pub margin_measured: bool,
    /// The longest time without a good reading that does not break a hold, milliseconds.
    pub max_gap_ms: u64,
    /// Half the resolution of the milk readings, for the comparison with the reference probe.
    pub half_resolution: Kelvin,
    /// When the bottles were loaded; `None` for a foreign curve, which starts at its first row.
    pub load_ms: Option<u64>,
    /// Whether there is an indicating probe, whatever it read.
    pub has_reference: bool,
    /// Whether there is a lid switch, whatever it said.
    pub has_lid: bool,
    /// Whether the curve comes from our own record (false: a foreign logger, judged as read).
    pub own_record: bool,
    /// How many bottles were told to be in, the control bottle not counted; `None` where the curve does
    /// not tell.
    pub bottles_in: Option<u16>,
    /// Every count of the bottles that came out, in order; the last one counts. A foreign curve has
    /// none.
    pub counts_out: Vec<u16>,
    /// What the live engine decided, if the curve tells: the judge disputes a difference.
    pub engine_accepts: Option<bool>,
    /// How many holds the live engine saw broken, if the curve tells: the judge disputes another
    /// number.
    pub engine_holds_broken: Option<u32>,
    /// The phase in which the record was closed, or is; `None` if the curve does not tell, and
    /// then the last row's phase stands.
    pub end_phase: Option<PhaseName>,
    /// Whether the end is missing: fewer rows than the file tells, or a torn last line.
    pub cut_off: bool,
    /// When the controller was gone, in order; a foreign logger has no controller.
    pub interruptions: Vec<Interruption>,
    /// The rows, in strictly rising time.
    pub rows: Vec<Row>,
}
