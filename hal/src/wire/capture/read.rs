//! The text of a capture back into events.

use thiserror::Error;

use super::{CaptureHead, CapturedDevice, FIRST_LINE};

/// What cannot be understood is listed up to here; after that it is only counted.
const PROBLEMS_MAX: usize = 100;

/// Why a file is no capture.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CaptureError {
    /// The first line is not that of a capture.
    #[error(
        "line 1: {found:?} is not the head of a capture, which is {FIRST_LINE:?}. Was the file \
         written with --capture?"
    )]
    NoCapture {
        /// What the first line is.
        found: String,
    },
    /// A capture of another version.
    #[error(
        "line 1: this capture has version {version}, and this program reads version 1: use the \
         program that wrote it"
    )]
    Version {
        /// Its version, as it is written.
        version: String,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// We sent these bytes.
    Sent(Vec<u8>),
    /// These bytes came.
    Received(Vec<u8>),
    /// The program had something to say.
    Said(String),
}

/// One line of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureEvent {
    /// Its line in the file, from 1.
    pub line: usize,
    /// Microseconds since the capture began.
    pub at_us: u64,
    /// The bus.
    pub bus: String,
    /// What happened.
    pub what: Happened,
}

/// A capture, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureFile {
    /// Its head.
    pub head: CaptureHead,
    /// Its events, in the order of the file.
    pub events: Vec<CaptureEvent>,
    /// Lines that could not be understood, with what is wrong; at most 100 of them.
    pub problems: Vec<String>,
    /// How many there are in all.
    pub problems_count: usize,
    /// Whether the writer came to its end; if not, the program or the computer died.
    pub ended: bool,
}

impl CaptureFile {
    /// Reads the text of a capture.
    ///
    /// # Errors
    /// It is no capture, or one of another version. A line that cannot be understood is no error:
    /// it is listed in `problems` and passed over.
    pub fn parse(text: &str) -> Result<Self, CaptureError> {
        let mut lines = (1..).zip(text.lines());
        let first = lines.next().map(|(_, line)| line.trim_end()).unwrap_or_default();
        if first != FIRST_LINE {
            let found: String = first.chars().take(60).collect();
            return Err(match first.strip_prefix("holder-capture ") {
                Some(version) => {
                    CaptureError::Version { version: version.chars().take(20).collect() }
                }
                None => CaptureError::NoCapture { found },
            });
        }
        let mut file = Self::default();
        for (number, line) in lines {
            let line = line.trim();
            let understood = match line.strip_prefix('#') {
                _ if line.is_empty() => Ok(()),
                Some(head) => file.head_line(head.trim()),
                None => event(number, line).map(|event| file.events.push(event)),
            };
            if let Err(why) = understood {
                file.problem(number, &why);
            }
        }
        Ok(file)
    }

    fn problem(&mut self, line: usize, why: &str) {
        self.problems_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(format!("line {line}: {why}"));
        }
    }

    fn head_line(&mut self, line: &str) -> Result<(), String> {
        // A comment of a person has no colon, or a key that is not ours: it is left alone.
        let Some((key, value)) = line.split_once(": ") else { return Ok(()) };
        let value = value.trim();
        let mut words = key.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("program"), None, None) => self.head.program = value.to_owned(),
            (Some("unit"), None, None) => self.head.unit = value.to_owned(),
            (Some("started_utc_ms"), None, None) => {
                let rule = || format!("started_utc_ms = {value:?} is not a number");
                self.head.started_utc_ms = value.parse().map_err(|_| rule())?;
            }
            (Some("end"), None, None) => self.ended = true,
            (Some("bus"), Some(name), None) => {
                self.head.buses.push((name.to_owned(), value.to_owned()));
            }
            (Some("device"), Some(name), None) => {
                self.head.devices.push(device(name, value)?);
            }
            _ => {}
        }
        Ok(())
    }
}

fn device(name: &str, value: &str) -> Result<CapturedDevice, String> {
    let mut words = value.split_whitespace();
    let shape = || format!("device {name}: must be BUS UNIT-ID PROFILE, and is {value:?}");
    let (Some(bus), Some(id), Some(profile), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(shape());
    };
    let unit_id = id.parse().map_err(|_| shape())?;
    let (name, bus, profile) = (name.to_owned(), bus.to_owned(), profile.to_owned());
    Ok(CapturedDevice { name, bus, unit_id, profile })
}

fn event(number: usize, line: &str) -> Result<CaptureEvent, String> {
    let shape = "must be MILLISECONDS BUS > HEX, with <, > or !";
    let mut parts = line.splitn(4, char::is_whitespace);
    let (Some(at), Some(bus), Some(sign)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(shape.to_owned());
    };
    let rest = parts.next().unwrap_or_default();
    let at_us = microseconds(at).ok_or_else(|| format!("{at:?} is no time in milliseconds"))?;
    let what = match sign {
        ">" => Happened::Sent(bytes(rest)?),
        "<" => Happened::Received(bytes(rest)?),
        "!" => Happened::Said(rest.trim().to_owned()),
        _ => return Err(format!("{sign:?} {shape}")),
    };
    Ok(CaptureEvent { line: number, at_us, bus: bus.to_owned(), what })
}

/// `12.041` milliseconds as microseconds; at most three digits after the point count.
fn microseconds(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(part.parse().ok()?)
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() % 2 == 1 {
        return Err("an odd number of hexadecimal digits: was the line cut off?".to_owned());
    }
    let nibble = |c: char| {
        let digit = c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        digit.ok_or_else(|| format!("{c:?} is no hexadecimal digit"))
    };
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Ok((nibble(*high)? << 4) | nibble(*low)?),
            _ => Ok(0),
        })
        .collect()
}
