//! One bus with its devices: met, read and told one after the other, within the time there is.

use std::pin::pin;
use std::time::Duration;

use crate::wire::bus::Bus;
use crate::wire::device::{Device, Target};
use crate::wire::error::WireError;
use crate::wire::timer::{Moment, finished_within, pause};

/// One bus with its devices.
pub(crate) struct Line {
    pub(crate) bus: Bus,
    pub(crate) devices: Vec<Device>,
    /// How long one reading of all its devices may take, milliseconds.
    pub(super) reading_ms: u64,
}

impl Line {
    /// Waits long for its peers, as on a busy machine a test must.
    #[cfg(test)]
    pub(crate) fn be_patient(&mut self) {
        self.bus.timeout = Duration::from_secs(20);
        self.reading_ms = 48_000;
    }

    /// Asks every device who it is, makes its start-up checks and reads it once.
    pub(super) async fn meet(&mut self) -> Result<(), WireError> {
        for device in &mut self.devices {
            let met = device.meet(&mut self.bus).await;
            met.map_err(|error| device.cause(error))?;
        }
        self.poll().await;
        self.devices.iter_mut().find_map(|device| device.fault.take()).map_or(Ok(()), Err)
    }

    /// Reads every device. When the time is over, the exchange that is going on is dropped, and
    /// its connection with it.
    pub(super) async fn poll(&mut self) {
        let Self { bus, devices, reading_ms } = self;
        bus.back_off.begin_period();
        // The last command may have been dropped half-way.
        bus.in_haste(false);
        devices.iter_mut().for_each(|device| device.begin_period(*reading_ms));
        let asked = async {
            let began = Moment::now();
            let mut held = Vec::new();
            for device in devices.iter_mut() {
                if let Some(left_ms) = device.poll(bus).await {
                    held.push((Moment::now().plus_ms(left_ms), device));
                }
            }
            // Who is held back for a moment only is asked at the end of it, so that one that is
            // back is not missed for a whole period.
            held.sort_by_key(|(free, _)| *free);
            for (free, device) in held {
                if u64::from(free.ms_since(began)) < *reading_ms {
                    pause(free.since(Moment::now())).await;
                    device.poll(bus).await;
                }
            }
        };
        // Pinned here: it is large, and would be moved about.
        let finished = finished_within(Duration::from_millis(*reading_ms), pin!(asked)).await;
        if !finished {
            devices.iter_mut().for_each(|device| device.cut_short(*reading_ms));
        }
    }

    /// Delivers in order, and gives for each target that was tried its device and what came of it. A bus
    /// that cannot be dialled is not dialled again for each target.
    pub(super) async fn deliver(
        &mut self,
        targets: Vec<(usize, Target)>,
    ) -> Vec<(usize, Result<(), WireError>)> {
        let mut tried = Vec::new();
        for (index, target) in targets {
            let Some(device) = self.devices.get_mut(index) else { continue };
            let delivered = device.deliver(&mut self.bus, target).await;
            let dead = delivered.as_ref().is_err_and(WireError::is_dial);
            tried.push((index, delivered));
            if dead {
                break;
            }
        }
        tried
    }
}
