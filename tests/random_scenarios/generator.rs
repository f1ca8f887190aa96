//! Random valid scenarios: clusters, option values within the rules, and fault schedules.
//!
//! A scenario is drawn as a small value that shrinks well, and then written as a scenario file, so
//! that a failure prints something that `hasim run` takes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// Runs are this long at most; long enough for a Lease to expire and a node to be lost after
/// the last fault.
const UNTIL_SECONDS: u64 = 180;
/// Faults begin in the first part of a run, so that their consequences are seen.
const LAST_FAULT_MS: u64 = 120_000;

/// A cluster.
#[derive(Clone, Debug)]
struct Cluster {
    external: bool,
    machines: usize,
    members: usize,
    endpoint: &'static str,
    balancers: usize,
    on_control_plane: bool,
    zones: usize,
    workers: usize,
    options: [Index; 14],
}

/// A fault, with its targets yet to be found in a cluster.
#[derive(Clone, Debug)]
struct Fault {
    verb: &'static str,
    at: u64,
    lasts: Option<u64>,
    every: Option<u64>,
    targets: Vec<Index>,
    option: Index,
    spread: bool,
}

/// How the run begins.
#[derive(Clone, Debug)]
struct Start {
    cold: bool,
    named: bool,
    leader: Index,
    seed: u64,
}

/// Verbs that need no earlier fault. `heal` is written for a fault that is open; see [`write`].
const VERBS: [&str; 24] = [
    "stop",
    "kill",
    "pause",
    "restart",
    "start",
    "resume",
    "powerOff",
    "powerOn",
    "isolate",
    "partition",
    "oneWay",
    "slowLink",
    "lossyLink",
    "stallDisk",
    "slowDisk",
    "starve",
    "fillDatabase",
    "wipeData",
    "skewClock",
    "zoneOutage",
    "expireCertificates",
    "renewCertificates",
    "dropRecord",
    "addRecord",
];

fn cluster() -> impl Strategy<Value = Cluster> {
    let endpoints = select(vec![
        "vip",
        "vip",
        "vip",
        "vip",
        "one-balancer",
        "one-server",
        "all-servers",
        "dns",
        "dns-balancers",
        "local-balancers",
        "kube-vip",
        "kube-vip",
    ]);
    let shape = (any::<bool>(), 1..=7_usize, 1..=7_usize, endpoints, 1..=3_usize, any::<bool>());
    (shape, 1..=3_usize, 0..=2_usize, any::<[Index; 14]>()).prop_map(
        |((external, machines, members, endpoint, balancers, on_cp), zones, workers, options)| {
            let on_control_plane = on_cp && endpoint == "vip";
            Cluster {
                external,
                machines,
                members,
                endpoint,
                balancers,
                on_control_plane,
                zones,
                workers,
                options,
            }
        },
    )
}

fn fault() -> impl Strategy<Value = Fault> {
    let span = || prop_oneof![1..500_u64, 500..5_000_u64, 5_000..60_000_u64];
    let timing = (
        prop_oneof![3 => 1..LAST_FAULT_MS, 1 => (1..120_u64).prop_map(|s| s * 1000)],
        prop_oneof![2 => span().prop_map(Some), 1 => Just(None)],
        prop_oneof![8 => Just(None), 1 => (5_000..60_000_u64).prop_map(Some)],
    );
    let targets = vec(any::<Index>(), 1..4);
    (select(VERBS.to_vec()), timing, targets, any::<Index>(), any::<bool>()).prop_map(
        |(verb, (at, lasts, every), targets, option, spread)| Fault {
            verb,
            at,
            lasts,
            every,
            targets,
            option,
            spread,
        },
    )
}

fn start() -> impl Strategy<Value = Start> {
    (prop::bool::weighted(0.2), any::<bool>(), any::<Index>(), 0..1_000_000_u64)
        .prop_map(|(cold, named, leader, seed)| Start { cold, named, leader, seed })
}

/// Random scenarios as texts of scenario files.
pub(crate) fn scenarios() -> impl Strategy<Value = String> {
    (cluster(), vec(fault(), 0..9), start()).prop_map(|(cluster, faults, start)| {
        let value = write(&cluster, &faults, &start);
        serde_json::to_string_pretty(&value).expect("JSON is written")
    })
}

/// Which of a cluster's options is that of leader election, how many choices there are, and which of
/// them elects nobody.
const ELECTION: (usize, usize) = (4, 6);
const NOBODY_ELECTED: usize = 2;

/// The names that a cluster has.
struct Names {
    machines: Vec<String>,
    processes: Vec<String>,
    members: Vec<String>,
    zones: Vec<String>,
    /// Those that have certificates.
    certified: Vec<String>,
    /// Machines at the addresses of a DNS name.
    listed: Vec<String>,
    vip: bool,
    /// Whether schedulers and controller-managers elect leaders.
    elects: bool,
    external: bool,
}

impl Names {
    fn of(cluster: &Cluster) -> Names {
        let row = |prefix: &str, count: usize| -> Vec<String> {
            (1..=count).map(|number| format!("{prefix}{number}")).collect()
        };
        let control_plane = row("cp", cluster.machines);
        let etcd =
            if cluster.external { row("etcd", cluster.members) } else { control_plane.clone() };
        let balancers = match (cluster.endpoint, cluster.on_control_plane) {
            ("vip", true) => control_plane.clone(),
            ("vip" | "dns-balancers", false) => row("lb", cluster.balancers),
            ("one-balancer", _) => row("lb", 1),
            _ => Vec::new(),
        };
        let workers = row("worker", cluster.workers);
        let listed = match cluster.endpoint {
            "dns" => control_plane.clone(),
            "dns-balancers" => balancers.clone(),
            _ => Vec::new(),
        };
        let mut machines = control_plane.clone();
        for group in [&etcd, &balancers, &workers] {
            machines.extend(group.iter().filter(|name| !control_plane.contains(name)).cloned());
        }
        let on = |group: &[String], program: &str| -> Vec<String> {
            group.iter().map(|machine| format!("{machine}/{program}")).collect()
        };
        let members = on(&etcd, "etcd");
        let mut processes = members.clone();
        for program in ["kube-apiserver", "kube-scheduler", "kube-controller-manager", "kubelet"] {
            processes.extend(on(&control_plane, program));
        }
        processes.extend(on(&workers, "kubelet"));
        if cluster.endpoint == "kube-vip" {
            processes.extend(on(&control_plane, "kube-vip"));
        }
        let certified = processes.clone();
        processes.extend(on(&balancers, program(cluster)));
        if cluster.endpoint == "local-balancers" {
            processes.extend(on(&workers, program(cluster)));
        }
        if cluster.endpoint == "vip" {
            processes.extend(on(&balancers, "keepalived"));
        }
        let vip = matches!(cluster.endpoint, "vip" | "kube-vip");
        let zones = (0..cluster.zones).map(|at| ["a", "b", "c"][at].to_owned()).collect();
        let elects = cluster.options[ELECTION.0].index(ELECTION.1) != NOBODY_ELECTED;
        let external = cluster.external;
        Names { machines, processes, members, zones, certified, listed, vip, elects, external }
    }

    /// A process by name, role, or at random.
    fn process(&self, index: Index) -> Value {
        let mut roles = vec![
            json!("leader of etcd"),
            json!({ "random": "etcd" }),
            json!({ "random": "kube-apiserver" }),
        ];
        if self.members.len() > 1 {
            roles.push(json!("follower of etcd"));
        }
        if self.elects {
            roles.push(json!("leader of kube-scheduler"));
            roles.push(json!("leader of kube-controller-manager"));
        }
        if !self.external {
            roles.push(json!("kube-apiserver on machine of leader of etcd"));
        }
        if self.vip {
            roles.push(json!("holder of vip"));
        }
        let at = index.index(self.processes.len() + roles.len());
        match roles.get(at) {
            Some(role) => role.clone(),
            None => json!(self.processes[at - roles.len()]),
        }
    }

    /// A machine by name, role, zone, or at random.
    fn machine(&self, index: Index) -> Value {
        let mut roles = vec![
            json!("machine of leader of etcd"),
            json!({ "random": "controlPlane" }),
            json!(format!("zone {}", self.zones[0])),
        ];
        if self.elects {
            roles.push(json!("machine of leader of kube-scheduler"));
        }
        if self.vip {
            roles.push(json!("machine of holder of vip"));
        }
        let at = index.index(self.machines.len() + roles.len());
        match roles.get(at) {
            Some(role) => role.clone(),
            None => json!(self.machines[at - roles.len()]),
        }
    }

    /// Whether a verb acts on something that there is.
    fn have(&self, verb: &str) -> bool {
        !verb.ends_with("Record") || !self.listed.is_empty()
    }

    /// A machine or a process by its own name: what a repair may name without an earlier fault.
    fn named(index: Index, among: &[String]) -> &str {
        &among[index.index(among.len())]
    }
}

/// What the balancers are; its processes are called like it.
fn program(cluster: &Cluster) -> &'static str {
    ["haproxy", "haproxy", "haproxy", "nginx", "cloud"][cluster.options[12].index(5)]
}

fn millis(count: u64) -> Value {
    json!(format!("{count}ms"))
}

/// One of a few texts, by an index.
fn one(index: Index, among: &[Value]) -> Value {
    among[index.index(among.len())].clone()
}

fn write(cluster: &Cluster, faults: &[Fault], start: &Start) -> Value {
    let names = Names::of(cluster);
    let mut all: Vec<Value> = Vec::new();
    for fault in faults.iter().filter(|fault| names.have(fault.verb)) {
        let written = write_fault(fault, &names);
        let heals = fault.lasts.is_none() && fault.spread;
        let repair = match fault.verb {
            "isolate" | "partition" | "oneWay" | "slowLink" | "lossyLink" | "zoneOutage"
            | "skewClock" => "heal",
            "stop" | "kill" => "start",
            "pause" => "resume",
            "powerOff" => "powerOn",
            "stallDisk" => "freeDisk",
            "fillDatabase" => "disarm",
            "expireCertificates" => "renewCertificates",
            "dropRecord" => "addRecord",
            _ => "",
        };
        let healed = json!({
            "at": millis(fault.at + 1 + fault.option.index(40_000) as u64),
            repair: written[fault.verb],
        });
        all.push(written);
        if heals && !repair.is_empty() {
            all.push(healed);
        }
    }
    let mut run = Map::new();
    run.insert("until".into(), json!(format!("{UNTIL_SECONDS}s")));
    run.insert("seed".into(), json!(start.seed));
    if start.cold {
        run.insert("start".into(), json!("cold"));
    } else if start.named {
        run.insert("leaders".into(), leaders(cluster, &names, start.leader));
    }
    let mut schedulable = write_cluster(cluster);
    schedulable["controlPlane"]["schedulable"] = json!(true);
    json!({
        "apiVersion": "hasim/v1",
        "kind": "Scenario",
        "metadata": { "name": "random" },
        "versions": versions(cluster.options[0]),
        "cluster": schedulable,
        "workloads": workloads(cluster.options[1]),
        "clients": clients(cluster.options[1]),
        "faults": all,
        "run": run,
    })
}

/// Pods of every kind, or none, which are evicted soon enough to be seen.
fn workloads(index: Index) -> Value {
    let kinds = [("Deployment", 4), ("StatefulSet", 3), ("Pod", 1)];
    let some = kinds.iter().take(index.index(4));
    let workload = |(kind, replicas): &(&str, u32)| json!({ "name": "some", "kind": kind, "replicas": replicas, "tolerationSeconds": 5 });
    Value::Array(some.map(workload).collect())
}

fn leaders(cluster: &Cluster, names: &Names, index: Index) -> Value {
    let member = Names::named(index, &names.members);
    let control_plane = format!("cp{}", index.index(cluster.machines) + 1);
    json!({
        "etcd": member.split('/').next(),
        "kube-scheduler": control_plane,
        "kube-controller-manager": format!("cp{}", cluster.machines),
    })
}

fn write_fault(fault: &Fault, names: &Names) -> Value {
    let first = fault.targets[0];
    let machines = || -> Vec<Value> { fault.targets.iter().map(|t| names.machine(*t)).collect() };
    let mut written = Map::new();
    written.insert(
        "at".into(),
        if fault.spread {
            json!({ "uniform": [millis(fault.at), millis(fault.at + 2_000)] })
        } else {
            millis(fault.at)
        },
    );
    let value = match fault.verb {
        "pause" if fault.option.index(3) == 0 => {
            written.insert("clock".into(), json!("stops"));
            Value::Array(machines())
        }
        "stop" | "kill" | "pause" | "restart" => {
            fault.targets.iter().map(|t| names.process(*t)).collect()
        }
        "start" | "resume" => json!(Names::named(first, &names.processes)),
        "powerOn" => json!(Names::named(first, &names.machines)),
        "wipeData" | "fillDatabase" => json!(Names::named(first, &names.members)),
        "expireCertificates" => {
            fault.targets.iter().map(|t| json!(Names::named(*t, &names.certified))).collect()
        }
        "renewCertificates" => json!(Names::named(first, &names.certified)),
        "dropRecord" | "addRecord" => json!(Names::named(first, &names.listed)),
        "zoneOutage" => json!(Names::named(first, &names.zones)),
        "partition" | "slowLink" | "lossyLink" => {
            let mut sides = machines();
            let client = fault.option.index(4) == 0;
            let other = if client { json!("client") } else { sides.pop().unwrap_or_default() };
            let one = if sides.is_empty() { names.machine(fault.option) } else { json!(sides) };
            json!([one, other])
        }
        "oneWay" => json!({ "from": machines(), "to": names.machine(fault.option) }),
        _ => json!(machines()),
    };
    written.insert(fault.verb.into(), value);
    let option = match fault.verb {
        "isolate" => Some(("carrier", &[json!("lost"), json!("kept")][..])),
        "slowLink" => {
            Some(("latency", &[json!("5ms"), json!("200ms"), json!("1500ms"), json!("7s")][..]))
        }
        "lossyLink" => Some(("loss", &[json!(0.01), json!(0.2), json!(0.7), json!(1.0)][..])),
        "slowDisk" => Some(("p99", &[json!("11ms"), json!("700ms"), json!("5s")][..])),
        "starve" => Some(("stalls", &[json!("300ms"), json!("2s"), json!("1m")][..])),
        "skewClock" => Some(("rate", &[json!(0.5), json!(0.98), json!(1.02), json!(2.0)][..])),
        _ => None,
    };
    if let Some((name, values)) = option {
        written.insert(name.into(), one(fault.option, values));
    }
    if fault.verb == "starve" {
        written.insert("runs".into(), json!({ "exponential": { "mean": "3s" } }));
    }
    let ends = !matches!(
        fault.verb,
        "restart" | "start" | "resume" | "powerOn" | "wipeData" | "renewCertificates" | "addRecord"
    );
    if let Some(lasts) = fault.lasts.filter(|_| ends) {
        written.insert("for".into(), millis(lasts));
    }
    if let Some(every) = fault.every {
        written.insert("every".into(), millis(every));
    }
    Value::Object(written)
}

fn versions(index: Index) -> Value {
    one(
        index,
        &[
            json!({}),
            json!({}),
            json!({ "kubernetes": "1.20", "etcd": "3.4" }),
            json!({ "kubernetes": "1.27", "etcd": "3.5" }),
            json!({ "kubernetes": "1.31", "etcd": "3.5" }),
        ],
    )
}

fn clients(index: Index) -> Value {
    let client = |name: &str, class: &str, every: &str, timeout: &str| json!({ "name": name, "class": class, "every": every, "timeout": timeout });
    one(
        index,
        &[
            json!([]),
            json!([client("get", "read", "1s", "5s"), client("put", "write", "1s", "5s")]),
            json!([
                client("list", "read-cached", "300ms", "2s"),
                client("ping", "connect", "1s", "1s")
            ]),
            json!([{ "name": "members", "class": "write", "every": "100ms", "target": "etcd" }]),
            json!([{ "name": "servers", "class": "read", "every": "250ms", "target": "kube-apiserver" }]),
        ],
    )
}

fn write_cluster(cluster: &Cluster) -> Value {
    let options = &cluster.options;
    let mut etcd = one(
        options[2],
        &[
            json!({}),
            json!({ "heartbeat-interval": "50ms", "election-timeout": "300ms" }),
            json!({ "heartbeat-interval": "500ms", "election-timeout": "5s" }),
            json!({ "pre-vote": false }),
            json!({ "snapshot-count": 100, "fsync": { "exponential": { "mean": "8ms" } } }),
            json!({ "fsync": { "uniform": ["1ms", "40ms"] }, "initial-election-tick-advance": false }),
        ],
    );
    if cluster.external {
        etcd["members"] = json!(cluster.members);
        etcd["supervision"] = one(options[3], &[json!("systemd"), json!("none")]);
    }
    let election = one(
        options[ELECTION.0],
        &[
            json!({}),
            json!({}),
            json!({ "leaderElection": { "leaderElect": false } }),
            json!({ "leaderElection": { "leaseDuration": "5s", "renewDeadline": "3s", "retryPeriod": "1s" } }),
            json!({ "leaderElection": { "leaseDuration": "60s", "renewDeadline": "40s", "retryPeriod": "10s" } }),
            json!({ "kubeconfig": "endpoint" }),
        ],
    );
    let network = json!({
        "latency": one(options[5], &[json!("250us"), json!("10us"), json!("2ms"), json!("30ms")]),
        "jitter": one(options[6], &[json!("0s"), json!("0s"), json!("1ms"), json!("50ms")]),
        "loss": one(options[7], &[json!(0), json!(0), json!(0), json!(0.01), json!(0.1)]),
        "machineBoot": one(options[8], &[json!("20s"), json!({ "uniform": ["5s", "40s"] })]),
    });
    let mut endpoint = json!({ "kind": cluster.endpoint });
    match cluster.endpoint {
        "vip" | "one-balancer" | "local-balancers" => {
            endpoint["loadBalancers"] = balancers(cluster);
        }
        "dns-balancers" => {
            endpoint = json!({ "kind": "dns", "addresses": "balancers", "ttl": "20s" });
            endpoint["loadBalancers"] = balancers(cluster);
        }
        "dns" => endpoint["ttl"] = one(options[13], &[json!("1s"), json!("30s"), json!("5m")]),
        "kube-vip" => {
            endpoint["kubeVip"] = one(
                options[13],
                &[
                    json!({}),
                    json!({ "vip_leaseduration": "5s", "vip_renewdeadline": "3s", "vip_retryperiod": "1s" }),
                    json!({ "announcesAtOnce": true, "vip_arpRate": "1s" }),
                ],
            );
        }
        _ => {}
    }
    json!({
        "topology": if cluster.external { "external" } else { "stacked" },
        "zones": (0..cluster.zones).map(|at| ["a", "b", "c"][at]).collect::<Vec<_>>(),
        "controlPlane": {
            "replicas": cluster.machines,
            "supervision": one(options[9], &[json!("kubelet"), json!("kubelet"), json!("none")]),
            "kubeScheduler": election,
            "kubeControllerManager": election,
        },
        "etcd": etcd,
        "endpoint": endpoint,
        "workers": { "replicas": cluster.workers },
        "network": network,
    })
}

fn balancers(cluster: &Cluster) -> Value {
    let options = &cluster.options;
    let mut balancers = json!({ "program": program(cluster) });
    let checked = || {
        one(
            options[10],
            &[
                json!({}),
                json!({ "check": "httpchk /readyz", "check-ssl": true, "option redispatch": true }),
                json!({ "inter": "1s", "fastinter": "300ms", "downinter": "5s", "fall": 2, "rise": 4,
                "timeout check": "400ms", "timeout connect": "2s", "on-marked-down": "shutdown-sessions" }),
                json!({ "check": "httpchk /livez", "check-ssl": true, "spread-checks": 20, "observe": "layer4",
                "error-limit": 3, "on-error": "mark-down" }),
            ],
        )
    };
    match program(cluster) {
        "haproxy" => balancers["haproxy"] = checked(),
        "nginx" => {
            balancers["nginx"] =
                one(options[10], &[json!({}), json!({ "proxy_connect_timeout": "1s" })]);
        }
        _ => balancers["cloud"] = one(options[10], &[json!({}), json!({ "interval": "10s" })]),
    }
    match cluster.endpoint {
        "one-balancer" => {
            balancers["replicas"] = json!(1);
            return balancers;
        }
        "dns-balancers" => {
            balancers["replicas"] = json!(cluster.balancers);
            return balancers;
        }
        "local-balancers" => return balancers,
        _ => {}
    }
    if cluster.on_control_plane {
        balancers["placement"] = json!("controlPlane");
    } else {
        balancers["replicas"] = json!(cluster.balancers);
    }
    balancers["keepalived"] = one(
        options[11],
        &[
            json!({}),
            json!({ "track_process": { "weight": 0 } }),
            json!({ "nopreempt": true, "advert_int": "2s" }),
            json!({ "vrrp_version": 3, "advert_int": "200ms", "preempt_delay": "4s" }),
            json!({ "vrrp_script": { "script": "killall -0 haproxy", "interval": "2s", "weight": 0 } }),
            json!({ "vrrp_script": { "script": "check_apiserver.sh", "interval": "3s", "fall": 2, "rise": 2, "weight": -60 } }),
        ],
    );
    balancers
}
