//! What one seed stands for: the machine, the batch, the people and what goes wrong.
//!
//! Every fourth seed is without fault, on a plant of the good range (PLANT), with probes whose
//! errors lie within their certificates. The others have one to three faults at random moments.

use holder_hal::Kelvin;
use holder_sim::{Part, PlantParams};

mod later;

use super::dice::Dice;
use super::fault::{Channel, Fault, Kind};
use super::hands::Counts;
use crate::batch::certificate::Certificate;
use crate::batch::params::{BatchParams, Cascade, Heater, MARGIN_UNKNOWN, Probe, Purpose};
use crate::batch::phase::PhaseName;
use crate::batch::recipe::Recipe;

/// Heat capacity of a litre of water, J/K.
pub(crate) const WATER_J_L_K: f64 = 4_180.0;
/// Longer than any run: for ever.
pub(crate) const FOR_EVER_MS: u64 = 7 * 86_400_000;

/// In moist air a probe follows with this time constant, s.
const OUT_LAG_S: f64 = 20.0;
/// So many kinds, the last of all, came when seeds had their meaning already.
const LATER_KINDS: usize = 3;

/// How the unit's heat ends by means that do not need us (DESIGN: a unit that declares none runs
/// water only).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cut {
    /// The device switches its heat off when it heard nothing for so long, milliseconds.
    Watchdog(u64),
    /// A limit thermostat takes the power away above this bath temperature, °C.
    Limit(f64),
}

/// How the people of this run go about it, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// From the call for the bottles until they are in.
    pub(crate) load_ms: u64,
    /// From then until it is confirmed.
    pub(crate) confirm_ms: u64,
    /// From the call for unloading until it is confirmed.
    pub(crate) unload_ms: u64,
}

/// One run, before it has begun.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// Its number.
    pub(crate) seed: u64,
    /// The machine.
    pub(crate) plant: PlantParams,
    /// What is frozen at the start.
    pub(crate) params: BatchParams,
    /// The step of the devices' readings, K.
    pub(crate) resolution_k: f64,
    /// What bath, milk probes and reference read too high, K, within their certificates.
    pub(crate) biases: Vec<(Channel, f64)>,
    /// The unit's own cut.
    pub(crate) cut: Cut,
    /// The people.
    pub(crate) pace: Pace,
    /// Whether somebody continues the batch after the program was gone.
    pub(crate) resumes: bool,
    /// From then until it is confirmed that the machine may heat, milliseconds.
    pub(crate) confirm_heat_ms: u64,
    /// From an alarm until somebody acknowledges it, milliseconds; `None` is never.
    pub(crate) acknowledge_ms: Option<u64>,
    /// The order in which the parts of the load go in, the control bottle last unless that is what
    /// goes wrong; `None` is all at once.
    pub(crate) order: Option<[Part; 4]>,
    /// Where the milk probes after the first one stand.
    pub(crate) second_stands: Part,
    /// A bath probe that is out of the water follows what is there with this time constant, s: it
    /// comes out at once, or slowly.
    pub(crate) slides_s: f64,
    /// How the bottles are counted that come out.
    pub(crate) counts: Counts,
    /// What goes wrong; empty in a run without fault.
    pub(crate) faults: Vec<Fault>,
}

impl Scenario {
    /// The run of this seed with this recipe.
    pub(crate) fn drawn(seed: u64, recipe: &Recipe) -> Self {
        let mut scenario = Self::drawn_at_first(seed, recipe);
        if !scenario.is_clean() {
            scenario.draw_interruption_rule();
            scenario.draw_one_again();
        }
        scenario.draw_places();
        scenario.draw_offsets();
        scenario.draw_counts();
        scenario
    }

    /// The run of this seed without the draws that came later: rows from 20 on.
    pub(crate) fn drawn_at_first(seed: u64, recipe: &Recipe) -> Self {
        let dice = &mut Dice::new(seed, 1);
        let plant = PlantParams::drawn(seed);
        let known = dice.percent(50);
        let milk_probes = dice.pick(&[1, 1, 2, 2, 2, 3], 2);
        let has_reference = dice.percent(50);
        let (resolution_k, uncertainty, margin) = if known {
            (0.01, Kelvin::from_milli(50), Kelvin::from_milli(100))
        } else {
            (0.1, Kelvin::from_milli(100), MARGIN_UNKNOWN)
        };
        let probe = |source: String| probe(source, Kelvin::from_f64(resolution_k), uncertainty);
        let params = BatchParams {
            purpose: Purpose::Milk,
            unit: "soak".into(),
            simulated: true,
            recipe: recipe.clone(),
            period_ms: dice.pick(&[1_000, 1_000, 2_000], 1_000),
            milk: (0..milk_probes).map(|index| probe(format!("probes.milk-{index}"))).collect(),
            bath: probe("bath.pv".into()),
            reference: has_reference.then(|| probe("probes.reference".into())),
            has_lid: dice.percent(75),
            margin,
            margin_measured: known,
            heater: if dice.percent(50) { Heater::Setpoint } else { power(&plant) },
            cascade: if known { Cascade::KNOWN } else { Cascade::UNKNOWN },
        };
        let reach_k = uncertainty.as_f64() - resolution_k / 2.0;
        let biases = biases(milk_probes, reach_k, dice);
        let cut = if dice.percent(50) {
            Cut::Limit(dice.between(66.0, 70.0))
        } else {
            Cut::Watchdog(dice.whole(5_000, 60_000))
        };
        let pace = Pace {
            load_ms: dice.whole(5_000, 600_000),
            confirm_ms: dice.whole(2_000, 60_000),
            unload_ms: dice.whole(10_000, 900_000),
        };
        let after = &mut Dice::new(seed, 4);
        let mut scenario = Self {
            seed,
            plant,
            params,
            resolution_k,
            biases,
            cut,
            pace,
            resumes: after.percent(80),
            confirm_heat_ms: after.whole(0, 300_000),
            acknowledge_ms: after.percent(75).then(|| after.whole(5_000, 400_000)),
            order: None,
            second_stands: Part::Control,
            slides_s: OUT_LAG_S,
            counts: Counts::Right,
            faults: Vec::new(),
        };
        if !seed.is_multiple_of(4) {
            scenario.draw_faults();
            scenario.draw_later_faults();
        }
        scenario
    }

    /// Whether nothing goes wrong in it.
    pub(crate) fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// The fault of this kind, if the run has one.
    pub(crate) fn fault(&self, kind: Kind) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.kind == kind)
    }

    /// Whether the run has a fault that only the store can answer for.
    pub(crate) fn needs_the_store(&self) -> bool {
        let needs = |fault: &Fault| {
            matches!(
                fault.kind,
                Kind::Killed
                    | Kind::PowerLost
                    | Kind::DiskSlow
                    | Kind::DiskStalled
                    | Kind::SecondInstance
                    | Kind::StandsStill
                    | Kind::WallClock
                    | Kind::DaylightSaving
            )
        };
        self.faults.iter().any(needs)
    }

    fn draw_faults(&mut self) {
        let dice = &mut Dice::new(self.seed, 2);
        // Kinds that came later are drawn apart: seeds keep their meaning.
        let known = Kind::ALL.len().saturating_sub(LATER_KINDS);
        let known = Kind::ALL.get(..known).unwrap_or_default();
        let count = dice.pick(&[1, 1, 1, 1, 1, 2, 2, 2, 3, 3], 1);
        while self.faults.len() < count {
            let kind = dice.pick(known, Kind::Drift);
            let fault = self.draw_fault(kind, dice);
            if self.is_possible(&fault) && self.fault(kind).is_none() {
                self.faults.push(fault);
            }
        }
    }

    /// What came later than the rest: a bath probe that is out of the water, bottles that are
    /// waited for with something else wrong, and a program that stands still.
    fn draw_later_faults(&mut self) {
        let dice = &mut Dice::new(self.seed, 5);
        if dice.percent(3) {
            let drawn = self.draw_fault(Kind::BathProbeOut, dice);
            self.faults.push(Fault { channel: Channel::Bath, ..drawn });
        }
        if dice.percent(10) {
            self.pace.load_ms = dice.whole(600_000, 5_400_000);
        }
        let dice = &mut Dice::new(self.seed, 6);
        if dice.percent(4) {
            let drawn = self.draw_fault(Kind::StandsStill, dice);
            self.faults.push(drawn);
        }
    }

    fn is_possible(&self, fault: &Fault) -> bool {
        fault.kind != Kind::SwappedMilk || self.params.milk.len() > 1
    }

    fn draw_fault(&self, kind: Kind, dice: &mut Dice) -> Fault {
        const PHASES: [PhaseName; 10] = [
            PhaseName::Preheat,
            PhaseName::Load,
            PhaseName::ComeUp,
            PhaseName::ComeUp,
            PhaseName::ComeUp,
            PhaseName::Hold,
            PhaseName::Hold,
            PhaseName::Hold,
            PhaseName::Hold,
            PhaseName::Cool,
        ];
        let phase = dice.pick(&PHASES, PhaseName::Hold);
        let after_s = match phase {
            PhaseName::Preheat => dice.whole(0, 1_400),
            PhaseName::Load => dice.whole(0, 300),
            PhaseName::ComeUp | PhaseName::Hold => dice.whole(0, 1_800),
            PhaseName::Cool => dice.whole(0, 1_000),
            PhaseName::Unload | PhaseName::Finished | PhaseName::Aborted => 0,
        };
        let lasts_ms = match dice.below(10) {
            0..=3 => dice.whole(1_000, 30_000),
            4..=6 => dice.whole(30_000, 900_000),
            7.. => FOR_EVER_MS,
        };
        let fault = Fault {
            kind,
            channel: self.draw_channel(kind, dice),
            size: size(kind, self, dice),
            phase,
            after_ms: after_s * 1_000,
            lasts_ms,
        };
        placed(fault, dice)
    }

    fn draw_channel(&self, kind: Kind, dice: &mut Dice) -> Channel {
        let milk = Channel::Milk(dice.below(self.params.milk.len() as u64) as usize);
        let is_in_milk = matches!(
            kind,
            Kind::PulledOut | Kind::InBath | Kind::SwappedWithBath | Kind::SwappedMilk
        );
        match dice.below(8) {
            0 | 1 if !is_in_milk => Channel::Bath,
            2 if !is_in_milk && self.params.reference.is_some() => Channel::Reference,
            0.. => milk,
        }
    }
}

/// How much of a fault; the unit stands with [`Kind`].
fn size(kind: Kind, scenario: &Scenario, dice: &mut Dice) -> f64 {
    let signed = |dice: &mut Dice, low, high| {
        let size = dice.between(low, high);
        if dice.percent(60) { size } else { -size }
    };
    let bottles = u64::from(scenario.plant.bottles);
    match kind {
        Kind::Drift | Kind::Offset => signed(dice, 0.1, 4.0),
        Kind::Noisy => dice.between(0.1, 3.0),
        Kind::Spiking => signed(dice, 0.5, 40.0),
        Kind::CoolantWarm => dice.between(8.0, 20.0),
        Kind::CoolantSlow => dice.between(0.5, 8.0),
        Kind::DeviceReset | Kind::DeviceManual => dice.pick(&[0.0, 25.0, 37.0, 60.0, 70.0], 37.0),
        Kind::ColdBottles => dice.whole(1, 24) as f64,
        Kind::WrongCount => dice.pick(&[1, bottles / 4, bottles / 2, 69], 12).max(1) as f64,
        Kind::WallClock => signed(dice, 1.0, 100_000.0),
        Kind::DaylightSaving => signed(dice, 3_600.0, 3_600.0),
        Kind::DiskSlow => dice.between(50.0, 2_500.0),
        Kind::Frozen
        | Kind::Open
        | Kind::Shorted
        | Kind::SwappedWithBath
        | Kind::SwappedMilk
        | Kind::PulledOut
        | Kind::InBath
        | Kind::HeaterWelded
        | Kind::HeaterDead
        | Kind::HeaterHalf
        | Kind::AgitatorStopped
        | Kind::CoolantMissing
        | Kind::ValveLeaks
        | Kind::SupplyDip
        | Kind::DeviceFahrenheit
        | Kind::DeviceClock
        | Kind::CommLost
        | Kind::CommandsLost
        | Kind::ReadingLate
        | Kind::ReadingStale
        | Kind::ReadingRepeated
        | Kind::LidOpened
        | Kind::LateLoad
        | Kind::EarlyConfirm
        | Kind::ConfirmTwice
        | Kind::Stop
        | Kind::WalksAway
        | Kind::Killed
        | Kind::PowerLost
        | Kind::DiskStalled
        | Kind::SecondInstance
        | Kind::StandsStill
        | Kind::ControlFirst => 0.0,
        Kind::BathProbeOut => dice.between(22.0, 55.0),
    }
}

/// A fault that has a moment or a length of its own.
fn placed(fault: Fault, dice: &mut Dice) -> Fault {
    let is = |kind| fault.kind == kind;
    let (phase, after_ms, lasts_ms) = if is(Kind::SupplyDip) {
        (fault.phase, fault.after_ms, dice.whole(100, 5_000))
    } else if is(Kind::LateLoad) {
        (PhaseName::Load, dice.whole(600_000, 16_000_000), FOR_EVER_MS)
    } else if is(Kind::EarlyConfirm) {
        (PhaseName::Load, dice.whole(1_000, 60_000), dice.whole(10_000, 1_200_000))
    } else if is(Kind::WrongCount) {
        (PhaseName::Preheat, 0, FOR_EVER_MS)
    } else if is(Kind::LidOpened) {
        (fault.phase, fault.after_ms, dice.whole(1_000, 600_000))
    } else if is(Kind::ColdBottles) {
        // The lid is open for as long as that takes.
        (fault.phase, fault.after_ms, dice.whole(10_000, 60_000))
    } else if is(Kind::Killed) || is(Kind::PowerLost) || is(Kind::StandsStill) {
        (fault.phase, fault.after_ms, dice.whole(1_000, 1_200_000))
    } else {
        (fault.phase, fault.after_ms, fault.lasts_ms)
    };
    Fault { phase, after_ms, lasts_ms, ..fault }
}

/// Errors of all probes within their certificates. The reference reads at least as high as the
/// recorders: a pair that does not is found by the daily comparison before a batch (1 NYCRR 2.45).
fn biases(milk_probes: usize, reach_k: f64, dice: &mut Dice) -> Vec<(Channel, f64)> {
    let mut draw = |low_k| dice.between(low_k, reach_k);
    let mut biases = vec![(Channel::Bath, draw(-reach_k))];
    biases.extend((0..milk_probes).map(|index| (Channel::Milk(index), draw(-reach_k))));
    let highest_k = biases.iter().skip(1).map(|(_, bias_k)| *bias_k).fold(-reach_k, f64::max);
    biases.push((Channel::Reference, draw(highest_k)));
    biases
}

fn power(plant: &PlantParams) -> Heater {
    let delay_s = plant.heater_dead_s + plant.heater_lag_s + plant.probe.bath_lag_s / 2.0;
    Heater::Power {
        power_w: plant.heater_w.round() as u32,
        bath_j_per_k: (plant.bath_l * WATER_J_L_K + plant.vessel_j_k).round() as u32,
        delay_ms: (delay_s * 1_000.0).round() as u32,
    }
}

fn probe(source: String, resolution: Option<Kelvin>, uncertainty: Kelvin) -> Probe {
    Probe {
        certificate: Certificate {
            number: format!("CAL-{source}"),
            date: "2026-06-01".into(),
            due: "2026-12-01".into(),
            by: "the soak".into(),
            reference: "none: a simulated probe".into(),
            uncertainty,
            offsets: Vec::new(),
        },
        resolution: resolution.unwrap_or(uncertainty),
        source,
    }
}
