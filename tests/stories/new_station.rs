//! A bank makes its station, and looks at its units.

use crate::rig::Desk;

#[test]
fn a_new_station_has_a_description_and_a_memory() {
    let desk = Desk::empty();
    let made = desk.run("init bank --training --time-zone Europe/Paris").expect_code(0);
    assert!(made.stdout.contains("bank/station.toml:demo"), "{}", made.stdout);
    let text = desk.read("bank/station.toml");
    assert!(text.contains("time_zone = \"Europe/Paris\"") && text.contains("training = true"));
    assert!(desk.path("bank/holder.db").is_file());
    let units = desk.run("--dir bank --json unit list").expect_code(0).json();
    assert_eq!(units[0]["name"], "demo");
    assert_eq!(units[0]["simulated"], true);
    assert_eq!(units[0]["fault"], serde_json::Value::Null);
}

#[test]
fn a_station_is_never_made_over_another() {
    let desk = Desk::training();
    let before = desk.read("station.toml");
    let made = desk.files();
    desk.run("init").expect_refusal(&["station.toml", "exists already"]);
    desk.run("init --training --name Other").expect_refusal(&["left as it is"]);
    assert_eq!(desk.read("station.toml"), before);
    assert_eq!(desk.files(), made);
}

#[test]
fn a_description_without_a_memory_is_kept_and_gets_one_when_that_is_said() {
    let desk = Desk::training();
    std::fs::remove_file(desk.path("holder.db")).expect("removed");
    let before = desk.read("station.toml");
    desk.run("run demo --water --fast --yes").expect_refusal(&["holder.db", "--keep"]);
    desk.run("init").expect_refusal(&["find it first", "holder init . --keep"]);
    desk.run("init --keep --name Other").expect_code(2);
    assert!(!desk.path("holder.db").exists());
    // What a database leaves beside it shows that there was one.
    desk.write("holder.db-wal", "x");
    desk.run("init --keep").expect_refusal(&["holder.db-wal", "nothing was changed"]);
    std::fs::remove_file(desk.path("holder.db-wal")).expect("removed");
    let said = desk.run("init --keep").expect_code(0).stdout;
    assert!(said.contains("made ./holder.db") && said.contains("left as it is"), "{said}");
    assert_eq!(desk.read("station.toml"), before);
    desk.run("db verify").expect_code(0);
    desk.run("init --keep").expect_refusal(&["holder.db is there", "nothing was changed"]);
    desk.run("--dir elsewhere init --keep").expect_refusal(&["is not a station"]);
}

#[test]
fn a_real_station_tells_what_stands_against_milk() {
    let desk = Desk::empty();
    desk.run("init --time-zone UTC").expect_code(0);
    let units = desk.run("unit list").expect_code(0).stdout;
    let words = units.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("water only"), "{units}");
    assert!(words.contains("certificate not filled in yet: controller.pv (number, by,"), "{units}");
    assert!(units.lines().all(|line| line.chars().count() <= 80), "{units}");
}

#[test]
fn a_time_zone_that_nobody_knows_makes_no_station() {
    let desk = Desk::empty();
    desk.run("init bank --time-zone Mars/Olympus").expect_refusal(&["time_zone", "Mars/Olympus"]);
    assert_eq!(desk.files(), Vec::<String>::new());
}

#[test]
fn a_folder_that_is_no_station_says_how_to_make_one() {
    let desk = Desk::empty();
    desk.run("unit list").expect_refusal(&["is not a station", "holder init"]);
    desk.run("--dir elsewhere unit list").expect_refusal(&["elsewhere", "--dir"]);
}

#[test]
fn a_machine_that_does_not_answer_has_its_own_exit_code() {
    let desk = Desk::training();
    // Port 1 of loopback: nobody listens there.
    let text = desk.read("station.toml").replace(":15021", ":1").replace(":15022", ":1");
    desk.write("station.toml", &text);
    let read = desk.run("unit read demo").expect_code(4);
    assert!(read.stderr.contains("no connection"), "{}", read.stderr);
    let check = desk.run("unit check demo --json").expect_code(4);
    let lines = check.json();
    assert!(lines.as_array().expect("lines").iter().any(|line| line["grade"] == "bad"));
    // A simulated machine has no cable to look at: somebody has to start it.
    let run = desk.run("run demo --water --bottles 1").expect_code(4);
    for answer in [read, check, run, desk.run("unit off demo").expect_code(4)] {
        let said = answer.stderr;
        assert!(said.contains("has somebody started its machine?"), "{said}");
        assert!(said.contains("`holder sim --unit ./station.toml:demo`"), "{said}");
    }
}
