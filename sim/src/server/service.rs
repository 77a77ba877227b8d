//! The seam to tokio-modbus: which requests reach which device.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::Server;
use tokio_modbus::{ExceptionCode, Response, SlaveRequest};

use super::locked;
use super::world::World;

/// One connection to one simulated bus.
#[derive(Clone, Debug)]
struct BusService {
    world: Arc<Mutex<World>>,
    bus: usize,
}

impl Service for BusService {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, asked: Self::Request) -> Self::Future {
        ready(locked(&self.world).answer(self.bus, asked.slave, &asked.request))
    }
}

/// Answers on one listener until aborted; its connections end with it.
pub(crate) async fn serve_bus(bus: usize, listener: TcpListener, world: Arc<Mutex<World>>) {
    let server = Server::new(listener);
    let on_connected = |stream: tokio::net::TcpStream, _peer| {
        let service = BusService { world: Arc::clone(&world), bus };
        async move {
            // One small answer per question: waiting for more to send only costs time.
            stream.set_nodelay(true)?;
            Ok(Some((service, stream)))
        }
    };
    let on_error = |error| tracing::debug!(%error, "a connection to the simulator ended");
    if let Err(error) = server.serve(&on_connected, on_error).await {
        tracing::warn!(%error, "a simulated bus stopped listening");
    }
}
