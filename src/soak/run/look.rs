//! What is looked at after every moment of a run: the truth against the invariants.

use holder_hal::Tick;
use holder_sim::plant::Truth;

use super::super::fault::Kind;
use super::super::scenario::Cut;
use super::super::watch::Invariant;
use super::{Run, Seen};

/// Faults in which a machine follows the last command, whatever comes of it.
const ALONE: [Kind; 4] = [Kind::Killed, Kind::StandsStill, Kind::CommLost, Kind::CommandsLost];
/// What the element still gives after a limit thermostat has cut it, K of the bath.
const LIMIT_OVERSHOOT_K: f64 = 0.5;
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
        self.oracle.see(self.now, &truth);
        self.excuse(&truth);
        let ceiling_c = self.ceiling_c();
        if !self.excused.own_heat && truth.hottest_milk().is_some_and(|c| c > ceiling_c) {
            let text = format!("milk above {ceiling_c} °C by our own heat");
            self.watch.broken(Invariant::Heat, self.now, text);
        }
        if !self.heats_by_itself()
            && let Some(text) = self.supply.misses(self.now, &truth)
        {
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

    /// Whether a fault of the machine itself may have its heater on: while it stands, and after
    /// it until the next command has arrived. A reset device takes that at once.
    fn heats_by_itself(&self) -> bool {
        let last = self.supply.last_arrived();
        let stands = |kind: Kind| self.rig.active(kind).is_some();
        let lingers = |since: Option<Tick>| since.is_some_and(|since| since >= last);
        let just_freed = self.rig.ended(Kind::HeaterWelded).is_some_and(|ended| {
            // Its last step is still what the plant shows.
            self.now.ms_since(ended) <= self.scenario.params.period_ms
        });
        stands(Kind::HeaterWelded)
            || just_freed
            || stands(Kind::DeviceManual)
            || lingers(self.rig.ended(Kind::DeviceManual))
            || lingers(self.rig.began(Kind::DeviceReset))
    }

    /// Keeps what explains a heat that nobody commanded for as long as that heat is there.
    fn excuse(&mut self, truth: &Truth) {
        let params = &self.scenario.params;
        let is_back = truth.bath_c <= params.cascade.bath_max.as_f64() + AT_REST_K
            && truth.hottest_milk().is_none_or(|c| c <= params.recipe.ceiling.fail.as_f64());
        let stands = |kind: &Kind| self.rig.active(*kind).is_some();
        let (own_heat, alone) = (self.heats_by_itself(), ALONE.iter().any(stands));
        self.excused = Excused {
            own_heat: own_heat || (self.excused.own_heat && !is_back),
            alone: alone || (self.excused.alone && !is_back),
        };
    }

    /// The hard ceiling, °C. Where nobody can command the machine it is the unit's own cut that
    /// holds: a limit thermostat at its declared temperature, a watchdog before anything is hot.
    fn ceiling_c(&self) -> f64 {
        let ceiling_c = self.scenario.params.recipe.ceiling.fail.as_f64();
        match self.scenario.cut {
            Cut::Limit(limit_c) if self.excused.alone => ceiling_c.max(limit_c + LIMIT_OVERSHOOT_K),
            Cut::Limit(_) | Cut::Watchdog(_) => ceiling_c,
        }
    }
}
