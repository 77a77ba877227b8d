//! Which program this is. It stands in the record of every batch that the program makes: whoever
//! reads a verdict years later must know whose rules it came from.

use serde::{Deserialize, Serialize};

/// The commit that this program was built from, if the builder named it (`HOLDER_COMMIT`).
pub const COMMIT: Option<&str> = match option_env!("HOLDER_COMMIT") {
    Some(commit) if !commit.is_empty() => Some(commit),
    Some(_) | None => None,
};

/// One build of this program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// Its version: `0.1.0`.
    pub version: String,
    /// The commit it was built from; `None` if its builder did not name it.
    pub commit: Option<String>,
}

impl Software {
    /// This program.
    pub fn this() -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { version, commit: COMMIT.map(str::to_owned) }
    }

    /// Whether both are the same program; `None` where it cannot be told, because between two
    /// releases a version alone says nothing.
    pub fn is(&self, other: &Self) -> Option<bool> {
        if self.version != other.version {
            return Some(false);
        }
        Some(self.commit.as_ref()? == other.commit.as_ref()?)
    }
}

impl std::fmt::Display for Software {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let commit = self.commit.as_deref().unwrap_or("unknown");
        write!(f, "holder {} (commit {commit})", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(version: &str, commit: Option<&str>) -> Software {
        Software { version: version.to_owned(), commit: commit.map(str::to_owned) }
    }

    #[test]
    fn a_version_without_its_commit_is_not_taken_for_the_same_program() {
        let known = built("0.1.0", Some("abc"));
        assert_eq!(known.is(&known), Some(true));
        assert_eq!(known.is(&built("0.1.0", Some("abd"))), Some(false));
        assert_eq!(known.is(&built("0.2.0", Some("abc"))), Some(false));
        let unnamed = built("0.1.0", None);
        for (one, other) in [(&known, &unnamed), (&unnamed, &known), (&unnamed, &unnamed)] {
            assert_eq!(one.is(other), None);
        }
        assert_eq!(unnamed.is(&built("0.2.0", None)), Some(false));
    }

    #[test]
    fn a_program_is_named_by_version_and_commit() {
        assert_eq!(built("0.1.0", Some("abc")).to_string(), "holder 0.1.0 (commit abc)");
        assert_eq!(built("0.1.0", None).to_string(), "holder 0.1.0 (commit unknown)");
    }
}
