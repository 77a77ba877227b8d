//! Entries of the journal as sentences, for the screen, the plain lines and the printed record.
//!
//! **Terms.** A *sentence* says what happened; its *readings* are the trustworthy values behind
//! it. Temperatures are written exactly, in °C; durations as minutes and seconds, rounded down.

use holder_hal::Celsius;

use super::alarm::HeatRule;
use super::event::{Alarm, Cause, Entry, Event, HoldBreak, Snapshot};

/// The whole entry in words: its sentence with the readings behind it.
pub fn describe(entry: &Entry) -> String {
    format!("{} ({})", sentence(&entry.event), readings(&entry.readings_mc))
}

/// What happened, as one or two sentences without the readings.
pub fn sentence(event: &Event) -> String {
    match event {
        Event::Entered { phase: _, cause } => cause_sentence(cause),
        Event::Raised { alarm, after } => raised(*alarm, *after),
        Event::Cleared { alarm } => {
            format!("Alarm {} ({}): what raised it is over.", alarm.number(), alarm.title())
        }
        Event::Failed { alarm } => {
            let (number, title) = (alarm.number(), alarm.title());
            format!(
                "Alarm {number}: {title}. What the milk went through is not known: the batch has \
                 failed."
            )
        }
        Event::Acknowledged { alarm, by } => {
            let (number, title) = (alarm.number(), alarm.title());
            format!("Alarm {number} ({title}) was acknowledged by {}.", one_line(by))
        }
        Event::AboveCeiling { line, allowance } => format!(
            "The hottest milk went above {} °C, with {} °C added for uncertainty and margin.",
            exact(line.milli()),
            exact(allowance.milli())
        ),
        Event::Resumed { outage_ms } => {
            format!("The controller was gone {}; the batch was continued.", outage(*outage_ms))
        }
        Event::CountDiffers { loaded, counted } => format!(
            "Another number of bottles was counted out ({counted}) than went in ({loaded}), the control bottle not \
             counted: they are to be counted again."
        ),
        Event::HeatConfirmed => "A person confirmed that the machine may heat again.".to_owned(),
    }
}

/// How long the controller was gone: `for 3 min 02 s`; of an unknown time also what it counts as.
pub fn outage(outage_ms: Option<u64>) -> String {
    let unknown = "for an unknown time (nobody can show that it was short: it counts as longer than \
                   every limit)";
    outage_ms.map_or(unknown.to_owned(), |ms| format!("for {}", duration(ms)))
}

/// An alarm that stands, with its number and what to do: `ALARM 301: the lid is open; close …`.
/// One that came after another says so: the other may be its cause.
pub fn raised(alarm: Alarm, after: Option<Alarm>) -> String {
    let after = after.map_or_else(String::new, |first| format!(" (after {})", first.number()));
    format!("ALARM {}{after}: {}; {}.", alarm.number(), alarm.title(), alarm.advice())
}

/// An alarm that waits to be acknowledged although what raised it is over, with what that means for
/// the heat. Advice would say what was: `ALARM 201: the bath probe is lost: over. …`.
pub fn over(alarm: Alarm, after: Option<Alarm>) -> String {
    let heat = match alarm.heat() {
        HeatRule::Stays => "",
        HeatRule::OffUntilOver => " It keeps the heat off no more.",
        HeatRule::OffUntilAcknowledged => " Heat stays off until it is acknowledged.",
    };
    let after = after.map_or_else(String::new, |first| format!(" (after {})", first.number()));
    format!(
        "ALARM {}{after}: {}: that is over, and not acknowledged.{heat}",
        alarm.number(),
        alarm.title()
    )
}

/// The bottles that were confirmed to be in, and every count of those that came out, the control bottle
/// not counted: `48 in, 48 out`, `48 in, 47 out (at first 49)`.
pub fn bottles(loaded: Option<u16>, counts_out: &[u16]) -> String {
    let Some(loaded) = loaded else { return "none in".to_owned() };
    let out = match counts_out {
        [] => "not counted out".to_owned(),
        [only] => format!("{only} out"),
        [first, .., last] => format!("{last} out (at first {first})"),
    };
    format!("{loaded} in, {out}")
}

fn cause_sentence(cause: &Cause) -> String {
    match cause {
        Cause::Started => "The batch began; the empty bath is warmed.".to_owned(),
        Cause::BathStable => "The bath is stable at its set point; bottles can go in.".to_owned(),
        Cause::Loaded { bottles: 1 } => {
            "1 bottle was confirmed besides the control bottle; the milk is warmed.".to_owned()
        }
        Cause::Loaded { bottles } => format!(
            "{bottles} bottles were confirmed besides the control bottle; the milk is warmed."
        ),
        Cause::HoldBegun => {
            "The milk stayed above the limit for long enough; the hold began.".to_owned()
        }
        Cause::HoldBroken { by, held_ms } => format!(
            "The hold was broken after {}: {}. The milk is warmed again for a new hold.",
            duration(*held_ms),
            broken_by(*by)
        ),
        Cause::HoldComplete => "The hold is complete; the milk is cooled.".to_owned(),
        Cause::RestartsExhausted { by, held_ms } => format!(
            "The hold was broken after {}: {}. That is once more than the recipe allows: the \
             batch has failed, and the milk is cooled.",
            duration(*held_ms),
            broken_by(*by)
        ),
        Cause::HeatUpTooLong => "The hold did not begin within the recipe's time: the batch has \
                                 failed, and the milk is cooled."
            .to_owned(),
        Cause::CeilingPassed => "The hottest milk went above the ceiling that fails a batch: the \
                                 batch has failed, and the milk is cooled."
            .to_owned(),
        Cause::Implausible { alarm } if alarm.doubts_the_milk() => format!(
            "After alarm {} the milk is cooled, for the recipe's whole time: what its probe reads is \
             not believed.",
            alarm.number()
        ),
        Cause::Implausible { alarm } => {
            format!("After alarm {} the milk is cooled.", alarm.number())
        }
        Cause::Cooled => "The hottest milk is cold; bottles can come out.".to_owned(),
        Cause::CoolingTooLong => "The milk was not known to be cold within the recipe's time: the \
                                  batch has failed. Measure by hand how warm it is; bottles can \
                                  come out."
            .to_owned(),
        Cause::Unloaded { bottles, loaded } if bottles > loaded => format!(
            "More bottles were confirmed to be out ({bottles}) than went in ({loaded}): nobody can say \
             which of them were heated, and the batch has failed. The run is over."
        ),
        Cause::Unloaded { bottles, loaded } if bottles < loaded => format!(
            "Fewer bottles were confirmed to be out ({bottles}) than went in ({loaded}); the run is over."
        ),
        Cause::Unloaded { bottles: 1, .. } => {
            "1 bottle was confirmed to be out besides the control bottle; the run is over."
                .to_owned()
        }
        Cause::Unloaded { bottles, .. } => format!(
            "{bottles} bottles were confirmed to be out besides the control bottle; the run is over."
        ),
        Cause::OperatorStop { reason } => {
            format!("A person stopped the batch: “{}”. Heat is commanded off.", one_line(reason))
        }
        Cause::Interlock { alarm } => format!(
            "Alarm {} stopped the batch: {}. Heat is commanded off and stays off.",
            alarm.number(),
            alarm.title()
        ),
        Cause::PreheatTooLong => {
            "The bath was not stable within the recipe's time: the batch was stopped. Heat is \
             commanded off."
                .to_owned()
        }
        Cause::LoadTooLong => "The bottles were not confirmed within the recipe's time: the batch \
                               was stopped. Heat is commanded off."
            .to_owned(),
        Cause::Resumed => "After the interruption the empty bath is warmed again.".to_owned(),
        Cause::InterruptionNotAllowed { held_ms } => format!(
            "{}The recipe does not allow this interruption: the batch has failed, and the milk is \
             cooled.",
            held_ms.map_or(String::new(), |held_ms| format!(
                "The hold was broken after {}. ",
                duration(held_ms)
            ))
        ),
    }
}

fn broken_by(by: HoldBreak) -> &'static str {
    match by {
        HoldBreak::BelowLimit => "the coldest milk fell below the limit",
        HoldBreak::Gap => "a milk probe gave no good reading for too long",
        HoldBreak::LidOpened => "the lid was opened",
        HoldBreak::Interrupted => "the controller was gone",
    }
}

/// The readings behind an entry: `bath 63.4 °C, milk probes 62.85 to 62.9 °C`.
pub fn readings(seen: &Snapshot) -> String {
    let bath = match seen.bath {
        Some(bath) => format!("bath {} °C", exact(bath.milli())),
        None => "no good bath reading at that moment".to_owned(),
    };
    let milk = match (seen.coldest, seen.hottest) {
        (Some(coldest), Some(hottest)) if coldest == hottest => {
            format!("milk probes {} °C", exact(coldest.milli()))
        }
        (Some(coldest), Some(hottest)) => {
            format!("milk probes {} to {} °C", exact(coldest.milli()), exact(hottest.milli()))
        }
        (Some(_), None) | (None, Some(_)) | (None, None) => "no good milk reading".to_owned(),
    };
    format!("{bath}, {milk}")
}

/// A duration in minutes and seconds, rounded down: `12 min 03 s`, or `45 s`.
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {:02} s", seconds % 60),
    }
}

/// Time since the batch began, rounded down to the second: `1:02:03`.
pub fn elapsed(ms: u64) -> String {
    let seconds = ms / 1000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Thousandths with as many decimals as they need, at least one: `62.5`, `62.85`, `62.796`.
fn exact(milli: i32) -> String {
    let text = Celsius::from_milli(milli).to_string();
    let shorter = text.strip_suffix('0').unwrap_or(&text);
    shorter.strip_suffix('0').unwrap_or(shorter).to_owned()
}

/// What a person typed, without what could move a cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
