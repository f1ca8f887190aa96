//! Rates and durations by name, with their sources. `--show-effective` prints them.

use super::{
    BurstsEntry, Class, ClassEntry, Group, GroupEffect, ModeEntry, Reliability, WorkEntry, place,
};
use crate::component::id::Kind;
use crate::component::map::MachineRole;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::plan::share::Share;

/// A set of rates and durations.
#[derive(Debug)]
pub struct Preset {
    /// Its name in files.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    fill: fn(&mut Reliability),
}

/// Every preset.
pub static PRESETS: [Preset; 2] = [
    Preset {
        name: "field",
        doc: "Rates and durations within published figures of large operators: machines, disks, links, processes, zones, operators' errors, bursts and planned reboots.",
        fill: field,
    },
    Preset {
        name: "textbook",
        doc: "Round numbers with exact answers: machines fail every 1000 h and are repaired in 4 h, balancers every 5000 h and in 2 h, all exponential.",
        fill: textbook,
    },
];

impl Preset {
    /// Puts the figures into a section that says nothing yet.
    pub(super) fn fill(&self, section: &mut Reliability) {
        (self.fill)(section);
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
const YEAR_HOURS: f64 = 8_760.0;

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// A constant rate a year.
fn per_year(rate: f64) -> Law {
    Law::Exponential { mean: HOUR.mul_f64(YEAR_HOURS / rate) }
}

/// Half are shorter than the median, one in twenty longer than `p95`.
fn skewed(median: Duration, p95: Duration) -> Law {
    Law::lognormal_by_p95(median, p95).unwrap_or(Law::Fixed(median))
}

fn mode(cause: &str, failure: Law, repair: Law, needs_crew: Option<bool>) -> ModeEntry {
    ModeEntry { cause: Some(cause.to_owned()), failure, repair, needs_crew, path: place() }
}

fn put(section: &mut Reliability, class: Class, modes: Vec<ModeEntry>, source: &'static str) {
    section.classes.push(ClassEntry { class, modes, path: place(), source });
}

const MACHINES: &str = "Ford et al., OSDI 2010: MTTF 4.3 months for events of 15 min or more; shorter ones ten times as frequent and replacements 0.1 a year: assumed";

fn field(section: &mut Reliability) {
    for role in [
        MachineRole::ControlPlane,
        MachineRole::Etcd,
        MachineRole::LoadBalancer,
        MachineRole::Worker,
    ] {
        let modes = vec![
            mode("machine down", per_year(2.8), skewed(minutes(30), hours(6)), None),
            mode("machine reboots", per_year(28.0), skewed(minutes(3), minutes(15)), Some(false)),
            mode("machine replaced", per_year(0.1), skewed(hours(4), hours(24)), None),
        ];
        put(section, Class::Machine(role), modes, MACHINES);
    }
    for kind in [Kind::Etcd, Kind::ApiServer, Kind::Scheduler, Kind::ControllerManager] {
        let modes =
            vec![mode("process crash", per_year(4.0), Law::Fixed(Duration::from_secs(10)), None)];
        put(
            section,
            Class::Process(kind),
            modes,
            "assumed: four crashes a year, back after a first back-off of 10 s (kubelet)",
        );
    }
    shared(section);
}

/// What the machines have in common: balancers, disks, links, people, zones.
fn shared(section: &mut Reliability) {
    let modes =
        vec![mode("balancer crash", per_year(2.0), Law::Fixed(Duration::from_secs(10)), None)];
    put(
        section,
        Class::Process(Kind::LoadBalancer),
        modes,
        "assumed: two crashes a year, back after 10 s",
    );
    let stall = skewed(Duration::from_secs(2), Duration::from_secs(30));
    put(
        section,
        Class::Disk,
        vec![mode("disk stall", per_year(12.0), stall, Some(false))],
        "assumed: a stall of a second or more every month",
    );
    let cut = skewed(minutes(5), hours(3));
    put(
        section,
        Class::Link,
        vec![mode("link down", per_year(1.0), cut, Some(false))],
        "Gill et al., SIGCOMM 2011: median repair about 5 min; one a year: assumed",
    );
    let error = skewed(minutes(45), hours(4));
    put(
        section,
        Class::Cluster,
        vec![mode("operator error", per_year(0.75), error, Some(false))],
        "assumed: 0.5 to 1 a year; SRE Workbook, App. C: most outages follow a push",
    );
    section.zones = Some(Group {
        name: String::new(),
        classes: None,
        machines: Vec::new(),
        failure: per_year(0.2),
        repair: skewed(hours(2), hours(12)),
        effect: GroupEffect::Crash(Law::Fixed(minutes(1))),
        path: place(),
        source: "Uptime Institute 2024: 53 % of sites had an outage within three years; lengths: assumed",
    });
    section.bursts = Some(BurstsEntry {
        share: Share(370_000),
        window: Duration::from_secs(120),
        same_zone: Share(800_000),
        path: place(),
        source: "Ford et al., OSDI 2010: 37 % of failures within 120 s of another; same zone: assumed",
    });
    section.work.push(WorkEntry {
        cause: Some("planned reboot".to_owned()),
        on: ["machines.controlPlane", "machines.etcd", "machines.loadBalancer"]
            .map(str::to_owned)
            .to_vec(),
        every: hours(730),
        first: None,
        window: None,
        lasts: skewed(minutes(4), minutes(15)),
        pause: minutes(10),
        only_when_whole: true,
        path: place(),
    });
}

const ROUND: &str = "hasim: round numbers";

fn textbook(section: &mut Reliability) {
    let exponential = |hours_mean| Law::Exponential { mean: hours(hours_mean) };
    for (role, failure, repair) in [
        (MachineRole::ControlPlane, 1_000, 4),
        (MachineRole::Etcd, 1_000, 4),
        (MachineRole::LoadBalancer, 5_000, 2),
    ] {
        let modes = vec![mode("machine down", exponential(failure), exponential(repair), None)];
        put(section, Class::Machine(role), modes, ROUND);
    }
}
