//! Wall-clock time for people: the station's zone, always with its name and offset.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use crate::batch::event::Action;
use crate::store::model::{BatchRecord, StampedAction};

/// What is shown where a time is outside of the calendar.
const NO_TIME: &str = "(no valid time)";

/// The station's time zone.
pub(crate) struct Zone {
    zone: TimeZone,
    name: String,
}

impl Zone {
    /// The zone with this IANA name; for an unknown one UTC, and the name says so.
    pub(crate) fn named(iana: &str) -> Self {
        match TimeZone::get(iana) {
            Ok(zone) => Self { zone, name: iana.to_owned() },
            Err(_) => Self { zone: TimeZone::UTC, name: format!("UTC, as \"{iana}\" is unknown") },
        }
    }

    fn at(&self, utc_ms: i64) -> Option<ZonedDateTime> {
        Timestamp::from_millisecond(utc_ms)
            .ok()
            .map(|time| time.to_zoned_datetime(self.zone.clone()))
    }

    fn show(&self, utc_ms: i64, format: &str) -> String {
        self.at(utc_ms).map_or_else(|| NO_TIME.to_owned(), |at| at.strftime(format).to_string())
    }

    /// `14:05`
    pub(crate) fn clock(&self, utc_ms: i64) -> String {
        self.show(utc_ms, "%H:%M")
    }

    /// `2026-03-14`
    pub(crate) fn day(&self, utc_ms: i64) -> String {
        self.show(utc_ms, "%Y-%m-%d")
    }

    /// `2026-03-14 14:05:09`
    pub(crate) fn stamp(&self, utc_ms: i64) -> String {
        self.show(utc_ms, "%Y-%m-%d %H:%M:%S")
    }

    /// `Europe/Berlin, UTC+01:00`: the name, and the offset at that moment.
    pub(crate) fn label(&self, utc_ms: i64) -> String {
        format!("{}, UTC{}", self.name, self.show(utc_ms, "%:z"))
    }
}

/// `2026-03-14T13:05:09.250Z`
pub(crate) fn rfc3339(utc_ms: i64) -> String {
    Timestamp::from_millisecond(utc_ms)
        .map_or_else(|_| NO_TIME.to_owned(), |time| format!("{time:.3}"))
}

/// Wall-clock time of a moment on the batch's own time: counted from the start, or from where the
/// batch was continued last before it, since after an outage of unknown length its own time has
/// gone on by more than any clock.
pub(crate) fn wall_ms(record: &BatchRecord, tick_ms: u64) -> i64 {
    let is_before = |action: &&StampedAction| {
        action.tick_ms <= tick_ms && matches!(action.action, Action::Resume { .. })
    };
    let resumed = record.actions.iter().rev().find(is_before);
    let (from_ms, utc_ms) =
        resumed.map_or((0, record.header.started_utc_ms), |at| (at.tick_ms, at.utc_ms));
    utc_ms.saturating_add(i64::try_from(tick_ms.saturating_sub(from_ms)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-29 00:59:30 UTC, half a minute before Berlin's clocks go forward.
    const BEFORE_SUMMER_MS: i64 = 1_774_745_970_000;

    #[test]
    fn the_offset_is_that_of_the_moment() {
        let zone = Zone::named("Europe/Berlin");
        assert_eq!(zone.label(BEFORE_SUMMER_MS), "Europe/Berlin, UTC+01:00");
        assert_eq!(zone.clock(BEFORE_SUMMER_MS), "01:59");
        assert_eq!(zone.label(BEFORE_SUMMER_MS + 60_000), "Europe/Berlin, UTC+02:00");
        assert_eq!(zone.clock(BEFORE_SUMMER_MS + 60_000), "03:00");
        assert_eq!(zone.day(BEFORE_SUMMER_MS), "2026-03-29");
    }

    #[test]
    fn an_unknown_zone_is_said_and_never_guessed() {
        let label = Zone::named("Mars/Olympus").label(0);
        assert_eq!(label, "UTC, as \"Mars/Olympus\" is unknown, UTC+00:00");
    }

    #[test]
    fn after_an_interruption_the_clock_on_the_wall_counts_from_the_continuation() {
        let (mut record, _) = crate::record::fixture::good();
        let started = record.header.started_utc_ms;
        let mut resumed = record.actions[0].clone();
        (resumed.tick_ms, resumed.utc_ms) = (20_000_000, started + 700_000);
        resumed.action = Action::Resume { outage_ms: None };
        record.actions.push(resumed);
        assert_eq!(wall_ms(&record, 60_000), started + 60_000);
        assert_eq!(wall_ms(&record, 20_001_000), started + 701_000);
        record.header.started_utc_ms = i64::MAX;
        assert_eq!(wall_ms(&record, 5_000_000), i64::MAX, "no overflow");
    }

    #[test]
    fn a_time_outside_of_the_calendar_is_no_panic() {
        assert_eq!(rfc3339(i64::MAX), NO_TIME);
        assert_eq!(Zone::named("UTC").clock(i64::MIN), NO_TIME);
        assert_eq!(rfc3339(BEFORE_SUMMER_MS + 250), "2026-03-29T00:59:30.250Z");
    }
}
