//! A second solution of an oracle's model: every state written out, nothing lumped, nothing shared
//! with the library. States follow the conventions of `tests/oracles/oracles.json` word by word.

use serde_json::Value;
use std::collections::BTreeMap;

/// A law as branches: a probability and the rates of the stages that follow each other, per hour.
type Law = Vec<(f64, Vec<f64>)>;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a whole number")).expect("a small one")
}

fn exponential(mean: &Value) -> Law {
    vec![(1.0, vec![1.0 / number(mean)])]
}

fn law(value: &Value) -> Option<Law> {
    let mean = || match value.get("mean_s") {
        Some(seconds) => number(seconds) / 3600.0,
        None => number(&value["mean_h"]),
    };
    match value["kind"].as_str()? {
        "exponential" => Some(vec![(1.0, vec![1.0 / mean()])]),
        "erlang" => {
            let stages = count(&value["stages"]);
            Some(vec![(1.0, vec![stages as f64 / mean(); stages])])
        }
        "hyperexponential" => {
            let branches = value["branches"].as_array()?.iter();
            Some(branches.map(|b| (number(&b[0]), vec![1.0 / number(&b[1])])).collect())
        }
        _ => None,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Machine {
    Up { stage: usize },
    Waiting { branch: usize, stage: usize },
    Repair { branch: usize, stage: usize },
    Dark,
    Boot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seat {
    Held(usize),
    Empty,
    Taking(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    machines: Vec<Machine>,
    queue: Vec<usize>,
    api: Vec<bool>,
    etcd: Vec<bool>,
    out: Vec<bool>,
    leader: Seat,
    vip: Seat,
    lease: Seat,
    behind: Vec<bool>,
    rotation: Vec<bool>,
}

struct Kind {
    zone: Option<usize>,
    failure: Law,
    repair: Law,
    is_etcd: bool,
    in_crew: bool,
}

/// A model, ready to be solved.
pub(crate) struct Plain<'a> {
    p: &'a Value,
    kinds: Vec<Kind>,
    servers: usize,
    members: Vec<usize>,
    balancers: Vec<usize>,
    zones: usize,
    crews: usize,
    preemptive: bool,
    local: bool,
    election: Option<Law>,
    takeover: Option<Law>,
    vip: Option<Law>,
}

/// What is asked of a state.
struct Levels {
    up: [bool; 5],
    served: f64,
}

/// The services in the order of [`Solved::services`], as an oracle calls them.
pub(crate) const SERVICES: [&str; 5] =
    ["api_read", "api_write", "etcd_quorum", "etcd_leader", "controller"];

/// The answers.
pub(crate) struct Solved {
    /// How many states.
    pub(crate) states: usize,
    /// Of each of [`SERVICES`]: unavailability, outages a year, mean hours to the first outage.
    pub(crate) services: [[f64; 3]; 5],
    /// Share of requests that are lost.
    pub(crate) loss: f64,
}

impl<'a> Plain<'a> {
    pub(crate) fn of(p: &'a Value) -> Self {
        let crew = p["repair_crews"].as_str().unwrap_or("");
        let of_nodes = p["node_repair_crews"].as_u64();
        let external = p["topology"] == "external";
        let mut kinds = Vec::new();
        let zone_of: Vec<usize> = p["zones"].as_array().map_or_else(Vec::new, |zones| {
            let each = zones.iter().enumerate();
            each.flat_map(|(zone, n)| std::iter::repeat_n(zone, count(n))).collect()
        });
        let servers =
            if zone_of.is_empty() { count(&p["control_plane_nodes"]) } else { zone_of.len() };
        for at in 0..servers {
            let own = p["nodes"].get(at);
            let mean = |key: &str| match own {
                Some(own) => exponential(&own[key]),
                None => exponential(&p[format!("node_{key}")]),
            };
            kinds.push(Kind {
                zone: zone_of.get(at).copied(),
                failure: law(&p["node_failure"]).unwrap_or_else(|| mean("mtbf_h")),
                repair: law(&p["node_repair"]).unwrap_or_else(|| mean("mttr_h")),
                is_etcd: false,
                in_crew: of_nodes.is_some() || crew.starts_with('1') || crew.starts_with("one"),
            });
        }
        let mut members: Vec<usize> = (0..servers).collect();
        if external {
            members = (0..count(&p["etcd_nodes"])).map(|at| servers + at).collect();
            kinds.extend(members.iter().map(|_| Kind {
                zone: None,
                failure: exponential(&p["etcd_mtbf_h"]),
                repair: exponential(&p["etcd_mttr_h"]),
                is_etcd: true,
                in_crew: crew.starts_with('1') || crew.contains("etcd"),
            }));
        }
        let first = kinds.len();
        let balancers: Vec<usize> = (0..count(&p["load_balancers"])).map(|b| first + b).collect();
        for at in 0..balancers.len() {
            let own = p["lbs"].get(at);
            let mean = |key: &str| match own {
                Some(own) => exponential(&own[key]),
                None => exponential(&p[format!("lb_{key}")]),
            };
            kinds.push(Kind {
                zone: p["lb_zones"].get(at).map(count),
                failure: mean("mtbf_h"),
                repair: mean("mttr_h"),
                is_etcd: false,
                in_crew: crew.starts_with('1') || crew.contains("balancers"),
            });
        }
        Self {
            p,
            kinds,
            servers,
            members,
            zones: p["zone_mtbf_h"].as_f64().and(p["zones"].as_array()).map_or(0, Vec::len),
            crews: of_nodes.and_then(|n| usize::try_from(n).ok()).unwrap_or(1),
            preemptive: crew.contains("pre-emptive"),
            local: p["apiserver_uses_only_local_etcd"] == true && !external,
            election: law(&p["etcd_election"]),
            takeover: law(&p["controller_lease"]["takeover"]),
            vip: if balancers.is_empty() { None } else { law(&p["vip_failover"]) },
            balancers,
        }
    }

    fn usable(&self, s: &State, at: usize) -> bool {
        matches!(s.machines[at], Machine::Up { .. }) && !self.is_out(s, at)
    }

    fn is_out(&self, s: &State, at: usize) -> bool {
        self.kinds[at].zone.is_some_and(|zone| s.out.get(zone) == Some(&true))
    }

    fn serves(&self, s: &State, at: usize) -> bool {
        self.usable(s, at) && s.api[at]
    }

    fn voters(&self, s: &State) -> Vec<usize> {
        let votes = |at: &usize| {
            let member = *at - self.members[0];
            self.usable(s, *at) && s.etcd[member] && !s.behind[member]
        };
        self.members.iter().copied().filter(votes).collect()
    }

    fn has_quorum(&self, voters: &[usize]) -> bool {
        voters.len() > self.members.len() / 2
    }

    fn usable_balancers(&self, s: &State) -> Vec<usize> {
        self.balancers.iter().copied().filter(|at| self.usable(s, *at)).collect()
    }

    fn levels(&self, s: &State) -> Levels {
        let voters = self.voters(s);
        let quorum = self.has_quorum(&voters);
        let leader = quorum && (self.election.is_none() || matches!(s.leader, Seat::Held(_)));
        let path = match &self.vip {
            Some(_) => matches!(s.vip, Seat::Held(_)),
            None => self.balancers.is_empty() || !self.usable_balancers(s).is_empty(),
        };
        let serving: Vec<usize> = (0..self.servers).filter(|at| self.serves(s, *at)).collect();
        let read = path && !serving.is_empty();
        let local = !self.local || serving.iter().any(|at| voters.contains(at));
        let write = read && leader && local;
        let held = self.takeover.is_none() || matches!(s.lease, Seat::Held(_));
        let inside = s.rotation.iter().filter(|inside| **inside).count();
        let healthy = serving.iter().filter(|at| s.rotation[**at]).count();
        let served = if inside == 0 { 0.0 } else { healthy as f64 / inside as f64 };
        Levels { up: [read, write, quorum, leader, write && held], served }
    }

    /// What follows at once.
    fn settle(&self, mut s: State) -> State {
        let review = |seat: Seat, keeps: &dyn Fn(usize) -> bool, possible: bool| match seat {
            Seat::Held(at) if keeps(at) => Seat::Held(at),
            Seat::Taking(stage) if possible => Seat::Taking(stage),
            _ if possible => Seat::Taking(0),
            _ => Seat::Empty,
        };
        let voters = self.voters(&s);
        let quorum = self.has_quorum(&voters);
        if self.election.is_some() {
            s.leader = review(s.leader, &|at| quorum && voters.contains(&at), quorum);
        }
        let usable = self.usable_balancers(&s);
        if self.vip.is_some() {
            s.vip = review(s.vip, &|at| usable.contains(&at), !usable.is_empty());
        }
        if self.takeover.is_some() {
            let write = self.levels(&s).up[1];
            let up = |at: usize| matches!(s.machines[at], Machine::Up { .. });
            s.lease = review(s.lease, &up, write);
        }
        s
    }

    fn start(&self) -> State {
        let seat = |law: &Option<Law>, first: Option<&usize>| match (law, first) {
            (Some(_), Some(first)) => Seat::Held(*first),
            _ => Seat::Empty,
        };
        State {
            machines: vec![Machine::Up { stage: 0 }; self.kinds.len()],
            queue: Vec::new(),
            api: vec![true; self.servers],
            etcd: vec![true; self.members.len()],
            out: vec![false; self.zones],
            leader: seat(&self.election, self.members.first()),
            vip: seat(&self.vip, self.balancers.first()),
            lease: seat(&self.takeover, Some(&0)),
            behind: vec![false; self.members.len()],
            rotation: vec![self.p.get("lb_detection").is_some(); self.servers],
        }
    }

    /// Lets the crews work on those whose turn it is.
    fn assign(&self, s: &mut State) {
        let mut order = s.queue.clone();
        if self.preemptive {
            order.sort_by_key(|at| !self.kinds[*at].is_etcd);
        }
        for (place, at) in order.into_iter().enumerate() {
            s.machines[at] = match s.machines[at] {
                Machine::Waiting { branch, stage } if place < self.crews => {
                    Machine::Repair { branch, stage }
                }
                Machine::Repair { branch, stage } if place >= self.crews => {
                    Machine::Waiting { branch, stage }
                }
                other => other,
            };
        }
    }

    /// What a machine takes along when it goes down: its processes are new when it is back.
    fn renew(&self, s: &mut State, at: usize) {
        if at < self.servers {
            s.api[at] = true;
        }
        if let Some(member) = self.members.iter().position(|other| *other == at) {
            (s.etcd[member], s.behind[member]) = (true, false);
        }
    }

    fn come_up(&self, s: &mut State, at: usize) {
        s.machines[at] = Machine::Up { stage: 0 };
        if let Some(member) = self.members.iter().position(|other| *other == at) {
            s.behind[member] = self.p.get("etcd_rejoin").is_some();
        }
    }

    fn machine_moves(&self, s: &State, at: usize, hear: &mut dyn FnMut(f64, State)) {
        let kind = &self.kinds[at];
        match s.machines[at] {
            Machine::Up { stage } => {
                let stages = &kind.failure[0].1;
                if stage + 1 < stages.len() {
                    let mut next = s.clone();
                    next.machines[at] = Machine::Up { stage: stage + 1 };
                    return hear(stages[stage], next);
                }
                for (branch, (share, _)) in kind.repair.iter().enumerate() {
                    let mut next = s.clone();
                    self.renew(&mut next, at);
                    if kind.in_crew {
                        next.machines[at] = Machine::Waiting { branch, stage: 0 };
                        next.queue.push(at);
                        self.assign(&mut next);
                    } else {
                        next.machines[at] = Machine::Repair { branch, stage: 0 };
                    }
                    hear(stages[stage] * share, next);
                }
            }
            Machine::Repair { branch, stage } => {
                let stages = &kind.repair[branch].1;
                let mut next = s.clone();
                if stage + 1 < stages.len() {
                    next.machines[at] = Machine::Repair { branch, stage: stage + 1 };
                } else {
                    next.queue.retain(|other| *other != at);
                    if self.is_out(s, at) && self.p["zone_outage"] == "crash" {
                        next.machines[at] = Machine::Dark;
                    } else {
                        self.come_up(&mut next, at);
                    }
                    self.assign(&mut next);
                }
                hear(stages[stage], next);
            }
            Machine::Boot => {
                let mut next = s.clone();
                self.come_up(&mut next, at);
                hear(1.0 / number(&self.p["zone_boot_mean_h"]), next);
            }
            Machine::Waiting { .. } | Machine::Dark => {}
        }
    }

    fn process_moves(&self, s: &State, hear: &mut dyn FnMut(f64, State)) {
        let rate = |name: &str, up: bool| {
            let key = if up { "mtbf_h" } else { "mttr_h" };
            self.p.get(format!("{name}_process_{key}")).map(|mean| 1.0 / number(mean))
        };
        let runs = |at: usize| matches!(s.machines[at], Machine::Up { .. });
        for at in (0..self.servers).filter(|at| runs(*at)) {
            let Some(rate) = rate("api", s.api[at]) else { break };
            let mut next = s.clone();
            next.api[at] = !s.api[at];
            hear(rate, next);
        }
        for (member, _) in self.members.iter().enumerate().filter(|(_, at)| runs(**at)) {
            if let Some(rate) = rate("etcd", s.etcd[member]) {
                let mut next = s.clone();
                next.etcd[member] = !s.etcd[member];
                hear(rate, next);
            }
            if s.behind[member] {
                let mut next = s.clone();
                next.behind[member] = false;
                hear(1.0 / number(&self.p["etcd_rejoin"]["mean_h"]), next);
            }
        }
        if let Some(every) = self.p.get("api_shock_mtbf_h") {
            let mut next = s.clone();
            (0..self.servers).filter(|at| runs(*at)).for_each(|at| next.api[at] = false);
            hear(1.0 / number(every), next);
        }
    }

    fn zone_moves(&self, s: &State, zone: usize, hear: &mut dyn FnMut(f64, State)) {
        let mut next = s.clone();
        next.out[zone] = !s.out[zone];
        let inside = |at: &usize| self.kinds[*at].zone == Some(zone);
        let crash = self.p["zone_outage"] == "crash";
        for at in (0..self.kinds.len()).filter(inside).filter(|_| crash) {
            match s.machines[at] {
                Machine::Dark if s.out[zone] => next.machines[at] = Machine::Boot,
                Machine::Up { .. } | Machine::Boot if !s.out[zone] => {
                    next.machines[at] = Machine::Dark;
                    self.renew(&mut next, at);
                }
                _ => {}
            }
        }
        let mean = if s.out[zone] { "zone_mttr_h" } else { "zone_mtbf_h" };
        hear(1.0 / number(&self.p[mean]), next);
    }

    fn seat_moves(&self, s: &State, hear: &mut dyn FnMut(f64, State)) {
        let nodes: Vec<usize> = (0..self.servers).filter(|at| self.usable(s, *at)).collect();
        let first: Vec<usize> = self.usable_balancers(s).into_iter().take(1).collect();
        let laws = [&self.election, &self.vip, &self.takeover];
        let winners = [self.voters(s), first, nodes];
        for (which, (law, winners)) in laws.into_iter().zip(winners).enumerate() {
            let seat = [s.leader, s.vip, s.lease][which];
            let (Seat::Taking(stage), Some(law)) = (seat, law) else { continue };
            let mut turn = |seat: Seat, rate: f64| {
                let mut next = s.clone();
                *[&mut next.leader, &mut next.vip, &mut next.lease][which] = seat;
                hear(rate, next);
            };
            let stages = &law[0].1;
            if stage + 1 < stages.len() {
                turn(Seat::Taking(stage + 1), stages[stage]);
                continue;
            }
            let each = stages[stage] / winners.len() as f64;
            for winner in winners {
                turn(Seat::Held(winner), each);
            }
        }
    }

    fn rotation_moves(&self, s: &State, hear: &mut dyn FnMut(f64, State)) {
        let Some(detection) = self.p.get("lb_detection") else { return };
        for at in 0..self.servers {
            let healthy = self.serves(s, at);
            if healthy != s.rotation[at] {
                let mut next = s.clone();
                next.rotation[at] = healthy;
                let law = &detection[if healthy { "rise" } else { "fall" }];
                hear(3600.0 / number(&law["mean_s"]), next);
            }
        }
    }

    /// The answers; `None` beyond so many states.
    pub(crate) fn solve(&self, most: usize) -> Option<Solved> {
        let start = self.settle(self.start());
        let mut known = BTreeMap::from([(start.clone(), 0)]);
        let mut states = vec![start];
        let mut rates: Vec<(usize, usize, f64)> = Vec::new();
        let mut from = 0;
        while from < states.len() {
            let state = states[from].clone();
            let mut hear = |rate: f64, next: State| {
                let next = self.settle(next);
                let to = *known.entry(next).or_insert_with_key(|next| {
                    states.push(next.clone());
                    states.len() - 1
                });
                rates.push((from, to, rate));
            };
            (0..self.kinds.len()).for_each(|at| self.machine_moves(&state, at, &mut hear));
            self.process_moves(&state, &mut hear);
            (0..self.zones).for_each(|zone| self.zone_moves(&state, zone, &mut hear));
            self.seat_moves(&state, &mut hear);
            self.rotation_moves(&state, &mut hear);
            from += 1;
            if states.len() > most {
                return None;
            }
        }
        let levels: Vec<Levels> = states.iter().map(|state| self.levels(state)).collect();
        let shares = long_run(states.len(), &rates);
        let services = std::array::from_fn(|at| {
            let up: Vec<bool> = levels.iter().map(|level| level.up[at]).collect();
            service(&up, &rates, &shares)
        });
        let loss = levels.iter().zip(&shares).map(|(level, share)| (1.0 - level.served) * share);
        Some(Solved { states: states.len(), services, loss: loss.sum() })
    }
}

fn matrix(states: usize, rates: &[(usize, usize, f64)]) -> Vec<Vec<f64>> {
    let mut rows = vec![vec![0.0; states]; states];
    for (from, to, rate) in rates.iter().filter(|(from, to, _)| from != to) {
        rows[*from][*to] += rate;
    }
    rows
}

/// The share of time in each state, by elimination from the last state on; nothing is subtracted
/// (Grassmann, Taksar and Heyman 1985).
fn long_run(states: usize, rates: &[(usize, usize, f64)]) -> Vec<f64> {
    let mut rows = matrix(states, rates);
    for last in (1..states).rev() {
        let out: f64 = rows[last][..last].iter().sum();
        let (before, after) = rows.split_at_mut(last);
        for row in before {
            row[last] /= out;
            let weight = row[last];
            if weight > 0.0 {
                row.iter_mut().zip(&after[0][..last]).for_each(|(a, b)| *a += weight * b);
            }
        }
        (0..last).for_each(|at| rows[at][at] = 0.0);
    }
    let mut shares = vec![1.0];
    while shares.len() < states {
        let into = rows.iter().map(|row| row[shares.len()]);
        shares.push(shares.iter().zip(into).map(|(share, rate)| share * rate).sum());
    }
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// Unavailability, outages a year, mean hours from the start to the first outage.
fn service(up: &[bool], rates: &[(usize, usize, f64)], shares: &[f64]) -> [f64; 3] {
    let down: f64 = shares.iter().zip(up).filter(|(_, up)| !**up).map(|(share, _)| share).sum();
    let falls = rates.iter().filter(|(from, to, _)| up[*from] && !up[*to]);
    let falls: f64 = falls.map(|(from, _, rate)| shares[*from] * rate).sum();
    [down, falls * 8760.0, first_outage(up, rates)]
}

fn first_outage(up: &[bool], rates: &[(usize, usize, f64)]) -> f64 {
    let places: Vec<usize> = (0..up.len()).filter(|at| up[*at]).collect();
    let place = |state: usize| places.binary_search(&state).ok();
    let inner: Vec<(usize, usize, f64)> = rates
        .iter()
        .filter_map(|(from, to, rate)| Some((place(*from)?, place(*to)?, *rate)))
        .collect();
    let mut rows = matrix(places.len(), &inner);
    let (mut end, mut time) = (vec![0.0; places.len()], vec![1.0; places.len()]);
    for (from, _, rate) in rates.iter().filter(|(from, to, _)| up[*from] && !up[*to]) {
        end[place(*from).expect("it is up")] += rate;
    }
    for last in (1..places.len()).rev() {
        let out = end[last] + rows[last][..last].iter().sum::<f64>();
        for from in 0..last {
            let weight = rows[from][last] / out;
            if weight > 0.0 {
                for to in (0..last).filter(|to| *to != from) {
                    rows[from][to] += weight * rows[last][to];
                }
                end[from] += weight * end[last];
                time[from] += weight * time[last];
            }
        }
    }
    time[0] / end[0]
}
