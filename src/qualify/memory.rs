//! Steps on the record: what is acknowledged comes back, what was altered is discerned, copies are
//! complete.

mod changed;

use anyhow::Context as _;
use holder_hal::{Command, Tick};

use super::bench::Bench;
use super::{Seen, Step};
use crate::batch::engine::Engine;
use crate::batch::event::asked;
use crate::batch::event::{Action, Input};
use crate::batch::phase::PhaseName;
use crate::batch::verdict;
use crate::record::chart::{ChartOptions, svg};
use crate::record::judgement::Judgement;
use crate::record::{curve, json_read};
use crate::station::rehearsal::Rehearsal;
use crate::store::model::{Closing, FrozenText};
use crate::store::{Close, NewBatch, ReplayMisfit, Staged, Stamp, Station, Step as Stored, Store};

pub(super) const STEPS: &[Step] = &[
    Step {
        number: "OQ-30",
        requirement: "REQ-REC-01",
        method: "Store a whole batch period by period; read it back; step a new engine with the stored \
                 inputs, and another with one stored command changed.",
        run: round_trip,
    },
    Step {
        number: "OQ-31",
        requirement: "REQ-REC-02",
        method: "Change one thing at a time in a copy of the record, with the triggers taken away: a \
                 sample, its quality, an entry's author, a frozen text, the parameters, the verdict.",
        run: changed::altered,
    },
    Step {
        number: "OQ-32",
        requirement: "REQ-REC-03",
        method: "Take the newest entry of the journal away in a copy, and verify it with the hash of that \
                 entry.",
        run: changed::cut_off,
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
        method: "Confirm loading and unloading in each phase of a good batch that does not ask for it.",
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
    let replayed = bench.parts.replay(&record, &inputs);
    let report = bench.parts.verify(&kept.store, None);
    let mut other = record.clone();
    let heated = other.periods.iter_mut().find(|period| period.command.heats());
    let heated = heated.context("the batch never heats")?;
    heated.command = Command::safe(false);
    let changed_at = heated.at;
    let noticed = match bench.parts.replay(&other, &inputs) {
        Err(ReplayMisfit::Command { at_ms, .. }) => at_ms == changed_at.ms(),
        Ok(_) | Err(_) => false,
    };
    let all = kept.run.periods.len();
    let said = |fits: bool, words: String| if fits { "fits".to_owned() } else { words };
    Ok(Seen::that(
        same == all && record.periods.len() == all && replayed.is_ok() && report.is_ok() && noticed,
        format!(
            "{all} of {all} periods come back exactly, the replay and the whole record fit; a replay \
             names the command that was changed"
        ),
        format!(
            "{same} of {all} periods; {} inputs replayed: {}; record: {}; changed command: {}",
            inputs.len(),
            said(replayed.is_ok(), format!("{:?}", replayed.err())),
            said(report.is_ok(), format!("{:?}", report.err())),
            if noticed { "named" } else { "NOT NOTICED" },
        ),
    ))
}

fn backup(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut kept = keep(bench)?;
    let path = copy_of(bench, &mut kept, "backup.db")?;
    let stamp = Stamp { utc_ms: bench.now_utc_ms, who: bench.who };
    let folder = bench.file("restored");
    let restored = Staged::begin(&path, &folder, None, &mut |_| ())?.finish(stamp)?;
    let store = Store::open_read_only(&folder.join("holder.db"))?;
    let entry = bench.parts.newest_entry(&store, "restored")?;
    let verified = bench.parts.verify(&store, None);
    let says = entry.as_ref().and_then(|entry| entry.body.after.as_ref());
    let says = says.is_some_and(|after| after.to_string().contains(&restored.head_hash));
    let load = |store: &Store| bench.parts.load(store, &kept.batch);
    let (copy, own) = (load(&store)?, load(&kept.store)?);
    let same = copy.periods == own.periods && copy.entries == own.entries;
    let over = Staged::begin(&path, &folder, None, &mut |_| ()).err();
    let over = over.map_or_else(|| "restored over it".to_owned(), |why| why.to_string());
    let refused = over.contains("not empty");
    Ok(Seen::that(
        same && says && refused && verified.is_ok(),
        "the restored record verifies, holds the same batch, and says from which hash it is; a folder \
         that is not empty is refused",
        format!(
            "{}; restored from {}, its journal {}; batch {}; the second time: {}",
            verified.map_or_else(
                |misfit| misfit.to_string(),
                |report| {
                    format!("{} entries and {} readings verify", report.entries, report.readings)
                }
            ),
            restored.head_hash.chars().take(16).collect::<String>(),
            if says { "says so" } else { "DOES NOT SAY SO" },
            if same { "the same" } else { "ANOTHER" },
            if refused { "refused" } else { over.as_str() },
        ),
    ))
}

fn audit_trail(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let mut kept = keep(bench)?;
    let actions = bench.parts.load(&kept.store, &kept.batch)?.actions;
    let by_name = actions.iter().filter(|action| action.who == bench.who && action.utc_ms > 0);
    let by_name = by_name.count();
    let done: Vec<&Action> = actions.iter().map(|action| &action.action).collect();
    let both = [
        &Action::ConfirmLoad { bottles: kept.run.bottles },
        &Action::ConfirmUnload { bottles: kept.run.bottles },
    ];
    let path = copy_of(bench, &mut kept, "trail.db")?;
    let db = rusqlite::Connection::open(&path)?;
    let mut refusals = Vec::new();
    for sql in ["UPDATE journal SET who = 'x' WHERE seq = 1", "DELETE FROM journal WHERE seq = 1"] {
        let said = db.execute(sql, []).err().map_or_else(|| "DONE".to_owned(), |e| e.to_string());
        refusals.push(said);
    }
    let refused = refusals.iter().all(|said| said.contains("append-only"));
    Ok(Seen::that(
        by_name == 2 && done == both && refused,
        format!(
            "2 actions by {} with their time, loading and unloading; change and deletion are refused",
            bench.who
        ),
        format!(
            "{by_name} actions by {}, {}; {}",
            bench.who,
            if done == both { "loading and unloading".to_owned() } else { format!("{done:?}") },
            refusals.join("; ")
        ),
    ))
}

fn export(bench: &Bench<'_>) -> anyhow::Result<Seen> {
    let kept = keep(bench)?;
    let record = kept.store.load_batch(&kept.batch)?;
    let own = bench.judged(&record);
    let judgement = Judgement::now(own.clone());
    let text = bench.parts.export(&record, &judgement, bench.now_utc_ms)?;
    let read = json_read::read("export.json", text.as_bytes())?;
    let recipe = read.origin.as_ref().context("the export does not say what it is of")?;
    let again = bench.parts.judge(&recipe.recipe, &read.curve);
    let complete = read.curve == curve::curve(&record);
    Ok(Seen::that(
        again == own && complete,
        "every reading comes back; outcome, findings and figures are the same",
        format!(
            "{} bytes, the curve {}; on the record {}, from the export {}, {} findings against {}",
            text.len(),
            if complete { "the same" } else { "ANOTHER" },
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
    let exported = bench.parts.export(&record, &Judgement::now(verdict), bench.now_utc_ms)?;
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
    let run = bench.good()?.run;
    let mut engine = Engine::new(bench.params.clone())?;
    let mut taken = Vec::new();
    let (mut asked_for, mut refused) = (0, 0);
    let mut seen: Option<PhaseName> = None;
    for period in &run.periods {
        bench.parts.step(&mut engine, period.at, Input::Reading(period.reading));
        let phase = engine.phase();
        let due = asked(phase, run.bottles);
        if seen.replace(phase) != Some(phase) {
            for early in [
                Action::ConfirmLoad { bottles: run.bottles },
                Action::ConfirmUnload { bottles: run.bottles },
            ] {
                if Some(&early) == due.as_ref() {
                    continue;
                }
                asked_for += 1;
                let effects =
                    bench.parts.step(&mut engine, period.at, Input::Operator(early.clone()));
                if effects.refusal.is_some() && engine.phase() == phase {
                    refused += 1;
                } else {
                    taken.push(format!("{early:?} in {phase}"));
                }
            }
        }
        if let Some(action) = due {
            bench.parts.step(&mut engine, period.at, Input::Operator(action));
        }
    }
    let taken =
        if taken.is_empty() { String::new() } else { format!("; TAKEN: {}", taken.join(", ")) };
    let ended = engine.phase();
    Ok(Seen::that(
        refused == asked_for && asked_for >= 10 && ended == PhaseName::Finished,
        "each is refused, the phase stays, and the batch ends as without them",
        format!("{refused} of {asked_for} refused; ended in phase {ended}{taken}"),
    ))
}
