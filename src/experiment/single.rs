//! One run of a plan from its beginning to its end.

use crate::component::view::Surroundings;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::measure::{Case, Findings, History, Watch};
use crate::plan::Plan;
use crate::world::World;

/// How things stood at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The moment.
    pub at: Time,
    /// Facts, processes, machines and the network then.
    pub all: Surroundings,
}

/// A finished run.
#[derive(Debug)]
pub struct Run<'p> {
    plan: &'p Plan,
    world: World<'p>,
    watch: Watch,
    snapshots: Vec<Snapshot>,
    end: Surroundings,
    seed: u64,
    trial: u64,
}

impl<'p> Run<'p> {
    /// Runs trial `trial` of a plan under `seed` to the plan's end, and keeps how things stood at
    /// each of `moments` (from time 0; those after the end are left out).
    pub fn of(plan: &'p Plan, seed: u64, trial: u64, moments: &[Duration]) -> Self {
        Self::played(plan, Key::new(seed, trial), (seed, trial), moments)
    }

    /// Runs a plan with these draws, which belong to a trial of a seed.
    pub fn of_key(plan: &'p Plan, key: Key, of: (u64, u64)) -> Self {
        Self::played(plan, key, of, &[])
    }

    fn played(plan: &'p Plan, key: Key, (seed, trial): (u64, u64), moments: &[Duration]) -> Self {
        let mut watch = Watch::new(plan);
        let mut world = World::new(plan, key);
        world.begin_run(&mut watch);
        let mut moments: Vec<Duration> =
            moments.iter().copied().filter(|m| *m <= plan.until).collect();
        moments.sort_unstable();
        moments.dedup();
        let mut snapshots = Vec::with_capacity(moments.len());
        for moment in moments {
            let at = Time::at(moment);
            world.run_until(at, &mut watch);
            snapshots.push(Snapshot { at, all: world.asked() });
        }
        world.run_until(Time::at(plan.until), &mut watch);
        let end = world.asked();
        Self { plan, world, watch, snapshots, end, seed, trial }
    }

    /// The run as measures look at it.
    pub fn case(&self) -> Case<'_> {
        Case { end: &self.end, ..Case::of(&self.world, self.plan, self.watch.history()) }
    }

    /// The run as it stood at a moment that was asked for.
    pub fn case_at<'a>(&'a self, snapshot: &'a Snapshot) -> Case<'a> {
        Case { end: &snapshot.all, until: snapshot.at, ..self.case() }
    }

    /// What was observed.
    pub fn history(&self) -> &History {
        self.watch.history()
    }

    /// Everything that is measured on the run.
    pub fn findings(&self) -> Findings {
        Findings::of(&self.case())
    }

    /// How things stood at the moments asked for, in order of time.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// The seed of its draws.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Which trial of that seed.
    pub fn trial(&self) -> u64 {
        self.trial
    }

    /// The world at the end.
    pub fn world(&self) -> &World<'p> {
        &self.world
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::fact::Fact;
    use crate::scenario::load::load_text;

    fn indices(all: &Surroundings) -> Vec<u64> {
        let index = |fact: &Fact| match fact {
            Fact::Etcd(fact) => Some(fact.index),
            _ => None,
        };
        all.facts.iter().filter_map(index).collect()
    }

    /// Law: somebody who asks an idle cluster sees its raft index grow with the writes that nobody
    /// simulates: two Leases each 2 s, three node Leases each 10 s.
    #[test]
    fn an_idle_index_grows() {
        let text =
            r#"{ "apiVersion": "hasim/v1", "kind": "Scenario", "run": { "until": "200s" } }"#;
        let plan = load_text("idle.json", text).plan.expect("a plan");
        let moment = Duration::from_secs(100);
        let run = Run::of(&plan, 1, 0, &[moment]);
        let (middle, end) = (indices(&run.snapshots()[0].all), indices(run.case().end));
        for (before, after) in middle.iter().zip(&end) {
            // 100 s: at most 2 · 50 + 3 · 10 writes and one more of each writer; a renewal takes a
            // few milliseconds beside its period, and a kubelet waits up to 4 % longer.
            assert!((120..=135).contains(&(after - before)), "{before} {after}");
        }
        assert_eq!(middle.len(), 3);
    }
}
