//! The interlocks at the edge of each rule.

use super::*;
use crate::batch::fixture::{milli, params};

/// A machine on which nothing is wrong while milk is heated.
fn calm() -> Watched {
    Watched {
        bath_new: Some(milli(63_500)),
        bath_seen: true,
        hottest_milk: Some(milli(63_100)),
        bath_lost_ms: 0,
        milk_lost_ms: 0,
        milk_watched: true,
        milk_warms: true,
        milk_heated: true,
        lid_open: false,
        orders_lost: false,
    }
}

/// What a machine that shows this at once raises, and what stops it.
fn judged(seen: Watched) -> (Vec<Alarm>, Option<Alarm>) {
    let ruling = Interlocks::default().judge(&params(), seen, &Doubts::default());
    let lasting = Alarm::ALL.into_iter().filter(|alarm| ruling.lasting[alarm.index()]);
    (lasting.collect(), ruling.stop)
}

#[test]
fn nothing_is_raised_where_nothing_is_wrong() {
    assert_eq!(judged(calm()), (vec![], None));
    assert_eq!(judged(Watched { hottest_milk: None, ..calm() }), (vec![], None));
}

#[test]
fn each_limit_may_be_reached_and_not_passed() {
    let bath = |value| judged(Watched { bath_new: Some(milli(value)), ..calm() });
    assert_eq!(bath(64_500), (vec![], None));
    assert_eq!(bath(64_501), (vec![Alarm::OverTemperature], None));
    let milk = |value| judged(Watched { hottest_milk: Some(milli(value)), ..calm() });
    assert_eq!(milk(66_000), (vec![], None));
    assert_eq!(milk(66_001), (vec![Alarm::MilkTooHot], None));
    let bath_lost = |bath_lost_ms| judged(Watched { bath_lost_ms, ..calm() });
    let milk_lost = |milk_lost_ms| judged(Watched { milk_lost_ms, ..calm() });
    assert_eq!((bath_lost(1_500), milk_lost(1_500)), ((vec![], None), (vec![], None)));
    let given_up_ms = params().recipe.limits.probe_lost_max_ms;
    for lost_ms in [1_501, given_up_ms] {
        assert_eq!(bath_lost(lost_ms), (vec![Alarm::BathProbeLost], None));
        assert_eq!(milk_lost(lost_ms), (vec![Alarm::MilkProbeLost], None));
    }
    let over_ms = given_up_ms + 1;
    assert_eq!(bath_lost(over_ms), (vec![Alarm::BathProbeLost], Some(Alarm::BathProbeLost)));
    assert_eq!(milk_lost(over_ms), (vec![Alarm::MilkProbeLost], Some(Alarm::MilkProbeLost)));
}

#[test]
fn milk_and_lid_matter_only_while_milk_is_there_or_heated() {
    let hot = Some(milli(70_000));
    let open = Watched { lid_open: true, hottest_milk: hot, milk_lost_ms: u64::MAX, ..calm() };
    assert_eq!(
        judged(Watched { milk_watched: false, milk_warms: false, milk_heated: false, ..open }),
        (vec![], None)
    );
    let cooled = Watched { milk_warms: false, milk_heated: false, ..open };
    assert_eq!(judged(cooled), (vec![Alarm::MilkProbeLost], Some(Alarm::MilkProbeLost)));
    let all = vec![Alarm::MilkTooHot, Alarm::MilkProbeLost, Alarm::LidOpen];
    assert_eq!(judged(open), (all, Some(Alarm::MilkProbeLost)));
}

#[test]
fn a_bath_probe_that_was_never_seen_and_orders_that_are_lost_are_alarms_at_once() {
    let unseen = Watched { bath_new: None, bath_seen: false, ..calm() };
    assert_eq!(judged(unseen), (vec![Alarm::BathProbeLost], None));
    assert_eq!(judged(Watched { orders_lost: true, ..calm() }), (vec![Alarm::OrdersLost], None));
}

#[test]
fn a_bath_that_was_too_hot_stays_so_until_it_is_seen_back_and_readings_above_add_up() {
    let params = params();
    let mut interlocks = Interlocks::default();
    let mut feed = |bath: Option<i32>| {
        let seen = Watched { bath_new: bath.map(milli), ..calm() };
        let ruling = interlocks.judge(&params, seen, &Doubts::default());
        (ruling.lasting[Alarm::OverTemperature.index()], ruling.stop)
    };
    assert_eq!(feed(Some(64_501)), (true, None));
    assert_eq!(feed(None), (true, None), "not seen is not back");
    assert_eq!(feed(Some(63_801)), (true, None));
    assert_eq!(feed(Some(64_501)), (true, None));
    assert_eq!(feed(Some(63_800)), (false, None), "back: the count begins again");
    let stop = Some(Alarm::OverTemperature);
    assert_eq!([(); 3].map(|()| feed(Some(64_501))), [(true, None), (true, None), (true, stop)]);
}

#[test]
fn milk_that_is_too_hot_cuts_the_heat_already_while_bottles_are_put_in() {
    let hot = Watched { hottest_milk: Some(milli(66_001)), milk_watched: false, ..calm() };
    let loading = Watched { milk_heated: false, ..hot };
    assert_eq!(judged(loading), (vec![Alarm::MilkTooHot], None));
}
