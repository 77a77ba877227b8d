//! What a fault does to the plant when it begins, and what mends it.

use holder_hal::{Celsius, Command, Duty, Heat};
use holder_sim::{HeaterState, ProbeSite};

use super::super::fault::{Channel, Fault, Kind};
use super::Rig;

impl Rig {
    /// Breaks (true) or mends what of the plant this fault is about.
    pub(super) fn break_plant(&mut self, fault: &Fault, begins: bool) {
        let (params, ambient_c) = (*self.plant.params(), self.plant.params().ambient_c);
        let heater = |state| if begins { state } else { HeaterState::Sound };
        let troubles = self.plant.troubles_mut();
        match fault.kind {
            Kind::HeaterWelded => troubles.heater = heater(HeaterState::Welded),
            Kind::HeaterDead => troubles.heater = heater(HeaterState::Dead),
            Kind::HeaterHalf => troubles.heater = heater(HeaterState::Half),
            Kind::AgitatorStopped => troubles.agitator_stopped = begins,
            Kind::ValveLeaks => troubles.valve_leaks = begins,
            Kind::PulledOut => self.move_probe(fault.channel, begins, ProbeSite::Air),
            Kind::InBath => self.move_probe(fault.channel, begins, ProbeSite::Bath),
            Kind::CoolantMissing if begins => self.plant.set_coolant(0.0, ambient_c),
            Kind::CoolantWarm if begins => self.plant.set_coolant(params.coolant_l_min, fault.size),
            Kind::CoolantSlow if begins => self.plant.set_coolant(fault.size, params.coolant_c),
            Kind::CoolantMissing | Kind::CoolantWarm | Kind::CoolantSlow => {
                self.plant.set_coolant(params.coolant_l_min, params.coolant_c);
            }
            Kind::SupplyDip | Kind::PowerLost => {
                troubles.power_lost = begins;
                // Devices start again with everything off.
                let off = Command { heat: Heat::Off, agitator: false, cooling: false };
                self.plant.command(&off);
            }
            Kind::DeviceReset if begins => self.hold_by_itself(fault.size),
            Kind::DeviceManual if begins => self.hold_by_itself(fault.size),
            Kind::LidOpened => self.plant.set_lid(!begins),
            Kind::ColdBottles => {
                self.plant.set_lid(!begins);
                if begins && self.plant.bottles() > 0 {
                    self.plant.add_cold(fault.size as u32, params.bottle.start_c);
                }
            }
            Kind::DeviceReset
            | Kind::DeviceManual
            | Kind::Drift
            | Kind::Offset
            | Kind::Frozen
            | Kind::Open
            | Kind::Shorted
            | Kind::Noisy
            | Kind::Spiking
            | Kind::SwappedWithBath
            | Kind::SwappedMilk
            | Kind::DeviceFahrenheit
            | Kind::DeviceClock
            | Kind::CommLost
            | Kind::CommandsLost
            | Kind::ReadingLate
            | Kind::ReadingStale
            | Kind::ReadingRepeated
            | Kind::WrongCount
            | Kind::LateLoad
            | Kind::EarlyConfirm
            | Kind::ConfirmTwice
            | Kind::Stop
            | Kind::WalksAway
            | Kind::WallClock
            | Kind::DaylightSaving
            | Kind::Killed
            | Kind::DiskSlow
            | Kind::DiskStalled
            | Kind::SecondInstance
            | Kind::BathProbeOut
            | Kind::StandsStill
            | Kind::ControlFirst => {}
        }
    }

    fn move_probe(&mut self, channel: Channel, begins: bool, site: ProbeSite) {
        if let Channel::Milk(index) = channel
            && let Some(place) = self.plant.troubles_mut().milk_sites.get_mut(index)
        {
            *place = if begins { site } else { ProbeSite::Milk };
        }
    }

    /// The device takes a set point of its own; one that is driven by power, that share of it.
    fn hold_by_itself(&mut self, setpoint_c: f64) {
        let heat = if self.is_driven_by_power {
            Heat::Duty(Duty::from_share(setpoint_c / 200.0))
        } else {
            Celsius::from_f64(setpoint_c).map_or(Heat::Off, Heat::Setpoint)
        };
        self.plant.command(&Command { heat, ..self.plant.commanded() });
    }
}
