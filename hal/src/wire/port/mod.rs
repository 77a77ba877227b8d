//! One task per physical port: it alone speaks there, one question at a time.
//!
//! Questions come through two bounded queues; what takes heat away goes first. Whatever goes wrong
//! on a Modbus TCP connection but a refusal by the device closes it: the number in each answer
//! does the rest. Serial answers have no number, so their defence is **bounded lateness**: after a
//! time-out, or an answer that is none, that address is *held* for its `late_max` while the line
//! is drained; other addresses go on. The first question afterwards asks for another length and is
//! thrown away. While an address is held, only what takes heat away is sent to it, and its answer
//! proves nothing.

#[cfg(test)]
mod command_tests;
mod dial;
pub(crate) mod ear;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod late_tests;
pub(crate) mod pdu;
pub(crate) mod reply;
pub(crate) mod rtu;
mod serial;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use ear::Record;
use ear::{Ear, Tapped};
use pdu::Shape;
use serial::SerialWire;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_modbus::client::{Client as _, Context, tcp};
use tokio_modbus::prelude::{Request, Response, Slave, SlaveContext as _};

use super::bus::{call_fault, refused};
use super::error::CallFault;
use super::hex::hex;
use super::line::{LineEnd, LineQuery};
use super::timer::Moment;
use super::url::{BusUrl, Framing, Port};

/// How many questions may wait. One unit asks one at a time, so more are only what was given up.
const QUEUE_LEN: usize = 16;

/// How long things may take on the wire, for one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// Bounds dialling, and the wait for an answer.
    pub(crate) timeout: Duration,
    /// The silence before a question.
    pub(crate) gap: Duration,
    /// The time from the end of a question to the beginning of the next, on a serial wire.
    pub(crate) spacing: Duration,
    /// How long after a time-out an answer can still come.
    pub(crate) late_max: Duration,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Question {
    Modbus(Request<'static>),
    Command(LineQuery),
}

/// What was answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Modbus(Response),
    Command(Vec<u8>),
}

/// One question to one address.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) address: u8,
    pub(crate) question: Question,
    pub(crate) times: Times,
    /// It takes heat away: it goes first, and is sent whatever the state of the address.
    pub(crate) urgent: bool,
}

enum Order {
    Ask(Ask, oneshot::Sender<Result<Answer, CallFault>>),
    /// The last answer from this address was none after all.
    Distrust {
        address: u8,
        late_max: Duration,
    },
}

/// Where questions to a port are handed in. The task ends, and the port is closed, with the last
/// of these.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    urgent: mpsc::Sender<Order>,
    ordinary: mpsc::Sender<Order>,
}

impl Counter {
    /// Starts the task of a port; must be called within a tokio runtime. Of each of `doubted` an
    /// answer may still come: it is held for its `late_max`.
    pub(crate) fn open(url: BusUrl, record: Option<Record>, doubted: Vec<(u8, Duration)>) -> Self {
        let mut task = PortTask { url, wire: None, ear: Ear::new(record), held: BTreeMap::new() };
        for (address, late_max) in doubted {
            task.doubt(address, late_max, None);
        }
        Self::start(task)
    }

    /// Whether the task is gone: it ends by itself only with the last of these.
    pub(crate) fn has_ended(&self) -> bool {
        self.urgent.is_closed()
    }

    /// A task that takes one question, and ends with it as by a defect.
    #[cfg(test)]
    pub(crate) fn that_ends() -> Self {
        let (urgent, mut first) = mpsc::channel(QUEUE_LEN);
        let (ordinary, mut second) = mpsc::channel(QUEUE_LEN);
        tokio::spawn(async move {
            tokio::select! { _ = first.recv() => {}, _ = second.recv() => {} }
        });
        Self { urgent, ordinary }
    }

    fn start(task: PortTask) -> Self {
        let (urgent, first) = mpsc::channel(QUEUE_LEN);
        let (ordinary, second) = mpsc::channel(QUEUE_LEN);
        tokio::spawn(task.run(first, second));
        Self { urgent, ordinary }
    }

    /// The task of a serial port that is open already: the other end of a pipe.
    #[cfg(test)]
    fn over(url: BusUrl, stream: Box<dyn dial::Stream>) -> Self {
        let ear = Ear::default();
        let line = url.line.unwrap_or_default();
        let wire = Some(Wire::Serial(SerialWire::new(stream, line, ear.clone())));
        Self::start(PortTask { url, wire, ear, held: BTreeMap::new() })
    }

    /// Asks, and waits for the answer. If the caller gives up, so does the port.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, CallFault> {
        let queue = if ask.urgent { &self.urgent } else { &self.ordinary };
        let (sender, answer) = oneshot::channel();
        let gone = || CallFault::Broken { cause: "its task has ended".to_owned() };
        queue.send(Order::Ask(ask, sender)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Tells the port that an answer did not stand up to a closer look.
    pub(crate) async fn distrust(&self, address: u8, late_max: Duration) {
        // A port that is gone has nothing left to trust.
        let _gone = self.ordinary.send(Order::Distrust { address, late_max }).await;
    }
}

/// An address that is left alone.
struct Held {
    until: Moment,
    /// What may still be answered.
    unanswered: Option<Question>,
}

enum Wire {
    Tcp(Box<Context>),
    Serial(SerialWire),
}

struct PortTask {
    url: BusUrl,
    wire: Option<Wire>,
    ear: Ear,
    held: BTreeMap<u8, Held>,
}

impl PortTask {
    async fn run(mut self, mut urgent: mpsc::Receiver<Order>, mut ordinary: mpsc::Receiver<Order>) {
        loop {
            let order = tokio::select! {
                biased;
                Some(order) = urgent.recv() => order,
                Some(order) = ordinary.recv() => order,
                else => return,
            };
            match order {
                Order::Ask(ask, answer) => self.serve(ask, answer).await,
                Order::Distrust { address, late_max } => {
                    self.doubt(address, late_max, None);
                }
            }
        }
    }

    /// Answers one question. If nobody waits for the answer any more, a TCP connection is given up
    /// with it; on a serial line the device answers all the same, and who speaks meanwhile talks
    /// over it, so there the exchange goes on to its end.
    async fn serve(&mut self, ask: Ask, mut answer: oneshot::Sender<Result<Answer, CallFault>>) {
        if answer.is_closed() {
            return;
        }
        let may_hang_up = self.url.framing == Framing::ModbusTcp;
        let asked = tokio::select! {
            biased;
            () = answer.closed(), if may_hang_up => None,
            asked = self.ask(&ask) => Some(asked),
        };
        match asked {
            // Whoever gives up in this moment does not want it.
            Some(asked) => drop(answer.send(asked)),
            None => self.doubt(ask.address, ask.times.late_max, Some(ask.question)),
        }
    }

    async fn ask(&mut self, ask: &Ask) -> Result<Answer, CallFault> {
        if let Some(held) = self.held.get(&ask.address) {
            let left_ms = held.until.ms_since(Moment::now());
            match (left_ms, ask.urgent) {
                (0, true) => {}
                (0, false) => self.throw_one_away(ask).await?,
                (_, false) => return Err(CallFault::HeldBack { left_ms }),
                (_, true) => {
                    // Sent it must be; believed it cannot be.
                    self.exchange(ask, &ask.question).await?;
                    return Err(CallFault::Unproved { left_ms });
                }
            }
        }
        self.exchange(ask, &ask.question).await
    }

    /// After lateness is over, one more question of another length, whose answer is thrown away:
    /// an answer that is later still shows itself here.
    async fn throw_one_away(&mut self, ask: &Ask) -> Result<(), CallFault> {
        let unanswered = self.held.get(&ask.address).and_then(|held| held.unanswered.as_ref());
        let Some(other) = unlike(&ask.question, unanswered) else {
            self.held.remove(&ask.address);
            return Ok(());
        };
        match self.exchange(ask, &other).await {
            Ok(_) | Err(CallFault::Refused { .. }) => {
                self.held.remove(&ask.address);
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    async fn exchange(&mut self, ask: &Ask, question: &Question) -> Result<Answer, CallFault> {
        let wire = match &mut self.wire {
            Some(wire) => wire,
            None => {
                let dialled = dial(&self.url, self.ear.clone(), ask.times.timeout).await;
                match &dialled {
                    Ok(_) => self.ear.note(&"connected"),
                    Err(fault) => self.ear.note(fault),
                }
                self.wire.insert(dialled?)
            }
        };
        self.ear.forget();
        let answered = match (wire, question) {
            (Wire::Tcp(context), Question::Modbus(request)) => {
                over_tcp(context, ask, request, &self.ear).await.map(Answer::Modbus)
            }
            (Wire::Serial(wire), Question::Modbus(request)) => {
                wire.modbus(ask.address, request, ask.times).await.map(Answer::Modbus)
            }
            (Wire::Serial(wire), Question::Command(query)) => {
                wire.command(query, ask.times).await.map(Answer::Command)
            }
            (Wire::Tcp(_), Question::Command(_)) => {
                let cause = "tcp:// speaks Modbus; commands need serial:// or serial+tcp://";
                Err(CallFault::Dial { cause: cause.to_owned() })
            }
        };
        if let Err(fault) = &answered {
            self.ear.note(fault);
        }
        match &answered {
            Ok(_) | Err(CallFault::Refused { .. }) => {}
            Err(CallFault::Broken { .. }) => {
                self.doubt(ask.address, ask.times.late_max, Some(question.clone()));
                self.wire = None;
            }
            Err(_) => self.doubt(ask.address, ask.times.late_max, Some(question.clone())),
        }
        answered
    }

    /// Nobody knows what still comes from this address.
    fn doubt(&mut self, address: u8, late_max: Duration, unanswered: Option<Question>) {
        match self.url.framing {
            Framing::ModbusTcp => self.wire = None,
            Framing::ModbusRtu | Framing::Commands => {
                let until = Moment::now().plus(late_max);
                self.held.insert(address, Held { until, unanswered });
            }
        }
    }
}

async fn dial(url: &BusUrl, ear: Ear, limit: Duration) -> Result<Wire, CallFault> {
    match (&url.port, url.framing) {
        (Port::Socket { host, port }, Framing::ModbusTcp) => {
            let stream: TcpStream = dial::socket(host, *port, limit).await?;
            Ok(Wire::Tcp(Box::new(tcp::attach(Tapped { stream, ear }))))
        }
        (port, Framing::ModbusTcp | Framing::ModbusRtu | Framing::Commands) => {
            let line = url.line.unwrap_or_default();
            let stream = dial::dial(port, line, limit).await?;
            Ok(Wire::Serial(SerialWire::new(stream, line, ear)))
        }
    }
}

/// A question whose answer cannot be taken for that to `unanswered`, about what `next` is about;
/// `None` where there is none to ask. Where `next` itself will do it is the best: that the device
/// knows it is certain, and one that is silent to another length, or answers in a length of its
/// own, would be left alone for ever.
fn unlike(next: &Question, unanswered: Option<&Question>) -> Option<Question> {
    let next = match next {
        Question::Command(query) if query.end == LineEnd::NoAnswer => return None,
        Question::Command(_) => return Some(next.clone()),
        Question::Modbus(next) if is_unlike(next, unanswered) => {
            return Some(Question::Modbus(next.clone()));
        }
        Question::Modbus(next) => next,
    };
    let asked = match unanswered {
        Some(Question::Modbus(
            Request::ReadCoils(_, count) | Request::ReadDiscreteInputs(_, count),
        )) => count.div_ceil(16),
        Some(Question::Modbus(
            Request::ReadHoldingRegisters(_, count) | Request::ReadInputRegisters(_, count),
        )) => *count,
        Some(Question::Modbus(_) | Question::Command(_)) | None => 0,
    };
    // In words; 16 bits are two bytes, as one word is.
    let words = if asked == 1 { 2 } else { 1 };
    Some(Question::Modbus(if let Request::ReadInputRegisters(address, _) = next {
        Request::ReadInputRegisters(*address, words)
    } else if let Request::ReadDiscreteInputs(address, _) = next {
        Request::ReadDiscreteInputs(*address, words * 16)
    } else if let Request::ReadCoils(address, _) | Request::WriteSingleCoil(address, _) = next {
        Request::ReadCoils(*address, words * 16)
    } else if let Request::ReadHoldingRegisters(address, _) = next {
        Request::ReadHoldingRegisters(*address, words)
    } else {
        // Whatever it says to this, value or refusal, it says now.
        Request::ReadHoldingRegisters(0, words)
    }))
}

/// Whether `next` reads, and its answer differs in function or length from that to `unanswered`.
fn is_unlike(next: &Request<'static>, unanswered: Option<&Question>) -> bool {
    let shape = |request: &Request<'_>| match pdu::question(request)? {
        (pdu, Shape::Counted { bytes }) => Some((pdu.first().copied()?, bytes)),
        (_, Shape::Echo | Shape::Free) => None,
    };
    match unanswered {
        Some(Question::Modbus(asked)) => shape(next).is_some() && shape(next) != shape(asked),
        Some(Question::Command(_)) | None => false,
    }
}

pub(crate) async fn over_tcp(
    context: &mut Context,
    ask: &Ask,
    request: &Request<'static>,
    ear: &Ear,
) -> Result<Response, CallFault> {
    if !ask.times.gap.is_zero() {
        tokio::time::sleep(ask.times.gap).await;
    }
    context.set_slave(Slave(ask.address));
    match timeout(ask.times.timeout, context.call(request.clone())).await {
        Err(_) => {
            let timeout_ms = u64::try_from(ask.times.timeout.as_millis()).unwrap_or(u64::MAX);
            let got = ear.hex();
            if got.is_empty() {
                return Err(CallFault::Silence { timeout_ms });
            }
            Err(CallFault::Foreign { misfit: "it never became whole".to_owned(), got })
        }
        Ok(Err(error)) => Err(call_fault(error, ear.hex())),
        Ok(Ok(Err(exception))) => Err(refused(u8::from(exception))),
        Ok(Ok(Ok(response))) => match pdu::fits(request, &response) {
            Ok(()) => Ok(response),
            Err(misfit) => Err(CallFault::Foreign { misfit, got: hex(&response) }),
        },
    }
}
