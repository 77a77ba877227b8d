//! The invariants of issue 4, checked after every step, and what broke them.

use holder_hal::{Command, Reading, Tick};

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
    may_heat: bool,
    unconfirmed: bool,
    violations: Vec<Violation>,
}

impl Watch {
    /// Before the first reading nothing may heat.
    pub(crate) fn new(params: &BatchParams) -> Self {
        Self {
            period_ms: params.period_ms,
            milk_probes: params.milk.len(),
            last_trusted: None,
            may_heat: true,
            unconfirmed: false,
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
        let heated = matches!(
            phase,
            PhaseName::Preheat | PhaseName::Load | PhaseName::ComeUp | PhaseName::Hold
        );
        if self.unconfirmed {
            self.broken(Invariant::Heat, now, "heat stands before a person allowed it".to_owned());
        }
        if !heated || !self.may_heat {
            self.broken(Invariant::Heat, now, format!("heat stands in phase {phase}"));
        }
    }

    /// From now on nobody may heat: a person stopped it, or it was stopped.
    pub(crate) fn no_more_heat(&mut self) {
        self.may_heat = false;
    }

    /// The program is started again: nothing was read by it yet, and a person may have to let it
    /// heat.
    pub(crate) fn came_back(&mut self, needs_person: bool) {
        self.last_trusted = None;
        self.unconfirmed = needs_person;
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
