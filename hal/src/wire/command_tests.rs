//! Commands to a unit: what is written, in which order, and what happens when it does not arrive.

use std::sync::{Arc, Mutex};

use super::bench::{
    Bench, EUROTHERM, PATIENT_MS, ageless, controller, forget, good, heat, patient, probes,
    profile, relays, spec, writes,
};
use super::fake::{Fake, Reaction, dead_port, serve_memories};
use super::{UnitSpec, WireError, WiredUnit};
use crate::contract::{Command, Heat, Machine, Quality, Role, Sample};

#[tokio::test]
async fn heating_gives_the_set_point_first_and_then_the_heat() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_470)).await.unwrap();
    let expected = [(6, 276, 1), (6, 26, 635), (6, 199, 0)];
    assert_eq!(writes(&bench.controller), expected);
    assert_eq!(writes(&bench.relays), [(5, 0, 1), (5, 1, 0)]);
}

#[tokio::test]
async fn what_stands_is_not_written_again() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_470)).await.unwrap();
    forget(&[&bench.controller, &bench.relays]);
    unit.read().await;
    // The same register value, 63.5: the difference is below what the device can hold.
    unit.write(&heat(63_490)).await.unwrap();
    // The period here is 60 s, so the watchdog of the remote set point is always due.
    assert_eq!(writes(&bench.controller), [(6, 26, 635)]);
    assert_eq!(writes(&bench.relays), []);
}

#[tokio::test]
async fn the_watchdog_is_fed_at_half_its_time() {
    let bench = Bench::new().await;
    let mut unit = patient(bench.spec(false, 1000)).await;
    let mut fed = Vec::new();
    for period in 0..8 {
        unit.read().await;
        unit.write(&heat(63_000)).await.unwrap();
        let addresses: Vec<u16> = writes(&bench.controller).iter().map(|write| write.1).collect();
        if period > 0 {
            fed.push(addresses);
        }
    }
    // 5 s of the profile: every third second, as 2.5 s are past.
    let expected: [&[u16]; 7] = [&[], &[], &[26], &[], &[], &[26], &[]];
    assert_eq!(fed, expected);
}

#[tokio::test]
async fn a_value_that_somebody_changed_at_the_device_is_put_right() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&Command::safe(false)).await.unwrap();
    forget(&[&bench.controller, &bench.relays]);
    bench.controller.lock().unwrap().set(3, 199, 0);
    bench.relays.lock().unwrap().set(1, 0, 0);
    unit.read().await;
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(writes(&bench.controller)[0], (6, 199, 1));
    assert_eq!(writes(&bench.relays), [(5, 0, 1)]);
}

#[tokio::test]
async fn off_is_standby_first_and_then_the_lowest_set_point() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    writes(&bench.controller);
    unit.read().await;
    unit.write(&Command::safe(true)).await.unwrap();
    assert_eq!(writes(&bench.controller), [(6, 199, 1), (6, 26, 0)]);
    assert_eq!(writes(&bench.relays), [(5, 0, 1), (5, 1, 0), (5, 1, 1)]);
}

#[tokio::test]
async fn a_second_off_without_a_reading_in_between_is_written_again() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.write(&Command::safe(false)).await.unwrap();
    writes(&bench.controller);
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(writes(&bench.controller)[0], (6, 199, 1));
}

#[tokio::test]
async fn a_write_that_does_not_stick_is_an_error_with_both_values() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    bench.controller.lock().unwrap().stubborn.push(26);
    unit.read().await;
    let error = unit.write(&heat(63_000)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "ctl ({}, unit id 1), remote_setpoint: wrote 63.000 °C (0x0276), but read back \
             0.000 °C (0x0000) from remote_setpoint. Is the device in local mode, locked, or \
             limited?",
            bench.first.url()
        )
    );
    // Without its set point the heater is not switched on.
    assert!(!writes(&bench.controller).iter().any(|write| write.1 == 199));
}

#[tokio::test]
async fn a_set_point_beyond_the_profile_is_never_sent() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    let error = unit.write(&heat(120_000)).await.unwrap_err();
    assert!(error.to_string().contains("the profile allows 0.000 to 95.000"), "{error}");
    assert_eq!(writes(&bench.controller), []);
}

#[tokio::test]
async fn a_command_that_the_unit_has_no_means_for_is_refused_and_heat_goes_off() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    writes(&bench.controller);
    unit.read().await;
    let duty = Heat::Duty(crate::Duty::FULL);
    let error = unit.write(&Command { heat: duty, ..heat(0) }).await.unwrap_err();
    assert!(matches!(error, WireError::NoRole { role: Role::Power, .. }), "{error}");
    assert_eq!(writes(&bench.controller), [(6, 199, 1), (6, 26, 0)]);
}

#[tokio::test]
async fn a_dead_device_leaves_the_others_and_off_still_reaches_them() {
    let (probes, relays) = (probes(), relays());
    let controller = controller();
    let device = Arc::clone(&controller);
    let alive = Arc::new(Mutex::new(true));
    let switch = Arc::clone(&alive);
    let second = serve_memories(vec![(3, Arc::clone(&relays)), (2, probes)]).await;
    let first = Fake::start(move |question| match *switch.lock().unwrap() {
        true => Reaction::Answer(device.lock().unwrap().answer(&question.pdu)),
        false => Reaction::HangUp(Vec::new()),
    })
    .await;
    let spec = spec(&first.url(), &second.url(), false, PATIENT_MS);
    let mut unit = WiredUnit::connect(spec).await.unwrap();
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    forget(&[&controller, &relays]);

    *alive.lock().unwrap() = false;
    let reading = ageless(unit.read().await);
    assert_eq!(reading.bath, Sample::missing(Quality::Comm));
    assert_eq!(reading.milk[0], Some(good(62_400)));
    assert!(unit.faults()[0].to_string().contains("ctl"), "{:?}", unit.faults());
    let error = unit.write(&Command::safe(true)).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert_eq!(writes(&relays), [(5, 1, 1)], "the valve follows although the controller is dead");

    // The controller comes back: checked, read, and everything asserted again.
    *alive.lock().unwrap() = true;
    unit.read().await;
    assert_eq!(ageless(unit.read().await).bath, good(62_500));
    unit.write(&Command::safe(true)).await.unwrap();
    assert_eq!(writes(&controller), [(6, 199, 1), (6, 26, 0)]);
}

#[tokio::test]
async fn memory_that_wears_out_is_written_on_change_only_and_never_in_vain() {
    let bench = Bench::new().await;
    bench.controller.lock().unwrap().set(3, 2, 630);
    let whole = bench.spec(false, PATIENT_MS);
    let mut roles = whole.roles().to_vec();
    roles.iter_mut().filter(|given| given.role == Role::Setpoint).for_each(|given| {
        given.point = "target_setpoint".into();
    });
    let (buses, devices) = (whole.buses().to_vec(), whole.devices().to_vec());
    let spec = UnitSpec::new("pasteur", false, 1000, buses, devices, roles).unwrap();
    let spec = spec.with_period(PATIENT_MS);
    let mut unit = WiredUnit::connect(spec).await.unwrap();
    let wear = || writes(&bench.controller).iter().filter(|write| write.1 == 2).count();

    // It is there already, is then changed once, and is not repeated.
    for (milli, expected) in [(63_000, 0), (63_500, 1), (63_500, 0), (63_510, 0)] {
        unit.write(&heat(milli)).await.unwrap();
        assert_eq!(wear(), expected, "{milli}");
    }
    // It does not take a value: tried once, and reported every time.
    bench.controller.lock().unwrap().stubborn.push(2);
    for expected in [1, 0, 0] {
        unit.read().await;
        let error = unit.write(&heat(64_000)).await.unwrap_err();
        assert!(matches!(error, WireError::NotVerified { .. }), "{error}");
        assert_eq!(wear(), expected);
    }
}

#[tokio::test]
async fn off_is_tried_although_the_device_is_left_alone() {
    let (device, bench) = (controller(), Bench::new().await);
    let memory = Arc::clone(&device);
    let failures = Arc::new(Mutex::new(0));
    let left = Arc::clone(&failures);
    let first = Fake::start(move |question| {
        let mut left = left.lock().unwrap();
        if *left == 0 {
            return Reaction::Answer(memory.lock().unwrap().answer(&question.pdu));
        }
        *left -= 1;
        Reaction::HangUp(Vec::new())
    })
    .await;
    let spec = spec(&first.url(), &bench.second.url(), false, PATIENT_MS);
    let mut unit = WiredUnit::connect(spec).await.unwrap();
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    forget(&[&device]);
    *failures.lock().unwrap() = 1;
    unit.read().await;
    // Heat is not tried now, off is.
    let error = unit.write(&heat(63_000)).await.unwrap_err();
    assert!(error.to_string().contains("left alone after failures"), "{error}");
    assert_eq!(writes(&device), []);
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(writes(&device), [(6, 199, 1), (6, 26, 0)]);
}

#[tokio::test]
async fn after_an_outage_everything_is_asserted_again() {
    let (device, bench) = (controller(), Bench::new().await);
    let memory = Arc::clone(&device);
    let breaks = Arc::new(Mutex::new(false));
    let broken = Arc::clone(&breaks);
    let first = Fake::start(move |question| match std::mem::take(&mut *broken.lock().unwrap()) {
        true => Reaction::HangUp(Vec::new()),
        false => Reaction::Answer(memory.lock().unwrap().answer(&question.pdu)),
    })
    .await;
    let mut unit = WiredUnit::connect(spec(&first.url(), &bench.second.url(), false, PATIENT_MS))
        .await
        .unwrap();
    unit.read().await;
    unit.write(&Command::safe(false)).await.unwrap();
    forget(&[&device]);
    *breaks.lock().unwrap() = true;
    unit.read().await;
    unit.read().await;
    // The registers stand as they were left, but nobody knows what happened in between.
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(writes(&device), [(6, 199, 1), (6, 26, 0)]);
}

#[tokio::test]
async fn a_change_within_the_tolerance_of_the_read_back_is_still_written() {
    let bench = Bench::new().await;
    let wide = EUROTHERM.replace("verify = { tolerance = 0.05 }", "verify = { tolerance = 0.5 }");
    let whole = bench.spec(false, PATIENT_MS);
    let mut devices = whole.devices().to_vec();
    devices[0].profile = profile("eurotherm-3200.toml", &wide);
    let (buses, roles) = (whole.buses().to_vec(), whole.roles().to_vec());
    let spec = UnitSpec::new("pasteur", false, 1000, buses, devices, roles).unwrap();
    let spec = spec.with_period(PATIENT_MS);
    let mut unit = WiredUnit::connect(spec).await.unwrap();
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    forget(&[&bench.controller]);
    unit.read().await;
    unit.write(&heat(63_200)).await.unwrap();
    assert_eq!(writes(&bench.controller), [(6, 26, 632)]);
}

#[tokio::test]
async fn off_dials_a_dead_port_once_and_not_for_each_of_its_means() {
    let bench = Bench::new().await;
    let (_socket, port) = dead_port();
    let url = format!("tcp://127.0.0.1:{port}");
    let mut unit = WiredUnit::unconnected(spec(&url, &bench.second.url(), false, 1000));
    let error = unit.write(&Command::safe(false)).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert_eq!(unit.lines_mut()[0].bus.back_off.failures(), 1);
}

#[tokio::test]
async fn off_does_not_wait_for_what_a_write_needs() {
    let bench = Bench::new().await;
    let mut unit = bench.unit().await;
    // The remote set point cannot be selected, and what stands there is hot.
    bench.controller.lock().unwrap().set(3, 276, 0);
    bench.controller.lock().unwrap().set(3, 26, 635);
    bench.controller.lock().unwrap().stubborn.push(276);
    for _ in 0..2 {
        unit.read().await;
        let error = unit.write(&Command::safe(false)).await.unwrap_err();
        assert!(error.to_string().contains("remote_select: wrote 1"), "{error}");
        let written = writes(&bench.controller);
        let set_point: Vec<_> = written.iter().filter(|write| write.1 != 199).collect();
        assert_eq!(set_point, [&(6, 26, 0), &(6, 276, 1), &(6, 26, 0)]);
    }
    assert_eq!(bench.controller.lock().unwrap().cells[&(3, 26)], 0);
}

#[tokio::test]
async fn off_is_written_again_however_often_it_did_not_stick() {
    let bench = Bench::new().await;
    bench.controller.lock().unwrap().set(3, 2, 630);
    let plain = "write = { function = 6 }\nwrite_on_change_only = true";
    assert!(EUROTHERM.contains(plain));
    let low = "write = { function = 6, off_value = 0 }\nwrite_on_change_only = true";
    let whole = bench.spec(false, PATIENT_MS);
    let mut devices = whole.devices().to_vec();
    devices[0].profile = profile("eurotherm-3200.toml", &EUROTHERM.replace(plain, low));
    let mut roles = whole.roles().to_vec();
    roles.iter_mut().filter(|given| given.role == Role::Setpoint).for_each(|given| {
        given.point = "target_setpoint".into();
    });
    let spec = UnitSpec::new("pasteur", false, 1000, whole.buses().to_vec(), devices, roles);
    let mut unit = WiredUnit::connect(spec.unwrap().with_period(PATIENT_MS)).await.unwrap();
    let wear = || writes(&bench.controller).iter().filter(|write| write.1 == 2).count();
    bench.controller.lock().unwrap().stubborn.push(2);
    for _ in 0..3 {
        unit.read().await;
        let error = unit.write(&Command::safe(false)).await.unwrap_err();
        assert!(matches!(error, WireError::NotVerified { .. }), "{error}");
        assert_eq!(wear(), 1);
    }
    // Once it has stuck, it is not worn out.
    bench.controller.lock().unwrap().stubborn.clear();
    for expected in [1, 0, 0] {
        unit.read().await;
        unit.write(&Command::safe(false)).await.unwrap();
        assert_eq!(wear(), expected);
    }
}

#[tokio::test]
async fn the_agitator_is_switched_on_although_its_device_is_left_alone() {
    let (device, bench) = (relays(), Bench::new().await);
    let memory = Arc::clone(&device);
    let breaks = Arc::new(Mutex::new(false));
    let broken = Arc::clone(&breaks);
    let probes = Arc::clone(&bench.probes);
    let second = Fake::start(move |question| match question.unit {
        3 if std::mem::take(&mut *broken.lock().unwrap()) => Reaction::HangUp(Vec::new()),
        3 => Reaction::Answer(memory.lock().unwrap().answer(&question.pdu)),
        _ => Reaction::Answer(probes.lock().unwrap().answer(&question.pdu)),
    })
    .await;
    let spec = spec(&bench.first.url(), &second.url(), false, PATIENT_MS);
    let mut unit = WiredUnit::connect(spec).await.unwrap();
    *breaks.lock().unwrap() = true;
    unit.read().await;
    let error = unit.write(&heat(63_000)).await.unwrap_err();
    // The valve waits until the device can be trusted, the agitator does not.
    assert!(error.to_string().contains("left alone after failures"), "{error}");
    assert_eq!(writes(&device), [(5, 0, 1)]);
}
