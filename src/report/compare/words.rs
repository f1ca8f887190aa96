//! Differences in words.

use crate::experiment::compare::{Difference, Of, Verdict};
use crate::measure::failover::Unit;
use crate::report::amount;

/// The unit in files.
pub(super) fn unit(of: Of) -> &'static str {
    match of {
        Of::DownAYear | Of::UnservedAYear => "minutes a year",
        Of::DownARun | Of::Metric(Unit::Duration) => "ms",
        Of::Metric(Unit::Count) => "count",
    }
}

/// A mean for people.
pub(super) fn amount(of: Of, value: f64) -> String {
    let seconds = match of {
        Of::DownAYear | Of::UnservedAYear => value * 60.0,
        Of::DownARun | Of::Metric(Unit::Duration) => value / 1e3,
        Of::Metric(Unit::Count) => return format!("{value:.2}"),
    };
    amount::amount(seconds)
}

/// What a difference shows, in plain words: "external is better by 3.1 ± 0.4 minutes a year".
pub fn verdict(row: &Difference, names: &[String]) -> String {
    let (first, other) = (&names[0], &names[row.side]);
    let around = |reach: f64| by(row.of, row.mean.mean.abs(), reach);
    match (row.verdict(), row.reach()) {
        (Verdict::Same, _) => "the same in every trial".to_owned(),
        (Verdict::Less, Some(reach)) => {
            format!("{other} is {} by {}", better(row.of), around(reach))
        }
        (Verdict::More, Some(reach)) => {
            format!("{first} is {} by {}", better(row.of), around(reach))
        }
        (Verdict::NotShown, Some(reach)) => {
            let sign = if row.mean.mean < 0.0 { "−" } else { "+" };
            format!("no difference shown ({sign}{})", around(reach))
        }
        _ => format!("too few trials differ ({} of {})", row.differing, row.mean.trials),
    }
}

fn better(of: Of) -> &'static str {
    match of {
        Of::DownAYear | Of::UnservedAYear | Of::DownARun => "better",
        Of::Metric(Unit::Duration) => "sooner",
        Of::Metric(Unit::Count) => "lower",
    }
}

/// An amount and its reach in a unit in which both can be read.
fn by(of: Of, amount: f64, reach: f64) -> String {
    let (scale, unit) = match of {
        Of::DownAYear | Of::UnservedAYear if amount.max(reach) >= 600.0 => {
            (1.0 / 60.0, " hours a year")
        }
        Of::DownAYear | Of::UnservedAYear if amount.max(reach) >= 1.0 => (1.0, " minutes a year"),
        Of::DownAYear | Of::UnservedAYear => (60.0, " seconds a year"),
        Of::DownARun | Of::Metric(Unit::Duration) => {
            return amount::around(amount / 1e3, reach / 1e3);
        }
        Of::Metric(Unit::Count) => (1.0, ""),
    };
    let (amount, reach) = (amount * scale, reach * scale);
    let digits = amount::decimals(reach, 2);
    format!("{amount:.digits$} ± {reach:.digits$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::years::Estimate;

    fn row(of: Of, mean: f64, error: f64, differing: u64) -> Difference {
        Difference {
            name: "api-write",
            of,
            side: 1,
            first: 0.0,
            other: 0.0,
            mean: Estimate { mean, error, trials: 10_000 },
            differing,
            alone: (0, 0),
            confidence: 0.95,
        }
    }

    /// Law: verdicts are plain words with two digits of their error.
    #[test]
    fn verdicts_are_plain() {
        let names = ["stacked".to_owned(), "external".to_owned()];
        let say = |row: Difference| verdict(&row, &names);
        insta::assert_snapshot!(say(row(Of::DownAYear, -3.1234, 0.2, 500)), @"external is better by 3.12 ± 0.39 minutes a year");
        insta::assert_snapshot!(say(row(Of::DownAYear, 0.05, 0.001, 500)), @"stacked is better by 3.00 ± 0.12 seconds a year");
        insta::assert_snapshot!(say(row(Of::DownAYear, -0.1, 0.2, 500)), @"no difference shown (−6 ± 24 seconds a year)");
        insta::assert_snapshot!(say(row(Of::DownAYear, -0.1, 0.2, 3)), @"too few trials differ (3 of 10000)");
        insta::assert_snapshot!(say(row(Of::DownAYear, 0.0, 0.0, 0)), @"the same in every trial");
        insta::assert_snapshot!(say(row(Of::Metric(Unit::Duration), -1500.0, 10.0, 500)), @"external is sooner by 1.500 ± 0.020 s");
    }
}
