//! Limits that can be kept, in the unit of what they limit.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::param::ParamValue;
use crate::kernel::time::Duration;
use crate::plan::expect::Limit;
use crate::plan::metric_names::{MetricSort, metric_sort};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;
use crate::scenario::raw::Placed;
use crate::scenario::raw::expect::{Expect, ServiceClaim, Subject as Claimed};

const CODE: Code = Code::new(212);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a limit that says nothing or cannot be kept",
        explanation: "A claim needs a limit, `atLeast` must not exceed `atMost`, and a limit has the unit of what it limits: a duration such as 5s for times, a whole number for counts.",
        bad: scenario!(
            r#""expect": [ { "service": "api-write", "longestOutage": { "atLeast": "9s", "atMost": "5s" } } ]"#
        ),
        good: scenario!(
            r#""expect": [ { "service": "api-write", "longestOutage": { "atLeast": "1s", "atMost": "5s" } } ]"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    subject.scenario.expect.iter().flat_map(claim).collect()
}

fn claim(expect: &Expect) -> Vec<Problem> {
    match &expect.subject {
        Claimed::Service(_, claims) if claims.is_empty() => {
            let problem =
                Problem::error(CODE, expect.path.clone(), "nothing is claimed of the service");
            vec![
                problem.help("limit `longestOutage`, `totalOutage` or `outages`, or say `upAtEnd`"),
            ]
        }
        Claimed::Service(_, claims) => claims
            .iter()
            .filter_map(|claim| match claim {
                ServiceClaim::Longest(limit) => range(limit, &expect.path.key("longestOutage")),
                ServiceClaim::Total(limit) => range(limit, &expect.path.key("totalOutage")),
                ServiceClaim::LongestDegradation(limit) => {
                    range(limit, &expect.path.key("longestDegradation"))
                }
                ServiceClaim::Degradations(limit) => range(limit, &expect.path.key("degradations")),
                ServiceClaim::Outages(limit) => range(limit, &expect.path.key("outages")),
                ServiceClaim::UpAtEnd(_) => None,
            })
            .collect(),
        Claimed::Metric(name, least, most) => {
            metric(name, least.as_ref(), most.as_ref(), &expect.path)
        }
        _ => Vec::new(),
    }
}

fn range<T: PartialOrd + Copy>(limit: &Limit<T>, path: &Path) -> Option<Problem> {
    match (limit.at_least, limit.at_most) {
        (None, None) => {
            let problem = Problem::error(CODE, path.clone(), "this limits nothing");
            Some(problem.help("give `atMost`, `atLeast` or both"))
        }
        (Some(low), Some(high)) if low > high => {
            let problem = Problem::error(CODE, path.clone(), "`atLeast` exceeds `atMost`");
            Some(problem.help("no value is both at least the one and at most the other"))
        }
        _ => None,
    }
}

fn metric(name: &str, least: Option<&Placed>, most: Option<&Placed>, path: &Path) -> Vec<Problem> {
    let Some(sort) = metric_sort(name) else { return Vec::new() };
    let mut problems = Vec::new();
    let mut nanos = |bound: Option<&Placed>| {
        let placed = bound?;
        let read = match sort {
            MetricSort::Span => Duration::read(&placed.value).map(Duration::as_nanos),
            MetricSort::Count => u64::read(&placed.value),
        };
        read.map_err(|message| problems.push(Problem::error(CODE, placed.path.clone(), message)))
            .ok()
    };
    let limit = Limit { at_least: nanos(least), at_most: nanos(most) };
    if let (Some(_), Some(_)) = (limit.at_least, limit.at_most) {
        problems.extend(range(&limit, path));
    }
    problems
}
