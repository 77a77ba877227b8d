//! The rules of hold, heat and cold, and of the record itself. Each looks at the facts by
//! itself and says in one sentence what it found: figure, limit, unit.

use super::count::is_uncounted;
use super::hold::{Break, Reason};
use super::moments::Moment;
use super::newcomer::HeldBack;
use super::seen::Seen;
use super::words::{degrees, finding, span};
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Figures, Finding, Outcome, Rule, Severity};

/// What the record lacks. Any of it makes the verdict incomplete.
pub(super) fn record(seen: &Seen) -> Vec<Finding> {
    let lacks = |text: String| finding(Rule::Record, Severity::Fail, Some(seen.last_ms()), text);
    let curve = seen.curve;
    if !seen.rises {
        return vec![lacks("The times do not rise from row to row: nothing can be judged.".into())];
    }
    if curve.rows.is_empty() {
        return vec![lacks("The curve has no rows.".into())];
    }
    if seen.probes() == 0 {
        return vec![lacks("The curve has no milk probe.".into())];
    }
    let mut findings = Vec::new();
    if curve.cut_off {
        findings.push(lacks("The end of the curve is missing: the file was cut off.".into()));
    }
    let is_stopped = seen.end_phase() == Some(PhaseName::Aborted);
    if seen.rows.is_empty() {
        if !is_stopped {
            findings.push(lacks("The record ends before the bottles were loaded.".into()));
        }
        return findings;
    }
    findings.extend(silent_probes(seen).map(lacks));
    findings.extend(ends_early(seen).map(lacks));
    if is_uncounted(seen) {
        findings.push(lacks("The bottles that came out were not counted.".into()));
    }
    if curve.own_record && curve.engine_accepts.is_none() && !is_stopped {
        findings.push(lacks(
            "The controller came to no decision of its own, and both judges must agree.".into(),
        ));
    }
    findings
}

fn silent_probes<'a>(seen: &'a Seen) -> impl Iterator<Item = String> + 'a {
    let is_silent = |probe: &usize| {
        !seen.rows.iter().any(|row| row.milk.get(*probe).is_some_and(Option::is_some))
    };
    let sentence = |probe| format!("Milk probe {} gave no good reading at all.", probe + 1);
    (0..seen.probes()).filter(is_silent).map(sentence)
}

fn ends_early(seen: &Seen) -> Option<String> {
    let has_ended = match seen.end_phase() {
        Some(PhaseName::Unload | PhaseName::Finished | PhaseName::Aborted) => true,
        Some(PhaseName::Cool) if seen.cooled_ms().is_some() => true,
        Some(phase) if seen.curve.own_record => {
            return Some(format!("The record ends in phase {phase}, before the batch was over."));
        }
        // A foreign curve may say no phase, or one that stands still: the milk itself tells.
        Some(_) | None => false,
    };
    if has_ended || seen.cooled_ms().is_some() {
        return None;
    }
    let hold_ms = seen.recipe.hold.hold_ms;
    if seen.holds.complete.is_some() {
        let target = seen.recipe.cooling.target;
        return Some(format!("The curve ends before the milk is at or below {target:.1} °C."));
    }
    let longest_ms = seen.holds.longest.map_or(0, |hold| hold.ms);
    (seen.curve.own_record || !seen.went_through()).then(|| {
        let (longest, needed) = (span(longest_ms), span(hold_ms));
        format!("The curve ends after {longest} of hold, before the {needed} are complete.")
    })
}

/// The batch was stopped.
pub(super) fn stopped(seen: &Seen) -> Option<Finding> {
    let at = seen.curve.rows.iter().find(|row| row.phase == Some(PhaseName::Aborted));
    let text = "The batch was stopped before its end.";
    (at.is_some() || seen.end_phase() == Some(PhaseName::Aborted)).then(|| {
        let at_ms = at.or(seen.curve.rows.last()).map(|row| row.t_ms);
        finding(Rule::Stopped, Severity::Fail, at_ms, text)
    })
}

/// No complete hold, in a record that is whole.
pub(super) fn hold(seen: &Seen, is_whole: bool) -> Option<Finding> {
    if !is_whole || seen.holds.complete.is_some() {
        return None;
    }
    let needed = span(seen.recipe.hold.hold_ms);
    let text = match seen.holds.longest {
        Some(hold) => {
            format!("The longest unbroken hold lasted {}; {needed} are required.", span(hold.ms))
        }
        None => format!(
            "No hold began: the coldest milk must stay {} °C above its limit for {}.",
            seen.recipe.hold.begin_above,
            span(seen.recipe.hold.begin_after_ms)
        ),
    };
    Some(finding(Rule::Hold, Severity::Fail, Some(seen.last_ms()), text))
}

/// Holds that were broken before they were complete.
pub(super) fn restarts(seen: &Seen) -> Vec<Finding> {
    let max_gap = span(seen.curve.max_gap_ms);
    let mut findings = Vec::new();
    for Break { t_ms, held_ms, reason } in &seen.holds.breaks {
        let why = match reason {
            Reason::Lid => "the lid was opened".into(),
            Reason::Gap(gap) => format!(
                "milk probe {} gave no good reading for {}; at most {max_gap} may pass",
                gap.probe + 1,
                span(gap.ms)
            ),
            Reason::Below(below) => format!(
                "milk probe {} fell to {} °C, below its limit of {} °C",
                below.probe + 1,
                below.mean.down(),
                degrees(below.limit)
            ),
            Reason::Interrupted => "the controller was gone".into(),
        };
        let text = format!("The hold was broken after {}: {why}.", span(*held_ms));
        findings.push(finding(Rule::HoldRestarted, Severity::Deviation, Some(*t_ms), text));
        if matches!(reason, Reason::Lid) {
            let text = "The lid was opened during the hold.";
            findings.push(finding(Rule::Lid, Severity::Deviation, Some(*t_ms), text));
        }
    }
    let allowed = usize::try_from(seen.recipe.hold.holds_restarted_max).unwrap_or(usize::MAX);
    if let Some(last) = seen.holds.breaks.get(allowed..).and_then(<[Break]>::last) {
        let broken = seen.holds.breaks.len();
        let text = format!("The hold was broken {broken} times; {allowed} is allowed.");
        findings.push(finding(Rule::HoldRestarted, Severity::Fail, Some(last.t_ms), text));
    }
    findings
}

/// The lid opened after the hold, before the milk was cold: raw bottles that are put in now would be
/// cooled and kept with the others. Once the milk is cooled everybody opens it, to unload.
pub(super) fn lid_in_cooling(seen: &Seen) -> Option<Finding> {
    let cooling = seen.cooling?;
    let until_ms = cooling.target_ms.unwrap_or(u64::MAX);
    let is_early = |m: &&Moment| cooling.from_ms < m.t_ms && m.t_ms < until_ms && m.lid_open;
    let at_ms = seen.moments.iter().find(is_early)?.t_ms;
    let target = seen.recipe.cooling.target;
    let text = format!("The lid was opened in the cooling, before the milk was at {target:.1} °C.");
    Some(finding(Rule::Lid, Severity::Deviation, Some(at_ms), text))
}

/// The hottest milk from the loading until it is cooled, uncertainty and margin added, against
/// the three lines of the recipe.
pub(super) fn ceiling(seen: &Seen) -> Option<Finding> {
    let rule = &seen.recipe.ceiling;
    let cooled_ms = seen.cooled_ms().unwrap_or(u64::MAX);
    let judged = || seen.moments.iter().filter(|m| m.t_ms <= cooled_ms);
    let peak = judged().filter_map(|m| m.hottest_possible).reduce(|a, b| a.hotter(b))?;
    let lines = [
        (rule.fail, Severity::Fail),
        (rule.deviation, Severity::Deviation),
        (rule.note, Severity::Note),
    ];
    let (line, severity) =
        lines.into_iter().find(|(line, _)| peak.above(i64::from(line.milli())))?;
    let is_above = |m: &&Moment| {
        m.hottest_possible.is_some_and(|hottest| hottest.above(i64::from(line.milli())))
    };
    let at_ms = judged().find(is_above).map(|m| m.t_ms);
    let text = format!(
        "The hottest milk reached {} °C with uncertainty and margin added; the line is {line:.1} °C.",
        peak.up()
    );
    Some(finding(Rule::Ceiling, severity, at_ms, text))
}

/// Loading to the first hold.
pub(super) fn heat_up(seen: &Seen) -> Option<Finding> {
    let rule = &seen.recipe.heat_up;
    let begin = seen.holds.first_begin.and_then(|at| seen.moments.get(at));
    let until_ms = begin.map_or(seen.last_ms(), |moment| moment.t_ms);
    let ms = until_ms.saturating_sub(seen.start_ms);
    let (limit_ms, severity) = if ms > rule.fail_ms {
        (rule.fail_ms, Severity::Fail)
    } else if ms > rule.note_ms && begin.is_some() {
        (rule.note_ms, Severity::Note)
    } else {
        return None;
    };
    let (took, limit) = (seen.span_of(seen.start_ms, until_ms), span(limit_ms));
    let text = if begin.is_some() {
        format!("Heating the milk took {took}; the limit is {limit}.")
    } else {
        format!("No hold had begun {took} after loading; the limit is {limit}.")
    };
    Some(finding(Rule::HeatUp, severity, Some(until_ms), text))
}

/// The time to the target, and whether it was reached at all.
pub(super) fn cooling(seen: &Seen, is_whole: bool) -> Option<Finding> {
    let rule = &seen.recipe.cooling;
    let target = format!("{:.1} °C", rule.target);
    let Some(cooling) = seen.cooling else {
        let text = format!("The milk was never cooled to {target}.");
        return (is_whole && seen.holds.complete.is_some())
            .then(|| finding(Rule::Cooling, Severity::Fail, Some(seen.last_ms()), text));
    };
    let until_ms = cooling.target_ms.unwrap_or(seen.last_ms());
    let ms = until_ms.saturating_sub(cooling.from_ms);
    let took = seen.span_of(cooling.from_ms, until_ms);
    let fail = |text| Some(finding(Rule::Cooling, Severity::Fail, Some(until_ms), text));
    let (limit, worry) = (span(rule.fail_ms), span(rule.note_ms));
    match cooling.target_ms {
        Some(_) if ms > rule.fail_ms => {
            fail(format!("Cooling to {target} took {took}; the limit is {limit}."))
        }
        None if ms > rule.fail_ms || is_whole => fail(format!(
            "The milk was not at {target} {took} after the hold; the limit is {limit}."
        )),
        Some(_) if ms > rule.note_ms => {
            let text = format!("Cooling to {target} took {took}; it should take {worry} at most.");
            Some(finding(Rule::Cooling, Severity::Note, Some(until_ms), text))
        }
        Some(_) | None => None,
    }
}

/// Open lids after which the milk was warm and no hold could begin for a while.
pub(super) fn held_back(seen: &Seen) -> Vec<Finding> {
    let told = |held_back: &HeldBack| {
        let text = format!(
            "The lid was open. A bottle that came in cold then would have been too cold for {}: \
             until then no hold could begin.",
            span(held_back.until_ms.saturating_sub(held_back.open_ms))
        );
        finding(Rule::Lid, Severity::Note, Some(held_back.open_ms), text)
    };
    seen.held_back.iter().flatten().map(told).collect()
}

/// What the reader must know of how the curve was judged.
pub(super) fn judged_as(seen: &Seen) -> Option<Finding> {
    let curve = seen.curve;
    let margin = curve.margin;
    let text = if !curve.own_record {
        let of = |uncertainty: &holder_hal::Kelvin| uncertainty.to_string();
        let uncertainty: Vec<String> = curve.milk_uncertainty.iter().map(of).collect();
        let probes = match uncertainty.join(", ") {
            none if none.is_empty() => "no milk probe".to_owned(),
            each => format!("uncertainty {each} °C"),
        };
        format!(
            "Judged as read, from a foreign logger: {probes}, margin {margin} °C, gaps up to {}.",
            span(curve.max_gap_ms)
        )
    } else if !curve.margin_measured {
        format!("The margin of {margin} °C is a safe default: it was not measured on this machine.")
    } else {
        return None;
    };
    Some(finding(Rule::Judged, Severity::Note, None, text))
}

/// The figures by which the literature judges a pasteurizer, against the recipe's ranges.
pub(super) fn figures_out_of_range(seen: &Seen, figures: &Figures) -> Vec<Finding> {
    let rule = &seen.recipe.figures;
    let ranges = [
        (Rule::ComeUp58, "58 °C to the floor", figures.t58_to_floor_s, rule.t58_to_floor_note_ms),
        (Rule::Above58, "The time above 58 °C", figures.above_58_s, rule.above_58_note_ms),
        (Rule::Plateau, "The plateau", figures.hold_s, rule.plateau_note_ms),
    ];
    let out = |(rule, what, figure_s, limit_ms): (Rule, &str, Option<f64>, u64)| {
        // Seconds came from whole milliseconds, so rounding brings those back exactly.
        let ms = (figure_s? * 1000.0).round() as u64;
        (ms > limit_ms).then(|| {
            let text = format!("{what} took {}; the range ends at {}.", span(ms), span(limit_ms));
            finding(rule, Severity::Note, None, text)
        })
    };
    ranges.into_iter().filter_map(out).collect()
}

/// Engine and judge counted different numbers of broken holds: they disagree on the curve, and
/// what is disputed is not acceptable.
pub(super) fn disputed_breaks(seen: &Seen) -> Option<Finding> {
    let engine = usize::try_from(seen.curve.engine_holds_broken?).unwrap_or(usize::MAX);
    // The controller waits for what may have come in late, the judge looks at that afterwards: where
    // the controller had not yet begun to hold, there was nothing for it to break.
    let waited = |broken: &&Break| {
        let before = seen.rows.iter().rev().find(|row| row.t_ms < broken.t_ms);
        before.and_then(|row| row.phase).is_some_and(|phase| phase == PhaseName::ComeUp)
    };
    let judge = seen.holds.breaks.iter().filter(|broken| !waited(broken)).count();
    (engine != judge).then(|| {
        let text = format!(
            "Broken holds: the controller counted {engine}, the judge {judge}; they must agree."
        );
        finding(Rule::Disputed, Severity::Fail, None, text)
    })
}

/// Engine and judge disagree: whichever said yes, the batch is not acceptable.
pub(super) fn disputed(engine_accepts: Option<bool>, outcome: Outcome) -> Option<Finding> {
    let (severity, text) = match (engine_accepts?, outcome) {
        (true, Outcome::Acceptable) | (false, Outcome::Unacceptable | Outcome::Incomplete) => {
            return None;
        }
        (false, Outcome::Acceptable) => (
            Severity::Fail,
            "The controller did not accept this batch, the judge would: they must agree.",
        ),
        (true, Outcome::Unacceptable) => (
            Severity::Fail,
            "The controller accepted this batch, the judge does not: they must agree.",
        ),
        // Not a contradiction of rules: a part of what the controller saw is not in the curve.
        (true, Outcome::Incomplete) => (
            Severity::Deviation,
            "The controller accepted this batch, but the judge was not shown all of it.",
        ),
    };
    Some(finding(Rule::Disputed, severity, None, text))
}

#[cfg(test)]
mod tests;
