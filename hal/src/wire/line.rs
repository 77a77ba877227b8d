//! One exchange on a line that does not speak Modbus: bytes out, and how the answer ends.
//!
//! A protocol of commands (`julabo`, `lauda`, `huber-pb`, …) makes a [`LineQuery`] and reads the
//! answer; the bus sends it, keeps the silences, and hands back one whole answer or none.

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEnd {
    /// There is none: the command is sent, and that is all (Julabo's `out_`).
    NoAnswer,
    /// At a CR, an LF or a CR LF; at most this many bytes without it. The end is not part of
    /// what is handed back; line ends that precede the text are skipped.
    Text {
        /// The longest answer.
        len_max: usize,
    },
    /// After this many bytes (Huber PB: 10).
    Fixed {
        /// Bytes in all.
        len: usize,
    },
    /// After a byte that counts what follows it, and a fixed tail (NESLAB NC: the byte at 4
    /// counts the data, then comes a checksum).
    Counted {
        /// Index of the byte that counts.
        count_at: usize,
        /// Bytes after the data.
        tail: usize,
    },
}

/// One question of a protocol of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LineQuery {
    /// The bytes to send, with their terminator.
    pub(crate) send: Vec<u8>,
    /// How the answer ends.
    pub(crate) end: LineEnd,
}
