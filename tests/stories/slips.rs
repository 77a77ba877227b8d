//! A program was killed while it heated, and the person who comes to it slips on the keyboard, or has
//! changed a file meanwhile: the heater goes off all the same, and what was interrupted is told.

use crate::interruptions::{RUN, is_off, killed, serve, served, until};
use crate::rig::{Answer, Desk};
use crate::simulator::Running;

const CONFIRMED: &str = "Heat was commanded off, and the machine confirmed it";

/// A copy of the station whose program, with these words, was killed while it heated.
fn left_heating(clean: &Desk, machine: &Running, line: &str) -> Desk {
    let desk = clean.copy();
    let mut killed = until(&desk, line, "");
    while is_off(&desk, machine) {
        assert!(killed.try_wait().expect("asked").is_none(), "{line}: it ended without heating");
    }
    killed.kill().expect("killed");
    killed.wait().expect("gone");
    assert!(!is_off(&desk, machine), "{line}: nothing has told it");
    desk
}

/// Refused for this reason, with the heater off, and the person knows.
#[track_caller]
fn refused_safely(desk: &Desk, machine: &Running, line: &str, why: &str) -> Answer {
    let answer = desk.run(line);
    assert!(is_off(desk, machine), "{line}: it still heats: {}", answer.stderr);
    answer.expect_refusal(&[why, CONFIRMED])
}

fn edit(desk: &Desk, from: &str, to: &str) {
    let text = desk.read("station.toml");
    assert!(text.contains(from), "no {from} in {text}");
    desk.write("station.toml", &text.replace(from, to));
}

#[test]
fn a_refused_run_leaves_no_heater_on_and_tells_of_the_open_batch() {
    let (clean, machine) = served();
    clean.write("there.jsonl", "an older capture");
    let name = "name = \"Demonstration milk bank\"";
    for (slip, why) in
        [(" --bottles 60", "is still open"), (" --capture there.jsonl", "exists already")]
    {
        let desk = left_heating(&clean, &machine, RUN);
        let answer = refused_safely(&desk, &machine, &format!("{RUN}{slip}"), why);
        assert!(answer.stderr.contains("is still open"), "{slip}: {}", answer.stderr);
    }
    let desk = left_heating(&clean, &machine, RUN);
    edit(&desk, name, "name = \"Another\"");
    let answer = refused_safely(&desk, &machine, RUN, "Another");
    assert!(answer.stderr.contains("is still open"), "{}", answer.stderr);
}

#[test]
fn after_a_killed_commissioning_a_refused_run_leaves_no_heater_on() {
    let (clean, machine) = served();
    let commission = "unit commission demo --yes --speed 60";
    let desk = left_heating(&clean, &machine, commission);
    refused_safely(&desk, &machine, "run demo --resume --speed 60", "no interrupted batch");
    let desk = left_heating(&clean, &machine, commission);
    refused_safely(&desk, &machine, &format!("{RUN} --bottles 60"), "takes 1 to 48");
    let desk = left_heating(&clean, &machine, commission);
    edit(&desk, "2099-12-31", "2026-01-02");
    refused_safely(&desk, &machine, RUN, "overdue");
}

#[test]
fn a_new_run_that_cannot_reach_all_of_the_machine_tells_what_answers_to_stop_heating() {
    let (clean, machine) = served();
    let commission = "unit commission demo --yes --speed 60";
    for line in [RUN, commission] {
        let desk = left_heating(&clean, &machine, commission);
        edit(&desk, machine.address(2), "127.0.0.1:1");
        let answer = desk.run(line).expect_code(4);
        assert!(answer.stderr.contains("unit demo: ATTENTION"), "{line}: {}", answer.stderr);
        assert!(is_off(&desk, &machine), "{line}: it still heats");
    }
}

/// Nobody but a person can switch it off then, and must know.
#[test]
fn a_station_that_cannot_be_read_sends_the_person_to_the_heater() {
    let (clean, machine) = served();
    for (from, to) in [("name = ", "nam = "), ("\"eurotherm-3200\"", "\"eurotherm-32\"")] {
        let desk = left_heating(&clean, &machine, RUN);
        edit(&desk, from, to);
        let said = desk.run("run demo --resume --speed 60").expect_code(1).stderr;
        let (told, error) = said.split_once("error: ").expect("an error");
        assert!(told.contains("switch its heater off there"), "{said}");
        assert!(error.contains("station.toml") || error.contains("eurotherm-32"), "{said}");
    }
}

/// Real hardware is never gone with its program.
#[test]
fn fast_that_is_typed_for_real_hardware_leaves_no_heater_on() {
    let (clean, machine) = served();
    let bank = Desk::empty();
    bank.run("init . --name Bank --time-zone UTC").expect_code(0);
    edit(&bank, "192.168.1.20:502", machine.address(0));
    edit(&bank, "192.168.1.21:502", machine.address(2));
    let refused = "--fast is for simulated units only";
    let (new, resume) = ("run past-1 --water --bottles 12 --fast", "run past-1 --resume --fast");
    for (line, code, why) in [(new, 1, refused), (resume, 1, refused), (resume, 5, "holder.db")] {
        left_heating(&clean, &machine, RUN);
        if code == 5 {
            bank.write("holder.db", "no database");
        }
        let answer = bank.run(line).expect_code(code);
        // The simulator, which has no business there, is told all the same.
        for word in [why, "ATTENTION"] {
            assert!(answer.stderr.contains(word), "{line}: no {word} in {}", answer.stderr);
        }
        assert!(is_off(&bank, &machine), "{line}: it still heats: {}", answer.stderr);
        assert!(!answer.stderr.contains("simulated machine"), "{line}: {}", answer.stderr);
    }
}

/// After a power cut a disk may have become read-only, or somebody has tidied up.
#[cfg(target_os = "linux")]
#[test]
fn a_lock_file_that_cannot_be_used_leaves_no_heater_on() {
    let (clean, machine) = served();
    for line in [RUN, "run demo --resume --yes --speed 60"] {
        let desk = left_heating(&clean, &machine, RUN);
        std::fs::remove_dir_all(desk.path("locks")).expect("removed");
        desk.write("locks", "in the way");
        let answer = refused_safely(&desk, &machine, line, "the lock file");
        assert!(answer.stderr.contains("is still open"), "{line}: {}", answer.stderr);
    }
}

/// Another program has the file for itself: every question to it waits for seconds, as on a disk that
/// hangs.
#[test]
fn a_file_that_does_not_open_in_time_leaves_no_heater_on() {
    let (clean, machine) = served();
    for line in ["run demo --resume --yes --speed 60", RUN, "unit commission demo --yes --speed 60"]
    {
        let desk = left_heating(&clean, &machine, RUN);
        let db = rusqlite::Connection::open(desk.path("holder.db")).expect("a database");
        db.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").expect("held");
        let answer = desk.run(line).expect_code(1);
        let waits = format!("{CONFIRMED}. The disk has not opened");
        assert!(answer.stderr.contains(&waits), "{line}: {}", answer.stderr);
        assert!(is_off(&desk, &machine), "{line}: it still heats: {}", answer.stderr);
    }
}

/// Whether the cooling water runs, as another program reads it.
fn is_cooling(desk: &Desk, machine: &Running) -> bool {
    let line = format!(
        "device probe tcp://{} --ids 2 --profile relay-generic-8 --point relay_2 --json",
        machine.address(0)
    );
    let found = desk.run(&line).expect_code(0).json();
    let value = found["found"][0]["points"][0]["reads"][0]["value"].clone();
    assert!(value == "on" || value == "off", "{found:#}");
    value == "on"
}

#[test]
fn a_commissioning_that_meets_milk_in_the_cold_water_lets_the_water_run() {
    let (desk, code) = killed("COOL");
    let machine = serve(&desk);
    // As the killed program left it: whoever only looks for the batch opens the water.
    desk.run(RUN).expect_refusal(&[&code, CONFIRMED]);
    assert!(is_cooling(&desk, &machine));
    desk.run("unit commission demo --yes --speed 60").expect_refusal(&[&code, "still open"]);
    assert!(is_off(&desk, &machine) && is_cooling(&desk, &machine), "the milk would stay warm");
}
