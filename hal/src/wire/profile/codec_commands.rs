//! Layout of values in answers that are not Modbus registers: text to a number and back, and the
//! data of NESLAB messages. Text is read into whole billionths, so that 62.5 stays 62.5.

use super::access::{NeslabField, NeslabPart, TextAccess, TextForm};
use super::codec::RawNumber;

/// Decimals of a billionth.
const NANO_DECIMALS: usize = 9;
/// The most digits before the point.
const WHOLE_DIGITS_MAX: usize = 9;

/// Qualifier bytes of NESLAB NC (its manual, table 3): tenths and hundredths of °C. 10 and 20 are
/// the same steps without a unit.
const TENTHS_C: u8 = 0x11;
const HUNDREDTHS_C: u8 = 0x21;

impl TextAccess {
    /// The number that an answer says.
    ///
    /// # Errors
    /// Why it says none, with the answer quoted.
    pub(crate) fn number(&self, answer: &str) -> Result<RawNumber, String> {
        match &self.form {
            TextForm::Number => self.decimal(answer.trim()),
            TextForm::Code => code(answer.trim())
                .ok_or_else(|| format!("the answer {answer:?} does not begin with a whole number")),
            TextForm::Digit(index) => digit(answer.trim(), *index)
                .ok_or_else(|| format!("the answer {answer:?} has no digit at {index}")),
            TextForm::Words(words) => {
                let known = words.iter().find(|(word, _)| word == answer.trim());
                let number = known.map(|(_, number)| RawNumber::Whole(*number));
                number.ok_or_else(|| {
                    let known: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
                    format!("the answer {answer:?} is none of {}", known.join(", "))
                })
            }
        }
    }

    fn decimal(&self, answer: &str) -> Result<RawNumber, String> {
        let (nano, decimals) =
            parse_nano(answer).ok_or_else(|| format!("the answer {answer:?} is no number"))?;
        if decimals < usize::from(self.decimals) {
            return Err(format!(
                "the answer {answer:?} has fewer decimals than {}: set the device to more",
                self.decimals
            ));
        }
        Ok(RawNumber::Nano(nano))
    }

    /// The text that says this whole number; a plain number with so many decimals.
    pub(super) fn whole(&self, whole: i64, decimals: u8) -> Option<String> {
        match &self.form {
            TextForm::Number => Some(format_steps(whole, 0, decimals.into())),
            TextForm::Code => Some(whole.to_string()),
            TextForm::Digit(index) => {
                let digit = u8::try_from(whole).ok().filter(|digit| *digit <= 9)?;
                Some(format!("{}{digit}", "0".repeat(usize::from(*index))))
            }
            TextForm::Words(words) => {
                words.iter().find(|(_, number)| *number == whole).map(|(word, _)| word.clone())
            }
        }
    }
}

/// Billionths and decimals of `+62.5`; `None` for all that is not a plain decimal number.
fn parse_nano(text: &str) -> Option<(i64, usize)> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let good = (1..=WHOLE_DIGITS_MAX).contains(&whole.len())
        && decimals.len() <= NANO_DECIMALS
        && is_digits(whole)
        && is_digits(decimals);
    if !good {
        return None;
    }
    let fraction: i64 = format!("{decimals:0<NANO_DECIMALS$}").parse().ok()?;
    let nano = whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(fraction)?;
    Some((if negative { -nano } else { nano }, decimals.len()))
}

/// The number at the start, up to the first space: `03 REMOTE START`, `-05 …`.
fn code(answer: &str) -> Option<RawNumber> {
    let number = answer.split([' ', '\t', '_']).next()?;
    let plain = number.strip_prefix(['-', '+']).unwrap_or(number);
    let good = (1..=WHOLE_DIGITS_MAX).contains(&plain.len())
        && plain.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| number.parse().ok().map(RawNumber::Whole)).flatten()
}

/// The digit at `index` of a row that has nothing but digits.
fn digit(answer: &str, index: u8) -> Option<RawNumber> {
    if !answer.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digit = answer.as_bytes().get(usize::from(index))?.checked_sub(b'0')?;
    Some(RawNumber::Whole(digit.into()))
}

/// `steps` of 10^−`step_decimals` with at least `decimals` decimals: (6250, 2, 2) is `62.50`.
pub(super) fn format_steps(steps: i64, step_decimals: usize, decimals: usize) -> String {
    let sign = if steps < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", steps.unsigned_abs(), width = step_decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - step_decimals);
    if step_decimals.max(decimals) == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{fraction:0<decimals$}")
}

impl NeslabField {
    /// The number that the data of a message say.
    ///
    /// # Errors
    /// Why they say none, with the data in hex.
    pub(super) fn number(&self, data: &[u8]) -> Result<RawNumber, String> {
        let shown = || {
            let bytes: Vec<String> = data.iter().map(|byte| format!("{byte:02X}")).collect();
            bytes.join(" ")
        };
        match (self.part, data) {
            (NeslabPart::Qualified, [qualifier, high, low]) => {
                let step = match *qualifier {
                    TENTHS_C => 100_000_000,
                    HUNDREDTHS_C => 10_000_000,
                    _ => {
                        return Err(format!(
                            "the answer {} has a qualifier that is not 11 or 21 (°C): set the \
                             device to °C",
                            shown()
                        ));
                    }
                };
                let word = i64::from(i16::from_be_bytes([*high, *low]));
                Ok(RawNumber::Nano(word * step))
            }
            (NeslabPart::Qualifier, [qualifier, _, _]) => Ok(RawNumber::Whole((*qualifier).into())),
            (NeslabPart::Bit { byte, bit }, data) => match data.get(usize::from(byte)) {
                Some(byte) => Ok(RawNumber::Whole(((byte >> (bit & 7)) & 1).into())),
                None => Err(format!("the answer {} has no byte {byte}", shown())),
            },
            (NeslabPart::Qualified | NeslabPart::Qualifier, _) => {
                Err(format!("the answer {} is not a qualifier and two bytes", shown()))
            }
        }
    }

    /// The data that say this temperature.
    pub(super) fn tenths(&self, tenths: i64) -> Option<Vec<u8>> {
        let [high, low] = i16::try_from(tenths).ok()?.to_be_bytes();
        (self.part == NeslabPart::Qualified).then(|| vec![TENTHS_C, high, low])
    }

    /// The data that say this raw number; of a temperature, whole degrees.
    pub(super) fn whole(&self, whole: i64) -> Option<Vec<u8>> {
        match self.part {
            NeslabPart::Qualified => self.tenths(whole.checked_mul(10)?),
            NeslabPart::Qualifier => u8::try_from(whole).ok().map(|byte| vec![byte, 0, 0]),
            NeslabPart::Bit { byte, bit } => {
                let on = u8::try_from(whole).ok().filter(|on| *on <= 1)?;
                let mut data = vec![0; usize::from(byte) + 1];
                *data.last_mut()? = on << (bit & 7);
                Some(data)
            }
        }
    }
}
