//! Options of an etcd member that contradict each other.

use super::all::scenario;
use super::{Problem, Rule};
use crate::components::etcd::EtcdParams;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::section::Section;

const CODE: Code = Code::new(231);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "etcd options that contradict each other",
        explanation: "etcd refuses to start if election-timeout is not at least five times heartbeat-interval, or above 50 s. The defaults are 1s and 100ms. Where `randomized-election-timeout` is a law, every time-out that it can give must be longer than heartbeat-interval instead. `log-lag` names at most as many members as there are.",
        bad: scenario!(r#""cluster": { "etcd": { "election-timeout": "300ms" } }"#),
        good: scenario!(r#""cluster": { "etcd": { "election-timeout": "500ms" } }"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    let program = &cluster.kinds.etcd;
    let members = usize::try_from(cluster.members()).unwrap_or(usize::MAX);
    let of_section = |section: &Section<EtcdParams>| {
        let mut problems = section.params.check();
        let named = section.params.log_lag.named();
        if named > members {
            problems.push(crate::component::param::Problem {
                field: "log-lag",
                message: format!("`log-lag` names {named} members, but there are {members}"),
                help: "write one number a member, in their order".to_owned(),
                fatal: true,
            });
        }
        section.problems(CODE, problems)
    };
    program.sections().flat_map(of_section).collect()
}
