//! Whether what a bus has to carry in one control period fits into it.
//!
//! In a period every device is read, one of them may be dead and cost its time-out, and a command
//! may have to be written and read back. Three sums must fit: the readings into their share of the
//! period; readings and the longest time-out into the period; readings and the longest command
//! into the period. The time on the line follows from the baud rate, the silences from the
//! profiles; how long a device thinks is assumed, and `unit check` shows what it really took.

use super::ask::{self, Ask, asks};
use super::polled::{polled, roles};
use super::profile::Write;
use super::spec::{BusSpec, SpecError, UnitSpec};
use super::unit::{READING_TENTHS, TIMEOUTS_PER_PERIOD};
use super::url::{BusUrl, LineSettings};

/// How long a device thinks before it answers: over a socket, and on a serial line, in
/// microseconds. Controllers state 5 to 20 ms.
const THINKING_TCP_MICROS: u64 = 3_000;
const THINKING_SERIAL_MICROS: u64 = 10_000;

/// What one bus has to carry in one control period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schedule {
    /// All readings of all its devices, in milliseconds.
    pub readings_ms: u64,
    /// The longest time-out of its devices, in milliseconds.
    pub timeout_ms: u64,
    /// A command to every written role on it, read back, in milliseconds.
    pub commands_ms: u64,
}

impl Schedule {
    /// What does not fit into a period, in words.
    fn misfit(&self, period_ms: u64) -> Option<String> {
        let Self { readings_ms, timeout_ms, commands_ms } = *self;
        let share_ms = period_ms * READING_TENTHS / 10;
        if readings_ms > share_ms {
            return Some(format!(
                "reading its devices takes {readings_ms} ms, and {share_ms} ms are for it"
            ));
        }
        if readings_ms + timeout_ms > period_ms {
            return Some(format!(
                "reading its devices takes {readings_ms} ms, and {timeout_ms} ms more when one of \
                 them does not answer"
            ));
        }
        if readings_ms + commands_ms > period_ms {
            return Some(format!(
                "reading its devices takes {readings_ms} ms, and a command to all of them \
                 {commands_ms} ms"
            ));
        }
        None
    }
}

impl UnitSpec {
    /// What the bus of this name has to carry; `None` if there is none.
    pub fn schedule(&self, bus: &str) -> Option<Schedule> {
        let bus = self.buses().iter().find(|known| known.name == bus)?;
        let line = BusUrl::parse(&bus.url).ok()?.line;
        let members = || self.devices().iter().filter(|device| device.bus == bus.name);
        let gap_ms = members().map(|member| member.profile.timing().pause_between_requests_ms);
        let gap_micros = gap_ms.max().unwrap_or(0) * 1000;
        let spacing_ms = members().map(|member| member.profile.timing().pause_between_commands_ms);
        let spacing_micros = spacing_ms.max().unwrap_or(0) * 1000;
        let exchange_micros = |ask: &Ask| {
            let out_micros = line.map_or(0, |line| line.micros(ask.question_chars()));
            exchange_micros(line, gap_micros, ask.chars()).max(out_micros + spacing_micros)
        };
        let (mut readings_micros, mut commands_micros) = (0, 0);
        for member in members() {
            let wanted = polled(self, &member.name, &member.profile);
            let asked = asks(&member.profile, &wanted);
            readings_micros += asked.iter().map(&exchange_micros).sum::<u64>();
            for (role, index) in roles(self, &member.name, &member.profile) {
                let Some(point) = member.profile.points().get(index) else { continue };
                let Some(write) = point.write.as_ref().filter(|_| role.is_written()) else {
                    continue;
                };
                let proof = |write: &Write| {
                    let by = member.profile.point(&write.verify_point).and_then(ask::ask);
                    by.as_ref().map_or(0, exchange_micros)
                };
                // A write is about as long as the reading that proves it.
                commands_micros += 2 * proof(write);
                // What it needs is looked at before; what it needs once is no matter of each time.
                let needs = write.needs.iter().filter(|need| !need.once);
                let needs = needs.filter_map(|need| member.profile.point(&need.point));
                commands_micros +=
                    needs.filter_map(|point| point.write.as_ref()).map(proof).sum::<u64>();
            }
        }
        let usual_ms = self.period_ms() / TIMEOUTS_PER_PERIOD;
        let timeouts =
            members().map(|member| member.profile.timing().timeout_ms.unwrap_or(usual_ms));
        Some(Schedule {
            readings_ms: readings_micros.div_ceil(1000),
            timeout_ms: timeouts.max().unwrap_or(usual_ms),
            commands_ms: commands_micros.div_ceil(1000),
        })
    }

    pub(super) fn check_schedule(&self) -> Result<(), SpecError> {
        for BusSpec { name, url } in self.buses() {
            let Some(schedule) = self.schedule(name) else { continue };
            let Some(rule) = schedule.misfit(self.period_ms()) else { continue };
            let (unit, bus, url) = (self.name().to_owned(), name.clone(), url.clone());
            let period_ms = self.period_ms();
            return Err(SpecError::TooSlow { unit, bus, url, period_ms, rule });
        }
        Ok(())
    }
}

fn exchange_micros(line: Option<LineSettings>, gap_micros: u64, chars: u32) -> u64 {
    match line {
        None => gap_micros + THINKING_TCP_MICROS,
        // Each of question and answer is followed by a silence of 3.5 characters, if no more.
        Some(line) => {
            gap_micros.max(line.micros(4)) + line.micros(chars + 4) + THINKING_SERIAL_MICROS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::spec;
    use super::*;

    fn on(first: &str, second: &str, period_ms: u64) -> Result<UnitSpec, SpecError> {
        let good = spec("tcp://a:502", "tcp://b:502", false, 1000);
        let mut buses = good.buses().to_vec();
        first.clone_into(&mut buses[0].url);
        second.clone_into(&mut buses[1].url);
        let (devices, roles) = (good.devices().to_vec(), good.roles().to_vec());
        UnitSpec::new("pasteur", false, period_ms, buses, devices, roles)
    }

    #[test]
    fn a_usual_unit_fits_into_a_second_at_9600_baud() {
        let unit = on("rtu:///dev/a", "rtu:///dev/b", 1000).expect("fits");
        let schedule = unit.schedule("first").expect("the bus");
        assert_eq!(schedule.timeout_ms, 333);
        assert!((50..600).contains(&schedule.readings_ms), "{schedule:?}");
        assert!(unit.schedule("third").is_none());
    }

    #[test]
    fn a_line_that_is_too_slow_for_its_devices_is_refused_with_the_figures() {
        let refused = on("rtu:///dev/a", "rtu:///dev/b?baud=300", 1000).expect_err("too slow");
        let text = refused.to_string();
        assert!(text.contains("bus second (rtu:///dev/b?baud=300) is too slow"), "{text}");
        assert!(text.contains("reading its devices takes"), "{text}");
        assert!(on("rtu:///dev/a", "rtu:///dev/b", 200).is_err());
    }

    #[test]
    fn each_of_the_three_sums_can_be_the_one_that_does_not_fit() {
        let schedule = Schedule { readings_ms: 500, timeout_ms: 300, commands_ms: 400 };
        assert_eq!(schedule.misfit(1000), None);
        let misfit = |schedule: Schedule| schedule.misfit(1000).expect("does not fit");
        assert!(misfit(Schedule { readings_ms: 801, ..schedule }).contains("800 ms are for it"));
        assert!(misfit(Schedule { timeout_ms: 501, ..schedule }).contains("does not answer"));
        assert!(misfit(Schedule { commands_ms: 501, ..schedule }).contains("a command to all"));
    }
}
