//! What charts and documents cost.

use criterion::Criterion;
use holder::record::chart::{self, ChartOptions};

use crate::example;

/// The chart of a batch as both kinds of picture.
pub(crate) fn chart_of_a_batch(criterion: &mut Criterion) {
    let (record, verdict) = example::judged();
    let options = ChartOptions::default();
    criterion.bench_function("chart/svg", |bencher| {
        bencher.iter(|| chart::svg(&record, &verdict, options).expect("the chart can be drawn"));
    });
    criterion.bench_function("chart/png", |bencher| {
        bencher.iter(|| chart::png(&record, &verdict, options).expect("the chart can be drawn"));
    });
}

/// The printed record, once the document engine has been used before.
#[cfg(feature = "pdf")]
pub(crate) fn document_of_a_batch(criterion: &mut Criterion) {
    use holder::record::document::{self, PdfOptions};

    let (record, verdict) = example::judged();
    let options =
        PdfOptions { produced_utc_ms: record.header.started_utc_ms, ..PdfOptions::default() };
    let mut group = criterion.benchmark_group("pdf");
    group.sample_size(20);
    group.bench_function("warm", |bencher| {
        bencher.iter(|| document::pdf(&record, &verdict, &options).expect("it can be printed"));
    });
    group.finish();
}
