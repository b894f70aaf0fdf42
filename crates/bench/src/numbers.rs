//! Medians, quantiles and ratios.

use std::time::Duration;

/// The value below which a part of the values lies; 0 for none.
pub fn quantile(values: &mut [Duration], part: f64) -> Duration {
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let index = (last as f64 * part).round() as usize;
    values.get(index).copied().unwrap_or_default()
}

/// The middle of the values; none if there are none.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// The median of the ratios that stand beside each other: one ratio for each round, so that drift cancels.
pub fn ratio(values: &[f64], to: &[f64]) -> Option<f64> {
    median(values.iter().zip(to).filter(|(_, to)| **to > 0.0).map(|(value, to)| value / to).collect())
}

/// Three digits that say something.
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_ignore_what_is_not_a_number() {
        assert_eq!(median(vec![3.0, f64::NAN, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![1.0, 2.0]), Some(1.5));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        assert_eq!(ratio(&[10.0, 40.0, 90.0], &[10.0, 20.0, 30.0]), Some(2.0));
        assert_eq!(ratio(&[1.0], &[0.0]), None);
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let mut values: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(quantile(&mut values, 0.0), Duration::from_millis(1));
        assert_eq!(quantile(&mut values, 0.99), Duration::from_millis(99));
        assert_eq!(quantile(&mut [], 0.5), Duration::ZERO);
    }
}
