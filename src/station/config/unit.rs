//! What a batch on a unit runs by: the wires, and the parameters of the rules.

use holder_hal::wire::profile::{Point, Unit as PointUnit, Verified};
use holder_hal::wire::{BusSpec, DeviceSpec, RoleSpec, UnitSpec};
use holder_hal::{Kelvin, Role};
use jiff::civil::Date;
use serde::Serialize;

use super::library::KnownRecipe;
use super::{ConfigError, CutBy, CutConfig, PointRef, StationConfig, UnitConfig};
use crate::batch::certificate::Certificate;
use crate::batch::params::{
    BatchParams, Cascade, Heater, MARGIN_UNKNOWN, ParamsFault, Probe, Purpose,
};

/// The uncertainty up to which the quicker controller settings were tried (PLANT, "known").
const KNOWN_UNCERTAINTY_MAX: Kelvin = Kelvin::from_milli(50);

/// One unit of a station.
#[derive(Clone, Copy, Debug)]
pub struct Unit<'a> {
    /// The station that it belongs to.
    pub station: &'a StationConfig,
    /// Its name.
    pub name: &'a str,
    /// As it is written.
    pub written: &'a UnitConfig,
}

impl Unit<'_> {
    /// The unit as devices on wires.
    ///
    /// # Errors
    /// A profile that does not exist or breaks a rule; buses, devices and roles that do not fit; a
    /// watchdog that is declared as the cut and is none.
    pub fn spec(&self) -> Result<UnitSpec, ConfigError> {
        let buses = self.written.bus.iter();
        let buses = buses.map(|(name, url)| BusSpec { name: name.clone(), url: url.clone() });
        let mut devices = Vec::new();
        for (name, device) in &self.written.device {
            devices.push(DeviceSpec {
                name: name.clone(),
                profile: self.station.library.profile(&device.profile)?.profile,
                bus: device.bus.clone(),
                address: device.address,
            });
        }
        let spec = UnitSpec::new(
            self.name,
            self.written.simulated,
            self.written.period_ms,
            buses.collect(),
            devices,
            self.roles(),
        );
        let spec = spec.map_err(|fault| {
            let fault = Box::new(fault);
            ConfigError::Spec { file: self.station.file.clone(), fault }
        })?;
        match self.written.cut {
            Some(cut) if cut.by == CutBy::DeviceWatchdog => self.check_watchdog(&spec, cut)?,
            Some(_) | None => {}
        }
        Ok(spec)
    }

    /// A watchdog that is declared as the cut must be one that takes the heat away, in time.
    fn check_watchdog(&self, spec: &UnitSpec, cut: CutConfig) -> Result<(), ConfigError> {
        let refused = |rule: String| Err(self.refused(ParamsFault::Contradiction(rule)));
        if !spec.has_stopping_watchdog() {
            let devices = spec.heating_devices().map(|device| {
                let (name, profile) = (&device.name, &device.profile);
                let why =
                    profile.watchdog().map_or("it has none that is known", |dog| &dog.meaning);
                format!("{name} ({}): {why}", profile.name())
            });
            let devices: Vec<String> = devices.collect();
            return refused(format!(
                "cut = {{ by = \"device-watchdog\" }}, but nothing of this unit that heats has a \
                 watchdog that stops the heat. {}. Fit an independent limit thermostat and declare \
                 it: cut = {{ by = \"limit-thermostat\", at_c = 66, within_s = 5 }}",
                devices.join("; ")
            ));
        }
        let stops = spec.heating_devices().filter_map(|device| device.profile.watchdog());
        let within_ms = stops.filter(|dog| dog.stops_heat).map(|dog| dog.within_ms).min();
        match within_ms {
            Some(within_ms) if within_ms > cut.within_ms => refused(format!(
                "cut: within_s is shorter than the watchdog takes by the profile of its device; \
                 write within_s = {}",
                within_ms.div_ceil(1000)
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn roles(&self) -> Vec<RoleSpec> {
        let roles = &self.written.roles;
        let single = [
            (Role::Bath, Some(&roles.bath)),
            (Role::Reference, roles.reference.as_ref()),
            (Role::Lid, roles.lid.as_ref()),
            (Role::Heater, roles.heater.as_ref()),
            (Role::Setpoint, roles.setpoint.as_ref()),
            (Role::Power, roles.power.as_ref()),
            (Role::Agitator, roles.agitator.as_ref()),
            (Role::CoolingValve, roles.cooling_valve.as_ref()),
        ];
        let single = single.into_iter().filter_map(|(role, point)| Some((role, point?)));
        let milk = (0_u8..).map(Role::Milk).zip(&roles.milk);
        single
            .chain(milk)
            .map(|(role, point)| RoleSpec {
                role,
                device: point.device.clone(),
                point: point.point.clone(),
            })
            .collect()
    }

    /// What a batch of this `purpose` by this `recipe` runs by, checked: certificates that are
    /// valid on `today` (a day in the station's zone), a cut where milk is heated on real
    /// hardware, and the rules of [`BatchParams::check`].
    ///
    /// # Errors
    /// As [`Unit::spec`], and the first reason why a batch cannot begin.
    pub fn params(
        &self,
        purpose: Purpose,
        recipe: &KnownRecipe,
        today: Date,
    ) -> Result<BatchParams, ConfigError> {
        let spec = self.spec()?;
        let milk = self.written.roles.milk.iter().map(|probe| self.probe(&spec, probe, today));
        let milk = milk.collect::<Result<Vec<_>, _>>()?;
        let reference = self.written.roles.reference.as_ref();
        let reference = reference.map(|probe| self.probe(&spec, probe, today)).transpose()?;
        let margin = self.written.margin;
        let params = BatchParams {
            purpose,
            unit: self.name.to_owned(),
            simulated: self.written.simulated,
            recipe: recipe.recipe.clone(),
            period_ms: self.written.period_ms,
            bath: self.probe(&spec, &self.written.roles.bath, today)?,
            reference,
            has_lid: self.written.roles.lid.is_some(),
            margin: margin.unwrap_or(MARGIN_UNKNOWN),
            margin_measured: margin.is_some(),
            heater: self.heater(),
            cascade: self.written.cascade.unwrap_or_else(|| usual_cascade(margin, &milk)),
            milk,
        };
        let refused = |fault| self.refused(fault);
        params.check().map_err(refused)?;
        self.check_cut(purpose)?;
        Ok(params)
    }

    pub(super) fn refused(&self, fault: ParamsFault) -> ConfigError {
        let (file, unit) = (self.station.file.clone(), self.name.to_owned());
        ConfigError::Params { file, unit, fault }
    }

    fn heater(&self) -> Heater {
        self.written.heater.map_or(Heater::Setpoint, |heater| Heater::Power {
            power_w: heater.power_w,
            bath_j_per_k: heater.bath_j_per_k,
            delay_ms: u32::try_from(heater.delay_ms).unwrap_or(u32::MAX),
        })
    }

    fn probe(&self, spec: &UnitSpec, at: &PointRef, today: Date) -> Result<Probe, ConfigError> {
        let source = at.to_string();
        let certificate = self.written.certificate.get(&source).cloned();
        // Both were checked before: the certificates when the file was read, the point by `spec`.
        let absent = || {
            let fault = format!("the probe {source} or its certificate is missing");
            self.refused(ParamsFault::Contradiction(fault))
        };
        let certificate = certificate.ok_or_else(absent)?;
        let device = spec.device(&at.device).ok_or_else(absent)?;
        let point = device.profile.point(&at.point).ok_or_else(absent)?;
        self.check_days(&source, &certificate, today)?;
        let resolution = resolution(point);
        self.check_uncertainty(&source, &certificate, resolution)?;
        Ok(Probe { resolution, source, certificate })
    }

    /// U includes half the reading's resolution (DOMAIN, "How the hold is judged").
    fn check_uncertainty(
        &self,
        source: &str,
        certificate: &Certificate,
        resolution: Kelvin,
    ) -> Result<(), ConfigError> {
        if certificate.uncertainty + certificate.uncertainty >= resolution {
            return Ok(());
        }
        Err(ConfigError::BelowResolution {
            file: self.station.file.clone(),
            source_point: source.to_owned(),
            number: certificate.number.clone(),
            uncertainty: certificate.uncertainty,
            resolution,
            least: resolution.as_f64() / 2.0,
        })
    }

    /// Overdue blocks the start (DOMAIN, calibration), and so does a certificate that nobody has
    /// filled in, or a calibration that is still to come: a date, or the clock, is wrong.
    fn check_days(
        &self,
        source: &str,
        certificate: &Certificate,
        today: Date,
    ) -> Result<(), ConfigError> {
        let (file, number) = (self.station.file.clone(), certificate.number.clone());
        let source_point = source.to_owned();
        let missing = certificate.to_be_filled_in();
        if !missing.is_empty() {
            let keys = format!("{} and its dates", missing.join(", "));
            return Err(ConfigError::NotFilledIn { file, source_point, keys });
        }
        if certificate.date.parse::<Date>().is_ok_and(|date| today < date) {
            let date = certificate.date.clone();
            return Err(ConfigError::NotYet { file, source_point, number, date, today });
        }
        match certificate.due.parse::<Date>() {
            Ok(due) if today <= due => Ok(()),
            Ok(_) | Err(_) => {
                let due = certificate.due.clone();
                Err(ConfigError::Overdue { file, source_point, number, due, today })
            }
        }
    }

    /// What stands against each probe on `today`, in words with `device.point (number)`:
    /// certificates that are not filled in, calibrations overdue or still to come, uncertainties that cannot be true.
    pub fn calibration_faults(&self, today: Date) -> Vec<String> {
        let spec = self.spec().ok();
        let step = |probe: &PointRef| {
            let device = spec.as_ref()?.device(&probe.device)?;
            Some(resolution(device.profile.point(&probe.point)?))
        };
        let mut faults = Vec::new();
        for probe in self.written.probes() {
            let source = probe.to_string();
            let Some(certificate) = self.written.certificate.get(&source) else { continue };
            let which = format!("{source} ({})", certificate.number);
            match self.check_days(&source, certificate, today) {
                Ok(()) => {}
                Err(ConfigError::NotYet { date, .. }) => {
                    faults.push(format!("calibration in the future: {which} on {date}"));
                }
                Err(ConfigError::NotFilledIn { keys, .. }) => {
                    faults.push(format!("certificate not filled in yet: {source} ({keys})"));
                }
                Err(_) => {
                    let due = &certificate.due;
                    faults.push(format!("calibration overdue: {which} was valid until {due}"));
                }
            }
            let fits = |step| self.check_uncertainty(&source, certificate, step).is_ok();
            if !step(probe).is_none_or(fits) {
                faults.push(format!("uncertainty below half a step of the readings: {which}"));
            }
        }
        faults
    }

    /// Milk on real hardware wants a cut that does not need us (DESIGN, safe state). That a
    /// declared watchdog is one was checked when the unit was put together.
    fn check_cut(&self, purpose: Purpose) -> Result<(), ConfigError> {
        match (purpose, self.written.cut) {
            (Purpose::Milk, None) if !self.written.simulated => Err(ConfigError::NoCut {
                file: self.station.file.clone(),
                unit: self.name.to_owned(),
            }),
            (Purpose::Water | Purpose::Milk, _) => Ok(()),
        }
    }
    /// The points that play a role, or tell that one which does is worthless, and that nobody has
    /// verified by a manual or a device: `device.point`.
    ///
    /// # Errors
    /// As [`Unit::spec`].
    pub fn unverified_in_use(&self) -> Result<Vec<String>, ConfigError> {
        let spec = self.spec()?;
        let mut found = std::collections::BTreeSet::new();
        for (device, point) in spec.roles().iter().filter_map(|given| spec.role(given.role)) {
            let faults = point.faults.iter().filter_map(|fault| device.profile.point(&fault.point));
            let read = std::iter::once(point).chain(faults);
            let unverified = read.filter(|point| point.verified == Verified::Unverified);
            found.extend(unverified.map(|point| format!("{}.{}", device.name, point.name)));
        }
        Ok(found.into_iter().collect())
    }

    /// What takes the heat away without us, in a technician's words.
    pub fn cut_in_words(&self) -> String {
        match self.written.cut {
            _ if self.written.simulated => "simulated: nothing to cut".to_owned(),
            None => "none declared: water only".to_owned(),
            Some(cut) => {
                let seconds = cut.within_ms as f64 / 1000.0;
                let at = cut.at.map(|at| format!(" at {at:.1} °C")).unwrap_or_default();
                let by = match cut.by {
                    CutBy::DeviceWatchdog => "device watchdog",
                    CutBy::LimitThermostat => "limit thermostat",
                };
                format!("{by}{at}, within {seconds} s")
            }
        }
    }

    /// A part of the unit as JSON, for the journal.
    pub(crate) fn as_json(&self, value: &impl Serialize) -> Result<serde_json::Value, ConfigError> {
        serde_json::to_value(value).map_err(|error| {
            self.refused(ParamsFault::Contradiction(format!("cannot be kept: {error}")))
        })
    }
}

/// The quicker settings serve a machine whose margin was measured, with good probes.
fn usual_cascade(margin: Option<Kelvin>, milk: &[Probe]) -> Cascade {
    let good = |probe: &Probe| probe.certificate.uncertainty <= KNOWN_UNCERTAINTY_MAX;
    match margin {
        Some(_) if milk.iter().all(good) => Cascade::KNOWN,
        Some(_) | None => Cascade::UNKNOWN,
    }
}

/// The smallest step of a temperature point; of a floating one, the step that is stored.
fn resolution(point: &Point) -> Kelvin {
    let per_step = match point.unit {
        PointUnit::DegF => 5.0 / 9.0,
        PointUnit::DegC | PointUnit::Percent | PointUnit::Switch | PointUnit::Mode => 1.0,
    };
    let kelvin = point.step_nano() as f64 * 1e-9 * per_step;
    Kelvin::from_f64(kelvin).unwrap_or(Kelvin::from_milli(100)).max(Kelvin::from_milli(1))
}
