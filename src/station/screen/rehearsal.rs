//! A batch for the tests of the screen: the real engine on a machine of one formula, so that what
//! is drawn is what a batch looks like. Nothing is random, so that pictures compare.

use holder_hal::{Celsius, Heat, MILK_PROBES_MAX, Quality, Reading, Sample, Switch, Tick};

use crate::batch::engine::Engine;
use crate::batch::event::{Action, Input};
use crate::batch::fixture;
use crate::batch::params::{BatchParams, Purpose};
use crate::batch::phase::PhaseName;
use crate::station::view::{Shown, View};

/// A batch that is stepped once per second.
pub(super) struct Rehearsal {
    engine: Engine,
    now: Tick,
    phase_since: Tick,
    heat: Heat,
    cooling: bool,
    bath_c: f64,
    milk_c: [f64; 2],
    /// Whether the lid is closed.
    pub(super) lid_closed: bool,
    /// A milk probe that gives no value.
    pub(super) unplugged: Option<usize>,
    /// Whether the machine confirms what it is told.
    pub(super) confirmed: bool,
}

impl Rehearsal {
    /// Before the first step.
    pub(super) fn new() -> Self {
        Self::of(Purpose::Milk)
    }

    /// The same, with milk or water in the bottles.
    pub(super) fn of(purpose: Purpose) -> Self {
        let params = BatchParams { purpose, ..fixture::params() };
        Self {
            engine: Engine::new(params).expect("valid"),
            now: Tick::from_ms(0),
            phase_since: Tick::from_ms(0),
            heat: Heat::Off,
            cooling: false,
            bath_c: 22.0,
            milk_c: [21.5, 21.6],
            lid_closed: true,
            unplugged: None,
            confirmed: true,
        }
    }

    /// One second, and what is seen after it.
    pub(super) fn second(&mut self) -> View {
        self.now = self.now.plus_ms(1_000);
        self.warm();
        let reading = self.reading();
        self.step(Input::Reading(reading), reading)
    }

    /// Something that a person does.
    pub(super) fn act(&mut self, action: Action) -> View {
        if matches!(action, Action::ConfirmLoad { .. }) {
            self.milk_c = [4.0, 4.4];
            // What 48 cold bottles take at once.
            self.bath_c -= 1.2;
        }
        self.now = self.now.plus_ms(1);
        let reading = self.reading();
        self.step(Input::Operator(action), reading)
    }

    fn warm(&mut self) {
        let wanted = match (self.heat, self.cooling) {
            (Heat::Setpoint(bath), false) => bath.as_f64(),
            (_, true) => 4.0,
            (_, false) => 22.0,
        };
        let rate = if self.cooling { 0.02 } else { 0.036 };
        self.bath_c += (wanted - self.bath_c).clamp(-rate * 2.0, rate);
        for (milk, tau_s) in self.milk_c.iter_mut().zip([330.0, 320.0]) {
            *milk += (self.bath_c - *milk) / tau_s;
        }
    }

    fn reading(&self) -> Reading {
        let sample = |c: f64| Sample::good(Celsius::from_f64((c * 10.0).round() / 10.0).unwrap());
        let mut milk = [None; MILK_PROBES_MAX];
        for (index, (slot, c)) in milk.iter_mut().zip(self.milk_c).enumerate() {
            *slot = Some(if self.unplugged == Some(index) {
                Sample::missing(Quality::SensorOpen)
            } else {
                sample(c)
            });
        }
        let lid = Some(Switch { on: Some(self.lid_closed), quality: Quality::Good });
        Reading { bath: sample(self.bath_c), milk, reference: None, lid, simulated: true }
    }

    fn step(&mut self, input: Input, reading: Reading) -> View {
        let before = self.engine.phase();
        let effects = self.engine.step(self.now, input);
        if self.engine.phase() != before {
            self.phase_since = self.now;
        }
        (self.heat, self.cooling) = (effects.command.heat, effects.command.cooling);
        let params = self.engine.params();
        let shown = |sample: Sample| Shown { value: sample.raw, quality: sample.quality };
        View {
            batch: "B-2026-0042".into(),
            unit: params.unit.clone(),
            recipe: params.recipe.name.clone(),
            purpose: params.purpose,
            simulated: params.simulated,
            at: self.now,
            utc_ms: 0,
            phase: self.engine.phase(),
            phase_since: self.phase_since,
            held_ms: self.engine.held_ms(),
            hold_ms: params.recipe.hold.hold_ms,
            holds_broken: self.engine.holds_broken(),
            floor: params.recipe.hold.floor,
            limit: params.limit_max(),
            ceiling: params.recipe.ceiling.note,
            cooling_target: params.recipe.cooling.target,
            bath: shown(reading.bath),
            milk: reading.milk.map(|sample| sample.map(shown)),
            reference: reading.reference.map(shown),
            lid_closed: reading.lid.and_then(|lid| lid.on),
            command: effects.command,
            confirmed: self.confirmed,
            alarms: self.engine.alarms().collect(),
            news: effects.entries,
            heat_waits: self.engine.waits_for_heat(),
            message: effects.refusal.map(|refusal| refusal.to_string()),
        }
    }

    /// Runs until `phase` has lasted `seconds`, doing what the screen asks a person for, and
    /// gives every view to `see`.
    pub(super) fn until(&mut self, phase: PhaseName, seconds: u64, see: &mut impl FnMut(View)) {
        for _ in 0..4 * 3600 {
            let view = self.second();
            let (now, lasted) = (view.phase, view.at.ms_since(view.phase_since));
            see(view);
            if now == phase && lasted >= seconds * 1000 {
                return;
            }
            match now {
                PhaseName::Load if lasted >= 90_000 => {
                    see(self.act(Action::ConfirmLoad { bottles: 48 }));
                }
                PhaseName::Unload if lasted >= 60_000 => {
                    see(self.act(Action::ConfirmUnload { bottles: 48 }))
                }
                PhaseName::Preheat
                | PhaseName::Load
                | PhaseName::ComeUp
                | PhaseName::Hold
                | PhaseName::Cool
                | PhaseName::Unload
                | PhaseName::Finished
                | PhaseName::Aborted => {}
            }
        }
        panic!("the batch never reached {phase}");
    }
}
