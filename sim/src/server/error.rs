//! Why a simulated machine could not be started.

use thiserror::Error;

use crate::plant::BOTTLES_MAX;

/// Why a simulated machine could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SimError {
    /// Another program listens there.
    #[error(
        "cannot simulate bus {bus} on {address}: the port is in use. Is another `holder sim` \
         running? Stop it, or choose another port"
    )]
    PortInUse {
        /// Name of the bus.
        bus: String,
        /// Where it was to listen.
        address: String,
    },
    /// The system does not let us listen there.
    #[error(
        "cannot simulate bus {bus} on {address}: {cause}. The address must belong to this \
         machine; ports below 1024 need special rights"
    )]
    Listen {
        /// Name of the bus.
        bus: String,
        /// Where it was to listen.
        address: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The url of the bus cannot be understood.
    #[error("cannot simulate bus {bus}: {url} {rule}")]
    Bus {
        /// Name of the bus.
        bus: String,
        /// Its url.
        url: String,
        /// What is wrong with it.
        rule: String,
    },
    /// A bus of commands with a device whose protocol the simulator does not speak.
    #[error(
        "cannot simulate bus {bus}: it is a line of commands, and the simulator speaks none of \
         its devices' protocols. Are bus and profile of the same kind?"
    )]
    NoResponder {
        /// Name of the bus.
        bus: String,
    },
    /// No bus has the name that a place or a fault is for.
    #[error("there is no bus {bus:?}; there are {known}")]
    NoBus {
        /// The name that was given.
        bus: String,
        /// The names that there are.
        known: String,
    },
    /// Where the link is to be made, there is something that we did not make.
    #[error(
        "cannot simulate bus {bus} at {link}: something is there already, and it is no link to a \
         pty. Choose another place with --pty; to use a real serial port, name the one at the \
         other end of the cable with --serial"
    )]
    LinkTaken {
        /// Name of the bus.
        bus: String,
        /// Where the link was to be.
        link: String,
    },
    /// Another simulator serves this link.
    #[error(
        "cannot simulate bus {bus} at {link}: another simulator serves it. Stop that one, or \
         choose another place with --pty"
    )]
    LinkInUse {
        /// Name of the bus.
        bus: String,
        /// Where the link was to be.
        link: String,
    },
    /// The pty or its link could not be made.
    #[error(
        "cannot simulate bus {bus} at {link}: {cause}. The folder must be there, and you must be \
         allowed to write to it"
    )]
    Pty {
        /// Name of the bus.
        bus: String,
        /// Where the link was to be.
        link: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The serial port could not be opened.
    #[error(
        "cannot simulate bus {bus} on serial port {port}: {cause}. Is it plugged in, does no \
         other program hold it, and are you in the group that may use it (often dialout)? Try \
         `holder device ports`"
    )]
    Serial {
        /// Name of the bus.
        bus: String,
        /// The port.
        port: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A device has the unit id of the panel.
    #[error(
        "cannot simulate device {device}: unit id 247 is the simulator's panel; choose another"
    )]
    PanelAddress {
        /// Name of the device.
        device: String,
    },
    /// No bath holds so many bottles.
    #[error("load {bottles}: a simulated bath holds at most {BOTTLES_MAX} bottles")]
    Load {
        /// The load that was asked for.
        bottles: u32,
    },
    /// Time cannot run that fast.
    #[error("speed {speed}: simulated time runs 1 to 60 times as fast as real time")]
    Speed {
        /// The speed that was asked for.
        speed: u32,
    },
}
