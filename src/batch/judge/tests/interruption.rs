//! The recipe's rule on interruptions on curves of ours: who was gone when, and for how long.

use super::*;
use crate::batch::curve::Interruption;
use crate::batch::recipe::{Recipe, WhenInterrupted};

/// What the judge says of a controller that was gone from `from_s` on.
fn told(recipe: &Recipe, from_s: u64, outage_s: Option<u64>) -> (Severity, String) {
    // The batch goes on with the row at `from_s`, a second after the last one before it.
    let (at_ms, outage_ms) = (from_s * 1_000, outage_s.map(|s| s * 1_000));
    let curve = Curve { interruptions: vec![Interruption { at_ms, outage_ms }], ..own() };
    let found = judge(recipe, &curve).findings.into_iter();
    let found = found.filter(|finding| finding.rule == Rule::Interrupted).collect::<Vec<_>>();
    let [finding] = found.as_slice() else { panic!("one is told: {found:?}") };
    assert_eq!(finding.at_s, Some(from_s as f64));
    (finding.severity, finding.text.clone())
}

/// The strict recipe, but for these rules: one minute may pass.
fn recipe_with(come_up: WhenInterrupted, hold: WhenInterrupted) -> Recipe {
    let mut recipe = recipe();
    recipe.interruption.come_up = come_up;
    recipe.interruption.hold = hold;
    recipe.interruption.outage_max_ms = 60_000;
    recipe
}

fn lenient() -> Recipe {
    recipe_with(WhenInterrupted::Continue, WhenInterrupted::Restart)
}

const COME_UP_S: u64 = 500;
const HOLD_S: u64 = BEGIN_S + 600;
const COOL_S: u64 = COMPLETE_S + 300;

#[test]
fn what_the_recipe_allows_is_a_deviation_up_to_its_limit_and_beyond_it_fails() {
    for from_s in [COME_UP_S, HOLD_S] {
        let (severity, text) = told(&lenient(), from_s, Some(60));
        assert_eq!(severity, Severity::Deviation, "{text}");
        assert!(text.contains("at most 1 min may pass unwatched"), "{text}");
        assert_eq!(told(&lenient(), from_s, Some(61)).0, Severity::Fail);
    }
}

#[test]
fn what_the_recipe_forbids_fails_however_short_it_was() {
    let strict = recipe_with(WhenInterrupted::Fail, WhenInterrupted::Fail);
    let (severity, text) = told(&strict, COME_UP_S, Some(1));
    assert_eq!(severity, Severity::Fail);
    assert!(text.contains("allows none in the come-up"), "{text}");
    let (severity, text) = told(&strict, HOLD_S, Some(1));
    assert_eq!(severity, Severity::Fail);
    assert!(text.contains("allows none in the hold"), "{text}");
}

#[test]
fn an_unknown_time_exceeds_every_limit() {
    for from_s in [COME_UP_S, HOLD_S, COOL_S] {
        let (severity, text) = told(&lenient(), from_s, None);
        assert_eq!(severity, Severity::Fail, "{text}");
        assert!(text.contains("gone for an unknown time"), "{text}");
    }
}

#[test]
fn in_the_cooling_a_known_time_counts_as_time_to_cool() {
    let (severity, text) = told(&lenient(), COOL_S, Some(10_000));
    assert_eq!(severity, Severity::Deviation);
    assert!(text.contains("counts as time to cool"), "{text}");
}

#[test]
fn before_the_bottles_were_in_nothing_was_heated() {
    let (severity, text) = told(&lenient(), 50, None);
    assert_eq!(severity, Severity::Note);
    assert!(text.contains("no milk was being heated"), "{text}");
}

#[test]
fn the_record_shows_at_least_how_long_it_lasted_whatever_was_told() {
    // Rows are missing for 100 s, and 5 s are told.
    let at_ms = (HOLD_S + 100) * 1_000;
    let interruptions = vec![Interruption { at_ms, outage_ms: Some(5_000) }];
    let curve = Curve { interruptions, ..without(own(), HOLD_S..HOLD_S + 100) };
    let found = judge(&lenient(), &curve);
    assert_eq!(severity(&found, Rule::Interrupted), Some(Severity::Fail));
}

#[test]
fn bottles_that_went_in_after_the_last_row_were_being_heated() {
    let recipe = lenient();
    let told = |at_ms: u64| {
        let interruptions = vec![Interruption { at_ms, outage_ms: Some(1_000) }];
        let loading = with(own(), 100..101, |row| row.phase = Some(PhaseName::Load));
        let curve = Curve { load_ms: Some(100_200), interruptions, ..loading };
        severity(&judge(&recipe, &curve), Rule::Interrupted)
    };
    assert_eq!(told(100_200), Some(Severity::Note), "they went in when it was over");
    assert_eq!(told(100_201), Some(Severity::Deviation));
}
