//! The machine during a commissioning: one control period at a time, under interlocks.
//!
//! Each period reads, looks whether heat may be on at all, and sends the command that the step
//! wants. Whatever is doubtful ends the whole run, and whoever guards it makes the machine safe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holder_hal::{Celsius, Command, Heat, Kelvin, Machine, Reading, Role, Sample, Tick};
use tokio::sync::{mpsc, oneshot};

use super::report::{Curve, StepReport};
use crate::batch::certificate::Certificate;
use crate::invocation;
use crate::station::clock::Clock;
use crate::station::control_loop::{LastCommand, SharedMachine, unwatched_ms_max};
use crate::station::reach::Hands;

/// So many periods without a bath that can be trusted end the run.
const BATH_LOST_MAX: u32 = 2;
/// So many commands in a row that did not arrive end the run.
const UNDELIVERED_MAX: u32 = 3;
/// A row of the curve this often, milliseconds.
const ROW_MS: u64 = 10_000;
/// A question that nobody answers ends the run after this long, milliseconds.
const ANSWER_MS_MAX: u64 = 30 * 60_000;

/// Nobody watches for longer than this only if the program stood still, milliseconds: the shipped
/// recipes' `max_gap`, as in a batch.
const GAP_MS_MAX: u64 = 10_000;

/// Why a commissioning ended before its last step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// A temperature above the trip.
    #[error(
        "{probe} is at {celsius:.1} °C, above {trip:.1} °C: heat off. Switch the heater off at the \
         machine if it goes on rising"
    )]
    TooHot {
        /// Which probe.
        probe: String,
        /// Its temperature.
        celsius: Celsius,
        /// The limit.
        trip: Celsius,
    },
    /// The bath probe gives nothing to trust.
    #[error(
        "the bath probe gave no reading to trust for {BATH_LOST_MAX} control periods: heat off. \
         `{}` says more",
        check(unit)
    )]
    BathLost {
        /// The unit.
        unit: String,
    },
    /// The machine does not follow.
    #[error("the machine did not follow: {0}")]
    NotFollowed(String),
    /// The program stood still, so that nobody watched.
    #[error(
        "the program stood still for {gone_s} s, and nobody watched the machine: heat off. Let the \
         computer not sleep while it commissions, and begin again"
    )]
    StoodStill {
        /// For how long, seconds of the unit's time.
        gone_s: u64,
    },
    /// The person said no, or left.
    #[error("{0}")]
    Person(String),
}

/// The command that says what is wrong with a unit.
pub(super) fn check(unit: &str) -> String {
    invocation::command(format_args!("unit check {unit}"))
}

/// A screen that takes no question for so long (real time) is not there.
const ASK_WITHIN: Duration = Duration::from_secs(5);

/// What a person is told and asked. Temperatures are corrected.
#[derive(Debug)]
pub enum Told {
    /// A step begins.
    Step {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// The question that it answers.
        title: &'static str,
        /// What happens now, and what to do.
        instruction: String,
    },
    /// What is read now, once per period.
    Live {
        /// Seconds since the step began.
        step_s: u64,
        /// The bath.
        bath: Celsius,
        /// The milk probes, then the reference.
        others: Vec<Option<Celsius>>,
    },
    /// A question; dropping the reply ends the run.
    Question {
        /// What is asked.
        text: String,
        /// Yes or no.
        reply: oneshot::Sender<bool>,
    },
    /// A step is over.
    Done(StepReport),
}

/// What was seen in one period: only what can be trusted, corrected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) at: Tick,
    pub(super) bath: Celsius,
    /// The milk probes, then the reference.
    pub(super) others: Vec<Option<Celsius>>,
    pub(super) lid_closed: Option<bool>,
}

/// What outlives the work, however it ends.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) steps: Vec<StepReport>,
    pub(super) curve: Curve,
}

/// Notes that the work writes and its guard reads.
pub(super) type Notebook = Arc<Mutex<Notes>>;

/// One probe that is watched, by its role.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) role: String,
    pub(super) certificate: Certificate,
}

impl Watched {
    fn see(&self, sample: Option<Sample>) -> Option<Celsius> {
        sample?.trusted().map(|raw| self.certificate.correct(raw))
    }
}

/// A probe of which nothing is known.
pub(super) fn uncertified(role: Role) -> Watched {
    let nobody = || "none".to_owned();
    let certificate = Certificate {
        number: nobody(),
        date: nobody(),
        due: nobody(),
        by: nobody(),
        reference: nobody(),
        uncertainty: Kelvin::ZERO,
        offsets: Vec::new(),
    };
    Watched { role: role.to_string(), certificate }
}

/// A unit on the bench.
pub(super) struct Bench<M> {
    /// The unit's name.
    pub(super) unit: String,
    pub(super) machine: SharedMachine<M>,
    pub(super) clock: Clock,
    pub(super) last: LastCommand,
    pub(super) bath: Watched,
    pub(super) milk: Vec<Watched>,
    pub(super) reference: Option<Watched>,
    /// The highest bath set point.
    pub(super) clamp: Celsius,
    pub(super) period_ms: u64,
    pub(super) people: mpsc::Sender<Told>,
    /// Plays the person on a simulated machine.
    pub(super) hands: Option<Hands>,
    pub(super) notebook: Notebook,
    pub(super) due: Tick,
    /// The newest moment at which the machine was watched.
    pub(super) watched: Tick,
    pub(super) step_began: Tick,
    pub(super) row_due: Tick,
    pub(super) bath_lost: u32,
    pub(super) undelivered: u32,
}

/// The command of a step that wants no heat.
pub(super) const fn off() -> Command {
    Command { heat: Heat::Off, agitator: true, cooling: false }
}

impl<M: Machine> Bench<M> {
    /// Where heat is cut, whatever a step wants: clamp + 1.0 °C, as in a batch.
    fn trip(&self) -> Celsius {
        self.clamp + Kelvin::from_milli(1_000)
    }

    /// The names of the probes beside the bath: milk probes, then the reference.
    pub(super) fn others(&self) -> Vec<String> {
        let all = self.milk.iter().chain(&self.reference);
        all.map(|watched| watched.role.clone()).collect()
    }

    /// How long an exchange may take (real time).
    fn patience(&self) -> Duration {
        self.clock.wire_patience(self.period_ms)
    }

    /// One control period: waits until it is due, reads, and sends `command`, without its heat if
    /// the bath is not known.
    pub(super) async fn period(&mut self, command: Command) -> Result<Seen, Stop> {
        loop {
            self.clock.sleep_until(self.due).await;
            let at = self.watch()?;
            self.due = at.plus_ms(self.period_ms);
            let exchange = async { self.machine.lock().await.read().await };
            let reading = tokio::time::timeout(self.patience(), exchange).await.ok();
            // The answer may have lain in the line since before.
            self.watch()?;
            let others = self.look(reading.as_ref());
            let bath = reading.as_ref().and_then(|reading| self.bath.see(Some(reading.bath)));
            self.too_hot(bath, &others)?;
            let Some(bath) = bath else {
                self.bath_lost += 1;
                self.send(Command { heat: Heat::Off, ..command }).await?;
                if self.bath_lost >= BATH_LOST_MAX {
                    return Err(Stop::BathLost { unit: self.unit.clone() });
                }
                continue;
            };
            self.bath_lost = 0;
            self.send(command).await?;
            let lid_closed = reading.and_then(|reading| reading.lid).and_then(|lid| lid.on);
            let seen = Seen { at, bath, others, lid_closed };
            self.note(&seen);
            return Ok(seen);
        }
    }

    /// Notes that the machine is watched now, and gives the moment. A program that stood still and goes
    /// on has not watched what the machine made of its last order: nothing is heated on that
    /// (docs/decisions/0027).
    fn watch(&mut self) -> Result<Tick, Stop> {
        let now = self.clock.now();
        let max_ms = unwatched_ms_max(GAP_MS_MAX, self.period_ms);
        let gone_ms = now.ms_since(self.watched);
        if gone_ms > self.clock.real_ms(max_ms) {
            return Err(Stop::StoodStill { gone_s: gone_ms / 1000 });
        }
        self.watched = now;
        Ok(now)
    }

    /// Leaves the machine alone for so long, on purpose.
    pub(super) async fn leave_alone(&mut self, ms: u64) {
        self.due = self.clock.now().plus_ms(ms);
        self.clock.sleep_until(self.due).await;
        self.watched = self.due;
    }

    fn look(&self, reading: Option<&Reading>) -> Vec<Option<Celsius>> {
        let milk = self.milk.iter().enumerate().map(|(index, watched)| {
            watched.see(reading.and_then(|reading| reading.milk.get(index).copied().flatten()))
        });
        let reference = self.reference.iter();
        milk.chain(reference.map(|watched| watched.see(reading.and_then(|r| r.reference))))
            .collect()
    }

    fn too_hot(&self, bath: Option<Celsius>, others: &[Option<Celsius>]) -> Result<(), Stop> {
        let trip = self.trip();
        let names = std::iter::once(self.bath.role.clone()).chain(self.others());
        let values = std::iter::once(bath).chain(others.iter().copied());
        for (probe, value) in names.zip(values) {
            if let Some(celsius) = value.filter(|celsius| *celsius > trip) {
                return Err(Stop::TooHot { probe, celsius, trip });
            }
        }
        Ok(())
    }

    async fn send(&mut self, command: Command) -> Result<(), Stop> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = command;
        let write = async { self.machine.lock().await.write(&command).await };
        let fault = match tokio::time::timeout(self.patience(), write).await {
            Ok(Ok(())) => {
                self.undelivered = 0;
                return Ok(());
            }
            Ok(Err(fault)) => fault.to_string(),
            Err(_) => "a command was not confirmed within a control period".to_owned(),
        };
        tracing::warn!(fault, "command not delivered");
        self.undelivered += 1;
        if self.undelivered >= UNDELIVERED_MAX {
            return Err(Stop::NotFollowed(fault));
        }
        Ok(())
    }

    fn note(&mut self, seen: &Seen) {
        if seen.at >= self.row_due {
            self.row_due = seen.at.plus_ms(ROW_MS);
            let degrees = |value: &Option<Celsius>| value.map(Celsius::as_f64);
            let time = [Some(seen.at.ms() as f64 / 1000.0), Some(seen.bath.as_f64())];
            let row = time.into_iter().chain(seen.others.iter().map(degrees)).collect();
            let mut notes = self.notebook.lock().unwrap_or_else(PoisonError::into_inner);
            notes.curve.rows.push(row);
        }
        let step_s = seen.at.ms_since(self.step_began) / 1000;
        self.tell(Told::Live { step_s, bath: seen.bath, others: seen.others.clone() });
    }

    /// Tells the person. A screen that is gone or slow never holds the machine up; the notebook
    /// has it all.
    pub(super) fn tell(&self, what: Told) {
        if self.people.try_send(what).is_err() {
            tracing::debug!("the screen is slow: a line was not shown");
        }
    }

    /// Asks the person; the periods go on meanwhile with `command`. On a simulated machine the
    /// program answers yes.
    pub(super) async fn ask(&mut self, text: String, command: Command) -> Result<bool, Stop> {
        self.ask_while(text, command, |_, command| command).await
    }

    /// The same, where each period's command follows from the bath and the command before it.
    pub(super) async fn ask_while(
        &mut self,
        text: String,
        mut command: Command,
        next: impl Fn(Celsius, Command) -> Command,
    ) -> Result<bool, Stop> {
        if self.hands.is_some() {
            return Ok(true);
        }
        let (reply, mut answer) = oneshot::channel();
        let gone = || Stop::Person("nobody is there to answer".to_owned());
        let asked =
            tokio::time::timeout(ASK_WITHIN, self.people.send(Told::Question { text, reply }));
        asked.await.map_err(|_| gone())?.map_err(|_| gone())?;
        let asked = self.clock.now();
        loop {
            let seen = self.period(command).await?;
            command = next(seen.bath, command);
            match answer.try_recv() {
                Ok(answer) => return Ok(answer),
                Err(oneshot::error::TryRecvError::Closed) => return Err(gone()),
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            if seen.at.ms_since(asked) > ANSWER_MS_MAX {
                return Err(Stop::Person("nobody answered for half an hour".to_owned()));
            }
        }
    }

    /// Seconds since the step began.
    pub(super) fn step_s(&self) -> f64 {
        self.clock.now().ms_since(self.step_began) as f64 / 1000.0
    }
}
