//! `holder db backup`: the station in one file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::out;
use crate::invocation;
use crate::station::config::{Library, STATION_FILE};
use crate::store::KeptFile;

pub(super) fn run(context: &Context, to: &Path) -> Result<(), Failure> {
    let actor = context.actor()?;
    let path = file_in(to, actor.utc_ms)?;
    let mut store = context.memory_to_write()?;
    let files = own_files(context.dir());
    let made = store.back_up(actor.stamp(), &path, &files, &mut super::progress())?;
    if same_disk(context.dir(), &path) {
        out::note(
            "this backup lies on the disk of the station itself: keep a copy on another one, away \
             from here",
        );
    }
    let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    if context.json {
        return Ok(out::json(&json!({
            "file": made.path, "bytes": made.bytes, "head_seq": made.head_seq,
            "files": names, "report": made.report,
        }))?);
    }
    let with = if names.is_empty() { "nothing else".to_owned() } else { names.join(", ") };
    Ok(out::text(&format!(
        "made and verified the backup {}: {} bytes, with {with}\n\n{}\nhead {} (entry {})\n\n\
         Try it once in a while:  holder db restore {} NEW-FOLDER",
        made.path.display(),
        made.bytes,
        super::recomputed(&made.report),
        made.report.head_hash,
        made.head_seq,
        invocation::quoted(&made.path.display().to_string()),
    ))?)
}

/// In a folder, the file is named by the time.
fn file_in(to: &Path, utc_ms: i64) -> Result<PathBuf, Failure> {
    if !to.is_dir() {
        return Ok(to.to_owned());
    }
    let now = jiff::Timestamp::from_millisecond(utc_ms).context("the clock is wrong")?;
    Ok(to.join(format!("holder-{}.db", now.strftime("%Y-%m-%dT%H%M%SZ"))))
}

/// The station's own files. One that cannot be read does not keep the memory from being saved:
/// it is named.
fn own_files(dir: &Path) -> Vec<KeptFile> {
    let library = Library::of_station(dir);
    let own = library.as_ref().map(Library::own_paths).unwrap_or_default();
    if let Err(why) = &library {
        out::note(&format!("profiles and recipes are not in this backup: {why}"));
    }
    let station = dir.join(STATION_FILE);
    let mut files = Vec::new();
    for path in std::iter::once(station.as_path()).chain(own) {
        let name = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
        match fs::read_to_string(path) {
            Ok(text) => files.push(KeptFile { path: name, text }),
            Err(why) => out::note(&format!("{} is not in this backup: {why}", path.display())),
        }
    }
    files
}

#[cfg(unix)]
fn same_disk(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    device(a).is_some() && device(a) == device(b)
}

#[cfg(not(unix))]
fn same_disk(_: &Path, _: &Path) -> bool {
    false
}
