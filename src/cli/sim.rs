//! `holder sim`: a simulated machine on sockets and serial lines, for practice and for trying
//! clients.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use holder_hal::wire::profile::Protocol;
use holder_hal::wire::{Profile, UnitSpec};
use holder_sim::{FaultSpec, Pace, PlantParams, SimOptions, SimServer, Start, Wiring};

use super::context::Context;
use super::failure::Failure;
use super::{out, signals, unit};
use crate::station::config::StationConfig;

mod places;
mod said;

/// Simulate a pasteurizer over Modbus TCP, RTU or a serial protocol, until you stop it with Ctrl-C
///
/// One device alone (--device) is found in the middle of a hold: bath and milk at 62.5 °C, so
/// that a client sees a value that it can check. A whole unit (--unit) is one plant behind all of
/// its devices, found cold, as `holder run` wants it. Each bus is served where its url says; a
/// serial port that is not there becomes a pty, with a link where the port would be. What is
/// served, and where, can be pasted into station.toml.
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["device", "unit"]),
    after_help = EXAMPLES,
)]
pub(crate) struct SimArgs {
    /// Serve one device of this profile, with the address that it has from the factory
    #[arg(long, value_name = "PROFILE")]
    device: Option<String>,
    /// Serve all devices of a unit: the station's file, a colon, the unit's name
    #[arg(long, value_name = "FILE:UNIT")]
    unit: Option<String>,
    /// Where to listen; a unit listens where its buses say unless this is given (port 0: any)
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<String>,
    /// Serve the device as behind a serial-to-Ethernet socket: RTU, not Modbus TCP
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "unit")]
    rtu_over_tcp: Option<String>,
    /// Serve a serial line on a pty, linked here; of a unit with several lines, BUS=LINK
    #[arg(long, value_name = "LINK")]
    pty: Vec<String>,
    /// Serve a serial line on this port, at the other end of the cable; BUS=PORT as above
    #[arg(long, value_name = "PORT")]
    serial: Vec<String>,
    /// What goes wrong on the wires, such as late:ms=800,every=5 (may be given several times)
    #[arg(long, value_name = "FAULT")]
    fault: Vec<FaultSpec>,
    /// On a pty or socket, carry characters no faster than the line's baud rate
    #[arg(long)]
    paced: bool,
    /// Bottles in the bath from the start, the control bottle not counted
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    load: Option<u32>,
    /// Seed of the noise of the probes, and of faults that strike by chance
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,
    /// Simulated seconds per real second, 1 to 60
    #[arg(long, value_name = "X", default_value_t = 1, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=60))]
    speed: u32,
}

const EXAMPLES: &str = "\
Examples:
  holder sim --device eurotherm-3200 --tcp 127.0.0.1:1502
  holder sim --device eurotherm-3200 --pty /tmp/holder-pty
  holder sim --device eurotherm-3200 --pty '/tmp/holder-pty?baud=19200&parity=even' --paced
  holder sim --device eurotherm-3200 --serial /dev/ttyUSB1
  holder sim --unit station.toml:past-1 --pty line=/tmp/line    its bus line is a serial one
  holder sim --unit station.toml:demo --fault late:ms=800,unit=1,every=5
  holder sim --unit station.toml:demo --fault unplug:from=60s,for=5s --fault bad-crc:chance=0.01

The hands of a technician, at unit id 247 of each bus of Modbus TCP:
  mbpoll -m tcp -p 15021 -a 247 -0 -r 0 -t 4 -1 127.0.0.1 12    12 bottles go in; 0: all come out
  mbpoll -m tcp -p 15021 -a 247 -0 -r 2 -t 4 -1 127.0.0.1 0     the lid is opened; 1: closed

Faults, with their settings:
  silence, late (ms, to), slow (ms, or baud), short (bytes), long (bytes), duplicate,
  fewer (words), more (words), wrong-unit, wrong-function, wrong-address, wrong-transaction,
  bad-crc, exception (code), echo, noise (bytes, where=before or inside), unplug
Each may also have: unit=N, bus=NAME, on=read or write, every=N or chance=0.05,
from=10s, for=5s (real seconds since the start).";

pub(crate) fn run(context: &Context, args: SimArgs) -> Result<(), Failure> {
    let serving = match (&args.device, &args.unit) {
        (Some(profile), _) => Serving::Device(context.library()?.profile(profile)?.profile),
        (None, Some(place)) => Serving::Unit(unit_of(place)?),
        (None, None) => return Err(Failure::Usage("name --device or --unit".to_owned())),
    };
    unit::runtime()?.block_on(serve(context, args, &serving))
}

/// What is served.
enum Serving {
    Device(Arc<Profile>),
    Unit(UnitSpec),
}

/// The address of a device that is served alone.
fn alone_address(profile: &Profile) -> u8 {
    profile.protocol().usual_address()
}

/// The unit of `FILE:UNIT`.
fn unit_of(place: &str) -> Result<UnitSpec, Failure> {
    let (file, name) = place.rsplit_once(':').ok_or_else(|| {
        Failure::Usage(format!("--unit {place}: write the file, a colon and the unit's name"))
    })?;
    let station = StationConfig::load_file(Path::new(file))?;
    Ok(station.unit(name)?.spec()?)
}

async fn serve(context: &Context, args: SimArgs, serving: &Serving) -> Result<(), Failure> {
    let server = match serving {
        Serving::Device(profile) => start_device(&args, profile).await?,
        Serving::Unit(spec) => start_unit(&args, spec).await?,
    };
    said::say_what_is_served(context, &server, serving)?;
    signals::until_stopped().await.context("the signals of the system cannot be heard")?;
    server.shutdown().await;
    out::note("stopped");
    Ok(())
}

async fn start_device(args: &SimArgs, profile: &Arc<Profile>) -> Result<SimServer, Failure> {
    let (pace, start) = (Pace::Scaled { speed: args.speed }, Start::MidHold);
    let options = SimOptions { listen: None, load: args.load, pace, start };
    let (plant, address) = (PlantParams::nominal(), alone_address(profile));
    let at = places::of_device(args, profile)?;
    let faultless = args.fault.is_empty() && !args.paced;
    let server = match &args.tcp {
        Some(tcp) if faultless && matches!(profile.protocol(), Protocol::Modbus(_)) => {
            SimServer::start_device(profile, address, tcp, plant, args.seed, options).await
        }
        Some(_) | None => {
            let faults = args.fault.clone();
            let wiring = Wiring { places: at.places, faults, paced: args.paced };
            let (url, seed) = (at.url.as_str(), args.seed);
            SimServer::start_device_wired(profile, address, url, plant, seed, options, wiring).await
        }
    };
    server.map_err(|error| Failure::Refused(error.into()))
}

async fn start_unit(args: &SimArgs, spec: &UnitSpec) -> Result<SimServer, Failure> {
    let (pace, start) = (Pace::Scaled { speed: args.speed }, Start::Cold);
    let listen = places::listen_of(args.tcp.as_deref(), spec)?;
    let options = SimOptions { listen, load: args.load, pace, start };
    let places = places::of_unit(args, spec)?;
    let plant = PlantParams::nominal();
    let server = if places.is_empty() && args.fault.is_empty() && !args.paced {
        SimServer::start(spec, plant, args.seed, options).await
    } else {
        let wiring = Wiring { places, faults: args.fault.clone(), paced: args.paced };
        SimServer::start_wired(spec, plant, args.seed, options, wiring).await
    };
    server.map_err(|error| Failure::Refused(error.into()))
}
