//! What a commissioning can try on this unit, and how long each step may take.

use holder_hal::Celsius;

use crate::batch::params::Cascade;
use crate::invocation;
use crate::station::config::{CutBy, Unit};

/// How long a machine with a controller of its own may take to heat the bath by 2 °C.
const HEATING_MS_MAX: u64 = 20 * 60_000;
/// The same for a machine that is driven by power is this many times what its figures promise.
const HEATING_TIMES: u64 = 3;
/// How long the warmth in the heater may raise the bath after it was switched off: a machine with
/// a controller of its own.
const OFF_MS_MAX: u64 = 180_000;
/// Of a machine that is driven by power, its delay this many times, and at least a minute.
const OFF_DELAYS: u64 = 4;
const OFF_MS_MIN: u64 = 60_000;
/// The bath rises by this in the step, thousandths of a °C.
const RISE_MILLI: u64 = 2_000;
/// No watchdog is waited for longer, milliseconds: the heater is on meanwhile.
const SILENCE_MS_MAX: u64 = 120_000;
/// And never so long that the bath could rise by more than this, thousandths of a °C.
const SILENT_RISE_MILLI_MAX: u64 = 8_000;
/// Bottles in the bath when the probes must follow.
const BOTTLES_MAX: u16 = 12;

/// How the cut is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CutTrial {
    /// What the person must be ready for.
    pub(super) ready: Option<String>,
    /// How long the devices hear nothing, for a watchdog.
    pub(super) silence_ms: Option<u64>,
    /// What the person is asked then.
    pub(super) question: String,
    /// What must be put right again.
    pub(super) undo: Option<String>,
}

/// What can be tried on a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) by_power: bool,
    pub(super) has_agitator: bool,
    pub(super) has_lid: bool,
    pub(super) has_cooling: bool,
    pub(super) heating_ms_max: u64,
    pub(super) off_ms_max: u64,
    pub(super) bottles: u16,
    /// How the cut is tried, or why it is not.
    pub(super) cut_trial: Result<CutTrial, String>,
}

/// The highest bath set point of a unit.
pub(super) fn clamp(unit: &Unit<'_>) -> Celsius {
    unit.written.cascade.unwrap_or(Cascade::UNKNOWN).bath_max
}

impl Plan {
    /// For this unit; the cut is tried only if that is asked for.
    pub(super) fn of(unit: &Unit<'_>, try_cut: bool) -> Self {
        let roles = &unit.written.roles;
        let heater = unit.written.heater.filter(|_| roles.power.is_some());
        let heating_ms_max = heater.map_or(HEATING_MS_MAX, |heater| {
            let milli_joules = u64::from(heater.bath_j_per_k) * RISE_MILLI;
            let promised_ms = milli_joules / u64::from(heater.power_w.max(1)) + 2 * heater.delay_ms;
            (HEATING_TIMES * promised_ms).clamp(120_000, 60 * 60_000)
        });
        let off_ms_max = heater.map_or(OFF_MS_MAX, |heater| {
            (OFF_DELAYS * heater.delay_ms).clamp(OFF_MS_MIN, OFF_MS_MAX * 2)
        });
        Self {
            by_power: roles.power.is_some(),
            has_agitator: roles.agitator.is_some(),
            has_lid: roles.lid.is_some(),
            has_cooling: roles.cooling_valve.is_some(),
            heating_ms_max,
            off_ms_max,
            bottles: unit.written.bottles_max.min(BOTTLES_MAX),
            cut_trial: match trial(unit) {
                Ok(_) if !try_cut => {
                    let words = format_args!("unit commission {} --cut-trial", unit.name);
                    Err(format!("not asked for: `{}` tries it", invocation::command(words)))
                }
                trial => trial,
            },
        }
    }
}

/// How the cut is tried, or why it is not.
fn trial(unit: &Unit<'_>) -> Result<CutTrial, String> {
    let Some(cut) = unit.written.cut else {
        let why = match unit.written.simulated {
            true => "no cut is declared in station.toml, and a simulated unit needs none",
            false => "no cut is declared in station.toml: this unit runs water only",
        };
        return Err(why.to_owned());
    };
    match cut.by {
        CutBy::DeviceWatchdog => watchdog_trial(unit, cut.within_ms + 2_000),
        CutBy::LimitThermostat => {
            let at = cut.at.map(|at| format!(" to {at:.1} °C")).unwrap_or_default();
            Ok(CutTrial {
                ready: None,
                silence_ms: None,
                question:
                    "The heater is asked for. Turn the limit thermostat slowly down until it \
                           trips. Has the heater lost its power (lamp out, contactor released)?"
                        .to_owned(),
                undo: Some(format!(
                    "Turn the limit thermostat back{at} and reset it. Is that done?"
                )),
            })
        }
    }
}

fn watchdog_trial(unit: &Unit<'_>, silence_ms: u64) -> Result<CutTrial, String> {
    let seconds = silence_ms / 1000;
    // A heater that is driven by power gives all of it while nothing is said.
    let heater = unit.written.heater.filter(|_| unit.written.roles.power.is_some());
    let rise_milli = heater.map_or(0, |heater| {
        u64::from(heater.power_w) * silence_ms / u64::from(heater.bath_j_per_k.max(1))
    });
    if silence_ms > SILENCE_MS_MAX || rise_milli > SILENT_RISE_MILLI_MAX {
        return Err(format!(
            "its watchdog takes {seconds} s, too long to leave a heater alone: try it by hand, as \
             its manual says"
        ));
    }
    Ok(CutTrial {
        ready: Some(format!(
            "The heater will be switched on, and then nothing is said to the device for {seconds} s. \
             Watch the heater's lamp or contactor. Ready?"
        )),
        silence_ms: Some(silence_ms),
        question: "Did the heater lose its power by itself, before this question came?".to_owned(),
        undo: Some("If the device shows a watchdog alarm, acknowledge it there. Done?".to_owned()),
    })
}
