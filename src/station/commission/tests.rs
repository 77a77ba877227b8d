//! A commissioning on a simulated machine that is as it should be, and on ones that are not.

use std::net::SocketAddr;
use std::sync::Mutex as StdMutex;

use holder_hal::{Celsius, Heat, Quality, Reading, Sample, Switch};
use holder_sim::machine::SimMachine;
use holder_sim::{Pace as SimPace, PlantParams, SimOptions, SimServer, Start};

use super::bench::Notes;
use tokio::sync::Mutex;

use super::*;
use crate::profiles;
use crate::station::config::Library;

/// What is wrong with the machine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// It never heats.
    Cold,
    /// It heats whatever it is told, once it was told to.
    Welded,
    /// A milk probe stands still.
    StuckProbe,
    /// The lid switch stands still.
    StuckLid,
    /// The cold water valve does not open.
    Dry,
    /// The bath probe is lost after so many readings.
    BathLost(u32),
    /// The bath probe shows 80 °C after so many readings.
    TooHot(u32),
    /// It does not take the set point.
    Refuses,
    /// The computer sleeps for a minute while it reads for the so-manieth time.
    Sleeps(u32),
}

/// A machine made of equations, in this process, without wires.
struct Machinery {
    sim: Arc<StdMutex<SimMachine>>,
    wrong: Wrong,
    readings: u32,
    has_heated: bool,
    told: Arc<StdMutex<Vec<Command>>>,
    clock: Clock,
}

#[derive(Debug, thiserror::Error)]
#[error("controller, remote_setpoint: wrote 32.0 °C, but read back 20.0 °C")]
struct Refused;

impl Machine for Machinery {
    type Error = Refused;

    async fn read(&mut self) -> Reading {
        self.readings += 1;
        let mut reading = self.sim.lock().expect("sim").read();
        match self.wrong {
            Wrong::BathLost(after) if self.readings > after => {
                reading.bath = Sample::missing(Quality::SensorOpen);
            }
            Wrong::TooHot(after) if self.readings > after => {
                reading.bath = Sample::good(Celsius::from_milli(80_000));
            }
            Wrong::Sleeps(at) if self.readings == at => {
                let Clock::Lockstep { now_ms, .. } = &self.clock else { panic!("virtual time") };
                now_ms.fetch_add(60_000, std::sync::atomic::Ordering::AcqRel);
            }
            Wrong::StuckProbe => reading.milk[1] = Some(Sample::good(Celsius::from_milli(21_000))),
            Wrong::StuckLid => {
                reading.lid = reading.lid.map(|lid| Switch { on: Some(true), ..lid })
            }
            Wrong::BathLost(_)
            | Wrong::TooHot(_)
            | Wrong::Nothing
            | Wrong::Cold
            | Wrong::Welded
            | Wrong::Dry
            | Wrong::Refuses
            | Wrong::Sleeps(_) => {}
        }
        reading
    }

    async fn write(&mut self, command: &Command) -> Result<(), Refused> {
        self.told.lock().expect("told").push(*command);
        self.has_heated |= command.heats();
        let mut done = *command;
        if self.wrong == Wrong::Cold {
            done.heat = Heat::Off;
        }
        if self.wrong == Wrong::Dry {
            done.cooling = false;
        }
        let mut sim = self.sim.lock().expect("sim");
        sim.plant_mut().weld_heater(self.wrong == Wrong::Welded && self.has_heated);
        sim.step(&done, 1000);
        if self.wrong == Wrong::Refuses && command.heats() { Err(Refused) } else { Ok(()) }
    }
}

/// What a run came to.
struct Ran {
    ended: Option<Result<(), Stop>>,
    notes: Notes,
    told: Vec<Command>,
}

impl Ran {
    fn step(&self, word: &str) -> &StepReport {
        self.notes.steps.iter().find(|step| step.step == word).expect("the step was reached")
    }

    fn failed(&self) -> Vec<&str> {
        let failed = self.notes.steps.iter().filter(|step| step.outcome == StepOutcome::Failed);
        failed.map(|step| step.step).collect()
    }

    /// The last command has no heat, and the valve is closed.
    fn is_safe(&self) -> bool {
        self.told.last().is_some_and(|last| !last.heats() && !last.cooling)
    }
}

async fn run(wrong: Wrong, stop_at: Option<&'static str>) -> Ran {
    run_with(wrong, stop_at, None).await
}

/// Runs every step on a machine with this fault; the person does as asked, stops the run at the
/// question or step whose text has `stop_at` in it, and says yes, but no where it has `no_to`.
async fn run_with(wrong: Wrong, stop_at: Option<&'static str>, no_to: Option<&'static str>) -> Ran {
    let text = profiles::station("demo").expect("shipped");
    run_unit(text, wrong, stop_at, no_to, 0).await
}

/// The demo's unit with this cut, which is tried; the person answers that it acted after so many
/// periods, and says no where the question has `no_to` in it.
async fn try_cut(text: &str, no_to: Option<&'static str>, slow_periods: u32) -> Ran {
    run_unit(text, Wrong::Nothing, None, no_to, slow_periods).await
}

async fn run_unit(
    text: &str,
    wrong: Wrong,
    stop_at: Option<&'static str>,
    no_to: Option<&'static str>,
    slow_periods: u32,
) -> Ran {
    let station = StationConfig::parse("station.toml", text, Library::shipped()).expect("valid");
    let unit = station.unit("demo").expect("it has one");
    let options = SimOptions {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        load: None,
        pace: SimPace::Lockstep,
        start: Start::Cold,
    };
    let spec = unit.spec().expect("fits");
    let ticking = SimServer::start(&spec, PlantParams::nominal(), 1, options).await;
    let clock = Clock::lockstep(Arc::new(ticking.expect("it listens")));
    let sim = Arc::new(StdMutex::new(SimMachine::new(PlantParams::nominal(), 1, 2, 0.1)));
    let told = Arc::default();
    let machine = Machinery {
        sim: Arc::clone(&sim),
        wrong,
        readings: 0,
        has_heated: false,
        told: Arc::clone(&told),
        clock: clock.clone(),
    };
    let machine = Arc::new(Mutex::new(machine));
    let (people, mut heard) = mpsc::channel(64);
    let notebook = Notebook::default();
    let bench = bench(&unit, machine.clone(), clock, people, None, &notebook);
    let last = bench.last.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        let mut stop = Some(stop);
        let mut slow: Option<(u32, tokio::sync::oneshot::Sender<bool>)> = None;
        while let Some(told) = heard.recv().await {
            let (text, reply) = match told {
                Told::Question { text, reply } if text.starts_with("The heater is asked for") => {
                    let yes = no_to.is_none_or(|no| !text.contains(no));
                    match slow_periods {
                        0 => drop(reply.send(yes)),
                        periods => slow = Some((periods, reply)),
                    }
                    continue;
                }
                Told::Question { text, reply } => (text, Some(reply)),
                Told::Step { title, .. } => (title.to_owned(), None),
                Told::Live { .. } => {
                    slow = match slow.take() {
                        Some((0, reply)) => reply.send(true).map(|()| None).unwrap_or(None),
                        waiting => waiting.map(|(periods, reply)| (periods - 1, reply)),
                    };
                    continue;
                }
                Told::Done(_) => continue,
            };
            if stop_at.is_some_and(|at| text.contains(at)) {
                let _ = stop.take().map(|stop| stop.send(()));
            }
            let mut sim = sim.lock().expect("sim");
            match text.as_str() {
                text if text.starts_with("Open the lid") => sim.plant_mut().set_lid(false),
                text if text.starts_with("Close the lid") => sim.plant_mut().set_lid(true),
                text if text.starts_with("Put the bottles") => sim.load(12),
                _ => {}
            }
            let _ = reply.map(|reply| reply.send(no_to.is_none_or(|no| !text.contains(no))));
        }
    });
    let told_to_stop = async {
        match stopped.await {
            Ok(()) => "the person",
            Err(_) => std::future::pending().await,
        }
    };
    let work = bench.run(Plan::of(&unit, true));
    let guarded = supervisor::guard(machine, last, work, told_to_stop, leave).await;
    assert_eq!(guarded.unsafe_because, None);
    let ended = match guarded.ended {
        Guarded::Ended(ended) => Some(ended),
        Guarded::Told(_) => None,
        Guarded::Panicked(error) => panic!("{error}"),
    };
    let notes = std::mem::take(&mut *notebook.lock().expect("notes"));
    let told = told.lock().expect("told").clone();
    Ran { ended, notes, told }
}

#[tokio::test]
async fn a_machine_that_is_as_it_should_be_passes_every_step_with_its_figures() {
    let ran = run(Wrong::Nothing, None).await;
    assert_eq!(ran.ended, Some(Ok(())));
    assert_eq!(ran.failed(), Vec::<&str>::new());
    let words: Vec<&str> = ran.notes.steps.iter().map(|step| step.step).collect();
    let all = ["readings", "agitator", "lid", "heating", "off", "probes", "cooling", "cut"];
    assert_eq!(words, all);
    assert_eq!(ran.step("cut").outcome, StepOutcome::Skipped, "none is declared");
    let rate = ran.step("heating").figures["rate_c_per_min"].as_f64().expect("a figure");
    assert!((0.5..5.0).contains(&rate), "{rate}");
    assert!(ran.step("probes").figures["milk-1_rise_c"].as_f64().expect("a figure") >= 2.0);
    assert_eq!(ran.notes.curve.columns, ["t_s", "bath", "milk-0", "milk-1", "reference"]);
    assert!(ran.notes.curve.rows.len() > 20);
    assert!(ran.is_safe() && !ran.told.last().expect("told").agitator);
    let clamp = Celsius::from_milli(63_500);
    let over = |command: &Command| matches!(command.heat, Heat::Setpoint(at) if at > clamp);
    assert!(!ran.told.iter().any(over), "the clamp is respected");
}

#[tokio::test]
async fn what_is_wrong_with_the_machine_fails_its_own_step_and_leaves_it_safe() {
    let cases: [(Wrong, &[&str]); 5] = [
        (Wrong::Cold, &["heating"]),
        (Wrong::Welded, &["off"]),
        (Wrong::StuckProbe, &["probes"]),
        (Wrong::StuckLid, &["lid"]),
        (Wrong::Dry, &["cooling"]),
    ];
    for (wrong, steps) in cases {
        let ran = run(wrong, None).await;
        let failed = ran.failed();
        assert!(steps.iter().all(|step| failed.contains(step)), "{steps:?}: {failed:?}");
        assert!(ran.is_safe());
    }
    let cold = run(Wrong::Cold, None).await;
    assert_eq!(cold.step("off").outcome, StepOutcome::Skipped, "nothing was heated");
    assert!(cold.step("heating").observed.contains("limit thermostat"));
}

#[tokio::test]
async fn water_that_is_not_stirred_is_not_heated() {
    let ran = run_with(Wrong::Nothing, None, Some("see the water move")).await;
    assert_eq!(ran.failed(), ["agitator"]);
    for step in ["heating", "off", "probes", "cooling"] {
        assert_eq!(ran.step(step).outcome, StepOutcome::Skipped, "{step}");
    }
    assert!(!ran.told.iter().any(Command::heats));
    assert!(ran.is_safe());
}

#[tokio::test]
async fn a_bath_that_is_lost_or_too_hot_ends_the_run_at_once() {
    for (wrong, word) in
        [(Wrong::BathLost(60), "`holder unit check demo`"), (Wrong::TooHot(60), "80.0 °C")]
    {
        let ran = run(wrong, None).await;
        let stop = ran.ended.clone().expect("by itself").expect_err("stopped").to_string();
        assert!(stop.contains(word), "{stop}");
        assert_eq!(ran.failed().len(), 1, "the step in which it happened");
        assert!(ran.is_safe());
        // Two periods after the last reading to trust, nothing heats.
        let heated = ran.told.iter().rposition(Command::heats).expect("it was heating");
        assert!(heated < 62, "{heated}");
    }
}

/// Nobody watched what the machine made of its last order, and its answer is from before.
#[tokio::test]
async fn a_program_that_stood_still_ends_the_run_and_heats_no_more() {
    let ran = run(Wrong::Sleeps(60), None).await;
    let stop = ran.ended.clone().expect("by itself").expect_err("stopped");
    assert!(matches!(stop, Stop::StoodStill { gone_s: 60 }), "{stop}");
    let heated = ran.told.iter().rposition(Command::heats).expect("it was heating");
    assert!(heated < 60 && ran.is_safe(), "{heated}: {:?}", ran.told.get(heated..));
    let (outcome, because) = how_it_ended(Guarded::Ended(Err(stop)), true);
    assert_eq!(outcome, Overall::Stopped);
    assert!(because.is_some_and(|because| because.contains("stood still for 60 s")));
}

#[tokio::test]
async fn a_machine_that_is_left_alone_on_purpose_is_no_program_that_stood_still() {
    let text = with_a_cut("{ by = \"device-watchdog\", within_s = 20 }")
        .replace("eurotherm-3200", "pixsys-drr245")
        .replace("controller.remote_setpoint", "controller.setpoint")
        .replace("controller.instrument_mode", "controller.start");
    let ran = try_cut(&text, None, 0).await;
    assert_eq!(ran.ended, Some(Ok(())));
    assert_eq!(ran.step("cut").outcome, StepOutcome::Passed, "{:?}", ran.step("cut"));
    assert!(ran.step("cut").took_s > 22.0, "{}", ran.step("cut").took_s);
}

#[tokio::test]
async fn a_set_point_that_the_device_refuses_ends_the_run_in_its_words() {
    let ran = run(Wrong::Refuses, None).await;
    let stop = ran.ended.clone().expect("by itself").expect_err("stopped").to_string();
    assert!(stop.contains("remote_setpoint: wrote 32.0 °C, but read back"), "{stop}");
    assert!(ran.is_safe());
}

#[tokio::test]
async fn a_person_can_stop_it_at_any_step_and_the_heater_goes_off() {
    for at in ["agitator follow", "Open the lid", "heating heat", "off off", "Put the", "cool?"] {
        let ran = run(Wrong::Nothing, Some(at)).await;
        assert_eq!(ran.ended, None, "{at}");
        assert!(ran.is_safe(), "{at}");
        assert!(ran.notes.steps.len() < 8, "{at}");
    }
}

/// The demo's unit with this cut.
fn with_a_cut(cut: &str) -> String {
    let text = profiles::station("demo").expect("shipped");
    text.replace("bottles_max = 48\n", &format!("bottles_max = 48\ncut = {cut}\n"))
}

fn with_a_limit() -> String {
    with_a_cut("{ by = \"limit-thermostat\", at_c = 66.0, within_s = 5 }")
}

#[tokio::test]
async fn a_cut_that_acts_passes_and_one_that_does_not_forbids_milk() {
    let text = with_a_limit();
    let ran = try_cut(&text, None, 0).await;
    assert_eq!(ran.ended, Some(Ok(())));
    let cut = ran.step("cut");
    assert_eq!(
        (cut.outcome, cut.observed.as_str()),
        (StepOutcome::Passed, "the heater lost its power")
    );
    assert!(ran.is_safe());
    let kept = try_cut(&text, Some("Has the heater lost its power"), 0).await;
    assert_eq!(kept.failed(), ["cut"]);
    assert!(kept.step("cut").observed.contains("must not run milk"));
    assert!(kept.is_safe());
    let left = try_cut(&text, Some("Turn the limit thermostat back"), 0).await;
    assert!(
        left.step("cut").observed.contains("was not put back"),
        "{left:?}",
        left = left.step("cut")
    );
}

#[tokio::test]
async fn a_heater_that_rests_at_its_set_point_does_not_pass_for_a_cut_that_acted() {
    let ran = try_cut(&with_a_limit(), None, 1_200).await;
    assert_eq!(ran.ended, Some(Ok(())));
    let cut = ran.step("cut");
    assert_eq!(cut.outcome, StepOutcome::Skipped, "{cut:?}");
    assert!(cut.observed.contains("not shown") && cut.observed.contains("Try it again"), "{cut:?}");
    assert!(ran.is_safe());
}
