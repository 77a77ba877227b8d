//! The figures of the README that need no process of their own; `benches/whole.sh` has the rest.
//!
//! `cargo bench --bench figures` runs them all, `cargo bench --bench figures -- engine` only those
//! with this word in their name. One binary on purpose: the document engine is linked once.

#![expect(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]

mod example;
mod pages;
mod rules;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    rules::one_step_of_the_engine(&mut criterion);
    rules::judge_of_a_curve(&mut criterion);
    rules::whole_batch_in_process(&mut criterion);
    pages::chart_of_a_batch(&mut criterion);
    #[cfg(feature = "pdf")]
    pages::document_of_a_batch(&mut criterion);
    criterion.final_summary();
}
