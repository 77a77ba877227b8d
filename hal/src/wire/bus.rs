//! One connection: dialled on demand, given up at the first doubt, and not dialled in a storm.
//!
//! Whatever goes wrong on a connection but a refusal by the device closes it: the next question
//! starts on a fresh one, so that a late or foreign answer can never be taken for another's
//! (DEVICES, section C). Back-off is counted in control periods, not in time: it is the same in
//! a run at full speed, in a scaled one, and in a test.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_modbus::client::{Client, Context, tcp};
use tokio_modbus::prelude::{ExceptionCode, Request, Response, Slave, SlaveContext};
use tokio_modbus::{Error, ProtocolError};

use super::error::CallFault;
use super::hex::hex;
use super::line::LineQuery;

/// The longest pause between two attempts: recovery within 3 s after the device is back.
const BACK_OFF_MS_MAX: u64 = 2000;

/// How long something that failed is left alone: 1, 2, 4 … control periods, up to a limit.
#[derive(Debug)]
pub(crate) struct BackOff {
    failures: u32,
    wait: u32,
    wait_max: u32,
}

impl BackOff {
    pub(crate) fn new(period_ms: u64) -> Self {
        let periods = BACK_OFF_MS_MAX / period_ms.max(1);
        Self { failures: 0, wait: 0, wait_max: u32::try_from(periods).unwrap_or(1).max(1) }
    }

    /// A control period begins.
    pub(crate) const fn begin_period(&mut self) {
        self.wait = self.wait.saturating_sub(1);
    }

    /// The fault to report while it is left alone.
    pub(crate) const fn resting(&self) -> Option<CallFault> {
        if self.wait > 0 { Some(CallFault::Resting { periods: self.wait }) } else { None }
    }

    pub(crate) fn failed(&mut self) {
        let doublings = self.failures.min(16);
        self.wait = (1_u32 << doublings).min(self.wait_max);
        self.failures = self.failures.saturating_add(1);
    }

    /// Failures in a row.
    #[cfg(test)]
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) const fn succeeded(&mut self) {
        self.failures = 0;
        self.wait = 0;
    }
}

/// One physical port.
pub(crate) struct Bus {
    pub(crate) back_off: BackOff,
    host: String,
    port: u16,
    pub(crate) timeout: Duration,
    gap: Duration,
    connection: Option<Context>,
}

impl Bus {
    /// A port that is not connected yet. `timeout` bounds each dial and each question; `gap` is
    /// the silence before each question.
    pub(crate) fn new(
        (host, port): (String, u16),
        period_ms: u64,
        timeout: Duration,
        gap: Duration,
    ) -> Self {
        let back_off = BackOff::new(period_ms);
        Self { back_off, host, port, timeout, gap, connection: None }
    }

    /// Gives the connection up: the next question dials.
    pub(crate) fn hang_up(&mut self) {
        self.connection = None;
    }

    async fn dial(&mut self) -> Result<Context, CallFault> {
        let dialled = timeout(self.timeout, TcpStream::connect((self.host.as_str(), self.port)));
        let stream = match dialled.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                self.back_off.failed();
                return Err(CallFault::Dial { cause: error.to_string() });
            }
            Err(_) => {
                self.back_off.failed();
                let cause = format!("nobody took the call within {} ms", self.timeout.as_millis());
                return Err(CallFault::Dial { cause });
            }
        };
        // Questions are small and waited for: without this each could wait for its own packet.
        stream.set_nodelay(true).map_err(|error| broken(&error))?;
        self.back_off.succeeded();
        Ok(tcp::attach(stream))
    }

    /// Sends one command of a protocol that is not Modbus, and hands back its answer without its
    /// line end; empty for a command that gets none. What it says is for the caller to check.
    pub(crate) async fn talk(
        &mut self,
        address: u8,
        query: &LineQuery,
    ) -> Result<Vec<u8>, CallFault> {
        let cause =
            format!("address {address}: {} bytes not sent: no serial wire", query.send.len());
        Err(CallFault::Dial { cause })
    }

    /// Asks one device one question. The answer is checked for transaction, unit id and function
    /// only; what it says is for the caller to check, who hangs up on a misfit.
    pub(crate) async fn call(
        &mut self,
        unit_id: u8,
        request: Request<'_>,
    ) -> Result<Response, CallFault> {
        // The connection is out of its place while the question is open, so that one that is
        // cancelled half-way takes its connection with it.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.dial().await?,
        };
        if !self.gap.is_zero() {
            tokio::time::sleep(self.gap).await;
        }
        connection.set_slave(Slave(unit_id));
        let answer = timeout(self.timeout, connection.call(request)).await;
        match answer {
            Err(_) => {
                let timeout_ms = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
                Err(CallFault::Silence { timeout_ms })
            }
            Ok(Err(error)) => Err(call_fault(error)),
            Ok(Ok(Err(exception))) => {
                self.connection = Some(connection);
                Err(refused(exception))
            }
            Ok(Ok(Ok(response))) => {
                self.connection = Some(connection);
                Ok(response)
            }
        }
    }
}

fn broken(error: &io::Error) -> CallFault {
    CallFault::Broken { cause: error.to_string() }
}

fn call_fault(error: Error) -> CallFault {
    let (misfit, result) = match error {
        Error::Transport(error) if error.kind() == io::ErrorKind::InvalidData => {
            let misfit = "malformed frame".to_owned();
            return CallFault::Foreign { misfit, got: error.to_string() };
        }
        Error::Transport(error) => return broken(&error),
        Error::Protocol(ProtocolError::HeaderMismatch { message, result }) => (message, result),
        Error::Protocol(ProtocolError::FunctionCodeMismatch { request, result }) => {
            (format!("asked function {request}"), result)
        }
    };
    let got = match result {
        Ok(response) => hex(&response),
        Err(exception) => {
            format!(
                "exception {:#04X} of function {}",
                u8::from(exception.exception),
                exception.function
            )
        }
    };
    CallFault::Foreign { misfit, got }
}

/// A refusal, in the words of the Modbus specification (V1.1b3, section 7) made plain.
fn refused(exception: ExceptionCode) -> CallFault {
    let code = u8::from(exception);
    let meaning = match code {
        0x01 => "function not known: the profile asks for a function that this model lacks",
        0x02 => "no such register: is the profile the right one for this model and firmware?",
        0x03 => "value not allowed: is it within the limits set on the device?",
        0x04 => "the device failed, or is not in a state to do it: is writing enabled on it?",
        0x05 => "accepted, but it takes longer: ask again",
        0x06 => "the device is busy: is it in its set-up menu, or tuning?",
        0x08 => "its memory is damaged: have it repaired",
        0x0A => "the gateway has no path to it: check the gateway's settings",
        0x0B => "the gateway gets no answer from it: check unit id, wiring and speed",
        _ => "of the maker's own: see the manual",
    };
    CallFault::Refused { code, meaning }
}
