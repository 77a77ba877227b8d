//! The invariants of issue 4, checked after every step, and what broke them.

use holder_hal::{Command, Reading, Tick};

use crate::batch::alarm::{Alarm, Standing};
use crate::batch::event::Event;
use crate::batch::params::BatchParams;
use crate::batch::phase::PhaseName;

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Invariant {
    /// 1: no batch is acceptable whose coldest milk missed the floor for the recipe's time.
    Floor,
    /// 2: heat is off two periods after the last trustworthy reading, and stays off; no milk
    /// passes the hard ceiling because of a command of ours.
    Heat,
    /// 3: nothing acknowledged is lost or changed; the chain verifies.
    Record,
    /// 4: engine and judge agree, or the batch is disputed and not acceptable.
    Judges,
    /// 5: without a fault a batch passes, without alarm, without a second hold.
    GoodBatches,
    /// 6: an interrupted hold is decided from the record alone, and the record says so.
    Outage,
}

impl Invariant {
    /// Every invariant, in the order of its number.
    pub(crate) const ALL: [Self; 6] =
        [Self::Floor, Self::Heat, Self::Record, Self::Judges, Self::GoodBatches, Self::Outage];

    /// Its number in the issue.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Floor => 1,
            Self::Heat => 2,
            Self::Record => 3,
            Self::Judges => 4,
            Self::GoodBatches => 5,
            Self::Outage => 6,
        }
    }

    /// A few words.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Floor => "no acceptable batch whose milk missed the floor",
            Self::Heat => "heat is off in time and stays off; no milk above the ceiling",
            Self::Record => "nothing acknowledged is lost; the chain verifies",
            Self::Judges => "engine and judge agree, or it is disputed",
            Self::GoodBatches => "good batches pass",
            Self::Outage => "an outage is decided by the record",
        }
    }
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Which.
    pub(crate) invariant: Invariant,
    /// When, on the batch's own time.
    pub(crate) at: Tick,
    /// What happened.
    pub(crate) text: String,
}

/// Watches what is commanded.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    period_ms: u64,
    milk_probes: usize,
    last_trusted: Option<Tick>,
    last_kept: Option<Tick>,
    may_heat: bool,
    unconfirmed: bool,
    held: Vec<Held>,
    violations: Vec<Violation>,
}

/// An alarm that keeps the heat off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    number: u16,
    /// What raised it is over.
    over: bool,
    /// Nobody has to see it, or somebody has.
    seen: bool,
}

/// Alarms (by number) that keep the heat off while their cause lasts …
const OFF_WHILE: [u16; 5] = [101, 102, 201, 202, 401];
/// … and those that keep it off until a person has seen them, too. Written down here again, so
/// that a rule that is changed in the engine is seen.
const OFF_UNTIL_SEEN: [u16; 9] = [103, 104, 105, 203, 204, 205, 206, 209, 210];

impl Watch {
    /// Before the first reading nothing may heat.
    pub(crate) fn new(params: &BatchParams) -> Self {
        Self {
            period_ms: params.period_ms,
            milk_probes: params.milk.len(),
            last_trusted: None,
            last_kept: None,
            may_heat: true,
            unconfirmed: false,
            held: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// A reading came in this phase, or a period without one.
    pub(crate) fn read(&mut self, asked: Tick, reading: &Reading, phase: PhaseName) {
        let needs_milk = matches!(phase, PhaseName::ComeUp | PhaseName::Hold);
        let mut milk = reading.milk.iter().take(self.milk_probes);
        let milk_is_good = milk.all(|sample| sample.is_some_and(|s| s.trusted().is_some()));
        if reading.bath.trusted().is_some() && (milk_is_good || !needs_milk) {
            self.last_trusted = Some(asked);
        }
    }

    /// The disk acknowledged the reading of this moment.
    pub(crate) fn kept(&mut self, at: Tick) {
        self.last_kept = self.last_kept.max(Some(at));
    }

    /// The command `sent` has stood until `now`, in this phase of the engine.
    pub(crate) fn stands(&mut self, now: Tick, sent: &Command, phase: PhaseName) {
        if !sent.heats() {
            return;
        }
        let since_ms = self.last_trusted.map_or(u64::MAX, |at| now.ms_since(at));
        if since_ms > 2 * self.period_ms {
            let text = match self.last_trusted {
                Some(_) => format!("heat stands {since_ms} ms after the last trustworthy reading"),
                None => "heat stands before any trustworthy reading".to_owned(),
            };
            self.broken(Invariant::Heat, now, text);
        }
        // A reading that is not on the disk counts for nothing (DESIGN, "Heat needs a permit").
        let unkept_ms = self.last_kept.map_or(u64::MAX, |at| now.ms_since(at));
        if unkept_ms > 2 * self.period_ms {
            let text = "heat stands, and no reading of the last two periods is in the record";
            self.broken(Invariant::Heat, now, text.to_owned());
        }
        let heated = matches!(
            phase,
            PhaseName::Preheat | PhaseName::Load | PhaseName::ComeUp | PhaseName::Hold
        );
        if self.unconfirmed {
            self.broken(Invariant::Heat, now, "heat stands before a person allowed it".to_owned());
        }
        if let Some(held) = self.held.first() {
            let text = match (held.over, held.seen) {
                (false, _) => format!("heat stands while what raised alarm {} lasts", held.number),
                (true, _) => format!("heat stands before a person saw alarm {}", held.number),
            };
            self.broken(Invariant::Heat, now, text);
        }
        if !heated || !self.may_heat {
            self.broken(Invariant::Heat, now, format!("heat stands in phase {phase}"));
        }
    }

    /// What the engine said of an alarm.
    pub(crate) fn entry(&mut self, event: &Event) {
        match event {
            Event::Raised { alarm, .. } => self.hold(alarm.number(), false),
            Event::Cleared { alarm } => {
                let number = alarm.number();
                let of = self.held.iter_mut().filter(|held| held.number == number);
                of.for_each(|held| held.over = true);
                self.let_go();
            }
            // The engine's own word for it is not believed: see `person_saw`.
            Event::Acknowledged { .. }
            | Event::Entered { .. }
            | Event::Failed { .. }
            | Event::AboveCeiling { .. }
            | Event::Resumed { .. }
            | Event::HeatConfirmed
            | Event::CountDiffers { .. } => {}
        }
    }

    fn hold(&mut self, number: u16, seen: bool) {
        self.held.retain(|held| held.number != number);
        if OFF_WHILE.contains(&number) {
            self.held.push(Held { number, over: false, seen: true });
        } else if OFF_UNTIL_SEEN.contains(&number) {
            self.held.push(Held { number, over: false, seen });
        }
    }

    /// A person acknowledged an alarm.
    pub(crate) fn person_saw(&mut self, alarm: Alarm) {
        let number = alarm.number();
        let of = self.held.iter_mut().filter(|held| held.number == number);
        of.for_each(|held| held.seen = true);
        self.let_go();
    }

    fn let_go(&mut self) {
        self.held.retain(|held| !(held.over && held.seen));
    }

    /// From now on nobody may heat: a person stopped it, or it was stopped.
    pub(crate) fn no_more_heat(&mut self) {
        self.may_heat = false;
    }

    /// The program is started again: nothing was read by it yet, and a person may have to let it
    /// heat. These alarms stand in the record.
    pub(crate) fn came_back(
        &mut self,
        needs_person: bool,
        standing: impl Iterator<Item = Standing>,
    ) {
        (self.last_trusted, self.last_kept) = (None, None);
        self.unconfirmed = needs_person;
        // What was raised and not yet on the disk is lost with the program.
        self.held.clear();
        for seen in standing {
            self.hold(seen.alarm.number(), seen.acknowledged);
            if !seen.lasts {
                self.entry(&Event::Cleared { alarm: seen.alarm });
            }
        }
    }

    /// A person lets the machine heat again.
    pub(crate) fn confirmed(&mut self) {
        self.unconfirmed = false;
    }

    /// Notes a violation, once for each invariant.
    pub(crate) fn broken(&mut self, invariant: Invariant, at: Tick, text: String) {
        if self.violations.iter().all(|known| known.invariant != invariant) {
            self.violations.push(Violation { invariant, at, text });
        }
    }

    /// What did not hold.
    pub(crate) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }
}
