//! Every metric with its unit and meaning, as a page for the docs.

use crate::measure::failover::{self, Unit};
use std::fmt::Write as _;

/// The page, in Markdown.
pub fn page() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
        One value a run; none where it did not happen. Milliseconds in files, durations on the terminal.\n\
        *Fault* is the one that `run.measureFrom` names, the first unless it says otherwise; *repair* is what\n\
        undoes it. Metrics of clients hold for requests on the clients' stated schedules.\n\n\
        | metric | unit | value |\n\
        | --- | --- | --- |\n",
    );
    for metric in failover::all() {
        let unit = match metric.unit {
            Unit::Duration => "ms",
            Unit::Count => "count",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| `{}` | {unit} | {} |", metric.name, metric.doc);
    }
    page
}
