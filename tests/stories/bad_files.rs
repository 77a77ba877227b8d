//! Files with mistakes in them: each gets file, line, key and rule, and changes nothing.

use crate::rig::Desk;

/// A shipped file, written to `name` with one replacement.
fn spoil(desk: &Desk, show: &str, name: &str, from: &str, to: &str) {
    let text = desk.run(show).expect_code(0).stdout;
    assert!(text.contains(from), "{from} is not in it");
    desk.write(name, &text.replacen(from, to, 1));
}

#[test]
fn a_station_with_a_mistake_names_the_line_and_the_nearest_key() {
    let cases: [(&str, &str, &[&str]); 5] = [
        ("period_ms = 1000", "period_ms 1000", &["station.toml:"]),
        ("bottles_max", "botles_max", &["unknown field", "did you mean `bottles_max`?"]),
        ("address = 1", "address = 0", &["addresses every device at once"]),
        ("relays.input_1", "relays.imput_1", &["lid", "imput_1", "does not exist", "input_1"]),
        ("tcp://127.0.0.1:15021", "tcp:127.0.0.1", &["url", "tcp://host:port"]),
    ];
    for (from, to, words) in cases {
        let desk = Desk::training();
        let text = desk.read("station.toml");
        assert!(text.contains(from), "{from} is not in it");
        desk.write("station.toml", &text.replacen(from, to, 1));
        let mut words = words.to_vec();
        words.push("station.toml");
        desk.run("unit read demo").expect_refusal(&words);
    }
}

#[test]
fn a_recipe_whose_floor_is_above_its_ceiling_is_refused() {
    let desk = Desk::empty();
    spoil(&desk, "recipe show holder-hmbana", "ours.toml", "floor_c = 62.5", "floor_c = 63.9");
    let words = ["ours.toml:", "floor_c = 63.9", "ceiling"];
    desk.run("recipe check ours.toml").expect_refusal(&words);
}

#[test]
fn a_recipe_with_an_unknown_key_or_no_number_is_refused() {
    let desk = Desk::empty();
    let show = "recipe show holder-hmbana";
    spoil(&desk, show, "ours.toml", "holds_restarted_max", "hold_restarted_max");
    let words = ["ours.toml:", "did you mean `holds_restarted_max`?"];
    desk.run("recipe check ours.toml").expect_refusal(&words);
    spoil(&desk, show, "ours.toml", "floor_c = 62.5", "floor_c = nan");
    desk.run("recipe check ours.toml").expect_refusal(&["ours.toml:", "floor_c", "temperature"]);
    desk.run("recipe check nowhere.toml").expect_refusal(&["nowhere.toml", "cannot be read"]);
}

#[test]
fn an_own_recipe_is_known_under_its_name_and_never_shadows_a_shipped_one() {
    let desk = Desk::training();
    let show = "recipe show holder-hmbana";
    spoil(&desk, show, "recipes/ours.toml", "name = \"holder-hmbana\"", "name = \"ours\"");
    assert!(desk.run("recipe list").expect_code(0).stdout.contains("\nours "));
    spoil(&desk, show, "recipes/other.toml", "62.5", "62.6");
    desk.run("recipe show other").expect_refusal(&["other.toml", "name"]);
    spoil(&desk, show, "recipes/holder-hmbana.toml", "62.5", "62.6");
    desk.run("recipe show holder-hmbana").expect_refusal(&["never takes its place"]);
}

#[test]
fn a_profile_coarser_than_a_tenth_or_in_fahrenheit_unasked_is_refused() {
    let desk = Desk::empty();
    let show = "device show eurotherm-3200 --toml";
    spoil(&desk, show, "ours.toml", "scale = 0.1", "scale = 1");
    desk.run("device check ours.toml").expect_refusal(&["ours.toml:", "scale", "62.5"]);
    spoil(&desk, show, "ours.toml", "unit = \"degC\"", "unit = \"degF\"");
    desk.run("device check ours.toml").expect_refusal(&["ours.toml:", "unit", "degF"]);
}

#[test]
fn a_profile_with_an_unknown_key_names_the_nearest_one() {
    let desk = Desk::empty();
    let show = "device show eurotherm-3200 --toml";
    spoil(&desk, show, "ours.toml", "usual_role", "usual_rol");
    desk.run("device check ours.toml").expect_refusal(&["ours.toml:", "usual_rol", "`usual_role`"]);
    spoil(&desk, show, "ours.toml", "title = ", "title ");
    desk.run("device check ours.toml").expect_refusal(&["ours.toml:4", "not TOML"]);
}

#[test]
fn what_recipe_check_accepts_is_what_recipe_list_can_use() {
    let desk = Desk::training();
    let show = "recipe show holder-hmbana";
    for name in ["../x", "other", "Ours"] {
        let to = format!("name = \"{name}\"");
        spoil(&desk, show, "recipes/ours.toml", "name = \"holder-hmbana\"", &to);
        let words = ["ours.toml:", "name = \"ours\"", "rename the file"];
        desk.run("recipe check recipes/ours.toml").expect_refusal(&words);
        desk.run("recipe show ours").expect_refusal(&words);
    }
    spoil(&desk, show, "recipes/Our_s.toml", "name = \"holder-hmbana\"", "name = \"Our_s\"");
    desk.run("recipe check recipes/Our_s.toml").expect_refusal(&["1 to 32 of a-z"]);
    desk.write("holder-hmbana.toml", &desk.run(show).expect_code(0).stdout);
    desk.run("recipe check holder-hmbana.toml").expect_refusal(&["is shipped", "new name"]);
}

#[test]
fn one_bad_recipe_does_not_hide_the_others() {
    let desk = Desk::training();
    let show = "recipe show holder-hmbana";
    let name = "name = \"holder-hmbana\"";
    spoil(&desk, show, "recipes/aaa.toml", name, "nam = \"aaa\"");
    spoil(&desk, show, "recipes/zzz.toml", name, "name = \"zzz\"");
    desk.run("recipe check recipes/zzz.toml").expect_code(0);
    let listed = desk.run("recipe list").expect_code(1);
    for word in ["\nholder-france ", "\naaa ", "aaa.toml:", "\nzzz "] {
        assert!(listed.stdout.contains(word), "no {word:?} in {}", listed.stdout);
    }
    // The table wraps its lines.
    let words = listed.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("did you mean `name`?"), "{words}");
    let listed = desk.run("recipe list --json").expect_code(1).json();
    let bad = listed.as_array().expect("a list").iter().find(|one| one["name"] == "aaa");
    assert!(bad.expect("listed")["fault"].as_str().expect("why").contains("aaa.toml:"));
}
