//! The journal: append-only entries, each with the SHA-256 of the one before.
//!
//! The hash covers every column of the entry and the previous hash, in a canonical form in which
//! no field can be taken for a part of its neighbour ([`Canon`]).

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::{StoreError, garbled, sql_int};
use crate::software::Software;

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// The hash before the first entry.
pub(super) const GENESIS: Hash = [0; 32];

/// Fewest hexadecimal digits of a hash that name an entry.
const PAPER_DIGITS_MIN: usize = 16;
/// Digits of a whole hash.
const PAPER_DIGITS_MAX: usize = 64;

/// Hashes fields in an unambiguous form: a presence byte, then 8 bytes of an integer or the
/// length (8 bytes, big-endian) and the bytes of a text.
///
/// The form is put together first and hashed as a whole: SHA-256 takes long over many small parts.
pub(super) struct Canon(Vec<u8>);

impl Canon {
    /// A new one; `domain` keeps hashes of different things apart.
    pub(super) fn new(domain: &str) -> Self {
        let mut canon = Self(Vec::with_capacity(512));
        canon.text(Some(domain));
        canon
    }

    /// Adds bytes.
    pub(super) fn bytes(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.0.push(0),
            Some(bytes) => {
                self.0.push(1);
                self.0.extend((bytes.len() as u64).to_be_bytes());
                self.0.extend(bytes);
            }
        }
    }

    /// Adds a text.
    pub(super) fn text(&mut self, text: Option<&str>) {
        self.bytes(text.map(str::as_bytes));
    }

    /// Adds an integer.
    pub(super) fn int(&mut self, value: Option<i64>) {
        match value {
            None => self.0.push(0),
            Some(value) => {
                let [a, b, c, d, e, f, g, h] = value.to_be_bytes();
                self.0.extend_from_slice(&[2, a, b, c, d, e, f, g, h]);
            }
        }
    }

    /// The hash of all that was added.
    pub(super) fn finish(self) -> Hash {
        Sha256::digest(&self.0).into()
    }
}

/// SHA-256 of a text as it is.
pub(crate) fn sha256(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// What an entry says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// What happened, in a few words.
    pub what: String,
    /// What it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Why, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The program that wrote it, where it begins, continues or closes a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Software>,
}

impl Body {
    /// An entry with nothing but words.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    /// With the state before.
    pub fn before(self, before: Value) -> Self {
        Self { before: Some(before), ..self }
    }

    /// With the state after.
    pub fn after(self, after: Value) -> Self {
        Self { after: Some(after), ..self }
    }

    /// With the reason.
    pub fn why(self, why: impl Into<String>) -> Self {
        Self { why: Some(why.into()), ..self }
    }

    /// With the name of this program.
    pub(super) fn by_this_program(self) -> Self {
        Self { program: Some(Software::this()), ..self }
    }
}

/// Entries that the store writes itself. Their words are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Station,
    User,
    Donor,
    Deposit,
    Pool,
    BatchStarted,
    BatchChanged,
    BatchClosed,
    Event,
    Action,
    ActionRefused,
    Seal,
    Remark,
    Clock,
    /// The station's own files, as they were when a backup took them along.
    StationFiles,
    Backup,
    Restored,
}

impl Kind {
    pub(super) const ALL: [Self; 17] = [
        Self::Station,
        Self::User,
        Self::Donor,
        Self::Deposit,
        Self::Pool,
        Self::BatchStarted,
        Self::BatchChanged,
        Self::BatchClosed,
        Self::Event,
        Self::Action,
        Self::ActionRefused,
        Self::Seal,
        Self::Remark,
        Self::Clock,
        Self::StationFiles,
        Self::Backup,
        Self::Restored,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Station => "station",
            Self::User => "user",
            Self::Donor => "donor",
            Self::Deposit => "deposit",
            Self::Pool => "pool",
            Self::BatchStarted => "batch-started",
            Self::BatchChanged => "batch-changed",
            Self::BatchClosed => "batch-closed",
            Self::Event => "event",
            Self::Action => "action",
            Self::ActionRefused => "action-refused",
            Self::Seal => "seal",
            Self::Remark => "remark",
            Self::Clock => "clock",
            Self::StationFiles => "station-files",
            Self::Backup => "backup",
            Self::Restored => "restored",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// On whose behalf, and when by the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// Wall-clock time, milliseconds since 1970 UTC.
    pub utc_ms: i64,
    /// Who: a user, or the program's part that acts by itself.
    pub who: &'a str,
}

/// Where an entry belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) kind: &'a str,
    pub(super) subject: &'a str,
    pub(super) batch: Option<&'a str>,
    pub(super) tick_ms: Option<u64>,
}

impl<'a> Place<'a> {
    /// Outside of any batch.
    pub(super) const fn of(kind: Kind, subject: &'a str) -> Self {
        Self { kind: kind.word(), subject, batch: None, tick_ms: None }
    }

    /// In a batch.
    pub(super) const fn in_batch(kind: Kind, batch: &'a str, tick_ms: Option<u64>) -> Self {
        Self { kind: kind.word(), subject: batch, batch: Some(batch), tick_ms }
    }
}

/// The newest entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 when the journal is empty.
    pub seq: i64,
    hash: Hash,
}

impl Head {
    /// Its hash, hexadecimal.
    pub fn hash(&self) -> String {
        hex(&self.hash)
    }

    /// The digits that a person typed from paper, in lower case without spaces around; `None`
    /// unless they are 16 to 64 hexadecimal digits, enough to name one entry.
    pub fn digits(typed: &str) -> Option<String> {
        let digits = typed.trim().to_lowercase();
        let enough = (PAPER_DIGITS_MIN..=PAPER_DIGITS_MAX).contains(&digits.len());
        (enough && digits.chars().all(|c| c.is_ascii_hexdigit())).then_some(digits)
    }
}

/// One row of the journal.
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) utc_ms: i64,
    pub(super) tick_ms: Option<i64>,
    pub(super) who: String,
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) batch: Option<String>,
    pub(super) body: String,
    pub(super) prev_hash: Hash,
    pub(super) hash: Hash,
}

impl Row {
    /// Column list that [`Row::read`] expects.
    pub(super) const COLUMNS: &'static str =
        "seq, utc_ms, tick_ms, who, kind, subject, batch, body, prev_hash, hash";

    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            utc_ms: row.get(1)?,
            tick_ms: row.get(2)?,
            who: row.get(3)?,
            kind: row.get(4)?,
            subject: row.get(5)?,
            batch: row.get(6)?,
            body: row.get(7)?,
            prev_hash: row.get(8)?,
            hash: row.get(9)?,
        })
    }

    /// The hash that its content has.
    pub(super) fn computed_hash(&self) -> Hash {
        let mut canon = Canon::new("holder journal 1");
        canon.int(Some(self.seq));
        canon.int(Some(self.utc_ms));
        canon.int(self.tick_ms);
        canon.text(Some(&self.who));
        canon.text(Some(&self.kind));
        canon.text(Some(&self.subject));
        canon.text(self.batch.as_deref());
        canon.text(Some(&self.body));
        canon.bytes(Some(&self.prev_hash));
        canon.finish()
    }

    pub(super) fn body(&self) -> Result<Body, StoreError> {
        serde_json::from_str(&self.body)
            .map_err(|error| garbled(format!("entry {}", self.seq), error))
    }
}

/// The newest entry.
pub(super) fn head(db: &Connection) -> Result<Head, StoreError> {
    let newest = db
        .prepare_cached("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok(Head { seq: row.get(0)?, hash: row.get(1)? }))
        .optional()?;
    Ok(newest.unwrap_or(Head { seq: 0, hash: GENESIS }))
}

/// Appends one entry. The caller holds a write transaction, so that the chain cannot fork.
pub(super) fn append(
    db: &Connection,
    stamp: Stamp<'_>,
    place: Place<'_>,
    body: &Body,
) -> Result<Head, StoreError> {
    super::station::check_who(stamp.who)?;
    let before = head(db)?;
    let tick_ms = place.tick_ms.map(|tick| sql_int("tick_ms", tick)).transpose()?;
    let body = serde_json::to_string(body).map_err(|error| garbled("entry", error))?;
    let mut row = Row {
        seq: before.seq + 1,
        utc_ms: stamp.utc_ms,
        tick_ms,
        who: stamp.who.to_owned(),
        kind: place.kind.to_owned(),
        subject: place.subject.to_owned(),
        batch: place.batch.map(str::to_owned),
        body,
        prev_hash: before.hash,
        hash: GENESIS,
    };
    row.hash = row.computed_hash();
    db.prepare_cached(
        "INSERT INTO journal (seq, utc_ms, tick_ms, who, kind, subject, batch, body, prev_hash, \
         hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        row.seq,
        row.utc_ms,
        row.tick_ms,
        row.who,
        row.kind,
        row.subject,
        row.batch,
        row.body,
        row.prev_hash,
        row.hash
    ])?;
    Ok(Head { seq: row.seq, hash: row.hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(fill: impl FnOnce(&mut Canon)) -> Hash {
        let mut canon = Canon::new("test");
        fill(&mut canon);
        canon.finish()
    }

    #[test]
    fn no_field_can_be_taken_for_a_part_of_its_neighbour() {
        let split = |a: &'static str, b: &'static str| {
            hash(|c| {
                c.text(Some(a));
                c.text(Some(b));
            })
        };
        assert_ne!(split("ab", "c"), split("a", "bc"));
        assert_ne!(hash(|c| c.text(None)), hash(|c| c.text(Some(""))));
        assert_ne!(hash(|c| c.int(None)), hash(|c| c.int(Some(0))));
        assert_ne!(hash(|c| c.int(Some(1))), hash(|c| c.bytes(Some(&1_i64.to_be_bytes()))));
    }

    #[test]
    fn the_hash_is_the_published_sha_256() {
        // FIPS 180-4 example, "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256("abc")), expected);
    }

    #[test]
    fn every_kind_has_its_own_word() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(kind));
        }
    }
}
