//! How a command fails: the reason for a person, and the exit code for a program.

use std::process::ExitCode;

use holder_hal::wire::WireError;

use crate::batch::verdict::Outcome;
use crate::record::RecordError;
use crate::station::commission::CommissionError;
use crate::station::conduct::ConductError;
use crate::station::config::ConfigError;
use crate::station::lock::LockError;
use crate::store::StoreError;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Refused or failed.
    Refused(anyhow::Error),
    /// The arguments contradict each other in a way that only the command can see.
    Usage(String),
    /// What was judged is not acceptable; the verdict has been shown.
    NotAcceptable(Outcome),
    /// The machine does not answer.
    Unreachable(anyhow::Error),
    /// A record does not verify.
    DoesNotVerify(anyhow::Error),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::NotAcceptable(_) => 3,
            Self::Unreachable(_) => 4,
            Self::DoesNotVerify(_) => 5,
        }
    }

    /// The reason, for a person.
    pub(crate) fn why(&self) -> String {
        match self {
            Self::Refused(why) | Self::Unreachable(why) | Self::DoesNotVerify(why) => {
                format!("{why:#}")
            }
            Self::Usage(why) => why.clone(),
            Self::NotAcceptable(outcome) => format!("the verdict is {outcome}"),
        }
    }

    /// Says why on stderr, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        super::out::note(&format!("error: {}", self.why()));
        ExitCode::from(self.code())
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
        Self::Refused(why.into())
    }
}

impl From<ConductError> for Failure {
    fn from(why: ConductError) -> Self {
        match why {
            ConductError::Machine(fault) => fault.into(),
            ConductError::Altered { .. } => Self::DoesNotVerify(why.into()),
            ConductError::Config(_)
            | ConductError::Params(_)
            | ConductError::Lock(_)
            | ConductError::Store(_)
            | ConductError::Simulator(_)
            | ConductError::NotSimulated { .. }
            | ConductError::Bottles { .. }
            | ConductError::NotSafe { .. }
            | ConductError::LeftOpen { .. }
            | ConductError::StaysOpen { .. }
            | ConductError::NothingOpen { .. }
            | ConductError::Disputed { .. }
            | ConductError::Changed { .. }
            | ConductError::NotClosed { .. } => Self::Refused(why.into()),
        }
    }
}

impl From<CommissionError> for Failure {
    fn from(why: CommissionError) -> Self {
        match why {
            CommissionError::Begin(begin) => (*begin).into(),
            CommissionError::NotKept { .. } => Self::Refused(why.into()),
        }
    }
}

impl From<WireError> for Failure {
    fn from(why: WireError) -> Self {
        if why.is_unreachable() { Self::Unreachable(why.into()) } else { Self::Refused(why.into()) }
    }
}
