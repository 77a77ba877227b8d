//! One plant in the process: a command in, a period passes, a reading out. No sockets.
//!
//! For the tests of the rules, the soak and the in-process bench. The reading is what devices
//! with this resolution would show; the truth is beside it.

use holder_hal::{Celsius, Command, MILK_PROBES_MAX, Quality, Reading, Sample, Switch};

use crate::params::PlantParams;
use crate::plant::{Plant, Truth};

/// A simulated machine without wires. It takes set points and duties alike: what the command
/// carries decides whether its own controller or the caller drives the heater.
#[derive(Clone, Debug)]
pub struct SimMachine {
    plant: Plant,
    resolution_k: f64,
}

impl SimMachine {
    /// A cold, empty machine with `milk_probes` milk probes (at most 8) whose devices report
    /// in steps of `resolution_k` kelvin (0.1 for controllers, 0.01 for good RTD inputs).
    pub fn new(params: PlantParams, seed: u64, milk_probes: usize, resolution_k: f64) -> Self {
        let milk_probes = milk_probes.min(MILK_PROBES_MAX);
        Self { plant: Plant::new(params, seed, milk_probes), resolution_k }
    }

    /// Follows `command` for `period_ms` milliseconds, then reads every channel.
    pub fn step(&mut self, command: &Command, period_ms: u64) -> Reading {
        self.plant.command(command);
        self.plant.advance(period_ms);
        self.read()
    }

    /// Reads every channel; time stands still.
    pub fn read(&self) -> Reading {
        let mut milk = [None; MILK_PROBES_MAX];
        for (index, slot) in milk.iter_mut().enumerate() {
            *slot = self.plant.milk_probe_c(index).map(|value_c| self.sample(value_c));
        }
        Reading {
            bath: self.sample(self.plant.bath_probe_c()),
            milk,
            reference: Some(self.sample(self.plant.reference_probe_c())),
            lid: Some(Switch { on: Some(self.plant.lid_closed()), quality: Quality::Good }),
            simulated: true,
        }
    }

    fn sample(&self, value_c: f64) -> Sample {
        let rounded_c = (value_c / self.resolution_k).round() * self.resolution_k;
        Celsius::from_f64(rounded_c).map_or(Sample::missing(Quality::OutOfRange), Sample::good)
    }

    /// The machine itself: to load it, to open its lid, to break it.
    pub fn plant_mut(&mut self) -> &mut Plant {
        &mut self.plant
    }

    /// The machine itself, to look at.
    pub fn plant(&self) -> &Plant {
        &self.plant
    }

    /// Loads `bottles` bottles and the control bottle.
    pub fn load(&mut self, bottles: u32) {
        self.plant.load(bottles);
    }

    /// Takes all bottles out.
    pub fn unload(&mut self) {
        self.plant.unload();
    }

    /// What is really the case.
    pub fn truth(&self) -> Truth {
        self.plant.truth()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holder_hal::Heat;

    #[test]
    fn a_reading_comes_in_whole_steps_of_the_resolution() {
        let mut machine = SimMachine::new(PlantParams::nominal(), 3, 2, 0.1);
        let setpoint = Heat::Setpoint(Celsius::from_milli(63_000));
        let command = Command { heat: setpoint, ..Command::safe(false) };
        for _ in 0..100 {
            let reading = machine.step(&command, 1000);
            for sample in [Some(reading.bath), reading.milk[0], reading.milk[1], reading.reference]
            {
                let raw = sample.and_then(Sample::trusted).expect("every probe works");
                assert_eq!(raw.milli() % 100, 0, "{raw}");
            }
            assert_eq!(reading.milk[2], None);
            assert!(reading.simulated);
        }
    }
}
