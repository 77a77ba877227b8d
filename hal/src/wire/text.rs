//! Lines of text to and fro: Julabo, LAUDA, PolyScience and their like, by their profile.
//!
//! A line is `[prefix]command[line end]`; an answer is one line, ended by CR, LF or CR LF. A
//! device with an address (RS485) puts the same prefix before its answer, so that an answer of
//! another device is known (manuals: LAUDA P 10 page 46, JULABO Magnum 91 page 65).

use super::error::CallFault;
use super::line::{LineEnd, LineQuery};
use super::profile::{Phrase, TextProtocol, TextWrite};

/// What stands before each line of the device with this address; nothing for 0.
pub(crate) fn prefix(text: &TextProtocol, address: u8) -> String {
    let Some(pattern) = text.address_prefix.as_ref().filter(|_| address > 0) else {
        return String::new();
    };
    let zeros = pattern.chars().filter(|char| *char == '0').count();
    pattern.replacen(&"0".repeat(zeros), &format!("{address:0zeros$}"), 1)
}

/// A command to the device with this address.
pub(crate) fn query(text: &TextProtocol, address: u8, command: &str, answers: bool) -> LineQuery {
    let line = format!("{}{command}{}", prefix(text, address), text.write_end);
    let end =
        if answers { LineEnd::Text { len_max: text.answer_len_max } } else { LineEnd::NoAnswer };
    LineQuery { send: line.into_bytes(), end }
}

/// What an answer says, without prefix.
///
/// # Errors
/// `Rejected` for an answer that means no, `Foreign` for one of another device or of no text.
pub(crate) fn answer(text: &TextProtocol, address: u8, line: &[u8]) -> Result<String, CallFault> {
    let foreign = |misfit: String| CallFault::Foreign { misfit, got: shown(line) };
    let plain = |byte: &u8| *byte == b' ' || *byte == b'\t' || byte.is_ascii_graphic();
    let Some(line) = str::from_utf8(line).ok().filter(|line| line.bytes().all(|b| plain(&b)))
    else {
        return Err(foreign("not plain text: are speed, parity and data bits right?".to_owned()));
    };
    let prefix = prefix(text, address);
    let Some(said) = line.strip_prefix(&prefix) else {
        return Err(foreign(format!("does not begin with {prefix:?}")));
    };
    let said = said.trim();
    match text.refusals.iter().find(|refusal| means(&refusal.answer, said)) {
        Some(refusal) => {
            let (answer, meaning) = (said.to_owned(), refusal.meaning.clone());
            Err(CallFault::Rejected { answer, meaning })
        }
        None => Ok(said.to_owned()),
    }
}

fn means(pattern: &str, said: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => said.starts_with(start),
        None => said == pattern,
    }
}

/// The command that writes `value`, or that switches on or off.
pub(crate) fn phrase(write: &TextWrite, value: &str, on: bool) -> String {
    match &write.phrase {
        Phrase::Value(command) => command.replacen("{}", value, 1),
        Phrase::Switch { on: command, .. } if on => command.clone(),
        Phrase::Switch { off, .. } => off.clone(),
    }
}

/// Bytes as a technician can read them: as text if they are, and in hex.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("\"{}\" ({})", bytes.escape_ascii(), hex.join(" "))
}
