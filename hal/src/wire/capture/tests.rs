use std::io::{self, Write};
use std::sync::mpsc;

use super::frame::{self, Taken, TakenLine};
use super::*;
use crate::wire::profile::Profile;

const HEAD: &str = "holder-capture 1\n# program: holder 0.1.0\n# unit: past-1\n\
                    # started_utc_ms: 1795534809000\n# bus rtu: rtu:///dev/ttyUSB0\n\
                    # bus tcp: tcp://127.0.0.1:502\n# bus text: serial:///dev/ttyS0\n\
                    # device bottles: rtu 1 icpdas-tm-th8\n";

fn paired(lines: &str) -> Paired {
    decode_capture(&format!("{HEAD}{lines}")).expect("a capture")
}

fn only(lines: &str) -> Exchange {
    let mut exchanges = paired(lines).exchanges;
    assert_eq!(exchanges.len(), 1, "{exchanges:#?}");
    exchanges.remove(0)
}

/// A frame with its CRC, as it stands in a capture.
fn rtu(bytes: &[u8]) -> String {
    hex_bytes(&[bytes, frame::crc16(bytes).to_le_bytes().as_slice()].concat())
}

fn troubles(exchange: &Exchange) -> Vec<Trouble> {
    exchange.marks.iter().map(|mark| mark.trouble).collect()
}

#[test]
fn the_crc_is_that_of_the_specification() {
    // Modbus over Serial Line V1.02, appendix B: the frame 02 07 has the CRC 41 12 on the wire.
    assert_eq!(frame::crc16(&[0x02, 0x07]).to_le_bytes(), [0x41, 0x12]);
}

#[test]
fn a_head_and_its_events_come_back_as_they_were_written() {
    let head = CaptureHead {
        program: "holder 0.1.0".into(),
        unit: "past-1".into(),
        started_utc_ms: 1_795_534_809_000,
        buses: vec![("probes".into(), "tcp://10.0.0.2:502".into())],
        devices: vec![CapturedDevice {
            name: "bottles".into(),
            bus: "probes".into(),
            unit_id: 7,
            profile: "icpdas-tm-th8".into(),
        }],
    };
    let dir = std::env::temp_dir().join(format!("holder-capture-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder");
    let path = dir.join("a.capture");
    let capture = Capture::create(&path, &head).expect("made");
    assert!(Capture::create(&path, &head).is_err(), "evidence is not overwritten");
    capture.record("probes", Direction::Sent, &[0, 1, 0xFF], 12_041);
    capture.clone().record("probes", Direction::Received, &[], 12_999);
    capture.record("probes", Direction::Event, "no answer\nwithin 333 ms".as_bytes(), 345_000);
    let end = capture.end();
    assert_eq!((end.written, end.lost, end.why), (3, 0, None));
    let file = CaptureFile::parse(&std::fs::read_to_string(&path).expect("read")).expect("read");
    std::fs::remove_dir_all(&dir).expect("removed");
    assert_eq!(file.head, head);
    assert!(file.ended && file.problems.is_empty(), "{:?}", file.problems);
    let what: Vec<Happened> = file.events.iter().map(|event| event.what.clone()).collect();
    let said = Happened::Said("no answer within 333 ms".into());
    let came = Happened::Received(vec![]);
    assert_eq!(what, [Happened::Sent(vec![0, 1, 0xFF]), came, said]);
    assert_eq!(file.events[0].at_us, 12_041);
}

/// A disk that takes the first write and is full for the rest.
struct Full(bool);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if std::mem::replace(&mut self.0, true) {
            return Err(io::Error::other("no space left on device"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_and_holds_nobody_up() {
    let capture = Capture::to(Full(false), 20_000).expect("a thread");
    for at in 0..10_000 {
        capture.record("b", Direction::Sent, &[1; 32], at);
    }
    let end = capture.end();
    assert_eq!(end.why.as_deref(), Some("no space left on device"));
    assert!(end.lost > 0 && end.written + end.lost == 10_000, "{end:?}");
}

/// A disk that stands still until it is told to go on.
struct Stuck(mpsc::Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stuck_disk_holds_nobody_up_and_what_found_no_room_is_counted() {
    let (go, stuck) = mpsc::channel();
    let capture = Capture::to(Stuck(stuck), 4).expect("a thread");
    for at in 0..100 {
        capture.record("b", Direction::Sent, &[1], at);
    }
    drop(go);
    let end = capture.end();
    assert_eq!(end.written + end.lost, 100);
    assert!(end.lost > 0, "{end:?}");
}

#[test]
fn the_end_of_a_capture_waits_for_no_disk_that_stands_still_with_a_full_queue() {
    let (go, stuck) = mpsc::channel();
    let capture = Capture::to(Stuck(stuck), 4).expect("a thread");
    for at in 0..100 {
        capture.record("b", Direction::Sent, &[1; 8192], at);
    }
    let end = capture.end_within(Duration::ZERO);
    assert_eq!((end.written, end.why.as_deref()), (0, Some(LATE)));
    assert!(end.lost > 0, "{end:?}");
    drop(go);
}

#[test]
fn lines_that_cannot_be_understood_are_named_and_passed_over() {
    let file = CaptureFile::parse(
        "holder-capture 1\n# device x: a b\n# my own note\n\nabc b > 01\n1 b > 0\n1 b > 0G\n\
         1 b ? 00\n1\n99999999999999999999 b > 01\n2.5 b > 01 02",
    );
    let file = file.expect("a capture");
    assert_eq!(file.problems_count, 7, "{:#?}", file.problems);
    assert!(file.problems[0].starts_with("line 2: device x"), "{:?}", file.problems);
    assert!(file.problems[2].contains("cut off"), "{:?}", file.problems);
    assert_eq!(file.events.len(), 1);
    assert_eq!(file.events[0].at_us, 2_500);
    assert!(!file.ended);
    let other = CaptureFile::parse("holder-capture 2").expect_err("refused").to_string();
    assert!(other.contains("version 2"), "{other}");
    assert!(CaptureFile::parse("").expect_err("refused").to_string().contains("--capture"));
}

#[test]
fn an_answer_in_pieces_is_paired_and_decoded_by_the_points_of_the_profile() {
    let answer = rtu(&[1, 4, 4, 0x02, 0x70, 0x02, 0x72]);
    let (one, two) = answer.split_at(9);
    let exchange = only(&format!(
        "1.0 rtu > {}\n5.0 rtu < {one}\n9.5 rtu < {two}\n",
        rtu(&[1, 4, 0, 0, 0, 2])
    ));
    assert_eq!(exchange.question, "read input_register 0 to 1");
    assert_eq!(exchange.answer.as_deref(), Some("0x0270 0x0272"));
    assert_eq!((exchange.turnaround_us, exchange.marks.len()), (Some(8_500), 0));
    let text = include_str!("../../../../profiles/devices/icpdas-tm-th8.toml");
    let profile = Profile::parse("icpdas-tm-th8.toml", text).expect("shipped");
    let values = exchange.values(&profile, 1);
    let shown: Vec<String> = values
        .iter()
        .filter_map(|(name, decoded)| Some(format!("{name} = {}", decoded.value?)))
        .collect();
    assert_eq!(shown, ["channel_0 = 62.400 °C", "channel_1 = 62.600 °C"]);
}

#[test]
fn what_goes_wrong_on_a_serial_line_is_told_apart() {
    let (ask, answer) = (rtu(&[1, 3, 0, 1, 0, 1]), rtu(&[1, 3, 2, 0x02, 0x71]));
    let spoilt = "01 03 02 02 72 79 A8";
    let broken = only(&format!("1 rtu > {ask}\n2 rtu < {spoilt}\n"));
    assert_eq!(troubles(&broken), [Trouble::Broken, Trouble::NoAnswer]);
    assert!(broken.marks[0].text.contains("CRC is 79 A8"), "{:?}", broken.marks);

    let echoed = only(&format!("1 rtu > {ask}\n2 rtu < {ask}\n3 rtu < {answer}\n"));
    assert_eq!(troubles(&echoed), [Trouble::Echo]);
    assert_eq!(echoed.answer.as_deref(), Some("0x0271"));

    let noisy = only(&format!("1 rtu > {ask}\n2 rtu < FE 00 {answer}\n"));
    assert_eq!(troubles(&noisy), [Trouble::Broken]);
    assert_eq!(noisy.answer.as_deref(), Some("0x0271"));

    let twice = only(&format!("1 rtu > {ask}\n2 rtu < {answer}\n3 rtu < {answer}\n"));
    assert_eq!(troubles(&twice), [Trouble::Twice]);

    let other = rtu(&[2, 3, 2, 0x02, 0x71]);
    let foreign = only(&format!("1 rtu > {ask}\n2 rtu < {other}\n"));
    assert_eq!(troubles(&foreign), [Trouble::Foreign, Trouble::NoAnswer]);

    let refused = only(&format!("1 rtu > {ask}\n2 rtu < {}\n", rtu(&[1, 0x83, 2])));
    assert_eq!(troubles(&refused), [Trouble::Refused]);
    assert!(refused.marks[0].text.contains("illegal data address"));
    let silent = only(&format!("1 rtu > {ask}\n"));
    assert_eq!(troubles(&silent), [Trouble::NoAnswer]);
    let unasked = only(&format!("1 rtu < {answer}\n"));
    assert_eq!((troubles(&unasked), unasked.question.as_str()), (vec![Trouble::Foreign], ""));
}

#[test]
fn an_answer_that_comes_after_the_next_question_is_late_and_not_the_next_ones() {
    let (pv, setpoint) = (rtu(&[1, 3, 0, 1, 0, 1]), rtu(&[1, 3, 0, 5, 0, 2]));
    let late = rtu(&[1, 3, 2, 0x02, 0x71]);
    let paired = paired(&format!(
        "1 rtu > {pv}\n400 rtu > {setpoint}\n402 rtu < {late}\n410 rtu < {}\n",
        rtu(&[1, 3, 4, 0, 1, 0, 2])
    ));
    let [first, second] = paired.exchanges.as_slice() else { panic!("{:#?}", paired.exchanges) };
    assert_eq!((troubles(first), first.turnaround_us), (vec![Trouble::Late], Some(401_000)));
    assert_eq!((troubles(second), second.turnaround_us), (vec![], Some(10_000)));
    let figures = paired.figures();
    assert_eq!((figures.questions, figures.answers), (2, 2));
    assert_eq!(figures.count(Trouble::Late), 1);
    assert_eq!(figures.turnaround.expect("one in time").median_us, 10_000);
    assert_eq!(paired.figures_by_device().len(), 1);
    assert_eq!(paired.device_of(first).expect("known").name, "bottles");
}

#[test]
fn modbus_tcp_is_paired_by_the_number_of_the_question() {
    let paired = paired(
        "1 tcp > 00 07 00 00 00 06 01 03 00 01 00 01\n2 tcp < 00 07 00 00 00 05 01 03\n\
         3 tcp < 02 02 71\n4 tcp > 00 08 00 00 00 06 01 06 00 1A 02 71\n\
         5 tcp < 00 07 00 00 00 05 01 03 02 02 71\n6 tcp < 00 08 00 00 00 06 01 06 00 1A 02 71\n\
         7 tcp < FF FF FF FF FF FF FF FF\n",
    );
    let [read, write] = paired.exchanges.as_slice() else { panic!("{:#?}", paired.exchanges) };
    assert_eq!(read.answer.as_deref(), Some("0x0271"));
    assert_eq!(write.question, "write holding_register 26: 0x0271");
    assert_eq!(write.answer.as_deref(), Some("done"));
    assert_eq!(troubles(write), [Trouble::Foreign, Trouble::Broken]);
}

#[test]
fn commands_are_shown_as_text_and_a_silent_one_is_no_trouble() {
    // "in_pv_00" CR, "62.50" CR LF; "out_sp_00 62.50" CR.
    let paired = paired(
        "1 text > 69 6E 5F 70 76 5F 30 30 0D\n31 text < 36 32 2E\n32 text < 35 30 0D 0A\n\
         300 text > 6F 75 74 5F 73 70 5F 30 30 20 36 32 2E 35 30 0D\n",
    );
    let [read, write] = paired.exchanges.as_slice() else { panic!("{:#?}", paired.exchanges) };
    assert_eq!(read.question, "\"in_pv_00\\r\"");
    assert_eq!(read.answer.as_deref(), Some("\"62.50\""));
    assert_eq!(read.turnaround_us, Some(31_000));
    assert!(write.marks.is_empty(), "{:?}", write.marks);
}

#[test]
fn answers_to_commands_are_decoded_by_the_points_of_their_profile() {
    let profile = |name: &str, text| Profile::parse(name, text).expect("shipped");
    let julabo = profile("julabo", include_str!("../../../../profiles/devices/julabo.toml"));
    let huber = profile("huber-pb", include_str!("../../../../profiles/devices/huber-pb.toml"));
    let neslab = profile("neslab-nc", include_str!("../../../../profiles/devices/neslab-nc.toml"));
    // The bath of each: in_pv_00; variable 01; command 20, the manual's own example.
    let nc = [0xCA, 0, 1, 0x20];
    let cases = [
        (&julabo, 0, b"in_pv_00\r".to_vec(), b"62.50\r\n".to_vec()),
        (&huber, 0, b"{M01****\r\n".to_vec(), b"{S01186A\r\n".to_vec()),
        (&neslab, 1, [&nc[..], &[0, 0xDE]].concat(), [&nc[..], &[3, 0x11, 2, 0x71, 0x57]].concat()),
    ];
    for (profile, address, question, answer) in cases {
        let (question, answer) = (hex_bytes(&question), hex_bytes(&answer));
        let exchange = only(&format!("1 text > {question}\n9 text < {answer}\n"));
        let values = exchange.values(profile, address);
        let shown: Vec<String> =
            values.iter().filter_map(|(_, decoded)| Some(decoded.value?.to_string())).collect();
        assert!(shown.iter().any(|value| value == "62.500 °C"), "{}: {shown:?}", profile.name());
        assert!(exchange.marks.is_empty(), "{:?}", exchange.marks);
    }
}

#[test]
fn the_manuals_frame_of_a_neslab_bath_is_understood_and_a_spoilt_one_not() {
    let frame = [0xCA, 0, 1, 0x20, 3, 0x11, 0x02, 0x71, 0x57];
    assert!(matches!(frame::take_line(&frame), TakenLine::Answer(_, 9)));
    let mut spoilt = frame;
    spoilt[6] ^= 1;
    assert!(matches!(frame::take_line(&spoilt), TakenLine::Broken(_, 9)));
    for size in 0..frame.len() {
        assert_eq!(frame::take_line(&frame[..size]), TakenLine::More, "{size} bytes");
    }
}

#[test]
fn an_rtu_answer_is_taken_only_when_it_is_whole() {
    let whole = [1_u8, 3, 2, 0x02, 0x71];
    let whole = [whole.as_slice(), &frame::crc16(&whole).to_le_bytes()].concat();
    for size in 0..whole.len() {
        assert_eq!(frame::take_rtu(&whole[..size]), Taken::More, "{size} bytes");
    }
    assert!(matches!(frame::take_rtu(&whole), Taken::Frame(_, 7)));
}

#[test]
fn no_bytes_make_the_decoder_panic() {
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    for _ in 0..300 {
        let mut text = HEAD.to_owned();
        for at in 0..20 {
            let bus = ["rtu", "tcp", "text", "else"][usize::from(next() % 4)];
            let sign = ['>', '<', '!'][usize::from(next() % 3)];
            let size = next() % 24;
            let bytes: Vec<u8> =
                (0..size).map(|_| if next() < 80 { next() % 8 } else { next() }).collect();
            text += &format!("{at} {bus} {sign} {}\n", hex_bytes(&bytes));
        }
        let paired = decode_capture(&text).expect("a capture");
        paired.figures();
    }
}
