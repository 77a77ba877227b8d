//! The alarms: what raises each, what it does to heat and batch, and what a person has to do.
//!
//! The numbers are stable: they stand in manuals and on labels. 1xx: heat, 2xx: probes,
//! 3xx: lid, water and bottles, 4xx: the line to the machine.
//!
//! Every alarm latches: it stands until what raised it is over **and** a person has acknowledged
//! it by name. Asymmetric on purpose: one bad sample may cut heat, several must agree before an
//! alarm is raised or a batch is failed (STYLE, hubris' scars). A *block* is ten seconds of
//! readings, averaged.
//!
//! | No | raised by | agree | heat | heat comes back | batch |
//! |---|---|---|---|---|---|
//! | 101 | bath above the clamp + 1.0 °C | 1 sample | off | bath back at the clamp | stopped by 3 samples |
//! | 102 | hottest milk above the failing ceiling | 1 sample | off | milk below it | failed by the 10-s mean |
//! | 103 | bath gains heat that was not commanded | 2 blocks | off | acknowledged, and over | stopped |
//! | 104 | bath does not get the heat that was commanded, or does not show it | 18 blocks; 2 if it sinks by more than 6.5 K | off | acknowledged, and over | recorded; failed if it sank so and, heated again with milk in it, does not rise in 12 blocks; stopped if it came 3 times while the bath waited |
//! | 105 | bath rises above its commanded set point | 3 blocks | off | acknowledged, and over | recorded |
//! | 201 | bath probe lost | 2 samples missed | off | probe back | stopped after the recipe's time |
//! | 202 | milk probe lost | 2 samples missed | off | probe back | stopped after the recipe's time |
//! | 203 | bath reading makes steps that no bath can | 1 cuts heat, 5 raise it | off | acknowledged | recorded; failed if it falls by more than 2 K at once with milk in the bath, and stays down |
//! | 204 | milk reading makes steps that no bottle can | 1 cuts heat, 5 raise it | off | acknowledged | failed by a new level that looks better |
//! | 205 | milk reading stands still in a ramp | 8 blocks or more | off | acknowledged, and over | failed |
//! | 206 | milk reads warmer, or warms faster, than the bath can have made it | 2 blocks, 30 in the hold | off | acknowledged, and over | failed; by milk that is too fast after 6 |
//! | 207 | milk probes disagree | 6 blocks | stays | – | recorded; the coldest stays judged |
//! | 208 | recorder above the reference (5-min means) | 30 blocks | stays | – | recorded; failed beyond the uncertainties |
//! | 209 | no gap between bath and milk after loading | 2 blocks | off | acknowledged, and over | no hold begins; failed after 10 min |
//! | 210 | bath reading stands still where it must move, or all readings do | 5 min, or 10 min | off | acknowledged, and over | recorded; failed if with milk in the bath no reading of all moves |
//! | 301 | lid open while milk is heated | 1 sample | stays | – | the hold restarts, once a bottle that came in cold would be warm |
//! | 302 | milk takes up heat too slowly | 3 blocks | stays | – | recorded |
//! | 303 | bath sinks too little or too much for the bottles told | 1 to 30 blocks | stays | – | recorded |
//! | 401 | orders not confirmed | 2 periods | off | confirmed again | recorded |

use serde::{Deserialize, Serialize};

/// What raises an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alarm {
    /// The bath is above the clamp + 1.0 °C.
    OverTemperature,
    /// The hottest milk, uncertainty and margin added, is above the ceiling that fails a batch.
    MilkTooHot,
    /// The bath gains heat although none is commanded: a welded relay.
    HeaterStaysOn,
    /// The bath does not get the heat that is commanded: a dead heater, or a set point that
    /// somebody or something else has lowered.
    HeaterFails,
    /// The bath rises above its commanded set point: changed at the panel, or reset.
    BathAboveSetpoint,
    /// The bath probe gives no trustworthy value.
    BathProbeLost,
    /// A required milk probe gives no trustworthy value.
    MilkProbeLost,
    /// The bath reading makes steps that no bath can.
    BathJumps,
    /// A milk reading makes steps that no bottle can.
    MilkJumps,
    /// A milk reading stands still while the bath should change it.
    MilkStuck,
    /// The milk reads warmer than the bath can have made it.
    MilkAboveBath,
    /// The milk probes disagree.
    MilkDisagrees,
    /// The recording milk probe reads higher than the reference beside it.
    AboveReference,
    /// After loading a milk probe reads what the bath reads.
    MilkInBath,
    /// The bath reading stands still although something must move it, or no reading moves at all.
    BathStuck,
    /// The lid is open while milk is being heated or held.
    LidOpen,
    /// The milk takes up heat too slowly: the water does not move.
    AgitationLost,
    /// The bath does not behave as with the number of bottles that was told.
    LoadOff,
    /// Orders are not confirmed by the machine.
    OrdersLost,
}

/// What an alarm does to heat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeatRule {
    /// Nothing: heat is no danger here.
    Stays,
    /// Heat is off while what raised the alarm lasts, and comes back by itself.
    OffUntilOver,
    /// Heat is off until it is over and a person has acknowledged the alarm.
    OffUntilAcknowledged,
}

impl Alarm {
    /// How many there are.
    pub const COUNT: usize = 19;

    /// Every alarm, by number.
    pub const ALL: [Self; Self::COUNT] = [
        Self::OverTemperature,
        Self::MilkTooHot,
        Self::HeaterStaysOn,
        Self::HeaterFails,
        Self::BathAboveSetpoint,
        Self::BathProbeLost,
        Self::MilkProbeLost,
        Self::BathJumps,
        Self::MilkJumps,
        Self::MilkStuck,
        Self::MilkAboveBath,
        Self::MilkDisagrees,
        Self::AboveReference,
        Self::MilkInBath,
        Self::BathStuck,
        Self::LidOpen,
        Self::AgitationLost,
        Self::LoadOff,
        Self::OrdersLost,
    ];

    /// The stable number.
    pub const fn number(self) -> u16 {
        match self {
            Self::OverTemperature => 101,
            Self::MilkTooHot => 102,
            Self::HeaterStaysOn => 103,
            Self::HeaterFails => 104,
            Self::BathAboveSetpoint => 105,
            Self::BathProbeLost => 201,
            Self::MilkProbeLost => 202,
            Self::BathJumps => 203,
            Self::MilkJumps => 204,
            Self::MilkStuck => 205,
            Self::MilkAboveBath => 206,
            Self::MilkDisagrees => 207,
            Self::AboveReference => 208,
            Self::MilkInBath => 209,
            Self::BathStuck => 210,
            Self::LidOpen => 301,
            Self::AgitationLost => 302,
            Self::LoadOff => 303,
            Self::OrdersLost => 401,
        }
    }

    /// What happened, in a technician's words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::OverTemperature => "the bath is too hot",
            Self::MilkTooHot => "the milk is too hot",
            Self::HeaterStaysOn => "the heater heats although it is switched off",
            Self::HeaterFails => "the bath does not get warm as it should",
            Self::BathAboveSetpoint => "the bath rises above its set point",
            Self::BathProbeLost => "the bath probe is lost",
            Self::MilkProbeLost => "a milk probe is lost",
            Self::BathJumps => "the bath reading jumps",
            Self::MilkJumps => "a milk reading jumps",
            Self::MilkStuck => "a milk reading stands still",
            Self::MilkAboveBath => "the milk is warmer than the bath can have made it",
            Self::MilkDisagrees => "the milk probes disagree",
            Self::AboveReference => "the milk probe reads higher than the reference",
            Self::MilkInBath => "a milk probe seems to be in the bath",
            Self::BathStuck => "the bath reading stands still",
            Self::LidOpen => "the lid is open",
            Self::AgitationLost => "the milk warms too slowly",
            Self::LoadOff => "the bath does not behave as with this number of bottles",
            Self::OrdersLost => "the machine does not confirm its orders",
        }
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::OverTemperature => {
                "heat is commanded off until the bath is back at its set point; check the heater's relay"
            }
            Self::MilkTooHot => {
                "heat is commanded off; check that the bath probe is in the bath, and the heater's relay"
            }
            Self::HeaterStaysOn => {
                "switch the heater off at the machine now; its relay may be welded"
            }
            Self::HeaterFails => {
                "heat is commanded off; check the heater, its breaker, the lid, the water level, the bath \
                 probe, and the set point on the machine's panel, then acknowledge"
            }
            Self::BathAboveSetpoint => {
                "heat is commanded off; check the set point on the machine's panel, then acknowledge"
            }
            Self::BathProbeLost => "heat is commanded off; check the bath probe's plug and cable",
            Self::MilkProbeLost => {
                "heat is commanded off; check the plug and cable of the control bottle"
            }
            Self::BathJumps => {
                "heat is commanded off; check that the bath probe is in the bath, its cable, and the cold \
                 water valve, then acknowledge"
            }
            Self::MilkJumps => {
                "heat is commanded off; check that the probe is in the control bottle, and its cable, then \
                 acknowledge"
            }
            Self::MilkStuck => {
                "check that the control bottle is in the bath, and the probe's cable"
            }
            Self::MilkAboveBath => {
                "heat is commanded off; check that the bath probe is in the bath and the milk probe in its \
                 bottle, then acknowledge"
            }
            Self::MilkDisagrees => "the coldest one counts; check that each probe is in its bottle",
            Self::AboveReference => "have the probes compared before the next batch",
            Self::MilkInBath => {
                "heat is commanded off; put the probe into the control bottle, then acknowledge"
            }
            Self::BathStuck => {
                "heat is commanded off; check that the machine answers, and the bath probe; then acknowledge"
            }
            Self::LidOpen => "close the lid; the hold waits half an hour or more",
            Self::AgitationLost => "check that the agitator runs and the water moves",
            Self::LoadOff => "count the bottles, and note the right number",
            Self::OrdersLost => {
                "look at the heater: if it is on, switch it off at the machine; then check the cable"
            }
        }
    }

    /// Whether what a milk probe reads is not to be believed, whatever it says.
    pub const fn doubts_the_milk(self) -> bool {
        match self {
            Self::MilkJumps | Self::MilkStuck | Self::MilkAboveBath | Self::MilkInBath => true,
            Self::OverTemperature
            | Self::MilkTooHot
            | Self::HeaterStaysOn
            | Self::HeaterFails
            | Self::BathAboveSetpoint
            | Self::BathProbeLost
            | Self::MilkProbeLost
            | Self::BathJumps
            | Self::MilkDisagrees
            | Self::AboveReference
            | Self::BathStuck
            | Self::LidOpen
            | Self::AgitationLost
            | Self::LoadOff
            | Self::OrdersLost => false,
        }
    }

    /// What it does to heat.
    pub const fn heat(self) -> HeatRule {
        match self {
            Self::OverTemperature
            | Self::MilkTooHot
            | Self::BathProbeLost
            | Self::MilkProbeLost
            | Self::OrdersLost => HeatRule::OffUntilOver,
            Self::HeaterStaysOn
            | Self::HeaterFails
            | Self::BathAboveSetpoint
            | Self::BathJumps
            | Self::MilkJumps
            | Self::MilkStuck
            | Self::MilkAboveBath
            | Self::MilkInBath
            | Self::BathStuck => HeatRule::OffUntilAcknowledged,
            Self::MilkDisagrees
            | Self::AboveReference
            | Self::LidOpen
            | Self::AgitationLost
            | Self::LoadOff => HeatRule::Stays,
        }
    }

    /// Its place in [`Alarm::ALL`].
    pub(super) fn index(self) -> usize {
        // The enum is declared in the order of `ALL`; a test holds it.
        self as usize
    }
}

/// An alarm that stands, as a person sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub alarm: Alarm,
    /// What raised it lasts.
    pub lasts: bool,
    /// A person has acknowledged it.
    pub acknowledged: bool,
    /// The alarm that came first of all that stand; the others may follow from it.
    pub first: bool,
}

/// The alarm that a person should acknowledge first: what came first, then by number.
pub fn waiting(standing: &[Standing]) -> Option<Alarm> {
    let unseen = || standing.iter().filter(|seen| !seen.acknowledged);
    unseen().find(|seen| seen.first).or_else(|| unseen().next()).map(|seen| seen.alarm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_every_alarm_is_at_its_place() {
        for (place, alarm) in Alarm::ALL.into_iter().enumerate() {
            assert_eq!(alarm.index(), place, "{alarm:?}");
        }
        assert!(Alarm::ALL.is_sorted_by(|a, b| a.number() < b.number()));
    }

    #[test]
    fn the_first_cause_is_to_be_acknowledged_first_and_then_the_lowest_number() {
        let seen =
            |alarm, acknowledged, first| Standing { alarm, lasts: true, acknowledged, first };
        let (lid, orders) = (Alarm::LidOpen, Alarm::OrdersLost);
        assert_eq!(waiting(&[]), None);
        let cases = [
            ([(lid, false, false), (orders, false, true)], Some(orders)),
            ([(lid, false, false), (orders, true, true)], Some(lid)),
            ([(lid, false, false), (orders, false, false)], Some(lid)),
            ([(lid, true, true), (orders, true, false)], None),
        ];
        for (standing, first) in cases {
            let standing =
                standing.map(|(alarm, acknowledged, first)| seen(alarm, acknowledged, first));
            assert_eq!(waiting(&standing), first);
        }
    }
}
