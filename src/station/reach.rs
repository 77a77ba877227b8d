//! Reaches the machine of a batch: a real one, a simulated one elsewhere, or one made for it.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use holder_hal::wire::capture::Capture;
use holder_hal::wire::{UnitSpec, WiredUnit};
use holder_hal::{Command, Machine};
use holder_sim::{Pace as SimPace, PlantParams, SimOptions, SimServer, Start};
use tokio::sync::Mutex;

use super::clock::Clock;
use super::conduct::ConductError;
use super::config::{ConfigError, Unit};
use super::control_loop::SharedMachine;
pub(super) use super::technician::Hands;

/// How time passes for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// One second per second, or faster against a simulated machine elsewhere (1 to 60).
    Running {
        /// Simulated seconds per real second; 1 on real hardware.
        speed: u32,
    },
    /// As fast as the processor allows, in lockstep with a simulated machine in this process.
    Lockstep {
        /// Seed of the simulated machine.
        seed: u64,
    },
}

impl Pace {
    /// The pace at which the machine of this unit lives: real hardware has one only, whatever was
    /// typed by mistake, and has to be made safe at it.
    pub(super) fn of(self, unit: &Unit<'_>) -> Self {
        if unit.written.simulated { self } else { Self::Running { speed: 1 } }
    }
}

/// A machine that is connected and safe, its time, and the hands of a simulated one.
pub(super) type Reached = (SharedMachine<WiredUnit>, Clock, Option<Hands>);

/// Connects the machine of a unit in the station `file`, and makes it safe before anything else.
pub(super) async fn reach_safely(
    (pace, yes): (Pace, bool),
    file: &str,
    unit: &Unit<'_>,
    capture: Option<Capture>,
    cooling: bool,
) -> Result<Reached, ConductError> {
    let (pace, yes) = (pace.of(unit), yes && unit.written.simulated);
    let (machine, clock, hands) = reach(pace, yes, file, unit.spec()?, capture).await?;
    let machine = Arc::new(Mutex::new(machine));
    make_safe_first(&machine, unit.name, cooling).await?;
    Ok((machine, clock, hands))
}

/// Connects the machine of a unit in the station `file`; in lockstep, makes it first. With `yes`,
/// hands for the technician; with `capture`, all that goes over its wires is kept.
async fn reach(
    pace: Pace,
    yes: bool,
    file: &str,
    spec: UnitSpec,
    capture: Option<Capture>,
) -> Result<(WiredUnit, Clock, Option<Hands>), ConductError> {
    match pace {
        Pace::Running { speed } => {
            // Only the hands need the address: a resolver that hangs must keep no machine waiting.
            let panel = || spec.buses().iter().find_map(|bus| panel_address(&bus.url));
            let hands = yes.then(panel).flatten().map(Hands::Panel);
            let machine = WiredUnit::connect_heard(spec, capture).await?;
            Ok((machine, Clock::running(speed), hands))
        }
        Pace::Lockstep { seed } => {
            let options = SimOptions {
                listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
                load: None,
                pace: SimPace::Lockstep,
                start: Start::Cold,
            };
            let server = SimServer::start(&spec, PlantParams::nominal(), seed, options).await?;
            let server = Arc::new(server);
            let served = server.as_served(&spec).map_err(|fault| ConfigError::Spec {
                file: file.to_owned(),
                fault: Box::new(fault),
            })?;
            let machine = WiredUnit::connect_heard(served, capture).await?;
            let hands = yes.then(|| Hands::Here(server.clone()));
            Ok((machine, Clock::lockstep(server), hands))
        }
    }
}

fn panel_address(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("tcp://")?.to_socket_addrs().ok()?.next()
}

/// Before the first step nobody knows what the machine does: it is made safe. Milk that is being
/// cooled goes on being cooled.
async fn make_safe_first(
    machine: &SharedMachine<WiredUnit>,
    unit: &str,
    cooling: bool,
) -> Result<(), ConductError> {
    let mut machine = machine.lock().await;
    machine.read().await;
    let not_safe = |fault| ConductError::NotSafe { unit: unit.to_owned(), fault };
    machine.write(&Command::safe(cooling)).await.map_err(not_safe)
}
