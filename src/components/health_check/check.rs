//! One check in flight: connecting, waiting for the answer, and what a change of the target does to
//! it. Pure arithmetic of TCP and two time-outs.

use super::{Depth, Rules, Target};
use crate::kernel::time::{Duration, Time};
use crate::transport::neighbour::UNRESOLVED;
use crate::transport::retransmission::Schedule;

/// What the wait for packets is called in blame lines.
const NETWORK: &str = "network";
/// What the wait for a repeated SYN or repeated data is called.
const RETRANSMISSION: &str = "TCP retransmission";

/// What the wait for a neighbour that does not answer is called.
const NEIGHBOUR: &str = "neighbour resolution";

/// A check that has begun, with the end it will have if its target stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// When the first SYN left.
    pub(super) began: Time,
    /// When the kernels are connected, if they will be.
    dialled: Option<Time>,
    /// When the connection stands, a handshake included, if it will.
    connected: Option<Time>,
    /// From when on the program has what opens the handshake; never while the path swallows it.
    greeted: Time,
    /// The same of the request.
    delivered: Time,
    /// When it ends.
    pub(super) ends: Time,
    /// How.
    pub(super) passes: bool,
    /// What it waits for until then.
    pub(super) reason: &'static str,
}

impl Check {
    /// A check whose first SYN leaves now.
    pub(super) fn begin(now: Time, target: Target, rules: &Rules) -> Self {
        let check = Self {
            began: now,
            dialled: None,
            connected: None,
            greeted: Time::NEVER,
            delivered: Time::NEVER,
            ends: now,
            passes: false,
            reason: NETWORK,
        };
        check.connect(now, target, rules)
    }

    /// The same check, its target being another from `now` on.
    pub(super) fn meet(self, now: Time, target: Target, rules: &Rules) -> Self {
        let by_now = |at: &Time| *at <= now;
        if self.ends <= now {
            self
        } else if let Some(at) = self.connected.filter(by_now) {
            self.exchange(at, now, target, rules)
        } else if let Some(at) = self.dialled.filter(by_now) {
            Self { connected: None, ..self }.shake_hands(at, now, target, rules)
        } else {
            Self { dialled: None, connected: None, ..self }.connect(now, target, rules)
        }
    }

    /// The same check, its end seen only at `now` because the checker stood still.
    pub(super) fn not_before(self, now: Time) -> Self {
        Self { ends: self.ends.max(now), ..self }
    }

    fn end(self, ends: Time, passes: bool, reason: &'static str) -> Self {
        Self { ends, passes, reason, ..self }
    }

    /// Connecting: only a SYN finds out what the target is now.
    fn connect(self, now: Time, target: Target, rules: &Rules) -> Self {
        let limit = self.began + rules.connect_limit;
        let given_up = self.end(limit, false, rules.names.connect_limit);
        let Some(syn) = Schedule::syn(self.began, rules.syn).at_or_after(now) else {
            return given_up;
        };
        if target == Target::Unreachable {
            let told = syn + UNRESOLVED;
            return if told < limit { self.end(told, false, NEIGHBOUR) } else { given_up };
        }
        let reason = if syn == self.began { NETWORK } else { RETRANSMISSION };
        let (Target::Refused(round_trip)
        | Target::Hung(round_trip)
        | Target::Answers { round_trip, .. }) = target
        else {
            return given_up;
        };
        let heard = syn + round_trip;
        if heard >= limit {
            return given_up;
        }
        if matches!(target, Target::Refused(_)) {
            return self.end(heard, false, reason);
        }
        let dialled = Self { dialled: Some(heard), greeted: heard, reason, ..self };
        if rules.handshake {
            return dialled.shake_hands(heard, heard, target, rules);
        }
        dialled.stand(heard, target, rules)
    }

    /// The kernels are connected, and the handshake goes on.
    fn shake_hands(self, dialled: Time, now: Time, target: Target, rules: &Rules) -> Self {
        let limit = self.began + rules.connect_limit;
        let given_up = self.end(limit, false, rules.names.connect_limit);
        let greeted = self.greeted_at(dialled, now, target);
        let (Target::Refused(round_trip) | Target::Answers { round_trip, .. }) = target else {
            return Self { greeted, ..given_up };
        };
        let heard = greeted.max(now) + round_trip;
        if heard > limit {
            return Self { greeted, ..given_up };
        }
        let reason = if greeted > now { RETRANSMISSION } else { self.reason };
        if matches!(target, Target::Refused(_)) {
            return Self { greeted, ..self }.end(heard, false, reason);
        }
        Self { greeted, reason, ..self }.stand(heard, target, rules)
    }

    /// The connection stands.
    fn stand(self, at: Time, target: Target, rules: &Rules) -> Self {
        let connected = Self { connected: Some(at), delivered: at, ..self };
        match rules.depth {
            Depth::Connect => connected.end(at, true, self.reason),
            Depth::Reply => connected.exchange(at, at, target, rules),
        }
    }

    /// Connected, and waiting for the answer.
    fn exchange(self, connected: Time, now: Time, target: Target, rules: &Rules) -> Self {
        if rules.depth == Depth::Connect {
            return self;
        }
        let limit = (connected + rules.reply_fresh).max(self.began + rules.reply_total);
        let given_up = self.end(limit, false, rules.names.reply_limit);
        let answer = |check: Self, round_trip: Duration, work: Duration, passes: bool| {
            let delivered = check.delivered_at(connected, now);
            let ends = delivered.max(now) + round_trip + work;
            if ends > limit {
                return Self { delivered, ..given_up };
            }
            let reason = match () {
                () if delivered > now => RETRANSMISSION,
                () if work.is_zero() => NETWORK,
                () => rules.names.work,
            };
            Self { delivered, ..check }.end(ends, passes, reason)
        };
        match target {
            Target::Silent | Target::Unreachable => Self { delivered: Time::NEVER, ..given_up },
            Target::Hung(_) => Self { delivered: self.delivered_at(connected, now), ..given_up },
            Target::Refused(round_trip) => answer(self, round_trip, Duration::ZERO, false),
            Target::Answers { round_trip, work, good } => answer(self, round_trip, work, good),
        }
    }

    /// When the program has what opens the handshake.
    fn greeted_at(self, dialled: Time, now: Time, target: Target) -> Time {
        match target {
            Target::Silent | Target::Unreachable => Time::NEVER,
            _ if self.greeted.is_never() => data_at(dialled, now),
            _ => self.greeted,
        }
    }

    /// When the program has the request, the path being open from `now` on.
    fn delivered_at(self, connected: Time, now: Time) -> Time {
        if self.delivered.is_never() { data_at(connected, now) } else { self.delivered }
    }
}

/// When data first sent at `sent` arrive, the path being open from `now` on.
fn data_at(sent: Time, now: Time) -> Time {
    Schedule::data(sent).at_or_after(now).unwrap_or(Time::NEVER)
}
