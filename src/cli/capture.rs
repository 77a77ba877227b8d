//! `--capture FILE`: what goes over the wires, kept in a file for `holder device replay`.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use holder_hal::wire::capture::{Capture, CaptureHead};

use super::failure::Failure;
use super::out;
use crate::invocation;
use crate::station::in_time::in_time;

/// The program as it signs a capture.
pub(crate) const PROGRAM: &str = concat!("holder ", env!("CARGO_PKG_VERSION"));

/// A file that takes longer to make (real time) must not keep a machine waiting that may be hot.
const MADE_WITHIN: Duration = Duration::from_secs(2);

/// A capture that is being written.
pub(crate) struct Kept {
    capture: Capture,
    path: PathBuf,
}

impl Kept {
    /// Begins a capture if one was asked for.
    ///
    /// # Errors
    /// The file exists, cannot be written, or is not made in time.
    pub(crate) fn begin(path: Option<&Path>, head: &CaptureHead) -> Result<Option<Self>, Failure> {
        let Some(path) = path else { return Ok(None) };
        let (file, head) = (path.to_owned(), head.clone());
        let made = in_time(MADE_WITHIN, move || Capture::create(&file, &head));
        let hangs = || std::io::Error::new(ErrorKind::TimedOut, "the disk does not answer");
        let capture = made.unwrap_or_else(|| Err(hangs())).map_err(|error| {
            Failure::refused(format!("--capture {}: {}", path.display(), in_the_way(path, &error)))
        })?;
        Ok(Some(Self { capture, path: path.to_owned() }))
    }

    /// A handle for who speaks on the wires.
    pub(crate) fn handle(kept: Option<&Self>) -> Option<Capture> {
        kept.map(|kept| kept.capture.clone())
    }

    /// Writes the rest, and says what is in the file and what is not.
    pub(crate) fn end(kept: Option<Self>) {
        let Some(Self { capture, path }) = kept else { return };
        let end = capture.end();
        let file = path.display();
        let typed = invocation::quoted(&file.to_string());
        let lost = match (end.lost, &end.why) {
            (0, None) => String::new(),
            (lost, None) => format!("; {lost} more were lost: the disk is slow"),
            (lost, Some(why)) => format!("; {lost} more were lost: {why}"),
        };
        out::note(&format!("{file}: {} events; `holder device replay {typed}`{lost}", end.written));
    }
}

/// Why a capture cannot be written at `path`, and what to do.
fn in_the_way(path: &Path, error: &io::Error) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if path.is_dir() {
        return "this is a folder: name a new file in it".to_owned();
    }
    if path.is_file() {
        return "this file exists already, and a capture is never overwritten: name a new one"
            .to_owned();
    }
    if path.exists() {
        return "this is a device or a pipe: name a new file".to_owned();
    }
    match folder {
        Some(folder) if !folder.is_dir() => {
            format!("there is no folder {}: make it, or name another", folder.display())
        }
        Some(_) | None => format!("{error}: name a new file in a folder that is yours to write"),
    }
}
