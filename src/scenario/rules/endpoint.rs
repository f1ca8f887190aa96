//! Options of the endpoint that contradict its kind.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::param::ParamValue;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::cluster::{BalancerProgram, EndpointKind, Placement};
use crate::scenario::reader::listed;

const CODE: Code = Code::new(205);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "endpoint options that contradict each other",
        explanation: "What stands before the API servers follows from `kind`: `vip` has balancers with keepalived, `kube-vip` an address that leads straight to an API server, `one-balancer` one balancer, `one-server` the API server of one machine, `all-servers` nothing, `dns` a name with several addresses, `local-balancers` one balancer on each worker. Options of what is not there would be ignored silently.",
        bad: scenario!(r#""cluster": { "endpoint": { "kind": "one-server", "server": "cp9" } }"#),
        good: scenario!(r#""cluster": { "endpoint": { "kind": "one-server", "server": "cp2" } }"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    let mut problems = server(subject);
    let options = &cluster.balancers.params;
    let kind = cluster.endpoint.params.kind;
    problems.extend(names(subject));
    let balanced = cluster.has_balancers();
    if !balanced && cluster.balancers.gives_any() {
        let message = format!("there are no balancers when `kind` is `{}`", kind.show());
        let problem = Problem::error(CODE, cluster.balancers.path.clone(), message);
        problems.push(problem.help("leave `loadBalancers` out, or set `kind` to `vip`"));
    }
    problems.extend(programs(subject));
    let Some(replicas) = options.replicas else { return problems };
    let place = cluster.balancers.place("replicas");
    let machines = cluster.control_plane.params.replicas;
    if kind == EndpointKind::OneBalancer && replicas != 1 {
        let message = format!("`one-balancer` is one, not {replicas}");
        let problem = Problem::error(CODE, place.clone(), message);
        problems.push(problem.help("several balancers need an address that moves: `vip`"));
    }
    if options.placement == Placement::ControlPlane && replicas > machines {
        let message =
            format!("{replicas} balancers do not fit on {machines} control-plane machines");
        let problem = Problem::error(CODE, place, message);
        problems.push(problem.help(format!("at most {machines}, or `\"placement\": \"own\"`")));
    }
    problems
}

/// Options of programs that this kind of endpoint does not have.
fn programs(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    let (haproxy, keepalived) = (&cluster.kinds.haproxy, &cluster.kinds.keepalived);
    let kind = cluster.endpoint.params.kind;
    let (balanced, moves) = (cluster.has_balancers(), kind == EndpointKind::Vip);
    let program = cluster.balancers.params.program;
    let other = |this: BalancerProgram| !balanced || program != this;
    let (nginx, cloud) = (&cluster.kinds.nginx, &cluster.kinds.cloud);
    let kube_vip = &cluster.kinds.kube_vip;
    let elects = kind == EndpointKind::KubeVip;
    let sections = [
        ("HAProxy", haproxy.given && other(BalancerProgram::Haproxy), &haproxy.base.path),
        ("NGINX", nginx.given && other(BalancerProgram::Nginx), &nginx.base.path),
        ("balancer of a cloud", cloud.given && other(BalancerProgram::Cloud), &cloud.base.path),
        ("keepalived", keepalived.given && !moves, &keepalived.base.path),
        ("kube-vip", kube_vip.given && !elects, &kube_vip.base.path),
    ];
    let absent = sections.into_iter().filter(|(_, wrong, _)| *wrong);
    absent
        .map(|(name, _, path)| {
            let (message, help) = if name == "kube-vip" {
                let message = format!("there is no kube-vip when `kind` is `{}`", kind.show());
                (message, "leave its options out, or set `kind` to `kube-vip`")
            } else if balanced && name != "keepalived" {
                let program = program.show();
                let message = format!("there is no {name} when `program` is `{program}`");
                (message, "leave its options out, or set `program`")
            } else {
                let message = format!("there is no {name} when `kind` is `{}`", kind.show());
                (message, "leave its options out, or set `kind` to `vip`")
            };
            Problem::error(CODE, path.clone(), message).help(help)
        })
        .collect()
}

/// What only a DNS name has.
fn names(subject: &Subject) -> Vec<Problem> {
    let endpoint = &subject.scenario.cluster.endpoint;
    if endpoint.params.kind == EndpointKind::Dns {
        return Vec::new();
    }
    let options = ["addresses", "ttl"].into_iter().filter(|option| endpoint.gives(option));
    let options = options.map(|option| {
        let message = format!("`{option}` is for the kind `dns` alone");
        Problem::error(CODE, endpoint.place(option), message).help("leave it out")
    });
    let records = ["dropRecord", "addRecord"];
    let faults = subject.scenario.faults.iter();
    let faults = faults.filter(|fault| records.contains(&fault.verb.name)).map(|fault| {
        let message = format!("`{}` changes a DNS name, and there is none", fault.verb.name);
        Problem::error(CODE, fault.verb_path(), message)
            .help("set `cluster.endpoint.kind` to `dns`, or leave the fault out")
    });
    options.chain(faults).collect()
}

fn server(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    let endpoint = &cluster.endpoint;
    if !endpoint.gives("server") {
        return Vec::new();
    }
    let place = endpoint.place("server");
    if endpoint.params.kind != EndpointKind::OneServer {
        let message = "`server` is for the kind `one-server` alone";
        return vec![Problem::error(CODE, place, message).help("leave it out")];
    }
    let names = || {
        let machines = subject.layout.control_plane.iter();
        machines.map(|machine| subject.layout.map.machine(*machine).name.as_str())
    };
    let server = &endpoint.params.server;
    if names().any(|name| name == server) {
        return Vec::new();
    }
    let message = format!("there is no control-plane machine `{}`", server.escape_debug());
    let help = format!("the control-plane machines are {}", listed(names(), "and"));
    vec![Problem::error(CODE, place, message).help(help)]
}
