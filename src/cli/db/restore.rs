//! `holder db restore`: a new station from a backup.

use std::path::Path;

use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::out;
use crate::batch::verdict::Verdict;
use crate::station::config::{STATION_FILE, StationConfig};
use crate::station::resume;
use crate::store::model::{BatchHeader, Closing};
use crate::store::{CopyError, Restored, Staged, Station};

pub(super) fn run(
    context: &Context,
    file: &Path,
    folder: &Path,
    head: Option<&str>,
) -> Result<(), Failure> {
    let actor = context.actor()?;
    let mut staged = Staged::begin(file, folder, head, &mut super::progress()).map_err(unusable)?;
    let store = staged.store()?;
    let station = store.station().clone();
    // Nothing of this station is running: the machine went on, or stopped, without this memory.
    let mut closed = Vec::new();
    for open in store.open_batches()? {
        let why = "the station was restored from a backup";
        let safe = "Nothing is known of the machine";
        closed.push(resume::give_up(store, &open.code, why, safe, &actor.who)?);
    }
    let restored = staged.finish(actor.stamp()).map_err(unusable)?;
    report(context, &restored, &station, &closed)
}

/// A backup that does not verify says nothing of a station's own file: what to do stands in the
/// error.
fn unusable(why: CopyError) -> Failure {
    if why.is_damage() { Failure::DoesNotVerify(why.into()) } else { Failure::Refused(why.into()) }
}

fn report(
    context: &Context,
    restored: &Restored,
    station: &Station,
    closed: &[(BatchHeader, Verdict)],
) -> Result<(), Failure> {
    let missing = missing(&restored.folder, station);
    if let Some(missing) = &missing {
        out::note(missing);
    }
    let was_over = |header: &BatchHeader| header.closing == Some(Closing::Ended);
    if context.json {
        let closed = |over| {
            let those = closed.iter().filter(move |(header, _)| was_over(header) == over);
            those.map(|(header, _)| header.code.as_str()).collect::<Vec<_>>()
        };
        return Ok(out::json(&json!({
            "folder": restored.folder, "name": station.name, "training": station.training,
            "head_seq": restored.head_seq, "head_hash": restored.head_hash,
            "files": restored.files, "missing": missing, "closed_as_incomplete": closed(false),
            "closed_as_ended": closed(true), "report": restored.report,
        }))?);
    }
    let training = if station.training { " (TRAINING)" } else { "" };
    let closed: String = closed
        .iter()
        .map(|(header, verdict)| {
            let BatchHeader { code, phase, .. } = header;
            if was_over(header) {
                format!(
                    "batch {code} had ended in phase {phase} when the backup was made: it is closed as \
                     {}\n",
                    verdict.outcome
                )
            } else {
                format!("batch {code} ran when the backup was made: it is closed as incomplete\n")
            }
        })
        .collect();
    Ok(out::text(&format!(
        "restored {}{training} in {}, as it was at entry {} ({})\n{closed}\n{}\nhead {}\n\n\
         What happened after the backup is not in it. Codes of new batches carry an R, so that none \
         of them is the code of a batch that was lost.",
        station.name,
        restored.folder.display(),
        restored.head_seq,
        restored.head_hash,
        super::recomputed(&restored.report),
        restored.report.head_hash,
    ))?)
}

/// What the station lacks before it can be used, in a sentence.
fn missing(folder: &Path, station: &Station) -> Option<String> {
    let Station { name, time_zone, training, .. } = station;
    let must =
        format!("it must say name = {name:?}, time_zone = {time_zone:?} and training = {training}");
    if !folder.join(STATION_FILE).is_file() {
        return Some(format!(
            "{STATION_FILE} was not in this backup: put that of the old station into {}, or write a \
             new one; {must}",
            folder.display()
        ));
    }
    let read = StationConfig::load(folder).and_then(|config| config.agrees_with(station));
    read.err()
        .map(|why| format!("the {STATION_FILE} of this backup needs your care: {why}; {must}"))
}
