//! The same holds by the slowest and plainest means, on random curves.

use proptest::prelude::*;

use super::*;
use crate::batch::judge::seen::Seen;
use crate::batch::recipe::Recipe;

/// What the oracle says of a curve.
#[derive(Debug, Default, PartialEq)]
struct Told {
    began_ms: Option<u64>,
    longest_ms: Option<u64>,
    is_complete: bool,
    broken_at_ms: Vec<u64>,
}

/// Numerator and denominator of the clearance of one probe at one row.
fn clearance(recipe: &Recipe, curve: &Curve, probe: usize, now_ms: u64) -> Option<(i64, i64)> {
    let good: Vec<i64> = curve
        .rows
        .iter()
        .filter(|row| row.t_ms <= now_ms && now_ms - row.t_ms < recipe.hold.mean_ms)
        .filter_map(|row| row.milk[probe])
        .map(|celsius| i64::from(celsius.milli()))
        .collect();
    let limit =
        recipe.hold.floor.milli() + curve.milk_uncertainty[probe].milli() + curve.margin.milli();
    let count = good.len() as i64;
    (count > 0).then(|| (good.iter().sum::<i64>() - count * i64::from(limit), count))
}

/// The last good reading at or before this row, or the beginning.
fn last_good(curve: &Curve, probe: usize, at: usize) -> u64 {
    let before = curve.rows[..at].iter().rev().find(|row| row.milk[probe].is_some());
    before.map_or(curve.rows[0].t_ms, |row| row.t_ms)
}

fn oracle(recipe: &Recipe, curve: &Curve) -> Told {
    let probes = 0..curve.milk_uncertainty.len();
    let begin = i64::from(recipe.hold.begin_above.milli());
    let mut told = Told::default();
    let mut steady: Option<u64> = None;
    let mut hold: Option<(u64, u64)> = None;
    let longest = |told: &mut Told, (from, to): (u64, u64)| {
        told.longest_ms = told.longest_ms.max(Some(to - from));
        told.is_complete |= to - from >= recipe.hold.hold_ms;
    };
    for (at, row) in curve.rows.iter().enumerate() {
        let now = row.t_ms;
        let clear: Vec<_> = probes.clone().map(|p| clearance(recipe, curve, p, now)).collect();
        let is_known = clear.iter().all(Option::is_some);
        let is_below = clear.iter().flatten().any(|(above, _)| *above < 0);
        let gaps: Vec<bool> =
            probes.clone().map(|p| now - last_good(curve, p, at) > curve.max_gap_ms).collect();
        let is_gap = gaps.contains(&true);
        let is_read = probes.clone().all(|p| row.milk[p].is_some());
        let lid = curve.rows[..=at].iter().rev().find_map(|row| row.lid);
        let is_open = lid == Some(false);
        if let Some((from, to)) = hold {
            if is_open || is_gap || is_below {
                longest(&mut told, (from, to));
                if !told.is_complete {
                    told.broken_at_ms.push(now);
                }
                hold = None;
            } else if is_read {
                hold = Some((from, now));
            }
        }
        let is_high =
            is_known && clear.iter().flatten().all(|(above, count)| *above >= begin * count);
        if hold.is_none() {
            let may = is_high && !is_open && !is_gap;
            steady = if may { steady.or(Some(now)) } else { None };
            if steady.is_some_and(|since| now - since >= recipe.hold.begin_after_ms) {
                hold = Some((now, now));
                steady = None;
                told.began_ms = told.began_ms.or(Some(now));
            }
        }
    }
    if let Some(open) = hold {
        longest(&mut told, open);
    }
    told
}

fn judged(recipe: &Recipe, curve: &Curve) -> Told {
    let seen = Seen::new(recipe, curve);
    Told {
        began_ms: seen.holds.first_begin.map(|at| seen.rows[at].t_ms),
        longest_ms: seen.holds.longest.map(|hold| hold.ms),
        is_complete: seen.holds.complete.is_some(),
        broken_at_ms: seen.holds.breaks.iter().map(|broken| broken.t_ms).collect(),
    }
}

/// The strict recipe in small, so that a short random curve meets all of its edges.
fn small() -> Recipe {
    let mut recipe = recipe();
    recipe.hold.hold_ms = 30_000;
    recipe.hold.begin_after_ms = 4_000;
    recipe.hold.mean_ms = 3_000;
    recipe
}

/// Milk about its limit, with missing readings, an opened lid now and then, and uneven times.
fn curve() -> impl Strategy<Value = Curve> {
    let step = prop_oneof![12 => Just(1_000_u64), 3 => 200..3_000_u64, 1 => 3_000..9_000_u64];
    let reading = || {
        prop_oneof![
            30 => (-20..400_i32).prop_map(|above| milli(LIMIT + above)),
            1 => (-900..100_i32).prop_map(|above| milli(LIMIT + above)),
            2 => Just(None),
        ]
    };
    let lid = prop_oneof![60 => Just(Some(true)), 30 => Just(None), 1 => Just(Some(false))];
    let rows = proptest::collection::vec((step, reading(), reading(), reading(), lid), 1..160);
    (rows, 1..=3_usize, prop_oneof![Just(2_000_u64), Just(4_000), Just(10_000)]).prop_map(
        |(steps, probes, max_gap_ms)| {
            let mut t_ms = 0;
            let row = |(step, a, b, c, lid)| {
                t_ms += step;
                let mut milk = [None; MILK_PROBES_MAX];
                milk[..3].copy_from_slice(&[a, b, c]);
                Row { t_ms, milk, bath: None, reference: None, lid, phase: None, heats: None }
            };
            let rows = steps.into_iter().map(row).collect();
            let milk_uncertainty = vec![Kelvin::from_milli(100); probes];
            Curve { milk_uncertainty, max_gap_ms, rows, ..good() }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_judge_finds_the_holds_of_the_plain_oracle(curve in curve()) {
        let recipe = small();
        prop_assert_eq!(judged(&recipe, &curve), oracle(&recipe, &curve));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_good_curve_with_rows_lost_is_acceptable_only_if_the_oracle_agrees(
        lost in proptest::collection::vec((0..END_S, 1..40_u64), 0..6),
        cut_s in proptest::option::weighted(0.3, 0..END_S),
        dips in proptest::collection::vec((0..END_S, 1..20_u64), 0..2),
    ) {
        let mut curve = stretched(good(), COMPLETE_S - 100, 900);
        // A logger of every 5 s: the oracle takes the square of the number of rows.
        curve.rows.retain(|row| row.t_ms % 5_000 == 0);
        for (from, s) in dips {
            curve = with(curve, from..from + s, both(62_780));
        }
        for (from, s) in lost {
            curve = without(curve, from..from + s);
        }
        if let Some(cut_s) = cut_s {
            curve.rows.retain(|row| row.t_ms < cut_s * 1_000);
        }
        let found = outcome(&curve);
        if found == Outcome::Acceptable {
            let told = oracle(&recipe(), &curve);
            prop_assert!(told.is_complete && told.broken_at_ms.len() <= 1, "{:?}", told);
            prop_assert!(cut_s.is_none_or(|cut_s| cut_s > COMPLETE_S + 900));
        }
    }
}

/// A good curve of every 5 s.
fn logged() -> Curve {
    let mut curve = good();
    curve.rows.retain(|row| row.t_ms % 5_000 == 0);
    curve
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn rows_that_are_repeated_or_out_of_order_are_refused(
        at in 0..(END_S as usize / 5), other in 0..(END_S as usize / 5), twice in any::<bool>(),
    ) {
        let mut curve = logged();
        if twice {
            let row = curve.rows[at];
            curve.rows.insert(at, row);
        } else if at != other {
            curve.rows.swap(at, other);
        } else {
            return Ok(());
        }
        let found = verdict(&curve);
        prop_assert_eq!(found.outcome, Outcome::Incomplete);
        prop_assert_eq!(severity(&found, Rule::Record), Some(Severity::Fail));
    }

    /// Whatever is taken away of a curve that is not acceptable, it does not become acceptable.
    #[test]
    fn lost_rows_and_readings_never_make_a_verdict_laxer(
        cold in (0..1_800_u64, 20..300_u64, 0..900_i32),
        lost in proptest::collection::vec((0..END_S, 1..120_u64, any::<bool>()), 1..12),
    ) {
        let (from_s, s, down) = cold;
        let from_s = BEGIN_S + from_s;
        let cold = with(good(), from_s..(from_s + s).min(COMPLETE_S), both(LIMIT - 200 - down));
        prop_assume!(outcome(&cold) != Outcome::Acceptable);
        let mut spoiled = cold;
        for (from_s, s, whole) in lost {
            spoiled = if whole {
                without(spoiled, from_s..from_s + s)
            } else {
                with(spoiled, from_s..from_s + s, |row| row.milk[1] = None)
            };
        }
        prop_assert_ne!(outcome(&spoiled), Outcome::Acceptable);
    }
}
