//! The serial ports of this computer: what is plugged in, under which name it keeps its place, and
//! who holds it. Looks only; opens nothing.
//!
//! `/dev/ttyUSB0` is whichever adapter was found first: after the next start it may be another
//! one, and another machine with it. `/dev/serial/by-id/…` carries the serial number of the
//! adapter and stays with it.

use std::fs;
use std::path::{Path, PathBuf};

pub use holder_hal::wire::Holder;
use serialport::SerialPortType;

/// One serial port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialPort {
    /// Its device file: `/dev/ttyUSB0`.
    pub path: String,
    /// The name that stays with the adapter, if it has one.
    pub by_id: Option<String>,
    /// `usb`, `bluetooth`, `pci` or `built-in`.
    pub kind: &'static str,
    /// Maker, product and serial number of a USB adapter, as far as it tells them.
    pub adapter: Option<String>,
    /// The program that holds it, if it can be seen.
    pub held_by: Option<Holder>,
}

impl SerialPort {
    /// The path to write into a url: the one that stays, if there is one.
    pub fn stable_path(&self) -> &str {
        self.by_id.as_deref().unwrap_or(&self.path)
    }
}

/// Where the system shows its devices.
const BY_ID: &str = "/dev/serial/by-id";
const TTY: &str = "/sys/class/tty";

/// Every serial port that is plugged in, sorted by path.
///
/// # Errors
/// The system cannot tell.
pub fn plugged_in() -> Result<Vec<SerialPort>, serialport::Error> {
    // A container without /sys has no ports, and the library takes its absence for a defect.
    if cfg!(target_os = "linux") && !Path::new(TTY).is_dir() {
        return Ok(Vec::new());
    }
    let mut ports: Vec<SerialPort> = serialport::available_ports()?
        .into_iter()
        .map(|found| {
            let path = found.port_name;
            let (kind, adapter) = kind_of(&found.port_type);
            let by_id = by_id_of(Path::new(BY_ID), Path::new(&path));
            let held_by = Holder::of(Path::new(&path));
            SerialPort { path, by_id, kind, adapter, held_by }
        })
        .collect();
    ports.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(ports)
}

fn kind_of(port: &SerialPortType) -> (&'static str, Option<String>) {
    match port {
        SerialPortType::UsbPort(usb) => {
            let numbers = format!("{:04x}:{:04x}", usb.vid, usb.pid);
            let words = [&usb.manufacturer, &usb.product, &usb.serial_number];
            let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
            ("usb", Some(format!("{} ({numbers})", words.join(" ")).trim().to_owned()))
        }
        SerialPortType::BluetoothPort => ("bluetooth", None),
        SerialPortType::PciPort => ("pci", None),
        SerialPortType::Unknown => ("built-in", None),
    }
}

/// What stands against opening a serial port now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortFault {
    /// There is no such device file.
    Missing,
    /// It is there, and not ours to open.
    Forbidden {
        /// The group that may, by its name or number.
        group: String,
    },
    /// Another program has it open.
    Held(Holder),
}

impl PortFault {
    /// What is wrong with the port at `path`, and what to try.
    pub fn words(&self, path: &str) -> String {
        match self {
            Self::Missing => format!(
                "{path} is not there. Is the adapter plugged in? `holder device ports` lists what is"
            ),
            Self::Forbidden { group } => format!(
                "{path} is not yours to open. Add yourself to the group {group} with `sudo usermod \
                 -aG {group} $USER`, then log out and in again"
            ),
            Self::Held(holder) => {
                format!("{path} is held by {holder}. End that program, or use another port")
            }
        }
    }
}

/// What stands against opening the serial port at `path`; nothing if nothing can be seen.
pub fn fault_of(path: &str) -> Option<PortFault> {
    let path = Path::new(path);
    if !path.exists() {
        return Some(PortFault::Missing);
    }
    if let Some(holder) = Holder::of(path) {
        return Some(PortFault::Held(holder));
    }
    forbidden(path)
}

#[cfg(unix)]
fn forbidden(path: &Path) -> Option<PortFault> {
    use rustix::fs::{Access, access};
    use std::os::unix::fs::MetadataExt as _;

    access(path, Access::READ_OK | Access::WRITE_OK).is_err().then(|| {
        let gid = fs::metadata(path).map(|file| file.gid()).unwrap_or_default();
        let groups = fs::read_to_string("/etc/group").unwrap_or_default();
        PortFault::Forbidden { group: group_name(&groups, gid) }
    })
}

#[cfg(not(unix))]
fn forbidden(_path: &Path) -> Option<PortFault> {
    None
}

/// The name of a group in the text of `/etc/group`, or its number.
#[cfg(unix)]
fn group_name(groups: &str, gid: u32) -> String {
    let gid = gid.to_string();
    let mut rows = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let name = rows.find_map(|row| match row.as_slice() {
        [name, _, number, ..] if *number == gid => Some((*name).to_owned()),
        _ => None,
    });
    name.unwrap_or(gid)
}

/// The link in `folder` that leads to `device`.
fn by_id_of(folder: &Path, device: &Path) -> Option<String> {
    let device = fs::canonicalize(device).ok()?;
    let mut links: Vec<PathBuf> =
        fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    links.sort();
    let link =
        links.into_iter().find(|link| fs::canonicalize(link).is_ok_and(|to| to == device))?;
    Some(link.to_string_lossy().into_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn an_adapter_is_named_by_the_link_that_stays_with_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let (device, other) = (dir.path().join("ttyUSB0"), dir.path().join("ttyUSB1"));
        for file in [&device, &other] {
            fs::write(file, "").expect("made");
        }
        let by_id = dir.path().join("by-id");
        fs::create_dir(&by_id).expect("made");
        let link = by_id.join("usb-FTDI_FT232R_A9-if00-port0");
        symlink("../ttyUSB1", &link).expect("linked");
        assert_eq!(by_id_of(&by_id, &other), Some(link.to_string_lossy().into_owned()));
        assert_eq!(by_id_of(&by_id, &device), None);
        assert_eq!(by_id_of(&dir.path().join("none"), &device), None);
    }

    #[test]
    fn the_program_that_holds_a_port_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let device = dir.path().join("ttyUSB0");
        fs::write(&device, "").expect("made");
        let proc = dir.path().join("proc");
        let process = proc.join("4711");
        fs::create_dir_all(process.join("fd")).expect("made");
        fs::create_dir_all(proc.join("self")).expect("made");
        fs::write(process.join("comm"), "minicom\n").expect("made");
        assert_eq!(Holder::seen_in(&proc, &device), None);
        let device = fs::canonicalize(&device).expect("there");
        symlink(&device, process.join("fd/3")).expect("linked");
        let holder = Holder::seen_in(&proc, &device).expect("held");
        assert_eq!(holder.to_string(), "minicom (process 4711)");
        let words = PortFault::Held(holder).words("/dev/ttyUSB0");
        assert!(words.contains("/dev/ttyUSB0 is held by minicom"), "{words}");
    }

    #[test]
    fn a_port_that_is_not_there_or_not_ours_says_what_to_do() {
        let missing = fault_of("/dev/serial/by-id/usb-nobody").expect("missing");
        assert_eq!(missing, PortFault::Missing);
        assert!(missing.words("/dev/x").contains("plugged in"));
        let groups = "root:x:0:\ndialout:x:20:ana,ben\n";
        let fault = PortFault::Forbidden { group: group_name(groups, 20) };
        assert!(fault.words("/dev/x").contains("usermod -aG dialout"), "{fault:?}");
        assert_eq!(group_name(groups, 99), "99");
    }
}
