//! The running mean of one probe, as the engine sees it: ten seconds of good readings.

use std::collections::VecDeque;

use holder_hal::{Celsius, Tick};

/// The good, corrected readings of one probe within the averaging span.
#[derive(Clone, Debug)]
pub(super) struct Window {
    span_ms: u64,
    readings: VecDeque<(Tick, Celsius)>,
    sum_milli: i64,
    last_good: Option<Tick>,
    good_before: Option<Tick>,
}

impl Window {
    /// Readings a window keeps at most: a span of 60 s at the fastest period of 200 ms.
    const READINGS_MAX: usize = 300;

    /// An empty window over the last `span_ms` milliseconds.
    pub(super) fn new(span_ms: u64) -> Self {
        Self {
            span_ms,
            readings: VecDeque::with_capacity(16),
            sum_milli: 0,
            last_good: None,
            good_before: None,
        }
    }

    /// Takes in a reading that can be trusted.
    pub(super) fn push(&mut self, now: Tick, value: Celsius) {
        if self.readings.len() == Self::READINGS_MAX {
            self.pop();
        }
        self.readings.push_back((now, value));
        self.sum_milli += i64::from(value.milli());
        self.good_before = self.last_good.replace(now);
    }

    /// Forgets every reading.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.span_ms);
    }

    /// Forgets what is older than the span.
    pub(super) fn expire(&mut self, now: Tick) {
        while self.readings.front().is_some_and(|(at, _)| now.ms_since(*at) >= self.span_ms) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((_, value)) = self.readings.pop_front() {
            self.sum_milli -= i64::from(value.milli());
        }
    }

    /// The mean, rounded down: `mean >= limit` then holds exactly when the true mean does,
    /// since a limit is a whole number of millidegrees.
    pub(super) fn mean_low(&self) -> Option<Celsius> {
        self.mean(|sum, count| sum.div_euclid(count))
    }

    /// The mean, rounded up, for comparison with a ceiling.
    pub(super) fn mean_high(&self) -> Option<Celsius> {
        self.mean(|sum, count| -(-sum).div_euclid(count))
    }

    fn mean(&self, divide: impl Fn(i64, i64) -> i64) -> Option<Celsius> {
        let count = i64::try_from(self.readings.len()).ok().filter(|count| *count > 0)?;
        // A mean of i32 values fits an i32.
        i32::try_from(divide(self.sum_milli, count)).ok().map(Celsius::from_milli)
    }

    /// The newest reading in the span.
    pub(super) fn newest(&self) -> Option<Celsius> {
        self.readings.back().map(|(_, value)| *value)
    }

    /// Milliseconds since the last reading that could be trusted, counted from `since` if there
    /// was none after it.
    pub(super) fn lost_ms(&self, now: Tick, since: Tick) -> u64 {
        now.ms_since(self.last_good.map_or(since, |good| good.max(since)))
    }

    /// Whether a reading could be trusted from this moment on.
    pub(super) fn is_read_since(&self, since: Tick) -> bool {
        self.last_good.is_some_and(|good| good >= since)
    }

    /// The gap in the readings that can be trusted, as of now: the one that lasts, or the one
    /// that a reading of this very moment has just closed.
    pub(super) fn gap_ms(&self, now: Tick, since: Tick) -> u64 {
        match self.last_good {
            Some(good) if good == now => {
                now.ms_since(self.good_before.map_or(since, |before| before.max(since)))
            }
            Some(_) | None => self.lost_ms(now, since),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_of_the_last_ten_seconds_and_rounds_against_us() {
        let mut window = Window::new(10_000);
        for second in 0..30_u64 {
            let now = Tick::from_ms(second * 1000);
            window.push(now, Celsius::from_milli(if second < 20 { 0 } else { 62_500 }));
            window.expire(now);
        }
        assert_eq!(window.mean_low(), Some(Celsius::from_milli(62_500)));
        window.push(Tick::from_ms(29_500), Celsius::from_milli(62_499));
        assert_eq!(window.mean_low(), Some(Celsius::from_milli(62_499)));
        assert_eq!(window.mean_high(), Some(Celsius::from_milli(62_500)));
    }

    #[test]
    fn a_probe_that_is_silent_for_the_whole_span_has_no_mean() {
        let mut window = Window::new(10_000);
        window.push(Tick::from_ms(0), Celsius::from_milli(62_500));
        window.expire(Tick::from_ms(10_000));
        assert_eq!(window.mean_low(), None);
        assert_eq!(window.lost_ms(Tick::from_ms(10_000), Tick::from_ms(4_000)), 6_000);
    }

    fn at(ms: u64) -> Tick {
        Tick::from_ms(ms)
    }

    #[test]
    fn a_gap_lasts_until_a_reading_closes_it_and_counts_from_the_beginning_at_the_earliest() {
        let mut window = Window::new(10_000);
        assert_eq!(window.gap_ms(at(9_000), at(4_000)), 5_000, "never a reading");
        window.push(at(10_000), Celsius::from_milli(0));
        assert_eq!(window.gap_ms(at(10_000), at(4_000)), 6_000, "the first one closes it");
        window.push(at(13_000), Celsius::from_milli(0));
        assert_eq!(window.gap_ms(at(13_000), at(4_000)), 3_000);
        assert_eq!(window.gap_ms(at(13_000), at(12_000)), 1_000);
        assert_eq!(window.gap_ms(at(15_000), at(4_000)), 2_000, "and then the next one lasts");
    }

    #[test]
    fn a_window_keeps_300_readings_and_its_mean_is_of_those() {
        let mut window = Window::new(u64::MAX);
        window.push(at(0), Celsius::from_milli(3_000));
        for step in 1..300 {
            window.push(at(step), Celsius::from_milli(0));
        }
        assert_eq!(window.mean_low(), Some(Celsius::from_milli(10)), "3000 / 300");
        window.push(at(300), Celsius::from_milli(600));
        assert_eq!(window.mean_low(), Some(Celsius::from_milli(2)), "600 / 300");
        window.clear();
        assert_eq!((window.mean_low(), window.newest()), (None, None));
    }

    #[test]
    fn below_zero_the_means_round_apart_as_well() {
        let mut window = Window::new(10_000);
        window.push(at(0), Celsius::from_milli(-1));
        window.push(at(1), Celsius::from_milli(-2));
        assert_eq!(window.mean_low(), Some(Celsius::from_milli(-2)));
        assert_eq!(window.mean_high(), Some(Celsius::from_milli(-1)));
    }
}
