//! The plant: a water bath with its heater, its bottles, its probes and simulated time.
//!
//! **Terms.** *Truth* is what the milk really went through; *probe values* are what a device
//! would report. Nothing that decides may look at the truth, and nothing that judges the
//! deciders may look at the probes. The *control bottle* stands in the fridge until loading.

mod truth;

pub use truth::Truth;

use std::collections::VecDeque;

use holder_hal::{Command, Heat, MILK_PROBES_MAX};

use crate::params::PlantParams;
use crate::pi::InnerPi;
use crate::probe::Probe;
pub use crate::thermal::CLASSES;
use crate::thermal::{self, ADDED, Bottle, CONTROL, Constants, FAST, State, Surroundings};
use crate::troubles::{HeaterState, ProbeSite, Troubles};

/// More bottles than any bath holds.
pub const BOTTLES_MAX: u32 = 200;
/// The fixed step of integration, in milliseconds.
const STEP_MS: u64 = 500;
const STEP_S: f64 = 0.5;

/// One pasteurizer made of equations. The same parameters, seed and commands always give the
/// same curve, however the time is sliced.
#[derive(Clone, Debug)]
pub struct Plant {
    params: PlantParams,
    constants: Constants,
    state: State,
    /// Duties on their way through the heater's dead time, oldest first.
    duties: VecDeque<f64>,
    arriving: f64,
    supply_share: f64,
    pi: InnerPi,
    command: Command,
    troubles: Troubles,
    limit_tripped: bool,
    lid_closed: bool,
    bottles: u32,
    /// Classes of the load that somebody has not put in yet.
    outside: [bool; CLASSES],
    added: [u32; ADDED.len()],
    elapsed_ms: u64,
    pending_ms: u64,
    bath_probe: Probe,
    milk_probes: Vec<Probe>,
    milk_homes: [Part; MILK_PROBES_MAX],
    reference_probe: Probe,
}

/// A part of a load that goes in at one time: the bottles of one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Those that warm slowest.
    Slow,
    /// Half of the load.
    Nominal,
    /// Those that warm fastest.
    Fast,
    /// The control bottle.
    Control,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 4] = [Self::Slow, Self::Nominal, Self::Fast, Self::Control];

    const fn class(self) -> usize {
        match self {
            Self::Slow => thermal::SLOW,
            Self::Nominal => thermal::NOMINAL,
            Self::Fast => FAST,
            Self::Control => CONTROL,
        }
    }
}

/// A seed for each probe from the plant's seed: the golden ratio keeps them far apart.
fn probe_seed(seed: u64, index: u64) -> u64 {
    seed ^ (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Plant {
    /// A machine that was just switched on: bath at room temperature, no bottles, lid closed,
    /// safe state. It has `milk_probes` probes in the control bottle's cold spot and one
    /// independent probe beside them.
    pub fn new(params: PlantParams, seed: u64, milk_probes: usize) -> Self {
        let probe = &params.probe;
        let start_c = params.bottle.start_c;
        let milk_errors = (probe.milk_bias_k, probe.milk_drift_k_h, probe.noise_k);
        let dead_steps = (params.heater_dead_s / STEP_S).round().max(0.0) as usize;
        Self {
            constants: Constants::new(&params),
            state: State {
                heater_w: 0.0,
                bath: params.ambient_c,
                bottles: [Bottle::all_at(start_c); CLASSES],
            },
            duties: core::iter::repeat_n(0.0, dead_steps).collect(),
            arriving: 0.0,
            supply_share: 0.0,
            pi: InnerPi::simc(&params),
            command: Command::safe(false),
            troubles: Troubles::default(),
            limit_tripped: false,
            milk_homes: [Part::Control; MILK_PROBES_MAX],
            lid_closed: true,
            bottles: 0,
            outside: [false; CLASSES],
            added: [0; ADDED.len()],
            elapsed_ms: 0,
            pending_ms: 0,
            bath_probe: Probe::new(
                probe.bath_lag_s,
                (probe.bath_bias_k, 0.0, probe.noise_k),
                params.ambient_c,
                probe_seed(seed, 0),
            ),
            reference_probe: Probe::new(
                probe.milk_lag_s,
                (0.0, 0.0, probe.noise_k),
                start_c,
                probe_seed(seed, 1),
            ),
            milk_probes: (0..milk_probes as u64)
                .map(|i| {
                    Probe::new(probe.milk_lag_s, milk_errors, start_c, probe_seed(seed, 2 + i))
                })
                .collect(),
            params,
        }
    }

    /// A machine in the middle of a hold: bath, `bottles` bottles and probes all at `hold_c`,
    /// the set point there too, and the probes without any error, so that a client reads
    /// exactly that.
    pub fn mid_hold(params: PlantParams, seed: u64, milk_probes: usize, hold_c: f64) -> Self {
        let mut plant = Self::new(params, seed, milk_probes);
        plant.bottles = params.bottles.clamp(1, BOTTLES_MAX);
        plant.settle(hold_c);
        for probe in plant.all_probes() {
            probe.make_exact();
        }
        plant
    }

    /// Brings everything to `hold_c` in balance, the heater covering the loss.
    pub(crate) fn settle(&mut self, hold_c: f64) {
        let loss_w = self.constants.loss_w_k(self.lid_closed) * (hold_c - self.params.ambient_c);
        let duty = (loss_w / self.params.heater_w).clamp(0.0, 1.0);
        self.state = State {
            heater_w: duty * self.params.heater_w,
            bath: hold_c,
            bottles: [Bottle::all_at(hold_c); CLASSES],
        };
        self.duties.iter_mut().for_each(|slot| *slot = duty);
        self.arriving = duty;
        self.pi.reset(duty);
        if let Some(setpoint) = holder_hal::Celsius::from_f64(hold_c) {
            self.command = Command { heat: Heat::Setpoint(setpoint), ..self.command };
        }
        for probe in self.all_probes() {
            probe.settle(hold_c);
        }
    }

    fn all_probes(&mut self) -> impl Iterator<Item = &mut Probe> {
        self.milk_probes.iter_mut().chain([&mut self.bath_probe, &mut self.reference_probe])
    }

    /// Lets `ms` milliseconds pass; what does not fill a step of 500 ms waits for the next call.
    pub fn advance(&mut self, ms: u64) {
        self.pending_ms = self.pending_ms.saturating_add(ms);
        while self.pending_ms >= STEP_MS {
            self.pending_ms -= STEP_MS;
            self.step();
        }
    }

    fn step(&mut self) {
        let duty = self.duty();
        self.duties.push_back(duty);
        self.arriving = self.duties.pop_front().unwrap_or(duty);
        let troubles = &self.troubles;
        self.limit_tripped |= troubles.limit_c.is_some_and(|limit_c| self.state.bath > limit_c);
        let is_dead = troubles.power_lost || self.limit_tripped;
        let share = |duty| if is_dead { 0.0 } else { troubles.heater.share(duty) };
        let powered = share(self.arriving);
        self.supply_share = share(duty);
        let around = Surroundings {
            element_w: powered * self.params.heater_w,
            agitated: self.command.agitator && !troubles.agitator_stopped && !troubles.power_lost,
            coolant_open: (self.command.cooling && !troubles.power_lost) || troubles.valve_leaks,
            lid_closed: self.lid_closed,
            drained: false,
            counts: self.counts(),
        };
        self.state = self.constants.step(&self.state, &around, STEP_S);
        self.elapsed_ms += STEP_MS;
        let control_c = self.state.bottles[CONTROL].cold;
        let (bath_c, air_c) = (self.state.bath, self.params.ambient_c);
        self.bath_probe.advance(bath_c, STEP_S);
        self.reference_probe.advance(control_c, STEP_S);
        let sites = self.troubles.milk_sites.into_iter().zip(self.milk_homes);
        for (probe, (site, home)) in self.milk_probes.iter_mut().zip(sites) {
            let around_c = match site {
                ProbeSite::Milk => self.state.bottles[home.class()].cold,
                ProbeSite::Bath => bath_c,
                ProbeSite::Air => air_c,
            };
            probe.advance(around_c, STEP_S);
        }
    }

    /// Bottles of each class that are in the bath.
    fn counts(&self) -> [f64; CLASSES] {
        let mut counts = thermal::counts(self.bottles);
        for (class, added) in ADDED.into_iter().zip(self.added) {
            counts[class] = f64::from(added);
        }
        for (count, outside) in counts.iter_mut().zip(self.outside) {
            *count = if outside { 0.0 } else { *count };
        }
        counts
    }

    /// The duty that leaves for the element now, 0…1.
    fn duty(&mut self) -> f64 {
        let wanted = match self.command.heat {
            Heat::Off => {
                self.pi.reset(0.0);
                0.0
            }
            Heat::Setpoint(setpoint) => {
                let seen_c = self.troubles.bath_shown_c.unwrap_or(self.bath_probe.value_c());
                self.pi.step(setpoint.as_f64() - seen_c, STEP_S)
            }
            Heat::Duty(duty) => {
                self.pi.reset(duty.share());
                duty.share()
            }
        };
        if self.troubles.heater == HeaterState::Welded { 1.0 } else { wanted }
    }

    /// Follows this command until the next one.
    pub fn command(&mut self, command: &Command) {
        self.command = *command;
    }

    /// The command that is being followed.
    pub fn commanded(&self) -> Command {
        self.command
    }

    /// Puts `bottles` bottles with fresh milk and the control bottle into the bath; 0 unloads.
    /// No more than [`BOTTLES_MAX`] go in.
    pub fn load(&mut self, bottles: u32) {
        (self.bottles, self.added) = (bottles.min(BOTTLES_MAX), [0; ADDED.len()]);
        self.state.bottles = [Bottle::all_at(self.params.bottle.start_c); CLASSES];
        self.outside = [false; CLASSES];
    }

    /// Begins to put `bottles` bottles and the control bottle into the bath, part by part: none of
    /// them is in before [`Self::put_in`] says so.
    pub fn begin_load(&mut self, bottles: u32) {
        self.load(bottles);
        for part in Part::ALL {
            self.outside[part.class()] = true;
        }
    }

    /// This part of a load that was begun goes in; once it is in, this does nothing.
    pub fn put_in(&mut self, part: Part) {
        if std::mem::take(&mut self.outside[part.class()]) {
            self.state.bottles[part.class()] = Bottle::all_at(self.params.bottle.start_c);
        }
    }

    /// Adds `bottles` bottles of this temperature, °C, to those that are in, which nobody told
    /// anyone. Their milk counts as milk of the load. At most [`BOTTLES_MAX`] are added, and what is
    /// added after the second time stands with the second.
    pub fn add_cold(&mut self, bottles: u32, milk_c: f64) {
        let again = usize::from(self.added[0] > 0);
        self.added[again] = bottles.min(BOTTLES_MAX);
        self.state.bottles[ADDED[again]] = Bottle::all_at(milk_c);
    }

    /// Takes all bottles out; the control bottle goes back to the fridge with fresh milk.
    pub fn unload(&mut self) {
        self.load(0);
    }

    /// Milk probe `index` stands in the cold spot of a bottle of this part from now on; they all
    /// stand in the control bottle at first.
    pub fn stand_probe(&mut self, index: usize, part: Part) {
        if let Some(home) = self.milk_homes.get_mut(index) {
            *home = part;
        }
    }

    /// Bottles in the bath, the control bottle not counted.
    pub fn bottles(&self) -> u32 {
        self.bottles
    }

    /// The same with those that were added: what somebody counts who takes them out.
    pub fn bottles_in_all(&self) -> u32 {
        self.added.iter().fold(self.bottles, |all, added| all.saturating_add(*added))
    }

    /// Opens (false) or closes (true) the lid.
    pub fn set_lid(&mut self, closed: bool) {
        self.lid_closed = closed;
    }

    /// The share of full power that reaches the element, 0…1.
    pub fn duty_share(&self) -> f64 {
        self.arriving
    }

    /// Whether the lid is closed.
    pub fn lid_closed(&self) -> bool {
        self.lid_closed
    }

    /// Lets the heater's relay stick closed (true), so that no command switches it off.
    pub fn weld_heater(&mut self, welded: bool) {
        self.troubles.heater = if welded { HeaterState::Welded } else { HeaterState::Sound };
    }

    /// What is wrong with the machine, to break and to mend it.
    pub fn troubles_mut(&mut self) -> &mut Troubles {
        &mut self.troubles
    }

    /// Cold water of this flow, l/min, and temperature, °C, from now on.
    pub fn set_coolant(&mut self, l_min: f64, coolant_c: f64) {
        self.constants.set_coolant(l_min, coolant_c);
    }

    /// Whether the limit thermostat has taken the power away; it stays away.
    pub fn limit_tripped(&self) -> bool {
        self.limit_tripped
    }

    /// Simulated time since the machine was switched on, in milliseconds.
    pub fn elapsed_ms(&self) -> u64 {
        self.elapsed_ms + self.pending_ms
    }

    /// What this machine is made of.
    pub fn params(&self) -> &PlantParams {
        &self.params
    }

    /// What the bath probe reports, °C, before the device rounds it.
    pub fn bath_probe_c(&self) -> f64 {
        self.bath_probe.value_c()
    }

    /// What milk probe `index` reports, °C, before the device rounds it; `None` if the
    /// machine has no such probe.
    pub fn milk_probe_c(&self, index: usize) -> Option<f64> {
        self.milk_probes.get(index).map(Probe::value_c)
    }

    /// How many milk probes the machine has.
    pub fn milk_probes(&self) -> usize {
        self.milk_probes.len()
    }

    /// What the independent probe beside the milk probes reports, °C.
    pub fn reference_probe_c(&self) -> f64 {
        self.reference_probe.value_c()
    }
}

#[cfg(test)]
mod tests;
