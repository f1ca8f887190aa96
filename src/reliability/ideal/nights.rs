//! API servers that have no etcd: kubelets kill them and start them again, until they have it back.
//!
//! Nothing is drawn before it is clear that the night is longer than an election.
//!
//! Absent on purpose: how long all that takes ([`crate::reliability::timers`]), kubelets that fail.

mod dusk;
mod unseen;

use super::scene::{Bits, bits};
use super::{Ideal, Measure};
use crate::component::id::ComponentId;
use crate::components::kubelet::backoff::Entry;
use crate::kernel::stream::{Draw, Key};
use crate::kernel::time::Time;
use crate::plan::Plan;
use crate::reliability::clocks::Clock;
use crate::reliability::timers::{Nights as Law, Timers};
use dusk::Dusk;

/// Where a server's process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has etcd, or failures say that it is away.
    Well,
    /// It runs without; whether the phase of its probes is known.
    Probed(bool),
    /// It has ended, and is started then.
    Ended(Time),
    /// It was started then, and looks for a member that accepts a connection.
    Looks(Time),
    /// It goes on with its start, and ends then if etcd does not work by then.
    Starts(Time),
    /// It answers, and waits for etcd to work.
    Waits,
}

/// What has become of the cache of a server without etcd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cache {
    /// Its watches last at least until then.
    Kept(Time),
    /// They end then.
    Ends(Time),
    Lost,
}

#[derive(Clone, Debug)]
struct Server {
    clock: Clock,
    stage: Stage,
    /// When the stage ends by itself.
    due: Time,
    cache: Cache,
    /// Since when it has no etcd, and whether what it used then led, or went silently.
    since: Time,
    led: bool,
    silently: bool,
    past: Option<Entry>,
}

/// The API servers of a plan in which kubelets kill those that have no etcd.
#[derive(Clone, Debug)]
pub(super) struct Nights {
    servers: Vec<Server>,
    dusk: Option<Dusk>,
    /// Members on the machine of each server.
    beside: Vec<Bits>,
    /// Members that each may use.
    reach: Vec<Bits>,
    /// What was known before.
    before: (Bits, Bits, Bits),
    /// Members whose port is open.
    open: Bits,
    /// Servers for which it is night.
    night: Bits,
    /// Those of them that take no connections, that answer nothing, and that serve no cached reads.
    deaf: Bits,
    mute: Bits,
    cold: Bits,
    pub(super) soonest: Time,
}

/// How things stand.
#[derive(Clone, Copy)]
struct Standing<'t> {
    now: Time,
    key: Key,
    timers: &'t Timers,
    law: &'t Law,
    /// Servers whose process failures leave alone, and those of them that have etcd.
    up: Bits,
    fed: Bits,
    /// Servers that have just come up.
    came: Bits,
    /// Servers that others reach, and members.
    near: Bits,
    members: Bits,
    /// Members that start.
    starting: Bits,
    /// Members that have just lost their vote without a word, and who has just led.
    silent: Bits,
    led: Bits,
}

impl Nights {
    /// Everything well; `None` where nobody is killed.
    pub(super) fn of(plan: &Plan, timers: Option<&Timers>) -> Option<Box<Self>> {
        timers?.nights()?;
        let (servers, members) = (&plan.services.api_servers, &plan.services.members);
        let machine = |id: ComponentId| plan.map.machine_of(id);
        let beside =
            |id: &ComponentId| bits(members.len(), |at| machine(members[at]) == machine(*id));
        let reach = |id: &ComponentId| {
            let uses = plan.etcd_servers_of(*id);
            bits(members.len(), |at| uses.contains(&members[at]))
        };
        let server = |id: &ComponentId| Server {
            clock: Clock::of(&format!("night {}", plan.map.name(*id))),
            stage: Stage::Well,
            due: Time::NEVER,
            cache: Cache::Kept(Time::NEVER),
            since: Time::START,
            led: false,
            silently: false,
            past: None,
        };
        Some(Box::new(Self {
            servers: servers.iter().map(server).collect(),
            dusk: None,
            beside: servers.iter().map(beside).collect(),
            reach: servers.iter().map(reach).collect(),
            before: (0, 0, 0),
            open: 0,
            night: 0,
            deaf: 0,
            mute: 0,
            cold: 0,
            soonest: Time::NEVER,
        }))
    }

    /// Begins anew, everything well.
    pub(super) fn reset(&mut self) {
        for server in &mut self.servers {
            server.clock.rewind();
            server.recover();
            server.past = None;
        }
        (self.before, self.dusk) = ((0, 0, 0), None);
        (self.open, self.night) = (0, 0);
        (self.deaf, self.mute, self.cold) = (0, 0, 0);
        self.soonest = Time::NEVER;
    }

    /// The same, where all is as there.
    pub(super) fn stand_as(&mut self, other: &Self) {
        self.reset();
        (self.before, self.open) = (other.before, other.open);
    }

    /// When something happens by itself to each.
    pub(super) fn dues(&self) -> impl Iterator<Item = Time> + '_ {
        self.servers.iter().map(Server::next).chain([self.soonest])
    }

    /// The members that a server may use and that accept connections, of those whose port is open.
    fn accepting(&self, at: usize, open: Bits, it: Standing) -> Bits {
        let own = self.beside[at] & open;
        let near = if it.near >> at & 1 == 0 { own } else { own | it.members & open };
        self.reach[at] & near
    }

    fn review(&mut self, it: Standing) {
        if self.dusk(it) {
            return;
        }
        if let Some(dusk) = self.dusk.take() {
            self.darken(dusk, it);
        }
        let mut left = self.night | it.up & !it.fed;
        (self.night, self.deaf, self.mute, self.cold) = (0, 0, 0, 0);
        self.soonest = Time::NEVER;
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            let accepting = self.accepting(at, self.open, it);
            let Some(server) = self.servers.get_mut(at) else { break };
            let bit = 1 << at;
            server.review(it, bit, (self.reach[at], accepting));
            let is = |such: bool| if such { bit } else { 0 };
            self.night |= is(server.stage != Stage::Well);
            self.deaf |= is(matches!(server.stage, Stage::Ended(_)));
            self.mute |= is(server.is_mute());
            self.cold |= is(server.is_cold());
            self.soonest = self.soonest.min(server.next());
        }
    }
}

impl Server {
    /// It is well, whatever was before.
    fn recover(&mut self) {
        (self.stage, self.due) = (Stage::Well, Time::NEVER);
        self.cache = Cache::Kept(Time::NEVER);
    }

    fn is_mute(&self) -> bool {
        matches!(self.stage, Stage::Ended(_) | Stage::Looks(_) | Stage::Starts(_))
    }

    fn is_cold(&self) -> bool {
        self.is_mute() || self.stage == Stage::Waits || self.cache == Cache::Lost
    }

    fn next(&self) -> Time {
        match self.cache {
            Cache::Kept(at) | Cache::Ends(at) => self.due.min(at),
            Cache::Lost => self.due,
        }
    }

    /// `bit`: its own; then the members that it may use, and those of them that accept connections.
    fn review(&mut self, it: Standing, bit: Bits, (reach, accepting): (Bits, Bits)) {
        if it.up & bit == 0 {
            self.recover();
            self.past = None;
            return;
        }
        let (fed, rang) = (it.fed & bit != 0, self.due <= it.now);
        match self.stage {
            Stage::Well if fed => {}
            Stage::Well if it.came & bit != 0 => self.come(it, reach, accepting != 0),
            Stage::Well => self.darken(it, reach, accepting),
            Stage::Probed(_) | Stage::Waits if fed => self.recover(),
            Stage::Probed(false) if rang => {
                self.stage = Stage::Probed(true);
                self.due = it.now + it.law.phase(&mut self.draw(it));
            }
            Stage::Ended(began) if rang => self.go_on(it, began, accepting != 0),
            Stage::Looks(began) if accepting != 0 => {
                self.start(it, it.law.look(began, it.now));
            }
            Stage::Probed(true) | Stage::Looks(_) | Stage::Waits if rang => self.end(it),
            Stage::Starts(_) if rang && fed => self.recover(),
            Stage::Starts(gives_up) if rang => (self.stage, self.due) = (Stage::Waits, gives_up),
            _ => {}
        }
        if matches!(self.stage, Stage::Probed(_)) {
            self.review_cache(it, accepting != 0);
        }
    }

    fn draw(&mut self, it: Standing) -> Draw {
        self.clock.timers(it.key)
    }

    /// It has etcd no more, and knows nothing of it yet.
    fn darken(&mut self, it: Standing, reach: Bits, accepting: Bits) {
        self.since = it.now;
        (self.led, self.silently) = (it.led & accepting != 0, it.silent & reach != 0);
        self.cache = Cache::Kept(it.now + it.timers.cache_kept());
        (self.stage, self.due) = (Stage::Probed(false), it.now + it.law.patience());
    }

    /// The process has ended.
    fn end(&mut self, it: Standing) {
        let mut draw = self.draw(it);
        let began = it.law.restarts(&mut draw, &mut self.past, it.now);
        (self.stage, self.due) = (Stage::Ended(began), began + it.law.opens(&mut draw));
        self.cache = Cache::Lost;
    }

    /// It has come up, with all that its start takes where etcd works.
    fn come(&mut self, it: Standing, reach: Bits, accepted: bool) {
        self.cache = Cache::Lost;
        if accepted {
            let youth = it.law.youth(&mut self.draw(it));
            (self.stage, self.due) = (Stage::Waits, it.now + (youth.gives_up - youth.answers));
        } else if it.starting & reach != 0 {
            (self.stage, self.due) = (Stage::Waits, it.now + it.law.looks());
        } else {
            self.go_on(it, it.now, false);
        }
    }

    /// A process that was started then has opened its port.
    fn go_on(&mut self, it: Standing, began: Time, accepted: bool) {
        self.cache = Cache::Lost;
        if accepted {
            self.start(it, began);
        } else {
            (self.stage, self.due) = (Stage::Looks(began), began + it.law.looks());
        }
    }

    /// A member has accepted a connection.
    fn start(&mut self, it: Standing, found: Time) {
        let youth = it.law.youth(&mut self.draw(it));
        (self.stage, self.due) = (Stage::Starts(found + youth.gives_up), found + youth.answers);
    }

    /// The members that it uses end its watches. Those of members that are gone altogether just stand.
    fn review_cache(&mut self, it: Standing, accepted: bool) {
        match self.cache {
            Cache::Kept(at) if at <= it.now => {
                let (led, silently) = (self.led, self.silently);
                let ends = it.timers.cache_lost(&mut self.draw(it), led, silently);
                let ends = if accepted { self.since + ends } else { Time::NEVER };
                self.cache = if ends <= it.now { Cache::Lost } else { Cache::Ends(ends) };
            }
            Cache::Ends(at) if at <= it.now => self.cache = Cache::Lost,
            _ => {}
        }
    }
}

impl Ideal<'_> {
    /// Lets API servers follow from who has a vote and who leads; before, these had one and that
    /// one led. It takes servers away from those that serve, so that it comes before what follows from
    /// these.
    pub(super) fn review_nights(&mut self, votes: Bits, leader: Option<usize>) {
        let Some(nights) = &mut self.nights else { return };
        self.means.servers &= !nights.mute;
        let (scene, leads) = (self.scenes.now(), self.means.leads);
        let (serving, starting) = (scene.servers.serving, self.server_starts.waiting());
        let up = scene.servers.running & !starting;
        let fed = if leads { serving & up & self.means.reaching } else { 0 };
        let known = (up, fed, self.means.votes);
        let running = scene.members.running & !self.rejoins.waiting();
        let voting = if leads { self.means.votes } else { 0 };
        nights.open = (nights.open | voting) & running;
        if known == nights.before && nights.soonest > self.now {
            return;
        }
        let came = up & !nights.before.0;
        nights.before = known;
        if up & !fed == 0 && nights.dawns(up) {
            self.means.servers = serving & up;
            return;
        }
        let Some(timers) = self.takes.timers() else { return };
        let Some(law) = timers.nights() else { return };
        let lost = votes & !self.means.votes;
        let members = scene.members.serving | scene.stalled;
        let standing = Standing {
            now: self.now,
            key: self.key,
            timers,
            law,
            up,
            fed,
            came,
            near: serving,
            members,
            starting: self.rejoins.waiting(),
            silent: lost & !members & !(scene.members.machines & !scene.members.running),
            led: leader.map_or(0, |at| 1 << at),
        };
        nights.review(standing);
        self.means.servers = serving & up & !nights.mute;
    }

    /// Sees that all who are up have etcd, where it was day and these members have come.
    pub(super) fn quiet_nights(&mut self, came: Bits) {
        let Some(nights) = &mut self.nights else { return };
        let (scene, votes) = (self.scenes.now(), self.means.votes);
        let up = scene.servers.running;
        nights.open = (nights.open & !came | votes) & scene.members.running;
        nights.before = (up, scene.servers.serving & up & self.means.reaching, votes);
    }

    /// API servers that take connections.
    pub(super) fn listening(&self) -> Bits {
        let deaf = self.nights.as_ref().map_or(0, |nights| nights.deaf);
        self.scenes.now().servers.serving & !self.server_starts.waiting() & !deaf
    }

    /// Whether clients can open a connection, as far as that takes an API server.
    pub(super) fn listens(&self) -> bool {
        let bare = self.nights.is_some() && self.balancers.is_empty();
        !bare || self.wiring.known(self.listening()) != 0
    }

    /// Of these servers those that serve reads from their caches.
    pub(super) fn cached(&self, servers: Bits) -> Bits {
        self.nights.as_ref().map_or(servers, |nights| servers & !nights.cold)
    }

    /// Whether a measure that needs no etcd itself is down for want of servers that have it.
    pub(super) fn is_night(&self, measure: Measure) -> bool {
        match measure {
            Measure::Endpoint => !self.listens(),
            Measure::ApiReadCached if self.nights.is_none() => false,
            Measure::ApiReadCached => !self.any_server(self.cached(self.means.servers), false),
            _ => false,
        }
    }
}
