//! Which devices are served where, and which of their points carry what of the plant.

use std::sync::Arc;

use holder_hal::Role;
use holder_hal::wire::profile::{Point, Profile};
use holder_hal::wire::{BusUrl, Flow, Framing, LineSettings, Parity, Port, UnitSpec};

use super::SimError;
use super::panel::PANEL_UNIT_ID;
use super::wiring::Place;

/// One bus: what is spoken on it, and where.
#[derive(Clone, Debug)]
pub(crate) struct BusLayout {
    pub(crate) name: String,
    pub(crate) framing: Framing,
    /// How characters go over the serial line; on Modbus TCP there is none.
    pub(crate) line: Option<LineSettings>,
    pub(crate) place: Place,
}

impl BusLayout {
    /// The bus of this url, served where the url says: a serial port becomes a pty.
    fn of_url(name: &str, url: &str) -> Result<Self, SimError> {
        let name = name.to_owned();
        // Port 0, which no url of a station may have, lets the system choose.
        if let Some(address) = url.strip_prefix("tcp://") {
            let place = Place::Listen(address.to_owned());
            return Ok(Self { name, framing: Framing::ModbusTcp, line: None, place });
        }
        let url = match BusUrl::parse(url) {
            Ok(url) => url,
            Err(rule) => return Err(SimError::Bus { bus: name, url: url.to_owned(), rule }),
        };
        let place = match url.port {
            Port::Socket { host, port } if host.contains(':') => {
                Place::Listen(format!("[{host}]:{port}"))
            }
            Port::Socket { host, port } => Place::Listen(format!("{host}:{port}")),
            Port::Serial { path } => Place::Pty(Some(path.into())),
        };
        Ok(Self { name, framing: url.framing, line: url.line, place })
    }

    /// The url of this bus when it is reached at `place`.
    pub(crate) fn url_at(&self, place: &Place) -> String {
        let (path, socket) = match place {
            Place::Listen(address) => (address.clone(), "+tcp"),
            Place::Pty(link) => {
                (link.as_ref().map(|link| link.display().to_string()).unwrap_or_default(), "")
            }
            Place::Serial(port) => (port.display().to_string(), ""),
        };
        let line = self.line.map(query).unwrap_or_default();
        match self.framing {
            Framing::ModbusTcp => format!("tcp://{path}"),
            Framing::ModbusRtu => format!("rtu{socket}://{path}{line}"),
            Framing::Commands => format!("serial{socket}://{path}{line}"),
        }
    }
}

/// The settings of a line as a url has them.
fn query(line: LineSettings) -> String {
    let mut query = format!("?baud={}", line.baud);
    query.push_str(match line.parity {
        Parity::None => "",
        Parity::Even => "&parity=even",
        Parity::Odd => "&parity=odd",
    });
    if line.data_bits == 7 {
        query.push_str("&data_bits=7");
    }
    if line.stop_bits == 2 {
        query.push_str("&stop_bits=2");
    }
    query.push_str(match line.flow {
        Flow::None => "",
        Flow::RtsCts => "&flow=rtscts",
        Flow::XonXoff => "&flow=xonxoff",
    });
    query
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

impl Layout {
    /// The devices and roles of a unit.
    pub(crate) fn of_unit(unit: &UnitSpec) -> Result<Self, SimError> {
        let buses = unit.buses().iter().map(|bus| BusLayout::of_url(&bus.name, &bus.url));
        let buses: Vec<BusLayout> = buses.collect::<Result<_, _>>()?;
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
        url: &str,
    ) -> Result<Self, SimError> {
        if unit_id == PANEL_UNIT_ID {
            return Err(SimError::PanelAddress { device: profile.name().to_owned() });
        }
        let hinted = |point: &Point| point.usual_role.map(|role| (point.name.clone(), role));
        let roles = profile.points().iter().filter_map(hinted).collect();
        let bus = BusLayout::of_url(profile.name(), url)?;
        let device = DeviceLayout { bus: 0, unit_id, profile: Arc::clone(profile), roles };
        Ok(Self { buses: vec![bus], devices: vec![device] })
    }

    /// The unit ids that answer on this bus: its devices and the panel.
    pub(crate) fn unit_ids(&self, bus: usize) -> Vec<u8> {
        let devices = self.devices.iter().filter(|device| device.bus == bus);
        devices.map(|device| device.unit_id).chain([PANEL_UNIT_ID]).collect()
    }

    /// Serves every bus on a socket at this address.
    pub(crate) fn listen_at(&mut self, address: &str) {
        for bus in &mut self.buses {
            bus.place = Place::Listen(address.to_owned());
        }
    }

    /// Fails unless there is a bus of this name.
    pub(crate) fn must_have(&self, bus: &str) -> Result<(), SimError> {
        if self.buses.iter().any(|known| known.name == bus) {
            return Ok(());
        }
        let known: Vec<&str> = self.buses.iter().map(|bus| bus.name.as_str()).collect();
        Err(SimError::NoBus { bus: bus.to_owned(), known: known.join(", ") })
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
