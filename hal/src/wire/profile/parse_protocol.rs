//! Reads the family of protocols, and the table that says what is particular to the device.

use super::error::ProfileError;
use super::parse::{texts, timing};
use super::reader::{Field, Section};
use super::{Modbus, Protocol, Refusal, TextProtocol, Timing};

/// The Modbus specification's own limits of one read (V1.1b3, 6.1 and 6.3).
const WORDS_PER_READ_MAX: u16 = 125;
const BITS_PER_READ_MAX: u16 = 2000;
/// Functions that this program can send.
const FUNCTIONS: [u8; 7] = [1, 2, 3, 4, 5, 6, 16];
/// The longest answer, in bytes, if the profile does not say.
const ANSWER_LEN_USUAL: u16 = 80;
const ANSWER_LEN_MAX: u16 = 255;

#[derive(Clone, Copy)]
enum Family {
    Modbus,
    Text,
    HuberPb,
    NeslabNc,
}

const FAMILIES: [(&str, Family); 4] = [
    ("modbus", Family::Modbus),
    ("text", Family::Text),
    ("huber-pb", Family::HuberPb),
    ("neslab-nc", Family::NeslabNc),
];
const LINE_ENDS: [(&str, &str); 3] = [("CR", "\r"), ("LF", "\n"), ("CRLF", "\r\n")];

/// The protocol with its table, which has the device's times, too.
pub(crate) fn protocol(root: &mut Section<'_>) -> Result<(Protocol, Timing), ProfileError> {
    let family = root.need("protocol", "modbus, text, huber-pb or neslab-nc")?;
    match family.word(&FAMILIES)? {
        Family::Modbus => {
            let rule = "the table [modbus] says what the device allows";
            let (modbus, timing) = modbus(root.need("modbus", rule)?.section()?)?;
            Ok((Protocol::Modbus(modbus), timing))
        }
        Family::Text => {
            let rule = "the table [text] says how its lines look";
            let (text, timing) = text(root.need("text", rule)?.section()?)?;
            Ok((Protocol::Text(text), timing))
        }
        Family::HuberPb => {
            let rule = "the table [huber-pb] has the device's times; it may be empty";
            Ok((Protocol::HuberPb, times_only(root.need("huber-pb", rule)?.section()?)?))
        }
        Family::NeslabNc => {
            let rule = "the table [neslab-nc] has the device's times; it may be empty";
            Ok((Protocol::NeslabNc, times_only(root.need("neslab-nc", rule)?.section()?)?))
        }
    }
}

fn times_only(mut section: Section<'_>) -> Result<Timing, ProfileError> {
    let timing = timing(&mut section)?;
    section.finish()?;
    Ok(timing)
}

fn text(mut section: Section<'_>) -> Result<(TextProtocol, Timing), ProfileError> {
    let rule = "CR, LF or CRLF: what ends a command (answers may end with any)";
    let write_end = section.need("write_end", rule)?.word(&LINE_ENDS)?;
    let address_prefix = section.maybe("address_prefix").map(|field| prefix(&field)).transpose()?;
    let warm_up = section.maybe("warm_up").map_or(Ok(Vec::new()), |field| lines(&field))?;
    let identity = section.maybe("identity").map(|field| line(&field)).transpose()?;
    let mut refusals = Vec::new();
    if let Some(list) = section.maybe("refusals") {
        for item in list.list()? {
            let mut entry = item.section()?;
            let answer = line(&entry.need("answer", "the answer that means no")?)?;
            let meaning = entry.need("meaning", "what it means, and what to try")?;
            let meaning = meaning.text()?.to_owned();
            entry.finish()?;
            refusals.push(Refusal { answer, meaning });
        }
    }
    let longest = section.maybe("answer_len_max");
    let longest = longest.map_or(Ok(ANSWER_LEN_USUAL), |field| field.small(1, ANSWER_LEN_MAX))?;
    let timing = timing(&mut section)?;
    section.finish()?;
    let answer_len_max = longest.into();
    let text =
        TextProtocol { write_end, address_prefix, warm_up, identity, refusals, answer_len_max };
    Ok((text, timing))
}

/// `A000_`: one row of zeros, which stands for the digits of the address.
fn prefix(field: &Field<'_>) -> Result<String, ProfileError> {
    let text = line(field)?;
    let zeros = text.chars().filter(|char| *char == '0').count();
    if !(1..=3).contains(&zeros) || !text.contains(&"0".repeat(zeros)) {
        return Err(field.refuse("must have one row of 1 to 3 zeros for the address: \"A000_\""));
    }
    Ok(text)
}

/// A text that can be sent as one line.
pub(crate) fn line(field: &Field<'_>) -> Result<String, ProfileError> {
    let text = field.text()?;
    if text.chars().all(|char| char == ' ' || char.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(field.refuse("must be plain ASCII in one line; line ends are added by write_end"))
}

fn lines(field: &Field<'_>) -> Result<Vec<String>, ProfileError> {
    texts(field)?;
    field.list()?.iter().map(line).collect()
}

fn modbus(mut section: Section<'_>) -> Result<(Modbus, Timing), ProfileError> {
    let codes = section.need("function_codes", "the function codes that the device answers")?;
    let mut function_codes = Vec::new();
    for item in codes.list()? {
        let code = item.small(1, 127)?;
        let known = FUNCTIONS.into_iter().find(|known| u16::from(*known) == code);
        function_codes.push(known.ok_or_else(|| {
            item.refuse("this program can send functions 1, 2, 3, 4, 5, 6 and 16")
        })?);
    }
    let limit = |field: Option<Field<'_>>, most| match field {
        Some(field) => field.small(1, most),
        None => Ok(most),
    };
    let words_per_read_max = limit(section.maybe("words_per_read_max"), WORDS_PER_READ_MAX)?;
    let bits_per_read_max = limit(section.maybe("bits_per_read_max"), BITS_PER_READ_MAX)?;
    let timing = timing(&mut section)?;
    let rule = "may function 17 (Report Server ID) be sent to it? true or false";
    let report_server_id = section.need("report_server_id", rule)?.boolean()?;
    section.finish()?;
    let modbus = Modbus { function_codes, words_per_read_max, bits_per_read_max, report_server_id };
    Ok((modbus, timing))
}
