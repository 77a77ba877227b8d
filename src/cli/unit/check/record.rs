//! Whether a batch could be written down: the station's file is there, whole and ours, as `run` asks
//! before it heats. It only reads.

use std::path::Path;

use holder_hal::wire::Grade;

use super::Line;
use crate::cli::context::{Context, DATABASE_FILE};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::invocation;
use crate::station::config::Unit;

/// What was found.
pub(super) struct Looked {
    pub(super) lines: Vec<Line>,
    pub(super) is_damaged: bool,
}

/// A larger file takes long enough that a person wants to know why nothing happens.
const SAID_FROM_MB: u64 = 50;

pub(super) fn look(context: &Context, unit: &Unit<'_>) -> Looked {
    let path = context.dir().join(DATABASE_FILE);
    let size_mb = std::fs::metadata(&path).map_or(0, |file| file.len() / 1_000_000);
    if size_mb >= SAID_FROM_MB {
        out::note(&format!("{} ({size_mb} MB) is being checked", path.display()));
    }
    match found(context, unit, &path) {
        Ok(lines) => Looked { lines, is_damaged: false },
        Err(failure) => Looked {
            lines: vec![Line::own(Grade::Bad, "record", failure.why())],
            is_damaged: matches!(failure, Failure::Damaged(_)),
        },
    }
}

fn found(context: &Context, unit: &Unit<'_>, path: &Path) -> Result<Vec<Line>, Failure> {
    let store = context.store_to_read()?;
    unit.station.agrees_with(store.station())?;
    store.fit_to_run(None)?;
    for place in [path, context.dir()] {
        if !may_write(place) {
            let text = format!("{} may not be written by this user", place.display());
            return Err(Failure::refused(text));
        }
    }
    let text = format!("{} is there, verifies, and can be written", path.display());
    let mut lines = vec![Line::own(Grade::Good, "record", text)];
    let open = store.open_batches()?.into_iter().find(|open| open.unit == unit.name);
    lines.extend(open.map(|open| {
        let text = format!(
            "batch {} is open, in phase {}; if nobody runs it, go on with it: {}",
            open.code,
            open.phase,
            invocation::command(format_args!("run {} --resume", unit.name))
        );
        Line::own(Grade::Note, "record", text)
    }));
    Ok(lines)
}

#[cfg(unix)]
fn may_write(place: &Path) -> bool {
    rustix::fs::access(place, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn may_write(place: &Path) -> bool {
    std::fs::metadata(place).is_ok_and(|place| !place.permissions().readonly())
}
