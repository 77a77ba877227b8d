//! From seconds and degrees to pixels: the frame of one plot, its ticks, and how a curve with
//! more points than the plot has columns becomes a path that loses no extreme.

use super::curves::Point;
use super::pen::Place;

/// One plot on the sheet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
    /// Seconds at the left and the right edge.
    pub(super) s: (f64, f64),
    /// Degrees at the lower and the upper edge.
    pub(super) c: (f64, f64),
}

impl Frame {
    pub(super) fn x(&self, t_s: f64) -> i32 {
        let share = (t_s - self.s.0) / (self.s.1 - self.s.0);
        let px = (share * f64::from(self.right - self.left)).round() as i32;
        self.left.saturating_add(px)
    }

    fn y_exact(&self, degrees: f64) -> f64 {
        let share = (degrees - self.c.0) / (self.c.1 - self.c.0);
        f64::from(self.bottom) - share * f64::from(self.bottom - self.top)
    }

    pub(super) fn y(&self, degrees: f64) -> i32 {
        self.y_exact(degrees).round() as i32
    }

    pub(super) fn shows_c(&self, degrees: f64) -> bool {
        (self.c.0..=self.c.1).contains(&degrees)
    }

    pub(super) fn shows_s(&self, t_s: f64) -> bool {
        (self.s.0..=self.s.1).contains(&t_s)
    }

    /// The paths of an unbroken run of points, as far as the plot shows it. Where several
    /// points share a column of pixels, its lowest and its highest are kept, in their order.
    pub(super) fn paths(&self, run: &[Point]) -> Vec<Vec<Place>> {
        let shown = self.within(run);
        let columns = shown.chunk_by(|a, b| self.x(a.t_s) == self.x(b.t_s));
        let mut places: Vec<(i32, f64)> = Vec::new();
        for column in columns {
            let by_heat = |a: &(usize, &Point), b: &(usize, &Point)| a.1.c.total_cmp(&b.1.c);
            let low = column.iter().enumerate().min_by(by_heat);
            let high = column.iter().enumerate().max_by(by_heat);
            let (Some(low), Some(high)) = (low, high) else { continue };
            let order = if low.0 <= high.0 { [low.1, high.1] } else { [high.1, low.1] };
            places.extend(order.map(|point| (self.x(point.t_s), self.y_exact(point.c))));
        }
        self.clip(&places)
    }

    /// The points within the plot's time, with those at its edges if the run goes on there.
    fn within(&self, run: &[Point]) -> Vec<Point> {
        let first = run.partition_point(|point| point.t_s < self.s.0);
        let last = run.partition_point(|point| point.t_s <= self.s.1);
        let edge = |after: usize, t_s: f64| {
            let (from, to) = (run.get(after.checked_sub(1)?)?, run.get(after)?);
            let share = (t_s - from.t_s) / (to.t_s - from.t_s);
            Some(Point { t_s, c: from.c + share * (to.c - from.c) })
        };
        let inside = run.get(first..last).unwrap_or_default();
        edge(first, self.s.0)
            .into_iter()
            .chain(inside.iter().copied())
            .chain(edge(last, self.s.1))
            .collect()
    }

    /// Cuts a path where it leaves the plot upwards or downwards.
    fn clip(&self, places: &[(i32, f64)]) -> Vec<Vec<Place>> {
        let (top, bottom) = (f64::from(self.top), f64::from(self.bottom));
        let inside = |y: f64| (top..=bottom).contains(&y);
        let mut paths = Vec::new();
        let mut path: Vec<Place> = Vec::new();
        let mut before: Option<(i32, f64)> = None;
        for &(x, y) in places {
            if let Some((x0, y0)) = before.filter(|(_, y0)| inside(*y0) != inside(y)) {
                let outside = if inside(y) { y0 } else { y };
                let edge = if outside < top { top } else { bottom };
                let share = (edge - y0) / (y - y0);
                let cut = f64::from(x0) + share * f64::from(x - x0);
                path.push((cut.round() as i32, edge as i32));
            }
            if inside(y) {
                path.push((x, y.round() as i32));
            } else if !path.is_empty() {
                paths.push(std::mem::take(&mut path));
            }
            before = Some((x, y));
        }
        if !path.is_empty() {
            paths.push(path);
        }
        for path in &mut paths {
            path.dedup();
        }
        paths
    }

    /// Whole minutes for about `count` ticks, within the plot.
    pub(super) fn minutes(&self, count: f64) -> Vec<i64> {
        const STEPS: [i64; 11] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 360, 1440];
        let wanted = (self.s.1 - self.s.0) / 60.0 / count;
        let step = STEPS.into_iter().find(|step| *step as f64 >= wanted).unwrap_or_else(|| {
            // Longer than any batch: whole days.
            1440 * (wanted / 1440.0).ceil() as i64
        });
        let (first, last) = (self.s.0 / 60.0, self.s.1 / 60.0);
        let from = (first / step as f64).ceil() as i64;
        let to = (last / step as f64).floor() as i64;
        (from..=to).map(|tick| tick.saturating_mul(step)).collect()
    }

    /// Multiples of `step_c` within the plot.
    pub(super) fn degrees(&self, step_c: f64) -> Vec<f64> {
        let from = (self.c.0 / step_c).ceil() as i64;
        let to = (self.c.1 / step_c).floor() as i64;
        (from..=to).map(|tick| tick as f64 * step_c).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame =
        Frame { left: 0, top: 0, right: 100, bottom: 80, s: (0.0, 1000.0), c: (0.0, 80.0) };

    fn run(values: impl IntoIterator<Item = (f64, f64)>) -> Vec<Point> {
        values.into_iter().map(|(t_s, c)| Point { t_s, c }).collect()
    }

    #[test]
    fn a_single_spike_among_a_thousand_points_survives() {
        let points = run((0..1000).map(|t| (f64::from(t), if t == 501 { 71.0 } else { 20.0 })));
        let paths = FRAME.paths(&points);
        assert_eq!(paths.len(), 1);
        assert!(paths[0].contains(&(50, 9)), "the spike at 71 °C is lost: {paths:?}");
        assert!(paths[0].len() <= 2 * 101);
    }

    #[test]
    fn a_curve_that_leaves_the_plot_is_cut_at_its_edge() {
        let points = run([(0.0, 70.0), (100.0, 90.0), (200.0, 90.0), (300.0, 70.0)]);
        assert_eq!(FRAME.paths(&points), [vec![(0, 10), (5, 0)], vec![(25, 0), (30, 10)]]);
    }

    #[test]
    fn a_step_beyond_the_edges_of_the_plot_is_drawn_to_the_edges() {
        let frame = Frame { s: (100.0, 1100.0), ..FRAME };
        let points = run([(0.0, 40.0), (600.0, 40.0), (600.0, 20.0), (2000.0, 20.0)]);
        assert_eq!(frame.paths(&points), [vec![(0, 40), (50, 40), (50, 60), (100, 60)]]);
    }

    #[test]
    fn a_moment_beyond_every_number_is_at_the_edge_of_all_pixels() {
        let frame = Frame { left: 60, ..FRAME };
        assert_eq!((frame.x(1e30), frame.x(-1e30)), (i32::MAX, i32::MIN + 60));
    }

    #[test]
    fn ticks_are_whole_and_within_the_plot() {
        let frame = Frame { s: (90.0, 4500.0), ..FRAME };
        assert_eq!(frame.minutes(8.0), [10, 20, 30, 40, 50, 60, 70]);
        let zoom = Frame { c: (61.5, 63.0), ..FRAME };
        assert_eq!(zoom.degrees(0.5), [61.5, 62.0, 62.5, 63.0]);
    }

    #[test]
    fn a_year_long_record_makes_few_ticks() {
        let frame = Frame { s: (0.0, 3.2e10), ..FRAME };
        assert!(frame.minutes(10.0).len() <= 11);
    }
}
