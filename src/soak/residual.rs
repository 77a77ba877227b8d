//! The faults that nothing here can notice today. This list and `docs/risk.md`, "Residual
//! risks", are the same list; it may only shrink.

use super::fault::{Channel, Fault, Kind};
use super::rig::Became;
use super::scenario::Scenario;
use crate::batch::phase::PhaseName;

/// A risk that is named in `docs/risk.md` and not detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Residual {
    /// Bottles that were added cold while the control bottle is warm, and that nobody counted.
    ColdBottle,
    /// The only milk probe is in the bath, or its plug is exchanged with the bath's.
    ProbeInBath,
    /// All temperatures of the milk are wrong alike, and there is nothing to compare them with.
    NothingToCompare,
    /// The only milk probe froze in the hold, where a healthy one may stand still too.
    FrozenInHold,
    /// The water stood still while milk and bath were at rest, and moves again in the cooling: what came
    /// in late, under an open lid that was told or with the load, warmed more slowly than was waited for.
    Unmoved,
    /// Raw bottles that went in when the hold was over, and that nobody counted.
    AfterHold,
}

impl Residual {
    /// Every residual risk, in the order of `docs/risk.md`.
    pub(crate) const ALL: [Self; 6] = [
        Self::ColdBottle,
        Self::ProbeInBath,
        Self::NothingToCompare,
        Self::FrozenInHold,
        Self::Unmoved,
        Self::AfterHold,
    ];

    /// The stable word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::ColdBottle => "cold-bottle",
            Self::ProbeInBath => "probe-in-bath",
            Self::NothingToCompare => "nothing-to-compare",
            Self::FrozenInHold => "frozen-in-hold",
            Self::Unmoved => "cold-bottle-unmoved",
            Self::AfterHold => "after-the-hold",
        }
    }

    /// Its number in `docs/risk.md`, "Residual risks".
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::ColdBottle => 1,
            Self::ProbeInBath => 2,
            Self::NothingToCompare => 3,
            Self::FrozenInHold | Self::Unmoved => 5,
            Self::AfterHold => 19,
        }
    }

    /// What the milk lacks of the floor at most by it, K, as `docs/risk.md` promises; `None` where
    /// nothing bounds it.
    pub(crate) fn lacks_k_max(self, scenario: &Scenario) -> Option<f64> {
        match self {
            Self::ColdBottle => None,
            Self::ProbeInBath => Some(STEP_SMALL_K),
            Self::NothingToCompare => Some(UNSEEN_K + uncertain_k(scenario)),
            Self::FrozenInHold => Some(BACK_K),
            Self::Unmoved | Self::AfterHold => None,
        }
    }

    /// Why nothing notices, and what would.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::ColdBottle => {
                "the control bottle is warm while the added ones are not, there is no lid switch, and the \
                 count of what came out fits: a lid switch, or a second control bottle, added last"
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
            Self::Unmoved => {
                "an agitator that stands still only while milk and bath are at rest shows by nothing, and \
                 what came in late warms more slowly than is waited for; the count of what came out \
                 fits: a second control bottle"
            }
            Self::AfterHold => {
                "raw bottles put to those that are cooled change nothing that is measured, and the count of \
                 what came out fits; a told lid is a deviation: count what comes out"
            }
        }
    }
}

/// A probe that slips into a bath that is no more than this away makes no step that anybody can
/// tell from the milk's own, K.
const STEP_SMALL_K: f64 = 0.7;
/// A probe without another to compare may be so far off in the hold before 206 shows it, K, beyond
/// the uncertainties of milk and bath.
const UNSEEN_K: f64 = 0.4;
/// A reading that stood still is back within this of where it stood, K.
const BACK_K: f64 = 0.5;

/// Until bath and milk are as near as that a stopped agitator shows by 302, K.
const AT_REST_K: f64 = 4.0;

/// So much cold milk may come in without a lid switch before the bath shows it, l: 1.5 l was the most
/// of 3,000 runs in which somebody put some in (`docs/risk.md`) …
const COLD_L: f64 = 1.6;
/// … and so much while the load itself still cools the bath, 2.9 l in those runs …
const COLD_EARLY_L: f64 = 3.2;
/// … which is until then after the loading, milliseconds.
const EARLY_MS: u64 = 600_000;

/// Whether everything that measures the milk errs in the direction of this fault.
fn errs_with_all(fault: &Fault, scenario: &Scenario) -> bool {
    let params = &scenario.params;
    let milk = (0..params.milk.len()).map(Channel::Milk);
    let mut others = milk.chain(params.reference.as_ref().map(|_| Channel::Reference));
    others.all(|channel| {
        scenario.faults.iter().any(|other| {
            matches!(other.kind, Kind::Drift | Kind::Offset)
                && other.channel == channel
                && (other.size > 0.0) == (fault.size > 0.0)
        })
    })
}

/// The uncertainties of a milk probe and of the bath's, together, K.
fn uncertain_k(scenario: &Scenario) -> f64 {
    let params = &scenario.params;
    let of_milk = params.milk.iter().map(|probe| probe.certificate.uncertainty.as_f64());
    of_milk.fold(0.0, f64::max) + params.bath.certificate.uncertainty.as_f64()
}

/// The residual risk that this fault is in this run, if it is one: with the figures of
/// `docs/risk.md`, and not beyond them.
pub(crate) fn of(fault: &Fault, became: &Became, scenario: &Scenario) -> Option<Residual> {
    let params = &scenario.params;
    let is_milk = matches!(fault.channel, Channel::Milk(_));
    let is_only = params.milk.len() == 1 && is_milk;
    match fault.kind {
        // Whoever counts them rightly sees them.
        Kind::ColdBottles if !became.count_fits => None,
        Kind::ColdBottles if became.after_hold => Some(Residual::AfterHold),
        Kind::ColdBottles if became.lid_told => None,
        Kind::ColdBottles => {
            let litres = fault.size * scenario.plant.bottle.volume_l;
            let is_early = became.loaded_ms.is_some_and(|ms| ms <= EARLY_MS);
            let most_l = if is_early { COLD_EARLY_L } else { COLD_L };
            (litres <= most_l).then_some(Residual::ColdBottle)
        }
        Kind::AgitatorStopped => {
            // In the come-up 302 sees it, and the judge by the lag; in the cooling that sees it again.
            let is_at_rest = became.gap_k.is_some_and(|gap_k| gap_k < AT_REST_K);
            let under_lid = scenario.fault(Kind::ColdBottles).is_some() && params.has_lid;
            let comes_late =
                under_lid && became.count_fits || scenario.fault(Kind::ControlFirst).is_some();
            (is_at_rest && became.within_hold && comes_late).then_some(Residual::Unmoved)
        }
        Kind::InBath | Kind::SwappedWithBath => {
            let is_small = became.gap_k.is_some_and(|gap_k| gap_k < STEP_SMALL_K);
            (is_only && is_small).then_some(Residual::ProbeInBath)
        }
        Kind::Drift | Kind::Offset => {
            let alone = is_milk && errs_with_all(fault, scenario);
            let hours = became.stood_ms as f64 / 3_600_000.0;
            let error_k = if fault.kind == Kind::Drift { fault.size * hours } else { fault.size };
            // One that reads low makes no milk look better: nothing excuses it.
            let is_small = (0.0..UNSEEN_K + uncertain_k(scenario)).contains(&error_k);
            (alone && is_small).then_some(Residual::NothingToCompare)
        }
        Kind::Frozen => {
            let is_back = became.back_k.is_some_and(|back_k| back_k < BACK_K);
            let in_hold = fault.phase == PhaseName::Hold && became.within_hold;
            (is_only && in_hold && is_back).then_some(Residual::FrozenInHold)
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
        | Kind::SecondInstance
        | Kind::BathProbeOut
        | Kind::StandsStill
        | Kind::ControlFirst => None,
    }
}
