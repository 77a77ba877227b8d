//! The report as a PDF/A-2b, by the same document engine as the printed record.

use serde_json::{Value, json};

use super::bench::Bench;
use super::plan::{Plan, words};
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
    let look = ChartOptions { training: report.training, ..ChartOptions::default() };
    let chart = svg_by_name(&record, &good.verdict, look)?;
    let zone = Zone::named(time_zone);
    let word = |verdict: Verdict| verdict.word();
    let facts = json!({
        "report": report,
        "plan": report.plan.as_ref().map(|plan| plan_in_words(plan, &zone)),
        "scope": report.scope(),
        "marks": report.marks(),
        "outcome": report.outcome.word(),
        "at": zone.stamp(report.at_utc_ms),
        "zone": zone.label(report.at_utc_ms),
        "verdicts": report.steps.iter().map(|step| word(step.verdict)).collect::<Vec<_>>(),
        "rows": report.matrix.iter().map(|row| word(row.verdict)).collect::<Vec<_>>(),
        "counts": {
            "passed": report.count(Verdict::Pass),
            "failed": report.count(Verdict::Fail),
            "open": report.count(Verdict::Open),
            "none": report.count(Verdict::NotApplicable),
        },
    });
    let facts =
        serde_json::to_vec(&facts).map_err(|why| RecordError::Json { batch: what.clone(), why })?;
    print_sheet(Sheet {
        what: &what,
        ident: &format!("{}/{}/{}", report.station, report.unit, report.at_utc_ms),
        template: TEMPLATE,
        facts,
        chart: chart.into_bytes(),
        produced_utc_ms: report.at_utc_ms,
    })
}

/// The plan as the template arranges it.
fn plan_in_words(plan: &Plan, zone: &Zone) -> Value {
    let rows = plan.rows.iter().map(|row| words::cells(plan, row, zone));
    let aside = plan.set_aside.iter().map(|one| {
        [
            one.batch.clone(),
            zone.stamp(one.started_utc_ms),
            one.bottles.to_string(),
            one.why.clone(),
        ]
    });
    let to_do = plan.missing().map(|row| [&row.number, &row.places, &row.command]);
    json!({
        "of": format!("recipe {}, bottles of {} ml", plan.recipe, plan.bottle_ml),
        "basis": plan.basis,
        "rows": rows.collect::<Vec<_>>(),
        "to_do": to_do.collect::<Vec<_>>(),
        "aside": aside.collect::<Vec<_>>(),
    })
}
