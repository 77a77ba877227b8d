//! One unit's loop. Once per control period: read → step → commit → permit → command.
//!
//! The record keeps the command that the engine *wanted*; where heat was withheld, a remark says
//! so, the engine is told, and the view shows what was *sent* (docs/decisions/0027).
//!
//! The loop owns the engine and borrows the machine period by period; whoever supervises it can
//! always take the machine and make it safe.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use holder_hal::{Command, Heat, Machine, Quality, Reading, Sample, Switch, Tick};
use tokio::sync::{Mutex, mpsc};

use super::clock::Clock;
use super::permit::{HeatPermit, Withheld};
use super::recorder::{RecordError, Recorder};
use super::recovery::TakenUp;
use super::view::View;
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Effects, Entry, Event, Input};

mod absence;
mod newest;
mod orders;
mod show;

pub(crate) use absence::unwatched_ms_max;
pub(crate) use newest::Newest;
pub(crate) use orders::Orders;

/// A machine that the loop and its supervisor share.
pub type SharedMachine<M> = Arc<Mutex<M>>;

/// What the machine was last told, for the supervisor's safe state.
pub type LastCommand = Arc<std::sync::Mutex<Command>>;

/// The loop of one batch on one unit.
pub struct ControlLoop<M> {
    /// The machine.
    pub machine: SharedMachine<M>,
    /// Its time.
    pub clock: Clock,
    /// The rules.
    pub engine: Engine,
    /// The record.
    pub recorder: Recorder,
    /// What people do.
    pub actions: mpsc::Receiver<Action>,
    /// What people see.
    pub views: mpsc::Sender<View>,
    /// What the machine was last told.
    pub last_command: LastCommand,
    /// How long a read or a write may take (real time): one control period. What takes longer
    /// is given up; dropping an exchange closes its connection, so that no late answer is taken
    /// for another's.
    pub patience: Duration,
    newest: Newest,
    withheld: Withheld,
    phase_since: Tick,
    last_reading: Option<Reading>,
    message: Option<String>,
    standing: [bool; 3],
    orders: Orders,
    resumes: Option<(Tick, Action)>,
    history: Vec<Entry>,
    waiting: VecDeque<Action>,
}

/// What came of an exchange with the machine.
enum Exchanged {
    /// The reading; `None` if it did not come in time.
    Read(Option<Reading>),
    /// A person stopped the batch meanwhile.
    Stopped(Action),
}

/// What may go wrong between the machine, the engine and the record.
#[derive(Clone, Copy)]
enum Trouble {
    /// The record is behind, so that heat has no permit.
    Withheld,
    /// A command did not arrive, or was not proved to.
    Undelivered,
    /// A reading took longer than a control period.
    Unread,
}

impl Trouble {
    const fn over(self) -> &'static str {
        match self {
            Self::Withheld => "the record has caught up: heat is permitted again",
            Self::Undelivered => "commands arrive again",
            Self::Unread => "readings come in time again",
        }
    }
}

impl<M: Machine> ControlLoop<M> {
    /// A loop that has not begun.
    pub fn new(
        machine: SharedMachine<M>,
        clock: Clock,
        engine: Engine,
        recorder: Recorder,
        actions: mpsc::Receiver<Action>,
        views: mpsc::Sender<View>,
    ) -> Self {
        Self {
            patience: clock.wire_patience(engine.params().period_ms),
            phase_since: clock.now(),
            machine,
            clock,
            engine,
            recorder,
            actions,
            views,
            last_command: Arc::new(std::sync::Mutex::new(Command::safe(false))),
            newest: Newest::default(),
            withheld: Withheld::default(),
            last_reading: None,
            message: None,
            standing: [false; 3],
            orders: Orders::default(),
            resumes: None,
            history: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// The same loop for a batch that is continued after an outage, which was over at `at`: its clock
    /// goes on from there, and its engine has taken all stored inputs. The first view tells all that happened before.
    #[must_use]
    pub fn resuming(self, from: TakenUp, outage_ms: Option<u64>, at: Tick) -> Self {
        Self {
            newest: Newest::taken_up(from.last),
            phase_since: from.phase_since,
            resumes: Some((at, Action::Resume { outage_ms })),
            history: from.history,
            engine: from.engine,
            ..self
        }
    }

    /// Runs until the batch has come to its end. Its last steps may still wait for the disk then:
    /// the machine is made safe first, and whoever closes the record waits for them.
    ///
    /// # Errors
    /// The record cannot be kept: then nothing may be heated.
    pub async fn run(mut self) -> Result<(Engine, Recorder), RecordError> {
        let period_ms = self.engine.params().period_ms;
        if let Some((at, resume)) = self.resumes.take() {
            self.take_up(at, resume).await?;
        }
        let mut due = self.clock.now();
        self.newest.watched_at(due);
        while let Some((at, reading)) = self.read().await? {
            self.last_reading = Some(reading);
            self.turn(at, Input::Reading(reading)).await?;
            self.waiting.extend(self.orders.changed(self.engine.orders_lost()));
            while let Some(action) = self.waiting.pop_front() {
                self.turn(self.clock.now(), Input::Operator(action)).await?;
            }
            // A late period is not made up for.
            due = due.plus_ms(period_ms).max(self.clock.now()).max(at.plus_ms(1));
            self.wait_until(due).await?;
        }
        Ok((self.engine, self.recorder))
    }

    /// Reads the machine; `None` once the batch is over. A stop takes effect at once, and the
    /// exchange is given up for it. Whatever else people do meanwhile waits until the exchange is
    /// finished: one that is given up costs a device its connection, and the next reading.
    ///
    /// A reading bears the time *before* it was asked for, so that no value is older than its
    /// tick says. One that does not come within the patience is a reading in which nothing
    /// answered, at the time when that was known: the engine cuts the heat by its own rule, and
    /// the record has the miss.
    async fn read(&mut self) -> Result<Option<(Tick, Reading)>, RecordError> {
        while !self.engine.phase().is_final() {
            self.notice_absence().await?;
            let asked = self.clock.now();
            match self.exchange().await {
                Exchanged::Stopped(stop) => {
                    self.turn(self.clock.now(), Input::Operator(stop)).await?;
                }
                Exchanged::Read(answer) => {
                    let missed = "a reading took longer than a control period and was given up";
                    let missed = answer.is_none().then(|| missed.to_owned());
                    self.trouble(asked, Trouble::Unread, missed)?;
                    return Ok(Some(match answer {
                        Some(reading) => (asked, reading),
                        None => (self.clock.now(), self.nothing()),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// One exchange with the machine, within the patience.
    async fn exchange(&mut self) -> Exchanged {
        let machine = self.machine.clone();
        let read = async { machine.lock().await.read().await };
        let mut read = std::pin::pin!(tokio::time::timeout(self.patience, read));
        loop {
            tokio::select! {
                biased;
                Some(action) = self.actions.recv() => match action {
                    Action::Stop { .. } => return Exchanged::Stopped(action),
                    Action::ConfirmLoad { .. }
                    | Action::ConfirmUnload { .. }
                    | Action::Resume { .. }
                    | Action::ConfirmHeat
                    | Action::Orders { .. }
                    | Action::Record { .. }
                    | Action::Acknowledge { .. } => self.waiting.push_back(action),
                },
                answer = &mut read => return Exchanged::Read(answer.ok()),
            }
        }
    }

    /// A reading in which nothing answered.
    fn nothing(&self) -> Reading {
        let params = self.engine.params();
        let missing = Sample::missing(Quality::Comm);
        Reading {
            reference: params.reference.as_ref().map(|_| missing),
            lid: params.has_lid.then_some(Switch { on: None, quality: Quality::Comm }),
            ..Reading::nothing(params.milk.len(), params.simulated)
        }
    }

    /// An input, and what the engine must know of its turn. One that was on its way while nobody
    /// watched is not taken for what is the case now: a reading may be as old as its question, and
    /// nobody can have seen that heat waits to be confirmed.
    async fn turn(&mut self, at: Tick, input: Input) -> Result<(), RecordError> {
        let was_absent = self.notice_absence().await?;
        let is_old = matches!(input, Input::Reading(_) | Input::Operator(Action::ConfirmHeat));
        if was_absent && is_old {
            return Ok(());
        }
        let mut next = Some((at, input));
        while let Some((at, input)) = next {
            let told = self.take(at, input).await?;
            next = told.map(|action| (self.clock.now(), Input::Operator(action)));
        }
        Ok(())
    }

    /// One input: whatever it is, the way to the machine is the same. Gives what the engine must be
    /// told of it.
    async fn take(&mut self, at: Tick, input: Input) -> Result<Option<Action>, RecordError> {
        let at = self.newest.rise(at, &input);
        let is_reading = matches!(input, Input::Reading(_));
        let effects = self.engine.step(at, input.clone());
        let wanted = effects.command;
        let mut sent = wanted;
        if let Some(command) = HeatPermit::before_the_disk(wanted) {
            self.send(at, command).await?;
        }
        let phase = self.engine.phase();
        self.recorder.commit(&self.clock, at, input, &effects, phase).await?;
        let (permit, now) = (self.recorder.permit(), self.clock.now());
        if let Some(command) = permit.after_the_disk(now, wanted) {
            sent = command;
            let text = "heat was withheld: the newest reading on the disk is older than one period";
            self.trouble(at, Trouble::Withheld, (!sent.heats()).then(|| text.to_owned()))?;
            self.send(at, sent).await?;
        }
        let in_time = is_reading.then(|| permit.is_fresh(now));
        let told = self.withheld.after(&self.engine, (wanted, sent), in_time);
        self.publish(at, &effects, sent).await;
        Ok(told)
    }

    /// Waits for the next period; what people do in the meantime takes effect at once.
    async fn wait_until(&mut self, due: Tick) -> Result<(), RecordError> {
        while !self.engine.phase().is_final() {
            tokio::select! {
                biased;
                Some(action) = self.actions.recv() => {
                    self.turn(self.clock.now(), Input::Operator(action)).await?;
                }
                () = self.clock.sleep_until(due) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Sends a command. One that does not arrive is tried again with the next period, and the
    /// readings of the same device will cut the heat by themselves; a person is told.
    async fn send(&mut self, at: Tick, command: Command) -> Result<(), RecordError> {
        *self.last_command.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = command;
        let write = async { self.machine.lock().await.write(&command).await };
        let fault = match tokio::time::timeout(self.patience, write).await {
            Ok(sent) => sent.err().map(|fault| format!("a command did not arrive: {fault}")),
            Err(_) => Some("a command was not confirmed within a control period".to_owned()),
        };
        self.orders.sent(&command, fault.is_none());
        self.trouble(at, Trouble::Undelivered, fault)
    }

    /// Tells the record and the person when a trouble begins, and when it is over.
    fn trouble(
        &mut self,
        at: Tick,
        what: Trouble,
        text: Option<String>,
    ) -> Result<(), RecordError> {
        let [withheld, undelivered, unread] = &mut self.standing;
        let standing = match what {
            Trouble::Withheld => withheld,
            Trouble::Undelivered => undelivered,
            Trouble::Unread => unread,
        };
        let remark = match (*standing, text) {
            (false, Some(text)) => text,
            (true, None) => what.over().to_owned(),
            (true, Some(_)) | (false, None) => return Ok(()),
        };
        *standing = !*standing;
        tracing::warn!(remark);
        self.message = Some(remark.clone());
        self.recorder.remark(&self.clock, at, remark)
    }

    async fn publish(&mut self, at: Tick, effects: &Effects, sent: Command) {
        let entered = |event: &Event| matches!(event, Event::Entered { .. });
        if effects.entries.iter().any(|entry| entered(&entry.event)) {
            self.phase_since = at;
        }
        if let Some(refusal) = &effects.refusal {
            self.message = Some(refusal.to_string());
        }
        if self.orders.offs_are_lost() {
            // Said again with every period while it stands, before anything else.
            let said = self.message.take().map(|said| format!(" ({said})")).unwrap_or_default();
            self.message = Some(format!(
                "ATTENTION: switch the heater off at the machine; it does not confirm that the heat \
                 is off.{said}"
            ));
        }
        let view = self.view(at, effects, sent);
        match self.clock {
            // A screen that is gone or slow must not hold up the loop; the record has it all.
            Clock::Running { .. } => {
                if let Err(mpsc::error::TrySendError::Full(_)) = self.views.try_send(view) {
                    tracing::debug!("the screen is slow: one period was not shown");
                }
            }
            Clock::Lockstep { .. } => {
                let _ = self.views.send(view).await;
            }
        }
    }
}

/// The state to leave a machine in: no heat; agitator and valve as the batch left them, but the
/// agitator on unless the batch was over.
pub fn safe_command(last: Command, batch_over: bool) -> Command {
    Command { heat: Heat::Off, agitator: last.agitator || !batch_over, cooling: last.cooling }
}
