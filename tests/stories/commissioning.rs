//! A commissioning with a person at the machine, to its end and interrupted: questions are answered
//! on the keyboard, and signals come from outside.

use std::io::{BufRead, BufReader, Write as _};
use std::process::Stdio;

use crate::rig::{Answer, Desk};
use crate::simulator::Running;

/// A training station whose unit, changed by `change`, is served by a simulator with its bottles in.
fn served(speed: u32, change: impl Fn(String) -> String) -> (Desk, Running) {
    let desk = Desk::training();
    desk.write("station.toml", &change(desk.read("station.toml")));
    let line = format!("sim --unit station.toml:demo --tcp 127.0.0.1:0 --load 12 --speed {speed}");
    let running = Running::start(&desk, &line);
    let text = desk.read("station.toml").replace("127.0.0.1:15021", running.address(0));
    desk.write("station.toml", &text.replace("127.0.0.1:15022", running.address(2)));
    (desk, running)
}

/// Without a lid, which nobody is there to open, and with this cut.
fn with_cut(text: &str, cut: &str) -> String {
    text.replace("lid = \"relays.input_1\"\n", "")
        .replace("bottles_max = 48\n", &format!("bottles_max = 48\ncut = {cut}\n"))
}

/// What the journal says of the commissioning.
fn known(desk: &Desk) -> String {
    let shown = desk.run("unit show demo --json").expect_code(0).json();
    shown["commissioning"].as_str().expect("a sentence").to_owned()
}

/// What the heater's register says: `on` or `off`.
fn heater(desk: &Desk, running: &Running) -> String {
    let line = format!(
        "device probe tcp://{} --ids 1 --profile eurotherm-3200 --point instrument_mode --json",
        running.address(0)
    );
    let found = desk.run(&line).expect_code(0).json();
    found["found"][0]["points"][0]["reads"][0]["value"].as_str().expect("a switch").to_owned()
}

/// Commissions with the cut trial; every question is answered `yes`, but the one with `no_to`.
fn with_the_cut_trial(desk: &Desk, no_to: &str) -> (Answer, Vec<String>) {
    let mut program = desk.program();
    program.args(["unit", "commission", "demo", "--cut-trial", "--speed", "60", "--json"]);
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("it starts");
    let mut keyboard = child.stdin.take().expect("piped");
    let mut screen = BufReader::new(child.stderr.take().expect("piped"));
    let mut asked = Vec::new();
    let mut said = Vec::new();
    // A question ends with `]` and no line end.
    while screen.read_until(b']', &mut said).expect("text") > 0 {
        let text = String::from_utf8_lossy(&said).into_owned();
        if let Some(question) = text.strip_suffix(" [yes/no]") {
            let answer = if question.contains(no_to) { "no\n" } else { "yes\n" };
            asked.push(question.to_owned());
            keyboard.write_all(answer.as_bytes()).expect("it listens");
            said.clear();
        }
    }
    drop(keyboard);
    let output = child.wait_with_output().expect("it ends");
    (Answer::of(output), asked)
}

#[test]
fn a_cut_is_tried_to_its_end_with_a_person_who_answers() {
    let cut = "{ by = \"limit-thermostat\", at_c = 66.0, within_s = 5 }";
    let (desk, running) = served(60, |text| with_cut(&text, cut));
    let (done, asked) = with_the_cut_trial(&desk, "no such question");
    let done = done.expect_code(0).json();
    for part in ["only water", "Put the bottles", "thermostat slowly down", "back to 66.0 °C"] {
        assert!(asked.iter().any(|question| question.contains(part)), "{part}: {asked:#?}");
    }
    assert_eq!(done["outcome"], "passed", "{done:#}");
    let cut = done["steps"].as_array().expect("steps").last().expect("the last is the cut").clone();
    assert_eq!((&cut["step"], &cut["outcome"]), (&"cut".into(), &"passed".into()), "{cut:#}");
    assert_eq!(cut["observed"], "the heater lost its power");
    assert_eq!(heater(&desk, &running), "off");
    assert!(known(&desk).contains("as it is described now"), "{}", known(&desk));
}

#[test]
fn a_watchdog_that_leaves_the_heater_on_fails_its_trial_and_the_journal_says_so() {
    let (desk, _running) = served(60, |text| {
        with_cut(&text, "{ by = \"device-watchdog\", within_s = 5 }")
            .replace("eurotherm-3200", "pixsys-drr245")
            .replace("controller.remote_setpoint", "controller.setpoint")
            .replace("controller.instrument_mode", "controller.start")
    });
    let (done, asked) = with_the_cut_trial(&desk, "Did the heater lose its power by itself");
    assert!(asked.iter().any(|question| question.contains("for 7 s")), "{asked:#?}");
    let done = done.expect_code(1).json();
    let cut = done["steps"].as_array().expect("steps").last().expect("the last is the cut").clone();
    assert_eq!((&cut["step"], &cut["outcome"]), (&"cut".into(), &"failed".into()), "{cut:#}");
    assert!(cut["observed"].as_str().expect("words").contains("must not run milk"), "{cut:#}");
    assert!(known(&desk).contains("failed"), "{}", known(&desk));
}

#[cfg(unix)]
#[test]
fn whatever_signal_comes_while_it_heats_the_heater_is_off_and_the_journal_says_so() {
    // The heating lasts a minute from its first live line on: long enough, on a busy computer, too, for
    // the heater to be read.
    let (desk, running) = served(8, |text| text);
    for (signal, name) in [("-INT", "Ctrl-C"), ("-TERM", "SIGTERM"), ("-HUP", "SIGHUP")] {
        let mut program = desk.program();
        program.args(["unit", "commission", "demo", "--yes", "--speed", "8"]);
        program.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = program.spawn().expect("it starts");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut said = String::new();
        let mut told = false;
        for line in stderr.lines() {
            let line = line.expect("text");
            said += &format!("{line}\n");
            // A live line of the heating step.
            let heats = said.contains("Does heating heat?") && line.contains(" s   bath");
            if heats && !told {
                assert_eq!(heater(&desk, &running), "on", "{said}");
                let id = child.id().to_string();
                let sent = std::process::Command::new("kill").args([signal, &id]).status();
                assert!(sent.expect("kill").success());
                told = true;
            }
        }
        let code = child.wait().expect("it ends").code();
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("heat was commanded off, and the machine confirmed it"), "{said}");
        assert!(said.contains(&format!("stopped by {name}")), "{said}");
        assert_eq!(heater(&desk, &running), "off", "{signal}");
        assert!(known(&desk).contains("was stopped before its end"), "{}", known(&desk));
    }
    desk.run("db verify").expect_code(0);
}
