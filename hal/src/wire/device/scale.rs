//! Scales that stand in the device: read with the values, never guessed, and refused when they are
//! too coarse.
//!
//! The register of the decimals is read in the same poll as the values, after them if it is not in
//! the same block. So a number of decimals that somebody changes in between is seen to differ from
//! the one before, and the values of that poll do not count.

use std::borrow::Cow;

use super::Device;
use crate::contract::Quality;
use crate::wire::bus::Bus;
use crate::wire::error::WireError;
use crate::wire::profile::{Decoded, Point, Profile, Raw, ScaleFault};

/// What a register of decimals has said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scale {
    /// As of the last poll; `None` when it could not be read.
    decimals: Option<i64>,
    /// It said something else in the poll before.
    changed: bool,
}

/// A scale for each point that others take theirs from, nothing for the others.
pub(super) fn scales(profile: &Profile) -> Vec<Option<Scale>> {
    let points = profile.points();
    let is_scale =
        |name: &String| points.iter().any(|point| point.scale_from.as_ref() == Some(name));
    points.iter().map(|point| is_scale(&point.name).then(Scale::default)).collect()
}

impl Device {
    /// Remembers what the registers of decimals said in the poll that has just ended.
    pub(super) fn note_scales(&mut self) {
        for index in 0..self.scales.len() {
            let Some(Some(Scale { decimals: before, .. })) = self.scales.get(index).copied() else {
                continue;
            };
            let point = self.profile.points().get(index).zip(self.seen(index));
            let decimals = point.and_then(|(point, seen)| point.raw_whole(&seen.raw));
            let changed = before.is_some() && decimals.is_some() && before != decimals;
            if let Some(slot) = self.scales.get_mut(index) {
                *slot = Some(Scale { decimals, changed });
            }
        }
    }

    fn scale_of(&self, point: &Point) -> Option<(&Point, Scale)> {
        let name = point.scale_from.as_ref()?;
        let points = self.profile.points();
        let index = points.iter().position(|scale| scale.name == *name)?;
        points.get(index).zip(self.scales.get(index).copied().flatten())
    }

    /// What a raw value of the last poll means, with the scale of the same poll.
    pub(super) fn meaning(&self, point: &Point, raw: &Raw) -> Decoded {
        let Some((by, scale)) = self.scale_of(point) else { return point.decode(raw) };
        let Some(decimals) = scale.decimals else { return point.decode(raw) };
        if scale.changed {
            let reason = format!("{} has just changed to {decimals}", by.name);
            return Decoded { quality: Quality::Stale, reason, ..Decoded::missing() };
        }
        meaning(point.scaled(decimals), raw)
    }

    /// The point with the scale that was read last, or is read now: one with which a value can be
    /// turned into a raw number and back.
    pub(super) async fn scaled<'p>(
        &self,
        bus: &mut Bus,
        point: &'p Point,
    ) -> Result<Cow<'p, Point>, WireError> {
        let Some((by, scale)) = self.scale_of(point) else { return Ok(Cow::Borrowed(point)) };
        let decimals = match scale.decimals.filter(|_| !scale.changed) {
            Some(decimals) => decimals,
            None => self.decimals(bus, by).await?.0,
        };
        point
            .scaled(decimals)
            .map(Cow::Owned)
            .map_err(|fault| self.wrong_scale(by, decimals, &fault))
    }

    /// What a register of decimals says now.
    async fn decimals(&self, bus: &mut Bus, by: &Point) -> Result<(i64, Raw), WireError> {
        let raw = self.read(bus, by).await?;
        // A whole number, by the rules of a profile.
        Ok((by.raw_whole(&raw).unwrap_or(-1), raw))
    }

    fn wrong_scale(&self, by: &Point, decimals: i64, fault: &ScaleFault) -> WireError {
        let place = self.place(by.name.clone());
        WireError::WrongScale { place, read: decimals.to_string(), rule: fault.to_string() }
    }

    /// Reads one point now, with the scale that belongs to it now.
    pub(crate) async fn read_value(
        &self,
        bus: &mut Bus,
        point: &Point,
    ) -> Result<(Raw, Decoded), WireError> {
        let raw = self.read(bus, point).await?;
        let decoded = match self.scale_of(point) {
            Some((by, _)) => meaning(point.scaled(self.decimals(bus, by).await?.0), &raw),
            None => point.decode(&raw),
        };
        Ok((raw, decoded))
    }

    /// Whether the decimals that the device is set to serve every point that has them.
    pub(crate) async fn check_scale(&self, bus: &mut Bus, name: &str) -> Result<String, WireError> {
        let Some(by) = self.profile.point(name) else { return Ok(String::new()) };
        let (decimals, raw) = self.decimals(bus, by).await?;
        let users = self.profile.points().iter();
        let fault = users
            .filter(|point| point.scale_from.as_deref() == Some(name))
            .find_map(|point| point.scaled(decimals).err());
        let read = format!("{decimals} ({raw})");
        match fault {
            Some(fault) => Err(WireError::WrongScale {
                place: self.place(name),
                read,
                rule: fault.to_string(),
            }),
            None => Ok(read),
        }
    }
}

fn meaning(scaled: Result<Point, ScaleFault>, raw: &Raw) -> Decoded {
    match scaled {
        Ok(point) => point.decode(raw),
        Err(fault) => Decoded {
            quality: Quality::OutOfRange,
            reason: fault.to_string(),
            ..Decoded::missing()
        },
    }
}
