//! What the rules cost.

use std::hint::black_box;

use criterion::Criterion;
use holder::batch::engine::Engine;
use holder::batch::event::{Action, Input};
use holder::batch::phase::PhaseName;

use crate::example;

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
                PhaseName::Unload => Action::ConfirmUnload,
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

/// A whole batch without sockets or disk: plant and engine, from the cold machine to the end.
pub(crate) fn whole_batch_in_process(criterion: &mut Criterion) {
    criterion.bench_function("cycle/plant+engine", |bencher| bencher.iter(example::rehearsed));
}
