//! Procedures that take one machine or process after another: upgrade, reboot, restart.
//!
//! Each waits until what it touched is healthy before it goes on, as the tools do; told to wait for
//! nothing, it shows why they wait.

use super::option::{OptionSort, Options, VerbOption};
use super::{Act, Given, Verb, Whom};
use crate::component::id::Kind;
use crate::component::lever::Lever;
use crate::kernel::time::Duration;
use crate::plan::rolling::{Order, Part, Rolling, Sight, Step};
use crate::plan::schedule::Action;

const ORDERS: [(&str, Order); 3] = [
    ("as listed", Order::AsListed),
    ("leader first", Order::LeaderFirst),
    ("leader last", Order::LeaderLast),
];

const ORDER: VerbOption = VerbOption {
    name: "order",
    doc: "Whose turn is when: `as listed`, or the machine of the etcd leader of that moment `leader first` or `leader last`.",
    sort: OptionSort::Words(&["as listed", "leader first", "leader last"]),
};

const WAIT_FOR: VerbOption = VerbOption {
    name: "waitFor",
    doc: "`healthy`: the next one's turn comes when this one is well again. `nothing`: at once.",
    sort: OptionSort::Words(&["healthy", "nothing"]),
};

/// kubeadm waits 5 min for each component's new manifest to run.
pub(super) const PATIENCE: VerbOption = VerbOption {
    name: "patience",
    doc: "How long it waits for one thing to be well before it is given up, as kubeadm does after 5 min.",
    sort: OptionSort::SpanOr(Duration::from_secs(300)),
};

/// The kubelet watches the manifests' folder: about 1 s; its periodic look is every 20 s.
const NOTICE: VerbOption = VerbOption {
    name: "notice",
    doc: "How long until the kubelet has noticed a changed manifest: about 1 s when it watches the folder, up to 20 s when it only looks now and then (fileCheckFrequency).",
    sort: OptionSort::SpanOr(Duration::from_secs(1)),
};

/// kubeadm's order of components on a node.
const COMPONENTS: [Kind; 4] =
    [Kind::Etcd, Kind::ApiServer, Kind::ControllerManager, Kind::Scheduler];

/// Rolling upgrade.
pub(super) const UPGRADE: Verb = Verb {
    name: "upgrade",
    doc: "`kubeadm upgrade` on one machine after the other: etcd, kube-apiserver, kube-controller-manager and kube-scheduler get new manifests and restart in this order, each waited for; then the kubelet. Images are there already.",
    whom: Whom::Machines,
    ends: false,
    repairs: &[],
    options: &[ORDER, NOTICE, PATIENCE],
    act: |given| {
        let (notice, patience) = (given.options.span("notice"), given.options.span("patience"));
        let component = |kind| {
            let part = Part::Process(kind);
            [
                Step::Pass(notice),
                Step::Do { says: "restart", part, action: Action::Restart },
                Step::Wait { until: Sight::Healthy(part), patience },
            ]
        };
        let mut steps: Vec<Step> = COMPONENTS.into_iter().flat_map(component).collect();
        let part = Part::Process(Kind::Kubelet);
        steps.push(Step::Do { says: "restart", part, action: Action::Restart });
        steps.push(Step::Wait { until: Sight::Healthy(Part::Whole), patience });
        roll(given, steps)
    },
};

/// Rolling reboot.
pub(super) const REBOOT: Verb = Verb {
    name: "reboot",
    doc: "Reboots one machine after the other: SIGTERM to its processes, power off and on, and a look whether all of it is well again.",
    whom: Whom::Machines,
    ends: false,
    repairs: &[],
    options: &[ORDER, WAIT_FOR, PATIENCE],
    act: |given| {
        let patience = given.options.span("patience");
        let whole = |says, action| Step::Do { says, part: Part::Whole, action };
        let mut steps = vec![
            whole("shut down", Action::Lever(Lever::Stop)),
            Step::Wait { until: Sight::Stopped(Part::Whole), patience },
            whole("power off", Action::Power(false)),
            whole("power on", Action::Power(true)),
        ];
        steps.extend(wait(&given.options, patience));
        roll(given, steps)
    },
};

/// Rolling restart of processes.
pub(super) const ROLLING_RESTART: Verb = Verb {
    name: "rollingRestart",
    doc: "Restarts one process after the other: SIGTERM, a start as soon as it has ended, and a look whether it is well again.",
    whom: Whom::Processes(&[]),
    ends: false,
    repairs: &[],
    options: &[ORDER, WAIT_FOR, PATIENCE],
    act: |given| {
        let restart = Step::Do { says: "restart", part: Part::Whole, action: Action::Restart };
        let mut steps = vec![restart];
        steps.extend(wait(&given.options, given.options.span("patience")));
        roll(given, steps)
    },
};

fn wait(options: &Options, patience: Duration) -> Option<Step> {
    let until = Sight::Healthy(Part::Whole);
    (options.word("waitFor") == "healthy").then_some(Step::Wait { until, patience })
}

fn roll(given: &Given, steps: Vec<Step>) -> Act {
    let word = given.options.word("order");
    let order = ORDERS.iter().find(|(name, _)| *name == word).map(|(_, order)| *order);
    let rolling = Rolling { order: order.unwrap_or(Order::AsListed), turns: vec![steps] };
    Act::lasting(Action::Roll(rolling), given.targets.clone())
}
