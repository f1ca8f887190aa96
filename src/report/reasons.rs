//! Downtime by reason, as every study over years tells it.

use crate::reliability::ideal::Reason;
use schemars::JsonSchema;
use serde::Serialize;

/// Downtime for one reason.
#[derive(Clone, Copy, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReasonResult {
    /// The reason.
    pub reason: &'static str,
    /// Minutes a year.
    pub minutes_per_year: f64,
}

/// Every reason with its minutes a year.
pub fn all(minutes: impl Fn(Reason) -> f64) -> Vec<ReasonResult> {
    let row =
        |reason: Reason| ReasonResult { reason: reason.name(), minutes_per_year: minutes(reason) };
    Reason::ALL.into_iter().map(row).collect()
}

/// A table, a line a measure and a column for each reason that came; nothing where none did. `cell`
/// shows the minutes of a reason of all minutes.
pub fn table<'a>(
    title: &str,
    measures: &(impl Iterator<Item = (&'static str, &'a [ReasonResult])> + Clone),
    cell: impl Fn(f64, f64) -> String,
) -> Vec<String> {
    let came = |at: &usize| measures.clone().any(|(_, rows)| rows[*at].minutes_per_year > 0.0);
    let used: Vec<usize> = (0..Reason::ALL.len()).filter(came).collect();
    if used.is_empty() {
        return Vec::new();
    }
    let upper: Vec<String> = used.iter().map(|at| Reason::ALL[*at].name().to_uppercase()).collect();
    let header: Vec<&str> =
        std::iter::once(title).chain(upper.iter().map(String::as_str)).collect();
    let line = |(name, rows): (&'static str, &[ReasonResult])| -> Option<Vec<String>> {
        let all: f64 = rows.iter().map(|row| row.minutes_per_year).sum();
        let cells = used.iter().map(|at| cell(rows[*at].minutes_per_year, all));
        (all > 0.0).then(|| std::iter::once(name.to_owned()).chain(cells).collect())
    };
    super::layout::columns(&header, &measures.clone().filter_map(line).collect::<Vec<_>>())
}
