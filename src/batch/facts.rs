//! Facts first: what is known at one step, computed from the readings before anything is
//! decided. Nothing in here changes what happens to the batch.

use holder_hal::{Celsius, Kelvin, Quality, Reading, Tick};

use super::event::Snapshot;
use super::params::BatchParams;
use super::plausible::Fresh;
use super::window::Window;

/// What is known at this step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// The step's time.
    pub(super) now: Tick,
    /// The bath, if its probe could be trusted at most one and a half periods ago.
    pub(super) bath: Option<Celsius>,
    /// Whether that value came with this very step.
    pub(super) bath_is_new: bool,
    /// Whether the bath probe could ever be trusted.
    pub(super) bath_seen: bool,
    /// Least distance of a required probe's mean from its own limit; `None` if a probe has none.
    pub(super) clearance: Option<Kelvin>,
    /// The same of the newest readings, for control.
    pub(super) newest_clearance: Option<Kelvin>,
    /// Lowest mean of a required probe.
    pub(super) coldest: Option<Celsius>,
    /// Highest mean of a required probe.
    pub(super) hottest: Option<Celsius>,
    /// Highest mean with its probe's uncertainty and the margin added.
    pub(super) hottest_allowed_for: Option<Celsius>,
    /// The same of the newest readings: one of them may cut the heat.
    pub(super) newest_allowed_for: Option<Celsius>,
    /// Time since the bath probe could last be trusted, milliseconds.
    pub(super) bath_lost_ms: u64,
    /// The same for the worst required milk probe.
    pub(super) milk_lost_ms: u64,
    /// The longest gap of a required milk probe that lasts or was closed just now, milliseconds.
    pub(super) milk_gap_ms: u64,
    /// A required milk probe gave nothing to trust since the controller is there again.
    pub(super) milk_unread: bool,
    /// The lid was open when it was last seen.
    pub(super) lid_open: bool,
}

impl Facts {
    /// The readings to keep with an entry.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { bath: self.bath, coldest: self.coldest, hottest: self.hottest }
    }
}

/// Whether a probe that gave nothing to trust for so long is lost: heat is commanded off within
/// two periods of the last trustworthy reading (DESIGN), with the second reading missed at the
/// latest, and already with the first one if it is late.
pub(super) fn is_lost(lost_ms: u64, params: &BatchParams) -> bool {
    lost_ms.saturating_mul(2) > params.period_ms * 3
}

/// The readings that still matter.
#[derive(Clone, Debug)]
pub(super) struct Senses {
    milk: Vec<Window>,
    bath: Option<(Tick, Celsius)>,
    lid_open: bool,
    /// When the controller was last there again after an outage.
    resumed: Tick,
    /// When the last reading came, whatever it was worth.
    last_reading: Option<Tick>,
    fresh: Fresh,
}

impl Senses {
    /// Nothing was read yet.
    pub(super) fn new(params: &BatchParams) -> Self {
        let span_ms = params.recipe.hold.mean_ms;
        let milk = params.milk.iter().map(|_| Window::new(span_ms)).collect();
        let (resumed, fresh) = (Tick::default(), Fresh::default());
        Self { milk, bath: None, lid_open: false, resumed, last_reading: None, fresh }
    }

    /// Takes in what can be trusted of a reading.
    pub(super) fn observe(&mut self, now: Tick, params: &BatchParams, reading: &Reading) {
        self.last_reading = Some(now);
        self.fresh = Fresh { bath: params.bath.trusted(reading.bath), ..Fresh::default() };
        if let Some(bath) = self.fresh.bath {
            self.bath = Some((now, bath));
        }
        let probes = self.milk.iter_mut().zip(&params.milk).zip(&mut self.fresh.milk);
        for (((window, probe), fresh), sample) in probes.zip(reading.milk) {
            *fresh = sample.and_then(|sample| probe.trusted(sample));
            if let Some(value) = *fresh {
                window.push(now, value);
            }
        }
        let reference = params.reference.as_ref().zip(reading.reference);
        self.fresh.reference = reference.and_then(|(probe, sample)| probe.trusted(sample));
        let lid = reading.lid.filter(|lid| params.has_lid && lid.quality == Quality::Good);
        if let Some(closed) = lid.and_then(|lid| lid.on) {
            self.lid_open = !closed;
        }
    }

    /// What came with the newest reading.
    pub(super) fn fresh(&self) -> &Fresh {
        &self.fresh
    }

    /// The bottles are in: what the milk probes showed before was not this milk.
    pub(super) fn forget_milk(&mut self) {
        self.milk.iter_mut().for_each(Window::clear);
    }

    /// The controller was gone until now: no probe is blamed for the readings that nobody took.
    /// The gap in them stays a gap. Gives when the last one was taken.
    pub(super) fn resume(&mut self, now: Tick) -> Option<Tick> {
        (self.bath, self.resumed) = (None, now);
        self.last_reading
    }

    /// What is known now. A probe that never gave a trustworthy value is lost since `since`.
    pub(super) fn facts(&mut self, now: Tick, params: &BatchParams, since: Tick) -> Facts {
        let watched = since.max(self.resumed);
        let was_away = self.resumed > Tick::default();
        let bath_lost_ms = now.ms_since(self.bath.map_or(watched, |(at, _)| at));
        let mut facts = Facts {
            now,
            bath: self.bath.filter(|_| !is_lost(bath_lost_ms, params)).map(|(_, bath)| bath),
            bath_is_new: self.bath.is_some_and(|(at, _)| at == now),
            bath_seen: self.bath.is_some(),
            clearance: Some(Kelvin::from_milli(i32::MAX)),
            newest_clearance: Some(Kelvin::from_milli(i32::MAX)),
            coldest: None,
            hottest: None,
            hottest_allowed_for: None,
            newest_allowed_for: None,
            bath_lost_ms,
            milk_lost_ms: 0,
            milk_gap_ms: 0,
            milk_unread: false,
            lid_open: self.lid_open,
        };
        for (window, probe) in self.milk.iter_mut().zip(&params.milk) {
            window.expire(now);
            let limit = params.limit(probe);
            let least = |known: Option<Kelvin>, value: Option<Celsius>| {
                known.zip(value).map(|(known, value)| known.min(value - limit))
            };
            facts.clearance = least(facts.clearance, window.mean_low());
            facts.newest_clearance = least(facts.newest_clearance, window.newest());
            facts.coldest = window.mean_low().into_iter().chain(facts.coldest).min();
            facts.hottest = window.mean_high().into_iter().chain(facts.hottest).max();
            let allowance = probe.certificate.uncertainty + params.margin;
            let hotter = |known: Option<Celsius>, value: Option<Celsius>| {
                value.map(|value| value + allowance).into_iter().chain(known).max()
            };
            facts.hottest_allowed_for = hotter(facts.hottest_allowed_for, window.mean_high());
            facts.newest_allowed_for = hotter(facts.newest_allowed_for, window.newest());
            facts.milk_lost_ms = facts.milk_lost_ms.max(window.lost_ms(now, watched));
            facts.milk_gap_ms = facts.milk_gap_ms.max(window.gap_ms(now, since));
            facts.milk_unread |= was_away && !window.is_read_since(self.resumed);
        }
        facts
    }
}

#[cfg(test)]
mod tests;
