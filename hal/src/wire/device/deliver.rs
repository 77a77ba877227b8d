//! How a value is delivered to a device and proved: written, then read back by the point that
//! the profile names.

use std::sync::Arc;

use super::{Device, Target};
use crate::wire::ask;
use crate::wire::bus::Bus;
use crate::wire::error::{CallFault, WireError};
use crate::wire::profile::{Need, Point, Raw, Value, Write, thousandths};

/// What was last written to a point, and how many control periods ago.
#[derive(Clone, Debug)]
pub(super) struct Delivered {
    raw: Raw,
    periods: u64,
    /// It was read back as written.
    proved: bool,
}

impl Delivered {
    pub(super) const fn begin_period(&mut self) {
        self.periods = self.periods.saturating_add(1);
    }
}

impl Device {
    /// Writes a value unless it is there already, and proves it by reading back. What is safe
    /// goes before all else.
    pub(crate) async fn deliver(&mut self, bus: &mut Bus, target: Target) -> Result<(), WireError> {
        bus.in_haste(target.safe);
        let delivered = self.deliver_in_turn(bus, target).await;
        bus.in_haste(false);
        delivered
    }

    async fn deliver_in_turn(&mut self, bus: &mut Bus, target: Target) -> Result<(), WireError> {
        if !target.safe {
            self.awake(bus)?;
            if !self.trusted {
                let fault = CallFault::Resting { periods: 1 };
                return Err(self.call_error("every point", fault));
            }
        }
        let profile = Arc::clone(&self.profile);
        let Some(point) = profile.points().get(target.point) else { return Ok(()) };
        let Some(write) = &point.write else { return Ok(()) };
        let raw = self.encode(target.value, point)?;
        if self.stands(target, &raw, point, write) {
            return Ok(());
        }
        let put = if target.safe {
            self.put_safe(bus, target, &raw, point, write).await
        } else {
            self.put(bus, target, &raw, point, write).await
        };
        let proved = put.is_ok();
        if let Some(slot) = self.delivered.get_mut(target.point) {
            *slot = Some(Delivered { raw, periods: 0, proved });
        }
        if let Err(error) = &put
            && error.is_unreachable()
        {
            self.lost(error.clone());
        }
        put
    }

    /// Whether the value was delivered, the last poll has seen it there, and no watchdog is due.
    /// What the poll saw serves once: a second command without a poll is written again.
    fn stands(&mut self, target: Target, raw: &Raw, point: &Point, write: &Write) -> bool {
        let points = self.profile.points();
        let verify = points.iter().position(|other| other.name == write.verify_point);
        let seen = verify.and_then(|index| self.image.get_mut(index)).and_then(Option::take);
        let (Some(by), Some(seen)) = (verify.and_then(|index| points.get(index)), seen) else {
            return false;
        };
        let Some(Some(delivered)) = self.delivered.get(target.point) else { return false };
        delivered.proved
            && delivered.raw == *raw
            && proves(by, &seen.raw, point, raw, write)
            && !self.due(point, delivered.periods)
    }

    /// Whether a watchdog wants the value again: at half its time, so that one late period is
    /// forgiven.
    fn due(&self, point: &Point, periods: u64) -> bool {
        let Some(watchdog) = self.profile.watchdog() else { return false };
        watchdog.fed_by.contains(&point.name)
            && periods.saturating_mul(self.owner.period_ms) >= watchdog.within_ms / 2
    }

    async fn put(
        &mut self,
        bus: &mut Bus,
        target: Target,
        raw: &Raw,
        point: &Point,
        write: &Write,
    ) -> Result<(), WireError> {
        let profile = Arc::clone(&self.profile);
        let by = profile.point(&write.verify_point).unwrap_or(point);
        if write.on_change_only
            && let Ok(there) = self.read(bus, by).await
        {
            if proves(by, &there, point, raw, write) {
                return Ok(());
            }
            let last = self.delivered.get(target.point).and_then(Option::as_ref);
            if last.is_some_and(|last| !last.proved && last.raw == *raw) {
                // It did not take this value before: trying for ever would wear it out.
                return Err(self.not_verified(point, target.value, raw, by, &there));
            }
        }
        for need in &write.needs {
            self.provide(bus, need).await?;
        }
        self.send(bus, raw, point, write).await?;
        self.prove(bus, target, raw, point, write).await
    }

    /// Puts the device into the safe state: the value goes out before anything is asked, nothing
    /// that it needs may keep it back, and it is written again however often it did not stick.
    async fn put_safe(
        &mut self,
        bus: &mut Bus,
        target: Target,
        raw: &Raw,
        point: &Point,
        write: &Write,
    ) -> Result<(), WireError> {
        let sent = self.send(bus, raw, point, write).await;
        if sent.as_ref().is_err_and(WireError::is_unreachable) {
            return sent;
        }
        let (mut again, mut lacking) = (sent.is_err(), None);
        for need in &write.needs {
            match self.provide(bus, need).await {
                Ok(changed) => again |= changed,
                Err(error) => lacking = lacking.or(Some(error)),
            }
        }
        // Before its needs were met the device may have refused it, or taken it to no effect.
        if again || lacking.is_some() {
            self.send(bus, raw, point, write).await?;
        }
        self.prove(bus, target, raw, point, write).await?;
        lacking.map_or(Ok(()), Err)
    }

    async fn send(
        &self,
        bus: &mut Bus,
        raw: &Raw,
        point: &Point,
        write: &Write,
    ) -> Result<(), WireError> {
        let written = ask::write(bus, self.peer(&self.profile), point, write, raw).await;
        written.map_err(|fault| self.call_error(point.name.clone(), fault))
    }

    async fn prove(
        &self,
        bus: &mut Bus,
        target: Target,
        raw: &Raw,
        point: &Point,
        write: &Write,
    ) -> Result<(), WireError> {
        let by = self.profile.point(&write.verify_point).unwrap_or(point);
        let back = self.read(bus, by).await?;
        if proves(by, &back, point, raw, write) {
            return Ok(());
        }
        Err(self.not_verified(point, target.value, raw, by, &back))
    }

    fn not_verified(
        &self,
        point: &Point,
        value: Value,
        raw: &Raw,
        by: &Point,
        back: &Raw,
    ) -> WireError {
        let read = by.decode(back).value.map_or_else(String::new, |value| format!("{value} "));
        WireError::NotVerified {
            place: self.place(point.name.clone()),
            wrote: format!("{value} ({raw})"),
            read: format!("{read}({back}) from {}", by.name),
        }
    }

    fn encode(&self, value: Value, point: &Point) -> Result<Raw, WireError> {
        let refuse = |rule: String| WireError::Unwritable {
            place: self.place(point.name.clone()),
            value: value.to_string(),
            rule,
        };
        let milli = Point::milli(value);
        if let Some((low, high)) = point.range_milli
            && !(low..=high).contains(&milli)
        {
            let ends = [low, high].map(thousandths);
            return Err(refuse(format!("the profile allows {} to {}", ends[0], ends[1])));
        }
        point.encode(value).map_err(|error| refuse(error.to_string()))
    }

    /// Makes so what another write needs, such as a write-enable bit; says whether it was not.
    async fn provide(&mut self, bus: &mut Bus, need: &Need) -> Result<bool, WireError> {
        let index = self.profile.points().iter().position(|point| point.name == need.point);
        let Some(index) = index else { return Ok(false) };
        if need.once && self.provided.get(index).copied().unwrap_or(false) {
            return Ok(false);
        }
        let changed = self.provide_now(bus, need).await?;
        if let Some(provided) = self.provided.get_mut(index) {
            // What an untrusted device was given is not taken for granted later.
            *provided = self.trusted;
        }
        Ok(changed)
    }

    async fn provide_now(&self, bus: &mut Bus, need: &Need) -> Result<bool, WireError> {
        let Some(point) = self.profile.point(&need.point) else { return Ok(false) };
        let Some(write) = &point.write else { return Ok(false) };
        if point.readable && point.raw_whole(&self.read(bus, point).await?) == Some(need.raw) {
            return Ok(false);
        }
        let raw = point.encode_whole(need.raw).map_err(|error| WireError::Unwritable {
            place: self.place(point.name.clone()),
            value: need.raw.to_string(),
            rule: error.to_string(),
        })?;
        self.send(bus, &raw, point, write).await?;
        if !point.readable {
            return Ok(true);
        }
        let back = self.read(bus, point).await?;
        if point.raw_whole(&back) == Some(need.raw) {
            return Ok(true);
        }
        Err(WireError::NotVerified {
            place: self.place(point.name.clone()),
            wrote: format!("{} ({raw})", need.raw),
            read: back.to_string(),
        })
    }
}

/// Whether `seen`, in the point `by`, shows that `point` holds `raw`, within the tolerance.
fn proves(by: &Point, seen: &Raw, point: &Point, raw: &Raw, write: &Write) -> bool {
    match (point.decode(raw).value, by.decode(seen).value) {
        (Some(wanted), Some(seen)) => {
            Point::milli(wanted).abs_diff(Point::milli(seen))
                <= write.verify_tolerance_milli.unsigned_abs()
        }
        (Some(_), None) | (None, Some(_) | None) => false,
    }
}
