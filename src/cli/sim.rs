//! `holder sim`: a simulated machine on a socket, for practice and for trying clients.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use holder_hal::Role;
use holder_hal::wire::profile::{DataType, Entity, Point, Register};
use holder_hal::wire::{Profile, UnitSpec};
use holder_sim::{Pace, PlantParams, SimOptions, SimServer, Start};
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::{out, signals, unit};
use crate::station::config::StationConfig;

/// The unit id of a device that is served alone.
const UNIT_ID: u8 = 1;

/// Simulate a pasteurizer over Modbus TCP, until you stop it with Ctrl-C
///
/// One device alone (--device) is found in the middle of a hold: bath and milk at 62.5 °C, so
/// that a client sees a value that it can check. A whole unit (--unit) is one plant behind all of
/// its devices, found cold, as `holder run` wants it.
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["device", "unit"]),
    after_help = "Examples:\n  holder sim --device eurotherm-3200 --tcp 127.0.0.1:1502\n  \
                  holder sim --unit station.toml:demo"
)]
pub(crate) struct SimArgs {
    /// Serve one device of this profile, with unit id 1
    #[arg(long, value_name = "PROFILE", requires = "tcp")]
    device: Option<String>,
    /// Serve all devices of a unit: the station's file, a colon, the unit's name
    #[arg(long, value_name = "FILE:UNIT")]
    unit: Option<String>,
    /// Where to listen; a unit listens where its buses say unless this is given (port 0: any)
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<String>,
    /// Bottles in the bath from the start, the control bottle not counted
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    load: Option<u32>,
    /// Seed of the noise of the probes
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,
    /// Simulated seconds per real second, 1 to 60
    #[arg(long, value_name = "X", default_value_t = 1, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=60))]
    speed: u32,
}

pub(crate) fn run(context: &Context, args: SimArgs) -> Result<(), Failure> {
    let serving = match (&args.device, &args.unit) {
        (Some(profile), _) => Serving::Device(context.library()?.profile(profile)?.profile),
        (None, Some(place)) => Serving::Unit(unit_of(place)?),
        (None, None) => return Err(Failure::Usage("name --device or --unit".to_owned())),
    };
    unit::runtime()?.block_on(serve(context, &args, &serving))
}

/// What is served.
enum Serving {
    Device(Arc<Profile>),
    Unit(UnitSpec),
}

/// The unit of `FILE:UNIT`.
fn unit_of(place: &str) -> Result<UnitSpec, Failure> {
    let (file, name) = place.rsplit_once(':').ok_or_else(|| {
        Failure::Usage(format!("--unit {place}: write the file, a colon and the unit's name"))
    })?;
    let station = StationConfig::load_file(Path::new(file))?;
    Ok(station.unit(name)?.spec()?)
}

async fn serve(context: &Context, args: &SimArgs, serving: &Serving) -> Result<(), Failure> {
    let pace = Pace::Scaled { speed: args.speed };
    let plant = PlantParams::nominal();
    let server = match serving {
        Serving::Device(profile) => {
            let at = args.tcp.as_deref().unwrap_or_default();
            let start = Start::MidHold;
            let options = SimOptions { listen: None, load: args.load, pace, start };
            SimServer::start_device(profile, UNIT_ID, at, plant, args.seed, options).await
        }
        Serving::Unit(spec) => {
            let listen = listen_of(args.tcp.as_deref(), spec)?;
            let options = SimOptions { listen, load: args.load, pace, start: Start::Cold };
            SimServer::start(spec, plant, args.seed, options).await
        }
    };
    let server = server.map_err(|error| Failure::Refused(error.into()))?;
    say_what_is_served(context, &server, serving)?;
    signals::until_stopped().await.context("the signals of the system cannot be heard")?;
    server.shutdown().await;
    out::note("stopped");
    Ok(())
}

/// Where a unit listens instead of where its buses say.
fn listen_of(tcp: Option<&str>, spec: &UnitSpec) -> Result<Option<SocketAddr>, Failure> {
    let Some(tcp) = tcp else { return Ok(None) };
    let at: SocketAddr = tcp.parse().map_err(|_| {
        Failure::Usage(format!("--tcp {tcp}: with --unit, write an IP address and a port"))
    })?;
    if spec.buses().len() > 1 && at.port() != 0 {
        return Err(Failure::Usage(format!(
            "--tcp {tcp}: unit {} has {} buses, which cannot share a port; leave --tcp out to \
             listen where the buses say, or give port 0",
            spec.name(),
            spec.buses().len()
        )));
    }
    Ok(Some(at))
}

fn say_what_is_served(
    context: &Context,
    server: &SimServer,
    serving: &Serving,
) -> Result<(), Failure> {
    let mut document = Vec::new();
    for (bus, at) in server.addrs() {
        let devices: Vec<(String, &Profile, u8)> = match serving {
            Serving::Device(profile) => vec![(profile.name().to_owned(), profile, UNIT_ID)],
            Serving::Unit(spec) => {
                let on_bus = spec.devices().iter().filter(|device| device.bus == *bus);
                on_bus.map(|d| (d.name.clone(), d.profile.as_ref(), d.address)).collect()
            }
        };
        for (name, profile, address) in devices {
            out::note(&format!(
                "SIMULATED: {name} ({}) at {at}, unit id {address}",
                profile.title()
            ));
            document.push(json!({
                "bus": bus, "address": at.to_string(), "device": name,
                "profile": profile.name(), "unit_id": address, "simulated": true,
            }));
            let point = profile.points().iter().find(|point| is_temperature(point));
            if let Some((point, register)) = point.and_then(|p| Some((p, p.register()?))) {
                out::note(&format!("  try: {}", mbpoll(point, register, *at, address)));
            }
        }
    }
    out::note("Ctrl-C ends it");
    if context.json {
        out::json(&document)?;
    }
    Ok(())
}

fn is_temperature(point: &Point) -> bool {
    let read = matches!(point.usual_role, Some(Role::Bath | Role::Milk(_)));
    read && point.readable && point.unit.is_temperature()
}

/// The line with which mbpoll, a client that we did not write, reads this point.
fn mbpoll(point: &Point, register: &Register, at: SocketAddr, unit_id: u8) -> String {
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
    format!(
        "mbpoll -m tcp -p {} -a {unit_id} -0 -r {} -t {table}{layout} -1 {}   ({}, in {} {})",
        at.port(),
        register.address,
        at.ip(),
        point.title,
        point.scale_nano as f64 * 1e-9,
        point.unit.word(),
    )
}
