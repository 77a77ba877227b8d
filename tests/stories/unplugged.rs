//! The plug of a serial adapter is pulled in the middle of a run, and pushed in again.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::interruptions::{RUN, code, heard, is_off, serve_with, signal};
use crate::rig::Desk;
use crate::simulator::Running;

#[test]
fn a_port_that_is_unplugged_takes_the_heat_away_says_so_and_recovers_by_itself() {
    let desk = Desk::training();
    let link = |bus: &str| desk.path(bus).to_str().expect("a plain path").to_owned();
    let (panel, probes) = (link("panel"), link("probes"));
    let text = desk.read("station.toml");
    let text = text.replace("tcp://127.0.0.1:15021", &format!("rtu://{panel}?baud=19200"));
    let text = text.replace("tcp://127.0.0.1:15022", &format!("rtu://{probes}?baud=19200"));
    desk.write("station.toml", &text);
    let served = "sim --unit station.toml:demo --speed 5 --pty panel=panel --pty probes=probes";
    let machine = Running::start(&desk, served);

    let mut program = desk.program();
    program.args(["run", "demo", "--water", "--yes", "--speed", "5"]);
    program.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut run = program.spawn().expect("it starts");
    let mut lines = BufReader::new(run.stderr.take().expect("piped")).lines();
    let mut said = String::new();
    let mut heard = |words: &str| {
        let found = lines.by_ref().map(|line| line.expect("text")).find(|line| {
            said += &format!("{line}\n");
            line.contains(words)
        });
        assert!(found.is_some(), "no {words:?} in: {said}");
    };
    heard("PREHEAT");
    // With the machine go both ptys, as the adapters of a hub go with its plug.
    drop(machine);
    heard("ALARM 201: the bath probe is lost; heat is commanded off");
    for link in [&panel, &probes] {
        std::fs::remove_file(link).expect("left behind");
    }
    let _machine = Running::start(&desk, served);
    heard("201 (the bath probe is lost): what raised it is over");
    let told = Command::new("kill").args(["-TERM", &run.id().to_string()]).status();
    assert!(told.expect("kill is there").success());
    let rest = lines.map(|line| line.expect("text") + "\n").collect::<String>();
    assert!(rest.contains("heat was commanded off, and the machine confirmed it"), "{rest}");
    run.wait().expect("it ends");

    let batches = desk.run("--json batch list").expect_code(0).json();
    let code = batches[0]["code"].as_str().expect("a code").to_owned();
    let record = desk.run(&format!("batch export {code} --format json -o -")).expect_code(0).json();
    let periods = record["periods"].as_array().expect("periods");
    let lost = |period: &serde_json::Value| period["bath"]["quality"] == "comm";
    let first = periods.iter().position(lost).expect("the loss is in the record");
    let last = periods.iter().rposition(lost).expect("the loss is in the record");
    assert!(periods[..first].iter().any(|period| period["heat"]["setpoint_c"].is_number()));
    // At most two control periods after the last reading to be trusted (DESIGN, "Safe state").
    let lost = &periods[first + 1..=last];
    assert!(!lost.is_empty() && lost.iter().all(|period| period["heat"] == "off"), "{lost:#?}");
    assert!(last + 1 < periods.len(), "the bath is read again");
}

/// On real time: it goes, long after the heater is on, and comes back long after the safe state was
/// given up.
const GONE_FOR_14_S: &str = " --fault unplug:from=5s,for=14s";

/// All of it was said, in this order.
#[track_caller]
fn expect_in_order(said: &str, words: &[&str]) {
    let places: Vec<_> = words.iter().map(|words| said.find(words)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {said}");
}

/// The line comes back after the batch was given up: nobody else is there to switch the heat off.
#[test]
fn a_machine_that_comes_back_after_the_end_of_its_batch_is_told_to_stop_heating() {
    let desk = Desk::training();
    let running = serve_with(&desk, GONE_FOR_14_S);
    let run = desk.run(RUN);
    let words = ["did not confirm the safe state", "holder goes on telling it", "once more"];
    expect_in_order(&run.stderr, &words);
    assert!(is_off(&desk, &running), "{}", run.stderr);
    expect_confirmed_late(&desk, &run.stderr);
    desk.run(&format!("batch verify {}", code(&desk))).expect_code(0);
}

/// Nobody is sent to a machine that has confirmed, and the record has both: that it had not, and that
/// it has.
#[track_caller]
fn expect_confirmed_late(desk: &Desk, said: &str) {
    let last = said.rsplit("once more").next().unwrap_or_default();
    assert!(!last.contains("ATTENTION"), "{said}");
    let exported = desk.run(&format!("batch export {} --format json -o -", code(desk)));
    let record = exported.expect_code(0).stdout;
    expect_in_order(&record, &["the safe state was not confirmed", "once more"]);
}

/// Nor does whoever closes the terminal, or asks the program once to end, see to the heater.
#[test]
fn a_machine_that_comes_back_after_a_signal_is_told_to_stop_heating() {
    for name in ["-HUP", "-TERM"] {
        let desk = Desk::training();
        let running = serve_with(&desk, GONE_FOR_14_S);
        let (mut run, lines) = heard(&desk, RUN, "ALARM 201");
        signal(&run, name);
        let said = lines.map(|line| line.expect("text") + "\n").collect::<String>();
        expect_in_order(&said, &["did not confirm", "holder goes on telling it", "once more"]);
        assert_eq!(run.wait().expect("it ends").code(), Some(1), "{said}");
        assert!(is_off(&desk, &running), "{name}: {said}");
        expect_confirmed_late(&desk, &said);
    }
}

/// Whatever became of the batch, a script must learn of the heater.
#[test]
fn a_batch_that_stays_open_on_a_machine_that_is_not_proved_to_be_off_ends_with_its_exit_code() {
    let desk = Desk::training();
    let _running = serve_with(&desk, " --fault unplug:from=5s,for=600s");
    let (mut run, mut lines) = heard(&desk, RUN, "ALARM 201");
    signal(&run, "-TERM");
    assert!(lines.any(|line| line.expect("text").contains("holder goes on telling it")));
    signal(&run, "-TERM");
    let said = lines.map(|line| line.expect("text") + "\n").collect::<String>();
    assert_eq!(run.wait().expect("it ends").code(), Some(4), "{said}");
    let (_, last) = said.rsplit_once("error: ").expect("an error");
    assert!(last.starts_with("ATTENTION") && last.contains("stays open"), "{said}");
}

#[test]
fn a_machine_that_comes_back_after_its_commissioning_is_told_to_stop_heating() {
    let desk = Desk::training();
    let running = serve_with(&desk, GONE_FOR_14_S);
    let commissioned = desk.run("unit commission demo --yes --speed 60").expect_code(1);
    expect_in_order(&commissioned.stderr, &["holder goes on telling it", "once more"]);
    let last = commissioned.stderr.rsplit("once more").next().unwrap_or_default();
    assert!(!last.contains("ATTENTION"), "{last}");
    assert!(is_off(&desk, &running), "{}", commissioned.stderr);
    // The journal has both: that it had not confirmed, and that it has.
    let db = rusqlite::Connection::open(desk.path("holder.db")).expect("opens");
    let sql = "SELECT kind || ': ' || body FROM journal ORDER BY seq DESC LIMIT 2";
    let mut newest = db.prepare(sql).expect("a journal");
    let newest = newest.query_map([], |row| row.get(0)).expect("rows");
    let [late, ended]: [String; 2] =
        newest.collect::<Result<Vec<_>, _>>().expect("text").try_into().expect("two entries");
    assert!(late.starts_with("unit-confirmed-late") && late.contains("once more"), "{late}");
    assert!(ended.starts_with("unit-commissioned") && ended.contains("not confirmed"), "{ended}");
    desk.run("db verify").expect_code(0);
    let shown = desk.run("unit show demo").expect_code(0).stdout;
    assert!(shown.contains("its last commissioning") && shown.contains("failed"), "{shown}");
}
