//! The judge's figures for the printed record, each beside what the recipe says of it.

use serde::Serialize;

use crate::batch::params::BatchParams;
use crate::batch::verdict::Figures;
use crate::record::words;

/// One figure.
#[derive(Serialize)]
pub(super) struct Figure {
    what: &'static str,
    value: String,
    recipe: String,
}

/// Every figure, in the order of the process.
pub(super) fn figures(figures: &Figures, params: &BatchParams) -> Vec<Figure> {
    let rules = &params.recipe;
    let time = |value: Option<f64>| value.map(words::duration);
    let degrees = |value: Option<f64>| value.map(|value| format!("{value:.3} °C"));
    let limit = |ms: u64| words::duration(ms as f64 / 1000.0);
    let restarts = figures.holds_restarted.to_string();
    let equivalent = figures.equivalent_min.map(|minutes| format!("{minutes:.1} min"));
    let bigelow = format!(
        "Tref {:.1} °C, z {:.1} °C, coldest milk probe; a measure, not a promise of log reductions",
        figures.tref_c, figures.z_c
    );
    let rows = [
        (
            "Longest unbroken hold",
            time(figures.hold_s),
            format!("at least {}", limit(rules.hold.hold_ms)),
        ),
        (
            "Holds broken before they were complete",
            Some(restarts),
            format!("at most {}", rules.hold.holds_restarted_max),
        ),
        (
            "Coldest in the hold (mean of 10 s)",
            degrees(figures.plateau_min_c),
            format!("limit {:.3} °C", params.limit_max()),
        ),
        ("Hottest in the hold (mean of 10 s)", degrees(figures.plateau_max_c), String::new()),
        ("Mean in the hold, coldest probe", degrees(figures.plateau_mean_c), String::new()),
        (
            "Widest spread of the milk probes in the hold",
            degrees(figures.spread_max_c),
            format!("at most {:.2} °C", rules.probes.spread_max),
        ),
        (
            "Loading to hold",
            time(figures.come_up_s),
            format!("note above {}", limit(rules.heat_up.note_ms)),
        ),
        (
            "58 °C to the floor",
            time(figures.t58_to_floor_s),
            format!("note above {}", limit(rules.figures.t58_to_floor_note_ms)),
        ),
        (
            "Above 58 °C",
            time(figures.above_58_s),
            format!("note above {}", limit(rules.figures.above_58_note_ms)),
        ),
        (
            "End of hold to 10 °C, hottest probe",
            time(figures.cool_to_10_s),
            format!("note above {}", limit(rules.cooling.note_ms)),
        ),
        ("Loading to cooled", time(figures.cycle_s), String::new()),
        ("Equivalent minutes at 62.5 °C", equivalent, bigelow),
        (
            "Longest time without a good reading",
            time(figures.gap_max_s),
            format!("in a hold at most {}", limit(rules.hold.max_gap_ms)),
        ),
        ("Readings judged", Some(figures.samples.to_string()), String::new()),
    ];
    let figure = |(what, value, recipe): (_, Option<String>, _)| Figure {
        what,
        value: value.unwrap_or_else(|| "not available".to_owned()),
        recipe,
    };
    rows.into_iter().map(figure).collect()
}
