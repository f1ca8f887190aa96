//! Values of options: read as scenario files write them.

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
