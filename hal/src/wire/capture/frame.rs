//! Bytes into frames: where one ends, and whether its checksum holds.
//!
//! MBAP: Modbus Messaging on TCP/IP V1.0b, section 3.1.3. RTU and its CRC: Modbus over Serial Line
//! V1.02, section 2.5.1. NESLAB NC: DEVICES, section B (lead byte CA, checksum is the inverted sum).

use super::hex_bytes;

/// One frame of Modbus, without its wrapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pdu {
    /// The number of the question (TCP only).
    pub(super) transaction: Option<u16>,
    pub(super) unit_id: u8,
    /// Function and data.
    pub(super) bytes: Vec<u8>,
}

impl Pdu {
    /// The function, without the bit that marks a refusal.
    pub(super) fn function(&self) -> u8 {
        self.bytes.first().map_or(0, |function| function & 0x7F)
    }

    /// The code with which the device refused.
    pub(super) fn exception(&self) -> Option<u8> {
        match self.bytes.as_slice() {
            [function, code, ..] if function & 0x80 != 0 => Some(*code),
            _ => None,
        }
    }

    /// The 16-bit number at `at` in the data after the function.
    pub(super) fn word(&self, at: usize) -> Option<u16> {
        let high = self.bytes.get(at + 1)?;
        let low = self.bytes.get(at + 2)?;
        Some(u16::from_be_bytes([*high, *low]))
    }
}

/// What was taken from the front of the bytes that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A frame that is whole, and its size on the wire.
    Frame(Pdu, usize),
    /// A frame of the right size with a wrong checksum: what was wrong.
    Broken(String, usize),
    /// Not enough yet.
    More,
}

/// CRC-16 of Modbus: polynomial A001, preset FFFF, low byte first on the wire.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 }
        })
    })
}

/// A Modbus TCP frame from the front of `bytes`.
pub(super) fn take_tcp(bytes: &[u8]) -> Taken {
    let [t_high, t_low, p_high, p_low, l_high, l_low, unit_id, rest @ ..] = bytes else {
        return Taken::More;
    };
    let length = usize::from(u16::from_be_bytes([*l_high, *l_low]));
    if (*p_high, *p_low) != (0, 0) || !(2..=254).contains(&length) {
        let why = format!("no Modbus TCP header: {}", hex_bytes(bytes));
        return Taken::Broken(why, bytes.len());
    }
    match rest.get(..length - 1) {
        Some(pdu) => {
            let transaction = Some(u16::from_be_bytes([*t_high, *t_low]));
            Taken::Frame(Pdu { transaction, unit_id: *unit_id, bytes: pdu.to_vec() }, length + 6)
        }
        None => Taken::More,
    }
}

/// The size on the wire of an RTU answer that begins like this; `None` if it cannot be known yet,
/// or the function is not known.
fn rtu_answer_size(bytes: &[u8]) -> Option<usize> {
    let function = *bytes.get(1)?;
    let counted = |head: usize| bytes.get(2).map(|count| usize::from(*count) + head + 2);
    match function {
        0x81.. => Some(5),
        1..=4 | 17 | 23 => counted(3),
        5 | 6 | 15 | 16 => Some(8),
        22 => Some(10),
        _ => None,
    }
}

/// An RTU answer from the front of `bytes`.
pub(super) fn take_rtu(bytes: &[u8]) -> Taken {
    let Some(size) = rtu_answer_size(bytes) else { return Taken::More };
    let Some(frame) = bytes.get(..size) else { return Taken::More };
    rtu_frame(frame)
}

/// Bytes that are one whole RTU frame.
pub(super) fn rtu_frame(frame: &[u8]) -> Taken {
    let [body @ .., low, high] = frame else { return Taken::More };
    let [unit_id, pdu @ ..] = body else { return Taken::More };
    let (stated, computed) = (u16::from_le_bytes([*low, *high]), crc16(body));
    if pdu.is_empty() {
        return Taken::Broken(format!("too short: {}", hex_bytes(frame)), frame.len());
    }
    if stated != computed {
        let [low_due, high_due] = computed.to_le_bytes();
        let why = format!(
            "CRC is {low:02X} {high:02X} and must be {low_due:02X} {high_due:02X}: {}",
            hex_bytes(frame)
        );
        return Taken::Broken(why, frame.len());
    }
    Taken::Frame(Pdu { transaction: None, unit_id: *unit_id, bytes: pdu.to_vec() }, frame.len())
}

/// A command's answer from the front of the bytes: text up to its line end, or a NESLAB frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TakenLine {
    /// The answer in words, and its size on the wire.
    Answer(String, usize),
    /// A frame whose checksum is wrong.
    Broken(String, usize),
    /// Not enough yet.
    More,
}

/// An answer of a protocol of commands.
pub(super) fn take_line(bytes: &[u8]) -> TakenLine {
    if bytes.first() == Some(&0xCA) {
        return take_neslab(bytes);
    }
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let start = bytes.iter().position(|byte| !is_end(byte)).unwrap_or(bytes.len());
    let rest = bytes.get(start..).unwrap_or_default();
    match rest.iter().position(is_end) {
        Some(end) => {
            let line = rest.get(..end).unwrap_or_default();
            // CR LF is one end.
            let ends = 1 + usize::from(rest.get(end..end + 2) == Some(b"\r\n"));
            TakenLine::Answer(text(line), start + end + ends)
        }
        None => TakenLine::More,
    }
}

fn take_neslab(bytes: &[u8]) -> TakenLine {
    let Some(count) = bytes.get(4) else { return TakenLine::More };
    let size = usize::from(*count) + 6;
    let Some(frame) = bytes.get(..size) else { return TakenLine::More };
    let [_, body @ .., stated] = frame else { return TakenLine::More };
    let due = !body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    if *stated == due {
        return TakenLine::Answer(hex_bytes(frame), size);
    }
    let why = format!("checksum is {stated:02X} and must be {due:02X}: {}", hex_bytes(frame));
    TakenLine::Broken(why, size)
}

/// Bytes as a person reads them: text with its control characters named, or hex.
pub(super) fn text(bytes: &[u8]) -> String {
    let readable = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\r' | b'\n');
    if bytes.is_empty() || !bytes.iter().all(readable) {
        return hex_bytes(bytes);
    }
    let text: String = bytes.iter().copied().map(char::from).collect();
    format!("{text:?}")
}
