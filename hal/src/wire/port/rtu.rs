//! Modbus RTU frames (Modbus over Serial Line V1.02, section 2.5.1): address, inside, checksum.
//!
//! An answer has no number that ties it to its question. So it must come from the unit that was
//! asked, have the function and the length that were asked for, a right checksum, and nothing
//! behind it; anything else is no answer. Whole frames of *other* units are skipped: they are
//! late, and their unit is being left alone for it.

use tokio_modbus::prelude::Response;

use super::pdu::{self, Shape};

/// Address, function and checksum: the least that a frame has.
const FRAME_LEN_MIN: usize = 4;
/// Address, function with its high bit set, code, checksum.
const EXCEPTION_LEN: usize = 5;
const EXCEPTION_BIT: u8 = 0x80;

/// The checksum of a frame: polynomial 0xA001, low byte first on the wire (section 6.2.2).
pub(crate) fn crc(bytes: &[u8]) -> [u8; 2] {
    let crc = bytes.iter().fold(0xFFFF_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 }
        })
    });
    crc.to_le_bytes()
}

/// A whole frame.
pub(crate) fn frame(unit_id: u8, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = vec![unit_id];
    bytes.extend(pdu);
    bytes.extend(crc(&bytes));
    bytes
}

/// What was asked, as far as its answer must fit it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) unit_id: u8,
    pub(crate) function: u8,
    pub(crate) shape: Shape,
    /// The whole question as it was sent: what comes back in these bytes is an echo.
    pub(crate) sent: Vec<u8>,
}

/// What the bytes so far are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// Nothing whole yet.
    Incomplete,
    /// The answer.
    Answer(Response),
    /// The device's refusal, by its exception code.
    Exception(u8),
    /// What can be no answer, and why: nothing of it may be used.
    Misfit(&'static str),
    /// The question itself came back: the adapter hears what it sends.
    Echo,
}

impl Asked {
    /// Reads `bytes`, all that came since the question.
    pub(crate) fn find(&self, bytes: &[u8]) -> Found {
        let mut rest = bytes;
        loop {
            if self.is_echo(rest) {
                return Found::Echo;
            }
            match self.first(rest) {
                First::Frame(found) => return found,
                First::Foreign(len) => rest = rest.get(len..).unwrap_or_default(),
            }
        }
    }

    /// Function 5 and 6 are answered by their own bytes, so there an echo cannot be told from an
    /// answer: what was written is read back.
    fn is_echo(&self, bytes: &[u8]) -> bool {
        let told_apart = !matches!(self.function, 5 | 6);
        told_apart && bytes.starts_with(&self.sent)
    }

    fn first(&self, bytes: &[u8]) -> First {
        let &[unit_id, function, ..] = bytes else { return First::Frame(Found::Incomplete) };
        let Some(len) = frame_len(bytes) else {
            let known = matches!(function & !EXCEPTION_BIT, 1..=6 | 15..=17);
            return First::Frame(if known { Found::Incomplete } else { Found::Misfit("no frame") });
        };
        let mine = unit_id == self.unit_id && function == self.function;
        if mine
            && let Shape::Counted { bytes: asked } = self.shape
            && len != FRAME_LEN_MIN + 1 + asked
            && !self.sent.starts_with(bytes)
        {
            return First::Frame(Found::Misfit("another count than was asked for"));
        }
        let Some(frame) = bytes.get(..len) else { return First::Frame(Found::Incomplete) };
        let (body, sum) = frame.split_at(len - 2);
        if crc(body) != sum {
            // A prefix of the echo looks like a frame of its own until it is whole.
            let may_be_echo = self.sent.starts_with(bytes);
            return First::Frame(if may_be_echo {
                Found::Incomplete
            } else {
                Found::Misfit(
                    "bad checksum: is the line disturbed, or are speed and parity as on the device?",
                )
            });
        }
        if unit_id != self.unit_id {
            return First::Foreign(len);
        }
        if bytes.len() > len {
            return First::Frame(Found::Misfit("more bytes than one answer has"));
        }
        if function == self.function | EXCEPTION_BIT {
            let code = body.last().copied().unwrap_or_default();
            return First::Frame(Found::Exception(code));
        }
        let answer = pdu::answer(function, body.get(2..).unwrap_or_default());
        First::Frame(match answer {
            Some(answer) if mine => Found::Answer(answer),
            Some(_) | None => Found::Misfit("another function than was asked"),
        })
    }
}

enum First {
    Frame(Found),
    /// A whole frame of another unit, so long.
    Foreign(usize),
}

/// How long the answer that begins here is by its own account; `None` while it cannot be told.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1)? {
        1..=4 | 17 => Some(FRAME_LEN_MIN + 1 + usize::from(*bytes.get(2)?)),
        5 | 6 | 15 | 16 => Some(FRAME_LEN_MIN + 4),
        function if function & EXCEPTION_BIT != 0 => Some(EXCEPTION_LEN),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio_modbus::prelude::Request;

    use super::*;

    fn asked(unit_id: u8, request: &Request<'_>) -> Asked {
        let (pdu, shape) = pdu::question(request).expect("a function that is sent");
        Asked { unit_id, function: pdu[0], shape, sent: frame(unit_id, &pdu) }
    }

    fn two_words() -> Asked {
        asked(1, &Request::ReadHoldingRegisters(1, 2))
    }

    /// Unit 1, function 3, two words 0x0271 0x0272.
    fn good() -> Vec<u8> {
        frame(1, &[3, 4, 0x02, 0x71, 0x02, 0x72])
    }

    #[test]
    fn the_checksum_is_the_one_of_the_specification_and_of_manuals() {
        // Modbus over Serial Line V1.02, section 6.2.2: 02 07 gives 41 12.
        assert_eq!(crc(&[0x02, 0x07]), [0x41, 0x12]);
        // The best known question of all: unit 1, two holding registers from 0.
        assert_eq!(crc(&[1, 3, 0, 0, 0, 2]), [0xC4, 0x0B]);
    }

    #[test]
    fn an_answer_is_whole_only_with_its_last_byte() {
        let bytes = good();
        for len in 0..bytes.len() {
            assert_eq!(two_words().find(&bytes[..len]), Found::Incomplete, "{len} bytes");
        }
        let words = vec![0x0271, 0x0272];
        assert_eq!(two_words().find(&bytes), Found::Answer(Response::ReadHoldingRegisters(words)));
    }

    #[test]
    fn no_changed_byte_passes() {
        let bytes = good();
        for at in 0..bytes.len() {
            for flip in 1..=255 {
                let mut wrong = bytes.clone();
                wrong[at] ^= flip;
                let found = two_words().find(&wrong);
                assert!(!matches!(found, Found::Answer(_)), "byte {at} ^ {flip:#X}: {found:?}");
            }
        }
    }

    #[test]
    fn an_answer_of_another_length_is_refused_as_soon_as_it_says_so() {
        let one = frame(1, &[3, 2, 0x02, 0x71]);
        let misfit = Found::Misfit("another count than was asked for");
        assert_eq!(two_words().find(&one), misfit);
        assert_eq!(two_words().find(&one[..3]), misfit);
    }

    #[test]
    fn what_another_unit_sends_late_is_skipped_and_what_follows_is_read() {
        let mut bytes = frame(2, &[3, 4, 0, 1, 0, 2]);
        assert_eq!(two_words().find(&bytes), Found::Incomplete);
        bytes.extend(good());
        assert!(matches!(two_words().find(&bytes), Found::Answer(_)));
    }

    #[test]
    fn a_second_answer_behind_the_first_makes_both_doubtful() {
        let twice = [good(), good()].concat();
        assert_eq!(two_words().find(&twice), Found::Misfit("more bytes than one answer has"));
    }

    #[test]
    fn an_echo_is_told_from_an_answer() {
        let question = two_words();
        assert_eq!(question.find(&question.sent[..5]), Found::Incomplete);
        assert_eq!(question.find(&question.sent), Found::Echo);
        let both = [question.sent.clone(), good()].concat();
        assert_eq!(question.find(&both), Found::Echo);
        let write = asked(1, &Request::WriteMultipleRegisters(26, vec![625].into()));
        assert_eq!(write.find(&write.sent), Found::Echo);
        for len in 0..write.sent.len() {
            let found = write.find(&write.sent[..len]);
            assert_eq!(found, Found::Incomplete, "{len} bytes");
        }
    }

    #[test]
    fn a_refusal_names_its_code() {
        assert_eq!(two_words().find(&frame(1, &[0x83, 2])), Found::Exception(2));
        assert_eq!(
            two_words().find(&frame(1, &[0x84, 2])),
            Found::Misfit("another function than was asked")
        );
    }

    #[test]
    fn noise_is_no_frame() {
        assert!(matches!(
            two_words().find(&[0, 0xFF, 0, 0xFF]),
            Found::Misfit(_) | Found::Incomplete
        ));
        assert_eq!(two_words().find(&[1, 0x63, 0x63]), Found::Misfit("no frame"));
    }
}
