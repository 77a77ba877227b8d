//! The report as a PDF/A-2b, by the same document engine as the printed record.

use serde_json::json;

use super::bench::Bench;
use super::report::{Report, Verdict};
use crate::record::RecordError;
use crate::record::chart::{ChartOptions, svg_by_name};
use crate::record::document::{Sheet, print_sheet};
use crate::record::zone::Zone;

const TEMPLATE: &str = include_str!("report.typ");

/// The printed report, with the curve of the good batch of OQ-01.
///
/// # Errors
/// The chart or the document cannot be made.
pub(crate) fn pdf(
    bench: &Bench<'_>,
    report: &Report,
    time_zone: &str,
) -> Result<Vec<u8>, RecordError> {
    let what = format!("qualification of {}", report.unit);
    let fault = |said: String| RecordError::Document { batch: what.clone(), what: said };
    let good = bench.good().map_err(|why| fault(format!("{why:#}")))?;
    let mut record = good.record;
    record.header.code = "OQ-01".to_owned();
    let chart = svg_by_name(&record, &good.verdict, ChartOptions { training: false })?;
    let zone = Zone::named(time_zone);
    let words = |verdict: Verdict| verdict.word();
    let facts = json!({
        "report": report,
        "scope": report.scope(),
        "outcome": report.outcome.word(),
        "at": zone.stamp(report.at_utc_ms),
        "zone": zone.label(report.at_utc_ms),
        "verdicts": report.steps.iter().map(|step| words(step.verdict)).collect::<Vec<_>>(),
        "rows": report.matrix.iter().map(|row| words(row.verdict)).collect::<Vec<_>>(),
        "counts": {
            "passed": report.count(Verdict::Pass),
            "failed": report.count(Verdict::Fail),
            "open": report.count(Verdict::Open),
            "none": report.count(Verdict::NotApplicable),
        },
    });
    let facts = serde_json::to_vec(&facts)
        .map_err(|source| RecordError::Json { batch: what.clone(), source })?;
    print_sheet(Sheet {
        what: &what,
        ident: &format!("{}/{}/{}", report.station, report.unit, report.at_utc_ms),
        template: TEMPLATE,
        facts,
        chart: chart.into_bytes(),
        produced_utc_ms: report.at_utc_ms,
    })
}
