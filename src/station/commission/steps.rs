//! The steps of a commissioning. Each asks one question of the machine and gives one verdict.

use std::sync::PoisonError;

use holder_hal::{Command, Machine};
use serde_json::{Map, Value};

use super::bench::{self, Bench, Stop, Told, off};
use super::plan::Plan;
use super::report::{StepOutcome, StepReport, figures};

/// How long a person may take to move the lid, milliseconds.
const LID_MS_MAX: u64 = 120_000;
/// Periods in which every channel must be read.
const READINGS: u32 = 5;

/// What one step found.
pub(super) struct Found {
    pub(super) outcome: StepOutcome,
    pub(super) expected: String,
    pub(super) observed: String,
    pub(super) figures: Map<String, Value>,
}

impl Found {
    pub(super) fn new(
        passed: bool,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) -> Self {
        let outcome = if passed { StepOutcome::Passed } else { StepOutcome::Failed };
        let (expected, observed) = (expected.into(), observed.into());
        Self { outcome, expected, observed, figures: Map::new() }
    }

    pub(super) fn skipped(expected: impl Into<String>, why: impl Into<String>) -> Self {
        Self { outcome: StepOutcome::Skipped, ..Self::new(true, expected, why) }
    }

    pub(super) fn with(self, pairs: &[(&str, f64)]) -> Self {
        Self { figures: figures(pairs), ..self }
    }
}

/// The steps in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Readings,
    Agitator,
    Lid,
    Heating,
    Off,
    Probes,
    Cooling,
    Cut,
}

impl Step {
    pub(super) const ALL: [Self; 8] = [
        Self::Readings,
        Self::Agitator,
        Self::Lid,
        Self::Heating,
        Self::Off,
        Self::Probes,
        Self::Cooling,
        Self::Cut,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Readings => "readings",
            Self::Agitator => "agitator",
            Self::Lid => "lid",
            Self::Heating => "heating",
            Self::Off => "off",
            Self::Probes => "probes",
            Self::Cooling => "cooling",
            Self::Cut => "cut",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Readings => "Does every channel give a reading?",
            Self::Agitator => "Does the agitator follow?",
            Self::Lid => "Does the lid switch follow?",
            Self::Heating => "Does heating heat?",
            Self::Off => "Is off off?",
            Self::Probes => "Does each probe follow?",
            Self::Cooling => "Does cooling cool?",
            Self::Cut => "Does the cut cut?",
        }
    }

    const fn instruction(self) -> &'static str {
        match self {
            Self::Readings => "Nothing to do: everything is read, the heater is off.",
            Self::Agitator => "Watch the water: the agitator is switched off and on.",
            Self::Lid => "You will be asked to open the lid and to close it again.",
            Self::Heating => "The heater is switched on until the bath has risen by 2 °C.",
            Self::Off => "The heater is switched off, and the bath watched for some minutes.",
            Self::Probes => "The bath is heated until each probe has come along by 2 °C.",
            Self::Cooling => "The heater stays off, and the cold water valve is opened.",
            Self::Cut => "The heater is on, and what cuts the heat without us is tried.",
        }
    }

    /// Whether it heats, or needs a bath that was heated.
    const fn needs_heat(self) -> bool {
        match self {
            Self::Heating | Self::Off | Self::Probes | Self::Cooling | Self::Cut => true,
            Self::Readings | Self::Agitator | Self::Lid => false,
        }
    }

    /// Why nothing is heated any more after this step has failed.
    const fn blocks_heat(self) -> Option<&'static str> {
        match self {
            Self::Agitator => Some("not tried: water that is not stirred is not heated"),
            Self::Heating => Some("not tried, because heating failed"),
            Self::Readings | Self::Lid | Self::Off | Self::Probes | Self::Cooling | Self::Cut => {
                None
            }
        }
    }
}

impl<M: Machine> Bench<M> {
    /// Goes through every step; each report goes into the notebook as it is made.
    pub(super) async fn run(mut self, plan: Plan) -> Result<(), Stop> {
        let mut blocked = None;
        for (index, step) in Step::ALL.into_iter().enumerate() {
            let (number, of) = (index + 1, Step::ALL.len());
            self.step_began = self.clock.now();
            let (title, instruction) = (step.title(), step.instruction().to_owned());
            self.tell(Told::Step { number, of, title, instruction });
            let found = match step {
                _ if step.needs_heat() && blocked.is_some() => {
                    Ok(Found::skipped("", blocked.unwrap_or_default()))
                }
                Step::Readings => self.readings().await,
                Step::Agitator => self.agitator(&plan).await,
                Step::Lid => self.lid(&plan).await,
                Step::Heating => self.heating(&plan).await,
                Step::Off => self.is_off(&plan).await,
                Step::Probes => self.probes(&plan).await,
                Step::Cooling => self.cooling(&plan).await,
                Step::Cut => self.cut(&plan).await,
            };
            match found {
                Ok(found) => {
                    if found.outcome == StepOutcome::Failed {
                        blocked = blocked.or(step.blocks_heat());
                    }
                    self.report(step, found);
                }
                Err(stop) => {
                    let found = Found::new(false, "the step is done to its end", stop.to_string());
                    self.report(step, found);
                    return Err(stop);
                }
            }
        }
        // The end is the same as any other: heat off, in a period of its own.
        self.period(Command { agitator: false, ..off() }).await.map(|_| ())
    }

    fn report(&mut self, step: Step, found: Found) {
        let report = StepReport {
            step: step.word(),
            title: step.title(),
            expected: found.expected,
            observed: found.observed,
            outcome: found.outcome,
            took_s: self.step_s(),
            figures: found.figures,
        };
        self.tell(Told::Done(report.clone()));
        let mut notes = self.notebook.lock().unwrap_or_else(PoisonError::into_inner);
        notes.steps.push(report);
    }

    async fn readings(&mut self) -> Result<Found, Stop> {
        let expected = format!("every channel is good, {READINGS} times in a row");
        let names = self.others();
        let mut missing = std::collections::BTreeSet::new();
        let mut last = None;
        for _ in 0..READINGS {
            let seen = self.period(off()).await?;
            let lost = names.iter().zip(&seen.others).filter(|(_, value)| value.is_none());
            missing.extend(lost.map(|(name, _)| name.clone()));
            last = Some(seen);
        }
        let bath = last.map_or(0.0, |seen| seen.bath.as_f64());
        let observed = if missing.is_empty() {
            let others = match names.len() {
                1 => "one other probe".to_owned(),
                count => format!("{count} other probes"),
            };
            format!("the bath and {others} are read; the bath is at {bath:.1} °C")
        } else {
            let missing: Vec<String> = missing.iter().cloned().collect();
            let check = bench::check(&self.unit);
            format!("no good reading from {}; `{check}` says why", missing.join(", "))
        };
        Ok(Found::new(missing.is_empty(), expected, observed).with(&[("bath_c", bath)]))
    }

    async fn agitator(&mut self, plan: &Plan) -> Result<Found, Stop> {
        let expected = "the water moves when the agitator is on, and stops when it is off";
        if !plan.has_agitator {
            return Ok(Found::skipped(expected, "no agitator is controlled by this unit"));
        }
        let still = Command { agitator: false, ..off() };
        self.period(off()).await?;
        let moves = self.ask("The agitator is on. Do you see the water move?".into(), off());
        let moves = moves.await?;
        self.period(still).await?;
        let stops = self.ask("The agitator is off. Has the water come to rest?".into(), still);
        let stops = stops.await?;
        self.period(off()).await?;
        let observed = match (moves, stops) {
            (true, true) => "it stirs when it is on, and rests when it is off",
            (false, _) => "it does not stir: is the relay the right one, and its fuse whole?",
            (true, false) => "it goes on stirring when it is off: is it wired past the relay?",
        };
        Ok(Found::new(moves && stops, expected, self.by_whom(observed)))
    }

    /// What a person saw; on a simulated machine nobody did.
    fn by_whom(&self, observed: &str) -> String {
        match self.hands {
            Some(_) => format!("{observed} (answered by the program: simulated)"),
            None => observed.to_owned(),
        }
    }

    async fn lid(&mut self, plan: &Plan) -> Result<Found, Stop> {
        let expected = "the switch says open while the lid is open, and closed while it is closed";
        if !plan.has_lid {
            return Ok(Found::skipped(expected, "this unit has no lid switch"));
        }
        for (closed, text) in
            [(false, "Open the lid now. Is it open?"), (true, "Close the lid now. Is it closed?")]
        {
            self.move_lid(closed).await?;
            if !self.ask(text.to_owned(), off()).await? {
                return Ok(Found::new(false, expected, "the lid was not moved"));
            }
            let asked = self.clock.now();
            loop {
                let seen = self.period(off()).await?;
                if seen.lid_closed == Some(closed) {
                    break;
                }
                if seen.at.ms_since(asked) > LID_MS_MAX {
                    let says = match seen.lid_closed {
                        Some(true) => "says closed while the lid is open",
                        Some(false) => "says open while the lid is closed",
                        None => "gives no reading",
                    };
                    return Ok(Found::new(false, expected, format!("the switch {says}")));
                }
            }
        }
        Ok(Found::new(true, expected, "the switch followed both ways"))
    }

    async fn move_lid(&mut self, closed: bool) -> Result<(), Stop> {
        match &self.hands {
            Some(hands) => hands.lid(closed).await.map_err(|e| Stop::Person(e.to_string())),
            None => Ok(()),
        }
    }
}
