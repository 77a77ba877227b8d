//! Heat needs a permit: what is not in the record is not heated.

use holder_hal::{Command, Heat, Tick};

/// Grants heat only while the record keeps up.
#[derive(Clone, Copy, Debug)]
pub struct HeatPermit {
    lasts_ms: u64,
    newest_committed: Option<Tick>,
}

impl HeatPermit {
    /// No permit yet: nothing was committed. A committed sample permits heat for `lasts_ms`: one
    /// control period.
    pub fn new(lasts_ms: u64) -> Self {
        Self { lasts_ms, newest_committed: None }
    }

    /// The store acknowledged the sample of this moment.
    pub fn committed(&mut self, at: Tick) {
        self.newest_committed = self.newest_committed.max(Some(at));
    }

    /// The command as it may be sent now: unchanged if the newest committed sample is at most
    /// one period old, without heat otherwise (DESIGN, "Heat needs a permit").
    pub fn grant(&self, now: Tick, command: Command) -> Command {
        let is_fresh = self.newest_committed.is_some_and(|at| now.ms_since(at) <= self.lasts_ms);
        if is_fresh { command } else { Command { heat: Heat::Off, ..command } }
    }

    /// What of a command goes to the machine *before* its step is in the record: one without
    /// heat, which never waits for a disk.
    pub fn before_the_disk(command: Command) -> Option<Command> {
        (!command.heats()).then_some(command)
    }

    /// What of it goes *after* the record was given its time: one that heats, as far as it is
    /// granted. Together the two are the order of every turn, live and in the soak.
    pub fn after_the_disk(&self, now: Tick, command: Command) -> Option<Command> {
        command.heats().then(|| self.grant(now, command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holder_hal::Celsius;

    const WARM: Command = Command {
        heat: Heat::Setpoint(Celsius::from_milli(63_500)),
        agitator: true,
        cooling: false,
    };

    /// REQ-HEAT-03
    #[test]
    fn without_a_committed_sample_there_is_no_heat() {
        let permit = HeatPermit::new(1000);
        assert!(!permit.grant(Tick::from_ms(0), WARM).heats());
    }

    /// REQ-HEAT-03
    #[test]
    fn heat_lasts_one_period_beyond_the_newest_committed_sample() {
        let mut permit = HeatPermit::new(1000);
        permit.committed(Tick::from_ms(5_000));
        permit.committed(Tick::from_ms(4_000));
        assert_eq!(permit.grant(Tick::from_ms(6_000), WARM), WARM);
        let cut = permit.grant(Tick::from_ms(6_001), WARM);
        assert_eq!(cut, Command { heat: Heat::Off, ..WARM }, "agitator and valve are untouched");
    }
}
