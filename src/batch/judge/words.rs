//! Findings and the figures in their sentences.

use holder_hal::Celsius;

use crate::batch::verdict::{Finding, Rule, Severity};

pub(super) fn finding(
    rule: Rule,
    severity: Severity,
    at_ms: Option<u64>,
    text: impl Into<String>,
) -> Finding {
    Finding { rule, severity, at_s: at_ms.map(seconds), text: text.into() }
}

pub(super) fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// A duration for a sentence: `45 s`, `29 min 59.5 s`, `30 min`.
pub(super) fn span(ms: u64) -> String {
    let (minutes, rest_ms) = (ms / 60_000, ms % 60_000);
    let rest = format!("{} s", seconds(rest_ms));
    match (minutes, rest_ms) {
        (0, _) => rest,
        (_, 0) => format!("{minutes} min"),
        _ => format!("{minutes} min {rest}"),
    }
}

/// A time of which a part is not known, since the controller was gone: for the engine, too, it is
/// longer than every limit.
pub(super) const UNKNOWN_SPAN: &str = "an unknown time (the controller was gone; it counts as longer \
                                       than every limit)";

/// Millidegrees or millikelvin for a sentence: `62.500`.
pub(super) fn degrees(milli: i64) -> Celsius {
    let bounded = milli.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    Celsius::from_milli(i32::try_from(bounded).unwrap_or(i32::MAX))
}

/// The heaviest first, then by time; what has no moment stands last among its equals.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let time = |finding: &Finding| finding.at_s.unwrap_or(f64::INFINITY);
        b.severity.cmp(&a.severity).then(time(a).total_cmp(&time(b))).then(a.rule.cmp(&b.rule))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(span(45_000), "45 s");
        assert_eq!(span(1_800_000), "30 min");
        assert_eq!(span(1_799_500), "29 min 59.5 s");
    }
}
