//! Zones that machines are put into exist.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::reader::listed;

const CODE: Code = Code::new(203);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a zone that does not exist",
        explanation: "`cluster.zones` lists the zones. The `zones` of a group of machines say in which of them its machines stand, one after the other; left out, machines are spread over all zones in turn.",
        bad: scenario!(
            r#""cluster": { "zones": ["a", "b"], "controlPlane": { "zones": ["a", "b", "c"] } }"#
        ),
        good: scenario!(
            r#""cluster": { "zones": ["a", "b", "c"], "controlPlane": { "zones": ["a", "b", "c"] } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    let known = &cluster.zones.names;
    let groups = [
        &cluster.control_plane_zones,
        &cluster.etcd_zones,
        &cluster.balancer_zones,
        &cluster.worker_zones,
    ];
    let mut problems = Vec::new();
    for group in groups {
        let unknown = group.names.iter().enumerate().filter(|(_, zone)| !known.contains(zone));
        for (at, zone) in unknown {
            let message = format!("there is no zone `{}`", zone.escape_debug());
            let zones = listed(known.iter().map(String::as_str), "and");
            let problem = Problem::error(CODE, group.path.index(at), message);
            problems.push(problem.help(format!("the zones are {zones}")));
        }
    }
    problems
}
