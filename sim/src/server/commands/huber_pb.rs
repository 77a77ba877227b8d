//! A Huber: ten characters, `{Mttvvvv` CR LF; silent to all that is not that.

use super::{Circulator, Sight, degrees, word};

const STEPS_PER_DEGREE: f64 = 100.0;
/// No probe: −151.00 °C.
const NO_PROBE: u16 = 0xC504;
/// A variable that this model does not have.
const NOT_THERE: u16 = 0x7FFF;
/// What its set point can be, in hundredths.
const LOWEST: i16 = -2000;

/// A Huber has nothing besides.
#[derive(Debug)]
pub(super) struct HuberPb;

impl HuberPb {
    /// The answer to what was heard, once it is whole.
    pub(super) fn hear(
        &self,
        heard: &mut Vec<u8>,
        circulator: &mut Circulator,
        sight: &Sight,
    ) -> Option<Vec<u8>> {
        if heard.last() != Some(&b'\n') {
            return None;
        }
        let command = core::mem::take(heard);
        let command = str::from_utf8(&command).ok()?.strip_prefix("{M")?.strip_suffix("\r\n")?;
        let (number, value) = command.split_at_checked(2)?;
        let number = hex(number, 2)?;
        if value != "****" {
            set(number, hex(value, 4)?.cast_signed(), circulator);
        }
        Some(format!("{{S{number:02X}{:04X}\r\n", variable(number, circulator, sight)).into_bytes())
    }
}

/// Capital digits, so many of them.
fn hex(text: &str, digits: usize) -> Option<u16> {
    let good = text.len() == digits
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
    good.then(|| u16::from_str_radix(text, 16).ok()).flatten()
}

fn variable(number: u16, circulator: &Circulator, sight: &Sight) -> u16 {
    let temperature = |value_c| word(value_c, STEPS_PER_DEGREE);
    match number {
        0x00 => temperature(degrees(circulator.setpoint_milli)),
        0x01 => temperature(sight.bath_c),
        0x05 | 0x06 => 0,
        0x07 => sight.external_c.map_or(NO_PROBE, temperature),
        // Controlling, circulating and pump: bits 0, 1 and 4.
        0x0A if circulator.running => 0x0013,
        0x0A => 0,
        0x14 => circulator.running.into(),
        0x30 => LOWEST.cast_unsigned(),
        0x31 => temperature(degrees(circulator.limit_milli)),
        _ => NOT_THERE,
    }
}

/// What it does not take stays as it is, and its answer says so.
fn set(number: u16, value: i16, circulator: &mut Circulator) {
    let milli = i32::from(value) * 10;
    match number {
        0x00 if value >= LOWEST && milli <= circulator.limit_milli => {
            circulator.setpoint_milli = milli;
        }
        0x14 if matches!(value, 0 | 1) => circulator.running = value == 1,
        0x31 if value >= LOWEST => circulator.limit_milli = milli,
        _ => {}
    }
}
