//! How a simulated machine is wired: where each bus is served, and what goes wrong there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::faults::FaultSpec;

/// Where a bus is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A socket of this computer, `host:port`; port 0 lets the system choose. A bus of a serial
    /// line is then served as behind a serial-to-Ethernet socket.
    Listen(String),
    /// A pty: a serial line without a cable. Clients open the link, which is made here and taken
    /// away at the end; `None` makes no link, and clients open the pty by its own name.
    Pty(Option<PathBuf>),
    /// A serial port of this computer, at the other end of the cable.
    Serial(PathBuf),
}

/// How a simulated machine is wired. Every bus then goes through the byte proxy that makes the
/// faults; without wiring, Modbus TCP is served without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wiring {
    /// Where buses are served instead of where their urls say, by name of the bus.
    pub places: BTreeMap<String, Place>,
    /// What goes wrong on the wires, from the start.
    pub faults: Vec<FaultSpec>,
    /// Serial lines carry their characters no faster than their baud rate allows. A pty and a
    /// socket are else as fast as they can; a real serial port always has its own speed.
    pub paced: bool,
}

/// Where a bus is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Name of the bus.
    pub bus: String,
    /// Its url for `station.toml`; on a serial port, the simulator's own end of the cable.
    pub url: String,
    /// Where clients open it.
    pub place: Place,
}
