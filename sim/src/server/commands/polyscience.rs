//! A PolyScience: two capitals, CR only; `!` is done and `?` is not.

use super::{Circulator, Sight, degrees, milli};

/// What the set point can be.
const SETPOINT_MILLI: core::ops::RangeInclusive<i32> = -20_000..=110_000;

/// What a PolyScience has besides.
#[derive(Debug, Default)]
pub(super) struct PolyScience {
    /// It sends back what it hears before it answers.
    echo: bool,
}

impl PolyScience {
    /// The answer to a line. An LF in it, or small letters, and it does not know it.
    pub(super) fn say(
        &mut self,
        line: &str,
        circulator: &mut Circulator,
        sight: &Sight,
    ) -> Vec<u8> {
        let echo = if self.echo { format!("{line}\r") } else { String::new() };
        let answer = match line {
            "RT" => format!("{:+.1}", sight.bath_c),
            "RS" => format!("{:+.1}", degrees(circulator.setpoint_milli)),
            "RU" => "C".to_owned(),
            "RW" => u8::from(circulator.running).to_string(),
            _ => match self.set(line, circulator) {
                Some(()) => "!".to_owned(),
                None => "?".to_owned(),
            },
        };
        format!("{echo}{answer}\r").into_bytes()
    }

    fn set(&mut self, line: &str, circulator: &mut Circulator) -> Option<()> {
        match line {
            "SE0" | "SE1" => self.echo = line == "SE1",
            "SO0" | "SO1" => circulator.running = line == "SO1",
            _ => {
                let value = milli(line.strip_prefix("SS")?)?;
                circulator.setpoint_milli = Some(value).filter(|v| SETPOINT_MILLI.contains(v))?;
            }
        }
        Some(())
    }
}
