//! The JSON Schema of scenarios, for editors: made from the same declarations that read them.

mod reliability;

use crate::component::param::ParamValue;
use crate::component::param::Params;
use crate::component::versions::Versions;
use crate::components::api_server::ApiServerParams;
use crate::components::client::ConnectionOptions;
use crate::components::controller_manager::ControllerManagerParams;
use crate::components::etcd::EtcdParams;
use crate::components::informers::InformerParams;
use crate::components::keepalived::KeepalivedParams;
use crate::components::kube_vip::KubeVipParams;
use crate::components::kubelet::KubeletParams;
use crate::components::load_balancer::{CloudParams, LoadBalancerParams, NginxParams};
use crate::components::scheduler::SchedulerParams;
use crate::fault::{VERBS, Verb, Whom};
use crate::kernel::law::Law;
use crate::plan::metric_names::METRICS;
use crate::plan::service::Service;
use crate::scenario::raw::client::ClientOptions;
use crate::scenario::raw::cluster::{
    BalancerOptions, ClusterOptions, ControlPlaneOptions, EndpointOptions, EtcdOptions,
    NetworkOptions, WorkerOptions, ZoneLinkOptions,
};
use crate::scenario::raw::kinds::LEADER_ELECTION;
use crate::scenario::raw::program::Inner;
use crate::scenario::raw::run::{LEADERS, Metadata, Run};
use crate::scenario::raw::workload::WorkloadOptions;
use crate::scenario::raw::{API_VERSION, FIELDS, KIND, expect, fault, versions};
use serde_json::{Map, Value, json};

/// The address of the schema's language.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

type Properties = Map<String, Value>;

/// The schema of a scenario file.
pub fn scenario() -> Value {
    let mut properties = Properties::new();
    for (name, doc) in FIELDS {
        let mut schema = match name {
            "$schema" => json!({ "type": "string" }),
            "apiVersion" => json!({ "const": API_VERSION }),
            "kind" => json!({ "const": KIND }),
            "metadata" => object(options::<Metadata>()),
            "versions" => object(texts(&versions::FIELDS)),
            "cluster" => cluster(),
            "workloads" => list(&named::<WorkloadOptions>()),
            "clients" => list(&client()),
            "informers" => list(&named::<InformerParams>()),
            "faults" => list(&one_fault()),
            "reliability" => reliability::section(),
            "timings" => reliability::timings(),
            "run" => run(),
            "expect" => list(&claim()),
            _ => json!({ "type": "object" }),
        };
        schema["description"] = doc.into();
        properties.insert(name.to_owned(), schema);
    }
    let mut schema = object(properties);
    schema["$schema"] = DIALECT.into();
    schema["title"] = "hasim scenario".into();
    schema["required"] = json!(["apiVersion", "kind"]);
    schema["$defs"] = json!({ "duration": duration(), "law": law(), "target": target() });
    schema
}

fn object(properties: Properties) -> Value {
    let properties = Value::Object(properties);
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn texts(fields: &[(&str, &str)]) -> Properties {
    let described = |(name, doc): &(&str, &str)| {
        ((*name).to_owned(), json!({ "type": "string", "description": doc }))
    };
    fields.iter().map(described).collect()
}

/// The options of a section, with their defaults in current releases.
fn options<P: Params>() -> Properties {
    let defaults = P::defaults(&Versions::default()).effective();
    let described = P::fields().into_iter().zip(defaults).map(|(field, default)| {
        let mut schema = (field.schema)();
        let source =
            format!("{}\n\nDefault: {} ({}).", field.doc.trim(), default.value, default.source);
        // A reference takes no keys beside it in older dialects, but does in this one.
        schema["description"] = source.into();
        schema["default"] = default.value;
        (field.name.to_owned(), schema)
    });
    described.collect()
}

fn program<P: Params>(inner: Option<Inner>) -> Value {
    let mut all = options::<P>();
    if let Some(inner) = inner {
        let within = inner.options.iter().filter_map(|name| all.shift_remove_entry(*name));
        let within: Properties = within.collect();
        all.insert(inner.name.to_owned(), object(within));
    }
    object(all)
}

fn with_zones<P: Params>() -> Properties {
    let mut all = options::<P>();
    let doc = "The zones of these machines, one for each in turn.";
    let schema = json!({ "type": "array", "items": { "type": "string" }, "description": doc });
    all.insert("zones".to_owned(), schema);
    all
}

fn cluster() -> Value {
    let mut control_plane = with_zones::<ControlPlaneOptions>();
    let mut put = |name: &str, schema| control_plane.insert(name.to_owned(), schema);
    put("kubeApiserver", program::<ApiServerParams>(None));
    put("kubeScheduler", program::<SchedulerParams>(Some(LEADER_ELECTION)));
    put("kubeControllerManager", program::<ControllerManagerParams>(Some(LEADER_ELECTION)));
    put("kubelet", program::<KubeletParams>(None));
    let mut etcd = with_zones::<EtcdOptions>();
    etcd.extend(options::<EtcdParams>());
    let mut balancers = with_zones::<BalancerOptions>();
    balancers.insert("haproxy".to_owned(), program::<LoadBalancerParams>(None));
    balancers.insert("nginx".to_owned(), program::<NginxParams>(None));
    balancers.insert("cloud".to_owned(), program::<CloudParams>(None));
    balancers.insert("keepalived".to_owned(), each(program::<KeepalivedParams>(None)));
    let mut endpoint = options::<EndpointOptions>();
    endpoint.insert("loadBalancers".to_owned(), object(balancers));
    endpoint.insert("kubeVip".to_owned(), program::<KubeVipParams>(None));
    let mut workers = with_zones::<WorkerOptions>();
    workers.insert("kubelet".to_owned(), program::<KubeletParams>(None));
    let mut network = options::<NetworkOptions>();
    network.insert("betweenZones".to_owned(), object(options::<ZoneLinkOptions>()));
    let mut all = with_zones::<ClusterOptions>();
    for (name, properties) in [
        ("controlPlane", control_plane),
        ("etcd", etcd),
        ("endpoint", endpoint),
        ("workers", workers),
        ("network", network),
    ] {
        all.insert(name.to_owned(), object(properties));
    }
    let doc = "Machines that share a rack, a switch or a hypervisor, by name: faults call them `group NAME`.";
    let machines = json!({ "type": "array", "items": { "type": "string" } });
    let groups = json!({ "type": "object", "description": doc, "additionalProperties": machines });
    all.insert("groups".to_owned(), groups);
    let doc = "What single processes have instead, by name: `cp1/etcd`.";
    let overrides = json!({
        "type": "object", "description": doc, "additionalProperties": { "type": "object" }
    });
    all.insert("overrides".to_owned(), overrides);
    object(all)
}

/// Every option may be a list instead: one value for each instance.
fn each(mut section: Value) -> Value {
    if let Some(properties) = section["properties"].as_object_mut() {
        for schema in properties.values_mut() {
            let description = schema["description"].clone();
            let one = schema.take();
            *schema = json!({ "anyOf": [one, { "type": "array" }], "description": description });
        }
    }
    section
}

fn client() -> Value {
    let mut all = options::<ClientOptions>();
    all.extend(options::<ConnectionOptions>());
    all.insert("name".to_owned(), json!({ "type": "string" }));
    let doc =
        "`endpoint` (the default), `etcd`, `kube-apiserver`, or processes such as `cp1/etcd`.";
    all.insert("target".to_owned(), one_or_many(&json!({ "type": "string" }), doc));
    let mut schema = object(all);
    schema["required"] = json!(["name"]);
    schema
}

/// Options beside a name.
fn named<P: Params>() -> Value {
    let mut all = options::<P>();
    all.insert("name".to_owned(), json!({ "type": "string" }));
    let mut schema = object(all);
    schema["required"] = json!(["name"]);
    schema
}

fn one_or_many(one: &Value, doc: &str) -> Value {
    let many = list(one);
    json!({ "anyOf": [one, many], "description": doc })
}

fn one_fault() -> Value {
    let mut all = Properties::new();
    for (name, doc) in fault::FIELDS {
        let law = json!({ "$ref": "#/$defs/law" });
        let mut schema = if name == "note" { json!({ "type": "string" }) } else { law };
        schema["description"] = doc.into();
        all.insert(name.to_owned(), schema);
    }
    for verb in VERBS {
        all.insert(verb.name.to_owned(), verb_value(verb));
        for option in verb.options {
            let mut schema = option.sort.schema();
            schema["description"] = format!("Beside `{}`. {}", verb.name, option.doc).into();
            all.insert(option.name.to_owned(), schema);
        }
    }
    let mut schema = object(all);
    schema["required"] = json!(["at"]);
    schema["oneOf"] = VERBS.iter().map(|verb| json!({ "required": [verb.name] })).collect();
    schema
}

fn verb_value(verb: &Verb) -> Value {
    let side = one_or_many(&json!({ "$ref": "#/$defs/target" }), verb.doc);
    match verb.whom {
        Whom::Processes(_) | Whom::Machines | Whom::Zones => side,
        Whom::Member => json!({ "$ref": "#/$defs/target", "description": verb.doc }),
        Whom::Succession => {
            let target = json!({ "$ref": "#/$defs/target" });
            let pair = json!({ "type": "array", "items": target, "minItems": 1, "maxItems": 2 });
            json!({ "oneOf": [target, pair], "description": verb.doc })
        }
        Whom::TwoSides => {
            json!({ "type": "array", "prefixItems": [side, side], "minItems": 2, "maxItems": 2, "description": verb.doc })
        }
        Whom::FromTo => {
            let mut schema = object(Properties::from_iter([
                ("from".to_owned(), side.clone()),
                ("to".to_owned(), side),
            ]));
            schema["description"] = verb.doc.into();
            schema
        }
        Whom::Earlier => json!({ "description": verb.doc }),
    }
}

fn run() -> Value {
    let mut all = options::<Run>();
    all.insert("leaders".to_owned(), object(texts(&LEADERS)));
    object(all)
}

fn claim() -> Value {
    let mut all = texts(&expect::SUBJECTS);
    all["service"]["enum"] = Service::ALL.map(Service::name).as_slice().into();
    all["metric"]["enum"] = METRICS.map(|(name, _)| name).as_slice().into();
    all["leader"]["enum"] = LEADERS.map(|(name, _)| name).as_slice().into();
    all["invariant"]["enum"] = expect::INVARIANTS.map(|(name, _)| name).as_slice().into();
    let bound = json!({ "anyOf": [{ "$ref": "#/$defs/duration" }, { "type": "integer" }] });
    let limit = json!({ "atLeast": bound, "atMost": bound });
    for (name, doc) in expect::SERVICE_FIELDS {
        let mut schema = match name {
            "upAtEnd" => json!({ "type": "boolean" }),
            _ => json!({ "type": "object", "additionalProperties": false, "properties": limit }),
        };
        schema["description"] = doc.into();
        all.insert(name.to_owned(), schema);
    }
    all.insert("atLeast".to_owned(), bound.clone());
    all.insert("atMost".to_owned(), bound);
    all.insert("absent".to_owned(), json!({ "const": true }));
    all.insert("is".to_owned(), json!({ "type": ["string", "null"] }));
    let mut schema = object(all);
    schema["oneOf"] =
        expect::SUBJECTS.iter().map(|(name, _)| json!({ "required": [name] })).collect();
    schema
}

fn duration() -> Value {
    json!({
        "type": "string",
        "pattern": "^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$",
        "description": "As Go and Kubernetes write it: \"100ms\", \"15s\", \"1h30m\"."
    })
}

fn law() -> Value {
    let laws = [
        "uniform",
        "exponential",
        "weibull",
        "lognormal",
        "gamma",
        "erlang",
        "hyperexponential",
        "empirical",
    ];
    let named: Properties = laws.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
    let mut law = object(named);
    law["minProperties"] = 1.into();
    law["maxProperties"] = 1.into();
    debug_assert_eq!(Law::schema(), json!({ "$ref": "#/$defs/law" }));
    json!({ "anyOf": [{ "$ref": "#/$defs/duration" }, law] })
}

fn target() -> Value {
    json!({
        "anyOf": [
            { "type": "string" },
            { "type": "object", "required": ["random"], "additionalProperties": false,
              "properties": { "random": { "type": ["string", "array"] } } }
        ],
        "description": "A machine (cp1), a process (cp1/etcd), a role (leader of etcd, holder of vip, machine of leader of kube-scheduler), a program on a machine (kubelet on cp1), a zone (zone a), or {\"random\": …}."
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: every reference of the schema leads to a definition, and every field is described.
    #[test]
    fn the_schema_is_whole() {
        let schema = scenario();
        let text = schema.to_string();
        for reference in text.split("\"$ref\":\"#/$defs/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{name}");
        }
        for (name, _) in FIELDS {
            assert!(schema["properties"][name]["description"].is_string(), "{name}");
        }
        assert_eq!(
            schema["properties"]["cluster"]["properties"]["etcd"]["properties"]["election-timeout"]
                ["default"],
            "1s"
        );
    }
}
