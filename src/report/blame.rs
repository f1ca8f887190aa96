//! The blame line in words: `16.1 s = +15.0 s leaseDuration, −0.7 s since the last renewal before the
//! fault, +1.8 s until cp3's next try`.

use crate::kernel::time::Duration;
use crate::measure::blame::{BlameLine, BlameTerm, Part};
use crate::measure::case::Case;
use crate::world::event::{EventKind, EventLog};

/// What a term was for, in words, without its owner.
pub fn term_words(case: &Case, term: &BlameTerm) -> String {
    match term.part {
        Part::Wait(parameter) => parameter.to_owned(),
        Part::Unexplained => "waiting".to_owned(),
        Part::BeforeFault(parameter) => {
            format!("{} before {}", since(parameter), the_setting(case.log, term))
        }
        Part::BeforeLoss => format!("from {} to the loss", the_setting(case.log, term)),
        Part::UntilSetting => format!("until {}", setting(case, term)),
    }
}

/// Since when a wait for this parameter had been running.
fn since(parameter: &str) -> &'static str {
    let known = [
        ("lease", "since the last renewal"),
        ("renew", "since the last renewal"),
        ("retryPeriod", "since the last renewal"),
        ("election", "since the last heartbeat"),
        ("heartbeat", "since the last heartbeat"),
        ("advert", "since the last advert"),
        ("inter", "since the last check"),
        ("grace", "since the last renewal"),
    ];
    let found = known.iter().find(|(part, _)| parameter.contains(part));
    found.map_or("already passed", |(_, words)| words)
}

fn the_setting(log: &EventLog, term: &BlameTerm) -> &'static str {
    match log.get(term.event).kind {
        EventKind::Fault { undo: true, .. } => "the repair",
        EventKind::Fault { .. } => "the fault",
        EventKind::Start => "the start",
        _ => "the loss",
    }
}

/// The setting that began the path, by its verb and targets.
fn setting(case: &Case, term: &BlameTerm) -> String {
    let mut fired = case.history.faults();
    let found = fired.find(|fired| fired.because == term.event);
    found.map_or_else(
        || the_setting(case.log, term).to_owned(),
        |fired| fault_words(fired.verb, &fired.targets, fired.undo),
    )
}

/// A fault as the timeline names it: `powerOff cp1`, `end of isolate cp1`.
pub fn fault_words(verb: &str, targets: &[String], undo: bool) -> String {
    let end = if undo { "end of " } else { "" };
    if targets.is_empty() {
        format!("{end}{verb} (nobody fits)")
    } else {
        format!("{end}{verb} {}", targets.join(", "))
    }
}

/// From these lengths on, a line is printed to a tenth of a second or to a millisecond; below, to a
/// microsecond.
const COARSE: i64 = 10_000_000_000;
const FINE: i64 = 10_000_000;

/// How finely a line is printed: nanoseconds of the last decimal, and decimals of a second.
fn grain(length: i64) -> (i64, usize) {
    match length {
        COARSE.. => (100_000_000, 1),
        FINE.. => (1_000_000, 3),
        _ => (1_000, 6),
    }
}

/// Terms in whole grains that add up to the rounded sum: each is rounded down, and those that lose
/// most by it get one more, until the sum is right.
fn rounded(terms: &[i64], grain: i64) -> (Vec<i64>, i64) {
    let total = terms.iter().sum::<i64>();
    let whole = (total + grain / 2).div_euclid(grain);
    let mut parts: Vec<i64> = terms.iter().map(|nanos| nanos.div_euclid(grain)).collect();
    let mut by_loss: Vec<usize> = (0..terms.len()).collect();
    by_loss.sort_by_key(|at| std::cmp::Reverse(terms[*at].rem_euclid(grain)));
    let missing = usize::try_from(whole - parts.iter().sum::<i64>()).unwrap_or(0);
    for at in by_loss.into_iter().take(missing) {
        parts[at] += 1;
    }
    (parts, whole)
}

/// Grains in seconds.
fn seconds(grains: i64, decimals: usize) -> String {
    let scale = 10_u64.pow(u32::try_from(decimals).unwrap_or(0));
    let (whole, rest) = (grains.unsigned_abs() / scale, grains.unsigned_abs() % scale);
    format!("{whole}.{rest:0decimals$} s")
}

/// A signed span, `+15.0 s` or `−0.7 s`; nothing if there is none.
fn signed(grains: i64, decimals: usize) -> Option<String> {
    let sign = if grains < 0 { '−' } else { '+' };
    (grains != 0).then(|| format!("{sign}{}", seconds(grains, decimals)))
}

/// The blame line in words.
pub fn line(case: &Case, blame: &BlameLine) -> String {
    let terms = together(&blame.terms);
    let (grain, decimals) = grain(blame.total());
    let nanos: Vec<i64> = terms.iter().map(|term| term.nanos).collect();
    let (parts, total) = rounded(&nanos, grain);
    let mut said = Vec::new();
    for (at, term) in terms.iter().enumerate() {
        let Some(amount) = signed(parts[at], decimals) else { continue };
        let mut words = term_words(case, term);
        let place = term.owner.map(|id| case.plan.map.place(id));
        let next = terms[at + 1..].iter().find_map(|next| next.owner);
        if let Some(place) = place {
            if words.contains("its ") {
                words = words.replacen("its ", &format!("{place}'s "), 1);
            } else if next != term.owner {
                words = format!("{words} ({})", owner_name(case, term));
            }
        }
        said.push(format!("{amount} {words}"));
    }
    format!("{} = {}", seconds(total, decimals), said.join(", "))
}

fn owner_name<'a>(case: &Case<'a>, term: &BlameTerm) -> &'a str {
    term.owner.map_or("", |id| case.plan.map.name(id))
}

/// Puts terms for the same thing by the same owner together, and all of the network's.
fn together(terms: &[BlameTerm]) -> Vec<BlameTerm> {
    let network = Part::Wait("network");
    let mut merged: Vec<BlameTerm> = Vec::new();
    for term in terms {
        let same = merged.iter_mut().find(|earlier| {
            earlier.part == term.part && (earlier.owner == term.owner || term.part == network)
        });
        match same {
            Some(earlier) => {
                earlier.nanos += term.nanos;
                if earlier.owner != term.owner {
                    earlier.owner = None;
                }
            }
            None => merged.push(*term),
        }
    }
    merged
}

/// What would shorten the interval, if a configurable option did most of it.
pub fn shorten(blame: &BlameLine) -> Option<String> {
    let (option, nanos) = blame.largest_option()?;
    let share = Duration::from_nanos(nanos.unsigned_abs()).human();
    Some(format!("{option} ({share} of it)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Law: what is printed adds up to what is printed, and no term is off by a whole grain.
        #[test]
        fn printed_terms_add_up(
            terms in proptest::collection::vec(-20_000_000_000_i64..20_000_000_000, 0..9),
            coarse: bool,
        ) {
            let grain = if coarse { 100_000_000 } else { 1_000_000 };
            let (parts, total) = rounded(&terms, grain);
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            prop_assert!((total * grain - terms.iter().sum::<i64>()).abs() <= grain / 2);
            for (part, nanos) in parts.iter().zip(&terms) {
                prop_assert!((part * grain - nanos).abs() < grain);
            }
        }
    }

    /// Law: spans are printed to the grain, with their sign.
    #[test]
    fn spans_have_signs() {
        assert_eq!(signed(150, 1).as_deref(), Some("+15.0 s"));
        assert_eq!(signed(-7, 1).as_deref(), Some("−0.7 s"));
        assert_eq!(signed(-7, 3).as_deref(), Some("−0.007 s"));
        assert_eq!(signed(0, 3), None);
    }
}
