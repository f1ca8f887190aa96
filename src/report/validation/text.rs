//! A validation for the terminal.

use super::rows::{MetricRow, Numbers, probability, row};
use super::{Entry, Report};
use crate::experiment::validation::MetricResult;
use crate::measure::failover::Unit;
use crate::report::layout::{WIDTH, wrap};
use crate::report::monte_carlo::shown;
use crate::report::style::{Styled, Tone};

/// Each experiment with its metrics, then one line on the whole.
pub fn text(report: &Report) -> Vec<Styled> {
    let mut lines = Vec::new();
    for entry in &report.entries {
        lines.extend(experiment(entry));
        lines.push(Styled::default());
    }
    let tone = if report.passed() { Tone::Good } else { Tone::Bad };
    lines.push(Styled::of(report.headline(), tone));
    lines
}

fn experiment(entry: &Entry) -> Vec<Styled> {
    let (word, tone) = verdict(entry.passed());
    let id = &entry.result.experiment.id;
    let mut lines = vec![Styled::of(format!("{id}: "), Tone::Heading).with(word, tone)];
    lines.push(Styled::of(
        format!("  {:<12}{:>6}{:>12}{:>12}{:>12}{:>12}", "", "N", "P10", "P50", "P90", "MAX"),
        Tone::Dim,
    ));
    lines.extend(entry.result.metrics.iter().flat_map(|result| metric(entry, result)));
    let failures = entry.result.failures.iter();
    lines.extend(failures.map(|failure| Styled::of(failure.to_string(), Tone::Bad)));
    if !entry.note.is_empty() {
        let words = format!("Known to differ: {}", entry.note);
        lines.extend(wrap(&words, WIDTH).into_iter().map(|line| Styled::of(line, Tone::Warning)));
    }
    lines
}

fn verdict(passed: bool) -> (&'static str, Tone) {
    if passed { ("agrees", Tone::Good) } else { ("differs", Tone::Bad) }
}

fn metric(entry: &Entry, result: &MetricResult) -> Vec<Styled> {
    let (row, unit) = (row(entry, result), result.measured.unit);
    let (word, tone) = row.verdict();
    let mut lines = vec![Styled::plain(format!("  {}: ", row.metric)).with(word, tone)];
    lines.push(Styled::plain(numbers("measured", row.real, unit)));
    if let Some(simulated) = row.simulated {
        lines.push(Styled::plain(numbers("simulated", simulated, unit)));
    }
    lines.push(Styled::of(test(&row, unit), Tone::Dim));
    for problem in &row.problems {
        lines.push(Styled::of(format!("    {problem}"), Tone::Bad));
    }
    lines
}

fn numbers(what: &str, numbers: Numbers, unit: Unit) -> String {
    let cells = numbers.values().map(|value| format!("{:>12}", shown(unit, value)));
    format!("    {what:<10}{:>6}{}", numbers.n, cells.concat())
}

fn test(row: &MetricRow, unit: Unit) -> String {
    let shift = row.smallest_shift.map_or("none".to_owned(), |shift| shown(unit, shift));
    match (row.ks_statistic, row.ks_p_value) {
        (Some(distance), Some(p)) => format!(
            "    KS {distance:.3}, p {}; smallest shift that {} values show: {shift}",
            probability(p),
            row.real.n
        ),
        _ => "    nothing to compare with".to_owned(),
    }
}
