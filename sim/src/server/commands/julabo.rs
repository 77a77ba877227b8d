//! A Julabo: lower-case commands, silent to every `out_`, and a status that tells what was wrong.

use holder_hal::wire::SIMULATOR_MARKER;

use super::{Circulator, Sight, degrees, milli};

/// What the working temperature can be set to at all.
const RANGE_MILLI: (i32, i32) = (-50_000, 200_000);

/// What a Julabo has besides.
#[derive(Debug)]
pub(super) struct Julabo {
    /// Switched to remote control at its panel; only then it takes commands.
    pub(super) remote: bool,
    /// What the next `status` complains of.
    complaint: Option<&'static str>,
}

impl Default for Julabo {
    fn default() -> Self {
        Self { remote: true, complaint: None }
    }
}

impl Julabo {
    /// The answer to a command; `None` for the commands that get none.
    pub(super) fn say(
        &mut self,
        line: &str,
        circulator: &mut Circulator,
        sight: &Sight,
    ) -> Option<String> {
        let (command, parameter) = line.split_once(' ').unwrap_or((line, ""));
        if command.starts_with("out_") {
            self.complaint = self.set(command, parameter.trim(), circulator).err();
            return None;
        }
        Some(match command {
            "version" => format!("{SIMULATOR_MARKER} JULABO"),
            "status" => self.complaint.take().unwrap_or_else(|| self.state(circulator)).to_owned(),
            "in_pv_00" => format!("{:.2}", sight.bath_c),
            "in_pv_01" => format!("{:.0}", sight.duty_share * 100.0),
            "in_pv_02" => match sight.external_c {
                Some(external_c) => format!("{external_c:.2}"),
                None => "---.--".to_owned(),
            },
            "in_pv_03" => format!("{:.2}", sight.bath_c),
            "in_sp_00" => format!("{:.2}", degrees(circulator.setpoint_milli)),
            "in_sp_03" => format!("{:.2}", degrees(circulator.limit_milli)),
            "in_sp_06" => "0".to_owned(),
            "in_mode_05" => u8::from(circulator.running).to_string(),
            _ => {
                self.complaint = Some("-08 INVALID COMMAND");
                return None;
            }
        })
    }

    const fn state(&self, circulator: &Circulator) -> &'static str {
        match (self.remote, circulator.running) {
            (false, false) => "00 MANUAL STOP",
            (false, true) => "01 MANUAL START",
            (true, false) => "02 REMOTE STOP",
            (true, true) => "03 REMOTE START",
        }
    }

    fn set(
        &self,
        command: &str,
        parameter: &str,
        circulator: &mut Circulator,
    ) -> Result<(), &'static str> {
        if !self.remote {
            return Err("-09 COMMAND NOT ALLOWED IN CURRENT OPERATING MODE");
        }
        match command {
            "out_mode_05" => {
                circulator.running = match parameter {
                    "0" => false,
                    "1" => true,
                    _ => return Err("-08 INVALID COMMAND"),
                }
            }
            "out_sp_00" => {
                let value = in_range(parameter)?;
                if value > circulator.limit_milli {
                    return Err("-13 VALUE EXCEEDS TEMPERATURE LIMITS");
                }
                circulator.setpoint_milli = value;
            }
            "out_sp_03" => circulator.limit_milli = in_range(parameter)?,
            _ => return Err("-08 INVALID COMMAND"),
        }
        Ok(())
    }
}

fn in_range(parameter: &str) -> Result<i32, &'static str> {
    match milli(parameter) {
        None => Err("-08 INVALID COMMAND"),
        Some(value) if value < RANGE_MILLI.0 => Err("-10 VALUE TOO SMALL"),
        Some(value) if value > RANGE_MILLI.1 => Err("-11 VALUE TOO LARGE"),
        Some(value) => Ok(value),
    }
}
