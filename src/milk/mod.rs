//! Who gave the milk and what may be mixed: donors, deposits, pools. Pure rules: no I/O, no
//! clock; *today* is an argument, in the station's time zone.
//!
//! **Terms.** A *donor* is known by a code and nothing else: no name, no date of birth. A
//! *deposit* is one delivery of one donor. A *pool* is deposits mixed in one vessel; it may give
//! several batches. Volumes are integer microlitres; days are [`jiff::civil::Date`].
//!
//! The later chain (batch → bottle → dispatch → recipient, and the ledger of every ounce) hangs
//! on the same codes.

pub mod deposit;
pub mod donor;
pub mod pool;
mod refusal;

pub use deposit::Deposit;
pub use donor::{Donor, Status};
pub use pool::{Pool, PoolFacts, Share};
pub use refusal::{Kind, Refusal};

/// Checks that `code` can stand on a label and in a file name.
///
/// # Errors
/// [`Refusal::Code`] unless it is 1 to 32 of the letters A–Z and a–z, digits, `-`, `_`, `.`, with
/// a letter or digit first.
pub fn check_code(kind: Kind, code: &str) -> Result<(), Refusal> {
    let first = code.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = code.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if first && rest && code.len() <= 32 {
        Ok(())
    } else {
        Err(Refusal::Code { kind, code: code.chars().take(40).collect() })
    }
}

/// Volume in millilitres for people, from microlitres: `1560` or `0.250`.
pub fn ml(volume_ul: i64) -> String {
    let sign = if volume_ul < 0 { "-" } else { "" };
    let (whole, rest) = (volume_ul.unsigned_abs() / 1000, volume_ul.unsigned_abs() % 1000);
    if rest == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:03}") }
}

/// Days as `YYYY-MM-DD` in the journal.
mod day {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(day: &Date, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_can_stand_on_a_label() {
        for good in ["D-0001", "2026.07_a", "x"] {
            assert_eq!(check_code(Kind::Donor, good), Ok(()));
        }
        for bad in ["", " ", "-x", "a b", "../x", "é", "x\n", &"x".repeat(33)] {
            let refusal = check_code(Kind::Donor, bad).expect_err(bad);
            assert!(refusal.to_string().contains("donor code"), "{refusal}");
        }
    }

    #[test]
    fn millilitres_show_every_microlitre() {
        assert_eq!(ml(130_000), "130");
        assert_eq!(ml(130_250), "130.250");
        assert_eq!(ml(1), "0.001");
        assert_eq!((ml(-250), ml(-130_250)), ("-0.250".to_owned(), "-130.250".to_owned()));
    }
}
