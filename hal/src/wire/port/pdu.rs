//! The inside of a Modbus question and answer (V1.1b3, section 6), and whether the two fit.
//!
//! Modbus TCP is framed by `tokio-modbus`; the serial wires are framed here, because a serial
//! answer carries no number of its question and must be watched byte by byte (DEVICES, section C).

use tokio_modbus::prelude::{Request, Response};

use crate::wire::hex::hex;

/// How the answer to a question looks, beyond its function code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A byte that counts these bytes, and the bytes.
    Counted {
        /// How many bytes were asked for.
        bytes: usize,
    },
    /// Address and value, four bytes.
    Echo,
    /// A byte that counts bytes, as many as the device likes.
    Free,
}

/// A question that this program asks: function code, its bytes, and the shape of its answer.
/// `None` for a function that it never sends.
pub(crate) fn question(request: &Request<'_>) -> Option<(Vec<u8>, Shape)> {
    let bits = |count: u16| Shape::Counted { bytes: usize::from(count).div_ceil(8) };
    let words = |count: u16| Shape::Counted { bytes: usize::from(count) * 2 };
    let (function, first, second, shape) = match request {
        Request::ReadCoils(address, count) => (1, *address, *count, bits(*count)),
        Request::ReadDiscreteInputs(address, count) => (2, *address, *count, bits(*count)),
        Request::ReadHoldingRegisters(address, count) => (3, *address, *count, words(*count)),
        Request::ReadInputRegisters(address, count) => (4, *address, *count, words(*count)),
        Request::WriteSingleCoil(address, on) => {
            (5, *address, if *on { 0xFF00 } else { 0 }, Shape::Echo)
        }
        Request::WriteSingleRegister(address, word) => (6, *address, *word, Shape::Echo),
        Request::WriteMultipleRegisters(address, words) => {
            let count = u16::try_from(words.len()).ok()?;
            let mut pdu = vec![16];
            pdu.extend(address.to_be_bytes());
            pdu.extend(count.to_be_bytes());
            pdu.push(u8::try_from(words.len() * 2).ok()?);
            words.iter().for_each(|word| pdu.extend(word.to_be_bytes()));
            return Some((pdu, Shape::Echo));
        }
        Request::ReportServerId => return Some((vec![17], Shape::Free)),
        Request::WriteMultipleCoils(..)
        | Request::MaskWriteRegister(..)
        | Request::ReadWriteMultipleRegisters(..)
        | Request::ReadDeviceIdentification(..)
        | Request::Custom(..) => return None,
    };
    let mut pdu = vec![function];
    pdu.extend(first.to_be_bytes());
    pdu.extend(second.to_be_bytes());
    Some((pdu, shape))
}

/// The answer in `data`, what follows the function code; `None` when it is none.
pub(crate) fn answer(function: u8, data: &[u8]) -> Option<Response> {
    let word = |at: usize| Some(u16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?]));
    let counted = || {
        let (count, bytes) = data.split_first()?;
        (bytes.len() == usize::from(*count)).then_some(bytes)
    };
    let bits = || {
        let of_byte = |byte: &u8| {
            let byte = *byte;
            (0..8).map(move |bit| byte >> bit & 1 == 1)
        };
        Some(counted()?.iter().flat_map(of_byte).collect())
    };
    let words = || {
        let (pairs, rest) = counted()?.as_chunks::<2>();
        let words = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
        rest.is_empty().then_some(words)
    };
    if matches!(function, 5 | 6 | 16) && data.len() != 4 {
        return None;
    }
    Some(match function {
        1 => Response::ReadCoils(bits()?),
        2 => Response::ReadDiscreteInputs(bits()?),
        3 => Response::ReadHoldingRegisters(words()?),
        4 => Response::ReadInputRegisters(words()?),
        5 => match word(2)? {
            0xFF00 => Response::WriteSingleCoil(word(0)?, true),
            0 => Response::WriteSingleCoil(word(0)?, false),
            _ => return None,
        },
        6 => Response::WriteSingleRegister(word(0)?, word(2)?),
        16 => Response::WriteMultipleRegisters(word(0)?, word(2)?),
        17 => match counted()? {
            [id, running, text @ ..] => {
                Response::ReportServerId(*id, *running == 0xFF, text.to_vec())
            }
            [_] | [] => Response::ReportServerId(0, false, Vec::new()),
        },
        _ => return None,
    })
}

/// Whether `response` answers `request`: function, count, address and value.
///
/// # Errors
/// What does not fit, in words.
pub(crate) fn fits(request: &Request<'_>, response: &Response) -> Result<(), String> {
    let bits = |asked: u16, got: usize| (usize::from(asked).div_ceil(8) * 8 == got, asked);
    let words = |asked: u16, got: usize| (usize::from(asked) == got, asked);
    let (fits, asked) = match (request, response) {
        (Request::ReadCoils(_, count), Response::ReadCoils(got))
        | (Request::ReadDiscreteInputs(_, count), Response::ReadDiscreteInputs(got)) => {
            bits(*count, got.len())
        }
        (Request::ReadHoldingRegisters(_, count), Response::ReadHoldingRegisters(got))
        | (Request::ReadInputRegisters(_, count), Response::ReadInputRegisters(got)) => {
            words(*count, got.len())
        }
        (Request::ReportServerId, Response::ReportServerId(..)) => return Ok(()),
        (Request::WriteSingleCoil(address, on), _) => {
            return echoes(&Response::WriteSingleCoil(*address, *on), response);
        }
        (Request::WriteSingleRegister(address, word), _) => {
            return echoes(&Response::WriteSingleRegister(*address, *word), response);
        }
        (Request::WriteMultipleRegisters(address, words), _) => {
            let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
            return echoes(&Response::WriteMultipleRegisters(*address, count), response);
        }
        _ => return Err(format!("asked function {}", request.function_code())),
    };
    if fits { Ok(()) } else { Err(format!("asked for {asked}")) }
}

fn echoes(expected: &Response, response: &Response) -> Result<(), String> {
    if expected == response { Ok(()) } else { Err(format!("expected {}", hex(expected))) }
}
