//! Which faults strike an exchange, and what becomes of its answer. Pure: time is an argument,
//! chance comes from a seed.

use holder_hal::wire::Framing;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::frame::{self, Question};
use crate::faults::{Asking, FaultKind, FaultSpec, Often};

const READ_HOLDING: u8 = 3;
const READ_INPUT: u8 = 4;
const EXCEPTION: u8 = 0x80;

/// A part of what goes back on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    /// So much later than usual.
    pub(crate) late_ms: u32,
    /// So long is the device busy first, and everything else waits.
    pub(crate) busy_ms: u32,
    /// The speed of its characters, where a fault sets one.
    pub(crate) baud: Option<u32>,
}

/// The faults of a server, with how often each could have struck.
#[derive(Debug)]
pub(crate) struct Mangler {
    faults: Vec<(FaultSpec, u32)>,
    set_at_ms: u64,
    rng: Pcg64,
}

impl Mangler {
    pub(crate) fn new(seed: u64, faults: Vec<FaultSpec>) -> Self {
        let mut mangler =
            Self { faults: Vec::new(), set_at_ms: 0, rng: Pcg64::seed_from_u64(seed) };
        mangler.set(faults, 0);
        mangler
    }

    /// Replaces all faults; their time begins at `now_ms`.
    pub(crate) fn set(&mut self, faults: Vec<FaultSpec>, now_ms: u64) {
        self.faults = faults.into_iter().map(|fault| (fault, 0)).collect();
        self.set_at_ms = now_ms;
    }

    /// Whether the port of this bus is there.
    pub(crate) fn plugged(&self, bus: &str, now_ms: u64) -> bool {
        let at_ms = now_ms.saturating_sub(self.set_at_ms);
        let gone = |fault: &FaultSpec| {
            fault.kind == FaultKind::Unplug && fault.is_on(bus) && fault.is_due(at_ms)
        };
        !self.faults.iter().any(|(fault, _)| gone(fault))
    }

    /// Which faults strike this exchange.
    pub(crate) fn strike(&mut self, bus: &str, asked: &Question, now_ms: u64) -> Vec<FaultKind> {
        let at_ms = now_ms.saturating_sub(self.set_at_ms);
        let mut struck = Vec::new();
        for (fault, count) in &mut self.faults {
            let here = fault.is_on(bus) && fault.unit_id.is_none_or(|only| only == asked.unit_id);
            if !here || !fault.is_due(at_ms) || !concerns(fault.asking, asked.function()) {
                continue;
            }
            *count = count.wrapping_add(1);
            let strikes = match fault.often {
                Often::Always => true,
                Often::Every(every) => count.is_multiple_of(every),
                Often::Chance { ppm } => self.rng.random_range(0..1_000_000) < ppm,
            };
            if strikes {
                struck.push(fault.kind);
            }
        }
        struck
    }

    /// What goes back for `answer`, which is a PDU (on a bus of commands: bytes).
    pub(crate) fn mangle(
        &mut self,
        framing: Framing,
        asked: &Question,
        answer: Option<Vec<u8>>,
        faults: &[FaultKind],
    ) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if faults.contains(&FaultKind::Echo) {
            pieces.push(Piece { bytes: asked.bytes.clone(), ..Piece::default() });
        }
        let Some(mut pdu) = answer.filter(|_| !faults.contains(&FaultKind::Silence)) else {
            return pieces;
        };
        let (mut unit_id, mut transaction) = (asked.unit_id, asked.transaction);
        let struck = |kind: FaultKind| u8::from(faults.contains(&kind));
        unit_id = unit_id.wrapping_add(struck(FaultKind::WrongUnit));
        transaction = transaction.wrapping_add(struck(FaultKind::WrongTransaction).into());
        if framing != Framing::Commands {
            faults.iter().for_each(|fault| spoil_pdu(*fault, &mut pdu));
        }
        let bytes = match framing {
            Framing::ModbusTcp => frame::tcp(transaction, unit_id, &pdu),
            Framing::ModbusRtu => frame::rtu(unit_id, &pdu),
            Framing::Commands => pdu,
        };
        let mut piece = Piece { bytes, ..Piece::default() };
        for fault in faults {
            self.spoil_frame(*fault, framing, &mut piece);
        }
        pieces.push(piece);
        pieces
    }

    /// What happens to a whole frame, in the order of the faults.
    fn spoil_frame(&mut self, fault: FaultKind, framing: Framing, piece: &mut Piece) {
        let bytes = &mut piece.bytes;
        match fault {
            FaultKind::Late { ms, ms_max } => {
                let late_ms = self.rng.random_range(ms..=ms_max.max(ms));
                piece.late_ms = piece.late_ms.saturating_add(late_ms);
            }
            FaultKind::Slow { ms } => piece.busy_ms = piece.busy_ms.saturating_add(ms),
            FaultKind::SlowLine { baud } => piece.baud = Some(baud),
            FaultKind::Short { bytes: missing } => {
                bytes.truncate(bytes.len().saturating_sub(missing.into()));
            }
            FaultKind::Long { bytes: more } => bytes.extend(self.noise(more)),
            FaultKind::Duplicate => bytes.extend_from_within(..),
            FaultKind::BadCrc if framing == Framing::ModbusRtu => {
                if let Some(last) = bytes.last_mut() {
                    *last ^= 0xFF;
                }
            }
            FaultKind::Noise { bytes: count, inside } => {
                let at = if inside { bytes.len() / 2 } else { 0 };
                bytes.splice(at..at, self.noise(count));
            }
            FaultKind::BadCrc
            | FaultKind::Silence
            | FaultKind::Fewer { .. }
            | FaultKind::More { .. }
            | FaultKind::WrongUnit
            | FaultKind::WrongFunction
            | FaultKind::WrongAddress
            | FaultKind::WrongTransaction
            | FaultKind::Exception { .. }
            | FaultKind::Echo
            | FaultKind::Unplug => {}
        }
    }

    fn noise(&mut self, count: u16) -> Vec<u8> {
        (0..count).map(|_| self.rng.random()).collect()
    }
}

/// Whether a question of this function is one of those.
const fn concerns(asking: Asking, function: u8) -> bool {
    match asking {
        Asking::Anything => true,
        Asking::Reads => matches!(function, 1..=4 | 17),
        Asking::Writes => matches!(function, 5 | 6 | 15 | 16 | 22 | 23),
    }
}

/// The refusal that a fault makes, before the device is asked.
pub(crate) fn refusal(faults: &[FaultKind], asked: &Question) -> Option<Vec<u8>> {
    let code = faults.iter().find_map(|fault| {
        if let FaultKind::Exception { code } = fault { Some(*code) } else { None }
    })?;
    (asked.function() != 0).then(|| vec![asked.function() | EXCEPTION, code])
}

/// What happens to the content of a sound frame.
fn spoil_pdu(fault: FaultKind, pdu: &mut Vec<u8>) {
    let function = pdu.first().copied().unwrap_or(0);
    match (fault, function) {
        (FaultKind::WrongFunction, READ_HOLDING) => set(pdu, 0, READ_INPUT),
        (FaultKind::WrongFunction, _) => set(pdu, 0, READ_HOLDING),
        (FaultKind::WrongAddress, 5 | 6 | 15 | 16) => {
            let low = pdu.get(2).copied().unwrap_or(0);
            set(pdu, 2, low ^ 1);
        }
        (FaultKind::Fewer { words }, READ_HOLDING | READ_INPUT) => {
            let count = pdu.get(1).copied().unwrap_or(0).saturating_sub(words.saturating_mul(2));
            set(pdu, 1, count);
            pdu.truncate(2 + usize::from(count));
        }
        (FaultKind::More { words }, READ_HOLDING | READ_INPUT) => {
            let count = pdu.get(1).copied().unwrap_or(0).saturating_add(words.saturating_mul(2));
            set(pdu, 1, count);
            pdu.resize(2 + usize::from(count), 0);
        }
        _ => {}
    }
}

fn set(pdu: &mut [u8], at: usize, value: u8) {
    if let Some(byte) = pdu.get_mut(at) {
        *byte = value;
    }
}

#[cfg(test)]
#[path = "mangle_tests.rs"]
mod tests;
