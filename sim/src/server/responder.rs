//! The seam to protocols of commands: bytes in, bytes out.

use std::sync::{Arc, Mutex};

use super::world::World;

/// Answers for all devices on one line of commands.
pub(crate) trait Responder: Send {
    /// Takes what arrived, in whatever pieces, and returns what goes back now: nothing while a
    /// command is not whole, and where a command has no answer.
    fn receive(&mut self, received: &[u8]) -> Vec<u8>;
}

/// Who answers on this bus, if the simulator speaks the protocol of its devices.
pub(crate) fn responder(_world: &Arc<Mutex<World>>, _bus: usize) -> Option<Box<dyn Responder>> {
    // The protocols arrive in their own branch; until then no line of commands is served.
    None
}
