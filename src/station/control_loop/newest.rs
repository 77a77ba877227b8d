//! The newest ticks in the record, and since when nobody has added to it.

use holder_hal::Tick;

use crate::batch::event::Input;

/// The newest ticks in the record: a later input may not come before them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Newest {
    input: Option<Tick>,
    reading: Option<Tick>,
    /// Somebody watched then; nothing before the loop has begun.
    watched: Option<Tick>,
}

impl Newest {
    /// Of a batch that is taken up again: what comes now comes after its last input.
    pub(crate) const fn taken_up(last: Tick) -> Self {
        Self { input: Some(last), reading: Some(last), watched: None }
    }

    /// What is read now came after the newest input.
    pub(crate) fn read_after_input(&mut self) {
        self.reading = self.input;
    }

    /// The loop begins: what was before it is no absence of its own.
    pub(crate) fn watched_at(&mut self, now: Tick) {
        self.watched = Some(now);
    }

    /// For how long there was no input, milliseconds.
    pub(crate) fn unwatched_ms(&self, now: Tick) -> Option<u64> {
        self.watched.map(|watched| now.ms_since(watched))
    }

    /// `at`, or as much later as the record's order needs: inputs never go back, and two readings
    /// never share a millisecond.
    pub(crate) fn rise(&mut self, at: Tick, input: &Input) -> Tick {
        let at = at.max(self.input.unwrap_or_default());
        let at = match input {
            Input::Reading(_) => at.max(self.reading.map_or(at, |last| last.plus_ms(1))),
            Input::Operator(_) | Input::Wake => at,
        };
        self.input = Some(at);
        self.watched = self.watched.max(Some(at));
        if matches!(input, Input::Reading(_)) {
            self.reading = Some(at);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use holder_hal::Reading;

    use super::*;

    #[test]
    fn inputs_never_go_back_and_two_readings_never_share_a_millisecond() {
        let reading = Input::Reading(Reading::nothing(1, true));
        let mut newest = Newest::default();
        let mut rise = |at_ms, input: &Input| newest.rise(Tick::from_ms(at_ms), input).ms();
        assert_eq!(rise(0, &reading), 0);
        assert_eq!(rise(0, &reading), 1, "a late reading");
        assert_eq!(rise(500, &Input::Wake), 500);
        assert_eq!(rise(499, &Input::Wake), 500);
        assert_eq!(rise(400, &reading), 500, "asked for before the action, here after it");
        assert_eq!(rise(500, &reading), 501);
        assert_eq!(rise(1500, &reading), 1500);
    }

    #[test]
    fn nobody_watched_from_the_newest_input_on_or_from_the_begin_of_the_loop() {
        let tick = Tick::from_ms;
        let mut newest = Newest::taken_up(tick(1_000));
        assert_eq!(newest.unwatched_ms(tick(90_000)), None, "the loop has not begun");
        newest.watched_at(tick(90_000));
        assert_eq!(
            newest.unwatched_ms(tick(90_500)),
            Some(500),
            "the check before it is no absence"
        );
        newest.rise(tick(91_000), &Input::Wake);
        assert_eq!(newest.unwatched_ms(tick(151_000)), Some(60_000));
    }
}
