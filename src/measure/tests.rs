//! Measures held against a failover whose every instant is known: cp1 loses power at 60 s.

use super::invariants::{self, Law};
use super::outage::Severity;
use super::testing::{Board, at, ms};
use crate::component::EventId;
use crate::component::fact::{
    Ability, ApiServerFact, EtcdFact, Fact, Holder, KubeletFact, LeaseFact, Renewals, Role,
    VrrpFact, VrrpState,
};
use crate::component::record::Record;
use crate::component::view::ProcessState;
use crate::kernel::cadence::Cadence;
use crate::plan::expect::{Claim, Expectation, Invariant, Limit};
use crate::plan::service::Service;

fn level(board: &mut Board, service: Service) -> String {
    let root = EventId::START;
    board.settle(root);
    let track = board.watch.history().track(service).unwrap();
    track.steps.last().unwrap().share.to_string()
}

/// Law: each service's outages and degradations are those of the path as it stood.
#[test]
fn outages_follow_the_path() {
    let findings = Board::power_off_cp1().findings();
    let found: Vec<String> = findings
        .services
        .iter()
        .flat_map(|record| &record.intervals)
        .map(|i| {
            let kind = if i.severity == Severity::Outage { "out" } else { "degraded" };
            format!("{} {kind} {} {}", i.service.name(), i.from, i.length.human())
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    api-read-cached degraded 60.000 10.7 s
    api-read out 60.000 1.2 s
    api-read degraded 61.202 9.5 s
    api-write out 60.000 1.2 s
    api-write degraded 61.202 9.5 s
    etcd-quorum out 60.000 1.2 s
    scheduling out 60.000 16.1 s
    reconciliation out 60.000 17.0 s
    ");
}

/// Law: the blame of an outage adds up to its length, age before the fault included.
#[test]
fn blame_of_the_scheduler() {
    let findings = Board::power_off_cp1().findings();
    let record = findings.service(Service::Scheduling).unwrap();
    let blame = record.outages().next().unwrap().blame.clone().unwrap();
    assert_eq!(blame.total(), i64::try_from(ms(16_100).as_nanos()).unwrap());
    assert_eq!(blame.largest_option().unwrap().0, "leaseDuration");
    assert!(findings.violations.is_empty(), "{:?}", findings.violations);
}

/// Law: metrics count from the fault to what they name.
#[test]
fn metrics_count_from_the_fault() {
    let findings = Board::power_off_cp1().findings();
    let found: Vec<String> =
        findings.metrics.iter().map(|r| format!("{} {:?}", r.metric.name, r.value)).collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    etcd.first_campaign Duration(1.2s)
    etcd.election Duration(1.202s)
    etcd.campaign_rounds Count(1)
    lb.mark_down Duration(10.7s)
    client.failed_requests Count(0)
    vip.dual_ownership Duration(0s)
    scheduler.failover Duration(16.1s)
    controller_manager.failover Duration(17s)
    scheduler.first_binding Duration(16.1s)
    controller_manager.first_action Duration(17s)
    api.write_failures Count(0)
    node.others_not_ready Count(0)
    ");
}

/// Law: a server in rotation that is gone costs its share of requests; one that refuses costs nothing
/// where the balancer redispatches.
#[test]
fn refused_servers_are_passed_over() {
    let mut board = Board::redispatching();
    let root = EventId::START;
    let server = board.id("cp1/kube-apiserver");
    board.set_process(server, ProcessState::Dead, root);
    assert_eq!(level(&mut board, Service::ApiReadCached), "1");
    let machine = board.machine("cp1");
    board.all.machines[machine.index()].powered = false;
    assert_eq!(level(&mut board, Service::ApiReadCached), "2/3");
    let second = board.id("cp2/kube-apiserver");
    board.set_process(second, ProcessState::Paused, root);
    assert_eq!(level(&mut board, Service::ApiReadCached), "1/3");
}

/// Law: reads from the cache need no etcd; quorum reads go through a share of the members.
#[test]
fn classes_are_told_apart() {
    let mut board = Board::settled();
    let root = EventId::START;
    for name in ["cp1/kube-apiserver", "cp2/kube-apiserver", "cp3/kube-apiserver"] {
        let id = board.id(name);
        let fact =
            ApiServerFact { write: Ability::Hangs, answered: 500_000, ..super::testing::serving() };
        board.set_fact(id, Fact::ApiServer(fact), root);
    }
    assert_eq!(level(&mut board, Service::ApiReadCached), "1");
    assert_eq!(level(&mut board, Service::ApiRead), "1/2");
    assert_eq!(level(&mut board, Service::ApiWrite), "0");
    assert_eq!(level(&mut board, Service::Scheduling), "0");
}

/// Law: quorum is a leader and a majority that follows it in its term.
#[test]
fn quorum_needs_a_majority_that_follows() {
    let mut board = Board::settled();
    let root = EventId::START;
    let (second, third) = (board.id("cp2/etcd"), board.id("cp3/etcd"));
    board.set_process(second, ProcessState::Dead, root);
    assert_eq!(level(&mut board, Service::EtcdQuorum), "1");
    board.set_process(third, ProcessState::Dead, root);
    assert_eq!(level(&mut board, Service::EtcdQuorum), "0");
}

/// Law: two holders of the address break the law that claims one, and without a cause another, which no
/// run may break; where one of them was killed there is a cause.
#[test]
fn two_holders_are_found() {
    let mut board = Board::settled();
    let root = EventId::START;
    board.now = at(5000);
    let second = board.id("lb2/keepalived");
    let fact = VrrpFact { state: VrrpState::Master, holds: true, ..VrrpFact::default() };
    board.set_fact(second, Fact::Vrrp(fact), root);
    board.plan.expect = vec![Expectation {
        path: "expect[0]".to_owned(),
        claim: Claim::Invariant(Invariant::OneVipHolder),
    }];
    let findings = board.findings();
    let laws: Vec<Law> = findings.violations.iter().map(|violation| violation.law).collect();
    assert_eq!(laws, [Law::OneVipHolder, Law::VipHolderWithoutCause]);
    insta::assert_snapshot!(findings.expectations[0], @r"
    one holder of the virtual address: expected kept, got broken at 5.000: lb1 and lb2 hold the address
    ");
}

/// Law: a second holder beside one that stands still has its cause.
#[test]
fn a_holder_that_stands_still_is_a_cause() {
    let mut board = Board::settled();
    let root = EventId::START;
    board.now = at(1000);
    let first = board.id("lb1/keepalived");
    board.set_process(first, ProcessState::Paused, root);
    board.now = at(5000);
    let second = board.id("lb2/keepalived");
    let fact = VrrpFact { state: VrrpState::Master, holds: true, ..VrrpFact::default() };
    board.set_fact(second, Fact::Vrrp(fact), root);
    let findings = board.findings();
    let laws: Vec<Law> = findings.violations.iter().map(|violation| violation.law).collect();
    assert_eq!(laws, [Law::OneVipHolder]);
}

/// Law: claims are judged against what came, whether they hold or not.
#[test]
fn claims_are_judged() {
    let mut board = Board::power_off_cp1();
    let none = Limit { at_least: Some(0), at_most: Some(0) };
    let limit = |low, high| Limit { at_least: low, at_most: high };
    let claims = [
        Claim::LongestOutage(Service::ApiWrite, limit(None, Some(ms(2000)))),
        Claim::LongestOutage(Service::ApiWrite, limit(None, Some(ms(1000)))),
        Claim::Outages(Service::Endpoint, none),
        Claim::Metric("scheduler.failover".to_owned(), limit(Some(ms(13_000)), Some(ms(24_000)))),
        Claim::Metric("lb.mark_up".to_owned(), limit(None, Some(ms(1)))),
        Claim::Absent("lb.mark_up".to_owned()),
        Claim::Leader("etcd".to_owned(), Some("cp2".to_owned())),
        Claim::Leader("kube-scheduler".to_owned(), Some("cp2".to_owned())),
        Claim::Node("cp1".to_owned(), false),
        Claim::UpAtEnd(Service::Scheduling, true),
    ];
    board.plan.expect = claims.map(|claim| Expectation { path: "expect".to_owned(), claim }).into();
    let verdicts = board.findings().expectations;
    let found: Vec<String> = verdicts.iter().map(|v| format!("{} {v}", v.passed)).collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    true longest outage of api-write: expected at most 2.0 s, got 1.2 s
    false longest outage of api-write: expected at most 1.0 s, got 1.2 s
    true outages of endpoint: expected exactly 0, got 0
    true scheduler.failover: expected 13.0 s to 24.0 s, got 16.1 s
    false lb.mark_up: expected at most 1.0 ms, got did not happen
    true lb.mark_up: expected did not happen, got did not happen
    true leader of etcd at the end: expected cp2, got cp2
    false leader of kube-scheduler at the end: expected cp2, got cp3
    false node cp1 at the end: expected NotReady, got Ready
    true scheduling at the end: expected up, got up
    ");
}

/// What a history breaks, as law and words.
fn broken(board: &Board) -> Vec<(Law, String)> {
    let found = board.findings().violations;
    found.into_iter().map(|violation| (violation.law, violation.what)).collect()
}

/// Elects a member with the runs of its log: term, first and last index.
fn elect(board: &mut Board, t: u64, name: &str, leads: u64, runs: &[(u64, u64, u64)]) {
    board.now = at(t);
    for (term, first, last) in runs.iter().copied() {
        board.record(name, Record::ElectedWith { leads, term, first, last }, EventId::START);
    }
    let id = board.id(name);
    let fact = EtcdFact { role: Role::Leader, term: leads, ..EtcdFact::default() };
    board.set_fact(id, Fact::Etcd(fact), EventId::START);
}

/// Law: a write is lost if a later leader has another entry in its place, or none; it is not if the
/// leader has it, if its log is compacted there, or if the leader came before; where data were wiped,
/// the loss is one of data, and told as such.
#[test]
fn lost_writes_are_found() {
    let lost = |runs: &[(u64, u64, u64)], wiped: bool| {
        let mut board = Board::settled();
        board.now = at(1000);
        board.record("cp1/etcd", Record::Acknowledged { term: 5, index: 1001 }, EventId::START);
        board.record("cp1/etcd", Record::Acknowledged { term: 5, index: 1005 }, EventId::START);
        if wiped {
            board.wipe(at(1500), "cp1/etcd");
        }
        elect(&mut board, 2000, "cp2/etcd", 6, runs);
        broken(&board)
    };
    assert_eq!(lost(&[(5, 1, 1005), (6, 1006, 1006)], false), []);
    assert_eq!(lost(&[(6, 1006, 1006)], false), [], "compacted");
    assert_eq!(lost(&[(5, 1, 1005), (6, 1006, 1006)], true), [], "wiped, and nothing lost");
    let what = "1 acknowledged write: cp2/etcd leads term 6".to_owned();
    assert_eq!(lost(&[(5, 1, 1004), (6, 1005, 1005)], true), [(Law::DataLost, what)], "wiped");
    // Two of them are the two Leases' renewals, which nobody simulates.
    let what = "4 acknowledged writes: cp2/etcd leads term 6 with an empty log".to_owned();
    assert_eq!(lost(&[(6, 1, 1)], true), [(Law::DataLost, what)], "everything");
    let what = "cp2/etcd leads term 6 without entry 1005 of term 5, which was acknowledged";
    let violation = [(Law::NoAcknowledgedWriteLost, what.to_owned())];
    assert_eq!(lost(&[(5, 1, 1004), (6, 1005, 1005)], false), violation, "too short a log");
    let longer = [(4, 1, 1000), (5, 1001, 1004), (6, 1005, 2000)];
    assert_eq!(lost(&longer, false), violation, "longer, but another entry in its place");
}

/// Law: steady writes are lost as simulated ones are: those from the instant on at which the new leader
/// was cut off from the old one, of whom wiped members had them.
#[test]
fn steady_writes_are_lost_too() {
    let lost = |wiped: bool| {
        let mut board = Board::settled();
        let kubelet = board.id("cp1/kubelet");
        let renewals = Renewals::Every(Cadence::new(at(0), ms(100)));
        board.set_fact(kubelet, Fact::Kubelet(KubeletFact { renewals }), EventId::START);
        board.now = at(1000);
        let member = board.id("cp2/etcd");
        let alone = EtcdFact { term: 5, ..EtcdFact::default() };
        board.set_fact(member, Fact::Etcd(alone), EventId::START);
        board.now = at(3000);
        let renewals = Renewals::Once(at(3000));
        board.set_fact(kubelet, Fact::Kubelet(KubeletFact { renewals }), EventId::START);
        if wiped {
            board.wipe(at(3500), "cp1/etcd");
            board.wipe(at(3500), "cp3/etcd");
        }
        elect(&mut board, 4000, "cp2/etcd", 6, &[(5, 1, 900), (6, 901, 901)]);
        broken(&board)
    };
    assert_eq!(lost(false), []);
    // Beside the kubelet's 20 two Leases are renewed every 2 s.
    let what = "24 acknowledged writes: cp2/etcd leads term 6".to_owned();
    assert_eq!(lost(true), [(Law::DataLost, what)]);
}

/// Law: a wiped disk excuses only the loss of what was acknowledged before its member started anew, and
/// the loss is told once.
#[test]
fn a_wiped_disk_excuses_no_later_loss() {
    let mut board = Board::settled();
    let first = [(6, 1, 1)];
    board.record("cp1/etcd", Record::Acknowledged { term: 5, index: 1001 }, EventId::START);
    board.wipe(at(1000), "cp3/etcd");
    let wiped = board.id("cp3/etcd");
    board.set_process(wiped, ProcessState::Dead, EventId::START);
    board.now = at(1500);
    board.set_process(wiped, ProcessState::Running, EventId::START);
    elect(&mut board, 2000, "cp2/etcd", 6, &first);
    board.now = at(3000);
    board.record("cp2/etcd", Record::Acknowledged { term: 6, index: 2 }, EventId::START);
    elect(&mut board, 4000, "cp1/etcd", 7, &[(6, 1, 1), (7, 2, 2)]);
    let broken: Vec<Law> = broken(&board).into_iter().map(|(law, _)| law).collect();
    assert_eq!(broken, [Law::DataLost, Law::NoAcknowledgedWriteLost]);
}

/// Law: where all was wiped terms begin anew: what is acknowledged then is not asked of a leader that was
/// there before, what was acknowledged before is told as lost once, and later losses are found as ever.
#[test]
fn terms_begin_anew_where_all_was_wiped() {
    let history = |third: &[(u64, u64, u64)]| {
        let mut board = Board::settled();
        board.now = at(500);
        elect(&mut board, 1000, "cp1/etcd", 6, &[(5, 1, 900), (6, 901, 901)]);
        board.record("cp1/etcd", Record::Acknowledged { term: 6, index: 902 }, EventId::START);
        for member in ["cp1/etcd", "cp2/etcd", "cp3/etcd"] {
            board.wipe(at(1500), member);
            let wiped = board.id(member);
            board.set_process(wiped, ProcessState::Dead, EventId::START);
        }
        board.now = at(2000);
        for member in ["cp1/etcd", "cp2/etcd", "cp3/etcd"] {
            let wiped = board.id(member);
            board.set_process(wiped, ProcessState::Running, EventId::START);
        }
        elect(&mut board, 3000, "cp2/etcd", 1, &[(1, 1, 1)]);
        board.now = at(4000);
        board.record("cp2/etcd", Record::Acknowledged { term: 1, index: 2 }, EventId::START);
        elect(&mut board, 5000, "cp3/etcd", 2, third);
        broken(&board).into_iter().map(|(law, _)| law).collect::<Vec<Law>>()
    };
    assert_eq!(history(&[(1, 1, 2), (2, 3, 3)]), [Law::DataLost]);
    let lost = [Law::DataLost, Law::NoAcknowledgedWriteLost];
    assert_eq!(history(&[(1, 1, 1), (2, 2, 2)]), lost);
}

/// Law: an acknowledgement by a deposed leader counts as well, however late.
#[test]
fn late_acknowledgements_count() {
    let mut board = Board::settled();
    elect(&mut board, 1000, "cp2/etcd", 6, &[(5, 1, 1000), (6, 1001, 1001)]);
    board.now = at(2000);
    board.record("cp2/etcd", Record::Acknowledged { term: 6, index: 1002 }, EventId::START);
    board.record("cp1/etcd", Record::Acknowledged { term: 5, index: 1001 }, EventId::START);
    let found = board.findings().violations;
    let broken: Vec<_> = found.iter().map(|violation| (violation.law, violation.at)).collect();
    // cp1 never stepped down, but its term is another one.
    assert_eq!(broken, [(Law::NoAcknowledgedWriteLost, at(2000))]);
}

/// Law: a second leader of the term that a leader had from the start is found; where a disk was wiped that
/// both majorities may have had in common, its vote is among what was lost.
#[test]
fn second_leaders_are_found() {
    let mut board = Board::settled();
    elect(&mut board, 1000, "cp2/etcd", 5, &[]);
    let what = "cp1/etcd and cp2/etcd both lead term 5".to_owned();
    assert_eq!(broken(&board), [(Law::OneLeaderPerTerm, what)]);
    let mut board = Board::settled();
    board.wipe(at(500), "cp3/etcd");
    elect(&mut board, 1000, "cp2/etcd", 5, &[]);
    let what =
        "cp1/etcd and cp2/etcd both lead term 5, as wiped disks forgot their votes".to_owned();
    assert_eq!(broken(&board), [(Law::VoteLost, what)]);
}

/// Law: a Lease that is taken before it expired, or without counting the transition, is found.
#[test]
fn stolen_leases_are_found() {
    let taken = |t: u64, transitions: u32| {
        let mut board = Board::settled();
        let (lease, thief) = (board.id("lease/kube-scheduler"), board.id("cp2/kube-scheduler"));
        let root = EventId::START;
        let Fact::Lease(held) = board.all.facts[lease.index()] else { panic!("a Lease") };
        board.now = at(2000);
        let idle = LeaseFact { renewals: Renewals::Once(at(1300)), ..held };
        board.set_fact(lease, Fact::Lease(idle), root);
        board.now = at(t);
        let holder = Some(Holder { component: thief, incarnation: 1 });
        let stolen = LeaseFact { holder, transitions, renewals: Renewals::Once(at(t)), ..idle };
        board.set_fact(lease, Fact::Lease(stolen), root);
        broken(&board).into_iter().map(|(law, _)| law).collect::<Vec<_>>()
    };
    assert_eq!(taken(16_300, 1), []);
    assert_eq!(taken(16_299, 1), [Law::OneLeaseHolder]);
    assert_eq!(taken(17_000, 0), [Law::OneLeaseHolder]);
}

/// Law: states that VRRP does not allow are found.
#[test]
fn impossible_vrrp_states_are_found() {
    let state = |state, holds| VrrpFact { state, holds, priority: 100, ..VrrpFact::default() };
    let cases = [
        (vec![state(VrrpState::Master, false)], "is MASTER without the address"),
        (vec![state(VrrpState::Fault, true)], "holds the address without being MASTER"),
        (
            vec![state(VrrpState::Fault, false), state(VrrpState::Master, true)],
            "becomes MASTER straight from FAULT",
        ),
        (
            vec![state(VrrpState::Init, false), state(VrrpState::Master, true)],
            "becomes MASTER at its start without owning the address",
        ),
    ];
    for (facts, what) in cases {
        let mut board = Board::settled();
        let id = board.id("lb2/keepalived");
        for (step, fact) in facts.into_iter().enumerate() {
            board.now = at(1000 + 1000 * step as u64);
            board.set_fact(id, Fact::Vrrp(fact), EventId::START);
        }
        let found = broken(&board);
        assert!(found.contains(&(Law::VrrpRules, format!("lb2/keepalived {what}"))), "{found:?}");
    }
}

/// Law: history that goes backwards, and intervals that overlap or end before they begin, are found.
#[test]
fn impossible_times_are_found() {
    let mut board = Board::settled();
    board.now = at(5000);
    board.record("cp1/etcd", Record::Note("later"), EventId::START);
    board.now = at(4000);
    board.record("cp1/etcd", Record::Note("earlier"), EventId::START);
    let laws: Vec<Law> = broken(&board).into_iter().map(|(law, _)| law).collect();
    assert_eq!(laws, [Law::TimeGoesForward]);

    let board = Board::power_off_cp1();
    let case = board.case();
    let mut services = board.findings().services;
    let record = services.iter_mut().find(|record| !record.intervals.is_empty()).unwrap();
    let twice = record.intervals[0].clone();
    record.intervals.insert(0, twice);
    let laws: Vec<Law> =
        invariants::violations(&case, &services).iter().map(|violation| violation.law).collect();
    assert_eq!(laws, [Law::OutagesAreClosed]);
}
