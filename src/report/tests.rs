//! Reports of a failover whose every instant is known: cp1 loses power at 60 s.

use super::style::plain;
use super::{chrome, json, layout, text, timeline, trace};
use crate::component::blame::{Blame, EventId};
use crate::component::fact::{EtcdFact, Fact, Role};
use crate::measure::testing::{Board, at, ms};
use proptest::prelude::*;

fn report() -> String {
    let board = Board::power_off_cp1();
    plain(&text::report(&board.case(), &board.findings(), 1))
}

/// The part of the report from one heading to the next.
fn part(from: &str, to: &str) -> String {
    let report = report();
    let begin = report.find(from).unwrap();
    let end = report.find(to).unwrap_or(report.len());
    report[begin..end].trim_end().to_owned()
}

/// Law: the timeline has one line per state transition, each event's reason once.
#[test]
fn timeline_of_a_power_loss() {
    insta::assert_snapshot!(part("by-hand", "At 120"), @r"
    by-hand
    Claim: moved by hand.
    Kubernetes 1.34, etcd 3.6, seed 1, 2 min

    Timeline (seconds)
    ──────────────────
       60.000  fault                        powerOff cp1
       60.000  cp1                          loses power
       60.000  cp1                          etcd, kube-apiserver, kube-scheduler,
                                            kube-controller-manager, kubelet are
                                            gone
       60.000  cp2/kube-apiserver           reads and writes hang
       60.000  cp3/kube-apiserver           reads and writes hang
       60.000  services                     down: api-read, api-write, etcd-quorum,
                                            scheduling, reconciliation
       60.000  services                     2/3 served: api-read-cached
       61.200  cp2/etcd                     campaigns in term 6
                                              after 1.3 s election-timeout + 50 ms
                                              tick
       61.202  cp2/etcd                     becomes leader of term 6
                                              after 2.0 ms network
       61.202  cp3/etcd                     follows cp2 in term 6
       61.202  cp2/kube-apiserver           reads and writes work
       61.202  cp3/kube-apiserver           reads and writes work
       61.202  services                     2/3 served: api-read, api-write
       61.202  services                     served: etcd-quorum
       70.700  lb1/haproxy                  cp1 marked DOWN (2/3 in rotation)
                                              after 10.0 s fall × inter + 700 ms
                                              until the next check
       70.700  lb2/haproxy                  cp1 marked DOWN (2/3 in rotation)
                                              after 10.0 s fall × inter + 700 ms
                                              until the next check
       70.700  services                     served: api-read-cached, api-read,
                                            api-write
       76.100  cp3/kube-scheduler           acquires lease kube-scheduler
                                              after 15.0 s leaseDuration + 1.8 s
                                              until its next try
       76.100  cp3/kube-scheduler           schedules
       76.100  services                     served: scheduling
       77.000  cp2/kube-controller-manager  acquires lease kube-controller-manager
                                              after 15.0 s leaseDuration + 2.7 s
                                              until its next try
       77.000  cp2/kube-controller-manager  reconciles
       77.000  services                     served: reconciliation
    ");
}

/// Law: the tables show the end as the field's own tools would.
#[test]
fn tables_at_the_end() {
    insta::assert_snapshot!(part("At 120", "Services\n"), @r"
    At 120.000 s
    ────────────
    kubectl get nodes -o wide -L topology.kubernetes.io/zone
    NAME   STATUS   ROLES           AGE         VERSION   ZONE
    cp1    Ready    control-plane   <unknown>   v1.34     zone-a
    cp2    Ready    control-plane   <unknown>   v1.34     zone-a
    cp3    Ready    control-plane   <unknown>   v1.34     zone-a
    (without INTERNAL-IP, EXTERNAL-IP, OS-IMAGE, KERNEL-VERSION, CONTAINER-RUNTIME)

    etcdctl endpoint status -w table
    +----------+---------+-----------+-----------+------------+--------+
    | ENDPOINT | VERSION | IS LEADER | RAFT TERM | RAFT INDEX | ERRORS |
    +----------+---------+-----------+-----------+------------+--------+
    | cp2:2379 |     3.6 |      true |         6 |       1001 |        |
    | cp3:2379 |     3.6 |     false |         6 |       1001 |        |
    +----------+---------+-----------+-----------+------------+--------+
    (without ID, DB SIZE, IS LEARNER, RAFT APPLIED INDEX)
    Failed to get the status of endpoint cp1:2379 (context deadline exceeded)

    kubectl -n kube-system get leases
    NAME                      HOLDER   AGE         RENEWED     TRANSITIONS
    kube-scheduler            cp3_1    <unknown>   1.9 s ago   1
    kube-controller-manager   cp2_1    <unknown>   1.0 s ago   1

    HAProxy: servers of backend kube-apiserver
    BALANCER   SERVER   STATUS
    lb1        cp1      DOWN
    lb1        cp2      UP
    lb1        cp3      UP
    lb2        cp1      DOWN
    lb2        cp2      UP
    lb2        cp3      UP

    keepalived: the virtual address
    NODE   STATE    PRIORITY   HOLDS ADDRESS
    lb1    MASTER   101        yes
    lb2    BACKUP   100        no
    ");
}

/// Law: outages come with length, cause, blame and what would shorten them; alike services share one.
#[test]
fn outages_with_blame() {
    insta::assert_snapshot!(part("Services\n", "nothing follows"), @r"
    Services
    ────────
    SERVICE           OUTAGES   LONGEST   TOTAL    TIME UP    REQUESTS
    endpoint          0         0 s       0 s      100 %      100 %
    api-read-cached   0         0 s       0 s      100 %      97.028 %
    api-read          1         1.2 s     1.2 s    98.998 %   96.360 %
    api-write         1         1.2 s     1.2 s    98.998 %   96.360 %
    etcd-quorum       1         1.2 s     1.2 s    98.998 %   98.998 %
    scheduling        1         16.1 s    16.1 s   86.583 %   86.583 %
    reconciliation    1         17.0 s    17.0 s   85.833 %   85.833 %

    Outages and degradations
    ────────────────────────
    api-read, api-write, etcd-quorum
        out 60.000 – 61.202 1.2 s
        because of powerOff cp1 at 60.000
        1.202 s = +1.250 s election-timeout, −0.100 s since the last heartbeat
          before the fault, +0.050 s tick, +0.002 s network (cp2/etcd)
        to shorten: election-timeout (1.3 s of it)

    api-read-cached
        degraded 60.000 – 70.700 10.7 s, 33 % of requests hit
        because of powerOff cp1 at 60.000
        10.7 s = +10.0 s fall × inter, +0.7 s until the next check (lb1/haproxy)
        to shorten: fall × inter (10.0 s of it)

    scheduling
        out 60.000 – 76.100 16.1 s
        because of powerOff cp1 at 60.000
        16.1 s = +15.0 s leaseDuration, −0.7 s since the last renewal before the
          fault, +1.8 s until cp3's next try
        to shorten: leaseDuration (15.0 s of it)

    reconciliation
        out 60.000 – 77.000 17.0 s
        because of powerOff cp1 at 60.000
        17.0 s = +15.0 s leaseDuration, −0.7 s since the last renewal before the
          fault, +2.7 s until cp2's next try
        to shorten: leaseDuration (15.0 s of it)

    api-read, api-write
        degraded 61.202 – 70.700 9.5 s, 33 % of requests hit
        because of powerOff cp1 at 60.000
        9.498 s = +10.000 s fall × inter, −1.202 s from the fault to the loss,
          +0.700 s until the next check (lb1/haproxy)
        to shorten: fall × inter (10.0 s of it)

    Failover times
    ──────────────
    etcd.first_campaign                  1.2 s
    etcd.election                        1.2 s
    etcd.campaign_rounds                     1
    lb.mark_down                        10.7 s
    client.failed_requests                   0
    vip.dual_ownership                     0 s
    scheduler.failover                  16.1 s
    controller_manager.failover         17.0 s
    scheduler.first_binding             16.1 s
    controller_manager.first_action     17.0 s
    api.write_failures                       0
    node.others_not_ready                    0
    ");
}

/// Law: no line is wider than a terminal of 80 columns.
#[test]
fn reports_keep_to_eighty_columns() {
    for line in report().lines() {
        assert!(line.chars().count() <= layout::WIDTH, "{line}");
    }
}

/// Law: JSON holds the same as the text, in stable fields.
#[test]
fn json_has_the_outage_with_its_blame() {
    let board = Board::power_off_cp1();
    let which = json::Which { seed: 1, trial: 0 };
    let result = json::result(&board.case(), &board.findings(), which, &[]);
    let value = serde_json::to_value(&result).unwrap();
    let scheduling = &value["services"][5];
    insta::assert_snapshot!(serde_json::to_string_pretty(scheduling).unwrap(), @r#"
    {
      "service": "scheduling",
      "timeWeighted": 0.8658333333333333,
      "requestWeighted": 0.8658333333333333,
      "outages": 1,
      "longestOutageMs": 16100.0,
      "totalOutageMs": 16100.0,
      "upAtEnd": true,
      "intervals": [
        {
          "severity": "outage",
          "fromMs": 60000.0,
          "toMs": 76100.0,
          "lengthMs": 16100.0,
          "requestsHit": 1.0,
          "cause": "powerOff cp1 at 60.000",
          "blame": {
            "terms": [
              {
                "parameter": "leaseDuration",
                "ms": 15000.0,
                "owner": "cp3/kube-scheduler"
              },
              {
                "parameter": "since the last renewal before the fault",
                "ms": -700.0,
                "owner": null
              },
              {
                "parameter": "until its next try",
                "ms": 1800.0,
                "owner": "cp3/kube-scheduler"
              }
            ],
            "shorten": "leaseDuration (15.0 s of it)",
            "text": "16.1 s = +15.0 s leaseDuration, −0.7 s since the last renewal before the fault, +1.8 s until cp3's next try"
          }
        }
      ]
    }
    "#);
}

/// Law: after a line that names the run, each transition is one line of JSON with its event.
#[test]
fn traces_are_lines_of_json() {
    let board = Board::power_off_cp1();
    let text = trace::render(&board.case(), 1).unwrap();
    let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((&header["kind"], &header["seed"]), (&"run".into(), &1.into()));
    let first: Vec<&str> = text.lines().skip(1).take(2).collect();
    insta::assert_snapshot!(first.join("\n"), @r#"
    {"atNs":60000000000,"kind":"fault","of":"cp1","event":1,"parent":0,"detail":"powerOff cp1"}
    {"atNs":60000000000,"kind":"power","of":"cp1","event":1,"parent":0,"detail":"off"}
    "#);
    for line in text.lines().skip(1) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(value["atNs"].is_i64() && value["event"].is_u64(), "{line}");
    }
}

/// Law: in a Chrome trace the slices of one thread do not overlap, and outages carry their blame.
#[test]
fn chrome_slices_do_not_overlap() {
    let board = Board::power_off_cp1();
    let trace = chrome::trace(&board.case(), &board.findings());
    let events = trace["traceEvents"].as_array().unwrap();
    let mut ends = std::collections::BTreeMap::new();
    let slices = events.iter().filter(|event| event["ph"] == "X");
    for event in slices {
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        let (ts, dur) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
        let end = ends.insert(thread, ts + dur).unwrap_or(0.0);
        assert!(ts >= end && dur > 0.0, "{event}");
    }
    let leads = |event: &&serde_json::Value| event["name"] == "leader, term 6";
    let leader = events.iter().find(leads).unwrap();
    assert_eq!(leader["ts"].as_f64(), Some(61_202_000.0));
    assert!(events.iter().any(|event| event["args"]["blame"].is_string()));
    assert!(events.iter().any(|event| event["ph"] == "i" && event["name"] == "powerOff cp1"));
}

/// Law: a run in which nothing happens has an empty timeline, and no outage.
#[test]
fn nothing_happens() {
    let board = Board::settled();
    assert!(timeline::lines(&board.case()).is_empty());
    let report = plain(&text::report(&board.case(), &board.findings(), 1));
    assert!(!report.contains("Outages and degradations"), "{report}");
}

proptest! {
    /// Law: whatever is said, by whom and why, lines keep to 80 columns.
    #[test]
    fn any_line_keeps_to_eighty_columns(
        who in "[a-z/-]{0,60}",
        what in "[a-z ]{0,200}",
        why in "[a-z0-9 ]{0,200}",
    ) {
        let tone = super::style::Tone::Plain;
        let because = EventId::START;
        let line = timeline::Line { at: at(61_000), who, what, why, tone, because };
        for styled in timeline::render(&[line]) {
            prop_assert!(styled.width() <= layout::WIDTH, "{styled}");
        }
    }
}

/// Law: a line says when, who, what, and which waits led to it.
#[test]
fn lines_name_their_waits() {
    let mut board = Board::settled();
    let wait = Blame::of("election-timeout", ms(1000)).and("randomised election timeout", ms(310));
    let event = board.event(at(1310), "cp2/etcd", EventId::START, wait);
    let fact = EtcdFact { role: Role::Leader, term: 6, ..EtcdFact::default() };
    let id = board.id("cp2/etcd");
    board.set_fact(id, Fact::Etcd(fact), event);
    let lines = timeline::render(&timeline::lines(&board.case()));
    insta::assert_snapshot!(plain(&lines), @r"
    1.310  cp2/etcd  becomes leader of term 6
                       after 1.0 s election-timeout + 310 ms randomised election
                       timeout
    ");
}

/// Law: where a short step followed a far longer wait that no line told of, the wait is the reason,
/// and it is told once.
#[test]
fn the_longest_wait_is_the_reason() {
    let mut board = Board::settled();
    let lease = Blame::of("leaseDuration", ms(15_000));
    let tries = board.event(at(16_000), "cp2/kube-scheduler", EventId::START, lease);
    let commit = board.event(at(16_005), "cp1/etcd", tries, Blame::of("commit", ms(5)));
    let follows = board.event(at(16_006), "cp2/etcd", tries, Blame::of("network", ms(1)));
    for (name, event) in [("cp3/etcd", commit), ("cp2/etcd", follows)] {
        let fact = EtcdFact { role: Role::Leader, term: 6, ..EtcdFact::default() };
        let id = board.id(name);
        board.set_fact(id, Fact::Etcd(fact), event);
    }
    let lines = timeline::lines(&board.case());
    let reasons: Vec<&str> = lines.iter().map(|line| line.why.as_str()).collect();
    assert_eq!(reasons, ["cp2/kube-scheduler: after 15.0 s leaseDuration", "after 1.0 ms network"]);
}
