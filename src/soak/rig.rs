//! The machine of a run, with everything between it and us: plant, probes, devices and wire,
//! each with its faults. Time passes only when it is told to.

use holder_hal::{Command, Heat, MILK_PROBES_MAX, Quality, Reading, Sample, Switch, Tick};
use holder_sim::plant::Truth;
use holder_sim::{Part, Plant};

mod became;
mod breakage;
mod electronics;

pub(crate) use became::Became;

use super::dice::Dice;
use super::fault::{Channel, Fault, Kind};
use super::scenario::{Cut, Scenario};
use crate::batch::params::Heater;
use crate::batch::phase::PhaseName;

/// What came of asking the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heard {
    /// An answer within the period; channels that did not answer are missing in it.
    Answer(Reading),
    /// Nothing within the period.
    TooLate,
}

/// A fault with what has become of it.
#[derive(Clone, Copy, Debug)]
struct Standing {
    fault: Fault,
    began: Option<Tick>,
    over: bool,
    /// What a frozen probe shows, and where one that is out of the water began.
    frozen: Option<f64>,
    /// What became of it, for whoever judges the run.
    became: Became,
}

impl Standing {
    const fn is_active(&self) -> bool {
        self.began.is_some() && !self.over
    }
}

/// The machine.
#[derive(Clone, Debug)]
pub(crate) struct Rig {
    plant: Plant,
    resolution_k: f64,
    biases: Vec<(Channel, f64)>,
    offsets: Vec<(Channel, [(f64, f64); 2])>,
    slides_s: f64,
    milk_probes: usize,
    has_reference: bool,
    has_lid: bool,
    is_driven_by_power: bool,
    cut: Cut,
    standing: Vec<Standing>,
    entered: Vec<(PhaseName, Tick)>,
    dice: Dice,
    now: Tick,
    /// When it was last commanded: a watchdog is fed by what is written, not by questions.
    heard: Tick,
    newest: Option<Reading>,
}

/// In this time a bath falls that shows the judge what came in, milliseconds: less of the hold shows it
/// nothing.
const FALLS_MS: u64 = 60_000;

impl Rig {
    /// A machine that was just switched on.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let params = &scenario.params;
        let bias = |wanted| scenario.biases.iter().find(|(channel, _)| *channel == wanted);
        let mut plant = scenario.plant;
        plant.probe.bath_bias_k = bias(Channel::Bath).map_or(0.0, |(_, bias_k)| *bias_k);
        let mut plant = Plant::new(plant, scenario.seed, params.milk.len());
        for index in 1..params.milk.len() {
            plant.stand_probe(index, scenario.second_stands);
        }
        if let Cut::Limit(limit_c) = scenario.cut {
            plant.troubles_mut().limit_c = Some(limit_c);
        }
        let standing = |fault: &Fault| Standing {
            fault: *fault,
            began: None,
            over: false,
            frozen: None,
            became: Became::default(),
        };
        Self {
            plant,
            resolution_k: scenario.resolution_k,
            biases: scenario.biases.clone(),
            offsets: electronics::offsets(params),
            slides_s: scenario.slides_s,
            milk_probes: params.milk.len(),
            has_reference: params.reference.is_some(),
            has_lid: params.has_lid,
            is_driven_by_power: matches!(params.heater, Heater::Power { .. }),
            cut: scenario.cut,
            standing: scenario.faults.iter().map(standing).collect(),
            entered: vec![(PhaseName::Preheat, Tick::default())],
            dice: Dice::new(scenario.seed, 3),
            now: Tick::default(),
            heard: Tick::default(),
            newest: None,
        }
    }

    /// What is really the case.
    pub(crate) fn truth(&self) -> Truth {
        self.plant.truth()
    }

    /// The fault of this kind, if it stands now.
    pub(crate) fn active(&self, kind: Kind) -> Option<&Fault> {
        self.standing.iter().find(|s| s.fault.kind == kind && s.is_active()).map(|s| &s.fault)
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Standing> {
        self.standing.iter().filter(move |s| s.fault.kind == kind)
    }

    /// When the newest fault of this kind began, if one has.
    pub(crate) fn began(&self, kind: Kind) -> Option<Tick> {
        self.of(kind).filter_map(|s| s.began).max()
    }

    /// When the newest fault of this kind that is over ended, if one is.
    pub(crate) fn ended(&self, kind: Kind) -> Option<Tick> {
        let over = self.of(kind).filter(|s| s.over);
        over.filter_map(|s| s.began.map(|at| at.plus_ms(s.fault.lasts_ms))).max()
    }

    /// When the faults of this kind that stand now will be over.
    pub(crate) fn over_at(&self, kind: Kind) -> Tick {
        let stands = self.of(kind).filter(|s| s.is_active());
        let over_at = stands.filter_map(|s| s.began.map(|at| at.plus_ms(s.fault.lasts_ms)));
        over_at.max().unwrap_or(self.now)
    }

    /// The controller came into this phase: faults wait for that.
    pub(crate) fn entered(&mut self, phase: PhaseName) {
        if self.entered.iter().all(|(known, _)| *known != phase) {
            self.entered.push((phase, self.now));
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.begin_and_end();
        self.show_the_bath();
        let until = self.now.plus_ms(ms);
        if let Cut::Watchdog(within_ms) = self.cut {
            let cuts_at = self.heard.plus_ms(within_ms).max(self.now);
            if cuts_at < until {
                self.advance_to(cuts_at);
                self.plant.command(&Command { heat: Heat::Off, ..self.plant.commanded() });
            }
        }
        self.advance_to(until);
        self.begin_and_end();
    }

    fn advance_to(&mut self, at: Tick) {
        self.plant.advance(at.ms_since(self.now));
        self.now = at;
    }

    fn begin_and_end(&mut self) {
        for index in 0..self.standing.len() {
            let Some(standing) = self.standing.get(index).copied() else { continue };
            if standing.over {
                continue;
            }
            let fault = standing.fault;
            let due = self.entered.iter().find(|(phase, _)| *phase == fault.phase);
            let due = due.map(|(_, at)| at.plus_ms(fault.after_ms));
            let begins = standing.began.is_none() && due.is_some_and(|due| due <= self.now);
            let ends =
                standing.began.is_some_and(|began| self.now.ms_since(began) >= fault.lasts_ms);
            let became = self.becoming(&standing, begins, ends);
            if let Some(standing) = self.standing.get_mut(index) {
                standing.began = standing.began.or(begins.then_some(self.now));
                standing.over = ends;
                standing.became = became;
            }
            // One that stands beside another of its kind is mended with the last of them.
            let still =
                self.of(fault.kind).any(|s| s.is_active() && s.fault.channel == fault.channel);
            if begins || (ends && !still) {
                self.break_plant(&fault, begins);
            }
        }
    }

    /// What is to be told of a fault that stands, begins or ends now.
    fn becoming(&self, standing: &Standing, begins: bool, ends: bool) -> Became {
        let mut became = standing.became;
        let truth = self.plant.truth();
        let held = !self.entered.iter().any(|(phase, _)| *phase == PhaseName::Cool);
        if begins {
            became.began = Some(self.now);
            let come_up = self.entered.iter().find(|(phase, _)| *phase == PhaseName::ComeUp);
            became.loaded_ms = come_up.map(|(_, at)| self.now.ms_since(*at));
            let gap_k = (truth.bath_c - truth.control_c).abs();
            became.gap_k = self.is_loaded().then_some(gap_k);
        }
        if let Some(began) = standing.began.filter(|_| held) {
            became.stood_ms = self.now.ms_since(began);
            became.within_hold = ends;
        }
        if ends && let Some(frozen) = standing.frozen {
            became.back_k = Some((self.plugged(standing.fault.channel) - frozen).abs());
        }
        became
    }

    /// What became of each fault, in the scenario's order.
    pub(crate) fn became(&self) -> Vec<Became> {
        let cool = self.entered.iter().find(|(phase, _)| *phase == PhaseName::Cool);
        let told = |became: Became| {
            let both = became.began.zip(cool);
            let after_hold = both.is_some_and(|(began, (_, at))| began.plus_ms(FALLS_MS) >= *at);
            Became { after_hold, ..became }
        };
        self.standing.iter().map(|s| told(s.became)).collect()
    }

    /// Its cut comes later and higher than the unit declares.
    #[cfg(test)]
    pub(crate) fn delay_the_cut(&mut self) {
        self.cut = match self.cut {
            Cut::Watchdog(within_ms) => Cut::Watchdog(2 * within_ms),
            Cut::Limit(limit_c) => Cut::Limit(limit_c + 1.0),
        };
        if let Cut::Limit(limit_c) = self.cut {
            self.plant.troubles_mut().limit_c = Some(limit_c);
        }
    }

    /// Begins to put so many bottles in.
    pub(crate) fn begin_load(&mut self, bottles: u32) {
        self.plant.begin_load(bottles);
    }

    /// Puts in a part of them.
    pub(crate) fn put_in(&mut self, part: Part) {
        self.plant.put_in(part);
    }

    /// Takes them all out, and says how many they were.
    pub(crate) fn unload(&mut self) -> u32 {
        let bottles = self.plant.bottles_in_all();
        self.plant.unload();
        bottles
    }

    /// Whether bottles are in.
    pub(crate) fn is_loaded(&self) -> bool {
        self.plant.bottles() > 0
    }

    fn is_silent(&self) -> bool {
        [Kind::CommLost, Kind::SupplyDip, Kind::PowerLost]
            .iter()
            .any(|kind| self.active(*kind).is_some())
    }

    /// Gives the machine a command; false if it did not arrive, or was not taken.
    pub(crate) fn send(&mut self, command: &Command) -> bool {
        if self.is_silent() || self.active(Kind::CommandsLost).is_some() {
            return false;
        }
        self.heard = self.now;
        if self.active(Kind::DeviceManual).is_some() {
            let heat = self.plant.commanded().heat;
            self.plant.command(&Command { heat, ..*command });
            return self.plant.commanded().heat == command.heat;
        }
        self.plant.command(command);
        true
    }

    /// Asks the machine for all its channels.
    pub(crate) fn read(&mut self) -> Heard {
        self.begin_and_end();
        if self.active(Kind::ReadingLate).is_some() {
            return Heard::TooLate;
        }
        if self.is_silent() {
            return Heard::Answer(self.nothing());
        }
        if self.active(Kind::ReadingRepeated).is_some()
            && let Some(newest) = self.newest
        {
            return Heard::Answer(newest);
        }
        let mut reading = self.nothing();
        reading.bath = self.sample(Channel::Bath);
        let milk = reading.milk.iter_mut().take(self.milk_probes.min(MILK_PROBES_MAX));
        for (index, slot) in milk.enumerate() {
            *slot = Some(self.sample(Channel::Milk(index)));
        }
        reading.reference = self.has_reference.then(|| self.sample(Channel::Reference));
        let closed = self.plant.lid_closed();
        reading.lid = self.has_lid.then_some(Switch { on: Some(closed), quality: Quality::Good });
        if self.has_lid && !closed {
            let standing = self.standing.iter_mut().filter(|standing| standing.is_active());
            standing.for_each(|standing| standing.became.lid_told = true);
        }
        if self.active(Kind::ReadingStale).is_some() {
            make_stale(&mut reading);
        }
        self.newest = Some(reading);
        Heard::Answer(reading)
    }

    /// A reading in which nothing answered.
    pub(crate) fn nothing(&self) -> Reading {
        let missing = Sample::missing(Quality::Comm);
        Reading {
            reference: self.has_reference.then_some(missing),
            lid: self.has_lid.then_some(Switch { on: None, quality: Quality::Comm }),
            ..Reading::nothing(self.milk_probes, true)
        }
    }
}

fn make_stale(reading: &mut Reading) {
    let milk = reading.milk.iter_mut().flatten();
    for sample in milk.chain(&mut reading.reference).chain([&mut reading.bath]) {
        (sample.quality, sample.age_ms) = (Quality::Stale, 5_000);
    }
}
