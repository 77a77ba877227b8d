//! How much heat is wanted: the clamped cascade of PLANT, the first controller and the
//! fallback. What is wanted here is still subject to [`super::interlock`].
//!
//! **Terms.** *Outer loop*: a PI on the milk that gives the bath's set point, clamped. *Inner
//! loop*: a PI on the bath that gives the heater's duty, by SIMC for an integrating process; a
//! set-point machine has its own.

use holder_hal::{Celsius, Duty, Heat, Tick};

use super::params::{Cascade, Heater};

/// State of the cascade.
#[derive(Clone, Debug)]
pub(super) struct Control {
    cascade: Cascade,
    heater: Heater,
    outer_integral_k: f64,
    inner_integral: f64,
    last: Option<Tick>,
}

/// What the controller works with: this period's values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Where the milk shall be; `None` preheats the bath to the clamp.
    pub(super) milk_target: Option<Celsius>,
    /// The coldest milk, if it is known.
    pub(super) milk: Option<Celsius>,
    /// The bath, if it is known.
    pub(super) bath: Option<Celsius>,
}

impl Control {
    /// A controller at rest.
    pub(super) fn new(cascade: Cascade, heater: Heater) -> Self {
        Self { cascade, heater, outer_integral_k: 0.0, inner_integral: 0.0, last: None }
    }

    /// Forgets its integrals: a come-up begins.
    pub(super) fn reset(&mut self) {
        self.outer_integral_k = 0.0;
    }

    /// The heat that is wanted now.
    pub(super) fn heat(&mut self, now: Tick, wanted: Wanted) -> Heat {
        // A pause longer than a few periods is no reason to integrate over it.
        let elapsed_s = self.last.map_or(0.0, |last| now.ms_since(last).min(5_000) as f64 / 1000.0);
        self.last = Some(now);
        let bath_target = self.bath_target(elapsed_s, wanted);
        match self.heater {
            Heater::Setpoint => Heat::Setpoint(bath_target),
            Heater::Power { power_w, bath_j_per_k, delay_ms } => {
                let slope_k_per_s = f64::from(power_w) / f64::from(bath_j_per_k.max(1));
                let delay_s = (f64::from(delay_ms) / 1000.0).max(1.0);
                let Some(bath) = wanted.bath else { return Heat::Off };
                let error_k = (bath_target - bath).as_f64();
                Heat::Duty(self.inner(elapsed_s, error_k, slope_k_per_s, delay_s))
            }
        }
    }

    fn bath_target(&mut self, elapsed_s: f64, wanted: Wanted) -> Celsius {
        let (low, high) = (self.cascade.bath_min, self.cascade.bath_max);
        let (Some(target), Some(milk)) = (wanted.milk_target, wanted.milk) else { return high };
        let gain = f64::from(self.cascade.gain_permille) / 1000.0;
        let integral_s = self.cascade.integral_ms as f64 / 1000.0;
        let error_k = (target - milk).as_f64();
        let free_k = target.as_f64() + gain * error_k + self.outer_integral_k;
        // Anti-windup: the integral rests while the clamp holds and the error pushes further.
        let pushes_on =
            (free_k >= high.as_f64() && error_k > 0.0) || (free_k <= low.as_f64() && error_k < 0.0);
        if !pushes_on {
            self.outer_integral_k += gain * error_k * elapsed_s / integral_s;
        }
        Celsius::from_f64(free_k).unwrap_or(low).clamp(low, high)
    }

    /// SIMC for an integrating process with the closed-loop time constant equal to the delay:
    /// gain 1 / (k'·2θ), integral time 8θ.
    fn inner(&mut self, elapsed_s: f64, error_k: f64, slope_k_per_s: f64, delay_s: f64) -> Duty {
        let gain = 1.0 / (slope_k_per_s * 2.0 * delay_s);
        let share = gain * error_k + self.inner_integral;
        let pushes_on = (share >= 1.0 && error_k > 0.0) || (share <= 0.0 && error_k < 0.0);
        if !pushes_on {
            self.inner_integral += gain * error_k * elapsed_s / (8.0 * delay_s);
        }
        Duty::from_share(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milli(value: i32) -> Celsius {
        Celsius::from_milli(value)
    }

    #[test]
    fn far_below_the_target_the_bath_is_clamped_and_nothing_winds_up() {
        let mut control = Control::new(Cascade::UNKNOWN, Heater::Setpoint);
        let cold = Wanted {
            milk_target: Some(milli(63_050)),
            milk: Some(milli(4_000)),
            bath: Some(milli(60_000)),
        };
        for second in 0..3600 {
            let heat = control.heat(Tick::from_ms(second * 1000), cold);
            assert_eq!(heat, Heat::Setpoint(milli(63_500)));
        }
        let above = Wanted { milk: Some(milli(63_250)), ..cold };
        let heat = control.heat(Tick::from_ms(3_600_000), above);
        assert_eq!(heat, Heat::Setpoint(milli(62_750)), "63.05 - 1.5 x 0.2, no memory of the cold");
    }

    #[test]
    fn without_a_bath_reading_a_power_machine_gets_no_heat() {
        let heater = Heater::Power { power_w: 6_000, bath_j_per_k: 173_200, delay_ms: 26_000 };
        let mut control = Control::new(Cascade::UNKNOWN, heater);
        let blind = Wanted { milk_target: None, milk: None, bath: None };
        assert_eq!(control.heat(Tick::from_ms(0), blind), Heat::Off);
    }

    #[test]
    fn the_duty_stays_within_off_and_full() {
        let heater = Heater::Power { power_w: 6_000, bath_j_per_k: 173_200, delay_ms: 26_000 };
        let mut control = Control::new(Cascade::UNKNOWN, heater);
        let at = |bath| Wanted { milk_target: None, milk: None, bath: Some(milli(bath)) };
        assert_eq!(control.heat(Tick::from_ms(0), at(20_000)), Heat::Duty(Duty::FULL));
        assert_eq!(control.heat(Tick::from_ms(1000), at(90_000)), Heat::Duty(Duty::OFF));
    }

    /// The heat for these readings, one after another, five seconds apart from `from_s` on.
    fn run(control: &mut Control, from_s: u64, seen: &[Wanted]) -> Vec<Heat> {
        let ticks = (0..).map(|step| Tick::from_ms((from_s + 5 * step) * 1000));
        seen.iter().zip(ticks).map(|(seen, now)| control.heat(now, *seen)).collect()
    }

    fn milk_at(value: i32) -> Wanted {
        Wanted { milk_target: Some(milli(63_050)), milk: Some(milli(value)), bath: None }
    }

    fn set_points(values: &[i32]) -> Vec<Heat> {
        values.iter().map(|value| Heat::Setpoint(milli(*value))).collect()
    }

    #[test]
    fn what_the_milk_lacks_raises_the_bath_at_once_and_with_time() {
        let mut control = Control::new(Cascade::UNKNOWN, Heater::Setpoint);
        let lacks = run(&mut control, 0, &[milk_at(63_000); 4]);
        assert_eq!(lacks, set_points(&[63_125, 63_125, 63_126, 63_127]));
        let after_an_hour = run(&mut control, 3_600, &[milk_at(63_000); 2]);
        assert_eq!(after_an_hour, set_points(&[63_128, 63_130]), "a pause counts as five seconds");
        control.reset();
        assert_eq!(run(&mut control, 3_610, &[milk_at(63_000)]), set_points(&[63_125]));
    }

    #[test]
    fn milk_above_its_target_lowers_the_bath_and_nothing_winds_up_at_the_lower_clamp() {
        let mut control = Control::new(Cascade::UNKNOWN, Heater::Setpoint);
        let above = run(&mut control, 0, &[milk_at(63_100); 4]);
        assert_eq!(above, set_points(&[62_975, 62_975, 62_974, 62_973]));
        let mut control = Control::new(Cascade::UNKNOWN, Heater::Setpoint);
        let hot = run(&mut control, 0, &[milk_at(64_000); 100]);
        assert_eq!(hot, set_points(&[62_000; 100]));
        assert_eq!(run(&mut control, 500, &[milk_at(63_050)]), set_points(&[63_050]));
    }

    #[test]
    fn without_milk_to_go_by_the_bath_is_held_at_the_clamp() {
        let mut control = Control::new(Cascade::UNKNOWN, Heater::Setpoint);
        let blind = Wanted { milk: None, ..milk_at(0) };
        assert_eq!(run(&mut control, 0, &[blind; 2]), set_points(&[63_500; 2]));
    }

    fn permille(control: &mut Control, from_s: u64, bath: &[i32]) -> Vec<u16> {
        let seen: Vec<Wanted> = bath
            .iter()
            .map(|bath| Wanted { milk_target: None, milk: None, bath: Some(milli(*bath)) })
            .collect();
        let duty = |heat| match heat {
            Heat::Duty(duty) => duty.permille(),
            Heat::Off | Heat::Setpoint(_) => panic!("a power machine gets a duty: {heat:?}"),
        };
        run(control, from_s, &seen).into_iter().map(duty).collect()
    }

    /// Gain 1 / (0.03464 K/s x 2 x 26 s) = 0.5551 per kelvin, integral time 208 s.
    #[test]
    fn the_duty_follows_what_the_bath_lacks_by_the_rule_for_an_integrating_process() {
        let heater = Heater::Power { power_w: 6_000, bath_j_per_k: 173_200, delay_ms: 26_000 };
        let mut control = Control::new(Cascade::UNKNOWN, heater);
        assert_eq!(permille(&mut control, 0, &[63_000; 4]), [278, 278, 284, 291]);
        let too_warm = permille(&mut control, 20, &[63_510; 40]);
        assert_eq!((too_warm[0], too_warm[39]), (14, 9), "the integral falls again");
        for far_off in [20_000, 90_000] {
            let mut control = Control::new(Cascade::UNKNOWN, heater);
            permille(&mut control, 0, &[far_off; 100]);
            assert_eq!(permille(&mut control, 500, &[63_400]), [56], "nothing winds up");
        }
    }
}
