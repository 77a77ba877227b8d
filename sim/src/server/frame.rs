//! Questions taken out of bytes, and answers put into them: Modbus TCP and RTU.
//!
//! This is the simulator's own framing, written apart from the program's: where both agree, two
//! readers of the specification do. The checksum is the `crc` crate's; what is inside a frame is
//! read and written by tokio-modbus.
//!
//! A device on a serial line finds the end of a question by silence, 3.5 characters (Modbus over
//! Serial Line V1.02, 2.5.1.1). A pty and a socket do not keep the wire's time, so a question is
//! over as soon as it has the length that its function gives it and its checksum fits; silence
//! ends only what has no such length, and clears away what is no question.

use std::time::Duration;

use crc::{CRC_16_MODBUS, Crc};

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);
/// No frame is longer: 256 bytes on a serial line, 260 on Modbus TCP.
const FRAME_BYTES_MAX: usize = 260;
/// Header of Modbus TCP up to the length, which counts what follows.
const MBAP_COUNTED_FROM: usize = 6;
/// After this time without a byte a question on a serial line is over.
pub(crate) const SILENCE: Duration = Duration::from_millis(20);

/// A question, as the simulator understood it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Question {
    /// Number of the question; 0 where the wire has none.
    pub(crate) transaction: u16,
    pub(crate) unit_id: u8,
    /// Function code and what follows it; empty on a bus of commands.
    pub(crate) pdu: Vec<u8>,
    /// The whole frame as it came.
    pub(crate) bytes: Vec<u8>,
}

impl Question {
    /// The function code; 0 on a bus of commands.
    pub(crate) fn function(&self) -> u8 {
        self.pdu.first().copied().unwrap_or(0)
    }
}

/// Takes questions out of bytes as they come.
#[derive(Debug)]
pub(crate) enum Framer {
    Tcp(Vec<u8>),
    Rtu(Vec<u8>),
}

/// What came is no Modbus TCP: only a new connection helps.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl Framer {
    /// Takes bytes in.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let (Self::Tcp(buffer) | Self::Rtu(buffer)) = self;
        buffer.extend_from_slice(bytes);
    }

    /// The next whole question.
    pub(crate) fn next(&mut self) -> Result<Option<Question>, Broken> {
        match self {
            Self::Tcp(buffer) => next_tcp(buffer),
            Self::Rtu(buffer) => Ok(next_rtu(buffer)),
        }
    }

    /// Whether silence would mean something now.
    pub(crate) fn waits_for_silence(&self) -> bool {
        match self {
            Self::Tcp(_) => false,
            Self::Rtu(buffer) => !buffer.is_empty(),
        }
    }

    /// The line was silent: what came so far is a question of a function that we do not know,
    /// or nothing.
    pub(crate) fn silence(&mut self) -> Option<Question> {
        match self {
            Self::Tcp(_) => None,
            Self::Rtu(buffer) => {
                let bytes = core::mem::take(buffer);
                rtu_question(&bytes)
            }
        }
    }
}

fn next_tcp(buffer: &mut Vec<u8>) -> Result<Option<Question>, Broken> {
    let Some([t0, t1, p0, p1, l0, l1]) = buffer.first_chunk::<MBAP_COUNTED_FROM>().copied() else {
        return Ok(None);
    };
    let end = MBAP_COUNTED_FROM + usize::from(u16::from_be_bytes([l0, l1]));
    if [p0, p1] != [0, 0] || !(MBAP_COUNTED_FROM + 2..=FRAME_BYTES_MAX).contains(&end) {
        return Err(Broken);
    }
    if buffer.len() < end {
        return Ok(None);
    }
    let bytes: Vec<u8> = buffer.drain(..end).collect();
    let Some((unit_id, pdu)) = bytes.get(MBAP_COUNTED_FROM..).and_then(<[u8]>::split_first) else {
        return Err(Broken);
    };
    let transaction = u16::from_be_bytes([t0, t1]);
    Ok(Some(Question { transaction, unit_id: *unit_id, pdu: pdu.to_vec(), bytes }))
}

fn next_rtu(buffer: &mut Vec<u8>) -> Option<Question> {
    if buffer.len() > FRAME_BYTES_MAX {
        buffer.clear();
    }
    let end = rtu_question_len(buffer)?;
    let question = rtu_question(buffer.get(..end)?)?;
    buffer.drain(..end);
    Some(question)
}

/// How long the question is that begins here, if its function says so (Modbus Application
/// Protocol V1.1b3, chapter 6).
fn rtu_question_len(bytes: &[u8]) -> Option<usize> {
    let counted = |at: usize| bytes.get(at).map(|count| at + 1 + usize::from(*count) + 2);
    match bytes.get(1)? {
        1..=6 => Some(8),
        7 | 11 | 12 | 17 => Some(4),
        15 | 16 => counted(6),
        22 => Some(10),
        23 => counted(10),
        _ => None,
    }
}

/// `bytes` as one whole frame with a checksum that fits.
fn rtu_question(bytes: &[u8]) -> Option<Question> {
    let (content, sum) = bytes.split_last_chunk::<2>()?;
    let (unit_id, pdu) = content.split_first()?;
    if pdu.is_empty() || CRC.checksum(content).to_le_bytes() != *sum {
        return None;
    }
    let (pdu, bytes) = (pdu.to_vec(), bytes.to_vec());
    Some(Question { transaction: 0, unit_id: *unit_id, pdu, bytes })
}

/// A frame of Modbus RTU.
pub(crate) fn rtu(unit_id: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = vec![unit_id];
    frame.extend_from_slice(pdu);
    let sum = CRC.checksum(&frame).to_le_bytes();
    frame.extend_from_slice(&sum);
    frame
}

/// A frame of Modbus TCP.
pub(crate) fn tcp(transaction: u16, unit_id: u8, pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len() + 1).unwrap_or(u16::MAX).to_be_bytes();
    let [t0, t1] = transaction.to_be_bytes();
    let mut frame = vec![t0, t1, 0, 0, length[0], length[1], unit_id];
    frame.extend_from_slice(pdu);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The question of every datasheet: one register from 1 on, of unit 1.
    const ASKED: [u8; 8] = [1, 3, 0, 1, 0, 1, 0xD5, 0xCA];
    /// Reset of an older device: no function that we know.
    const UNKNOWN: [u8; 5] = [1, 0x41, 7, 0, 0];

    fn all(framer: &mut Framer) -> Vec<Question> {
        core::iter::from_fn(|| framer.next().expect("sound")).collect()
    }

    #[test]
    fn a_question_is_found_whole_byte_by_byte_and_doubled() {
        let mut framer = Framer::Rtu(Vec::new());
        framer.push(&[ASKED, ASKED].concat());
        let questions = all(&mut framer);
        assert_eq!(questions.len(), 2);
        assert_eq!((questions[0].unit_id, &questions[0].pdu[..]), (1, &[3, 0, 1, 0, 1][..]));
        for (count, byte) in ASKED.iter().enumerate() {
            framer.push(&[*byte]);
            assert_eq!(all(&mut framer).len(), usize::from(count == 7));
        }
        assert!(!framer.waits_for_silence());
    }

    #[test]
    fn the_length_of_a_question_follows_from_its_function() {
        let questions: [&[u8]; 4] = [
            &[17],
            &[16, 0, 1, 0, 2, 4, 1, 2, 3, 4],
            &[15, 0, 0, 0, 9, 2, 1, 1],
            &[22, 0, 4, 0, 1, 0, 2],
        ];
        for pdu in questions {
            let mut framer = Framer::Rtu(Vec::new());
            framer.push(&rtu(9, pdu));
            let found = framer.next().expect("sound").expect("a whole question");
            assert_eq!((found.unit_id, &found.pdu[..]), (9, pdu));
        }
    }

    #[test]
    fn noise_spoils_a_question_until_the_line_is_silent() {
        let mut framer = Framer::Rtu(Vec::new());
        framer.push(&[0xFF]);
        framer.push(&ASKED);
        assert_eq!(framer.next(), Ok(None));
        assert!(framer.waits_for_silence());
        assert_eq!(framer.silence(), None);
        framer.push(&ASKED);
        assert_eq!(all(&mut framer).len(), 1);
        framer.push(&[1; 300]);
        assert_eq!(framer.next(), Ok(None));
        assert!(!framer.waits_for_silence(), "a flood is thrown away at once");
    }

    #[test]
    fn a_function_that_nobody_knows_ends_with_silence() {
        let asked = rtu(1, &UNKNOWN[1..3]);
        let mut framer = Framer::Rtu(Vec::new());
        framer.push(&asked);
        assert_eq!(framer.next(), Ok(None));
        assert_eq!(framer.silence().map(|question| question.function()), Some(0x41));
        framer.push(&UNKNOWN);
        assert_eq!(framer.silence(), None, "its checksum does not fit");
    }

    #[test]
    fn modbus_tcp_counts_its_bytes_and_anything_else_is_broken() {
        let mut framer = Framer::Tcp(Vec::new());
        let asked = tcp(0x1234, 1, &[3, 0, 1, 0, 1]);
        framer.push(&asked[..7]);
        assert_eq!(framer.next(), Ok(None));
        framer.push(&asked[7..]);
        let found = framer.next().expect("sound").expect("whole");
        assert_eq!((found.transaction, found.unit_id, found.bytes), (0x1234, 1, asked));
        for wrong in [[0, 1, 0, 1, 0, 6, 1], [0, 1, 0, 0, 0, 1, 1], [0, 1, 0, 0, 9, 9, 1]] {
            let mut framer = Framer::Tcp(wrong.to_vec());
            assert_eq!(framer.next(), Err(Broken), "{wrong:02X?}");
        }
    }
}
