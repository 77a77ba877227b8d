//! One exchange on a wire of bytes: silence, question, answer, and nothing that was not asked for.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_modbus::prelude::{Request, Response};

use super::dial::Stream;
use super::ear::{Ear, Tapped};
use super::reply::Reply;
use super::rtu::{Asked, Found};
use super::{Times, pdu, rtu};
use crate::wire::bus::refused;
use crate::wire::error::CallFault;
use crate::wire::hex::hex;
use crate::wire::line::{LineEnd, LineQuery};
use crate::wire::timer::{Moment, pause};
use crate::wire::url::LineSettings;

/// The silence that ends a frame (Modbus over Serial Line V1.02, 2.5.1.1): 3.5 characters …
const SILENCE_HALF_CHARS: u32 = 7;
/// … but never less than this many microseconds, which the specification fixes above 19,200 baud.
const SILENCE_MICROS_MIN: u64 = 1750;
/// After an answer that is none, the rest of it is listened to for as long as this between bytes,
/// so that the message shows all of it.
const EVIDENCE: Duration = Duration::from_millis(30);
/// … and for no longer than this in all: a line that drips keeps the port from whoever waits.
const EVIDENCE_MAX: Duration = Duration::from_millis(150);
/// The most that is read at once, and in one answer.
const ANSWER_LEN_MAX: usize = 512;
/// So much is thrown away before others have their turn: a peer can send faster than it is read.
const READS_PER_TURN: usize = 16;

/// A wire of bytes that is open.
pub(super) struct SerialWire {
    wire: Tapped<Box<dyn Stream>>,
    line: LineSettings,
    /// When the last byte went over it.
    quiet_since: Moment,
    /// When the last question was all out.
    asked: Option<Moment>,
}

impl SerialWire {
    pub(super) fn new(stream: Box<dyn Stream>, line: LineSettings, ear: Ear) -> Self {
        Self { wire: Tapped { stream, ear }, line, quiet_since: Moment::now(), asked: None }
    }

    /// Asks a Modbus question; the answer is the one to it.
    pub(super) async fn modbus(
        &mut self,
        unit_id: u8,
        request: &Request<'_>,
        times: Times,
    ) -> Result<Response, CallFault> {
        let Some((pdu, shape)) = pdu::question(request) else {
            let misfit = "this program does not send it".to_owned();
            let got = format!("function {}", request.function_code());
            return Err(CallFault::Foreign { misfit, got });
        };
        let sent = rtu::frame(unit_id, &pdu);
        let asked = Asked { unit_id, function: request.function_code().value(), shape, sent };
        let found = |bytes: &[u8]| match asked.find(bytes) {
            Found::Incomplete => None,
            Found::Answer(response) => Some(Ok(response)),
            Found::Exception(code) => Some(Err(refused(code))),
            Found::Echo => Some(Err(CallFault::Echo)),
            Found::Misfit(misfit) => Some(Err(foreign(misfit))),
        };
        let response = self.exchange(&asked.sent, times, found).await?;
        let fits = pdu::fits(request, &response);
        fits.map(|()| response.clone())
            .map_err(|misfit| CallFault::Foreign { misfit, got: hex(&response) })
    }

    /// Sends a command, and takes its answer.
    pub(super) async fn command(
        &mut self,
        query: &LineQuery,
        times: Times,
    ) -> Result<Vec<u8>, CallFault> {
        let found = |bytes: &[u8]| match query.end.find(bytes) {
            Reply::Incomplete => None,
            Reply::Whole(answer) if !answer.is_empty() && query.send.starts_with(&answer) => {
                Some(Err(CallFault::Echo))
            }
            Reply::Whole(answer) => Some(Ok(answer)),
            Reply::TooLong => Some(Err(foreign("more bytes than one answer has"))),
        };
        if query.end == LineEnd::NoAnswer {
            self.send(&query.send, times).await?;
            return Ok(Vec::new());
        }
        self.exchange(&query.send, times, found).await
    }

    async fn exchange<T>(
        &mut self,
        question: &[u8],
        times: Times,
        found: impl Fn(&[u8]) -> Option<Result<T, CallFault>>,
    ) -> Result<T, CallFault> {
        self.send(question, times).await?;
        let limit = times.timeout + self.on_the_way(question.len());
        let mut received = Vec::new();
        let answered = timeout(limit, async {
            loop {
                self.receive(&mut received).await?;
                if let Some(found) = found(&received) {
                    return found;
                }
            }
        });
        let fault = match answered.await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(fault)) => fault,
            Err(_) if received.is_empty() => {
                // Held back by a device that is off, it must not go out when it is on again.
                self.wire.stream.discard_output();
                let timeout_ms = u64::try_from(times.timeout.as_millis()).unwrap_or(u64::MAX);
                return Err(CallFault::Silence { timeout_ms });
            }
            Err(_) => {
                foreign("it never became whole: are speed, parity and stop bits as on the device?")
            }
        };
        Err(self.with_evidence(fault, &mut received).await)
    }

    /// Waits for the line to be silent, throws away what came unasked, and sends.
    async fn send(&mut self, question: &[u8], times: Times) -> Result<(), CallFault> {
        // What has to be waited for anyway is no part of the patience with a line that chatters.
        let limit = times.timeout + self.gap(times) + times.spacing;
        let in_time = match timeout(limit, self.settle(times)).await {
            Ok(settled) => settled.map(|()| true)?,
            Err(_) => false,
        };
        if !in_time {
            // A line that was silent all the while is no chatter: the computer stood still, for
            // longer than every pause. What came meanwhile is not read as an answer.
            self.drain()?;
            let got = self.wire.ear.hex();
            if !got.is_empty() {
                return Err(CallFault::Foreign {
                    misfit: "the line is never silent".to_owned(),
                    got,
                });
            }
        }
        self.wire.ear.forget();
        // Never flushed: to wait until it is all out is a system call that RTS/CTS can hold up for
        // ever, and with it a thread of this program.
        let limit = times.timeout + self.on_the_way(question.len());
        let written = timeout(limit, self.wire.write_all(question)).await;
        let held_up = || {
            let cause = "it takes no more bytes: is the device on, and the flow control right?";
            CallFault::Broken { cause: cause.to_owned() }
        };
        let written = written.map_err(|_| held_up());
        let written =
            written.and_then(|written| written.map_err(|error| CallFault::broken(&error)));
        if let Err(fault) = written {
            // Else the system waits for them when the port is closed.
            self.wire.stream.discard_output();
            return Err(fault);
        }
        self.quiet_since = Moment::now().plus(self.on_the_way(question.len()));
        self.asked = Some(self.quiet_since);
        Ok(())
    }

    /// The silence before a question.
    fn gap(&self, times: Times) -> Duration {
        times.gap.max(self.silence())
    }

    /// Throws away what came unasked.
    fn drain(&mut self) -> Result<(), CallFault> {
        let mut unasked = Vec::new();
        for _ in 0..READS_PER_TURN {
            let read = tokio::task::unconstrained(self.receive(&mut unasked)).now_or_never();
            let Some(read) = read else { break };
            read?;
            unasked.clear();
        }
        self.wire.stream.discard_input();
        Ok(())
    }

    async fn settle(&mut self, times: Times) -> Result<(), CallFault> {
        let gap = self.gap(times);
        loop {
            self.drain()?;
            let now = Moment::now();
            let left = |pause: Duration, since| pause.saturating_sub(now.since(since));
            let spaced = self.asked.map_or(Duration::ZERO, |asked| left(times.spacing, asked));
            let rest = left(gap, self.quiet_since).max(spaced);
            if rest.is_zero() {
                return Ok(());
            }
            pause(rest).await;
        }
    }

    /// Waits for bytes and adds them to `received`.
    async fn receive(&mut self, received: &mut Vec<u8>) -> Result<(), CallFault> {
        let mut bytes = [0; ANSWER_LEN_MAX];
        let count = self.wire.read(&mut bytes).await.map_err(|error| CallFault::broken(&error))?;
        if count == 0 {
            // A USB adapter that was unplugged reads like this for ever (DEVICES, section C).
            return Err(CallFault::Broken { cause: "it was closed or unplugged".to_owned() });
        }
        self.quiet_since = Moment::now();
        let room = ANSWER_LEN_MAX.saturating_sub(received.len());
        received.extend(bytes.iter().take(count.min(room)));
        Ok(())
    }

    /// The fault with all that came, once nothing more comes.
    async fn with_evidence(&mut self, fault: CallFault, received: &mut Vec<u8>) -> CallFault {
        let CallFault::Foreign { misfit, got } = fault else { return fault };
        if !got.is_empty() {
            return CallFault::Foreign { misfit, got };
        }
        let rest = async {
            while received.len() < ANSWER_LEN_MAX
                && let Ok(Ok(())) = timeout(EVIDENCE, self.receive(received)).await
            {}
        };
        // What came until then is evidence enough.
        let _dripping = timeout(EVIDENCE_MAX, rest).await;
        CallFault::Foreign { misfit, got: self.wire.ear.hex() }
    }

    /// How long so many characters are on the way: a system takes them at once and sends them in
    /// its own time.
    fn on_the_way(&self, chars: usize) -> Duration {
        let chars = u32::try_from(chars).unwrap_or(u32::MAX);
        Duration::from_micros(self.line.micros(chars))
    }

    fn silence(&self) -> Duration {
        let micros = self.line.micros(SILENCE_HALF_CHARS) / 2;
        Duration::from_micros(micros.max(SILENCE_MICROS_MIN))
    }
}

/// A fault whose evidence is still to come.
fn foreign(misfit: &str) -> CallFault {
    CallFault::Foreign { misfit: misfit.to_owned(), got: String::new() }
}
