//! The whole scenario as it is in force: every option with its value and where that comes from.
//!
//! Written as YAML with a comment on each line, so that it is itself a scenario: the same one.
//!
//! Absent on purpose: options that would contradict the scenario if they were written (those of
//! balancers where there are none, say).

mod reliability;

use crate::component::param::{ParamValue, Params};
use crate::components::client::ConnectionUse;
use crate::kernel::law::Law;
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;
use crate::scenario::raw::cluster::{BalancerProgram, Cluster, EndpointKind, Topology};
use crate::scenario::raw::fault::Fault;
use crate::scenario::raw::informers::Informers;
use crate::scenario::raw::program::Program;
use crate::scenario::raw::versions;
use crate::scenario::raw::workload::{KindWord, Workload};
use crate::scenario::raw::zones::Zones;
use crate::scenario::raw::{API_VERSION, KIND, Scenario};
use crate::scenario::section::{GIVEN, Section};
use serde_json::{Value, json};
use std::fmt::Write;

/// A line of the scenario, or an object of several.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A value with its source.
    Value(String, Value, String),
    /// An object.
    Object(String, Vec<Item>),
}

impl Item {
    fn given(name: &str, value: Value) -> Item {
        Item::Value(name.to_owned(), value, GIVEN.to_owned())
    }

    fn object(name: &str, items: Vec<Item>) -> Item {
        Item::Object(name.to_owned(), items)
    }
}

/// The effective scenario as text.
pub fn text(subject: &Subject) -> String {
    let mut out = String::new();
    write(&items(subject), 0, &mut out);
    out
}

/// Where comments begin, if the line before them is short enough.
const COMMENTS_FROM: usize = 44;

fn write(items: &[Item], depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for item in items {
        match item {
            Item::Value(name, value, source) => {
                let line = format!("{indent}{}: {value}", key(name));
                let _ = writeln!(out, "{line:<COMMENTS_FROM$} # {source}");
            }
            Item::Object(_, items) if items.is_empty() => {}
            Item::Object(name, items) => {
                let _ = writeln!(out, "{indent}{}:", key(name));
                write(items, depth + 1, out);
            }
        }
    }
}

/// A key as YAML has it: quoted unless it is a plain word.
fn key(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain) {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

/// The effective scenario as items.
pub fn items(subject: &Subject) -> Vec<Item> {
    let scenario = &subject.scenario;
    let mut run = scenario.run.section.items();
    let leaders = scenario.run.leaders.iter();
    let leaders = leaders.map(|leader| Item::given(&leader.what, json!(leader.machine)));
    run.push(Item::object("leaders", leaders.collect()));
    let mut items = vec![
        Item::given("apiVersion", json!(API_VERSION)),
        Item::given("kind", json!(KIND)),
        Item::object("metadata", scenario.metadata.items()),
        Item::object("versions", versions_items(scenario)),
        Item::object("cluster", cluster(subject)),
    ];
    let workloads: Vec<Value> = scenario.workloads.iter().map(workload).collect();
    let clients: Vec<Value> = scenario.clients.iter().map(client).collect();
    let informers: Vec<Value> = scenario.informers.iter().map(informers).collect();
    let faults: Vec<Value> = scenario.faults.iter().map(fault).collect();
    let claims: Vec<Value> = scenario.expect.iter().map(|claim| claim.value.clone()).collect();
    let lists = [
        ("workloads", workloads),
        ("clients", clients),
        ("informers", informers),
        ("faults", faults),
        ("expect", claims),
    ];
    for (name, list) in lists {
        if !list.is_empty() {
            items.push(Item::given(name, Value::Array(list)));
        }
    }
    items.push(Item::object("reliability", reliability::items(&scenario.reliability)));
    let timings = scenario.timings.show().into_iter();
    items.push(Item::object("timings", timings.map(|(name, v)| Item::given(name, v)).collect()));
    items.push(Item::object("run", run));
    items
}

impl<P: Params> Section<P> {
    fn items(&self) -> Vec<Item> {
        self.items_without(&[])
    }

    fn items_without(&self, left_out: &[&str]) -> Vec<Item> {
        let shown = self.effective().into_iter().filter(|e| !left_out.contains(&e.name));
        shown.map(|e| Item::Value(e.name.to_owned(), e.value, e.source.to_owned())).collect()
    }
}

fn versions_items(scenario: &Scenario) -> Vec<Item> {
    let versions = &scenario.versions;
    let in_force = [
        versions.kubernetes.to_string(),
        versions.etcd.to_string(),
        versions.haproxy.to_string(),
        versions.keepalived.to_string(),
        versions.kube_vip.to_string(),
    ];
    let items = versions::FIELDS.iter().zip(in_force).map(|((name, _), version)| {
        let given = scenario.versions_given.iter().any(|given| given == name);
        let source = if given { GIVEN } else { "hasim: a current release" };
        Item::Value((*name).to_owned(), json!(version), source.to_owned())
    });
    items.collect()
}

fn zones(zones: &Zones) -> Vec<Item> {
    if zones.names.is_empty() {
        return Vec::new();
    }
    vec![Item::given("zones", json!(zones.names))]
}

fn cluster(subject: &Subject) -> Vec<Item> {
    let cluster = &subject.scenario.cluster;
    let kinds = &cluster.kinds;
    let mut items = cluster.options.items();
    let given = cluster.zones.path != Path::root();
    let source = if given { GIVEN } else { "hasim: one zone" };
    let names = json!(cluster.zones.names);
    items.push(Item::Value("zones".to_owned(), names, source.to_owned()));
    let groups = cluster.groups.iter();
    let groups = groups.map(|group| Item::given(&group.name, json!(group.machines))).collect();
    items.push(Item::object("groups", groups));
    let mut control_plane = cluster.control_plane.items();
    control_plane.extend(zones(&cluster.control_plane_zones));
    control_plane.push(Item::object("kubeApiserver", program(&kinds.api_server)));
    control_plane.push(Item::object("kubeScheduler", program(&kinds.scheduler)));
    let name = "kubeControllerManager";
    control_plane.push(Item::object(name, program(&kinds.controller_manager)));
    control_plane.push(Item::object("kubelet", program(&kinds.kubelet)));
    items.push(Item::object("controlPlane", control_plane));
    let stacked = cluster.options.params.topology == Topology::Stacked;
    let mut etcd = cluster.etcd.items_without(if stacked { &["supervision"] } else { &[] });
    etcd.extend(zones(&cluster.etcd_zones));
    etcd.extend(program(&kinds.etcd));
    items.push(Item::object("etcd", etcd));
    items.push(Item::object("endpoint", endpoint(subject)));
    let mut workers = cluster.workers.items();
    workers.extend(zones(&cluster.worker_zones));
    workers.push(Item::object("kubelet", program(&kinds.worker_kubelet)));
    items.push(Item::object("workers", workers));
    let mut network = cluster.network.items();
    network.push(Item::object("betweenZones", cluster.between_zones.items()));
    items.push(Item::object("network", network));
    items.push(Item::object("overrides", overrides(cluster)));
    items
}

fn endpoint(subject: &Subject) -> Vec<Item> {
    let cluster = &subject.scenario.cluster;
    let kind = cluster.endpoint.params.kind;
    let one_server = kind == EndpointKind::OneServer;
    let dns = kind == EndpointKind::Dns;
    let mut items = cluster.endpoint.items_without(match (one_server, dns) {
        (true, _) => &["addresses", "ttl"],
        (_, true) => &["server"],
        _ => &["server", "addresses", "ttl"],
    });
    if kind == EndpointKind::KubeVip {
        items.push(Item::object("kubeVip", program(&cluster.kinds.kube_vip)));
    }
    if !cluster.has_balancers() {
        return items;
    }
    let mut balancers = cluster.balancers.items();
    balancers.extend(zones(&cluster.balancer_zones));
    balancers.push(match cluster.balancers.params.program {
        BalancerProgram::Haproxy => Item::object("haproxy", program(&cluster.kinds.haproxy)),
        BalancerProgram::Nginx => Item::object("nginx", program(&cluster.kinds.nginx)),
        BalancerProgram::Cloud => Item::object("cloud", program(&cluster.kinds.cloud)),
    });
    if kind == EndpointKind::Vip {
        balancers.push(Item::object("keepalived", keepalived(subject)));
    }
    items.push(Item::object("loadBalancers", balancers));
    items
}

/// Where no priority is given, each instance has its own.
fn keepalived(subject: &Subject) -> Vec<Item> {
    let program = &subject.scenario.cluster.kinds.keepalived;
    let mut items = program.base.items();
    if !program.overrides.is_empty() {
        return items;
    }
    let each = subject.keepalived();
    let priorities: Vec<u32> = each.iter().filter_map(|(_, params)| params.priority).collect();
    for item in &mut items {
        if let Item::Value(name, value, source) = item
            && name == "priority"
            && value.is_null()
            && !priorities.is_empty()
        {
            *value = json!(priorities);
            *source = String::from("hasim: the first instance is preferred");
        }
    }
    items
}

fn program<P: Params + Clone>(program: &Program<P>) -> Vec<Item> {
    let Some(inner) = program.inner() else { return program.base.items() };
    let within: Vec<Item> = program
        .base
        .items()
        .into_iter()
        .filter(|item| matches!(item, Item::Value(name, ..) if inner.options.contains(&&**name)))
        .collect();
    let mut items = program.base.items_without(inner.options);
    items.insert(0, Item::object(inner.name, within));
    items
}

fn overrides(cluster: &Cluster) -> Vec<Item> {
    let kinds = &cluster.kinds;
    let mut items = Vec::new();
    items.extend(own(&kinds.etcd));
    items.extend(own(&kinds.api_server));
    items.extend(own(&kinds.scheduler));
    items.extend(own(&kinds.controller_manager));
    items.extend(own(&kinds.kubelet));
    items.extend(own(&kinds.worker_kubelet));
    items.extend(own(&kinds.haproxy));
    items.extend(own(&kinds.nginx));
    items.extend(own(&kinds.cloud));
    items.extend(own(&kinds.keepalived));
    items.extend(own(&kinds.kube_vip));
    items
}

/// What single processes have other than the rest of their program.
fn own<P: Params + Clone>(program: &Program<P>) -> Vec<Item> {
    let base = program.base.items();
    let differing = program.overrides.iter().map(|(name, section)| {
        let items = section.items().into_iter().zip(&base).filter(|(own, base)| own != *base);
        let items = items.map(|(own, _)| own);
        let Some(inner) = program.inner() else { return Item::object(name, items.collect()) };
        let is_inner =
            |item: &Item| matches!(item, Item::Value(n, ..) if inner.options.contains(&&**n));
        let (within, mut beside): (Vec<Item>, Vec<Item>) = items.partition(is_inner);
        beside.push(Item::object(inner.name, within));
        Item::object(name, beside)
    });
    differing.collect()
}

fn workload(workload: &Workload) -> Value {
    let mut value = json!({ "name": workload.name });
    let stateful = workload.section.params.kind == KindWord::StatefulSet;
    let shown = |name: &str| stateful || name != "podManagementPolicy";
    for option in workload.section.effective().into_iter().filter(|o| shown(o.name)) {
        value[option.name] = option.value;
    }
    value
}

fn informers(informers: &Informers) -> Value {
    let mut value = json!({ "name": informers.name });
    for option in informers.section.effective() {
        value[option.name] = option.value;
    }
    value
}

fn client(client: &crate::scenario::raw::client::Client) -> Value {
    let mut value = json!({ "name": client.name });
    let long_lived = client.connection.params.connection == ConnectionUse::LongLived;
    let held = client.connection.effective().into_iter().filter(|_| long_lived);
    for option in client.section.effective().into_iter().chain(held) {
        if !option.value.is_null() {
            value[option.name] = option.value;
        }
    }
    let targets: Vec<Value> = client.target.iter().map(|target| target.value.clone()).collect();
    value["target"] = match targets.as_slice() {
        [] => json!("endpoint"),
        [one] => one.clone(),
        _ => Value::Array(targets),
    };
    value
}

fn fault(fault: &Fault) -> Value {
    let mut value = json!({ "at": fault.at.show() });
    value[fault.verb.name] = fault.value.clone();
    for option in fault.verb.options {
        if let Some(given) = fault.options.show(option) {
            value[option.name] = given;
        }
    }
    let laws: [(&str, Option<&Law>); 2] =
        [("for", fault.lasts.as_ref()), ("every", fault.every.as_ref())];
    for (name, law) in laws {
        if let Some(law) = law {
            value[name] = law.show();
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load::load_text;
    use proptest::prelude::*;

    /// Scenarios that use every section.
    const SAMPLES: [&str; 4] = [
        r#"{"apiVersion": "hasim/v1", "kind": "Scenario"}"#,
        include_str!("../../scenarios/stop-cp1.json"),
        include_str!("../../scenarios/isolated-etcd-leader-prevote-on.json"),
        r#"{"apiVersion": "hasim/v1", "kind": "Scenario", "versions": {"etcd": "3.4.13"},
            "cluster": {"topology": "external", "zones": ["a", "b"],
              "controlPlane": {"kubeScheduler": {"leaderElection": {"leaseDuration": "20s"}}},
              "etcd": {"members": 5, "zones": ["a", "b", "b"]}, "workers": {"replicas": 2},
              "endpoint": {"loadBalancers": {"keepalived": {"priority": [110, 90]}}},
              "network": {"betweenZones": {"latency": "1ms"}, "loss": "1%"},
              "overrides": {"cp2/kube-scheduler": {"leaderElection": {"renewDeadline": "8s"}}}},
            "reliability": {"preset": "field", "crews": [{"for": ["machines.etcd"], "count": 2}],
              "processes": {"haproxy": {"perYear": 2, "repair": "10s"}},
              "racks": [{"name": "r1", "machines": ["cp1"], "perYear": 0.1, "repair": "1h", "effect": "overlay"}],
              "shocks": [{"stops": "etcd", "perYear": 0.1, "repair": "1m"}],
              "overrides": {"cp2": {"failure": {"erlang": {"stages": 2, "mean": "900h"}}, "repair": "4h"}}},
            "timings": {"preset": "ideal", "etcd.election": {"exponential": {"mean": "1.5s"}}, "lb.fall": "instantaneous"},
            "informers": [{"name": "agents", "processes": 7, "priorityLevel": "system", "every": "3s"}],
            "faults": [{"at": {"uniform": ["1s", "2s"]}, "lossyLink": ["cp1", ["cp2", "zone b"]],
              "loss": 0.1, "for": "10s"}]}"#,
    ];

    /// Law: what is in force, written out, is the same scenario.
    #[test]
    fn the_effective_scenario_is_the_same_scenario() {
        for sample in SAMPLES {
            let loaded = load_text("x", sample);
            let text = text(&loaded.subject.expect("a scenario"));
            let again = load_text("x.yaml", &text);
            let wrong: Vec<_> = again.diagnostics.iter().collect();
            assert!(!again.diagnostics.has_errors(), "{text}\n{wrong:#?}");
            let (plan, same) = (loaded.plan.expect("a plan"), again.plan.expect("a plan"));
            assert_eq!(format!("{plan:?}"), format!("{same:?}"), "{text}");
        }
    }

    proptest! {
        /// Law: a key reads back, whatever it is.
        #[test]
        fn keys_read_back(name in "\\PC{1,12}") {
            let source = crate::scenario::source::Source::new("x.yaml", format!("{}: 1\n", key(&name)));
            let (document, _) = crate::scenario::document::Document::parse(&source);
            let root = document.expect("a document").root;
            prop_assert!(root.entry(&name).is_some(), "{}", key(&name));
        }
    }
}
