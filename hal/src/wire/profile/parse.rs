//! Reads a profile from TOML: the device as a whole; `parse_point` reads its points.

use toml::de::DeTable;

use super::error::ProfileError;
use super::point::Verified;
use super::reader::{Field, Section, Source};
use super::{
    Check, Profile, Protocol, Timing, Watchdog, parse_point, parse_protocol, parse_write, rules,
};
use crate::wire::url::{Framing, line_settings};

/// The longest rest between two requests that still leaves a control period.
const PAUSE_MS_MAX: u64 = 1000;
/// The longest time-out and lateness that leave a unit usable.
const TIMEOUT_MS_MAX: u64 = 2000;
const LATE_MS_MAX: u64 = 10_000;
/// How late an answer can come if the profile does not say: longer than gateways were seen to
/// take (DEVICES, section C).
const LATE_MS_USUAL: u64 = 2000;
const WATCHDOG_MS_MAX: u64 = 3_600_000;

pub(crate) const VERIFIED: [(&str, Verified); 4] = [
    ("unverified", Verified::Unverified),
    ("manual", Verified::Manual),
    ("simulated", Verified::Simulated),
    ("hardware", Verified::Hardware),
];

pub(crate) fn profile(file_name: &str, text: &str) -> Result<Profile, ProfileError> {
    let source = Source { file: file_name, text };
    let document = DeTable::parse(text).map_err(|error| source.syntax(&error))?;
    let mut root = Section::root(source, document.get_ref());

    let title = root.need("title", "maker and model, in words")?.text()?.to_owned();
    let (protocol, timing) = parse_protocol::protocol(&mut root)?;
    let manual = root.need("source", "the manual and page that this was made from")?;
    let manual = manual.text()?.to_owned();
    let verified = root.need("verified", "manual, simulated, hardware or unverified")?;
    let verified = verified.word(&VERIFIED)?;
    let quirks = match root.maybe("quirks") {
        Some(field) => texts(&field)?,
        None => Vec::new(),
    };
    let line = root.maybe("line").map(|field| line(&field, &protocol)).transpose()?;
    let watchdog = root.maybe("watchdog").map(|field| field.section().and_then(watchdog));
    let mut points = Vec::new();
    for section in root.sections("point")? {
        points.push(parse_point::point(section, &protocol, verified)?);
    }
    if points.is_empty() {
        return Err(root.missing("point", "a device without points is of no use; add [[point]]"));
    }
    let mut checks = Vec::new();
    for section in root.sections("check")? {
        checks.push(check(section)?);
    }
    root.finish()?;

    let profile = Profile {
        name: stem(file_name).to_owned(),
        text: text.to_owned(),
        title,
        protocol,
        timing,
        source: manual,
        verified,
        quirks,
        line: line.unwrap_or_default(),
        points,
        checks,
        watchdog: watchdog.transpose()?,
    };
    rules::check(source, document.get_ref(), &profile)?;
    Ok(profile)
}

/// `profiles/devices/eurotherm-3200.toml` → `eurotherm-3200`.
fn stem(file_name: &str) -> &str {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    name.strip_suffix(".toml").unwrap_or(name)
}

pub(crate) fn texts(field: &Field<'_>) -> Result<Vec<String>, ProfileError> {
    field.list()?.iter().map(|item| item.text().map(str::to_owned)).collect()
}

/// The settings of a serial line, as a url has them.
fn line(field: &Field<'_>, protocol: &Protocol) -> Result<String, ProfileError> {
    let framing = match protocol {
        Protocol::Modbus(_) => Framing::ModbusRtu,
        Protocol::Text(_) | Protocol::HuberPb | Protocol::NeslabNc => Framing::Commands,
    };
    let text = field.text()?;
    line_settings(framing, text).map_err(|rule| field.refuse(rule))?;
    Ok(text.to_owned())
}

/// The keys about time that the table of every protocol has.
pub(crate) fn timing(section: &mut Section<'_>) -> Result<Timing, ProfileError> {
    let mut ms = |key, most| section.maybe(key).map(|field| field.duration_ms(most)).transpose();
    let pause_between_requests_ms = ms("pause_between_requests", PAUSE_MS_MAX)?.unwrap_or(0);
    let pause_between_commands_ms = ms("pause_between_commands", PAUSE_MS_MAX)?.unwrap_or(0);
    let timeout_ms = ms("timeout", TIMEOUT_MS_MAX)?;
    let late_ms_max = ms("late_max", LATE_MS_MAX)?.unwrap_or(LATE_MS_USUAL);
    Ok(Timing { pause_between_requests_ms, pause_between_commands_ms, timeout_ms, late_ms_max })
}

fn watchdog(mut section: Section<'_>) -> Result<Watchdog, ProfileError> {
    let within = section.need("within", "after how long without us the device acts")?;
    let within_ms = within.duration_ms(WATCHDOG_MS_MAX)?;
    if within_ms == 0 {
        return Err(
            within.refuse("a watchdog acts after some time: leave the table out if it has none")
        );
    }
    let rule = "the points whose writing feeds it; [] if any question does";
    let fed_by = texts(&section.need("fed_by", rule)?)?;
    let armed_by = section.maybe("armed_by").map(|field| parse_write::need(&field)).transpose()?;
    let rule = "is the heater off after it has acted? true or false";
    let stops_heat = section.need("stops_heat", rule)?.boolean()?;
    let meaning =
        section.need("meaning", "what the device does then, in words")?.text()?.to_owned();
    section.finish()?;
    Ok(Watchdog { within_ms, fed_by, armed_by, stops_heat, meaning })
}

fn check(mut section: Section<'_>) -> Result<Check, ProfileError> {
    let point = section.need("point", "the point that is checked")?.text()?.to_owned();
    section.rename(format!("check.{point}"));
    let equals = section.need("equals", "the raw value that it must have, or a list of them")?;
    let raws = equals.integers(i32::MIN.into(), u32::MAX.into())?;
    let why = section.need("why", "why, and what to set on the device")?.text()?.to_owned();
    let concerns = section.maybe("concerns").map(|field| texts(&field)).transpose()?;
    section.finish()?;
    Ok(Check { point, raws, why, concerns: concerns.unwrap_or_default() })
}
