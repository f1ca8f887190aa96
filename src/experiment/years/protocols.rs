//! A trial in which protocols run by their own timers: the failure process over the years, and a
//! world for each incident.
//!
//! A world begins settled, with phases from their stationary laws; who led at the end of the last
//! incident leads at the beginning of the next. Its draws are named by the instant of its first
//! failure, so that one more incident elsewhere changes none of them.

use super::incident::{Incident, QUIET, Walk, in_trial};
use super::laws;
use super::ledger::{Spell, YearRow};
use crate::component::id::ComponentId;
use crate::component::view::ProcessState;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::measure::Case;
use crate::measure::history::{History, Track, Watch};
use crate::plan::Plan;
use crate::plan::service::Service;
use crate::reliability::ideal::Measure;
use crate::world::World;
use crate::world::remains::Remains;

/// The service behind a measure; [`Measure::EtcdMajority`] has none.
fn service(measure: Measure) -> Option<Service> {
    match measure {
        Measure::Endpoint => Some(Service::Endpoint),
        Measure::ApiReadCached => Some(Service::ApiReadCached),
        Measure::ApiRead => Some(Service::ApiRead),
        Measure::ApiWrite => Some(Service::ApiWrite),
        Measure::EtcdQuorum => Some(Service::EtcdQuorum),
        Measure::EtcdMajority => None,
        Measure::Scheduling => Some(Service::Scheduling),
        Measure::Reconciliation => Some(Service::Reconciliation),
    }
}

/// The incidents of a trial with the worlds that play them.
#[derive(Debug)]
pub struct Incidents<'p> {
    walk: Walk<'p>,
    key: Key,
    quiet: Duration,
    span: Duration,
    /// The plan of the present incident.
    plan: Plan,
}

impl<'p> Incidents<'p> {
    /// Those of one trial. A new incident begins after `quiet` without trouble; [`Duration::MAX`]
    /// makes the whole trial one world.
    pub fn new(plan: &'p Plan, key: Key, span: Duration, quiet: Duration) -> Self {
        Self { walk: Walk::new(plan, key, span), key, quiet, span, plan: plan.clone() }
    }

    /// Plays the next one. `play` gets its plan, its draws, and says whether its world settled; if
    /// not, it gets more of the same incident. `None`: there is no more.
    pub fn next(&mut self, mut play: impl FnMut(&mut Plan, Key, &Incident) -> bool) -> Option<()> {
        let mut quiet = self.quiet;
        let mut incident = self.walk.next(quiet)?;
        loop {
            incident.put_into(&mut self.plan);
            let whole = incident.end >= self.span.as_nanos();
            if play(&mut self.plan, self.key.part(incident.start), &incident) || whole {
                return Some(());
            }
            quiet = quiet.saturating_add(quiet);
            self.walk.extend(&mut incident, quiet);
        }
    }

    /// Steps of the failure process so far.
    pub fn events(&self) -> u64 {
        self.walk.events
    }
}

/// One trial of so long.
pub fn trial(plan: &Plan, key: Key, span: Duration) -> YearRow {
    trial_in_parts(plan, key, span, QUIET)
}

/// The same with worlds parted by that long without trouble.
pub fn trial_in_parts(plan: &Plan, key: Key, span: Duration, quiet: Duration) -> YearRow {
    let mut row = YearRow { span: span.as_nanos(), ..YearRow::default() };
    let mut incidents = Incidents::new(plan, key, span, quiet);
    let end = span.as_nanos();
    let mut remains = Remains::default();
    let mut act = |plan: &mut Plan, key: Key, incident: &Incident| {
        let mut watch = Watch::of_levels(plan);
        let mut world = World::after(std::mem::take(&mut remains), plan, key);
        world.begin_run(&mut watch);
        world.run_until(Time::at(plan.until), &mut watch);
        let settled = is_settled(plan, &world, watch.history());
        let counts = settled || incident.end >= end;
        if counts {
            row.steps += world.steps();
            row.incidents += 1;
            add(&mut row, incident, watch.history());
        }
        let leaders = Case::of(&world, plan, watch.history()).leaders();
        remains = world.into_remains();
        if counts {
            plan.leaders.named = leaders;
        }
        settled
    };
    while incidents.next(&mut act).is_some() {}
    row.events = incidents.events();
    row
}

/// Whether every process that belongs to the cluster runs and every service serves everybody.
pub(super) fn is_settled(plan: &Plan, world: &World, history: &History) -> bool {
    let all = world.surroundings();
    let runs = |id: ComponentId| {
        all.processes[id.index()].state == ProcessState::Running || plan.unjoined.contains(&id)
    };
    let serves = |track: &Track| {
        track.service == Service::Workload || track.steps.last().is_some_and(|s| s.share.is_all())
    };
    plan.map.components().all(|(id, _)| runs(id)) && history.tracks.iter().all(serves)
}

/// Adds what the world of an incident showed to the row.
pub(super) fn add(row: &mut YearRow, incident: &Incident, history: &History) {
    for (measure, spell) in Measure::ALL.into_iter().zip(&mut row.measures) {
        match service(measure).and_then(|service| history.track(service)) {
            Some(track) => add_track(spell, incident, track, measure),
            None => add_levels(spell, incident, measure),
        }
    }
}

fn add_track(spell: &mut Spell, incident: &Incident, track: &Track, measure: Measure) {
    for (at, step) in track.steps.iter().enumerate() {
        let next = track.steps.get(at + 1).map(|next| in_trial(incident, next.at));
        let (from, to) = (in_trial(incident, step.at), next.unwrap_or(incident.end));
        if step.share.is_none() {
            outage(spell, incident, measure, from, to);
        } else {
            spell.unserved += laws::lost(step.share.as_f64(), to - from);
        }
    }
}

/// What is a matter of the failure process alone.
fn add_levels(spell: &mut Spell, incident: &Incident, measure: Measure) {
    let mut began = None;
    for moment in &incident.moments {
        let up = moment.levels >> measure as u8 & 1 == 1;
        if up && let Some(from) = began.take() {
            outage(spell, incident, measure, from, moment.at);
        } else if !up {
            began.get_or_insert(moment.at);
        }
    }
    if let Some(from) = began {
        outage(spell, incident, measure, from, incident.end);
    }
}

fn outage(spell: &mut Spell, incident: &Incident, measure: Measure, from: u64, to: u64) {
    spell.outages += 1;
    spell.first.get_or_insert(from);
    spell.end(Some(from), to);
    let mut at = from;
    for (place, moment) in incident.moments.iter().enumerate() {
        let next = incident.moments.get(place + 1).map_or(to, |next| next.at.min(to));
        if next > at {
            spell.reasons[moment.reasons[measure as usize] as usize] += next - at;
            at = next;
        }
    }
}
