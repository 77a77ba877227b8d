//! What is still to go out on one wire, and when.
//!
//! Answers leave in the order in which they are due: a late one waits while others pass it, a
//! device that is busy holds everything back. On a paced line characters leave one by one as the
//! wire would carry them: the question takes its time, then come 3.5 characters of silence, then
//! the answer. Reckoned from the arrival of the question, so that the simulator's own work, which
//! is done meanwhile, costs nothing.

use std::time::Duration;

use holder_hal::wire::LineSettings;
use tokio::time::Instant;

use super::mangle::Piece;
use super::timer;

/// Characters are put together to pieces of this time.
const PACE: Duration = Duration::from_millis(1);

#[derive(Debug)]
struct Parcel {
    due: Instant,
    bytes: Vec<u8>,
    precise: bool,
}

/// What is still to go out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    parcels: Vec<Parcel>,
    /// Until then the device or the line is busy.
    busy_until: Option<Instant>,
}

impl Outbox {
    /// Takes the answer to a question of `question_chars` characters that arrived at `arrived`;
    /// `line` is given if it goes out at the speed of the wire.
    pub(crate) fn push(
        &mut self,
        piece: Piece,
        arrived: Instant,
        question_chars: usize,
        line: Option<LineSettings>,
    ) {
        let mut due = arrived;
        if let Some(line) = line {
            due += micros(line, question_chars) + silence(line);
        }
        due = self.busy_until.map_or(due, |busy| busy.max(due));
        due += Duration::from_millis(piece.busy_ms.into());
        if piece.busy_ms > 0 {
            self.busy_until = Some(due);
        }
        due += Duration::from_millis(piece.late_ms.into());
        let slow = piece.baud.map(|baud| LineSettings { baud, ..LineSettings::default() });
        match slow.or(line) {
            Some(line) => self.pace(&piece.bytes, due, line),
            None => self.insert(Parcel { due, bytes: piece.bytes, precise: false }),
        }
    }

    /// Cuts `bytes` into parcels, each due when its last character would be over.
    fn pace(&mut self, bytes: &[u8], begin: Instant, line: LineSettings) {
        let char_micros = line.micros(1).max(1);
        let chars = (PACE.as_micros() as u64 / char_micros).max(1);
        let mut sent = 0;
        for chunk in bytes.chunks(usize::try_from(chars).unwrap_or(1)) {
            sent += chunk.len();
            let due = begin + micros(line, sent);
            self.insert(Parcel { due, bytes: chunk.to_vec(), precise: true });
            self.busy_until = Some(self.busy_until.map_or(due, |busy| busy.max(due)));
        }
    }

    fn insert(&mut self, parcel: Parcel) {
        let at = self.parcels.partition_point(|other| other.due <= parcel.due);
        self.parcels.insert(at, parcel);
    }

    /// Waits until something is due; for ever if there is nothing.
    pub(crate) async fn due(&self) {
        match self.parcels.first() {
            None => core::future::pending().await,
            Some(parcel) if parcel.precise => timer::precisely_until(parcel.due).await,
            Some(parcel) => timer::until(parcel.due).await,
        }
    }

    /// Everything that is due at `now`.
    pub(crate) fn take(&mut self, now: Instant) -> Vec<u8> {
        let due = self.parcels.partition_point(|parcel| parcel.due <= now);
        self.parcels.drain(..due).flat_map(|parcel| parcel.bytes).collect()
    }
}

fn micros(line: LineSettings, chars: usize) -> Duration {
    Duration::from_micros(line.micros(u32::try_from(chars).unwrap_or(u32::MAX)))
}

/// 3.5 characters (Modbus over Serial Line V1.02, 2.5.1.1).
fn silence(line: LineSettings) -> Duration {
    Duration::from_micros(line.micros(7) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(bytes: &[u8]) -> Piece {
        Piece { bytes: bytes.to_vec(), ..Piece::default() }
    }

    fn after(start: Instant, micros: u64) -> Instant {
        start + Duration::from_micros(micros)
    }

    #[test]
    fn a_late_answer_lets_others_pass_and_a_busy_device_does_not() {
        let (mut outbox, start) = (Outbox::default(), timer::now());
        outbox.push(Piece { late_ms: 800, ..piece(b"late") }, start, 8, None);
        outbox.push(piece(b"next"), after(start, 5), 8, None);
        assert_eq!(outbox.take(after(start, 5)), b"next");
        outbox.push(Piece { busy_ms: 300, ..piece(b"slow") }, start, 8, None);
        outbox.push(piece(b"waits"), after(start, 9), 8, None);
        assert_eq!(outbox.take(after(start, 299_999)), b"");
        assert_eq!(outbox.take(after(start, 300_000)), b"slowwaits");
        assert_eq!(outbox.take(after(start, 799_999)), b"");
        assert_eq!(outbox.take(after(start, 800_000)), b"late");
    }

    #[test]
    fn a_paced_line_takes_the_time_of_every_character() {
        let (mut outbox, start) = (Outbox::default(), timer::now());
        let line = LineSettings::default();
        outbox.push(piece(&[1, 2, 3]), start, 8, Some(line));
        // 10 bits at 9600: 1041.7 µs a character; 8 of them, 3.5 of silence, then the answer.
        let begin = 8334 + 3646;
        assert_eq!(outbox.take(after(start, begin + 1041)), b"");
        assert_eq!(outbox.take(after(start, begin + 1042)), [1]);
        assert_eq!(outbox.take(after(start, begin + 3124)), [2]);
        assert_eq!(outbox.take(after(start, begin + 3125)), [3]);
    }
}
