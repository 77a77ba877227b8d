//! Pools: which deposits may be mixed, and whether a pool may still be used.
//!
//! The same check runs when a pool is made and again at the start of each batch, since a donor
//! may have been deferred, or milk may have grown too old, in between.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Deposit, Donor, Refusal, Status, day};
use crate::batch::recipe::PoolRule;

/// A deposit with its donor, as they stand now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The deposit.
    pub deposit: Deposit,
    /// Its donor.
    pub donor: Donor,
}

/// A pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Its code.
    pub code: String,
    /// The day on which it was mixed.
    #[serde(with = "day")]
    pub made_on: Date,
    /// The last day of use, from the oldest milk in it.
    #[serde(with = "day")]
    pub expires_on: Date,
    /// Whole volume, microlitres.
    pub volume_ul: i64,
    /// Codes of the deposits, in the order in which they were named.
    pub deposits: Vec<String>,
}

/// What follows from the deposits of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolFacts {
    /// Whole volume, microlitres.
    pub volume_ul: i64,
    /// The last day of use, from the oldest milk in it.
    pub expires_on: Date,
}

/// The last day on which milk expressed on `expressed_on` may be used.
fn usable_until(deposit: &Deposit, rule: &PoolRule) -> Result<Date, Refusal> {
    let months = i32::try_from(rule.expression_months).ok().filter(|months| *months <= 1200);
    months.and_then(|months| deposit.expressed_on.checked_add(months.months()).ok()).ok_or_else(
        || Refusal::NoExpiry { deposit: deposit.code.clone(), months: rule.expression_months },
    )
}

/// Checks that the milk of one deposit may be given to a recipient, and says until when.
///
/// # Errors
/// The donor is not cleared, the milk may have been expressed outside of the clearance, or it
/// is too old. The day of receipt counts as the youngest milk in it, since only the oldest day
/// of expression is recorded.
pub fn check_share(share: &Share, rule: &PoolRule, today: Date) -> Result<Date, Refusal> {
    let (deposit, donor) = (share.deposit.code.clone(), share.donor.code.clone());
    let Deposit { expressed_on, received_on, .. } = share.deposit;
    match share.donor.status {
        Status::Screening => return Err(Refusal::NotCleared { deposit, donor }),
        Status::Deferred => return Err(Refusal::Deferred { deposit, donor }),
        Status::ResearchOnly => return Err(Refusal::ResearchOnly { deposit, donor }),
        Status::Cleared { until } if expressed_on > until || received_on > until => {
            return Err(Refusal::ClearanceEnded {
                deposit,
                donor,
                until,
                expressed_on,
                received_on,
            });
        }
        Status::Cleared { .. } => {}
    }
    let usable_until = usable_until(&share.deposit, rule)?;
    if today > usable_until {
        return Err(Refusal::Expired { deposit, expressed_on, usable_until });
    }
    Ok(usable_until)
}

/// Checks that `shares` may be mixed, or may still be used, and sums them up.
///
/// # Errors
/// The first deposit and rule that stand against it.
pub fn check_pool(
    pool: &str,
    shares: &[Share],
    rule: &PoolRule,
    today: Date,
) -> Result<PoolFacts, Refusal> {
    let mut seen = BTreeSet::new();
    let mut donors = BTreeSet::new();
    let mut volume_ul = 0_i64;
    let mut expires_on = Date::MAX;
    for share in shares {
        if !seen.insert(&share.deposit.code) {
            return Err(Refusal::Twice { deposit: share.deposit.code.clone() });
        }
        expires_on = expires_on.min(check_share(share, rule, today)?);
        donors.insert(&share.donor.code);
        volume_ul = volume_ul.saturating_add(share.deposit.volume_ul);
    }
    if shares.is_empty() {
        return Err(Refusal::Empty { pool: pool.to_owned() });
    }
    let (min, max) = (rule.donors_min, rule.donors_max);
    let count = u32::try_from(donors.len()).unwrap_or(u32::MAX);
    if !(min..=max).contains(&count) {
        let donors = if count == 1 { "1 donor".to_owned() } else { format!("{count} donors") };
        return Err(Refusal::Donors { pool: pool.to_owned(), donors, min, max });
    }
    Ok(PoolFacts { volume_ul, expires_on })
}

/// What a batch takes from its pool, microlitres.
///
/// # Errors
/// No bottles, no volume, or more than what is left.
pub fn check_draw(pool: &str, left_ul: i64, bottles: u16, bottle_ul: i64) -> Result<i64, Refusal> {
    if bottles == 0 || bottle_ul <= 0 {
        return Err(Refusal::NoBottles);
    }
    let needed_ul = bottle_ul.saturating_mul(i64::from(bottles));
    if needed_ul > left_ul {
        return Err(Refusal::TooLittle { pool: pool.to_owned(), left_ul, needed_ul });
    }
    Ok(needed_ul)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const RULE: PoolRule =
        PoolRule { donors_min: 3, donors_max: 5, expiry_months: 3, expression_months: 12 };
    const TODAY: Date = date(2026, 7, 1);

    fn share(number: u8, status: Status) -> Share {
        let donor = format!("D-{number}");
        Share {
            deposit: Deposit {
                code: format!("M-{number}"),
                donor: donor.clone(),
                volume_ul: 1_000_000 + i64::from(number),
                expressed_on: date(2026, 5, i8::try_from(number).expect("small")),
                received_on: date(2026, 6, 1),
            },
            donor: Donor { code: donor, status },
        }
    }

    fn cleared() -> Vec<Share> {
        let until = date(2026, 12, 31);
        (1..=3).map(|number| share(number, Status::Cleared { until })).collect()
    }

    fn refused(shares: &[Share]) -> Refusal {
        check_pool("P-1", shares, &RULE, TODAY).expect_err("refused")
    }

    /// REQ-VOL-01
    #[test]
    fn milk_of_three_cleared_donors_makes_a_pool_that_lasts_as_long_as_its_oldest_milk() {
        let facts = check_pool("P-1", &cleared(), &RULE, TODAY).expect("a pool");
        assert_eq!(facts.volume_ul, 3_000_006);
        assert_eq!(facts.expires_on, date(2027, 5, 1));
    }

    /// REQ-MILK-01
    #[test]
    fn milk_of_a_donor_who_is_not_cleared_names_the_container_and_the_rule() {
        let cases = [
            (Status::Screening, "screening of donor D-2 is not complete"),
            (Status::Deferred, "donor D-2 is deferred"),
            (Status::ResearchOnly, "for research only"),
        ];
        for (status, rule) in cases {
            let mut shares = cleared();
            shares[1].donor.status = status;
            let text = refused(&shares).to_string();
            assert!(text.contains("deposit M-2") && text.contains(rule), "{text}");
        }
    }

    #[test]
    fn milk_that_may_have_been_expressed_after_the_clearance_is_refused() {
        let mut shares = cleared();
        shares[0].donor.status = Status::Cleared { until: date(2026, 6, 1) };
        assert!(check_pool("P-1", &shares, &RULE, TODAY).is_ok(), "the last day counts");
        for until in [date(2026, 4, 30), date(2026, 5, 1), date(2026, 5, 31)] {
            shares[0].donor.status = Status::Cleared { until };
            assert!(matches!(refused(&shares), Refusal::ClearanceEnded { .. }));
        }
    }

    /// REQ-MILK-03
    #[test]
    fn milk_expires_twelve_months_after_its_oldest_expression() {
        let mut shares = cleared();
        shares[2].deposit.expressed_on = date(2025, 7, 1);
        assert!(check_pool("P-1", &shares, &RULE, TODAY).is_ok(), "the last day counts");
        shares[2].deposit.expressed_on = date(2025, 6, 30);
        assert!(matches!(refused(&shares), Refusal::Expired { .. }));
    }

    /// REQ-MILK-03
    #[test]
    fn a_pool_has_the_recipes_number_of_donors_each_counted_once() {
        let two = &cleared()[..2];
        assert!(matches!(refused(two), Refusal::Donors { .. }));
        let mut same = cleared();
        same[2].donor.code = "D-1".to_owned();
        assert!(refused(&same).to_string().contains("2 donors"));
        let until = date(2026, 12, 31);
        let six: Vec<_> = (1..=6).map(|n| share(n, Status::Cleared { until })).collect();
        assert!(refused(&six).to_string().contains("6 donors"));
        assert!(matches!(refused(&[]), Refusal::Empty { .. }));
    }

    #[test]
    fn a_deposit_goes_into_a_pool_once() {
        let mut shares = cleared();
        shares[2] = shares[0].clone();
        assert_eq!(refused(&shares), Refusal::Twice { deposit: "M-1".to_owned() });
    }

    #[test]
    fn a_recipe_with_absurd_months_gives_no_expiry_rather_than_a_panic() {
        let rule = PoolRule { expression_months: u32::MAX, ..RULE };
        let refusal = check_pool("P-1", &cleared(), &rule, TODAY).expect_err("refused");
        assert!(matches!(refusal, Refusal::NoExpiry { .. }));
    }

    /// REQ-VOL-03
    #[test]
    fn a_batch_draws_no_more_than_what_is_left() {
        assert_eq!(check_draw("P-1", 1_560_000, 12, 130_000), Ok(1_560_000));
        let short = check_draw("P-1", 1_559_999, 12, 130_000).expect_err("refused").to_string();
        assert!(short.contains("1559.999 ml left") && short.contains("1560 ml"), "{short}");
        for (bottles, bottle_ul) in [(0, 130_000), (1, 0), (1, -1)] {
            assert_eq!(check_draw("P-1", 1, bottles, bottle_ul), Err(Refusal::NoBottles));
        }
        let absurd = check_draw("P-1", 1_000, u16::MAX, i64::MAX);
        assert!(matches!(absurd, Err(Refusal::TooLittle { .. })));
    }
}
