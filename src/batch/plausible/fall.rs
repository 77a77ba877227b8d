//! A bath reading that falls in one step and stays down hides how hot the bath is: the controller
//! heats until the reading is back, and the milk is cooked. One sample cuts nothing here (see
//! [`super::jump`]); five that agree fail the batch, because nobody can say what the bath is now.

use holder_hal::Tick;

/// No bath with milk in it falls so far from one sample to the next, K: a leaking cold water valve
/// takes 0.7 K/s, the walls of 69 cold bottles 1.7 K within seconds (PLANT). A smaller fall leaves
/// the milk below the ceiling of 66 °C, since a bath is clamped at 63.5 °C.
const FALL_K: f64 = 2.0;
/// Samples further apart than this show no step, milliseconds.
const APART_MS_MAX: u64 = 2_500;
/// A reading that is back within this share of the fall was a spike.
const BACK_SHARE: f64 = 0.75;
/// So many samples that stay down agree.
const AGREE: u32 = 5;

/// The watcher of the bath.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fall {
    last: Option<(Tick, f64)>,
    /// Above this the reading is back, and how many samples were not.
    down: Option<(f64, u32)>,
    stays: bool,
}

impl Fall {
    /// Takes in a sample, °C.
    pub(super) fn sample(&mut self, now: Tick, value: f64) {
        let near = self.last.filter(|(at, _)| now.ms_since(*at) <= APART_MS_MAX);
        self.last = Some((now, value));
        self.down = match self.down {
            Some((back, count)) if value < back => Some((back, count + 1)),
            Some(_) => None,
            None => near
                .map(|(_, from)| (from, from - value))
                .filter(|(_, fall_k)| *fall_k > FALL_K)
                .map(|(from, fall_k)| (from - BACK_SHARE * fall_k, 1)),
        };
        self.stays |= self.down.is_some_and(|(_, count)| count >= AGREE);
    }

    /// Whether the reading fell and stayed down.
    pub(super) const fn stays(&self) -> bool {
        self.stays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether these samples, a second apart, are a fall that stays.
    fn stays(samples: &[f64]) -> bool {
        let mut fall = Fall::default();
        for (second, value) in (0..).zip(samples) {
            fall.sample(Tick::from_ms(second * 1000), *value);
        }
        fall.stays()
    }

    #[test]
    fn a_fall_of_more_than_two_kelvin_that_lasts_five_samples_stays() {
        assert!(stays(&[63.0, 60.9, 60.9, 60.9, 61.0, 61.0]));
        assert!(!stays(&[63.0, 60.9, 60.9, 60.9, 61.0]), "four samples");
        assert!(!stays(&[63.0, 61.0, 61.0, 61.0, 61.0, 61.0, 61.0]), "two kelvin are no such fall");
    }

    #[test]
    fn a_spike_and_a_fall_that_real_water_makes_do_not_stay() {
        assert!(!stays(&[63.0, 59.0, 59.0, 63.0, 63.0, 63.0, 63.0]), "a spike");
        assert!(
            !stays(&[63.0, 59.0, 59.0, 59.0, 60.1, 59.0, 63.0]),
            "it came back by more than a quarter"
        );
        // Three quarters of 4 K.
        assert!(!stays(&[64.0, 60.0, 60.0, 60.0, 60.0, 61.0]));
        assert!(stays(&[64.0, 60.0, 60.0, 60.0, 60.0, 60.99]));
        let leak: Vec<f64> = (0..20).map(|second| 63.0 - 0.7 * f64::from(second)).collect();
        assert!(!stays(&leak), "0.7 K/s");
    }

    #[test]
    fn what_was_not_watched_is_no_step() {
        let mut fall = Fall::default();
        fall.sample(Tick::from_ms(0), 63.0);
        for second in 0..9 {
            fall.sample(Tick::from_ms(2_501 + second * 1000), 58.0);
        }
        assert!(!fall.stays());
    }
}
