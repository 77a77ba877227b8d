//! What a device is asked in Modbus: blocks of points, writes, and who it is.
//!
//! That an answer fits its question is the port's business (`port::pdu::fits`): `tokio-modbus`
//! 0.17 checks it by debug assertion in its high-level client (a panic in debug builds, a short or
//! wrong answer in release builds), so questions go through raw `Client::call`.

use std::borrow::Cow;

use tokio_modbus::prelude::{Request, Response};

use super::bus::Bus;
use super::error::CallFault;
use super::hex::hex;
use super::profile::{Entity, Modbus, Point, Raw, Register, Words, WriteFunction};

/// What our simulator's answer to function 17 begins with.
pub const SIMULATOR_MARKER: &str = "HOLDER-SIM";

/// Addresses that are read in one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) entity: Entity,
    pub(crate) address: u16,
    pub(crate) count: u16,
}

impl Block {
    /// The addresses of one point.
    pub(crate) const fn of(register: &Register) -> Self {
        let (entity, address) = (register.entity, register.address);
        Self { entity, address, count: register.data_type.span() }
    }

    /// As a technician names it: `holding_register 1 to 5`.
    pub(crate) fn words(&self) -> String {
        let entity = self.entity.word();
        match self.count {
            1 => format!("{entity} {}", self.address),
            _ => format!("{entity} {} to {}", self.address, self.end().saturating_sub(1)),
        }
    }

    /// One past its last address.
    fn end(&self) -> u32 {
        u32::from(self.address) + u32::from(self.count)
    }
}

/// The fewest reads for these points: neighbours in one block, no address that no point has
/// (a device may refuse those), no block longer than the device allows. With each block, the
/// indices of the points in it.
pub(crate) fn blocks(
    points: &[Point],
    wanted: &[usize],
    modbus: &Modbus,
) -> Vec<(Block, Vec<usize>)> {
    let register = |index: &usize| Some((*index, points.get(*index)?.register()?));
    let mut order: Vec<(usize, &Register)> = wanted.iter().filter_map(register).collect();
    order.sort_by_key(|(_, at)| (at.entity, at.address, at.data_type.span()));
    let mut blocks: Vec<(Block, Vec<usize>)> = Vec::new();
    for (index, at) in order {
        let longest =
            if at.entity.is_bit() { modbus.bits_per_read_max } else { modbus.words_per_read_max };
        let end = u32::from(at.address) + u32::from(at.data_type.span());
        if let Some((last, served)) = blocks.last_mut()
            && last.entity == at.entity
            && u32::from(at.address) <= last.end()
            && let Ok(count) = u16::try_from(end.max(last.end()) - u32::from(last.address))
            && count <= longest
        {
            last.count = count;
            served.push(index);
            continue;
        }
        blocks.push((Block::of(at), vec![index]));
    }
    blocks
}

/// What came in one block.
pub(crate) enum Answer {
    Bits(Vec<bool>),
    Words(Vec<u16>),
}

impl Answer {
    /// The part of it that is a point's.
    pub(crate) fn of(&self, block: &Block, register: &Register) -> Option<Raw> {
        let start = usize::from(register.address.checked_sub(block.address)?);
        match self {
            Self::Bits(bits) => bits.get(start).copied().map(Raw::Bit),
            Self::Words(words) => {
                let end = start + usize::from(register.data_type.span());
                words.get(start..end).map(|words| Raw::Words(Words::from_slice(words)))
            }
        }
    }
}

/// Reads a block.
pub(crate) async fn read(bus: &mut Bus, unit_id: u8, block: &Block) -> Result<Answer, CallFault> {
    let (address, count) = (block.address, block.count);
    let request = match block.entity {
        Entity::Coil => Request::ReadCoils(address, count),
        Entity::DiscreteInput => Request::ReadDiscreteInputs(address, count),
        Entity::HoldingRegister => Request::ReadHoldingRegisters(address, count),
        Entity::InputRegister => Request::ReadInputRegisters(address, count),
    };
    let response = bus.call(unit_id, request).await?;
    if let Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words) = response {
        return Ok(Answer::Words(words));
    }
    if let Response::ReadCoils(mut bits) | Response::ReadDiscreteInputs(mut bits) = response {
        // The bits of the last byte that nobody asked for.
        bits.truncate(usize::from(count));
        return Ok(Answer::Bits(bits));
    }
    Err(foreign("it is no reading", &response))
}

/// Writes the registers of one point.
pub(crate) async fn write(
    bus: &mut Bus,
    unit_id: u8,
    address: u16,
    function: WriteFunction,
    raw: &Raw,
) -> Result<(), CallFault> {
    let request = match (function, raw) {
        (WriteFunction::SingleCoil, Raw::Bit(bit)) => Request::WriteSingleCoil(address, *bit),
        (WriteFunction::SingleRegister, Raw::Words(words)) if words.len() == 1 => {
            Request::WriteSingleRegister(address, words.first().copied().unwrap_or_default())
        }
        (WriteFunction::MultipleRegisters, Raw::Words(words)) => {
            Request::WriteMultipleRegisters(address, Cow::Borrowed(words))
        }
        (WriteFunction::SingleCoil | WriteFunction::SingleRegister, _)
        | (WriteFunction::MultipleRegisters, Raw::Bit(_) | Raw::Text(_) | Raw::Bytes(_)) => {
            // The rules of a profile exclude it; nothing is sent.
            let misfit = format!("function {} cannot write it", function.code());
            return Err(CallFault::Foreign { misfit, got: raw.to_string() });
        }
    };
    bus.call(unit_id, request).await.map(|_echo| ())
}

/// Asks who the device is; `None` when it answers, but does not say.
pub(crate) async fn server_id(bus: &mut Bus, unit_id: u8) -> Result<Option<String>, CallFault> {
    match bus.call(unit_id, Request::ReportServerId).await {
        Ok(Response::ReportServerId(_, _, data)) => {
            Ok(Some(String::from_utf8_lossy(&data).into_owned()))
        }
        Ok(other) => Err(foreign("asked for its identity", &other)),
        // It answered, and does not know the question. Busy (5, 6), and a gateway that hears
        // nothing (10, 11), are no answer from it.
        Err(CallFault::Refused { code, .. }) if !matches!(code, 0x05 | 0x06 | 0x0A | 0x0B) => {
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

fn foreign(misfit: &str, response: &Response) -> CallFault {
    CallFault::Foreign { misfit: misfit.to_owned(), got: hex(response) }
}
