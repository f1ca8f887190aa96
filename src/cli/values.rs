//! Values of options: read as scenario files write them.

use crate::kernel::time::Duration;

/// Reads a duration such as `5m` or `1h30m`.
///
/// # Errors
/// What is wrong with the text and what would be right.
pub fn duration(text: &str) -> Result<Duration, String> {
    Duration::parse(text).map_err(|error| error.to_string())
}
