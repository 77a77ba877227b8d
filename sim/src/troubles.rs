//! What goes wrong with the machine itself: data that whoever breaks it sets, and mends.
//!
//! Faults of the wire are in [`crate::faults`]; what a device *shows* wrongly although its probe
//! is sound is for the caller.

use holder_hal::MILK_PROBES_MAX;

/// What the heater makes of the duty that reaches it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaterState {
    /// It follows.
    #[default]
    Sound,
    /// Its relay sticks closed: full power whatever is commanded.
    Welded,
    /// It gives nothing.
    Dead,
    /// One of two elements is burnt out.
    Half,
}

impl HeaterState {
    /// The share of full power that it gives at this duty, 0…1.
    pub(crate) fn share(self, duty: f64) -> f64 {
        match self {
            Self::Sound | Self::Welded => duty,
            Self::Dead => 0.0,
            Self::Half => duty / 2.0,
        }
    }
}

/// Where a milk probe is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProbeSite {
    /// In the cold spot of its bottle, where it belongs.
    #[default]
    Milk,
    /// It slipped into the bath.
    Bath,
    /// It was pulled out, and hangs in the room.
    Air,
}

/// Everything that is wrong with a machine; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Troubles {
    /// The heater.
    pub heater: HeaterState,
    /// The agitator stands still whatever is commanded.
    pub agitator_stopped: bool,
    /// The valve lets cold water in although it is closed.
    pub valve_leaks: bool,
    /// The mains are away: no heat, no agitation, and the valve closes.
    pub power_lost: bool,
    /// An independent limit thermostat takes the power away for good above this bath
    /// temperature, °C, welded relay or not; `None` is a machine without one.
    pub limit_c: Option<f64>,
    /// What the machine's own controller sees instead of its bath probe, °C; `None` is its probe.
    pub bath_shown_c: Option<f64>,
    /// Where each milk probe is.
    pub milk_sites: [ProbeSite; MILK_PROBES_MAX],
}

#[cfg(test)]
mod tests {
    use holder_hal::Command;

    use super::*;
    use crate::{Plant, PlantParams};

    /// In the middle of a hold at this temperature, with nothing commanded from now on but the
    /// agitator.
    fn unheated(hold_c: f64) -> Plant {
        let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 2, hold_c);
        plant.command(&Command::safe(false));
        plant.advance(0);
        plant
    }

    /// PLANT's check values count from the moment at which the power reaches the element.
    fn after_dead_time(plant: &mut Plant) {
        let dead_ms = PlantParams::nominal().heater_dead_s * 1000.0;
        plant.advance(dead_ms as u64);
    }

    fn seconds_until(plant: &mut Plant, reached: impl Fn(&Plant) -> bool) -> f64 {
        (0..20_000)
            .find(|_| {
                plant.advance(500);
                reached(plant)
            })
            .map_or(f64::INFINITY, |steps| f64::from(steps) * 0.5)
    }

    #[test]
    fn a_welded_heater_passes_the_ceiling_as_the_check_values_say() {
        let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 2, 62.75);
        plant.troubles_mut().heater = HeaterState::Welded;
        after_dead_time(&mut plant);
        let above = |line: f64| move |plant: &Plant| plant.truth().fast_milk_c > Some(line);
        let first_s = seconds_until(&mut plant, above(63.5));
        let second_s = first_s + seconds_until(&mut plant, above(64.5));
        assert!((first_s - 140.0).abs() < 5.0, "63.5 after {first_s} s");
        assert!((second_s - 215.0).abs() < 7.0, "64.5 after {second_s} s");
    }

    #[test]
    fn a_limit_thermostat_cuts_a_welded_heater_and_stays_open() {
        let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 2, 62.75);
        plant.troubles_mut().heater = HeaterState::Welded;
        plant.troubles_mut().limit_c = Some(63.5);
        plant.advance(3_600_000);
        assert!(plant.limit_tripped());
        assert!(plant.truth().heater_w < 1.0);
        assert!(plant.truth().bath_c < 62.75, "nothing heats: {}", plant.truth().bath_c);
    }

    #[test]
    fn without_mains_the_coldest_milk_is_below_the_floor_as_the_check_values_say() {
        let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 2, 62.75);
        plant.troubles_mut().power_lost = true;
        let below = |plant: &Plant| plant.truth().coldest_milk() < Some(62.5);
        let after_min = seconds_until(&mut plant, below) / 60.0;
        assert!((after_min - 8.7).abs() < 0.27, "after {after_min} min");
    }

    #[test]
    fn a_minute_of_a_leaking_valve_takes_bath_and_milk_to_the_check_values() {
        let mut plant = unheated(62.75);
        plant.troubles_mut().valve_leaks = true;
        plant.advance(60_000);
        plant.troubles_mut().valve_leaks = false;
        let bath_c = plant.truth().bath_c;
        assert!((bath_c - 40.5).abs() < 40.5 * 0.03, "bath {bath_c}");
        plant.advance(180_000);
        let slow_c = plant.truth().slow_cold_c.expect("bottles are in");
        assert!((slow_c - 54.2).abs() < 54.2 * 0.03, "slow milk {slow_c}");
    }

    #[test]
    fn a_dead_heater_gives_nothing_and_half_a_heater_half() {
        let watts = |heater| {
            let mut plant = Plant::new(PlantParams::nominal(), 1, 1);
            plant.troubles_mut().heater = heater;
            let heat = holder_hal::Heat::Duty(holder_hal::Duty::FULL);
            plant.command(&Command { heat, ..Command::safe(false) });
            plant.advance(300_000);
            plant.truth().heater_w
        };
        assert_eq!(watts(HeaterState::Dead), 0.0);
        assert!((watts(HeaterState::Half) - 3000.0).abs() < 1.0);
        assert!((watts(HeaterState::Sound) - 6000.0).abs() < 1.0);
    }

    #[test]
    fn an_agitator_that_stands_still_lets_milk_lag() {
        let lag = |stopped| {
            let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 1, 63.0);
            plant.load(48);
            plant.troubles_mut().agitator_stopped = stopped;
            plant.advance(900_000);
            plant.truth().slow_cold_c.expect("bottles are in")
        };
        assert!(lag(true) < lag(false) - 5.0, "{} {}", lag(true), lag(false));
    }

    #[test]
    fn a_probe_outside_of_its_bottle_shows_where_it_is() {
        let mut plant = Plant::mid_hold(PlantParams::nominal(), 1, 2, 63.0);
        plant.load(48);
        plant.troubles_mut().milk_sites[0] = ProbeSite::Bath;
        plant.troubles_mut().milk_sites[1] = ProbeSite::Air;
        plant.advance(300_000);
        let seen = |index| plant.milk_probe_c(index).expect("a probe");
        assert!((seen(0) - plant.truth().bath_c).abs() < 1.0, "{}", seen(0));
        assert!((seen(1) - 22.0).abs() < 0.1, "{}", seen(1));
    }

    #[test]
    fn cold_bottles_that_are_added_are_the_coldest_milk_and_cool_the_bath() {
        let mut plant = unheated(63.0);
        let mut alone = plant.clone();
        plant.add_cold(6, 4.0);
        assert_eq!(plant.truth().coldest_milk(), Some(4.0));
        plant.advance(300_000);
        alone.advance(300_000);
        assert!(plant.truth().bath_c < alone.truth().bath_c - 0.3);
        plant.unload();
        assert_eq!(plant.truth().coldest_milk(), None);
    }

    #[test]
    fn other_cold_water_cools_otherwise() {
        let cooled = |l_min, water_c| {
            let mut plant = unheated(62.75);
            plant.set_coolant(l_min, water_c);
            plant.command(&Command { cooling: true, ..Command::safe(true) });
            plant.advance(1_200_000);
            plant.truth().slow_cold_c.expect("bottles are in")
        };
        assert!(cooled(20.0, 4.0) < 10.0);
        assert!(cooled(20.0, 12.0) > 12.0);
        assert!((cooled(0.0, 4.0) - 62.0).abs() < 0.6, "no water: {}", cooled(0.0, 4.0));
    }
}
