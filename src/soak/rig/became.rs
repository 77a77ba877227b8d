//! What became of a fault, for whoever judges the run.

use holder_hal::Tick;

/// What became of a fault.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Became {
    /// When it began, if it did.
    pub(crate) began: Option<Tick>,
    /// How long after the loading it began, milliseconds; `None` before it.
    pub(crate) loaded_ms: Option<u64>,
    /// Whether the milk was being cooled by then, or a minute later.
    pub(crate) after_hold: bool,
    /// How far bath and control bottle were apart then, K; `None` without bottles.
    pub(crate) gap_k: Option<f64>,
    /// How far a probe that stood still was off when it moved again, K; `None` if it never did.
    pub(crate) back_k: Option<f64>,
    /// How long it had stood when the hold ended, or when it ended itself, milliseconds.
    pub(crate) stood_ms: u64,
    /// Whether it was over before the hold was.
    pub(crate) within_hold: bool,
    /// Whether a reading told that the lid was open while it stood.
    pub(crate) lid_told: bool,
    /// Whether the last count of the bottles that came out was no higher than what was told to be in.
    pub(crate) count_fits: bool,
}
