//! Steps on what somebody changed behind the program's back: it is named, and where it is.

use anyhow::Context as _;

use super::{copy_of, keep};
use crate::qualify::Seen;
use crate::qualify::bench::Bench;
use crate::store::{Misfit, MisfitPlace, Store};

/// Changes a copy behind the program's back; the triggers are made again, as a forger would.
fn alter(path: &std::path::Path, sql: &str) -> anyhow::Result<usize> {
    let db = rusqlite::Connection::open(path)?;
    let mut select = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")?;
    let triggers = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let triggers = triggers.collect::<Result<Vec<(String, String)>, _>>()?;
    drop(select);
    for (name, _) in &triggers {
        db.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    let changed = db.execute(sql, [])?;
    for (_, sql) in &triggers {
        db.execute_batch(sql)?;
    }
    Ok(changed)
}

pub(super) fn altered(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut kept = keep(bench)?;
    let (record, inputs) = kept.store.load_to_replay(&kept.batch)?;
    // The input in the middle, which is a reading, and the block of samples that it is in.
    let middle = inputs.len() / 2;
    let tick_ms = inputs.get(middle).context("no input")?.0.ms();
    let change = |column: &str| {
        format!("UPDATE inputs SET {column} WHERE kind = 'reading' AND n = {}", middle + 1)
    };
    let text = record.texts.first().context("no frozen text")?;
    let text_place = MisfitPlace::Text {
        batch: kept.batch.clone(),
        kind: text.kind.clone(),
        name: text.name.clone(),
    };
    let row = MisfitPlace::Row { table: "batches", key: kept.batch.clone() };
    let changes = [
        ("sample", change("milk_1_mc = milk_1_mc + 500"), None),
        ("quality", change("milk_1_quality = 1"), None),
        (
            "author",
            "UPDATE journal SET who = 'nobody' WHERE seq = 3".to_owned(),
            Some(MisfitPlace::Entry { seq: 3 }),
        ),
        ("frozen text", "UPDATE texts SET text = text || ' '".to_owned(), Some(text_place)),
        (
            "parameters",
            "UPDATE params SET json = json || ' '".to_owned(),
            Some(MisfitPlace::Params { batch: kept.batch.clone() }),
        ),
        (
            "verdict",
            "UPDATE batches SET verdict = '{\"outcome\":\"incomplete\"}'".to_owned(),
            Some(row),
        ),
    ];
    let whole = copy_of(bench, &mut kept, "altered.db")?;
    let mut observed = Vec::new();
    let mut meets = true;
    for (what, sql, place) in &changes {
        let path = bench.file(&format!("altered-{}.db", what.replace(' ', "-")));
        std::fs::copy(&whole, &path)?;
        let changed = alter(&path, sql)?;
        let misfit = bench.parts.verify(&Store::open_read_only(&path)?, None).err();
        let named = misfit.as_ref().is_some_and(|misfit| match place {
            Some(place) => is_at(misfit, place),
            None => is_sample(misfit, &kept.batch, middle + 1, tick_ms),
        });
        meets &= changed == 1 && named;
        let said = misfit.map_or_else(|| "NOT NOTICED".to_owned(), |misfit| short(&misfit));
        let mark = if named { "" } else { " (NOT WHAT WAS CHANGED)" };
        observed.push(format!("{what}: {said}{mark}"));
    }
    Ok(Seen::that(
        meets,
        format!(
            "{0} of {0} changes are named where they were made, with what was expected and found",
            changes.len()
        ),
        observed.join("; "),
    ))
}

/// Whether this very place is named, with two different things that were expected and found.
fn is_at(misfit: &Misfit, wanted: &MisfitPlace) -> bool {
    match misfit {
        Misfit::Differs { place, expected, found, .. } => {
            **place == *wanted && expected != found && !expected.is_empty()
        }
        Misfit::Unreadable(_) => false,
    }
}

/// Whether the input of this number, or the block of samples in which it is, is named.
fn is_sample(misfit: &Misfit, batch: &str, number: usize, tick_ms: u64) -> bool {
    let Misfit::Differs { place, expected, found, .. } = misfit else { return false };
    let is_there = match &**place {
        MisfitPlace::Input { batch: of, n } => of == batch && usize::try_from(*n) == Ok(number),
        MisfitPlace::Block { batch: of, first_tick_ms, last_tick_ms } => {
            let tick_ms = i64::try_from(tick_ms).unwrap_or(i64::MAX);
            of == batch && (*first_tick_ms..=*last_tick_ms).contains(&tick_ms)
        }
        MisfitPlace::File
        | MisfitPlace::Entry { .. }
        | MisfitPlace::Paper
        | MisfitPlace::Batch { .. }
        | MisfitPlace::Text { .. }
        | MisfitPlace::Params { .. }
        | MisfitPlace::Row { .. } => false,
    };
    is_there && expected != found && !expected.is_empty()
}

/// Where it does not fit, with both hashes or texts from where they part.
fn short(misfit: &Misfit) -> String {
    let Misfit::Differs { place, expected, found, .. } = misfit else {
        return misfit.to_string();
    };
    let alike = expected.chars().zip(found.chars()).take_while(|(a, b)| a == b).count();
    let part = |text: &str| text.chars().skip(alike).take(12).collect::<String>();
    format!("{place} (expected …{}…, found …{}…)", part(expected), part(found))
}

pub(super) fn cut_off(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut kept = keep(bench)?;
    let path = copy_of(bench, &mut kept, "cut.db")?;
    let paper = Store::open_read_only(&path)?.head()?.hash();
    let before = bench.parts.verify(&Store::open_read_only(&path)?, Some(&paper)).is_ok();
    alter(&path, "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)")?;
    let misfit = bench.parts.verify(&Store::open_read_only(&path)?, Some(&paper)).err();
    let named = misfit.as_ref().is_some_and(|misfit| is_at(misfit, &MisfitPlace::Paper));
    let said = misfit.as_ref().map_or_else(|| "NOT NOTICED".to_owned(), ToString::to_string);
    Ok(Seen::that(
        before && named,
        "the whole copy contains the hash; the shortened one lacks it, and that is named",
        format!("before: {}; after: {said}", if before { "contains it" } else { "lacks it" }),
    ))
}
