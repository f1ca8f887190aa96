//! Clients with a stated schedule: one request every `every`, not waiting for earlier ones.
//!
//! While the whole path works and stays as it is, requests are only counted: a record says from when
//! on, and another one how many there were. When anything on the path changes, the requests under way
//! are made real, and so is each further one, until the path works again and all of them have ended.
//! On a path that loses packets for good the next request that losses let fail is drawn (see `losses`).
//! Every request of the schedule is thus served, rejected, given up or still pending.
//!
//! A client that keeps one connection (`long_lived`) repeats reads as client-go does; any other does
//! not repeat a failed request. Absent on purpose: a process to stop at, and rates.

mod choice;
mod lane;
mod long_lived;
mod losses;
mod params;
#[cfg(test)]
mod tests;

use crate::component::fact::{ClientFact, Fact, Renewals, Resource};
use crate::component::mail::{Begun, Body, Call, Mail, Op, Outcome, Reply};
use crate::component::record::{Record, RequestClass, RequestRecord};
use crate::component::{Alarm as _, Blame, Cause, Component, ComponentId, Effects, Kind, Lever, Map, View};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};
use lane::{Lane, Mode, Service};
use long_lived::LongLived;
pub use params::{ClientParams, ConnectionOptions, ConnectionUse, Held};
use std::collections::{BTreeMap, BTreeSet};

/// What a client asks, and of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// What it asks for.
    pub class: RequestClass,
    /// Of which sort of object.
    pub resource: Resource,
    /// To whom: [`ComponentId::VIP`], a balancer, API servers or etcd members. Each has a schedule of
    /// its own, all with the same period.
    pub targets: Vec<ComponentId>,
    /// The targets stand for one service: there is one schedule, and each request goes to one of them.
    pub any: bool,
    /// The targets are the addresses of a DNS name, which is resolved for each connection: any of them
    /// comes first, and each has its part of `dialTimeout`. `any` holds then.
    pub dns: bool,
    /// All requests share one connection that stays; there is one target then, or `any`.
    pub held: Option<Held>,
    /// Every request is simulated: the twin that shows that counting them is unobservable.
    pub eager: bool,
    /// The API servers, in the order of the balancers' backend.
    pub api_servers: Vec<ComponentId>,
}

/// Purpose of the draws for the phases of the schedules.
const PHASE_DRAW: u32 = 0;

/// The alarms of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// The oldest request is given up.
    Deadline,
    /// The next request to a target (by position in the wiring).
    Issue(usize),
}

impl crate::component::Alarm for Alarm {
    fn index(self) -> usize {
        match self {
            Alarm::Deadline => 0,
            Alarm::Issue(lane) => 1 + lane,
        }
    }

    fn at_index(index: usize) -> Self {
        index.checked_sub(1).map_or(Alarm::Deadline, Alarm::Issue)
    }
}

/// A request that is simulated.
#[derive(Clone, Copy, Debug)]
struct Pending {
    lane: usize,
    issued: Time,
    /// To whom it was sent last, by position in the wiring.
    server: usize,
    /// How many servers have been tried before that one.
    tried: usize,
    /// When something happens if nothing else does: the dial is given up, or the request.
    until: Time,
    /// Losses let it run into its time-out; the transport knows nothing of it.
    doomed: bool,
}

/// A client.
#[derive(Debug)]
pub struct Client {
    me: ComponentId,
    params: ClientParams,
    wiring: Wiring,
    lanes: Vec<Lane>,
    pending: BTreeMap<u64, Pending>,
    deadlines: BTreeSet<(Time, u64)>,
    next_call: u64,
    last_answer: Option<Time>,
    /// The target at which a client that knows several stays.
    preferred: usize,
    /// The one connection, where it keeps one.
    long: Option<LongLived>,
}

impl Client {
    /// A client that does not run.
    pub fn new(me: ComponentId, params: &ClientParams, wiring: &Wiring) -> Self {
        Self {
            me,
            params: params.clone(),
            wiring: wiring.clone(),
            lanes: Vec::new(),
            pending: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            next_call: 0,
            last_answer: None,
            preferred: 0,
            long: wiring.held.map(LongLived::new),
        }
    }

    /// Takes up its schedules. What the path is like shows once all facts are out, so the first look
    /// is an alarm of its own.
    fn begin(&mut self, settled: bool, view: &View, fx: &mut Effects<Alarm>) {
        if let Some(long) = &mut self.long {
            long.begin(settled);
        }
        let every = self.params.every;
        self.lanes.clear();
        let lanes = if self.wiring.any { 1 } else { self.wiring.targets.len() };
        for at in 0..lanes {
            let phase = fx.draw(PHASE_DRAW).uniform_duration(Duration::ZERO, every);
            self.lanes.push(Lane::new(Cadence::new(view.now + phase, every), view.now));
            fx.set(Alarm::Issue(at), view.now, Blame::default());
        }
    }

    fn is_busy(&self, lane: usize) -> bool {
        self.pending.values().any(|p| p.lane == lane && !p.doomed)
            || self.long.as_ref().is_some_and(LongLived::is_busy)
    }

    /// The alarm of a schedule: a look at the path, and a request if one is due.
    fn issue(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        if let Mode::Counted { .. } = self.lanes[at].mode {
            self.doom(at, view, fx);
        }
        let Mode::Single { next } = self.lanes[at].mode else { return };
        let service = self.service(at, view, fx);
        if let Some(service) = service.filter(|_| !self.is_busy(at)) {
            self.count_from(at, next, service, fx);
            self.rides_counted_from_now(view, fx);
            self.publish(view, fx);
            return;
        }
        if view.now >= next {
            self.send(at, view.now, view, fx);
            self.lanes[at].mode = Mode::Single { next: self.lanes[at].issues.first_after(view.now) };
        }
        self.plan_issue(at, view, fx);
    }

    fn plan_issue(&self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        if let Mode::Single { next } = self.lanes[at].mode {
            let wait = next.saturating_since(view.now);
            fx.set(Alarm::Issue(at), next.max(view.now), Blame::of("client schedule", wait));
        }
    }

    /// Makes a request real that was issued at `issued`, now or a moment ago.
    fn send(&mut self, lane: usize, issued: Time, view: &View, fx: &mut Effects<Alarm>) {
        if self.long.is_some() {
            self.issue_ride(issued, view, fx);
            return;
        }
        let server = self.first(lane, view, fx);
        let until = Time::NEVER;
        self.dial(Pending { lane, issued, server, tried: 0, until, doomed: false }, view, fx);
    }

    /// A request that was counted and is under way becomes real, on the connection that it has.
    fn carry_on(
        &mut self,
        lane: usize,
        issued: Time,
        service: Service,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        if self.long.is_some() {
            self.issue_ride(issued, view, fx);
            return;
        }
        let (id, until) = (self.next_call, issued + self.params.timeout);
        self.next_call += 1;
        let server = self.first(lane, view, fx);
        self.pending.insert(id, Pending { lane, issued, server, tried: 0, until, doomed: false });
        self.deadlines.insert((until, id));
        let op = op(self.wiring.class, self.wiring.resource);
        let call = Call { id, op, deadline: until };
        let answered = issued + service.latency;
        let near = if self.wiring.dns { self.wiring.targets[server] } else { service.near };
        let begun = Begun { call, at: issued, server: near, answered };
        fx.send(self.wiring.targets[server], Body::Begun(begun));
        self.set_deadline(view, fx);
    }

    fn set_deadline(&self, view: &View, fx: &mut Effects<Alarm>) {
        match self.deadlines.first() {
            None => fx.clear(Alarm::Deadline),
            Some((at, _)) => {
                let at = (*at).max(view.now);
                fx.set(Alarm::Deadline, at, Blame::of("client timeout", at.since(view.now)));
            }
        }
    }

    /// Requests that have waited for their whole time-out are given up.
    fn give_up(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if self.long.is_some() {
            self.ring_rides(view, fx);
            self.publish(view, fx);
            return;
        }
        while let Some((_, id)) = self.deadlines.first().copied().filter(|(at, _)| *at <= view.now) {
            if self.connected_late(id, view) {
                continue;
            }
            if !self.pending.get(&id).is_some_and(|pending| pending.doomed) {
                fx.close(id);
            }
            self.end(id, Outcome::TimedOut, view, fx);
        }
        if self.wiring.any {
            self.review(view, fx);
        }
        self.set_deadline(view, fx);
    }

    fn end(&mut self, id: u64, outcome: Outcome, view: &View, fx: &mut Effects<Alarm>) {
        if self.elsewhere(id, outcome, view, fx) {
            return;
        }
        let Some(Pending { lane, issued, until, .. }) = self.pending.remove(&id) else { return };
        self.deadlines.remove(&(until, id));
        let record = RequestRecord {
            client: self.me,
            class: self.wiring.class,
            target: short(lane),
            issued,
            ended: view.now,
            outcome,
        };
        if record.succeeded() {
            self.last_answer = self.last_answer.max(Some(view.now));
        }
        fx.record(Record::Request(record));
    }

    fn hear(
        &mut self,
        from: ComponentId,
        reply: &Reply,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        if self.long.is_some() {
            self.hear_ride(from, reply, view, fx);
        } else {
            self.end(reply.id, reply.outcome, view, fx);
            self.set_deadline(view, fx);
        }
        self.publish(view, fx);
    }

    /// Something on the path changed.
    fn review(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        for at in 0..self.lanes.len() {
            if let Mode::Counted { service, .. } = self.lanes[at].mode
                && self.service(at, view, fx) != Some(service)
            {
                self.stop_counting(at, view, fx);
                self.plan_issue(at, view, fx);
            }
        }
        self.publish(view, fx);
    }

    /// Books what was counted; what is under way becomes real.
    fn stop_counting(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        let Some(counted) = self.book_counted(at, view, fx) else { return };
        for issued in counted.under_way {
            self.carry_on(at, issued, counted.service, view, fx);
        }
    }

    /// What etcd needs to know of a client's writes, and its machine of the address's answers; nobody
    /// looks at anything else.
    fn publish(&self, _view: &View, fx: &mut Effects<Alarm>) {
        let writes = self.wiring.class == RequestClass::Write;
        let by_address = self.long.is_none() && self.wiring.targets.contains(&ComponentId::VIP);
        if !writes && !by_address {
            return;
        }
        let counted = self.lanes.first().and_then(Lane::answers);
        let answered = match counted {
            Some(answers) => Renewals::Every(answers),
            None => self.last_answer.map_or(Renewals::Never, Renewals::Once),
        };
        let told = |told: bool| if told { answered } else { Renewals::Never };
        let (writes, answers) = (told(writes), told(by_address));
        fx.publish(Fact::Client(ClientFact { writes, answers, ..ClientFact::default() }));
    }

    /// The process is gone: what was counted is booked, what was under way stays without an answer.
    fn die(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        for at in 0..self.lanes.len() {
            self.stop_counting(at, view, fx);
        }
        self.lanes.clear();
        if let Some(long) = &mut self.long {
            long.begin(false);
        }
        self.pending.clear();
        self.deadlines.clear();
        self.publish(view, fx);
    }

    fn lever(&mut self, lever: Lever, view: &View, fx: &mut Effects<Alarm>) {
        match lever {
            Lever::Stop => fx.exit(crate::component::ExitStatus::Clean),
            Lever::Kill | Lever::PowerLoss => self.die(view, fx),
            Lever::Pause => {
                for at in 0..self.lanes.len() {
                    self.stop_counting(at, view, fx);
                    self.plan_issue(at, view, fx);
                }
            }
            Lever::Resume => self.review(view, fx),
            Lever::StallDisk
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

fn op(class: RequestClass, resource: Resource) -> Op {
    match class {
        RequestClass::Connect => Op::Connect,
        RequestClass::ReadCached => Op::ReadCached,
        RequestClass::Read => Op::Read(resource),
        RequestClass::Write => Op::Write(resource),
    }
}

fn short(lane: usize) -> u16 {
    u16::try_from(lane).unwrap_or(u16::MAX)
}

impl Component for Client {
    type Alarm = Alarm;

    const LOOKS_AT_ALL: bool = true;

    fn alarms(&self) -> usize {
        Alarm::Issue(self.wiring.targets.len()).index()
    }

    fn watches(&self, map: &Map) -> Vec<ComponentId> {
        let mut watched = Vec::new();
        for target in &self.wiring.targets {
            if *target == ComponentId::VIP {
                watched.extend(map.address_holders().chain(map.of_kind(Kind::LoadBalancer)));
                watched.extend(&self.wiring.api_servers);
                continue;
            }
            watched.push(*target);
            match map.component(*target).kind {
                Kind::LoadBalancer => watched.extend(&self.wiring.api_servers),
                // What a member can do depends on all members.
                Kind::Etcd => watched.extend(map.of_kind(Kind::Etcd)),
                _ => {}
            }
        }
        watched.sort_unstable();
        watched.dedup();
        watched
    }

    fn on(&mut self, cause: Cause<Alarm>, view: &View, fx: &mut Effects<Alarm>) {
        match cause {
            Cause::Settle => self.begin(true, view, fx),
            Cause::Boot => self.begin(false, view, fx),
            Cause::Alarm(Alarm::Deadline) => self.give_up(view, fx),
            Cause::Alarm(Alarm::Issue(at)) => self.issue(at, view, fx),
            Cause::Saw(_) => self.review(view, fx),
            Cause::Mail(Mail { from, body: Body::Reply(reply) }) => {
                self.hear(from, &reply, view, fx);
            }
            Cause::Mail(Mail { body: Body::Broken(id), .. }) => self.ride_broken(id, view, fx),
            Cause::Mail(Mail { body: Body::GoAway(id), .. }) => self.ride_goaway(id, view, fx),
            Cause::Mail(_) => {}
            Cause::Lever(lever) => self.lever(lever, view, fx),
        }
    }
}
