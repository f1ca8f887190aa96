//! Claims, each with its key path for the message when it fails.

use crate::component::param::ParamValue;
use crate::kernel::time::Duration;
use crate::plan::expect::{Claim, Expectation, Limit};
use crate::plan::metric_names::{MetricSort, metric_sort};
use crate::scenario::raw::expect::{Expect, ServiceClaim, Subject};
use crate::scenario::raw::{Placed, Scenario};

/// The claims of a scenario. A claim on a service with several limits becomes several.
pub(super) fn expectations(scenario: &Scenario) -> Vec<Expectation> {
    let claims = scenario.expect.iter().flat_map(|expect| {
        let path = expect.path.to_string();
        claims(expect).into_iter().map(move |claim| Expectation { path: path.clone(), claim })
    });
    claims.collect()
}

fn claims(expect: &Expect) -> Vec<Claim> {
    match &expect.subject {
        Subject::Service(service, claims) => claims
            .iter()
            .map(|claim| match claim {
                ServiceClaim::Longest(limit) => Claim::LongestOutage(*service, *limit),
                ServiceClaim::Total(limit) => Claim::TotalOutage(*service, *limit),
                ServiceClaim::Outages(limit) => Claim::Outages(*service, *limit),
                ServiceClaim::LongestDegradation(limit) => {
                    Claim::LongestDegradation(*service, *limit)
                }
                ServiceClaim::Degradations(limit) => Claim::Degradations(*service, *limit),
                ServiceClaim::UpAtEnd(up) => Claim::UpAtEnd(*service, *up),
            })
            .collect(),
        Subject::Metric(name, least, most) => vec![metric(name, least.as_ref(), most.as_ref())],
        Subject::Absent(name) => vec![Claim::Absent(name.clone())],
        Subject::Leader(what, is) => vec![Claim::Leader(what.clone(), is.clone())],
        Subject::Node(name, ready) => vec![Claim::Node(name.clone(), *ready)],
        Subject::Procedure(verb, progress) => vec![Claim::Procedure(verb.clone(), *progress)],
        Subject::Invariant(invariant) => vec![Claim::Invariant(*invariant)],
    }
}

fn metric(name: &str, least: Option<&Placed>, most: Option<&Placed>) -> Claim {
    if metric_sort(name) == Some(MetricSort::Count) {
        let count = |bound: Option<&Placed>| bound.and_then(|bound| bound.value.as_u64());
        let limit = Limit { at_least: count(least), at_most: count(most) };
        return Claim::Count(name.to_owned(), limit);
    }
    let span = |bound: Option<&Placed>| bound.and_then(|b| Duration::read(&b.value).ok());
    let limit = Limit { at_least: span(least), at_most: span(most) };
    Claim::Metric(name.to_owned(), limit)
}
