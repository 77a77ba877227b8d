//! Placing labels so that none covers another.

/// The lowest lane in which `[from, to]` is free; `taken` holds the right end of each lane.
/// `None` if every lane is taken there.
pub(super) fn lane(taken: &mut [i32], from: i32, to: i32) -> Option<usize> {
    let free = taken.iter().position(|right| *right <= from)?;
    if let Some(right) = taken.get_mut(free) {
        *right = to;
    }
    Some(free)
}

/// Moves heights apart to at least `gap`, keeping their order and staying in `[top, bottom]` as
/// far as they fit.
pub(super) fn spread(wanted: &[i32], gap: i32, top: i32, bottom: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|index| wanted.get(*index).copied());
    let mut placed = wanted.to_vec();
    let mut floor = top;
    for &index in &order {
        if let Some(y) = placed.get_mut(index) {
            *y = (*y).max(floor);
            floor = *y + gap;
        }
    }
    let mut ceiling = bottom;
    for &index in order.iter().rev() {
        if let Some(y) = placed.get_mut(index) {
            *y = (*y).min(ceiling);
            ceiling = *y - gap;
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_would_cover_another_goes_to_the_next_lane() {
        let mut taken = [0; 2];
        assert_eq!(lane(&mut taken, 10, 100), Some(0));
        assert_eq!(lane(&mut taken, 50, 120), Some(1));
        assert_eq!(lane(&mut taken, 60, 90), None);
        assert_eq!(lane(&mut taken, 100, 150), Some(0));
    }

    #[test]
    fn heights_are_moved_apart_and_stay_on_the_sheet() {
        assert_eq!(spread(&[100, 101, 50], 20, 0, 200), [100, 120, 50]);
        assert_eq!(spread(&[195, 190], 20, 0, 200), [200, 180]);
        assert_eq!(spread(&[], 20, 0, 200), Vec::<i32>::new());
    }
}
