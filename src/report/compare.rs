//! A comparison as verdicts for people, as JSON and as CSV.
//!
//! Absent on purpose: statistics.

mod page;
mod plot;
mod words;

use super::layout::{WIDTH, columns, wrap};
use super::style::{Styled, Tone};
use crate::experiment::compare::{
    CONFIDENCE, Compared, Difference, Of, RunComparison, Verdict, YearComparison,
};
use crate::experiment::study::{Kind, Study};
use crate::experiment::trials::Failure;
use crate::report::years::{self, YearResult};
use serde::Serialize;
use std::fmt::Write;

pub use page::{Book, Chapter, Study as ChapterStudy, finding, html, manifest, markdown};
pub use plot::svg;
pub use words::verdict;

/// A comparison as data.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CompareResult {
    /// `hasim/v1`.
    pub api_version: &'static str,
    /// `ComparisonResult`.
    pub kind: &'static str,
    /// What trials are: `compared-runs` or `compared-years`.
    pub trials_are: Kind,
    /// The seed that all share.
    pub seed: u64,
    /// The number of the first trial.
    pub first: u64,
    /// Trials that were run, each of all sides.
    pub trials: u64,
    /// Of all intervals together (Student's over paired trials, Bonferroni's over rows).
    pub confidence: f64,
    /// What is compared, the first with each of the others.
    pub sides: Vec<SideResult>,
    /// Row by row.
    pub differences: Vec<DifferenceResult>,
    /// Trials that panicked.
    pub failures: Vec<String>,
}

/// One of the scenarios.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SideResult {
    /// Its name.
    pub name: String,
    /// How many machines it takes, those of clients apart.
    pub machines: u64,
    /// Its study of years; `null` of runs.
    pub years: Option<YearResult>,
}

/// One difference.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DifferenceResult {
    /// The side that is compared with the first.
    pub side: String,
    /// The service or the metric.
    pub name: &'static str,
    /// What of it: `down`, `unserved` or `metric`.
    pub of: &'static str,
    /// `minutes a year`, `ms` or `count`.
    pub unit: &'static str,
    /// The mean of the first over the pairs.
    pub first_mean: f64,
    /// The mean of this side.
    pub mean: f64,
    /// The mean of this side less the first.
    pub difference: f64,
    /// Lower end of its interval; `null` where too few trials differ for one.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Trials in which both have it.
    pub pairs: u64,
    /// Pairs that differ.
    pub differing: u64,
    /// Trials in which only the first has it.
    pub only_first: u64,
    /// Trials in which only this side has it.
    pub only_this: u64,
    /// `less`, `more`, `no difference shown`, `too few trials differ` or `same`.
    pub verdict: &'static str,
}

impl DifferenceResult {
    fn of(difference: &Difference, names: &[String]) -> Self {
        let Difference { first, other, mean, differing, alone, .. } = difference;
        let reach = difference.reach();
        Self {
            side: names[difference.side].clone(),
            name: difference.name,
            of: match difference.of {
                Of::DownAYear | Of::DownARun => "down",
                Of::UnservedAYear => "unserved",
                Of::Metric(_) => "metric",
            },
            unit: words::unit(difference.of),
            first_mean: *first,
            mean: *other,
            difference: mean.mean,
            low: reach.map(|reach| mean.mean - reach),
            high: reach.map(|reach| mean.mean + reach),
            pairs: mean.trials,
            differing: *differing,
            only_first: alone.0,
            only_this: alone.1,
            verdict: match difference.verdict() {
                Verdict::Same => "same",
                Verdict::TooFew => "too few trials differ",
                Verdict::NotShown => "no difference shown",
                Verdict::Less => "less",
                Verdict::More => "more",
            },
        }
    }
}

/// A comparison of either kind.
pub trait Told: Compared {
    /// The names of the sides.
    fn names(&self) -> Vec<String>;

    /// The comparison as data.
    fn result(&self) -> CompareResult;

    /// For people.
    fn text(&self) -> Vec<Styled>;
}

fn names<A>(study: &Study<A>) -> Vec<String> {
    study.about.sides.iter().map(|side| side.name.clone()).collect()
}

impl<A> Told for Study<A>
where
    Study<A>: Compared + Sides,
{
    fn names(&self) -> Vec<String> {
        names(self)
    }

    fn result(&self) -> CompareResult {
        let side = |(at, side): (usize, &crate::experiment::study::SideAbout)| SideResult {
            name: side.name.clone(),
            machines: side.machines,
            years: self.years(at),
        };
        let names = names(self);
        CompareResult {
            api_version: "hasim/v1",
            kind: "ComparisonResult",
            trials_are: self.about.trials_are,
            seed: self.about.seed,
            first: self.trials.start,
            trials: self.trials.end - self.trials.start,
            confidence: CONFIDENCE,
            sides: self.about.sides.iter().enumerate().map(side).collect(),
            differences: self
                .differences()
                .iter()
                .map(|difference| DifferenceResult::of(difference, &names))
                .collect(),
            failures: self.failures.iter().map(Failure::to_string).collect(),
        }
    }

    fn text(&self) -> Vec<Styled> {
        let (names, rows) = (names(self), self.differences());
        let heading = format!(
            "{}: {} paired trials{}, seed {}",
            names.join(", "),
            self.trials.end - self.trials.start,
            self.length(),
            self.about.seed
        );
        let mut lines: Vec<Styled> =
            wrap(&heading, WIDTH).into_iter().map(|line| Styled::of(line, Tone::Heading)).collect();
        for of in [Of::DownAYear, Of::UnservedAYear, Of::DownARun] {
            lines.extend(means(&rows, of, &names));
        }
        lines.extend(verdicts(&rows, &names));
        lines.push(Styled::default());
        let machines =
            self.about.sides.iter().map(|side| format!("{} {}", side.name, side.machines));
        let note = format!(
            "Machines: {}. ±: 95 % intervals that hold for all rows together (Student, Bonferroni). What \
             fails in one fails in the other at the same instant.",
            machines.collect::<Vec<_>>().join(", ")
        );
        lines.extend(wrap(&note, WIDTH).into_iter().map(|line| Styled::of(line, Tone::Dim)));
        lines.extend(self.failures.iter().map(|f| Styled::of(f.to_string(), Tone::Bad)));
        lines
    }
}

/// What differs between the kinds of comparisons.
pub trait Sides {
    /// A side's study of years.
    fn years(&self, side: usize) -> Option<YearResult>;

    /// How long a trial is, in words.
    fn length(&self) -> String;
}

impl Sides for YearComparison {
    fn years(&self, side: usize) -> Option<YearResult> {
        self.side(side).map(|study| years::result(&study))
    }

    fn length(&self) -> String {
        match self.side(0).map_or(1, |study| study.years()) {
            1 => " of 1 year".to_owned(),
            years => format!(" of {years} years"),
        }
    }
}

impl Sides for RunComparison {
    fn years(&self, _side: usize) -> Option<YearResult> {
        None
    }

    fn length(&self) -> String {
        format!(" of {}", self.about.until)
    }
}

/// The means of all sides, a line a service.
fn means(rows: &[Difference], of: Of, names: &[String]) -> Vec<Styled> {
    let header = match of {
        Of::DownAYear => "DOWN A YEAR",
        Of::UnservedAYear => "NOT SERVED A YEAR",
        Of::DownARun => "DOWN A RUN",
        Of::Metric(_) => return Vec::new(),
    };
    let of_side = |side: usize| rows.iter().filter(move |row| row.of == of && row.side == side);
    let told = |row: &&Difference| row.first > 0.0 || row.other > 0.0;
    let mut table: Vec<Vec<String>> = Vec::new();
    for row in of_side(1).filter(told) {
        let others = (1..names.len()).filter_map(|side| of_side(side).find(|r| r.name == row.name));
        let cells = others.map(|other| words::amount(of, other.other));
        table.push(
            [row.name.to_owned(), words::amount(of, row.first)].into_iter().chain(cells).collect(),
        );
    }
    if table.is_empty() {
        return Vec::new();
    }
    let header: Vec<&str> =
        std::iter::once(header).chain(names.iter().map(String::as_str)).collect();
    let lines = columns(&header, &table).into_iter().map(Styled::plain);
    std::iter::once(Styled::default()).chain(lines).collect()
}

/// What each difference shows; metrics that show nothing are counted only.
fn verdicts(rows: &[Difference], names: &[String]) -> Vec<Styled> {
    let mut lines = Vec::new();
    for side in 1..names.len() {
        let against = format!("{} against {}", names[side], names[0]);
        lines.extend([Styled::default(), Styled::of(against, Tone::Heading)]);
        let mine = || rows.iter().filter(|row| row.side == side && row.of != Of::UnservedAYear);
        let width = mine().map(|row| row.name.len()).max().unwrap_or(0);
        let mut silent = 0;
        for row in mine() {
            let shows = matches!(row.verdict(), Verdict::Less | Verdict::More);
            if !shows && matches!(row.of, Of::Metric(_)) {
                silent += 1;
                continue;
            }
            let tone = if shows { Tone::Plain } else { Tone::Dim };
            let told = format!("{:width$}   {}", row.name, verdict(row, names));
            lines.push(Styled::of(told, tone));
        }
        if silent > 0 {
            let told = format!("{silent} metrics more: no difference shown.");
            lines.push(Styled::of(told, Tone::Dim));
        }
    }
    lines
}

/// A line a difference.
pub fn csv(result: &CompareResult) -> String {
    let mut text =
        "side,name,of,unit,first_mean,mean,difference,low,high,pairs,differing,only_first,\
        only_this,verdict\n"
            .to_owned();
    let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for row in &result.differences {
        let side = if row.side.contains([',', '"']) {
            format!("\"{}\"", row.side.replace('"', "\"\""))
        } else {
            row.side.clone()
        };
        let _ = writeln!(
            text,
            "{side},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            row.name,
            row.of,
            row.unit,
            row.first_mean,
            row.mean,
            row.difference,
            cell(row.low),
            cell(row.high),
            row.pairs,
            row.differing,
            row.only_first,
            row.only_this,
            row.verdict
        );
    }
    text
}
