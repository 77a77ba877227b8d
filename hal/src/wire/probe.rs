//! `holder device probe`: who answers on a bus, and what a register says when it is read in every
//! way that a wrong profile could have meant. Reads only.
//!
//! The usual mistakes are an address that is one off (a manual counts from 1), words in the other
//! order, and °F. Each shows as a number that no bath has, while one of the other readings of the
//! same registers is plausible.

use std::time::Duration;

use super::ask::{self, Peer};
use super::bus::Bus;
use super::capture::Capture;
use super::error::{CallFault, Place, WireError};
use super::modbus::{self, Block};
use super::port::Record;
use super::profile::{
    Access, ByteOrder, DataType, Decoded, Entity, Point, Profile, Protocol, Raw, Register, Timing,
    Unit, Value, Verified,
};
use super::url::BusUrl;
use crate::contract::Quality;

/// Temperatures that a pasteurizer can show, in thousandths of a °C.
const PLAUSIBLE_MILLI: core::ops::RangeInclusive<i32> = -10_000..=110_000;

/// How late the answer of a device that nobody knows can still come, milliseconds.
const LATE_MS_MAX: u64 = 2000;

/// The name of a bus that has none, in a capture.
pub const PROBED: &str = "probed";

/// Asks on one bus, without a unit around it.
pub struct Probe {
    bus: Bus,
    url: String,
}

impl core::fmt::Debug for Probe {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Probe").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What a unit id says when it is asked for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It answered.
    Answers,
    /// It refused, so that it is there.
    Refuses {
        /// The Modbus exception code.
        code: u8,
    },
    /// Nothing came, or a gateway says that nothing came.
    Silent,
}

impl Probe {
    /// A probe of the bus at `url`. Nothing is sent yet. `timeout_ms` bounds each question;
    /// `pause_ms` is the silence that the devices there want between two of them.
    ///
    /// # Errors
    /// What is wrong with the url, in words.
    pub fn open(url: &str, timeout_ms: u64, pause_ms: u64) -> Result<Self, String> {
        let timeout = Duration::from_millis(timeout_ms);
        let mut bus = Bus::new(BusUrl::parse(url)?, timeout_ms, timeout);
        let timing = Timing {
            pause_between_requests_ms: pause_ms,
            pause_between_commands_ms: 0,
            timeout_ms: None,
            late_ms_max: LATE_MS_MAX,
        };
        (1..=u8::MAX).for_each(|unit_id| bus.know(unit_id, timing));
        Ok(Self { bus, url: url.to_owned() })
    }

    /// Whether anybody has this unit id: asks for one address, and takes any answer of that unit.
    ///
    /// # Errors
    /// The port itself cannot be reached, or the connection breaks.
    pub async fn presence(
        &mut self,
        unit_id: u8,
        entity: Entity,
        address: u16,
    ) -> Result<Presence, WireError> {
        match self.ask(unit_id, entity, address, 1).await {
            Ok(_) => Ok(Presence::Answers),
            Err(CallFault::Refused { code: 0x0A | 0x0B, .. } | CallFault::Silence { .. }) => {
                Ok(Presence::Silent)
            }
            Err(CallFault::Refused { code, .. }) => Ok(Presence::Refuses { code }),
            // Somebody answered, and not in the way of the question: a person must look.
            Err(
                fault @ (CallFault::Foreign { .. }
                | CallFault::Dial { .. }
                | CallFault::PortHeld { .. }
                | CallFault::Echo
                | CallFault::HeldBack { .. }
                | CallFault::Unproved { .. }
                | CallFault::Broken { .. }
                | CallFault::Rejected { .. }
                | CallFault::OutOfTime { .. }
                | CallFault::Resting { .. }),
            ) => Err(self.error(unit_id, format!("{} {address}", entity.word()), fault)),
        }
    }

    /// Whether a device of this profile answers at this address: asks for its first point that can
    /// be read, in the protocol of the profile.
    ///
    /// # Errors
    /// The port itself cannot be reached, or what came is no answer of this protocol.
    pub async fn hello(&mut self, address: u8, profile: &Profile) -> Result<Presence, WireError> {
        let Some(point) = profile.points().iter().find(|point| point.readable) else {
            return Ok(Presence::Silent);
        };
        if let Some(register) = point.register() {
            return self.presence(address, register.entity, register.address).await;
        }
        if let Protocol::Text(text) = profile.protocol() {
            for line in &text.warm_up {
                let woken = ask::say_only(&mut self.bus, Peer { profile, address }, line).await;
                woken.map_err(|fault| self.error(address, line.clone(), fault))?;
            }
        }
        match self.heard(address, profile, point).await {
            Ok(_) | Err(CallFault::Rejected { .. }) => Ok(Presence::Answers),
            Err(CallFault::Silence { .. }) => Ok(Presence::Silent),
            Err(fault) => Err(self.error(address, point.name.clone(), fault)),
        }
    }

    /// What a device of this profile says of one of its points, in the protocol of the profile.
    ///
    /// # Errors
    /// How the question went wrong.
    pub async fn read_point(
        &mut self,
        address: u8,
        profile: &Profile,
        point: &Point,
    ) -> Result<Raw, WireError> {
        let heard = self.heard(address, profile, point).await;
        heard.map_err(|fault| self.error(address, point.name.clone(), fault))
    }

    async fn heard(
        &mut self,
        address: u8,
        profile: &Profile,
        point: &Point,
    ) -> Result<Raw, CallFault> {
        let nothing = || CallFault::Foreign {
            misfit: "it cannot be read".to_owned(),
            got: "nothing was asked".to_owned(),
        };
        let asked = ask::ask(point).ok_or_else(nothing)?;
        let heard = ask::read(&mut self.bus, Peer { profile, address }, &asked).await?;
        heard.of(&asked, point).ok_or_else(nothing)
    }

    /// Keeps what goes over the wire from the first question on.
    pub fn keep(&mut self, capture: Capture) {
        self.bus.keep(Record { bus: PROBED.into(), capture });
    }

    /// What stands in the registers of `point`, `shift` addresses further on.
    ///
    /// # Errors
    /// How the question went wrong; [`CallFault::Refused`] where no such address exists.
    pub async fn read(&mut self, unit_id: u8, point: &Point, shift: i8) -> Result<Raw, WireError> {
        let field = match shift {
            0 => point.name.clone(),
            _ => format!("{} at {shift:+}", point.name),
        };
        let refuse = |misfit: &str| {
            let (misfit, got) = (misfit.to_owned(), "nothing was asked".to_owned());
            self.error(unit_id, field.clone(), CallFault::Foreign { misfit, got })
        };
        let Some(register) = point.register() else { return Err(refuse("it is no register")) };
        let Some(address) = register.address.checked_add_signed(shift.into()) else {
            return Err(refuse("no such address"));
        };
        let moved = Register { address, ..*register };
        let span = register.data_type.span();
        let answer = self.ask(unit_id, register.entity, address, span).await;
        answer
            .and_then(|(block, answer)| {
                let (misfit, got) = ("too short".to_owned(), block.words());
                answer.of(&block, &moved).ok_or(CallFault::Foreign { misfit, got })
            })
            .map_err(|fault| self.error(unit_id, field, fault))
    }

    async fn ask(
        &mut self,
        unit_id: u8,
        entity: Entity,
        address: u16,
        count: u16,
    ) -> Result<(Block, modbus::Answer), CallFault> {
        let block = Block { entity, address, count };
        let answer = modbus::read(&mut self.bus, unit_id, &block).await?;
        Ok((block, answer))
    }

    fn error(&self, unit_id: u8, field: String, fault: CallFault) -> WireError {
        let (device, port) = (format!("unit id {unit_id}"), self.url.clone());
        WireError::Call { place: Box::new(Place { device, port, field }), fault }
    }
}

/// One way to read the registers of a temperature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The order of the bytes.
    pub byte_order: ByteOrder,
    /// What the device would speak: °C or °F.
    pub unit: Unit,
    /// What the registers say then, in °C.
    pub decoded: Decoded,
    /// Whether a pasteurizer can have it: −10 to 110 °C, and no message in place of a number.
    pub plausible: bool,
    /// Whether it is the way that the profile says.
    pub as_written: bool,
}

impl Guess {
    /// The temperature, °C, if it is one at all.
    pub fn celsius(&self) -> Option<f64> {
        match self.decoded.value {
            Some(Value::Temperature(celsius)) => Some(celsius.as_f64()),
            Some(Value::Percent(_) | Value::Switch(_) | Value::Mode(_)) | None => None,
        }
    }
}

/// Every way to read `raw` as the temperature `point`: each byte order that differs for its size,
/// in °C and in °F. A scale that stands in the device is taken for one decimal, the least that
/// serves.
pub fn guesses(point: &Point, raw: &Raw) -> Vec<Guess> {
    let one_decimal = point.scale_from.as_ref().and_then(|_| point.scaled(1).ok());
    let point = one_decimal.as_ref().unwrap_or(point);
    let Some(register) = point.register() else { return Vec::new() };
    let one_word = [ByteOrder::Abcd, ByteOrder::Badc];
    let orders: &[ByteOrder] = match register.data_type.span() {
        1 => &one_word,
        _ => &ByteOrder::ALL,
    };
    // For one word CDAB is ABCD, and DCBA is BADC.
    let same = |order: ByteOrder| match (register.data_type.span(), order) {
        (1, ByteOrder::Cdab) => ByteOrder::Abcd,
        (1, ByteOrder::Dcba) => ByteOrder::Badc,
        (_, order) => order,
    };
    let mut guesses = Vec::new();
    for unit in [Unit::DegC, Unit::DegF] {
        for byte_order in orders.iter().copied() {
            let at = Access::Register(Register { byte_order, ..*register });
            let way = Point { at, unit, range_milli: None, ..point.clone() };
            let decoded = way.decode(raw);
            let plausible = matches!(
                (decoded.quality, decoded.value),
                (Quality::Good, Some(Value::Temperature(celsius)))
                    if PLAUSIBLE_MILLI.contains(&celsius.milli())
                        && (celsius.milli() != 0 || is_zero(raw))
            );
            let as_written = byte_order == same(register.byte_order) && unit == point.unit;
            guesses.push(Guess { byte_order, unit, decoded, plausible, as_written });
        }
    }
    guesses
}

/// Whether every register is 0. Words in the wrong order make floats so small that they round to 0;
/// a device that shows 0 sends zeros.
fn is_zero(raw: &Raw) -> bool {
    match raw {
        Raw::Bit(bit) => !bit,
        Raw::Words(words) => words.iter().all(|word| *word == 0),
        Raw::Text(_) | Raw::Bytes(_) => false,
    }
}

/// A temperature that no profile tells of yet: this address, read in this way.
pub fn bare_point(entity: Entity, address: u16, data_type: DataType, scale_nano: i64) -> Point {
    Point {
        name: format!("{}-{address}", entity.word()),
        title: "address given on the command line".to_owned(),
        at: Access::Register(Register { entity, address, data_type, byte_order: ByteOrder::Abcd }),
        unit: Unit::DegC,
        scale_nano,
        scale_from: None,
        range_milli: None,
        on_off: (1, 0),
        usual_role: None,
        sentinels: Vec::new(),
        same_as: None,
        faults: Vec::new(),
        readable: true,
        write: None,
        source: None,
        verified: Verified::Unverified,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::bench::{EUROTHERM, controller, profile};
    use super::super::fake::{Memory, dead_port, serve_memories};
    use super::*;

    fn plausible(point: &Point, words: &[u16]) -> Vec<(&'static str, &'static str, String)> {
        let guesses = guesses(point, &Raw::Words(words.into()));
        let good = guesses.into_iter().filter(|guess| guess.plausible);
        good.map(|guess| {
            let celsius = format!("{:.2}", guess.celsius().unwrap());
            (guess.byte_order.word(), guess.unit.word(), celsius)
        })
        .collect()
    }

    #[test]
    fn low_words_first_in_fahrenheit_are_found_out() {
        // 144.5 °F = 62.5 °C as a Watlow sends it: words 8000 4310 (DEVICES, section A).
        let point = bare_point(Entity::HoldingRegister, 360, DataType::Float32, 1_000_000_000);
        let found = plausible(&point, &[0x8000, 0x4310]);
        assert_eq!(found, [("CDAB", "degF", "62.50".to_owned())]);
        assert_eq!(plausible(&point, &[0, 0])[0], ("ABCD", "degC", "0.00".to_owned()));
        let all = guesses(&point, &Raw::Words(smallvec::smallvec![0x8000, 0x4310]));
        assert_eq!(all.len(), 8, "four orders in two units");
        assert_eq!(all.iter().filter(|guess| guess.as_written).count(), 1);
    }

    #[test]
    fn a_scale_that_stands_in_the_device_is_taken_for_one_decimal() {
        let autonics = include_str!("../../../profiles/devices/autonics-tk.toml");
        let autonics = profile("autonics-tk.toml", autonics);
        let found = plausible(autonics.point("pv").unwrap(), &[625]);
        assert!(found.contains(&("ABCD", "degC", "62.50".to_owned())), "{found:?}");
    }

    #[test]
    fn one_word_has_only_its_bytes_to_swap_and_a_sentinel_is_no_temperature() {
        let controller = profile("eurotherm-3200.toml", EUROTHERM);
        let pv = controller.point("pv").unwrap();
        let found = guesses(pv, &Raw::Words(smallvec::smallvec![625]));
        assert_eq!(found.len(), 4);
        let own: Vec<&Guess> = found.iter().filter(|guess| guess.as_written).collect();
        assert_eq!((own.len(), own[0].celsius(), own[0].plausible), (1, Some(62.5), true));
        let mut open = pv.clone();
        let (quality, meaning) = (Quality::SensorOpen, "open".to_owned());
        open.sentinels.push(super::super::profile::Sentinel {
            raw_from: 625.0,
            raw_to: 625.0,
            quality,
            meaning,
        });
        let found = guesses(&open, &Raw::Words(smallvec::smallvec![625]));
        assert!(!found.iter().any(|guess| guess.as_written && guess.plausible));
    }

    #[tokio::test]
    async fn who_is_there_answers_or_refuses_and_who_is_not_is_silent() {
        let (there, empty) = (controller(), Arc::new(Mutex::new(Memory::default())));
        let fake = serve_memories(vec![(1, there), (9, empty)]).await;
        let mut probe = Probe::open(&fake.url(), 20_000, 0).unwrap();
        let mut found = Vec::new();
        for unit_id in [1, 2, 9] {
            found.push(probe.presence(unit_id, Entity::HoldingRegister, 1).await.unwrap());
        }
        assert_eq!(found, [Presence::Answers, Presence::Silent, Presence::Refuses { code: 2 }]);
    }

    #[tokio::test]
    async fn a_value_one_address_off_is_found_and_an_address_that_is_not_there_is_refused() {
        let fake = serve_memories(vec![(1, controller())]).await;
        let mut probe = Probe::open(&fake.url(), 20_000, 0).unwrap();
        let point = bare_point(Entity::HoldingRegister, 2, DataType::Int16, 100_000_000);
        let below = probe.read(1, &point, -1).await.unwrap();
        assert_eq!(below, Raw::Words(smallvec::smallvec![625]));
        let refused = probe.read(1, &point, 1).await.unwrap_err().to_string();
        assert!(refused.contains("unit id 1") && refused.contains("at +1"), "{refused}");
        assert!(refused.contains("no such register"), "{refused}");
        let lowest = bare_point(Entity::HoldingRegister, 0, DataType::Int16, 100_000_000);
        let error = probe.read(1, &lowest, -1).await.unwrap_err().to_string();
        assert!(error.contains("no such address"), "{error}");
    }

    #[tokio::test]
    async fn a_port_that_nobody_serves_is_an_error_and_not_a_silent_device() {
        let (_socket, port) = dead_port();
        let mut probe = Probe::open(&format!("tcp://127.0.0.1:{port}"), 20_000, 0).unwrap();
        let error = probe.presence(1, Entity::HoldingRegister, 0).await.unwrap_err();
        assert!(error.is_unreachable() && error.to_string().contains("no connection"), "{error}");
    }
}
