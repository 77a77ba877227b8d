//! The controller inside a set-point machine: PI on its own bath probe, tuned by SIMC.

use crate::params::{PlantParams, WATER_J_L_K};

/// PI with clamped output; the integral stands still while the output is at its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InnerPi {
    gain_per_k: f64,
    integral_s: f64,
    integral: f64,
}

impl InnerPi {
    /// Tuned for an integrating bath (rate P/Cb) with effective delay dead time + element lag
    /// + half the probe's lag, closed-loop time constant equal to that delay (Skogestad 2003).
    pub(crate) fn simc(params: &PlantParams) -> Self {
        let bath_j_k = params.bath_l * WATER_J_L_K + params.vessel_j_k;
        let rate_k_s = params.heater_w / bath_j_k;
        let delay_s = params.heater_dead_s + params.heater_lag_s + params.probe.bath_lag_s / 2.0;
        let closed_loop_s = delay_s;
        Self {
            gain_per_k: 1.0 / (rate_k_s * (closed_loop_s + delay_s)),
            integral_s: 4.0 * (closed_loop_s + delay_s),
            integral: 0.0,
        }
    }

    /// Starts again with this output at no error.
    pub(crate) fn reset(&mut self, duty: f64) {
        self.integral = duty;
    }

    /// The duty, 0…1, for this error in K, `dt` seconds after the last.
    pub(crate) fn step(&mut self, error_k: f64, dt: f64) -> f64 {
        let proportional = self.gain_per_k * error_k;
        let output = proportional + self.integral;
        let winds_up = (output > 1.0 && error_k > 0.0) || (output < 0.0 && error_k < 0.0);
        if !winds_up {
            self.integral += proportional * dt / self.integral_s;
        }
        output.clamp(0.0, 1.0)
    }
}
