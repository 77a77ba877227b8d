//! The NESLAB NC protocol: binary messages `CA 00 address command n data… checksum`.
//!
//! The checksum is the inverted sum of all bytes from the address to the last of the data. An
//! answer repeats address and command; command 0F is an error (NESLAB EX manual, manualslib
//! 1401911 pages 50 to 53; NESLAB RTE manual, appendix B).

use super::error::CallFault;
use super::line::{LineEnd, LineQuery};
use super::text::shown;

/// The lead character on RS232.
const LEAD: u8 = 0xCA;
/// The command of an answer that tells of an error.
const ERROR: u8 = 0x0F;
const BAD_COMMAND: u8 = 0x01;
const BAD_CHECKSUM: u8 = 0x03;
/// The on/off array, its length, and the value that leaves an item as it is.
const ON_OFF_ARRAY: u8 = 0x81;
const ITEMS: u8 = 8;
const NO_CHANGE: u8 = 2;
/// Where the number of data bytes stands.
const COUNT_AT: usize = 4;

/// Asks for the data of a command.
pub(crate) fn read(address: u8, command: u8) -> LineQuery {
    query(address, command, &[])
}

/// Writes a word: `command` is that of the set point, or of another.
pub(crate) fn write_word(address: u8, command: u8, [high, low]: [u8; 2]) -> LineQuery {
    query(address, command, &[high, low])
}

/// Switches one item of the on/off array.
pub(crate) fn write_item(address: u8, item: u8, on: bool) -> (u8, LineQuery) {
    let value = |index| if index == item { u8::from(on) } else { NO_CHANGE };
    let data: Vec<u8> = (0..ITEMS).map(value).collect();
    (ON_OFF_ARRAY, query(address, ON_OFF_ARRAY, &data))
}

fn query(address: u8, command: u8, data: &[u8]) -> LineQuery {
    let count = u8::try_from(data.len()).unwrap_or(u8::MAX);
    let mut send = vec![LEAD, 0, address, command, count];
    send.extend(data);
    send.push(checksum(send.get(1..).unwrap_or_default()));
    LineQuery { send, end: LineEnd::Counted { count_at: COUNT_AT, tail: 1 } }
}

/// The inverted sum of these bytes.
fn checksum(bytes: &[u8]) -> u8 {
    !bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte))
}

/// The data in the answer to this command.
///
/// # Errors
/// `Foreign` for anything that is not exactly such an answer, `Rejected` for an error that the
/// device tells of.
pub(crate) fn answer(address: u8, command: u8, bytes: &[u8]) -> Result<Vec<u8>, CallFault> {
    let foreign = |misfit: &str| CallFault::Foreign { misfit: misfit.into(), got: shown(bytes) };
    let [LEAD, high, low, answered, count, data @ .., sum] = bytes else {
        return Err(foreign("asked for a message that begins with CA"));
    };
    if data.len() != usize::from(*count) {
        return Err(foreign("it has not as many data bytes as it says"));
    }
    if checksum(bytes.get(1..bytes.len() - 1).unwrap_or_default()) != *sum {
        return Err(foreign("its checksum is wrong"));
    }
    if [*high, *low] != [0, address] {
        return Err(foreign(&format!("asked address {address}")));
    }
    if *answered == ERROR && command != ERROR {
        let meaning = match data.first() {
            Some(&BAD_COMMAND) => "it does not know the command: is the profile the right one?",
            Some(&BAD_CHECKSUM) => "it got a wrong checksum: is there noise on the line?",
            Some(_) | None => "an error that its manual does not list",
        };
        return Err(CallFault::Rejected { answer: shown(bytes), meaning: meaning.to_owned() });
    }
    if *answered != command {
        return Err(foreign(&format!("asked command {command:02X}")));
    }
    Ok(data.to_vec())
}
