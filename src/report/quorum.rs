//! Quorum mathematics as tables with a lesson in words; as JSON; as CSV.
//!
//! Absent on purpose: the sums themselves (`analytic::votes`).

use super::layout::{WIDTH, columns, wrap};
use super::style::{Styled, Tone};
use crate::analytic::votes::{self, Votes};
use crate::kernel::time::Duration;
use serde::Serialize;
use std::fmt::Write;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The voters in question, by zone: at least one.
    pub subject: Vec<usize>,
    /// The table goes from 1 to this many; by default to one more than the subject's.
    pub up_to: Option<usize>,
    /// The part of the time that each member is up.
    pub availability: f64,
    /// The part of the time that each zone is up.
    pub zone_availability: f64,
    /// Whether the sum is worked out.
    pub explain: bool,
}

/// One line of a table.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    members: usize,
    /// How many members each zone has; absent where zones play no part.
    #[serde(skip_serializing_if = "Option::is_none")]
    zones: Option<Vec<usize>>,
    quorum: usize,
    tolerates: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    survives_any_zone: Option<bool>,
    quorum_probability: f64,
    no_quorum_probability: f64,
    downtime_seconds_per_year: f64,
}

/// One term of the sum.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    members_up: usize,
    ways: f64,
    probability: f64,
    has_quorum: bool,
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lesson {
    members: usize,
    availability: f64,
    zone_availability: f64,
    counts: Vec<Line>,
    zones: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    terms: Vec<Step>,
}

impl Lesson {
    /// Answers a question.
    pub fn of(asked: &Question) -> Self {
        let members: usize = asked.subject.iter().sum();
        let last = asked.up_to.unwrap_or((members + 1).min(votes::MEMBERS_MAX)).max(members);
        let count = |n| Line::of(&Votes::of(n, asked.availability), false);
        let zoned = |zones: Vec<usize>| {
            Line::of(&Votes::in_zones(&zones, asked.availability, asked.zone_availability), true)
        };
        let terms = if asked.explain { votes::terms(members, asked.availability) } else { vec![] };
        let quorum = Votes::of(members, asked.availability).quorum;
        Self {
            members,
            availability: asked.availability,
            zone_availability: asked.zone_availability,
            counts: (1..=last).map(count).collect(),
            zones: spreads(&asked.subject).into_iter().map(zoned).collect(),
            terms: terms.iter().map(|term| Step::of(*term, quorum)).collect(),
        }
    }

    /// All lines as CSV: first the counts (`zones` empty), then the spreads.
    pub fn csv(&self) -> String {
        let mut text = "members,zones,quorum,tolerates,survives_any_zone,quorum_probability,\
            no_quorum_probability,downtime_seconds_per_year\n"
            .to_owned();
        for line in self.counts.iter().chain(&self.zones) {
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{}",
                line.members,
                line.zones.as_deref().map(plus).unwrap_or_default(),
                line.quorum,
                line.tolerates,
                line.survives_any_zone.map_or(String::new(), |yes| yes.to_string()),
                line.quorum_probability,
                line.no_quorum_probability,
                line.downtime_seconds_per_year
            );
        }
        text
    }

    /// The answer for people.
    pub fn text(&self) -> Vec<Styled> {
        let mut lines = self.heading();
        lines.extend(self.count_table());
        lines.push(Styled::default());
        lines.extend(paragraph(&self.why_even_counts_do_not_help(), Tone::Plain));
        lines.push(Styled::default());
        lines.extend(self.zone_table());
        if !self.terms.is_empty() {
            lines.push(Styled::default());
            lines.extend(self.working());
        }
        lines.push(Styled::default());
        let premises = format!(
            "Each member is up {} of the time and each zone {} (--availability, --zone-availability), \
             all independent of each other. A year has 8760 h. A member that is up takes part: how \
             long elections and repairs take is for `hasim run` and `hasim mc`.",
            self.availability, self.zone_availability
        );
        lines.extend(paragraph(&premises, Tone::Dim));
        lines
    }

    fn subject(&self) -> &Line {
        &self.counts[self.members - 1]
    }

    fn heading(&self) -> Vec<Styled> {
        let line = self.subject();
        let said = format!(
            "{} {} {} for a quorum and may lose {}.",
            members(line.members),
            if line.members == 1 { "needs" } else { "need" },
            line.quorum,
            line.tolerates
        );
        vec![Styled::of(said, Tone::Heading), Styled::default()]
    }

    fn count_table(&self) -> Vec<Styled> {
        let header = ["MEMBERS", "QUORUM", "MAY FAIL", "P(QUORUM)", "P(NO QUORUM)", "DOWN A YEAR"];
        let row = |line: &Line| {
            vec![
                line.members.to_string(),
                line.quorum.to_string(),
                line.tolerates.to_string(),
                probable(line.quorum_probability, line.no_quorum_probability),
                small(line.no_quorum_probability),
                down(line.downtime_seconds_per_year),
            ]
        };
        let rows: Vec<_> = self.counts.iter().map(row).collect();
        table(&header, &rows, |at| self.counts[at].members == self.members)
    }

    fn zone_table(&self) -> Vec<Styled> {
        let header = ["ZONES", "MEMBERS IN EACH", "ANY MAY FAIL", "P(NO QUORUM)", "DOWN A YEAR"];
        let row = |line: &Line| {
            let zones = line.zones.as_deref().unwrap_or_default();
            vec![
                zones.len().to_string(),
                plus(zones),
                if line.survives_any_zone == Some(true) { "yes" } else { "no" }.to_owned(),
                small(line.no_quorum_probability),
                down(line.downtime_seconds_per_year),
            ]
        };
        let rows: Vec<_> = self.zones.iter().map(row).collect();
        let mut lines = table(&header, &rows, |_| false);
        if let Some(lesson) = self.why_two_zones_do_not_help() {
            lines.push(Styled::default());
            lines.extend(paragraph(&lesson, Tone::Plain));
        }
        lines
    }

    /// An even count beside the odd one below it.
    fn why_even_counts_do_not_help(&self) -> String {
        let even = if self.members.is_multiple_of(2) { self.members } else { self.members + 1 };
        let votes = |members| Votes::of(members, self.availability);
        let (more, less) = (votes(even), votes(even - 1));
        let mut said = format!(
            "An even count does not help: {} need {}, so {} may fail, as with {}, and there is one \
             more that can",
            members(even),
            more.quorum,
            more.tolerates,
            even - 1
        );
        let times = more.without_quorum / less.without_quorum;
        if times.is_finite() {
            let _ = write!(said, ": {times:.2} times as long without a quorum");
        }
        said.push('.');
        said
    }

    fn why_two_zones_do_not_help(&self) -> Option<String> {
        let of = |count: usize| {
            self.zones.iter().find(|line| line.zones.as_ref().is_some_and(|z| z.len() == count))
        };
        let (one, two) = (of(1)?, of(2)?);
        (two.no_quorum_probability >= one.no_quorum_probability).then(|| {
            "Two zones do not help: one of them holds a majority or both hold half, and losing it \
             loses the quorum; the other only adds a way to lose members."
                .to_owned()
        })
    }

    /// The sum of the probability, term by term.
    fn working(&self) -> Vec<Styled> {
        let (a, n) = (self.availability, self.members);
        let line = self.subject();
        let said = format!(
            "k of {n} are up with probability C({n},k) · {a}^k · {}^({n}-k):",
            trimmed(1.0 - a)
        );
        let row = |step: &Step| {
            vec![
                step.members_up.to_string(),
                step.ways.to_string(),
                format!("{:.9e}", step.probability),
                if step.has_quorum { "quorum" } else { "no quorum" }.to_owned(),
            ]
        };
        let rows: Vec<_> = self.terms.iter().map(row).collect();
        let mut lines = paragraph(&said, Tone::Heading);
        lines.extend(table(&["UP", "WAYS", "PROBABILITY", ""], &rows, |_| false));
        let quorum = format!(
            "P(quorum) = sum for k ≥ {} = {}; P(no quorum) = sum for k < {} = {}; {} · 8760 h = {} a \
             year.",
            line.quorum,
            probable(line.quorum_probability, line.no_quorum_probability),
            line.quorum,
            small(line.no_quorum_probability),
            small(line.no_quorum_probability),
            down(line.downtime_seconds_per_year)
        );
        lines.extend(paragraph(&quorum, Tone::Plain));
        lines
    }
}

impl Line {
    fn of(votes: &Votes, zoned: bool) -> Self {
        Self {
            members: votes.members,
            zones: zoned.then(|| votes.zones.clone()),
            quorum: votes.quorum,
            tolerates: votes.tolerates,
            survives_any_zone: zoned.then_some(votes.survives_a_zone),
            quorum_probability: votes.with_quorum,
            no_quorum_probability: votes.without_quorum,
            downtime_seconds_per_year: votes.hours_down() * 3_600.0,
        }
    }
}

impl Step {
    fn of(term: votes::Term, quorum: usize) -> Self {
        Self {
            members_up: term.up,
            ways: term.ways,
            probability: term.probability,
            has_quorum: term.up >= quorum,
        }
    }
}

/// The subject's own spread beside the even ones over 1, 2 and 3 zones, and one zone a member.
fn spreads(subject: &[usize]) -> Vec<Vec<usize>> {
    let members: usize = subject.iter().sum();
    let even = [1, 2, 3, members].into_iter().filter(|zones| *zones <= members);
    let mut all: Vec<Vec<usize>> = even.map(|zones| votes::evenly(members, zones)).collect();
    let mut own = subject.to_vec();
    own.sort_unstable_by(|a, b| b.cmp(a));
    all.push(own);
    all.sort_by_key(Vec::len);
    all.dedup();
    all
}

fn table(header: &[&str], rows: &[Vec<String>], marked: impl Fn(usize) -> bool) -> Vec<Styled> {
    let lines = columns(header, rows).into_iter().enumerate();
    let tone = |at: usize| match at {
        0 => Tone::Dim,
        _ if marked(at - 1) => Tone::Good,
        _ => Tone::Plain,
    };
    lines.map(|(at, line)| Styled::of(line, tone(at))).collect()
}

fn paragraph(text: &str, tone: Tone) -> Vec<Styled> {
    wrap(text, WIDTH).into_iter().map(|line| Styled::of(line, tone)).collect()
}

fn members(count: usize) -> String {
    if count == 1 { "1 member".to_owned() } else { format!("{count} members") }
}

fn plus(zones: &[usize]) -> String {
    zones.iter().map(usize::to_string).collect::<Vec<_>>().join("+")
}

/// A probability near one, with as many digits as its distance from one has nines and three more.
fn probable(probability: f64, missing: f64) -> String {
    if missing <= 0.0 {
        return "1".to_owned();
    }
    let nines = (-libm::log10(missing)).clamp(0.0, 12.0).ceil();
    // At most 14: there are no more digits in the number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 2 to 14")]
    let digits = (nines + 2.0) as usize;
    trimmed_text(format!("{probability:.digits$}"))
}

fn small(probability: f64) -> String {
    if probability == 0.0 || probability >= 1e-3 {
        trimmed(probability)
    } else {
        format!("{probability:.4e}")
    }
}

fn trimmed(number: f64) -> String {
    trimmed_text(format!("{number:.6}"))
}

fn trimmed_text(number: String) -> String {
    if !number.contains('.') {
        return number;
    }
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn down(seconds: f64) -> String {
    Duration::from_secs_f64(seconds).unwrap_or(Duration::MAX).human()
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::*;

    fn lesson(subject: &[usize], explain: bool) -> Lesson {
        Lesson::of(&Question {
            subject: subject.to_vec(),
            up_to: None,
            availability: 0.99,
            zone_availability: 0.9995,
            explain,
        })
    }

    /// Law: the lesson fits a terminal, and says what the table of the etcd FAQ says.
    #[test]
    fn the_lesson_of_three_members() {
        let text = plain(&lesson(&[3], true).text());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        insta::assert_snapshot!(text);
    }

    /// Law: a spread of one's own stands beside the even ones, once.
    #[test]
    fn spreads_are_listed_once() {
        assert_eq!(spreads(&[1, 2]), [vec![3], vec![2, 1], vec![1, 1, 1]]);
        assert_eq!(spreads(&[3]), [vec![3], vec![2, 1], vec![1, 1, 1]]);
        assert_eq!(spreads(&[1]), [vec![1]]);
    }

    /// Law: a CSV row has as many cells as its header.
    #[test]
    fn csv_is_rectangular() {
        let csv = lesson(&[2, 2, 1], false).csv();
        let cells: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
        assert!(cells.iter().all(|count| *count == cells[0]), "{csv}");
    }

    /// Law: extreme availabilities give numbers, not `NaN`.
    #[test]
    fn certain_members_are_no_accident() {
        for availability in [0.0, 1.0] {
            let question = Question {
                subject: vec![3],
                up_to: Some(9),
                availability,
                zone_availability: 1.0,
                explain: true,
            };
            let text = plain(&Lesson::of(&question).text());
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        }
    }
}
