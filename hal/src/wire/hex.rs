//! Answers in the words of a bus monitor, for messages.

use tokio_modbus::prelude::Response;

use super::profile::Raw;

/// A response as a technician sees it in a bus monitor.
pub(crate) fn hex(response: &Response) -> String {
    let code = response.function_code();
    match response {
        Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words) => {
            format!(
                "function {code}, {} words: {}",
                words.len(),
                Raw::Words(words.as_slice().into())
            )
        }
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            let text: String = bits.iter().map(|bit| if *bit { '1' } else { '0' }).collect();
            format!("function {code}, {} bits: {text}", bits.len())
        }
        Response::WriteSingleRegister(address, word) => {
            format!("function {code}, address 0x{address:04X}, value 0x{word:04X}")
        }
        Response::WriteSingleCoil(address, on) => {
            let value = if *on { 0xFF00 } else { 0 };
            format!("function {code}, address 0x{address:04X}, value 0x{value:04X}")
        }
        Response::WriteMultipleRegisters(address, count)
        | Response::WriteMultipleCoils(address, count) => {
            format!("function {code}, address 0x{address:04X}, count {count}")
        }
        Response::ReportServerId(..)
        | Response::MaskWriteRegister(..)
        | Response::ReadWriteMultipleRegisters(_)
        | Response::ReadDeviceIdentification(_)
        | Response::Custom(..) => format!("function {code}"),
    }
}
