//! What is looked at after every moment of a run: the truth against the invariants.

use holder_hal::Tick;
use holder_sim::plant::Truth;

use super::super::fault::Kind;
use super::super::scenario::{Cut, WATER_J_L_K};
use super::super::supply::Own;
use super::super::watch::Invariant;
use super::{Run, Seen};
use crate::batch::phase::PhaseName;

/// Faults in which a machine follows the last command, whatever comes of it.
const ALONE: [Kind; 4] = [Kind::Killed, Kind::StandsStill, Kind::CommLost, Kind::CommandsLost];
/// What a bath can gain in a step of the plant before a limit thermostat sees it, K.
const STEP_K: f64 = 0.1;
/// A machine that heats by itself when the batch is over is looked at for so long, milliseconds: at
/// 3 kW a bath of 50 l gains 20 K.
const STAYS_MS: u64 = 1_800_000;
/// What a bath that is held reaches above its clamp when it is sound, K.
const AT_REST_K: f64 = 0.5;

/// Why milk above the ceiling is not our doing: until bath and milk are back, and no longer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Excused {
    /// The machine heated by itself.
    own_heat: bool,
    /// Nobody could command it.
    alone: bool,
}

impl Run<'_> {
    pub(super) fn look(&mut self) {
        let truth = self.rig.truth();
        self.oracle.see_with(self.now, &truth, self.phase == PhaseName::Hold);
        self.excuse(&truth);
        if let Some(ceiling_c) = self.ceiling_c()
            && truth.hottest_milk().is_some_and(|c| c > ceiling_c)
        {
            let text = format!("milk above {ceiling_c:.2} °C");
            self.watch.broken(Invariant::Heat, self.now, text);
        }
        if let Some(text) = self.supply.misses(self.now, &truth, self.whose_heat()) {
            self.watch.broken(Invariant::Heat, self.now, text);
        }
        if self.wanted.truth {
            self.seen.push(Seen {
                at: self.now,
                bath_c: truth.bath_c,
                coldest_c: truth.coldest_milk(),
                hottest_c: truth.hottest_milk(),
            });
        }
    }

    /// The batch is over, and a machine that heats by itself goes on: its own cut must end that.
    pub(super) fn stay(&mut self) {
        let until = self.now.plus_ms(STAYS_MS);
        while self.whose_heat() != Own::Commanded && self.now < until {
            let slice_ms = self.scenario.params.period_ms;
            self.rig.pass(slice_ms);
            self.now = self.now.plus_ms(slice_ms);
            self.look();
        }
    }

    /// Whose heat the machine has: while a fault of its own stands, and after it until the next
    /// command has arrived. A reset device takes that at once.
    fn whose_heat(&self) -> Own {
        let last = self.supply.last_arrived();
        let stands = |kind: Kind| self.rig.active(kind).is_some();
        let lingers = |since: Option<Tick>| since.is_some_and(|since| since >= last);
        let just_freed = self.rig.ended(Kind::HeaterWelded).is_some_and(|ended| {
            // Its last step is still what the plant shows.
            self.now.ms_since(ended) <= self.scenario.params.period_ms
        });
        let takes_nothing = stands(Kind::HeaterWelded)
            || just_freed
            || stands(Kind::DeviceManual)
            || lingers(self.rig.ended(Kind::DeviceManual));
        if takes_nothing {
            Own::TakesNothing
        } else if lingers(self.rig.began(Kind::DeviceReset)) {
            Own::Reset
        } else {
            Own::Commanded
        }
    }

    /// Keeps what explains a heat that nobody commanded for as long as that heat is there.
    fn excuse(&mut self, truth: &Truth) {
        let params = &self.scenario.params;
        let is_back = truth.bath_c <= params.cascade.bath_max.as_f64() + AT_REST_K
            && truth.hottest_milk().is_none_or(|c| c <= params.recipe.ceiling.fail.as_f64());
        let stands = |kind: &Kind| self.rig.active(*kind).is_some();
        let own_heat = self.whose_heat() != Own::Commanded;
        let alone = ALONE.iter().any(stands);
        self.excused = Excused {
            own_heat: own_heat || (self.excused.own_heat && !is_back),
            alone: alone || (self.excused.alone && !is_back),
        };
    }

    /// The hard ceiling, °C. Where nobody can command the machine, or it heats by itself, it is the
    /// unit's own cut that holds: a limit thermostat at its declared temperature, a watchdog before
    /// anything is hot. `None` is a relay or device that no watchdog can cut.
    fn ceiling_c(&self) -> Option<f64> {
        let ceiling_c = self.scenario.params.recipe.ceiling.fail.as_f64();
        let Excused { own_heat, alone } = self.excused;
        match self.scenario.cut {
            Cut::Limit(limit_c) if alone || own_heat => {
                Some(ceiling_c.max(limit_c + STEP_K + self.stored_k()))
            }
            Cut::Watchdog(_) if own_heat => None,
            Cut::Limit(_) | Cut::Watchdog(_) => Some(ceiling_c),
        }
    }

    /// What the hot element still gives after it was cut, K of the bath.
    fn stored_k(&self) -> f64 {
        let plant = &self.scenario.plant;
        let bath_j_k = plant.bath_l * WATER_J_L_K + plant.vessel_j_k;
        plant.heater_w * plant.heater_lag_s / bath_j_k
    }
}
