//! One device: what was last read from it, whether it can be trusted, and how a value is
//! delivered to it and proved.
//!
//! **Terms.** The *image* is what one poll read; it is forgotten at the next one, and a value is
//! compared with it at most once. A device is *trusted* after it was met: its start-up checks
//! hold and it is not a simulator by surprise. After any silence it has to be met again.

mod deliver;
mod meet;
mod scale;

use std::sync::Arc;

use deliver::Delivered;
use scale::Scale;

use super::ask::{self, Ask, Peer};
use super::bus::{BackOff, Bus};
use super::error::{CallFault, Place, WireError};
use super::profile::{Check, Decoded, Point, Profile, Raw, Value};
use super::spec::DeviceSpec;
use super::timer::Moment;
use crate::contract::Quality;

/// The unit that a device belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) unit: String,
    pub(crate) simulated: bool,
    pub(crate) period_ms: u64,
}

/// What shall be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Index of the point in the profile.
    pub(crate) point: usize,
    pub(crate) value: Value,
    /// It is part of the safe state: it is tried whatever the state of the device.
    pub(crate) safe: bool,
}

/// What stood in a device, and when the answer came.
#[derive(Clone, Debug)]
struct Seen {
    raw: Raw,
    at: Moment,
}

/// How far a device is in the reading that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing was heard from it yet.
    Waiting,
    /// It has answered something.
    Heard,
    /// It is through, well or badly.
    Over,
}

pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) profile: Arc<Profile>,
    pub(crate) port: String,
    /// Why it is not answering as it should, since the last poll.
    pub(crate) fault: Option<WireError>,
    /// It said that it is a simulator.
    pub(crate) heard_marker: bool,
    owner: Owner,
    unit_id: u8,
    asks: Arc<[Ask]>,
    /// Points that others need, made sure of since the device was met.
    provided: Vec<bool>,
    image: Vec<Option<Seen>>,
    /// What registers of decimals said; `None` for every other point.
    scales: Vec<Option<Scale>>,
    delivered: Vec<Option<Delivered>>,
    back_off: BackOff,
    trusted: bool,
    turn: Turn,
    /// How often it was silent when asked who it is, and answered other questions.
    id_silences: u8,
}

impl Device {
    /// A device that was not met yet. `polled` are the points that every period reads.
    pub(crate) fn new(spec: &DeviceSpec, url: &str, owner: Owner, polled: &[usize]) -> Self {
        let profile = Arc::clone(&spec.profile);
        let points = profile.points();
        let mut asks = ask::asks(&profile, polled);
        let scales = scale::scales(&profile);
        let is_scale = |at: &usize| scales.get(*at).is_some_and(Option::is_some);
        asks.sort_by_key(|ask| ask.points.iter().any(is_scale));
        Self {
            name: spec.name.clone(),
            port: port_words(url, spec.address),
            fault: None,
            heard_marker: false,
            unit_id: spec.address,
            asks: asks.into(),
            provided: vec![false; points.len()],
            image: vec![None; points.len()],
            scales,
            delivered: vec![None; points.len()],
            back_off: BackOff::new(owner.period_ms),
            trusted: false,
            turn: Turn::Over,
            id_silences: 0,
            owner,
            profile,
        }
    }

    fn place(&self, field: impl Into<String>) -> Box<Place> {
        let (device, port) = (self.name.clone(), self.port.clone());
        Box::new(Place { device, port, field: field.into() })
    }

    fn call_error(&self, field: impl Into<String>, fault: CallFault) -> WireError {
        WireError::Call { place: self.place(field), fault }
    }

    fn forget(&mut self) {
        self.image.fill(None);
    }

    /// It has to be met again, and nothing that was set in it is taken for granted.
    fn distrust(&mut self) {
        self.trusted = false;
        self.provided.fill(false);
    }

    fn peer<'a>(&self, profile: &'a Profile) -> Peer<'a> {
        Peer { profile, address: self.unit_id }
    }

    /// Nothing useful came: all that is known of it is void, and it is left alone for a while.
    fn lost(&mut self, error: WireError) {
        self.forget();
        self.scales.iter_mut().flatten().for_each(|scale| *scale = Scale::default());
        self.delivered.fill(None);
        self.distrust();
        if !matches!(
            error,
            WireError::Call { fault: CallFault::Resting { .. } | CallFault::HeldBack { .. }, .. }
        ) {
            tracing::warn!(%error, "device lost");
            self.back_off.failed();
            self.fault = Some(error);
        }
    }

    /// A control period begins: what the last poll read is forgotten.
    pub(crate) fn begin_period(&mut self, limit_ms: u64) {
        // The last reading was dropped half-way by whoever asked for it.
        self.cut_short(limit_ms);
        self.turn = Turn::Waiting;
        self.back_off.begin_period();
        for delivered in self.delivered.iter_mut().flatten() {
            delivered.begin_period();
        }
        self.forget();
    }

    /// Reads every polled point, once per control period. Returns for how long it is still held
    /// back, in milliseconds, if it is.
    pub(crate) async fn poll(&mut self, bus: &mut Bus) -> Option<u32> {
        let refreshed = self.refresh(bus).await;
        self.turn = Turn::Over;
        let error = refreshed.err()?;
        let held_ms = if let WireError::Call { fault: CallFault::HeldBack { left_ms }, .. } = error
        {
            Some(left_ms)
        } else {
            None
        };
        self.lost(error);
        held_ms
    }

    /// The time of the reading is over: what this device has not answered is missing. That is
    /// no failure of its own, so it is not left alone; but after a period in which nothing was
    /// heard from it, nobody knows what happened to it.
    pub(crate) fn cut_short(&mut self, limit_ms: u64) {
        if self.turn == Turn::Over {
            return;
        }
        if self.turn == Turn::Waiting {
            self.distrust();
            self.delivered.fill(None);
        }
        self.turn = Turn::Over;
        let error = self.call_error("the rest of its points", CallFault::OutOfTime { limit_ms });
        tracing::warn!(%error, "reading cut short");
        self.fault = Some(error);
    }

    async fn refresh(&mut self, bus: &mut Bus) -> Result<(), WireError> {
        self.awake(bus)?;
        if !self.trusted {
            self.meet(bus).await?;
            self.turn = Turn::Heard;
        }
        self.fault = None;
        let (asks, profile) = (Arc::clone(&self.asks), Arc::clone(&self.profile));
        for ask in asks.iter() {
            match ask::read(bus, self.peer(&profile), ask).await {
                Ok(answer) => {
                    self.turn = Turn::Heard;
                    let at = Moment::now();
                    for index in &ask.points {
                        let point = profile.points().get(*index);
                        let raw = point.and_then(|point| answer.of(ask, point));
                        if let Some(slot) = self.image.get_mut(*index) {
                            *slot = raw.map(|raw| Seen { raw, at });
                        }
                    }
                }
                Err(fault) => {
                    let silence = fault.is_silence();
                    let error = self.call_error(ask.words(), fault);
                    if silence {
                        return Err(error);
                    }
                    self.turn = Turn::Heard;
                    self.fault = Some(error);
                }
            }
        }
        self.note_scales();
        self.back_off.succeeded();
        Ok(())
    }

    fn awake(&self, bus: &Bus) -> Result<(), WireError> {
        match bus.back_off.resting().or_else(|| self.back_off.resting()) {
            Some(fault) => Err(self.call_error("every point", fault)),
            None => Ok(()),
        }
    }

    /// Whether every period reads this point.
    pub(crate) fn uses(&self, name: &str) -> bool {
        let points = self.profile.points();
        let of_name = |at: &usize| points.get(*at).is_some_and(|point| point.name == name);
        self.asks.iter().any(|ask| ask.points.iter().any(of_name))
    }

    /// The settings that the profile needs for what this unit uses of the device.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let checks = self.profile.checks().iter();
        checks.filter(|check| check.concerns_one(|name| self.uses(name))).cloned().collect()
    }

    /// One setting that the profile needs.
    pub(crate) async fn check(&self, bus: &mut Bus, check: &Check) -> Result<(), WireError> {
        let Some(point) = self.profile.point(&check.point) else { return Ok(()) };
        let raw = self.read(bus, point).await?;
        let whole = point.raw_whole(&raw);
        if whole.is_some_and(|whole| check.raws.contains(&whole)) {
            return Ok(());
        }
        let plain = whole.map_or_else(|| "no whole number".to_owned(), |whole| whole.to_string());
        Err(WireError::WrongSetting {
            place: self.place(point.name.clone()),
            read: format!("{plain} ({raw})"),
            expected: check.words(),
            why: check.why.clone(),
        })
    }

    /// Reads one point, now.
    pub(crate) async fn read(&self, bus: &mut Bus, point: &Point) -> Result<Raw, WireError> {
        let misfit = |misfit: &str, got: String| {
            let fault = CallFault::Foreign { misfit: misfit.to_owned(), got };
            self.call_error(point.name.clone(), fault)
        };
        let Some(ask) = ask::ask(point) else {
            return Err(misfit("it can only be written", "nothing".to_owned()));
        };
        let answer = ask::read(bus, self.peer(&self.profile), &ask).await;
        let answer = answer.map_err(|fault| self.call_error(point.name.clone(), fault))?;
        answer.of(&ask, point).ok_or_else(|| misfit("too short", ask.words()))
    }

    /// What the last poll says of a point, with the faults that other points tell of it.
    pub(crate) fn polled(&self, index: usize) -> Decoded {
        let Some(point) = self.profile.points().get(index) else { return missing() };
        let Some(seen) = self.seen(index) else { return missing() };
        let mut decoded = self.meaning(point, &seen.raw);
        if decoded.quality != Quality::Good {
            return decoded;
        }
        for fault in &point.faults {
            let found = self.profile.points().iter().position(|other| other.name == fault.point);
            // A fault that cannot be asked for cannot be ruled out.
            let told = found.map_or_else(missing, |index| self.told(index));
            match told.value {
                Some(Value::Switch(false)) if told.quality == Quality::Good => {}
                Some(Value::Mode(mode))
                    if told.quality == Quality::Good && !fault.modes.contains(&mode) => {}
                Some(value @ (Value::Switch(true) | Value::Mode(_))) => {
                    decoded.quality = fault.quality;
                    decoded.reason = format!("{} is {value}", fault.point);
                }
                Some(Value::Switch(false) | Value::Temperature(_) | Value::Percent(_)) | None => {
                    decoded.quality = Quality::Comm;
                    decoded.reason = format!("{} could not be read", fault.point);
                }
            }
        }
        decoded
    }

    /// A point by its own value alone.
    fn told(&self, index: usize) -> Decoded {
        let point = self.profile.points().get(index);
        point
            .zip(self.seen(index))
            .map_or_else(missing, |(point, seen)| self.meaning(point, &seen.raw))
    }

    fn seen(&self, index: usize) -> Option<&Seen> {
        self.image.get(index).and_then(Option::as_ref)
    }

    /// How old the polled value of a point is at `now`, in milliseconds; 0 without one.
    pub(crate) fn age_ms(&self, index: usize, now: Moment) -> u32 {
        self.seen(index).map_or(0, |seen| now.ms_since(seen.at))
    }
}

/// `serial:///dev/ttyS0, unit id 1`; a device that is alone on its line has no address.
fn port_words(url: &str, address: u8) -> String {
    if address == 0 { url.to_owned() } else { format!("{url}, unit id {address}") }
}

fn missing() -> Decoded {
    Decoded::missing()
}
