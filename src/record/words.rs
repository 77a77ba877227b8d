//! The sentences of the printed record: plain, exact, and fit to be read by anybody, a donor's
//! family included.

use holder_hal::Celsius;

use crate::batch::event::{Action, Event, Snapshot};
use crate::batch::params::Purpose;
use crate::batch::phase::PhaseName;
use crate::batch::verdict::{Outcome, Rule, Severity, Verdict};
use crate::batch::words;
use crate::store::model::{BatchHeader, Closing};

/// What a duration is for a person: `30 min 06 s` or `30 min`, seconds rounded down.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "unknown".to_owned();
    }
    let sign = if seconds < 0.0 { "−" } else { "" };
    let whole = seconds.abs().floor() as u64;
    let (minutes, rest) = (whole / 60, whole % 60);
    match (minutes, rest) {
        (0, _) => format!("{sign}{rest} s"),
        (_, 0) => format!("{sign}{minutes} min"),
        (_, _) => format!("{sign}{minutes} min {rest:02} s"),
    }
}

/// The one word of an outcome.
pub(crate) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Acceptable => "Acceptable",
        Outcome::Unacceptable => "Not acceptable",
        Outcome::Incomplete => "Incomplete",
    }
}

/// What the outcome means and what comes next.
pub(crate) fn meaning(header: &BatchHeader, verdict: &Verdict, training: bool) -> String {
    let is_deviation = |severity: Severity| severity == Severity::Deviation;
    let deviations = verdict.findings.iter().filter(|found| is_deviation(found.severity)).count();
    let what = match verdict.outcome {
        Outcome::Acceptable if deviations == 0 => {
            "The hold was complete and no rule of the recipe was broken. ".to_owned()
        }
        Outcome::Acceptable => format!(
            "The hold was complete. {} must be decided by QA, with a reason. ",
            if deviations == 1 {
                "One deviation".into()
            } else {
                format!("{deviations} deviations")
            }
        ),
        Outcome::Unacceptable => {
            "A rule of the recipe was broken; the reasons stand below. ".to_owned()
        }
        Outcome::Incomplete => "The record ends too early, or lacks what a rule needs, so that \
                                nobody can show what the batch went through. "
            .to_owned(),
    };
    let next = match (header.purpose, verdict.outcome) {
        (Purpose::Water, _) => "This was a run with water: there is no milk to release.",
        (Purpose::Milk, _) if header.simulated && !training => {
            "The machine was simulated: this record says nothing about any milk, and nothing can \
             be released on it."
        }
        (Purpose::Milk, Outcome::Acceptable) => {
            "The batch is not released by this page: it awaits the culture result and the review \
             by QA."
        }
        (Purpose::Milk, Outcome::Unacceptable | Outcome::Incomplete) => {
            "This milk cannot be released for feeding."
        }
    };
    what + next
}

/// A severity for people.
pub(crate) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "to note",
        Severity::Deviation => "to be decided",
        Severity::Fail => "failed",
    }
}

/// A rule for people.
pub(crate) const fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Record => "completeness of the record",
        Rule::Hold => "hold",
        Rule::HoldRestarted => "hold restarted",
        Rule::Lid => "lid",
        Rule::Ceiling => "ceiling",
        Rule::HeatUp => "heating up",
        Rule::ComeUp58 => "58 °C to the floor",
        Rule::Above58 => "time above 58 °C",
        Rule::Plateau => "length of the hold",
        Rule::Cooling => "cooling",
        Rule::Spread => "agreement of the milk probes",
        Rule::Reference => "agreement with the reference",
        Rule::SampleInterval => "sample interval",
        Rule::Disputed => "agreement of the two judges",
        Rule::Stopped => "stopped",
        Rule::Interrupted => "interruption",
        Rule::Judged => "how it was judged",
        Rule::ProbePlace => "place of the milk probes",
        Rule::ProbeJump => "jumps of the readings",
        Rule::ProbeStill => "readings that stood still",
        Rule::BottleLag => "how the milk followed the bath",
        Rule::BathFall => "fall of the bath",
        Rule::BottleCount => "bottles in and out",
    }
}

/// How a batch was closed, for people.
pub(crate) const fn closing(closing: Option<Closing>) -> &'static str {
    match closing {
        Some(Closing::Ended) => "ended by the program, with its record complete",
        Some(Closing::Interrupted) => "closed as incomplete: it was interrupted before its end",
        None => "not closed when this was printed",
    }
}

/// A phase as a heading of an event.
const fn phase(phase: PhaseName) -> &'static str {
    match phase {
        PhaseName::Preheat => "Preheat",
        PhaseName::Load => "Load",
        PhaseName::ComeUp => "Come-up",
        PhaseName::Hold => "Hold",
        PhaseName::Cool => "Cool",
        PhaseName::Unload => "Unload",
        PhaseName::Finished => "Finished",
        PhaseName::Aborted => "Stopped before its end",
    }
}

/// An entry of the engine, and whether it is an alarm: the sentence that the screen showed.
pub(crate) fn event(event: &Event) -> (String, bool) {
    let sentence = words::sentence(event);
    match event {
        Event::Entered { phase: entered, .. } => {
            (format!("{}: {sentence}", phase(*entered)), *entered == PhaseName::Aborted)
        }
        Event::Raised { .. }
        | Event::Failed { .. }
        | Event::AboveCeiling { .. }
        | Event::Resumed { .. }
        | Event::CountDiffers { .. } => (sentence, true),
        Event::Cleared { .. } | Event::Acknowledged { .. } | Event::HeatConfirmed => {
            (sentence, false)
        }
    }
}

/// What a person did.
pub(crate) fn action(action: &Action) -> String {
    match action {
        Action::ConfirmLoad { bottles } => format!("Confirmed that {bottles} bottles are in"),
        Action::ConfirmUnload { bottles } => format!("Confirmed that {bottles} bottles are out"),
        Action::Stop { reason } => format!("Stopped the batch: “{reason}”"),
        Action::Resume { outage_ms } => {
            format!(
                "Continued the batch; the controller had been gone {}",
                words::outage(*outage_ms)
            )
        }
        Action::Orders { arrive: true } => "Orders reach the machine again".into(),
        Action::Orders { arrive: false } => "Orders did not reach the machine".into(),
        Action::Record { keeps_up: true } => "The record keeps up: heat may go on".into(),
        Action::Record { keeps_up: false } => "The record is behind: heat is withheld".into(),
        Action::ConfirmHeat => "Confirmed that the machine may heat again".into(),
        Action::Acknowledge { alarm, by } => {
            format!("Acknowledged alarm {}: {by}", alarm.number())
        }
    }
}

/// The readings behind an entry.
pub(crate) fn readings(snapshot: &Snapshot) -> String {
    let degrees = |value: Option<Celsius>| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
    };
    format!(
        "{} / {} / {}",
        degrees(snapshot.bath),
        degrees(snapshot.coldest),
        degrees(snapshot.hottest)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::fixture;

    #[test]
    fn a_hold_that_lacks_a_second_is_not_rounded_up() {
        assert_eq!(duration(1_799.99), "29 min 59 s");
        assert_eq!(duration(1_800.0), "30 min");
        assert_eq!(duration(9.9), "9 s");
        assert_eq!(duration(f64::NAN), "unknown");
    }

    #[test]
    fn no_outcome_is_ever_said_to_be_released() {
        let (mut record, mut verdict) = fixture::troubled();
        for outcome in [Outcome::Acceptable, Outcome::Unacceptable, Outcome::Incomplete] {
            for simulated in [true, false] {
                verdict.outcome = outcome;
                record.header.simulated = simulated;
                let text = meaning(&record.header, &verdict, false);
                assert!(
                    ["not released", "nothing can be released", "cannot be released"]
                        .iter()
                        .any(|said| text.contains(said)),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn deviations_are_counted_in_the_sentence() {
        let (record, verdict) = fixture::troubled();
        assert!(meaning(&record.header, &verdict, true).contains("2 deviations must be decided"));
    }
}
