//! The one HTTP/2 connection of an instance whose API servers run on other machines: requests for the
//! Lease ride on it, and time out one by one while it is half-dead; it stays until an unanswered PING,
//! a reset or the server's leave ends it. The next attempt then dials.
//!
//! While requests are answered on it nothing here needs an event. Once it matters what happens to it,
//! each attempt is really made.
//!
//! An instance that uses the API server of its own machine has none: nothing vanishes on the way, a
//! reset comes at once, and connecting costs nothing. Absent on purpose: the frames of the instance's
//! watches, which would put off the PING by some seconds, and requests that client-go repeats.

use super::{Elector, Phase, SERVER_DRAW, Verdict};
use crate::component::mail::{Body, Call, Reply};
use crate::component::view::ProcessState;
use crate::component::{Alarm, Blame, ComponentId, Effects, View};
use crate::components::connection::{Connection, News, Rung, Settings};
use crate::kernel::time::{Duration, Time};

/// A stretch of a takeover's blame: what was sent vanished until the connection was given up.
const UNTIL_PING: &str = "half-dead connection until HTTP2_PING_TIMEOUT_SECONDS";

/// The connection, and what is under way on it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    connection: Connection,
    /// The request that is sent once the connection stands.
    waiting: Option<Call>,
    /// The last request that was sent, and on which connection.
    riding: Option<(u64, u64)>,
    /// It did not let data through when last looked at, or its far end does not run.
    stuck: bool,
}

impl Link {
    pub(super) fn new(settings: Settings) -> Self {
        Self { connection: Connection::new(settings), waiting: None, riding: None, stuck: false }
    }

    /// Whether what is sent on it now vanishes, or is accepted and never answered.
    fn is_stuck(&self, view: &View) -> bool {
        let silent = |id| view.process(id).state == ProcessState::Paused;
        self.connection
            .standing()
            .filter(|ends| view.stands(ends.id))
            .is_some_and(|ends| !view.flows(ends.id) || silent(ends.near) || silent(ends.server))
    }
}

impl<A: Alarm> Elector<A> {
    fn new_call(&mut self) -> u64 {
        self.calls += 1;
        self.calls - 1
    }

    /// At a settled start the connection has been standing for long, with a server that is drawn.
    pub(super) fn adopt_link(&mut self, view: &View, fx: &mut Effects<A>) {
        let id = self.new_call();
        let Some(link) = &mut self.link else { return };
        let mut draw = fx.draw(SERVER_DRAW);
        let path = &self.path;
        link.connection.adopt(id, path.target, (&path.servers, None), &mut draw, view, fx);
        self.path.over = link.connection.standing();
    }

    /// The process starts: without a connection. For the server of its own machine it keeps none, and
    /// none stays where a balancer cuts those that are idle between two requests.
    pub(super) fn begin_link(&mut self, view: &View) {
        let map = view.map();
        let vip = self.path.target == ComponentId::VIP;
        let remote = vip || map.machine_of(self.path.target) != map.machine_of(self.me);
        let near = view.resolve(self.path.target).and_then(|near| view.load_balancer(near));
        let idle = near.and_then(|balancer| balancer.idle_limit);
        let stays = idle.is_none_or(|limit| limit > self.election.longest_wait());
        self.path.over = None;
        self.link = self.election.connection.filter(|_| remote && stays).map(Link::new);
    }

    /// Whether renewals may be computed: they need a connection, if one is kept.
    pub(super) fn is_joined(&self) -> bool {
        self.link.is_none() || self.path.over.is_some()
    }

    /// Whether the next attempt has to be made because of what it does to the connection.
    pub(super) fn link_awaits_attempt(&self) -> bool {
        let Some(link) = &self.link else { return false };
        link.stuck || self.path.over.is_none() && self.reading.read.works()
    }

    /// Sends a request: on the connection, or once it stands.
    pub(super) fn send(&mut self, call: Call, view: &View, fx: &mut Effects<A>) {
        let dial = self.calls;
        let Some(link) = &mut self.link else {
            fx.send(self.path.target, Body::Call(call));
            return;
        };
        if let Some(ends) = link.connection.standing() {
            link.riding = Some((call.id, ends.id));
            link.connection.ask(call, view, fx);
        } else {
            // Each request dials anew, whatever earlier ones wait for.
            self.calls += 1;
            link.connection.close(fx);
            link.connection.dial(dial, self.path.target, view, fx);
            link.waiting = Some(call);
        }
        self.attend_link(view, fx);
    }

    /// A request is given up.
    pub(super) fn give_up_call(&mut self, call: u64, fx: &mut Effects<A>) {
        let waiting = self.link.as_mut().map(|link| &mut link.waiting);
        match waiting {
            Some(waiting) if waiting.is_some_and(|waiting| waiting.id == call) => *waiting = None,
            _ => fx.close(call),
        }
    }

    /// What an answer meant to the connection; `None`: it is the answer to a request.
    pub(super) fn hear_link(
        &mut self,
        reply: &Reply,
        from: ComponentId,
        view: &View,
        fx: &mut Effects<A>,
    ) -> Option<Verdict> {
        let link = self.link.as_mut()?;
        let verdict = match link.connection.hear(reply, from, view) {
            News::NotMine => None,
            News::Pong => Some(Verdict::Nothing),
            News::Failed(_) => Some(self.dial_failed(view, fx)),
            News::Opened => {
                self.path.over = link.connection.standing();
                if let Some(call) = link.waiting.take() {
                    self.send(call, view, fx);
                }
                self.look(view, fx);
                Some(Verdict::Nothing)
            }
        };
        self.attend_link(view, fx);
        verdict
    }

    /// Nobody could be connected to.
    fn dial_failed(&mut self, view: &View, fx: &mut Effects<A>) -> Verdict {
        let waiting = self.link.as_mut().and_then(|link| link.waiting.take());
        let attempt = self.attempt.filter(|a| waiting.is_some_and(|call| call.id == a.call));
        attempt.map_or(Verdict::Nothing, |attempt| self.failed(attempt, view, fx))
    }

    /// The transport reports the end of a connection.
    pub fn broken(&mut self, id: u64, view: &View, fx: &mut Effects<A>) -> Verdict {
        let Some(link) = &mut self.link else { return Verdict::Nothing };
        if link.connection.broken(id) {
            self.path.over = None;
        }
        self.lost(id, view, fx)
    }

    /// A connection is gone: a request on it fails.
    fn lost(&mut self, id: u64, view: &View, fx: &mut Effects<A>) -> Verdict {
        let riding = self.link.as_ref().and_then(|link| link.riding);
        let call = riding.filter(|(_, connection)| *connection == id).map(|(call, _)| call);
        let attempt = self.attempt.filter(|attempt| call == Some(attempt.call));
        let verdict = attempt.map_or(Verdict::Nothing, |attempt| self.failed(attempt, view, fx));
        self.look(view, fx);
        self.attend_link(view, fx);
        verdict
    }

    /// The server takes nothing more on a connection: it still answers what was asked, and the next
    /// attempt dials.
    pub fn going_away(&mut self, id: u64, view: &View, fx: &mut Effects<A>) {
        let Some(link) = &mut self.link else { return };
        if link.connection.standing().is_some_and(|ends| ends.id == id) {
            link.connection.forget();
            self.path.over = None;
            self.look(view, fx);
            self.attend_link(view, fx);
        }
    }

    /// Whatever is due on the connection happens.
    pub fn ring_link(&mut self, view: &View, fx: &mut Effects<A>) -> Verdict {
        let id = self.new_call();
        let Some(link) = &mut self.link else { return Verdict::Nothing };
        let standing = link.connection.standing();
        let verdict = match (link.connection.ring(id, view, fx), standing) {
            (Rung::DialFailed, _) => self.dial_failed(view, fx),
            (Rung::Lost, Some(ends)) => {
                self.path.over = None;
                self.silence = UNTIL_PING;
                self.lost(ends.id, view, fx)
            }
            _ => Verdict::Nothing,
        };
        self.attend_link(view, fx);
        verdict
    }

    /// The path may have changed: what the connection has heard so far is taken note of before that.
    pub(super) fn review_link(&mut self, view: &View, fx: &mut Effects<A>) {
        let answered = if self.phase == Phase::Waiting { self.poll.heard } else { Time::ZERO };
        self.link_heard(answered, view);
        let Some(link) = &mut self.link else { return };
        link.stuck = link.is_stuck(view);
        self.attend_link(view, fx);
    }

    /// Computed requests were answered up to `last`, and PINGs after it.
    pub(super) fn link_heard(&mut self, last: Time, view: &View) {
        if let Some(link) = self.link.as_mut().filter(|link| !link.stuck) {
            link.connection.carried_on(last, view);
        }
    }

    /// The machine's clock stood still for so long, and its timers with it.
    pub(super) fn link_slept(&mut self, by: Duration) {
        if let Some(link) = &mut self.link {
            link.connection.slept(by);
        }
    }

    /// One alarm for what is due on the connection; none while requests and pings are answered on it.
    fn attend_link(&mut self, view: &View, fx: &mut Effects<A>) {
        let Some(link) = &self.link else { return };
        let due = match link.connection.standing() {
            Some(_) if !link.stuck => None,
            _ => link.connection.due(view),
        };
        match due {
            None => fx.clear(self.link_alarm),
            Some((at, name)) => {
                let at = at.max(view.now);
                fx.set(self.link_alarm, at, Blame::of(name, at.since(view.now)));
            }
        }
    }
}
