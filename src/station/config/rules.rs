//! What a unit that is written down must obey, as far as it can be known without a machine and
//! without today's date.

use holder_hal::Kelvin;
use jiff::civil::Date;

use super::library::{Library, nearest};
use super::{CutBy, PointRef, UnitConfig};
use crate::batch::certificate::Certificate;
use crate::batch::params::{PERIOD_MS, ParamsFault};

/// A probe that needs more correction than this is more likely a slip of the pen.
const OFFSET_MAX: Kelvin = Kelvin::from_milli(2_000);

impl UnitConfig {
    /// The probes: what the roles name as temperatures, the bath first.
    pub(crate) fn probes(&self) -> impl Iterator<Item = &PointRef> {
        std::iter::once(&self.roles.bath).chain(&self.roles.milk).chain(&self.roles.reference)
    }

    /// Key and rule of the first contradiction.
    pub(super) fn fault(&self, unit: &str, library: &Library) -> Option<(&'static str, String)> {
        if !PERIOD_MS.contains(&self.period_ms) {
            return Some(("period_ms", ParamsFault::Period(self.period_ms).to_string()));
        }
        let thermostat = self.cut.filter(|cut| cut.by == CutBy::LimitThermostat);
        let watchdog = self.cut.filter(|cut| cut.by == CutBy::DeviceWatchdog);
        let rules = [
            ("bottles_max", self.bottles_max == 0, "a unit holds at least one bottle"),
            (
                "margin_c",
                self.margin.is_some_and(|margin| margin < Kelvin::ZERO),
                "must not be negative; leave it out until it is measured",
            ),
            ("milk", self.roles.milk.is_empty(), "a unit has at least one milk probe"),
            (
                "power",
                self.roles.power.is_some() && self.heater.is_none(),
                "a heater driven by power needs its figures: power_w, bath_j_per_k and delay_s \
                 in a table heater",
            ),
            (
                "power_w",
                self.roles.power.is_none() && self.heater.is_some(),
                "the heater's figures serve only a unit with the role power",
            ),
            (
                "cut",
                thermostat.is_some_and(|cut| cut.at.is_none()),
                "a limit thermostat has a temperature: add at_c",
            ),
            (
                "cut",
                watchdog.is_some_and(|cut| cut.at.is_some()),
                "a watchdog cuts after a time, not at a temperature: leave at_c out",
            ),
        ];
        let broken = rules.into_iter().find(|(_, broken, _)| *broken);
        broken
            .map(|(key, _, rule)| (key, rule.to_owned()))
            .or_else(|| self.probe_fault(unit, library))
    }

    fn probe_fault(&self, unit: &str, library: &Library) -> Option<(&'static str, String)> {
        let certified = |probe: &PointRef| self.certificate.contains_key(&probe.to_string());
        if let Some(missing) = self.probes().find(|probe| !certified(probe)) {
            // A slip in the name is told as one: a certificate would not help.
            let slip =
                self.unknown_point(missing, library).map(|rule| (self.key_of(missing), rule));
            let rule = format!(
                "the probe {missing} has no certificate: add [unit.{unit}.certificate.\"{missing}\"]"
            );
            return slip.or(Some(("", rule)));
        }
        let is_probe = |name: &String| self.probes().any(|probe| probe.to_string() == *name);
        if let Some(stray) = self.certificate.keys().find(|name| !is_probe(name)) {
            let rule = format!("the certificate of {stray:?} belongs to no probe of this unit");
            return Some(("", rule));
        }
        self.certificate.values().find_map(certificate_fault).map(|rule| ("", rule))
    }

    /// The role under which a probe is written.
    fn key_of(&self, probe: &PointRef) -> &'static str {
        if *probe == self.roles.bath {
            "bath"
        } else if self.roles.milk.contains(probe) {
            "milk"
        } else {
            "reference"
        }
    }

    /// Says that a device or its point does not exist, with the nearest that does. A profile that
    /// cannot be read is told where the unit is used.
    fn unknown_point(&self, at: &PointRef, library: &Library) -> Option<String> {
        let PointRef { device, point } = at;
        let Some(config) = self.device.get(device) else {
            let hint = nearest(device, self.device.keys().map(String::as_str));
            return Some(format!("{at}: this unit has no device named {device:?}{hint}"));
        };
        let profile = library.profile(&config.profile).ok()?.profile;
        if profile.point(point).is_some() {
            return None;
        }
        let hint = nearest(point, profile.points().iter().map(|known| known.name.as_str()));
        let name = &config.profile;
        Some(format!("{at}: the profile {name} has no point named {point:?}{hint}"))
    }
}

/// The rule that a certificate breaks, if any.
fn certificate_fault(certificate: &Certificate) -> Option<String> {
    let number = &certificate.number;
    let wrong = |text: &String| text.parse::<Date>().is_err();
    if wrong(&certificate.date) || wrong(&certificate.due) {
        return Some(format!("certificate {number}: date and due are days, written YYYY-MM-DD"));
    }
    let far = |offset: Kelvin| offset > OFFSET_MAX || offset < -OFFSET_MAX;
    if let Some(point) = certificate.offsets.iter().find(|point| far(point.offset)) {
        return Some(format!(
            "certificate {number}: offset_c = {} at {} °C is more than 2 °C. Is it the offset, \
             and not the reading? A probe that is really so far off must be replaced",
            point.offset, point.at
        ));
    }
    certificate.fault()
}
