//! A whole run as text: what it was, the timeline, how things stand at the end, outages with their
//! blame, failover times, and the scenario's claims.

use super::blame::{self, fault_words};
use super::layout::{WIDTH, columns, wrap};
use super::style::{Styled, Tone};
use super::tables::tables;
use super::timeline;
use crate::component::record::HerdRecord;
use crate::kernel::time::Time;
use crate::measure::case::{Case, Findings};
use crate::measure::failover::{Reading, Value};
use crate::measure::outage::{Interval, Record, Severity};

/// The whole report of a run with this seed.
pub fn report(case: &Case, findings: &Findings, seed: u64) -> Vec<Styled> {
    let mut lines = head(case, seed);
    let now = tables(case.plan, case.until, case.end);
    block(&mut lines, "Timeline (seconds)", timeline::render(&timeline::lines(case)));
    block(&mut lines, &format!("At {} s", case.until), now.render());
    block(&mut lines, "Services", services(&findings.services));
    block(&mut lines, "Requests of informers", herds(case, findings));
    block(&mut lines, "Outages and degradations", intervals(case, findings));
    block(&mut lines, "Failover times", metrics(&findings.metrics));
    block(&mut lines, "Expectations", expectations(findings));
    block(&mut lines, "Broken laws", violations(findings));
    lines
}

/// How things stood at the end of a case, for `--at`.
pub fn moment(case: &Case) -> Vec<Styled> {
    let mut lines = Vec::new();
    let now = tables(case.plan, case.until, case.end);
    block(&mut lines, &format!("At {} s", case.until), now.render());
    lines
}

/// A heading, and below it its lines, if there are any.
fn block(lines: &mut Vec<Styled>, title: &str, body: Vec<Styled>) {
    if body.is_empty() {
        return;
    }
    if !lines.is_empty() {
        lines.push(Styled::default());
    }
    lines.push(Styled::of(title, Tone::Heading));
    lines.push(Styled::of("─".repeat(title.chars().count()), Tone::Dim));
    lines.extend(body);
}

fn head(case: &Case, seed: u64) -> Vec<Styled> {
    let versions = case.plan.versions;
    let mut lines = vec![Styled::of(case.plan.name.clone(), Tone::Heading)];
    let about = wrap(&case.plan.description, WIDTH);
    lines.extend(about.into_iter().filter(|text| !text.is_empty()).map(Styled::plain));
    let releases = format!("Kubernetes {}, etcd {}", versions.kubernetes, versions.etcd);
    let length = case.until.since(Time::START).human();
    lines.push(Styled::of(format!("{releases}, seed {seed}, {length}"), Tone::Dim));
    lines
}

fn percent(share: f64) -> String {
    if share >= 1.0 { "100 %".to_owned() } else { format!("{:.3} %", share * 100.0) }
}

fn services(records: &[Record]) -> Vec<Styled> {
    let row = |record: &Record| {
        vec![
            record.service.name().to_owned(),
            record.outages().count().to_string(),
            record.longest_outage().human(),
            record.total_outage().human(),
            percent(record.time_weighted),
            percent(record.request_weighted),
        ]
    };
    let rows: Vec<_> = records.iter().map(row).collect();
    let header = ["SERVICE", "OUTAGES", "LONGEST", "TOTAL", "TIME UP", "REQUESTS"];
    let table = columns(&header, &rows).into_iter().zip(0..);
    table
        .map(|(text, at): (String, usize)| {
            let out = at > 0 && records.get(at - 1).is_some_and(|r| r.outages().next().is_some());
            Styled::of(text, if out { Tone::Warning } else { Tone::Plain })
        })
        .collect()
}

/// What became of the requests of informers, up to the last line of each book.
fn herds(case: &Case, findings: &Findings) -> Vec<Styled> {
    let row = |(at, line): &(Time, HerdRecord)| {
        let numbers = [
            line.issued,
            line.served,
            line.rejected,
            line.timed_out,
            u64::from(line.pending),
            line.turned_away,
        ];
        let mut row = vec![case.plan.map.name(line.client).to_owned(), format!("{at} s")];
        row.extend(numbers.map(|number| number.to_string()));
        row
    };
    let rows: Vec<_> = findings.herds.iter().map(row).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let header =
        ["INFORMERS", "UNTIL", "ISSUED", "SERVED", "REJECTED", "GIVEN UP", "PENDING", "429"];
    columns(&header, &rows).into_iter().map(Styled::plain).collect()
}

/// Every outage and degradation, in order of time; services that fared alike share one entry.
fn intervals(case: &Case, findings: &Findings) -> Vec<Styled> {
    let mut all: Vec<&Interval> =
        findings.services.iter().flat_map(|record| &record.intervals).collect();
    all.sort_by_key(|interval| (interval.from, interval.to.unwrap_or(Time::NEVER)));
    let mut groups: Vec<Vec<&Interval>> = Vec::new();
    for interval in all {
        match groups.iter_mut().find(|group| alike(group[0], interval)) {
            Some(group) => group.push(interval),
            None => groups.push(vec![interval]),
        }
    }
    let entries: Vec<Vec<Styled>> = groups.iter().map(|group| explained(case, group)).collect();
    entries.join(&Styled::default())
}

fn alike(a: &Interval, b: &Interval) -> bool {
    let bounds = |i: &Interval| (i.severity, i.from, i.to, i.cause);
    bounds(a) == bounds(b) && a.blame == b.blame && (a.hit - b.hit).abs() < 1e-9
}

fn explained(case: &Case, group: &[&Interval]) -> Vec<Styled> {
    let interval = group[0];
    let (word, tone) = match interval.severity {
        Severity::Outage => ("out", Tone::Bad),
        Severity::Degradation => ("degraded", Tone::Warning),
    };
    let end = interval.to.map_or("end of run, still open".to_owned(), |to| to.to_string());
    let hit = match interval.severity {
        Severity::Outage => String::new(),
        Severity::Degradation => format!(", {:.0} % of requests hit", interval.hit * 100.0),
    };
    let names: Vec<&str> = group.iter().map(|interval| interval.service.name()).collect();
    let length = interval.length.human();
    let span = format!("{word} {} – {end}  {length}{hit}", interval.from);
    let mut lines = vec![Styled::of(names.join(", "), tone)];
    lines.extend(hanging(&span, tone));
    lines.extend(hanging(&format!("because of {}", cause(case, interval)), Tone::Dim));
    if let Some(blame) = &interval.blame {
        lines.extend(hanging(&blame::line(case, blame), Tone::Plain));
        let shorten = blame::shorten(blame).map(|text| format!("to shorten: {text}"));
        lines.extend(shorten.iter().flat_map(|text| hanging(text, Tone::Dim)));
    }
    lines
}

/// Text below a line, indented, further lines deeper.
fn hanging(text: &str, tone: Tone) -> Vec<Styled> {
    let wrapped = wrap(text, WIDTH - 6).into_iter().enumerate();
    let line = |(at, text): (usize, String)| {
        let indent = if at == 0 { "    " } else { "      " };
        Styled::of(format!("{indent}{text}"), tone)
    };
    wrapped.map(line).collect()
}

/// From what it followed, in words.
pub fn cause(case: &Case, interval: &Interval) -> String {
    let Some((index, undo)) = interval.cause else {
        return "the start".to_owned();
    };
    let faults = case.history.faults().filter(|fired| fired.at <= interval.from);
    let last = faults.filter(|fired| (fired.index, fired.undo) == (index, undo)).last();
    last.map_or_else(String::new, |fired| {
        let words = fault_words(fired.verb, &fired.targets, fired.undo);
        format!("{words} at {}", fired.at)
    })
}

fn metrics(readings: &[Reading]) -> Vec<Styled> {
    let longest = readings.iter().map(|r| r.metric.name.len()).max().unwrap_or(0);
    let line =
        |r: &Reading| Styled::plain(format!("{:<longest$}  {:>9}", r.metric.name, value(r.value)));
    readings.iter().map(line).collect()
}

/// The value of a metric for people.
pub fn value(value: Value) -> String {
    match value {
        Value::Duration(span) => span.human(),
        Value::Count(count) => count.to_string(),
    }
}

fn expectations(findings: &Findings) -> Vec<Styled> {
    let lines = findings.expectations.iter().flat_map(|verdict| {
        let (mark, tone) = if verdict.passed { ("ok  ", Tone::Good) } else { ("FAIL", Tone::Bad) };
        let text = format!("{mark} {verdict}");
        let wrapped = wrap(&text, WIDTH - 5).into_iter().enumerate();
        let lines = wrapped.map(move |(at, text)| {
            Styled::of(if at == 0 { text } else { format!("     {text}") }, tone)
        });
        lines.collect::<Vec<_>>()
    });
    lines.collect()
}

fn violations(findings: &Findings) -> Vec<Styled> {
    let line = |at: Time, law: &str, what: &str| wrap(&format!("{at} {law}: {what}"), WIDTH);
    let lines = findings.violations.iter().flat_map(|v| line(v.at, v.law.name(), &v.what));
    lines.map(|text| Styled::of(text, Tone::Bad)).collect()
}
