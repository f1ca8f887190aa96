//! Options of a balancer's program that contradict each other.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::param::{Params, Problem as Fault};
use crate::components::load_balancer::{CloudParams, LoadBalancerParams, NginxParams};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::cluster::BalancerProgram;
use crate::scenario::raw::program::Program;

const CODE: Code = Code::new(236);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "balancer options that contradict each other or run badly",
        explanation: "rise and fall count checks and are at least 1. HAProxy runs with time-outs left out, but warns of it; a single check that may take longer than inter times fall defeats the purpose of fall.",
        bad: scenario!(
            r#""cluster": { "endpoint": { "loadBalancers": { "haproxy": { "rise": 0, "timeout connect": "5s", "timeout client": "35s", "timeout server": "35s" } } } }"#
        ),
        good: scenario!(
            r#""cluster": { "endpoint": { "loadBalancers": { "haproxy": { "rise": 1, "timeout connect": "5s", "timeout client": "35s", "timeout server": "35s" } } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    let kinds = &cluster.kinds;
    match cluster.balancers.params.program {
        BalancerProgram::Haproxy => found(&kinds.haproxy, LoadBalancerParams::check),
        BalancerProgram::Nginx => found(&kinds.nginx, NginxParams::check),
        BalancerProgram::Cloud => found(&kinds.cloud, CloudParams::check),
    }
}

fn found<P: Params + Clone>(
    program: &Program<P>,
    check: impl Fn(&P) -> Vec<Fault>,
) -> Vec<Problem> {
    program.sections().flat_map(|section| section.problems(CODE, check(&section.params))).collect()
}
