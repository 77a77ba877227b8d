//! Steps on the machine itself: heat penetration with bottles of water.
//!
//! The runs are ordinary batches of water (`holder run UNIT --water --bottles N`), guarded and
//! recorded like any other; what is shown here is read from their closed records alone, by the rows
//! of the [plan](super::plan). A probe in each bottle that matters (at a third of the height, DOMAIN
//! "Cold point") belongs to the person who maps the machine.

use super::plan::{ONE_PROBE, Plan, Planned, words};
use super::report::Verdict as Said;
use super::water::WaterRun;
use super::{OnPlan, Seen, Step};

pub(super) const STEPS: &[Step<OnPlan>] = &[
    Step {
        number: "HP-01",
        requirement: "REQ-MAP-01",
        method: "Do the planned runs with bottles of water; compare the means of the milk probes over the \
                 hold of each, and where the control bottle alone would have begun it.",
        run: cold_point,
    },
    Step {
        number: "HP-02",
        requirement: "REQ-MAP-02",
        method: "From the same runs: the largest difference between the milk probes during the hold.",
        run: spread,
    },
    Step {
        number: "HP-03",
        requirement: "REQ-MAP-03",
        method: "From the same runs: the time from loading to the hold, by load.",
        run: come_up,
    },
    Step {
        number: "HP-04",
        requirement: "REQ-MAP-04",
        method: "Judge the same runs by the first milk probe alone, which is in the control bottle, as milk \
                 is run: from where it would have begun the hold until cooling began, the judged value of \
                 the coldest probe below it.",
        run: margin,
    },
    Step {
        number: "HP-05",
        requirement: "REQ-REC-02",
        method: "Verify the record of every water run of the unit, whether it counts for the plan or not.",
        run: verified,
    },
];

/// What a step says of one row: a figure that meets or does not, in words.
struct Figure {
    meets: bool,
    words: String,
}

/// A step that reads one figure from each planned run. One that does not meet fails it at once; while
/// none does and rows wait for their run, it is open.
fn by_row(
    plan: &Plan,
    expected: String,
    needs_two_probes: bool,
    figure: impl Fn(&WaterRun) -> Figure,
) -> Seen {
    let figures: Vec<Figure> = plan.runs().map(&figure).collect();
    let mut observed = listed(plan, &figure);
    if figures.iter().any(|figure| !figure.meets) {
        return Seen::that(false, expected, observed);
    }
    if needs_two_probes && plan.probes.len() < 2 {
        return Seen::not(Said::Open, expected, format!("not tested: {ONE_PROBE}"));
    }
    let missing: Vec<&str> = plan.missing().map(|row| row.number.as_str()).collect();
    if missing.is_empty() {
        return Seen::that(true, expected, observed);
    }
    if !observed.is_empty() {
        observed += "; ";
    }
    observed += &format!("still to do: {}, see the plan", missing.join(", "));
    Seen::not(Said::Open, expected, observed)
}

/// The figures of the rows that are filled, load by load.
fn listed(plan: &Plan, figure: &impl Fn(&WaterRun) -> Figure) -> String {
    let loads = plan.rows.chunk_by(|a, b| a.bottles == b.bottles);
    let said = loads.filter_map(|load| {
        let of = |row: &Planned| {
            let run = row.run.as_ref()?;
            Some(format!("{} {}", words::batch(run), figure(run).words))
        };
        let runs: Vec<String> = load.iter().filter_map(of).collect();
        let first = load.first().filter(|_| !runs.is_empty())?;
        Some(format!("{}: {}", words::bottles(first.bottles), runs.join(", ")))
    });
    said.collect::<Vec<_>>().join("; ")
}

/// A figure that must be known, and within its limit.
fn known(value: Option<f64>, meets: impl Fn(f64) -> bool, words: impl Fn(f64) -> String) -> Figure {
    Figure {
        meets: value.is_some_and(meets),
        words: value.map_or_else(|| "unknown".to_owned(), words),
    }
}

fn cold_point(plan: &Plan) -> anyhow::Result<Seen> {
    let expected = format!(
        "a complete hold in each of the {} planned runs, and at least two milk probes to say which is \
         the coldest: none, if they are no farther apart than their uncertainty of {}",
        plan.rows.len(),
        words::degrees(plan.uncertainty_c)
    );
    Ok(by_row(plan, expected, true, |run| Figure {
        // A probe that gave nothing to trust fails the step.
        meets: run.means.len() == plan.probes.len(),
        words: words::coldest(plan, run),
    }))
}

fn spread(plan: &Plan) -> anyhow::Result<Seen> {
    let most_c = plan.spread_allowed_c;
    let two = plan.probes.len() >= 2;
    Ok(by_row(plan, format!("at most {most_c} °C in each planned run"), true, |run| {
        let Figure { meets, words } =
            known(run.spread_max_c, |spread_c| spread_c <= most_c, words::degrees);
        // One probe has no spread: that is open, and said once.
        Figure { meets: meets || !two, words }
    }))
}

fn come_up(plan: &Plan) -> anyhow::Result<Seen> {
    Ok(by_row(plan, "known in each planned run".to_owned(), false, |run| {
        known(run.come_up_s, f64::is_finite, words::minutes)
    }))
}

fn margin(plan: &Plan) -> anyhow::Result<Seen> {
    let margin_c = plan.margin_c;
    let kind = if plan.margin_measured { "as measured" } else { "the safe default" };
    let expected = format!(
        "at most the unit's margin, {margin_c} °C ({kind}), from the begin of the hold by the control \
         bottle alone, in each planned run"
    );
    Ok(by_row(plan, expected, true, |run| Figure {
        // A figure that is not known fails the step.
        meets: run.behind_max_c.is_some_and(|behind_c| behind_c <= margin_c),
        words: words::behind(run).unwrap_or_else(|| "unknown".to_owned()),
    }))
}

fn verified(plan: &Plan) -> anyhow::Result<Seen> {
    let expected = "each is what was written";
    let bad: Vec<String> = plan
        .set_aside
        .iter()
        .filter(|one| !one.verifies)
        .map(|one| format!("{}: {}", one.batch, one.why))
        .collect();
    let all = plan.runs().count() + plan.set_aside.len();
    if all == 0 {
        return Ok(Seen::not(Said::Open, expected, "this unit has no water run yet"));
    }
    let fit = all - bad.len();
    let mut observed = format!("{fit} of {all} records verify");
    if !bad.is_empty() {
        observed += &format!("; {}", bad.join("; "));
    }
    Ok(Seen::that(bad.is_empty(), expected, observed))
}
