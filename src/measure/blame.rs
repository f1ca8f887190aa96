//! The critical path of an interval: which waits, one after the other, led from the fault to the
//! change that ended it, and which parameter made each so long.
//!
//! The walk ends at the fault, or at the first event that is not after the interval's beginning: what
//! went before did not make it longer. Terms are signed nanoseconds and add up exactly to the
//! interval's length. Time that a timer had already run before the fault is a negative term; so is
//! time between the fault and the loss of the service. Where a fault came later than the loss (a
//! repair), the time until it is a term of its own.
//!
//! Absent on purpose: words for people (`report`), and any judgement beyond the largest option.

use crate::component::blame::{Blame, EventId};
use crate::component::id::ComponentId;
use crate::kernel::time::{Duration, Time};
use crate::world::event::{Event, EventKind, EventLog};

/// The most events that one path may have; longer ones are cut at the start of the interval.
const PATH_MAX: usize = 100_000;

/// What a term of a blame line stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A wait for this parameter.
    Wait(&'static str),
    /// A wait that nobody explained: a pause, or a queue.
    Unexplained,
    /// Part of the first wait that had passed before the path's beginning, which is the fault where
    /// the path leads to one, else the loss; negative. Names that wait.
    BeforeFault(&'static str),
    /// From the fault to the beginning of the interval; negative.
    BeforeLoss,
    /// From the beginning of the interval to the setting that began the path: a repair.
    UntilSetting,
}

/// One term of a blame line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlameTerm {
    /// What for.
    pub part: Part,
    /// How long, in nanoseconds; negative for what had passed before.
    pub nanos: i64,
    /// Who waited.
    pub owner: Option<ComponentId>,
    /// The event that ended the wait.
    pub event: EventId,
}

/// Why an interval was as long as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlameLine {
    /// In order of time; they add up to the interval's length.
    pub terms: Vec<BlameTerm>,
    /// Where the path began: a fault, its end, or the start of the run.
    pub root: Option<EventId>,
}

impl BlameLine {
    /// The sum of the terms in nanoseconds.
    pub fn total(&self) -> i64 {
        self.terms.iter().map(|term| term.nanos).sum()
    }

    /// The longest wait for something that can be set.
    pub fn largest_option(&self) -> Option<(&'static str, i64)> {
        let waits = self.terms.iter().filter_map(|term| match term.part {
            Part::Wait(parameter) if is_option(parameter) => Some((parameter, term.nanos)),
            _ => None,
        });
        let mut largest: Option<(&'static str, i64)> = None;
        for (parameter, nanos) in waits {
            if largest.is_none_or(|(_, most)| nanos > most) {
                largest = Some((parameter, nanos));
            }
        }
        largest
    }
}

/// Words in the names of waits that are options of the real software.
const OPTIONS: [&str; 41] = [
    "HTTP2_PING_TIMEOUT_SECONDS",
    "leaseDuration",
    "renewDeadline",
    "retryPeriod",
    "heartbeat-interval",
    "election-timeout",
    "inter",
    "fastinter",
    "downinter",
    "fall",
    "rise",
    "timeout connect",
    "timeout check",
    "timeout server",
    "timeout client",
    "retries",
    "advert_int",
    "priority",
    "garp_master_delay",
    "preempt_delay",
    "interval",
    "weight",
    "RestartSec",
    "initial-election-tick-advance",
    "etcd-healthcheck-timeout",
    "livez-grace-period",
    "livenessProbe",
    "nodeStatusUpdateFrequency",
    "nodeStatusReportFrequency",
    "nodeLeaseDurationSeconds",
    "node-monitor-grace-period",
    "node-monitor-period",
    "node-eviction-rate",
    "tolerationSeconds",
    "kube-api-qps",
    "shutdown-delay-duration",
    "terminationGracePeriodSeconds",
    "etcd-servers",
    "initialDelaySeconds",
    "periodSeconds",
    "failureThreshold",
];

/// Whether the name of a wait contains an option that an operator can set.
fn is_option(parameter: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    OPTIONS.iter().any(|option| {
        parameter.match_indices(option).any(|(at, _)| {
            let before = parameter[..at].chars().next_back().is_none_or(|c| !word(c));
            let after = parameter[at + option.len()..].chars().next().is_none_or(|c| !word(c));
            before && after
        })
    })
}

/// Explains an interval that began at `from` and was ended at `to` by `ended`.
pub fn explain(log: &EventLog, from: Time, to: Time, ended: EventId) -> BlameLine {
    let mut path = Walk { log, from, cursor: to, back: Vec::new(), root: EventId::START };
    path.walk(ended);
    let root = path.root;
    let mut terms = path.back;
    terms.reverse();
    let begin = log.get(root);
    let fault = if is_root(root, begin) { begin.at } else { from };
    close(&mut terms, from, to, root, fault);
    let repair = last_setting(log, from, to).and_then(|id| skip_futile(&mut terms, log, from, id));
    BlameLine { terms, root: Some(repair.unwrap_or(root)) }
}

/// The last fault, or end of one, strictly inside an interval.
fn last_setting(log: &EventLog, from: Time, to: Time) -> Option<EventId> {
    let id = |at: usize| EventId(u32::try_from(at).unwrap_or(u32::MAX));
    let (mut low, mut high) = (0, log.count());
    while low < high {
        let middle = usize::midpoint(low, high);
        if log.get(id(middle)).at < to {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let inside = (0..low).rev().map(id).take_while(|id| log.get(*id).at > from);
    inside.into_iter().find(|id| matches!(log.get(*id).kind, EventKind::Fault { .. }))
}

/// Attempts that were repeated in vain until a repair are replaced by the time until the repair: what
/// kept the interval open was what the repair undid.
fn skip_futile(
    terms: &mut Vec<BlameTerm>,
    log: &EventLog,
    from: Time,
    repair: EventId,
) -> Option<EventId> {
    let until = nanos_between(from, log.get(repair).at);
    let mut end = 0;
    let spanning = terms.iter().position(|term| {
        end += term.nanos;
        end >= until
    })?;
    let of = |term: &BlameTerm| (term.part, term.owner);
    let term = terms[spanning];
    let repeated = matches!(term.part, Part::Wait(_))
        && terms[..spanning].iter().any(|earlier| of(earlier) == of(&term));
    if !repeated {
        return None;
    }
    let lead = BlameTerm { part: Part::UntilSetting, nanos: until, owner: None, event: repair };
    let rest = BlameTerm { nanos: end - until, ..term };
    terms.splice(..=spanning, [lead].into_iter().chain((rest.nanos > 0).then_some(rest)));
    Some(repair)
}

/// Adds what lies before the fault, or between the interval's beginning and a later setting.
fn close(terms: &mut Vec<BlameTerm>, from: Time, to: Time, root: EventId, fault: Time) {
    let covered: i64 = terms.iter().map(|term| term.nanos).sum();
    let history = covered - nanos_between(fault, to);
    let lead = nanos_between(from, fault);
    let of = |part, nanos| BlameTerm { part, nanos, owner: None, event: root };
    let mut waits = terms.iter().filter_map(|term| match term.part {
        Part::Wait(parameter) => Some(parameter),
        _ => None,
    });
    let any = waits.clone().next();
    let first = waits.find(|parameter| is_option(parameter)).or(any);
    let after_first = usize::from(!terms.is_empty());
    if lead < 0 {
        terms.insert(after_first, of(Part::BeforeLoss, lead));
    }
    if history > 0 {
        terms.insert(after_first, of(Part::BeforeFault(first.unwrap_or("")), -history));
    }
    if lead > 0 {
        terms.insert(0, of(Part::UntilSetting, lead));
    }
}

/// From `a` to `b`, negative if `b` comes first.
fn nanos_between(a: Time, b: Time) -> i64 {
    let signed = i128::from(b.as_nanos()) - i128::from(a.as_nanos());
    i64::try_from(signed).unwrap_or(if signed < 0 { i64::MIN } else { i64::MAX })
}

/// The walk from event to cause.
struct Walk<'a> {
    log: &'a EventLog,
    /// Where the interval begins.
    from: Time,
    /// Up to here, coming from the end, time is explained.
    cursor: Time,
    /// Latest first.
    back: Vec<BlameTerm>,
    root: EventId,
}

impl Walk<'_> {
    fn walk(&mut self, ended: EventId) {
        let mut id = ended;
        for _ in 0..PATH_MAX {
            let event = self.log.get(id);
            self.root = id;
            if event.at <= self.cursor {
                self.gap(id, event);
            }
            if is_root(id, event) || event.at <= self.from {
                return;
            }
            if event.at == self.cursor {
                self.waits(id, event.owner, &event.blame);
            }
            id = event.parent;
        }
    }

    /// Time between an event and what followed it that no wait explains.
    fn gap(&mut self, id: EventId, event: &Event) {
        let nanos = nanos_between(event.at, self.cursor);
        if nanos > 0 {
            let part = Part::Unexplained;
            self.back.push(BlameTerm { part, nanos, owner: event.owner, event: id });
        }
        self.cursor = event.at;
    }

    fn waits(&mut self, id: EventId, owner: Option<ComponentId>, blame: &Blame) {
        for term in blame.terms.iter().rev() {
            let before = self.cursor - term.amount;
            let nanos = nanos_between(before, self.cursor);
            if nanos > 0 {
                let part = Part::Wait(term.parameter);
                self.back.push(BlameTerm { part, nanos, owner, event: id });
            }
            self.cursor = before;
        }
    }
}

/// Faults and the start of the run have no cause within the run.
fn is_root(id: EventId, event: &Event) -> bool {
    id == EventId::START || matches!(event.kind, EventKind::Start | EventKind::Fault { .. })
}

/// The fault, or its end, at the root of an event; `None` for what follows from the start.
pub fn root_fault(log: &EventLog, event: EventId) -> Option<(usize, bool)> {
    let mut id = event;
    for _ in 0..PATH_MAX {
        let found = log.get(id);
        if let EventKind::Fault { index, undo } = found.kind {
            return Some((index, undo));
        }
        if is_root(id, found) {
            return None;
        }
        id = found.parent;
    }
    None
}

/// A span as signed nanoseconds; longer than 292 years gives the largest number.
pub fn signed(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::blame::Term;
    use proptest::prelude::*;

    fn at(ms: u64) -> Time {
        Time::at(Duration::from_millis(ms))
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn event(t: Time, parent: EventId, blame: Blame, kind: EventKind) -> Event {
        Event { at: t, owner: Some(ComponentId(3)), parent, blame, kind }
    }

    fn fault(log: &mut EventLog, t: Time) -> EventId {
        let kind = EventKind::Fault { index: 0, undo: false };
        log.push(Event {
            at: t,
            owner: None,
            parent: EventId::START,
            blame: Blame::default(),
            kind,
        })
    }

    fn parts(line: &BlameLine) -> Vec<(Part, i64)> {
        line.terms.iter().map(|t| (t.part, t.nanos / 1_000_000)).collect()
    }

    /// Law: a lease that was 0.7 s old at the fault shortens its own wait by a negative term.
    #[test]
    fn age_before_the_fault_is_a_negative_term() {
        let mut log = EventLog::default();
        let fault = fault(&mut log, at(60_000));
        let wait = Blame::of("leaseDuration", ms(15_000)).and("until the next try", ms(1_800));
        let tries = log.push(event(at(76_100), fault, wait, EventKind::Alarm(0)));
        let from = ComponentId(3);
        let won = log.push(event(
            at(76_110),
            tries,
            Blame::of("network", ms(10)),
            EventKind::Mail { from },
        ));
        let line = explain(&log, at(60_000), at(76_110), won);
        assert_eq!(
            parts(&line),
            [
                (Part::Wait("leaseDuration"), 15_000),
                (Part::BeforeFault("leaseDuration"), -700),
                (Part::Wait("until the next try"), 1_800),
                (Part::Wait("network"), 10),
            ]
        );
        assert_eq!(line.total(), signed(ms(16_110)));
        assert_eq!(line.largest_option().map(|(name, _)| name), Some("leaseDuration"));
    }

    /// Law: an outage that a repair ended consists of the time until the repair and what followed it.
    #[test]
    fn a_repair_is_waited_for() {
        let mut log = EventLog::default();
        fault(&mut log, at(10_000));
        let repair = fault(&mut log, at(40_000));
        let boot = Blame::of("machine boot", ms(30_000));
        let started = log.push(event(at(70_000), repair, boot, EventKind::ProcessStart));
        let line = explain(&log, at(10_000), at(70_000), started);
        assert_eq!(
            parts(&line),
            [(Part::UntilSetting, 30_000), (Part::Wait("machine boot"), 30_000)]
        );
    }

    /// Law: time between the fault and the loss of the service is taken off.
    #[test]
    fn a_later_loss_shortens_the_line() {
        let mut log = EventLog::default();
        let fault = fault(&mut log, at(10_000));
        let back = log.push(event(
            at(18_000),
            fault,
            Blame::of("advert_int", ms(8_000)),
            EventKind::Alarm(0),
        ));
        let line = explain(&log, at(12_000), at(18_000), back);
        assert_eq!(parts(&line), [(Part::Wait("advert_int"), 8_000), (Part::BeforeLoss, -2_000)]);
    }

    /// Law: attempts in vain until a repair count as waiting for the repair.
    #[test]
    fn futile_attempts_are_skipped() {
        let mut log = EventLog::default();
        let broken = fault(&mut log, at(30_000));
        let timeout = |wait| Blame::of("election-timeout", ms(wait));
        let first = log.push(event(at(31_200), broken, timeout(1_300), EventKind::Alarm(0)));
        let repair = fault(&mut log, at(32_000));
        let second = log.push(event(at(32_600), first, timeout(1_400), EventKind::Alarm(0)));
        let line = explain(&log, at(30_000), at(32_600), second);
        assert_eq!(
            parts(&line),
            [(Part::UntilSetting, 2_000), (Part::Wait("election-timeout"), 600)]
        );
        assert_eq!(line.root, Some(repair));
    }

    /// Law: what led to a wait that was already under way at the loss is not part of the line.
    #[test]
    fn the_walk_ends_at_the_loss() {
        let mut log = EventLog::default();
        let fault = fault(&mut log, at(30_000));
        let timeout = |wait| Blame::of("election-timeout", ms(wait));
        let first = log.push(event(at(50_500), fault, timeout(20_500), EventKind::Alarm(0)));
        let second = log.push(event(at(51_800), first, timeout(1_300), EventKind::Alarm(0)));
        let line = explain(&log, at(50_700), at(51_800), second);
        assert_eq!(
            parts(&line),
            [
                (Part::Wait("election-timeout"), 1_300),
                (Part::BeforeFault("election-timeout"), -200)
            ]
        );
    }

    #[derive(Clone, Debug)]
    struct Link {
        waits: Vec<u64>,
        slack: u64,
        history: u64,
    }

    fn links() -> impl Strategy<Value = Vec<Link>> {
        let link = (proptest::collection::vec(0_u64..5_000_000_000, 0..6), 0_u64..1_000_000_000)
            .prop_flat_map(|(waits, slack)| {
                (Just(waits), Just(slack), 0_u64..2_000_000_000)
                    .prop_map(|(waits, slack, history)| Link { waits, slack, history })
            });
        proptest::collection::vec(link, 0..12)
    }

    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

    fn chain(log: &mut EventLog, begin: Time, links: &[Link]) -> EventId {
        let mut parent = fault(log, begin);
        for link in links {
            let mut blame = Blame::default();
            for (name, nanos) in NAMES.iter().zip(&link.waits) {
                let amount = Duration::from_nanos(*nanos);
                blame.terms.push(Term { parameter: name, amount });
            }
            let first = log.get(parent).at - Duration::from_nanos(link.history);
            let due = (first + blame.total()).max(log.get(parent).at);
            let t = due + Duration::from_nanos(link.slack);
            parent = log.push(event(t, parent, blame, EventKind::Alarm(0)));
        }
        parent
    }

    proptest! {
        /// Law: whatever the chain of causes, the terms add up to the interval to the nanosecond.
        #[test]
        fn terms_add_up(links in links(), offset in -5_000_000_000_i64..5_000_000_000) {
            let mut log = EventLog::default();
            let begin = at(60_000);
            let ended = chain(&mut log, begin, &links);
            let to = log.get(ended).at;
            let from = Time::from_nanos(begin.as_nanos().saturating_add_signed(offset)).min(to);
            let line = explain(&log, from, to, ended);
            prop_assert_eq!(line.total(), nanos_between(from, to));
        }
    }

    /// Law: an option is recognised by its whole name, also inside a product.
    #[test]
    fn options_are_whole_words() {
        assert!(is_option("fall × inter"));
        assert!(is_option("leaseDuration"));
        assert!(!is_option("interface"));
        assert!(!is_option("network"));
        assert!(!is_option("heartbeat"));
        assert!(!is_option("randomised election timeout"));
    }
}
