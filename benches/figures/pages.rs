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

/// The printed record, once the document engine has been used before. It remembers its work for
/// a while: a handful of batches in turn keeps it from printing the same one again.
#[cfg(feature = "pdf")]
pub(crate) fn document_of_a_batch(criterion: &mut Criterion) {
    use holder::record::document::{self, PdfOptions};
    use holder::record::judgement::Judgement;

    let batches: Vec<_> = (1..=6).map(example::judged_with).collect();
    let mut next = batches.iter().cycle();
    let mut group = criterion.benchmark_group("pdf");
    group.sample_size(20);
    group.bench_function("warm", |bencher| {
        bencher.iter(|| {
            let (record, verdict) = next.next().expect("there are six");
            let produced_utc_ms = record.header.started_utc_ms;
            let options = PdfOptions { produced_utc_ms, ..PdfOptions::default() };
            document::pdf(record, &Judgement::now(verdict.clone()), &options)
                .expect("it can be printed")
        });
    });
    group.finish();
}
