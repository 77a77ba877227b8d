//! What a device is asked, whatever it speaks: the one seam between points and protocols.
//!
//! An *ask* is one question, which may serve several points: neighbouring registers, one line of
//! text whose answer has several flags, one message with several bits.

use super::bus::Bus;
use super::error::CallFault;
use super::line::LineQuery;
use super::modbus::{self, Answer, Block};
use super::profile::{
    Access, NeslabWrite, Point, Profile, Protocol, Raw, TextWrite, Value, Write, WriteMeans,
};
use super::{huber_pb, neslab_nc, text};

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    what: What,
    /// Indices of the points in the profile that its answer serves.
    pub(crate) points: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// Registers of a Modbus device.
    Block(Block),
    /// A line of text.
    Text(String),
    /// A variable of Huber PB.
    HuberPb(u8),
    /// A command of NESLAB NC.
    NeslabNc(u8),
}

/// What came to one question.
pub(crate) enum Heard {
    Registers(Answer),
    Whole(Raw),
}

/// A device as the bus needs it.
#[derive(Clone, Copy)]
pub(crate) struct Peer<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) address: u8,
}

impl Ask {
    /// As a technician names it: `holding_register 1 to 5`, `in_pv_00`.
    pub(crate) fn words(&self) -> String {
        match &self.what {
            What::Block(block) => block.words(),
            What::Text(line) => line.clone(),
            What::HuberPb(variable) => format!("variable 0x{variable:02X}"),
            What::NeslabNc(command) => format!("command 0x{command:02X}"),
        }
    }

    /// About how many characters the question alone is on a serial line.
    pub(crate) fn question_chars(&self) -> u32 {
        match &self.what {
            What::Block(_) => 8,
            What::Text(line) => u32::try_from(line.len()).unwrap_or(u32::MAX).saturating_add(1),
            What::HuberPb(_) => 10,
            What::NeslabNc(_) => 6,
        }
    }

    /// About how many characters question and answer are on a serial line: (8, 5 + data) for
    /// Modbus RTU, a usual answer of ten for a line of text.
    pub(crate) fn chars(&self) -> u32 {
        const TEXT_ANSWER: u32 = 10;
        match &self.what {
            What::Block(block) if block.entity.is_bit() => {
                8 + 5 + u32::from(block.count).div_ceil(8)
            }
            What::Block(block) => 8 + 5 + 2 * u32::from(block.count),
            What::Text(line) => {
                u32::try_from(line.len()).unwrap_or(u32::MAX).saturating_add(1 + TEXT_ANSWER)
            }
            // Ten characters to and fro; six bytes out and about ten back.
            What::HuberPb(_) => 20,
            What::NeslabNc(_) => 16,
        }
    }
}

impl Heard {
    /// The part of it that is `point`'s.
    pub(crate) fn of(&self, ask: &Ask, point: &Point) -> Option<Raw> {
        match (self, &ask.what) {
            (Self::Registers(answer), What::Block(block)) => answer.of(block, point.register()?),
            (Self::Whole(raw), _) => Some(raw.clone()),
            (Self::Registers(_), What::Text(_) | What::HuberPb(_) | What::NeslabNc(_)) => None,
        }
    }
}

/// The fewest questions for these points.
pub(crate) fn asks(profile: &Profile, wanted: &[usize]) -> Vec<Ask> {
    let mut asks: Vec<Ask> = Vec::new();
    if let Some(modbus) = profile.modbus() {
        let blocks = modbus::blocks(profile.points(), wanted, modbus);
        asks.extend(
            blocks.into_iter().map(|(block, points)| Ask { what: What::Block(block), points }),
        );
    }
    for index in wanted {
        let Some(what) = profile.points().get(*index).and_then(question) else { continue };
        match asks.iter_mut().find(|ask| ask.what == what) {
            Some(ask) => ask.points.push(*index),
            None => asks.push(Ask { what, points: vec![*index] }),
        }
    }
    asks
}

/// The question for one point alone.
pub(crate) fn ask(point: &Point) -> Option<Ask> {
    let what = match point.register() {
        Some(register) => What::Block(Block::of(register)),
        None => question(point)?,
    };
    Some(Ask { what, points: Vec::new() })
}

/// How a point is asked for that is not in a register.
fn question(point: &Point) -> Option<What> {
    match &point.at {
        Access::Register(_) => None,
        Access::Text(text) => text.read.clone().map(What::Text),
        Access::HuberPb(variable) => Some(What::HuberPb(variable.number)),
        Access::NeslabNc(field) => Some(What::NeslabNc(field.command)),
    }
}

/// Asks.
pub(crate) async fn read(bus: &mut Bus, peer: Peer<'_>, ask: &Ask) -> Result<Heard, CallFault> {
    let address = peer.address;
    let raw = match &ask.what {
        What::Block(block) => {
            return modbus::read(bus, address, block).await.map(Heard::Registers);
        }
        What::Text(line) => {
            let answer = say(bus, peer, line).await?;
            let fits = answers(peer.profile, line, &answer);
            Raw::Text(checked(bus, address, fits.map(|()| answer)).await?)
        }
        What::HuberPb(variable) => {
            let bytes = bus.talk(address, &huber_pb::read(*variable)).await?;
            Raw::Words(smallvec::smallvec![
                checked(bus, address, huber_pb::answer(*variable, &bytes)).await?
            ])
        }
        What::NeslabNc(command) => {
            let bytes = bus.talk(address, &neslab_nc::read(address, *command)).await?;
            Raw::Bytes(checked(bus, address, neslab_nc::answer(address, *command, &bytes)).await?)
        }
    };
    Ok(Heard::Whole(raw))
}

/// Writes one point.
pub(crate) async fn write(
    bus: &mut Bus,
    peer: Peer<'_>,
    point: &Point,
    write: &Write,
    raw: &Raw,
) -> Result<(), CallFault> {
    let address = peer.address;
    let on = point.decode(raw).value == Some(Value::Switch(true));
    match (&write.means, &point.at, raw) {
        (WriteMeans::Function(function), Access::Register(register), raw) => {
            modbus::write(bus, address, register.address, *function, raw).await
        }
        (WriteMeans::Text(write), Access::Text(_), Raw::Text(value)) => {
            tell(bus, peer, write, &text::phrase(write, value, on)).await
        }
        (WriteMeans::HuberPb, Access::HuberPb(variable), Raw::Words(words)) => {
            let word = words.first().copied().unwrap_or_default();
            let bytes = bus.talk(address, &huber_pb::write(variable.number, word)).await?;
            let taken = checked(bus, address, huber_pb::answer(variable.number, &bytes)).await?;
            if taken == word {
                return Ok(());
            }
            let meaning = "it took another value: is it within the limits set on the device?";
            let answer = text::shown(&bytes);
            Err(CallFault::Rejected { answer, meaning: meaning.to_owned() })
        }
        (WriteMeans::NeslabNc(how), Access::NeslabNc(_), Raw::Bytes(data)) => {
            let (command, query) = match (how, data.as_slice()) {
                (NeslabWrite::Word { command }, [_, high, low]) => {
                    (*command, neslab_nc::write_word(address, *command, [*high, *low]))
                }
                (NeslabWrite::Item { item }, _) => neslab_nc::write_item(address, *item, on),
                (NeslabWrite::Word { .. }, _) => return Err(unwritable(raw)),
            };
            let bytes = bus.talk(address, &query).await?;
            checked(bus, address, neslab_nc::answer(address, command, &bytes)).await.map(|_| ())
        }
        (
            WriteMeans::Function(_)
            | WriteMeans::Text(_)
            | WriteMeans::HuberPb
            | WriteMeans::NeslabNc(_),
            _,
            _,
        ) => Err(unwritable(raw)),
    }
}

/// The rules of a profile exclude it; nothing is sent.
fn unwritable(raw: &Raw) -> CallFault {
    let misfit = "the profile's way of writing does not fit the point".to_owned();
    CallFault::Foreign { misfit, got: raw.to_string() }
}

/// Whether `answer` is one that a point with the question `line` can have. A line that none of them
/// understands may have come unasked, and then the answer to this question would be taken for that
/// to the next one.
fn answers(profile: &Profile, line: &str, answer: &str) -> Result<(), CallFault> {
    let mut misfit = None;
    for point in profile.points() {
        let Access::Text(text) = &point.at else { continue };
        if text.read.as_deref() != Some(line) {
            continue;
        }
        match text.number(answer) {
            Ok(_) => return Ok(()),
            Err(why) => misfit = misfit.or(Some(why)),
        }
    }
    let Some(misfit) = misfit else { return Ok(()) };
    let hint = "if the device says so on purpose, name it among the refusals of its profile";
    let (misfit, got) = (format!("{misfit}; {hint}"), text::shown(answer.as_bytes()));
    Err(CallFault::Foreign { misfit, got })
}

/// Says a line to a device of text, and hears its answer.
pub(crate) async fn say(bus: &mut Bus, peer: Peer<'_>, line: &str) -> Result<String, CallFault> {
    let Protocol::Text(protocol) = peer.profile.protocol() else { return Ok(String::new()) };
    let bytes = bus.talk(peer.address, &text::query(protocol, peer.address, line, true)).await?;
    checked(bus, peer.address, text::answer(protocol, peer.address, &bytes)).await
}

/// Says a line to a device of text, and hears no answer, whether one comes or not.
pub(crate) async fn say_only(bus: &mut Bus, peer: Peer<'_>, line: &str) -> Result<(), CallFault> {
    let Protocol::Text(protocol) = peer.profile.protocol() else { return Ok(()) };
    let query: LineQuery = text::query(protocol, peer.address, line, false);
    bus.talk(peer.address, &query).await.map(|_| ())
}

async fn tell(
    bus: &mut Bus,
    peer: Peer<'_>,
    write: &TextWrite,
    line: &str,
) -> Result<(), CallFault> {
    let Some(yes) = &write.answer else { return say_only(bus, peer, line).await };
    let answer = say(bus, peer, line).await?;
    if answer == *yes {
        return Ok(());
    }
    let misfit = format!("expected {yes:?}");
    let got = text::shown(answer.as_bytes());
    checked(bus, peer.address, Err(CallFault::Foreign { misfit, got })).await
}

/// Whatever does not fit the question puts what else comes from there in doubt.
async fn checked<T>(
    bus: &mut Bus,
    address: u8,
    answer: Result<T, CallFault>,
) -> Result<T, CallFault> {
    if matches!(answer, Err(CallFault::Foreign { .. })) {
        bus.distrust(address).await;
    }
    answer
}
