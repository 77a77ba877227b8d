//! Layout of values in Modbus registers and in the words of Huber's PB: words to a number and back.

use super::access::Register;
use super::codec::RawNumber;
use super::point::{ByteOrder, DataType};
use super::value::Raw;

/// Puts two words into the order high, low (or back: every order is its own inverse).
fn reorder(words: [u16; 2], order: ByteOrder) -> [u16; 2] {
    let [first, second] = words;
    match order {
        ByteOrder::Abcd => [first, second],
        ByteOrder::Cdab => [second, first],
        ByteOrder::Badc => [first.swap_bytes(), second.swap_bytes()],
        ByteOrder::Dcba => [second.swap_bytes(), first.swap_bytes()],
    }
}

/// One word has only its bytes to swap.
pub(super) fn reorder_one(word: u16, order: ByteOrder) -> u16 {
    match order {
        ByteOrder::Abcd | ByteOrder::Cdab => word,
        ByteOrder::Badc | ByteOrder::Dcba => word.swap_bytes(),
    }
}

impl Register {
    /// The number in the registers; `None` when the shape of `raw` is not that of the point.
    pub(super) fn number(&self, raw: &Raw) -> Option<RawNumber> {
        let words = match (raw, self.entity.is_bit()) {
            (Raw::Bit(bit), true) => return Some(RawNumber::Whole((*bit).into())),
            (Raw::Words(words), false) => words.as_slice(),
            (Raw::Bit(_), false)
            | (Raw::Words(_), true)
            | (Raw::Text(_) | Raw::Bytes(_), true | false) => return None,
        };
        let two = match words {
            [first, second] => {
                let [high, low] = reorder([*first, *second], self.byte_order);
                Some((u32::from(high) << 16) | u32::from(low))
            }
            _ => None,
        };
        Some(match self.data_type {
            DataType::Bit(_) | DataType::Int16 | DataType::Uint16 => match words {
                [word] => number_of_word(self.data_type, reorder_one(*word, self.byte_order))?,
                _ => return None,
            },
            DataType::Int32 => RawNumber::Whole(two?.cast_signed().into()),
            DataType::Uint32 => RawNumber::Whole(two?.into()),
            DataType::Float32 => RawNumber::Float(f32::from_bits(two?)),
        })
    }

    /// The registers that hold this raw number; `None` for one that they cannot hold.
    pub(super) fn hold(&self, whole: i64) -> Option<Raw> {
        Some(match self.data_type {
            DataType::Bit(_) if self.entity.is_bit() => match whole {
                0 => Raw::Bit(false),
                1 => Raw::Bit(true),
                _ => return None,
            },
            DataType::Bit(_) | DataType::Int16 | DataType::Uint16 => {
                let word = word_of_number(self.data_type, whole)?;
                Raw::Words(smallvec::smallvec![reorder_one(word, self.byte_order)])
            }
            DataType::Int32 => self.hold_two(i32::try_from(whole).ok()?.cast_unsigned()),
            DataType::Uint32 => self.hold_two(u32::try_from(whole).ok()?),
            DataType::Float32 => self.hold_two((whole as f32).to_bits()),
        })
    }

    pub(super) fn hold_two(&self, bits: u32) -> Raw {
        let [high, low] = [(bits >> 16) as u16, (bits & 0xFFFF) as u16];
        Raw::Words(reorder([high, low], self.byte_order).into())
    }
}

/// The number in one word; `None` for a layout that takes two.
pub(super) fn number_of_word(data_type: DataType, word: u16) -> Option<RawNumber> {
    match data_type {
        DataType::Bit(bit) => Some(RawNumber::Whole(i64::from((word >> (bit & 15)) & 1))),
        DataType::Int16 => Some(RawNumber::Whole(word.cast_signed().into())),
        DataType::Uint16 => Some(RawNumber::Whole(word.into())),
        DataType::Int32 | DataType::Uint32 | DataType::Float32 => None,
    }
}

/// The word that holds a number; `None` for a number that it cannot hold.
pub(super) fn word_of_number(data_type: DataType, whole: i64) -> Option<u16> {
    match data_type {
        DataType::Bit(bit) => {
            u16::try_from(whole).ok().filter(|on| *on <= 1).map(|on| on << (bit & 15))
        }
        DataType::Int16 => i16::try_from(whole).ok().map(i16::cast_unsigned),
        DataType::Uint16 => u16::try_from(whole).ok(),
        DataType::Int32 | DataType::Uint32 | DataType::Float32 => None,
    }
}
