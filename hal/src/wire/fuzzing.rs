//! Thin entries to decoders that nobody outside needs, for the fuzz targets in `tests/fuzz`.
//!
//! Each feeds bytes as a wire would, the first few of which choose the question, and asserts what
//! an accepted answer must be, by a reading of the specification of its own.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio_modbus::client::tcp;
use tokio_modbus::prelude::{Request, Response};

use super::line::LineEnd;
use super::port::ear::{Ear, Tapped};
use super::port::pdu;
use super::port::reply::Reply;
use super::port::rtu::{Asked, Found, frame};
use super::port::{Ask, Question, Times, over_tcp};
use super::profile::{Profile, Protocol};
use super::{huber_pb, neslab_nc, text};

/// More than the longest answer that a wire reads.
const ANSWER_LEN_MAX: usize = 600;

/// What an RTU wire makes of bytes, as they come one by one: at most one answer, from the unit
/// that was asked, of the shape that was asked for, and with a right checksum.
pub fn rtu_answer(bytes: &[u8]) {
    let Some((request, unit_id, heard)) = question(bytes) else { return };
    let Some((sent, shape)) = pdu::question(&request) else { return };
    let function = request.function_code().value();
    let asked = Asked { unit_id, function, shape, sent: frame(unit_id, &sent) };
    for len in 0..=heard.len().min(ANSWER_LEN_MAX) {
        let so_far = heard.get(..len).unwrap_or_default();
        match asked.find(so_far) {
            Found::Incomplete => {}
            Found::Answer(answer) => {
                assert!(is_frame(so_far, unit_id, function), "{request:?} {so_far:02X?}");
                if pdu::fits(&request, &answer).is_ok() {
                    check_words(&answer, so_far, 2);
                }
                return;
            }
            Found::Exception(code) => {
                assert!(is_frame(so_far, unit_id, function | 0x80), "{request:?} {so_far:02X?}");
                assert_eq!(so_far.iter().rev().nth(2), Some(&code));
                return;
            }
            // The question is given up; nothing that comes later is looked at.
            Found::Echo | Found::Misfit(_) => return,
        }
    }
}

/// What a Modbus TCP connection makes of bytes that come in one piece.
pub fn tcp_answer(bytes: &[u8]) {
    let Some((request, unit_id, heard)) = question(bytes) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let Ok(runtime) = runtime else { return };
    let asked = runtime.block_on(async {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let heard = heard.get(..heard.len().min(ANSWER_LEN_MAX)).unwrap_or_default();
        let written = theirs.write_all(heard).await;
        assert!(written.is_ok());
        let ear = Ear::default();
        let mut context = tcp::attach(Tapped { stream: ours, ear: ear.clone() });
        let second = Duration::from_secs(1);
        let times = Times {
            timeout: second,
            gap: Duration::ZERO,
            spacing: Duration::ZERO,
            late_max: second,
        };
        let question = Question::Modbus(request.clone());
        let ask = Ask { address: unit_id, question, times, urgent: false };
        let answered = over_tcp(&mut context, &ask, &request, &ear);
        // The peer has said all that it will say, and hangs up.
        let hangs_up = async {
            let flushed = theirs.shutdown().await;
            assert!(flushed.is_ok());
        };
        tokio::join!(answered, hangs_up).0
    });
    if let Ok(answer) = asked {
        assert!(pdu::fits(&request, &answer).is_ok(), "{request:?} {answer:?}");
        assert_eq!(heard.get(6), Some(&unit_id), "another unit's answer");
        let len = heard.get(4..6).map_or(0, |len| usize::from(len[0]) * 256 + usize::from(len[1]));
        check_words(&answer, heard.get(..6 + len).unwrap_or_default(), 0);
    }
}

/// The inside of an answer, of any function.
pub fn modbus_pdu(bytes: &[u8]) {
    let Some((function, data)) = bytes.split_first() else { return };
    if let Some(answer) = pdu::answer(*function, data) {
        check_words(&answer, data, 0);
    }
}

/// Where an answer to a command ends, as bytes come one by one, and what the framed protocols
/// make of it.
pub fn command_answer(bytes: &[u8]) {
    let [kind, number, heard @ ..] = bytes else { return };
    let end = match kind % 3 {
        0 => LineEnd::Text { len_max: usize::from(*number) },
        1 => LineEnd::Fixed { len: 10 },
        _ => LineEnd::Counted { count_at: 4, tail: 1 },
    };
    for len in 0..=heard.len().min(ANSWER_LEN_MAX) {
        match end.find(heard.get(..len).unwrap_or_default()) {
            Reply::Incomplete => {}
            Reply::Whole(answer) => {
                whole_command(&end, *number, &answer);
                return;
            }
            Reply::TooLong => return,
        }
    }
}

/// What a line of text says to a device of this profile; nothing for other protocols.
pub fn text_answer(profile: &Profile, address: u8, line: &[u8]) {
    let Protocol::Text(protocol) = profile.protocol() else { return };
    if let Ok(said) = text::answer(protocol, address, line) {
        assert!(said.is_ascii() && said.trim() == said, "{said:?}");
        let line = String::from_utf8_lossy(line);
        assert!(line.starts_with(&text::prefix(protocol, address)) && line.contains(&said));
    }
}

fn whole_command(end: &LineEnd, number: u8, answer: &[u8]) {
    match end {
        LineEnd::Text { len_max } => {
            assert!(!answer.is_empty() && answer.len() <= *len_max);
            assert!(!answer.contains(&b'\r') && !answer.contains(&b'\n'));
        }
        LineEnd::Fixed { .. } => {
            if let Ok(value) = huber_pb::answer(number, answer) {
                assert_eq!(format!("{{S{number:02X}{value:04X}\r\n").as_bytes(), answer);
            }
        }
        LineEnd::Counted { .. } => {
            let Some(command) = answer.get(3) else { return };
            if let Ok(data) = neslab_nc::answer(number, *command, answer) {
                assert_eq!(answer.len(), data.len() + 6);
                let sum = answer.iter().skip(1).fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
                assert_eq!(sum, 0xFF, "{answer:02X?}");
            }
        }
        LineEnd::NoAnswer => {}
    }
}

/// A question, the unit it goes to, and what is heard afterwards.
fn question(bytes: &[u8]) -> Option<(Request<'static>, u8, &[u8])> {
    let [kind, unit_id, address, count, heard @ ..] = bytes else { return None };
    let (address, count) = (u16::from(*address), 1 + u16::from(*count) % 125);
    let request = match kind % 8 {
        0 => Request::ReadCoils(address, count),
        1 => Request::ReadDiscreteInputs(address, count),
        2 => Request::ReadHoldingRegisters(address, count),
        3 => Request::ReadInputRegisters(address, count),
        4 => Request::WriteSingleCoil(address, count & 1 == 1),
        5 => Request::WriteSingleRegister(address, count),
        6 => Request::WriteMultipleRegisters(address, vec![count; usize::from(count % 4)].into()),
        _ => Request::ReportServerId,
    };
    Some((request, *unit_id, heard))
}

/// Whether a whole frame of this unit and function ends these bytes.
fn is_frame(bytes: &[u8], unit_id: u8, function: u8) -> bool {
    (0..bytes.len()).any(|start| {
        let frame = bytes.get(start..).unwrap_or_default();
        frame.len() >= 5 && frame.starts_with(&[unit_id, function]) && remainder(frame) == 0
    })
}

/// The remainder of a frame with its checksum: 0 if it is whole. Bit by bit from the front, by the
/// polynomial as the specification writes it (x^16 + x^15 + x^2 + 1), not the mirrored one that
/// the wire uses.
fn remainder(frame: &[u8]) -> u16 {
    frame.iter().fold(0xFFFF, |rest, byte| {
        (0..8).fold(rest, |rest: u16, bit| {
            let carry = (rest >> 15) ^ u16::from((byte >> bit) & 1);
            (rest << 1) ^ if carry == 1 { 0x8005 } else { 0 }
        })
    })
}

/// The words of an answer are the bytes at the end of it, `tail` bytes before the last.
fn check_words(answer: &Response, bytes: &[u8], tail: usize) {
    let (Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words)) = answer
    else {
        return;
    };
    let said: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    let body = bytes.get(..bytes.len().saturating_sub(tail)).unwrap_or_default();
    assert!(body.ends_with(&said), "{answer:?} from {bytes:02X?}");
}
