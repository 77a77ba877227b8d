//! Huber's PB protocol: ten characters to and fro, `{Mttvvvv` CR LF and `{Sttvvvv` CR LF.
//!
//! `tt` is the number of a variable and `vvvv` its value, a word in hex; `****` asks for it. An
//! answer carries the number of its variable, which is checked. The device is silent to whatever
//! it does not understand (manualslib.de 246408, pages 9 and 14).

use super::error::CallFault;
use super::line::{LineEnd, LineQuery};
use super::text::shown;

/// Characters of a question and of an answer, with CR and LF.
const LEN: usize = 10;

/// Asks for a variable.
pub(crate) fn read(variable: u8) -> LineQuery {
    query(variable, "****")
}

/// Gives a variable a value.
pub(crate) fn write(variable: u8, word: u16) -> LineQuery {
    query(variable, &format!("{word:04X}"))
}

fn query(variable: u8, value: &str) -> LineQuery {
    let send = format!("{{M{variable:02X}{value}\r\n").into_bytes();
    LineQuery { send, end: LineEnd::Fixed { len: LEN } }
}

/// The value in the answer about this variable.
///
/// # Errors
/// `Foreign` for anything that is not exactly such an answer.
pub(crate) fn answer(variable: u8, bytes: &[u8]) -> Result<u16, CallFault> {
    let foreign = |misfit: &str| CallFault::Foreign { misfit: misfit.into(), got: shown(bytes) };
    let said = bytes.strip_prefix(b"{S").and_then(|rest| rest.strip_suffix(b"\r\n"));
    let Some([t1, t2, v1, v2, v3, v4]) = said else {
        return Err(foreign("asked for {S, six digits, CR and LF"));
    };
    let number = hex(&[*t1, *t2]).ok_or_else(|| foreign("the variable is not in hex"))?;
    if number != u16::from(variable) {
        return Err(foreign(&format!("asked for variable {variable:02X}")));
    }
    hex(&[*v1, *v2, *v3, *v4]).ok_or_else(|| foreign("the value is not in hex"))
}

/// The number of these digits; the device writes capitals.
fn hex(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'F' => digit - b'A' + 10,
            _ => return None,
        };
        number.checked_mul(16)?.checked_add(value.into())
    })
}
