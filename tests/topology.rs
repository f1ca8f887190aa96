//! The graph of a cluster: what it draws, and what it says of the loss of parts.

use hasim::plan::Plan;
use hasim::plan::topology::{Part, Topology};
use hasim::scenario::load::load_text;

fn plan(cluster: &str) -> Plan {
    let text = format!(r#"{{"apiVersion": "hasim/v1", "kind": "Scenario", "cluster": {cluster}}}"#);
    load_text("x.json", &text).plan.expect("a plan")
}

fn single_points(cluster: &str) -> Vec<String> {
    let plan = plan(cluster);
    let name = |part| match part {
        Part::Zone(id) => format!("zone {}", plan.map.zone(id)),
        Part::Machine(id) => plan.map.machine(id).name.clone(),
        Part::Process(id) => plan.map.name(id).to_owned(),
    };
    Topology::of(&plan).single_points_of_failure().into_iter().map(name).collect()
}

/// Law: three of everything in three zones have no single point of failure; a lone anything is one.
#[test]
fn single_points_of_failure_are_found() {
    let cases: [(&str, &[&str]); 5] = [
        (r#"{"zones": ["a", "b", "c"]}"#, &[]),
        (r#"{"zones": ["a"]}"#, &["zone a"]),
        (r#"{"zones": ["a", "b"], "controlPlane": {"zones": ["a", "b", "b"]}}"#, &["zone b"]),
        (
            r#"{"zones": ["a", "b", "c"], "endpoint": {"kind": "one-server"}}"#,
            &["zone a", "cp1", "cp1/etcd", "cp1/kube-apiserver"],
        ),
        (
            r#"{"topology": "external", "zones": ["a", "b", "c"], "etcd": {"members": 1}}"#,
            &["zone a", "etcd1", "etcd1/etcd"],
        ),
    ];
    for (cluster, expected) in cases {
        assert_eq!(single_points(cluster), expected, "{cluster}");
    }
}

/// Law: a cluster with n members serves writes without any minority of them, and without no majority.
#[test]
fn a_minority_of_members_may_fail() {
    for members in [1, 3, 5, 7] {
        let cluster = format!(
            r#"{{"topology": "external", "etcd": {{"members": {members}}}, "endpoint": {{"kind": "all-servers"}}}}"#
        );
        let plan = plan(&cluster);
        let topology = Topology::of(&plan);
        let parts: Vec<Part> = plan.services.members.iter().map(|id| Part::Process(*id)).collect();
        for failed in 0..=members {
            let serves = topology.serves_writes_without(&parts[..failed]);
            assert_eq!(serves, failed <= (members - 1) / 2, "{failed} of {members}");
        }
    }
}

/// Law: the drawing shows zones around machines around processes, and the way of a request.
#[test]
fn a_small_cluster_is_drawn() {
    let plan = plan(r#"{"controlPlane": {"replicas": 1}, "endpoint": {"kind": "one-server"}}"#);
    insta::assert_snapshot!(Topology::of(&plan).dot(&plan.map));
}
