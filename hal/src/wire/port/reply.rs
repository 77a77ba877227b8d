//! Where the answer of a protocol of commands ends.

use crate::wire::line::LineEnd;

const CR: u8 = b'\r';
const LF: u8 = b'\n';

/// What the bytes so far are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Nothing whole yet.
    Incomplete,
    /// The answer without its line end.
    Whole(Vec<u8>),
    /// More came than one answer can have.
    TooLong,
}

impl LineEnd {
    /// Reads `bytes`, all that came since the question.
    pub(crate) fn find(&self, bytes: &[u8]) -> Reply {
        let exactly = |len: usize| match bytes.len() {
            got if got < len => Reply::Incomplete,
            got if got == len => Reply::Whole(bytes.to_vec()),
            _ => Reply::TooLong,
        };
        match *self {
            Self::NoAnswer => Reply::Whole(Vec::new()),
            Self::Fixed { len } => exactly(len),
            Self::Counted { count_at, tail } => match bytes.get(count_at) {
                Some(count) => exactly(count_at + 1 + usize::from(*count) + tail),
                None => Reply::Incomplete,
            },
            Self::Text { len_max } => text(bytes, len_max),
        }
    }
}

/// CR, LF and CR LF end a line, whatever the manual says: drivers have met all of them (DEVICES,
/// section B). A second line is more than one answer.
fn text(bytes: &[u8], len_max: usize) -> Reply {
    let is_end = |byte: &u8| matches!(*byte, CR | LF);
    let start = bytes.iter().position(|byte| !is_end(byte)).unwrap_or(bytes.len());
    let line = bytes.get(start..).unwrap_or_default();
    let Some(end) = line.iter().position(is_end) else {
        return if line.len() > len_max { Reply::TooLong } else { Reply::Incomplete };
    };
    let (line, rest) = line.split_at(end);
    if rest.iter().all(is_end) && line.len() <= len_max {
        Reply::Whole(line.to_vec())
    } else {
        Reply::TooLong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: LineEnd = LineEnd::Text { len_max: 20 };

    #[test]
    fn a_line_ends_at_any_of_the_three_ends() {
        for end in ["\r", "\n", "\r\n", "\n\r"] {
            let bytes = format!("62.50{end}");
            assert_eq!(TEXT.find(bytes.as_bytes()), Reply::Whole(b"62.50".to_vec()));
            assert_eq!(TEXT.find(b"62.50"), Reply::Incomplete);
        }
        // The LF that is left over from the line before.
        assert_eq!(TEXT.find(b"\n62.50\r"), Reply::Whole(b"62.50".to_vec()));
    }

    #[test]
    fn two_lines_or_a_line_without_end_are_no_answer() {
        assert_eq!(TEXT.find(b"62.50\r\n62.40\r\n"), Reply::TooLong);
        assert_eq!(TEXT.find(&[b'x'; 21]), Reply::TooLong);
    }

    #[test]
    fn a_frame_ends_after_its_bytes() {
        let huber = LineEnd::Fixed { len: 10 };
        assert_eq!(huber.find(b"{S011857\r"), Reply::Incomplete);
        assert_eq!(huber.find(b"{S011857\r\n"), Reply::Whole(b"{S011857\r\n".to_vec()));
        assert_eq!(huber.find(b"{S011857\r\n{"), Reply::TooLong);
        // NESLAB NC: CA 00 01 20 03 11 02 71 57.
        let neslab = LineEnd::Counted { count_at: 4, tail: 1 };
        let bytes = [0xCA, 0, 1, 0x20, 3, 0x11, 0x02, 0x71, 0x57];
        for len in 0..bytes.len() {
            assert_eq!(neslab.find(&bytes[..len]), Reply::Incomplete);
        }
        assert_eq!(neslab.find(&bytes), Reply::Whole(bytes.to_vec()));
    }

    #[test]
    fn a_command_without_an_answer_is_over_at_once() {
        assert_eq!(LineEnd::NoAnswer.find(b""), Reply::Whole(Vec::new()));
    }
}
