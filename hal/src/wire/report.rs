//! What `holder unit check` tells: everything read, nothing written, in plain words.

use std::sync::Arc;

use super::bus::Bus;
use super::capture::Capture;
use super::device::Device;
use super::profile::{Decoded, Point, Profile, Value, Verified};
use super::spec::UnitSpec;
use super::unit::WiredUnit;
use crate::contract::{Quality, Role};

/// How serious a line of the check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// As it should be.
    Good,
    /// Worth knowing before milk is entrusted to the unit.
    Note,
    /// The unit cannot run like this.
    Bad,
}

impl Grade {
    /// The stable word for tables and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Bad => "bad",
        }
    }
}

/// One line of the check of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckLine {
    /// How serious it is.
    pub grade: Grade,
    /// The device it is about; `None` for the unit as a whole.
    pub device: Option<String>,
    /// The point it is about.
    pub point: Option<String>,
    /// The roles that the point plays, by their words.
    pub roles: Vec<String>,
    /// What was found, in words.
    pub text: String,
    /// It says that the unit is told to heat. Whether that is as it should be, only who knows
    /// whether a batch runs can say.
    pub heats: bool,
}

/// Collects the lines about one device.
struct Report<'a> {
    device: &'a str,
    /// The points of the device that play a role.
    used: Vec<&'a str>,
    /// One of them is a means by which the unit heats.
    heats: bool,
    lines: Vec<CheckLine>,
}

impl Report<'_> {
    fn add(&mut self, grade: Grade, point: Option<&str>, text: impl Into<String>) {
        let (device, point) = (Some(self.device.to_owned()), point.map(str::to_owned));
        self.lines.push(CheckLine {
            grade,
            device,
            point,
            roles: Vec::new(),
            text: text.into(),
            heats: false,
        });
    }
}

impl WiredUnit {
    /// Reads everything that the unit's devices have, writes nothing, and says what is missing.
    pub async fn check(spec: UnitSpec) -> Vec<CheckLine> {
        Self::check_heard(spec, None).await
    }

    /// The same, with all that goes over the wires kept in `capture`.
    pub async fn check_heard(spec: UnitSpec, capture: Option<Capture>) -> Vec<CheckLine> {
        let mut lines = missing_roles(&spec);
        let mut unit = Self::unconnected(spec.clone());
        unit.keep(capture);
        for line in unit.lines_mut() {
            for device in &mut line.devices {
                let name = device.name.clone();
                let mine = || spec.roles().iter().filter(|given| given.device == name);
                let used = mine().map(|given| given.point.as_str()).collect();
                let heats = mine().any(|given| given.role.heats());
                let mut report = Report { device: &name, used, heats, lines: Vec::new() };
                about_device(&mut report, device, &mut line.bus).await;
                lines.append(&mut report.lines);
            }
        }
        for line in &mut lines {
            let plays = spec.roles().iter().filter(|given| {
                line.device.as_ref() == Some(&given.device)
                    && line.point.as_ref() == Some(&given.point)
            });
            line.roles = plays.map(|given| given.role.to_string()).collect();
        }
        if unit.is_told_to_heat().await == Some(true) {
            let text = "the machine is told to heat".to_owned();
            lines.push(CheckLine { heats: true, ..about_unit(text) });
        }
        lines
    }
}

/// What a unit can do without, but should know that it does.
fn missing_roles(spec: &UnitSpec) -> Vec<CheckLine> {
    let wanted = [
        (Role::Milk(0), "no milk probe: such a unit can run water, but judge no milk"),
        (Role::Reference, "no reference probe: the recording probe is compared with nothing"),
        (Role::Lid, "no lid switch: an opened lid is not noticed"),
        (Role::Agitator, "no agitator: it must run by itself whenever the bath is warm"),
        (Role::CoolingValve, "no cooling valve: cooling is by hand"),
    ];
    let mut notes: Vec<&str> = Vec::new();
    notes.extend(
        wanted.iter().filter(|(role, _)| spec.role(*role).is_none()).map(|(_, text)| *text),
    );
    let heats = spec.role(Role::Setpoint).is_some() || spec.role(Role::Power).is_some();
    if !heats {
        notes.push("neither set point nor power: this unit only watches, it cannot heat");
    }
    notes.into_iter().map(|text| about_unit(text.to_owned())).collect()
}

/// A line about the unit as a whole.
fn about_unit(text: String) -> CheckLine {
    let (grade, device, point, roles) = (Grade::Note, None, None, Vec::new());
    CheckLine { grade, device, point, roles, text, heats: false }
}

async fn about_device(report: &mut Report<'_>, device: &mut Device, bus: &mut Bus) {
    let profile = Arc::clone(&device.profile);
    if let Err(error) = device.warm_up(bus).await {
        report.add(Grade::Bad, None, error.to_string());
        return;
    }
    match device.identify(bus).await {
        Ok(()) if device.heard_marker => report.add(Grade::Note, None, "is a simulator"),
        Ok(()) => {}
        Err(error) => {
            let error = device.cause(error);
            report.add(Grade::Bad, None, error.to_string());
            // Nobody there: one line says it better than one for each point.
            if error.is_unreachable() {
                return;
            }
        }
    }
    for check in device.checks() {
        match device.check(bus, &check).await {
            Ok(()) => report.add(
                Grade::Good,
                Some(&check.point),
                format!("is {}, as it must be", check.words()),
            ),
            Err(error) => {
                let error = device.cause(error);
                report.add(Grade::Bad, Some(&check.point), error.to_string());
                if error.is_unreachable() {
                    return;
                }
            }
        }
    }
    for name in profile.scales() {
        match device.check_scale(bus, name).await {
            Ok(read) => report.add(Grade::Good, Some(name), format!("is {read}, fine enough")),
            Err(error) => report.add(Grade::Bad, Some(name), error.to_string()),
        }
    }
    let checked = |name: &str| {
        profile.checks().iter().any(|check| check.point == name) || profile.scales().contains(&name)
    };
    for point in profile.points().iter().filter(|point| point.readable && !checked(&point.name)) {
        let read = device.read_value(bus, point).await;
        match read {
            Ok((raw, decoded)) => {
                let (grade, words) = in_words(&profile, &report.used, &point.name, &decoded);
                let text = format!("{}: {words} ({raw})", point.title);
                report.add(grade, Some(&point.name), text);
            }
            Err(error) => {
                // What this unit does not use may be missing: an option, or another zone.
                let needed = device.uses(&point.name) || is_needed(&profile, &report.used, point);
                let spare = !error.is_unreachable() && !needed;
                let grade = if spare { Grade::Note } else { Grade::Bad };
                report.add(grade, Some(&point.name), error.to_string());
                if error.is_unreachable() {
                    return;
                }
            }
        }
    }
    about_verification(report, &profile);
    about_watchdog(report, &profile);
    about_wear(report, &profile);
}

/// Whether a point in use needs this one before it can be written.
fn is_needed(profile: &Profile, used: &[&str], wanted: &Point) -> bool {
    let used = used.iter().filter_map(|name| profile.point(name)?.write.as_ref());
    let mut needs =
        used.flat_map(|write| &write.needs).filter_map(|need| profile.point(&need.point));
    needs.any(|need| {
        let proof = need.write.as_ref().map(|write| &write.verify_point);
        need.name == wanted.name || proof == Some(&wanted.name)
    })
}

/// Points that nobody has checked against a manual or a device; those in use by name, with what
/// to do before milk depends on them.
fn about_verification(report: &mut Report<'_>, profile: &Profile) {
    let unverified = profile.points().iter().filter(|p| p.verified == Verified::Unverified);
    let spoils = |point: &Point| {
        let of = |used: &str| profile.point(used).map(|used| used.faults.iter());
        let mut used = report.used.iter().filter_map(|used| of(used)).flatten();
        used.any(|fault| fault.point == point.name)
    };
    let in_use = |point: &Point| report.used.contains(&point.name.as_str()) || spoils(point);
    let (used, others): (Vec<&Point>, Vec<&Point>) = unverified.partition(|point| in_use(point));
    let name = profile.name().to_owned();
    if !used.is_empty() {
        let used: Vec<&str> = used.iter().map(|point| point.name.as_str()).collect();
        let text = format!(
            "in use, and not verified by a manual or a device: {}. Compare with the display of the \
             device, and commission the unit with water, before milk depends on them",
            used.join(", ")
        );
        report.add(Grade::Note, None, text);
    }
    if !others.is_empty() {
        let count = others.len();
        let points = if count == 1 { "point" } else { "points" };
        let text = format!("not in use, and not verified: {count} {points} of the profile {name}");
        report.add(Grade::Note, None, text);
    }
}

/// What happens to the heat when this program or its computer falls silent.
fn about_watchdog(report: &mut Report<'_>, profile: &Profile) {
    match profile.watchdog() {
        Some(watchdog) if watchdog.stops_heat => report.add(Grade::Good, None, &*watchdog.meaning),
        Some(watchdog) => report.add(Grade::Note, None, &*watchdog.meaning),
        None if report.heats => report.add(
            Grade::Note,
            None,
            "it has no watchdog that is known: when this program falls silent it may go on heating. \
             The unit needs an independent limit thermostat as its cut",
        ),
        None => {}
    }
}

/// A set point that wears its memory out, and the one to use in its place.
fn about_wear(report: &mut Report<'_>, profile: &Profile) {
    let wears = |point: &&Point| point.write.as_ref().is_some_and(|write| write.on_change_only);
    let is_setpoint = |point: &&Point| point.usual_role == Some(Role::Setpoint);
    let used: Vec<&str> = report.used.clone();
    let in_use = |point: &&Point| used.contains(&point.name.as_str());
    let points = || profile.points().iter().filter(is_setpoint);
    for worn in points().filter(in_use).filter(wears) {
        let better = points().find(|other| other.write.is_some() && !wears(other));
        let text = match better {
            Some(better) => format!(
                "this set point is kept in memory that wears out: use {} for the role setpoint",
                better.name
            ),
            None => "this set point is kept in memory that wears out: it is written only when it \
                     changes. Give the unit steady set points"
                .to_owned(),
        };
        report.add(Grade::Note, Some(&worn.name), text);
    }
}

/// What a value says to a technician. A point that tells of a fault is bad when it is on and a
/// point in use is spoilt by it; on a channel without a probe it is as it must be.
fn in_words(profile: &Profile, used: &[&str], name: &str, decoded: &Decoded) -> (Grade, String) {
    let value = decoded.value.map_or_else(|| "no value".to_owned(), |value| value.to_string());
    let spoilt = profile
        .points()
        .iter()
        .filter(|point| point.faults.iter().any(|fault| fault.point == name));
    let spoilt: Vec<&str> = spoilt.map(|point| point.name.as_str()).collect();
    match decoded.quality {
        Quality::Good if decoded.value == Some(Value::Switch(true)) && !spoilt.is_empty() => {
            let in_use = spoilt.iter().any(|point| used.contains(point));
            let grade = if in_use { Grade::Bad } else { Grade::Note };
            (grade, format!("{value}, so that nothing counts from {}", spoilt.join(", ")))
        }
        Quality::Good => (Grade::Good, value),
        Quality::Stale
        | Quality::OutOfRange
        | Quality::SensorOpen
        | Quality::Comm
        | Quality::Disagrees => {
            (Grade::Note, format!("{value}, {}: {}", decoded.quality.word(), decoded.reason))
        }
    }
}
