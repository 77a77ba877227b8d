//! The operator's panel: what a technician's hands do at the simulated machine.

use tokio_modbus::{ExceptionCode, Request, Response};

use crate::plant::{BOTTLES_MAX, Plant};

/// The unit id of the panel, on every simulated bus.
pub const PANEL_UNIT_ID: u8 = 247;
/// Holding register: bottles in the bath; writing loads, 0 unloads.
pub const PANEL_BOTTLES: u16 = 0;
/// Holding register: simulated seconds since the start, low word.
pub const PANEL_TIME_LOW: u16 = 1;
/// Holding register: lid, 1 closed.
pub const PANEL_LID: u16 = 2;
/// Holding register: simulated seconds since the start, high word.
pub const PANEL_TIME_HIGH: u16 = 3;

/// Answers a request to the panel; any but functions 3, 6 and 16 is refused.
pub(crate) fn answer(plant: &mut Plant, request: &Request<'_>) -> Result<Response, ExceptionCode> {
    match request {
        Request::ReadHoldingRegisters(address, count) => {
            let end = address.checked_add(*count).ok_or(ExceptionCode::IllegalDataAddress)?;
            let words: Result<Vec<u16>, _> = (*address..end).map(|at| read(plant, at)).collect();
            match words? {
                words if words.is_empty() => Err(ExceptionCode::IllegalDataValue),
                words => Ok(Response::ReadHoldingRegisters(words)),
            }
        }
        Request::WriteSingleRegister(address, word) => {
            write(plant, *address, *word)?;
            Ok(Response::WriteSingleRegister(*address, *word))
        }
        Request::WriteMultipleRegisters(address, words) => {
            for (at, word) in (*address..=u16::MAX).zip(words.iter()) {
                write(plant, at, *word)?;
            }
            let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
            Ok(Response::WriteMultipleRegisters(*address, count))
        }
        Request::ReadCoils(..)
        | Request::ReadDiscreteInputs(..)
        | Request::ReadInputRegisters(..)
        | Request::WriteSingleCoil(..)
        | Request::WriteMultipleCoils(..)
        | Request::ReportServerId
        | Request::MaskWriteRegister(..)
        | Request::ReadWriteMultipleRegisters(..)
        | Request::ReadDeviceIdentification(..)
        | Request::Custom(..) => Err(ExceptionCode::IllegalFunction),
    }
}

fn read(plant: &Plant, address: u16) -> Result<u16, ExceptionCode> {
    let seconds = u32::try_from(plant.elapsed_ms() / 1000).unwrap_or(u32::MAX);
    match address {
        PANEL_BOTTLES => Ok(u16::try_from(plant.bottles()).unwrap_or(u16::MAX)),
        PANEL_TIME_LOW => Ok((seconds & 0xFFFF) as u16),
        PANEL_LID => Ok(plant.lid_closed().into()),
        PANEL_TIME_HIGH => Ok((seconds >> 16) as u16),
        _ => Err(ExceptionCode::IllegalDataAddress),
    }
}

fn write(plant: &mut Plant, address: u16, word: u16) -> Result<(), ExceptionCode> {
    match (address, word) {
        (PANEL_BOTTLES, bottles) if u32::from(bottles) <= BOTTLES_MAX => plant.load(bottles.into()),
        (PANEL_LID, closed @ (0 | 1)) => plant.set_lid(closed == 1),
        (PANEL_BOTTLES | PANEL_LID | PANEL_TIME_LOW | PANEL_TIME_HIGH, _) => {
            return Err(ExceptionCode::IllegalDataValue);
        }
        _ => return Err(ExceptionCode::IllegalDataAddress),
    }
    Ok(())
}
