//! The plan of the heat penetration for a terminal: what is done, what is to do, what did not count.

use crate::cli::out;
use crate::qualify::plan::{Next, Plan, Planned, words};
use crate::record::zone::Zone;

/// The plan as paragraphs.
pub(super) fn text(plan: &Plan, zone: &Zone) -> String {
    let mut parts = vec![format!(
        "PLAN of the heat penetration: recipe {}, bottles of {} ml\n{}",
        plan.recipe,
        plan.bottle_ml,
        out::paragraph(&plan.basis)
    )];
    let rows: Vec<Vec<String>> =
        plan.rows.iter().map(|row| words::cells(plan, row, zone).to_vec()).collect();
    parts.push(out::table(&words::HEAD, &rows));
    let missing: Vec<String> = plan.missing().map(to_do).collect();
    if !missing.is_empty() {
        parts.push(format!("STILL TO DO\n{}", missing.concat()));
    }
    let aside: Vec<Vec<String>> = plan
        .set_aside
        .iter()
        .map(|one| {
            let (batch, bottles) = (one.batch.clone(), one.bottles.to_string());
            vec![batch, zone.stamp(one.started_utc_ms), bottles, one.why.clone()]
        })
        .collect();
    if !aside.is_empty() {
        let head = ["WATER RUN", "STARTED", "BOTTLES", "FILLS NO ROW, BECAUSE"];
        parts.push(out::table(&head, &aside));
    }
    parts.join("\n")
}

/// A command stands on a line of its own, whole, so that it can be copied.
fn to_do(row: &Planned) -> String {
    let load = format!(
        "{}  {}, run {} of {}\n",
        row.number,
        words::bottles(row.bottles),
        row.repeat,
        row.repeats
    );
    load + &out::fields(&[("probes", &row.places)]) + &format!("  {}\n", row.command)
}

/// What to do now: the last thing on the screen.
pub(super) fn next(next: &Next) -> String {
    let title = format!("NEXT: {}\n", next.row);
    title
        + &out::fields(&[("first", &next.first), ("probes", &next.probes)])
        + "  then\n\n    "
        + &next.command
}
