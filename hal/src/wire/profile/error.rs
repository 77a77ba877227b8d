//! Why a profile was refused, and why a value does not go into a point.

use thiserror::Error;

/// One rule that a profile breaks: where, what was written there, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}: {key}{}: {rule}", if .value.is_empty() { String::new() } else { format!(" = {}", .value) })]
#[non_exhaustive]
pub struct ProfileError {
    /// The file as it was named to the parser.
    pub file: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Full key, such as `point.pv.scale`.
    pub key: String,
    /// What the file says there, as written; empty when the key is missing.
    pub value: String,
    /// The rule that is broken, with what to write instead.
    pub rule: String,
}

/// A value that a point cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The value is of another kind than the point.
    #[error("{point} takes a {unit}, not {value}")]
    Kind {
        /// Name of the point.
        point: String,
        /// Word of its unit.
        unit: &'static str,
        /// What was to be written.
        value: String,
    },
    /// Its scale stands in the device, and was not read.
    #[error(
        "{value} was not turned into a number for {point}: how many decimals it has stands in \
         {scale_from}, which was not read"
    )]
    Scale {
        /// Name of the point.
        point: String,
        /// Name of the point that says how many decimals it has.
        scale_from: String,
        /// What was to be written.
        value: String,
    },
    /// The value does not fit into the point.
    #[error("{value} does not fit into the {data_type} of {point}")]
    Size {
        /// Name of the point.
        point: String,
        /// Word of its data type.
        data_type: &'static str,
        /// What was to be written.
        value: String,
    },
}
