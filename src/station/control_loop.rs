//! One unit's loop. Once per control period: read → step → commit → permit → command.
//!
//! The loop owns the engine and borrows the machine period by period; whoever supervises it can
//! always take the machine and make it safe.

use std::sync::Arc;

use holder_hal::{Celsius, Command, Heat, MILK_PROBES_MAX, Machine, Reading, Sample, Tick};
use tokio::sync::{Mutex, mpsc};

use super::clock::Clock;
use super::recorder::{RecordError, Recorder};
use super::view::{Shown, View};
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Alarm, Effects, Event, Input};
use crate::batch::params::Probe;

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
    phase_since: Tick,
    last_reading: Option<Reading>,
    message: Option<String>,
    withheld: bool,
    undelivered: bool,
}

/// What may go wrong between the engine's command and the machine.
#[derive(Clone, Copy)]
enum Trouble {
    /// The record is behind, so that heat has no permit.
    Withheld,
    /// A command did not arrive, or was not proved to.
    Undelivered,
}

impl Trouble {
    const fn over(self) -> &'static str {
        match self {
            Self::Withheld => "the record has caught up: heat is permitted again",
            Self::Undelivered => "commands arrive again",
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
        let last_command = Arc::new(std::sync::Mutex::new(Command::safe(false)));
        let phase_since = clock.now();
        Self {
            machine,
            clock,
            engine,
            recorder,
            actions,
            views,
            last_command,
            phase_since,
            last_reading: None,
            message: None,
            withheld: false,
            undelivered: false,
        }
    }

    /// Runs until the batch has come to its end.
    ///
    /// # Errors
    /// The record cannot be kept: then nothing may be heated.
    pub async fn run(mut self) -> Result<Engine, RecordError> {
        let period_ms = self.engine.params().period_ms;
        let mut due = self.clock.now();
        while !self.engine.phase().is_final() {
            let reading = self.machine.lock().await.read().await;
            self.last_reading = Some(reading);
            self.turn(Input::Reading(reading)).await?;
            // A late period is not made up for: the next one is a whole period away.
            due = due.plus_ms(period_ms).max(self.clock.now());
            self.wait_until(due).await?;
        }
        self.recorder.settle().await?;
        Ok(self.engine)
    }

    /// One turn: whatever the input, the way to the machine is the same.
    async fn turn(&mut self, input: Input) -> Result<(), RecordError> {
        let now = self.clock.now();
        let effects = self.engine.step(now, input.clone());
        // An off-command never waits for a disk.
        if !effects.command.heats() {
            self.send(now, effects.command).await?;
        }
        let phase = self.engine.phase();
        self.recorder.commit(&self.clock, now, input, &effects, phase).await?;
        if effects.command.heats() {
            let granted = self.recorder.permit().grant(self.clock.now(), effects.command);
            let text = "heat was withheld: the disk had not acknowledged the newest readings";
            self.trouble(now, Trouble::Withheld, (!granted.heats()).then(|| text.to_owned()))?;
            self.send(now, granted).await?;
        }
        self.publish(now, &effects).await;
        Ok(())
    }

    /// Waits for the next period; what people do in the meantime takes effect at once.
    async fn wait_until(&mut self, due: Tick) -> Result<(), RecordError> {
        loop {
            tokio::select! {
                biased;
                Some(action) = self.actions.recv() => {
                    self.turn(Input::Operator(action)).await?;
                    if self.engine.phase().is_final() {
                        return Ok(());
                    }
                }
                () = self.clock.sleep_until(due) => return Ok(()),
            }
        }
    }

    /// Sends a command. One that does not arrive is tried again with the next period, and the
    /// readings of the same device will cut the heat by themselves; a person is told.
    async fn send(&mut self, now: Tick, command: Command) -> Result<(), RecordError> {
        *self.last_command.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = command;
        let sent = self.machine.lock().await.write(&command).await;
        let fault = sent.err().map(|fault| format!("a command did not arrive: {fault}"));
        self.trouble(now, Trouble::Undelivered, fault)
    }

    /// Tells the record and the person when a trouble begins, and when it is over.
    fn trouble(
        &mut self,
        now: Tick,
        what: Trouble,
        text: Option<String>,
    ) -> Result<(), RecordError> {
        let standing = match what {
            Trouble::Withheld => &mut self.withheld,
            Trouble::Undelivered => &mut self.undelivered,
        };
        let remark = match (*standing, text) {
            (false, Some(text)) => text,
            (true, None) => what.over().to_owned(),
            (true, Some(_)) | (false, None) => return Ok(()),
        };
        *standing = !*standing;
        tracing::warn!(remark);
        self.message = Some(remark.clone());
        self.recorder.remark(&self.clock, now, remark)
    }

    async fn publish(&mut self, now: Tick, effects: &Effects) {
        let entered = |event: &Event| matches!(event, Event::Entered { .. });
        if effects.entries.iter().any(|entry| entered(&entry.event)) {
            self.phase_since = now;
        }
        if let Some(refusal) = &effects.refusal {
            self.message = Some(refusal.to_string());
        }
        let view = self.view(now, effects);
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

    fn view(&mut self, now: Tick, effects: &Effects) -> View {
        let params = self.engine.params();
        let nothing = Reading::nothing(params.milk.len(), params.simulated);
        let reading = self.last_reading.unwrap_or(nothing);
        let mut milk = [None; MILK_PROBES_MAX];
        for ((cell, sample), probe) in milk.iter_mut().zip(reading.milk).zip(&params.milk) {
            *cell = sample.map(|sample| shown(probe, sample));
        }
        let reference = reading.reference.zip(params.reference.as_ref());
        View {
            batch: self.recorder.batch().to_owned(),
            unit: params.unit.clone(),
            recipe: params.recipe.name.clone(),
            purpose: params.purpose,
            simulated: params.simulated || reading.simulated,
            at: now,
            utc_ms: self.clock.utc_ms(),
            phase: self.engine.phase(),
            phase_since: self.phase_since,
            held_ms: self.engine.held_ms(),
            hold_ms: params.recipe.hold.hold_ms,
            holds_broken: self.engine.holds_broken(),
            floor: params.recipe.hold.floor,
            limit: params.limit_max(),
            ceiling: params.recipe.ceiling.note,
            cooling_target: params.recipe.cooling.target,
            bath: shown(&params.bath, reading.bath),
            milk,
            reference: reference.map(|(sample, probe)| shown(probe, sample)),
            lid_closed: reading.lid.and_then(|lid| lid.on),
            command: effects.command,
            alarms: Alarm::ALL.into_iter().filter(|alarm| self.engine.stands(*alarm)).collect(),
            news: effects.entries.clone(),
            message: self.message.take(),
        }
    }
}

fn shown(probe: &Probe, sample: Sample) -> Shown {
    let value: Option<Celsius> = sample.raw.map(|raw| probe.certificate.correct(raw));
    Shown { value, quality: sample.quality }
}

/// The state to leave a machine in: no heat; agitator and valve as the batch left them, but the
/// agitator on unless the batch was over.
pub fn safe_command(last: Command, batch_over: bool) -> Command {
    Command { heat: Heat::Off, agitator: last.agitator || !batch_over, cooling: last.cooling }
}
