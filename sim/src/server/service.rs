//! The seam to tokio-modbus: which requests reach which device.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};

use tokio_modbus::server::Service;
use tokio_modbus::{ExceptionCode, Response, SlaveRequest};

use super::locked;
use super::world::World;

/// One connection to one simulated bus.
#[derive(Clone, Debug)]
pub(crate) struct BusService {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) bus: usize,
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
