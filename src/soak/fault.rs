//! What goes wrong in a run: the kinds, and one of them with its moment and size.

use crate::batch::phase::PhaseName;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// A kind of fault. The words stand in reports; their order never changes, new ones go
        /// to the end, so that a seed keeps its meaning for as long as possible.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Kind { $($(#[doc = $doc])+ $name,)+ }

        impl Kind {
            /// Every kind.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable word.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

kinds! {
    /// A probe's error grows; size in K/h.
    Drift = "probe-drift",
    /// A probe reads wrong by a step; size in K.
    Offset = "probe-offset",
    /// A probe shows the same value on and on.
    Frozen = "probe-frozen",
    /// A probe's circuit is open: the device says so.
    Open = "probe-open",
    /// A probe is shorted: far below its range.
    Shorted = "probe-shorted",
    /// A probe is noisy; size is the standard deviation in K.
    Noisy = "probe-noisy",
    /// A probe spikes in one of ten readings; size in K.
    Spiking = "probe-spiking",
    /// Plugs of a milk probe and the bath probe are exchanged.
    SwappedWithBath = "probe-swapped-bath",
    /// Plugs of two milk probes are exchanged.
    SwappedMilk = "probe-swapped-milk",
    /// A milk probe is pulled out and hangs in the room.
    PulledOut = "probe-in-air",
    /// A milk probe slips into the bath.
    InBath = "probe-in-bath",
    /// The heater's relay sticks closed.
    HeaterWelded = "heater-welded",
    /// The heater gives nothing.
    HeaterDead = "heater-dead",
    /// The heater gives half.
    HeaterHalf = "heater-half",
    /// The agitator stands still.
    AgitatorStopped = "agitator-stopped",
    /// No cold water comes.
    CoolantMissing = "coolant-missing",
    /// The cold water is warm; size in °C.
    CoolantWarm = "coolant-warm",
    /// Little cold water comes; size in l/min.
    CoolantSlow = "coolant-slow",
    /// The cold water valve leaks.
    ValveLeaks = "valve-leaks",
    /// The machine's mains dip: its devices start again, with the heat off.
    SupplyDip = "supply-dip",
    /// The device falls back to its default set point, size in °C, and takes ours again.
    DeviceReset = "device-reset",
    /// The device is switched to manual at its panel: it holds a set point of its own, size in
    /// °C, and takes none of ours.
    DeviceManual = "device-manual",
    /// The input of the milk probes is switched to °F at its panel.
    DeviceFahrenheit = "device-fahrenheit",
    /// The device's clock is set. Nothing of ours reads it, and nothing may follow.
    DeviceClock = "device-clock",
    /// The machine does not answer.
    CommLost = "comm-lost",
    /// The machine answers, but commands do not arrive.
    CommandsLost = "commands-lost",
    /// Answers come after the period in which they were asked for.
    ReadingLate = "reading-late",
    /// The device says that its values are old.
    ReadingStale = "reading-stale",
    /// An old answer is repeated as if it were new.
    ReadingRepeated = "reading-repeated",
    /// The lid is opened.
    LidOpened = "lid-opened",
    /// Bottles are added cold; size is how many.
    ColdBottles = "cold-bottles",
    /// Another number of bottles is told than is in; size is the true number.
    WrongCount = "wrong-count",
    /// The bottles come late; the delay is the moment.
    LateLoad = "late-load",
    /// The load is confirmed before the bottles are in; they follow after the fault's length.
    EarlyConfirm = "early-confirm",
    /// Everything is confirmed twice, and at other times too.
    ConfirmTwice = "confirm-twice",
    /// Somebody stops the batch.
    Stop = "operator-stop",
    /// Nobody unloads; the program is ended in the evening.
    WalksAway = "walks-away",
    /// The wall clock is stepped; size in s.
    WallClock = "wall-clock-step",
    /// Somebody sets the clock for daylight saving.
    DaylightSaving = "daylight-saving",
    /// The program is killed, and started again after the fault's length.
    Killed = "killed",
    /// The mains are away for the fault's length, for machine and computer.
    PowerLost = "power-lost",
    /// The disk is slow; size in ms for each commit.
    DiskSlow = "disk-slow",
    /// The disk does not answer.
    DiskStalled = "disk-stalled",
    /// The program is started a second time on the same station.
    SecondInstance = "second-instance",
    /// The bath probe is out of the water and hangs above it; size is what it is like there, °C.
    BathProbeOut = "bath-probe-out",
    /// The program stands still for the fault's length and goes on (SIGSTOP, a computer that slept).
    StandsStill = "stands-still",
    /// The control bottle goes in first, and the others one part after the other.
    ControlFirst = "control-first",
}

/// A channel of temperature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Channel {
    /// The bath.
    Bath,
    /// A milk probe.
    Milk(usize),
    /// The reference probe.
    Reference,
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bath => f.write_str("bath"),
            Self::Milk(index) => write!(f, "milk-{index}"),
            Self::Reference => f.write_str("reference"),
        }
    }
}

/// One fault of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fault {
    /// What.
    pub(crate) kind: Kind,
    /// Which probe, where it is a probe's fault.
    pub(crate) channel: Channel,
    /// How much; see [`Kind`] for the unit. Positive is high or late.
    pub(crate) size: f64,
    /// It begins in this phase …
    pub(crate) phase: PhaseName,
    /// … so long after the phase was first entered, milliseconds.
    pub(crate) after_ms: u64,
    /// How long it lasts, milliseconds.
    pub(crate) lasts_ms: u64,
}

impl Fault {
    /// Whether it is a fault of one probe, so that `channel` matters.
    pub(crate) const fn is_of_a_probe(&self) -> bool {
        matches!(
            self.kind,
            Kind::Drift
                | Kind::Offset
                | Kind::Frozen
                | Kind::Open
                | Kind::Shorted
                | Kind::Noisy
                | Kind::Spiking
                | Kind::SwappedWithBath
                | Kind::SwappedMilk
                | Kind::PulledOut
                | Kind::InBath
                | Kind::BathProbeOut
        )
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.kind.word())?;
        if self.is_of_a_probe() {
            write!(f, " of {}", self.channel)?;
        }
        let seconds = |ms: u64| ms as f64 / 1000.0;
        write!(
            f,
            ", size {:.3}, from {:.0} s into {} for {:.0} s",
            self.size,
            seconds(self.after_ms),
            self.phase,
            seconds(self.lasts_ms)
        )
    }
}
