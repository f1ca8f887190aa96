//! The samplers of `reliability::timers` against worlds: one fault, the same timing measured on many
//! settled worlds and drawn from the law, and the two-sample test of Kolmogorov and Smirnov between
//! them. Seeds are fixed, and no sampler has a constant of its own.

mod addresses;
mod checks;
mod elections;
mod leases;
mod nights;
mod starts;

use allocation_counter::measure;
use hasim::component::fact::Fact;
use hasim::component::id::{ComponentId, Kind};
use hasim::component::record::Record;
use hasim::component::view::ProcessState;
use hasim::kernel::stream::{Draw, Key, StreamName};
use hasim::kernel::time::{Duration, Time};
use hasim::measure::failover::{self, Value as Reading};
use hasim::measure::statistics::Sample;
use hasim::measure::statistics::kolmogorov_smirnov::test as compare;
use hasim::measure::{Case, Watch};
use hasim::plan::Plan;
use hasim::plan::service::Service;
use hasim::reliability::timers::{Lost, Timers};
use hasim::scenario::load::load_text;
use hasim::world::World;
use serde_json::{Value, json};

/// Below this p-value, one of a thousand, a sampler and the worlds have different laws.
const LEVEL: f64 = 0.001;

/// Draws of a sampler: so many that the worlds' number alone decides what can be told apart.
const DRAWS: u64 = 20_000;

/// When the fault comes.
const FAULT: Time = Time::at(Duration::from_secs(30));

/// A cluster with faults, and how long its worlds last.
fn plan(cluster: &Value, faults: &Value, until: &str, leaders: &Value) -> Plan {
    planned(cluster, faults, until, leaders, &json!([]))
}

/// The same with clients.
fn planned(cluster: &Value, faults: &Value, until: &str, leaders: &Value, clients: &Value) -> Plan {
    let scenario = json!({
        "apiVersion": "hasim/v1", "kind": "Scenario",
        "cluster": cluster, "faults": faults, "clients": clients,
        "run": { "until": until, "leaders": leaders }
    });
    let loaded = load_text("timers.json", &scenario.to_string());
    let problems: Vec<_> = loaded.diagnostics.iter().map(|d| d.message.clone()).collect();
    loaded.plan.unwrap_or_else(|| panic!("{problems:?} in {scenario}"))
}

/// The value of a metric, in milliseconds.
fn metric(case: &Case, name: &str) -> Option<f64> {
    match (failover::find(name)?.of)(case)? {
        Reading::Duration(span) => Some(span.as_millis_f64()),
        Reading::Count(_) => None,
    }
}

/// From an instant to a later one, in milliseconds.
fn span(from: Time, to: Time) -> f64 {
    to.since(from).as_millis_f64()
}

/// When a leader first commits an entry of its term after an instant.
fn committed(case: &Case, since: Time) -> Option<Time> {
    let commits = case.history.records().filter(|recorded| {
        recorded.at > since && matches!(recorded.record, Record::CommittedFirst { .. })
    });
    commits.map(|recorded| recorded.at).next()
}

/// When a process of a kind first starts after the fault.
fn started(case: &Case, kind: Kind) -> Option<(Time, ComponentId)> {
    let starts = case.history.processes().filter(|change| {
        change.at > FAULT
            && change.to == ProcessState::Running
            && case.plan.map.component(change.of).kind == kind
    });
    starts.map(|change| (change.at, change.of)).next()
}

/// When a fact first becomes such after an instant.
fn becomes(
    case: &Case,
    since: Time,
    of: ComponentId,
    such: impl Fn(&Fact) -> bool,
) -> Option<Time> {
    let changes = case.history.facts().filter(|change| change.of == of && change.at >= since);
    changes.filter(|change| such(change.to) && !such(change.from)).map(|change| change.at).next()
}

/// From the fault to the end of a service's first outage after it.
fn back(case: &Case, service: Service) -> Option<f64> {
    let steps = &case.history.track(service)?.steps;
    let down = steps.iter().position(|step| step.at >= FAULT && step.share.is_none())?;
    let up = steps[down..].iter().find(|step| !step.share.is_none())?;
    Some(span(FAULT, up.at))
}

/// What is measured of so many worlds, each of which has it.
fn worlds(plan: &Plan, count: u64, measured: impl Fn(&Case) -> Option<f64>) -> Vec<f64> {
    let one = |trial| {
        let mut watch = Watch::new(plan);
        let mut world = World::new(plan, Key::new(11, trial));
        world.begin_run(&mut watch);
        world.run_until(Time::at(plan.until), &mut watch);
        measured(&Case::of(&world, plan, watch.history()))
    };
    let found: Vec<f64> = (0..count).filter_map(one).collect();
    assert_eq!(found.len() as u64, count, "worlds in which it happens");
    found
}

/// Draws of a sampler of a plan.
fn drawn(plan: &Plan, of: impl Fn(&Timers, &mut Draw) -> Duration) -> Vec<f64> {
    let (timers, key) = (Timers::of(plan), Key::new(7, 7));
    let name = StreamName::of("timers");
    (0..DRAWS).map(|n| of(&timers, &mut key.draw(name, 0, n)).as_millis_f64()).collect()
}

/// An object with more fields.
fn with(mut object: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
    object
}

/// Draws held against worlds, one by one.
#[derive(Default)]
struct Verdicts {
    lines: Vec<String>,
    disagree: bool,
}

impl Verdicts {
    fn compare(&mut self, what: &str, seen: Vec<f64>, drawn: Vec<f64>) {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (of_worlds, of_draws) = (mean(&seen), mean(&drawn));
        let sample = |values| Sample::new(values).expect("values");
        let test = compare(&sample(seen), &sample(drawn));
        let line = format!(
            "{what}: mean {of_worlds:.1} ms of worlds, {of_draws:.1} ms of draws, distance {:.4}, p {:.4}",
            test.statistic, test.p_value
        );
        self.lines.push(line);
        self.disagree |= test.p_value < LEVEL;
    }

    #[track_caller]
    fn all_agree(&self) {
        assert!(!self.disagree, "other laws:\n{}", self.lines.join("\n"));
    }
}

/// Law: drawing takes no memory, whatever was lost.
#[test]
fn draws_take_no_memory() {
    let tracked = json!({ "vrrp_script": {}, "track_process": { "weight": -20 } });
    let cluster = json!({ "endpoint": { "loadBalancers": { "keepalived": tracked } } });
    let plan = plan(&cluster, &json!([]), "60s", &json!({}));
    let (timers, key, name) = (Timers::of(&plan), Key::new(7, 7), StreamName::of("timers"));
    let ways =
        [Lost::Silently, Lost::Exited, Lost::InOrder, Lost::Beside, Lost::Stalled, Lost::Nobody];
    let mut longest = Duration::ZERO;
    let asked = measure(|| {
        for number in 0..2_000 {
            let draw = &mut key.draw(name, 0, number);
            for lost in ways {
                longest = longest.max(timers.election(draw, lost, 2));
                longest = longest.max(timers.takeover(draw, lost, 1));
                longest = longest.max(timers.fall(draw, lost));
                longest = longest.max(timers.lease(draw, true, lost, 2));
            }
            longest = longest.max(timers.rise(draw)).max(timers.server_start(draw, true));
            longest = longest.max(timers.member_start(draw, true));
            longest = longest.max(timers.balancer_start(draw, false));
        }
    });
    assert_eq!(asked.count_total, 0);
    assert_eq!(longest, Duration::MAX, "a stalled disk moves no address");
}
