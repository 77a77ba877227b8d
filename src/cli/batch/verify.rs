//! `holder batch verify`: one batch proved again, from its stored inputs.

use serde_json::{Value, json};

use crate::batch::judge::judge;
use crate::batch::verdict::{Outcome, Verdict};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::record::curve::curve;
use crate::software::Software;
use crate::store::{MadeBy, Store, made_by_alone, made_by_words, replay};

/// What was proved.
struct Proof {
    made_by: Vec<MadeBy>,
    inputs: usize,
    /// `None` while the batch is open.
    outcome: Option<Outcome>,
}

/// What was not proved.
enum Unproved {
    /// Before the replay: the hashes do not fit, or the disk.
    Before(Failure),
    /// Every hash fits, but this program and the record part.
    Parts { made_by: Vec<MadeBy>, why: String },
}

impl<E: Into<Failure>> From<E> for Unproved {
    fn from(why: E) -> Self {
        Self::Before(why.into())
    }
}

pub(super) fn run(context: &Context, code: &str) -> Result<(), Failure> {
    let store = context.store_to_read()?;
    // An unknown code is a mistake of the person, not of the record.
    store.verdict_of(code)?;
    let (failure, mut document) = match proved(&store, code) {
        Ok(proof) => return say(context, code, &proof),
        Err(Unproved::Before(failure)) => {
            // Of a file that is in use nobody knows whether its hashes fit.
            let fit = matches!(failure, Failure::Damaged(_)).then_some(false);
            (failure, json!({ "hashes_fit": fit }))
        }
        Err(Unproved::Parts { made_by, why }) => parts(code, &made_by, &why),
    };
    if context.json {
        if let Value::Object(fields) = &mut document {
            fields.insert("batch".to_owned(), code.into());
            fields.insert("verifies".to_owned(), false.into());
            fields.insert("misfit".to_owned(), failure.why().into());
            fields.insert("replayed_by".to_owned(), json!(Software::this()));
        }
        out::json(&document)?;
    }
    Err(failure)
}

/// Hashes, replay, verdict, in this order: a later one means nothing without the earlier.
fn proved(store: &Store, code: &str) -> Result<Proof, Unproved> {
    store.verify(None)?;
    let made_by = store.made_by(code)?;
    let (record, inputs) = store.load_to_replay(code)?;
    let count = match replay(&record, &inputs) {
        Ok(count) => count,
        Err(misfit) => return Err(Unproved::Parts { made_by, why: misfit.to_string() }),
    };
    let verdict = judge(&record.params.recipe, &curve(&record));
    let kept = store.verdict_of(code)?.map(serde_json::from_value::<Verdict>);
    let why = match kept {
        Some(Err(why)) => format!("the verdict that was kept is not understood: {why}"),
        Some(Ok(kept)) if kept != verdict => said_otherwise(&kept, &verdict),
        Some(Ok(_)) | None => {
            let is_closed = record.header.closed_utc_ms.is_some();
            let outcome = is_closed.then_some(verdict.outcome);
            return Ok(Proof { made_by, inputs: count, outcome });
        }
    };
    Err(Unproved::Parts { made_by, why })
}

fn said_otherwise(kept: &Verdict, now: &Verdict) -> String {
    let how = if kept.outcome != now.outcome {
        format!("it is now judged {}", now.outcome)
    } else if kept.decides_as(now) {
        "it is now judged the same, in other words or figures".to_owned()
    } else {
        "it is now judged the same, for other reasons".to_owned()
    };
    format!("the verdict that was kept is {}, and {how}", kept.outcome)
}

/// The failure where every hash fits but this program and the record part, and what a program is
/// told of it. Only the program that made a batch can prove that it did what the record says.
fn parts(code: &str, made_by: &[MadeBy], why: &str) -> (Failure, Value) {
    let (this, made) = (Software::this(), made_by_words(made_by));
    let alone = made_by_alone(made_by, &this);
    let verdict = match alone {
        Some(true) => {
            format!("batch {code} does not verify: every hash fits, but {why}. It was made")
        }
        Some(false) => format!(
            "batch {code} is not proved: every hash fits, but it was made by another program, whose \
             rules were other or whose record this is not: {why}. Replay it with the program that \
             made it before anything is decided. It was made"
        ),
        None => format!(
            "batch {code} does not verify: every hash fits, but {why}. Whether another program made \
             it, whose rules were other, cannot be told. It was made"
        ),
    };
    let failure = anyhow::anyhow!("{verdict} by: {made}; it was replayed by: {this}");
    let other_program = alone.map(|alone| !alone);
    let document =
        json!({ "hashes_fit": true, "other_program": other_program, "made_by": made_by });
    (Failure::DoesNotVerify(failure), document)
}

fn say(context: &Context, code: &str, proof: &Proof) -> Result<(), Failure> {
    let Proof { made_by, inputs, outcome } = proof;
    let this = Software::this();
    if context.json {
        return Ok(out::json(&json!({
            "batch": code, "verifies": true, "inputs": inputs, "open": outcome.is_none(),
            "outcome": outcome,
            "made_by": made_by, "replayed_by": this,
        }))?);
    }
    let again = match outcome {
        Some(outcome) => {
            format!("phases, commands and decision again, and the judge says the same: {outcome}")
        }
        None => "phases and commands again. It is open: nothing was decided yet".to_owned(),
    };
    Ok(out::text(&format!(
        "batch {code} verifies: every hash fits, {inputs} inputs give the same entries, {again}\n\
         made by: {}\nreplayed by: {this}",
        made_by_words(made_by)
    ))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MadeStep;

    fn closed_by(program: Option<Software>) -> Vec<MadeBy> {
        vec![MadeBy { step: MadeStep::Closed, seq: 9, program }]
    }

    #[test]
    fn another_program_is_told_from_a_record_that_does_not_verify() {
        let built = |version: &str| Software { version: version.into(), commit: None };
        let why = "entry 7 says Hold";
        for (program, other, said) in [
            (Some(built("0.0.1")), Some(true), "made by another program"),
            (Some(built(env!("CARGO_PKG_VERSION"))), None, "cannot be told"),
            (None, None, "by: not recorded"),
        ] {
            let (failure, document) = parts("B-1", &closed_by(program), why);
            let text = failure.why();
            assert!(matches!(failure, Failure::DoesNotVerify(_)), "{text}");
            for word in [said, why, "every hash fits", &Software::this().to_string()] {
                assert!(text.contains(word), "no {word} in {text}");
            }
            assert_eq!(document["other_program"], json!(other), "{text}");
        }
        // The program of itself is known only where its builder named the commit.
        let (failure, document) = parts("B-1", &closed_by(Some(Software::this())), why);
        let known = crate::software::COMMIT.is_some();
        assert_eq!(document["other_program"], json!(known.then_some(false)));
        assert!(failure.why().contains("does not verify"), "{}", failure.why());
    }
}
