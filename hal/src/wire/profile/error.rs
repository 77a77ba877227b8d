//! Why a profile was refused.

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
