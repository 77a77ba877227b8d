//! Opening a port: a socket or a serial port of this computer.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_serial::{ClearBuffer, SerialPort as _, SerialPortBuilderExt as _, SerialStream};

use crate::wire::error::CallFault;
use crate::wire::holder::Holder;
use crate::wire::url::{Flow, LineSettings, Parity, Port};

/// How often a serial port that is held is tried again, while the time-out lasts: whoever gave it
/// up just now may not be through with closing it.
const HELD_RETRY: Duration = Duration::from_millis(20);

/// A wire of bytes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Throws away what the system has received and nobody has read.
    fn discard_input(&mut self) {}

    /// Throws away what the system has taken and not sent.
    fn discard_output(&mut self) {}
}

impl Stream for TcpStream {}

impl Stream for SerialStream {
    fn discard_input(&mut self) {
        // A port that is gone says so at the next read or write.
        let _gone = self.clear(ClearBuffer::Input);
    }

    fn discard_output(&mut self) {
        let _gone = self.clear(ClearBuffer::Output);
    }
}

/// Opens a port within `limit`.
pub(super) async fn dial(
    port: &Port,
    line: LineSettings,
    limit: Duration,
) -> Result<Box<dyn Stream>, CallFault> {
    match port {
        Port::Socket { host, port } => Ok(Box::new(socket(host, *port, limit).await?)),
        Port::Serial { path } => {
            let opened = timeout(limit, serial_when_free(path, line)).await;
            match opened {
                Ok(opened) => Ok(Box::new(opened?)),
                Err(_) => {
                    let by = Holder::of(Path::new(path));
                    Err(CallFault::PortHeld { path: path.clone(), by })
                }
            }
        }
    }
}

/// Calls a socket within `limit`.
pub(super) async fn socket(host: &str, port: u16, limit: Duration) -> Result<TcpStream, CallFault> {
    let cause = match timeout(limit, TcpStream::connect((host, port))).await {
        Ok(Ok(stream)) => {
            // Questions are small and waited for: without this each could wait for its own packet.
            let set = stream.set_nodelay(true);
            return set.map(|()| stream).map_err(|error| CallFault::broken(&error));
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("nobody took the call within {} ms", limit.as_millis()),
    };
    let cause = format!("{cause}. Is the device powered and the cable in? Is the address right?");
    Err(CallFault::Dial { cause })
}

async fn serial_when_free(path: &str, line: LineSettings) -> Result<SerialStream, CallFault> {
    loop {
        match serial(path, line) {
            Err(CallFault::PortHeld { .. }) => tokio::time::sleep(HELD_RETRY).await,
            opened => return opened,
        }
    }
}

fn serial(path: &str, line: LineSettings) -> Result<SerialStream, CallFault> {
    let data_bits = match line.data_bits {
        7 => tokio_serial::DataBits::Seven,
        _ => tokio_serial::DataBits::Eight,
    };
    let stop_bits = match line.stop_bits {
        2 => tokio_serial::StopBits::Two,
        _ => tokio_serial::StopBits::One,
    };
    let parity = match line.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    let flow = match line.flow {
        Flow::None => tokio_serial::FlowControl::None,
        Flow::RtsCts => tokio_serial::FlowControl::Hardware,
        Flow::XonXoff => tokio_serial::FlowControl::Software,
    };
    let builder = tokio_serial::new(path, line.baud)
        .data_bits(data_bits)
        .stop_bits(stop_bits)
        .parity(parity)
        .flow_control(flow);
    let mut stream = builder.open_native_async().map_err(|error| refused(path, &error))?;
    stream.discard_input();
    Ok(stream)
}

/// Why a serial port did not open.
fn refused(path: &str, error: &tokio_serial::Error) -> CallFault {
    let text = error.to_string();
    // serialport 4.10 tells a held port (EBUSY, flock) by its text alone.
    let held = ["exclusive lock", "busy"].iter().any(|word| text.contains(word));
    if held {
        return CallFault::PortHeld { path: path.to_owned(), by: None };
    }
    let kind = error.kind();
    let hint = if kind == tokio_serial::ErrorKind::Io(io::ErrorKind::PermissionDenied) {
        "Add this user to the group dialout, and log in again"
    } else {
        "Is the adapter plugged in? `holder device ports` lists what is"
    };
    CallFault::Dial { cause: format!("{path}: {text}. {hint}") }
}
