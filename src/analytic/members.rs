//! How much of the time etcd's members, and the zones that they stand in, are up by the laws of a plan:
//! what the sums of [`super::votes`] take for given.
//!
//! Absent on purpose: what the sums cannot hold, that is crews for whom repairs wait, shocks, bursts and
//! planned work. `hasim exact` has them.

use crate::component::id::ComponentId;
use crate::plan::Plan;
use crate::plan::reliability::{Part, Thing};

/// What the laws of a plan say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Availabilities {
    /// Of a member: its process, its machine, the machine's disk and link. The mean, where members
    /// differ.
    pub member: f64,
    /// Whether members differ.
    pub differ: bool,
    /// Of a zone, if zones fail.
    pub zone: Option<f64>,
}

/// What the laws of a plan say of these members; `None`: nothing of them fails.
pub fn availabilities(plan: &Plan, members: &[ComponentId]) -> Option<Availabilities> {
    let each: Vec<f64> = members.iter().map(|id| member(plan, *id)).collect();
    let zone = zone(plan, members);
    let first = *each.first()?;
    if zone.is_none() && each.iter().all(|share| *share >= 1.0) {
        return None;
    }
    let differ = each.iter().any(|share| (share - first).abs() > 1e-12);
    let member = if differ { each.iter().sum::<f64>() / each.len() as f64 } else { first };
    Some(Availabilities { member, differ, zone })
}

/// A member and all that it needs are up; each alone, so that the shares multiply.
fn member(plan: &Plan, id: ComponentId) -> f64 {
    let machine = plan.map.machine_of(id);
    let needs = |part: &&Part| match part.thing {
        Thing::Process(process) => process == id,
        Thing::Machine(on) | Thing::Disk(on) | Thing::Link(on) => Some(on) == machine,
        Thing::Cluster => false,
    };
    plan.reliability.parts.iter().filter(needs).map(up).product()
}

/// The part of the time that something is up whose modes compete: one over one plus each mode's
/// failures in the time up, times its repair.
fn up(part: &Part) -> f64 {
    let down = part.modes.iter().map(|mode| mode.repair.mean() / mode.failure.mean());
    1.0 / (1.0 + down.sum::<f64>())
}

/// A zone that holds members is up, if zones fail.
fn zone(plan: &Plan, members: &[ComponentId]) -> Option<f64> {
    let holds = |machines: &[_]| {
        members.iter().filter_map(|id| plan.map.machine_of(*id)).any(|on| machines.contains(&on))
    };
    let outage = plan
        .reliability
        .outages
        .iter()
        .find(|outage| outage.name.starts_with("zone ") && holds(&outage.machines))?;
    let (up, down) = (outage.failure.mean(), outage.repair.mean());
    Some(up / (up + down))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load::load_text;

    /// Law: machines that fail every 1000 h and take 4 h are up 1000/1004 of the time; members that
    /// wait to be joined do not count.
    #[test]
    fn shares_are_those_of_the_laws() {
        let text = r#"{ "apiVersion": "hasim/v1", "kind": "Scenario",
            "cluster": {"controlPlane": {"replicas": 3}, "zones": ["a", "b", "c"]},
            "reliability": {"preset": "textbook",
                "zones": {"perYear": 1, "repair": "8h45m36s", "effect": "overlay"}} }"#;
        let plan = load_text("test.json", text).plan.expect("a plan");
        let found = availabilities(&plan, &plan.services.members).expect("they fail");
        assert!((found.member - 1000.0 / 1004.0).abs() < 1e-12 && !found.differ);
        assert!((found.zone.expect("zones fail") - 1000.0 / 1001.0).abs() < 1e-9);
        let whole = r#"{ "apiVersion": "hasim/v1", "kind": "Scenario" }"#;
        let plan = load_text("test.json", whole).plan.expect("a plan");
        assert_eq!(availabilities(&plan, &plan.services.members), None);
    }
}
