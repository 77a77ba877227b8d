//! The seam to protocols of commands: bytes in, bytes out.

use std::sync::{Arc, Mutex};

use super::locked;
use super::world::World;

/// Answers for all devices on one line of commands.
pub(crate) trait Responder: Send {
    /// Takes what arrived, in whatever pieces, and returns what goes back now: nothing while a
    /// command is not whole, and where a command has no answer.
    fn receive(&mut self, received: &[u8]) -> Vec<u8>;
}

/// Who answers on this bus, if the simulator speaks the protocol of its devices.
pub(crate) fn responder(world: &Arc<Mutex<World>>, bus: usize) -> Option<Box<dyn Responder>> {
    let speakers = locked(world).speakers(bus);
    let connection =
        Connection { world: Arc::clone(world), bus, heard: vec![Vec::new(); speakers] };
    (speakers > 0).then(|| Box::new(connection) as Box<dyn Responder>)
}

/// One connection to the devices of one bus.
struct Connection {
    world: Arc<Mutex<World>>,
    bus: usize,
    /// What each device heard and has not understood yet.
    heard: Vec<Vec<u8>>,
}

impl Responder for Connection {
    fn receive(&mut self, received: &[u8]) -> Vec<u8> {
        locked(&self.world).hear(self.bus, &mut self.heard, received)
    }
}
