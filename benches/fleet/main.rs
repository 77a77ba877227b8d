//! Thirty-two pasteurizers in one process, each a whole unit of five devices at 1 Hz: how late a
//! control period begins, and what that takes of the processor and of memory.
//!
//! ```text
//! cargo bench --no-default-features --bench fleet -- machines 21000
//! cargo bench --no-default-features --bench fleet -- controllers 21000 60
//! ```
//!
//! `machines` serves 64 simulated buses from that port on, in a process of its own;
//! `controllers` runs a water batch on each unit with the loop that `holder run` runs (read, step,
//! commit to one database with FULL synchronization, permit, command) for so many seconds.
//! *Late* is by how much more than a period passes between the beginnings of two readings.

#![expect(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]
#![expect(clippy::disallowed_methods, reason = "a bench measures the wall clock")]

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use holder::batch::engine::Engine;
use holder::batch::params::Purpose;
use holder::profiles::RECIPE_DEFAULT;
use holder::station::clock::Clock;
use holder::station::config::{Library, StationConfig, Unit};
use holder::station::control_loop::ControlLoop;
use holder::station::permit::HeatPermit;
use holder::station::recorder::{Recorder, WAITING_MAX};
use holder::store::{NewBatch, Station, Store, StoreThread};
use holder_hal::wire::WiredUnit;
use holder_hal::{Command, Machine, Quality, Reading};
use holder_sim::{Pace, PlantParams, SimOptions, SimServer, Start};
use tokio::sync::mpsc;

const UNITS: u16 = 32;
const PERIOD_MS: u64 = 1000;
/// The first periods meet every device and are not counted.
const SETTLING: Duration = Duration::from_secs(5);

fn main() {
    // `cargo bench` adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    match words[..] {
        ["machines", port] => runtime.block_on(machines(port.parse().expect("a port"))),
        ["controllers", port, seconds] => {
            let seconds = Duration::from_secs(seconds.parse().expect("seconds"));
            runtime.block_on(controllers(port.parse().expect("a port"), seconds));
        }
        _ => println!("usage: fleet machines PORT | fleet controllers PORT SECONDS; see fleet.sh"),
    }
}

async fn machines(port: u16) {
    let station = station(port);
    let mut served = Vec::new();
    for (seed, name) in (1..).zip(station.units.keys()) {
        let spec = station.unit(name).expect("a unit").spec().expect("a good unit");
        let pace = Pace::Scaled { speed: 1 };
        let options = SimOptions { listen: None, load: None, pace, start: Start::Cold };
        let server = SimServer::start(&spec, PlantParams::nominal(), seed, options).await;
        served.push(server.expect("free ports"));
    }
    println!("ready");
    tokio::signal::ctrl_c().await.expect("signals");
}

async fn controllers(port: u16, seconds: Duration) {
    let station = station(port);
    let folder = tempfile::tempdir().expect("a folder");
    let known = Station {
        name: station.name.clone(),
        time_zone: station.time_zone.clone(),
        training: station.training,
        created_utc_ms: Clock::running(1).utc_ms(),
    };
    let store = Store::create(&folder.path().join("holder.db"), &known, "bench").expect("a store");
    let (store, _thread) =
        StoreThread::spawn(store, WAITING_MAX * usize::from(UNITS)).expect("a thread");
    let (late_us, spoilt): (Late, Arc<AtomicUsize>) = (Arc::default(), Arc::default());
    let mut loops = Vec::new();
    for name in station.units.keys() {
        let unit = station.unit(name).expect("a unit");
        loops.push(control_loop(unit, &store, &late_us, &spoilt).await);
    }
    // All at once: the worst that can happen.
    let running: Vec<_> = loops.into_iter().map(|unit| tokio::spawn(unit.run())).collect();
    tokio::time::sleep(SETTLING).await;
    late_us.lock().expect("no panic").clear();
    spoilt.store(0, Ordering::Relaxed);
    let (cpu_before, began) = (cpu_s(), Instant::now());
    tokio::time::sleep(seconds).await;
    let (cpu, passed) = (cpu_s() - cpu_before, began.elapsed().as_secs_f64());
    assert!(running.iter().all(|task| !task.is_finished()), "a loop has ended");
    let mut late_us = std::mem::take(&mut *late_us.lock().expect("no panic"));
    late_us.sort_unstable();
    let at = |permille: usize| late_us.get(late_us.len() * permille / 1000).copied().unwrap_or(0);
    let ms = |us: u64| us as f64 / 1000.0;
    let spoilt = spoilt.load(Ordering::Relaxed);
    println!(
        "{} control periods of {UNITS} units in {passed:.0} s, {spoilt} without a good reading",
        late_us.len()
    );
    println!(
        "late: middle {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms (goal 20), most {:.1} ms",
        ms(at(500)),
        ms(at(990)),
        ms(at(999)),
        ms(late_us.last().copied().unwrap_or(0))
    );
    println!("processor: {:.1} % of one core (goal 25)", 100.0 * cpu / passed);
    println!("memory: {} MB at most (goal 80)", most_resident_kb() / 1024);
    running.iter().for_each(tokio::task::JoinHandle::abort);
}

type Late = Arc<Mutex<Vec<u64>>>;

/// A machine that notes when it is read, and whether all of it answered.
struct Timed {
    wired: WiredUnit,
    read_at: Option<Instant>,
    late_us: Late,
    spoilt: Arc<AtomicUsize>,
}

impl Machine for Timed {
    type Error = <WiredUnit as Machine>::Error;

    async fn read(&mut self) -> Reading {
        let now = Instant::now();
        if let Some(last) = self.read_at.replace(now) {
            let late = (now - last).saturating_sub(Duration::from_millis(PERIOD_MS));
            let late = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
            self.late_us.lock().expect("no panic").push(late);
        }
        let reading = self.wired.read().await;
        let probes = reading.milk.iter().flatten().chain(&reading.reference).chain([&reading.bath]);
        if !probes.into_iter().all(|sample| sample.quality == Quality::Good) {
            self.spoilt.fetch_add(1, Ordering::Relaxed);
        }
        reading
    }

    async fn write(&mut self, command: &Command) -> Result<(), Self::Error> {
        self.wired.write(command).await
    }
}

async fn control_loop(
    unit: Unit<'_>,
    store: &StoreThread,
    late_us: &Late,
    spoilt: &Arc<AtomicUsize>,
) -> ControlLoop<Timed> {
    let recipe = unit.station.library.recipe(RECIPE_DEFAULT).expect("a shipped recipe");
    let today = jiff::civil::date(2026, 11, 24);
    let params = unit.params(Purpose::Water, &recipe, today).expect("good parameters");
    let clock = Clock::running(1);
    let new = NewBatch {
        simulated: true,
        pool: None,
        bottles: 48,
        bottle_ul: 0,
        operator: "bench".to_owned(),
        started_utc_ms: clock.utc_ms(),
        params: params.clone(),
        clock: None,
        texts: unit.texts(&recipe).expect("texts"),
    };
    let batch = store.call(move |store| store.begin_batch(&new)).await.expect("begun");
    let permit = HeatPermit::new(clock.real_ms(PERIOD_MS));
    let patience = clock.disk_patience(PERIOD_MS);
    let recorder = Recorder::new(store.clone(), batch, "bench".to_owned(), permit, patience);
    let wired = WiredUnit::connect(unit.spec().expect("a good unit")).await.expect("its machine");
    let (late_us, spoilt) = (late_us.clone(), spoilt.clone());
    let machine = Timed { wired, read_at: None, late_us, spoilt };
    let (views_in, mut views) = mpsc::channel(64);
    tokio::spawn(async move { while views.recv().await.is_some() {} });
    // Nobody touches anything.
    let (_, actions) = mpsc::channel(1);
    let engine = Engine::new(params).expect("an engine");
    let machine = Arc::new(tokio::sync::Mutex::new(machine));
    ControlLoop::new(machine, clock, engine, recorder, actions, views_in)
}

/// Thirty-two units, each with two buses and five devices.
fn station(port: u16) -> StationConfig {
    let mut text = "name = \"Fleet\"\ntime_zone = \"UTC\"\ntraining = true\n".to_owned();
    for number in 0..UNITS {
        let (panel, probes) = (port + 2 * number, port + 2 * number + 1);
        let unit = format!("unit.u{number}");
        let device = |name: &str, profile: &str, bus: &str, address: u8| {
            format!(
                "[{unit}.device.{name}]\nprofile = \"{profile}\"\nbus = \"{bus}\"\naddress = \
                 {address}\n"
            )
        };
        let devices = [
            device("controller", "eurotherm-3200", "panel", 1),
            device("relays", "relay-generic-8", "panel", 2),
            device("stirrer", "relay-generic-8", "panel", 3),
            device("bottles", "icpdas-tm-th8", "probes", 1),
            device("recorder", "icpdas-tm-th8", "probes", 2),
        ];
        write!(
            text,
            "[{unit}]\nsimulated = true\nperiod_ms = {PERIOD_MS}\nbottles_max = 48\n[{unit}.bus]\n\
             panel = \"tcp://127.0.0.1:{panel}\"\nprobes = \"tcp://127.0.0.1:{probes}\"\n{}\
             [{unit}.roles]\nbath = \"controller.pv\"\nmilk = [\"bottles.channel_0\", \
             \"bottles.channel_1\", \"bottles.channel_2\"]\nreference = \"recorder.channel_0\"\n\
             lid = \"relays.input_1\"\nsetpoint = \"controller.remote_setpoint\"\n\
             heater = \"controller.instrument_mode\"\nagitator = \"stirrer.relay_1\"\n\
             cooling_valve = \"relays.relay_2\"\n",
            devices.concat()
        )
        .expect("a string");
        for probe in [
            "controller.pv",
            "bottles.channel_0",
            "bottles.channel_1",
            "bottles.channel_2",
            "recorder.channel_0",
        ] {
            write!(
                text,
                "[{unit}.certificate.\"{probe}\"]\nnumber = \"SIM\"\ndate = \"2026-01-01\"\n\
                 due = \"2099-12-31\"\nby = \"the simulator\"\nreference = \"none\"\n\
                 uncertainty_c = 0.1\n"
            )
            .expect("a string");
        }
    }
    StationConfig::parse("fleet.toml", &text, Library::shipped()).expect("a good station")
}

/// Time of this process on any processor, seconds.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    // utime and stime, in hundredths of a second (man 5 proc_pid_stat).
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn most_resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("");
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}
