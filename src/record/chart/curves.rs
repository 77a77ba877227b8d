//! What is drawn, taken from the record: lines in unbroken runs, missing readings, phases,
//! holds. Temperatures are corrected by the frozen certificates, as the judge sees them.

use holder_hal::{Celsius, Heat, Sample};

use crate::batch::event::Cause;
use crate::batch::params::Probe;
use crate::batch::phase::PhaseName;
use crate::store::model::{BatchRecord, Period};

/// One corrected reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// Seconds on the batch's own time.
    pub(super) t_s: f64,
    /// Degrees Celsius.
    pub(super) c: f64,
}

/// What a line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Milk(usize),
    Bath,
    Reference,
    Setpoint,
}

/// One line of the chart.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) channel: Channel,
    /// What it is: `milk 1`.
    pub(super) name: String,
    /// Where it is read: `device.point`; nothing for what was commanded.
    pub(super) source: String,
    /// Runs without a gap.
    pub(super) runs: Vec<Vec<Point>>,
}

/// A stretch of time, seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span<T> {
    pub(super) from_s: f64,
    pub(super) to_s: f64,
    pub(super) what: T,
}

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HoldEnd {
    Complete,
    Broken,
    /// The record ends, or the batch was stopped, within it.
    Cut,
}

/// Seconds of a moment.
pub(super) fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// Two readings further apart than this are not joined: one may be late, two are missing.
fn gap_ms(record: &BatchRecord) -> u64 {
    record.params.period_ms.saturating_mul(5) / 2
}

/// Every line that the record can give, milk first.
pub(super) fn lines(record: &BatchRecord) -> Vec<Line> {
    let params = &record.params;
    let mut lines = Vec::new();
    for (index, probe) in params.milk.iter().enumerate() {
        let sample = |period: &Period| period.reading.milk.get(index).copied().flatten();
        let name = format!("milk {}", index + 1);
        lines.push(probe_line(record, Channel::Milk(index), name, probe, sample));
    }
    let bath = |period: &Period| Some(period.reading.bath);
    lines.push(probe_line(record, Channel::Bath, "bath".to_owned(), &params.bath, bath));
    if let Some(probe) = &params.reference {
        let sample = |period: &Period| period.reading.reference;
        let name = "reference".to_owned();
        lines.push(probe_line(record, Channel::Reference, name, probe, sample));
    }
    let setpoint = runs(record, |period| match period.command.heat {
        Heat::Setpoint(wanted) => Some(wanted),
        Heat::Off | Heat::Duty(_) => None,
    });
    let (name, source) = ("bath set point".to_owned(), String::new());
    lines.push(Line { channel: Channel::Setpoint, name, source, runs: steps(setpoint) });
    lines.retain(|line| !line.runs.is_empty());
    lines
}

fn probe_line(
    record: &BatchRecord,
    channel: Channel,
    name: String,
    probe: &Probe,
    sample: impl Fn(&Period) -> Option<Sample>,
) -> Line {
    let runs = runs(record, |period| sample(period).and_then(|sample| probe.trusted(sample)));
    Line { channel, name, source: probe.source.clone(), runs }
}

fn runs(record: &BatchRecord, value: impl Fn(&Period) -> Option<Celsius>) -> Vec<Vec<Point>> {
    let mut runs: Vec<Vec<Point>> = Vec::new();
    let mut joined_ms: Option<u64> = None;
    for period in &record.periods {
        let Some(degrees) = value(period) else {
            joined_ms = None;
            continue;
        };
        let at_ms = period.at.ms();
        let joins = joined_ms.is_some_and(|last| at_ms.saturating_sub(last) <= gap_ms(record));
        let point = Point { t_s: seconds(at_ms), c: degrees.as_f64() };
        match runs.last_mut() {
            Some(run) if joins => run.push(point),
            Some(_) | None => runs.push(vec![point]),
        }
        joined_ms = Some(at_ms);
    }
    runs
}

/// A set point holds until the next one: only its corners are kept.
fn steps(runs: Vec<Vec<Point>>) -> Vec<Vec<Point>> {
    let corners = |run: Vec<Point>| {
        let mut kept: Vec<Point> = Vec::new();
        for point in &run {
            let Some(last) = kept.last().copied() else {
                kept.push(*point);
                continue;
            };
            if last.c != point.c {
                kept.push(Point { t_s: point.t_s, c: last.c });
                kept.push(*point);
            }
        }
        kept.extend(run.last());
        kept
    };
    runs.into_iter().map(corners).collect()
}

/// Where the bath or a required milk probe gave no reading that can be trusted.
pub(super) fn missing(record: &BatchRecord) -> Vec<Span<()>> {
    let params = &record.params;
    let whole = |period: &Period| {
        let milk = params.milk.iter().zip(&period.reading.milk);
        let mut trusted = milk.map(|(probe, sample)| sample.and_then(|s| probe.trusted(s)));
        trusted.all(|value| value.is_some()) && params.bath.trusted(period.reading.bath).is_some()
    };
    let mut spans = Vec::new();
    let first = record.periods.first().map_or(0, |period| period.at.ms());
    let (mut good_ms, mut lost) = (first, false);
    for period in &record.periods {
        let at_ms = period.at.ms();
        lost |= at_ms.saturating_sub(good_ms) > gap_ms(record);
        if whole(period) {
            if lost {
                spans.push(Span { from_s: seconds(good_ms), to_s: seconds(at_ms), what: () });
            }
            (good_ms, lost) = (at_ms, false);
        } else {
            lost = true;
        }
    }
    if let Some(last) = record.periods.last().filter(|_| lost) {
        let to_s = seconds(last.at.ms());
        spans.push(Span { from_s: seconds(good_ms), to_s, what: () });
    }
    spans
}

/// The phases in their order. A phase that a batch ends in has no length and is left out.
pub(super) fn phases(record: &BatchRecord) -> Vec<Span<PhaseName>> {
    let mut spans: Vec<Span<PhaseName>> = Vec::new();
    for period in &record.periods {
        let at_s = seconds(period.at.ms());
        if let Some(last) = spans.last_mut() {
            last.to_s = at_s;
            if last.what == period.phase {
                continue;
            }
        }
        spans.push(Span { from_s: at_s, to_s: at_s, what: period.phase });
    }
    spans.retain(|span| span.to_s > span.from_s && !span.what.is_final());
    spans
}

/// Every hold that the engine began.
pub(super) fn holds(record: &BatchRecord) -> Vec<Span<HoldEnd>> {
    let entered = record.entries.iter().filter_map(|stamped| {
        let (phase, cause) = stamped.entry.event.entered()?;
        Some((seconds(stamped.entry.at.ms()), phase, cause))
    });
    let mut holds = Vec::new();
    let mut began: Option<f64> = None;
    for (at_s, phase, cause) in entered {
        if let Some(from_s) = began.take() {
            holds.push(Span { from_s, to_s: at_s, what: hold_end(cause) });
        }
        if phase == PhaseName::Hold {
            began = Some(at_s);
        }
    }
    if let (Some(from_s), Some(last)) = (began, record.periods.last()) {
        holds.push(Span { from_s, to_s: seconds(last.at.ms()), what: HoldEnd::Cut });
    }
    holds
}

fn hold_end(cause: &Cause) -> HoldEnd {
    match cause {
        Cause::HoldComplete => HoldEnd::Complete,
        Cause::HoldBroken { .. }
        | Cause::RestartsExhausted { .. }
        | Cause::HoldBegun
        | Cause::InterruptionNotAllowed { .. } => HoldEnd::Broken,
        Cause::Started
        | Cause::BathStable
        | Cause::Loaded { .. }
        | Cause::HeatUpTooLong
        | Cause::CeilingPassed
        | Cause::Implausible { .. }
        | Cause::Cooled
        | Cause::CoolingTooLong
        | Cause::Unloaded { .. }
        | Cause::OperatorStop { .. }
        | Cause::Interlock { .. }
        | Cause::PreheatTooLong
        | Cause::LoadTooLong
        | Cause::Resumed => HoldEnd::Cut,
    }
}

#[cfg(test)]
mod tests {
    use holder_hal::Tick;

    use super::*;
    use crate::record::fixture;

    #[test]
    fn a_lost_probe_is_a_gap_in_its_line_only_and_is_marked() {
        let (record, _) = fixture::troubled();
        let lines = lines(&record);
        let runs = |channel| {
            lines.iter().find(|line| line.channel == channel).map_or(0, |line| line.runs.len())
        };
        assert_eq!(runs(Channel::Milk(1)), 2);
        assert_eq!(runs(Channel::Milk(0)), 1);
        assert_eq!(missing(&record), [Span { from_s: 2_349.0, to_s: 2_440.0, what: () }]);
    }

    #[test]
    fn periods_that_were_not_stored_are_never_bridged() {
        let (mut record, _) = fixture::good();
        record.periods.retain(|period| !(600_000..700_000).contains(&period.at.ms()));
        assert!(lines(&record).iter().all(|line| line.runs.len() >= 2));
        assert_eq!(missing(&record), [Span { from_s: 599.0, to_s: 700.0, what: () }]);
    }

    #[test]
    fn holds_are_found_with_their_ends() {
        let (record, _) = fixture::troubled();
        let ends: Vec<_> = holds(&record).iter().map(|hold| hold.what).collect();
        assert_eq!(ends, [HoldEnd::Broken, HoldEnd::Complete]);
    }

    #[test]
    fn a_machine_without_set_points_has_no_line_for_them() {
        let (record, _) = fixture::driven_by_power();
        assert!(lines(&record).iter().all(|line| line.channel != Channel::Setpoint));
    }

    #[test]
    fn an_empty_record_gives_nothing_to_draw() {
        let (mut record, _) = fixture::good();
        record.periods.clear();
        record.entries.clear();
        assert!(lines(&record).is_empty());
        assert!(missing(&record).is_empty() && phases(&record).is_empty());
        assert!(holds(&record).is_empty());
        record.periods.push(fixture::good().0.periods[0]);
        record.periods[0].at = Tick::from_ms(u64::MAX);
        assert_eq!(missing(&record), []);
    }
}
