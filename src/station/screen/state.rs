//! All that the live screen knows: the newest view, what it remembers of the earlier ones, and
//! what the person is typing.
//!
//! **Units.** Points of the chart are milliseconds of batch time and degrees as floats: pictures
//! only, nothing is decided from them.

use std::collections::VecDeque;

use holder_hal::{Celsius, MILK_PROBES_MAX, Quality, Tick};
use ratatui::symbols::Marker;

use super::advice;
use super::keys::Prompt;
use crate::batch::event::{Cause, Event};
use crate::batch::phase::PhaseName;
use crate::batch::words;
use crate::station::view::{Shown, View};

/// One moment of the chart; only values that can be trusted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) at: Tick,
    pub(super) bath: Option<f64>,
    pub(super) milk: [Option<f64>; MILK_PROBES_MAX],
}

/// The state of the screen.
#[derive(Debug)]
pub(super) struct ScreenState {
    /// The newest view.
    pub(super) view: Option<View>,
    /// When the batch began, as far as this screen saw it.
    pub(super) origin: Tick,
    /// The curve, oldest first.
    pub(super) points: VecDeque<Point>,
    /// What happened, oldest first.
    pub(super) events: VecDeque<(Tick, String)>,
    /// What the person is asked or is typing.
    pub(super) prompt: Prompt,
    /// The answer to the last key, until something else happens.
    pub(super) note: Option<String>,
    /// No view came for so long that what is shown must be called old.
    pub(super) silent: bool,
    /// What the chart is drawn with.
    pub(super) marker: Marker,
    saw_start: bool,
    saw_load: bool,
    failed: bool,
    count_again: bool,
}

impl ScreenState {
    /// Batch time that the chart keeps, milliseconds.
    pub(super) const SPAN_MS: u64 = 90 * 60_000;
    /// Least distance of two points, milliseconds: finer than any dot of a terminal.
    const POINT_EVERY_MS: u64 = 5_000;
    const EVENTS_MAX: usize = 40;

    /// Nothing was seen yet.
    pub(super) fn new(marker: Marker) -> Self {
        Self {
            view: None,
            origin: Tick::from_ms(0),
            points: VecDeque::new(),
            events: VecDeque::new(),
            prompt: Prompt::Idle,
            note: None,
            silent: false,
            marker,
            saw_start: false,
            saw_load: false,
            failed: false,
            count_again: false,
        }
    }

    /// Takes in the next view, and says whether it is worth a sound.
    pub(super) fn take(&mut self, view: View) -> bool {
        if self.view.is_none() {
            self.origin = view.at;
        }
        if view.message.is_some() {
            self.note.clone_from(&view.message);
        }
        let was = self.view.as_ref().map(|view| view.phase);
        let mut sound = was != Some(view.phase) && advice::calls_a_person(view.phase);
        for entry in &view.news {
            match &entry.event {
                Event::Entered { phase: _, cause } => self.note_cause(entry.at, cause),
                Event::Raised { .. } => sound = true,
                // Heat may wait for a person.
                Event::Resumed { .. } => sound = true,
                Event::Failed { .. } => (sound, self.failed) = (true, true),
                Event::CountDiffers { loaded, counted } => {
                    (sound, self.count_again) = (true, true);
                    self.note = Some(format!(
                        "You counted {counted}, and {loaded} went in. Look for what is left in the bath, \
                         or was put to it, and count again."
                    ));
                }
                Event::Cleared { .. }
                | Event::Acknowledged { .. }
                | Event::AboveCeiling { .. }
                | Event::HeatConfirmed => {}
            }
            self.events.push_back((entry.at, words::sentence(&entry.event)));
        }
        while self.events.len() > Self::EVENTS_MAX {
            self.events.pop_front();
        }
        self.saw_load |= view.phase == PhaseName::Load;
        if was != Some(view.phase) {
            self.note = None;
            self.count_again = false;
        }
        self.prompt.settle(view.phase);
        self.keep_point(&view);
        self.silent = false;
        self.view = Some(view);
        sound
    }

    fn note_cause(&mut self, at: Tick, cause: &Cause) {
        match cause {
            Cause::Started => {
                self.saw_start = true;
                self.origin = at;
            }
            Cause::RestartsExhausted { .. }
            | Cause::HeatUpTooLong
            | Cause::CeilingPassed
            | Cause::Implausible { .. }
            | Cause::CoolingTooLong
            | Cause::InterruptionNotAllowed { .. } => {
                self.failed = true;
            }
            Cause::Unloaded { bottles, loaded } => self.failed |= bottles > loaded,
            // Of a batch that was continued only this tells.
            Cause::BathStable | Cause::Loaded { .. } => self.saw_load = true,
            Cause::HoldBegun
            | Cause::HoldBroken { .. }
            | Cause::HoldComplete
            | Cause::Cooled
            | Cause::OperatorStop { .. }
            | Cause::Interlock { .. }
            | Cause::PreheatTooLong
            | Cause::LoadTooLong
            | Cause::Resumed => {}
        }
    }

    fn keep_point(&mut self, view: &View) {
        let is_due = |last: &Point| view.at.ms_since(last.at) >= Self::POINT_EVERY_MS;
        if !self.points.back().is_none_or(is_due) {
            return;
        }
        let degrees = |shown: Shown| good(shown).map(Celsius::as_f64);
        self.points.push_back(Point {
            at: view.at,
            bath: degrees(view.bath),
            milk: view.milk.map(|probe| probe.and_then(degrees)),
        });
        while self.points.front().is_some_and(|old| view.at.ms_since(old.at) > Self::SPAN_MS) {
            self.points.pop_front();
        }
    }

    /// Whether the batch is known to have failed. Its success is never known here: that is for
    /// the judge.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    /// Whether the bottles that came out are to be counted once more.
    pub(super) fn count_again(&self) -> bool {
        self.count_again
    }

    /// Whether bottles may be in the machine: only a batch that was seen from its start and
    /// never asked for bottles is surely empty.
    pub(super) fn may_hold_bottles(&self) -> bool {
        self.saw_load || !self.saw_start
    }

    /// Time since the batch began, milliseconds.
    pub(super) fn elapsed_ms(&self, at: Tick) -> u64 {
        at.ms_since(self.origin)
    }
}

/// The value, if it can be trusted.
pub(super) fn good(shown: Shown) -> Option<Celsius> {
    shown.value.filter(|_| shown.quality == Quality::Good)
}

/// The newest coldest milk; `None` unless every probe can be trusted, since the one that cannot
/// may be the coldest.
pub(super) fn coldest(view: &View) -> Option<Celsius> {
    all_milk(view)?.into_iter().min()
}

/// The newest hottest milk, on the same terms.
pub(super) fn hottest(view: &View) -> Option<Celsius> {
    all_milk(view)?.into_iter().max()
}

fn all_milk(view: &View) -> Option<Vec<Celsius>> {
    view.milk.into_iter().flatten().map(good).collect()
}
