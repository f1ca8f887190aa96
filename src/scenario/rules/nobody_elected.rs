//! Several instances that elect nobody all work at once.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(238);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "several instances without leader election",
        explanation: "With leaderElect: false every instance acts all the time, so nothing has to fail over, but they do the same work: of each pod all but one binding is refused, and controllers may create objects in duplicate. A run says how many act at once (scheduler.acting_at_once, controller_manager.acting_at_once) and how many bindings were refused (scheduler.binding_conflicts); duplicate creations are not modelled. Use a single replica, or leave leaderElect on.",
        bad: scenario!(
            r#""cluster": { "controlPlane": { "kubeScheduler": { "leaderElection": { "leaderElect": false } } } }"#
        ),
        good: scenario!(
            r#""cluster": { "controlPlane": { "replicas": 1, "kubeScheduler": { "leaderElection": { "leaderElect": false } } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    let replicas = cluster.control_plane.params.replicas;
    if replicas < 2 {
        return Vec::new();
    }
    let schedulers = cluster.kinds.scheduler.sections();
    let schedulers = schedulers.map(|s| (s.params.leader_elect, s.place("leaderElect")));
    let managers = cluster.kinds.controller_manager.sections();
    let managers = managers.map(|s| (s.params.leader_elect, s.place("leaderElect")));
    let message = format!("{replicas} instances elect no leader and all do the same work");
    schedulers
        .chain(managers)
        .filter(|(elects, _)| !elects)
        .map(|(_, place)| {
            Problem::warning(CODE, place, message.clone())
                .help("use one replica, or leave `leaderElect` on")
        })
        .collect()
}
