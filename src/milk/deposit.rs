//! Deposits: one delivery of one donor.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Kind, Refusal, check_code, day};

/// No delivery is larger: 1000 litres, in microlitres. Bounds every sum of volumes.
pub const VOLUME_UL_MAX: i64 = 1_000_000_000;

/// One delivery of one donor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// Its code.
    pub code: String,
    /// Code of its donor.
    pub donor: String,
    /// Volume, microlitres.
    pub volume_ul: i64,
    /// The oldest day of expression in it.
    #[serde(with = "day")]
    pub expressed_on: Date,
    /// The day on which it arrived.
    #[serde(with = "day")]
    pub received_on: Date,
}

impl Deposit {
    /// Checks what can be known when it arrives. Milk of any donor is received, since every
    /// drop is accounted for; whether it may be used is asked when it is pooled.
    ///
    /// # Errors
    /// A code that is none, a volume out of range, days that contradict each other or today.
    pub fn check(&self, today: Date) -> Result<(), Refusal> {
        check_code(Kind::Deposit, &self.code)?;
        let deposit = self.code.clone();
        if !(1..=VOLUME_UL_MAX).contains(&self.volume_ul) {
            return Err(Refusal::Volume { deposit, volume_ul: self.volume_ul });
        }
        let (expressed_on, received_on) = (self.expressed_on, self.received_on);
        if received_on < expressed_on {
            return Err(Refusal::ReceivedBeforeExpressed { deposit, expressed_on, received_on });
        }
        if received_on > today {
            return Err(Refusal::ReceivedInFuture { deposit, received_on, today });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn deposit() -> Deposit {
        Deposit {
            code: "M-1".to_owned(),
            donor: "D-1".to_owned(),
            volume_ul: 900_000,
            expressed_on: date(2026, 5, 1),
            received_on: date(2026, 6, 1),
        }
    }

    #[test]
    fn a_deposit_is_received_with_a_volume_and_days_that_agree() {
        let today = date(2026, 6, 1);
        assert_eq!(deposit().check(today), Ok(()));
        for volume_ul in [0, -1, VOLUME_UL_MAX + 1, i64::MIN, i64::MAX] {
            let refusal = Deposit { volume_ul, ..deposit() }.check(today).expect_err("refused");
            assert!(matches!(refusal, Refusal::Volume { .. }), "{refusal}");
            assert!(refusal.to_string().contains("M-1"), "{refusal}");
        }
        let late = Deposit { expressed_on: date(2026, 6, 2), ..deposit() };
        assert!(matches!(late.check(today), Err(Refusal::ReceivedBeforeExpressed { .. })));
        let early = deposit().check(date(2026, 5, 31));
        assert!(matches!(early, Err(Refusal::ReceivedInFuture { .. })));
        let nameless = Deposit { code: String::new(), ..deposit() };
        assert!(matches!(nameless.check(today), Err(Refusal::Code { .. })));
    }
}
