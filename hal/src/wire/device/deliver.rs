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

/// One value on its way into the device.
struct Job<'a> {
    target: Target,
    raw: &'a Raw,
    /// The point, with its scale.
    point: &'a Point,
    /// The point that proves it, with its scale.
    by: &'a Point,
    write: &'a Write,
}

impl Job<'_> {
    fn proved_by(&self, seen: &Raw) -> bool {
        proves(self.by, seen, self.point, self.raw, self.write)
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
        let by = profile.point(&write.verify_point).unwrap_or(point);
        let outcome = self.deliver_scaled(bus, target, (point, by), write).await;
        if let Err(error) = &outcome
            && error.is_unreachable()
        {
            self.lost(error.clone());
        }
        outcome
    }

    async fn deliver_scaled(
        &mut self,
        bus: &mut Bus,
        target: Target,
        (point, by): (&Point, &Point),
        write: &Write,
    ) -> Result<(), WireError> {
        let (point, by) = (self.scaled(bus, point).await?, self.scaled(bus, by).await?);
        let raw = self.encode(target.value, &point)?;
        let job = Job { target, raw: &raw, point: &point, by: &by, write };
        if self.stands(&job) {
            return Ok(());
        }
        let put =
            if target.safe { self.put_safe(bus, &job).await } else { self.put(bus, &job).await };
        let proved = put.is_ok();
        if let Some(slot) = self.delivered.get_mut(target.point) {
            *slot = Some(Delivered { raw, periods: 0, proved });
        }
        put
    }

    /// Whether the device says now that it is off by this value, read from the point that proves it;
    /// `None` if what it says is no value. A set point below the one that is off is off, too.
    pub(crate) async fn is_off(
        &self,
        bus: &mut Bus,
        off: Target,
    ) -> Result<Option<bool>, WireError> {
        let profile = Arc::clone(&self.profile);
        let Some(point) = profile.points().get(off.point) else { return Ok(None) };
        let Some(write) = &point.write else { return Ok(None) };
        let by = profile.point(&write.verify_point).unwrap_or(point);
        let (_, seen) = self.read_value(bus, by).await?;
        let tolerance_milli = write.verify_tolerance_milli.saturating_abs();
        Ok(seen.value.map(|seen| {
            let above_milli = Point::milli(seen).saturating_sub(Point::milli(off.value));
            match off.value {
                Value::Temperature(_) | Value::Percent(_) => above_milli <= tolerance_milli,
                Value::Switch(_) | Value::Mode(_) => {
                    above_milli.saturating_abs() <= tolerance_milli
                }
            }
        }))
    }

    /// Whether the value was delivered, the last poll has seen it there, and no watchdog is due.
    /// What the poll saw serves once: a second command without a poll is written again.
    fn stands(&mut self, job: &Job<'_>) -> bool {
        let points = self.profile.points();
        let verify = points.iter().position(|other| other.name == job.write.verify_point);
        let seen = verify.and_then(|index| self.image.get_mut(index)).and_then(Option::take);
        let Some(seen) = seen else { return false };
        let Some(Some(delivered)) = self.delivered.get(job.target.point) else { return false };
        delivered.proved
            && delivered.raw == *job.raw
            && job.proved_by(&seen.raw)
            && self.armed(job.write)
            && !self.due(job.point, delivered.periods)
    }

    /// Whether the last poll has seen the watchdog on, if the value rests on it: somebody can
    /// have switched it off at the device.
    fn armed(&self, write: &Write) -> bool {
        let Some(armed) = self.profile.watchdog().and_then(|dog| dog.armed_by.as_ref()) else {
            return true;
        };
        let points = self.profile.points();
        let index = points.iter().position(|point| point.name == armed.point);
        let found = index.and_then(|index| points.get(index).zip(self.seen(index)));
        !write.needs.contains(armed)
            || found.is_some_and(|(point, seen)| point.raw_whole(&seen.raw) == Some(armed.raw))
    }

    /// Whether a watchdog wants the value again: at half its time, so that one late period is
    /// forgiven.
    fn due(&self, point: &Point, periods: u64) -> bool {
        let Some(watchdog) = self.profile.watchdog() else { return false };
        watchdog.fed_by.contains(&point.name)
            && periods.saturating_mul(self.owner.period_ms) >= watchdog.within_ms / 2
    }

    async fn put(&mut self, bus: &mut Bus, job: &Job<'_>) -> Result<(), WireError> {
        for need in &job.write.needs {
            self.provide(bus, need).await?;
        }
        if job.write.on_change_only
            && let Ok(there) = self.read(bus, job.by).await
        {
            if job.proved_by(&there) {
                return Ok(());
            }
            let last = self.delivered.get(job.target.point).and_then(Option::as_ref);
            if last.is_some_and(|last| !last.proved && last.raw == *job.raw) {
                // It did not take this value before: trying for ever would wear it out.
                return Err(self.not_verified(job, &there));
            }
        }
        self.send(bus, job.raw, job.point, job.write).await?;
        self.prove(bus, job).await
    }

    /// Puts the device into the safe state: the value goes out before anything is asked, nothing
    /// that it needs may keep it back, and it is written again however often it did not stick.
    async fn put_safe(&mut self, bus: &mut Bus, job: &Job<'_>) -> Result<(), WireError> {
        let sent = self.send(bus, job.raw, job.point, job.write).await;
        if sent.as_ref().is_err_and(WireError::is_unreachable) {
            return sent;
        }
        let (mut again, mut lacking) = (sent.is_err(), None);
        for need in &job.write.needs {
            match self.provide(bus, need).await {
                Ok(changed) => again |= changed,
                Err(error) => lacking = lacking.or(Some(error)),
            }
        }
        // Before its needs were met the device may have refused it, or taken it to no effect.
        if again || lacking.is_some() {
            self.send(bus, job.raw, job.point, job.write).await?;
        }
        self.prove(bus, job).await?;
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

    async fn prove(&self, bus: &mut Bus, job: &Job<'_>) -> Result<(), WireError> {
        let back = self.read(bus, job.by).await?;
        if job.proved_by(&back) { Ok(()) } else { Err(self.not_verified(job, &back)) }
    }

    fn not_verified(&self, job: &Job<'_>, back: &Raw) -> WireError {
        let Job { target, raw, point, by, .. } = job;
        let read = by.decode(back).value.map_or_else(String::new, |value| format!("{value} "));
        WireError::NotVerified {
            place: self.place(point.name.clone()),
            wrote: format!("{} ({raw})", target.value),
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
        let changed = self.provide_now(bus, need, index).await?;
        if let Some(provided) = self.provided.get_mut(index) {
            // What an untrusted device was given is not taken for granted later.
            *provided = self.trusted;
        }
        Ok(changed)
    }

    /// It is looked at in the point that proves it, which is another one for a command.
    async fn provide_now(
        &mut self,
        bus: &mut Bus,
        need: &Need,
        index: usize,
    ) -> Result<bool, WireError> {
        let profile = Arc::clone(&self.profile);
        let Some(point) = profile.points().get(index) else { return Ok(false) };
        let Some(write) = &point.write else { return Ok(false) };
        let by = profile.point(&write.verify_point).unwrap_or(point);
        let raw = point.encode_whole(need.raw).map_err(|error| WireError::Unwritable {
            place: self.place(point.name.clone()),
            value: need.raw.to_string(),
            rule: error.to_string(),
        })?;
        let there = self.read(bus, by).await?;
        if proves(by, &there, point, &raw, write) {
            return Ok(false);
        }
        let not_proved = |back: &Raw| WireError::NotVerified {
            place: self.place(point.name.clone()),
            wrote: format!("{} ({raw})", need.raw),
            read: format!("{back} from {}", by.name),
        };
        let last = self.delivered.get(index).and_then(Option::as_ref);
        if write.on_change_only && last.is_some_and(|last| !last.proved && last.raw == raw) {
            // It did not take this value before: trying for ever would wear it out.
            return Err(not_proved(&there));
        }
        self.send(bus, &raw, point, write).await?;
        let back = self.read(bus, by).await?;
        let proved = proves(by, &back, point, &raw, write);
        let outcome = if proved { Ok(true) } else { Err(not_proved(&back)) };
        if let Some(slot) = self.delivered.get_mut(index) {
            *slot = Some(Delivered { raw, periods: 0, proved });
        }
        outcome
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
