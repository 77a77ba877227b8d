//! Questions with their answers, and what is wrong between them.
//!
//! An answer belongs to the newest question that it fits. One that fits only an earlier question
//! came late; one that fits none is foreign. That is looser than what the program itself believes
//! on the wire, on purpose: the reader wants to know what happened, not what was used.

use std::collections::BTreeMap;

use super::exchange::{Exchange, Trouble};
use super::frame::{self, Pdu, Taken, TakenLine};
use super::read::{CaptureError, CaptureFile, Happened};
use super::words::{answer_words, meaning, question_words, span_of, words_of};
use super::{CapturedDevice, hex_bytes};
use crate::wire::url::{BusUrl, Framing};

/// Questions without an answer that are remembered on a bus: an answer later than these is foreign.
const OPEN_MAX: usize = 8;

/// Bytes that are kept while no frame can be made of them.
const BUFFER_MAX: usize = 4096;

/// A capture with its questions and answers paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paired {
    /// The capture itself.
    pub file: CaptureFile,
    /// Its exchanges, in the order of the questions.
    pub exchanges: Vec<Exchange>,
}

impl Paired {
    /// The device that an exchange was with, if the head of the capture knows it.
    pub fn device_of(&self, exchange: &Exchange) -> Option<&CapturedDevice> {
        let on_bus = || self.file.head.devices.iter().filter(|known| known.bus == exchange.bus);
        match exchange.unit_id {
            Some(unit_id) => on_bus().find(|known| known.unit_id == unit_id),
            // Without an address in the frames a bus has one device.
            None => on_bus().next().filter(|_| on_bus().count() == 1),
        }
    }
}

/// Reads a capture and pairs its questions with their answers. Takes any text.
///
/// # Errors
/// The text is no capture, or one of another version.
pub fn decode_capture(text: &str) -> Result<Paired, CaptureError> {
    let file = CaptureFile::parse(text)?;
    let mut exchanges = Vec::new();
    let mut buses: BTreeMap<&str, Bus> = BTreeMap::new();
    for event in &file.events {
        let bus = buses.entry(&event.bus).or_insert_with(|| Bus::of(&file, &event.bus));
        match &event.what {
            Happened::Sent(bytes) if bytes.is_empty() => {}
            Happened::Sent(bytes) => {
                bus.settle(&mut exchanges);
                let (line, at_us) = (event.line, event.at_us);
                bus.asked(
                    &mut exchanges,
                    Exchange::new(line, at_us, &event.bus, String::new()),
                    bytes,
                );
            }
            Happened::Received(bytes) => {
                bus.came(&mut exchanges, event.line, event.at_us, bytes);
            }
            Happened::Said(_) => {}
        }
    }
    buses.values_mut().for_each(|bus| bus.close(&mut exchanges));
    Ok(Paired { file, exchanges })
}

/// A question that may still be answered.
#[derive(Clone, Debug)]
struct Open {
    exchange: usize,
    pdu: Option<Pdu>,
}

/// One bus while its events are read.
struct Bus {
    name: String,
    framing: Framing,
    open: Vec<Open>,
    /// The newest question: its place, its frame and its bytes.
    newest: Option<(usize, Option<Pdu>, Vec<u8>)>,
    buffer: Vec<u8>,
    /// Line and time of the newest bytes in the buffer.
    seen: (usize, u64),
}

impl Bus {
    fn of(file: &CaptureFile, name: &str) -> Self {
        let url = file.head.buses.iter().find(|(known, _)| known == name);
        // A bus that the head does not know is shown as plain lines.
        let framing = url.and_then(|(_, url)| BusUrl::parse(url).ok()).map(|url| url.framing);
        let framing = framing.unwrap_or(Framing::Commands);
        let name = name.to_owned();
        Self { name, framing, open: Vec::new(), newest: None, buffer: Vec::new(), seen: (0, 0) }
    }

    fn asked(&mut self, exchanges: &mut Vec<Exchange>, mut new: Exchange, bytes: &[u8]) {
        let taken = match self.framing {
            Framing::ModbusTcp => frame::take_tcp(bytes),
            Framing::ModbusRtu => frame::rtu_frame(bytes),
            Framing::Commands => Taken::More,
        };
        let pdu = match taken {
            Taken::Frame(pdu, _) => {
                new.unit_id = Some(pdu.unit_id);
                new.question = question_words(&pdu);
                new.asked = span_of(&pdu);
                Some(pdu)
            }
            Taken::Broken(why, _) => {
                new.question = hex_bytes(bytes);
                new.mark(Trouble::Broken, format!("the question itself: {why}"));
                None
            }
            Taken::More => {
                new.question = frame::text(bytes);
                new.said = bytes.to_vec();
                None
            }
        };
        let exchange = exchanges.len();
        self.open.push(Open { exchange, pdu: pdu.clone() });
        if self.open.len() > OPEN_MAX {
            self.open.remove(0);
        }
        self.newest = Some((exchange, pdu, bytes.to_vec()));
        exchanges.push(new);
    }

    fn came(&mut self, exchanges: &mut Vec<Exchange>, line: usize, at_us: u64, bytes: &[u8]) {
        self.buffer.extend(bytes);
        self.seen = (line, at_us);
        if self.buffer.len() > BUFFER_MAX {
            self.settle(exchanges);
        }
        while !self.buffer.is_empty() && self.take(exchanges) {}
    }

    /// Takes one frame from the buffer; says whether there may be another.
    fn take(&mut self, exchanges: &mut Vec<Exchange>) -> bool {
        if self.take_echo(exchanges) {
            return true;
        }
        match self.framing {
            Framing::ModbusTcp => self.take_modbus(exchanges, frame::take_tcp(&self.buffer)),
            Framing::ModbusRtu => {
                let taken = frame::take_rtu(&self.buffer);
                // Noise before an answer spoils its size: look for a frame further on.
                match (&taken, self.frame_within()) {
                    (Taken::More | Taken::Broken(..), Some(at)) => {
                        let noise: Vec<u8> = self.buffer.drain(..at).collect();
                        let text = format!("noise before the answer: {}", hex_bytes(&noise));
                        self.stray(exchanges, Trouble::Broken, text);
                        true
                    }
                    (Taken::Frame(..) | Taken::Broken(..) | Taken::More, _) => {
                        self.take_modbus(exchanges, taken)
                    }
                }
            }
            Framing::Commands => self.take_line(exchanges),
        }
    }

    /// Where a whole frame of the unit that was asked begins, if not at the front.
    fn frame_within(&self) -> Option<usize> {
        let (_, asked, _) = self.newest.as_ref()?;
        let asked = asked.as_ref()?;
        (1..self.buffer.len()).find(|at| {
            let rest = self.buffer.get(*at..).unwrap_or_default();
            rest.first() == Some(&asked.unit_id)
                && matches!(frame::take_rtu(rest), Taken::Frame(pdu, _)
                    if pdu.function() == asked.function())
        })
    }

    /// Our own bytes at the front, where they cannot be the answer (those of functions 5 and 6
    /// are).
    fn take_echo(&mut self, exchanges: &mut [Exchange]) -> bool {
        let Some((exchange, pdu, bytes)) = &self.newest else { return false };
        let is_answer = pdu.as_ref().is_some_and(|pdu| matches!(pdu.function(), 5 | 6));
        let echoes = self.framing != Framing::ModbusTcp && !is_answer && !bytes.is_empty();
        if !echoes || !self.buffer.starts_with(bytes) {
            return false;
        }
        self.buffer.drain(..bytes.len());
        if let Some(exchange) = exchanges.get_mut(*exchange) {
            exchange.mark(
                Trouble::Echo,
                "our own question came back: does the RS485 adapter echo? Switch that off",
            );
        }
        true
    }

    fn take_modbus(&mut self, exchanges: &mut Vec<Exchange>, taken: Taken) -> bool {
        match taken {
            Taken::More => false,
            Taken::Broken(why, size) => {
                self.buffer.drain(..size.min(self.buffer.len()));
                self.stray(exchanges, Trouble::Broken, why);
                true
            }
            Taken::Frame(pdu, size) => {
                let bytes: Vec<u8> = self.buffer.drain(..size.min(self.buffer.len())).collect();
                self.modbus_answer(exchanges, &pdu, &bytes);
                true
            }
        }
    }

    fn modbus_answer(&mut self, exchanges: &mut Vec<Exchange>, pdu: &Pdu, bytes: &[u8]) {
        let fitting = self.open.iter().rposition(|open| {
            open.pdu.as_ref().is_some_and(|asked| fits(asked, pdu, self.framing))
        });
        if let Some(found) = fitting {
            let Open { exchange, pdu: asked } = self.open.remove(found);
            let is_newest = self.newest.as_ref().is_some_and(|(newest, ..)| *newest == exchange);
            if let (Some(exchange), Some(asked)) = (exchanges.get_mut(exchange), asked) {
                answered(exchange, &asked, pdu, self.seen.1, is_newest);
            }
            return;
        }
        let again = self.newest.as_ref().and_then(|(_, asked, _)| asked.as_ref());
        let again = again.is_some_and(|asked| fits(asked, pdu, self.framing));
        let text = if again { "a second answer" } else { "fits no question" };
        let trouble = if again { Trouble::Twice } else { Trouble::Foreign };
        self.stray(exchanges, trouble, format!("{text}: {}", hex_bytes(bytes)));
    }

    fn take_line(&mut self, exchanges: &mut Vec<Exchange>) -> bool {
        let (answer, size) = match frame::take_line(&self.buffer) {
            TakenLine::More => return false,
            TakenLine::Broken(why, size) => {
                self.buffer.drain(..size.min(self.buffer.len()));
                self.stray(exchanges, Trouble::Broken, why);
                return true;
            }
            TakenLine::Answer(answer, size) => (answer, size),
        };
        let heard: Vec<u8> = self.buffer.drain(..size.min(self.buffer.len())).collect();
        let at_us = self.seen.1;
        // Lines carry no number: what comes is taken for the answer to the newest question.
        match self.open.pop() {
            Some(open) if self.newest.as_ref().is_some_and(|(n, ..)| *n == open.exchange) => {
                if let Some(exchange) = exchanges.get_mut(open.exchange) {
                    exchange.turnaround_us = Some(at_us.saturating_sub(exchange.at_us));
                    exchange.answer = Some(answer);
                    exchange.heard = heard;
                }
            }
            earlier => {
                self.open.extend(earlier);
                let trouble = if self.newest.is_some() { Trouble::Twice } else { Trouble::Foreign };
                self.stray(exchanges, trouble, format!("nobody asked for {answer}"));
            }
        }
        true
    }

    /// Something that belongs to no question: told with the newest one, or by itself.
    fn stray(&self, exchanges: &mut Vec<Exchange>, trouble: Trouble, text: String) {
        let (line, at_us) = self.seen;
        let newest = self.newest.as_ref().and_then(|(newest, ..)| exchanges.get_mut(*newest));
        match newest {
            Some(exchange) => exchange.mark(trouble, text),
            None => {
                let mut alone = Exchange::new(line, at_us, &self.name, String::new());
                alone.mark(trouble, text);
                exchanges.push(alone);
            }
        }
    }

    /// No more bytes belong to the newest question: what is left is no frame.
    fn settle(&mut self, exchanges: &mut Vec<Exchange>) {
        let left = std::mem::take(&mut self.buffer);
        if !left.is_empty() && !left.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            let text = format!("no whole frame: {}", hex_bytes(&left));
            self.stray(exchanges, Trouble::Broken, text);
        }
        if let Some(open) = self.open.last()
            && let Some(exchange) = exchanges.get_mut(open.exchange)
            && !exchange.has(Trouble::NoAnswer)
            && !gets_no_answer(exchange)
        {
            exchange.mark(Trouble::NoAnswer, "no answer before the next question, or the end");
        }
    }

    fn close(&mut self, exchanges: &mut Vec<Exchange>) {
        self.settle(exchanges);
    }
}

/// Julabo answers nothing to a command that begins like this (DEVICES, section B).
fn gets_no_answer(exchange: &Exchange) -> bool {
    exchange.question.starts_with("\"out_") || exchange.question.contains("_out_")
}

fn answered(exchange: &mut Exchange, asked: &Pdu, pdu: &Pdu, at_us: u64, is_newest: bool) {
    exchange.marks.retain(|mark| mark.trouble != Trouble::NoAnswer);
    exchange.answer = Some(answer_words(asked, pdu));
    exchange.turnaround_us = Some(at_us.saturating_sub(exchange.at_us));
    if !is_newest {
        exchange.mark(Trouble::Late, "the answer came after a later question had been asked");
    }
    if let Some(code) = pdu.exception() {
        exchange.mark(Trouble::Refused, format!("exception 0x{code:02X}, {}", meaning(code)));
        return;
    }
    let data = pdu.bytes.get(2..).unwrap_or_default();
    match exchange.asked.map(|span| (span.entity.is_bit(), span.count)) {
        Some((true, count)) => {
            let bits = data.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
            exchange.bits = bits.take(usize::from(count)).collect();
        }
        Some((false, _)) => exchange.words = words_of(data),
        None => {}
    }
}

/// Whether `answer` can be the one to `asked`. A refusal fits by its function alone; a read also
/// has the size that was asked for, a write of one repeats it.
fn fits(asked: &Pdu, answer: &Pdu, framing: Framing) -> bool {
    let same_number = match framing {
        Framing::ModbusTcp => asked.transaction == answer.transaction,
        Framing::ModbusRtu | Framing::Commands => true,
    };
    if !same_number || asked.unit_id != answer.unit_id || asked.function() != answer.function() {
        return false;
    }
    if answer.exception().is_some() {
        return true;
    }
    let count = asked.word(2).map_or(0, usize::from);
    let data = answer.bytes.get(2..).unwrap_or_default().len();
    match asked.function() {
        1 | 2 => data == count.div_ceil(8),
        3 | 4 => data == count * 2,
        5 | 6 => asked.bytes == answer.bytes,
        15 | 16 => asked.bytes.get(..5) == answer.bytes.get(..5),
        _ => true,
    }
}
