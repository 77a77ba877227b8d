//! A unit as it is written in `station.toml`: buses, devices, roles, certificates, the cut.

use std::collections::BTreeMap;

use holder_hal::{Celsius, Kelvin};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::batch::certificate::Certificate;
use crate::batch::params::Cascade;
use crate::batch::recipe::de;

/// A point of a device, written `device.point`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PointRef {
    /// Name of the device within the unit.
    pub device: String,
    /// Name of the point in its profile.
    pub point: String,
}

impl std::fmt::Display for PointRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.device, self.point)
    }
}

impl<'de> Deserialize<'de> for PointRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.split_once('.') {
            Some((device, point)) if !device.is_empty() && !point.is_empty() => {
                Ok(Self { device: device.to_owned(), point: point.to_owned() })
            }
            Some(_) | None => Err(D::Error::custom(format!(
                "{text:?} must name a point as device.point, such as \"bottles.channel_0\""
            ))),
        }
    }
}

impl Serialize for PointRef {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A device on a bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// Name of its profile.
    pub profile: String,
    /// Name of its bus.
    pub bus: String,
    /// Its address on the bus. Modbus: its unit id, 1 to 247, or 255. A device of commands that is
    /// alone on its line has none.
    #[serde(default)]
    pub address: u8,
}

/// Which point plays which role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolesConfig {
    /// Temperature of the bath.
    pub bath: PointRef,
    /// Temperatures in the control bottles, all required.
    pub milk: Vec<PointRef>,
    /// The independent indicating probe, in the bottle of the first milk probe.
    pub reference: Option<PointRef>,
    /// Lid switch.
    pub lid: Option<PointRef>,
    /// Heater on or off.
    pub heater: Option<PointRef>,
    /// Bath set point of a machine that has its own controller.
    pub setpoint: Option<PointRef>,
    /// Heater duty of a machine that is driven by power.
    pub power: Option<PointRef>,
    /// Agitator or circulation pump.
    pub agitator: Option<PointRef>,
    /// Cold water valve.
    pub cooling_valve: Option<PointRef>,
}

/// What must be known of a heater that is driven by power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaterConfig {
    /// Power of the heater, watts.
    pub power_w: u32,
    /// Heat capacity of bath and vessel, joules per kelvin.
    pub bath_j_per_k: u32,
    /// Dead time + heater lag + half the bath probe's lag, milliseconds.
    #[serde(rename = "delay_s", with = "de::seconds")]
    pub delay_ms: u64,
}

/// What cuts the heat by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CutBy {
    /// A device of the unit switches the heat off when it is no longer spoken to.
    DeviceWatchdog,
    /// A thermostat with its own probe and contactor.
    LimitThermostat,
}

/// The physical cut of a unit: what takes the heat away without us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutConfig {
    /// What cuts.
    pub by: CutBy,
    /// The bath temperature at which a limit thermostat cuts.
    #[serde(rename = "at_c", default, with = "option_celsius")]
    pub at: Option<Celsius>,
    /// The heat is off at the latest after this long, milliseconds.
    #[serde(rename = "within_s", with = "de::seconds")]
    pub within_ms: u64,
}

/// One pasteurizer, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitConfig {
    /// Whether it is not real hardware, whoever simulates it.
    #[serde(default)]
    pub simulated: bool,
    /// Control period, milliseconds.
    #[serde(default = "period_ms")]
    pub period_ms: u64,
    /// Most bottles that it holds, the control bottle not counted.
    pub bottles_max: u16,
    /// Distance from the control bottle to the coldest bottle, if it was measured.
    #[serde(rename = "margin_c", default, with = "option_kelvin")]
    pub margin: Option<Kelvin>,
    /// What cuts the heat by itself; without it the unit runs water only.
    pub cut: Option<CutConfig>,
    /// Wires by name: `tcp://host:port`.
    pub bus: BTreeMap<String, String>,
    /// Devices by name.
    pub device: BTreeMap<String, DeviceConfig>,
    /// Which point plays which role.
    pub roles: RolesConfig,
    /// The heater's figures; only for a unit with the role `power`.
    pub heater: Option<HeaterConfig>,
    /// Settings of the controller, where the default ones do not serve.
    pub cascade: Option<Cascade>,
    /// Certificates by probe: `device.point`.
    #[serde(default)]
    pub certificate: BTreeMap<String, Certificate>,
}

const fn period_ms() -> u64 {
    1000
}

/// `*_c` that may be absent.
mod option_celsius {
    use super::{Celsius, Deserialize, Deserializer, Serialize, Serializer, de};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Wrapped(#[serde(with = "de::celsius")] Celsius);

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Celsius>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(from)?.map(|wrapped| wrapped.0))
    }

    pub(super) fn serialize<S: Serializer>(v: &Option<Celsius>, to: S) -> Result<S::Ok, S::Error> {
        v.map(Wrapped).serialize(to)
    }
}

/// `*_c` that is a difference and may be absent.
mod option_kelvin {
    use super::{Deserialize, Deserializer, Kelvin, Serialize, Serializer, de};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Wrapped(#[serde(with = "de::kelvin")] Kelvin);

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Kelvin>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(from)?.map(|wrapped| wrapped.0))
    }

    pub(super) fn serialize<S: Serializer>(v: &Option<Kelvin>, to: S) -> Result<S::Ok, S::Error> {
        v.map(Wrapped).serialize(to)
    }
}
