//! The rows of a plan in words, the same on the terminal and on paper.

use super::{Plan, Planned};
use crate::qualify::water::WaterRun;
use crate::record::zone::Zone;

/// What stands above the cells of a row.
pub const HEAD: [&str; 8] =
    ["ROW", "BOTTLES", "RUN", "BATCH", "STARTED", "COME-UP", "SPREAD", "COLDEST PROBE"];

/// The cells of a row.
pub(crate) fn cells(plan: &Plan, row: &Planned, zone: &Zone) -> [String; 8] {
    let (number, bottles) = (row.number.clone(), row.bottles.to_string());
    let repeat = format!("{} of {}", row.repeat, row.repeats);
    let Some(run) = &row.run else {
        let none = String::new;
        return [number, bottles, repeat, "to do".to_owned(), none(), none(), none(), none()];
    };
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    [
        number,
        bottles,
        repeat,
        batch(run),
        zone.stamp(run.started_utc_ms),
        or_dash(run.come_up_s.map(minutes)),
        or_dash(run.spread_max_c.map(degrees)),
        coldest(plan, run),
    ]
}

/// The batch of a run, marked.
pub fn batch(run: &WaterRun) -> String {
    let mark = if run.simulated { " SIMULATED" } else { "" };
    format!("{}{mark}", run.batch)
}

/// `27.9 min`.
pub fn minutes(seconds: f64) -> String {
    format!("{:.1} min", seconds / 60.0)
}

/// `0.07 °C`.
pub fn degrees(value_c: f64) -> String {
    format!("{value_c:.2} °C")
}

/// Which probe was the coldest and by how much, unless that is less than the probes can tell.
pub fn coldest(plan: &Plan, run: &WaterRun) -> String {
    match (run.means.as_slice(), run.coldest()) {
        ([_, _, ..], Some((_, apart_c))) if apart_c <= plan.uncertainty_c => {
            format!("none ({} apart)", degrees(apart_c))
        }
        ([_, _, ..], Some((coldest, apart_c))) => {
            format!("{}, {} colder", coldest.source, degrees(apart_c))
        }
        _ => "-".to_owned(),
    }
}

/// How far the coldest probe was behind the control bottle's: `0.61 °C (0.60 °C at its begin)`.
pub fn behind(run: &WaterRun) -> Option<String> {
    let (max_c, begin_c) = (run.behind_max_c?, run.behind_at_begin_c()?);
    Some(format!("{} ({} at its begin)", degrees(max_c), degrees(begin_c)))
}

/// `1 bottle`, `48 bottles`.
pub fn bottles(count: u16) -> String {
    if count == 1 { "1 bottle".to_owned() } else { format!("{count} bottles") }
}
