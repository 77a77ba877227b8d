//! A verdict in words, for `batch show`, `judge` and whoever else shows one.

use super::out;
use crate::batch::verdict::{Figures, Finding, Verdict};

/// The outcome, the findings and the figures.
pub(crate) fn in_words(verdict: &Verdict) -> String {
    let mut text = format!("verdict: {}\n", verdict.outcome);
    let rows: Vec<Vec<String>> = verdict.findings.iter().map(finding_row).collect();
    if rows.is_empty() {
        text += "nothing to note\n";
    } else {
        text += &out::table(&["WEIGHT", "AT", "FINDING"], &rows);
    }
    text += "\n";
    text += &out::table(&["FIGURE", "VALUE", "MEANING"], &figure_rows(&verdict.figures));
    text
}

fn finding_row(finding: &Finding) -> Vec<String> {
    let at = finding.at_s.map_or_else(String::new, minutes);
    vec![finding.severity.word().to_owned(), at, finding.text.clone()]
}

fn minutes(seconds: f64) -> String {
    format!("{:.1} min", seconds / 60.0)
}

fn figure_rows(figures: &Figures) -> Vec<Vec<String>> {
    let time = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), minutes);
    let degrees =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2} °C"));
    let equivalent =
        figures.equivalent_min.map_or_else(|| "–".to_owned(), |value| format!("{value:.1} min"));
    let gap = figures.gap_max_s.map_or_else(|| "–".to_owned(), |value| format!("{value:.1} s"));
    let bigelow = format!(
        "at {:.1} °C, the same effect (Bigelow, z = {:.1} °C)",
        figures.tref_c, figures.z_c
    );
    let rows = [
        ("come-up", time(figures.come_up_s), "from loading until the hold begins"),
        ("58 °C to floor", time(figures.t58_to_floor_s), "coldest probe"),
        ("above 58 °C", time(figures.above_58_s), "coldest probe, in all"),
        ("hold", time(figures.hold_s), "the longest unbroken hold"),
        ("restarts", figures.holds_restarted.to_string(), "holds that were broken"),
        ("plateau min", degrees(figures.plateau_min_c), "coldest mean during the hold"),
        ("plateau max", degrees(figures.plateau_max_c), "hottest mean during the hold"),
        ("plateau mean", degrees(figures.plateau_mean_c), "coldest probe during the hold"),
        ("spread", degrees(figures.spread_max_c), "between milk probes during the hold"),
        ("cooling", time(figures.cool_to_10_s), "from the hold to 10 °C, hottest probe"),
        ("cycle", time(figures.cycle_s), "from loading to cold milk"),
        ("equivalent", equivalent, bigelow.as_str()),
        ("longest gap", gap, "without a good reading of a milk probe"),
        ("readings", figures.samples.to_string(), "that were judged"),
    ];
    rows.into_iter()
        .map(|(name, value, meaning)| vec![name.to_owned(), value, meaning.to_owned()])
        .collect()
}
