//! What is looked at after every moment of a run: the truth against the invariants.

use holder_hal::Tick;

use super::super::fault::Kind;
use super::super::scenario::Cut;
use super::super::watch::Invariant;
use super::{Run, Seen};

/// Faults in which a machine follows the last command, whatever comes of it.
const ALONE: [Kind; 3] = [Kind::Killed, Kind::CommLost, Kind::CommandsLost];
/// What the element still gives after a limit thermostat has cut it, K of the bath.
const LIMIT_OVERSHOOT_K: f64 = 0.5;
/// Faults by which a machine heats without a command of ours.
const NOT_OURS: [Kind; 3] = [Kind::HeaterWelded, Kind::DeviceManual, Kind::DeviceReset];

impl Run<'_> {
    pub(super) fn look(&mut self) {
        let truth = self.rig.truth();
        self.oracle.see(self.now, &truth);
        let ceiling_c = self.ceiling_c();
        let is_ours = !NOT_OURS.iter().any(|kind| self.rig.began(*kind).is_some());
        if is_ours && truth.hottest_milk().is_some_and(|hottest_c| hottest_c > ceiling_c) {
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
        stands(Kind::HeaterWelded)
            || stands(Kind::DeviceManual)
            || lingers(self.rig.ended(Kind::DeviceManual))
            || lingers(self.rig.began(Kind::DeviceReset))
    }

    /// The hard ceiling, °C. Where nobody can command the machine it is the unit's own cut that
    /// holds: a limit thermostat at its declared temperature, a watchdog before anything is hot.
    fn ceiling_c(&self) -> f64 {
        let ceiling_c = self.scenario.params.recipe.ceiling.fail.as_f64();
        let is_alone = ALONE.iter().any(|kind| self.rig.began(*kind).is_some());
        match self.scenario.cut {
            Cut::Limit(limit_c) if is_alone => ceiling_c.max(limit_c + LIMIT_OVERSHOOT_K),
            Cut::Limit(_) | Cut::Watchdog(_) => ceiling_c,
        }
    }
}
