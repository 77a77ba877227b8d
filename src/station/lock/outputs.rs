//! What a unit drives over sockets, by names that are the same in every folder of this computer.
//!
//! A name is made of the socket, the device's address there and the point: units that share a
//! gateway, or the outputs of one relay module, keep out of each other's way and run side by side.
//! A serial port needs no name here: whoever opens it holds it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use holder_hal::wire::{BusUrl, DeviceSpec, Port, UnitSpec};

use crate::station::in_time::in_time;
use crate::store::{hex, sha256};

/// A resolver that takes longer (real time) must not keep a machine waiting that may be hot: then
/// the socket goes by its written name alone.
const RESOLVED_WITHIN: Duration = Duration::from_secs(2);

/// The names of all outputs of a unit, each with what a person calls it.
pub(super) fn of(spec: &UnitSpec) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let mut resolved = BTreeMap::new();
    for given in spec.roles().iter().filter(|given| given.role.is_written()) {
        let Some((device, point)) = spec.role(given.role) else { continue };
        let Some((host, port)) = socket(spec, device) else { continue };
        let (name, address, at) = (&device.name, device.address, &point.at);
        let words = format!("{} (device {name} at {host}:{port}, address {address})", given.role);
        let places = resolved.entry((host, port)).or_insert_with_key(|(host, port)| {
            let found = resolve(host, *port).into_iter();
            let found = found.map(|at| SocketAddr::new(at.ip().to_canonical(), at.port()));
            found.map(|at| at.to_string()).chain([format!("{host}:{port}")]).collect::<Vec<_>>()
        });
        names.extend(places.iter().map(|place| {
            let output = format!("{place}/{address}/{at}");
            // The system's names are short, and those of hosts may be long (unix(7)).
            (format!("holder/output/{}", hex(&sha256(&output))), words.clone())
        }));
    }
    names
}

fn socket(spec: &UnitSpec, device: &DeviceSpec) -> Option<(String, u16)> {
    let bus = spec.buses().iter().find(|bus| bus.name == device.bus)?;
    match BusUrl::parse(&bus.url).ok()?.port {
        Port::Socket { host, port } => Some((host.to_ascii_lowercase(), port)),
        Port::Serial { .. } => None,
    }
}

/// All addresses of a socket, as far as the resolver tells them in time.
fn resolve(host: &str, port: u16) -> Vec<SocketAddr> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return vec![SocketAddr::new(address, port)];
    }
    let host = host.to_owned();
    let found = in_time(RESOLVED_WITHIN, move || (host.as_str(), port).to_socket_addrs());
    found.and_then(Result::ok).map(Iterator::collect).unwrap_or_default()
}
