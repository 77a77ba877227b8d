//! The port on which one bus is served: a socket, a pty, or a serial port.

use std::io;
use std::path::Path;

use holder_hal::wire::{Flow, LineSettings, Parity};
use tokio::net::TcpListener;
use tokio_serial::SerialStream;

use super::SimError;
use super::layout::BusLayout;
#[cfg(unix)]
use super::pty::Pty;
use super::wiring::{Place, Reached};

/// A port that is open.
#[derive(Debug)]
pub(crate) enum Port {
    Listener(TcpListener),
    #[cfg(unix)]
    Pty(Pty),
    Serial(SerialStream),
}

impl Port {
    /// Opens the port of `bus`.
    pub(crate) async fn open(bus: &BusLayout) -> Result<Self, SimError> {
        match &bus.place {
            Place::Listen(address) => Ok(Self::Listener(listener(&bus.name, address).await?)),
            #[cfg(unix)]
            Place::Pty(link) => Ok(Self::Pty(Pty::open(&bus.name, link.as_deref())?)),
            #[cfg(not(unix))]
            Place::Pty(_) => {
                let cause = io::ErrorKind::Unsupported.into();
                let link = "a pty: this system has none".to_owned();
                Err(SimError::Pty { bus: bus.name.clone(), link, cause })
            }
            Place::Serial(path) => {
                let line = bus.line.unwrap_or_default();
                Ok(Self::Serial(serial(&bus.name, path, line)?))
            }
        }
    }

    /// Where clients reach it.
    pub(crate) fn reached(&self, bus: &BusLayout) -> Reached {
        let place = match (self, &bus.place) {
            (Self::Listener(listener), _) => match listener.local_addr() {
                Ok(address) => Place::Listen(address.to_string()),
                Err(_) => bus.place.clone(),
            },
            #[cfg(unix)]
            (Self::Pty(pty), _) => Place::Pty(Some(pty.path().to_owned())),
            (Self::Serial(_), place) => place.clone(),
        };
        Reached { bus: bus.name.clone(), url: bus.url_at(&place), place }
    }
}

async fn listener(bus: &str, address: &str) -> Result<TcpListener, SimError> {
    let (bus, shown) = (bus.to_owned(), address.to_owned());
    TcpListener::bind(address).await.map_err(|cause| {
        if cause.kind() == io::ErrorKind::AddrInUse {
            SimError::PortInUse { bus, address: shown }
        } else {
            SimError::Listen { bus, address: shown, cause }
        }
    })
}

fn serial(bus: &str, path: &Path, line: LineSettings) -> Result<SerialStream, SimError> {
    let builder = tokio_serial::new(path.to_string_lossy(), line.baud)
        .data_bits(match line.data_bits {
            7 => tokio_serial::DataBits::Seven,
            _ => tokio_serial::DataBits::Eight,
        })
        .parity(match line.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        })
        .stop_bits(match line.stop_bits {
            2 => tokio_serial::StopBits::Two,
            _ => tokio_serial::StopBits::One,
        })
        .flow_control(match line.flow {
            Flow::None => tokio_serial::FlowControl::None,
            Flow::RtsCts => tokio_serial::FlowControl::Hardware,
            Flow::XonXoff => tokio_serial::FlowControl::Software,
        });
    SerialStream::open(&builder).map_err(|error| SimError::Serial {
        bus: bus.to_owned(),
        port: path.display().to_string(),
        cause: error.into(),
    })
}
