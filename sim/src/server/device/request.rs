//! What a simulated device answers to a Modbus request, and what a write sets: as a device would,
//! it refuses a function, an address or a value that it does not have.

use std::sync::Arc;

use holder_hal::Quality;
use holder_hal::wire::profile::{Entity, Modbus, Point, Profile, Protocol, Register, Value};
use tokio_modbus::{ExceptionCode, Request, Response};

use super::{Device, Written};

impl Device {
    /// Answers a request, and says which actuators it set.
    pub(crate) fn answer(
        &mut self,
        request: &Request<'_>,
    ) -> Result<(Response, Written), ExceptionCode> {
        self.unasked_ms = 0;
        let modbus = match self.profile.protocol() {
            Protocol::Modbus(modbus) => modbus,
            // Nothing but Modbus comes here.
            Protocol::Text(_) | Protocol::HuberPb | Protocol::NeslabNc => {
                return Err(ExceptionCode::IllegalFunction);
            }
        };
        if !modbus.function_codes.contains(&request.function_code().value()) {
            return Err(ExceptionCode::IllegalFunction);
        }
        let bits = |words: Vec<u16>| words.into_iter().map(|word| word != 0).collect();
        let response = match request {
            Request::ReadCoils(address, count) => {
                Response::ReadCoils(bits(self.read(Entity::Coil, *address, *count, modbus)?))
            }
            Request::ReadDiscreteInputs(address, count) => {
                let cells = self.read(Entity::DiscreteInput, *address, *count, modbus)?;
                Response::ReadDiscreteInputs(bits(cells))
            }
            Request::ReadHoldingRegisters(address, count) => {
                let cells = self.read(Entity::HoldingRegister, *address, *count, modbus)?;
                Response::ReadHoldingRegisters(cells)
            }
            Request::ReadInputRegisters(address, count) => {
                let cells = self.read(Entity::InputRegister, *address, *count, modbus)?;
                Response::ReadInputRegisters(cells)
            }
            Request::WriteSingleCoil(address, on) => {
                let written = self.write(Entity::Coil, *address, &[u16::from(*on)])?;
                return Ok((Response::WriteSingleCoil(*address, *on), written));
            }
            Request::WriteSingleRegister(address, word) => {
                let written = self.write(Entity::HoldingRegister, *address, &[*word])?;
                return Ok((Response::WriteSingleRegister(*address, *word), written));
            }
            Request::WriteMultipleRegisters(address, words) => {
                let written = self.write(Entity::HoldingRegister, *address, words)?;
                let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
                return Ok((Response::WriteMultipleRegisters(*address, count), written));
            }
            Request::WriteMultipleCoils(..)
            | Request::ReportServerId
            | Request::MaskWriteRegister(..)
            | Request::ReadWriteMultipleRegisters(..)
            | Request::ReadDeviceIdentification(..)
            | Request::Custom(..) => return Err(ExceptionCode::IllegalFunction),
        };
        Ok((response, Vec::new()))
    }

    fn read(
        &self,
        entity: Entity,
        address: u16,
        count: u16,
        modbus: &Modbus,
    ) -> Result<Vec<u16>, ExceptionCode> {
        let most =
            if entity.is_bit() { modbus.bits_per_read_max } else { modbus.words_per_read_max };
        if !(1..=most).contains(&count) {
            return Err(ExceptionCode::IllegalDataValue);
        }
        let end = address.checked_add(count - 1).ok_or(ExceptionCode::IllegalDataAddress)?;
        (address..=end)
            .map(|at| {
                let readable = points_at(&self.profile, entity, at).any(|point| point.readable);
                let cell = self.cells.get(&(entity, at)).filter(|_| readable);
                cell.copied().ok_or(ExceptionCode::IllegalDataAddress)
            })
            .collect()
    }

    /// Writes cells if every one of them may be written, and nothing otherwise.
    fn write(
        &mut self,
        entity: Entity,
        address: u16,
        words: &[u16],
    ) -> Result<Written, ExceptionCode> {
        let before = self.cells.clone();
        let written = self.try_write(entity, address, words);
        if written.is_err() {
            self.cells = before;
        }
        written
    }

    fn try_write(
        &mut self,
        entity: Entity,
        address: u16,
        words: &[u16],
    ) -> Result<Written, ExceptionCode> {
        let profile = Arc::clone(&self.profile);
        let mut touched: Vec<&str> = Vec::new();
        for (offset, word) in (0_u16..).zip(words) {
            let at = address.checked_add(offset).ok_or(ExceptionCode::IllegalDataAddress)?;
            self.cells.insert((entity, at), *word);
            let writable: Vec<&Point> =
                points_at(&profile, entity, at).filter(|point| point.write.is_some()).collect();
            if writable.is_empty() {
                return Err(ExceptionCode::IllegalDataAddress);
            }
            // One register may take several commands: the number says which is meant.
            let meant = |point: &&&Point| point.readable || self.value(point).is_some();
            let before = touched.len();
            touched.extend(writable.iter().filter(meant).map(|point| point.name.as_str()));
            if touched.len() == before {
                return Err(ExceptionCode::IllegalDataValue);
            }
        }
        let mut written = Written::new();
        for point in profile.points() {
            let cells = touched.iter().filter(|name| **name == point.name).count();
            if cells == 0 {
                continue;
            }
            // Half of a two-word value is no value.
            if cells != point.register().map_or(0, |at| usize::from(at.data_type.span())) {
                return Err(ExceptionCode::IllegalDataValue);
            }
            if let Some(value) = self.accept(point)? {
                written.extend(self.roles.get(&point.name).map(|role| (*role, value)));
                self.show_readback(point);
            }
        }
        Ok(written)
    }

    /// Checks a point that was just written as the device would.
    fn accept(&self, point: &Point) -> Result<Option<Value>, ExceptionCode> {
        let needs = point.write.iter().flat_map(|write| &write.needs);
        if !needs.into_iter().all(|need| self.is_met(need)) {
            return Err(ExceptionCode::ServerDeviceFailure);
        }
        let decoded = self.scaled(point).decode(&self.get(point));
        match decoded.quality {
            Quality::Good => Ok(decoded.value),
            Quality::Stale
            | Quality::OutOfRange
            | Quality::SensorOpen
            | Quality::Comm
            | Quality::Disagrees => Err(ExceptionCode::IllegalDataValue),
        }
    }
}

/// The points that a cell belongs to: several if they are bits of one word.
fn points_at(profile: &Profile, entity: Entity, address: u16) -> impl Iterator<Item = &Point> {
    let holds = move |at: &Register| {
        let offset = address.checked_sub(at.address);
        at.entity == entity && offset.is_some_and(|n| n < at.data_type.span())
    };
    profile.points().iter().filter(move |point| point.register().is_some_and(holds))
}
