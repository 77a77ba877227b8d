//! The byte proxy: carries bytes between a port and the simulated devices, faults included.
//!
//! Modbus devices are always asked through the server of tokio-modbus, which speaks Modbus TCP
//! on a loopback socket; the proxy is the gateway in front of it. A unit id that no device has
//! gets exception 11 on Modbus TCP, as from a gateway, and silence on a serial line. Unit id 0
//! has no device: broadcasts change nothing, and are never answered on a line.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holder_hal::wire::Framing;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::frame::{Framer, Question, SILENCE};
use super::inner::Inner;
use super::layout::BusLayout;
use super::mangle::{self, Mangler};
use super::outbox::Outbox;
use super::port::Port;
#[cfg(unix)]
use super::pty::Pty;
use super::responder::{Responder, responder};
use super::timer;
use super::world::World;
use crate::faults::FaultKind;

/// A port that is gone for another reason than a fault is looked for this often.
const REOPEN: Duration = Duration::from_millis(250);
/// A client that reads nothing for this long loses what was sent, as on a real line.
const UNREAD: Duration = Duration::from_secs(1);
/// A client that ended without closing leaves its pty locked; it is unlocked this often.
const UNLOCK: Duration = Duration::from_millis(100);

/// One bus behind the proxy.
pub(crate) struct Wire {
    pub(crate) bus: usize,
    pub(crate) layout: BusLayout,
    pub(crate) world: Arc<Mutex<World>>,
    /// Who is there.
    pub(crate) unit_ids: Vec<u8>,
    /// Where the devices are asked; none on a bus of commands.
    pub(crate) inner: Option<SocketAddr>,
    pub(crate) mangler: Arc<Mutex<Mangler>>,
    /// When the server started: the zero of the faults' time.
    pub(crate) started: Instant,
    pub(crate) paced: bool,
    pub(crate) plugged: watch::Receiver<bool>,
}

impl Wire {
    fn now_ms(&self) -> u64 {
        let since = timer::now().saturating_duration_since(self.started);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Serves on `port`, and on the same port opened anew whenever it was gone.
    pub(crate) async fn serve(self: Arc<Self>, port: Port) {
        let mut port = Some(port);
        let mut plugged = self.plugged.clone();
        // An error means that the server is gone, and this task with it.
        while plugged.wait_for(|there| *there).await.is_ok() {
            let open = match port.take() {
                Some(port) => Ok(port),
                None => Port::open(&self.layout).await,
            };
            match open {
                Ok(port) => tokio::select! {
                    () = Arc::clone(&self).carry_port(port) => {}
                    _ = plugged.wait_for(|there| !there) => continue,
                },
                Err(error) => tracing::warn!(%error, "a simulated bus waits for its port"),
            }
            tokio::time::sleep(REOPEN).await;
        }
    }

    async fn carry_port(self: Arc<Self>, port: Port) {
        let ended = match port {
            Port::Listener(listener) => Arc::clone(&self).accept(listener).await,
            #[cfg(unix)]
            Port::Pty(mut pty) => {
                let (master, slave) = pty.ends();
                tokio::select! {
                    ended = self.carry(master) => ended,
                    () = unlock(slave) => Ok(()),
                }
            }
            Port::Serial(stream) => self.carry(stream).await,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, bus = self.layout.name, "the port of a simulated bus ended");
        }
    }

    /// Every client has a connection of its own, and all of them end with the listener.
    async fn accept(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        let mut clients = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let wire = Arc::clone(&self);
            clients.spawn(async move { wire.carry(stream).await });
            while clients.try_join_next().is_some() {}
        }
    }

    fn mangler(&self) -> MutexGuard<'_, Mangler> {
        self.mangler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries bytes until the other end is gone.
    async fn carry<S: AsyncRead + AsyncWrite>(&self, outside: S) -> io::Result<()> {
        match Peer::of(self) {
            Some(peer) => self.carry_for(peer, outside).await,
            None => Ok(()),
        }
    }

    async fn carry_for<S>(&self, peer: Peer, outside: S) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite,
    {
        let (mut reader, mut writer) = tokio::io::split(outside);
        let mut session = Session { wire: self, peer, outbox: Outbox::default() };
        let mut buffer = [0; 512];
        loop {
            let silence_counts = session.peer.waits_for_silence();
            tokio::select! {
                read = reader.read(&mut buffer) => match read? {
                    0 => return Ok(()),
                    count => session.received(buffer.get(..count).unwrap_or_default()).await?,
                },
                () = session.outbox.due() => {}
                () = tokio::time::sleep(SILENCE), if silence_counts => session.silent().await,
            }
            let bytes = session.outbox.take(timer::now());
            if !bytes.is_empty() {
                match tokio::time::timeout(UNREAD, writer.write_all(&bytes)).await {
                    Ok(written) => written?,
                    Err(_) => tracing::debug!("nobody reads what the simulator answers"),
                }
            }
        }
    }
}

#[cfg(unix)]
async fn unlock(slave: &std::fs::File) {
    loop {
        tokio::time::sleep(UNLOCK).await;
        Pty::unlock(slave);
    }
}

/// Who answers.
enum Peer {
    Modbus { framer: Framer, inner: Inner },
    Commands(Box<dyn Responder>),
}

impl Peer {
    fn of(wire: &Wire) -> Option<Self> {
        let framer = match wire.layout.framing {
            Framing::ModbusTcp => Framer::Tcp(Vec::new()),
            Framing::ModbusRtu => Framer::Rtu(Vec::new()),
            Framing::Commands => return responder(&wire.world, wire.bus).map(Self::Commands),
        };
        Some(Self::Modbus { framer, inner: Inner::new(wire.inner?) })
    }

    fn waits_for_silence(&self) -> bool {
        match self {
            Self::Modbus { framer, .. } => framer.waits_for_silence(),
            Self::Commands(_) => false,
        }
    }
}

/// One client.
struct Session<'a> {
    wire: &'a Wire,
    peer: Peer,
    outbox: Outbox,
}

impl Session<'_> {
    async fn received(&mut self, bytes: &[u8]) -> io::Result<()> {
        let arrived = timer::now();
        match &mut self.peer {
            Peer::Modbus { framer, .. } => framer.push(bytes),
            Peer::Commands(responder) => {
                // Where a command ends, the responder knows: for faults, what arrives together
                // is one question.
                let answer = responder.receive(bytes);
                let asked = Question { bytes: bytes.to_vec(), ..Question::default() };
                let faults = self.strike(&asked);
                let answer = (!answer.is_empty()).then_some(answer);
                self.send(&asked, answer, &faults, arrived);
                return Ok(());
            }
        }
        while let Some(asked) = self.next()? {
            self.answer(asked, arrived).await;
        }
        Ok(())
    }

    async fn silent(&mut self) {
        let arrived = timer::now();
        let asked = match &mut self.peer {
            Peer::Modbus { framer, .. } => framer.silence(),
            Peer::Commands(_) => None,
        };
        if let Some(asked) = asked {
            self.answer(asked, arrived).await;
        }
    }

    fn next(&mut self) -> io::Result<Option<Question>> {
        match &mut self.peer {
            Peer::Modbus { framer, .. } => framer.next().map_err(|broken| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{broken:?}: no Modbus TCP"))
            }),
            Peer::Commands(_) => Ok(None),
        }
    }

    async fn answer(&mut self, asked: Question, arrived: Instant) {
        let faults = self.strike(&asked);
        let Peer::Modbus { inner, .. } = &mut self.peer else { return };
        let is_there = self.wire.unit_ids.contains(&asked.unit_id);
        let answer = match mangle::refusal(&faults, &asked).filter(|_| is_there) {
            Some(refusal) => Some(refusal),
            None if is_there || self.wire.layout.framing == Framing::ModbusTcp => {
                inner.ask(asked.unit_id, &asked.pdu).await
            }
            None => None,
        };
        self.send(&asked, answer, &faults, arrived);
    }

    fn strike(&self, asked: &Question) -> Vec<FaultKind> {
        let now_ms = self.wire.now_ms();
        self.wire.mangler().strike(&self.wire.layout.name, asked, now_ms)
    }

    fn send(
        &mut self,
        asked: &Question,
        answer: Option<Vec<u8>>,
        faults: &[FaultKind],
        arrived: Instant,
    ) {
        let layout = &self.wire.layout;
        let line = layout.line.filter(|_| self.wire.paced);
        let pieces = self.wire.mangler().mangle(layout.framing, asked, answer, faults);
        for piece in pieces {
            self.outbox.push(piece, arrived, asked.bytes.len(), line);
        }
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
