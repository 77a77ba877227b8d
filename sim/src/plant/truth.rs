//! What is really the case in a plant.

use super::{CLASSES, CONTROL, FAST, Plant};
use crate::thermal;

/// What is really the case, all in °C; no device can read this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// The bath.
    pub bath_c: f64,
    coldest_c: [Option<f64>; CLASSES],
    hottest_milk_c: Option<f64>,
    /// The cold spot of the control bottle, in the bath or in the fridge.
    pub control_c: f64,
    /// The cold spot of the slow class; `None` if no bottle is in.
    pub slow_cold_c: Option<f64>,
    /// The bulk of the fast class; `None` if no bottle is in.
    pub fast_milk_c: Option<f64>,
    /// Heat that the element gives to the bath, W; it lags behind its power.
    pub heater_w: f64,
    /// Share of full power that the relay lets through to the element, 0…1.
    pub supply_share: f64,
}

impl Truth {
    /// The coldest milk anywhere, bulk or cold spot of any class, in °C; `None` if no bottle is
    /// in.
    pub fn coldest_milk(&self) -> Option<f64> {
        self.coldest_c.into_iter().flatten().min_by(f64::total_cmp)
    }

    /// The coldest milk of each class of bottles, °C; `None` for a class of which no bottle is in.
    pub fn coldest_of_classes(&self) -> [Option<f64>; CLASSES] {
        self.coldest_c
    }

    /// The hottest milk anywhere, °C; `None` if no bottle is in.
    pub fn hottest_milk(&self) -> Option<f64> {
        self.hottest_milk_c
    }
}

impl Plant {
    /// What is really the case.
    pub fn truth(&self) -> Truth {
        let counts = self.counts();
        let mut coldest_c = [None; CLASSES];
        let mut hottest_milk_c: Option<f64> = None;
        for ((coldest_c, bottle), count) in
            coldest_c.iter_mut().zip(&self.state.bottles).zip(counts)
        {
            if count > 0.0 {
                *coldest_c = Some(bottle.milk.min(bottle.cold));
                let hottest_c = bottle.milk.max(bottle.cold);
                hottest_milk_c = Some(hottest_milk_c.map_or(hottest_c, |c| c.max(hottest_c)));
            }
        }
        let is_in = |class: usize| counts[class] > 0.0;
        Truth {
            bath_c: self.state.bath,
            coldest_c,
            hottest_milk_c,
            control_c: self.state.bottles[CONTROL].cold,
            slow_cold_c: is_in(thermal::SLOW).then_some(self.state.bottles[thermal::SLOW].cold),
            fast_milk_c: is_in(FAST).then_some(self.state.bottles[FAST].milk),
            heater_w: self.state.heater_w,
            supply_share: self.supply_share,
        }
    }
}
