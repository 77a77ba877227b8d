//! How soon a lost device is seen, and how soon it is back: `benches/loss.sh`.
//!
//! Each line has one simulated TM-TH8 behind the byte proxy, read once a second as the loop of a
//! unit reads it. At moments that chance picks, the device falls silent or its port is gone, and
//! after 2 to 6 s all is well again. *Seen* is the time to the end of the first reading without a
//! good value, *back* that from the end of the fault to the end of the first good reading.

#![expect(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]
#![expect(clippy::disallowed_methods, reason = "a bench measures the wall clock")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use holder_hal::wire::profile::Profile;
use holder_hal::wire::{BusSpec, DeviceSpec, RoleSpec, UnitSpec, WiredUnit};
use holder_hal::{Machine, Quality, Role};
use holder_sim::{FaultSpec, Pace, Place, PlantParams, SimOptions, SimServer, Start, Wiring};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const PERIOD: Duration = Duration::from_millis(1000);

/// How the device is reached, and what happens to it.
const CASES: [(&str, &str, &str); 4] = [
    ("Modbus TCP, silent", "tcp://127.0.0.1:1", "silence"),
    ("Modbus TCP, unplugged", "tcp://127.0.0.1:1", "unplug"),
    ("Modbus RTU, silent", "rtu:///dev/holder-bench?baud=9600", "silence"),
    ("Modbus RTU, unplugged", "rtu:///dev/holder-bench?baud=9600", "unplug"),
];

fn main() {
    // `cargo bench` adds `--bench`.
    let trials = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let all: Vec<_> = (1..)
            .zip(CASES)
            .map(|(seed, (name, url, fault))| (name, tokio::spawn(case(url, fault, seed, trials))))
            .collect();
        for (name, case) in all {
            let (mut seen_ms, mut back_ms) = case.await.expect("no panic");
            println!(
                "{name}: seen after {} (goal: one period and the time-out, 1333 ms), back after {} \
                 (goal 3000 ms), {trials} times",
                spread(&mut seen_ms),
                spread(&mut back_ms)
            );
        }
    });
}

fn spread(values_ms: &mut [u128]) -> String {
    values_ms.sort_unstable();
    let at = |index: usize| values_ms.get(index).copied().unwrap_or(0);
    format!("{} ms, at most {} ms", at(values_ms.len() / 2), at(values_ms.len().saturating_sub(1)))
}

/// One line: how long each loss took to be seen, and each return, in milliseconds.
async fn case(url: &str, fault: &str, seed: u64, trials: usize) -> (Vec<u128>, Vec<u128>) {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("line");
    let place = match url.strip_prefix("tcp") {
        Some(_) => Place::Listen("127.0.0.1:0".to_owned()),
        None => Place::Pty(Some(link.clone())),
    };
    let url = url.replace("/dev/holder-bench", link.to_str().expect("a plain path"));
    let spec = unit(&url);
    let options = SimOptions {
        listen: None,
        load: None,
        pace: Pace::Scaled { speed: 1 },
        start: Start::MidHold,
    };
    let places = BTreeMap::from([("line".to_owned(), place)]);
    let wiring = Wiring { places, faults: Vec::new(), paced: true };
    let server = SimServer::start_wired(&spec, PlantParams::nominal(), seed, options, wiring).await;
    let server = server.expect("a free port");
    let spec = server.as_served(&spec).expect("a good unit");
    let mut wired = WiredUnit::connect(spec).await.expect("it answers");

    let mut chance = Pcg64Mcg::seed_from_u64(seed);
    let (mut seen_ms, mut back_ms) = (Vec::new(), Vec::new());
    let mut due = Instant::now();
    for _ in 0..trials {
        let healthy = Duration::from_millis(chance.random_range(2_000..4_000));
        let lost = Instant::now() + healthy;
        let back = lost + Duration::from_millis(chance.random_range(2_000..6_000));
        let began = set_at(lost, &server, vec![fault.parse().expect("a fault")]);
        let ended = set_at(back, &server, Vec::new());
        let read = async {
            let (mut seen, mut good_again) = (None, None);
            while good_again.is_none() {
                due += PERIOD;
                tokio::time::sleep_until(due.into()).await;
                let good = wired.read().await.bath.quality == Quality::Good;
                let now = Instant::now();
                if !good && now > lost {
                    seen.get_or_insert((now - lost).as_millis());
                }
                if good && now > back && seen.is_some() {
                    good_again = Some((now - back).as_millis());
                }
            }
            (seen, good_again)
        };
        let ((seen, good_again), (), ()) = tokio::join!(read, began, ended);
        seen_ms.extend(seen);
        back_ms.extend(good_again);
    }
    (seen_ms, back_ms)
}

async fn set_at(when: Instant, server: &SimServer, faults: Vec<FaultSpec>) {
    tokio::time::sleep_until(when.into()).await;
    server.set_faults(faults).expect("the bus is there");
}

fn unit(url: &str) -> UnitSpec {
    let text = include_str!("../../profiles/devices/icpdas-tm-th8.toml");
    let profile = Profile::parse("icpdas-tm-th8.toml", text).expect("a shipped profile");
    let device = DeviceSpec {
        name: "probes".into(),
        profile: Arc::new(profile),
        bus: "line".into(),
        address: 1,
    };
    let role = |role, point: &str| RoleSpec { role, device: "probes".into(), point: point.into() };
    let roles = vec![role(Role::Bath, "channel_0"), role(Role::Milk(0), "channel_1")];
    let bus = BusSpec { name: "line".into(), url: url.into() };
    let period_ms = u64::try_from(PERIOD.as_millis()).expect("small");
    UnitSpec::new("bench", true, period_ms, vec![bus], vec![device], roles).expect("a good unit")
}
