//! Informers: many processes that hold watches on API servers, and come back all at once.
//!
//! Each process has one connection to one server, over whatever stands before the servers, as a
//! kubelet or a controller has it, and makes some requests beside. When a server is lost, its watches
//! are asked for again within seconds at those that are left, which then also have its share of the
//! other requests: the herd. What they turn away comes again a second later.
//!
//! Nothing is simulated while all is well (`quiet`). Absent on purpose: what the informers learn, and
//! the limits that a client sets itself (qps and burst).

mod params;
mod process;
mod quiet;
mod requests;
mod watches;

pub use params::{Asked, InformerParams, PROCESSES_MAX, REFLECTORS_MAX, Users};

use crate::component::fact::Resource;
use crate::component::mail::{Body, Mail, Op};
use crate::component::record::RequestClass;
use crate::component::{
    Blame, Cause, Component, ComponentId, Effects, EventId, Kind, Lever, Map, View,
};
use crate::components::api_server::PROCESS_BITS;
use crate::kernel::time::Time;
use process::{Process, Watch};
use quiet::Ledger;

/// An API server, and what it has for the other requests of these processes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer {
    /// Which.
    pub id: ComponentId,
    /// The seats that they share with others of their kind.
    pub seats: u32,
    /// How long, on average, one keeps its seat, in seconds.
    pub work: f64,
}

/// With whom informers deal.
#[derive(Clone, Debug, PartialEq)]
pub struct Wiring {
    /// Whom they dial: [`ComponentId::VIP`], a balancer, or API servers, of which each process has a
    /// first choice and tries the next when it cannot connect.
    pub targets: Vec<ComponentId>,
    /// The API servers, in the order of the balancers' backend.
    pub servers: Vec<Offer>,
    /// How many of the same seats all other informers take at the worst, on average.
    pub beside: f64,
    /// Every request is simulated: the twin that shows that counting them is unobservable.
    pub eager: bool,
}

/// Purpose of the draws for the server of each process at the start.
const SERVER_DRAW: u32 = 2;

/// The alarms of informers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// A process asks something.
    Arrival,
    /// A line of the book is due; the first is when the paths show.
    Line,
    /// Something is due at a process.
    Process(usize),
}

impl crate::component::Alarm for Alarm {
    fn index(self) -> usize {
        match self {
            Alarm::Arrival => 0,
            Alarm::Line => 1,
            Alarm::Process(at) => 2 + at,
        }
    }

    fn at_index(index: usize) -> Self {
        match index {
            0 => Alarm::Arrival,
            1 => Alarm::Line,
            at => Alarm::Process(at - 2),
        }
    }
}

/// Whether they have begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The program does not run.
    Off,
    /// They have been watching for long; the paths cannot be seen yet.
    Settling,
    /// They begin to watch.
    Starting,
    /// They watch.
    On,
}

/// Many processes with informers.
#[derive(Debug)]
pub struct Informers {
    me: ComponentId,
    params: InformerParams,
    wiring: Wiring,
    /// What they ask beside.
    op: Op,
    phase: Phase,
    processes: Vec<Process>,
    ledger: Ledger,
    /// Since when requests are only counted.
    quiet: Option<Time>,
    /// The event that last changed to whom requests go, and when it was: they come as they do because
    /// of it.
    turn: (EventId, Time),
    /// Their other requests need few seats of every server, as it stands.
    light: bool,
    /// Watches have ended since all of them stood.
    lost: bool,
    serial: u64,
}

impl Informers {
    /// Informers that do not run.
    pub fn new(me: ComponentId, params: &InformerParams, wiring: &Wiring) -> Self {
        let op = match params.class {
            Asked::ReadCached => Op::ReadCached,
            Asked::Read => Op::Read(Resource::Objects),
            Asked::Write => Op::Write(Resource::Objects),
        };
        let to_each = vec![0; wiring.servers.len()];
        Self {
            me,
            params: params.clone(),
            wiring: wiring.clone(),
            op,
            phase: Phase::Off,
            processes: Vec::new(),
            ledger: Ledger { to_each, ..Ledger::default() },
            quiet: None,
            light: false,
            lost: false,
            turn: (EventId::START, Time::START),
            serial: 0,
        }
    }

    /// What they ask beside, as paths know it.
    fn class(&self) -> RequestClass {
        match self.params.class {
            Asked::ReadCached => RequestClass::ReadCached,
            Asked::Read => RequestClass::Read,
            Asked::Write => RequestClass::Write,
        }
    }

    fn process_of(id: u64) -> usize {
        usize::try_from(id & ((1 << PROCESS_BITS) - 1)).unwrap_or(usize::MAX)
    }

    /// Takes up its watches. What the paths are like shows once all facts are out, so the first look is
    /// an alarm of its own.
    fn begin(&mut self, phase: Phase, view: &View, fx: &mut Effects<Alarm>) {
        self.phase = phase;
        let (settings, reflectors) = (self.params.settings(), self.params.reflectors);
        let process = |at| Process::new(settings, reflectors, at as usize);
        self.processes = (0..self.params.processes).map(process).collect();
        fx.set(Alarm::Line, view.now, Blame::default());
    }

    fn first_look(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let settled = self.phase == Phase::Settling;
        self.phase = Phase::On;
        for at in 0..self.processes.len() {
            if settled && self.adopt(at, view, fx) {
                continue;
            }
            for reflector in 0..self.processes[at].reflectors.len() {
                self.ask_for_watch(at, reflector, view);
            }
            self.settle_up(at, view, fx);
        }
        self.turn = (fx.event(), view.now);
        self.begin_arrivals(view, fx);
        self.line(view, fx);
    }

    /// A connection that has been standing for long, with all its watches.
    fn adopt(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) -> bool {
        let id = self.new_call(at);
        let servers: Vec<ComponentId> = self.wiring.servers.iter().map(|offer| offer.id).collect();
        let targets = &self.wiring.targets;
        let process = &mut self.processes[at];
        let target = targets[process.target % targets.len()];
        let mut draw = fx.draw(SERVER_DRAW);
        let stands = process.connection.adopt(id, target, (&servers, None), &mut draw, view, fx);
        if stands {
            for reflector in &mut process.reflectors {
                (reflector.watch, reflector.known) = (Watch::On(id), Some(view.now));
            }
        }
        stands
    }

    /// After anything happened at a process: what waits is sent, and the next alarm is set.
    fn settle_up(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        self.send_waiting(at, view, fx);
        self.plan(at, view, fx);
    }

    /// The processes are gone, and what they waited for with them.
    fn die(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.wake(view, fx);
        let pending: usize = self.processes.iter().map(|process| process.requests.len()).sum();
        self.ledger.timed_out += pending as u64;
        self.processes.clear();
        self.phase = Phase::Off;
    }

    fn lever(&mut self, lever: Lever, view: &View, fx: &mut Effects<Alarm>) {
        match lever {
            Lever::Stop => fx.exit(crate::component::ExitStatus::Clean),
            Lever::Kill | Lever::PowerLoss => self.die(view, fx),
            Lever::Resume => self.review(view, fx),
            Lever::Pause
            | Lever::StallDisk
            | Lever::FreeDisk
            | Lever::SlowDisk(_)
            | Lever::Space(_)
            | Lever::WipeData
            | Lever::ClockRate(_)
            | Lever::Carrier(_)
            | Lever::KillChild
            | Lever::Membership(..)
            | Lever::Restore(_)
            | Lever::Expire
            | Lever::ForceNewCluster => {}
        }
    }
}

impl Component for Informers {
    type Alarm = Alarm;

    const LOOKS_AT_ALL: bool = true;

    fn alarms(&self) -> usize {
        crate::component::Alarm::index(Alarm::Process(self.params.processes as usize))
    }

    fn watches(&self, map: &Map) -> Vec<ComponentId> {
        let mut watched: Vec<ComponentId> = self.wiring.servers.iter().map(|o| o.id).collect();
        watched.extend(map.of_kind(Kind::LoadBalancer).chain(map.address_holders()));
        watched.sort_unstable();
        watched
    }

    fn on(&mut self, cause: Cause<Alarm>, view: &View, fx: &mut Effects<Alarm>) {
        match cause {
            Cause::Settle => self.begin(Phase::Settling, view, fx),
            Cause::Boot => self.begin(Phase::Starting, view, fx),
            Cause::Alarm(Alarm::Arrival) => self.arrive(view, fx),
            Cause::Alarm(Alarm::Line) if self.phase == Phase::On => self.line(view, fx),
            Cause::Alarm(Alarm::Line) => self.first_look(view, fx),
            Cause::Alarm(Alarm::Process(at)) => self.ring(at, view, fx),
            Cause::Saw(_) => self.review(view, fx),
            Cause::Mail(Mail { from, body: Body::Reply(reply) }) => {
                self.hear(from, &reply, view, fx);
            }
            Cause::Mail(Mail { body: Body::Broken(id), .. }) => self.broken(id, view, fx),
            Cause::Mail(Mail { body: Body::GoAway(id), .. }) => self.going_away(id, view, fx),
            Cause::Mail(_) => {}
            Cause::Lever(lever) => self.lever(lever, view, fx),
        }
    }
}
