//! Why milk was not accepted where it was meant to go: the container, the rule, what to do.

use jiff::civil::Date;

use super::ml;
use crate::invocation;

/// What a code names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A donor.
    Donor,
    /// A deposit.
    Deposit,
    /// A pool.
    Pool,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Donor => "donor",
            Self::Deposit => "deposit",
            Self::Pool => "pool",
        })
    }
}

/// Why milk was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A code that cannot stand on a label.
    #[error(
        "`{code}` cannot be a {kind} code: use 1 to 32 letters, digits, `-`, `_` or `.`, beginning \
         with a letter or digit"
    )]
    Code {
        /// What it was to name.
        kind: Kind,
        /// The code.
        code: String,
    },
    /// The code names something already.
    #[error("{kind} {code} is recorded already; check the label, or use another code")]
    Taken {
        /// What.
        kind: Kind,
        /// The code.
        code: String,
    },
    /// Nothing has this code.
    #[error(
        "no {kind} {code} is recorded; check the label, or see `{list}`",
        list = invocation::command(format_args!("{kind} list"))
    )]
    Unknown {
        /// What.
        kind: Kind,
        /// The code.
        code: String,
    },
    /// No volume, or one that no delivery has.
    #[error(
        "deposit {deposit} cannot have a volume of {} ml: measure it; it lies above 0 and up to \
         1000 litres", ml(*.volume_ul)
    )]
    Volume {
        /// The deposit.
        deposit: String,
        /// The volume, microlitres.
        volume_ul: i64,
    },
    /// Received before it was expressed.
    #[error(
        "deposit {deposit}: expressed on {expressed_on}, but received on {received_on} before it; check both days"
    )]
    ReceivedBeforeExpressed {
        /// The deposit.
        deposit: String,
        /// Oldest day of expression.
        expressed_on: Date,
        /// Day of receipt.
        received_on: Date,
    },
    /// Received in the future.
    #[error("deposit {deposit}: received on {received_on}, but today is {today}; check the day")]
    ReceivedInFuture {
        /// The deposit.
        deposit: String,
        /// Day of receipt.
        received_on: Date,
        /// Today in the station's zone.
        today: Date,
    },
    /// A pool of nothing.
    #[error("pool {pool} names no deposit; name those that are mixed in it")]
    Empty {
        /// The pool.
        pool: String,
    },
    /// A deposit named twice.
    #[error("deposit {deposit} is named twice; name it once")]
    Twice {
        /// The deposit.
        deposit: String,
    },
    /// The deposit is in a pool.
    #[error("deposit {deposit} is in pool {pool} already; each deposit goes into one pool")]
    Pooled {
        /// The deposit.
        deposit: String,
        /// Where it is.
        pool: String,
    },
    /// The donor's screening is not complete.
    #[error(
        "deposit {deposit} cannot be used yet: the screening of donor {donor} is not complete; \
         keep it in quarantine until the donor is cleared"
    )]
    NotCleared {
        /// The deposit.
        deposit: String,
        /// Its donor.
        donor: String,
    },
    /// The milk may have been expressed after the clearance ended.
    #[error(
        "deposit {deposit} cannot be used: it was expressed from {expressed_on} and received on \
         {received_on}, and the clearance of donor {donor} ended on {until}; keep it in quarantine \
         until the screening is renewed"
    )]
    ClearanceEnded {
        /// The deposit.
        deposit: String,
        /// Its donor.
        donor: String,
        /// Last day of the clearance.
        until: Date,
        /// Oldest day of expression.
        expressed_on: Date,
        /// Day of receipt: no milk in it is younger.
        received_on: Date,
    },
    /// The donor is deferred.
    #[error(
        "deposit {deposit} cannot be used: donor {donor} is deferred; keep the milk on hold until \
         QA has decided"
    )]
    Deferred {
        /// The deposit.
        deposit: String,
        /// Its donor.
        donor: String,
    },
    /// Given for research.
    #[error(
        "deposit {deposit} cannot be used: donor {donor} gave it for research only; keep it with \
         the research milk"
    )]
    ResearchOnly {
        /// The deposit.
        deposit: String,
        /// Its donor.
        donor: String,
    },
    /// Too old.
    #[error(
        "deposit {deposit} cannot be used: its oldest milk was expressed on {expressed_on} and \
         could be used until {usable_until}; set it aside for research or discard it"
    )]
    Expired {
        /// The deposit.
        deposit: String,
        /// Oldest day of expression.
        expressed_on: Date,
        /// Last day of use.
        usable_until: Date,
    },
    /// The recipe's months lead out of the calendar.
    #[error(
        "deposit {deposit}: no day of expiry with expression_months = {months}; check the recipe"
    )]
    NoExpiry {
        /// The deposit.
        deposit: String,
        /// The recipe's months after expression.
        months: u32,
    },
    /// Too few or too many donors.
    #[error(
        "pool {pool} has milk of {donors}, but the recipe asks for {min} to {max}; change the deposits"
    )]
    Donors {
        /// The pool.
        pool: String,
        /// How many donors, in words: `1 donor`.
        donors: String,
        /// Fewest.
        min: u32,
        /// Most.
        max: u32,
    },
    /// A batch of milk without a pool.
    #[error("a milk batch needs a pool: name it, or run water")]
    PoolNeeded,
    /// A batch of water with a pool.
    #[error("a water batch takes no milk: leave pool {pool} out, or run milk")]
    PoolNotWanted {
        /// The pool.
        pool: String,
    },
    /// A batch of nothing.
    #[error("a milk batch needs at least one bottle with a volume; count and measure them")]
    NoBottles,
    /// More than what is left of the pool.
    #[error(
        "pool {pool} has {} ml left, but the bottles take {} ml; use fewer bottles or another pool",
        ml(*.left_ul), ml(*.needed_ul)
    )]
    TooLittle {
        /// The pool.
        pool: String,
        /// What is left, microlitres.
        left_ul: i64,
        /// What the bottles take, microlitres.
        needed_ul: i64,
    },
}
