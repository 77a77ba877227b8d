//! What each fuzz target does with its bytes. A decoder must not panic whatever comes, and what it
//! accepts must keep the promise that is asserted here.
//!
//! The fuzz targets and the replay of the corpus in `cargo test` share this file.

#![allow(dead_code, reason = "each fuzz target uses one of them")]

use std::sync::OnceLock;

use holder::batch::judge::{judge, limits};
use holder::batch::params::Purpose;
use holder::batch::recipe::Recipe;
use holder::profiles;
use holder::record::curve_csv::{self, Options, ReadCurve};
use holder::record::json_read;
use holder::station::config::{Library, StationConfig};
use holder_hal::wire::capture::decode_capture;
use holder_hal::wire::profile::{Point, Protocol, Raw, Value};
use holder_hal::wire::{BusUrl, Profile, fuzzing};
use holder_hal::{Kelvin, Quality};
use holder_sim::FaultSpec;

/// A device profile. One that is accepted survives being written with other line ends, and each
/// of its points can be found by its name.
pub(crate) fn profile_toml(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(profile) = Profile::parse("own-device.toml", text) else { return };
    assert_eq!(profile.text(), text);
    for point in profile.points() {
        assert_eq!(profile.point(&point.name).map(|found| &found.name), Some(&point.name));
    }
    for check in profile.checks() {
        assert!(profile.point(&check.point).is_some(), "a check of nothing: {}", check.point);
    }
}

/// A station. What is accepted can be asked for the wires and the parameters of each unit.
pub(crate) fn station_toml(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(station) = StationConfig::parse("station.toml", text, Library::shipped()) else {
        return;
    };
    let recipe = station.library.recipe(profiles::RECIPE_DEFAULT).expect("a shipped recipe");
    for name in station.units.keys() {
        let unit = station.unit(name).expect("a unit by its own name");
        if unit.spec().is_ok() {
            let today = jiff::civil::date(2026, 11, 24);
            let _ = unit.params(Purpose::Water, &recipe, today);
            let _ = (unit.calibration_faults(today), unit.cut_in_words());
        }
    }
}

/// A capture of a wire, with every profile held against what it says. Nothing is answered that was
/// not asked.
pub(crate) fn capture_text(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(paired) = decode_capture(text) else { return };
    let figures = paired.figures();
    assert!(figures.answers <= figures.questions, "{figures:?}");
    let library = Library::shipped();
    for exchange in &paired.exchanges {
        assert!(exchange.turnaround_us.is_some() == exchange.answer.is_some());
        let device = paired.device_of(exchange);
        let Some(known) = device.and_then(|known| library.profile(&known.profile).ok()) else {
            continue;
        };
        let _ = exchange.values(&known.profile, exchange.unit_id.unwrap_or(0));
    }
}

/// A recipe.
pub(crate) fn recipe_toml(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let _ = Recipe::parse("own-recipe.toml", text);
}

/// A curve as CSV, ours or anybody's, and the judge's verdict on it.
pub(crate) fn curve_csv(bytes: &[u8]) {
    let recipe = shipped_recipe();
    let options = Options {
        uncertainty: Some(Kelvin::from_milli(100)),
        margin: None,
        max_gap_foreign_ms: recipe.hold.max_gap_foreign_ms,
    };
    if let Ok(read) = curve_csv::read("logger.csv", bytes, &options) {
        verdict(recipe, &read);
    }
}

/// The JSON export of a batch, and the judge's verdict on it.
pub(crate) fn export_json(bytes: &[u8]) {
    if !json_read::is_json(bytes) {
        return;
    }
    if let Ok(read) = json_read::read("batch.json", bytes) {
        verdict(shipped_recipe(), &read);
    }
}

/// Where a bus is. What is accepted has characters that take time.
pub(crate) fn bus_url(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(url) = BusUrl::parse(text) else { return };
    if let Some(line) = url.line {
        assert!(line.micros(1) > 0 && line.micros(u32::MAX) > line.micros(1), "{text}: {line}");
    }
}

/// A fault on the wire as it is written on the command line. What is accepted is written again as
/// something that means the same.
pub(crate) fn fault_spec(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(fault) = text.parse::<FaultSpec>() else { return };
    let again = fault.to_string();
    assert_eq!(again.parse::<FaultSpec>().ok(), Some(fault), "{text:?} is {again:?}");
}

/// Bytes on a serial wire after a Modbus question.
pub(crate) fn rtu_answer(bytes: &[u8]) {
    fuzzing::rtu_answer(bytes);
}

/// Bytes on a Modbus TCP connection after a question.
pub(crate) fn tcp_answer(bytes: &[u8]) {
    fuzzing::tcp_answer(bytes);
}

/// The inside of a Modbus answer.
pub(crate) fn modbus_pdu(bytes: &[u8]) {
    fuzzing::modbus_pdu(bytes);
}

/// Bytes on a serial wire after a command: text, Huber PB, NESLAB NC.
pub(crate) fn command_answer(bytes: &[u8]) {
    fuzzing::command_answer(bytes);
}

/// A line of text to a device of each shipped profile that speaks it; the first byte chooses
/// profile and address.
pub(crate) fn text_answer(bytes: &[u8]) {
    let Some((choice, line)) = bytes.split_first() else { return };
    let profiles = text_profiles();
    if let Some(profile) = profiles.get(usize::from(choice >> 2) % profiles.len().max(1)) {
        fuzzing::text_answer(profile, choice & 3, line);
    }
}

/// What a device answered, as one point of any kind reads it: the first two bytes choose the point, the rest
/// is what the device answered. A good value that is written back reads as the same value, where
/// the registers can hold it.
pub(crate) fn point_decode(bytes: &[u8]) {
    let [first, second, rest @ ..] = bytes else { return };
    let points = points();
    let Some(point) = points.get(usize::from(u16::from_be_bytes([*first, *second])) % points.len())
    else {
        return;
    };
    let words = rest.chunks_exact(2).map(word).collect();
    let bit = rest.first().is_some_and(|byte| byte & 1 == 1);
    let mut raws = vec![Raw::Words(words), Raw::Bit(bit), Raw::Bytes(rest.to_vec())];
    raws.extend(str::from_utf8(rest).ok().map(|line| Raw::Text(line.to_owned())));
    raws.iter().for_each(|raw| there_and_back(point, raw));
}

fn there_and_back(point: &Point, raw: &Raw) {
    let decoded = point.decode(raw);
    let (Some(value), Quality::Good) = (decoded.value, decoded.quality) else { return };
    let Ok(written) = point.encode(value) else { return };
    let again = point.decode(&written).value;
    assert!(
        again.is_some_and(|again| same(value, again)),
        "{}: {raw} is {value}, written as {written} it reads {again:?}",
        point.name
    );
}

fn word(pair: &[u8]) -> u16 {
    pair.iter().fold(0, |word, byte| (word << 8) | u16::from(*byte))
}

fn same(one: Value, other: Value) -> bool {
    match (one, other) {
        // A point may be as coarse as 0.1 °C and hold °F, so a conversion there and back may end
        // one of its steps beside the start; 0.056 °C is a tenth of a degree Fahrenheit.
        (Value::Temperature(one), Value::Temperature(other)) => {
            one.milli().abs_diff(other.milli()) <= 56
        }
        (one, other) => one == other,
    }
}

fn verdict(recipe: &Recipe, read: &ReadCurve) {
    let recipe = read.origin.as_ref().map_or(recipe, |origin| &origin.recipe);
    let verdict = judge(recipe, &read.curve);
    assert!(!verdict.findings.is_empty() || read.origin.is_some(), "judged as read, but not said");
    let _ = limits(recipe, &read.curve);
}

fn shipped_recipe() -> &'static Recipe {
    static RECIPE: OnceLock<Recipe> = OnceLock::new();
    RECIPE.get_or_init(|| {
        let text = profiles::recipe(profiles::RECIPE_DEFAULT).expect("a shipped recipe");
        Recipe::parse("holder-hmbana.toml", text).expect("a good recipe")
    })
}

fn all_profiles() -> &'static [Profile] {
    static PROFILES: OnceLock<Vec<Profile>> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let parsed = profiles::DEVICES
            .iter()
            .map(|(name, text)| Profile::parse(&format!("{name}.toml"), text).expect("shipped"));
        parsed.collect()
    })
}

fn text_profiles() -> Vec<&'static Profile> {
    let speaks_text = |profile: &&Profile| matches!(profile.protocol(), Protocol::Text(_));
    all_profiles().iter().filter(speaks_text).collect()
}

/// Points of every type, order and unit, then those of the shipped profiles.
fn points() -> &'static [Point] {
    static POINTS: OnceLock<Vec<Point>> = OnceLock::new();
    POINTS.get_or_init(|| {
        let shipped = profiles::DEVICES.iter().map(|(name, text)| (*name, (*text).to_owned()));
        [("every-kind", every_kind())]
            .into_iter()
            .chain(shipped)
            .filter_map(|(name, text)| Profile::parse(&format!("{name}.toml"), &text).ok())
            .flat_map(|profile| profile.points().to_vec())
            .collect()
    })
}

fn every_kind() -> String {
    let mut text = String::from(
        "title = \"every kind of point\"\nprotocol = \"modbus\"\nsource = \"none\"\n\
         verified = \"manual\"\n[modbus]\nfunction_codes = [3, 6, 16]\nreport_server_id = false\n",
    );
    let units = [
        ("c", "unit = \"degC\"\nrange = [-200, 800]\nscale = 0.01"),
        ("f", "unit = \"degF\"\nconvert = \"degC\"\nrange = [-200, 800]\nscale = 0.1"),
        ("percent", "unit = \"percent\"\nscale = 0.1"),
        ("mode", "unit = \"mode\""),
    ];
    let mut address = 0;
    for data_type in ["INT16", "UINT16", "INT32", "UINT32", "FLOAT32"] {
        for order in ["ABCD", "CDAB", "BADC", "DCBA"] {
            for (name, lines) in units {
                let lines = match (data_type, name) {
                    ("FLOAT32", "mode") => continue,
                    ("FLOAT32", _) => lines.replace("scale", "# scale"),
                    _ => lines.to_owned(),
                };
                let name = format!("{data_type}_{order}_{name}").to_lowercase();
                text += &format!(
                    "[[point]]\nname = \"{name}\"\ntitle = \"{name}\"\nentity = \
                     \"holding_register\"\naddress = {address}\ndata_type = \"{data_type}\"\n\
                     byte_order = \"{order}\"\n{lines}\n"
                );
                address += 2;
            }
        }
    }
    text
}
