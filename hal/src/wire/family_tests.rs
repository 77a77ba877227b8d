//! What the families of Modbus controllers need before they heat, against peers at the level of
//! bytes: commands, write-enable bits, watchdogs that must be armed, scales that stand in the device.

mod scales;

use std::sync::{Arc, Mutex};

use scales::autonics;

use super::bench::{PATIENT_MS, ageless, good, heat, writes};
use super::fake::{Fake, Memory, Reaction, Shared};
use super::profile::Profile;
use super::{BusSpec, DeviceSpec, Grade, RoleSpec, UnitSpec, WiredUnit};
use crate::contract::{Command, Machine, Quality, Role};

const AUTONICS: &str = include_str!("../../../profiles/devices/autonics-tk.toml");
const DELTA: &str = include_str!("../../../profiles/devices/delta-dtb.toml");
const OMRON: &str = include_str!("../../../profiles/devices/omron-e5cc.toml");
const GATEWAY: &str = include_str!("../../../profiles/devices/watlow-gateway.toml");
const PIXSYS: &str = include_str!("../../../profiles/devices/pixsys-drr245.toml");

/// A controller as the only device of a unit.
struct Bench {
    memory: Shared,
    /// Every question that was no write: function, address, count.
    reads: Arc<Mutex<Vec<(u8, u16, u16)>>>,
    fake: Fake,
    spec: UnitSpec,
}

impl Bench {
    /// `acts` sees each question first, and may answer it in the device's own way.
    async fn new(
        (name, text): (&str, &str),
        [bath, setpoint, heater]: [&str; 3],
        memory: Memory,
        mut acts: impl FnMut(&mut Memory, &[u8]) -> Option<Vec<u8>> + Send + 'static,
    ) -> Self {
        let memory = Arc::new(Mutex::new(memory));
        let (served, reads) = (Arc::clone(&memory), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&reads);
        let fake = Fake::start(move |question| {
            let (pdu, mut memory) = (&question.pdu, served.lock().unwrap());
            if pdu[0] <= 4 {
                let word = |at: usize| u16::from_be_bytes([pdu[at], pdu[at + 1]]);
                seen.lock().unwrap().push((pdu[0], word(1), word(3)));
            }
            let own = acts(&mut memory, pdu);
            Reaction::Answer(own.unwrap_or_else(|| memory.answer(pdu)))
        })
        .await;
        let role = |role, point: &str| RoleSpec { role, device: "ctl".into(), point: point.into() };
        let spec = UnitSpec::new(
            "pasteur",
            false,
            1000,
            vec![BusSpec { name: "wire".into(), url: fake.url() }],
            vec![DeviceSpec {
                name: "ctl".into(),
                profile: Arc::new(Profile::parse(name, text).unwrap()),
                bus: "wire".into(),
                address: 1,
            }],
            vec![
                role(Role::Bath, bath),
                role(Role::Setpoint, setpoint),
                role(Role::Heater, heater),
            ],
        );
        let spec = spec.unwrap().with_period(PATIENT_MS);
        Self { memory, reads, fake, spec }
    }

    async fn unit(&self) -> WiredUnit {
        WiredUnit::connect(self.spec.clone()).await.unwrap()
    }

    fn set(&self, table: u8, address: u16, value: u16) {
        self.memory.lock().unwrap().set(table, address, value);
    }
}

/// An Omron that stands in STOP, by hand, with writing switched off: status 2407 is 0x0500.
async fn omron() -> Bench {
    let memory = Memory::with(&[
        (3, 0x2000, 625),
        (3, 0x2001, 0),
        (3, 0x2103, 0),
        (3, 0x2407, 0x0500),
        (3, 0x2410, 1),
        (3, 0x2C09, 0),
    ]);
    let acts = |memory: &mut Memory, pdu: &[u8]| {
        if pdu[0] != 6 {
            return None;
        }
        let status = memory.cells[&(3, 0x2407)];
        if pdu[1..3] != [0, 0] {
            // Communications writing is off: operation error (H175, 4-4).
            return (status & 0x0200 == 0).then(|| vec![0x86, 4]);
        }
        let bit = match pdu[3] {
            0x00 => 9,
            0x01 => 8,
            0x04 => 4,
            0x09 => 10,
            _ => return Some(vec![0x86, 3]),
        };
        if pdu[3] != 0 && status & 0x0200 == 0 {
            return Some(vec![0x86, 4]);
        }
        let status = (status & !(1 << bit)) | (u16::from(pdu[4]) << bit);
        memory.set(3, 0x2407, status);
        None
    };
    Bench::new(("omron-e5cc.toml", OMRON), ["pv", "setpoint", "run"], memory, acts).await
}

#[tokio::test]
async fn commands_of_one_register_are_proved_by_the_status_and_not_repeated() {
    let bench = omron().await;
    let mut unit = bench.unit().await;
    assert_eq!(ageless(unit.read().await).bath, good(62_500));
    unit.write(&heat(63_000)).await.unwrap();
    let expected =
        [(6, 0, 0x0001), (6, 0, 0x0401), (6, 0x2103, 630), (6, 0, 0x0900), (6, 0, 0x0100)];
    assert_eq!(writes(&bench.memory), expected);
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    assert_eq!(writes(&bench.memory), [], "the status shows that all of it stands");
    unit.read().await;
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(writes(&bench.memory)[0], (6, 0, 0x0101), "stop comes first");
    assert_eq!(bench.memory.lock().unwrap().cells[&(3, 0x2407)] & 0x0100, 0x0100);
}

#[tokio::test]
async fn a_stop_that_is_refused_for_want_of_write_enable_is_sent_again_with_it() {
    let bench = omron().await;
    bench.set(3, 0x2407, 0);
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&Command::safe(false)).await.unwrap();
    assert_eq!(bench.memory.lock().unwrap().cells[&(3, 0x2407)] & 0x0100, 0x0100, "it stands");
}

/// A Delta that stands still, in °C with one decimal, and lets nobody write.
async fn delta() -> Bench {
    let mut memory = Memory::with(&[
        (3, 0x1000, 625),
        (3, 0x1001, 0),
        (3, 0x1002, 8500),
        (3, 0x1003, 0xF830),
        (2, 0x0810, 0),
        (2, 0x0811, 1),
        (2, 0x0812, 1),
        (2, 0x0814, 0),
    ]);
    memory.set(3, 0x1005, 0);
    let acts = |memory: &mut Memory, pdu: &[u8]| {
        if !matches!(pdu[0], 5 | 6) {
            return None;
        }
        let address = u16::from_be_bytes([pdu[1], pdu[2]]);
        if address != 0x0810 && memory.cells[&(2, 0x0810)] == 0 {
            return Some(vec![pdu[0] | 0x80, 4]);
        }
        if pdu[0] == 5 {
            memory.set(2, address, u16::from(pdu[3] == 0xFF));
        }
        None
    };
    Bench::new(("delta-dtb.toml", DELTA), ["pv", "setpoint", "run"], memory, acts).await
}

#[tokio::test]
async fn write_enable_and_limits_come_before_the_set_point_and_are_written_once() {
    let bench = delta().await;
    let mut unit = bench.unit().await;
    for period in 0..3 {
        unit.read().await;
        unit.write(&heat(63_000)).await.unwrap();
        let expected: &[(u8, u16, u16)] = match period {
            0 => &[
                (5, 0x0810, 1),
                (6, 0x1002, 950),
                (6, 0x1003, 0),
                (6, 0x1001, 630),
                (5, 0x0814, 1),
            ],
            _ => &[],
        };
        assert_eq!(writes(&bench.memory), expected, "period {period}");
    }
    for (function, address, count) in bench.reads.lock().unwrap().iter() {
        let most = if *function == 2 { 16 } else { 8 };
        assert!(matches!(function, 2 | 3) && *count <= most, "{function} {address} {count}");
    }
}

#[tokio::test]
async fn a_limit_that_does_not_take_is_not_worn_out_and_nothing_heats() {
    let bench = delta().await;
    bench.memory.lock().unwrap().stubborn.push(0x1002);
    let mut unit = bench.unit().await;
    for period in 0..3 {
        unit.read().await;
        let error = unit.write(&heat(63_000)).await.unwrap_err().to_string();
        assert!(error.contains("setpoint_high_limit: wrote 950 (0x03B6)"), "{error}");
        let written = writes(&bench.memory);
        let tried = written.iter().filter(|write| write.1 == 0x1002).count();
        assert_eq!(tried, usize::from(period == 0), "period {period}");
        assert!(!written.iter().any(|write| matches!(write.1, 0x1001 | 0x0814)), "{written:?}");
    }
}

#[tokio::test]
async fn a_device_in_fahrenheit_is_refused_with_device_port_field_and_what_to_set() {
    let bench = delta().await;
    bench.set(2, 0x0811, 0);
    let error = WiredUnit::connect(bench.spec.clone()).await.unwrap_err().to_string();
    let place = format!("ctl ({}, unit id 1), celsius: is 0 (0), and must be 1", bench.fake.url());
    assert!(error.starts_with(&place) && error.contains("controller to C"), "{error}");
}

/// A Pixsys in STOP whose watchdog is off, as it comes from the factory.
async fn pixsys() -> Bench {
    let memory = Memory::with(&[
        (3, 1000, 625),
        (3, 1001, 0),
        (3, 1014, 0),
        (3, 1016, 0),
        (3, 1019, 0),
        (3, 1022, 0),
    ]);
    let points = ["pv", "setpoint", "start"];
    Bench::new(("pixsys-drr245.toml", PIXSYS), points, memory, |_, _| None).await
}

#[tokio::test]
async fn a_watchdog_is_armed_before_anything_heats_and_not_written_when_it_is_armed() {
    let bench = pixsys().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    assert_eq!(writes(&bench.memory), [(6, 1022, 5000), (6, 1001, 630), (6, 1016, 1)]);
    unit.read().await;
    unit.write(&heat(64_000)).await.unwrap();
    assert_eq!(writes(&bench.memory), [(6, 1001, 640)]);
}

#[tokio::test]
async fn a_watchdog_that_somebody_switches_off_is_armed_again() {
    let bench = pixsys().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    writes(&bench.memory);
    bench.set(3, 1022, 0);
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    assert_eq!(writes(&bench.memory)[0], (6, 1022, 5000));
}

#[tokio::test]
async fn without_its_watchdog_nothing_heats_and_off_still_goes_out() {
    let bench = pixsys().await;
    bench.memory.lock().unwrap().stubborn.push(1022);
    let mut unit = bench.unit().await;
    unit.read().await;
    let error = unit.write(&heat(63_000)).await.unwrap_err().to_string();
    assert!(error.contains("off_line_ms: wrote 5000 (0x1388)"), "{error}");
    let written = writes(&bench.memory);
    assert!(!written.iter().any(|write| matches!(write.1, 1001 | 1016)), "{written:?}");
    unit.read().await;
    unit.write(&Command::safe(false)).await.unwrap_err();
    assert_eq!(writes(&bench.memory)[0], (6, 1016, 0));
}

#[tokio::test]
async fn after_a_stop_by_its_watchdog_it_is_started_anew() {
    let bench = pixsys().await;
    let mut unit = bench.unit().await;
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    writes(&bench.memory);
    bench.set(3, 1016, 0);
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    assert_eq!(writes(&bench.memory), [(6, 1016, 1)]);
}

#[tokio::test]
async fn a_check_says_what_has_no_watchdog_and_what_wears_out() {
    let lines = WiredUnit::check(autonics(1, 625).await.spec.clone()).await;
    let says = |words: &str| lines.iter().any(|line| line.text.contains(words));
    assert!(says("independent limit thermostat"), "{lines:?}");
    assert!(says("memory that wears out: it is written only when it changes"), "{lines:?}");
    let lines = WiredUnit::check(pixsys().await.spec.clone()).await;
    let watchdog = lines.iter().find(|line| line.text.contains("goes to STOP")).unwrap();
    assert_eq!(watchdog.grade, Grade::Good);
}

#[tokio::test]
async fn each_family_fits_a_serial_line_of_9600_baud_in_a_second() {
    for bench in [omron().await, delta().await, pixsys().await, autonics(1, 625).await] {
        let bus = BusSpec { name: "wire".into(), url: "rtu:///dev/ttyS9?baud=9600".into() };
        let (devices, roles) = (bench.spec.devices().to_vec(), bench.spec.roles().to_vec());
        let spec = UnitSpec::new("pasteur", false, 1000, vec![bus], devices, roles).unwrap();
        let schedule = spec.schedule("wire").unwrap();
        assert!(schedule.readings_ms > 50, "{schedule:?}");
    }
}

#[tokio::test]
async fn a_check_names_the_set_point_that_does_not_wear_out() {
    let controller = super::bench::controller();
    let mut memory =
        Memory { cells: controller.lock().unwrap().cells.clone(), ..Memory::default() };
    memory.set(3, 2, 0);
    let points = ["pv", "target_setpoint", "instrument_mode"];
    let eurotherm = ("eurotherm-3200.toml", super::bench::EUROTHERM);
    let bench = Bench::new(eurotherm, points, memory, |_, _| None).await;
    let lines = WiredUnit::check(bench.spec.clone()).await;
    let worn = "memory that wears out: use remote_setpoint for the role setpoint";
    assert!(lines.iter().any(|line| line.text.contains(worn)), "{lines:?}");
}

#[tokio::test]
async fn a_check_is_bad_when_what_a_write_needs_cannot_be_read() {
    let bench = delta().await;
    for (table, address) in [(2, 0x0810), (3, 0x1005)] {
        bench.memory.lock().unwrap().cells.remove(&(table, address));
    }
    let lines = WiredUnit::check(bench.spec.clone()).await;
    let grade = |name: &str| lines.iter().find(|l| l.point.as_deref() == Some(name)).unwrap().grade;
    assert_eq!(grade("write_enabled"), Grade::Bad);
    assert_eq!(grade("control_method"), Grade::Note, "nothing rests on it");
}

#[tokio::test]
async fn of_two_zones_only_the_one_in_use_is_checked() {
    let zone_2 = [(3, 5360, 0x4310), (3, 5361, 0x8000), (3, 5362, 61)];
    let others = [(3, 6880, 62), (3, 7160, 0), (3, 7161, 0), (3, 7490, 30), (3, 7494, 106)];
    let memory = Memory::with(&[zone_2.as_slice(), others.as_slice()].concat());
    let points = ["zone_2_pv", "zone_2_setpoint", "zone_2_control_mode"];
    // Nothing stands in zone 1 at all: there is no such controller.
    let bench = Bench::new(("watlow-gateway.toml", GATEWAY), points, memory, |_, _| None).await;
    let mut unit = bench.unit().await;
    assert_eq!(ageless(unit.read().await).bath, good(62_500));
    unit.write(&heat(62_500)).await.unwrap();
    let expected = [(6, 7494, 59), (16, 7160, 0x4310), (16, 7161, 0x8000), (6, 6880, 10)];
    assert_eq!(writes(&bench.memory), expected);
    let lines = WiredUnit::check(bench.spec.clone()).await;
    assert!(lines.iter().all(|line| line.grade != Grade::Bad), "{lines:?}");
    bench.set(3, 7490, 15);
    let error = WiredUnit::connect(bench.spec.clone()).await.unwrap_err().to_string();
    assert!(error.contains("zone_2_comms_units: is 15 (0x000F), and must be 30"), "{error}");
}
