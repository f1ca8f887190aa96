//! When a balancer takes a server out of rotation and puts it back.

use super::{Metric, Value, first_since, span};
use crate::component::fact::Fact;
use crate::component::id::ComponentId;
use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::plan::service::Endpoint;

pub(super) const METRICS: &[Metric] = &[
    span("lb.mark_down", "fault to the balancer's taking the server out", mark_down),
    span("lb.mark_up", "repair to the balancer's putting the server back", mark_up),
];

/// The balancer that serves the address just before an instant, or the first one.
pub(super) fn balancer_before(case: &Case, t: Time) -> Option<ComponentId> {
    match &case.plan.services.endpoint {
        Endpoint::Balancer(balancer) => Some(*balancer),
        Endpoint::Vip { holders, fronts } => {
            let holders = holders.iter().zip(fronts);
            let held = |id: &ComponentId| case.fact_before(t, *id).held();
            let announced = holders.filter_map(|(id, front)| Some((held(id)?.announced, *front)));
            let last = announced.max_by_key(|(announced, _)| *announced);
            last.map(|(_, front)| front).or(fronts.first().copied())
        }
        Endpoint::Dns { addresses, .. } => {
            let kind = |id: &ComponentId| case.plan.map.component(*id).kind;
            addresses
                .iter()
                .copied()
                .find(|id| kind(id) == crate::component::id::Kind::LoadBalancer)
        }
        Endpoint::OneServer(_) | Endpoint::AllServers => None,
    }
}

/// Bits of the servers for which `which` holds.
pub(super) fn bits(case: &Case, which: impl Fn(ComponentId) -> bool) -> u64 {
    let servers = case.plan.services.api_servers.iter().enumerate();
    servers.filter(|(_, id)| which(**id)).fold(0, |bits, (at, _)| bits | 1 << at)
}

/// Instants at which a balancer took any of these servers out of (`up`: into) rotation.
pub(super) fn marks(case: &Case, balancer: ComponentId, servers: u64, up: bool) -> Vec<Time> {
    let rotation = |fact: &Fact| match fact {
        Fact::LoadBalancer(fact) => Some(fact.rotation & servers),
        _ => None,
    };
    let changes = case.history.facts().filter(|change| change.of == balancer);
    let marked = changes.filter(|change| match (rotation(change.from), rotation(change.to)) {
        (Some(from), Some(to)) if up => to & !from != 0,
        (Some(from), Some(to)) => from & !to != 0,
        _ => false,
    });
    marked.map(|change| change.at).collect()
}

fn marked(case: &Case, zero: Option<Time>, up: bool) -> Option<Value> {
    let balancer = balancer_before(case, case.fault_at()?)?;
    first_since(zero, marks(case, balancer, struck_servers(case), up))
}

/// The servers that the fault hit; if there are none, those on its other side; and if there are none
/// there either, all: what hit their etcd, or the balancer, reaches them in its own time.
fn struck_servers(case: &Case) -> u64 {
    let (hit, across) = (case.hit(), case.hit_across());
    let sides = [bits(case, |id| hit.contains(&id)), bits(case, |id| across.contains(&id))];
    sides.into_iter().find(|servers| *servers != 0).unwrap_or(u64::MAX)
}

fn mark_down(case: &Case) -> Option<Value> {
    marked(case, case.fault_at(), false)
}

fn mark_up(case: &Case) -> Option<Value> {
    marked(case, case.repair_at(), true)
}
