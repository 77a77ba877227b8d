//! The heat balance of element, bath and bottles, and its integration.
//!
//! Six classes of bottles stand for all: slow, nominal and fast positions, the control bottle, and
//! bottles that somebody adds later, twice at most, in a nominal position. Each has a wall, a bulk of milk and a cold spot that mixes last. Temperatures are
//! in °C, powers in W, times in s.

use crate::params::{PlantParams, WATER_J_L_K};

/// Places of the classes in [`State::bottles`].
pub(crate) const SLOW: usize = 0;
pub(crate) const NOMINAL: usize = 1;
pub(crate) const FAST: usize = 2;
pub(crate) const CONTROL: usize = 3;
pub(crate) const ADDED: [usize; 2] = [4, 5];
/// How many classes there are.
pub const CLASSES: usize = 6;

/// Shares of the load in the slow, nominal and fast positions; the control bottle is one more.
const SHARES: [f64; 3] = [0.25, 0.50, 0.25];

/// What an idle agitator leaves of the heat transfer, and how much slower milk mixes then.
const IDLE_TRANSFER_FACTOR: f64 = 0.45;
const IDLE_MIX_FACTOR: f64 = 8.0;
/// What air leaves of the transfer to the bottle's outside.
const AIR_TRANSFER_FACTOR: f64 = 0.02;
/// How much more an open bath loses.
const OPEN_LID_LOSS_FACTOR: f64 = 5.0;

/// Temperatures of one class of bottles, or their rates in K/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bottle {
    pub(crate) wall: f64,
    pub(crate) milk: f64,
    pub(crate) cold: f64,
}

impl Bottle {
    pub(crate) const fn all_at(temperature_c: f64) -> Self {
        Self { wall: temperature_c, milk: temperature_c, cold: temperature_c }
    }
}

/// Everything that stores heat, or its rates of change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) heater_w: f64,
    pub(crate) bath: f64,
    pub(crate) bottles: [Bottle; CLASSES],
}

impl State {
    /// The state after `dt` seconds at these rates.
    fn plus(&self, rate: &Self, dt: f64) -> Self {
        let mut next = *self;
        next.heater_w += rate.heater_w * dt;
        next.bath += rate.bath * dt;
        for (bottle, rate) in next.bottles.iter_mut().zip(&rate.bottles) {
            bottle.wall += rate.wall * dt;
            bottle.milk += rate.milk * dt;
            bottle.cold += rate.cold * dt;
        }
        next
    }
}

/// What acts on the heat balance from outside, constant during a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Surroundings {
    /// Power that reaches the element, W.
    pub(crate) element_w: f64,
    pub(crate) agitated: bool,
    pub(crate) coolant_open: bool,
    pub(crate) lid_closed: bool,
    /// The bath has no water: the bottles stand in air.
    pub(crate) drained: bool,
    /// How many bottles of each class are in the bath.
    pub(crate) counts: [f64; CLASSES],
}

/// The constants of the heat balance, worked out once from the parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Constants {
    heater_lag_s: f64,
    bath_j_k: f64,
    loss_w_k: f64,
    ambient_c: f64,
    coolant_w_k: f64,
    coolant_c: f64,
    outer_w_k: f64,
    inner_w_k: f64,
    wall_j_k: f64,
    milk_j_k: f64,
    cold_share: f64,
    mix_s: f64,
    factors: [f64; CLASSES],
}

/// How many bottles of each class a load of `bottles` is; no bottle, no control bottle.
pub(crate) fn counts(bottles: u32) -> [f64; CLASSES] {
    let total = f64::from(bottles);
    let control = if bottles > 0 { 1.0 } else { 0.0 };
    let [slow, nominal, fast] = SHARES.map(|share| share * total);
    [slow, nominal, fast, control, 0.0, 0.0]
}

/// Heat that a flow of cold water carries away per kelvin, W/K.
fn coolant_w_k(l_min: f64) -> f64 {
    l_min / 60.0 * WATER_J_L_K
}

impl Constants {
    pub(crate) fn new(params: &PlantParams) -> Self {
        let bottle = &params.bottle;
        let surface = bottle.surface_factor();
        let transfer_w_k = bottle.transfer_w_k * surface;
        let inner_share = bottle.inner_resistance_share;
        Self {
            heater_lag_s: params.heater_lag_s,
            bath_j_k: params.bath_l * WATER_J_L_K + params.vessel_j_k,
            loss_w_k: params.loss_w_k,
            ambient_c: params.ambient_c,
            coolant_w_k: coolant_w_k(params.coolant_l_min),
            coolant_c: params.coolant_c,
            outer_w_k: transfer_w_k / (1.0 - inner_share),
            inner_w_k: transfer_w_k / inner_share,
            wall_j_k: bottle.wall_j_k * surface,
            milk_j_k: bottle.milk_j_k(),
            cold_share: bottle.cold_share,
            mix_s: bottle.mix_s,
            factors: [
                1.0 - bottle.spread,
                1.0,
                1.0 + bottle.spread,
                bottle.control_factor,
                1.0,
                1.0,
            ],
        }
    }

    /// Other cold water than the machine was built with.
    pub(crate) fn set_coolant(&mut self, l_min: f64, coolant_c: f64) {
        (self.coolant_w_k, self.coolant_c) = (coolant_w_k(l_min), coolant_c);
    }

    /// Loss to the room per kelvin, W/K.
    pub(crate) fn loss_w_k(&self, lid_closed: bool) -> f64 {
        if lid_closed { self.loss_w_k } else { self.loss_w_k * OPEN_LID_LOSS_FACTOR }
    }

    /// Heat stored above 0 °C, J, in the bath and in bottles of these counts.
    #[cfg(test)]
    pub(crate) fn energy_j(&self, state: &State, counts: &[f64; CLASSES]) -> f64 {
        let bottles: f64 = state
            .bottles
            .iter()
            .zip(counts)
            .map(|(bottle, count)| {
                let milk = (1.0 - self.cold_share) * bottle.milk + self.cold_share * bottle.cold;
                count * (self.wall_j_k * bottle.wall + self.milk_j_k * milk)
            })
            .sum();
        self.bath_j_k * state.bath + bottles
    }

    /// The rates of change of `state`.
    fn rates(&self, state: &State, around: &Surroundings) -> State {
        let moving = if around.agitated { 1.0 } else { IDLE_TRANSFER_FACTOR };
        let mix_s = if around.agitated { self.mix_s } else { self.mix_s * IDLE_MIX_FACTOR };
        let outside = if around.drained { moving * AIR_TRANSFER_FACTOR } else { moving };
        let mut rates = State {
            heater_w: (around.element_w - state.heater_w) / self.heater_lag_s,
            bath: 0.0,
            bottles: [Bottle::all_at(0.0); CLASSES],
        };
        let mut to_bath_w =
            state.heater_w - self.loss_w_k(around.lid_closed) * (state.bath - self.ambient_c);
        if around.coolant_open {
            to_bath_w -= self.coolant_w_k * (state.bath - self.coolant_c);
        }
        for (class, rate) in rates.bottles.iter_mut().enumerate() {
            let (bottle, count) = (&state.bottles[class], around.counts[class]);
            if count <= 0.0 {
                continue;
            }
            let factor = self.factors[class];
            let outer_w = self.outer_w_k * outside * factor * (state.bath - bottle.wall);
            let inner_w = self.inner_w_k * moving * factor * (bottle.wall - bottle.milk);
            let mixing_w = self.cold_share * self.milk_j_k / mix_s * (bottle.milk - bottle.cold);
            rate.wall = (outer_w - inner_w) / self.wall_j_k;
            rate.milk = (inner_w - mixing_w) / ((1.0 - self.cold_share) * self.milk_j_k);
            rate.cold = (bottle.milk - bottle.cold) / mix_s;
            to_bath_w -= count * outer_w;
        }
        // An empty vessel keeps its temperature: what little it exchanges is of no interest.
        if !around.drained {
            rates.bath = to_bath_w / self.bath_j_k;
        }
        rates
    }

    /// The state `dt` seconds later, by the midpoint rule. The fastest constant is the wall's
    /// (6 s; 2.3 s in the most extreme plant drawn), so that 0.5 s is accurate to a millikelvin.
    pub(crate) fn step(&self, state: &State, around: &Surroundings, dt: f64) -> State {
        let middle = state.plus(&self.rates(state, around), dt / 2.0);
        state.plus(&self.rates(&middle, around), dt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(counts: [f64; CLASSES]) -> Surroundings {
        Surroundings {
            element_w: 0.0,
            agitated: true,
            coolant_open: false,
            lid_closed: true,
            drained: false,
            counts,
        }
    }

    #[test]
    fn heat_is_neither_made_nor_lost() {
        let params = PlantParams { loss_w_k: 0.0, ..PlantParams::nominal() };
        let constants = Constants::new(&params);
        let around = Surroundings { element_w: 2000.0, ..around(counts(48)) };
        let mut state =
            State { heater_w: 2000.0, bath: 63.0, bottles: [Bottle::all_at(4.0); CLASSES] };
        let before = constants.energy_j(&state, &around.counts);
        for _ in 0..7200 {
            state = constants.step(&state, &around, 0.5);
        }
        let gained = constants.energy_j(&state, &around.counts) - before;
        assert!((gained - 2000.0 * 3600.0).abs() < 1.0, "gained {gained} J");
    }

    #[test]
    fn a_tenth_of_the_step_gives_the_same_answer() {
        // The most extreme bottle of the range: thin wall, strong transfer, fast position.
        let mut params = PlantParams::nominal();
        params.bottle.transfer_w_k *= 1.3;
        params.bottle.inner_resistance_share *= 1.3;
        params.bottle.wall_j_k *= 0.7;
        let constants = Constants::new(&params);
        let around = Surroundings { element_w: 6000.0, ..around(counts(48)) };
        let start = State { heater_w: 0.0, bath: 63.0, bottles: [Bottle::all_at(4.0); CLASSES] };
        let run = |dt: f64, steps: u32| {
            (0..steps).fold(start, |state, _| constants.step(&state, &around, dt))
        };
        for seconds in [5, 60, 600] {
            let (coarse, fine) = (run(0.5, seconds * 2), run(0.05, seconds * 20));
            assert!((coarse.bath - fine.bath).abs() < 0.005);
            for (coarse, fine) in coarse.bottles.iter().zip(&fine.bottles) {
                assert!((coarse.cold - fine.cold).abs() < 0.005);
                assert!((coarse.milk - fine.milk).abs() < 0.005);
            }
        }
    }
}
