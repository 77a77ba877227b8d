//! The phases of a batch, live: one input in, all effects out.
//!
//! ```text
//!            bath      bottles            20 s above     30 min        <= 10 °C         bottles
//!            stable    confirmed          the limit      unbroken      (or too long)    out
//!  Preheat ────► Load ─────────► ComeUp ──────────► Hold ──────► Cool ───────► Unload ───► Finished
//!     │            │              │  ▲                │ broken     ▲
//!     │            │              │  └────────────────┤            │
//!     │            │              └───────────────────┴────────────┘ failed: milk is cooled
//!     └────────────┴───── stopped by a person or an interlock, from any phase ───► Aborted
//! ```
//!
//! Each step has three parts in this order: **facts** (no side effect on the batch), **safety**
//! (alarms, stops), **phase logic**. Every transition is an `enter_*` function that makes one
//! entry with its cause and the readings behind it. In doubt there is no heat.

use holder_hal::{Command, Kelvin, Tick};

use super::alarm::Standing;
use super::board::Board;
use super::control::Control;
use super::event::{Action, Alarm, Cause, Effects, Entry, Event, Input, Refusal};
use super::facts::{Facts, Senses};
use super::interlock::Interlocks;
use super::newcomer::Newcomer;
use super::params::{BatchParams, ParamsFault};
use super::phase::PhaseName;
use super::plausible::Plausibility;

/// The bath counts as stable within this of its set point …
const STABLE_WITHIN: Kelvin = Kelvin::from_milli(300);
/// … for this long, milliseconds.
const STABLE_FOR_MS: u64 = 120_000;

/// The phase a batch is in, with what only that phase knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Preheat { since: Tick, stable_since: Option<Tick> },
    Load { since: Tick },
    ComeUp { since: Tick, above_since: Option<Tick> },
    Hold { since: Tick, unbroken: Tick },
    Cool { since: Tick },
    Unload,
    Finished,
    Aborted { cooling: bool },
}

/// What the engine has to answer for at the end.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    holds_broken: u32,
    ceiling_lines_passed: usize,
    hold_complete: bool,
    heat_up_too_long: bool,
    cooled_in_time: bool,
    /// The newest count of the bottles that came out.
    bottles_out: Option<u16>,
    interruption_fails: bool,
    implausible: Option<Alarm>,
    /// How often alarm 104 was raised while the bath waited for its bottles.
    heat_failed_waiting: u32,
}

/// So often a person may let a bath heat again that waits and does not rise: each time it is heated for
/// two minutes by a probe that may not see it. No milk is in it yet.
const HEAT_FAILED_WAITING_MAX: u32 = 3;

/// A running batch.
#[derive(Clone, Debug)]
pub struct Engine {
    params: BatchParams,
    phase: Phase,
    started: Option<Tick>,
    loaded: Option<Tick>,
    /// Bottles were asked for: some may be in, though nobody has confirmed them.
    bottles_called: bool,
    now: Tick,
    senses: Senses,
    bottles: u16,
    commanded: Command,
    board: Board,
    cut: bool,
    orders_lost: bool,
    record_behind: bool,
    interlocks: Interlocks,
    plausibility: Plausibility,
    newcomer: Newcomer,
    control: Control,
    tally: Tally,
    /// After an interruption heat waits for a person to confirm it.
    heat_waits: bool,
}

impl Engine {
    /// A batch that begins with its first step.
    ///
    /// # Errors
    /// The first rule that the parameters break.
    pub fn new(params: BatchParams) -> Result<Self, ParamsFault> {
        params.check()?;
        let control = Control::new(params.cascade, params.heater);
        Ok(Self {
            phase: Phase::Preheat { since: Tick::from_ms(0), stable_since: None },
            started: None,
            loaded: None,
            bottles_called: false,
            now: Tick::from_ms(0),
            senses: Senses::new(&params),
            bottles: 0,
            commanded: Command::safe(false),
            board: Board::default(),
            cut: false,
            orders_lost: false,
            record_behind: false,
            interlocks: Interlocks::default(),
            plausibility: Plausibility::new(&params),
            newcomer: Newcomer::default(),
            control,
            tally: Tally::default(),
            heat_waits: false,
            params,
        })
    }

    /// An engine that believes every good reading, so that a test of something else can move the
    /// milk by hand, and the judge can be tested on what the engine would have stopped.
    #[cfg(test)]
    pub(crate) fn credulous(params: BatchParams) -> Result<Self, ParamsFault> {
        let mut engine = Self::new(params)?;
        engine.plausibility.sleep();
        engine.newcomer.load_is_believed = true;
        Ok(engine)
    }

    /// What was frozen at the start.
    pub fn params(&self) -> &BatchParams {
        &self.params
    }

    /// The phase it is in.
    pub fn phase(&self) -> PhaseName {
        match self.phase {
            Phase::Preheat { .. } => PhaseName::Preheat,
            Phase::Load { .. } => PhaseName::Load,
            Phase::ComeUp { .. } => PhaseName::ComeUp,
            Phase::Hold { .. } => PhaseName::Hold,
            Phase::Cool { .. } => PhaseName::Cool,
            Phase::Unload => PhaseName::Unload,
            Phase::Finished => PhaseName::Finished,
            Phase::Aborted { .. } => PhaseName::Aborted,
        }
    }

    /// Whether this alarm stands: what raised it lasts, or nobody has acknowledged it.
    pub fn stands(&self, alarm: Alarm) -> bool {
        self.board.stands(alarm)
    }

    /// All alarms that stand, by number.
    pub fn alarms(&self) -> impl Iterator<Item = Standing> {
        self.board.standing()
    }

    /// How long the unbroken hold has lasted, milliseconds; `None` outside of a hold.
    pub fn held_ms(&self) -> Option<u64> {
        match self.phase {
            Phase::Hold { since, .. } => Some(self.now.ms_since(since)),
            Phase::Preheat { .. }
            | Phase::Load { .. }
            | Phase::ComeUp { .. }
            | Phase::Cool { .. }
            | Phase::Unload
            | Phase::Finished
            | Phase::Aborted { .. } => None,
        }
    }

    /// How often a hold was broken.
    pub fn holds_broken(&self) -> u32 {
        self.tally.holds_broken
    }

    /// What the engine decided: `Some` once the batch has come to its end. Acceptable here means
    /// no more than that: the judge must say so too.
    pub fn accepts(&self) -> Option<bool> {
        let tally = &self.tally;
        match self.phase {
            Phase::Finished => Some(
                tally.hold_complete
                    && tally.cooled_in_time
                    && tally.bottles_out.is_some_and(|out| out <= self.bottles)
                    && !tally.heat_up_too_long
                    && !tally.interruption_fails
                    && tally.implausible.is_none()
                    && tally.holds_broken <= self.params.recipe.hold.holds_restarted_max
                    && tally.ceiling_lines_passed < self.ceiling_lines().len(),
            ),
            Phase::Aborted { .. } => Some(false),
            Phase::Preheat { .. }
            | Phase::Load { .. }
            | Phase::ComeUp { .. }
            | Phase::Hold { .. }
            | Phase::Cool { .. }
            | Phase::Unload => None,
        }
    }

    /// Takes one input and says all that follows from it. `now` never goes back: an earlier one
    /// counts as the latest known.
    pub fn step(&mut self, now: Tick, input: Input) -> Effects {
        self.now = self.now.max(now);
        if let Input::Operator(Action::Resume { outage_ms }) = input {
            return self.resume(outage_ms);
        }
        let mut entries = Vec::new();
        if let Input::Reading(reading) = &input {
            self.senses.observe(self.now, &self.params, reading);
            let stage = self.stage();
            self.plausibility.observe(&self.params, stage, self.senses.fresh());
        }
        let since = self.loaded.or(self.started).unwrap_or(self.now);
        let facts = self.senses.facts(self.now, &self.params, since);
        if let (Input::Reading(_), Some(loaded)) = (&input, self.loaded) {
            let is_doubted = self.plausibility.doubts().cut;
            self.newcomer.observe(&facts, self.senses.fresh(), loaded, is_doubted);
        }
        if self.started.is_none() {
            self.enter_preheat(&facts, &mut entries);
        }

        let watched = self.watched(&facts);
        let doubts = self.plausibility.doubts();
        let ruling = self.interlocks.judge(&self.params, watched, doubts);
        self.note_alarms(&ruling, &facts, &mut entries);
        self.note_ceiling(&facts, &mut entries);

        let refusal = match (ruling.stop.filter(|_| self.is_heating()), input) {
            (Some(alarm), _) => {
                self.enter_aborted(Cause::Interlock { alarm }, &facts, &mut entries);
                None
            }
            (None, Input::Operator(action)) => self.act(action, &facts, &mut entries).err(),
            (None, Input::Reading(_) | Input::Wake) => {
                self.advance(&facts, &mut entries);
                None
            }
        };
        self.commanded = self.command(&facts);
        Effects { command: self.commanded, entries, refusal }
    }

    fn act(&mut self, action: Action, facts: &Facts, out: &mut Vec<Entry>) -> Result<(), Refusal> {
        let phase = self.phase();
        if phase.is_final() {
            return Err(Refusal::Over(phase));
        }
        match action {
            Action::Stop { reason } => {
                self.enter_aborted(Cause::OperatorStop { reason }, facts, out)
            }
            Action::ConfirmLoad { .. } if phase != PhaseName::Load => {
                return Err(Refusal::NotLoading(phase));
            }
            Action::ConfirmLoad { bottles: 0 } => return Err(Refusal::NoBottles),
            Action::ConfirmLoad { bottles } => {
                (self.loaded, self.bottles) = (Some(facts.now), bottles);
                self.senses.forget_milk();
                self.plausibility.forget_milk();
                self.enter_come_up(Cause::Loaded { bottles }, facts, out);
            }
            Action::ConfirmUnload { .. } if phase != PhaseName::Unload => {
                return Err(Refusal::NotUnloading(phase));
            }
            Action::ConfirmUnload { bottles } => self.count_out(bottles, facts, out)?,
            Action::ConfirmHeat if !self.waits_for_heat() => return Err(Refusal::HeatNotWaiting),
            Action::ConfirmHeat => {
                self.heat_waits = false;
                out.push(entry(facts, Event::HeatConfirmed));
            }
            // It never comes here: `step` takes it first.
            Action::Resume { .. } => {}
            Action::Orders { arrive } => self.orders_lost = !arrive,
            Action::Record { keeps_up } => self.record_behind = !keeps_up,
            Action::Acknowledge { alarm, by } => self.acknowledge(alarm, by, facts, out)?,
        }
        Ok(())
    }

    // --- phase logic ---------------------------------------------------------------------

    fn advance(&mut self, facts: &Facts, out: &mut Vec<Entry>) {
        let limits = &self.params.recipe.limits;
        let is_heated = self.is_heated();
        if let Some(alarm) = self.tally.implausible.filter(|_| is_heated) {
            return self.enter_cool(Cause::Implausible { alarm }, facts, out);
        }
        if is_heated && self.tally.ceiling_lines_passed == self.ceiling_lines().len() {
            return self.enter_cool(Cause::CeilingPassed, facts, out);
        }
        match self.phase {
            Phase::Preheat { since, stable_since } => {
                let stable_since = self.bath_stable_since(stable_since, facts);
                self.phase = Phase::Preheat { since, stable_since };
                if stable_since.is_some_and(|from| facts.now.ms_since(from) >= STABLE_FOR_MS) {
                    self.enter_load(facts, out);
                } else if facts.now.ms_since(since) > limits.preheat_max_ms {
                    self.enter_aborted(Cause::PreheatTooLong, facts, out);
                }
            }
            Phase::Load { .. } if self.tally.heat_failed_waiting >= HEAT_FAILED_WAITING_MAX => {
                let alarm = Alarm::HeaterFails;
                self.enter_aborted(Cause::Interlock { alarm }, facts, out);
            }
            Phase::Load { since } => {
                if facts.now.ms_since(since) > limits.load_max_ms {
                    self.enter_aborted(Cause::LoadTooLong, facts, out);
                }
            }
            Phase::ComeUp { since, above_since } => self.come_up(since, above_since, facts, out),
            Phase::Hold { since, unbroken } => self.hold(since, unbroken, facts, out),
            Phase::Cool { since } => self.cool(since, facts, out),
            Phase::Unload | Phase::Finished | Phase::Aborted { .. } => {}
        }
    }
}

/// One entry with the readings behind it.
fn entry(facts: &Facts, event: Event) -> Entry {
    Entry { at: facts.now, event, readings_mc: facts.snapshot() }
}

mod interruption;
mod milk;
mod safety;
mod transitions;

#[cfg(test)]
mod tests;
