//! A unit's hand at one port: asks, waits, and does not dial in a storm.
//!
//! The port itself is a task of its own (see `port`). Back-off is counted in control periods, not
//! in time: it is the same in a run at full speed, in a scaled one, and in a test.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio_modbus::prelude::{Request, Response};
use tokio_modbus::{Error, ProtocolError};

use super::error::CallFault;
use super::hex::hex;
use super::line::LineQuery;
use super::port::{Answer, Ask, Counter, Question, Record, Times};
use super::profile::Timing;
use super::url::BusUrl;

/// The longest pause between two attempts: recovery within 3 s after the device is back.
const BACK_OFF_MS_MAX: u64 = 2000;

/// How late an answer of a device can be that no profile speaks for.
const LATE_MS_MAX: u64 = 2000;

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

/// One physical port, as a unit uses it.
pub(crate) struct Bus {
    pub(crate) back_off: BackOff,
    pub(crate) timeout: Duration,
    url: BusUrl,
    /// The longest pause that a device of this bus wants: it hears what is said to the others.
    gap: Duration,
    /// The longest time between two commands that a device of this bus wants.
    spacing: Duration,
    timings: BTreeMap<u8, Timing>,
    urgent: bool,
    record: Option<Record>,
    counter: Option<Counter>,
}

impl Bus {
    /// A port that is not connected yet. `timeout` bounds each dial and each question, unless the
    /// device there wants another.
    pub(crate) fn new(url: BusUrl, period_ms: u64, timeout: Duration) -> Self {
        let (back_off, timings) = (BackOff::new(period_ms), BTreeMap::new());
        Self {
            back_off,
            timeout,
            url,
            gap: Duration::ZERO,
            spacing: Duration::ZERO,
            timings,
            urgent: false,
            record: None,
            counter: None,
        }
    }

    /// Takes note of how long the device at `address` wants to be waited for.
    pub(crate) fn know(&mut self, address: u8, timing: Timing) {
        self.gap = self.gap.max(Duration::from_millis(timing.pause_between_requests_ms));
        self.spacing = self.spacing.max(Duration::from_millis(timing.pause_between_commands_ms));
        self.timings.insert(address, timing);
    }

    /// Keeps what goes over the wire from the first question on.
    pub(crate) fn keep(&mut self, record: Record) {
        self.record = Some(record);
    }

    /// From now on, whether what is asked takes heat away: then it goes before all else.
    pub(crate) const fn in_haste(&mut self, urgent: bool) {
        self.urgent = urgent;
    }

    /// Asks one device one question. The answer fits it in unit id, function, count, address and
    /// value.
    pub(crate) async fn call(
        &mut self,
        unit_id: u8,
        request: Request<'_>,
    ) -> Result<Response, CallFault> {
        match self.ask(unit_id, Question::Modbus(request.into_owned())).await? {
            Answer::Modbus(response) => Ok(response),
            Answer::Command(bytes) => Err(CallFault::Foreign {
                misfit: "a command's answer to a Modbus question".to_owned(),
                got: format!("{bytes:02X?}"),
            }),
        }
    }

    /// Sends one command of a protocol that is not Modbus, and hands back its answer without its
    /// line end; empty for a command that gets none. What it says is for the caller to check, who
    /// calls [`Bus::distrust`] when it is no answer.
    pub(crate) async fn talk(
        &mut self,
        address: u8,
        query: &LineQuery,
    ) -> Result<Vec<u8>, CallFault> {
        match self.ask(address, Question::Command(query.clone())).await? {
            Answer::Command(bytes) => Ok(bytes),
            Answer::Modbus(response) => Err(CallFault::Foreign {
                misfit: "a Modbus answer to a command".to_owned(),
                got: hex(&response),
            }),
        }
    }

    /// The last answer from `address` was none: what else comes from there is in doubt, too.
    pub(crate) async fn distrust(&mut self, address: u8) {
        let late_max = self.times(address).late_max;
        if let Some(counter) = &self.counter {
            counter.distrust(address, late_max).await;
        }
    }

    fn times(&self, address: u8) -> Times {
        let timing = self.timings.get(&address);
        let timeout_ms = timing.and_then(|timing| timing.timeout_ms);
        let late_ms_max = timing.map_or(LATE_MS_MAX, |timing| timing.late_ms_max);
        Times {
            timeout: timeout_ms.map_or(self.timeout, Duration::from_millis),
            gap: self.gap,
            spacing: self.spacing,
            late_max: Duration::from_millis(late_ms_max),
        }
    }

    /// The port's task, opened by the first question: a task needs a runtime, and a unit that is only
    /// described has none. One that a defect of ours has ended is opened again: the safe state must
    /// find a way to the machine.
    fn counter(&mut self, address: u8) -> &Counter {
        let mut doubted = Vec::new();
        if self.counter.take_if(|counter| counter.has_ended()).is_some() {
            tracing::error!(url = ?self.url, "the task of a port has ended: a defect of holder");
            // What it knew of answers that are late is lost with it.
            let known = self.timings.keys().copied().chain([address]);
            doubted.extend(known.map(|one| (one, self.times(one).late_max)));
        }
        let (url, record) = (&self.url, &self.record);
        self.counter.get_or_insert_with(|| Counter::open(url.clone(), record.clone(), doubted))
    }

    async fn ask(&mut self, address: u8, question: Question) -> Result<Answer, CallFault> {
        let ask = Ask { address, question, times: self.times(address), urgent: self.urgent };
        let answered = self.counter(address).ask(ask).await;
        match &answered {
            Err(CallFault::Dial { .. } | CallFault::PortHeld { .. }) => self.back_off.failed(),
            Ok(_) | Err(_) => self.back_off.succeeded(),
        }
        answered
    }
}

#[cfg(test)]
impl Bus {
    /// The next question finds a task that ends with it.
    pub(crate) fn lose_its_task(&mut self) {
        self.counter = Some(Counter::that_ends());
    }
}

/// `heard` is all that came, in hex.
pub(crate) fn call_fault(error: Error, heard: String) -> CallFault {
    let (misfit, result) = match error {
        Error::Transport(error) if error.kind() == io::ErrorKind::InvalidData => {
            let misfit = "malformed frame".to_owned();
            return CallFault::Foreign { misfit: format!("{misfit}, {error}"), got: heard };
        }
        Error::Transport(error) => return CallFault::broken(&error),
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
pub(crate) fn refused(code: u8) -> CallFault {
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
