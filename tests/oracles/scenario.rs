//! An oracle's parameters as a scenario: the table of `docs/oracles.md` as code.

use serde_json::{Map, Value, json};

/// The parts of a scenario that follow from an oracle's parameters.
pub(crate) fn of(parameters: &Value) -> Value {
    let p = Oracle(parameters);
    json!({ "cluster": p.cluster(), "reliability": p.reliability(), "timings": p.timings() })
}

struct Oracle<'a>(&'a Value);

/// A number with its unit; numbers are written in decimals, as the file has them.
fn span(number: &Value, unit: &str) -> String {
    let number = number.as_f64().expect("a number");
    format!("{number}{unit}")
}

fn exponential(number: &Value, unit: &str) -> Value {
    json!({ "exponential": { "mean": span(number, unit) } })
}

fn law(law: &Value) -> Value {
    let mean = || match (law.get("mean_s"), law.get("mean_h")) {
        (Some(mean), _) => span(mean, "s"),
        (_, Some(mean)) => span(mean, "h"),
        _ => panic!("{law} has no mean"),
    };
    match law["kind"].as_str() {
        Some("instantaneous") => json!("instantaneous"),
        Some("exponential") => json!({ "exponential": { "mean": mean() } }),
        Some("erlang") => json!({ "erlang": { "stages": law["stages"], "mean": mean() } }),
        Some("hyperexponential") => {
            let branches = law["branches"].as_array().expect("branches");
            let branches: Vec<Value> =
                branches.iter().map(|b| json!([b[0], span(&b[1], "h")])).collect();
            json!({ "hyperexponential": { "branches": branches } })
        }
        kind => panic!("unknown law {kind:?}"),
    }
}

fn zone(number: usize) -> String {
    char::from(b'a' + u8::try_from(number).expect("few zones")).to_string()
}

impl Oracle<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    fn balancers(&self) -> u64 {
        self.0["load_balancers"].as_u64().expect("a count")
    }

    /// One balancer needs an address only where taking it takes time.
    fn moves(&self) -> bool {
        let timed = |law: &Value| law["kind"] != "instantaneous";
        self.balancers() > 1 || self.balancers() == 1 && self.get("vip_failover").is_some_and(timed)
    }

    fn cluster(&self) -> Value {
        let mut cluster = json!({});
        let external = self.0["topology"] == "external";
        if external {
            cluster["topology"] = json!("external");
            cluster["etcd"] = json!({ "members": self.0["etcd_nodes"] });
        }
        let mut control_plane = json!({ "replicas": self.0["control_plane_nodes"] });
        if let Some(zones) = self.get("zones").and_then(Value::as_array) {
            let counts: Vec<usize> = zones
                .iter()
                .map(|n| n.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0))
                .collect();
            let names: Vec<String> = (0..counts.len()).map(zone).collect();
            let each = counts.iter().zip(&names);
            let each: Vec<&String> =
                each.flat_map(|(count, name)| std::iter::repeat_n(name, *count)).collect();
            control_plane = json!({ "zones": each, "replicas": each.len() });
            cluster["zones"] = json!(names);
        }
        let local = self.get("apiserver_uses_only_local_etcd") == Some(&json!(true));
        if !external && !local {
            control_plane["etcdServers"] = json!("all");
        }
        cluster["controlPlane"] = control_plane;
        cluster["endpoint"] = self.endpoint();
        cluster
    }

    fn endpoint(&self) -> Value {
        match self.balancers() {
            0 if self.get("lb_detection").is_some() => json!({ "kind": "one-balancer" }),
            0 => json!({ "kind": "all-servers" }),
            count => {
                let mut balancers = json!({});
                if self.moves() {
                    balancers["replicas"] = json!(count);
                }
                if let Some(zones) = self.get("lb_zones").and_then(Value::as_array) {
                    let names = zones
                        .iter()
                        .map(|n| n.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0));
                    balancers["zones"] = names.map(zone).collect();
                }
                let kind = if self.moves() { "vip" } else { "one-balancer" };
                if balancers == json!({}) {
                    return json!({ "kind": kind });
                }
                json!({ "kind": kind, "loadBalancers": balancers })
            }
        }
    }

    /// Failure and repair of a class: a law of their own, or two means.
    fn class(&self, name: &str) -> Option<Value> {
        let one = |law_key: &str, mean_key: &str| {
            let own = self.get(&format!("{name}_{law_key}")).map(law);
            own.or_else(|| Some(exponential(self.get(&format!("{name}_{mean_key}"))?, "h")))
        };
        let (failure, repair) = (one("failure", "mtbf_h")?, one("repair", "mttr_h")?);
        Some(json!({ "failure": failure, "repair": repair }))
    }

    fn reliability(&self) -> Value {
        let mut section = Map::new();
        let mut put = |name: &str, entries: Vec<(String, Value)>| {
            if !entries.is_empty() {
                section.insert(name.to_owned(), Value::Object(entries.into_iter().collect()));
            }
        };
        let named = |pairs: [(&str, &str); 3]| -> Vec<(String, Value)> {
            let found = pairs.iter().filter(|(key, _)| !key.is_empty());
            found.filter_map(|(key, name)| Some(((*name).to_owned(), self.class(key)?))).collect()
        };
        put(
            "machines",
            named([("node", "controlPlane"), ("etcd", "etcd"), ("lb", "loadBalancer")]),
        );
        put(
            "processes",
            named([("api_process", "kube-apiserver"), ("etcd_process", "etcd"), ("", "")]),
        );
        let own = [("nodes", "cp"), ("lbs", "lb")].into_iter().flat_map(|(key, prefix)| {
            let list = self.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
            list.into_iter().enumerate().map(move |(at, means)| {
                let laws = json!({
                    "failure": exponential(&means["mtbf_h"], "h"),
                    "repair": exponential(&means["mttr_h"], "h")
                });
                (format!("{prefix}{}", at + 1), laws)
            })
        });
        put("overrides", own.collect());
        if let Some(every) = self.get("api_shock_mtbf_h") {
            let repair = exponential(&self.0["api_process_mttr_h"], "h");
            let every = exponential(every, "h");
            let shock = json!({ "stops": "kube-apiserver", "every": every, "repair": repair });
            section.insert("shocks".to_owned(), json!([shock]));
        }
        if let Some(mut zones) = self.class("zone") {
            zones["effect"] = self.0["zone_outage"].clone();
            if let Some(boot) = self.get("zone_boot_mean_h") {
                zones["boot"] = exponential(boot, "h");
            }
            // Balancers without a zone of their own stand outside of the zones.
            let inside = self.balancers() == 0 || self.get("lb_zones").is_some();
            if !inside || self.get("lb_detection").is_some() {
                zones["for"] = json!(["machines.controlPlane"]);
            }
            section.insert("zones".to_owned(), zones);
        }
        if let Some(crew) = self.crew() {
            section.insert("crews".to_owned(), json!([crew]));
        }
        Value::Object(section)
    }

    fn crew(&self) -> Option<Value> {
        let number = self.get("node_repair_crews").filter(|crews| crews.is_number());
        if let Some(count) = number {
            return Some(json!({ "count": count, "for": ["machines.controlPlane"] }));
        }
        match self.get("repair_crews").and_then(Value::as_str).unwrap_or("unlimited") {
            "unlimited" => None,
            "1, FCFS" => {
                let mut classes = vec!["machines.controlPlane"];
                if self.0["topology"] == "external" {
                    classes.push("machines.etcd");
                }
                if self.balancers() > 0 {
                    classes.push("machines.loadBalancer");
                }
                Some(json!({ "count": 1, "for": classes }))
            }
            "one for nodes and load balancers together, FCFS" => Some(
                json!({ "count": 1, "for": ["machines.controlPlane", "machines.loadBalancer"] }),
            ),
            "one crew for control plane and etcd together, pre-emptive priority to etcd" => {
                Some(json!({
                    "count": 1, "order": "preemptive",
                    "for": ["machines.etcd", "machines.controlPlane"]
                }))
            }
            other => panic!("unknown crews {other}"),
        }
    }

    fn timings(&self) -> Value {
        let mut timings = json!({ "preset": "ideal" });
        let detection = |key: &str| self.get("lb_detection").map(|d| &d[key]);
        for (name, found) in [
            ("vip.takeover", self.get("vip_failover").filter(|_| self.moves())),
            ("lb.fall", detection("fall")),
            ("lb.rise", detection("rise")),
            ("etcd.election", self.get("etcd_election")),
            ("etcd.rejoin", self.get("etcd_rejoin")),
            ("controller_manager.takeover", self.get("controller_lease").map(|l| &l["takeover"])),
        ] {
            if let Some(found) = found {
                timings[name] = law(found);
            }
        }
        timings
    }
}
