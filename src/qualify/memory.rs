//! Steps on the record: what is acknowledged comes back, what was altered is discerned, copies are
//! complete.

use anyhow::Context as _;
use holder_hal::Tick;

use super::bench::Bench;
use super::{Seen, Step};
use crate::batch::engine::Engine;
use crate::batch::event::{Action, Input};
use crate::batch::phase::PhaseName;
use crate::batch::{judge, verdict};
use crate::record::chart::{ChartOptions, svg};
use crate::record::judgement::Judgement;
use crate::record::{json, json_read};
use crate::station::rehearsal::{Rehearsal, asked};
use crate::store::model::{Closing, FrozenText};
use crate::store::{Close, NewBatch, Staged, Stamp, Station, Step as Stored, Store, replay};

pub(super) const STEPS: &[Step] = &[
    Step {
        number: "OQ-30",
        requirement: "REQ-REC-01",
        method: "Store a whole batch period by period; read it back; step a new engine with the stored \
                 inputs.",
        run: round_trip,
    },
    Step {
        number: "OQ-31",
        requirement: "REQ-REC-02",
        method: "Change one thing at a time in a copy of the record, with the triggers taken away: a \
                 sample, its quality, an entry's author, a frozen text, the parameters, the verdict.",
        run: altered,
    },
    Step {
        number: "OQ-32",
        requirement: "REQ-REC-03",
        method: "Take the newest entry of the journal away in a copy, and verify it with the hash of that \
                 entry.",
        run: cut_off,
    },
    Step {
        number: "OQ-33",
        requirement: "REQ-REC-04",
        method: "Back up the record; restore it into a new folder, and into a folder that is not empty.",
        run: backup,
    },
    Step {
        number: "OQ-34",
        requirement: "REQ-REC-05",
        method: "Look for the person's actions in the audit trail; try to change and to delete an entry.",
        run: audit_trail,
    },
    Step {
        number: "OQ-35",
        requirement: "REQ-REC-06",
        method: "Export the batch as JSON, read the export back and judge it.",
        run: export,
    },
    Step {
        number: "OQ-36",
        requirement: "REQ-SIM-01",
        method: "Draw the chart and the export of a batch from a simulated machine.",
        run: marked,
    },
    Step {
        number: "OQ-37",
        requirement: "REQ-SEQ-01",
        method: "Confirm the unloading during the preheating.",
        run: too_early,
    },
];

/// A station in memory with one good batch, stored period by period, and closed.
struct Kept {
    store: Store,
    batch: String,
    run: Rehearsal,
}

fn keep(bench: &Bench<'_>) -> anyhow::Result<Kept> {
    let station = Station {
        name: "qualification".to_owned(),
        time_zone: "UTC".to_owned(),
        training: true,
        created_utc_ms: bench.now_utc_ms,
    };
    let mut store = Store::in_memory(&station, bench.who)?;
    let run = bench.good()?.run;
    let params = crate::batch::params::BatchParams {
        purpose: crate::batch::params::Purpose::Water,
        ..bench.params.clone()
    };
    let recipe = FrozenText {
        kind: "recipe".to_owned(),
        name: bench.params.recipe.name.clone(),
        sha256: String::new(),
        text: bench.recipe.text.clone(),
    };
    let batch = store.begin_batch(&NewBatch {
        simulated: true,
        pool: None,
        bottles: run.bottles,
        bottle_ul: 0,
        operator: bench.who.to_owned(),
        started_utc_ms: bench.now_utc_ms,
        clock: None,
        params: params.clone(),
        texts: vec![recipe],
    })?;
    let mut engine = Engine::new(params)?;
    for period in &run.periods {
        // As in the rehearsal: a person acts after the reading that asks for it.
        step(bench, &mut store, &batch, &mut engine, period.at, &Input::Reading(period.reading))?;
        if let Some(action) = asked(engine.phase(), run.bottles) {
            step(bench, &mut store, &batch, &mut engine, period.at, &Input::Operator(action))?;
        }
    }
    let stamp = Stamp { utc_ms: bench.now_utc_ms, who: bench.who };
    let verdict = serde_json::to_value(bench.judged(&store.load_batch(&batch)?))?;
    store.close_batch(&Close {
        batch: &batch,
        stamp,
        closing: Closing::Ended,
        engine_accepts: engine.accepts(),
        phase: engine.phase(),
        verdict: Some(&verdict),
    })?;
    Ok(Kept { store, batch, run })
}

/// Steps the engine, and stores what it was given and what it did.
pub(super) fn step(
    bench: &Bench<'_>,
    store: &mut Store,
    batch: &str,
    engine: &mut Engine,
    at: Tick,
    input: &Input,
) -> anyhow::Result<()> {
    let effects = &bench.parts.step(engine, at, input.clone());
    let who = if matches!(input, Input::Operator(_)) { bench.who } else { "station" };
    let utc_ms = bench.now_utc_ms.saturating_add_unsigned(at.ms());
    let (stamp, phase) = (Stamp { utc_ms, who }, engine.phase());
    Ok(store.commit_step(&Stored { batch, at, stamp, input, effects, phase })?)
}

/// Writes the record into a file of its own.
fn copy_of(bench: &Bench<'_>, kept: &mut Kept, name: &str) -> anyhow::Result<std::path::PathBuf> {
    let path = bench.file(name);
    let stamp = Stamp { utc_ms: bench.now_utc_ms, who: bench.who };
    kept.store.back_up(stamp, &path, &[], &mut |_| ())?;
    Ok(path)
}

fn round_trip(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let kept = keep(bench)?;
    let (record, inputs) = kept.store.load_to_replay(&kept.batch)?;
    let same = record
        .periods
        .iter()
        .zip(&kept.run.periods)
        .filter(|(stored, real)| (stored.at, stored.reading) == (real.at, real.reading));
    let same = same.count();
    let replayed = replay(&record, &inputs);
    let report = kept.store.verify(None);
    let all = kept.run.periods.len();
    let said = |fits: bool, words: String| if fits { "fits".to_owned() } else { words };
    Ok(Seen::that(
        same == all && record.periods.len() == all && replayed.is_ok() && report.is_ok(),
        format!("{all} of {all} periods come back exactly, the replay and the whole record fit"),
        format!(
            "{same} of {all} periods; {} inputs replayed: {}; record: {}",
            inputs.len(),
            said(replayed.is_ok(), format!("{:?}", replayed.err())),
            said(report.is_ok(), format!("{:?}", report.err())),
        ),
    ))
}

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

fn altered(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    const CHANGES: [(&str, &str); 6] = [
        (
            "sample",
            "UPDATE inputs SET milk_1_mc = milk_1_mc + 500 WHERE n = (SELECT n FROM inputs \
             WHERE kind = 'reading' ORDER BY n LIMIT 1 OFFSET (SELECT count(*) / 2 FROM inputs))",
        ),
        (
            "quality",
            "UPDATE inputs SET milk_1_quality = 1 WHERE n = (SELECT n FROM inputs \
             WHERE kind = 'reading' ORDER BY n LIMIT 1 OFFSET (SELECT count(*) / 2 FROM inputs))",
        ),
        ("author", "UPDATE journal SET who = 'nobody' WHERE seq = 3"),
        ("frozen text", "UPDATE texts SET text = text || ' '"),
        ("parameters", "UPDATE params SET json = json || ' '"),
        ("verdict", "UPDATE batches SET verdict = '{\"outcome\":\"incomplete\"}'"),
    ];
    let mut kept = keep(bench)?;
    let whole = copy_of(bench, &mut kept, "altered.db")?;
    let mut observed = Vec::new();
    let mut meets = true;
    for (what, sql) in CHANGES {
        let path = bench.file(&format!("altered-{}.db", what.replace(' ', "-")));
        std::fs::copy(&whole, &path)?;
        let changed = alter(&path, sql)?;
        let misfit = Store::open_read_only(&path)?.verify(None).err();
        meets &= changed == 1 && misfit.is_some();
        let said = misfit.map_or_else(|| "NOT NOTICED".to_owned(), |misfit| short(&misfit));
        observed.push(format!("{what}: {said}"));
    }
    Ok(Seen::that(
        meets,
        format!("{} of {} changes are named", CHANGES.len(), CHANGES.len()),
        observed.join("; "),
    ))
}

/// Where it does not fit, with the beginnings of both hashes.
fn short(misfit: &crate::store::Misfit) -> String {
    let crate::store::Misfit::Differs { place, expected, found, .. } = misfit else {
        return misfit.to_string();
    };
    let begin = |text: &str| text.chars().take(12).collect::<String>();
    format!("{place} (expected {}…, found {}…)", begin(expected), begin(found))
}

fn cut_off(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut kept = keep(bench)?;
    let path = copy_of(bench, &mut kept, "cut.db")?;
    let paper = Store::open_read_only(&path)?.head()?.hash();
    let before = Store::open_read_only(&path)?.verify(Some(&paper)).is_ok();
    alter(&path, "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)")?;
    let misfit = Store::open_read_only(&path)?.verify(Some(&paper)).err();
    let said = misfit.as_ref().map_or_else(|| "NOT NOTICED".to_owned(), ToString::to_string);
    Ok(Seen::that(
        before && misfit.is_some(),
        "the whole copy contains the hash; the shortened one is refused against it",
        format!("before: {}; after: {said}", if before { "contains it" } else { "lacks it" }),
    ))
}

fn backup(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut kept = keep(bench)?;
    let path = copy_of(bench, &mut kept, "backup.db")?;
    let stamp = Stamp { utc_ms: bench.now_utc_ms, who: bench.who };
    let folder = bench.file("restored");
    let restored = Staged::begin(&path, &folder, None, &mut |_| ())?.finish(stamp)?;
    let store = Store::open_read_only(&folder.join("holder.db"))?;
    let entry = store.newest_entry("restored", "station")?;
    let same =
        store.load_batch(&kept.batch)?.periods == kept.store.load_batch(&kept.batch)?.periods;
    let over = Staged::begin(&path, &folder, None, &mut |_| ()).err();
    let over = over.map_or_else(|| "restored over it".to_owned(), |why| why.to_string());
    let refused = over.contains("not empty");
    Ok(Seen::that(
        same && entry.is_some() && refused,
        "the restored record verifies, holds the same batch, and says from which hash it is; a folder \
         that is not empty is refused",
        format!(
            "{} entries and {} readings verify; restored from {}; batch {}; the second time: {}",
            restored.report.entries,
            restored.report.readings,
            restored.head_hash.chars().take(16).collect::<String>(),
            if same { "the same" } else { "ANOTHER" },
            if refused { "refused" } else { over.as_str() },
        ),
    ))
}

fn audit_trail(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut kept = keep(bench)?;
    let actions = kept.store.load_batch(&kept.batch)?.actions;
    let by_name = actions.iter().filter(|action| action.who == bench.who && action.utc_ms > 0);
    let by_name = by_name.count();
    let path = copy_of(bench, &mut kept, "trail.db")?;
    let db = rusqlite::Connection::open(&path)?;
    let mut refusals = Vec::new();
    for sql in ["UPDATE journal SET who = 'x' WHERE seq = 1", "DELETE FROM journal WHERE seq = 1"] {
        let said = db.execute(sql, []).err().map_or_else(|| "DONE".to_owned(), |e| e.to_string());
        refusals.push(said);
    }
    let refused = refusals.iter().all(|said| said.contains("append-only"));
    Ok(Seen::that(
        by_name == 2 && actions.len() == 2 && refused,
        format!("2 actions by {} with their time; change and deletion are refused", bench.who),
        format!("{by_name} actions by {}; {}", bench.who, refusals.join("; ")),
    ))
}

fn export(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let kept = keep(bench)?;
    let record = kept.store.load_batch(&kept.batch)?;
    let own = bench.judged(&record);
    let text = json::export(&record, &Judgement::now(own.clone()), bench.now_utc_ms)?;
    let read = json_read::read("export.json", text.as_bytes())?;
    let recipe = read.origin.as_ref().context("the export does not say what it is of")?;
    let again = judge::judge(&recipe.recipe, &read.curve);
    Ok(Seen::that(
        again == own,
        "outcome, findings and figures are the same",
        format!(
            "{} bytes; on the record {}, from the export {}, {} findings against {}",
            text.len(),
            own.outcome,
            again.outcome,
            own.findings.len(),
            again.findings.len()
        ),
    ))
}

fn marked(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let kept = keep(bench)?;
    let record = kept.store.load_batch(&kept.batch)?;
    let verdict: verdict::Verdict = bench.judged(&record);
    let chart = svg(&record, &verdict, ChartOptions::default())?;
    let on_chart = chart.contains("SIMULATED");
    let exported = json::export(&record, &Judgement::now(verdict), bench.now_utc_ms)?;
    let document: serde_json::Value = serde_json::from_str(&exported)?;
    let in_export = document["header"]["simulated"] == true;
    let word = |there: bool| if there { "marked" } else { "NOT MARKED" };
    Ok(Seen::that(
        on_chart && in_export,
        "both are marked",
        format!("chart: {}; export: {}", word(on_chart), word(in_export)),
    ))
}

fn too_early(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut engine = Engine::new(bench.params.clone())?;
    let first = bench.good()?.run.periods.first().copied().context("no period")?;
    engine.step(first.at, Input::Reading(first.reading));
    let effects = engine.step(first.at, Input::Operator(Action::ConfirmUnload));
    let said = effects.refusal.as_ref().map_or_else(|| "done".to_owned(), ToString::to_string);
    let still = engine.phase() == PhaseName::Preheat;
    Ok(Seen::that(
        effects.refusal.is_some() && still,
        "refused, and still preheating",
        format!("{said}; phase {}", engine.phase()),
    ))
}
