//! Whole batches on drawn plants, sound and broken, with the truth beside the curve.

use holder_hal::{Command, Kelvin, Reading, Tick};
use holder_sim::machine::SimMachine;
use holder_sim::params::PlantParams;

use super::*;
use crate::batch::engine::Engine;
use crate::batch::event::{Input, asked};
use crate::batch::fixture;
use crate::batch::params::{BatchParams, Heater};

/// How far a batch has come when something goes wrong with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Seconds since the loading; `None` before.
    pub(super) loaded_s: Option<u64>,
    /// Seconds since the hold began; `None` outside of it.
    pub(super) held_s: Option<u64>,
    pub(super) phase: PhaseName,
}

/// A batch on a plant.
pub(super) struct Run {
    pub(super) plant: PlantParams,
    pub(super) seed: u64,
    pub(super) resolution_k: f64,
    pub(super) params: BatchParams,
}

/// What it gave.
pub(super) struct Ran {
    pub(super) curve: Curve,
    /// The longest time that all milk was really at the floor or above, milliseconds.
    pub(super) true_hold_ms: u64,
}

impl Run {
    /// A good plant with two milk probes in the control bottle.
    pub(super) fn drawn(seed: u64, resolution_k: f64) -> Self {
        let step = Kelvin::from_f64(resolution_k).expect("a step");
        let mut params = fixture::params();
        let probes = params.milk.iter_mut().chain([&mut params.bath]);
        probes.for_each(|probe| probe.resolution = step);
        Self { plant: PlantParams::drawn(seed), seed, resolution_k, params }
    }

    /// The same with one milk probe only.
    pub(super) fn single(mut self) -> Self {
        self.params.milk.truncate(1);
        self
    }

    /// The same with a reference probe in the bottle of the milk probe.
    pub(super) fn referenced(mut self) -> Self {
        let mut reference = fixture::probe("probes.reference");
        reference.resolution = self.params.bath.resolution;
        self.params.reference = Some(reference);
        self
    }

    /// The same on a machine that is given its duty, and known to us.
    pub(super) fn driven_by_power(mut self) -> Self {
        let plant = &self.plant;
        let delay_s = plant.heater_dead_s + plant.heater_lag_s + plant.probe.bath_lag_s / 2.0;
        self.params.heater = Heater::Power {
            power_w: plant.heater_w as u32,
            bath_j_per_k: (plant.bath_l * 4_180.0 + plant.vessel_j_k) as u32,
            delay_ms: (delay_s * 1_000.0) as u32,
        };
        self
    }

    /// Nothing goes wrong.
    pub(super) fn sound(self) -> Ran {
        self.go(|_, _| (), |_, _| ())
    }

    /// Runs the batch; `machine` may break the machine before each period, and `shown` may
    /// change what it shows.
    pub(super) fn go(
        self,
        mut machine_trouble: impl FnMut(Now, &mut SimMachine),
        mut shown_trouble: impl FnMut(Now, &mut Reading),
    ) -> Ran {
        let bottles = self.plant.bottles;
        let reference = self.params.reference.clone();
        let mut machine =
            SimMachine::new(self.plant, self.seed, self.params.milk.len(), self.resolution_k);
        let floor_c = self.params.recipe.hold.floor.as_f64();
        let params = self.params.clone();
        let mut engine = Engine::credulous(self.params).expect("starts");
        let mut command = Command::safe(false);
        let mut curve = Curve {
            max_gap_ms: params.recipe.hold.max_gap_ms,
            half_resolution: Kelvin::from_milli(params.milk[0].resolution.milli() / 2),
            has_reference: reference.is_some(),
            has_lid: true,
            own_record: true,
            milk_uncertainty: params.milk.iter().map(|p| p.certificate.uncertainty).collect(),
            rows: Vec::with_capacity(6_000),
            ..good()
        };
        let (mut above_since, mut true_hold_ms) = (None, 0);
        for t_s in 0..40_000_u64 {
            let at = Tick::from_ms(t_s * 1_000);
            let now = Now {
                loaded_s: curve.load_ms.map(|load_ms| t_s - load_ms / 1_000),
                held_s: engine.held_ms().map(|held_ms| held_ms / 1_000),
                phase: engine.phase(),
            };
            machine_trouble(now, &mut machine);
            let mut reading = machine.step(&command, 1_000);
            shown_trouble(now, &mut reading);
            command = engine.step(at, Input::Reading(reading)).command;
            let phase = engine.phase();
            curve.rows.push(seen(&params, at, &reading, phase));
            let is_above = machine.truth().coldest_milk().is_some_and(|c| c >= floor_c);
            above_since = is_above.then(|| above_since.unwrap_or(at));
            true_hold_ms = true_hold_ms.max(above_since.map_or(0, |since| at.ms_since(since)));
            if phase.is_final() {
                break;
            }
            let Some(action) = asked(phase, bottles as u16) else { continue };
            if phase == PhaseName::Load {
                machine.load(bottles);
                (curve.load_ms, curve.bottles_in) = (Some(at.ms()), Some(bottles as u16));
            }
            if phase == PhaseName::Unload {
                curve.counts_out.push(bottles as u16);
            }
            command = engine.step(at, Input::Operator(action)).command;
        }
        curve.engine_accepts = engine.accepts();
        curve.engine_holds_broken = Some(engine.holds_broken());
        curve.end_phase = Some(engine.phase());
        Ran { curve, true_hold_ms }
    }
}

fn seen(params: &BatchParams, at: Tick, reading: &Reading, phase: PhaseName) -> Row {
    let mut milk = [None; MILK_PROBES_MAX];
    for ((slot, probe), sample) in milk.iter_mut().zip(&params.milk).zip(reading.milk) {
        *slot = sample.and_then(|sample| probe.trusted(sample));
    }
    let reference = params.reference.as_ref();
    Row {
        t_ms: at.ms(),
        milk,
        bath: params.bath.trusted(reading.bath),
        reference: reference.zip(reading.reference).and_then(|(probe, s)| probe.trusted(s)),
        lid: reading.lid.and_then(|lid| lid.on),
        phase: Some(phase),
        heats: None,
    }
}
