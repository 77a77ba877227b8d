//! Donors, known by a code only, and whether their milk may reach a baby.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::day;

/// Where a donor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum Status {
    /// The screening is not complete.
    Screening,
    /// Screened; milk expressed up to and including a day may be used.
    Cleared {
        /// The last day of the clearance.
        #[serde(rename = "cleared_until", with = "day")]
        until: Date,
    },
    /// Milk of this donor is on hold.
    Deferred,
    /// Gives milk for research only.
    ResearchOnly,
}

impl Status {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Screening => "screening",
            Self::Cleared { .. } => "cleared",
            Self::Deferred => "deferred",
            Self::ResearchOnly => "research-only",
        }
    }

    /// The last day of the clearance, if there is one.
    pub const fn cleared_until(self) -> Option<Date> {
        match self {
            Self::Cleared { until } => Some(until),
            Self::Screening | Self::Deferred | Self::ResearchOnly => None,
        }
    }

    /// The status with this stable word and, for `cleared` only, the last day of the clearance.
    pub fn from_parts(word: &str, cleared_until: Option<Date>) -> Option<Self> {
        match (word, cleared_until) {
            ("screening", None) => Some(Self::Screening),
            ("cleared", Some(until)) => Some(Self::Cleared { until }),
            ("deferred", None) => Some(Self::Deferred),
            ("research-only", None) => Some(Self::ResearchOnly),
            _ => None,
        }
    }
}

/// A donor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Donor {
    /// The code.
    pub code: String,
    /// Where the donor stands.
    #[serde(flatten)]
    pub status: Status,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_survives_its_parts_and_its_journal_form() {
        let until = jiff::civil::date(2026, 12, 31);
        let all =
            [Status::Screening, Status::Cleared { until }, Status::Deferred, Status::ResearchOnly];
        for status in all {
            let parts = Status::from_parts(status.word(), status.cleared_until());
            assert_eq!(parts, Some(status));
            let donor = Donor { code: "D-1".to_owned(), status };
            let json = serde_json::to_string(&donor).expect("serializes");
            assert_eq!(serde_json::from_str::<Donor>(&json).expect("reads"), donor);
        }
        assert_eq!(Status::from_parts("cleared", None), None);
        assert_eq!(Status::from_parts("deferred", Some(until)), None);
        assert_eq!(Status::from_parts("fine", None), None);
    }
}
