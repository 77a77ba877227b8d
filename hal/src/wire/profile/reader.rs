//! Walks a TOML document and keeps every value tied to its place in the file.
//!
//! A *section* is one table; it remembers which keys were asked for, so that `finish` can refuse
//! the others and name the nearest known one. A *field* is one value with its full key.

use std::fmt::Display;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::error::ProfileError;

/// The file that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

impl Source<'_> {
    pub(crate) fn line(self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|byte| **byte == b'\n').count()
    }

    fn error(self, offset: usize, key: String, value: String, rule: String) -> ProfileError {
        ProfileError { file: self.file.to_owned(), line: self.line(offset), key, value, rule }
    }

    pub(crate) fn syntax(self, error: &toml::de::Error) -> ProfileError {
        let offset = error.span().map_or(0, |span| span.start);
        let line = self.text.lines().nth(self.line(offset).saturating_sub(1)).unwrap_or_default();
        let key = line.split(['=', '#']).next().unwrap_or_default().trim().to_owned();
        let value = line.split_once('=').map(|(_, value)| value.trim().to_owned());
        let rule = format!("this is not TOML: {}", error.message());
        self.error(offset, key, value.unwrap_or_default(), rule)
    }
}

/// The word out of `known` that `word` was probably meant to be.
fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// One table of the file.
pub(crate) struct Section<'a> {
    source: Source<'a>,
    key: String,
    offset: usize,
    table: &'a DeTable<'a>,
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(crate) fn root(source: Source<'a>, table: &'a DeTable<'a>) -> Self {
        Self { source, key: String::new(), offset: 0, table, asked: Vec::new() }
    }

    /// Names this table by one of its values in later errors: `point.pv` instead of `point[0]`.
    pub(crate) fn rename(&mut self, key: String) {
        self.key = key;
    }

    fn full_key(&self, key: &str) -> String {
        if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) }
    }

    pub(crate) fn maybe(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.asked.push(key);
        let (_, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(Field { source: self.source, key: self.full_key(key), value })
    }

    pub(crate) fn need(
        &mut self,
        key: &'static str,
        rule: &str,
    ) -> Result<Field<'a>, ProfileError> {
        self.maybe(key).ok_or_else(|| self.missing(key, rule))
    }

    /// The error for a key that must be there; if a misspelt one is there, for that one.
    pub(crate) fn missing(&self, key: &str, rule: impl Display) -> ProfileError {
        let misspelt = self.table.iter().find(|(name, _)| {
            let name = name.get_ref().as_ref();
            !self.asked.contains(&name) && nearest(name, [key].into_iter()).is_some()
        });
        if let Some((name, value)) = misspelt {
            return self.unknown(name, value, &format!("did you mean `{key}`?"));
        }
        let rule = format!("is missing: {rule}");
        self.source.error(self.offset, self.full_key(key), String::new(), rule)
    }

    fn unknown(
        &self,
        name: &Spanned<DeString<'a>>,
        value: &'a Spanned<DeValue<'a>>,
        hint: &str,
    ) -> ProfileError {
        let field = Field { source: self.source, key: self.full_key(name.get_ref()), value };
        let rule = format!("unknown key; {hint}");
        self.source.error(name.span().start, field.key.clone(), field.written(), rule)
    }

    /// The tables of an array of tables; none if the key is absent.
    pub(crate) fn sections(&mut self, key: &'static str) -> Result<Vec<Self>, ProfileError> {
        let Some(field) = self.maybe(key) else { return Ok(Vec::new()) };
        field.list()?.iter().map(Field::section).collect()
    }

    /// Refuses every key that nobody asked for.
    pub(crate) fn finish(self) -> Result<(), ProfileError> {
        for (name, value) in self.table {
            let key = name.get_ref().as_ref();
            if self.asked.contains(&key) {
                continue;
            }
            let hint = match nearest(key, self.asked.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here are {}", self.asked.join(", ")),
            };
            return Err(self.unknown(name, value, &hint));
        }
        Ok(())
    }
}

/// One value of the file.
pub(crate) struct Field<'a> {
    source: Source<'a>,
    key: String,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Field<'a> {
    /// The value as the file has it: its first line, cut to a readable length.
    fn written(&self) -> String {
        let text = self.source.text.get(self.value.span()).unwrap_or_default();
        text.lines().next().unwrap_or_default().chars().take(60).collect()
    }

    pub(crate) fn refuse(&self, rule: impl Display) -> ProfileError {
        let offset = self.value.span().start;
        self.source.error(offset, self.key.clone(), self.written(), rule.to_string())
    }

    pub(crate) fn text(&self) -> Result<&'a str, ProfileError> {
        let text = self.value.get_ref().as_str().ok_or_else(|| self.refuse("must be a text"))?;
        if text.trim().is_empty() { Err(self.refuse("must not be empty")) } else { Ok(text) }
    }

    pub(crate) fn boolean(&self) -> Result<bool, ProfileError> {
        self.value.get_ref().as_bool().ok_or_else(|| self.refuse("must be true or false"))
    }

    pub(crate) fn integer(&self, low: i64, high: i64) -> Result<i64, ProfileError> {
        let rule = || self.refuse(format_args!("must be a whole number from {low} to {high}"));
        let integer = self.value.get_ref().as_integer().ok_or_else(rule)?;
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).map_err(|_| rule())?;
        if (low..=high).contains(&number) { Ok(number) } else { Err(rule()) }
    }

    /// One whole number, or a list of at least one.
    pub(crate) fn integers(&self, low: i64, high: i64) -> Result<Vec<i64>, ProfileError> {
        if self.value.get_ref().as_array().is_none() {
            return Ok(vec![self.integer(low, high)?]);
        }
        let numbers: Vec<i64> =
            self.list()?.iter().map(|item| item.integer(low, high)).collect::<Result<_, _>>()?;
        if numbers.is_empty() { Err(self.refuse("must not be empty")) } else { Ok(numbers) }
    }

    pub(crate) fn small(&self, low: u16, high: u16) -> Result<u16, ProfileError> {
        let number = self.integer(low.into(), high.into())?;
        u16::try_from(number).map_err(|_| self.refuse("must be a whole number from 0 to 65535"))
    }

    pub(crate) fn number(&self) -> Result<f64, ProfileError> {
        let value = self.value.get_ref();
        if value.is_integer() {
            // Within 2^53 every integer is exact as f64.
            return self.integer(-(1 << 53), 1 << 53).map(|number| number as f64);
        }
        let number = value.as_float().and_then(|float| float.as_str().parse::<f64>().ok());
        number.filter(|number| number.is_finite()).ok_or_else(|| self.refuse("must be a number"))
    }

    pub(crate) fn list(&self) -> Result<Vec<Self>, ProfileError> {
        let Some(array) = self.value.get_ref().as_array() else {
            return Err(self.refuse("must be a list: [ … ]"));
        };
        let item = |(index, value)| Field {
            source: self.source,
            key: format!("{}[{index}]", self.key),
            value,
        };
        Ok(array.iter().enumerate().map(item).collect())
    }

    pub(crate) fn section(&self) -> Result<Section<'a>, ProfileError> {
        let Some(table) = self.value.get_ref().as_table() else {
            return Err(self.refuse("must be a table: { … }"));
        };
        let offset = self.value.span().start;
        Ok(Section { source: self.source, key: self.key.clone(), offset, table, asked: Vec::new() })
    }

    /// The keys of a table that may have any, with their values.
    pub(crate) fn entries(&self) -> Result<Vec<(String, Self)>, ProfileError> {
        let Some(table) = self.value.get_ref().as_table() else {
            return Err(self.refuse("must be a table: { … }"));
        };
        let entry = |(name, value): (&Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>)| {
            let name = name.get_ref().as_ref();
            let key = format!("{}.{name}", self.key);
            (name.to_owned(), Field { source: self.source, key, value })
        };
        Ok(table.iter().map(entry).collect())
    }

    /// One word out of a closed vocabulary.
    pub(crate) fn word<T: Copy>(&self, known: &[(&'static str, T)]) -> Result<T, ProfileError> {
        let text = self.text()?;
        if let Some((_, value)) = known.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let hint = nearest(text, words.iter().copied());
        let hint = hint.map(|word| format!("; did you mean \"{word}\"?")).unwrap_or_default();
        Err(self.refuse(format_args!("must be one of {}{hint}", words.join(", "))))
    }

    /// A duration in Telegraf's manner, `"20ms"` or `"1s"`, in milliseconds.
    pub(crate) fn duration_ms(&self, ms_max: u64) -> Result<u64, ProfileError> {
        let text = self.text()?;
        let ms = match text.strip_suffix("ms") {
            Some(digits) => digits.trim().parse::<u64>().ok(),
            None => text
                .strip_suffix('s')
                .and_then(|digits| digits.trim().parse::<u64>().ok())
                .and_then(|seconds| seconds.checked_mul(1000)),
        };
        let rule = || self.refuse(format_args!("must be \"…ms\" or \"…s\", at most {ms_max} ms"));
        ms.filter(|ms| *ms <= ms_max).ok_or_else(rule)
    }
}
