//! What a person sees of one period.

use holder_hal::{Celsius, Command, MILK_PROBES_MAX, Machine, Reading, Sample, Tick};

use super::ControlLoop;
use crate::batch::event::Effects;
use crate::batch::params::Probe;
use crate::station::view::{Shown, View};

impl<M: Machine> ControlLoop<M> {
    pub(super) fn view(&mut self, now: Tick, effects: &Effects, sent: Command) -> View {
        let params = self.engine.params();
        let nothing = Reading::nothing(params.milk.len(), params.simulated);
        let reading = self.last_reading.unwrap_or(nothing);
        let mut milk = [None; MILK_PROBES_MAX];
        for ((cell, sample), probe) in milk.iter_mut().zip(reading.milk).zip(&params.milk) {
            *cell = sample.map(|sample| shown(probe, sample));
        }
        let reference = reading.reference.zip(params.reference.as_ref());
        View {
            batch: self.recorder.batch().to_owned(),
            unit: params.unit.clone(),
            recipe: params.recipe.name.clone(),
            purpose: params.purpose,
            simulated: params.simulated || reading.simulated,
            at: now,
            utc_ms: self.clock.utc_ms(),
            phase: self.engine.phase(),
            phase_since: self.phase_since,
            held_ms: self.engine.held_ms(),
            hold_ms: params.recipe.hold.hold_ms,
            holds_broken: self.engine.holds_broken(),
            floor: params.recipe.hold.floor,
            limit: params.limit_max(),
            ceiling: params.recipe.ceiling.note,
            cooling_target: params.recipe.cooling.target,
            bath: shown(&params.bath, reading.bath),
            milk,
            reference: reference.map(|(sample, probe)| shown(probe, sample)),
            lid_closed: reading.lid.and_then(|lid| lid.on),
            command: sent,
            confirmed: self.orders.arrive(),
            alarms: self.engine.alarms().collect(),
            news: [std::mem::take(&mut self.history), effects.entries.clone()].concat(),
            heat_waits: self.engine.waits_for_heat(),
            message: self.message.take(),
        }
    }
}

fn shown(probe: &Probe, sample: Sample) -> Shown {
    let value: Option<Celsius> = sample.raw.map(|raw| probe.certificate.correct(raw));
    Shown { value, quality: sample.quality }
}
