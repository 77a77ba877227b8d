//! `holder batch verify`: one batch proved again, from its stored inputs.

use serde_json::json;

use crate::batch::judge::judge;
use crate::batch::verdict::Verdict;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::record::curve::curve;
use crate::store::{Store, replay};

pub(super) fn run(context: &Context, code: &str) -> Result<(), Failure> {
    let store = context.store_to_read()?;
    // An unknown code is a mistake of the person, not of the record.
    store.verdict_of(code)?;
    match proved(&store, code) {
        Ok((inputs, verdict)) => say(context, code, inputs, &verdict),
        Err(failure) => {
            if context.json {
                let misfit = failure.why();
                out::json(&json!({ "batch": code, "verifies": false, "misfit": misfit }))?;
            }
            Err(failure)
        }
    }
}

/// Hashes, replay, verdict, in this order: a later one means nothing without the earlier.
fn proved(store: &Store, code: &str) -> Result<(usize, Verdict), Failure> {
    store.verify(None)?;
    let misfit = |why: anyhow::Error| Failure::DoesNotVerify(why.context(format!("batch {code}")));
    let (record, inputs) = store.load_to_replay(code)?;
    let count = replay(&record, &inputs).map_err(|error| misfit(error.into()))?;
    let verdict = judge(&record.params.recipe, &curve(&record));
    if let Some(kept) = store.verdict_of(code)? {
        let kept: Verdict = serde_json::from_value(kept).map_err(|error| misfit(error.into()))?;
        if kept != verdict {
            return Err(misfit(anyhow::anyhow!(
                "the verdict that was kept is {}, and the record is now judged {}; compare `holder \
                 batch show {code}` with the printed record",
                kept.outcome,
                verdict.outcome
            )));
        }
    }
    Ok((count, verdict))
}

fn say(context: &Context, code: &str, inputs: usize, verdict: &Verdict) -> Result<(), Failure> {
    if context.json {
        return Ok(out::json(&json!({
            "batch": code, "verifies": true, "inputs": inputs, "outcome": verdict.outcome,
        }))?);
    }
    Ok(out::text(&format!(
        "batch {code} verifies: every hash fits, {inputs} inputs give the same entries, \
         phases, commands and decision again, and the judge says the same: {}",
        verdict.outcome
    ))?)
}
