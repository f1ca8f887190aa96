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

/// From this length on, a line is printed to a tenth of a second; below, to a millisecond.
const COARSE: Duration = Duration::from_secs(10);

/// Seconds with as many decimals as the length of the whole line deserves.
fn seconds(nanos: i64, length: Duration) -> String {
    let decimals = if length >= COARSE { 1 } else { 3 };
    format!("{:.decimals$} s", nanos as f64 / 1e9)
}

/// A signed span, `+15.0 s` or `−0.7 s`; nothing if it rounds to zero.
fn signed(nanos: i64, length: Duration) -> Option<String> {
    let size = seconds(nanos.saturating_abs(), length);
    let sign = if nanos < 0 { '−' } else { '+' };
    let zero = size.chars().all(|c| !c.is_ascii_digit() || c == '0');
    (!zero).then(|| format!("{sign}{size}"))
}

/// The blame line in words.
pub fn line(case: &Case, blame: &BlameLine) -> String {
    let terms = together(&blame.terms);
    let length = Duration::from_nanos(u64::try_from(blame.total()).unwrap_or(0));
    let mut said = Vec::new();
    for (at, term) in terms.iter().enumerate() {
        let Some(amount) = signed(term.nanos, length) else { continue };
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
    format!("{} = {}", seconds(blame.total(), length), said.join(", "))
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
