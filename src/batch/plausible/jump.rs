//! A step that physics cannot give. One sample cuts heat; the alarm needs five.

use holder_hal::Tick;

/// So far may one sample be from the one before it, K, and so much further with each second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    up_k: f64,
    up_k_s: f64,
    down_k: f64,
    down_k_s: f64,
    unread: Option<Unread>,
}

/// What a bottle may have become while nobody read it.
#[derive(Clone, Copy, Debug)]
struct Unread {
    /// The bath before and after the silence, °C.
    baths: [f64; 2],
    /// What noise and steps of the reading may add, K.
    step_k: f64,
}

impl Unread {
    /// Whether no bottle goes from one value to the other in this time.
    fn is_step(&self, from: f64, to: f64, elapsed_s: f64) -> bool {
        let share = 1.0 - (-elapsed_s / MILK_UNREAD_S).exp();
        let [one, other] = self.baths.map(|bath| from + (bath - from) * share);
        let lowest = one.min(other).min(from) - self.step_k;
        let highest = one.max(other).max(from) + self.step_k;
        !(lowest..=highest).contains(&to)
    }
}

impl Bounds {
    /// A bath: 7.8 kW in 28 l give 0.064 K/s; a leaking cold water valve takes 0.7 K/s, and the
    /// walls of 69 cold bottles 1.7 K within seconds (PLANT).
    pub(super) fn bath(resolution_k: f64) -> Self {
        Self {
            up_k: 1.0 + resolution_k,
            up_k_s: 0.3,
            down_k: 3.0 + resolution_k,
            down_k_s: 1.0,
            unread: None,
        }
    }

    /// Milk: the fastest control bottle of PLANT has a time constant of 250 s, bottles of half
    /// the milk about 190 s; three times as fast is not milk.
    pub(super) fn milk(resolution_k: f64, gap_k: Option<f64>) -> Self {
        let rate_k_s = gap_k.unwrap_or(GAP_UNKNOWN_K).max(1.0) / MILK_FASTEST_S;
        let step_k = 0.4 + 2.0 * resolution_k;
        let (up_k_s, down_k_s) = (rate_k_s, rate_k_s);
        Self { up_k: step_k, up_k_s, down_k: step_k, down_k_s, unread: None }
    }

    /// The same also over a silence, between whose ends the bath went from one of these to the
    /// other: a plug that is put back, with the probe in the bath, shows milk as warm as the bath.
    pub(super) fn over_silence(self, baths: Option<[f64; 2]>) -> Self {
        let step_k = self.up_k.max(self.down_k);
        Self { unread: baths.map(|baths| Unread { baths, step_k }), ..self }
    }
}

/// The largest gap there is: boiling water outside, ice inside.
const GAP_UNKNOWN_K: f64 = 100.0;
/// Milk does not follow the bath faster than with this time constant, s.
const MILK_FASTEST_S: f64 = 70.0;
/// So many steps raise the alarm …
const STEPS: u32 = 5;
/// … unless so many samples without one come between two of them.
const SAMPLES_PER_STEP_FORGOTTEN: u32 = 60;
/// After so many samples without a step it is over.
const CALM: u32 = 30;
/// After a longer silence a bath starts anew, and milk is held to what a bottle may have become,
/// milliseconds.
const SILENCE_MS: u64 = 10_000;
/// The time constant of that, s: two thirds of the fastest bottle's 190 s. Over a minute the wider
/// line of single samples would let any bottle come close to any bath.
const MILK_UNREAD_S: f64 = 125.0;

/// In which direction a reading has moved to another level, and stayed there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shift {
    /// To a warmer one.
    pub(super) up: bool,
    /// To a colder one.
    pub(super) down: bool,
}

impl Shift {
    fn note(&mut self, step_k: f64) {
        self.up |= step_k > 0.0;
        self.down |= step_k < 0.0;
    }
}

/// The watcher of one channel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Jump {
    last: Option<(Tick, f64)>,
    in_a_row: u32,
    steps: u32,
    calm: u32,
    lasts: bool,
    shift: Shift,
    /// The last two blocks: value and gap.
    before: [Option<(f64, f64)>; 2],
}

impl Jump {
    /// Takes in a sample; true if it is a step that cannot be.
    pub(super) fn sample(&mut self, now: Tick, value: f64, bounds: Bounds) -> bool {
        let is_silent = |at: Tick| now.ms_since(at) > SILENCE_MS;
        let last = self.last.filter(|(at, _)| !is_silent(*at) || bounds.unread.is_some());
        let Some((at, from)) = last else {
            self.last = Some((now, value));
            return false;
        };
        let (elapsed_s, step_k) = (now.ms_since(at) as f64 / 1000.0, value - from);
        let is_step = match bounds.unread.filter(|_| is_silent(at)) {
            Some(unread) => unread.is_step(from, value, elapsed_s),
            None => {
                step_k > bounds.up_k + bounds.up_k_s * elapsed_s
                    || -step_k > bounds.down_k + bounds.down_k_s * elapsed_s
            }
        };
        if is_step {
            self.steps += 1;
            self.in_a_row += 1;
            self.calm = 0;
            self.lasts |= self.steps >= STEPS;
            if self.in_a_row >= STEPS {
                self.shift.note(step_k);
                // It is the new level that goes on from here.
                (self.last, self.in_a_row) = (Some((now, value)), 0);
            }
            return true;
        }
        (self.last, self.in_a_row) = (Some((now, value)), 0);
        self.calm = self.calm.saturating_add(1);
        if self.calm.is_multiple_of(SAMPLES_PER_STEP_FORGOTTEN) {
            self.steps = self.steps.saturating_sub(1);
        }
        if self.calm >= CALM && self.lasts {
            (self.lasts, self.steps) = (false, 0);
        }
        false
    }

    /// A block is missing.
    pub(super) fn interrupted(&mut self) {
        self.before = [None; 2];
    }

    /// Takes in a block of milk; two blocks must lie beyond what the gap can have made of the one
    /// before them.
    pub(super) fn block(&mut self, value: Option<f64>, bath: Option<f64>, resolution_k: f64) {
        let now = value.zip(bath).map(|(value, bath)| (value, (bath - value).abs()));
        let [oldest, middle] = self.before;
        self.before = [middle, now];
        let (Some((from, gap)), Some((first, _)), Some((second, gap_now))) = (oldest, middle, now)
        else {
            return;
        };
        let rate_k_s = gap.max(gap_now) / MILK_FASTEST_S;
        let noise_k = 0.25 + resolution_k;
        let beyond = |to: f64, after_s: f64| {
            let step_k = to - from;
            if step_k.abs() > noise_k + rate_k_s * after_s { step_k.signum() } else { 0.0 }
        };
        let (one, two) = (beyond(first, 10.0), beyond(second, 20.0));
        if one != 0.0 && one == two {
            self.shift.note(one);
            (self.lasts, self.calm) = (true, 0);
        }
    }

    /// Whether the alarm stands.
    pub(super) fn lasts(&self) -> bool {
        self.lasts
    }

    /// How the reading has moved to another level.
    pub(super) fn shift(&self) -> Shift {
        self.shift
    }
}

#[cfg(test)]
mod tests;
