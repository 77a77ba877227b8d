//! Which devices are served where, and which of their points carry what of the plant.

use std::net::SocketAddr;
use std::sync::Arc;

use holder_hal::Role;
use holder_hal::wire::UnitSpec;
use holder_hal::wire::profile::{Point, Profile};
use tokio::net::TcpListener;

use super::SimError;
use super::panel::PANEL_UNIT_ID;

/// One listener.
#[derive(Clone, Debug)]
pub(crate) struct BusLayout {
    pub(crate) name: String,
    url: String,
}

/// One device with the roles of its points.
#[derive(Clone, Debug)]
pub(crate) struct DeviceLayout {
    pub(crate) bus: usize,
    pub(crate) unit_id: u8,
    pub(crate) profile: Arc<Profile>,
    /// Name of the point, and what it carries. Several points may carry the same.
    pub(crate) roles: Vec<(String, Role)>,
}

/// Everything that one plant is served as.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) buses: Vec<BusLayout>,
    pub(crate) devices: Vec<DeviceLayout>,
}

impl BusLayout {
    /// Listens where the bus says, or at `instead`.
    pub(crate) async fn listener(
        &self,
        instead: Option<SocketAddr>,
    ) -> Result<TcpListener, SimError> {
        let bus = || self.name.clone();
        let address = match instead {
            Some(address) => address.to_string(),
            None => match self.url.strip_prefix("tcp://") {
                Some(address) => address.to_owned(),
                None => return Err(SimError::Bus { bus: bus(), url: self.url.clone() }),
            },
        };
        TcpListener::bind(&address).await.map_err(|cause| {
            if cause.kind() == std::io::ErrorKind::AddrInUse {
                SimError::PortInUse { bus: bus(), address }
            } else {
                SimError::Listen { bus: bus(), address, cause }
            }
        })
    }
}

impl Layout {
    /// The devices and roles of a unit.
    pub(crate) fn of_unit(unit: &UnitSpec) -> Result<Self, SimError> {
        let buses: Vec<BusLayout> = unit
            .buses()
            .iter()
            .map(|bus| BusLayout { name: bus.name.clone(), url: bus.url.clone() })
            .collect();
        let mut devices = Vec::new();
        for device in unit.devices() {
            if device.address == PANEL_UNIT_ID {
                return Err(SimError::PanelAddress { device: device.name.clone() });
            }
            let roles = unit.roles().iter().filter(|given| given.device == device.name);
            // A unit is checked when it is made: every device names one of its buses.
            let bus = buses.iter().position(|bus| bus.name == device.bus).unwrap_or_default();
            devices.push(DeviceLayout {
                bus,
                unit_id: device.address,
                profile: Arc::clone(&device.profile),
                roles: roles.map(|given| (given.point.clone(), given.role)).collect(),
            });
        }
        Ok(Self { buses, devices })
    }

    /// One device, its points in the roles that its profile hints at.
    pub(crate) fn of_device(
        profile: &Arc<Profile>,
        unit_id: u8,
        address: &str,
    ) -> Result<Self, SimError> {
        if unit_id == PANEL_UNIT_ID {
            return Err(SimError::PanelAddress { device: profile.name().to_owned() });
        }
        let hinted = |point: &Point| point.usual_role.map(|role| (point.name.clone(), role));
        let roles = profile.points().iter().filter_map(hinted).collect();
        let bus = BusLayout { name: profile.name().to_owned(), url: format!("tcp://{address}") };
        let device = DeviceLayout { bus: 0, unit_id, profile: Arc::clone(profile), roles };
        Ok(Self { buses: vec![bus], devices: vec![device] })
    }

    /// How many milk probes the plant must have.
    pub(crate) fn milk_probes(&self) -> usize {
        let roles = self.devices.iter().flat_map(|device| &device.roles);
        roles
            .map(|(_, role)| if let Role::Milk(n) = role { usize::from(*n) + 1 } else { 0 })
            .max()
            .unwrap_or(0)
    }

    /// Whether any point has this role.
    pub(crate) fn has(&self, wanted: Role) -> bool {
        self.devices.iter().flat_map(|device| &device.roles).any(|(_, role)| *role == wanted)
    }
}
