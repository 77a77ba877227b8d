//! What QA reads: the chart, the printed record, the exports. Everything in here is built from
//! what the store gives back and from the judge's verdict, never from live state.
//!
//! | file | makes |
//! |---|---|
//! | [`chart`] | the curve as SVG or PNG |
//! | [`curve`] | what the judge reads of a record |
//! | [`curve_csv`] | the same as CSV, out and in, also from foreign loggers |
//! | `document` | the printed record, a PDF/A-2b, from a template that a bank can replace |
//! | [`judgement`] | which verdict a reader gets, and who decided it |
//! | [`json_read`] | the same back, for the judge |
//! | [`json`] | everything, for another program or another decade |
//!
//! **Time.** Durations come from the batch's monotonic ticks; wall-clock time is shown in the
//! station's zone, whose name and offset stand beside it.

pub mod chart;
pub mod curve;
pub mod curve_csv;
#[cfg(feature = "pdf")]
pub mod document;
#[cfg(test)]
pub(crate) mod fixture;
mod fonts;
pub mod json;
pub mod json_read;
pub mod judgement;
#[cfg(feature = "pdf")]
mod words;
pub(crate) mod zone;

/// Why a chart, document or export could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The embedded font cannot be read: the program file is damaged.
    #[error("the font inside the program cannot be read; install the program again")]
    Font,
    /// The chart could not be drawn.
    #[error("the chart of batch {batch} could not be drawn: {what}; please report this")]
    Chart {
        /// Code of the batch.
        batch: String,
        /// What the drawing library says.
        what: String,
    },
    /// The template of the printed record has an error.
    #[error("{file}:{line}:{column}: {what}; correct the template, or leave it out for ours")]
    Template {
        /// The template's file.
        file: String,
        /// Line of the error, from 1.
        line: usize,
        /// Column of the error in characters, from 1.
        column: usize,
        /// What the document engine says.
        what: String,
    },
    /// The document could not be made, for a reason without a place in the template.
    #[error("the record of batch {batch} could not be printed: {what}")]
    Document {
        /// Code of the batch.
        batch: String,
        /// What the document engine says.
        what: String,
    },
    /// The record cannot be written as JSON.
    #[error("the record of batch {batch} could not be exported: {why}")]
    Json {
        /// Code of the batch.
        batch: String,
        /// What the JSON library says. Not a `source`: the sentence has it.
        why: serde_json::Error,
    },
}
