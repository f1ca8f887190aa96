//! Laws of membership changes, and their laziness.

use super::testing::{Act, Lab, Setup, at, ms};
use super::twin_tests::{History, one, play};
use crate::component::fact::Resource;
use crate::component::fact::Role;
use crate::component::id::ComponentId;
use crate::component::lever::Lever;
use crate::component::mail::{Op, Outcome};
use crate::component::members::{MemberChange, Members};
use crate::component::record::Record;
use proptest::prelude::*;

fn id(i: usize) -> ComponentId {
    ComponentId(u16::try_from(i).unwrap())
}

fn change(change: MemberChange, member: usize) -> Act {
    Act::Lever(0, Lever::Membership(change, id(member)))
}

/// Three members, led by the first, and a fourth that waits.
fn spare() -> Setup {
    Setup { initial: 3, ..Setup::new(4, 6) }
}

fn members(lab: &Lab, i: usize) -> Members {
    lab.fact(i).unwrap().members.unwrap_or(Members::first(4))
}

fn noted(lab: &Lab, words: &'static str) -> bool {
    lab.records.iter().any(|(_, _, record)| *record == Record::Note(words))
}

/// Law: a learner gets the log but no vote; promoted when it has caught up, it votes by every
/// member's list. No election takes place.
#[test]
fn a_learner_catches_up_and_votes() {
    let mut lab = Lab::new(&spare());
    lab.act(at(10_000), change(MemberChange::AddLearner, 3));
    lab.act(at(10_100), Act::Start(3));
    lab.run_until(at(12_000));
    assert_eq!((members(&lab, 0).voters(), members(&lab, 0).learners()), (3, 1));
    let learner = lab.fact(3).unwrap();
    assert!(learner.serving && learner.lead == Some(id(0)) && members(&lab, 3).learns(3));
    lab.act(at(12_500), change(MemberChange::Promote, 3));
    lab.run_until(at(14_000));
    for i in 0..4 {
        assert_eq!(members(&lab, i).voters(), 4, "member {i}");
    }
    assert_eq!(lab.campaigns(), []);
}

/// Law: a learner that nobody leads does not campaign, and one that has not caught up is not promoted.
#[test]
fn a_learner_never_campaigns() {
    let mut lab = Lab::new(&spare());
    lab.act(at(10_000), change(MemberChange::AddLearner, 3));
    lab.act(at(10_050), change(MemberChange::Promote, 3));
    lab.act(at(10_100), Act::Start(3));
    for i in 0..3 {
        lab.act(at(13_000), Act::Lever(i, Lever::Kill));
    }
    lab.run_until(at(30_000));
    assert!(noted(&lab, "refuses to promote a learner that has not caught up"));
    assert_eq!(lab.campaigns(), []);
    assert_eq!(lab.fact(3).unwrap().role, Role::Follower);
}

/// Law: etcd refuses to add a member while a voter is away, or has not been back for five seconds.
#[test]
fn the_check_protects_the_quorum() {
    let mut lab = Lab::new(&spare());
    lab.act(at(10_000), Act::Lever(2, Lever::Kill));
    lab.act(at(11_000), change(MemberChange::AddVoter, 3));
    lab.act(at(12_000), Act::Start(2));
    lab.act(at(14_000), change(MemberChange::AddVoter, 3));
    lab.run_until(at(16_000));
    assert!(noted(&lab, "refuses a member: unhealthy cluster"));
    assert_eq!(members(&lab, 0).voters(), 3);
    lab.act(at(18_000), change(MemberChange::AddVoter, 3));
    lab.run_until(at(18_100));
    assert_eq!(members(&lab, 0).voters(), 4);
}

/// Law: a voter that is added while one of three is away makes it three of four: nothing commits until
/// it runs, and the change itself was committed by two of three.
#[test]
fn a_fourth_voter_needs_three() {
    let mut setup = spare();
    setup.params.strict_reconfig_check = false;
    let mut lab = Lab::new(&setup);
    lab.act(at(10_000), Act::Lever(2, Lever::Kill));
    lab.act(at(11_000), change(MemberChange::AddVoter, 3));
    lab.act(at(11_500), Act::Call(0, 1, Op::Write(Resource::Objects)));
    lab.run_until(at(12_000));
    assert_eq!(members(&lab, 0).voters(), 4);
    assert_eq!(lab.replies, []);
    lab.act(at(12_000), Act::Start(3));
    lab.run_until(at(25_000));
    let late = lab.replies.iter().find(|(_, id, _)| *id == 1).unwrap();
    assert!(late.0 > at(12_000), "answered before the fourth ran");
    lab.act(at(26_000), Act::Call(lab.leader().unwrap(), 2, Op::Write(Resource::Objects)));
    lab.run_until(at(27_000));
    assert!(lab.replies.iter().any(|(_, id, outcome)| (*id, *outcome) == (2, Outcome::Done)));
}

/// Law: a leader that removes itself goes on for a second, ends, and the others elect; started again it
/// finds itself removed.
#[test]
fn a_removed_leader_ends() {
    let mut lab = Lab::new(&Setup::new(3, 6));
    lab.act(at(10_000), change(MemberChange::Remove, 0));
    lab.run_until(at(10_900));
    assert_eq!(lab.leader(), Some(0));
    lab.run_until(at(14_000));
    let leader = lab.leader().unwrap();
    assert!(leader != 0 && lab.fact(leader).unwrap().settled);
    assert_eq!(members(&lab, leader).voters(), 2);
    lab.act(at(15_000), Act::Start(0));
    lab.run_until(at(40_000));
    assert_eq!(lab.fact(0), None);
    assert_eq!(lab.leader(), Some(leader));
}

/// Law: what a configuration has become is not lost with its leader, nor with a start.
#[test]
fn a_committed_change_survives_its_leader() {
    for seed in 0..30 {
        let mut lab = Lab::new(&Setup { seed, ..spare() });
        lab.act(at(10_000), change(MemberChange::AddVoter, 3));
        lab.act(at(10_100), Act::Start(3));
        lab.act(at(12_000), Act::Lever(0, Lever::Kill));
        lab.act(at(20_000), Act::Start(0));
        lab.run_until(at(30_000));
        for i in 0..4 {
            assert_eq!(members(&lab, i).voters(), 4, "member {i} at seed {seed}");
        }
    }
}

fn histories() -> impl Strategy<Value = History> {
    let changes = prop_oneof![
        Just(MemberChange::AddLearner),
        Just(MemberChange::AddVoter),
        Just(MemberChange::Promote),
        Just(MemberChange::Remove),
    ];
    let asked = (0..4usize, changes, 0..4usize)
        .prop_map(|(i, change, member)| Act::Lever(i, Lever::Membership(change, id(member))));
    let act = prop_oneof![1 => one(4), 2 => asked];
    let acts = proptest::collection::vec((1..6_000_000u64, act), 1..14);
    (any::<u64>(), any::<bool>(), acts).prop_map(|(seed, strict, acts)| {
        let mut setup = Setup { seed, delay: ms(1), ..spare() };
        setup.params.strict_reconfig_check = strict;
        History { setup, acts }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Law: laziness is unobservable where members come and go, and no two lead the same term.
    #[test]
    fn changing_members_lazily_is_unobservable(history in histories()) {
        let (lazy, _) = play(&history, false);
        let (eager, _) = play(&history, true);
        let differ = lazy.0.iter().zip(&eager.0).position(|(a, b)| a != b);
        prop_assert_eq!(differ.map(|i| (lazy.0[i], eager.0[i])), None);
        let mut leaders: Vec<(u64, usize)> = Vec::new();
        for (_, member, shown) in &lazy.0 {
            if let Some((Role::Leader, term, ..)) = shown {
                leaders.push((*term, *member));
            }
        }
        leaders.sort_unstable();
        leaders.dedup();
        let twice = leaders.windows(2).find(|pair| pair[0].0 == pair[1].0);
        prop_assert_eq!(twice, None);
    }
}
