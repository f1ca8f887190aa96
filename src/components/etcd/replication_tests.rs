//! An append that a follower refuses is repaired, and what was acknowledged is kept.

use super::testing::{Act, Lab, Setup, at, ms};
use crate::component::fact::Resource;
use crate::component::lever::Lever;
use crate::component::mail::{Op, Outcome};
use crate::kernel::time::{Duration, Time};

/// Three members without other writers than those of a test, the first of them leads.
fn lab(seed: u64) -> Lab {
    Lab::new(&Setup { seed, ..Setup::new(3, 6) })
}

/// Asks a member for a write every 100 ms, which for the cluster are calls from this number on.
fn write(lab: &mut Lab, member: usize, from: u64, until: u64, first: u64) {
    for (call, when) in (first..).zip((from..until).step_by(100)) {
        lab.act(at(when), Act::Call(member, call, Op::Write(Resource::Objects)));
    }
}

/// The leader's committed entries: the term of each, by index.
fn committed(lab: &Lab) -> Vec<(u64, Option<u64>)> {
    let leader = &lab.members[lab.leader().expect("there is a leader")];
    (1..=leader.raft.commit).map(|index| (index, leader.hard.log.term_at(index))).collect()
}

/// All members hold the same log, and the entries that were committed before; and every call that was
/// answered "done" is among those applied.
fn agree(lab: &Lab, before: &[(u64, Option<u64>)]) {
    let leader = &lab.members[lab.leader().expect("there is a leader")];
    for (number, member) in lab.members.iter().enumerate() {
        assert_eq!(member.hard.log.last_index(), leader.hard.log.last_index(), "{number}");
        assert_eq!(member.hard.log.last_term(), leader.hard.log.last_term(), "{number}");
        assert!(member.raft.commit <= leader.raft.commit, "{number}");
        for (index, term) in before {
            let held = member.hard.log.term_at(*index);
            assert!(held == *term || held.is_none(), "{number}: {index} was of {term:?}: {held:?}");
        }
    }
    let last = before.last().expect("something was committed").0;
    assert!(leader.raft.commit >= last, "{} entries of {last} are left", leader.raft.commit);
}

fn done(lab: &Lab) -> usize {
    lab.replies.iter().filter(|(.., outcome)| *outcome == Outcome::Done).count()
}

const AFTER: Duration = ms(5000);

/// Law: a leader that was cut off with writes of its own refuses the appends of its successor, gives
/// those writes up and takes over what was acknowledged meanwhile.
#[test]
fn a_tail_that_nobody_shares_is_replaced() {
    for seed in 0..50 {
        let mut lab = lab(seed);
        for other in 1..3 {
            lab.act(at(3000), Act::Cut(0, other));
        }
        write(&mut lab, 0, 3100, 3600, 1);
        lab.run_until(at(8000));
        let heir = lab.leader().expect("a survivor leads");
        assert_ne!(heir, 0);
        assert_eq!(done(&lab), 0, "{seed}: a write is acknowledged by a leader alone");
        let mine = lab.members[0].hard.log.last_index();
        assert!(mine > lab.members[heir].raft.commit, "{seed}: the tail is longer");
        write(&mut lab, heir, 8000, 8300, 100);
        // Another election, so that the leader takes agreement up to entries that the old one lacks.
        lab.act(at(8500), Act::Lever(heir, Lever::Kill));
        lab.act(at(8600), Act::Start(heir));
        lab.run_until(at(14_000));
        assert_eq!(done(&lab), 3, "{seed}");
        let before = committed(&lab);
        for other in 1..3 {
            lab.act(at(14_000), Act::Heal(0, other, Duration::ZERO, false));
        }
        lab.run_until(at(14_000) + AFTER);
        assert!(lab.refused > 0, "{seed}: nothing was refused");
        agree(&lab, &before);
        assert_eq!(done(&lab), 3, "{seed}: what was given up is not acknowledged later");
    }
}

/// Law: a follower whose disk stood still while others wrote, and whose leader then changed, catches up.
#[test]
fn a_stalled_follower_catches_up() {
    for seed in 0..50 {
        let mut lab = lab(seed);
        lab.act(at(3000), Act::Lever(2, Lever::StallDisk));
        write(&mut lab, 0, 3100, 3600, 1);
        lab.act(at(5000), Act::Lever(0, Lever::Kill));
        lab.act(at(5100), Act::Start(0));
        lab.act(at(9000), Act::Lever(2, Lever::FreeDisk));
        lab.run_until(at(9000) + AFTER);
        assert_eq!(done(&lab), 5, "{seed}");
        let before = committed(&lab);
        let leader = lab.leader().expect("there is a leader");
        write(&mut lab, leader, 14_100, 14_400, 100);
        lab.run_until(at(20_000));
        assert_eq!(done(&lab), 8, "{seed}");
        agree(&lab, &before);
    }
}

/// Law: a follower that comes back with an empty log under a leader that never knew it refuses the
/// first append and gets the whole log; what was acknowledged without it is kept.
#[test]
fn a_wiped_follower_gets_everything() {
    let mut refused = 0;
    for seed in 0..50 {
        let mut lab = lab(seed);
        lab.act(at(3000), Act::Lever(2, Lever::Kill));
        lab.act(at(3010), Act::Lever(2, Lever::WipeData));
        write(&mut lab, 0, 3100, 3600, 1);
        // Its successor has heard nothing of the wiped member yet.
        lab.act(at(4000), Act::Lever(0, Lever::Kill));
        lab.act(at(4100), Act::Start(0));
        lab.act(at(12_000), Act::Start(2));
        lab.run_until(at(11_900));
        let before = committed(&lab);
        assert_eq!(done(&lab), 5, "{seed}");
        lab.run_until(at(12_000) + AFTER);
        assert_eq!(lab.members[2].hard.log.last_index(), lab.members[0].hard.log.last_index());
        agree(&lab, &before);
        refused += lab.refused;
        let leader = lab.leader().expect("there is a leader");
        write(&mut lab, leader, 17_100, 17_400, 100);
        // The wiped member's vote counts again.
        lab.act(at(17_050), Act::Lever(1 - leader.min(1), Lever::Kill));
        lab.run_until(Time::at(ms(25_000)));
        assert_eq!(done(&lab), 8, "{seed}");
    }
    assert!(refused >= 50, "each of them refuses once at least: {refused}");
}
