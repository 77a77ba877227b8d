//! Circulators that speak commands, as their manuals describe them: bytes in, bytes out.
//!
//! Nothing of the client's codecs is used here: each maker's commands are understood as its
//! manual has them (DEVICES, section B), so that a client is not compared with itself. From the
//! profile comes only which maker it is, and which of its values play a role in the unit.
//!
//! A Julabo answers `version`, and a LAUDA `TYPE`, with `HOLDER-SIM`. The other protocols have no
//! question whose answer is free text, so those simulators cannot say what they are.

use holder_hal::wire::profile::{Access, Profile, Value};
use holder_hal::{Celsius, Role};

use super::layout::DeviceLayout;
use crate::plant::Plant;

mod huber_pb;
mod julabo;
mod lauda;
mod neslab_nc;
mod polyscience;

use huber_pb::HuberPb;
use julabo::Julabo;
use lauda::Lauda;
use neslab_nc::NeslabNc;
use polyscience::PolyScience;

/// No command is longer; what is beyond is noise, and forgotten.
const COMMAND_LEN_MAX: usize = 128;
/// The set point of a circulator that was just switched on.
const SETPOINT_MILLI: i32 = 20_000;
/// Its limit as it leaves the factory.
const LIMIT_MILLI: i32 = 120_000;

/// What every circulator has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Circulator {
    setpoint_milli: i32,
    /// Highest temperature or set point, by whatever name.
    limit_milli: i32,
    /// It heats and circulates.
    running: bool,
}

impl Circulator {
    const fn switched_on() -> Self {
        Self { setpoint_milli: SETPOINT_MILLI, limit_milli: LIMIT_MILLI, running: false }
    }
}

/// What its probes see now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    bath_c: f64,
    /// The external probe, if one is plugged in.
    external_c: Option<f64>,
    duty_share: f64,
}

#[derive(Debug)]
enum Maker {
    Julabo(Julabo),
    Lauda(Lauda),
    PolyScience(PolyScience),
    HuberPb(HuberPb),
    NeslabNc(NeslabNc),
}

/// One simulated circulator.
#[derive(Debug)]
pub(crate) struct Speaker {
    address: u8,
    maker: Maker,
    circulator: Circulator,
    /// What its external probe is in; without a role none is plugged in.
    external: Option<Role>,
    /// Whether its set point and its start are those of the unit.
    sets: (bool, bool),
}

impl Speaker {
    /// A circulator as it is switched on; `None` for a profile of another kind of device.
    pub(crate) fn new(layout: &DeviceLayout) -> Option<Self> {
        let profile = &layout.profile;
        let maker = maker(profile)?;
        let role_of = |name: &str| layout.roles.iter().find(|(point, _)| point == name);
        let external = profile.points().iter().find(|point| is_external(&point.at));
        let external = external.and_then(|point| role_of(&point.name)).map(|(_, role)| *role);
        let has = |wanted: Role| layout.roles.iter().any(|(_, role)| *role == wanted);
        Some(Self {
            address: layout.unit_id,
            maker,
            circulator: Circulator::switched_on(),
            external,
            sets: (has(Role::Setpoint), has(Role::Heater)),
        })
    }

    /// Makes it one that already runs at this set point, if these are its to set.
    pub(crate) fn follow(&mut self, setpoint: Celsius, heater: bool) {
        let (sets_setpoint, sets_heater) = self.sets;
        if sets_setpoint {
            self.circulator.setpoint_milli = setpoint.milli();
        }
        if sets_heater {
            self.circulator.running = heater;
        }
    }

    /// Hears bytes after those in `heard`, which are of this connection; says what goes back, and
    /// what it made of the unit.
    pub(crate) fn hear(
        &mut self,
        heard: &mut Vec<u8>,
        received: &[u8],
        plant: &Plant,
    ) -> (Vec<u8>, Vec<(Role, Value)>) {
        let sight = self.sight(plant);
        let mut answers = Vec::new();
        for byte in received {
            heard.push(*byte);
            let (address, circulator) = (self.address, &mut self.circulator);
            let answer = match &mut self.maker {
                Maker::Julabo(maker) => line(heard, b"\n").and_then(|line| {
                    addressed(address, &line, "\r\n", |line| maker.say(line, circulator, &sight))
                }),
                Maker::Lauda(maker) => line(heard, b"\n").and_then(|line| {
                    let end = if address == 0 { "\r\n" } else { "\r" };
                    addressed(address, &line, end, |line| Some(maker.say(line, circulator, &sight)))
                }),
                Maker::PolyScience(maker) => {
                    line(heard, b"").map(|line| maker.say(&line, circulator, &sight))
                }
                Maker::HuberPb(maker) => maker.hear(heard, circulator, &sight),
                Maker::NeslabNc(maker) => maker.hear(heard, address, circulator, &sight),
            };
            answers.extend(answer.unwrap_or_default());
            if heard.len() > COMMAND_LEN_MAX {
                heard.clear();
            }
        }
        (answers, self.written())
    }

    fn sight(&self, plant: &Plant) -> Sight {
        let external_c = match self.external {
            Some(Role::Bath) => Some(plant.bath_probe_c()),
            Some(Role::Milk(index)) => plant.milk_probe_c(index.into()),
            Some(Role::Reference) => Some(plant.reference_probe_c()),
            Some(
                Role::Lid
                | Role::Heater
                | Role::Setpoint
                | Role::Power
                | Role::Agitator
                | Role::CoolingValve,
            )
            | None => None,
        };
        Sight { bath_c: plant.bath_probe_c(), external_c, duty_share: plant.duty_share() }
    }

    fn written(&self) -> Vec<(Role, Value)> {
        let setpoint = Celsius::from_milli(self.circulator.setpoint_milli);
        let (sets_setpoint, sets_heater) = self.sets;
        let setpoint = sets_setpoint.then_some((Role::Setpoint, Value::Temperature(setpoint)));
        let heater = (Role::Heater, Value::Switch(self.circulator.running));
        setpoint.into_iter().chain(sets_heater.then_some(heater)).collect()
    }
}

/// Whose commands a profile has; `None` for a device of text that nobody plays.
fn maker(profile: &Profile) -> Option<Maker> {
    let asks = |wanted: &str| {
        let mut points = profile.points().iter();
        points.any(
            |point| matches!(&point.at, Access::Text(at) if at.read.as_deref() == Some(wanted)),
        )
    };
    let has = |kind: fn(&Access) -> bool| profile.points().iter().any(|point| kind(&point.at));
    if asks("in_pv_00") {
        Some(Maker::Julabo(Julabo::default()))
    } else if asks("IN_PV_00") || asks("IN_PV_10") {
        Some(Maker::Lauda(Lauda))
    } else if asks("RT") {
        Some(Maker::PolyScience(PolyScience::default()))
    } else if has(|at| matches!(at, Access::HuberPb(_))) {
        Some(Maker::HuberPb(HuberPb))
    } else if has(|at| matches!(at, Access::NeslabNc(_))) {
        Some(Maker::NeslabNc(NeslabNc))
    } else {
        None
    }
}

/// Whether this is the place of the external probe, in any maker's manual.
fn is_external(at: &Access) -> bool {
    match at {
        Access::Text(at) => matches!(at.read.as_deref(), Some("in_pv_02" | "IN_PV_03")),
        Access::HuberPb(variable) => variable.number == 0x07,
        Access::NeslabNc(field) => field.command == 0x21,
        Access::Register(_) => false,
    }
}

/// The line that ended with a CR, without the bytes that this maker ignores; `None` before.
fn line(heard: &mut Vec<u8>, ignored: &[u8]) -> Option<String> {
    if heard.last() != Some(&b'\r') {
        return None;
    }
    let mut line = core::mem::take(heard);
    line.pop();
    line.retain(|byte| !ignored.contains(byte));
    Some(String::from_utf8_lossy(&line).into_owned())
}

/// The answer to a line that is meant for this address: on RS485 both carry it in front.
fn addressed(
    address: u8,
    line: &str,
    end: &str,
    say: impl FnOnce(&str) -> Option<String>,
) -> Option<Vec<u8>> {
    let prefix = if address == 0 { String::new() } else { format!("A{address:03}_") };
    let answer = say(line.strip_prefix(&prefix)?)?;
    Some(format!("{prefix}{answer}{end}").into_bytes())
}

/// Thousandths of a decimal number as the manuals allow it: sign, digits, at most two decimals.
fn milli(text: &str) -> Option<i32> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let good = whole.len() <= 4
        && decimals.len() <= 2
        && !(whole.is_empty() && decimals.is_empty())
        && whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit());
    if !good {
        return None;
    }
    // At most four digits and three: far within an i32.
    let milli = format!("0{whole}{decimals:0<3}").parse::<i32>().ok()?;
    Some(if digits.len() < text.len() { -milli } else { milli })
}

/// Degrees of thousandths.
fn degrees(milli: i32) -> f64 {
    f64::from(milli) / 1000.0
}

/// A number of degrees in steps of a device, kept within a signed word.
fn word(value_c: f64, steps_per_degree: f64) -> u16 {
    // A cast of a float saturates.
    ((value_c * steps_per_degree).round() as i16).cast_unsigned()
}

#[cfg(test)]
mod tests;
