//! Procedures that operators carry out on one thing after another, waiting for what they observe.
//!
//! Absent on purpose: carrying out (the world's operator), and how a procedure is written (`fault`).

use super::schedule::Action;
use crate::component::id::Kind;
use crate::component::members::MemberChange;
use crate::kernel::time::Duration;

/// One procedure: steps on each target in turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Rolling {
    /// Whose turn is when.
    pub order: Order,
    /// What is done to the first, the second and so on; the last of these to all further ones.
    pub turns: Vec<Vec<Step>>,
}

/// The order of the targets, fixed when the procedure begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As the scenario lists them.
    AsListed,
    /// The machine of the etcd leader first.
    LeaderFirst,
    /// The machine of the etcd leader last.
    LeaderLast,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Does something to the target or to a process on it; nothing where there is no such process.
    Do {
        /// In words, for the timeline.
        says: &'static str,
        /// To what.
        part: Part,
        /// What.
        action: Action,
    },
    /// Lets time pass.
    Pass(Duration),
    /// Waits until something is observed; when it takes longer, the procedure is given up.
    Wait {
        /// What.
        until: Sight,
        /// For how long at most.
        patience: Duration,
    },
    /// Asks etcd for a change of the target's membership, again and again until it is seen; when it
    /// takes longer than the patience, the procedure is given up.
    Ask {
        /// In words, for the timeline.
        says: &'static str,
        /// Which change.
        change: MemberChange,
        /// What shows that it has been made.
        until: Sight,
        /// For how long at most.
        patience: Duration,
    },
}

/// How long an operator's tool waits before it asks etcd again. kubeadm: 0.1 s, growing by half each
/// time; half a second stands for it.
pub const ASKS_AGAIN: Duration = Duration::from_millis(500);

/// What of a target is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The process of this kind on the target's machine.
    Process(Kind),
}

/// Something that an operator can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Every process meant is healthy: it runs, an etcd member knows a leader, an API server is
    /// ready, a kubelet's node is Ready.
    Healthy(Part),
    /// No process meant runs.
    Stopped(Part),
    /// etcd has a leader that a majority follows.
    Quorum,
    /// No more than this has passed since the procedure began, where the target is to become a
    /// control-plane machine: what its join needs has not expired.
    Within(Duration),
    /// A snapshot of etcd's store has been saved.
    Snapshot,
    /// etcd's leader has the target's member in its list like this.
    Member(Standing),
}

/// How a member stands in the list of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It votes.
    Voter,
    /// It learns.
    Learner,
    /// It is not there.
    Out,
}

/// What is said when a procedure is given up, before what it waited for.
pub const GIVES_UP: &str = "give up on";

/// How far a procedure has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has gone through all its targets.
    Done,
    /// It waited longer than its patience.
    GivenUp,
    /// Neither yet.
    UnderWay,
}
