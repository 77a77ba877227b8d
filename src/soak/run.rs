//! One run: the station's loop on the rig, from the start to the closed record.
//!
//! The order of a turn is the station's own ([`HeatPermit::before_the_disk`],
//! [`HeatPermit::after_the_disk`], [`Withheld::after`]); time is a number that only [`Run::pass`] moves.

mod away;
mod look;
mod people;

pub(crate) use away::Outage;

use holder_hal::{Command, Tick};

use super::hands::Hands;
use super::oracle::Oracle;
use super::record::{Closed, Lost, Record};
use super::rig::{Became, Heard, Rig};
use super::scenario::Scenario;
use super::supply::Supply;
use super::watch::{Violation, Watch};
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Alarm, Event, Input};
use crate::batch::phase::PhaseName;
use crate::station::control_loop::{Newest, Orders, safe_command};
use crate::station::permit::{HeatPermit, Withheld};
use crate::store::model::Closing;

/// A day bounds every run.
const RUN_MS_MAX: u64 = 86_400_000;

/// What is really the case, every so often: for the chart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// When.
    pub(crate) at: Tick,
    /// The bath, °C.
    pub(crate) bath_c: f64,
    /// The coldest milk of all, °C.
    pub(crate) coldest_c: Option<f64>,
    /// The hottest milk of all, °C.
    pub(crate) hottest_c: Option<f64>,
}

/// What a run came to.
pub(crate) struct Done {
    /// The closed record with its verdict.
    pub(crate) closed: Closed,
    /// What did not hold while it ran.
    pub(crate) violations: Vec<Violation>,
    /// The longest true hold, milliseconds.
    pub(crate) true_hold_ms: u64,
    /// How much the coldest milk was below the floor in the declared hold, K.
    pub(crate) lacked_k: f64,
    /// The hottest true milk, °C.
    pub(crate) hottest_c: Option<f64>,
    /// How often the engine saw a hold broken.
    pub(crate) holds_broken: u32,
    /// Every alarm, with the moment at which it was raised.
    pub(crate) alarms: Vec<(Alarm, Tick)>,
    /// What became of each fault, in the scenario's order.
    pub(crate) became: Vec<Became>,
    /// What the engine said at the end, where it came to one.
    pub(crate) accepts: Option<bool>,
    /// The times in which nobody ran the machine and after which somebody went on.
    pub(crate) outages: Vec<Outage>,
    /// How long it took, simulated.
    pub(crate) lasted: Tick,
    /// The truth, if it was asked for.
    pub(crate) seen: Vec<Seen>,
}

/// How the program of a run ended.
enum End {
    /// The batch came to its end.
    Over,
    /// Killed, or without mains: nobody sent a safe state.
    Crashed,
    /// Ended from outside: the safe state was sent.
    Ended,
}

/// What a run is asked for beside its verdict.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// A real store, in memory.
    pub(crate) store: bool,
    /// The truth over time.
    pub(crate) truth: bool,
    /// What is broken on purpose, to show that the soak can fail.
    #[cfg(test)]
    pub(crate) defect: super::defects::Defect,
}

/// A run that is going on.
pub(crate) struct Run<'a> {
    scenario: &'a Scenario,
    wanted: Wanted,
    engine: Engine,
    rig: Rig,
    hands: Hands,
    oracle: Oracle,
    watch: Watch,
    supply: Supply,
    excused: look::Excused,
    record: Record,
    permit: HeatPermit,
    withheld: Withheld,
    newest: Newest,
    orders: Orders,
    now: Tick,
    sent: Command,
    phase: PhaseName,
    alarms: Vec<(Alarm, Tick)>,
    seen: Vec<Seen>,
    second_tried: bool,
    /// What the batch's own time is ahead of the run's, milliseconds.
    ahead_ms: u64,
    starts: u32,
    outages: Vec<Outage>,
    /// How long nobody ran the machine when it was so last, milliseconds.
    stood_still_ms: u64,
}

/// Why there is no run: a defect of the soak, or of what it begins with.
#[derive(Debug, thiserror::Error)]
#[error("seed {seed}: {what}")]
pub(crate) struct NoRun {
    seed: u64,
    what: String,
}

/// Runs a scenario to its end.
///
/// # Errors
/// It cannot begin, or its record cannot be closed.
pub(crate) fn run(scenario: &Scenario, wanted: Wanted) -> Result<Done, NoRun> {
    let fail = |what: String| NoRun { seed: scenario.seed, what };
    let params = scenario.params.clone();
    #[cfg(test)]
    let params = wanted.defect.spoil_params(params);
    let engine = Engine::new(params).map_err(|fault| fail(fault.to_string()))?;
    let record = Record::begin(scenario, wanted.store).map_err(|lost| fail(lost.to_string()))?;
    #[cfg(test)]
    let record = wanted.defect.spoil_record(record);
    let rig = Rig::new(scenario);
    #[cfg(test)]
    let rig = wanted.defect.spoil_rig(rig);
    let run = Run {
        wanted,
        engine,
        rig,
        hands: Hands::default(),
        oracle: Oracle::new(scenario.params.recipe.hold.floor),
        watch: Watch::new(&scenario.params),
        supply: Supply::new(scenario.cut),
        excused: look::Excused::default(),
        record,
        permit: HeatPermit::new(scenario.params.period_ms),
        withheld: Withheld::default(),
        newest: Newest::default(),
        orders: Orders::default(),
        now: Tick::default(),
        sent: Command::safe(false),
        phase: PhaseName::Preheat,
        alarms: Vec::new(),
        seen: Vec::new(),
        second_tried: false,
        ahead_ms: 0,
        starts: 0,
        outages: Vec::new(),
        stood_still_ms: 0,
        scenario,
    };
    run.whole().map_err(|lost| fail(lost.to_string()))
}

impl Run<'_> {
    fn whole(mut self) -> Result<Done, Lost> {
        let end = loop {
            match self.live() {
                Ok(End::Crashed) if self.scenario.resumes && self.come_back()? => {}
                Ok(end) => break end,
                Err(Lost::Stalled) => break End::Ended,
                Err(lost) => return Err(lost),
            }
        };
        let (closing, accepts) = match end {
            End::Over => (Closing::Ended, self.engine.accepts()),
            End::Crashed => {
                self.record.crash()?;
                self.be_away();
                (Closing::Interrupted, None)
            }
            End::Ended => {
                self.send(safe_command(self.sent, false));
                // What still waits for a disk that stalls is lost with the program.
                self.record.settle(self.now)?;
                self.record.crash()?;
                (Closing::Interrupted, None)
            }
        };
        self.stay();
        let mut became = self.rig.became();
        let count_fits = self.hands.count_fits(self.scenario);
        became.iter_mut().for_each(|became| became.count_fits = count_fits);
        let closed = self.record.close(closing, accepts, &self.rig, self.now)?;
        #[cfg(test)]
        let closed = self.wanted.defect.spoil_verdict(closed);
        Ok(Done {
            closed,
            violations: self.watch.into_violations(),
            true_hold_ms: self.oracle.longest_ms(),
            lacked_k: self.oracle.lacked_k(),
            hottest_c: self.oracle.hottest_c(),
            holds_broken: self.engine.holds_broken(),
            alarms: self.alarms,
            became,
            accepts,
            outages: self.outages,
            lasted: self.now,
            seen: self.seen,
        })
    }

    /// The station's loop: read, step, commit, permit, command, once for each period.
    fn live(&mut self) -> Result<End, Lost> {
        let period_ms = self.scenario.params.period_ms;
        let mut due = self.now;
        self.newest.watched_at(self.own(self.now));
        if self.engine.phase().is_final() {
            return self.over();
        }
        while self.now.ms() < RUN_MS_MAX {
            self.stand_still();
            if self.is_down() {
                return Ok(End::Crashed);
            }
            self.notice_absence()?;
            let asked = self.now;
            let (at, reading) = match self.rig.read() {
                Heard::Answer(reading) => (asked, reading),
                Heard::TooLate => {
                    self.pass(period_ms);
                    (self.now, self.rig.nothing())
                }
            };
            self.watch.read(asked, &reading, self.phase);
            self.turn(at, Input::Reading(reading))?;
            if let Some(told) = self.orders.changed(self.engine.orders_lost()) {
                self.turn(self.now, Input::Operator(told))?;
            }
            if self.engine.phase().is_final() {
                return self.over();
            }
            self.try_second_instance();
            let (now, phase) = (self.now, self.phase);
            if let Some(action) = self.hands.act(now, phase, &mut self.rig, self.scenario) {
                let stops = matches!(action, Action::Stop { .. });
                self.turn(now, Input::Operator(action))?;
                if stops {
                    self.watch.no_more_heat();
                }
                if self.engine.phase().is_final() {
                    return self.over();
                }
            }
            if self.engine.waits_for_heat()
                && let Some(action) = self.hands.confirm_heat(self.now, self.scenario)
            {
                self.turn(self.now, Input::Operator(action))?;
                self.watch.confirmed();
            }
            #[cfg(test)]
            if self.wanted.defect == super::defects::Defect::ConfirmsItself
                && self.engine.waits_for_heat()
            {
                self.turn(self.now, Input::Operator(Action::ConfirmHeat))?;
            }
            self.acknowledge()?;
            if self.hands.has_gone(self.now) {
                return Ok(End::Ended);
            }
            due = due.plus_ms(period_ms).max(self.now).max(at.plus_ms(1));
            self.pass(due.ms_since(self.now));
        }
        Ok(End::Ended)
    }

    /// The batch is over: the record is given its time, as long as it takes.
    fn over(&mut self) -> Result<End, Lost> {
        let last = self.record.last_done();
        self.send(safe_command(self.sent, true));
        self.pass(last.ms_since(self.now));
        self.record.settle(self.now)?;
        Ok(End::Over)
    }

    /// The batch's own time at a moment of the run.
    const fn own(&self, at: Tick) -> Tick {
        at.plus_ms(self.ahead_ms)
    }

    /// An input, and what the engine must know of its turn.
    fn turn(&mut self, at: Tick, input: Input) -> Result<(), Lost> {
        let mut next = Some((at, input));
        while let Some((at, input)) = next {
            let told = self.take(at, input)?;
            next = told.map(|action| (self.now, Input::Operator(action)));
        }
        Ok(())
    }

    /// One input: whatever it is, the way to the machine is the same.
    fn take(&mut self, at: Tick, input: Input) -> Result<Option<Action>, Lost> {
        let at = self.newest.rise(self.own(at), &input);
        #[cfg(test)]
        let input = self.wanted.defect.spoil_input(input, self.scenario.plant.bottles);
        let is_reading = matches!(input, Input::Reading(_));
        let effects = self.engine.step(at, input.clone());
        #[cfg(test)]
        let effects = self.wanted.defect.spoil_effects(effects, self.sent);
        for entry in &effects.entries {
            self.watch.entry(&entry.event);
            if let Event::Raised { alarm, .. } = &entry.event {
                self.alarms.push((*alarm, self.now));
            }
        }
        self.phase = self.engine.phase();
        self.rig.entered(self.phase);
        let wanted = effects.command;
        if let Some(command) = HeatPermit::before_the_disk(wanted) {
            self.send(command);
        }
        let done = self.record.submit(&self.rig, self.now, at, input, &effects, self.phase)?;
        let patience_ms = self.scenario.params.period_ms / 2;
        self.pass(done.ms_since(self.now).min(patience_ms));
        if let Some(newest) = self.record.settle(self.now)? {
            self.permit.committed(newest);
            self.watch.kept(Tick::from_ms(newest.ms().saturating_sub(self.ahead_ms)));
        }
        #[cfg(test)]
        self.wanted.defect.spoil_permit(&mut self.permit, at);
        let now = self.own(self.now);
        if let Some(command) = self.permit.after_the_disk(now, wanted) {
            self.send(command);
        }
        let in_time = is_reading.then(|| self.permit.is_fresh(now));
        Ok(self.withheld.after(&self.engine, (wanted, self.sent), in_time))
    }

    fn send(&mut self, command: Command) {
        self.sent = command;
        #[cfg(test)]
        if self.wanted.defect == super::defects::Defect::OffIsLost && !command.heats() {
            self.supply.arrived(self.now, &command);
            return;
        }
        // What did not arrive is sent again with the next period; readings cut the heat.
        let arrived = self.rig.send(&command);
        self.orders.sent(&command, arrived);
        if arrived {
            self.supply.arrived(self.now, &command);
        }
    }

    /// Lets time pass, and looks at everything afterwards.
    fn pass(&mut self, ms: u64) {
        if ms == 0 {
            return;
        }
        self.rig.pass(ms);
        self.now = self.now.plus_ms(ms);
        self.watch.stands(self.now, &self.sent, self.phase);
        self.look();
    }
}
