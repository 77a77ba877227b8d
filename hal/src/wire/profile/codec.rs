//! From registers to engineering values and back, in integers.
//!
//! Two halves: layout (an answer to a number), which `codec_registers` and `codec_commands` have for
//! each protocol, and meaning (a number to a value with its quality), which all share.

use super::access::{Access, Register, WriteMeans};
use super::codec_commands::format_steps;
use super::codec_registers::{number_of_word, reorder_one, word_of_number};
use super::error::EncodeError;
use super::point::{DataType, Point, Sentinel, Unit};
use super::value::{Decoded, Raw, Value};
use crate::contract::Quality;
use crate::units::{Celsius, Duty};

/// Billionths in one.
const NANO: f64 = 1e9;
const NANO_WHOLE: i64 = 1_000_000_000;
/// Billionths in a thousandth.
const NANO_PER_MILLI: i128 = 1_000_000;

/// A number as it stands in the registers, before scale and unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RawNumber {
    Whole(i64),
    Float(f32),
    /// Billionths: a decimal number out of a text.
    Nano(i64),
}

impl RawNumber {
    fn as_f64(self) -> f64 {
        match self {
            // At most 33 significant bits come from registers: exact.
            Self::Whole(whole) => whole as f64,
            Self::Float(float) => f64::from(float),
            Self::Nano(nano) => nano as f64 / NANO,
        }
    }
}

/// `numerator / denominator` to the nearest integer, halves away from zero.
fn divide_rounded(numerator: i128, denominator: i128) -> i128 {
    let half = denominator / 2;
    // Nearly always small, and then one instruction.
    if let (Ok(small), Ok(divisor)) = (i64::try_from(numerator), i64::try_from(denominator))
        && let Some(rounded) =
            small.checked_add(if small < 0 { -(divisor / 2) } else { divisor / 2 })
    {
        return (rounded / divisor).into();
    }
    if numerator < 0 { (numerator - half) / denominator } else { (numerator + half) / denominator }
}

impl Point {
    /// The number that `raw` says.
    ///
    /// # Errors
    /// Why it says none, in words.
    pub(crate) fn raw_number(&self, raw: &Raw) -> Result<RawNumber, String> {
        let misfit = || format!("{raw} has not the size of a {}", self.at.kind());
        match (&self.at, raw) {
            (Access::Register(register), raw) => register.number(raw).ok_or_else(misfit),
            (Access::Text(text), Raw::Text(answer)) => text.number(answer),
            (Access::HuberPb(variable), Raw::Words(words)) => match words.as_slice() {
                [word] => number_of_word(variable.data_type, *word).ok_or_else(misfit),
                _ => Err(misfit()),
            },
            (Access::NeslabNc(field), Raw::Bytes(data)) => field.number(data),
            (Access::Text(_) | Access::HuberPb(_) | Access::NeslabNc(_), _) => Err(misfit()),
        }
    }

    /// The whole number in `raw`, before scale and unit, as checks compare it.
    pub fn raw_whole(&self, raw: &Raw) -> Option<i64> {
        match self.raw_number(raw).ok()? {
            RawNumber::Whole(whole) => Some(whole),
            RawNumber::Float(float) => (float.fract() == 0.0).then_some(float as i64),
            RawNumber::Nano(nano) => (nano % NANO_WHOLE == 0).then_some(nano / NANO_WHOLE),
        }
    }

    /// What `raw` means, with its quality: sentinels first, then the range; NaN is out of range.
    pub fn decode(&self, raw: &Raw) -> Decoded {
        if let Some(decimals) = &self.scale_from {
            return bad(Quality::Comm, format!("its decimals ({decimals}) were not read"));
        }
        match self.raw_number(raw) {
            Ok(number) => self.judge(number),
            Err(reason) => bad(Quality::Comm, reason),
        }
    }

    /// The meaning of a raw number, wherever it came from.
    fn judge(&self, number: RawNumber) -> Decoded {
        let plain = number.as_f64();
        if let Some(sentinel) =
            self.sentinels.iter().find(|known| (known.raw_from..=known.raw_to).contains(&plain))
        {
            return bad(sentinel.quality, sentinel.meaning.clone());
        }
        if self.unit == Unit::Switch {
            return self.judge_switch(number);
        }
        let Some(milli) = self.engineering_milli(number) else {
            return bad(Quality::OutOfRange, format!("{plain} is not a value"));
        };
        let value = self.value_from_milli(milli);
        let outside = self.range_milli.is_some_and(|(low, high)| milli < low || milli > high);
        match value {
            Some(_) if !outside => Decoded { value, quality: Quality::Good, reason: String::new() },
            Some(_) | None => {
                let reason = format!("{} is outside the range of this point", thousandths(milli));
                Decoded { value, quality: Quality::OutOfRange, reason }
            }
        }
    }

    fn judge_switch(&self, number: RawNumber) -> Decoded {
        let (on, off) = self.on_off;
        let plain = number.as_f64();
        let state = if plain == on as f64 {
            true
        } else if plain == off as f64 {
            false
        } else {
            return bad(
                Quality::OutOfRange,
                format!("{plain} is neither on ({on}) nor off ({off})"),
            );
        };
        Decoded { value: Some(Value::Switch(state)), quality: Quality::Good, reason: String::new() }
    }

    /// Scale and unit, rounded once, in thousandths; `None` for NaN, infinities, absurd sizes.
    fn engineering_milli(&self, number: RawNumber) -> Option<i64> {
        let nano = match number {
            RawNumber::Whole(whole) => i128::from(whole) * i128::from(self.scale_nano),
            RawNumber::Float(float) => {
                let nano = f64::from(float) * self.scale_nano as f64;
                if nano.is_nan() || nano.abs() > NANO * 1e9 {
                    return None;
                }
                nano.round() as i128
            }
            RawNumber::Nano(nano) => nano.into(),
        };
        let milli = match self.unit {
            // °F to °C: exact up to the one rounding at the end.
            Unit::DegF => divide_rounded((nano - 32_000_000_000) * 5, 9 * NANO_PER_MILLI),
            Unit::DegC | Unit::Percent | Unit::Switch | Unit::Mode => {
                divide_rounded(nano, NANO_PER_MILLI)
            }
        };
        i64::try_from(milli).ok()
    }

    fn value_from_milli(&self, milli: i64) -> Option<Value> {
        match self.unit {
            Unit::DegC | Unit::DegF => i32::try_from(milli)
                .ok()
                .map(|milli| Value::Temperature(Celsius::from_milli(milli))),
            Unit::Percent => {
                let permille = divide_rounded(milli.into(), 100);
                let permille = u16::try_from(permille).ok()?;
                Duty::from_permille(permille).map(Value::Percent)
            }
            Unit::Mode => (milli % 1000 == 0).then_some(Value::Mode(milli / 1000)),
            Unit::Switch => None,
        }
    }

    /// The engineering value in thousandths (switches: 0 and 1000), for range and tolerance.
    pub(crate) fn milli(value: Value) -> i64 {
        match value {
            Value::Temperature(celsius) => celsius.milli().into(),
            Value::Percent(duty) => i64::from(duty.permille()) * 100,
            Value::Switch(on) => i64::from(on) * 1000,
            Value::Mode(number) => number.saturating_mul(1000),
        }
    }

    /// What says `value` in the device, rounded to the nearest raw step.
    ///
    /// # Errors
    /// `Kind` for a value of another unit, `Size` for one that the point cannot hold.
    pub fn encode(&self, value: Value) -> Result<Raw, EncodeError> {
        let milli = match (value, self.unit) {
            (Value::Switch(on), Unit::Switch) => {
                return self.encode_whole(if on { self.on_off.0 } else { self.on_off.1 });
            }
            (Value::Temperature(_), Unit::DegC | Unit::DegF)
            | (Value::Percent(_), Unit::Percent)
            | (Value::Mode(_), Unit::Mode) => Self::milli(value),
            (
                Value::Temperature(_) | Value::Percent(_) | Value::Switch(_) | Value::Mode(_),
                Unit::DegC | Unit::DegF | Unit::Percent | Unit::Switch | Unit::Mode,
            ) => {
                let (point, unit) = (self.name.clone(), self.unit.word());
                return Err(EncodeError::Kind { point, unit, value: value.to_string() });
            }
        };
        if let Some(scale_from) = self.scale_from.clone() {
            let (point, value) = (self.name.clone(), value.to_string());
            return Err(EncodeError::Scale { point, scale_from, value });
        }
        // Ninths of a billionth, so that °C to °F stays exact until the one rounding.
        let ninths = match self.unit {
            Unit::DegF => i128::from(milli) * NANO_PER_MILLI * 9 * 9 / 5 + 32_000_000_000 * 9,
            Unit::DegC | Unit::Percent | Unit::Switch | Unit::Mode => {
                i128::from(milli) * NANO_PER_MILLI * 9
            }
        };
        let size = || self.size_error(value);
        let raw = match &self.at {
            Access::Register(register) if register.data_type == DataType::Float32 => {
                let float = (ninths as f64 / (9.0 * self.scale_nano as f64)) as f32;
                Some(register.hold_two(float.to_bits()))
            }
            Access::Register(_) | Access::HuberPb(_) => {
                self.hold(steps(ninths, self.scale_nano).ok_or_else(size)?)
            }
            // A number in text is written with as many decimals as the command takes.
            Access::Text(_) => {
                let decimals = self.text_decimals();
                let step = NANO_WHOLE / 10_i64.pow(decimals.into());
                let steps = steps(ninths, step).ok_or_else(size)?;
                Some(Raw::Text(format_steps(steps, decimals.into(), decimals.into())))
            }
            Access::NeslabNc(field) => {
                let tenths = steps(ninths, self.step_nano()).ok_or_else(size)?;
                field.tenths(tenths).map(Raw::Bytes)
            }
        };
        raw.ok_or_else(size)
    }

    /// What holds this raw number, before scale and unit.
    ///
    /// # Errors
    /// `Size` for a number that it cannot hold.
    pub fn encode_whole(&self, whole: i64) -> Result<Raw, EncodeError> {
        self.hold(whole).ok_or_else(|| self.size_error(whole))
    }

    fn hold(&self, whole: i64) -> Option<Raw> {
        match &self.at {
            Access::Register(register) => register.hold(whole),
            Access::Text(text) => text.whole(whole, self.text_decimals()).map(Raw::Text),
            Access::HuberPb(variable) => word_of_number(variable.data_type, whole)
                .map(|word| Raw::Words(smallvec::smallvec![word])),
            Access::NeslabNc(field) => field.whole(whole).map(Raw::Bytes),
        }
    }

    /// How many decimals a number has that is written as text.
    fn text_decimals(&self) -> u8 {
        match (&self.at, self.write.as_ref().map(|write| &write.means)) {
            (_, Some(WriteMeans::Text(write))) => write.decimals,
            (Access::Text(text), _) => text.decimals,
            (Access::Register(_) | Access::HuberPb(_) | Access::NeslabNc(_), _) => 0,
        }
    }

    /// What says `sentinel`, for a simulator that plays the fault.
    ///
    /// # Errors
    /// `Size` for a sentinel that the point cannot hold.
    pub fn encode_sentinel(&self, sentinel: &Sentinel) -> Result<Raw, EncodeError> {
        match self.register() {
            Some(register) if register.data_type == DataType::Float32 => {
                Ok(register.hold_two((sentinel.raw_from as f32).to_bits()))
            }
            Some(_) | None => self.encode_whole(sentinel.raw_from as i64),
        }
    }

    /// Which bits of a register belong to the point: all, but for one bit of a status word.
    pub fn mask(&self) -> u16 {
        match self.register() {
            Some(Register { data_type: DataType::Bit(bit), byte_order, .. }) => {
                reorder_one(1 << (bit & 15), *byte_order)
            }
            Some(_) | None => u16::MAX,
        }
    }

    fn size_error(&self, value: impl core::fmt::Display) -> EncodeError {
        let (point, data_type) = (self.name.clone(), self.at.kind());
        EncodeError::Size { point, data_type, value: value.to_string() }
    }
}

/// Ninths of a billionth in steps of `step_nano`, rounded once.
fn steps(ninths: i128, step_nano: i64) -> Option<i64> {
    i64::try_from(divide_rounded(ninths, 9 * i128::from(step_nano.max(1)))).ok()
}

fn bad(quality: Quality, reason: String) -> Decoded {
    Decoded { value: None, quality, reason }
}

/// `62500` as `62.500`.
pub(crate) fn thousandths(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", milli.unsigned_abs() / 1000, milli.unsigned_abs() % 1000)
}
