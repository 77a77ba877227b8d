//! Puts every bus on its port: Modbus TCP without wiring directly, everything else behind the
//! byte proxy.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holder_hal::wire::Framing;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::layout::{BusLayout, Layout};
use super::mangle::Mangler;
use super::port::Port;
#[cfg(unix)]
use super::pty::LinkLock;
use super::responder::responder;
use super::service::serve_bus;
use super::wire::Wire;
use super::wiring::{Place, Reached, Wiring};
use super::world::World;
use super::{SimError, timer};
use crate::faults::FaultSpec;

/// A plug is pulled and put back with this precision.
const PLUG: Duration = Duration::from_millis(20);

/// The wires of one server.
#[derive(Debug)]
pub(crate) struct Harness {
    layout: Layout,
    wired: bool,
    paced: bool,
    mangler: Arc<Mutex<Mangler>>,
    started: Instant,
    plugs: Arc<Vec<(String, watch::Sender<bool>)>>,
    reached: Vec<Reached>,
    #[cfg(unix)]
    locks: Vec<LinkLock>,
}

impl Harness {
    /// Lays out the wires; nothing is opened yet.
    pub(crate) fn new(
        mut layout: Layout,
        seed: u64,
        wiring: Option<Wiring>,
    ) -> Result<Self, SimError> {
        let wired = wiring.is_some();
        let Wiring { places, faults, paced } = wiring.unwrap_or_default();
        faults
            .iter()
            .filter_map(|fault| fault.bus.as_ref())
            .try_for_each(|bus| layout.must_have(bus))?;
        for (name, place) in places {
            layout.must_have(&name)?;
            layout
                .buses
                .iter_mut()
                .filter(|bus| bus.name == name)
                .for_each(|bus| bus.place = place.clone());
        }
        let plugs = layout.buses.iter().map(|bus| (bus.name.clone(), watch::Sender::new(true)));
        let plugs = Arc::new(plugs.collect());
        let mangler = Arc::new(Mutex::new(Mangler::new(seed, faults)));
        Ok(Self {
            layout,
            wired,
            paced,
            mangler,
            started: timer::now(),
            plugs,
            reached: Vec::new(),
            #[cfg(unix)]
            locks: Vec::new(),
        })
    }

    /// Opens every port and serves on it.
    pub(crate) async fn connect(
        &mut self,
        world: &Arc<Mutex<World>>,
    ) -> Result<Vec<JoinHandle<()>>, SimError> {
        let mut ports = Vec::new();
        for bus in self.layout.buses.clone() {
            self.hold_link(&bus)?;
            let port = Port::open(&bus).await?;
            self.reached.push(port.reached(&bus));
            ports.push(port);
        }
        self.pull_plugs();
        let mut tasks = Vec::new();
        let served: Vec<(usize, Port)> = ports.into_iter().enumerate().collect();
        for (bus, port) in served {
            let direct = !self.wired && self.is_modbus_tcp(bus);
            tasks.extend(match port {
                Port::Listener(listener) if direct => {
                    vec![tokio::spawn(serve_bus(bus, listener, Arc::clone(world)))]
                }
                Port::Listener(_) | Port::Serial(_) => self.proxy(bus, port, world).await?,
                #[cfg(unix)]
                Port::Pty(_) => self.proxy(bus, port, world).await?,
            });
        }
        let (plugs, mangler) = (Arc::clone(&self.plugs), Arc::clone(&self.mangler));
        tasks.push(tokio::spawn(watch_plugs(plugs, mangler, self.started)));
        Ok(tasks)
    }

    fn is_modbus_tcp(&self, bus: usize) -> bool {
        self.layout.buses.get(bus).is_some_and(|bus| bus.framing == Framing::ModbusTcp)
    }

    #[cfg(unix)]
    fn hold_link(&mut self, bus: &BusLayout) -> Result<(), SimError> {
        if let Place::Pty(Some(link)) = &bus.place {
            self.locks.push(LinkLock::hold(&bus.name, link)?);
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn hold_link(&mut self, _bus: &BusLayout) -> Result<(), SimError> {
        Ok(())
    }

    /// Serves one bus behind the proxy.
    async fn proxy(
        &self,
        bus: usize,
        port: Port,
        world: &Arc<Mutex<World>>,
    ) -> Result<Vec<JoinHandle<()>>, SimError> {
        let (Some(layout), Some((_, plug))) = (self.layout.buses.get(bus), self.plugs.get(bus))
        else {
            return Ok(Vec::new());
        };
        let mut layout = layout.clone();
        // A port of the system's choice stays the same when it is opened anew.
        if let (Some(reached), Place::Listen(_)) = (self.reached.get(bus), &layout.place) {
            layout.place = reached.place.clone();
        }
        let mut tasks = Vec::new();
        let inner = match layout.framing {
            Framing::ModbusTcp | Framing::ModbusRtu => {
                let (at, listener) = loopback(&layout.name).await?;
                tasks.push(tokio::spawn(serve_bus(bus, listener, Arc::clone(world))));
                Some(at)
            }
            Framing::Commands if responder(world, bus).is_some() => None,
            Framing::Commands => return Err(SimError::NoResponder { bus: layout.name }),
        };
        let wire = Wire {
            bus,
            layout,
            world: Arc::clone(world),
            unit_ids: self.layout.unit_ids(bus),
            inner,
            mangler: Arc::clone(&self.mangler),
            started: self.started,
            paced: self.paced,
            plugged: plug.subscribe(),
        };
        tasks.push(tokio::spawn(Arc::new(wire).serve(port)));
        Ok(tasks)
    }

    pub(crate) fn reached(&self) -> &[Reached] {
        &self.reached
    }

    /// Where the buses on sockets listen.
    pub(crate) fn addrs(&self) -> Vec<(String, SocketAddr)> {
        let socket = |reached: &Reached| match &reached.place {
            Place::Listen(address) => Some((reached.bus.clone(), address.parse().ok()?)),
            Place::Pty(_) | Place::Serial(_) => None,
        };
        self.reached.iter().filter_map(socket).collect()
    }

    pub(crate) fn set_faults(&self, faults: Vec<FaultSpec>) -> Result<(), SimError> {
        let mut buses = faults.iter().filter_map(|fault| fault.bus.as_ref());
        buses.try_for_each(|bus| self.layout.must_have(bus))?;
        let mut mangler = self.mangler.lock().unwrap_or_else(PoisonError::into_inner);
        mangler.set(faults, elapsed_ms(self.started));
        drop(mangler);
        self.pull_plugs();
        Ok(())
    }

    fn pull_plugs(&self) {
        pull_plugs(&self.plugs, &self.mangler, self.started);
    }
}

/// Where the devices behind a proxy are asked.
async fn loopback(bus: &str) -> Result<(SocketAddr, TcpListener), SimError> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let failed =
        |cause| SimError::Listen { bus: bus.to_owned(), address: anywhere.to_string(), cause };
    let listener = TcpListener::bind(anywhere).await.map_err(failed)?;
    Ok((listener.local_addr().map_err(failed)?, listener))
}

fn elapsed_ms(started: Instant) -> u64 {
    let since = timer::now().saturating_duration_since(started);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Pulls each plug whose fault has begun, and puts it back when that ends.
async fn watch_plugs(
    plugs: Arc<Vec<(String, watch::Sender<bool>)>>,
    mangler: Arc<Mutex<Mangler>>,
    started: Instant,
) {
    let mut interval = tokio::time::interval(PLUG);
    loop {
        interval.tick().await;
        pull_plugs(&plugs, &mangler, started);
    }
}

fn pull_plugs(plugs: &[(String, watch::Sender<bool>)], mangler: &Mutex<Mangler>, started: Instant) {
    let now_ms = elapsed_ms(started);
    let mangler = mangler.lock().unwrap_or_else(PoisonError::into_inner);
    for (bus, plug) in plugs {
        let there = mangler.plugged(bus, now_ms);
        plug.send_if_modified(|plugged| core::mem::replace(plugged, there) != there);
    }
}
