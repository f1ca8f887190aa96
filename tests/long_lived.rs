//! Laws of clients, with one connection or many, in whole worlds under random faults: no request is
//! lost, and counting requests cannot be told from simulating each of them.

use hasim::component::ComponentId;
use hasim::component::blame::EventId;
use hasim::component::id::Kind;
use hasim::component::record::Record;
use hasim::component::view::Surroundings;
use hasim::components::Params;
use hasim::kernel::stream::Key;
use hasim::kernel::time::{Duration, Time};
use hasim::plan::Plan;
use hasim::scenario::load::load_text;
use hasim::world::World;
use hasim::world::observer::Observer;
use proptest::prelude::*;
use serde_json::{Value, json};

/// From request to request, and until one is given up.
const EVERY: Duration = Duration::from_millis(250);
const TIMEOUT: Duration = Duration::from_secs(5);
const UNTIL: Duration = Duration::from_secs(150);

/// One request: issued, ended, succeeded.
type Ended = (Time, Time, bool);

/// What a client's records say.
#[derive(Default)]
struct Requests {
    ended: Vec<Ended>,
    open: Option<(Time, Duration)>,
    connections: Vec<(Time, Option<ComponentId>)>,
    changes: Vec<Time>,
}

impl Observer for Requests {
    fn settled(&mut self, at: Time, _all: &Surroundings, _because: EventId) {
        self.changes.push(at);
    }

    fn record(&mut self, at: Time, _of: ComponentId, record: &Record, _because: EventId) {
        match *record {
            Record::Serving { first, latency, .. } => self.open = Some((first, latency)),
            Record::Served { first, count, latency, .. } => {
                self.open = None;
                let counted = (0..count).map(|n| first + EVERY * n);
                self.ended.extend(counted.map(|issued| (issued, issued + latency, true)));
            }
            Record::Request(r) => self.ended.push((r.issued, r.ended, r.succeeded())),
            Record::Connection { server, .. } => self.connections.push((at, server)),
            _ => {}
        }
    }
}

impl Requests {
    /// Everything that ended by `end`, in order of issue.
    fn by(mut self, end: Time) -> Vec<Ended> {
        if let Some((mut issued, latency)) = self.open {
            while issued + latency <= end {
                self.ended.push((issued, issued + latency, true));
                issued += EVERY;
            }
        }
        self.ended.retain(|(_, ended, _)| *ended <= end);
        self.ended.sort_unstable();
        self.ended
    }
}

fn plan(class: &str, tunnel: &Value, faults: &[Value]) -> Plan {
    let mut haproxy = json!({
        "check": "httpchk /readyz", "check-ssl": true, "option redispatch": true,
        "timeout connect": "5s", "timeout client": "35s", "timeout server": "35s"
    });
    for (option, value) in tunnel.as_object().into_iter().flatten() {
        haproxy[option] = value.clone();
    }
    let scenario = json!({
        "apiVersion": "hasim/v1",
        "kind": "Scenario",
        "metadata": { "name": "long-lived" },
        "cluster": {
            "topology": "external",
            "endpoint": { "loadBalancers": { "haproxy": haproxy, "keepalived": { "track_process": {} } } }
        },
        "clients": [{
            "name": "c", "class": class, "every": "250ms", "timeout": "5s", "connection": "long-lived"
        }],
        "faults": faults,
        "run": { "until": "150s", "seed": 1 }
    });
    let loaded = load_text("long-lived.json", &scenario.to_string());
    let problems: Vec<_> = loaded.diagnostics.iter().map(|d| d.message.clone()).collect();
    loaded.plan.unwrap_or_else(|| panic!("{problems:?} in {scenario}"))
}

fn run(plan: &Plan, seed: u64) -> Requests {
    let mut requests = Requests::default();
    let mut world = World::new(plan, Key::new(seed, 0));
    world.begin_run(&mut requests);
    world.run_until(Time::at(UNTIL), &mut requests);
    requests
}

/// The same plan with a client that simulates every request.
fn eager(mut plan: Plan) -> Plan {
    let client = plan.map.of_kind(Kind::Client).next().expect("a client");
    if let Params::Client(_, wiring) = &mut plan.params[client.index()] {
        wiring.eager = true;
    }
    plan
}

fn fault() -> impl Strategy<Value = Value> {
    let machine = prop_oneof![
        Just("cp1"),
        Just("cp2"),
        Just("cp3"),
        Just("lb1"),
        Just("lb2"),
        Just("etcd1"),
        Just("etcd2")
    ];
    let server =
        prop_oneof![Just("cp1/kube-apiserver"), Just("cp2/kube-apiserver"), Just("lb1/haproxy")];
    let verb = prop_oneof![
        (Just("powerOff"), machine.clone()),
        (Just("isolate"), machine),
        (Just("pause"), server.clone()),
        (Just("kill"), server.clone()),
        (Just("stop"), server),
    ];
    (verb, 1000_u64..100_000, prop_oneof![100_u64..2000, 2000_u64..60_000]).prop_map(
        |((verb, target), at, lasts)| {
            let mut fault = json!({ "at": format!("{at}ms"), verb: target });
            if matches!(verb, "powerOff" | "isolate" | "pause") {
                fault["for"] = format!("{lasts}ms").into();
            }
            fault
        },
    )
}

fn options() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(json!({})),
        1 => Just(json!({ "on-marked-down": "shutdown-sessions" })),
        1 => Just(json!({ "check": "tcp-check" })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Law: requests are conserved at every instant: each one of the schedule ends exactly once, no
    /// earlier than it was issued and no later than its time-out; until then it is pending.
    #[test]
    fn requests_are_conserved(
        faults in proptest::collection::vec(fault(), 0..5),
        options in options(),
        class in prop_oneof![Just("read-cached"), Just("read"), Just("write")],
        seed in 0_u64..1000,
    ) {
        let requests = run(&plan(class, &options, &faults), seed).by(Time::at(UNTIL));
        let first = requests[0].0;
        prop_assert!(first < Time::START + EVERY);
        for (n, (issued, ended, done)) in requests.iter().enumerate() {
            prop_assert!(*issued <= *ended && ended.since(*issued) <= TIMEOUT, "{issued} {ended} {done}");
            // Only what is pending at the end may be missing in between.
            let late = Time::at(UNTIL) < *issued + TIMEOUT;
            prop_assert!(late || *issued == first + EVERY * (n as u64), "request {n} is at {issued}");
        }
        let scheduled = Time::at(UNTIL).since(first).as_nanos() / EVERY.as_nanos() + 1;
        let longest_pending = TIMEOUT.as_nanos() / EVERY.as_nanos() + 1;
        prop_assert!(requests.len() as u64 <= scheduled);
        prop_assert!(requests.len() as u64 + longest_pending >= scheduled);
    }

    /// Law: laziness is unobservable: counted requests and the connection's unseen pings are, to the
    /// nanosecond, those of a client that sends each one. A request that is under way at the very
    /// instant of a change is sent again when it was counted; such histories prove nothing.
    #[test]
    fn counting_equals_sending(
        faults in proptest::collection::vec(fault(), 0..5),
        options in options(),
        seed in 0_u64..1000,
    ) {
        // Reads from the cache take the same time at any server; others depend on the etcd member
        // whose turn it is, and only their mean is counted.
        let plan = plan("read-cached", &options, &faults);
        let lazy = run(&plan, seed);
        let sent = run(&eager(plan), seed);
        let (connections, seen) = (lazy.connections.clone(), sent.connections.clone());
        let changes = sent.changes.clone();
        let (lazy, sent) = (lazy.by(Time::at(UNTIL)), sent.by(Time::at(UNTIL)));
        let way = sent[0].1.since(sent[0].0).as_nanos();
        let since_issue = |at: &Time| at.saturating_since(sent[0].0).as_nanos() % EVERY.as_nanos();
        prop_assume!(changes.iter().all(|at| *at < sent[0].0 || since_issue(at) > way));
        let differs = lazy.iter().zip(&sent).find(|(a, b)| a != b);
        prop_assert!(differs.is_none() && lazy.len() == sent.len(), "{differs:?}");
        prop_assert_eq!(connections, seen);
    }
}

/// A client with a connection for each request, over slow links: half of the time between two requests
/// one is under way. There is one balancer or none, and one server, so that no draw says which.
fn per_request(endpoint: &str, faults: &[Value]) -> Plan {
    let scenario = json!({
        "apiVersion": "hasim/v1",
        "kind": "Scenario",
        "metadata": { "name": "per-request" },
        "cluster": {
            "topology": "stacked",
            "network": { "latency": "10ms" },
            "controlPlane": { "replicas": 1, "kubeApiserver": { "processing": "45ms" } },
            "endpoint": { "kind": endpoint }
        },
        "clients": [{ "name": "c", "class": "read-cached", "every": "250ms", "timeout": "5s" }],
        "faults": faults,
        "run": { "until": "150s", "seed": 1 }
    });
    let loaded = load_text("per-request.json", &scenario.to_string());
    let problems: Vec<_> = loaded.diagnostics.iter().map(|d| d.message.clone()).collect();
    loaded.plan.unwrap_or_else(|| panic!("{problems:?} in {scenario}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Law: laziness is unobservable also at the instant of a change: a counted request that is under
    /// way keeps its connection and what it has reached, so that it is reset, hangs or is answered to
    /// the nanosecond as one that was simulated from the beginning.
    #[test]
    fn a_request_under_way_keeps_its_connection(
        faults in proptest::collection::vec(fault(), 1..4),
        balanced in any::<bool>(),
        seed in 0_u64..1000,
    ) {
        let endpoint = if balanced { "one-balancer" } else { "one-server" };
        let there = |fault: &&Value| {
            let text = fault.to_string();
            // A process that is paused at work is followed to the end of that work.
            !["cp2", "cp3", "lb2", "etcd", "pause"].iter().any(|absent| text.contains(absent))
                && (balanced || !text.contains("lb1"))
        };
        let faults: Vec<Value> = faults.iter().filter(there).cloned().collect();
        let plan = per_request(endpoint, &faults);
        let lazy = run(&plan, seed).by(Time::at(UNTIL));
        let sent = run(&eager(plan), seed).by(Time::at(UNTIL));
        let differs = lazy.iter().zip(&sent).find(|(a, b)| a != b);
        prop_assert!(differs.is_none() && lazy.len() == sent.len(), "{differs:?} with {faults:?}");
    }
}

/// Law: a client whose path is constant costs no events, however long it goes on.
#[test]
fn a_steady_client_costs_nothing() {
    let plan = plan("read", &json!({}), &[]);
    let mut world = World::new(&plan, Key::new(1, 0));
    let mut requests = Requests::default();
    world.begin_run(&mut requests);
    world.run_until(Time::at(Duration::from_secs(5)), &mut requests);
    let steps = world.steps();
    world.run_until(Time::at(Duration::from_secs(365 * 86_400)), &mut requests);
    assert_eq!(world.steps(), steps);
}
