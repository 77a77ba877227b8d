//! What the rules cost.

use std::hint::black_box;

use criterion::Criterion;
use holder::batch::engine::Engine;
use holder::batch::event::{Action, Input};
use holder::batch::judge::judge;
use holder::batch::phase::PhaseName;
use holder::record::curve::curve;

use crate::example;

/// 75 minutes at 1 Hz: what the goal of the judge is about.
const ROWS_MIN: usize = 75 * 60;

/// One reading through engine, interlocks and control, averaged over the phases of a batch.
pub(crate) fn one_step_of_the_engine(criterion: &mut Criterion) {
    let periods = example::rehearsed().periods;
    let fresh = Engine::new(example::params()).expect("the parameters are valid");
    let mut engine = fresh.clone();
    let mut next = periods.iter().cycle();
    criterion.bench_function("engine/one-step", |bencher| {
        bencher.iter(|| {
            let Some(period) = next.next() else { return };
            if period.at.ms() == 0 {
                engine = fresh.clone();
            }
            black_box(engine.step(period.at, black_box(Input::Reading(period.reading))));
            // The two moments of a batch at which a person acts.
            let action = match engine.phase() {
                PhaseName::Load => Action::ConfirmLoad { bottles: example::BOTTLES },
                PhaseName::Unload => Action::ConfirmUnload { bottles: example::BOTTLES },
                PhaseName::Preheat
                | PhaseName::ComeUp
                | PhaseName::Hold
                | PhaseName::Cool
                | PhaseName::Finished
                | PhaseName::Aborted => return,
            };
            black_box(engine.step(period.at, Input::Operator(action)));
        });
    });
}

/// The judge on a whole curve of four milk probes.
pub(crate) fn judge_of_a_curve(criterion: &mut Criterion) {
    let (record, _) = example::judged();
    let curve = curve(&record);
    assert!(curve.rows.len() >= ROWS_MIN, "{} rows", curve.rows.len());
    criterion.bench_function("judge/whole-curve", |bencher| {
        bencher.iter(|| judge(&record.params.recipe, black_box(&curve)));
    });
}

/// A whole batch without sockets or disk: plant, engine, and the judge at its end.
pub(crate) fn whole_batch_in_process(criterion: &mut Criterion) {
    criterion.bench_function("cycle/plant+engine+judge", |bencher| bencher.iter(example::judged));
}
