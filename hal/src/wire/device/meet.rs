//! Meeting a device: who is it, and is it set up as the profile needs?

use std::sync::Arc;

use super::Device;
use crate::wire::ask;
use crate::wire::bus::Bus;
use crate::wire::error::{CallFault, WireError};
use crate::wire::modbus::{self, SIMULATOR_MARKER};
use crate::wire::profile::Protocol;

/// A device that was silent this often when asked who it is, and answered other questions each
/// time, does not know the question. One silence may be a hiccup of a simulator.
const ID_SILENCES_MAX: u8 = 3;

impl Device {
    /// Start-up: it is no simulator by surprise, and its settings are as the profile needs.
    pub(crate) async fn meet(&mut self, bus: &mut Bus) -> Result<(), WireError> {
        self.warm_up(bus).await?;
        self.identify(bus).await?;
        let profile = Arc::clone(&self.profile);
        for check in self.checks() {
            self.check(bus, &check).await?;
        }
        for name in profile.scales() {
            self.check_scale(bus, name).await?;
        }
        self.trusted = true;
        Ok(())
    }

    /// Asks who it is until it answers, refuses, or is known for its silence to this question.
    pub(crate) async fn identify(&mut self, bus: &mut Bus) -> Result<(), WireError> {
        if !self.knows_itself() {
            return Ok(());
        }
        loop {
            let error = match self.ask_id(bus).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if !error.is_unreachable() || error.is_dial() {
                return Err(error);
            }
            // On RTU it is left alone now: what is wrong with it is what went wrong before.
            self.fault = Some(error);
            if self.owner.simulated {
                return Ok(());
            }
            self.answers_anything(bus).await?;
            self.id_silences = self.id_silences.saturating_add(1);
            if self.id_silences >= ID_SILENCES_MAX {
                return Ok(());
            }
        }
    }

    /// Why it could not be met. That it is left alone says nothing to a person at the start: what
    /// went wrong before does.
    pub(crate) fn cause(&self, error: WireError) -> WireError {
        if let WireError::Call { fault: CallFault::HeldBack { .. }, .. } = error {
            return self.fault.clone().unwrap_or(error);
        }
        error
    }

    /// Sends what wakes a device of text up: its answers are nobody's, and the bus forgets them.
    pub(crate) async fn warm_up(&self, bus: &mut Bus) -> Result<(), WireError> {
        let Protocol::Text(text) = self.profile.protocol() else { return Ok(()) };
        for line in &text.warm_up {
            let sent = ask::say_only(bus, self.peer(&self.profile), line).await;
            sent.map_err(|fault| self.call_error(line, fault))?;
        }
        Ok(())
    }

    /// Whether there is a question that it answers with who it is.
    fn knows_itself(&self) -> bool {
        match self.profile.protocol() {
            Protocol::Modbus(modbus) => modbus.report_server_id,
            Protocol::Text(text) => text.identity.is_some(),
            Protocol::HuberPb | Protocol::NeslabNc => false,
        }
    }

    /// What it says that it is; `None` when it answers, but does not say.
    async fn server_id(&self, bus: &mut Bus) -> Result<Option<String>, CallFault> {
        match self.profile.protocol() {
            Protocol::Modbus(_) => modbus::server_id(bus, self.unit_id).await,
            Protocol::Text(text) => {
                let Some(line) = &text.identity else { return Ok(None) };
                match ask::say(bus, self.peer(&self.profile), line).await {
                    Ok(said) => Ok(Some(said)),
                    Err(CallFault::Rejected { .. }) => Ok(None),
                    Err(fault) => Err(fault),
                }
            }
            Protocol::HuberPb | Protocol::NeslabNc => Ok(None),
        }
    }

    /// Our simulator says what it is; a real device may say anything, or refuse.
    async fn ask_id(&mut self, bus: &mut Bus) -> Result<(), WireError> {
        let answer = self.server_id(bus).await;
        let id = match answer.map_err(|fault| self.call_error("identity", fault))? {
            Some(id) if id.starts_with(SIMULATOR_MARKER) => id,
            Some(_) | None => return Ok(()),
        };
        self.heard_marker = true;
        if self.owner.simulated {
            return Ok(());
        }
        let (unit, device) = (self.owner.unit.clone(), self.name.clone());
        Err(WireError::SimulatedMachine { unit, device, port: self.port.clone(), id })
    }

    /// Whether it is there at all. A device of which nothing is read has nothing that could count.
    async fn answers_anything(&self, bus: &mut Bus) -> Result<(), WireError> {
        let Some(ask) = self.asks.first() else { return Ok(()) };
        match ask::read(bus, self.peer(&self.profile), ask).await {
            Err(fault) if fault.is_silence() => Err(self.call_error(ask.words(), fault)),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
