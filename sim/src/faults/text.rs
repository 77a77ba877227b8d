//! The text form of a fault: `name:key=value,key=value`.

use core::cell::RefCell;
use core::fmt;
use core::ops::RangeInclusive;
use core::str::FromStr;

use super::{Asking, FaultError, FaultKind, FaultSpec, Often};

const KINDS: &str = "silence, late, slow, short, long, duplicate, fewer, more, wrong-unit, \
                     wrong-function, wrong-address, wrong-transaction, bad-crc, exception, echo, \
                     noise, unplug";

/// The longest delay: ten minutes.
const DELAY_MS: RangeInclusive<u32> = 1..=600_000;
/// No frame of Modbus is longer.
const FRAME_BYTES: RangeInclusive<u16> = 1..=260;
const READ_WORDS: RangeInclusive<u8> = 1..=125;
/// A day.
const SECONDS_MAX: u64 = 86_400;
const PPM: f64 = 1e6;

/// The settings of one text; remembers which were asked for, so that it can name them.
struct Settings<'a> {
    text: &'a str,
    name: &'a str,
    given: Vec<(&'a str, &'a str)>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Settings<'a> {
    fn of(text: &'a str) -> Result<Self, FaultError> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let pairs = rest.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let given: Vec<(&str, &str)> = pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (key.trim(), value.trim()))
            .collect();
        let settings = Self { text, name: name.trim(), given, known: RefCell::default() };
        for (index, (key, _)) in settings.given.iter().enumerate() {
            if settings.given.iter().take(index).any(|(other, _)| other == key) {
                return Err(settings.refused(key, "is given twice".to_owned()));
            }
        }
        Ok(settings)
    }

    fn refused(&self, key: &str, rule: String) -> FaultError {
        FaultError::Value { text: self.text.to_owned(), key: key.to_owned(), rule }
    }

    fn get(&self, key: &'static str) -> Option<&'a str> {
        self.known.borrow_mut().push(key);
        self.given.iter().find(|(given, _)| *given == key).map(|(_, value)| *value)
    }

    fn number<T>(
        &self,
        key: &'static str,
        may_be: RangeInclusive<T>,
    ) -> Result<Option<T>, FaultError>
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| may_be.contains(number));
        let rule = || {
            format!("must be a number from {} to {}, not {value:?}", may_be.start(), may_be.end())
        };
        number.map(Some).ok_or_else(|| self.refused(key, rule()))
    }

    fn must<T>(&self, key: &'static str, may_be: RangeInclusive<T>) -> Result<T, FaultError>
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let rule = format!("is missing: a number from {} to {}", may_be.start(), may_be.end());
        self.number(key, may_be)?.ok_or_else(|| self.refused(key, rule))
    }

    fn word<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, FaultError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning);
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let rule = || format!("must be {}, not {value:?}", known.join(" or "));
        found.map(Some).ok_or_else(|| self.refused(key, rule()))
    }

    /// Seconds with at most three decimals, as milliseconds.
    fn seconds(&self, key: &'static str) -> Result<Option<u64>, FaultError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let ms = millis(value.strip_suffix('s').unwrap_or(value));
        let rule = || format!("must be seconds from 0 to {SECONDS_MAX}, such as 5s, not {value:?}");
        ms.filter(|ms| *ms <= SECONDS_MAX * 1000).map(Some).ok_or_else(|| self.refused(key, rule()))
    }

    fn kind(&self) -> Result<FaultKind, FaultError> {
        Ok(match self.name {
            "silence" => FaultKind::Silence,
            "late" => {
                let ms = self.must("ms", DELAY_MS)?;
                let ms_max = self.number("to", ms..=*DELAY_MS.end())?.unwrap_or(ms);
                FaultKind::Late { ms, ms_max }
            }
            "slow" => match self.number("baud", 50..=921_600)? {
                Some(baud) => FaultKind::SlowLine { baud },
                None => FaultKind::Slow { ms: self.must("ms", DELAY_MS)? },
            },
            "short" => FaultKind::Short { bytes: self.must("bytes", FRAME_BYTES)? },
            "long" => FaultKind::Long { bytes: self.must("bytes", FRAME_BYTES)? },
            "duplicate" => FaultKind::Duplicate,
            "fewer" => FaultKind::Fewer { words: self.must("words", READ_WORDS)? },
            "more" => FaultKind::More { words: self.must("words", READ_WORDS)? },
            "wrong-unit" => FaultKind::WrongUnit,
            "wrong-function" => FaultKind::WrongFunction,
            "wrong-address" => FaultKind::WrongAddress,
            "wrong-transaction" => FaultKind::WrongTransaction,
            "bad-crc" => FaultKind::BadCrc,
            "exception" => FaultKind::Exception { code: self.must("code", 1..=255)? },
            "echo" => FaultKind::Echo,
            "noise" => {
                let inside = self.word("where", &[("before", false), ("inside", true)])?;
                let inside = inside.unwrap_or(false);
                FaultKind::Noise { bytes: self.must("bytes", FRAME_BYTES)?, inside }
            }
            "unplug" => FaultKind::Unplug,
            name => {
                let (text, name) = (self.text.to_owned(), name.to_owned());
                return Err(FaultError::Kind { text, name, known: KINDS.to_owned() });
            }
        })
    }

    fn often(&self) -> Result<Often, FaultError> {
        let every = self.number("every", 1..=1_000_000)?;
        let chance = self.number("chance", 0.000_001..=1.0)?;
        match (every, chance) {
            (None, None) => Ok(Often::Always),
            (Some(every), None) => Ok(Often::Every(every)),
            (None, Some(chance)) => Ok(Often::Chance { ppm: (chance * PPM).round() as u32 }),
            (Some(_), Some(_)) => {
                Err(self.refused("every", "and chance exclude each other".to_owned()))
            }
        }
    }

    fn nothing_left(&self) -> Result<(), FaultError> {
        let known = self.known.borrow();
        match self.given.iter().find(|(key, _)| !known.contains(key)) {
            None => Ok(()),
            Some((key, _)) => Err(FaultError::Key {
                text: self.text.to_owned(),
                name: self.name.to_owned(),
                key: (*key).to_owned(),
                known: known.join(", "),
            }),
        }
    }
}

/// Decimal seconds as milliseconds, exactly.
fn millis(seconds: &str) -> Option<u64> {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 3 {
        return None;
    }
    let part: u64 = format!("{part:0<3}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(part)
}

impl FromStr for FaultSpec {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let settings = Settings::of(text)?;
        let asking = [("read", Asking::Reads), ("write", Asking::Writes)];
        let spec = Self {
            kind: settings.kind()?,
            bus: settings.get("bus").map(str::to_owned),
            unit_id: settings.number("unit", 0..=255)?,
            asking: settings.word("on", &asking)?.unwrap_or_default(),
            often: settings.often()?,
            from_ms: settings.seconds("from")?.unwrap_or(0),
            for_ms: settings.seconds("for")?,
        };
        settings.nothing_left()?;
        Ok(spec)
    }
}

impl FaultKind {
    /// Its name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Late { .. } => "late",
            Self::Slow { .. } | Self::SlowLine { .. } => "slow",
            Self::Short { .. } => "short",
            Self::Long { .. } => "long",
            Self::Duplicate => "duplicate",
            Self::Fewer { .. } => "fewer",
            Self::More { .. } => "more",
            Self::WrongUnit => "wrong-unit",
            Self::WrongFunction => "wrong-function",
            Self::WrongAddress => "wrong-address",
            Self::WrongTransaction => "wrong-transaction",
            Self::BadCrc => "bad-crc",
            Self::Exception { .. } => "exception",
            Self::Echo => "echo",
            Self::Noise { .. } => "noise",
            Self::Unplug => "unplug",
        }
    }

    fn settings(self) -> Vec<String> {
        match self {
            Self::Late { ms, ms_max } if ms_max > ms => {
                vec![format!("ms={ms}"), format!("to={ms_max}")]
            }
            Self::Late { ms, .. } | Self::Slow { ms } => vec![format!("ms={ms}")],
            Self::SlowLine { baud } => vec![format!("baud={baud}")],
            Self::Short { bytes } | Self::Long { bytes } => vec![format!("bytes={bytes}")],
            Self::Fewer { words } | Self::More { words } => vec![format!("words={words}")],
            Self::Exception { code } => vec![format!("code={code}")],
            Self::Noise { bytes, inside } => {
                let place = if inside { "inside" } else { "before" };
                vec![format!("bytes={bytes}"), format!("where={place}")]
            }
            Self::Silence
            | Self::Duplicate
            | Self::WrongUnit
            | Self::WrongFunction
            | Self::WrongAddress
            | Self::WrongTransaction
            | Self::BadCrc
            | Self::Echo
            | Self::Unplug => Vec::new(),
        }
    }
}

impl fmt::Display for FaultSpec {
    /// The text that parses back to the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |ms: u64| format!("{}.{:03}", ms / 1000, ms % 1000);
        let mut settings = self.kind.settings();
        settings.extend(self.bus.as_ref().map(|bus| format!("bus={bus}")));
        settings.extend(self.unit_id.map(|unit_id| format!("unit={unit_id}")));
        match self.asking {
            Asking::Anything => {}
            Asking::Reads => settings.push("on=read".to_owned()),
            Asking::Writes => settings.push("on=write".to_owned()),
        }
        match self.often {
            Often::Always => {}
            Often::Every(every) => settings.push(format!("every={every}")),
            Often::Chance { ppm } => settings.push(format!("chance={}", f64::from(ppm) / PPM)),
        }
        if self.from_ms > 0 {
            settings.push(format!("from={}s", seconds(self.from_ms)));
        }
        settings.extend(self.for_ms.map(|for_ms| format!("for={}s", seconds(for_ms))));
        f.write_str(self.kind.name())?;
        if settings.is_empty() { Ok(()) } else { write!(f, ":{}", settings.join(",")) }
    }
}
