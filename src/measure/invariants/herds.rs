//! Conservation of the requests of informers: what they issued was served, rejected or given up, or is
//! pending; nothing of that is ever taken back; and requests are sent at least as often as they end.
//!
//! What is pending is counted among the processes, the rest as it happens, so that the two have to
//! meet at every line of the book.

use super::{Law, Violation};
use crate::component::id::ComponentId;
use crate::component::record::{HerdRecord, Record};
use crate::kernel::time::Time;
use crate::measure::case::Case;
use std::collections::BTreeMap;

/// What is wrong with a line, given the one before.
fn wrong(before: Option<&HerdRecord>, line: &HerdRecord) -> Option<String> {
    let HerdRecord { issued, served, rejected, timed_out, pending, sent, turned_away, .. } = *line;
    let over = served + rejected + timed_out;
    if issued != over + u64::from(pending) {
        return Some(format!(
            "{issued} requests issued, but {served} served, {rejected} rejected, {timed_out} given up and {pending} pending"
        ));
    }
    if sent < served || sent < turned_away {
        return Some(format!("{sent} requests sent, {served} served, {turned_away} turned away"));
    }
    let taken_back = before.is_some_and(|before| {
        [
            (before.issued, issued),
            (before.served, served),
            (before.rejected, rejected),
            (before.timed_out, timed_out),
        ]
        .iter()
        .any(|(before, now)| before > now)
    });
    taken_back.then(|| "a request that had ended is not over any more".to_owned())
}

/// Every line of a book that does not add up.
pub(super) fn conserved(case: &Case) -> Vec<Violation> {
    let lines = case.history.records().filter_map(|recorded| match recorded.record {
        Record::Herd(line) => Some((recorded.at, line)),
        _ => None,
    });
    let mut last: BTreeMap<ComponentId, HerdRecord> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, line) in lines {
        let before: Option<HerdRecord> = last.insert(line.client, line);
        let name = case.plan.map.name(line.client);
        if let Some(what) = wrong(before.as_ref(), &line) {
            found.push(violation(at, format!("{name}: {what}")));
        }
    }
    found
}

fn violation(at: Time, what: String) -> Violation {
    Violation { law: Law::RequestsAreConserved, at, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(issued: u64, [served, rejected, timed_out]: [u64; 3], pending: u32) -> HerdRecord {
        HerdRecord {
            client: ComponentId(1),
            issued,
            served,
            rejected,
            timed_out,
            pending,
            sent: issued + 5,
            turned_away: 5,
            lists: 0,
            unwatched: 0,
            most_sent: 0,
            most_connected: 0,
        }
    }

    /// Law: a line that adds up, after one with no more in it, is right; any other is found.
    #[test]
    fn lines_have_to_add_up() {
        let first = line(10, [6, 1, 1], 2);
        assert_eq!(wrong(None, &first), None);
        assert_eq!(wrong(Some(&first), &line(12, [8, 1, 2], 1)), None);
        assert!(wrong(Some(&first), &line(12, [8, 1, 2], 2)).is_some_and(|w| w.starts_with("12")));
        let back = wrong(Some(&first), &line(12, [5, 3, 2], 2));
        assert!(back.is_some_and(|w| w.contains("not over")));
        let unsent = HerdRecord { sent: 5, ..first };
        assert!(wrong(None, &unsent).is_some_and(|w| w.starts_with("5 requests sent")));
    }
}
