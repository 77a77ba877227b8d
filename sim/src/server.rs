//! Servers which serve one simulated plant as all the devices of a unit at once: over Modbus
//! TCP, and over RTU and commands on a pty, a serial port or a socket.
//!
//! The registers are what the real devices would show: every point of a device's profile has
//! its cells, encoded by that profile (scale, word order, mode numbers, status bits); points
//! that play a role carry the plant's probes or its switches. Only the profile's function
//! codes are answered (else exception 1), only addresses in the map (else 2), only values that
//! the point can hold (else 3); unit ids that no device has get exception 11, as from a
//! gateway, and silence on a serial line. Circulators that speak commands are played as their
//! manuals describe them (`commands`). Function 17 always answers `HOLDER-SIM`, so that nobody
//! takes this for a machine.
//!
//! # The operator's panel, unit id 247
//!
//! The hands of the simulated technician; no real machine has it. Functions 3, 6 and 16:
//!
//! | holding register | read | write |
//! |---|---|---|
//! | 0 | bottles in the bath, control bottle not counted | N (to 200) loads N bottles, 0 unloads |
//! | 1 | simulated seconds since start, low word | – (exception 3) |
//! | 2 | lid: 1 closed, 0 open | 1 closes, 0 opens |
//! | 3 | simulated seconds since start, high word | – (exception 3) |
//!
//! # Wires
//!
//! A [`Wiring`] says where each bus is served, and which [faults](crate::faults) strike there;
//! they can be changed while it runs. What is not wired is served where the urls of its buses
//! say: a socket listens, and a serial port becomes a pty with a link at the port's path.
//!
//! # Time
//!
//! [`Pace::Scaled`] lets simulated time run by itself; with [`Pace::Lockstep`] it stands still
//! until the owner calls [`SimServer::advance`], and the sockets serve the current state.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holder_hal::wire::{BusSpec, Profile, SpecError, UnitSpec};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::faults::FaultSpec;
use crate::params::PlantParams;
use crate::plant::{BOTTLES_MAX, Plant, Truth};

mod commands;
mod device;
mod error;
mod frame;
mod harness;
mod inner;
mod layout;
mod mangle;
mod outbox;
mod panel;
mod port;
#[cfg(unix)]
mod pty;
mod responder;
mod service;
mod timer;
mod wire;
mod wiring;
mod world;

pub use error::SimError;
use harness::Harness;
use layout::Layout;
pub use panel::{PANEL_BOTTLES, PANEL_LID, PANEL_TIME_HIGH, PANEL_TIME_LOW, PANEL_UNIT_ID};
pub use wiring::{Place, Reached, Wiring};
use world::World;

/// The temperature at which [`Start::MidHold`] stands, °C.
pub const MID_HOLD_C: f64 = 62.5;
/// The fastest that a simulated machine may run for a real client.
const SPEED_MAX: u32 = 60;
/// How often scaled time moves, in real milliseconds.
const TICK_MS: u64 = 100;

/// How simulated time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// By itself, this many times as fast as real time: 1 to 60.
    Scaled {
        /// Simulated seconds per real second.
        speed: u32,
    },
    /// Only when the owner says so.
    Lockstep,
}

/// In which state the machine is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Just switched on: bath at room temperature, heater off, no bottles.
    Cold,
    /// In the middle of a hold: bath, milk and set point at 62.5 °C, heater on, and probes
    /// without error, so that a client reads exactly 62.5.
    MidHold,
}

/// How a simulated machine is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimOptions {
    /// Where to listen instead of where the unit's buses say; port 0 lets the system choose.
    /// Buses of serial lines are then served as behind a serial-to-Ethernet socket.
    pub listen: Option<SocketAddr>,
    /// Bottles to begin with; `None` is none when cold, and the plant's own load in a hold.
    pub load: Option<u32>,
    /// How simulated time passes.
    pub pace: Pace,
    /// In which state the machine is found.
    pub start: Start,
}

/// A simulated machine on its sockets; it ends when this is dropped.
#[derive(Debug)]
pub struct SimServer {
    world: Arc<Mutex<World>>,
    harness: Harness,
    addrs: Vec<(String, SocketAddr)>,
    tasks: Vec<JoinHandle<()>>,
}

/// A panic of another holder leaves a plant that still is one: its state is plain numbers.
fn locked(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SimServer {
    /// Serves `unit` with the plant of `params`; must be called within a tokio runtime.
    ///
    /// # Errors
    /// A port that is in use or not ours, a link that is taken, a protocol that is not spoken, a
    /// speed or load out of range.
    pub async fn start(
        unit: &UnitSpec,
        params: PlantParams,
        seed: u64,
        options: SimOptions,
    ) -> Result<Self, SimError> {
        Self::serve(Layout::of_unit(unit)?, params, seed, options, None).await
    }

    /// The same behind the byte proxy, wired as `wiring` says.
    ///
    /// # Errors
    /// As [`SimServer::start`], and a bus that the unit does not have.
    pub async fn start_wired(
        unit: &UnitSpec,
        params: PlantParams,
        seed: u64,
        options: SimOptions,
        wiring: Wiring,
    ) -> Result<Self, SimError> {
        Self::serve(Layout::of_unit(unit)?, params, seed, options, Some(wiring)).await
    }

    /// Serves one device of this profile with unit id `unit_id` at `address` (`host:port`),
    /// each of its points with what the profile says that it usually is.
    ///
    /// # Errors
    /// As [`SimServer::start`].
    pub async fn start_device(
        profile: &Arc<Profile>,
        unit_id: u8,
        address: &str,
        params: PlantParams,
        seed: u64,
        options: SimOptions,
    ) -> Result<Self, SimError> {
        let layout = Layout::of_device(profile, unit_id, &format!("tcp://{address}"))?;
        Self::serve(layout, params, seed, options, None).await
    }

    /// The same behind the byte proxy, on a bus of this `url` that is named like the profile.
    ///
    /// # Errors
    /// As [`SimServer::start_wired`].
    pub async fn start_device_wired(
        profile: &Arc<Profile>,
        unit_id: u8,
        url: &str,
        params: PlantParams,
        seed: u64,
        options: SimOptions,
        wiring: Wiring,
    ) -> Result<Self, SimError> {
        let layout = Layout::of_device(profile, unit_id, url)?;
        Self::serve(layout, params, seed, options, Some(wiring)).await
    }

    async fn serve(
        mut layout: Layout,
        params: PlantParams,
        seed: u64,
        options: SimOptions,
        wiring: Option<Wiring>,
    ) -> Result<Self, SimError> {
        let speed = match options.pace {
            Pace::Scaled { speed } if !(1..=SPEED_MAX).contains(&speed) => {
                return Err(SimError::Speed { speed });
            }
            Pace::Scaled { speed } => Some(speed),
            Pace::Lockstep => None,
        };
        if let Some(listen) = options.listen {
            layout.listen_at(&listen.to_string());
        }
        let plant = plant(params, seed, options, layout.milk_probes())?;
        let harness = Harness::new(layout.clone(), seed, wiring)?;
        let world = Arc::new(Mutex::new(World::new(plant, layout)));
        let mut server = Self { world, harness, addrs: Vec::new(), tasks: Vec::new() };
        server.tasks = server.harness.connect(&server.world).await?;
        server.addrs = server.harness.addrs();
        if let Some(speed) = speed {
            server.tasks.push(tokio::spawn(run_time(speed, Arc::clone(&server.world))));
        }
        Ok(server)
    }

    /// Where each bus is reached: urls that can be pasted into `station.toml`.
    pub fn reached(&self) -> &[Reached] {
        self.harness.reached()
    }

    /// Replaces all faults, whose time begins now. A bus of Modbus TCP on a server that was not
    /// wired has no proxy, and goes on without faults.
    ///
    /// # Errors
    /// A fault is for a bus that there is not; then all stays as it was.
    pub fn set_faults(&self, faults: Vec<FaultSpec>) -> Result<(), SimError> {
        self.harness.set_faults(faults)
    }

    /// Where each bus that is served on a socket listens, by the name of the bus.
    pub fn addrs(&self) -> &[(String, SocketAddr)] {
        &self.addrs
    }

    /// `unit` with the urls of its buses replaced by where this server listens, for a client
    /// of a server that was started with a port of the system's choice.
    ///
    /// # Errors
    /// As [`UnitSpec::new`]; none if `unit` is the one that is being served.
    pub fn as_served(&self, unit: &UnitSpec) -> Result<UnitSpec, SpecError> {
        let url = |bus: &BusSpec| {
            let served = self.reached().iter().find(|reached| reached.bus == bus.name);
            // On a real serial port only the url knows the client's end of the cable.
            let served = served.filter(|reached| !matches!(reached.place, Place::Serial(_)));
            served.map_or(bus.url.clone(), |reached| reached.url.clone())
        };
        let buses = unit.buses().iter().map(|bus| BusSpec { url: url(bus), ..bus.clone() });
        UnitSpec::new(
            unit.name(),
            unit.simulated(),
            unit.period_ms(),
            buses.collect(),
            unit.devices().to_vec(),
            unit.roles().to_vec(),
        )
    }

    /// Lets `ms` milliseconds of simulated time pass.
    pub fn advance(&self, ms: u64) {
        locked(&self.world).advance(ms, 1);
    }

    /// Puts `bottles` bottles of fresh milk and the control bottle into the bath.
    pub fn load(&self, bottles: u32) {
        locked(&self.world).plant.load(bottles);
    }

    /// Takes all bottles out.
    pub fn unload(&self) {
        locked(&self.world).plant.unload();
    }

    /// Opens (false) or closes (true) the lid.
    pub fn set_lid(&self, closed: bool) {
        locked(&self.world).plant.set_lid(closed);
    }

    /// Lets the heater's relay stick closed (true).
    pub fn weld_heater(&self, welded: bool) {
        locked(&self.world).plant.weld_heater(welded);
    }

    /// What is really the case in the plant.
    pub fn truth(&self) -> Truth {
        locked(&self.world).plant.truth()
    }

    /// Bottles in the bath, the control bottle not counted.
    pub fn bottles(&self) -> u32 {
        locked(&self.world).plant.bottles()
    }

    /// Simulated time since the start, in milliseconds.
    pub fn elapsed_ms(&self) -> u64 {
        locked(&self.world).plant.elapsed_ms()
    }

    /// Stops serving and closes every connection.
    pub async fn shutdown(mut self) {
        for task in core::mem::take(&mut self.tasks) {
            task.abort();
            // Aborted is what it shall be; a panic in it was already reported.
            let _ended = task.await;
        }
    }
}

impl Drop for SimServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// The plant as it is found.
fn plant(
    mut params: PlantParams,
    seed: u64,
    options: SimOptions,
    milk_probes: usize,
) -> Result<Plant, SimError> {
    if let Some(bottles) = options.load.filter(|bottles| *bottles > BOTTLES_MAX) {
        return Err(SimError::Load { bottles });
    }
    params.bottles = options.load.unwrap_or(params.bottles);
    Ok(match options.start {
        Start::Cold => {
            let mut plant = Plant::new(params, seed, milk_probes);
            plant.load(options.load.unwrap_or(0));
            plant
        }
        Start::MidHold => Plant::mid_hold(params, seed, milk_probes, MID_HOLD_C),
    })
}

/// Moves simulated time `speed` times as fast as real time.
async fn run_time(speed: u32, world: Arc<Mutex<World>>) {
    let mut interval = tokio::time::interval(Duration::from_millis(TICK_MS));
    // A late tick is made up for, so that simulated time does not fall behind.
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    interval.tick().await;
    loop {
        interval.tick().await;
        locked(&world).advance(TICK_MS * u64::from(speed), speed);
    }
}
