//! What a recipe may say, at the edge of each rule.

use super::*;
use crate::profiles;

#[test]
fn every_shipped_recipe_parses_and_carries_its_file_name() {
    for (name, text) in profiles::RECIPES {
        let recipe = Recipe::parse(name, text).expect("a shipped recipe is valid");
        assert_eq!(&recipe.name, name);
        assert!(!recipe.sources.is_empty(), "{name} cites no source");
    }
    assert_eq!(profiles::RECIPES.len(), 5);
}

#[test]
fn a_floor_above_its_ceiling_is_refused_with_line_and_key() {
    let text = profiles::recipe("holder-hmbana").expect("shipped");
    let bad = text.replace("floor_c = 62.5", "floor_c = 63.9");
    let message = Recipe::parse("bad.toml", &bad).expect_err("refused").to_string();
    assert!(message.contains("bad.toml:"), "{message}");
    assert!(message.contains("floor_c"), "{message}");
    assert!(message.contains("below ceiling.note_c"), "{message}");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let text = profiles::recipe("holder-hmbana").expect("shipped");
    let bad = text.replace("floor_c", "flor_c");
    let message = Recipe::parse("bad.toml", &bad).expect_err("refused").to_string();
    assert!(message.contains("`flor_c`") && message.contains("`floor_c`"), "{message}");
}

#[test]
fn not_a_number_is_not_a_floor() {
    let text = profiles::recipe("holder-hmbana").expect("shipped");
    for value in ["nan", "inf", "-inf", "\"62.5\"", "1e9"] {
        let bad = text.replace("floor_c = 62.5", &format!("floor_c = {value}"));
        assert!(Recipe::parse("bad.toml", &bad).is_err(), "{value} was accepted");
    }
}

#[test]
fn a_hold_that_nobody_watched_cannot_be_allowed_and_silence_allows_nothing() {
    let text = profiles::recipe("holder-hmbana").expect("shipped");
    let bad = [
        ("hold = \"restart\"", "hold = \"continue\""),
        ("come_up = \"continue\"", "come_up = \"restart\""),
        ("outage_max_min = 10.0", "outage_max_min = 121.0"),
    ];
    for (good, bad) in bad {
        let message = Recipe::parse("bad.toml", &text.replace(good, bad)).expect_err(bad);
        let key = bad.split(' ').next().unwrap_or_default();
        assert!(message.to_string().contains(key), "{message}");
    }
    let from = text.find("[interruption]").expect("there");
    let until = text.find("[culture]").expect("there");
    let silent = text.replace(&text[from..until], "");
    let rule = Recipe::parse("old.toml", &silent).expect("valid").interruption;
    assert_eq!((rule.outage_max_ms, rule.heat_needs_person), (0, true));
    assert_eq!([rule.come_up, rule.hold], [WhenInterrupted::Fail; 2]);
}

#[test]
fn what_is_no_holder_pasteurization_is_refused() {
    let text = profiles::recipe("holder-hmbana").expect("shipped");
    let bad = [
        ("floor_c = 62.5", "floor_c = 61.9"),
        ("hold_min = 30.0", "hold_min = 29.9"),
        ("mean_s = 10.0", "mean_s = 3600.0"),
        ("holds_restarted_max = 1", "holds_restarted_max = 1000"),
    ];
    for (good, bad) in bad {
        let message = Recipe::parse("bad.toml", &text.replace(good, bad)).expect_err(bad);
        let key = bad.split(' ').next().unwrap_or_default();
        assert!(message.to_string().contains(key), "{message}");
    }
}

type Change<'a> = &'a dyn Fn(&mut Recipe);

/// The key and the rule that a recipe breaks which differs so from the shipped one.
fn fault(change: Change<'_>) -> Option<(&'static str, String)> {
    let text = profiles::recipe("holder-hmbana").expect("shipped");
    let mut recipe = Recipe::parse("holder-hmbana", text).expect("valid");
    change(&mut recipe);
    recipe.fault()
}

/// The first is just allowed; the second breaks the rule of this key.
fn edge(key: &str, rule: &str, allowed: Change<'_>, broken: Change<'_>) {
    assert_eq!(fault(allowed), None, "{key}: {rule}");
    let (found, words) = fault(broken).expect(rule);
    assert_eq!((found, words.as_str()), (key, rule));
}

const fn milli(value: i32) -> Celsius {
    Celsius::from_milli(value)
}

#[test]
fn the_temperatures_of_a_recipe_stand_in_order() {
    let rule = "the floor must lie below ceiling.note_c";
    edge("floor_c", rule, &|r| r.ceiling.note = milli(62_501), &|r| r.ceiling.note = milli(62_500));
    let (note, deviation) = (milli(63_400), milli(63_500));
    let line = |note, deviation, fail| {
        move |r: &mut Recipe| r.ceiling = CeilingRule { note, deviation, fail }
    };
    let allowed = line(note, note, note);
    edge("deviation_c", "must not lie below note_c", &allowed, &line(deviation, note, deviation));
    edge("fail_c", "must not lie below deviation_c", &allowed, &line(note, deviation, note));
    edge("fail_c", "must not be above 75 °C", &|r| r.ceiling.fail = milli(75_000), &|r| {
        r.ceiling.fail = milli(75_001)
    });
    edge("target_c", "must lie below the floor", &|r| r.cooling.target = milli(62_499), &|r| {
        r.cooling.target = milli(62_500)
    });
}

#[test]
fn a_floor_and_a_hold_lie_within_what_may_call_itself_holder_pasteurization() {
    let floor = |floor| {
        move |r: &mut Recipe| {
            r.hold.floor = milli(floor);
            (r.ceiling.note, r.ceiling.deviation) = (milli(65_500), milli(65_600));
        }
    };
    let rule = "Holder pasteurization: 62 to 65 °C";
    edge("floor_c", rule, &floor(62_000), &floor(61_999));
    edge("floor_c", rule, &floor(65_000), &floor(65_001));
    let hold = |ms| move |r: &mut Recipe| r.hold.hold_ms = ms;
    let rule = "Holder pasteurization: 30 to 60 min";
    edge("hold_min", rule, &hold(1_800_000), &hold(1_799_999));
    edge("hold_min", rule, &hold(3_600_000), &hold(3_600_001));
}

#[test]
fn the_rules_of_the_hold_have_their_bounds() {
    let mean = |ms| move |r: &mut Recipe| r.hold.mean_ms = ms;
    edge("mean_s", "must be from 1 to 60 s", &mean(1_000), &mean(999));
    edge("mean_s", "must be from 1 to 60 s", &mean(60_000), &mean(60_001));
    let after = |ms| move |r: &mut Recipe| r.hold.begin_after_ms = ms;
    edge("begin_after_s", "must not be above 300 s", &after(300_000), &after(300_001));
    let restarts = |count| move |r: &mut Recipe| r.hold.holds_restarted_max = count;
    edge("holds_restarted_max", "must not be above 3", &restarts(3), &restarts(4));
    let foreign = |ms| move |r: &mut Recipe| r.hold.max_gap_foreign_ms = ms;
    edge("max_gap_foreign_s", "must not be above 300 s", &foreign(300_000), &foreign(300_001));
    let gap = |ms, foreign_ms| {
        move |r: &mut Recipe| (r.hold.max_gap_ms, r.hold.max_gap_foreign_ms) = (ms, foreign_ms)
    };
    edge("max_gap_s", "no reading could satisfy it", &gap(1, 1), &gap(0, 1));
    let rule = "the record must show one reading a minute";
    edge("max_gap_s", rule, &gap(60_000, 60_000), &gap(60_001, 60_001));
    edge("max_gap_foreign_s", "below max_gap_s", &gap(5_000, 5_000), &gap(5_000, 4_999));
    let above = |kelvin| move |r: &mut Recipe| r.hold.begin_above = Kelvin::from_milli(kelvin);
    edge("begin_above_c", "must not be negative", &above(0), &above(-1));
}

#[test]
fn a_note_comes_no_later_than_a_fail_and_a_divisor_is_above_zero() {
    let heat_up =
        |note_ms, fail_ms| move |r: &mut Recipe| r.heat_up = HeatUpRule { note_ms, fail_ms };
    edge("fail_min", "must not be below note_min", &heat_up(5, 5), &heat_up(5, 4));
    let cooling = |note_ms, fail_ms| {
        move |r: &mut Recipe| (r.cooling.note_ms, r.cooling.fail_ms) = (note_ms, fail_ms)
    };
    edge("fail_min", "must not be below note_min", &cooling(5, 5), &cooling(5, 4));
    let spread = |kelvin| move |r: &mut Recipe| r.probes.spread_max = Kelvin::from_milli(kelvin);
    edge("spread_max_c", "must be above zero", &spread(1), &spread(0));
    let z = |kelvin| move |r: &mut Recipe| r.figures.equivalent_z = Kelvin::from_milli(kelvin);
    edge("equivalent_z_c", "must be above zero", &z(1), &z(0));
}

#[test]
fn a_pool_has_a_donor_and_an_outage_ends_after_two_hours() {
    let donors =
        |min, max| move |r: &mut Recipe| (r.pool.donors_min, r.pool.donors_max) = (min, max);
    edge("donors_min", "a pool has at least one donor", &donors(1, 1), &donors(0, 1));
    edge("donors_max", "is below donors_min", &donors(3, 3), &donors(3, 2));
    let outage = |ms| move |r: &mut Recipe| r.interruption.outage_max_ms = ms;
    edge("outage_max_min", "must not be above 120", &outage(7_200_000), &outage(7_200_001));
}

#[test]
fn an_unknown_outage_is_longer_than_the_longest_limit_whichever_that_is() {
    let text = profiles::recipe("holder-hmbana").expect("shipped");
    let recipe = Recipe::parse("holder-hmbana", text).expect("valid");
    let day_ms = 86_400_000;
    let longest: [Change<'_>; 8] = [
        &|r| r.heat_up.fail_ms = day_ms,
        &|r| r.cooling.fail_ms = day_ms,
        &|r| r.limits.preheat_max_ms = day_ms,
        &|r| r.limits.load_max_ms = day_ms,
        &|r| r.limits.probe_lost_max_ms = day_ms,
        &|r| r.interruption.outage_max_ms = day_ms,
        &|r| r.hold.max_gap_ms = day_ms,
        &|r| r.hold.max_gap_foreign_ms = day_ms,
    ];
    for change in longest {
        let mut recipe = recipe.clone();
        change(&mut recipe);
        assert_eq!(recipe.beyond_every_limit_ms(), day_ms + 1);
    }
}
