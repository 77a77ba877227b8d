//! A temperature probe: lag, bias, drift and seeded noise between the truth and the reading.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// One probe. Its noise depends on its seed and on simulated time only, not on who reads it.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    lag_s: f64,
    /// What is followed of a difference in so many seconds: an exponential is dear.
    follows: (f64, f64),
    bias_k: f64,
    drift_k_s: f64,
    noise_k: f64,
    lagged_c: f64,
    age_s: f64,
    value_c: f64,
    spare_normal: Option<f64>,
    rng: Pcg64,
}

impl Probe {
    /// A probe that has stood at `start_c` for long. `drift_k_h` is in kelvin per hour.
    pub(crate) fn new(lag_s: f64, errors: (f64, f64, f64), start_c: f64, seed: u64) -> Self {
        let (bias_k, drift_k_h, noise_k) = errors;
        Self {
            lag_s,
            follows: (0.0, 0.0),
            bias_k,
            drift_k_s: drift_k_h / 3600.0,
            noise_k,
            lagged_c: start_c,
            age_s: 0.0,
            value_c: start_c + bias_k,
            spare_normal: None,
            rng: Pcg64::seed_from_u64(seed),
        }
    }

    /// Lets `dt` seconds pass with the probe at `truth_c`.
    pub(crate) fn advance(&mut self, truth_c: f64, dt: f64) {
        self.age_s += dt;
        if self.follows.0 != dt {
            self.follows = (dt, 1.0 - (-dt / self.lag_s).exp());
        }
        self.lagged_c += (truth_c - self.lagged_c) * self.follows.1;
        let noise_k = if self.noise_k > 0.0 { self.noise_k * self.normal() } else { 0.0 };
        self.value_c = self.lagged_c + self.bias_k + self.drift_k_s * self.age_s + noise_k;
    }

    /// What the probe's electronics see now, °C, before any rounding.
    pub(crate) fn value_c(&self) -> f64 {
        self.value_c
    }

    /// Takes all error away, for a reading that a client can check.
    pub(crate) fn make_exact(&mut self) {
        (self.bias_k, self.drift_k_s, self.noise_k) = (0.0, 0.0, 0.0);
        self.value_c = self.lagged_c;
    }

    /// Puts the probe at `truth_c` as if it had stood there for long.
    pub(crate) fn settle(&mut self, truth_c: f64) {
        self.value_c += truth_c - self.lagged_c;
        self.lagged_c = truth_c;
    }

    /// A standard normal deviate by Box and Muller's method, which makes two at a time.
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        // 1 - u is in (0, 1], so that the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.rng.random::<f64>()).ln()).sqrt();
        let (sin, cos) = (core::f64::consts::TAU * self.rng.random::<f64>()).sin_cos();
        self.spare_normal = Some(radius * sin);
        radius * cos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_follows_with_its_lag() {
        let mut probe = Probe::new(8.0, (0.0, 0.0, 0.0), 20.0, 1);
        for _ in 0..16 {
            probe.advance(60.0, 0.5);
        }
        let expected = 60.0 - 40.0 * (-1.0_f64).exp();
        assert!((probe.value_c() - expected).abs() < 1e-9);
    }

    #[test]
    fn noise_has_the_stated_deviation_and_no_mean() {
        let mut probe = Probe::new(8.0, (0.1, 0.0, 0.02), 60.0, 1);
        let count = 20_000;
        let values: Vec<f64> = (0..count)
            .map(|_| {
                probe.advance(60.0, 0.5);
                probe.value_c() - 60.1
            })
            .collect();
        let mean = values.iter().sum::<f64>() / f64::from(count);
        let deviation = (values.iter().map(|v| v * v).sum::<f64>() / f64::from(count)).sqrt();
        assert!(mean.abs() < 0.001, "mean {mean}");
        assert!((deviation - 0.02).abs() < 0.001, "deviation {deviation}");
    }

    #[test]
    fn drift_grows_with_time() {
        let mut probe = Probe::new(8.0, (0.0, 0.5, 0.0), 60.0, 1);
        probe.advance(60.0, 3600.0);
        assert!((probe.value_c() - 60.5).abs() < 1e-9);
    }
}
