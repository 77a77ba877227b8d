//! The verdict that a reader gets. Of a closed batch it is the one that was kept when it was closed:
//! it stands under the hash of that entry, and nobody's later rules change it. What this program says
//! of the same readings is compared with it, and said where it decides otherwise.

use serde_json::Value;

use super::curve::curve;
use crate::batch::judge::judge;
use crate::batch::verdict::Verdict;
use crate::software::Software;
use crate::store::model::BatchRecord;
use crate::store::{MadeBy, MadeStep, made_by_words};

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// It was kept when the record was closed.
    Kept,
    /// The record is open: this program judged what there is.
    Open,
    /// The record was closed without a verdict: this program judged it now.
    NotKept,
}

/// A verdict with who decided it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What it rests on.
    pub basis: Basis,
    /// What this program says of the record, where it decides otherwise than what was kept.
    pub otherwise: Option<Verdict>,
    /// The programs that made the record.
    pub made_by: Vec<MadeBy>,
    /// Whether the record is what was written, as far as hashes tell.
    pub fits: bool,
}

impl Judgement {
    /// Of a record, with the verdict that was kept and the programs that made it, as the store
    /// gives them, and whether all of it fits its hashes.
    ///
    /// # Errors
    /// The kept verdict is none that this program understands.
    pub fn of(
        record: &BatchRecord,
        kept: Option<Value>,
        made_by: Vec<MadeBy>,
        fits: bool,
    ) -> Result<Self, serde_json::Error> {
        let today = judge(&record.params.recipe, &curve(record));
        let is_closed = record.header.closed_utc_ms.is_some();
        let Some(kept) = kept.filter(|_| is_closed) else {
            let basis = if is_closed { Basis::NotKept } else { Basis::Open };
            return Ok(Self { verdict: today, basis, otherwise: None, made_by, fits });
        };
        let verdict: Verdict = serde_json::from_value(kept)?;
        let otherwise = Some(today).filter(|today| !today.decides_as(&verdict));
        Ok(Self { verdict, basis: Basis::Kept, otherwise, made_by, fits })
    }

    /// What this program says now, of a record that no store has closed or can have changed.
    pub fn now(verdict: Verdict) -> Self {
        let basis = Basis::Open;
        Self { verdict, basis, otherwise: None, made_by: Vec::new(), fits: true }
    }

    /// The programs that made the record, in words.
    pub fn made_by(&self) -> String {
        made_by_words(&self.made_by)
    }

    /// The program that decided the verdict; `not recorded` where nobody knows.
    pub fn decided_by(&self) -> String {
        match self.basis {
            Basis::Open | Basis::NotKept => Software::this().to_string(),
            Basis::Kept => {
                let closed = self.made_by.iter().rev().find(|made| made.step == MadeStep::Closed);
                let program = closed.and_then(|made| made.program.as_ref());
                program.map_or_else(|| "not recorded".to_owned(), ToString::to_string)
            }
        }
    }

    /// When it was decided, in words.
    pub const fn basis_words(&self) -> &'static str {
        match self.basis {
            Basis::Kept => "decided when the record was closed",
            Basis::Open => "decided for this output: the record is open",
            Basis::NotKept => "decided for this output: none was kept at the closing",
        }
    }

    /// Which program decided what, where this one decides otherwise.
    pub fn difference(&self) -> Option<String> {
        let today = self.otherwise.as_ref()?;
        let (kept, now) = (self.verdict.outcome, today.outcome);
        let what = if kept == now { format!("{kept} for other reasons") } else { now.to_string() };
        Some(format!(
            "it was decided {kept} when the record was closed (by: {}); this program, {}, judges the \
             same readings {what}. The kept verdict stands until QA has compared both.",
            self.decided_by(),
            Software::this()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::verdict::Outcome;
    use crate::record::fixture;

    fn closed_by(version: &str) -> Vec<MadeBy> {
        let program = Some(Software { version: version.to_owned(), commit: None });
        vec![MadeBy { step: MadeStep::Closed, seq: 9, program }]
    }

    fn kept(change: impl FnOnce(&mut Verdict)) -> (BatchRecord, Verdict, Option<Value>) {
        let (record, _) = fixture::good();
        let mut verdict = judge(&record.params.recipe, &curve(&record));
        change(&mut verdict);
        let value = serde_json::to_value(&verdict).expect("written");
        (record, verdict, Some(value))
    }

    #[test]
    fn a_closed_batch_shows_what_was_kept_and_says_where_this_program_decides_otherwise() {
        let (record, verdict, value) = kept(|_| ());
        let same = Judgement::of(&record, value, closed_by("0.0.1"), true).expect("ours");
        assert_eq!((&same.verdict, same.basis), (&verdict, Basis::Kept));
        assert_eq!((same.difference(), &same.otherwise), (None, &None));

        let other = |outcome| {
            if outcome == Outcome::Acceptable { Outcome::Unacceptable } else { Outcome::Acceptable }
        };
        let today = verdict.outcome;
        let (record, verdict, value) = kept(|verdict| verdict.outcome = other(verdict.outcome));
        let parted = Judgement::of(&record, value, closed_by("0.0.1"), true).expect("ours");
        assert_eq!(parted.verdict, verdict, "the kept one");
        assert_eq!(parted.otherwise.as_ref().map(|verdict| verdict.outcome), Some(today));
        let said = parted.difference().expect("said");
        let this = Software::this().to_string();
        for word in ["holder 0.0.1 (commit unknown)", this.as_str(), verdict.outcome.word()] {
            assert!(said.contains(word), "no {word} in {said}");
        }

        let (record, _, value) = kept(|verdict| verdict.findings.clear());
        let parted = Judgement::of(&record, value, Vec::new(), true).expect("ours");
        let said = parted.difference().expect("other reasons");
        assert!(said.contains("for other reasons") && said.contains("by: not recorded"), "{said}");
    }

    #[test]
    fn what_is_open_or_has_no_verdict_is_judged_now_and_says_so() {
        let (mut record, verdict, value) = kept(|_| ());
        let none = Judgement::of(&record, None, closed_by("0.0.1"), true).expect("ours");
        assert_eq!((&none.verdict, none.basis), (&verdict, Basis::NotKept));
        assert!(none.basis_words().contains("none was kept"), "{}", none.basis_words());
        assert_eq!(none.decided_by(), Software::this().to_string());
        record.header.closed_utc_ms = None;
        let open = Judgement::of(&record, value, Vec::new(), true).expect("ours");
        assert_eq!(open.basis, Basis::Open);
        assert!(open.basis_words().contains("the record is open"), "{}", open.basis_words());
    }

    #[test]
    fn a_kept_verdict_that_nobody_understands_is_no_verdict_of_today() {
        let (record, ..) = kept(|_| ());
        let odd = serde_json::json!({ "outcome": "fine" });
        Judgement::of(&record, Some(odd), Vec::new(), true).expect_err("not understood");
    }
}
