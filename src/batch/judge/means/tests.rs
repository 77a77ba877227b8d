use super::*;
use crate::batch::judge::tests::{milli, row};

const fn mean(sum: i64, count: i64) -> Mean {
    Mean { sum, count }
}

#[test]
fn a_mean_at_a_line_is_at_it_and_a_third_of_a_thousandth_less_is_not() {
    assert!(mean(3 * 62_500, 3).at_least(62_500));
    assert!(!mean(3 * 62_500 - 1, 3).at_least(62_500));
    assert!(!mean(3 * 62_500, 3).above(62_500));
    assert!(mean(3 * 62_500 + 1, 3).above(62_500));
}

#[test]
fn what_is_added_is_added_to_every_reading() {
    let raised = mean(3 * 62_500, 3).raised(300);
    assert!(raised.at_least(62_800) && !raised.above(62_800));
}

#[test]
fn means_of_different_counts_are_compared_by_temperature() {
    // 62.5005 °C of two readings, 62.5000 °C of one.
    let (warm, cold) = (mean(125_001, 2), mean(62_500, 1));
    assert_eq!(warm.cmp(cold), Ordering::Greater);
    assert_eq!(cold.cmp(warm), Ordering::Less);
    assert_eq!(mean(125_000, 2).cmp(cold), Ordering::Equal);
    assert_eq!(mean(62_501, 1).cmp(mean(125_000, 2)), Ordering::Greater);
    for (a, b) in [(warm, cold), (cold, warm)] {
        assert_eq!(a.colder(b).up(), Celsius::from_milli(62_500));
        assert_eq!(a.hotter(b).up(), Celsius::from_milli(62_501));
    }
    // Below zero more readings make a sum colder, not a mean.
    assert_eq!(mean(-3_000, 3).cmp(mean(-2_000, 1)), Ordering::Greater);
}

#[test]
fn a_difference_is_rounded_up_to_a_thousandth() {
    assert_eq!(mean(125_001, 2).over(mean(125_000, 2)), 1, "0.0005 K");
    assert_eq!(mean(125_000, 2).over(mean(125_001, 2)), 0, "-0.0005 K");
    assert_eq!(mean(187_501, 3).over(mean(125_000, 2)), 1, "a third of a thousandth");
    assert_eq!(mean(187_503, 3).over(mean(125_000, 2)), 1, "a whole one");
    assert_eq!(mean(187_504, 3).over(mean(125_000, 2)), 2);
    assert_eq!(mean(125_000, 2).over(mean(187_501, 3)), 0);
    assert_eq!(mean(125_000, 2).over(mean(187_503, 3)), -1);
}

#[test]
fn a_temperature_is_rounded_to_the_side_that_was_asked_for() {
    assert_eq!(mean(125_001, 2).down(), Celsius::from_milli(62_500));
    assert_eq!(mean(125_001, 2).up(), Celsius::from_milli(62_501));
    assert_eq!(mean(125_000, 2).up(), Celsius::from_milli(62_500));
    assert_eq!(mean(-4_001, 2).down(), Celsius::from_milli(-2_001));
    assert_eq!(mean(-4_001, 2).up(), Celsius::from_milli(-2_000));
    assert!((mean(125_001, 2).as_f64() - 62.500_5).abs() < 1e-9);
}

#[test]
fn a_temperature_beyond_every_number_is_the_largest_one() {
    assert_eq!(mean(i64::MAX, 1).up(), Celsius::from_milli(i32::MAX));
    assert_eq!(mean(i64::MIN, 1).down(), Celsius::from_milli(i32::MIN));
}

/// The means of the first two probes after the last of these rows.
fn means(rows: &[Row], span_ms: u64) -> [Option<Celsius>; 2] {
    let mut sliding = Sliding::new(rows, span_ms);
    rows.iter().for_each(|row| sliding.advance(row));
    let mut means = sliding.means().map(|mean| mean.map(Mean::up));
    [means.next().flatten(), means.next().flatten()]
}

#[test]
fn a_reading_leaves_the_mean_when_it_is_as_old_as_the_span() {
    let at = |ms: u64, milk: i32| Row { t_ms: ms, ..row(0, &[milk]) };
    let after = |ms: u64| means(&[at(5_000, 60_000), at(5_000 + ms, 62_000)], 10_000)[0];
    assert_eq!(after(9_999), milli(61_000));
    assert_eq!(after(10_000), milli(62_000));
}

#[test]
fn each_probe_has_its_own_mean_of_the_readings_it_gave() {
    let rows = [row(0, &[60_000]), row(1, &[61_000, 30_000]), row(2, &[65_000])];
    assert_eq!(means(&rows, 10_000), [milli(62_000), milli(30_000)]);
    assert_eq!(means(&rows, 1_000), [milli(65_000), None], "nothing was read in the last second");
}

#[test]
fn a_span_of_nothing_still_has_the_reading_of_this_moment() {
    assert_eq!(means(&[row(0, &[60_000]), row(1, &[61_000])], 0)[0], milli(61_000));
}

#[test]
fn a_quotient_is_rounded_up_also_below_zero() {
    let of = |sum| div_up(sum, 4);
    assert_eq!([of(8), of(9), of(12), of(-8), of(-9), of(-7)], [2, 3, 3, -2, -2, -1]);
}
