//! A LAUDA thermostat: every command is answered, with a value, `OK` or `ERR_` and a number.

use holder_hal::wire::SIMULATOR_MARKER;

use super::{Circulator, Sight, degrees, milli};

const UNKNOWN_COMMAND: &str = "ERR_3";
const VALUE_SYNTAX: &str = "ERR_5";
const VALUE_NOT_ALLOWED: &str = "ERR_6";
const NO_PROBE: &str = "ERR_33";

/// What the set point can be.
const SETPOINT_MILLI: core::ops::RangeInclusive<i32> = -30_000..=120_000;

/// A LAUDA has nothing besides.
#[derive(Debug)]
pub(super) struct Lauda;

impl Lauda {
    /// The answer to a command. A space and `_` are the same to it.
    pub(super) fn say(&self, line: &str, circulator: &mut Circulator, sight: &Sight) -> String {
        let command = line.replace(' ', "_");
        if let Some(value) = command.strip_prefix("OUT_SP_00_") {
            return set(value, circulator).to_owned();
        }
        match command.as_str() {
            "TYPE" => format!("{SIMULATOR_MARKER} LAUDA"),
            "IN_PV_00" => format!("{:.2}", sight.bath_c),
            "IN_PV_10" => format!("{:.3}", sight.bath_c),
            "IN_PV_03" => match sight.external_c {
                Some(external_c) => format!("{external_c:.2}"),
                None => NO_PROBE.to_owned(),
            },
            "IN_SP_00" => format!("{:.2}", degrees(circulator.setpoint_milli)),
            "IN_SP_08" | "IN_MODE_06" | "STATUS" => "0".to_owned(),
            // 0 is on.
            "IN_MODE_02" => u8::from(!circulator.running).to_string(),
            "STAT" => "0000000".to_owned(),
            "START" | "STOP" => {
                circulator.running = command == "START";
                "OK".to_owned()
            }
            _ => UNKNOWN_COMMAND.to_owned(),
        }
    }
}

fn set(value: &str, circulator: &mut Circulator) -> &'static str {
    match milli(value) {
        None => VALUE_SYNTAX,
        Some(milli) if !SETPOINT_MILLI.contains(&milli) => VALUE_NOT_ALLOWED,
        Some(milli) => {
            circulator.setpoint_milli = milli;
            "OK"
        }
    }
}
