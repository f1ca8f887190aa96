//! Measures held against a failover whose every instant is known: cp1 loses power at 60 s.

use super::outage::Severity;
use super::testing::{Board, at, ms};
use crate::component::fact::{Ability, ApiServerFact, Fact, VrrpFact, VrrpState};
use crate::component::view::ProcessState;
use crate::plan::expect::{Claim, Expectation, Invariant, Limit};
use crate::plan::service::Service;

fn level(board: &mut Board, service: Service) -> String {
    let root = crate::component::EventId::START;
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
    ");
}

/// Law: a server in rotation that is gone costs its share of requests; one that refuses costs nothing
/// where the balancer redispatches.
#[test]
fn refused_servers_are_passed_over() {
    let mut board = Board::redispatching();
    let root = crate::component::EventId::START;
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
    let root = crate::component::EventId::START;
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
    let root = crate::component::EventId::START;
    let (second, third) = (board.id("cp2/etcd"), board.id("cp3/etcd"));
    board.set_process(second, ProcessState::Dead, root);
    assert_eq!(level(&mut board, Service::EtcdQuorum), "1");
    board.set_process(third, ProcessState::Dead, root);
    assert_eq!(level(&mut board, Service::EtcdQuorum), "0");
}

/// Law: two holders of the address break the law that claims one, and nothing else.
#[test]
fn two_holders_are_found() {
    let mut board = Board::settled();
    let root = crate::component::EventId::START;
    board.now = at(5000);
    let second = board.id("lb2/keepalived");
    let fact = VrrpFact { state: VrrpState::Master, holds: true, ..VrrpFact::default() };
    board.set_fact(second, Fact::Vrrp(fact), root);
    board.plan.expect = vec![Expectation {
        path: "expect[0]".to_owned(),
        claim: Claim::Invariant(Invariant::OneVipHolder),
    }];
    let findings = board.findings();
    assert_eq!(findings.violations.len(), 1);
    insta::assert_snapshot!(findings.expectations[0], @r"
    one holder of the virtual address: expected kept, got broken at 5.000: lb1 and lb2 hold the address
    ");
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
