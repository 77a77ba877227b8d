//! One control period as rows.
//!
//! **Terms.** A *channel* is a number for one thing that was read or commanded (the list stands
//! in the schema); a *cell* is one channel of one period: one row.

use holder_hal::{
    Celsius, Command, Duty, Heat, MILK_PROBES_MAX, Quality, Reading, Sample, Switch, Tick,
};
use rusqlite::{Connection, params};

use super::error::{StoreError, garbled};
use super::journal::Canon;
use super::model::Period;
use crate::batch::phase::PhaseName;

const BATH: u8 = 0;
const MILK: u8 = 1;
const REFERENCE: u8 = 9;
const LID: u8 = 10;
const SIMULATED: u8 = 11;
const HEAT_OFF: u8 = 20;
const SETPOINT: u8 = 21;
const DUTY: u8 = 22;
const AGITATOR: u8 = 23;
const COOLING: u8 = 24;
const PHASE: u8 = 30;

/// One row of `samples`, without its batch and tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    channel: u8,
    value: Option<i32>,
    age_ms: u32,
    quality: Quality,
}

impl Cell {
    fn sample(channel: u8, sample: Sample) -> Self {
        let Sample { raw, age_ms, quality } = sample;
        Self { channel, value: raw.map(Celsius::milli), age_ms, quality }
    }

    fn known(channel: u8, value: i32) -> Self {
        Self { channel, value: Some(value), age_ms: 0, quality: Quality::Good }
    }

    fn as_sample(self) -> Sample {
        Sample {
            raw: self.value.map(Celsius::from_milli),
            age_ms: self.age_ms,
            quality: self.quality,
        }
    }

    /// Adds itself to a hash.
    pub(super) fn hash(&self, canon: &mut Canon) {
        canon.int(Some(i64::from(self.channel)));
        canon.int(self.value.map(i64::from));
        canon.int(Some(i64::from(self.age_ms)));
        canon.int(Some(quality_number(self.quality)));
    }

    fn flag(self) -> Result<Option<bool>, StoreError> {
        match self.value {
            None => Ok(None),
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(other) => Err(garbled("switch", other)),
        }
    }
}

/// The stored number of a quality: its place in the contract's list.
fn quality_number(quality: Quality) -> i64 {
    Quality::ALL.iter().zip(0..).find(|(known, _)| **known == quality).map_or(-1, |(_, n)| n)
}

/// The stored number of a phase: its place in the order of a batch.
fn phase_number(phase: PhaseName) -> i32 {
    PhaseName::ALL.iter().zip(0..).find(|(known, _)| **known == phase).map_or(-1, |(_, n)| n)
}

/// One period as cells, by channel.
pub(super) fn cells(reading: &Reading, command: &Command, phase: PhaseName) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(16);
    cells.push(Cell::sample(BATH, reading.bath));
    for (channel, probe) in (MILK..).zip(&reading.milk) {
        cells.extend(probe.map(|sample| Cell::sample(channel, sample)));
    }
    cells.extend(reading.reference.map(|sample| Cell::sample(REFERENCE, sample)));
    cells.extend(reading.lid.map(|lid| Cell {
        channel: LID,
        value: lid.on.map(i32::from),
        age_ms: 0,
        quality: lid.quality,
    }));
    cells.push(Cell::known(SIMULATED, i32::from(reading.simulated)));
    cells.push(match command.heat {
        Heat::Off => Cell::known(HEAT_OFF, 0),
        Heat::Setpoint(setpoint) => Cell::known(SETPOINT, setpoint.milli()),
        Heat::Duty(duty) => Cell::known(DUTY, i32::from(duty.permille())),
    });
    cells.push(Cell::known(AGITATOR, i32::from(command.agitator)));
    cells.push(Cell::known(COOLING, i32::from(command.cooling)));
    cells.push(Cell::known(PHASE, phase_number(phase)));
    cells
}

/// The period that these cells came from.
fn period(at: Tick, cells: &[Cell]) -> Result<Period, StoreError> {
    let get = |channel: u8| cells.iter().find(|cell| cell.channel == channel).copied();
    let need = |channel: u8| {
        get(channel).ok_or_else(|| {
            garbled(format!("period at {} ms", at.ms()), format!("channel {channel} is missing"))
        })
    };
    let value = |channel: u8| need(channel)?.value.ok_or_else(|| garbled("command", "no value"));
    let flag = |channel: u8| need(channel)?.flag()?.ok_or_else(|| garbled("switch", "no value"));
    let mut milk = [None; MILK_PROBES_MAX];
    for (channel, probe) in (MILK..).zip(&mut milk) {
        *probe = get(channel).map(Cell::as_sample);
    }
    let lid = get(LID).map(|cell| -> Result<Switch, StoreError> {
        Ok(Switch { on: cell.flag()?, quality: cell.quality })
    });
    let heat = if get(HEAT_OFF).is_some() {
        Heat::Off
    } else if get(SETPOINT).is_some() {
        Heat::Setpoint(Celsius::from_milli(value(SETPOINT)?))
    } else {
        let permille = u16::try_from(value(DUTY)?).ok();
        let duty = permille.and_then(Duty::from_permille);
        Heat::Duty(duty.ok_or_else(|| garbled("duty", "above full power"))?)
    };
    let phase = usize::try_from(value(PHASE)?).ok();
    Ok(Period {
        at,
        reading: Reading {
            bath: need(BATH)?.as_sample(),
            milk,
            reference: get(REFERENCE).map(Cell::as_sample),
            lid: lid.transpose()?,
            simulated: flag(SIMULATED)?,
        },
        command: Command { heat, agitator: flag(AGITATOR)?, cooling: flag(COOLING)? },
        phase: phase
            .and_then(|number| PhaseName::ALL.get(number).copied())
            .ok_or_else(|| garbled("phase", "unknown number"))?,
    })
}

/// Writes the cells of one period.
pub(super) fn insert(
    db: &Connection,
    batch: i64,
    tick_ms: i64,
    cells: &[Cell],
) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "INSERT INTO samples (batch, tick_ms, channel, value, age_ms, quality) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for cell in cells {
        let quality = quality_number(cell.quality);
        insert.execute(params![batch, tick_ms, cell.channel, cell.value, cell.age_ms, quality])?;
    }
    Ok(())
}

fn read_cell(row: &rusqlite::Row<'_>) -> Result<(i64, Cell), StoreError> {
    let quality: usize = row.get::<_, u8>(4)?.into();
    let quality = Quality::ALL.get(quality).copied();
    let cell = Cell {
        channel: row.get(1)?,
        value: row.get(2)?,
        age_ms: row.get(3)?,
        quality: quality.ok_or_else(|| garbled("quality", "unknown number"))?,
    };
    Ok((row.get(0)?, cell))
}

/// The cells of a batch in their order, period by period: one query for all of them.
pub(super) struct Cursor<'db> {
    rows: rusqlite::Rows<'db>,
    ahead: Option<(i64, Cell)>,
    tick_ms: Option<i64>,
    cells: Vec<Cell>,
}

impl<'db> Cursor<'db> {
    /// What [`Cursor::begin`] walks along, in the order of its key.
    pub(super) const SELECT: &'static str = "SELECT tick_ms, channel, value, age_ms, quality \
         FROM samples WHERE batch = ?1 AND tick_ms >= ?2 ORDER BY tick_ms, channel";

    /// At the first period from `from_ms` on, with [`Cursor::SELECT`] prepared.
    pub(super) fn begin(
        select: &'db mut rusqlite::Statement<'_>,
        batch: i64,
        from_ms: i64,
    ) -> Result<Self, StoreError> {
        let mut rows = select.query([batch, from_ms])?;
        let ahead = rows.next()?.map(read_cell).transpose()?;
        let mut cursor = Self { rows, ahead, tick_ms: None, cells: Vec::with_capacity(16) };
        cursor.advance()?;
        Ok(cursor)
    }

    /// To the next period, or to the end, where no tick is.
    fn advance(&mut self) -> Result<(), StoreError> {
        self.cells.clear();
        self.tick_ms = self.ahead.map(|(tick_ms, _)| tick_ms);
        while let Some((_, cell)) = self.ahead.filter(|(at_ms, _)| Some(*at_ms) == self.tick_ms) {
            self.cells.push(cell);
            self.ahead = self.rows.next()?.map(read_cell).transpose()?;
        }
        Ok(())
    }

    /// The cells of one tick, by channel; none for a tick before one that was asked for.
    pub(super) fn of_tick(&mut self, tick_ms: i64) -> Result<&[Cell], StoreError> {
        while self.tick_ms.is_some_and(|at_ms| at_ms < tick_ms) {
            self.advance()?;
        }
        Ok(if self.tick_ms == Some(tick_ms) { &self.cells } else { &[] })
    }
}

/// Every stored period of a batch, in order.
pub(super) fn periods(db: &Connection, batch: i64) -> Result<Vec<Period>, StoreError> {
    let mut select = db.prepare_cached(Cursor::SELECT)?;
    let mut cursor = Cursor::begin(&mut select, batch, i64::MIN)?;
    let mut periods = Vec::new();
    while let Some(tick_ms) = cursor.tick_ms {
        periods.push(period(tick(tick_ms)?, &cursor.cells)?);
        cursor.advance()?;
    }
    Ok(periods)
}

/// A tick as it was stored.
pub(super) fn tick(tick_ms: i64) -> Result<Tick, StoreError> {
    let ms = u64::try_from(tick_ms).map_err(|error| garbled("tick", error))?;
    Ok(Tick::from_ms(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Reading {
        let mut reading = Reading::nothing(2, true);
        reading.bath = Sample::good(Celsius::from_milli(-1));
        reading.milk[1] = Some(Sample {
            raw: Some(Celsius::from_milli(62_500)),
            age_ms: u32::MAX,
            quality: Quality::Stale,
        });
        reading
    }

    /// REQ-REC-01
    #[test]
    fn a_period_comes_back_exactly() {
        let off = Command::safe(true);
        let lids = [None, Some(None), Some(Some(true)), Some(Some(false))];
        let duty = Duty::from_permille(1000).expect("full power");
        let heats = [Heat::Off, Heat::Setpoint(Celsius::from_milli(0)), Heat::Duty(duty)];
        for (lid, heat) in lids.iter().flat_map(|lid| heats.map(|heat| (lid, heat))) {
            for (phase, quality) in PhaseName::ALL.into_iter().zip(Quality::ALL) {
                let reading = Reading {
                    lid: lid.map(|on| Switch { on, quality }),
                    reference: Some(Sample::missing(quality)),
                    ..reading()
                };
                let given = Period {
                    at: Tick::from_ms(7),
                    reading,
                    command: Command { heat, ..off },
                    phase,
                };
                let cells = cells(&given.reading, &given.command, given.phase);
                assert_eq!(period(given.at, &cells).expect("complete"), given);
                let once = cells.is_sorted_by(|one, next| one.channel < next.channel);
                assert!(once, "each channel once, in the stored order");
            }
        }
    }

    #[test]
    fn a_period_with_a_channel_missing_or_absurd_is_not_guessed() {
        let full = cells(&reading(), &Command::safe(false), PhaseName::Hold);
        for channel in [BATH, SIMULATED, HEAT_OFF, AGITATOR, COOLING, PHASE] {
            let mut less = full.clone();
            less.retain(|cell| cell.channel != channel);
            assert!(period(Tick::from_ms(0), &less).is_err(), "channel {channel}");
        }
        for (channel, value) in [(AGITATOR, 2), (PHASE, 8), (PHASE, -1)] {
            let mut wrong = full.clone();
            wrong.retain(|cell| cell.channel != channel);
            wrong.push(Cell::known(channel, value));
            assert!(period(Tick::from_ms(0), &wrong).is_err(), "channel {channel}");
        }
    }
}
