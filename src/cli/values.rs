//! Values of options: read as scenario files write them.

use crate::analytic::votes::MEMBERS_MAX;
use crate::kernel::time::Duration;

/// Reads a duration such as `5m` or `1h30m`.
///
/// # Errors
/// What is wrong with the text and what would be right.
pub fn duration(text: &str) -> Result<Duration, String> {
    Duration::parse(text).map_err(|error| error.to_string())
}

/// Most threads that may be asked for.
const THREADS_MAX: usize = 1_024;

/// Reads a number of threads.
///
/// # Errors
/// If it is no number from 1 to 1024.
pub fn threads(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=THREADS_MAX).contains(number));
    number.ok_or_else(|| format!("a number from 1 to {THREADS_MAX}"))
}

/// Reads a number of voters.
///
/// # Errors
/// If it is no number from 1 to 99.
pub fn members(text: &str) -> Result<usize, String> {
    let number = text.trim().parse().ok().filter(|number| (1..=MEMBERS_MAX).contains(number));
    number.ok_or_else(|| format!("a number from 1 to {MEMBERS_MAX}"))
}

/// Reads a probability.
///
/// # Errors
/// If it is no number from 0 to 1.
pub fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| {
        let percent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
        match percent.filter(|percent| (0.0..=100.0).contains(percent)) {
            Some(percent) => format!("a number from 0 to 1: `{}`", percent / 100.0),
            None => "a number from 0 to 1, such as `0.999`".to_owned(),
        }
    })
}

/// Reads a relative error such as `5%` or `0.05`.
///
/// # Errors
/// If it is not above 0 and below 100 %.
pub fn percentage(text: &str) -> Result<f64, String> {
    let number = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse::<f64>(),
    };
    let number = number.ok().filter(|number| *number > 0.0 && *number < 1.0);
    number.ok_or_else(|| "a share above 0 and below 1, such as `5%` or `0.05`".to_owned())
}
