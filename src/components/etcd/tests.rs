//! Members together: stories told step by step, and the invariants of raft.

use super::testing::{Act, Lab, Setup, at, ms};
use crate::component::fact::{Role, Resource};
use crate::component::lever::Lever;
use crate::component::mail::{Op, Outcome};

/// Law: an idle cluster costs nothing, however long it idles.
#[test]
fn an_idle_cluster_has_no_events() {
    let mut lab = Lab::new(&Setup::new(3, 6));
    lab.run_until(at(365 * 86_400_000));
    assert_eq!(lab.steps, 0);
    assert_eq!(lab.leader(), Some(0));
}

/// Law: a killed leader is replaced after 0.8 to 1.9 s, by one that can serve.
#[test]
fn a_killed_leader_is_replaced() {
    for seed in 0..50 {
        let mut lab = Lab::new(&Setup { seed, ..Setup::new(3, 6) });
        lab.act(at(5000), Act::Lever(0, Lever::Kill));
        lab.run_until(at(12_000));
        let first = lab.campaigns()[0].0;
        assert!(first >= at(5800) && first <= at(6900), "{first}");
        let leader = lab.leader().unwrap();
        assert!(leader != 0 && lab.fact(leader).unwrap().settled);
        assert_eq!(lab.fact(3 - leader).unwrap().lead.unwrap().index(), leader);
    }
}

/// Law: whoever is asked, a write and a quorum read are answered while a majority stands.
#[test]
fn requests_are_served_by_every_member() {
    let mut lab = Lab::new(&Setup::new(3, 6));
    for i in 0..3 {
        lab.act(at(1000), Act::Call(i, 10 + i as u64, Op::Write(Resource::Objects)));
        lab.act(at(2000), Act::Call(i, 20 + i as u64, Op::Read(Resource::Objects)));
        lab.act(at(3000), Act::Call(i, 30 + i as u64, Op::ReadCached));
    }
    lab.run_until(at(4000));
    assert_eq!(lab.replies.len(), 9);
    assert!(lab.replies.iter().all(|(_, _, outcome)| *outcome == Outcome::Done));
    let took = |id: u64| lab.replies.iter().find(|r| r.1 == id).unwrap().0;
    assert_eq!(took(10), at(1000) + ms(2), "at the leader: 0.5 ms, 1 ms sync, 0.5 ms");
    assert_eq!(took(30), at(3000));
    assert_eq!(lab.fact(0).unwrap().role, Role::Leader);
}
