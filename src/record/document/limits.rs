//! The key limits of a recipe for the printed record, each with its key, and whether it rests
//! on a source.

use serde::Serialize;

use crate::batch::recipe::Recipe;
use crate::record::words;

/// One limit.
#[derive(Serialize)]
pub(super) struct Limit {
    what: &'static str,
    value: String,
    /// Its key in the recipe's file.
    key: &'static str,
    /// The recipe says that this rests on memory or on our own choice.
    unverified: bool,
}

/// The key limits, in the order of the process.
pub(super) fn limits(recipe: &Recipe) -> Vec<Limit> {
    let time = |ms: u64| words::duration(ms as f64 / 1000.0);
    let (hold, ceiling, cooling) = (&recipe.hold, &recipe.ceiling, &recipe.cooling);
    let rows = [
        ("Floor of the hold", format!("{:.2} °C", hold.floor), "hold.floor_c"),
        ("Length of the hold", time(hold.hold_ms), "hold.hold_min"),
        (
            "Hold begins this far above the limit",
            format!("{:.2} °C", hold.begin_above),
            "hold.begin_above_c",
        ),
        ("… and after", time(hold.begin_after_ms), "hold.begin_after_s"),
        ("Readings are averaged over", time(hold.mean_ms), "hold.mean_s"),
        ("Longest gap in a hold", time(hold.max_gap_ms), "hold.max_gap_s"),
        (
            "Most restarts of the hold",
            hold.holds_restarted_max.to_string(),
            "hold.holds_restarted_max",
        ),
        ("Milk, note above", format!("{:.1} °C", ceiling.note), "ceiling.note_c"),
        ("Milk, deviation above", format!("{:.1} °C", ceiling.deviation), "ceiling.deviation_c"),
        ("Milk, failed above", format!("{:.1} °C", ceiling.fail), "ceiling.fail_c"),
        ("Heating up, note above", time(recipe.heat_up.note_ms), "heat_up.note_min"),
        ("Heating up, failed above", time(recipe.heat_up.fail_ms), "heat_up.fail_min"),
        ("Cooled at", format!("{:.1} °C", cooling.target), "cooling.target_c"),
        ("Cooling, note above", time(cooling.note_ms), "cooling.note_min"),
        ("Cooling, failed above", time(cooling.fail_ms), "cooling.fail_min"),
        (
            "Spread of the milk probes",
            format!("{:.2} °C", recipe.probes.spread_max),
            "probes.spread_max_c",
        ),
        (
            "Donors in a pool",
            format!("{} to {}", recipe.pool.donors_min, recipe.pool.donors_max),
            "pool.donors_max",
        ),
    ];
    let limit = |(what, value, key): (_, _, &'static str)| Limit {
        what,
        value,
        key,
        unverified: recipe.unverified.iter().any(|listed| listed == key),
    };
    rows.into_iter().map(limit).collect()
}
