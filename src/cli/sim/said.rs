//! What `holder sim` says that it serves, and how to try it with a client that we did not write.

use std::net::SocketAddr;

use holder_hal::Role;
use holder_hal::wire::profile::{DataType, Entity, Point, Register};
use holder_hal::wire::{BusUrl, Framing, LineSettings, Parity, Profile};
use holder_sim::server::Reached;
use holder_sim::{Place, SimServer};
use serde_json::json;

use super::{Serving, alone_address};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::out;

pub(super) fn say_what_is_served(
    context: &Context,
    server: &SimServer,
    serving: &Serving,
) -> Result<(), Failure> {
    let mut document = Vec::new();
    for reached in server.reached() {
        let devices: Vec<(String, &Profile, u8)> = match serving {
            Serving::Device(profile) => {
                vec![(profile.name().to_owned(), profile, alone_address(profile))]
            }
            Serving::Unit(spec) => {
                let on_bus = spec.devices().iter().filter(|device| device.bus == reached.bus);
                on_bus.map(|d| (d.name.clone(), d.profile.as_ref(), d.address)).collect()
            }
        };
        for (name, profile, address) in devices {
            let (title, url) = (profile.title(), &reached.url);
            // Alone on its line it has none.
            let id = if address == 0 { String::new() } else { format!(", unit id {address}") };
            out::note(&format!("SIMULATED: {name} ({title}) at {url}{id}"));
            document.push(json!({
                "bus": reached.bus, "url": url, "address": opened(&reached.place), "device": name,
                "profile": profile.name(), "unit_id": address, "simulated": true,
            }));
            let point = profile.points().iter().find(|point| is_temperature(point));
            let register = point.and_then(|point| Some((point, point.register()?)));
            if let Some(line) = register.and_then(|(point, at)| mbpoll(point, at, reached, address))
            {
                out::note(&format!("  try: {line}"));
            }
        }
        if matches!(reached.place, Place::Serial(_)) {
            out::note("  this is the simulator's end of the cable; clients open the other one");
        }
    }
    out::note("Ctrl-C ends it");
    if context.json {
        out::json(&document)?;
    }
    Ok(())
}

/// What a client opens: a socket's address, or a file.
fn opened(place: &Place) -> String {
    match place {
        Place::Listen(address) => address.clone(),
        Place::Pty(path) => {
            path.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
        }
        Place::Serial(path) => path.display().to_string(),
    }
}

fn is_temperature(point: &Point) -> bool {
    let read = matches!(point.usual_role, Some(Role::Bath | Role::Milk(_)));
    read && point.readable && point.unit.is_temperature()
}

/// The line with which mbpoll, a client that we did not write, reads this point; it does not
/// speak RTU through a socket.
fn mbpoll(point: &Point, register: &Register, reached: &Reached, unit_id: u8) -> Option<String> {
    let table = match register.entity {
        Entity::Coil => "0",
        Entity::DiscreteInput => "1",
        Entity::InputRegister => "3",
        Entity::HoldingRegister => "4",
    };
    let layout = match register.data_type {
        DataType::Float32 => ":float -B",
        DataType::Int32 | DataType::Uint32 => ":int -B",
        DataType::Bit(_) | DataType::Int16 | DataType::Uint16 => "",
    };
    let url = BusUrl::parse(&reached.url).ok()?;
    let (how, place) = match (url.framing, &reached.place) {
        (Framing::ModbusTcp, Place::Listen(address)) => {
            let at: SocketAddr = address.parse().ok()?;
            (format!("-m tcp -p {}", at.port()), at.ip().to_string())
        }
        (Framing::ModbusRtu, Place::Pty(Some(path))) => {
            (serial_options(url.line?), path.display().to_string())
        }
        _ => return None,
    };
    Some(format!(
        "mbpoll {how} -a {unit_id} -0 -r {} -t {table}{layout} -1 {place}   ({}, in {} {})",
        register.address,
        point.title,
        point.scale_nano as f64 * 1e-9,
        point.unit.word(),
    ))
}

fn serial_options(line: LineSettings) -> String {
    let parity = match line.parity {
        Parity::None => "none",
        Parity::Even => "even",
        Parity::Odd => "odd",
    };
    format!("-m rtu -b {} -P {parity} -s {}", line.baud, line.stop_bits)
}
