//! Metrics have known names.

use super::all::scenario;
use super::{Problem, Rule};
use crate::plan::metric_names::{METRICS, metric_sort};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::expect::Subject as Claimed;
use crate::scenario::reader::nearest;

const CODE: Code = Code::new(211);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a metric that does not exist",
        explanation: "Metrics have fixed names, such as etcd.election, scheduler.failover or vip.takeover; `hasim schema` lists them all.",
        bad: scenario!(r#""expect": [ { "metric": "sheduler.failover", "atMost": "24s" } ]"#),
        good: scenario!(r#""expect": [ { "metric": "scheduler.failover", "atMost": "24s" } ]"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let mut problems = Vec::new();
    for expect in &subject.scenario.expect {
        let (Claimed::Metric(name, ..) | Claimed::Absent(name)) = &expect.subject else { continue };
        if metric_sort(name).is_some() {
            continue;
        }
        let message = format!("there is no metric `{}`", name.escape_debug());
        let problem = Problem::error(CODE, expect.path.key("metric"), message);
        let names = METRICS.iter().map(|(name, _)| *name);
        problems.push(match nearest(name, names) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("`hasim schema` lists the metrics"),
        });
    }
    problems
}
