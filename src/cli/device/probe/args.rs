//! What `holder device probe` is asked for, and whether it makes sense together.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use holder_hal::wire::probe::bare_point;
use holder_hal::wire::profile::{DataType, Entity, Point, Protocol};
use holder_hal::wire::{BusUrl, Framing, Profile};

use crate::cli::failure::Failure;

/// What is probed.
#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The bus, as it would stand in station.toml: tcp://192.168.1.20:502, rtu:///dev/…
    pub(super) url: String,
    /// Unit ids to ask: 1,5,10-20 [default: 1-247; 0, alone on its line, for devices of commands]
    #[arg(long, value_name = "IDS", value_parser = unit_ids)]
    ids: Option<Ids>,
    /// Read the points of this profile from every unit id that answers
    #[arg(long, value_name = "PROFILE")]
    pub(super) profile: Option<String>,
    /// Only this point of the profile
    #[arg(long, value_name = "POINT", requires = "profile")]
    point: Option<String>,
    /// Read a temperature at this address (0-based), without a profile
    #[arg(long, value_name = "N", conflicts_with = "profile")]
    address: Option<u16>,
    /// The table of --address
    #[arg(long, value_name = "TABLE", default_value = "holding", requires = "address")]
    table: Table,
    /// How the value at --address is laid out
    #[arg(long, value_name = "TYPE", default_value = "int16", requires = "address")]
    data_type: Layout,
    /// What one step of a whole number at --address is worth, °C
    #[arg(long, value_name = "SCALE", default_value_t = 0.1, requires = "address")]
    scale: f64,
    /// How long one answer may take, milliseconds
    #[arg(long, value_name = "MS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(20..=10_000))]
    pub(super) timeout_ms: u64,
    /// Keep all that goes over the wire in this new file, for `holder device replay`
    #[arg(long, value_name = "FILE")]
    pub(super) capture: Option<PathBuf>,
}

/// Unit ids, in rising order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ids(Vec<u8>);

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Table {
    Holding,
    Input,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Layout {
    Int16,
    Uint16,
    Int32,
    Float32,
}

fn unit_ids(text: &str) -> Result<Ids, String> {
    let shape = "write unit ids from 0 to 247 (or 255) as 1-247 or 1,5,10-20".to_owned();
    let id = |text: &str| {
        let id = text.trim().parse::<u8>().ok().filter(|id| matches!(id, 0..=247 | 255));
        id.ok_or_else(|| format!("{text:?} is no unit id; {shape}"))
    };
    let mut ids = Vec::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (id(from)?, id(to)?);
        if from > to {
            return Err(format!("{part:?} runs backwards; {shape}"));
        }
        ids.extend((from..=to).filter(|id| matches!(id, 0..=247 | 255)));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(Ids(ids))
}

impl ProbeArgs {
    /// The unit ids to ask.
    pub(super) fn ids(&self, profile: Option<&Profile>) -> Result<Vec<u8>, Failure> {
        let url = BusUrl::parse(&self.url);
        let url = url.map_err(|rule| Failure::Usage(format!("{}: {rule}", self.url)))?;
        let commands = match profile.map(Profile::protocol) {
            Some(Protocol::Text(_) | Protocol::HuberPb | Protocol::NeslabNc) => true,
            Some(Protocol::Modbus(_)) | None => false,
        };
        let fits = match url.framing {
            Framing::ModbusTcp | Framing::ModbusRtu => !commands,
            Framing::Commands => commands,
        };
        if !fits {
            let words = match url.framing {
                Framing::Commands => "name a profile of commands with --profile, such as julabo",
                Framing::ModbusTcp | Framing::ModbusRtu => {
                    "that profile speaks no Modbus: write serial:///dev/… or serial+tcp://host:port"
                }
            };
            return Err(Failure::Usage(format!("{}: {words}", self.url)));
        }
        match &self.ids {
            Some(Ids(ids)) if !commands && ids.first() == Some(&0) => Err(Failure::Usage(
                "--ids: 0 addresses every Modbus device at once, and none of them answers"
                    .to_owned(),
            )),
            Some(Ids(ids)) => Ok(ids.clone()),
            None if commands => Ok(vec![0]),
            None => Ok((1..=247).collect()),
        }
    }

    /// The points that are read from everybody who answers.
    pub(super) fn points(&self, profile: Option<&Profile>) -> Result<Vec<Point>, Failure> {
        if let Some(address) = self.address {
            let entity = match self.table {
                Table::Holding => Entity::HoldingRegister,
                Table::Input => Entity::InputRegister,
            };
            let (data_type, scale) = match self.data_type {
                Layout::Int16 => (DataType::Int16, self.scale),
                Layout::Uint16 => (DataType::Uint16, self.scale),
                Layout::Int32 => (DataType::Int32, self.scale),
                Layout::Float32 => (DataType::Float32, 1.0),
            };
            if !(1e-6..=100.0).contains(&scale) {
                return Err(Failure::Usage(format!(
                    "--scale {scale} must be from 0.000001 to 100"
                )));
            }
            return Ok(vec![bare_point(entity, address, data_type, (scale * 1e9).round() as i64)]);
        }
        let Some(profile) = profile else { return Ok(Vec::new()) };
        let readable = profile.points().iter().filter(|point| point.readable);
        let wanted = readable.filter(|p| self.point.as_ref().is_none_or(|name| *name == p.name));
        let points: Vec<Point> = wanted.cloned().collect();
        match &self.point {
            Some(name) if points.is_empty() => Err(Failure::refused(format!(
                "the profile {} has no point {name:?} that can be read; `holder device show {}` lists \
             them",
                profile.name(),
                profile.name()
            ))),
            Some(_) | None => Ok(points),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_ids_are_ranges_and_single_numbers_without_the_reserved_ones() {
        assert_eq!(unit_ids("1-3,5, 2"), Ok(Ids(vec![1, 2, 3, 5])).map_err(|e: String| e));
        assert_eq!(
            unit_ids("240-255").expect("good").0,
            [240, 241, 242, 243, 244, 245, 246, 247, 255]
        );
        for wrong in ["248", "5-1", "a", "", "1-"] {
            assert!(unit_ids(wrong).is_err(), "{wrong}");
        }
    }
}
