use holder_hal::{Celsius, Kelvin};
use jiff::civil::Date;

use super::*;
use crate::batch::params::{Heater, MARGIN_UNKNOWN, Purpose};
use crate::profiles;

fn shipped(name: &str) -> &'static str {
    profiles::station(name).expect("a shipped station")
}

fn parse(text: &str) -> Result<StationConfig, ConfigError> {
    StationConfig::parse("station.toml", text, Library::shipped())
}

fn refusal(from: &str, to: &str) -> String {
    let text = shipped("demo");
    assert!(text.contains(from), "{from} is not in the demo station");
    parse(&text.replace(from, to)).expect_err("refused").to_string()
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

#[test]
fn the_demo_station_gives_a_unit_that_holds_together_and_parameters_that_serve() {
    let station = parse(shipped("demo")).expect("valid");
    let unit = station.unit("demo").expect("it has one");
    assert_eq!(unit.spec().expect("fits").milk_probes(), 2);
    let recipe = station.library.recipe(profiles::RECIPE_DEFAULT).expect("shipped");
    let params = unit.params(Purpose::Milk, &recipe, day("2026-11-24")).expect("it can begin");
    assert_eq!(params.milk.len(), 2);
    assert_eq!(params.milk[1].source, "bottles.channel_1");
    assert_eq!(params.milk[0].resolution, Kelvin::from_milli(100));
    assert_eq!((params.margin, params.margin_measured), (MARGIN_UNKNOWN, false));
    assert_eq!((params.heater, params.simulated), (Heater::Setpoint, true));
    assert_eq!(params.target(), Celsius::from_milli(63_050));
}

#[test]
fn every_shipped_station_parses_and_its_units_hold_together() {
    for (name, text) in profiles::STATIONS {
        let station = parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for unit in station.units.keys() {
            station.unit(unit).expect("known").spec().expect("fits");
        }
    }
}

#[test]
fn every_shipped_profile_is_named_after_its_file() {
    for (name, _) in profiles::DEVICES {
        let known = Library::shipped().profile(name).expect("valid");
        assert_eq!(known.profile.name(), *name);
    }
}

#[test]
fn a_new_station_runs_no_milk_before_probes_are_calibrated_and_the_cut_is_declared() {
    let station = parse(shipped("first")).expect("valid");
    let recipe = station.library.recipe(profiles::RECIPE_DEFAULT).expect("shipped");
    let unit = station.unit("past-1").expect("it has one");
    let empty = unit.params(Purpose::Water, &recipe, day("2026-11-24")).expect_err("no papers");
    assert!(matches!(empty, ConfigError::NotFilledIn { .. }), "{empty}");
    let named = shipped("first").replace("to be filled in", "K-1");
    let station = parse(&named).expect("valid");
    let unit = station.unit("past-1").expect("it has one");
    let overdue = unit.params(Purpose::Water, &recipe, day("2026-11-24")).expect_err("overdue");
    assert!(matches!(overdue, ConfigError::Overdue { .. }), "{overdue}");
    let calibrated = named.replace("due = \"2000-07-01\"", "due = \"2027-05-01\"");
    let station = parse(&calibrated).expect("valid");
    let unit = station.unit("past-1").expect("it has one");
    unit.params(Purpose::Water, &recipe, day("2026-11-24")).expect("water may run");
    let no_cut = unit.params(Purpose::Milk, &recipe, day("2026-11-24")).expect_err("no cut");
    assert!(matches!(no_cut, ConfigError::NoCut { .. }), "{no_cut}");
    let cut = calibrated.replace("# cut = {", "cut = {");
    let station = parse(&cut).expect("valid");
    let unit = station.unit("past-1").expect("it has one");
    unit.params(Purpose::Milk, &recipe, day("2026-11-24")).expect("milk may run");
}

/// The first station with a watchdog declared as its cut, its heater being a device of `profile`.
fn cut_by_watchdog(profile: &str, heater: &str, setpoint: &str) -> String {
    let by_watchdog = "cut = { by = \"device-watchdog\",";
    shipped("first")
        .replace("to be filled in", "K-1")
        .replace("due = \"2000-07-01\"", "due = \"2027-05-01\"")
        .replace("# cut = { by = \"limit-thermostat\", at_c = 66.0,", by_watchdog)
        .replace("profile = \"eurotherm-3200\"", &format!("profile = \"{profile}\""))
        .replace("controller.instrument_mode", &format!("controller.{heater}"))
        .replace("controller.remote_setpoint", &format!("controller.{setpoint}"))
}

#[test]
fn a_watchdog_that_goes_on_heating_is_no_cut() {
    for (profile, heater, setpoint, why) in [
        ("eurotherm-3200", "instrument_mode", "remote_setpoint", "may go on heating to its own"),
        ("omron-e5cc", "run", "setpoint", "controller (omron-e5cc): it has none that is known"),
    ] {
        let station = parse(&cut_by_watchdog(profile, heater, setpoint)).expect("valid");
        let unit = station.unit("past-1").expect("it has one");
        let refused = unit.spec().expect_err("refused").to_string();
        assert!(refused.contains("watchdog that stops the heat"), "{refused}");
        assert!(refused.contains(why) && refused.contains("limit-thermostat"), "{refused}");
    }
}

#[test]
fn a_watchdog_that_stops_the_heat_is_a_cut_that_takes_its_time() {
    let text = cut_by_watchdog("pixsys-drr245", "start", "setpoint");
    let station = parse(&text).expect("valid");
    let recipe = station.library.recipe(profiles::RECIPE_DEFAULT).expect("shipped");
    let unit = station.unit("past-1").expect("it has one");
    unit.params(Purpose::Milk, &recipe, day("2026-11-24")).expect("milk may run");
    let hasty = parse(&text.replace("within_s = 5", "within_s = 4")).expect("valid");
    let refused = hasty.unit("past-1").expect("it has one").spec().expect_err("refused");
    assert!(refused.to_string().contains("write within_s = 5"), "{refused}");
}

#[test]
fn a_certificate_is_valid_to_the_end_of_its_last_day() {
    let text = shipped("demo").replace("2099-12-31", "2026-11-24");
    let station = parse(&text).expect("valid");
    let recipe = station.library.recipe(profiles::RECIPE_DEFAULT).expect("shipped");
    let unit = station.unit("demo").expect("it has one");
    unit.params(Purpose::Milk, &recipe, day("2026-11-24")).expect("its last day");
    let overdue =
        unit.params(Purpose::Milk, &recipe, day("2026-11-25")).expect_err("the day after");
    let message = overdue.to_string();
    assert!(message.contains("SIM-000") && message.contains("2026-11-24"), "{message}");
}

fn start(text: &str, today: &str) -> Result<(), ConfigError> {
    let station = parse(text).expect("valid");
    let recipe = station.library.recipe(profiles::RECIPE_DEFAULT).expect("shipped");
    let unit = station.unit("demo").expect("it has one");
    unit.params(Purpose::Water, &recipe, day(today)).map(|_| ())
}

#[test]
fn a_calibration_that_is_still_to_come_blocks_the_start() {
    let text = shipped("demo").replacen("date = \"2026-01-01\"", "date = \"2026-11-24\"", 1);
    start(&text, "2026-11-24").expect("calibrated today");
    let refused = start(&text, "2026-11-23").expect_err("it lies in the future");
    assert!(matches!(refused, ConfigError::NotYet { .. }), "{refused}");
    let station = parse(&text).expect("valid");
    let unit = station.unit("demo").expect("it has one");
    let faults = unit.calibration_faults(day("2026-11-23"));
    assert_eq!(faults, ["calibration in the future: controller.pv (SIM-0001) on 2026-11-24"]);
}

#[test]
fn a_certificate_that_only_got_new_dates_is_not_filled_in() {
    let text = shipped("demo").replacen("SIM-0001", "to be filled in", 1);
    let refused = start(&text, "2026-11-24").expect_err("no number").to_string();
    assert!(refused.contains("controller.pv is not filled in yet: enter number"), "{refused}");
    let station = parse(&text).expect("valid");
    let faults = station.unit("demo").expect("known").calibration_faults(day("2026-11-24"));
    assert_eq!(faults, ["certificate not filled in yet: controller.pv (number and its dates)"]);
}

#[test]
fn an_uncertainty_below_half_a_step_of_the_readings_blocks_the_start() {
    let with = |u: &str| shipped("demo").replacen("uncertainty_c = 0.1", u, 1);
    start(&with("uncertainty_c = 0.05"), "2026-11-24").expect("half of 0.1 °C");
    let text = with("uncertainty_c = 0.049");
    let refused = start(&text, "2026-11-24").expect_err("too good to be true").to_string();
    assert!(refused.contains("steps of 0.100 °C") && refused.contains("below 0.05"), "{refused}");
    let station = parse(&text).expect("valid");
    let faults = station.unit("demo").expect("known").calibration_faults(day("2026-11-24"));
    assert_eq!(faults, ["uncertainty below half a step of the readings: controller.pv (SIM-0001)"]);
}

#[test]
fn the_reason_of_a_file_that_cannot_be_read_is_told_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let missing = StationConfig::load_file(&dir.path().join("none.toml")).expect_err("missing");
    fs::write(dir.path().join(STATION_FILE), b"name = \"\xff\"").expect("written");
    let not_text = StationConfig::load(dir.path()).expect_err("not UTF-8");
    for (error, reason) in [(missing, "No such file"), (not_text, "valid UTF-8")] {
        let shown = format!("{:#}", anyhow::Error::from(error));
        assert_eq!(shown.matches(reason).count(), 1, "{shown}");
    }
}

#[test]
fn mistakes_are_named_with_file_line_key_and_rule() {
    let cases = [
        ("period_ms = 1000", "periodms = 1000", "did you mean `period_ms`?"),
        ("time_zone = \"UTC\"", "time_zone = \"Paris\"", "is no IANA time zone"),
        ("\"controller.pv\"\nmilk", "\"pv\"\nmilk", "device.point"),
        ("bottles_max = 48", "bottles_max = 0", "at least one bottle"),
        ("# margin_c = 0.1", "margin_c = -0.1", "must not be negative"),
        ("simulated = true", "simulated = false", "training station has simulated units only"),
        ("[unit.demo]", "[unit.Demo]\nbottles_max = 1\n[unit.demo]", "Demo"),
        ("due = \"2099-12-31\"", "due = \"31.12.2099\"", "written YYYY-MM-DD"),
        ("due = \"2099-12-31\"", "due = \"2000-12-31\"", "is not after date"),
        ("uncertainty_c = 0.1", "uncertainty_c = nan", "not a difference"),
        ("certificate.\"bottles.channel_2\"", "certificate.\"bottles.channel_7\"", "channel_2"),
        ("address = 2", "address = 300", "300"),
        ("period_ms = 1000", "period_ms = 100", "between 200 and 2000"),
        ("period_ms = 1000", "period_ms = 2001", "between 200 and 2000"),
        (
            "bath = \"controller.pv\"",
            "bath = \"controler.pv\"",
            "no device named \"controler\" (did you mean \"controller\"?)",
        ),
        (
            "[\"bottles.channel_0\"",
            "[\"bottles.chanel_0\"",
            "no point named \"chanel_0\" (did you mean \"channel_0\"?)",
        ),
        (
            "uncertainty_c = 0.1",
            "uncertainty_c = 0.1\noffsets = [{ at_c = 60.0, offset_c = -2.001 }]",
            "more than 2 °C. Is it the offset",
        ),
    ];
    for (from, to, expected) in cases {
        let message = refusal(from, to);
        assert!(message.contains("station.toml:"), "{to}: {message}");
        assert!(message.contains(expected), "{to}: {message}");
    }
}

#[test]
fn the_line_of_a_mistake_is_the_one_in_its_own_unit() {
    let demo = shipped("demo");
    let (_, unit) = demo.split_once("[unit.demo]").expect("it has one");
    let second = format!("[unit.demo]{unit}").replace("unit.demo", "unit.other");
    let second = second.replace("bottles_max = 48", "bottles_max = 0");
    let text = format!("{demo}{second}");
    let message = parse(&text).expect_err("refused").to_string();
    let wrong = text.lines().position(|line| line == "bottles_max = 0").expect("there") + 1;
    assert!(message.contains(&format!("station.toml:{wrong}:")), "{message}");
}

#[test]
fn an_unknown_name_gets_the_nearest_known_one() {
    let station = parse(shipped("demo")).expect("valid");
    let message = station.unit("dmo").expect_err("unknown").to_string();
    assert!(message.contains("did you mean \"demo\"?"), "{message}");
    let message = station.library.recipe("holder-hmban").expect_err("unknown").to_string();
    assert!(message.contains("did you mean \"holder-hmbana\"?"), "{message}");
    let spec = parse(&shipped("demo").replace("\"relay-generic-8\"", "\"relay-8\""));
    let message = spec.expect("the file is fine").unit("demo").expect("known").spec();
    assert!(message.expect_err("unknown").to_string().contains("relay-generic-8"));
}

#[test]
fn an_own_file_never_takes_the_place_of_a_shipped_one() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("recipes")).expect("a folder");
    let text = profiles::recipe("holder-hmbana").expect("shipped");
    fs::write(dir.path().join("recipes/ours.toml"), text.replace("holder-hmbana", "ours"))
        .expect("written");
    let library = Library::of_station(dir.path()).expect("a new name");
    assert_eq!(library.recipe("ours").expect("known").recipe.name, "ours");
    fs::write(dir.path().join("recipes/holder-hmbana.toml"), text).expect("written");
    let shadows = Library::of_station(dir.path()).expect_err("refused");
    assert!(matches!(shadows, ConfigError::Shadows { .. }), "{shadows}");
}

#[test]
fn what_decides_a_verdict_is_frozen_with_its_hash() {
    let station = parse(shipped("demo")).expect("valid");
    let recipe = station.library.recipe(profiles::RECIPE_DEFAULT).expect("shipped");
    let unit = station.unit("demo").expect("it has one");
    let texts = unit.texts(&recipe).expect("frozen");
    let kinds: Vec<&str> = texts.iter().map(|text| text.kind.as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "certificate").count(), 4);
    assert_eq!(kinds.iter().filter(|kind| **kind == "profile").count(), 3);
    assert_eq!(kinds[..2], ["recipe", "unit"]);
    assert!(texts.iter().all(|text| text.sha256.len() == 64 && !text.text.is_empty()));
    let again: UnitConfig = toml_file::parse("frozen", &texts[1].text).expect("reads back");
    assert_eq!(&again, unit.written);
}

#[test]
fn a_training_station_cannot_be_made_a_real_one_by_its_file() {
    let station = parse(shipped("demo")).expect("valid");
    let memory = Station {
        name: station.name.clone(),
        time_zone: station.time_zone.clone(),
        training: true,
        created_utc_ms: 0,
    };
    station.agrees_with(&memory).expect("the same station");
    let real = Station { training: false, ..memory };
    let message = station.agrees_with(&real).expect_err("refused").to_string();
    assert!(message.contains("training = true") && message.contains("false"), "{message}");
}
