//! Which program holds a serial port, as far as the system shows it.

use core::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Where Linux shows its processes; elsewhere there is no such folder, and nobody is found.
const PROC: &str = "/proc";

/// A program that has a port open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

impl Holder {
    /// The other program that has the device file `device` open, if it can be seen.
    pub fn of(device: &Path) -> Option<Self> {
        Self::seen_in(Path::new(PROC), device)
    }

    /// The same, as far as the folder `proc` shows: other users' programs hide theirs.
    pub fn seen_in(proc: &Path, device: &Path) -> Option<Self> {
        let device = fs::canonicalize(device).ok()?;
        let processes = fs::read_dir(proc).ok()?.flatten();
        let own = std::process::id();
        for process in processes {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
            else {
                continue;
            };
            let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
            let links = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
            let links: Vec<PathBuf> = links.collect();
            if pid != own && links.contains(&device) && !made(&links, &device) {
                let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                let name = name.trim();
                let name = if name.is_empty() { "a program" } else { name }.to_owned();
                return Some(Self { pid, name });
            }
        }
        None
    }
}

/// Whether the program with these open files made the pty `device`: a simulator, or socat. It
/// keeps an end of it open, and holds it from nobody.
fn made(links: &[PathBuf], device: &Path) -> bool {
    device.starts_with("/dev/pts") && links.iter().any(|link| link.ends_with("ptmx"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_made_a_pty_does_not_hold_it_and_a_terminal_in_a_terminal_holds_its_port() {
        let links = |device: &str| vec![PathBuf::from("/dev/ptmx"), PathBuf::from(device)];
        assert!(made(&links("/dev/pts/7"), Path::new("/dev/pts/7")));
        assert!(!made(&links("/dev/pts/7")[1..], Path::new("/dev/pts/7")), "cat < /dev/pts/7");
        assert!(!made(&links("/dev/ttyUSB0"), Path::new("/dev/ttyUSB0")), "screen /dev/ttyUSB0");
    }
}
