//! What one simulated machine is made of: nominal values, and plants drawn from the good range.
//!
//! Units: litre, watt, kelvin, second, °C. Where a value is an assumption, the comment says so.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Heat capacity of a litre of water, J/K.
pub(crate) const WATER_J_L_K: f64 = 4180.0;
/// Heat capacity of a litre of milk, J/K: 3930 J/(kg K) at 1.03 kg/l.
const MILK_J_L_K: f64 = 3930.0 * 1.03;
/// The bottle for which the transfer coefficients are given, in litres.
const REFERENCE_BOTTLE_L: f64 = 0.130;

/// The bottles and the milk in them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BottleParams {
    /// Milk in one bottle, l.
    pub volume_l: f64,
    /// Heat transfer from bath to milk of a 0.130 l bottle, agitated, W/K.
    pub transfer_w_k: f64,
    /// Share of that transfer's resistance between wall and milk, 0…1; the rest is outside.
    pub inner_resistance_share: f64,
    /// Heat capacity of the wall of a 0.130 l bottle, J/K.
    pub wall_j_k: f64,
    /// Share of the milk that mixes last, 0…1: the cold spot.
    pub cold_share: f64,
    /// Time in which the cold spot follows the bulk, s.
    pub mix_s: f64,
    /// How much slower and faster the slow and the fast position are, 0…1 (assumed: no
    /// published figure was found).
    pub spread: f64,
    /// Transfer of the control bottle relative to a nominal one (assumed).
    pub control_factor: f64,
    /// Milk at loading, °C.
    pub start_c: f64,
}

/// The probes: each is a first-order lag with an error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeParams {
    /// Lag of the bath probe in its pocket, s.
    pub bath_lag_s: f64,
    /// Lag of a milk probe, s.
    pub milk_lag_s: f64,
    /// What the bath probe reads too high, K.
    pub bath_bias_k: f64,
    /// What the milk probes read too high, K.
    pub milk_bias_k: f64,
    /// How fast the milk probes' error grows, K/h.
    pub milk_drift_k_h: f64,
    /// Standard deviation of the Gaussian noise of every probe, K.
    pub noise_k: f64,
}

/// One machine with its bottles, probes and surroundings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlantParams {
    /// Water in the bath, l.
    pub bath_l: f64,
    /// Heat capacity of the vessel, J/K.
    pub vessel_j_k: f64,
    /// Power of the heater, W.
    pub heater_w: f64,
    /// Lag of the heating element, s.
    pub heater_lag_s: f64,
    /// Time from switching until the element begins to answer, s.
    pub heater_dead_s: f64,
    /// Loss of the insulated bath with its lid closed, W/K.
    pub loss_w_k: f64,
    /// The room, °C.
    pub ambient_c: f64,
    /// Cold water through the open valve, l/min.
    pub coolant_l_min: f64,
    /// Temperature of the cold water, °C.
    pub coolant_c: f64,
    /// Bottles of milk that this machine is meant to be loaded with, control bottle not counted.
    pub bottles: u32,
    /// The bottles.
    pub bottle: BottleParams,
    /// The probes.
    pub probe: ProbeParams,
}

impl BottleParams {
    /// Heat capacity of the milk in one bottle, J/K.
    pub fn milk_j_k(&self) -> f64 {
        self.volume_l * MILK_J_L_K
    }

    /// How much more surface this bottle has than the reference bottle.
    pub(crate) fn surface_factor(&self) -> f64 {
        (self.volume_l / REFERENCE_BOTTLE_L).powf(2.0 / 3.0)
    }
}

impl PlantParams {
    /// The nominal machine: 40 l, 6 kW, 48 bottles of 0.130 l.
    pub fn nominal() -> Self {
        Self {
            bath_l: 40.0,
            vessel_j_k: 6000.0,
            heater_w: 6000.0,
            heater_lag_s: 12.0,
            heater_dead_s: 10.0,
            loss_w_k: 7.0,
            ambient_c: 22.0,
            coolant_l_min: 20.0,
            coolant_c: 4.0,
            bottles: 48,
            bottle: BottleParams {
                volume_l: REFERENCE_BOTTLE_L,
                transfer_w_k: 1.65,
                inner_resistance_share: 0.55,
                wall_j_k: 40.0,
                cold_share: 0.15,
                mix_s: 25.0,
                spread: 0.10,
                control_factor: 0.90,
                start_c: 4.0,
            },
            probe: ProbeParams {
                bath_lag_s: 8.0,
                milk_lag_s: 5.0,
                bath_bias_k: 0.0,
                milk_bias_k: 0.0,
                milk_drift_k_h: 0.0,
                noise_k: 0.02,
            },
        }
    }

    /// A good machine drawn from the range: most values uniform within ± 30 % of nominal, one
    /// machine in three built for 3 or 4.5 kW, one load in ten 36 bottles of 0.250 l. The
    /// probes are without bias: an error within the certificate is for the caller to set.
    pub fn drawn(seed: u64) -> Self {
        let rng = &mut Pcg64::seed_from_u64(seed);
        let nominal = Self::nominal();
        let about = |rng: &mut Pcg64, value: f64| value * rng.random_range(0.7..=1.3);
        let heater_w = match rng.random_range(0..6) {
            0 => 3000.0,
            1 => 4500.0,
            _ => about(rng, nominal.heater_w),
        };
        let (bottles, volume_l) = match rng.random_range(0..10) {
            0 => (36, 0.250),
            _ => {
                const LOADS: [u32; 8] = [1, 6, 12, 24, 36, 48, 60, 69];
                (LOADS[rng.random_range(0..LOADS.len())], REFERENCE_BOTTLE_L)
            }
        };
        Self {
            bath_l: about(rng, nominal.bath_l),
            vessel_j_k: about(rng, nominal.vessel_j_k),
            heater_w,
            heater_lag_s: about(rng, nominal.heater_lag_s),
            heater_dead_s: about(rng, nominal.heater_dead_s),
            loss_w_k: about(rng, nominal.loss_w_k),
            ambient_c: rng.random_range(15.0..=30.0),
            coolant_l_min: rng.random_range(10.0..=20.0),
            coolant_c: rng.random_range(4.0..=6.0),
            bottles,
            bottle: nominal.bottle.drawn(volume_l, rng),
            probe: ProbeParams { milk_lag_s: rng.random_range(3.0..=8.0), ..nominal.probe },
        }
    }
}

impl BottleParams {
    /// Bottles of `volume_l` drawn round these.
    fn drawn(&self, volume_l: f64, rng: &mut Pcg64) -> Self {
        let mut about = |value: f64| value * rng.random_range(0.7..=1.3);
        let transfer_w_k = about(self.transfer_w_k);
        let inner_resistance_share = about(self.inner_resistance_share);
        let wall_j_k = about(self.wall_j_k);
        let cold_share = about(self.cold_share);
        let mix_s = about(self.mix_s);
        let spread = rng.random_range(0.05..=0.15);
        Self {
            volume_l,
            transfer_w_k,
            inner_resistance_share,
            wall_j_k,
            cold_share,
            mix_s,
            spread,
            control_factor: (1.0 - spread) * rng.random_range(0.95..=1.05),
            start_c: rng.random_range(4.0..=8.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_draws_the_same_plant() {
        assert_eq!(PlantParams::drawn(7), PlantParams::drawn(7));
        assert_ne!(PlantParams::drawn(7), PlantParams::drawn(8));
    }

    #[test]
    fn drawn_plants_stay_in_the_good_range_and_reach_its_ends() {
        let plants: Vec<_> = (0..1000).map(PlantParams::drawn).collect();
        for plant in &plants {
            assert!((28.0..=52.0).contains(&plant.bath_l));
            assert!((3000.0..=7800.0).contains(&plant.heater_w));
            assert!((10.0..=20.0).contains(&plant.coolant_l_min));
            assert!((0.05..=0.15).contains(&plant.bottle.spread));
            let factor = plant.bottle.control_factor / (1.0 - plant.bottle.spread);
            assert!((0.949..=1.051).contains(&factor));
            assert!((4.0..=8.0).contains(&plant.bottle.start_c));
        }
        assert!(plants.iter().any(|plant| plant.bath_l < 30.0));
        assert!(plants.iter().any(|plant| plant.bath_l > 50.0));
        assert!(plants.iter().any(|plant| plant.bottle.volume_l == 0.250));
        assert!(plants.iter().any(|plant| plant.bottles == 1));
        assert!(plants.iter().any(|plant| plant.heater_w == 3000.0));
    }
}
