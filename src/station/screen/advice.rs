//! What the technician has to do next: one imperative sentence for each phase, and what a probe
//! is worth in words.

use holder_hal::{Heat, Quality};

use super::state::ScreenState;
use crate::batch::params::Purpose;
use crate::batch::phase::PhaseName;
use crate::station::view::View;

/// After an interruption nobody knows what was done at the machine.
pub(super) const HEAT_WAITS: &str =
    "HEAT IS OFF. Look at the machine: water in the bath, bottles as they were?";

/// What to do next, without the key by which that is confirmed: lines have no keys.
pub(super) fn next(state: &ScreenState, view: &View) -> &'static str {
    if view.heat_waits {
        return HEAT_WAITS;
    }
    if state.count_again() {
        return "Count the bottles that came out once more, the control bottle not counted.";
    }
    let said_of_water = match view.purpose {
        Purpose::Milk => None,
        Purpose::Water => next_with_water(state, view),
    };
    said_of_water.unwrap_or_else(|| next_with_milk(state, view))
}

/// The same for the live screen: with the key to press when it is done.
pub(super) fn next_with_key(state: &ScreenState, view: &View) -> String {
    let key = match view.phase {
        PhaseName::Load => Some('b'),
        PhaseName::Unload => Some('u'),
        PhaseName::Preheat
        | PhaseName::ComeUp
        | PhaseName::Hold
        | PhaseName::Cool
        | PhaseName::Finished
        | PhaseName::Aborted => None,
    };
    let key = if view.heat_waits { Some('h') } else { key };
    let press = key.map(|key| format!(" Then press {key}.")).unwrap_or_default();
    format!("{}{press}", next(state, view))
}

/// What to do when the screen is gone, and with it what it said last. A person who left while bottles
/// may be in the machine stopped the batch; one that ends without either goes on being open.
pub(super) fn afterwards(state: &ScreenState, view: &View, has_left: bool) -> Option<&'static str> {
    if view.phase.is_final() {
        return Some(next(state, view));
    }
    let stopped = View { phase: PhaseName::Aborted, heat_waits: false, ..view.clone() };
    (has_left && state.may_hold_bottles()).then(|| next(state, &stopped))
}

/// Where water wants another sentence than milk: there is nothing to keep, to label or to freeze.
fn next_with_water(state: &ScreenState, view: &View) -> Option<&'static str> {
    match view.phase {
        PhaseName::ComeUp if view.holds_broken > 0 && view.lid_closed != Some(false) => Some(
            "Keep the lid closed: the hold was broken and begins again when the bottles are warm.",
        ),
        PhaseName::Cool if state.failed() => {
            Some("Leave the bottles in the cold water: the run has failed, and they are cooled.")
        }
        PhaseName::Unload if state.failed() => {
            Some("Take the bottles out and count them. The run has failed; the record says why.")
        }
        PhaseName::Finished if state.failed() => {
            Some("Find out from the record why the run failed, before milk is run.")
        }
        PhaseName::Finished => Some("Pour the water away: it is never released."),
        PhaseName::Aborted if state.may_hold_bottles() => {
            Some("Let any bottles cool before you take them out. Find out why the run was stopped.")
        }
        PhaseName::Preheat
        | PhaseName::Load
        | PhaseName::ComeUp
        | PhaseName::Hold
        | PhaseName::Cool
        | PhaseName::Unload
        | PhaseName::Aborted => None,
    }
}

fn next_with_milk(state: &ScreenState, view: &View) -> &'static str {
    match view.phase {
        PhaseName::Preheat => "Keep the lid closed and get the bottles ready.",
        PhaseName::Load => "Put in the bottles, the control bottle last, and close the lid.",
        PhaseName::ComeUp | PhaseName::Hold | PhaseName::Cool if view.lid_closed == Some(false) => {
            "Close the lid now."
        }
        PhaseName::ComeUp if view.holds_broken > 0 => {
            "Keep the lid closed: the hold was broken and begins again when the milk is warm."
        }
        PhaseName::ComeUp => "Keep the lid closed until the hold is over.",
        PhaseName::Hold => "Do not open the lid until the time is up.",
        PhaseName::Cool if state.failed() => {
            "Leave the bottles in the cold water: the batch has failed, and the milk is cooled."
        }
        PhaseName::Cool => "Leave the bottles in the cold water, with the lid closed.",
        PhaseName::Unload if state.failed() => {
            "Take the bottles out, count them and keep them apart: the batch has failed."
        }
        PhaseName::Unload => "Take the bottles out and count them.",
        PhaseName::Finished if state.failed() => {
            "Mark the bottles and keep them apart: the batch has failed. Tell QA."
        }
        PhaseName::Finished => {
            "Label the bottles and freeze them in quarantine until QA has seen the record."
        }
        PhaseName::Aborted if state.may_hold_bottles() => {
            "Put any bottles into cold water now and keep them apart. Tell QA."
        }
        PhaseName::Aborted => "Find out why it was stopped, then start a new batch.",
    }
}

/// Whether a person is waited for, so that it is worth a sound.
pub(super) fn calls_a_person(phase: PhaseName) -> bool {
    match phase {
        PhaseName::Load | PhaseName::Unload | PhaseName::Aborted => true,
        PhaseName::Preheat
        | PhaseName::ComeUp
        | PhaseName::Hold
        | PhaseName::Cool
        | PhaseName::Finished => false,
    }
}

/// The keys that do something now.
pub(super) fn keys(view: &View) -> &'static str {
    match view.phase {
        PhaseName::Load if view.heat_waits => {
            "h = heat again    b = bottles are in    s = stop the batch    q = leave"
        }
        PhaseName::Preheat | PhaseName::ComeUp | PhaseName::Hold if view.heat_waits => {
            "h = heat again    s = stop the batch    q = leave"
        }
        PhaseName::Load => "b = bottles are in    s = stop the batch    q = leave",
        PhaseName::Unload => "u = bottles are out    s = stop the batch    q = leave",
        PhaseName::Preheat | PhaseName::ComeUp | PhaseName::Hold | PhaseName::Cool => {
            "s = stop the batch    q = leave"
        }
        PhaseName::Finished | PhaseName::Aborted => "q = leave",
    }
}

/// What is wrong with a value, or nothing.
pub(super) fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "",
        Quality::Stale => "stale",
        Quality::OutOfRange => "out of range",
        Quality::SensorOpen => "sensor open",
        Quality::Comm => "no answer",
        Quality::Disagrees => "disagrees",
    }
}

/// What the machine was told, and the lid, in words.
pub(super) fn machine(view: &View) -> String {
    let heater = match view.command.heat {
        Heat::Off => "OFF".to_owned(),
        Heat::Setpoint(bath) => format!("on, bath to {bath:.1} °C"),
        Heat::Duty(duty) => format!("on, {} % power", duty.permille().div_ceil(10)),
    };
    let agitator = if view.command.agitator { "on" } else { "off" };
    let water = if view.command.cooling { "open" } else { "shut" };
    let lid = match view.lid_closed {
        Some(true) => "closed",
        Some(false) => "OPEN",
        None => "not known",
    };
    let told = format!("Heater {heater} · Agitator {agitator} · Cooling water {water}");
    if view.confirmed {
        return format!("{told} · Lid {lid}");
    }
    // What was told is not what is: the heater may be as it was.
    format!("NOT CONFIRMED by the machine, only told: {told} · Lid {lid}")
}
