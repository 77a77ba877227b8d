//! One question on a wire with what came of it.

use super::words::Span;
use crate::wire::line::LineQuery;
use crate::wire::profile::{Access, DataType, Decoded, Point, Profile, Protocol, Raw, Words};
use crate::wire::{huber_pb, neslab_nc, text};

/// What is wrong with an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// Nothing came before the next question, or the end.
    NoAnswer,
    /// The answer came after a later question had been asked.
    Late,
    /// The device refused.
    Refused,
    /// A frame with a wrong checksum, or bytes that are no frame.
    Broken,
    /// An answer to nothing that was asked here.
    Foreign,
    /// A second answer to the same question.
    Twice,
    /// Our own question came back: an adapter that echoes.
    Echo,
}

impl Trouble {
    /// Every trouble, in the order of the summary.
    pub const ALL: [Self; 7] = [
        Self::NoAnswer,
        Self::Late,
        Self::Refused,
        Self::Broken,
        Self::Foreign,
        Self::Twice,
        Self::Echo,
    ];

    /// The stable word for tables and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoAnswer => "no-answer",
            Self::Late => "late",
            Self::Refused => "refused",
            Self::Broken => "broken",
            Self::Foreign => "foreign",
            Self::Twice => "twice",
            Self::Echo => "echo",
        }
    }
}

/// One remark on an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What is wrong.
    pub trouble: Trouble,
    /// In words, with the bytes in hex where they tell something.
    pub text: String,
}

/// One question with what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The line of the question in the capture; of the bytes themselves where nothing was asked.
    pub line: usize,
    /// When it was asked, microseconds since the capture began.
    pub at_us: u64,
    /// The bus.
    pub bus: String,
    /// The unit id that was asked; `None` where the protocol has none that is known here.
    pub unit_id: Option<u8>,
    /// The question in words; empty for bytes that nobody asked for.
    pub question: String,
    /// The answer in words.
    pub answer: Option<String>,
    /// From the question to the whole answer, microseconds.
    pub turnaround_us: Option<u64>,
    /// What is wrong.
    pub marks: Vec<Mark>,
    pub(super) asked: Option<Span>,
    pub(super) bits: Vec<bool>,
    pub(super) words: Vec<u16>,
    /// The bytes of a command and of its answer, line ends and all.
    pub(super) said: Vec<u8>,
    pub(super) heard: Vec<u8>,
}

impl Exchange {
    pub(super) fn new(line: usize, at_us: u64, bus: &str, question: String) -> Self {
        Self {
            line,
            at_us,
            bus: bus.to_owned(),
            unit_id: None,
            question,
            answer: None,
            turnaround_us: None,
            marks: Vec::new(),
            asked: None,
            bits: Vec::new(),
            words: Vec::new(),
            said: Vec::new(),
            heard: Vec::new(),
        }
    }

    /// Whether this trouble was seen.
    pub fn has(&self, trouble: Trouble) -> bool {
        self.marks.iter().any(|mark| mark.trouble == trouble)
    }

    /// What the answer says by the points of `profile`, of a device at `address`: their names with
    /// their values. Empty for anything but a read that was answered.
    pub fn values(&self, profile: &Profile, address: u8) -> Vec<(String, Decoded)> {
        let readable = profile.points().iter().filter(|point| point.readable);
        readable
            .filter_map(|point| {
                let raw = self.raw_of(profile, address, point)?;
                Some((point.name.clone(), point.decode(&raw)))
            })
            .collect()
    }

    /// The part of the answer that is `point`'s, if it was asked for.
    fn raw_of(&self, profile: &Profile, address: u8, point: &Point) -> Option<Raw> {
        let asked_by = |query: LineQuery| (query.send == self.said).then_some(());
        match &point.at {
            Access::Register(at) => {
                let asked = self.asked.filter(|asked| asked.entity == at.entity)?;
                let start = usize::from(at.address.checked_sub(asked.address)?);
                self.raw_at(start, at.entity.is_bit(), at.data_type)
            }
            Access::Text(text) => {
                let Protocol::Text(protocol) = profile.protocol() else { return None };
                asked_by(text::query(protocol, address, text.read.as_ref()?, true))?;
                let line = self.heard.trim_ascii();
                text::answer(protocol, address, line).ok().map(Raw::Text)
            }
            Access::HuberPb(variable) => {
                asked_by(huber_pb::read(variable.number))?;
                let word = huber_pb::answer(variable.number, &self.heard).ok()?;
                Some(Raw::Words(smallvec::smallvec![word]))
            }
            Access::NeslabNc(field) => {
                asked_by(neslab_nc::read(address, field.command))?;
                neslab_nc::answer(address, field.command, &self.heard).ok().map(Raw::Bytes)
            }
        }
    }

    fn raw_at(&self, start: usize, is_bit: bool, data_type: DataType) -> Option<Raw> {
        if is_bit {
            return self.bits.get(start).copied().map(Raw::Bit);
        }
        let end = start.checked_add(usize::from(data_type.span()))?;
        self.words.get(start..end).map(|words| Raw::Words(Words::from_slice(words)))
    }

    pub(super) fn mark(&mut self, trouble: Trouble, text: impl Into<String>) {
        self.marks.push(Mark { trouble, text: text.into() });
    }
}
