//! Snapshots of etcd, and what brings a cluster back that has lost its quorum for good.
//!
//! A restore makes a new cluster of the last snapshot: what was written since is lost. The other way,
//! `--force-new-cluster`, keeps what one survivor has. Absent on purpose: the contents, which go back
//! in time (watches and caches with newer revisions), and who restarts API servers for it.

use super::option::{OptionSort, VerbOption};
use super::rolling::PATIENCE;
use super::{Act, Verb, Whom};
use crate::component::id::Kind;
use crate::component::lever::Lever;
use crate::kernel::time::Duration;
use crate::plan::rolling::{Order, Part, Rolling, Sight, Step};
use crate::plan::schedule::Action;

const ETCD: Part = Part::Process(Kind::Etcd);
const MEMBERS: Whom = Whom::Processes(&[Kind::Etcd]);

/// A snapshot.
pub(super) const SNAPSHOT: Verb = Verb {
    name: "snapshot",
    doc: "Saves a snapshot of the etcd member's store (`etcdctl snapshot save`), if it serves; the last one is what `restore` takes. `every` makes it a schedule.",
    whom: MEMBERS,
    ends: false,
    repairs: &[],
    options: &[],
    act: |given| Act::lasting(Action::Snapshot, given.targets.clone()),
};

/// A restore.
pub(super) const RESTORE: Verb = Verb {
    name: "restore",
    doc: "Makes a new cluster of the last snapshot: ends these etcd members, fetches the snapshot, restores each one's directory from it (`etcdutl snapshot restore`) and starts them. They are the members that the cluster began with; what was written after the snapshot is lost. Without a snapshot it is given up.",
    whom: MEMBERS,
    ends: false,
    repairs: &[],
    options: &[
        VerbOption {
            name: "fetch",
            doc: "How long it takes to fetch the snapshot and to restore it on every machine, from its size over the speed of network and disk; estimate: 5 min.",
            sort: OptionSort::SpanOr(Duration::from_secs(300)),
        },
        PATIENCE,
    ],
    act: |given| {
        let patience = given.options.span("patience");
        let targets = &given.targets;
        let mut turns = vec![end(patience); targets.len()];
        for at in 0..targets.len() {
            let mut steps = Vec::new();
            if at == 0 {
                steps.push(Step::Wait { until: Sight::Snapshot, patience });
                steps.push(Step::Pass(given.options.span("fetch")));
            }
            steps.push(Step::Do { says: "restore", part: ETCD, action: Action::Restore });
            steps.push(Step::Do { says: "start", part: ETCD, action: Action::Start });
            turns.push(steps);
        }
        turns.push(vec![Step::Wait { until: Sight::Healthy(ETCD), patience }]);
        roll([targets.as_slice(); 3].concat(), turns)
    },
};

/// A new cluster of one survivor.
pub(super) const FORCE_NEW_CLUSTER: Verb = Verb {
    name: "forceNewCluster",
    doc: "Starts one etcd member with `--force-new-cluster`: it drops all others and leads alone with what it has. `growth` adds the others again. They must not run any more.",
    whom: Whom::Member,
    ends: false,
    repairs: &[],
    options: &[PATIENCE],
    act: |given| {
        let patience = given.options.span("patience");
        let mut steps = end(patience);
        let force = Action::Lever(Lever::ForceNewCluster);
        steps.push(Step::Do { says: "force a new cluster of", part: ETCD, action: force });
        steps.push(Step::Do { says: "start", part: ETCD, action: Action::Start });
        steps.push(Step::Wait { until: Sight::Healthy(ETCD), patience });
        roll(given.targets.clone(), vec![steps])
    },
};

/// The steps that end a member.
fn end(patience: Duration) -> Vec<Step> {
    vec![
        Step::Do { says: "stop", part: ETCD, action: Action::Lever(Lever::Stop) },
        Step::Wait { until: Sight::Stopped(ETCD), patience },
    ]
}

fn roll(targets: Vec<crate::plan::schedule::Target>, turns: Vec<Vec<Step>>) -> Act {
    Act::lasting(Action::Roll(Rolling { order: Order::AsListed, turns }), targets)
}
