//! The words of the field for what was observed: roles, marks, readiness, reasons.

use super::address::{kube_vip, kube_vip_state, vrrp, vrrp_state};
use super::style::Tone;
use super::workload;
use crate::component::blame::{Blame, EventId};
use crate::component::fact::{
    Ability, AddressFact, ApiServerFact, CandidateFact, Condition, EtcdFact, Fact, LeaseFact,
    LoadBalancerFact, NodeFact, Renewals, Resource, Role, VrrpFact,
};
use crate::component::id::{ComponentId, Kind};
use crate::component::view::ProcessState;
use crate::kernel::time::Duration;
use crate::measure::history::FactChange;
use crate::plan::Plan;
use crate::world::event::{Event, EventKind, EventLog};
use std::collections::BTreeSet;

/// What a change says, with its tone; nothing if there is nothing to see.
pub type Said = Option<(String, Tone)>;

/// A change of a fact as an operator would say it.
pub fn change(plan: &Plan, change: &FactChange) -> Said {
    match (change.from, change.to) {
        (Fact::Etcd(from), Fact::Etcd(to)) => etcd(plan, from, to),
        (Fact::Absent, Fact::Etcd(to)) => etcd(plan, &EtcdFact::default(), to),
        (Fact::ApiServer(from), Fact::ApiServer(to)) => api_server(from, to),
        (Fact::Absent, Fact::ApiServer(to)) => api_server(&ApiServerFact::default(), to),
        (Fact::Candidate(from), Fact::Candidate(to)) => candidate(plan, change.of, *from, *to),
        (Fact::Absent, Fact::Candidate(to)) => {
            candidate(plan, change.of, CandidateFact::default(), *to)
        }
        (Fact::LoadBalancer(from), Fact::LoadBalancer(to)) => balancer(plan, from, to),
        (Fact::Absent, Fact::LoadBalancer(to)) => {
            balancer(plan, &LoadBalancerFact { listening: false, ..*to }, to)
        }
        (Fact::Vrrp(from), Fact::Vrrp(to)) => vrrp(from, to),
        (Fact::Absent, Fact::Vrrp(to)) => vrrp(&VrrpFact::default(), to),
        (Fact::KubeVip(from), Fact::KubeVip(to)) => kube_vip(*from, *to),
        (Fact::Absent, Fact::KubeVip(to)) => kube_vip(AddressFact::default(), *to),
        (Fact::Lease(from), Fact::Lease(to)) => lease(plan, change, from, to),
        (Fact::Node(from), Fact::Node(to)) => node(*from, *to),
        (Fact::Workload(from), Fact::Workload(to)) => workload::change(plan, change.of, from, to),
        _ => None,
    }
}

fn place(plan: &Plan, id: ComponentId) -> &str {
    plan.map.place(id)
}

fn etcd(plan: &Plan, from: &EtcdFact, to: &EtcdFact) -> Said {
    if to.role == Role::Leader && (from.role, from.term) != (to.role, to.term) {
        return Some((format!("becomes leader of term {}", to.term), Tone::Good));
    }
    if from.role == Role::Leader && to.role != Role::Leader {
        return Some((format!("steps down in term {}", to.term), Tone::Bad));
    }
    if from.stalled != to.stalled {
        return Some(if to.stalled {
            ("stands still in a disk write".to_owned(), Tone::Bad)
        } else {
            ("gets on: the disk write is done".to_owned(), Tone::Good)
        });
    }
    match (from.lead, to.lead) {
        (_, Some(lead)) if (from.lead, from.term) != (to.lead, to.term) => {
            Some((format!("follows {} in term {}", place(plan, lead), to.term), Tone::Plain))
        }
        (_, None) if to.role == Role::Follower && to.term > from.term => {
            Some((format!("enters term {}, no leader yet", to.term), Tone::Warning))
        }
        (Some(_), None) if to.role == Role::Follower => {
            Some(("knows no leader".to_owned(), Tone::Warning))
        }
        _ if from.serving != to.serving => Some(if to.serving {
            ("opens its client port".to_owned(), Tone::Plain)
        } else {
            ("closes its client port".to_owned(), Tone::Warning)
        }),
        _ => None,
    }
}

fn api_server(from: &ApiServerFact, to: &ApiServerFact) -> Said {
    let mut said = Vec::new();
    let mut tone = Tone::Good;
    let flags = [
        (from.listening, to.listening, "opens its port", "closes its port"),
        (from.http, to.http, "answers HTTP", "answers no HTTP"),
        (from.ready, to.ready, "/readyz 200", "/readyz fails"),
        (from.live, to.live, "/livez 200", "/livez fails"),
    ];
    for (before, after, on, off) in flags {
        if before != after {
            said.push(if after { on } else { off }.to_owned());
            tone = if after { tone } else { Tone::Bad };
        }
    }
    if from.distrusted != to.distrusted {
        let (which, bad) =
            if to.distrusted { ("an expired", Tone::Bad) } else { ("a valid", tone) };
        said.push(format!("shows {which} certificate"));
        tone = bad;
    }
    let mut classes = vec![
        ("reads", from.read, to.read),
        ("writes", from.write, to.write),
        ("cached reads", from.read_cached, to.read_cached),
    ];
    // Leases have connections to etcd of their own; they are news where they come or go alone.
    let leases = [from, to].map(|fact| fact.storage(Resource::Leases).write);
    if leases != [from.write, to.write] {
        classes.push(("writes of Leases", leases[0], leases[1]));
    }
    for ability in [Ability::Works, Ability::Hangs, Ability::Fails] {
        let turned = classes.iter().filter(|(_, a, b)| a != b && *b == ability);
        let names: Vec<&str> = turned.map(|(name, ..)| *name).collect();
        // A server that has only begun to listen is not news: it never answered.
        if !names.is_empty() && to.listening {
            let verb = match ability {
                Ability::Works => "work",
                Ability::Hangs => "hang",
                Ability::Fails => "fail",
            };
            said.push(format!("{} {verb}", names.join(" and ")));
            tone = if ability == Ability::Works { tone } else { Tone::Bad };
        }
    }
    (!said.is_empty()).then(|| (said.join(", "), tone))
}

fn candidate(plan: &Plan, of: ComponentId, from: CandidateFact, to: CandidateFact) -> Said {
    let work = if plan.map.component(of).kind == Kind::Scheduler {
        ("schedules", "schedules no more")
    } else {
        ("reconciles", "reconciles no more")
    };
    match (from.acting, to.acting) {
        (false, true) => Some((work.0.to_owned(), Tone::Good)),
        (true, false) => Some((work.1.to_owned(), Tone::Bad)),
        _ if from.leading && !to.leading => {
            Some(("no longer believes that it leads".to_owned(), Tone::Warning))
        }
        _ => None,
    }
}

fn balancer(plan: &Plan, from: &LoadBalancerFact, to: &LoadBalancerFact) -> Said {
    let servers = &plan.services.api_servers;
    let mut said = Vec::new();
    if from.listening != to.listening {
        let words = if to.listening { "accepts connections" } else { "accepts no connections" };
        said.push(words.to_owned());
    }
    let changed = from.rotation ^ to.rotation;
    for (at, id) in servers.iter().enumerate().filter(|(at, _)| changed >> at & 1 == 1) {
        let mark = if to.rotation >> at & 1 == 1 { "UP" } else { "DOWN" };
        said.push(format!("{} marked {mark}", place(plan, *id)));
    }
    if changed != 0
        && let Some(last) = said.last_mut()
    {
        let up = to.rotation.count_ones();
        *last = format!("{last} ({up}/{} in rotation)", servers.len());
    }
    let worse = from.rotation & !to.rotation != 0 || (from.listening && !to.listening);
    let tone = if worse { Tone::Warning } else { Tone::Good };
    (!said.is_empty()).then(|| (said.join(", "), tone))
}

fn lease(plan: &Plan, change: &FactChange, from: &LeaseFact, to: &LeaseFact) -> Said {
    let name = plan.map.name(change.of);
    let name = name.strip_prefix("lease/").unwrap_or(name);
    match (from.holder, to.holder) {
        (old, Some(new)) if old != Some(new) => {
            Some((format!("acquires lease {name}"), Tone::Good))
        }
        (Some(_), None) => Some((format!("releases lease {name}"), Tone::Warning)),
        _ => match (from.renewals, to.renewals) {
            (Renewals::Every(_), Renewals::Once(last)) => {
                Some((format!("last renewal of lease {name}: {last}"), Tone::Warning))
            }
            // Back within its usual period, it has never been away.
            (Renewals::Once(last), Renewals::Every(cadence))
                if change.at.saturating_since(last) > cadence.period() + cadence.period() / 2 =>
            {
                Some((format!("renews lease {name} again"), Tone::Good))
            }
            _ => None,
        },
    }
}

fn node(from: NodeFact, to: NodeFact) -> Said {
    if to.gone {
        return (!from.gone).then(|| ("gone from the store".to_owned(), Tone::Bad));
    }
    let ready = |fact: NodeFact| fact.ready == Condition::True;
    let mut said = Vec::new();
    let mut tone = Tone::Plain;
    match (ready(from), ready(to)) {
        (true, false) => {
            said.push("NotReady".to_owned());
            tone = Tone::Bad;
        }
        (false, true) => {
            said.push("Ready".to_owned());
            tone = Tone::Good;
        }
        _ => {}
    }
    match (from.no_execute, to.no_execute) {
        (from, Some(taint)) if from != Some(taint) => {
            said.push(format!("tainted {}:NoExecute", taint.name()));
            tone = Tone::Warning;
        }
        (Some(taint), None) => said.push(format!("taint {}:NoExecute removed", taint.name())),
        _ => {}
    }
    match (from.out_of_service, to.out_of_service) {
        (false, true) => said.push("tainted out-of-service:NoExecute".to_owned()),
        (true, false) => said.push("taint out-of-service:NoExecute removed".to_owned()),
        _ => {}
    }
    (!said.is_empty()).then(|| (said.join(", "), tone))
}

/// Who a change of a fact is about: of a Lease its holder, of a Node its machine.
pub fn subject(plan: &Plan, change: &FactChange) -> String {
    let map = &plan.map;
    match (map.component(change.of).kind, change.from, change.to) {
        (Kind::Lease, Fact::Lease(from), Fact::Lease(to)) => {
            let holder = to.holder.or(from.holder).map(|holder| holder.component);
            map.name(holder.unwrap_or(change.of)).to_owned()
        }
        (Kind::Node, ..) => map.name(change.of).trim_start_matches("node/").to_owned(),
        _ => map.name(change.of).to_owned(),
    }
}

/// What a process does for as long as its fact stays, for a slice of a trace.
pub fn state(plan: &Plan, process: ProcessState, fact: &Fact) -> Option<String> {
    match process {
        ProcessState::Dead => return None,
        ProcessState::Paused => return Some("paused".to_owned()),
        ProcessState::Running => {}
    }
    let said = match fact {
        Fact::Absent | Fact::Kubelet(_) | Fact::Client(_) => "runs".to_owned(),
        Fact::Etcd(fact) if fact.stalled => "disk stalled".to_owned(),
        Fact::Etcd(fact) => match fact.role {
            Role::Leader => format!("leader, term {}", fact.term),
            Role::Candidate => format!("candidate, term {}", fact.term),
            Role::PreCandidate => "pre-candidate".to_owned(),
            Role::Follower if fact.lead.is_none() => "no leader".to_owned(),
            Role::Follower => format!("follower, term {}", fact.term),
        },
        Fact::ApiServer(fact) if !fact.listening => "starts".to_owned(),
        Fact::ApiServer(fact) => match (fact.read, fact.write) {
            (_, Ability::Works) => "serves".to_owned(),
            (Ability::Works, _) => "reads only".to_owned(),
            (_, Ability::Hangs) => "requests hang".to_owned(),
            (_, Ability::Fails) => "requests fail".to_owned(),
        },
        Fact::Candidate(fact) if fact.acting => "leads and acts".to_owned(),
        Fact::Candidate(fact) if fact.leading => "leads".to_owned(),
        Fact::Candidate(_) => "stands by".to_owned(),
        Fact::LoadBalancer(fact) => {
            let all = plan.services.api_servers.len();
            format!("{}/{all} in rotation", fact.rotation.count_ones())
        }
        Fact::Vrrp(fact) if fact.holds => format!("{}, holds", vrrp_state(fact.state)),
        Fact::Vrrp(fact) => vrrp_state(fact.state).to_owned(),
        Fact::KubeVip(fact) if fact.holds => format!("{}, holds", kube_vip_state(*fact)),
        Fact::KubeVip(fact) => kube_vip_state(*fact).to_owned(),
        Fact::Lease(fact) => {
            fact.holder.map_or("free", |holder| place(plan, holder.component)).to_owned()
        }
        Fact::Node(fact) => {
            if fact.ready == Condition::True { "Ready" } else { "NotReady" }.to_owned()
        }
        Fact::Workload(fact) => {
            let ready = fact.active().filter(|pod| pod.ready).count();
            format!("{ready} of {} ready", fact.active().count())
        }
    };
    Some(said)
}

/// How many events back a reason is looked for.
const REASON_EVENTS_MAX: usize = 1_000;

/// An earlier wait is the reason if it was at least this long …
const REASON_LEAST: Duration = Duration::from_millis(100);

/// … and so many times as long as the last one.
const REASON_FACTOR: u64 = 10;

/// Why an event happened, as seen from `who`: the waits that led to it, or the message that came.
///
/// Where a far longer wait led to it through events that nobody was told of (a write that took
/// milliseconds, asked for when a Lease had run out), that wait is the reason, unless a message told
/// the one concerned. `told` are the events
/// that have been told of; the reason joins them.
pub fn reason(
    plan: &Plan,
    log: &EventLog,
    id: EventId,
    who: &str,
    told: &mut BTreeSet<EventId>,
) -> String {
    let own = log.get(id);
    if matches!(own.kind, EventKind::Start | EventKind::Fault { .. }) {
        return String::new();
    }
    let message = matches!(own.kind, EventKind::Mail { .. }) && owner(plan, own) == Some(who);
    let reason = if message { id } else { longest_wait(log, id, told) };
    told.extend([id, reason]);
    let event = log.get(reason);
    let said = match event.kind {
        EventKind::Mail { from } if from != ComponentId::VIP && Some(from) != event.owner => {
            format!("message from {}", plan.map.name(from))
        }
        _ => waits(&event.blame),
    };
    match owner(plan, event).filter(|name| *name != who) {
        Some(name) if said.is_empty() => name.to_owned(),
        Some(name) => format!("{name}: {said}"),
        None => said,
    }
}

/// The event itself, or the one before it, back to the last that was told of, that waited far longer.
fn longest_wait(log: &EventLog, id: EventId, told: &BTreeSet<EventId>) -> EventId {
    let own = log.get(id);
    let mut longest = (own.blame.total() * REASON_FACTOR).max(REASON_LEAST);
    let mut reason = id;
    let mut at = own.parent;
    for _ in 0..REASON_EVENTS_MAX {
        let event = log.get(at);
        let root = matches!(event.kind, EventKind::Start | EventKind::Fault { .. });
        if root || told.contains(&at) {
            break;
        }
        if matches!(event.kind, EventKind::Alarm(_)) && event.blame.total() > longest {
            (longest, reason) = (event.blame.total(), at);
        }
        at = event.parent;
    }
    reason
}

fn owner<'p>(plan: &'p Plan, event: &Event) -> Option<&'p str> {
    event.owner.map(|id| plan.map.name(id))
}

/// The waits of an alarm that matter: those of at least a hundredth of the whole.
fn waits(blame: &Blame) -> String {
    let least = Duration::from_nanos(blame.total().as_nanos() / 100);
    let terms = blame.terms.iter().filter(|term| term.amount >= least);
    let said: Vec<String> =
        terms.map(|term| format!("{} {}", term.amount.human(), term.parameter)).collect();
    if said.is_empty() { String::new() } else { format!("after {}", said.join(" + ")) }
}
