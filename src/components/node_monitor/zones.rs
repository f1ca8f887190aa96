//! Zones: how badly each is disrupted, and which silent node may be tainted when.
//!
//! Each zone has a queue of nodes and a bucket of one token. The queue is looked at every 100 ms; none
//! of these looks is simulated, the one that finds both a node and a token follows by arithmetic.
//!
//! Up to Kubernetes 1.20 every pass pushed a node that still waited once more, and these duplicates
//! take tokens too. They are not stored one by one: a node has entries from one pass to another.
//!
//! Absent on purpose: taints and conditions, which are the caller's.

use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};

/// How often the queues are looked at. Kubernetes: `scheduler.NodeEvictionPeriod`.
pub(super) const POLL: Duration = Duration::from_millis(100);

/// Fewer unready nodes than this never make a partial disruption. Kubernetes: `ComputeZoneState`.
const UNREADY_FOR_PARTIAL: usize = 3;

/// How fast nodes may be tainted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// From one node to the next in an ordinary zone; `None`: never.
    pub normal: Option<Duration>,
    /// The same in a large zone with a partial disruption.
    pub secondary: Option<Duration>,
    /// From which share of unready nodes a zone is partially disrupted.
    pub unhealthy_threshold: f64,
    /// Up to this many nodes a zone is small: partially disrupted, nothing in it is tainted.
    pub large_cluster: u32,
    /// Each pass pushes nodes that still wait once more.
    pub duplicates: bool,
}

/// How badly a zone is disrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// No pass has judged it yet.
    Initial,
    Normal,
    Partial,
    Full,
}

/// What a pass has to do for all nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    GoOn,
    /// No node of any zone is ready: whoever judges may be the one that is cut off. All taints go.
    StopAll,
    /// Some node is ready again: the grace of every node begins anew.
    StartAnew,
}

/// A bucket of one token.
#[derive(Clone, Copy, Debug)]
struct Limiter {
    gap: Option<Duration>,
    /// From when on the token is there.
    token: Time,
}

impl Limiter {
    /// Another rate: an empty bucket stays empty.
    fn swap(&mut self, gap: Option<Duration>, now: Time) {
        if self.gap == gap {
            return;
        }
        let empty = self.gap.is_none() || self.token > now;
        let wait = gap.filter(|_| empty).unwrap_or(Duration::ZERO);
        *self = Limiter { gap, token: now + wait };
    }
}

/// The entries of a node: one at `next`, then one each pass up to `last`.
#[derive(Clone, Copy, Debug)]
struct Entries {
    next: Time,
    /// `None`: they go on.
    last: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct Zone {
    mode: Mode,
    limiter: Limiter,
}

/// All zones of one instance.
#[derive(Clone, Debug)]
pub(super) struct Zones {
    rates: Rates,
    /// Between passes.
    period: Duration,
    polls: Cadence,
    all: Vec<Zone>,
    /// The zone of each node.
    of: Vec<usize>,
    entries: Vec<Option<Entries>>,
}

impl Zones {
    /// Zones of which nothing is known; `of`: the zone of each node.
    pub(super) fn new(rates: Rates, period: Duration, polls: Cadence, of: Vec<usize>) -> Self {
        let limiter = Limiter { gap: rates.normal, token: Time::ZERO };
        let count = of.iter().max().map_or(0, |most| most + 1);
        let all = vec![Zone { mode: Mode::Initial, limiter }; count];
        Self { rates, period, polls, all, entries: vec![None; of.len()], of }
    }

    /// Judges the zones at the end of a pass; `ready`: each node's condition by then.
    pub(super) fn judge(&mut self, now: Time, ready: &[bool]) -> Verdict {
        let new: Vec<(Mode, usize)> = (0..self.all.len()).map(|z| self.mode(z, ready)).collect();
        let are_full = new.iter().all(|(mode, _)| *mode == Mode::Full);
        let were_full = self.all.iter().all(|zone| zone.mode == Mode::Full);
        if are_full {
            for zone in &mut self.all {
                zone.limiter.swap(None, now);
                zone.mode = Mode::Full;
            }
            return if were_full { Verdict::GoOn } else { Verdict::StopAll };
        }
        let rates = self.rates;
        for (zone, (mode, size)) in self.all.iter_mut().zip(new) {
            if were_full || zone.mode != mode {
                zone.limiter.swap(rates.gap(mode, size), now);
                zone.mode = mode;
            }
        }
        if were_full { Verdict::StartAnew } else { Verdict::GoOn }
    }

    fn mode(&self, zone: usize, ready: &[bool]) -> (Mode, usize) {
        let members = || self.of.iter().zip(ready).filter(|(of, _)| **of == zone);
        let size = members().count();
        let unready = members().filter(|(_, ready)| !**ready).count();
        let share = unready as f64 / size.max(1) as f64;
        let mode = if unready > 0 && unready == size {
            Mode::Full
        } else if unready >= UNREADY_FOR_PARTIAL && share >= self.rates.unhealthy_threshold {
            Mode::Partial
        } else {
            Mode::Normal
        };
        (mode, size)
    }

    /// Whether a node has been pushed.
    pub(super) fn awaits(&self, node: usize) -> bool {
        self.entries[node].is_some()
    }

    /// A pass pushes a node that is silent and not tainted.
    pub(super) fn push(&mut self, node: usize, pass: Time) {
        let last = (!self.rates.duplicates).then_some(pass);
        self.entries[node].get_or_insert(Entries { next: pass, last });
    }

    /// A node is ready again: it is forgotten.
    pub(super) fn remove(&mut self, node: usize) {
        self.entries[node] = None;
    }

    /// The first node of a zone's queue, and the look that finds it together with a token.
    fn head(&self, zone: usize) -> Option<(Time, usize)> {
        let limiter = self.all[zone].limiter;
        limiter.gap?;
        let waiting = self.of.iter().zip(&self.entries).enumerate();
        let of_zone = waiting.filter(|(_, (of, _))| **of == zone);
        let pushed = of_zone.filter_map(|(node, (_, e))| Some((e.as_ref()?.next, node)));
        let (next, node) = pushed.min()?;
        Some((self.polls.first_at_or_after(next.max(limiter.token)), node))
    }

    /// When the next node is taken from a queue, and which.
    pub(super) fn next(&self) -> Option<(Time, usize)> {
        (0..self.all.len()).filter_map(|zone| self.head(zone)).min()
    }

    /// The look at `now` takes a node and the token. `pass`: the last pass so far, after which a node
    /// that is tainted now is pushed no more.
    pub(super) fn take(&mut self, node: usize, now: Time, pass: Time) {
        let limiter = &mut self.all[self.of[node]].limiter;
        limiter.token = limiter.gap.map_or(Time::NEVER, |gap| now + gap);
        let Some(entries) = &mut self.entries[node] else { return };
        let last = *entries.last.get_or_insert(pass);
        entries.next += self.period;
        if entries.next > last {
            self.entries[node] = None;
        }
    }
}

impl Rates {
    fn gap(&self, mode: Mode, size: usize) -> Option<Duration> {
        let large = u32::try_from(size).unwrap_or(u32::MAX) > self.large_cluster;
        match mode {
            Mode::Partial if large => self.secondary,
            Mode::Partial => None,
            _ => self.normal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PERIOD: Duration = Duration::from_secs(5);
    const ORDINARY: Rates = Rates {
        normal: Some(Duration::from_secs(10)),
        secondary: Some(Duration::from_secs(100)),
        unhealthy_threshold: 0.55,
        large_cluster: 50,
        duplicates: false,
    };

    /// Every pass and every look made: what the lazy queues must be indistinguishable from.
    struct Eager {
        rates: Rates,
        of: Vec<usize>,
        modes: Vec<Mode>,
        limiters: Vec<Limiter>,
        /// Each zone's queue in order.
        queues: Vec<Vec<(Time, usize)>>,
        tainted: Vec<bool>,
    }

    impl Eager {
        fn new(rates: Rates, of: &[usize]) -> Self {
            let zones = of.iter().max().unwrap() + 1;
            let limiter = Limiter { gap: rates.normal, token: Time::ZERO };
            Self {
                rates,
                of: of.to_vec(),
                modes: vec![Mode::Initial; zones],
                limiters: vec![limiter; zones],
                queues: vec![Vec::new(); zones],
                tainted: vec![false; of.len()],
            }
        }

        fn pass(&mut self, now: Time, before: &[bool], ready: &[bool]) {
            for (node, was_ready) in before.iter().enumerate() {
                let queue = &mut self.queues[self.of[node]];
                let known = queue.iter().any(|(_, n)| *n == node);
                if *was_ready {
                    queue.retain(|(_, n)| *n != node);
                    self.tainted[node] = false;
                } else if !self.tainted[node] && (self.rates.duplicates || !known) {
                    queue.push((now, node));
                }
            }
            self.disrupt(now, ready);
        }

        fn disrupt(&mut self, now: Time, ready: &[bool]) {
            let counts = |zone: usize| {
                let of_zone = self.of.iter().zip(ready).filter(move |(of, _)| **of == zone);
                let good = of_zone.clone().filter(|(_, ready)| **ready).count();
                (good, of_zone.count() - good)
            };
            let judge = |(good, bad): (usize, usize)| match (good, bad) {
                (0, 1..) => Mode::Full,
                _ if bad > 2 && bad as f64 / (good + bad) as f64 >= 0.55 => Mode::Partial,
                _ => Mode::Normal,
            };
            let counts: Vec<_> = (0..self.modes.len()).map(counts).collect();
            let new: Vec<Mode> = counts.iter().map(|c| judge(*c)).collect();
            let are = new.iter().all(|mode| *mode == Mode::Full);
            let were = self.modes.iter().all(|mode| *mode == Mode::Full);
            for (zone, mode) in new.into_iter().enumerate() {
                let small = counts[zone].0 + counts[zone].1 <= 50;
                let gap = match mode {
                    _ if are => None,
                    Mode::Partial if small => None,
                    Mode::Partial => self.rates.secondary,
                    _ => self.rates.normal,
                };
                if (are && !were) || (!are && (were || self.modes[zone] != mode)) {
                    self.limiters[zone].swap(gap, now);
                }
                self.modes[zone] = mode;
            }
            if are && !were {
                for queue in &mut self.queues {
                    queue.retain(|(_, node)| !self.tainted[*node]);
                }
                self.tainted.fill(false);
            }
        }

        fn look(&mut self, now: Time) -> Vec<usize> {
            let mut taken = Vec::new();
            for (queue, limiter) in self.queues.iter_mut().zip(&mut self.limiters) {
                while let Some((_, node)) = queue.first().copied() {
                    let Some(gap) = limiter.gap.filter(|_| limiter.token <= now) else { break };
                    limiter.token = now + gap;
                    queue.remove(0);
                    if !self.tainted[node] {
                        self.tainted[node] = true;
                        taken.push(node);
                    }
                }
            }
            taken
        }
    }

    type Taken = Vec<(Time, usize)>;

    /// `conditions`: each pass's conditions at its end.
    fn eager(rates: Rates, of: &[usize], conditions: &[Vec<bool>], polls: Cadence) -> Taken {
        let mut twin = Eager::new(rates, of);
        let mut taken = Vec::new();
        let mut before = vec![true; of.len()];
        for (number, ready) in conditions.iter().enumerate() {
            let pass = Time::START + PERIOD * number as u64;
            twin.pass(pass, &before, ready);
            before.clone_from(ready);
            let mut look = polls.first_after(pass);
            while look < pass + PERIOD {
                taken.extend(twin.look(look).into_iter().map(|node| (look, node)));
                look = polls.first_after(look);
            }
        }
        taken
    }

    /// The caller's part: passes only where a condition changed or a node is to be pushed.
    fn lazy(rates: Rates, of: &[usize], conditions: &[Vec<bool>], polls: Cadence) -> Taken {
        let mut zones = Zones::new(rates, PERIOD, polls, of.to_vec());
        let mut tainted = vec![false; of.len()];
        let mut taken = Vec::new();
        let mut before = vec![true; of.len()];
        for (number, ready) in conditions.iter().enumerate() {
            let pass = Time::START + PERIOD * number as u64;
            let to_push = |zones: &Zones, tainted: &[bool]| {
                let silent = (0..of.len()).filter(|n| !before[*n] && !tainted[*n]);
                silent.filter(|n| !zones.awaits(*n)).collect::<Vec<_>>()
            };
            let pushed = to_push(&zones, &tainted);
            if number == 0 || before != *ready || !pushed.is_empty() || before.contains(&true) {
                for node in (0..of.len()).filter(|n| before[*n]) {
                    zones.remove(node);
                    tainted[node] = false;
                }
                for node in pushed {
                    zones.push(node, pass);
                }
                if zones.judge(pass, ready) == Verdict::StopAll {
                    for (node, tainted) in tainted.iter_mut().enumerate() {
                        if std::mem::take(tainted) {
                            zones.remove(node);
                        }
                    }
                }
            }
            before.clone_from(ready);
            while let Some((at, node)) = zones.next().filter(|(at, _)| *at < pass + PERIOD) {
                zones.take(node, at, pass);
                if !std::mem::replace(&mut tainted[node], true) {
                    taken.push((at, node));
                }
            }
        }
        taken
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        /// Law: laziness is unobservable: whatever becomes of the nodes, each is tainted at the same
        /// look as if every pass and every look were made.
        #[test]
        fn every_taint_is_that_of_the_eager_twin(
            of in prop::collection::vec(0..3_usize, 1..9),
            flips in prop::collection::vec((0..8_usize, prop::collection::vec(any::<prop::sample::Index>(), 1..6)), 1..12),
            phase in 1..100_u64,
            duplicates: bool,
        ) {
            let of: Vec<usize> = of.iter().map(|zone| zone % (of.iter().max().unwrap() + 1)).collect();
            let used: Vec<usize> = (0..=2).filter(|zone| of.contains(zone)).collect();
            let of: Vec<usize> = of.iter().map(|z| used.iter().position(|u| u == z).unwrap()).collect();
            let mut ready = vec![true; of.len()];
            let mut conditions = Vec::new();
            for (stay, nodes) in &flips {
                conditions.extend(std::iter::repeat_n(ready.clone(), *stay));
                for node in nodes {
                    let at = node.index(of.len());
                    ready[at] = !ready[at];
                }
            }
            conditions.extend(std::iter::repeat_n(ready, 60));
            let polls = Cadence::new(Time::START + Duration::from_millis(phase), POLL);
            let rates = Rates { duplicates, ..ORDINARY };
            let (mut a, mut b) = (lazy(rates, &of, &conditions, polls), eager(rates, &of, &conditions, polls));
            a.sort_unstable();
            b.sort_unstable();
            prop_assert_eq!(a, b);
        }
    }

    fn taints(
        rates: Rates,
        of: &[usize],
        silent: &[(usize, usize)],
        passes: usize,
    ) -> Vec<(u64, usize)> {
        let conditions: Vec<Vec<bool>> = (0..passes)
            .map(|pass| {
                (0..of.len())
                    .map(|n| !silent.iter().any(|(s, at)| *s == n && *at <= pass))
                    .collect()
            })
            .collect();
        let polls = Cadence::new(Time::START, POLL);
        let taken = lazy(rates, of, &conditions, polls);
        taken
            .iter()
            .map(|(at, node)| (at.since(Time::START).as_nanos() / 1_000_000_000, *node))
            .collect()
    }

    /// Law: the first silent node is tainted one pass after its mark, each further one 10 s later.
    #[test]
    fn nodes_are_tainted_ten_seconds_apart() {
        let found = taints(ORDINARY, &[0; 6], &[(0, 1), (1, 1)], 10);
        assert_eq!(found, [(10, 0), (20, 1)]);
    }

    /// Law: of three nodes that fail a pass apart, duplicates in Kubernetes 1.20 delay the last by
    /// another 10 s (measured in two of three trials).
    #[test]
    fn duplicates_take_tokens() {
        let silent = [(0, 1), (1, 1), (2, 2)];
        let old = Rates { duplicates: true, ..ORDINARY };
        assert_eq!(taints(ORDINARY, &[0; 8], &silent, 20), [(10, 0), (20, 1), (30, 2)]);
        assert_eq!(taints(old, &[0; 8], &silent, 20), [(10, 0), (20, 1), (40, 2)]);
    }

    /// Law: from 55 % of at least three silent nodes on, nothing is tainted in a small zone; in a
    /// zone of more than 50 nodes one each 100 s; in a zone without any ready node as usual, as long
    /// as another zone has one; without any ready node at all, nothing.
    #[test]
    fn zones_have_modes() {
        let first = |count: usize| (0..count).map(|n| (n, 1)).collect::<Vec<_>>();
        assert_eq!(taints(ORDINARY, &[0; 4], &first(3), 30), []);
        assert_eq!(taints(ORDINARY, &[0; 3], &first(2), 30), [(10, 0), (20, 1)]);
        let large = taints(ORDINARY, &[0; 60], &first(40), 70);
        assert_eq!(large, [(10, 0), (110, 1), (210, 2), (310, 3)]);
        assert_eq!(taints(ORDINARY, &[0, 0, 1], &first(2), 30), [(10, 0), (20, 1)]);
        assert_eq!(taints(ORDINARY, &[0, 0, 1], &first(3), 30), []);
    }
}
