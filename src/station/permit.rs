//! Heat needs a permit: what is not in the record is not heated.

use holder_hal::{Command, Heat, Tick};

use crate::batch::engine::Engine;
use crate::batch::event::Action;

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

    /// Whether the newest committed sample is at most one period old.
    pub fn is_fresh(&self, now: Tick) -> bool {
        self.newest_committed.is_some_and(|at| now.ms_since(at) <= self.lasts_ms)
    }

    /// The command as it may be sent now: unchanged if the newest committed sample is at most
    /// one period old, without heat otherwise (DESIGN, "Heat needs a permit").
    pub fn grant(&self, now: Tick, command: Command) -> Command {
        if self.is_fresh(now) { command } else { Command { heat: Heat::Off, ..command } }
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

/// So many readings in a row must be on the disk in time before heat is permitted again: what the
/// engine is told of it costs a slow disk two steps more each time.
const IN_TIME_MIN: u32 = 3;

/// What the engine is told of the permit. It watches what the machine makes of its heat, so it wants
/// none while none is let through: it is told right after the command that took the heat away, and
/// again right before the one that gives it back. So it never believes heat to be off that is on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Withheld {
    in_time: u32,
}

impl Withheld {
    /// What the engine must be told after a turn in which it `wanted` one command and the other was
    /// `sent`. `in_time`: whether the turn's reading was on the disk in time, if it had one.
    pub(crate) fn after(
        &mut self,
        engine: &Engine,
        (wanted, sent): (Command, Command),
        in_time: Option<bool>,
    ) -> Option<Action> {
        if wanted.heats() && !sent.heats() {
            self.in_time = 0;
            return Some(Action::Record { keeps_up: false });
        }
        if !engine.record_is_behind() || engine.phase().is_final() {
            return None;
        }
        match in_time {
            Some(true) => self.in_time += 1,
            Some(false) => self.in_time = 0,
            None => {}
        }
        (self.in_time >= IN_TIME_MIN).then_some(Action::Record { keeps_up: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::event::Input;
    use crate::batch::fixture;
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
    /// What is told after a reading that was on the disk in time or not.
    fn told(withheld: &mut Withheld, engine: &mut Engine, sent: Command, in_time: bool) -> bool {
        let wanted = if engine.record_is_behind() { COLD } else { WARM };
        let told = withheld.after(engine, (wanted, sent), Some(in_time));
        let is_told = told.is_some();
        if let Some(action) = told {
            engine.step(Tick::from_ms(0), Input::Operator(action));
        }
        is_told
    }

    const COLD: Command = Command { heat: Heat::Off, ..WARM };

    #[test]
    fn the_engine_is_told_at_once_that_heat_is_withheld_and_of_its_return_after_three_readings() {
        let mut engine = Engine::new(fixture::params()).expect("valid");
        let mut withheld = Withheld::default();
        assert!(!told(&mut withheld, &mut engine, WARM, true), "nothing is wrong");
        assert!(told(&mut withheld, &mut engine, COLD, false));
        assert!(engine.record_is_behind());
        let disk = [true, true, false, true, true];
        let said = disk.map(|in_time| told(&mut withheld, &mut engine, COLD, in_time));
        assert_eq!(said, [false; 5], "not three in a row");
        assert!(told(&mut withheld, &mut engine, COLD, true));
        assert!(!engine.record_is_behind());
        // Its command heats again, and the disk is late for that: told at once.
        assert!(told(&mut withheld, &mut engine, COLD, false));
        assert!(engine.record_is_behind());
        assert!(!told(&mut withheld, &mut engine, COLD, true), "and from the beginning");
    }
}
