//! Trials of years as CSV: a row a trial.
//!
//! Absent on purpose: sums and means.

use super::monte_carlo::milliseconds;
use crate::experiment::years::YearRow;
use crate::kernel::time::Duration;
use crate::reliability::ideal::Measure;
use std::fmt::Write;

/// The names of the columns: for each measure the time down, the outages, when the first one began
/// (empty: there was none), and the time's worth of fresh requests that were not served.
pub fn header() -> String {
    let mut line = "trial".to_owned();
    for measure in Measure::ALL.map(Measure::name) {
        let _ =
            write!(line, ",{measure}.down,{measure}.outages,{measure}.first,{measure}.unserved");
    }
    line.push_str(",incidents\n");
    line
}

/// One trial: times in milliseconds.
pub fn line(trial: u64, row: &YearRow) -> String {
    let told = |nanos: u64| milliseconds(Duration::from_nanos(nanos));
    let mut line = trial.to_string();
    for spell in &row.measures {
        let first = spell.first.map_or(String::new(), told);
        let (down, unserved) = (told(spell.down), told(spell.unserved));
        let _ = write!(line, ",{down},{},{first},{unserved}", spell.outages);
    }
    let _ = writeln!(line, ",{}", row.incidents);
    line
}
