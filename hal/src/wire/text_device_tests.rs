//! Devices of text behind a socket: what is asked, what is set and when, and what is said when
//! it does not work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::bench::{PATIENT_MS, ageless, good, heat, profile};
use super::text_tests::{JULABO, LAUDA};
use super::{BusSpec, DeviceSpec, RoleSpec, UnitSpec, WiredUnit};
use crate::contract::{Command, Machine, Quality, Role};

/// A device that answers by a table, and takes what is set into it.
#[derive(Default)]
struct Peer {
    answers: BTreeMap<&'static str, String>,
    /// Every line that came, since it was last looked at.
    log: Vec<String>,
    /// It hears nothing more.
    deaf: bool,
    /// It takes nothing that is set.
    manual: bool,
    /// What it says next, before the answer to what it is asked then.
    behind: Option<String>,
}

type Shared = Arc<Mutex<Peer>>;

impl Peer {
    fn set(&mut self, question: &'static str, answer: &str) {
        self.answers.insert(question, answer.to_owned());
    }

    fn hear(&mut self, line: &str) -> Option<String> {
        self.log.push(line.to_owned());
        if self.deaf {
            return None;
        }
        let (order, value) = line.rsplit_once([' ', '_']).unwrap_or((line, ""));
        match order {
            _ if self.manual && line.starts_with("out_") => None,
            "out_sp_00" => self.take("in_sp_00", value),
            "out_sp_03" => self.take("in_sp_03", value),
            "out_mode_05" if value == "1" => self.take("status", "03 REMOTE START"),
            "out_mode_05" => self.take("status", "02 REMOTE STOP"),
            "OUT_SP_00" if value.starts_with('9') => Some("ERR_6".to_owned()),
            "OUT_SP_00" => self.take("IN_SP_00", value).or(Some("OK".to_owned())),
            "START" => self.take("IN_MODE_02", "0").or(Some("OK".to_owned())),
            "STOP" => self.take("IN_MODE_02", "1").or(Some("OK".to_owned())),
            _ => self.answers.get(line).cloned(),
        }
    }

    fn take(&mut self, question: &'static str, value: &str) -> Option<String> {
        self.set(question, value);
        None
    }
}

fn julabo() -> Shared {
    let mut peer = Peer::default();
    for (question, answer) in [
        ("version", "JULABO TopTech ME V4.5"),
        ("status", "02 REMOTE STOP"),
        ("in_pv_00", "62.50"),
        ("in_sp_00", "20.00"),
        ("in_sp_03", "125.00"),
        ("in_sp_06", "0"),
    ] {
        peer.set(question, answer);
    }
    Arc::new(Mutex::new(peer))
}

fn lauda() -> Shared {
    let mut peer = Peer::default();
    for (question, answer) in [
        ("TYPE", "ECO"),
        ("IN_PV_00", "62.50"),
        ("IN_PV_03", "62.40"),
        ("IN_SP_00", "20.00"),
        ("IN_MODE_02", "1"),
        ("STAT", "0000000"),
    ] {
        peer.set(question, answer);
    }
    Arc::new(Mutex::new(peer))
}

async fn serve(mut stream: TcpStream, peer: Shared) {
    let mut line = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        if byte != b'\r' {
            line.push(byte);
            continue;
        }
        let said = String::from_utf8(std::mem::take(&mut line)).unwrap();
        let mut answer = peer.lock().unwrap().hear(&said);
        if let Some(behind) = &mut peer.lock().unwrap().behind {
            answer = answer.map(|answer| std::mem::replace(behind, answer));
        }
        if let Some(answer) = answer {
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
    }
}

/// A unit whose one device this peer is, without the pauses that a real one needs.
async fn spec(peer: &Shared, text: &str, roles: &[(Role, &str)]) -> UnitSpec {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("serial+tcp://{}?baud=115200", listener.local_addr().unwrap());
    let peer = Arc::clone(peer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&peer)));
        }
    });
    let text = text.replace("\"250ms\"", "\"1ms\"").replace("\"10ms\"", "\"1ms\"");
    let device = DeviceSpec {
        name: "bath".to_owned(),
        profile: profile("circulator.toml", &text),
        bus: "line".to_owned(),
        address: 0,
    };
    let role = |(role, point): &(Role, &str)| RoleSpec {
        role: *role,
        device: "bath".to_owned(),
        point: (*point).to_owned(),
    };
    let bus = BusSpec { name: "line".to_owned(), url };
    let roles = roles.iter().map(role).collect();
    let spec = UnitSpec::new("pasteur", false, 2000, vec![bus], vec![device], roles);
    spec.unwrap().with_period(PATIENT_MS)
}

const ROLES: [(Role, &str); 3] =
    [(Role::Bath, "bath"), (Role::Setpoint, "setpoint"), (Role::Heater, "running")];

async fn julabo_unit(peer: &Shared) -> WiredUnit {
    WiredUnit::connect(spec(peer, JULABO, &ROLES).await).await.unwrap()
}

/// What was set since the last look.
fn orders(peer: &Shared) -> Vec<String> {
    let lines = std::mem::take(&mut peer.lock().unwrap().log);
    lines.into_iter().filter(|line| line.starts_with("out_")).collect()
}

#[tokio::test]
async fn the_limit_is_set_before_heat_and_not_looked_at_again() {
    let peer = julabo();
    let mut unit = julabo_unit(&peer).await;
    assert_eq!(ageless(unit.read().await).bath, good(62_500));
    unit.write(&heat(63_000)).await.unwrap();
    assert_eq!(orders(&peer), ["out_sp_03 70.00", "out_sp_00 63.00", "out_mode_05 1"]);
    unit.read().await;
    unit.write(&heat(63_100)).await.unwrap();
    let lines = std::mem::take(&mut peer.lock().unwrap().log);
    let expected =
        ["in_pv_00", "in_sp_00", "status", "out_sp_00 63.10", "in_sp_00"].map(str::to_owned);
    let mut sorted = lines[..3].to_vec();
    sorted.sort_unstable();
    assert_eq!((sorted.as_slice(), &lines[3..]), (&expected[..3], &expected[3..]));
}

#[tokio::test]
async fn after_a_power_cut_set_point_and_start_are_sent_again() {
    let peer = julabo();
    let mut unit = julabo_unit(&peer).await;
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    orders(&peer);
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    assert_eq!(orders(&peer), [""; 0], "what stands is not sent again");
    {
        let mut peer = peer.lock().unwrap();
        peer.set("status", "02 REMOTE STOP");
        peer.set("in_sp_00", "25.00");
    }
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    assert_eq!(orders(&peer), ["out_sp_00 63.00", "out_mode_05 1"]);
}

#[tokio::test]
async fn a_circulator_under_manual_control_is_refused_with_what_to_do() {
    let peer = julabo();
    peer.lock().unwrap().set("status", "00 MANUAL STOP");
    let refused = WiredUnit::connect(spec(&peer, JULABO, &ROLES).await).await.unwrap_err();
    let words = refused.to_string();
    assert!(
        words.contains("status: is 0 (\"00 MANUAL STOP\"), and must be one of 2, 3"),
        "{words}"
    );
    assert!(words.contains("switch the circulator to remote control at its panel"), "{words}");
}

#[tokio::test]
async fn an_order_that_is_silently_ignored_is_found_out_by_reading_back() {
    let peer = julabo();
    let mut unit = julabo_unit(&peer).await;
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    unit.read().await;
    peer.lock().unwrap().manual = true;
    let words = unit.write(&Command::safe(false)).await.unwrap_err().to_string();
    assert!(words.contains("running: wrote off (\"2\"), but read back"), "{words}");
    assert!(words.contains("03 REMOTE START"), "{words}");
}

#[tokio::test]
async fn a_sensor_fault_in_the_status_spoils_the_bath() {
    let peer = julabo();
    let mut unit = julabo_unit(&peer).await;
    for (status, quality) in [
        ("03 REMOTE START", Quality::Good),
        ("-05 WORKING SENSOR SHORT OR OPEN", Quality::SensorOpen),
        ("-01 LOW LEVEL ALARM", Quality::OutOfRange),
        ("gibberish", Quality::Comm),
    ] {
        peer.lock().unwrap().set("status", status);
        assert_eq!(unit.read().await.bath.quality, quality, "{status}");
    }
}

#[tokio::test]
async fn what_is_no_number_is_no_temperature_and_is_quoted() {
    let peer = julabo();
    let mut unit = julabo_unit(&peer).await;
    peer.lock().unwrap().set("in_pv_00", "6x.50");
    let bath = unit.read().await.bath;
    assert_eq!((bath.raw, bath.quality), (None, Quality::Comm));
    let words = unit.faults()[0].to_string();
    assert!(words.contains("\"6x.50\"") && words.contains("refusals"), "{words}");
}

#[tokio::test]
async fn a_line_that_nobody_asked_for_shifts_no_answers() {
    let peer = lauda();
    let roles = [ROLES[0], ROLES[1], ROLES[2], (Role::Milk(0), "external")];
    let mut unit = WiredUnit::connect(spec(&peer, LAUDA, &roles).await).await.unwrap();
    assert_eq!(ageless(unit.read().await).milk[0], Some(good(62_400)));
    // From now on each question gets the answer to the one before.
    peer.lock().unwrap().behind = Some("READY".to_owned());
    for _ in 0..5 {
        let reading = unit.read().await;
        for sample in [reading.bath, reading.milk[0].unwrap()] {
            assert_ne!(sample.quality, Quality::Good, "{reading:?}");
        }
    }
}

#[tokio::test]
async fn one_answer_with_many_flags_is_asked_for_once() {
    let peer = lauda();
    let text = LAUDA.replace(
        "faults = [{ point = \"low_level\", quality = \"out-of-range\" }]",
        "faults = [{ point = \"low_level\", quality = \"out-of-range\" }, { point = \"alarm\", \
         quality = \"stale\" }]",
    );
    let roles = [ROLES[0], ROLES[1], ROLES[2], (Role::Milk(0), "external")];
    let mut unit = WiredUnit::connect(spec(&peer, &text, &roles).await).await.unwrap();
    peer.lock().unwrap().log.clear();
    let reading = ageless(unit.read().await);
    assert_eq!(reading.bath, good(62_500));
    let mut lines = std::mem::take(&mut peer.lock().unwrap().log);
    lines.sort_unstable();
    assert_eq!(lines, ["IN_MODE_02", "IN_PV_00", "IN_PV_03", "IN_SP_00", "STAT"]);
    peer.lock().unwrap().set("STAT", "0100100");
    assert_ne!(unit.read().await.bath.quality, Quality::Good);
    peer.lock().unwrap().set("IN_PV_03", "ERR_33");
    let milk = unit.read().await.milk[0].unwrap();
    assert_eq!((milk.raw, milk.quality), (None, Quality::Comm));
    let words = unit.faults()[0].to_string();
    assert!(words.contains("refused with ERR_33: no external probe is plugged in"), "{words}");
}

#[tokio::test]
async fn a_refused_set_point_is_told_in_the_devices_words_and_no_heat_is_given() {
    let peer = lauda();
    let mut unit = WiredUnit::connect(spec(&peer, LAUDA, &ROLES).await).await.unwrap();
    unit.read().await;
    let words = unit.write(&heat(90_000)).await.unwrap_err().to_string();
    assert!(words.contains("setpoint: the device refused with ERR_6"), "{words}");
    assert!(!peer.lock().unwrap().log.contains(&"START".to_owned()));
    unit.read().await;
    unit.write(&heat(63_000)).await.unwrap();
    unit.read().await;
    unit.write(&Command::safe(false)).await.unwrap();
    let log = std::mem::take(&mut peer.lock().unwrap().log);
    let orders: Vec<&str> = log
        .iter()
        .map(String::as_str)
        .filter(|line| line.starts_with("OUT") || line.starts_with("ST") && *line != "STAT")
        .collect();
    let expected = ["OUT_SP_00_90.00", "OUT_SP_00_63.00", "START", "STOP", "OUT_SP_00_20.00"];
    assert_eq!(orders, expected);
}
