//! `holder device ports`: what is plugged into this computer, with the url to paste.

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::station::ports::{self, SerialPort};

/// What to look at when there is nothing.
const NOTHING: &str = "no serial port is plugged in. Check that
- the USB adapter is in, and its lamp is on; try another socket or cable;
- the system has seen it: `dmesg | tail` right after plugging it in;
- you may open it: `groups` must list dialout, or the group that `ls -l /dev/ttyUSB0` shows.
Devices behind a network socket are not listed here: try `holder device probe tcp://HOST:502`.";

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let ports = ports::plugged_in().map_err(|error| {
        Failure::refused(format!("the system does not say which serial ports it has: {error}"))
    })?;
    if context.json {
        return Ok(out::json(&ports.iter().map(document).collect::<Vec<_>>())?);
    }
    if ports.is_empty() {
        return Ok(out::text(NOTHING)?);
    }
    Ok(out::text(&in_words(&ports))?)
}

fn url(scheme: &str, port: &SerialPort) -> String {
    format!("{scheme}://{}", port.stable_path())
}

fn document(port: &SerialPort) -> Value {
    let held_by = port.held_by.as_ref().map(|by| json!({ "pid": by.pid, "name": by.name }));
    json!({
        "path": port.path, "by_id": port.by_id, "kind": port.kind, "adapter": port.adapter,
        "held_by": held_by, "url_rtu": url("rtu", port), "url_serial": url("serial", port),
    })
}

fn in_words(ports: &[SerialPort]) -> String {
    let mut text = String::new();
    for port in ports {
        let what = port.adapter.as_deref().unwrap_or(port.kind);
        text += &format!("{}  {what}\n", port.path);
        if let Some(holder) = &port.held_by {
            text += &format!("  held by {holder}\n");
        }
        text += &format!("  Modbus RTU     {}\n", url("rtu", port));
        text += &format!("  text commands  {}\n", url("serial", port));
        if port.by_id.is_none() {
            text += "  this path may be another port after the next start: it has no name of its \
                     own\n";
        }
    }
    text + "\nadd the speed and parity of your device where they are not 9600 8N1:\n  \
            ?baud=19200&parity=even   (also data_bits, stop_bits, flow)\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::station::ports::Holder;

    #[test]
    fn a_port_is_shown_with_the_url_that_stays_and_with_who_holds_it() {
        let port = SerialPort {
            path: "/dev/ttyUSB0".into(),
            by_id: Some("/dev/serial/by-id/usb-FTDI-if00".into()),
            kind: "usb",
            adapter: Some("FTDI FT232R A9 (0403:6001)".into()),
            held_by: Some(Holder { pid: 7, name: "minicom".into() }),
        };
        let text = in_words(std::slice::from_ref(&port));
        assert!(text.contains("rtu:///dev/serial/by-id/usb-FTDI-if00"), "{text}");
        assert!(text.contains("held by minicom (process 7)"), "{text}");
        assert!(!text.contains("another port after"), "{text}");
        let bare = SerialPort { by_id: None, held_by: None, ..port };
        let text = in_words(&[bare]);
        assert!(text.contains("rtu:///dev/ttyUSB0") && text.contains("another port after"));
    }
}
