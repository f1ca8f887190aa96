//! Whether a run kept what its scenario claims: each claim with what was expected and what came.

use super::case::Case;
use super::failover::{self, Reading, Value};
use super::invariants::{Law, Violation};
use super::outage::Record;
use crate::component::fact::{Condition, Fact, NodeFact};
use crate::component::id::{ComponentId, Kind};
use crate::kernel::time::Duration;
use crate::plan::expect::{Claim, Invariant, Limit};
use crate::plan::rolling::{GIVES_UP, Progress};
use crate::plan::schedule::{Action, Fault};
use crate::plan::service::Service;
use std::fmt;

/// What became of one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Key path of the claim in the scenario.
    pub path: String,
    /// What it is about.
    pub subject: String,
    /// What was claimed.
    pub expected: String,
    /// What came.
    pub got: String,
    /// Whether the claim held.
    pub passed: bool,
}

/// What is known when claims are judged.
struct Court<'a> {
    case: &'a Case<'a>,
    services: &'a [Record],
    metrics: &'a [Reading],
    violations: &'a [Violation],
}

/// Judges every claim of the scenario.
pub fn judge(
    case: &Case,
    services: &[Record],
    metrics: &[Reading],
    violations: &[Violation],
) -> Vec<Verdict> {
    let court = Court { case, services, metrics, violations };
    let claims = case.plan.expect.iter();
    claims
        .map(|expectation| {
            let (subject, expected, got, passed) = court.hear(&expectation.claim);
            Verdict { path: expectation.path.clone(), subject, expected, got, passed }
        })
        .collect()
}

/// Subject, expected, got, passed.
type Hearing = (String, String, String, bool);

impl Court<'_> {
    fn hear(&self, claim: &Claim) -> Hearing {
        match claim {
            Claim::LongestOutage(service, limit) => {
                self.spans(*service, "longest outage", limit, Record::longest_outage)
            }
            Claim::TotalOutage(service, limit) => {
                self.spans(*service, "total outage", limit, Record::total_outage)
            }
            Claim::Outages(service, limit) => {
                self.counted(*service, "outages", limit, |record| record.outages().count())
            }
            Claim::LongestDegradation(service, limit) => {
                self.spans(*service, "longest degradation", limit, Record::longest_degradation)
            }
            Claim::Degradations(service, limit) => {
                self.counted(*service, "degradations", limit, |record| {
                    record.degradations().count()
                })
            }
            Claim::UpAtEnd(service, up) => self.up_at_end(*service, *up),
            Claim::Metric(name, limit) => self.metric(name, limit),
            Claim::Count(name, limit) => self.count(name, limit),
            Claim::Absent(name) => {
                let got = self.reading(name).map_or_else(|| NOTHING.to_owned(), show);
                (name.clone(), NOTHING.to_owned(), got, self.reading(name).is_none())
            }
            Claim::Leader(what, place) => self.leader(what, place.as_deref()),
            Claim::Node(name, ready) => self.node(name, *ready),
            Claim::Procedure(verb, progress) => self.procedure(verb, *progress),
            Claim::Invariant(invariant) => self.invariant(*invariant),
        }
    }

    fn record(&self, service: Service) -> Option<&Record> {
        self.services.iter().find(|record| record.service == service)
    }

    fn spans(
        &self,
        service: Service,
        what: &str,
        limit: &Limit<Duration>,
        of: fn(&Record) -> Duration,
    ) -> Hearing {
        let got = self.record(service).map_or(Duration::ZERO, of);
        let subject = format!("{what} of {}", service.name());
        (subject, within(limit, Duration::human), got.human(), limit.holds(got))
    }

    fn counted(
        &self,
        service: Service,
        what: &str,
        limit: &Limit<u64>,
        of: fn(&Record) -> usize,
    ) -> Hearing {
        let count = self.record(service).map_or(0, of);
        let got = u64::try_from(count).unwrap_or(u64::MAX);
        let subject = format!("{what} of {}", service.name());
        (subject, within(limit, |n: u64| n.to_string()), got.to_string(), limit.holds(got))
    }

    fn up_at_end(&self, service: Service, up: bool) -> Hearing {
        let word = |up: bool| if up { "up" } else { "down" }.to_owned();
        let got = self.record(service).is_none_or(|record| record.up_at_end);
        (format!("{} at the end", service.name()), word(up), word(got), got == up)
    }

    fn reading(&self, name: &str) -> Option<Value> {
        self.metrics.iter().find(|r| r.metric.name == name).map(|reading| reading.value)
    }

    fn metric(&self, name: &str, limit: &Limit<Duration>) -> Hearing {
        let expected = within(limit, Duration::human);
        let (got, holds) = match self.reading(name) {
            Some(Value::Duration(span)) => (span.human(), limit.holds(span)),
            Some(Value::Count(count)) => (format!("{count}, which is no duration"), false),
            None => (missing(name), false),
        };
        (name.to_owned(), expected, got, holds)
    }

    fn count(&self, name: &str, limit: &Limit<u64>) -> Hearing {
        let expected = within(limit, |n: u64| n.to_string());
        let (got, holds) = match self.reading(name) {
            Some(Value::Count(count)) => (count.to_string(), limit.holds(count)),
            Some(Value::Duration(span)) => (format!("{}, which is no count", span.human()), false),
            None => (missing(name), false),
        };
        (name.to_owned(), expected, got, holds)
    }

    fn leader(&self, what: &str, place: Option<&str>) -> Hearing {
        let got = self.led_by(what).map(|id| self.case.plan.map.place(id));
        let word = |place: Option<&str>| place.unwrap_or("nobody").to_owned();
        (format!("leader of {what} at the end"), word(place), word(got), got == place)
    }

    /// Who leads or holds at the end.
    fn led_by(&self, what: &str) -> Option<ComponentId> {
        match what {
            "etcd" => self.case.etcd_leader(),
            "vip" => self.case.vip_holder(),
            _ => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == what)?;
                match &self.case.end.facts[self.case.lease_of(kind)?.index()] {
                    Fact::Lease(lease) => lease.holder.map(|holder| holder.component),
                    _ => None,
                }
            }
        }
    }

    fn node(&self, name: &str, ready: bool) -> Hearing {
        let word = |ready: bool| if ready { "Ready" } else { "NotReady" }.to_owned();
        let object = self.case.plan.map.find_component(&format!("node/{name}"));
        let got = object.and_then(|id| match &self.case.end.facts[id.index()] {
            Fact::Node(NodeFact { ready, .. }) => Some(*ready == Condition::True),
            _ => None,
        });
        let shown = got.map_or_else(|| "no such node".to_owned(), word);
        (format!("node {name} at the end"), word(ready), shown, got == Some(ready))
    }

    /// The procedures of a verb: the one that came least far counts.
    fn procedure(&self, verb: &str, claimed: Progress) -> Hearing {
        let word = |progress| match progress {
            Progress::Done => "done",
            Progress::GivenUp => "given up",
            Progress::UnderWay => "under way",
        };
        let faults = &self.case.plan.schedule.faults;
        let rolls = |fault: &Fault| fault.verb == verb && matches!(fault.action, Action::Roll(_));
        let mut got = None;
        for (index, _) in faults.iter().enumerate().filter(|(_, fault)| rolls(fault)) {
            let fired = self.case.history.faults().filter(|fired| fired.index == index);
            let progress = match fired.last() {
                Some(fired) if fired.undo => Progress::Done,
                Some(fired) if fired.verb == GIVES_UP => Progress::GivenUp,
                _ => Progress::UnderWay,
            };
            got = if matches!(got, None | Some(Progress::Done)) { Some(progress) } else { got };
        }
        let shown = got.map_or("no such procedure", word);
        let subject = format!("procedure {verb} at the end");
        (subject, word(claimed).to_owned(), shown.to_owned(), got == Some(claimed))
    }

    fn invariant(&self, invariant: Invariant) -> Hearing {
        let law = Law::of(invariant);
        let excused = match law {
            Law::NoAcknowledgedWriteLost => Some(Law::DataLost),
            Law::OneLeaderPerTerm => Some(Law::VoteLost),
            _ => None,
        };
        let told = |violation: &&Violation| [Some(law), excused].contains(&Some(violation.law));
        let broken = self.violations.iter().find(told);
        let got = broken.map_or_else(
            || "kept".to_owned(),
            |violation| format!("broken at {}: {}", violation.at, violation.what),
        );
        (law.name().to_owned(), "kept".to_owned(), got, broken.is_none())
    }
}

const NOTHING: &str = "did not happen";

fn missing(name: &str) -> String {
    if failover::find(name).is_some() {
        NOTHING.to_owned()
    } else {
        format!("there is no metric `{name}`")
    }
}

fn show(value: Value) -> String {
    match value {
        Value::Duration(span) => span.human(),
        Value::Count(count) => count.to_string(),
    }
}

/// A limit in words: `at most 5 s`, `1 s to 5 s`.
fn within<T: Copy + PartialEq>(limit: &Limit<T>, text: impl Fn(T) -> String) -> String {
    match (limit.at_least, limit.at_most) {
        (Some(low), Some(high)) if low == high => format!("exactly {}", text(low)),
        (Some(low), Some(high)) => format!("{} to {}", text(low), text(high)),
        (Some(low), None) => format!("at least {}", text(low)),
        (None, Some(high)) => format!("at most {}", text(high)),
        (None, None) => "anything".to_owned(),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.subject, self.expected, self.got)
    }
}
