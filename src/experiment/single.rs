//! One run of a plan from its beginning to its end.

use crate::component::view::Surroundings;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::measure::{Case, Findings, Watch};
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
    seed: u64,
    trial: u64,
}

impl<'p> Run<'p> {
    /// Runs trial `trial` of a plan under `seed` to the plan's end, and keeps how things stood at
    /// each of `moments` (from time 0; those after the end are left out).
    pub fn of(plan: &'p Plan, seed: u64, trial: u64, moments: &[Duration]) -> Self {
        let mut watch = Watch::new(plan);
        let mut world = World::new(plan, Key::new(seed, trial));
        world.begin_run(&mut watch);
        let mut moments: Vec<Duration> =
            moments.iter().copied().filter(|m| *m <= plan.until).collect();
        moments.sort_unstable();
        moments.dedup();
        let mut snapshots = Vec::with_capacity(moments.len());
        for moment in moments {
            let at = Time::at(moment);
            world.run_until(at, &mut watch);
            snapshots.push(Snapshot { at, all: world.surroundings().clone() });
        }
        world.run_until(Time::at(plan.until), &mut watch);
        Self { plan, world, watch, snapshots, seed, trial }
    }

    /// The run as measures look at it.
    pub fn case(&self) -> Case<'_> {
        Case::of(&self.world, self.plan, self.watch.history())
    }

    /// The run as it stood at a moment that was asked for.
    pub fn case_at<'a>(&'a self, snapshot: &'a Snapshot) -> Case<'a> {
        Case { end: &snapshot.all, until: snapshot.at, ..self.case() }
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
