//! A machine heats, and nobody runs it: who notices, and who switches it off.

use std::fs;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;

use crate::interruptions::{RUN, is_off, served, until};
use crate::rig::{Answer, Desk};

/// The line of a check that is about this, if there is one: its grade and its text.
fn line(check: &Answer, at: &str) -> Option<(String, String)> {
    let lines = check.json();
    let found = lines.as_array()?.iter().find(|line| line["at"] == at)?;
    Some((found["grade"].as_str()?.to_owned(), found["text"].as_str()?.to_owned()))
}

/// What a shell makes of a command that was printed, elsewhere than in the station's folder.
fn pasted(printed: &str) -> Answer {
    let program = cargo_bin("holder");
    let folder = program.parent().expect("a folder").display().to_string();
    let path = std::env::var("PATH").map_or(folder.clone(), |path| format!("{folder}:{path}"));
    let mut shell = Command::new("sh");
    shell.args(["-c", printed]).current_dir("/").env("PATH", path).env("HOLDER_USER", "ana");
    Answer::of(shell.env_remove("HOLDER_DIR").output().expect("it starts"))
}

fn kill_while_heating(desk: &Desk) {
    let mut running = until(desk, RUN, "Heater on");
    running.kill().expect("killed");
    running.wait().expect("gone");
}

#[test]
fn a_machine_that_was_left_heating_is_noticed_by_a_check_and_switched_off_by_what_that_prints() {
    let (desk, machine) = served();
    let calm = desk.run("unit check demo --json").expect_code(0);
    assert_eq!(line(&calm, "heat"), None, "it does not heat");
    kill_while_heating(&desk);
    assert!(!is_off(&desk, &machine), "nobody has told it");

    let folder = desk.path("").display().to_string();
    let check = desk.run(&format!("--dir {folder} unit check demo --json")).expect_code(1);
    let (grade, text) = line(&check, "heat").expect("it is said");
    assert_eq!(grade, "bad");
    assert!(text.contains("no holder runs this unit"), "{text}");
    let printed = text.split_once("Switch it off: ").expect("a command").1;
    let off = pasted(printed).expect_code(0);
    assert!(is_off(&desk, &machine), "{printed}");
    assert!(off.stdout.contains("SIMULATED\nunit demo: heat was switched off, and the machine"));

    // The batch is as open as it was, and it is said how to go on: from anywhere.
    assert!(off.stderr.contains("is still open"), "{}", off.stderr);
    let resume = off.stderr.split("go on with it: ").nth(1).expect("a command");
    let resume = resume.split(" --resume").next().expect("it ends");
    assert_eq!(resume, format!("holder --dir {folder} run demo"));
    desk.run("unit check demo").expect_code(0);
    desk.run("db verify").expect_code(0);
}

#[test]
fn a_unit_that_is_run_is_left_to_its_program_which_is_named() {
    let (desk, machine) = served();
    let mut running = until(&desk, RUN, "Heater on");
    let check = desk.run("unit check demo --json").expect_code(0);
    let (grade, text) = line(&check, "heat").expect("it is said");
    let process = format!("(process {})", running.id());
    assert!(grade == "note" && text.contains(&process), "{text}");
    let kill = format!("kill {}", running.id());
    let refused = desk.run("unit off demo");
    refused.expect_refusal(&["nothing was told to the machine", "already run", &process, &kill]);
    assert!(!is_off(&desk, &machine), "it goes on");
    // What it says to do does what it says.
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    running.wait().expect("it ends");
    assert!(is_off(&desk, &machine));
    desk.run("unit off demo").expect_code(0);
}

#[test]
fn a_machine_that_does_not_answer_is_not_said_to_be_off() {
    let desk = Desk::training();
    // Port 1 of loopback: nobody listens there.
    let text = desk.read("station.toml").replace(":15021", ":1").replace(":15022", ":1");
    desk.write("station.toml", &text);
    let off = desk.run("unit off demo").expect_code(4);
    assert_eq!(off.stdout, "");
    for word in [
        "SWITCH THE HEATER OFF AT THE MACHINE",
        "None of its devices that switch heat has answered",
        "did not confirm it",
        "no connection",
    ] {
        assert!(off.stderr.contains(word), "no {word} in {}", off.stderr);
    }
    let told = desk.run("--json unit off demo").expect_code(4).json();
    assert_eq!(told["confirmed"], false);
    let devices = told["devices"].as_array().expect("devices");
    assert!(devices.len() == 2 && devices.iter().all(|one| one["confirmed"] == false), "{told:#}");
    desk.write("station.toml", "name = ");
    desk.run("unit off demo").expect_refusal(&["switch its heater off there", "station.toml"]);
}

#[test]
fn a_probe_that_is_gone_keeps_no_heater_on_but_a_person_has_to_look() {
    let (desk, machine) = served();
    kill_while_heating(&desk);
    let text = desk.read("station.toml").replace(machine.address(2), "127.0.0.1:1");
    desk.write("station.toml", &text);
    let off = desk.run("unit off demo").expect_code(4);
    for word in [
        "SWITCH THE HEATER OFF AT THE MACHINE",
        "controller confirmed what it was told",
        "relays confirmed what it was told",
    ] {
        assert!(off.stderr.contains(word), "no {word} in {}", off.stderr);
    }
    assert!(is_off(&desk, &machine));
}

/// A pipe that nobody reads opens for no writer (fifo(7)), as a file on a disk that hangs.
#[cfg(target_os = "linux")]
#[test]
fn a_lock_file_that_hangs_keeps_no_heater_on() {
    let (desk, machine) = served();
    for line in ["unit off demo", "run demo --resume --yes --speed 60"] {
        let again = desk.copy();
        kill_while_heating(&again);
        std::fs::remove_file(again.path("locks/demo.lock")).expect("removed");
        let made = Command::new("mkfifo").arg(again.path("locks/demo.lock")).status();
        assert!(made.expect("mkfifo is there").success());
        let told = again.run(line);
        assert!(told.stderr.contains("the disk does not answer"), "{line}: {}", told.stderr);
        assert!(is_off(&again, &machine), "{line}: {}", told.stderr);
    }
}

/// Without its description nothing can be told to a machine, and a person must know while they wait.
#[cfg(target_os = "linux")]
#[test]
fn a_station_that_is_not_read_in_time_sends_the_person_to_the_machine() {
    let desk = Desk::training();
    let text = desk.read("station.toml");
    desk.write("station.toml", &text.replace("\"eurotherm-3200\"", "\"slow\""));
    fs::create_dir_all(desk.path("profiles")).expect("made");
    let pipe = desk.path("profiles/slow.toml");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo is there").success());
    for line in ["unit off demo", "run demo --resume"] {
        let mut program = desk.program();
        program.args(line.split_whitespace()).stderr(std::process::Stdio::piped());
        let mut waits = program.spawn().expect("it starts");
        let mut said = std::io::BufReader::new(waits.stderr.take().expect("piped"));
        let mut first = String::new();
        std::io::BufRead::read_line(&mut said, &mut first).expect("text");
        waits.kill().expect("killed");
        waits.wait().expect("gone");
        for word in ["station.toml", "switch its heater off there", "Ctrl-C"] {
            assert!(first.contains(word), "{line}: no {word} in {first}");
        }
    }
}

#[test]
fn a_heater_is_switched_off_whatever_became_of_the_record_and_a_check_says_what_did() {
    let (desk, machine) = served();
    kill_while_heating(&desk);
    for name in ["holder.db-wal", "holder.db-shm"] {
        let _ = fs::remove_file(desk.path(name));
    }
    fs::write(desk.path("holder.db"), [0; 8192]).expect("written");
    let check = desk.run("unit check demo --json").expect_code(5);
    assert_eq!(line(&check, "record").expect("it is said").0, "bad");
    assert_eq!(line(&check, "heat").expect("it is said").0, "bad");
    assert!(check.stderr.contains("begin no batch with this file"), "{}", check.stderr);
    desk.run("unit off demo").expect_code(0);
    assert!(is_off(&desk, &machine));

    fs::remove_file(desk.path("holder.db")).expect("removed");
    let before = desk.files();
    let check = desk.run("unit check demo --json").expect_code(1);
    let (grade, text) = line(&check, "record").expect("it is said");
    let [look, restore, init] =
        ["look for it first", "db restore", "holder init"].map(|word| text.find(word));
    assert!(grade == "bad" && look < restore && restore < init && look.is_some(), "{text}");
    assert_eq!(desk.files(), before, "nothing was made");

    // Nor does a disk that takes no lock file keep a heater on.
    fs::remove_dir_all(desk.path("locks")).expect("removed");
    fs::write(desk.path("locks"), "in the way").expect("written");
    let off = desk.run("unit off demo").expect_code(0);
    assert!(off.stderr.contains("cannot be used"), "{}", off.stderr);
}
