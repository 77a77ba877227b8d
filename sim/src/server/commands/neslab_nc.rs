//! A NESLAB bath: `CA 00 address command n data… checksum`, tenths of °C.

use super::{Circulator, Sight, degrees, word};

const STEPS_PER_DEGREE: f64 = 10.0;
const LEAD: u8 = 0xCA;
const TENTHS_C: u8 = 0x11;
/// Lead, address, command and count.
const HEAD_LEN: usize = 5;
const LOWEST_C: f64 = -20.0;

/// A NESLAB has nothing besides.
#[derive(Debug)]
pub(super) struct NeslabNc;

impl NeslabNc {
    /// The answer to what was heard, once it is whole.
    pub(super) fn hear(
        &self,
        heard: &mut Vec<u8>,
        address: u8,
        circulator: &mut Circulator,
        sight: &Sight,
    ) -> Option<Vec<u8>> {
        if heard.first() != Some(&LEAD) {
            heard.clear();
        }
        let count = usize::from(*heard.get(HEAD_LEN - 1)?);
        if heard.len() < HEAD_LEN + count + 1 {
            return None;
        }
        let message = core::mem::take(heard);
        let [LEAD, 0, to, command, _, data @ .., sum] = message.as_slice() else { return None };
        if *to != address {
            return None;
        }
        if checksum(message.get(1..message.len() - 1)?) != *sum {
            return Some(framed(address, 0x0F, &[0x03, *command]));
        }
        match answer(*command, data, circulator, sight) {
            Some(data) => Some(framed(address, *command, &data)),
            None => Some(framed(address, 0x0F, &[0x01, *command])),
        }
    }
}

fn checksum(bytes: &[u8]) -> u8 {
    0xFF ^ bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

fn framed(address: u8, command: u8, data: &[u8]) -> Vec<u8> {
    let count = u8::try_from(data.len()).unwrap_or(u8::MAX);
    let body = [&[0, address, command, count], data].concat();
    [&[LEAD], body.as_slice(), &[checksum(&body)]].concat()
}

/// The data of the answer; `None` for a command that it does not know.
fn answer(command: u8, data: &[u8], circulator: &mut Circulator, sight: &Sight) -> Option<Vec<u8>> {
    match (command, data) {
        (0xF0 | 0xE0, [high, low]) => {
            let milli = i32::from(i16::from_be_bytes([*high, *low])) * 100;
            if command == 0xE0 {
                circulator.limit_milli = milli;
            } else if milli <= circulator.limit_milli {
                circulator.setpoint_milli = milli;
            }
        }
        (0x81, [on, _, _, _, _, _, _, _]) => {
            match on {
                0 => circulator.running = false,
                1 => circulator.running = true,
                _ => {}
            }
            // Unit, sensor, faults, mute, restart, 0.01 °C, full cooling, serial line.
            return Some(vec![circulator.running.into(), 0, 1, 0, 0, 0, 0, 1]);
        }
        (_, []) => {}
        _ => return None,
    }
    let temperature = |value_c: f64| {
        let [high, low] = word(value_c, STEPS_PER_DEGREE).to_be_bytes();
        Some(vec![TENTHS_C, high, low])
    };
    match command {
        0x00 => Some(vec![1, 0]),
        0x09 => Some(status(circulator, sight)),
        0x20 => temperature(sight.bath_c),
        0x21 => temperature(sight.external_c.unwrap_or(0.0)),
        0x40 => temperature(LOWEST_C),
        0x60 | 0xE0 => temperature(degrees(circulator.limit_milli)),
        0x70 | 0xF0 => temperature(degrees(circulator.setpoint_milli)),
        _ => None,
    }
}

/// The five bytes of the manual's table 2.
fn status(circulator: &Circulator, sight: &Sight) -> Vec<u8> {
    let external_open = if sight.external_c.is_none() { 1 << 3 } else { 0 };
    let heats = circulator.running && sight.duty_share > 0.0;
    // Unit on, pump on, heater on: bits 3, 2 and 0.
    let state = if circulator.running { 0b1100 } else { 0 } | u8::from(heats);
    vec![0, external_open, 0, state, 0]
}
