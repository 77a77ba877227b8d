//! The power goes, the program crashes, two start at once: what becomes of the batch, and of the
//! machine.

use std::io::{BufRead, BufReader, Lines, Write as _};
use std::process::{Child, ChildStderr, Stdio};

use crate::rig::{Answer, Desk};
use crate::simulator::Running;

/// A run of water on a machine of its own, up to the line that begins with this phase.
pub(crate) fn run_until(desk: &Desk, phase: &str) -> Child {
    until(desk, "run demo --water --fast --yes", phase)
}

/// The program with these words, up to the line that says this. The rest of what it says goes
/// nowhere, which must not disturb it.
pub(crate) fn until(desk: &Desk, line: &str, word: &str) -> Child {
    heard(desk, line, word).0
}

/// The same with the rest of what it says.
pub(crate) fn heard(desk: &Desk, line: &str, word: &str) -> (Child, Lines<BufReader<ChildStderr>>) {
    let mut program = desk.program();
    program.args(line.split_whitespace());
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let reached = lines.any(|line| line.expect("text").contains(word));
    assert!(reached, "it never came to {word}");
    (child, lines)
}

/// The rules of the findings of the newest batch, with their severities.
fn findings(desk: &Desk, code: &str) -> Vec<(String, String)> {
    let shown = desk.run(&format!("--json batch show {code}")).expect_code(0).json();
    let found = shown["verdict"]["findings"].as_array().expect("findings").clone();
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    found.iter().map(|one| (word(&one["rule"]), word(&one["severity"]))).collect()
}

pub(crate) fn code(desk: &Desk) -> String {
    let list = desk.run("--json batch list").expect_code(0).json();
    list[0]["code"].as_str().expect("a code").to_owned()
}

/// A station whose program was killed while it warmed the bottles.
pub(crate) fn killed(phase: &str) -> (Desk, String) {
    let desk = Desk::training();
    let mut killed = run_until(&desk, phase);
    killed.kill().expect("killed");
    killed.wait().expect("gone");
    let code = code(&desk);
    (desk, code)
}

#[test]
fn a_killed_run_keeps_its_record_and_nothing_else_begins_until_a_person_decides() {
    let (desk, code) = killed("COME-UP");
    let report = desk.run("--json db verify").expect_code(0).json();
    assert!(report["report"]["inputs"].as_i64().expect("a number") > 1_000, "{report}");
    let refused = desk.run("run demo --water --fast --yes");
    refused.expect_refusal(&[
        &code,
        "still open",
        "--resume",
        "--abandon",
        "may be in the machine",
    ]);
    desk.run("unit commission demo --fast --yes").expect_refusal(&[&code, "still open"]);
    let list = desk.run("--json batch list").expect_code(0).json();
    assert_eq!(list[0]["closing"], serde_json::Value::Null, "nobody has closed it");
    let proof = desk.run(&format!("batch verify {code}")).expect_code(0);
    assert!(proof.stdout.contains("open: nothing was decided"), "{}", proof.stdout);
    let proof = desk.run(&format!("--json batch verify {code}")).expect_code(0).json();
    assert!(proof["open"] == true && proof["outcome"].is_null(), "{proof}");

    let mut program = desk.program();
    program.args(["run", "demo", "--fast", "--yes", "--abandon", "the milk was thrown away"]);
    let given_up = Answer::of(program.output().expect("it starts")).expect_code(0);
    assert!(given_up.stdout.contains("incomplete"), "{}", given_up.stdout);
    let exported = desk.run(&format!("batch export {code} --format json -o -")).expect_code(0);
    assert!(exported.stdout.contains("given up by ana: the milk was thrown away"));
    desk.run("run demo --fast --yes --resume").expect_refusal(&["no interrupted batch"]);
    desk.run("db verify").expect_code(0);
    desk.run(&format!("batch verify {code}")).expect_code(0);
}

#[test]
fn an_outage_of_unknown_length_fails_a_batch_that_was_being_warmed_and_cools_its_milk() {
    let (desk, code) = killed("COME-UP");
    let resumed = desk.run("run demo --resume --fast --yes").expect_code(3);
    for word in ["interrupted in phase come-up", "unknown time", "Heat is off", "COOL: "] {
        assert!(resumed.stderr.contains(word), "no {word} in {}", resumed.stderr);
    }
    let found = findings(&desk, &code);
    assert!(found.contains(&("interrupted".into(), "fail".into())), "{found:?}");
    assert!(found.iter().all(|(rule, _)| rule != "disputed"), "{found:?}");
    desk.run("db verify").expect_code(0);
    desk.run(&format!("batch verify {code}")).expect_code(0);
    desk.run(&format!("batch export {code}")).expect_code(0);
    let judged = desk.run(&format!("--json judge {code}.csv")).expect_code(3).json();
    let shown = desk.run(&format!("--json batch show {code}")).json();
    assert_eq!(judged["findings"], shown["verdict"]["findings"], "from the file alone");
}

#[test]
fn before_the_bottles_are_in_an_interrupted_batch_can_still_become_a_good_one() {
    let (desk, code) = killed("PREHEAT");
    let resumed = desk.run("run demo --resume --fast --yes").expect_code(0);
    assert!(resumed.stdout.contains("verdict: acceptable"), "{}", resumed.stdout);
    assert!(findings(&desk, &code).contains(&("interrupted".into(), "note".into())));
}

#[test]
fn without_a_person_an_interrupted_batch_is_not_heated() {
    let (desk, _code) = killed("PREHEAT");
    // Nobody types yes: the end of the input is no answer, and preheating is given up in time.
    let mut program = desk.program();
    program.args(["run", "demo", "--resume", "--fast"]).stdin(Stdio::null());
    let answer = Answer::of(program.output().expect("it starts")).expect_code(3);
    assert!(answer.stderr.contains("HEAT IS OFF"), "{}", answer.stderr);
    let after = answer.stderr.rsplit("HEAT IS OFF").next().unwrap_or_default();
    assert!(!after.contains("Heater on"), "{after}");
}

/// A training station whose machine is served, with its address.
pub(crate) fn served() -> (Desk, Running) {
    let desk = Desk::training();
    let running = serve(&desk);
    (desk, running)
}

/// Serves the machine of a training station.
pub(crate) fn serve(desk: &Desk) -> Running {
    serve_with(desk, "")
}

/// The same with these words more.
pub(crate) fn serve_with(desk: &Desk, more: &str) -> Running {
    let line = format!("sim --unit station.toml:demo --tcp 127.0.0.1:0 --speed 60{more}");
    let running = Running::start(desk, &line);
    let text = desk.read("station.toml").replace("127.0.0.1:15021", running.address(0));
    desk.write("station.toml", &text.replace("127.0.0.1:15022", running.address(2)));
    running
}

/// Whether the controller of the served machine is off, as another program reads it.
pub(crate) fn is_off(desk: &Desk, running: &Running) -> bool {
    let probed = format!(
        "device probe tcp://{} --ids 1 --profile eurotherm-3200 --point instrument_mode --json",
        running.address(0)
    );
    let found = desk.run(&probed).expect_code(0).json();
    found["found"][0]["points"][0]["reads"][0]["value"] == "off"
}

#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill").args([name, &id]).status();
    assert!(sent.expect("kill is there").success());
}

pub(crate) const RUN: &str = "run demo --water --yes --speed 60";

#[cfg(unix)]
#[test]
fn every_signal_leaves_the_heater_off_and_only_a_person_ends_the_batch() {
    let (desk, running) = served();
    let mut told = until(&desk, RUN, "Heater on");
    assert!(!is_off(&desk, &running), "it was heating");
    signal(&told, "-TERM");
    assert_eq!(told.wait().expect("it ends").code(), Some(1));
    assert!(is_off(&desk, &running), "SIGTERM");
    let code = code(&desk);

    // About the time of its first input.
    let resume = "run demo --resume --yes --speed 60";
    let mut told = until(&desk, resume, "was interrupted in phase");
    signal(&told, "-HUP");
    assert_eq!(told.wait().expect("it ends").code(), Some(1));
    assert!(is_off(&desk, &running), "SIGHUP");
    desk.run("db verify").expect_code(0);
    let refused = desk.run(RUN).expect_refusal(&[&code, "still open", "confirmed it"]);
    assert!(!refused.stderr.contains("ATTENTION"), "{}", refused.stderr);

    let mut told = until(&desk, resume, "Heater on");
    signal(&told, "-INT");
    assert_eq!(told.wait().expect("it ends").code(), Some(3), "Ctrl-C gives it up");
    assert!(is_off(&desk, &running), "SIGINT");
    let list = desk.run("--json batch list").expect_code(0).json();
    assert_eq!(list[0]["closing"], "interrupted");
    // Every outage is known here: the computer was not started again.
    let shown = desk.run(&format!("batch show {code}")).stdout;
    assert!(shown.contains("The controller was gone for"), "{shown}");
    assert!(!shown.contains("unknown time"), "{shown}");
    desk.run(&format!("batch verify {code}")).expect_code(0);
}

#[cfg(unix)]
#[test]
fn a_terminal_neither_stops_nor_kills_what_heats() {
    let (desk, running) = served();
    for line in [RUN, "unit commission demo --yes --speed 60"] {
        let (mut told, mut lines) = heard(&desk, line, "");
        while is_off(&desk, &running) {
            assert!(lines.next().is_some(), "{line}: it ended without heating");
        }
        for stops in ["-TSTP", "-TTIN", "-TTOU", "-TSTP"] {
            signal(&told, stops);
        }
        let mut comes = |word: &str| lines.any(|line| line.expect("text").contains(word));
        assert!(comes("Ctrl-C ends what runs"), "{line}: nobody was told");
        signal(&told, "-QUIT");
        assert!(comes("heat was commanded off, and the machine confirmed it"), "{line}");
        assert_eq!(told.wait().expect("it ends").code(), Some(1), "{line}");
        assert!(is_off(&desk, &running), "{line}: SIGQUIT");
        let _ = desk.run("run demo --abandon test --yes --speed 60");
    }
}

/// nohup, and a script that begins it in the background, want it to outlive the terminal.
#[cfg(target_os = "linux")]
#[test]
fn a_run_that_was_begun_to_ignore_the_terminal_outlives_it() {
    let (desk, running) = served();
    let mut program = std::process::Command::new("sh");
    program.current_dir(desk.path("")).env_remove("HOLDER_DIR").env("HOLDER_USER", "ana");
    let begin = format!("trap '' HUP INT QUIT; exec \"$0\" {RUN}");
    program.args(["-c", &begin]).arg(desk.program().get_program());
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut comes = |word: &str| lines.any(|line| line.expect("text").contains(word));
    assert!(comes("PREHEAT"), "it runs");
    for name in ["-HUP", "-INT", "-QUIT"] {
        signal(&child, name);
    }
    assert!(comes("COME-UP"), "it went on");
    signal(&child, "-TERM");
    assert!(comes("was interrupted by SIGTERM"), "and ends when it is asked to");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert!(is_off(&desk, &running));
}

#[cfg(unix)]
#[test]
fn whatever_ends_a_program_from_outside_leaves_the_heater_off() {
    let (desk, running) = served();
    for name in ["-XCPU", "-USR1", "-USR2", "-ALRM"] {
        let mut told = until(&desk, RUN, "Heater on");
        signal(&told, name);
        assert_eq!(told.wait().expect("it ends").code(), Some(1), "{name}");
        assert!(is_off(&desk, &running), "{name}");
        desk.run("run demo --abandon test --yes --speed 60").expect_code(0);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_while_a_run_or_a_commissioning_begins_leaves_the_heater_off() {
    let (desk, running) = served();
    for (line, word) in [
        ("-vv run demo --water --yes --speed 60", ""),
        ("-vv run demo --water --yes --speed 60", "on the disk"),
        ("-vv unit commission demo --yes --speed 60", ""),
    ] {
        let mut told = until(&desk, line, word);
        signal(&told, "-TERM");
        told.wait().expect("it ends");
        assert!(is_off(&desk, &running), "{line}");
        let _ = desk.run("run demo --abandon test --yes --speed 60");
    }
}

#[test]
fn a_second_program_on_the_unit_is_kept_out_whatever_it_wants() {
    let (desk, running) = served();
    let mut first = until(&desk, RUN, "Heater on");
    std::fs::remove_file(desk.path("locks/demo.lock")).expect("somebody tidied up");
    for line in [
        RUN,
        "run demo --resume --yes --speed 60",
        "run demo --abandon why --yes --speed 60",
        "unit commission demo --yes --speed 60",
        "demo",
    ] {
        let refused = desk.run(&format!("--dir . {line}")).expect_code(1);
        let said = &refused.stderr;
        assert!(said.contains("already run by another holder"), "{line}: {said}");
    }
    assert!(!is_off(&desk, &running), "nobody disturbed the first");
    first.kill().expect("killed");
    first.wait().expect("gone");
    desk.run("run demo --abandon why --yes --speed 60").expect_code(0);
    assert!(is_off(&desk, &running), "made safe before it was closed");
}

/// The folder that a restored backup makes describes the same machine.
#[cfg(target_os = "linux")]
#[test]
fn a_machine_that_is_driven_is_kept_from_every_other_folder() {
    let (desk, running) = served();
    desk.run("db backup station.bak").expect_code(0);
    desk.run("db restore station.bak again").expect_code(0);
    let mut first = until(&desk, RUN, "Heater on");
    for line in [RUN, "unit commission demo --yes --speed 60"] {
        let refused = desk.run(&format!("--dir again {line}")).expect_code(1);
        for word in ["already driven by another holder", "(device ", running.address(0)] {
            assert!(refused.stderr.contains(word), "{line}: no {word} in {}", refused.stderr);
        }
    }
    assert!(!is_off(&desk, &running), "nobody disturbed the first");
    desk.run("--dir again run demo --water --fast --yes").expect_code(0);
    first.kill().expect("killed");
    first.wait().expect("gone");
    let mut second = until(&desk, &format!("--dir again {RUN}"), "Heater on");
    second.kill().expect("killed");
    second.wait().expect("gone");
}

#[test]
fn a_machine_of_which_a_part_is_gone_is_told_to_stop_heating_all_the_same() {
    let (desk, running) = served();
    let mut killed = until(&desk, RUN, "Heater on");
    killed.kill().expect("killed");
    killed.wait().expect("gone");
    assert!(!is_off(&desk, &running), "nothing has told it");
    let gone = desk.read("station.toml").replace(running.address(2), "127.0.0.1:1");
    desk.write("station.toml", &gone);
    for line in ["run demo --resume --yes --speed 60", RUN] {
        let answer = desk.run(line);
        assert!(matches!(answer.code, 1 | 4), "{}", answer.stderr);
        assert!(answer.stderr.contains("ATTENTION"), "{}", answer.stderr);
        assert!(is_off(&desk, &running), "{line}");
    }
}

/// Changes the database behind the program's back.
pub(crate) fn tamper(desk: &Desk, trigger: &str, sql: &str) {
    let db = rusqlite::Connection::open(desk.path("holder.db")).expect("a database");
    let select = "SELECT sql FROM sqlite_schema WHERE name = ?";
    let made: String = db.query_row(select, [trigger], |row| row.get(0)).expect("there is one");
    db.execute_batch(&format!("DROP TRIGGER {trigger}; {sql}; {made}")).expect("done");
}

#[test]
fn a_record_that_was_changed_in_between_is_never_continued() {
    let (desk, code) = killed("COME-UP");
    // The reference probe decides nothing live: only the hashes tell.
    let warmer = "UPDATE inputs SET reference_mc = reference_mc + 1 WHERE tick_ms > 900000";
    tamper(&desk, "inputs_no_update", warmer);
    let refused = desk.run("run demo --resume --fast --yes");
    let refused = refused.expect_code(5);
    for word in [&code, "cannot be continued", "not verify", "--abandon"] {
        assert!(refused.stderr.contains(word), "no {word} in {}", refused.stderr);
    }
    let list = desk.run("--json batch list").expect_code(0).json();
    assert_eq!(list[0]["closing"], serde_json::Value::Null);
    let given_up = desk.run("run demo --abandon tampered --fast --yes").expect_code(5);
    assert!(given_up.stdout.contains("verdict: "), "{}", given_up.stdout);
    for word in ["was given up and is closed", "not what was written", "not verify"] {
        assert!(given_up.stderr.contains(word), "no {word} in {}", given_up.stderr);
    }
    desk.run("db verify").expect_code(5);
}

#[test]
fn a_person_without_a_screen_lets_the_machine_heat_again_by_typing_yes() {
    let (desk, code) = killed("PREHEAT");
    let mut program = desk.program();
    program.args(["run", "demo", "--resume", "--fast"]);
    program.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("it starts");
    let mut keyboard = child.stdin.take().expect("piped");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut comes = |word: &str| lines.any(|line| line.expect("text").contains(word));
    assert!(comes("type yes and press Enter"), "it asks");
    writeln!(keyboard, "no").expect("typed");
    writeln!(keyboard, "yes").expect("typed");
    assert!(comes("confirmed that the machine may heat again"), "it is in the record");
    assert!(comes("Heater on"), "and it heats");
    child.kill().expect("killed");
    child.wait().expect("gone");
    let exported = desk.run(&format!("batch export {code} --format json -o -")).expect_code(0);
    let actions = exported.json()["actions"].as_array().expect("actions").clone();
    let by = actions.iter().find(|action| action["action"] == "confirm-heat").expect("by name");
    assert_eq!(by["who"], "ana");
}
