//! Holm's adjustment.

/// Adjusts p-values of a family of tests so that the chance of a single false alarm among them all stays at
/// the level asked for.
///
/// The smallest is multiplied by the number m of tests, the next by m − 1, and so on; none ends below its
/// predecessor nor above 1. Where there is no p-value there was no test: such an entry stays `None` and is not
/// counted. Needs no independence of the tests.
///
/// Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979.
///
/// # Examples
/// ```
/// use results::statistics::holm;
///
/// assert_eq!(holm(&[Some(0.25), None, Some(0.125)]), [Some(0.25), None, Some(0.25)]);
/// ```
#[must_use]
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut tests: Vec<(usize, f64)> = p_values
        .iter()
        .enumerate()
        .filter_map(|(index, p)| p.filter(|p| !p.is_nan()).map(|p| (index, p)))
        .collect();
    tests.sort_by(|(_, a), (_, b)| a.total_cmp(b));

    let mut adjusted = vec![None; p_values.len()];
    let mut previous = 0.0_f64;
    for (rank, &(index, p)) in tests.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a number of tests")]
        let remaining = (tests.len() - rank) as f64;
        previous = previous.max((p * remaining).min(1.0));
        adjusted[index] = Some(previous);
    }
    adjusted
}
