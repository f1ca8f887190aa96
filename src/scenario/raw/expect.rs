//! Claims: limits on outages and metrics, who leads at the end, which node is ready, invariants.

use super::Placed;
use crate::kernel::time::Duration;
use crate::plan::expect::{Invariant, Limit};
use crate::plan::rolling::Progress;
use crate::plan::service::Service;
use crate::scenario::code::Code;
use crate::scenario::document::{Node, Path};
use crate::scenario::reader::{Fields, Reader};
use serde_json::Value;

/// What a claim may be about, with its meaning. Each claim has exactly one of them.
pub const SUBJECTS: [(&str, &str); 6] = [
    ("service", "A service by name; its outages are limited."),
    ("metric", "A metric by name; its value is limited, or it is `absent`."),
    (
        "leader",
        "`etcd`, `kube-scheduler`, `kube-controller-manager` or `vip`; `is` names the machine at the end, or null for nobody.",
    ),
    ("node", "A node by its machine's name; `is` is `Ready` or `NotReady` at the end."),
    (
        "procedure",
        "A procedure among the faults by its verb, such as `upgrade`; `is` is `done`, `given up` or `under way` at the end.",
    ),
    ("invariant", "A law that holds throughout the run."),
];

/// The fields of a claim on a service.
pub const SERVICE_FIELDS: [(&str, &str); 6] = [
    ("longestOutage", "The longest outage; `atMost: \"0s\"` claims none."),
    ("totalOutage", "The sum of all outages."),
    ("outages", "The number of outages."),
    ("longestDegradation", "The longest time in which it served some requests, but not all."),
    ("degradations", "The number of such times."),
    ("upAtEnd", "Whether the service is up when the run ends."),
];

/// The names of invariants.
pub const INVARIANTS: [(&str, Invariant); 5] = [
    ("one-leader-per-term", Invariant::OneLeaderPerTerm),
    ("no-acknowledged-write-lost", Invariant::NoAcknowledgedWriteLost),
    ("one-lease-holder", Invariant::OneLeaseHolder),
    ("one-vip-holder", Invariant::OneVipHolder),
    ("one-pod-per-ordinal", Invariant::OnePodPerOrdinal),
];

/// How far a procedure has come, in words.
pub const PROGRESS: [(&str, Progress); 3] =
    [("done", Progress::Done), ("given up", Progress::GivenUp), ("under way", Progress::UnderWay)];

/// What is claimed.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Of a service, one for each field that is given.
    Service(Service, Vec<ServiceClaim>),
    /// Of a metric with a limit: `atLeast` and `atMost` as they are written.
    Metric(String, Option<Placed>, Option<Placed>),
    /// A metric has no value.
    Absent(String),
    /// Who leads at the end.
    Leader(String, Option<String>),
    /// Whether a node is ready at the end.
    Node(String, bool),
    /// How far procedures have come at the end.
    Procedure(String, Progress),
    /// A law.
    Invariant(Invariant),
}

/// A claim on a service.
#[derive(Clone, Debug, PartialEq)]
pub enum ServiceClaim {
    /// Its longest outage.
    Longest(Limit<Duration>),
    /// The sum of its outages.
    Total(Limit<Duration>),
    /// Their number.
    Outages(Limit<u64>),
    /// Its longest degradation.
    LongestDegradation(Limit<Duration>),
    /// The number of degradations.
    Degradations(Limit<u64>),
    /// Whether it is up at the end.
    UpAtEnd(bool),
}

/// A claim with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// What is claimed.
    pub subject: Subject,
    /// The claim as it is written.
    pub value: Value,
    /// Where.
    pub path: Path,
}

impl Expect {
    pub(super) fn read(node: &Node, reader: &Reader, path: Path) -> Option<Expect> {
        let subjects: Vec<&str> = SUBJECTS.iter().map(|(name, _)| *name).collect();
        let found = subjects.iter().copied().find(|name| node.entry(name).is_some());
        let mut known = subjects.clone();
        known.extend(match found {
            Some("service") => SERVICE_FIELDS.iter().map(|(name, _)| *name).collect(),
            Some("metric") => vec!["atLeast", "atMost", "absent"],
            Some("leader" | "node" | "procedure") => vec!["is"],
            _ => Vec::new(),
        });
        let fields = reader.fields(node, "a claim", &known)?;
        fields.one_of(&subjects)?;
        let subject = match found? {
            "service" => service(&fields)?,
            "metric" => metric(&fields, reader, &path)?,
            "leader" => leader(&fields, node, reader)?,
            "node" => {
                let words = [("Ready", true), ("NotReady", false)];
                let is = fields.required_with("is", |node, reader| reader.word(node, &words));
                Subject::Node(fields.required("node")?, is?)
            }
            "procedure" => {
                let is = fields.required_with("is", |node, reader| reader.word(node, &PROGRESS));
                Subject::Procedure(fields.required("procedure")?, is?)
            }
            _ => Subject::Invariant(
                fields.required_with("invariant", |n, reader| reader.word(n, &INVARIANTS))?,
            ),
        };
        Some(Expect { subject, value: node.to_value(), path })
    }
}

fn service(fields: &Fields) -> Option<Subject> {
    let words = Service::ALL.map(|service| (service.name(), service));
    let service = fields.required_with("service", |node, reader| reader.word(node, &words));
    let limit = |name: &str| fields.section(name, "a limit", &["atLeast", "atMost"]);
    let span = |name| limit(name).map(|fields| span_limit(&fields));
    let mut claims = Vec::new();
    claims.extend(span("longestOutage").map(ServiceClaim::Longest));
    claims.extend(span("totalOutage").map(ServiceClaim::Total));
    claims.extend(span("longestDegradation").map(ServiceClaim::LongestDegradation));
    let count = |name| {
        limit(name).map(|fields| {
            let (at_least, at_most) = (fields.optional("atLeast"), fields.optional("atMost"));
            Limit { at_least, at_most }
        })
    };
    claims.extend(count("outages").map(ServiceClaim::Outages));
    claims.extend(count("degradations").map(ServiceClaim::Degradations));
    claims.extend(fields.optional("upAtEnd").map(ServiceClaim::UpAtEnd));
    Some(Subject::Service(service?, claims))
}

fn span_limit(fields: &Fields) -> Limit<Duration> {
    let (at_least, at_most) = (fields.optional("atLeast"), fields.optional("atMost"));
    Limit { at_least, at_most }
}

fn metric(fields: &Fields, reader: &Reader, path: &Path) -> Option<Subject> {
    let name: String = fields.required("metric")?;
    let bound = |name: &str| fields.get(name).map(|entry| Placed::new(&entry.node, path.key(name)));
    let (least, most) = (bound("atLeast"), bound("atMost"));
    let absent = fields.get("absent");
    if let Some(entry) = absent {
        let value: bool = reader.read(&entry.node)?;
        if !value || least.is_some() || most.is_some() {
            let message = "`absent` is `true` and stands alone: what is absent has no value";
            reader.invalid(&entry.node, Code::ONE_OF, message);
            return None;
        }
        return Some(Subject::Absent(name));
    }
    if least.is_none() && most.is_none() {
        fields.one_of(&["atLeast", "atMost", "absent"])?;
    }
    Some(Subject::Metric(name, least, most))
}

fn leader(fields: &Fields, node: &Node, reader: &Reader) -> Option<Subject> {
    let words: Vec<(&str, String)> =
        super::run::LEADERS.iter().map(|(name, _)| (*name, (*name).to_owned())).collect();
    let what = fields.required_with("leader", |node, reader| reader.word(node, &words));
    let Some(entry) = node.entry("is") else {
        return fields.required::<String>("is").map(|_| Subject::Leader(String::new(), None));
    };
    let is = if entry.node.is_null() { None } else { Some(reader.read::<String>(&entry.node)?) };
    Some(Subject::Leader(what?, is))
}
