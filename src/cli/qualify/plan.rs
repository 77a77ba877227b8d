//! The plan of the heat penetration for a terminal: what is done, what is to do, what did not count.

use crate::cli::out;
use crate::qualify::plan::{Plan, Planned};
use crate::qualify::water::WaterRun;
use crate::record::zone::Zone;

/// The plan as paragraphs.
pub(super) fn text(plan: &Plan, zone: &Zone) -> String {
    let mut parts = vec![format!(
        "PLAN of the heat penetration (HR: one run with water each), recipe {}, bottles of {} ml\n{}",
        plan.recipe, plan.bottle_ml, plan.basis
    )];
    let rows: Vec<Vec<String>> = plan.rows.iter().map(|row| done(row, zone)).collect();
    let head = ["ROW", "BOTTLES", "RUN", "BATCH", "STARTED", "COME-UP", "SPREAD", "COLDEST PROBE"];
    parts.push(out::table(&head, &rows));
    let missing: Vec<Vec<String>> = plan.missing().flat_map(to_do).collect();
    if !missing.is_empty() {
        parts.push(out::table(&["TO DO", "", ""], &missing));
    }
    let aside: Vec<Vec<String>> = plan
        .set_aside
        .iter()
        .map(|one| {
            vec![
                one.batch.clone(),
                zone.stamp(one.started_utc_ms),
                one.bottles.to_string(),
                one.why.clone(),
            ]
        })
        .collect();
    if !aside.is_empty() {
        let head = ["WATER RUN", "STARTED", "BOTTLES", "FILLS NO ROW, BECAUSE"];
        parts.push(out::table(&head, &aside));
    }
    parts.join("\n")
}

fn done(row: &Planned, zone: &Zone) -> Vec<String> {
    let (number, bottles) = (row.number.clone(), row.bottles.to_string());
    let run = format!("{} of {}", row.repeat, row.repeats);
    let mut cells = vec![number, bottles, run];
    match &row.run {
        None => cells.extend(["to do", "", "", "", ""].map(str::to_owned)),
        Some(run) => cells.extend(figures(run, zone)),
    }
    cells
}

fn figures(run: &WaterRun, zone: &Zone) -> [String; 5] {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let mark = if run.simulated { " SIMULATED" } else { "" };
    [
        format!("{}{mark}", run.batch),
        zone.stamp(run.started_utc_ms),
        or_dash(run.come_up_s.map(|seconds| format!("{:.1} min", seconds / 60.0))),
        or_dash(run.spread_max_c.map(|spread_c| format!("{spread_c:.2} °C"))),
        or_dash(run.coldest().map(|probe| format!("{} {:.2} °C", probe.source, probe.mean_c))),
    ]
}

fn to_do(row: &Planned) -> [Vec<String>; 2] {
    let line = |first: &str, what: &str, text: &str| {
        vec![first.to_owned(), what.to_owned(), text.to_owned()]
    };
    [line(&row.number, "probes", &row.places), line("", "then", &row.command)]
}
