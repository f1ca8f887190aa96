//! Procedures that change the membership of etcd: growth and replacement.
//!
//! Both ask the cluster for one change at a time, again and again while it is refused, and wait for what
//! `etcdctl member list` shows before they go on. Done in the wrong order, or with a vote given too
//! early, they show what etcd's documentation warns of.

use super::option::{OptionSort, Options, VerbOption};
use super::rolling::PATIENCE;
use super::{Act, Given, Verb, Whom};
use crate::component::id::Kind;
use crate::component::lever::Lever;
use crate::component::members::MemberChange;
use crate::kernel::time::Duration;
use crate::plan::rolling::{Order, Part, Rolling, Sight, Standing, Step};
use crate::plan::schedule::Action;

/// kubeadm adds learners since 1.29 (feature gate `EtcdLearnerMode`, alpha in 1.27).
const JOINS_AS: VerbOption = VerbOption {
    name: "as",
    doc: "How a member joins: as a `learner`, which gets its vote once it has caught up (kubeadm since 1.29), or as a `voter` at once (before that): the quorum then grows before the member runs.",
    sort: OptionSort::Words(&["learner", "voter"]),
};

/// kubeadm: the secret `kubeadm-certs` lives for two hours, a bootstrap token for a day.
const KEY_LIVES: Duration = Duration::from_hours(2);
const TOKEN_LIVES: Duration = Duration::from_hours(24);

/// What a join of a control-plane machine needs.
const JOIN: [VerbOption; 3] = [
    VerbOption {
        name: "preparation",
        doc: "How long the operator works on each machine before it joins.",
        sort: OptionSort::SpanOr(Duration::ZERO),
    },
    VerbOption {
        name: "certificateKeyAge",
        doc: "How old the certificate key is when the procedure begins: two hours after `kubeadm init --upload-certs` no control-plane machine can join with it.",
        sort: OptionSort::SpanOr(Duration::ZERO),
    },
    VerbOption {
        name: "tokenAge",
        doc: "How old the bootstrap token is when the procedure begins: it is good for 24 h.",
        sort: OptionSort::SpanOr(Duration::ZERO),
    },
];

const ETCD: Part = Part::Process(Kind::Etcd);

/// The rest of a control-plane machine, as `kubeadm join` starts it.
pub const BESIDE: [Kind; 5] =
    [Kind::ApiServer, Kind::ControllerManager, Kind::Scheduler, Kind::KubeVip, Kind::Kubelet];

/// Growth.
pub(super) const GROWTH: Verb = Verb {
    name: "growth",
    doc: "Adds one etcd member after the other to the cluster: `member add`, a start with an empty directory, and the vote once it has caught up; on a control-plane machine then the rest of it, and it is given up when certificate key or token have expired. The members are those beyond `initialMembers`, or such as were removed.",
    whom: Whom::Processes(&[Kind::Etcd]),
    ends: false,
    repairs: &[],
    options: &[JOINS_AS, JOIN[0], JOIN[1], JOIN[2], PATIENCE],
    act: |given| {
        let options = &given.options;
        let left = |lives: Duration, age| lives.saturating_sub(options.span(age));
        let fresh = left(KEY_LIVES, "certificateKeyAge").min(left(TOKEN_LIVES, "tokenAge"));
        let mut steps = vec![
            Step::Pass(options.span("preparation")),
            Step::Wait { until: Sight::Within(fresh), patience: Duration::ZERO },
        ];
        steps.extend(join(options));
        roll(given, vec![steps])
    },
};

/// Replacement.
pub(super) const REPLACE_MEMBER: Verb = Verb {
    name: "replaceMember",
    doc: "Replaces an etcd member: `[old, new]`, or one member that comes back with an empty directory. The old one is removed and the new one added, in this order unless `order` says otherwise; each change waits until etcd accepts it.",
    whom: Whom::Succession,
    ends: false,
    repairs: &[],
    options: &[
        VerbOption {
            name: "order",
            doc: "`remove first`, as etcd's documentation asks for, or `add first`: then the dead member counts until it is removed.",
            sort: OptionSort::Words(&["remove first", "add first"]),
        },
        JOINS_AS,
        PATIENCE,
    ],
    act: |given| {
        let mut targets = given.targets.clone();
        if targets.len() == 1 {
            targets.extend_from_within(..);
        }
        let mut turns = vec![leave(&given.options), join(&given.options)];
        if given.options.word("order") == "add first" {
            targets.reverse();
            turns.reverse();
        }
        roll(&Given { targets, ..given.clone() }, turns)
    },
};

/// The steps that make a target's etcd a member, and start it.
fn join(options: &Options) -> Vec<Step> {
    let patience = options.span("patience");
    let learns = options.word("as") == "learner";
    let ask = |says, change, standing| Step::Ask {
        says,
        change,
        until: Sight::Member(standing),
        patience,
    };
    let start = |part| Step::Do { says: "start", part, action: Action::Start };
    let mut steps = vec![
        Step::Wait { until: Sight::Quorum, patience },
        if learns {
            ask("add as learner", MemberChange::AddLearner, Standing::Learner)
        } else {
            ask("add as voter", MemberChange::AddVoter, Standing::Voter)
        },
        Step::Do { says: "empty", part: ETCD, action: Action::Lever(Lever::WipeData) },
        start(ETCD),
        Step::Wait { until: Sight::Healthy(ETCD), patience },
    ];
    if learns {
        steps.push(ask("promote", MemberChange::Promote, Standing::Voter));
    }
    steps.extend(BESIDE.map(|kind| start(Part::Process(kind))));
    steps.push(Step::Wait { until: Sight::Healthy(Part::Whole), patience });
    steps
}

/// The steps that take a target's etcd out of the cluster, and end it if it still runs.
fn leave(options: &Options) -> Vec<Step> {
    let patience = options.span("patience");
    let gone = Sight::Member(Standing::Out);
    vec![
        Step::Wait { until: Sight::Quorum, patience },
        Step::Ask { says: "remove", change: MemberChange::Remove, until: gone, patience },
        Step::Do { says: "stop", part: ETCD, action: Action::Lever(Lever::Stop) },
        Step::Wait { until: Sight::Stopped(ETCD), patience },
    ]
}

fn roll(given: &Given, turns: Vec<Vec<Step>>) -> Act {
    let rolling = Rolling { order: Order::AsListed, turns };
    Act::lasting(Action::Roll(rolling), given.targets.clone())
}
