//! Steps on milk: who may be in a pool, every microlitre of it, and the way back to the donor.

use anyhow::Context as _;
use holder_hal::Tick;
use jiff::ToSpan as _;

use super::bench::Bench;
use super::memory::step;
use super::{Seen, Step};
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Input};
use crate::batch::params::{BatchParams, Purpose};
use crate::batch::phase::PhaseName;
use crate::milk::{Deposit, Status, ml};
use crate::store::model::Closing;
use crate::store::{Close, NewBatch, Stamp, Station, Store, StoreError};

pub(super) const STEPS: &[Step] = &[
    Step {
        number: "OQ-23",
        requirement: "REQ-MILK-01",
        method: "Pool a deposit of a donor who is still in screening.",
        run: screening,
    },
    Step {
        number: "OQ-24",
        requirement: "REQ-MILK-02",
        method: "Mix a pool of cleared donors, defer one of them, and start a batch with the pool; clear \
                 the donor again, and start it.",
        run: deferred,
    },
    Step {
        number: "OQ-25",
        requirement: "REQ-MILK-03",
        method: "Pool milk of one donor less and of one more than the recipe allows; pool milk on the \
                 last day on which the recipe allows its age, and milk that is one day older.",
        run: pool_rule,
    },
    Step {
        number: "OQ-26",
        requirement: "REQ-VOL-01",
        method: "Mix a pool of deposits with odd microlitres; then pool the same deposits once more.",
        run: sum,
    },
    Step {
        number: "OQ-27",
        requirement: "REQ-VOL-02",
        method: "Start a batch of 2 bottles with a pool and stop it before loading; start another and \
                 confirm 2 bottles. After each, read what is left in the pool and what is held.",
        run: balance,
    },
    Step {
        number: "OQ-28",
        requirement: "REQ-VOL-03",
        method: "With milk for 2 bottles in the pool, start a batch of 3; then start one of 2 and confirm \
                 that 3 are in.",
        run: too_much,
    },
    Step {
        number: "OQ-29",
        requirement: "REQ-TRACE-01",
        method: "Follow a batch to its pool, deposits and donors, and a deposit to its pool and batches.",
        run: trace,
    },
];

/// The one pool of these steps.
const POOL: &str = "P-1";

/// A bank in memory.
struct Bank {
    store: Store,
    deposits: Vec<Deposit>,
}

fn stamp<'a>(bench: &Bench<'a>) -> Stamp<'a> {
    Stamp { utc_ms: bench.now_utc_ms, who: bench.who }
}

fn empty(bench: &Bench<'_>) -> anyhow::Result<Store> {
    let station = Station {
        name: "qualification".to_owned(),
        time_zone: "UTC".to_owned(),
        training: true,
        created_utc_ms: bench.now_utc_ms,
    };
    Ok(Store::in_memory(&station, bench.who)?)
}

impl Bank {
    /// Cleared donors with a deposit each; no two volumes are alike, and none is whole in millilitres.
    fn new(bench: &Bench<'_>, donors: u32) -> anyhow::Result<Self> {
        let mut bank = Self { store: empty(bench)?, deposits: Vec::new() };
        let day = bank.store.day(bench.now_utc_ms)?;
        for number in 1..=donors {
            bank.receive(bench, number, day.checked_sub(30.days())?)?;
        }
        Ok(bank)
    }

    fn receive(
        &mut self,
        bench: &Bench<'_>,
        number: u32,
        expressed_on: jiff::civil::Date,
    ) -> anyhow::Result<()> {
        let day = self.store.day(bench.now_utc_ms)?;
        let deposit = Deposit {
            code: format!("M-{number}"),
            donor: format!("D-{number}"),
            volume_ul: 1_000_000 + 1_001 * i64::from(number),
            expressed_on,
            received_on: day,
        };
        self.store.add_donor(stamp(bench), &deposit.donor)?;
        self.clear(bench, &deposit.donor)?;
        self.store.add_deposit(stamp(bench), &deposit)?;
        self.deposits.push(deposit);
        Ok(())
    }

    fn clear(&mut self, bench: &Bench<'_>, donor: &str) -> anyhow::Result<()> {
        let until = self.store.day(bench.now_utc_ms)?.checked_add(180.days())?;
        let cleared = Status::Cleared { until };
        self.store.set_donor_status(stamp(bench), donor, cleared, "qualification")?;
        Ok(())
    }

    /// Mixes all deposits in this pool.
    fn pool(&mut self, bench: &Bench<'_>, code: &str) -> Result<(), StoreError> {
        let codes: Vec<String> = self.deposits.iter().map(|one| one.code.clone()).collect();
        let rule = &bench.params.recipe.pool;
        self.store.add_pool(stamp(bench), code, &codes, rule).map(|_| ())
    }

    /// A bank with the least number of donors that the recipe allows, and their pool.
    fn pooled(bench: &Bench<'_>) -> anyhow::Result<Self> {
        let mut bank = Self::new(bench, bench.params.recipe.pool.donors_min.max(1))?;
        bank.pool(bench, POOL)?;
        Ok(bank)
    }

    fn volume_ul(&self) -> i64 {
        self.deposits.iter().map(|deposit| deposit.volume_ul).sum()
    }

    /// Starts a batch of the pool.
    fn begin(
        &mut self,
        bench: &Bench<'_>,
        bottles: u16,
        bottle_ul: i64,
    ) -> Result<String, StoreError> {
        self.store.begin_batch(&NewBatch {
            simulated: true,
            pool: Some(POOL.to_owned()),
            bottles,
            bottle_ul,
            operator: bench.who.to_owned(),
            started_utc_ms: bench.now_utc_ms,
            clock: None,
            params: milk(bench),
            texts: Vec::new(),
        })
    }

    /// Lets the batch preheat on the nominal machine, and confirms these bottles.
    fn load(&mut self, bench: &Bench<'_>, batch: &str, bottles: u16) -> anyhow::Result<()> {
        let mut engine = Engine::new(milk(bench))?;
        for period in &bench.good()?.run.periods {
            let reading = Input::Reading(period.reading);
            step(bench, &mut self.store, batch, &mut engine, period.at, &reading)?;
            if engine.phase() == PhaseName::Load {
                let confirm = Input::Operator(Action::ConfirmLoad { bottles });
                return step(bench, &mut self.store, batch, &mut engine, period.at, &confirm);
            }
        }
        anyhow::bail!("the machine never asked for its bottles")
    }

    /// Stops a batch that has just begun, and closes it.
    fn stop(&mut self, bench: &Bench<'_>, batch: &str) -> anyhow::Result<()> {
        let mut engine = Engine::new(milk(bench))?;
        let stop = Input::Operator(Action::Stop { reason: "qualification".to_owned() });
        step(bench, &mut self.store, batch, &mut engine, Tick::default(), &stop)?;
        self.store.close_batch(&Close {
            batch,
            stamp: stamp(bench),
            closing: Closing::Ended,
            engine_accepts: engine.accepts(),
            phase: engine.phase(),
            verdict: None,
        })?;
        Ok(())
    }

    /// What is left in the pool, and what is held for batches, microlitres.
    fn left_and_held(&self) -> anyhow::Result<(i64, i64)> {
        let shown = self.store.pool(POOL)?;
        Ok((shown.left_ul, shown.reserved_ul))
    }
}

fn milk(bench: &Bench<'_>) -> BatchParams {
    BatchParams { purpose: Purpose::Milk, ..bench.params.clone() }
}

/// What the store said: `done`, or why not.
fn said<T>(answer: Result<T, StoreError>) -> String {
    answer.err().map_or_else(|| "done".to_owned(), |why| why.to_string())
}

fn screening(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut bank = Bank::new(bench, bench.params.recipe.pool.donors_min.max(1))?;
    bank.store.set_donor_status(stamp(bench), "D-1", Status::Screening, "qualification")?;
    let pooled = bank.pool(bench, POOL);
    let refused = pooled.is_err();
    let said = said(pooled);
    let pools = bank.store.pools()?.len();
    Ok(Seen::that(
        refused && pools == 0 && said.contains("M-1"),
        "refused, the deposit M-1 is named, and there is no pool",
        format!("{said}; pools: {pools}"),
    ))
}

fn deferred(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut bank = Bank::pooled(bench)?;
    bank.store.set_donor_status(stamp(bench), "D-1", Status::Deferred, "qualification")?;
    let refused = said(bank.begin(bench, 1, 130_001));
    let none = bank.store.batches()?.is_empty();
    bank.clear(bench, "D-1")?;
    let again = said(bank.begin(bench, 1, 130_001));
    Ok(Seen::that(
        refused.contains("M-1") && refused.contains("D-1") && none && again == "done",
        "refused with the deposit M-1 and the donor D-1, and no batch begins; done when cleared again",
        format!("deferred: {refused}; cleared: {again}"),
    ))
}

fn pool_rule(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let rule = &bench.params.recipe.pool;
    let months = i32::try_from(rule.expression_months).context("months beyond any calendar")?;
    let few = said(Bank::new(bench, rule.donors_min.saturating_sub(1))?.pool(bench, POOL));
    let many = said(Bank::new(bench, rule.donors_max.saturating_add(1))?.pool(bench, POOL));
    let aged = |days: i32| -> anyhow::Result<String> {
        let mut bank = Bank::new(bench, rule.donors_min.saturating_sub(1))?;
        let day = bank.store.day(bench.now_utc_ms)?;
        // The first day whose milk may still be used today: a month may lack the day of another.
        let mut oldest = day.checked_sub(months.months())?;
        while oldest.checked_add(months.months())? < day {
            oldest = oldest.checked_add(1.day())?;
        }
        bank.receive(bench, rule.donors_min, oldest.checked_sub(days.days())?)?;
        Ok(said(bank.pool(bench, POOL)))
    };
    let (last_day, too_old) = (aged(0)?, aged(1)?);
    let refused = |said: &str, word: &str| said != "done" && said.contains(word);
    Ok(Seen::that(
        refused(&few, POOL)
            && refused(&many, POOL)
            && last_day == "done"
            && refused(&too_old, &format!("M-{}", rule.donors_min)),
        format!(
            "{} to {} donors, and milk up to {} months after its expression: all else is refused",
            rule.donors_min, rule.donors_max, rule.expression_months
        ),
        format!(
            "one donor less: {few}; one more: {many}; last day: {last_day}; one day older: {too_old}"
        ),
    ))
}

fn sum(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut bank = Bank::pooled(bench)?;
    let stored_ul = bank.store.pool(POOL)?.pool.volume_ul;
    let twice = bank.pool(bench, "P-2");
    let refused = twice.is_err();
    let twice = said(twice);
    let pools = bank.store.pools()?.len();
    Ok(Seen::that(
        stored_ul == bank.volume_ul() && refused && twice.contains(POOL) && pools == 1,
        format!(
            "{} ml, the sum of {}; the second pool is refused with the name of the first",
            ml(bank.volume_ul()),
            bank.deposits.iter().map(|one| ml(one.volume_ul)).collect::<Vec<_>>().join(" + ")
        ),
        format!("{} ml; {twice}", ml(stored_ul)),
    ))
}

fn balance(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    const BOTTLE_UL: i64 = 130_001;
    let mut bank = Bank::pooled(bench)?;
    let whole_ul = bank.volume_ul();
    let mut balances = Vec::new();
    let batch = bank.begin(bench, 2, BOTTLE_UL)?;
    balances.push(("started", bank.left_and_held()?));
    bank.stop(bench, &batch)?;
    balances.push(("stopped", bank.left_and_held()?));
    let batch = bank.begin(bench, 2, BOTTLE_UL)?;
    bank.load(bench, &batch, 2)?;
    balances.push(("loaded", bank.left_and_held()?));
    let two_ul = 2 * BOTTLE_UL;
    let wanted = [
        ("started", (whole_ul - two_ul, two_ul)),
        ("stopped", (whole_ul, 0)),
        ("loaded", (whole_ul - two_ul, 0)),
    ];
    let verified = bank.store.verify(None);
    let words = |all: &[(&str, (i64, i64))]| {
        let each = all.iter().map(|(when, (left_ul, held_ul))| {
            format!("{when}: {} ml left, {} ml held", ml(*left_ul), ml(*held_ul))
        });
        each.collect::<Vec<_>>().join("; ")
    };
    let record = verified.as_ref().map_or_else(ToString::to_string, |_| "fits".to_owned());
    Ok(Seen::that(
        balances == wanted && verified.is_ok(),
        format!("of {} ml: {}; the record fits", ml(whole_ul), words(&wanted)),
        format!("{}; record: {record}", words(&balances)),
    ))
}

fn too_much(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut bank = Bank::pooled(bench)?;
    let bottle_ul = bank.volume_ul() / 2;
    let three = bank.begin(bench, 3, bottle_ul);
    let refused = three.is_err();
    let three = said(three);
    let none = bank.store.batches()?.is_empty();
    let batch = bank.begin(bench, 2, bottle_ul)?;
    bank.load(bench, &batch, 3)?;
    let (left_ul, _) = bank.left_and_held()?;
    let remarks = bank.store.load_batch(&batch)?.remarks;
    let remark = remarks.iter().map(|one| one.text.as_str()).find(|text| text.contains(POOL));
    let short_ul = 3 * bottle_ul - bank.volume_ul();
    let told = remark.is_some_and(|text| text.contains(&ml(short_ul)));
    Ok(Seen::that(
        refused && none && told && left_ul == -short_ul,
        format!(
            "3 bottles cannot start; 3 bottles that are in are counted, and a remark on the record says \
             that the pool lacks {} ml",
            ml(short_ul)
        ),
        format!("start: {three}; left: {} ml; remark: {}", ml(left_ul), remark.unwrap_or("none")),
    ))
}

fn trace(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut bank = Bank::pooled(bench)?;
    let batch = bank.begin(bench, 2, 130_001)?;
    bank.load(bench, &batch, 2)?;
    let pool =
        bank.store.load_batch(&batch)?.pool.context("the batch has no pool on its record")?;
    let back: Vec<String> = pool
        .shares
        .iter()
        .map(|share| format!("{} of {}, {} ml", share.deposit, share.donor, ml(share.volume_ul)))
        .collect();
    let wanted: Vec<String> = bank
        .deposits
        .iter()
        .map(|one| format!("{} of {}, {} ml", one.code, one.donor, ml(one.volume_ul)))
        .collect();
    let mut forth = Vec::new();
    for deposit in &bank.deposits {
        let pool = bank.store.deposit(&deposit.code)?.pool;
        let batches = pool.as_ref().map(|pool| bank.store.pool(pool)).transpose()?;
        forth.push((pool, batches.map_or_else(Vec::new, |pool| pool.batches)));
    }
    let all_forth = forth
        .iter()
        .all(|(pool, batches)| pool.as_deref() == Some(POOL) && *batches == [batch.as_str()]);
    let reached = forth.iter().filter(|(_, batches)| batches.contains(&batch)).count();
    Ok(Seen::that(
        pool.code == POOL && back == wanted && all_forth,
        format!("{batch} leads to {}; each of them leads to {batch}", wanted.join("; ")),
        format!("{batch}: {}; {reached} of {} deposits lead to it", back.join("; "), forth.len()),
    ))
}
