//! Frames of Modbus in a technician's words.

use super::frame::{self, Pdu};
use super::hex_bytes;
use crate::wire::profile::{Entity, Raw};

/// Addresses of one table that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) entity: Entity,
    pub(super) address: u16,
    pub(super) count: u16,
}

pub(super) fn words_of(data: &[u8]) -> Vec<u16> {
    let pair = |pair: &[u8]| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    };
    data.chunks_exact(2).map(pair).collect()
}

pub(super) fn span_of(pdu: &Pdu) -> Option<Span> {
    let entity = match pdu.function() {
        1 => Entity::Coil,
        2 => Entity::DiscreteInput,
        3 => Entity::HoldingRegister,
        4 => Entity::InputRegister,
        _ => return None,
    };
    Some(Span { entity, address: pdu.word(0)?, count: pdu.word(2)? })
}

pub(super) fn question_words(pdu: &Pdu) -> String {
    let (address, second) = (pdu.word(0).unwrap_or(0), pdu.word(2).unwrap_or(0));
    if let Some(span) = span_of(pdu) {
        let last = u32::from(address) + u32::from(span.count.saturating_sub(1));
        let entity = span.entity.word();
        return match span.count {
            1 => format!("read {entity} {address}"),
            _ => format!("read {entity} {address} to {last}"),
        };
    }
    match pdu.function() {
        5 => format!("write coil {address}: {}", if second == 0 { "off" } else { "on" }),
        6 => format!("write holding_register {address}: 0x{second:04X}"),
        15 => format!("write {second} coils from {address}: {}", data_hex(pdu, 6)),
        16 => format!("write {second} holding_registers from {address}: {}", data_hex(pdu, 6)),
        17 => "who are you? (function 17)".to_owned(),
        function => format!("function {function}: {}", data_hex(pdu, 1)),
    }
}

pub(super) fn answer_words(asked: &Pdu, answer: &Pdu) -> String {
    if let Some(code) = answer.exception() {
        return format!("refused with exception 0x{code:02X}");
    }
    match asked.function() {
        1 | 2 => format!("bits {}", data_hex(answer, 2)),
        3 | 4 => Raw::Words(words_of(answer.bytes.get(2..).unwrap_or_default()).into()).to_string(),
        5 | 6 | 15 | 16 => "done".to_owned(),
        17 => frame::text(answer.bytes.get(2..).unwrap_or_default()),
        _ => hex_bytes(&answer.bytes),
    }
}

fn data_hex(pdu: &Pdu, from: usize) -> String {
    hex_bytes(pdu.bytes.get(from..).unwrap_or_default())
}

/// The names of the Modbus specification (V1.1b3, section 7).
pub(super) const fn meaning(code: u8) -> &'static str {
    match code {
        0x01 => "illegal function",
        0x02 => "illegal data address",
        0x03 => "illegal data value",
        0x04 => "server device failure",
        0x05 => "acknowledge: it takes longer",
        0x06 => "server device busy",
        0x08 => "memory parity error",
        0x0A => "gateway path unavailable",
        0x0B => "gateway target device failed to respond",
        _ => "of the maker's own",
    }
}
