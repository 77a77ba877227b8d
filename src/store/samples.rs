//! One control period as columns of its row of `inputs`.
//!
//! [`Samples`] are what is stored and what is hashed, column by column: whatever somebody changes
//! in the table, also to something that no reading can be, shows in the hash.

use std::ops::Range;

use holder_hal::{
    Celsius, Command, Duty, Heat, MILK_PROBES_MAX, Quality, Reading, Sample, Switch, Tick,
};
use rusqlite::Statement;

use super::error::{StoreError, garbled};
use super::journal::Canon;
use super::model::Period;
use crate::batch::phase::PhaseName;

/// The columns, in the order of the schema, where their meaning stands.
const NAMES: [&str; COLUMNS] = [
    "phase",
    "bath_mc",
    "bath_age_ms",
    "bath_quality",
    "milk_1_mc",
    "milk_1_age_ms",
    "milk_1_quality",
    "milk_2_mc",
    "milk_2_age_ms",
    "milk_2_quality",
    "milk_3_mc",
    "milk_3_age_ms",
    "milk_3_quality",
    "milk_4_mc",
    "milk_4_age_ms",
    "milk_4_quality",
    "milk_5_mc",
    "milk_5_age_ms",
    "milk_5_quality",
    "milk_6_mc",
    "milk_6_age_ms",
    "milk_6_quality",
    "milk_7_mc",
    "milk_7_age_ms",
    "milk_7_quality",
    "milk_8_mc",
    "milk_8_age_ms",
    "milk_8_quality",
    "reference_mc",
    "reference_age_ms",
    "reference_quality",
    "lid",
    "lid_quality",
    "simulated",
    "heat",
    "setpoint_mc",
    "duty_permille",
    "agitator",
    "cooling",
];
pub(super) const COLUMNS: usize = 39;

// Where each begins. A probe has three columns: value, age, quality.
const PHASE: usize = 0;
const BATH: usize = 1;
const MILK: usize = 4;
const REFERENCE: usize = 28;
const LID: usize = 31;
const SIMULATED: usize = 33;
const HEAT: usize = 34;
const SETPOINT: usize = 35;
const DUTY: usize = 36;
const AGITATOR: usize = 37;
const COOLING: usize = 38;

const PROBE_COLUMNS: usize = 3;

/// The columns of the third milk probe and those after it, which few units have. They are not asked
/// for where no row has any of them: with two probes they are half of what is read.
const RARE: Range<usize> = MILK + 2 * PROBE_COLUMNS..REFERENCE;

/// The columns, in their order, with or without the rare ones.
fn columns(with_rare: bool) -> impl Iterator<Item = usize> {
    (0..COLUMNS).filter(move |column| with_rare || !RARE.contains(column))
}

/// Their names in SQL.
pub(super) fn names(with_rare: bool) -> String {
    columns(with_rare).map(|column| NAMES[column]).collect::<Vec<_>>().join(", ")
}

/// The names of the rare ones.
pub(super) fn rare_names() -> String {
    NAMES[RARE].join(", ")
}

const HEAT_OFF: i64 = 0;
const HEAT_BY_SETPOINT: i64 = 1;
const HEAT_BY_DUTY: i64 = 2;

/// The columns of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Samples([Option<i64>; COLUMNS]);

/// The stored number of a quality: its place in the contract's list.
fn quality_number(quality: Quality) -> i64 {
    Quality::ALL.iter().zip(0..).find(|(known, _)| **known == quality).map_or(-1, |(_, n)| n)
}

/// The stored number of a phase: its place in the order of a batch.
fn phase_number(phase: PhaseName) -> i64 {
    PhaseName::ALL.iter().zip(0..).find(|(known, _)| **known == phase).map_or(-1, |(_, n)| n)
}

/// What is at this place of a list that is stored by places.
fn at_place<T: Copy>(all: &[T], what: &str, number: i64) -> Result<T, StoreError> {
    let place = usize::try_from(number).ok();
    place
        .and_then(|place| all.get(place).copied())
        .ok_or_else(|| garbled(what, format!("unknown number {number}")))
}

impl Samples {
    /// Of an input that is no reading.
    pub(super) const NONE: Self = Self([None; COLUMNS]);

    /// Of one period.
    pub(super) fn of(reading: &Reading, command: &Command, phase: PhaseName) -> Self {
        let mut row = Self::NONE;
        let Reading { bath, milk, reference, lid, simulated } = reading;
        let Command { heat, agitator, cooling } = *command;
        row.put(PHASE, phase_number(phase));
        row.put_probe(BATH, Some(*bath));
        for (index, probe) in milk.iter().enumerate() {
            row.put_probe(MILK + index * PROBE_COLUMNS, *probe);
        }
        row.put_probe(REFERENCE, *reference);
        if let Some(Switch { on, quality }) = *lid {
            row.0[LID] = on.map(i64::from);
            row.put(LID + 1, quality_number(quality));
        }
        row.put(SIMULATED, i64::from(*simulated));
        match heat {
            Heat::Off => row.put(HEAT, HEAT_OFF),
            Heat::Setpoint(setpoint) => {
                row.put(HEAT, HEAT_BY_SETPOINT);
                row.put(SETPOINT, i64::from(setpoint.milli()));
            }
            Heat::Duty(duty) => {
                row.put(HEAT, HEAT_BY_DUTY);
                row.put(DUTY, i64::from(duty.permille()));
            }
        }
        row.put(AGITATOR, i64::from(agitator));
        row.put(COOLING, i64::from(cooling));
        row
    }

    fn put(&mut self, column: usize, value: i64) {
        self.0[column] = Some(value);
    }

    fn put_probe(&mut self, column: usize, probe: Option<Sample>) {
        if let Some(Sample { raw, age_ms, quality }) = probe {
            self.0[column] = raw.map(|raw| i64::from(raw.milli()));
            self.put(column + 1, i64::from(age_ms));
            self.put(column + 2, quality_number(quality));
        }
    }

    /// Adds itself to a hash.
    pub(super) fn hash(&self, canon: &mut Canon) {
        self.0.iter().for_each(|value| canon.int(*value));
    }

    /// The period that they tell of. What no period gives is an error: nothing is guessed.
    pub(super) fn period(&self, at: Tick) -> Result<Period, StoreError> {
        let mut milk = [None; MILK_PROBES_MAX];
        for (index, probe) in milk.iter_mut().enumerate() {
            *probe = self.probe(MILK + index * PROBE_COLUMNS)?;
        }
        let bath = self.probe(BATH)?;
        let reading = Reading {
            bath: bath.ok_or_else(|| garbled(NAMES[BATH + 2], "no value"))?,
            milk,
            reference: self.probe(REFERENCE)?,
            lid: self.lid()?,
            simulated: self.flag(SIMULATED)?,
        };
        let heat = self.heat()?;
        let command =
            Command { heat, agitator: self.flag(AGITATOR)?, cooling: self.flag(COOLING)? };
        let phase = at_place(&PhaseName::ALL, NAMES[PHASE], self.need(PHASE)?)?;
        Ok(Period { at, reading, command, phase })
    }

    fn need(&self, column: usize) -> Result<i64, StoreError> {
        self.0[column].ok_or_else(|| garbled(NAMES[column], "no value"))
    }

    /// A value that must fit its type, if there is one.
    fn number<T: TryFrom<i64, Error: std::fmt::Display>>(
        &self,
        column: usize,
    ) -> Result<Option<T>, StoreError> {
        self.0[column].map(T::try_from).transpose().map_err(|error| garbled(NAMES[column], error))
    }

    /// A value must be where something else says so, and nowhere else.
    fn only_if(&self, column: usize, is_there: bool) -> Result<(), StoreError> {
        match (self.0[column].is_some(), is_there) {
            (true, true) | (false, false) => Ok(()),
            (true, false) => Err(garbled(NAMES[column], "a value that belongs to nothing")),
            (false, true) => Err(garbled(NAMES[column], "no value")),
        }
    }

    fn flag(&self, column: usize) -> Result<bool, StoreError> {
        at_place(&[false, true], NAMES[column], self.need(column)?)
    }

    fn probe(&self, column: usize) -> Result<Option<Sample>, StoreError> {
        let raw = self.number(column)?.map(Celsius::from_milli);
        let age_ms = self.number(column + 1)?;
        self.only_if(column + 1, self.0[column + 2].is_some())?;
        match (age_ms, self.0[column + 2]) {
            (Some(age_ms), Some(quality)) => {
                let quality = at_place(&Quality::ALL, NAMES[column + 2], quality)?;
                Ok(Some(Sample { raw, age_ms, quality }))
            }
            (None, _) | (_, None) => self.only_if(column, false).map(|()| None),
        }
    }

    fn lid(&self) -> Result<Option<Switch>, StoreError> {
        let on = self.0[LID].map(|on| at_place(&[false, true], NAMES[LID], on)).transpose()?;
        match self.0[LID + 1] {
            None => self.only_if(LID, false).map(|()| None),
            Some(quality) => {
                let quality = at_place(&Quality::ALL, NAMES[LID + 1], quality)?;
                Ok(Some(Switch { on, quality }))
            }
        }
    }

    fn heat(&self) -> Result<Heat, StoreError> {
        let kind = self.need(HEAT)?;
        self.only_if(SETPOINT, kind == HEAT_BY_SETPOINT)?;
        self.only_if(DUTY, kind == HEAT_BY_DUTY)?;
        let setpoint = self.number(SETPOINT)?.map(Celsius::from_milli);
        let duty = self.number(DUTY)?.map(|permille| {
            Duty::from_permille(permille).ok_or_else(|| garbled(NAMES[DUTY], "above full power"))
        });
        match (setpoint, duty.transpose()?) {
            (Some(setpoint), None) => Ok(Heat::Setpoint(setpoint)),
            (None, Some(duty)) => Ok(Heat::Duty(duty)),
            (None, None) if kind == HEAT_OFF => Ok(Heat::Off),
            (None, None) | (Some(_), Some(_)) => {
                Err(garbled(NAMES[HEAT], format!("unknown number {kind}")))
            }
        }
    }

    /// Binds them to the parameters from `first` on, which are NULL before.
    pub(super) fn bind(&self, to: &mut Statement<'_>, first: usize) -> Result<(), StoreError> {
        for (place, value) in (first..).zip(self.0) {
            if let Some(value) = value {
                to.raw_bind_parameter(place, value)?;
            }
        }
        Ok(())
    }

    /// From a row of a query that gives [`columns`] from its column `first` on.
    pub(super) fn read(
        row: &rusqlite::Row<'_>,
        first: usize,
        with_rare: bool,
    ) -> Result<Self, StoreError> {
        let mut samples = Self::NONE;
        for (place, column) in (first..).zip(columns(with_rare)) {
            let value = row.get_ref(place)?.as_i64_or_null();
            samples.0[column] = value.map_err(|error| garbled(NAMES[column], error))?;
        }
        Ok(samples)
    }
}

/// A tick as it was stored.
pub(super) fn tick(tick_ms: i64) -> Result<Tick, StoreError> {
    let ms = u64::try_from(tick_ms).map_err(|error| garbled("tick", error))?;
    Ok(Tick::from_ms(ms))
}

#[cfg(test)]
mod tests;
