//! The people of a run: what they do at the machine, and what they tell the program.

use holder_hal::Tick;
use holder_sim::Part;

use super::fault::Kind;
use super::rig::Rig;
use super::scenario::Scenario;
use crate::batch::alarm::Alarm;
use crate::batch::event::Action;
use crate::batch::phase::PhaseName;

/// A person who was told to unload and never came is waited for so long, milliseconds.
const EVENING_MS: u64 = 3_600_000;
/// People who put in a load part by part take at most so long for it, milliseconds.
const SPREAD_MS_MAX: u64 = 600_000;
/// How often somebody who presses keys at random does so, milliseconds.
const FIDGET_MS: u64 = 97_000;
/// So long does it take to count once more, milliseconds.
const COUNT_MS: u64 = 45_000;

/// How the bottles that came out are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// As they are.
    Right,
    /// So many too many or too few at first; the second time as they are.
    WrongAtFirst(i32),
    /// As they are at first; the second time as many are told as the screen says that went in.
    BelievesTheScreen,
    /// Not at all: as many are told as went in.
    Never,
}

/// Bottles that are out.
#[derive(Clone, Copy, Debug)]
struct Out {
    /// How many they are, the control bottle not counted.
    bottles: u32,
    /// When a number was told last.
    told_at: Tick,
    told: u16,
}

/// The technician.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hands {
    called: Option<Tick>,
    parts_in: usize,
    confirmed: Option<Tick>,
    repeated: bool,
    stopped: bool,
    fidgeted: Option<Tick>,
    unload_called: Option<Tick>,
    out: Option<Out>,
    heat_called: Option<Tick>,
    alarm_called: Option<(Alarm, Tick)>,
}

impl Hands {
    /// What the technician tells the program now; what is done at the machine is done.
    pub(crate) fn act(
        &mut self,
        now: Tick,
        phase: PhaseName,
        rig: &mut Rig,
        scenario: &Scenario,
    ) -> Option<Action> {
        if !self.stopped && rig.active(Kind::Stop).is_some() {
            self.stopped = true;
            return Some(Action::Stop { reason: "something looked wrong".to_owned() });
        }
        match phase {
            PhaseName::Load => self.called = self.called.or(Some(now)),
            PhaseName::Unload => self.unload_called = self.unload_called.or(Some(now)),
            PhaseName::Preheat
            | PhaseName::ComeUp
            | PhaseName::Hold
            | PhaseName::Cool
            | PhaseName::Finished
            | PhaseName::Aborted => {}
        }
        if let Some(action) = self.load(now, rig, scenario) {
            return Some(action);
        }
        if let Some(action) = self.unload(now, rig, scenario) {
            return Some(action);
        }
        self.fidget(now, phase, rig, scenario)
    }

    /// Whether everybody has gone home.
    pub(crate) fn has_gone(&self, now: Tick) -> bool {
        self.unload_called.is_some_and(|called| now.ms_since(called) > EVENING_MS)
    }

    /// Whether the technician lets the machine heat again, since it asks for that.
    pub(crate) fn confirm_heat(&mut self, now: Tick, scenario: &Scenario) -> Option<Action> {
        let called = *self.heat_called.get_or_insert(now);
        (now.ms_since(called) >= scenario.confirm_heat_ms).then_some(Action::ConfirmHeat)
    }

    /// Whether the technician acknowledges the alarm that waits for it.
    pub(crate) fn acknowledge(
        &mut self,
        now: Tick,
        waiting: Option<Alarm>,
        scenario: &Scenario,
    ) -> Option<(Alarm, String)> {
        let alarm = waiting?;
        let known = self.alarm_called.filter(|(known, _)| *known == alarm);
        let (_, called) = *self.alarm_called.insert(known.unwrap_or((alarm, now)));
        let is_due = scenario.acknowledge_ms.is_some_and(|ms| now.ms_since(called) >= ms);
        is_due.then(|| {
            self.alarm_called = None;
            (alarm, "soak".to_owned())
        })
    }

    fn load(&mut self, now: Tick, rig: &mut Rig, scenario: &Scenario) -> Option<Action> {
        let called = self.called?;
        let since_ms = now.ms_since(called);
        let told = scenario.plant.bottles;
        let pace = &scenario.pace;
        let early = scenario.fault(Kind::EarlyConfirm);
        let late_ms = scenario.fault(Kind::LateLoad).map(|fault| fault.after_ms);
        let load_ms = late_ms.unwrap_or(pace.load_ms);
        let (in_ms, confirm_ms) = match early {
            Some(fault) => (fault.after_ms.saturating_add(fault.lasts_ms), fault.after_ms),
            None => (load_ms, load_ms.saturating_add(pace.confirm_ms)),
        };
        let real = scenario.fault(Kind::WrongCount).map_or(told, |fault| fault.size as u32);
        let order = scenario.order.filter(|_| early.is_none());
        // The last part goes in when the load is in.
        let spread_ms = if order.is_some() { in_ms.min(SPREAD_MS_MAX) } else { 0 };
        let mut parts = order.unwrap_or(Part::ALL);
        if scenario.fault(Kind::ControlFirst).is_some() {
            parts.rotate_right(1);
        }
        while let Some(part) = parts.get(self.parts_in) {
            let left = (parts.len() - 1 - self.parts_in) as u64;
            if since_ms < in_ms - spread_ms * left / parts.len() as u64 {
                break;
            }
            if self.parts_in == 0 {
                rig.begin_load(real);
            }
            rig.put_in(*part);
            self.parts_in += 1;
        }
        if self.confirmed.is_none() && since_ms >= confirm_ms {
            self.confirmed = Some(now);
            return Some(Action::ConfirmLoad { bottles: u16::try_from(told).unwrap_or(u16::MAX) });
        }
        None
    }

    fn unload(&mut self, now: Tick, rig: &mut Rig, scenario: &Scenario) -> Option<Action> {
        let called = self.unload_called?;
        let due = match self.out {
            Some(out) => now.ms_since(out.told_at) >= COUNT_MS,
            None => now.ms_since(called) >= scenario.pace.unload_ms,
        };
        if !due || scenario.fault(Kind::WalksAway).is_some() {
            return None;
        }
        let first = self.out.is_none();
        let bottles = self.out.map_or_else(|| rig.unload(), |out| out.bottles);
        let loaded = scenario.plant.bottles;
        let told = match scenario.counts {
            Counts::WrongAtFirst(by) if first => bottles.saturating_add_signed(by).max(1),
            Counts::BelievesTheScreen if !first => loaded,
            Counts::Never => loaded,
            Counts::Right | Counts::WrongAtFirst(_) | Counts::BelievesTheScreen => bottles,
        };
        let told = u16::try_from(told).unwrap_or(u16::MAX);
        self.out = Some(Out { bottles, told_at: now, told });
        Some(Action::ConfirmUnload { bottles: told })
    }

    /// Whether the last count that was told is no higher than what was told to be in.
    pub(crate) fn count_fits(&self, scenario: &Scenario) -> bool {
        self.out.is_some_and(|out| u32::from(out.told) <= scenario.plant.bottles)
    }

    fn fidget(
        &mut self,
        now: Tick,
        phase: PhaseName,
        rig: &Rig,
        scenario: &Scenario,
    ) -> Option<Action> {
        scenario.fault(Kind::ConfirmTwice)?;
        let bottles = u16::try_from(scenario.plant.bottles).unwrap_or(u16::MAX);
        if self.confirmed.is_some() && !self.repeated {
            self.repeated = true;
            return Some(Action::ConfirmLoad { bottles });
        }
        let may = matches!(phase, PhaseName::ComeUp | PhaseName::Hold | PhaseName::Cool);
        let due = self.fidgeted.is_none_or(|last| now.ms_since(last) >= FIDGET_MS);
        if !may || !due || !rig.is_loaded() {
            return None;
        }
        self.fidgeted = Some(now);
        let presses_load = (now.ms() / FIDGET_MS).is_multiple_of(2);
        Some(if presses_load {
            Action::ConfirmLoad { bottles }
        } else {
            Action::ConfirmUnload { bottles }
        })
    }
}
