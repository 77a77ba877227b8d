use super::*;

/// Register 1 of unit 1 is asked for; it is 625.
fn asked() -> Question {
    let pdu = vec![3, 0, 1, 0, 1];
    Question { transaction: 7, unit_id: 1, bytes: frame::rtu(1, &pdu), pdu }
}

/// Register 26 of unit 1 is written.
fn write_asked() -> Question {
    let pdu = vec![6, 0, 26, 2, 0x71];
    Question { transaction: 8, unit_id: 1, bytes: frame::rtu(1, &pdu), pdu }
}

const PDU: [u8; 4] = [3, 2, 0x02, 0x71];
/// The sound frame, its checksum computed elsewhere (Python, bit by bit).
const SOUND: [u8; 7] = [1, 3, 2, 0x02, 0x71, 0x79, 0x00];

fn pieces(text: &str, framing: Framing, asked: &Question, pdu: &[u8]) -> Vec<Piece> {
    let mut mangler = Mangler::new(5, vec![text.parse().expect("a fault")]);
    let faults = mangler.strike("line", asked, 0);
    mangler.mangle(framing, asked, Some(pdu.to_vec()), &faults)
}

fn rtu(text: &str) -> Vec<u8> {
    let pieces = pieces(text, Framing::ModbusRtu, &asked(), &PDU);
    pieces.into_iter().flat_map(|piece| piece.bytes).collect()
}

#[test]
fn without_a_fault_the_answer_goes_out_as_it_is() {
    assert_eq!(rtu("silence:unit=2"), SOUND);
    assert_eq!(rtu("silence:on=write"), SOUND);
    assert_eq!(rtu("silence:bus=other"), SOUND);
    assert_eq!(rtu("silence:from=1s"), SOUND);
}

#[test]
fn each_fault_changes_the_bytes_of_an_answer_as_it_says() {
    assert_eq!(rtu("silence"), []);
    assert_eq!(rtu("short:bytes=3"), SOUND[..4]);
    assert_eq!(rtu("short:bytes=99"), []);
    assert_eq!(rtu("duplicate"), [SOUND, SOUND].concat());
    assert_eq!(rtu("bad-crc"), [1, 3, 2, 0x02, 0x71, 0x79, 0xFF]);
    assert_eq!(rtu("wrong-unit"), frame::rtu(2, &PDU));
    assert_eq!(rtu("wrong-function"), frame::rtu(1, &[4, 2, 0x02, 0x71]));
    assert_eq!(rtu("fewer:words=1"), frame::rtu(1, &[3, 0]));
    assert_eq!(rtu("more:words=1"), frame::rtu(1, &[3, 4, 0x02, 0x71, 0, 0]));
    assert_eq!(rtu("echo"), [&asked().bytes[..], &SOUND].concat());
}

#[test]
fn noise_and_what_follows_an_answer_leave_the_answer_whole_and_come_from_the_seed() {
    assert_eq!(rtu("noise:bytes=4")[4..], SOUND);
    assert_eq!(rtu("long:bytes=2")[..7], SOUND);
    let inside = rtu("noise:bytes=2,where=inside");
    assert_eq!((&inside[..3], &inside[5..]), (&SOUND[..3], &SOUND[3..]));
    assert_eq!(inside, rtu("noise:bytes=2,where=inside"));
    assert_eq!(inside.len(), 9);
}

#[test]
fn a_write_is_answered_for_another_register_only_where_it_is_echoed() {
    let asked = write_asked();
    let changed = pieces("wrong-address", Framing::ModbusRtu, &asked, &asked.pdu);
    assert_eq!(changed[0].bytes, frame::rtu(1, &[6, 0, 27, 2, 0x71]));
    assert_eq!(rtu("wrong-address"), SOUND);
    let refused = pieces("wrong-address", Framing::ModbusRtu, &asked, &[0x86, 4]);
    assert_eq!(refused[0].bytes, frame::rtu(1, &[0x86, 4]));
}

#[test]
fn on_modbus_tcp_the_header_is_what_goes_wrong() {
    let bytes = |text: &str| pieces(text, Framing::ModbusTcp, &asked(), &PDU)[0].bytes.clone();
    assert_eq!(bytes("wrong-transaction"), [0, 8, 0, 0, 0, 5, 1, 3, 2, 0x02, 0x71]);
    assert_eq!(bytes("wrong-unit"), [0, 7, 0, 0, 0, 5, 2, 3, 2, 0x02, 0x71]);
    assert_eq!(bytes("bad-crc"), [0, 7, 0, 0, 0, 5, 1, 3, 2, 0x02, 0x71], "there is no checksum");
}

#[test]
fn on_a_bus_of_commands_bytes_are_spoilt_and_nothing_else() {
    let asked = Question { bytes: b"in_pv_00\r".to_vec(), ..Question::default() };
    let bytes = |text: &str| -> Vec<u8> {
        let pieces = pieces(text, Framing::Commands, &asked, b"62.50\r\n");
        pieces.into_iter().flat_map(|piece| piece.bytes).collect()
    };
    assert_eq!(bytes("echo"), b"in_pv_00\r62.50\r\n");
    assert_eq!(bytes("short:bytes=2"), b"62.50");
    for modbus_only in ["wrong-function", "wrong-unit", "bad-crc", "fewer:words=1"] {
        assert_eq!(bytes(modbus_only), b"62.50\r\n", "{modbus_only}");
    }
    let exception = "exception:code=4".parse::<FaultSpec>().expect("a fault").kind;
    assert_eq!(refusal(&[exception], &asked), None);
}

#[test]
fn a_refusal_carries_its_code() {
    assert_eq!(refusal(&[FaultKind::Exception { code: 4 }], &write_asked()), Some(vec![0x86, 4]));
    assert_eq!(refusal(&[FaultKind::Echo], &write_asked()), None);
}

#[test]
fn delays_are_told_apart_from_a_busy_device() {
    let piece = |text| pieces(text, Framing::ModbusRtu, &asked(), &PDU).remove(0);
    assert_eq!(piece("late:ms=800").late_ms, 800);
    assert!((100..=2000).contains(&piece("late:ms=100,to=2000").late_ms));
    assert_eq!(piece("slow:ms=300").busy_ms, 300);
    assert_eq!(piece("slow:baud=1200").baud, Some(1200));
}

#[test]
fn a_fault_strikes_every_nth_time_or_by_chance() {
    let struck = |text: &str| -> Vec<bool> {
        let mut mangler = Mangler::new(1, vec![text.parse().expect("a fault")]);
        (0..10_000).map(|_| !mangler.strike("line", &asked(), 0).is_empty()).collect()
    };
    assert_eq!(struck("echo:every=3")[..7], [false, false, true, false, false, true, false]);
    let by_chance = struck("echo:chance=0.1");
    let count = by_chance.iter().filter(|struck| **struck).count();
    // 1000 ± 30 (one standard deviation); six of them are never left by chance.
    assert!((820..=1180).contains(&count), "{count}");
    assert_eq!(by_chance, struck("echo:chance=0.1"), "the same seed, the same faults");
    assert!(struck("echo:chance=1").iter().all(|struck| *struck));
}

#[test]
fn a_port_is_gone_while_the_fault_lasts_and_only_on_its_bus() {
    let text = "unplug:bus=line,from=1s,for=2s";
    let mut mangler = Mangler::new(1, vec![text.parse().expect("a fault")]);
    assert_eq!(
        [999, 1000, 2999, 3000].map(|at| mangler.plugged("line", at)),
        [true, false, false, true]
    );
    assert!(mangler.plugged("other", 1500));
    mangler.set(vec![text.parse().expect("a fault")], 10_000);
    assert!(mangler.plugged("line", 10_500) && !mangler.plugged("line", 11_000));
}
