//! Connecting, reading and checking a unit, against peers at the level of bytes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::bench::{
    Bench, PATIENT_MS, ageless, controller, good, on_one_bus, probes, relays, spec, writes,
};
use super::fake::{Fake, Reaction, dead_port, serve_memories};
use super::profile::Value;
use super::unit::Line;
use super::{WireError, WiredUnit};
use crate::contract::{Command, Machine, Quality, Reading, Sample};
use crate::units::Celsius;

#[tokio::test]
async fn a_reading_has_every_channel_and_no_channel_that_the_unit_lacks() {
    let bench = Bench::new().await;
    let reading = ageless(bench.unit().await.read().await);
    let mut expected = Reading::nothing(2, false);
    expected.bath = good(62_500);
    expected.milk[0] = Some(good(62_400));
    expected.milk[1] = Some(good(62_600));
    expected.lid = Some(crate::Switch { on: Some(true), quality: Quality::Good });
    assert_eq!(reading, expected);
}

#[tokio::test]
async fn a_broken_sensor_spoils_its_own_channel_only() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    bench.probes.lock().unwrap().set(2, 129, 1);
    let reading = ageless(unit.read().await);
    assert_eq!(reading.milk[0], Some(good(62_400)));
    assert_eq!(reading.milk[1].unwrap().quality, Quality::SensorOpen);
    bench.controller.lock().unwrap().set(3, 75, 1 << 5);
    assert_eq!(unit.read().await.bath.quality, Quality::SensorOpen);
    bench.controller.lock().unwrap().set(3, 75, 1 << 10);
    assert_eq!(unit.read().await.bath.quality, Quality::OutOfRange);
}

#[tokio::test]
async fn a_device_that_comes_back_with_another_setting_is_not_believed() {
    let (device, probes, relays) = (controller(), probes(), relays());
    let memory = Arc::clone(&device);
    let second = serve_memories(vec![(3, relays), (2, probes)]).await;
    let broken = Arc::new(Mutex::new(false));
    let breaks = Arc::clone(&broken);
    let first = Fake::start(move |question| match std::mem::take(&mut *breaks.lock().unwrap()) {
        true => Reaction::HangUp(Vec::new()),
        false => Reaction::Answer(memory.lock().unwrap().answer(&question.pdu)),
    })
    .await;
    let spec = spec(&first.url(), &second.url(), false, PATIENT_MS);
    let mut unit = WiredUnit::connect(spec).await.unwrap();
    *broken.lock().unwrap() = true;
    unit.read().await;
    device.lock().unwrap().set(3, 516, 1);
    for _ in 0..4 {
        assert_eq!(unit.read().await.bath, Sample::missing(Quality::Comm));
    }
    let fault = unit.faults()[0].to_string();
    assert!(fault.contains("display_units: is 1 (0x0001), and must be 0"), "{fault}");
    // Off needs no trust.
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(device.lock().unwrap().cells[&(3, 199)], 1);
}

#[tokio::test]
async fn a_port_that_nobody_serves_is_not_dialled_in_a_storm() {
    let (_socket, port) = dead_port();
    let url = format!("tcp://127.0.0.1:{port}");
    let bench = Bench::new().await;
    let spec = spec(&bench.first.url(), &url, false, 500);
    let error = WiredUnit::connect(spec.clone().with_period(PATIENT_MS)).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert!(error.to_string().contains("no connection"), "{error}");
    // Seen from inside: attempts in periods 1, 2, 4, 8 and then every fourth (2 s of 500 ms).
    let mut unit = WiredUnit::unconnected(spec);
    unit.lines_mut().iter_mut().for_each(Line::be_patient);
    let mut attempts = Vec::new();
    for period in 1..=16 {
        let before = unit.lines_mut()[1].bus.back_off.failures();
        unit.read().await;
        let after = unit.lines_mut()[1].bus.back_off.failures();
        assert!(after <= before + 1, "one dial in a period, though two devices are behind it");
        if after > before {
            attempts.push(period);
        }
    }
    assert_eq!(attempts, [1, 2, 4, 8, 12, 16]);
}

#[tokio::test]
async fn a_simulator_is_refused_by_a_unit_that_is_not_marked_so() {
    let bench = Bench::new().await;
    bench.controller.lock().unwrap().id = format!("{} eurotherm-3200", super::SIMULATOR_MARKER);
    let error = WiredUnit::connect(bench.spec(false, PATIENT_MS)).await.unwrap_err();
    assert!(matches!(error, WireError::SimulatedMachine { .. }), "{error}");
    assert!(error.to_string().contains("simulated = true"), "{error}");
    let mut unit = WiredUnit::connect(bench.spec(true, PATIENT_MS)).await.unwrap();
    assert!(unit.read().await.simulated);
}

#[tokio::test]
async fn a_real_device_may_answer_anything_to_who_are_you_or_nothing() {
    let bench = Bench::new().await;
    bench.controller.lock().unwrap().id = "EI-BISYNCH 3216".to_owned();
    assert!(!bench.unit().await.read().await.simulated);
}

/// A controller alone with its peers on one bus; it is silent when asked who it is, so often.
async fn shy(silences: usize, id: &str) -> (WiredUnit, Fake, Arc<Mutex<usize>>) {
    let (device, probes, relays) = (controller(), probes(), relays());
    device.lock().unwrap().id = id.to_owned();
    let asked = Arc::new(Mutex::new(0));
    let asks = Arc::clone(&asked);
    let fake = Fake::start(move |question| {
        let memory = [&device, &probes, &relays][usize::from(question.unit) - 1];
        if (question.unit, question.pdu[0]) == (1, 17) {
            let mut asks = asks.lock().unwrap();
            *asks += 1;
            if *asks <= silences {
                return Reaction::Silence;
            }
        }
        Reaction::Answer(memory.lock().unwrap().answer(&question.pdu))
    })
    .await;
    (WiredUnit::unconnected(on_one_bus(&fake.url(), false)), fake, asked)
}

#[tokio::test]
async fn a_simulator_that_was_silent_once_is_still_found_out() {
    for silences in [1, 2] {
        let id = format!("{} eurotherm-3200", super::SIMULATOR_MARKER);
        let (mut unit, _fake, _) = shy(silences, &id).await;
        for _ in 0..8 {
            assert_eq!(unit.read().await.bath, Sample::missing(Quality::Comm));
        }
        assert!(unit.simulated());
    }
}

#[tokio::test]
async fn a_real_device_that_is_always_silent_to_who_are_you_counts_after_three_silences() {
    let (mut unit, _fake, asked) = shy(usize::MAX, "").await;
    let mut readings = 0;
    while unit.read().await.bath.quality != Quality::Good {
        readings += 1;
        assert!(readings < 8, "{:?}", unit.faults());
    }
    // One question was cut short by the end of a reading: that silence proves nothing.
    assert_eq!(*asked.lock().unwrap(), 4);
}

#[tokio::test]
async fn a_dead_device_proves_nothing_by_its_silence() {
    let (alive, hiccups) = (Arc::new(Mutex::new(false)), Arc::new(Mutex::new(1)));
    let (lives, device) = (Arc::clone(&alive), controller());
    device.lock().unwrap().id = super::SIMULATOR_MARKER.to_owned();
    let fake = Fake::start(move |question| {
        if !*lives.lock().unwrap() || question.unit != 1 {
            return Reaction::Silence;
        }
        let mut hiccups = hiccups.lock().unwrap();
        if question.pdu[0] == 17 && *hiccups > 0 {
            *hiccups -= 1;
            return Reaction::Silence;
        }
        Reaction::Answer(device.lock().unwrap().answer(&question.pdu))
    })
    .await;
    let mut unit = WiredUnit::unconnected(on_one_bus(&fake.url(), false));
    for _ in 0..8 {
        unit.read().await;
    }
    // A simulator is put in its place, and is silent once itself.
    *alive.lock().unwrap() = true;
    for _ in 0..8 {
        assert_eq!(unit.read().await.bath, Sample::missing(Quality::Comm));
    }
    assert!(unit.simulated());
}

/// Three devices on one bus that answer everything, each answer after 6.5 s of a period of 60 s.
async fn slow_bus() -> (WiredUnit, Fake, Arc<Mutex<usize>>) {
    let devices = [controller(), probes(), relays()];
    let slow = Arc::new(Mutex::new(0));
    let asked = Arc::clone(&slow);
    let fake = Fake::start(move |question| {
        let pdu = devices[usize::from(question.unit) - 1].lock().unwrap().answer(&question.pdu);
        *asked.lock().unwrap() += 1;
        Reaction::After(Duration::from_millis(6500), pdu)
    })
    .await;
    (WiredUnit::unconnected(on_one_bus(&fake.url(), false)), fake, slow)
}

#[tokio::test]
async fn a_slow_bus_does_not_stretch_the_reading_beyond_its_period() {
    let (mut unit, fake, asked) = slow_bus().await;
    // Two readings meet the devices as far as the time goes, the others only read.
    for _ in 0..2 {
        unit.read().await;
    }
    let calls = *asked.lock().unwrap();
    let period = Duration::from_millis(PATIENT_MS);
    let reading = tokio::time::timeout(period, unit.read()).await.expect("over within the period");
    // Eight questions of 6.5 s are begun in 48 s, and the last of them is given up.
    assert_eq!(*asked.lock().unwrap() - calls, 8);
    assert_eq!(reading.bath.quality, Quality::Good);
    assert_eq!(reading.lid.unwrap().quality, Quality::Comm);
    // The bath was read first and the milk last: 41.5 s and 9 s before the end.
    assert!((41_000..48_000).contains(&reading.bath.age_ms), "{}", reading.bath.age_ms);
    let milk = reading.milk[0].unwrap();
    assert!(milk.age_ms > 8_000 && milk.age_ms < reading.bath.age_ms, "{}", milk.age_ms);
    let faults: Vec<String> = unit.faults().iter().map(ToString::to_string).collect();
    assert!(faults.len() == 1 && faults[0].contains("relays"), "{faults:?}");
    assert!(faults[0].contains("not read within 48000 ms"), "{faults:?}");
    // The exchange that was given up took its connection along.
    let before = fake.connections();
    unit.read().await;
    assert_eq!(fake.connections(), before + 1);
}

#[tokio::test]
async fn a_value_older_than_a_period_is_stale() {
    let devices = [controller(), probes(), relays()];
    let stalls = Arc::new(Mutex::new(false));
    let stalled = Arc::clone(&stalls);
    let fake = Fake::start(move |question| {
        if question.unit == 2 && std::mem::take(&mut *stalled.lock().unwrap()) {
            return Reaction::Stall(Duration::from_millis(2 * PATIENT_MS));
        }
        let memory = &devices[usize::from(question.unit) - 1];
        Reaction::Answer(memory.lock().unwrap().answer(&question.pdu))
    })
    .await;
    let mut unit = WiredUnit::connect(on_one_bus(&fake.url(), false)).await.unwrap();
    *stalls.lock().unwrap() = true;
    let bath = unit.read().await.bath;
    assert_eq!((bath.raw, bath.quality), (good(62_500).raw, Quality::Stale));
    assert!(u64::from(bath.age_ms) >= 2 * PATIENT_MS);
    assert_eq!(bath.trusted(), None);
}

#[tokio::test]
async fn a_silent_unit_id_costs_one_time_out_and_is_then_left_alone() {
    let bench = Bench::new().await;
    // The relays have unit id 3; nobody has it here.
    let memories = vec![(1, Arc::clone(&bench.controller)), (2, Arc::clone(&bench.probes))];
    let fake = serve_memories(memories).await;
    let spec = on_one_bus(&fake.url(), false);
    let error = WiredUnit::connect(spec.clone()).await.unwrap_err().to_string();
    assert!(error.contains("relays") && error.contains("no answer within 20000 ms"), "{error}");
    let mut unit = WiredUnit::unconnected(spec);
    let reading = ageless(unit.read().await);
    assert_eq!(reading.milk[0], Some(good(62_400)));
    assert_eq!(reading.lid.unwrap().quality, Quality::Comm);
}

#[tokio::test]
async fn a_check_reads_everything_and_writes_nothing() {
    let bench = Bench::new().await;
    bench.controller.lock().unwrap().set(3, 516, 1);
    let lines = WiredUnit::check(bench.spec(false, PATIENT_MS)).await;
    let about = |device: &str, point: &str| {
        let found = lines.iter().find(|line| {
            line.device.as_deref() == Some(device) && line.point.as_deref() == Some(point)
        });
        found.cloned().unwrap()
    };
    let pv = about("ctl", "pv");
    assert_eq!(pv.grade, super::Grade::Good);
    assert_eq!(pv.roles, ["bath"]);
    assert_eq!(pv.text, "process value: temperature of the bath: 62.500 °C (0x0271)");
    let units = about("ctl", "display_units");
    assert_eq!(units.grade, super::Grade::Bad);
    assert!(units.text.contains("set the display units (UNITS) of the controller to °C"));
    // This controller has no upper registers: said, and not fatal to the rest.
    assert!(about("ctl", "pv_float").text.contains("exception 0x02"));
    assert_eq!(about("probes", "channel_1").roles, ["milk-1"]);
    for memory in [&bench.controller, &bench.probes, &bench.relays] {
        assert_eq!(writes(memory), []);
    }
}

#[tokio::test]
async fn a_check_says_that_the_machine_is_told_to_heat() {
    let bench = Bench::new().await;
    let says = async || {
        let lines = WiredUnit::check(bench.spec(false, PATIENT_MS)).await;
        lines.iter().filter(|line| line.heats).count()
    };
    assert_eq!(says().await, 0, "in standby");
    let mut unit = bench.unit().await;
    unit.write(&super::bench::heat(63_500)).await.unwrap();
    assert_eq!(says().await, 1);
    // A controller may follow a set point of its own.
    bench.controller.lock().unwrap().set(3, 26, 0);
    assert_eq!(says().await, 1);
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(says().await, 0);
}

#[tokio::test]
async fn each_device_that_is_told_the_safe_state_says_for_itself_whether_it_took_it() {
    let bench = Bench::new().await;
    let said = async |spec| {
        let told = WiredUnit::tell_safe_each(spec).await;
        let said = told.into_iter().map(|told| {
            (
                told.device,
                told.confirmed.map_err(|fault| (fault.is_unreachable(), fault.to_string())),
            )
        });
        said.collect::<Vec<_>>()
    };
    let spec = || bench.spec(false, PATIENT_MS);
    let all = said(spec()).await;
    assert!(all.len() > 1 && all.iter().all(|(_, confirmed)| confirmed.is_ok()), "{all:?}");
    let names: Vec<&str> = all.iter().map(|(device, _)| device.as_str()).collect();
    assert!(names.contains(&"ctl") && !names.contains(&"probes"), "who is only read: {names:?}");

    // Bound, and nobody listens there.
    let (_closed, port) = dead_port();
    let url = format!("tcp://127.0.0.1:{port}");
    let dead = said(super::bench::spec(&url, &url, false, PATIENT_MS)).await;
    assert_eq!(dead.len(), all.len(), "each has its own word: {dead:?}");
    for (device, confirmed) in dead {
        let (is_unreachable, why) = confirmed.expect_err(&device);
        assert!(is_unreachable && why.contains("no connection"), "{device}: {why}");
    }
}

#[tokio::test]
async fn one_point_can_be_read_by_name() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    let pv = unit.read_point("ctl", "pv").await.unwrap();
    assert_eq!(pv.value, Some(Value::Temperature(Celsius::from_milli(62_500))));
    let error = unit.read_point("ctl", "pressure").await.unwrap_err();
    assert_eq!(error.to_string(), "unit pasteur has no readable point ctl.pressure");
}
