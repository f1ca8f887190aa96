//! A leader-elected instance, kube-scheduler or kube-controller-manager: starts, stands for its Lease,
//! warms up after it has won, acts, and ends when the Lease is lost.
//!
//! The two differ in options and in what they do while they act (see `Work`).
//!
//! Absent on purpose: the work itself. A fact says whether it is being done.

mod params;
mod work;

pub(crate) use params::{candidate_params, kept};

use super::lease::{Election, Elector, FREE_DRAW, Kubeconfig, Path, Verdict};
use super::workload::Shared;
use crate::component::effects::ExitStatus;
use crate::component::fact::CandidateFact;
use crate::component::mail::Mail;
use crate::component::record::Record;
use crate::component::{
    Alarm, Blame, Body, Cause, Component, ComponentId, Effects, Fact, Lever, Map, View,
};
use crate::kernel::law::Law;
use crate::kernel::time::{Duration, Time};
pub(super) use work::{Controllers, Work};

/// Purposes of draws beside the elector's.
const STARTUP_DRAW: u32 = FREE_DRAW;
const WARM_UP_DRAW: u32 = FREE_DRAW + 1;

/// Whom an instance deals with.
#[derive(Clone, Debug, PartialEq)]
pub struct Wiring {
    /// The Lease that it competes for.
    pub lease: ComponentId,
    /// The API server on its own machine; where there is none, the one its kubeconfig names.
    pub server: ComponentId,
    /// The address that clients use: [`ComponentId::VIP`], a balancer or an API server.
    pub endpoint: ComponentId,
    /// The API servers in the order of the balancers' backend.
    pub servers: Vec<ComponentId>,
    /// Each node that a controller-manager watches: (kubelet, Node object). Empty for a scheduler.
    pub nodes: Vec<(ComponentId, ComponentId)>,
    /// The workloads that it controls or schedules.
    pub workloads: Shared,
    /// Makes every attempt at the Lease: the twin that shows that laziness is unobservable.
    pub eager: bool,
}

/// What an instance does, whichever program it is.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    pub(super) leader_elect: bool,
    pub(super) election: Election,
    pub(super) kubeconfig: Kubeconfig,
    pub(super) startup: Law,
    pub(super) warm_up: Law,
}

/// The alarms of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateAlarm {
    /// The elector's.
    Election,
    /// It begins to act.
    Warm,
    /// Something is due on the elector's connection.
    Connection,
    /// A piece of the instance's work is due, by its number.
    Work(u16),
}

impl CandidateAlarm {
    /// The alarm of a piece of work.
    pub(super) fn work(number: usize) -> Self {
        Self::Work(u16::try_from(number).unwrap_or(u16::MAX))
    }
}

impl Alarm for CandidateAlarm {
    fn index(self) -> usize {
        match self {
            Self::Election => 0,
            Self::Warm => 1,
            Self::Connection => 2,
            Self::Work(number) => 3 + usize::from(number),
        }
    }

    fn at_index(index: usize) -> Self {
        match index {
            0 => Self::Election,
            1 => Self::Warm,
            2 => Self::Connection,
            _ => Self::Work(u16::try_from(index - 3).unwrap_or(u16::MAX)),
        }
    }
}

type Fx<'a, 'b> = &'a mut Effects<'b, CandidateAlarm>;

/// A leader-elected instance.
#[derive(Clone, Debug)]
pub struct Candidate {
    lease: ComponentId,
    habits: Habits,
    elector: Elector<CandidateAlarm>,
    work: Work,
    running: bool,
    warm: bool,
    stopping: bool,
    fact: CandidateFact,
}

impl Candidate {
    pub(super) fn new(me: ComponentId, habits: Habits, wiring: &Wiring, work: Work) -> Self {
        let target = match habits.kubeconfig {
            Kubeconfig::Local => wiring.server,
            Kubeconfig::Endpoint => wiring.endpoint,
        };
        let path = Path { target, servers: wiring.servers.clone(), over: None };
        let alarms = (CandidateAlarm::Election, CandidateAlarm::Connection);
        let elector =
            Elector::new(me, wiring.lease, habits.election, path, alarms).eager(wiring.eager);
        Self {
            lease: wiring.lease,
            habits,
            elector,
            work,
            running: false,
            warm: false,
            stopping: false,
            fact: CandidateFact::default(),
        }
    }

    fn leads(&self) -> bool {
        self.running && (!self.habits.leader_elect || self.elector.leads())
    }

    fn settle(&mut self, view: &View, fx: Fx) {
        self.running = true;
        if self.habits.leader_elect {
            self.elector.settle(view, fx);
        }
        self.warm = self.leads();
        if self.warm {
            self.work.settle(self.elector.path(), view, fx);
        }
    }

    fn boot(&mut self, view: &View, fx: Fx) {
        self.running = true;
        let startup = self.habits.startup.sample(&mut fx.draw(STARTUP_DRAW));
        if self.habits.leader_elect {
            self.elector.boot(view.now + startup, view, fx);
        } else {
            let warm_up = self.habits.warm_up.sample(&mut fx.draw(WARM_UP_DRAW));
            let blame = Blame::of("start of the process", startup).and("warm-up", warm_up);
            fx.set(CandidateAlarm::Warm, view.now + startup + warm_up, blame);
        }
    }

    fn ring(&mut self, alarm: CandidateAlarm, view: &View, fx: Fx) {
        match alarm {
            CandidateAlarm::Election => {
                let verdict = self.elector.ring(view, fx);
                self.heed(verdict, view, fx);
            }
            CandidateAlarm::Connection => {
                let verdict = self.elector.ring_link(view, fx);
                self.heed(verdict, view, fx);
            }
            CandidateAlarm::Warm => {
                self.warm = true;
                self.work.begin(self.elector.path(), view, fx);
            }
            CandidateAlarm::Work(number) => {
                self.work.ring(usize::from(number), self.elector.path(), view, fx);
            }
        }
    }

    fn hear(&mut self, mail: &Mail, view: &View, fx: Fx) {
        let verdict = match &mail.body {
            Body::Reply(reply) => self.elector.reply(reply, mail.from, view, fx),
            Body::Broken(id) => self.elector.broken(*id, view, fx),
            Body::GoAway(id) => {
                self.elector.going_away(*id, view, fx);
                Verdict::Nothing
            }
            _ => return,
        };
        self.heed(verdict, view, fx);
        if !matches!(mail.body, Body::Reply(_)) {
            self.work.look(self.elector.path(), view, fx);
        }
    }

    fn heed(&mut self, verdict: Verdict, view: &View, fx: Fx) {
        match verdict {
            Verdict::Nothing => {}
            Verdict::Won(began) => {
                let warm_up = self.habits.warm_up.sample(&mut fx.draw(WARM_UP_DRAW));
                let left = (began + warm_up).saturating_since(view.now);
                fx.set_after(CandidateAlarm::Warm, left, "warm-up");
            }
            Verdict::Lost => fx.exit(ExitStatus::Fatal("leaderelection lost")),
            Verdict::Released => fx.exit(ExitStatus::Clean),
        }
    }

    fn pull(&mut self, lever: Lever, view: &View, fx: Fx) {
        match lever {
            Lever::Kill | Lever::PowerLoss => {
                self.elector.end(view, fx);
                self.running = false;
                self.warm = false;
                self.stopping = false;
                self.work.end();
            }
            Lever::Stop => {
                self.stopping = true;
                let verdict = self.elector.stop(view, fx);
                self.heed(verdict, view, fx);
            }
            Lever::Pause => self.elector.pause(view, fx),
            Lever::Resume => self.resume(view, fx),
            Lever::Expire => {
                self.elector.look(view, fx);
                self.work.look(self.elector.path(), view, fx);
            }
            Lever::ClockRate(_) => self.elector.clock_changed(view, fx),
            Lever::StallDisk
            | Lever::FreeDisk
            | Lever::SlowDisk(_)
            | Lever::Space(_)
            | Lever::WipeData
            | Lever::Carrier(_)
            | Lever::KillChild
            | Lever::Membership(..)
            | Lever::Restore(_)
            | Lever::ForceNewCluster => {}
        }
    }

    /// A leader that slept goes on with what it was about to do before it looks at the Lease.
    fn resume(&mut self, view: &View, fx: Fx) {
        self.elector.resume(view, fx);
        self.work.look(self.elector.path(), view, fx);
        if self.fact.acting {
            fx.record(Record::Acted { surplus: self.is_surplus(view) });
        }
    }

    /// Whether another process holds the Lease.
    fn is_surplus(&self, view: &View) -> bool {
        let incarnation = view.process(view.me).incarnation;
        self.habits.leader_elect
            && view.lease(self.lease).and_then(|lease| lease.holder).is_some_and(|holder| {
                holder.component != view.me || holder.incarnation != incarnation
            })
    }

    fn publish(&mut self, view: &View, fx: Fx) {
        let leading = self.leads() && !self.stopping;
        let acting = leading && self.warm && self.elector.path().look(view).write.works();
        let fact = CandidateFact { leading, acting };
        if acting && !self.fact.acting && view.now > Time::START {
            fx.record(Record::Acted { surplus: self.is_surplus(view) });
        }
        self.fact = fact;
        fx.publish(if self.running { Fact::Candidate(fact) } else { Fact::Absent });
    }
}

impl Component for Candidate {
    type Alarm = CandidateAlarm;

    const LOOKS_AT_ALL: bool = true;

    fn alarms(&self) -> usize {
        3 + self.work.alarms()
    }

    fn watches(&self, map: &Map) -> Vec<ComponentId> {
        let mut watched = self.elector.path().watches(map);
        watched.push(self.lease);
        watched.extend(self.work.watches());
        watched
    }

    fn on(&mut self, cause: Cause<CandidateAlarm>, view: &View, fx: Fx) {
        match cause {
            Cause::Settle => self.settle(view, fx),
            Cause::Boot => self.boot(view, fx),
            Cause::Alarm(alarm) => self.ring(alarm, view, fx),
            Cause::Saw(_) => {
                self.elector.look(view, fx);
                self.work.look(self.elector.path(), view, fx);
            }
            Cause::Mail(mail) => self.hear(&mail, view, fx),
            Cause::Lever(lever) => self.pull(lever, view, fx),
        }
        self.publish(view, fx);
    }
}

/// The law of a span that lies evenly between two, in milliseconds.
pub(crate) fn between(from: u64, to: u64) -> Law {
    Law::Uniform { from: Duration::from_millis(from), to: Duration::from_millis(to) }
}
