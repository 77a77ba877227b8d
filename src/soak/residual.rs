//! The faults that nothing here can notice today. This list and `docs/risk.md`, "Residual
//! risks", are the same list; it may only shrink.

use super::fault::{Channel, Fault, Kind};
use super::scenario::Scenario;
use crate::batch::phase::PhaseName;

/// A risk that is named in `docs/risk.md` and not detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Residual {
    /// Bottles that were added cold while the control bottle is warm.
    ColdBottle,
    /// The only milk probe is in the bath, or its plug is exchanged with the bath's.
    ProbeInBath,
    /// The only temperature of the milk is wrong, and there is nothing to compare it with.
    NothingToCompare,
    /// The only milk probe froze in the hold, where a healthy one may stand still too.
    FrozenInHold,
}

impl Residual {
    /// Every residual risk, in the order of `docs/risk.md`.
    pub(crate) const ALL: [Self; 4] =
        [Self::ColdBottle, Self::ProbeInBath, Self::NothingToCompare, Self::FrozenInHold];

    /// The stable word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::ColdBottle => "cold-bottle",
            Self::ProbeInBath => "probe-in-bath",
            Self::NothingToCompare => "nothing-to-compare",
            Self::FrozenInHold => "frozen-in-hold",
        }
    }

    /// Its number in `docs/risk.md`, "Residual risks".
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::ColdBottle => 1,
            Self::ProbeInBath => 2,
            Self::NothingToCompare => 3,
            Self::FrozenInHold => 5,
        }
    }

    /// Why nothing notices, and what would.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::ColdBottle => {
                "the control bottle is warm while the added one is not; a lid switch restarts the \
                 clock but does not warm the bottle: a second control bottle, added last"
            }
            Self::ProbeInBath => {
                "one milk probe, and it shows the bath: a second milk probe, or the gap after \
                 loading"
            }
            Self::NothingToCompare => {
                "one milk probe without a reference: a reference probe or a second milk probe"
            }
            Self::FrozenInHold => {
                "at its resolution a healthy probe may stand still as long: a second milk probe"
            }
        }
    }
}

/// The residual risk that this fault is in this run, if it is one.
pub(crate) fn of(fault: &Fault, scenario: &Scenario) -> Option<Residual> {
    let is_milk = matches!(fault.channel, Channel::Milk(_));
    let is_only = scenario.params.milk.len() == 1 && is_milk;
    match fault.kind {
        Kind::ColdBottles => Some(Residual::ColdBottle),
        Kind::InBath | Kind::SwappedWithBath => is_only.then_some(Residual::ProbeInBath),
        Kind::Drift | Kind::Offset => {
            let alone = is_only && scenario.params.reference.is_none();
            alone.then_some(Residual::NothingToCompare)
        }
        Kind::Frozen => {
            let in_hold = is_only && fault.phase == PhaseName::Hold;
            in_hold.then_some(Residual::FrozenInHold)
        }
        Kind::Open
        | Kind::Shorted
        | Kind::Noisy
        | Kind::Spiking
        | Kind::SwappedMilk
        | Kind::PulledOut
        | Kind::HeaterWelded
        | Kind::HeaterDead
        | Kind::HeaterHalf
        | Kind::AgitatorStopped
        | Kind::CoolantMissing
        | Kind::CoolantWarm
        | Kind::CoolantSlow
        | Kind::ValveLeaks
        | Kind::SupplyDip
        | Kind::DeviceReset
        | Kind::DeviceManual
        | Kind::DeviceFahrenheit
        | Kind::DeviceClock
        | Kind::CommLost
        | Kind::CommandsLost
        | Kind::ReadingLate
        | Kind::ReadingStale
        | Kind::ReadingRepeated
        | Kind::LidOpened
        | Kind::WrongCount
        | Kind::LateLoad
        | Kind::EarlyConfirm
        | Kind::ConfirmTwice
        | Kind::Stop
        | Kind::WalksAway
        | Kind::WallClock
        | Kind::DaylightSaving
        | Kind::Killed
        | Kind::PowerLost
        | Kind::DiskSlow
        | Kind::DiskStalled
        | Kind::SecondInstance => None,
    }
}
