use holder_hal::{Celsius, MILK_PROBES_MAX};

use super::*;
use crate::batch::fixture;

const BATH_C: f64 = 63.2;

/// A bottle that follows its bath with a lag, read every second from the loading on.
struct Bottle {
    watch: Newcomer,
    lag_s: f64,
    milk_c: f64,
    now_s: u64,
}

fn celsius(value_c: f64) -> Celsius {
    Celsius::from_f64(value_c).expect("a temperature")
}

fn kelvin(value_k: f64) -> Kelvin {
    Kelvin::from_milli((value_k * 1_000.0) as i32)
}

impl Bottle {
    fn of(lag_s: f64) -> Self {
        Self { watch: Newcomer::default(), lag_s, milk_c: 4.0, now_s: 0 }
    }

    fn second(&mut self, lid_open: bool, is_read: bool) -> &mut Self {
        self.read(lid_open, is_read, 0.0)
    }

    /// One second that is read as `off_k` too warm: a spike.
    fn read(&mut self, lid_open: bool, is_read: bool, off_k: f64) -> &mut Self {
        self.milk_c += (BATH_C - self.milk_c) / self.lag_s;
        self.now_s += 1;
        let milk = is_read.then(|| celsius(self.milk_c + off_k));
        let bath = is_read.then(|| celsius(BATH_C));
        let facts = Facts {
            now: Tick::from_ms(self.now_s * 1_000),
            bath,
            bath_is_new: is_read,
            bath_seen: true,
            clearance: None,
            newest_clearance: None,
            coldest: milk,
            hottest: milk,
            hottest_allowed_for: None,
            newest_allowed_for: None,
            bath_lost_ms: 0,
            milk_lost_ms: 0,
            milk_gap_ms: 0,
            milk_unread: false,
            lid_open,
        };
        let mut fresh = Fresh { bath, milk: [None; MILK_PROBES_MAX], reference: None };
        fresh.milk[0] = milk;
        self.watch.observe(&facts, &fresh, Tick::from_ms(0), off_k != 0.0);
        self
    }

    fn closed(&mut self, seconds: u64) -> &mut Self {
        for _ in 0..seconds {
            self.second(false, true);
        }
        self
    }

    fn opened(&mut self) -> &mut Self {
        self.second(true, true)
    }

    fn blind(&mut self, seconds: u64) -> &mut Self {
        for _ in 0..seconds {
            self.second(false, false);
        }
        self
    }

    fn is_warm(&self, clearance_k: f64) -> bool {
        let now = Tick::from_ms(self.now_s * 1_000);
        self.watch.is_warm(now, kelvin(clearance_k), &fixture::params())
    }

    /// How long after the last second nothing that came in is warm yet, s.
    fn waits_s(&mut self, clearance_k: f64) -> u64 {
        let mut seconds = 0..20_000;
        let warm_s = seconds.find(|_| {
            let is_warm = self.is_warm(clearance_k);
            self.closed(u64::from(!is_warm));
            is_warm
        });
        warm_s.expect("warm within hours")
    }
}

/// How long after a bottle at 63 °C, confirmed when the control bottle was so warm, s.
fn load_waits_s(lag_s: f64, confirmed_c: f64, clearance_k: f64) -> u64 {
    let mut bottle = Bottle::of(lag_s);
    bottle.milk_c = confirmed_c;
    bottle.closed(1).waits_s(clearance_k)
}

/// 1.08 lags of 300 s, and ln(30 / 0.25) = 4.79 of them; a lag that is measured from minute two on.
#[test]
fn the_last_bottle_of_the_load_is_waited_for_by_the_lag_of_this_batch() {
    let waits_s = load_waits_s(300.0, 30.0, 0.25);
    assert!((1_548..=1_558).contains(&waits_s), "{waits_s} s");
    let waits_s = load_waits_s(600.0, 30.0, 0.25);
    assert!((3_096..=3_111).contains(&waits_s), "{waits_s} s");
    // Went in last: 4 K behind what is never colder than milk, ln(4 / 0.25) = 2.77.
    let waits_s = load_waits_s(300.0, 4.0, 0.25);
    assert!((898..=915).contains(&waits_s), "{waits_s} s");
    assert!(load_waits_s(300.0, 0.0, 0.25) == 0, "nothing is behind");
}

#[test]
fn a_load_confirmed_late_shows_its_lag_by_four_kelvins_or_takes_the_longest() {
    // 4.2 K still to go after two minutes: they show the lag, ln(57 / 0.25) = 5.43.
    let waits_s = load_waits_s(300.0, 57.0, 0.25);
    assert!((1_748..=1_770).contains(&waits_s), "{waits_s} s");
    // 3.4 K: 1080 s, ln(58.2 / 0.25) = 5.45.
    let waits_s = load_waits_s(300.0, 58.2, 0.25);
    assert!((5_878..=5_894).contains(&waits_s), "{waits_s} s");
}

#[test]
fn a_load_that_nobody_could_read_is_as_far_behind_as_its_first_reading() {
    let mut bottle = Bottle::of(300.0);
    bottle.blind(20).closed(1);
    let load = bottle.watch.load.expect("confirmed");
    assert!((load.behind_k - bottle.milk_c).abs() < 0.01, "{load:?}");
    assert_eq!(load.at, Tick::from_ms(21_000));
}

/// 63.2 K behind, 0.25 K allowed: 1.2 lags of 300 s, and ln(63.2 / 0.25) = 5.53 of them.
#[test]
fn what_came_in_is_waited_for_by_the_lag_of_this_bottle() {
    let waits_s = Bottle::of(300.0).closed(4_000).opened().waits_s(0.25);
    assert!((1_985..=1_997).contains(&waits_s), "{waits_s} s");
    let waits_s = Bottle::of(600.0).closed(8_000).opened().waits_s(0.25);
    assert!((3_970..=3_994).contains(&waits_s), "{waits_s} s");
    let waits_s = Bottle::of(300.0).closed(4_000).opened().waits_s(1.0);
    assert!((1_486..=1_498).contains(&waits_s), "ln(63.2) = 4.15 of them: {waits_s} s");
}

#[test]
fn the_last_open_lid_counts_and_not_the_first() {
    let mut bottle = Bottle::of(300.0);
    bottle.closed(4_000).opened().closed(1_900).opened();
    let waits_s = bottle.waits_s(0.25);
    assert!((1_985..=1_997).contains(&waits_s), "{waits_s} s");
}

/// The control bottle is cold then, too: what came in with it is hardly behind.
#[test]
fn a_lid_that_is_closed_late_at_the_loading_costs_nothing() {
    let mut bottle = Bottle::of(300.0);
    bottle.opened();
    // The milk comes within 0.25 K of its bath.
    bottle.closed(1_640);
    assert!(bottle.is_warm(0.25));
}

#[test]
fn a_lag_that_nobody_saw_is_the_longest_of_the_recipe() {
    // Opened before 12 K of rise were seen: 1000 s are taken until they were.
    let mut bottle = Bottle::of(300.0);
    bottle.blind(4_000).opened();
    let waits_s = bottle.waits_s(0.25);
    assert!((6_632..=6_646).contains(&waits_s), "1200 s times 5.53: {waits_s} s");
}

#[test]
fn readings_that_are_missing_for_half_a_minute_begin_the_measure_anew() {
    // Six seconds before the rise is whole.
    let seen = |blind_s: u64| {
        let mut bottle = Bottle::of(300.0);
        bottle.closed(180).blind(blind_s).closed(1);
        bottle.watch.rise.expect("begun").area_k_s
    };
    assert!(seen(29) > 1_000.0);
    assert_eq!(seen(30), 0.0);
}

#[test]
fn no_bottle_is_faster_than_the_recipe_says() {
    let waits_s = Bottle::of(80.0).closed(1_000).opened().waits_s(0.25);
    assert!((662..=667).contains(&waits_s), "100 s: {waits_s} s");
}

#[test]
fn a_lid_that_is_open_while_nothing_is_read_may_hide_the_warmest_bottle() {
    let mut bottle = Bottle::of(300.0);
    bottle.closed(1_000).second(true, false);
    assert_eq!(bottle.watch.lid.expect("open").behind_k, 100.0);
}

/// A spike that makes the rise look larger, at its begin or at its end, made the bottle look fast: the
/// hold then began minutes before what came in was warm.
#[test]
fn a_doubted_reading_shows_neither_the_lag_nor_how_far_the_load_is_behind() {
    let plain_s = load_waits_s(300.0, 30.0, 0.25);
    for (second, off_k) in [(30, -29.0), (120, -12.0), (200, 12.0), (400, -60.0)] {
        let mut bottle = Bottle::of(300.0);
        bottle.milk_c = 30.0;
        bottle.closed(second).read(false, true, off_k);
        let waits_s = second + 1 + bottle.waits_s(0.25);
        assert!((plain_s..=plain_s + 2).contains(&waits_s), "{off_k} K at {second} s: {waits_s} s");
    }
}

#[test]
fn water_that_stops_in_the_come_up_is_waited_for_by_the_slower_lag() {
    let mut bottle = Bottle::of(300.0);
    bottle.closed(330);
    bottle.lag_s = 700.0;
    let waits_s = bottle.closed(3_000).opened().waits_s(0.25);
    // 1.2 lags of 700 s, and 5.53 of them.
    assert!((4_630..=4_660).contains(&waits_s), "{waits_s} s");
    // What is nearer to its bath than 3 K shows nothing: there an error of the probes weighs too much.
    let mut bottle = Bottle::of(300.0);
    bottle.closed(1_000);
    assert!(BATH_C - bottle.milk_c < 3.0);
    bottle.lag_s = 700.0;
    let waits_s = bottle.closed(3_000).opened().waits_s(0.25);
    assert!((1_985..=1_997).contains(&waits_s), "{waits_s} s");
}

/// Over half a minute without readings the machine may have been without mains: its water stood.
#[test]
fn what_nobody_watched_has_warmed_nothing() {
    let waits_s = |blind_s: u64| {
        let mut bottle = Bottle::of(300.0);
        bottle.closed(4_000).opened().closed(100).blind(blind_s);
        blind_s + 100 + bottle.waits_s(0.25)
    };
    let plain_s = waits_s(0);
    assert!(waits_s(29) <= plain_s);
    assert!((plain_s + 100..=plain_s + 102).contains(&waits_s(100)), "{} s", waits_s(100));
}

#[test]
fn a_lag_that_is_longer_by_a_quarter_is_the_error_of_the_probes_and_one_longer_still_has_grown() {
    let waits_s = |grown: f64| {
        let mut bottle = Bottle::of(300.0);
        bottle.closed(330);
        bottle.lag_s = 300.0 * grown;
        // 1.2 lags of 300 s, and 5.53 of them.
        bottle.closed(4_000).opened().waits_s(0.25) as f64 / 1_991.0
    };
    assert!((waits_s(1.24) - 1.0).abs() < 0.01 && (waits_s(1.26) - 1.26).abs() < 0.01);
}

/// 4 K of rise, half of it beside a bath that is nearer than it may be.
#[test]
fn milk_within_three_kelvins_of_its_bath_begins_the_rise_anew() {
    let slowest_s = |gap_k: f64| {
        let mut watch = Newcomer { slowest_s: Some(300.0), ..Newcomer::default() };
        for (s, bath_c, milk_c) in [(0, 10.0, 0.0), (10, 2.0 + gap_k, 2.0), (20, 204.0, 4.0)] {
            watch.measure(Tick::from_ms(s * 1_000), bath_c, milk_c, milk_c);
        }
        watch.slowest_s
    };
    // 30 and 2000 K s, by 4 K.
    assert_eq!(slowest_s(3.0), Some(507.5));
    assert_eq!(slowest_s(3.0 - 1e-9), Some(300.0));
}
