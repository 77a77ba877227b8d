//! How a command fails: the reason for a person, and the exit code for a program.

use std::process::ExitCode;

use holder_hal::wire::WireError;

use crate::batch::verdict::Outcome;
use crate::record::RecordError;
use crate::station::commission::CommissionError;
use crate::station::conduct::ConductError;
use crate::station::config::ConfigError;
use crate::station::lock::LockError;
use crate::store::{CopyError, Misfit, StoreError, when_damaged};

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Refused or failed.
    Refused(anyhow::Error),
    /// The arguments contradict each other in a way that only the command can see.
    Usage(String),
    /// What was judged is not acceptable; the verdict has been shown.
    NotAcceptable(Outcome),
    /// The machine does not answer, or its heat is not proved to be off.
    Unreachable(anyhow::Error),
    /// A record does not verify.
    DoesNotVerify(anyhow::Error),
    /// The station's own file is damaged, or does not verify.
    Damaged(anyhow::Error),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::NotAcceptable(_) => 3,
            Self::Unreachable(_) => 4,
            Self::DoesNotVerify(_) | Self::Damaged(_) => 5,
        }
    }

    /// Whether something is not what was written; else it could not be looked at.
    pub(crate) const fn is_damage(&self) -> bool {
        match self {
            Self::DoesNotVerify(_) | Self::Damaged(_) => true,
            Self::Refused(_) | Self::Usage(_) | Self::NotAcceptable(_) | Self::Unreachable(_) => {
                false
            }
        }
    }

    /// The reason, for a person.
    pub(crate) fn why(&self) -> String {
        match self {
            Self::Refused(why)
            | Self::Unreachable(why)
            | Self::DoesNotVerify(why)
            | Self::Damaged(why) => format!("{why:#}"),
            Self::Usage(why) => why.clone(),
            Self::NotAcceptable(outcome) => format!("the verdict is {outcome}"),
        }
    }

    /// What to do next, where one advice fits every such failure.
    fn advice(&self) -> Option<String> {
        match self {
            Self::Damaged(_) => Some(when_damaged()),
            Self::Refused(_)
            | Self::Usage(_)
            | Self::NotAcceptable(_)
            | Self::Unreachable(_)
            | Self::DoesNotVerify(_) => None,
        }
    }

    /// Says why on stderr, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        super::out::note(&format!("error: {}", self.why()));
        if let Some(advice) = self.advice() {
            super::out::note(&advice);
        }
        ExitCode::from(self.code())
    }

    /// Of an error that says whether the station's file is damaged.
    fn of(why: impl Into<anyhow::Error>, is_damage: bool) -> Self {
        if is_damage { Self::Damaged(why.into()) } else { Self::Refused(why.into()) }
    }

    /// Refused, for a reason of our own.
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(anyhow::Error::msg(why.into()))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(why: anyhow::Error) -> Self {
        Self::Refused(why)
    }
}

impl From<ConfigError> for Failure {
    fn from(why: ConfigError) -> Self {
        Self::Refused(why.into())
    }
}

impl From<LockError> for Failure {
    fn from(why: LockError) -> Self {
        Self::Refused(why.into())
    }
}

impl From<RecordError> for Failure {
    fn from(why: RecordError) -> Self {
        Self::Refused(why.into())
    }
}

impl From<StoreError> for Failure {
    fn from(why: StoreError) -> Self {
        let is_damage = why.is_damage();
        Self::of(why, is_damage)
    }
}

impl From<Misfit> for Failure {
    fn from(why: Misfit) -> Self {
        if why.is_of_paper() {
            // Most often a digit was typed wrongly, and the file is as whole as it was.
            return Self::DoesNotVerify(why.into());
        }
        let is_damage = why.is_damage();
        Self::of(why, is_damage)
    }
}

impl From<CopyError> for Failure {
    fn from(why: CopyError) -> Self {
        let is_damage = why.is_damage();
        Self::of(why, is_damage)
    }
}

impl From<ConductError> for Failure {
    fn from(why: ConductError) -> Self {
        if why.leaves_heat_unproved() {
            // Whatever became of the record: the heater comes before it.
            return Self::Unreachable(why.into());
        }
        let is_damage = why.is_damage();
        match why {
            ConductError::Machine(fault) => fault.into(),
            // The file is what was written, and no backup is better.
            ConductError::Disputed { .. } => Self::DoesNotVerify(why.into()),
            ConductError::Config(_)
            | ConductError::Params(_)
            | ConductError::Lock(_)
            | ConductError::Store(_)
            | ConductError::Simulator(_)
            | ConductError::NotSimulated { .. }
            | ConductError::Asked(_)
            | ConductError::Refused { .. }
            | ConductError::Bottles { .. }
            | ConductError::NotSafe { .. }
            | ConductError::Unreadable { .. }
            | ConductError::Unsound { .. }
            | ConductError::Told { .. }
            | ConductError::LeftOpen { .. }
            | ConductError::StaysOpen { .. }
            | ConductError::NothingOpen { .. }
            | ConductError::Altered { .. }
            | ConductError::NotLookedAt { .. }
            | ConductError::Changed { .. }
            | ConductError::NotKept { .. }
            | ConductError::NotClosed { .. } => Self::of(why, is_damage),
        }
    }
}

impl From<CommissionError> for Failure {
    fn from(why: CommissionError) -> Self {
        let is_damage = why.is_damage();
        match why {
            CommissionError::Begin(begin) => (*begin).into(),
            CommissionError::NotKept { unsafe_because: Some(_), .. } => {
                Self::Unreachable(why.into())
            }
            CommissionError::NotKept { unsafe_because: None, .. } => Self::of(why, is_damage),
        }
    }
}

impl From<WireError> for Failure {
    fn from(why: WireError) -> Self {
        if why.is_unreachable() { Self::Unreachable(why.into()) } else { Self::Refused(why.into()) }
    }
}
