//! Counting on a path that loses packets for good: each request's fate is a law, so that the next one
//! that fails is drawn, and how many of the others were slowed down.
//!
//! A lost packet is repeated: a SYN after 1 s, data after 0.2 s, so one loss slows a request down and
//! only several let it run into its time-out. Slow ones change nothing but their own latency: they
//! are counted too.
//!
//! Absent on purpose: waits behind another request's lost packet; and clients that keep one
//! connection, whose requests on a lossy path are simulated one by one.

use super::lane::{Counted, Mode, Service};
use super::{Alarm, Client, Pending, short};
use crate::component::record::Record;
use crate::component::{Blame, Effects, View};
use crate::components::path;
use crate::kernel::law::counts::occurrences;
use crate::kernel::time::{Duration, Time};
use crate::transport::loss::{Lateness, tries_before};

/// Purposes of draws: the next request that fails, and which ones were slow.
const FAIL_DRAW: u32 = 2;
const SLOW_DRAW: u32 = 3;

impl Client {
    /// What the path does to each request, if it works and the client waits long enough.
    pub(super) fn service(
        &mut self,
        lane: usize,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) -> Option<Service> {
        let (timeout, eager) = (self.params.timeout, self.wiring.eager);
        if self.long.is_some() {
            let latency = self.ride_latency(view, fx);
            let latency = latency.filter(|latency| *latency < timeout && !eager)?;
            return Some(Service { near: self.wiring.targets[0], latency, fails: 0.0, slow: 0.0 });
        }
        let super::Wiring { class, resource, targets, api_servers, any, dns, .. } = &self.wiring;
        // A name's addresses come first evenly: what is counted has the mean of their latencies.
        let first = if *dns { self.listed(view) } else { vec![self.chosen(lane)] };
        let near = view.resolve(targets[*first.first()?])?;
        let mut sum = Duration::ZERO;
        for at in &first {
            let asked = (*class, *resource);
            sum += path::latency(view, self.me, targets[*at], api_servers, asked)?;
        }
        let latency = sum / u64::try_from(first.len()).unwrap_or(1);
        if latency >= timeout || eager {
            return None;
        }
        // An answer has to be back before the time-out.
        let patience = timeout - latency - Duration::from_nanos(1);
        let losses = |at: &usize| {
            path::lateness(view, self.me, targets[*at], api_servers, *class, patience)
        };
        let law = Lateness::one_of(&first.iter().map(losses).collect::<Vec<_>>());
        let (fails, prompt) = (law.beyond(patience), law.within(Duration::ZERO));
        // Whoever leaves a slow dial for another server is followed one by one.
        let leaves = *any && self.params.dial_timeout < timeout;
        let slow = if law.is_none() { 0.0 } else { (1.0 - prompt / (1.0 - fails)).clamp(0.0, 1.0) };
        (law.is_none() || !leaves && fails < 1.0).then_some(Service { near, latency, fails, slow })
    }

    /// From now on requests are counted, the next one issued at `first`.
    pub(super) fn count_from(
        &mut self,
        at: usize,
        first: Time,
        service: Service,
        fx: &mut Effects<Alarm>,
    ) {
        let every = self.params.every;
        let doomed = if service.fails > 0.0 {
            let before = tries_before(service.fails, &mut fx.draw(FAIL_DRAW));
            before.map_or(Time::NEVER, |before| first + every * before)
        } else {
            Time::NEVER
        };
        self.lanes[at].mode = Mode::Counted { first, service, doomed };
        fx.record(Record::Serving {
            client: self.me,
            class: self.wiring.class,
            target: short(at),
            first,
            every,
            latency: service.latency,
        });
        if !doomed.is_never() {
            let wait = doomed.saturating_since(fx.now());
            fx.set(Alarm::Issue(at), fx.now() + wait, Blame::of("packet loss", wait));
        }
    }

    /// The request issued now will not be answered in time; the others go on.
    pub(super) fn doom(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        let Mode::Counted { doomed, .. } = self.lanes[at].mode else { return };
        let Some(counted) = self.book_counted(at, view, fx) else { return };
        for issued in counted.under_way {
            if issued != doomed {
                self.carry_on(at, issued, counted.service, view, fx);
                continue;
            }
            let (id, until) = (self.next_call, issued + self.params.timeout);
            self.next_call += 1;
            let server = self.chosen(at);
            let doomed = Pending { lane: at, issued, server, tried: 0, until, doomed: true };
            self.pending.insert(id, doomed);
            self.deadlines.insert((until, id));
            self.set_deadline(view, fx);
        }
    }

    /// Ends counting and books what was counted; returns it, with what is under way.
    pub(super) fn book_counted(
        &mut self,
        at: usize,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) -> Option<Counted> {
        let counted = self.lanes[at].stop(view.now)?;
        fx.clear(Alarm::Issue(at));
        let (count, service) = (counted.count, counted.service);
        let (slow, last_slow) = self.slowed(count, counted.last, service, fx);
        fx.record(Record::Served {
            client: self.me,
            class: self.wiring.class,
            target: short(at),
            first: counted.first,
            last: counted.last,
            count,
            latency: service.latency,
            slow,
            last_slow,
        });
        if count > 0 {
            self.last_answer = self.last_answer.max(Some(counted.last + service.latency));
        }
        self.ride_counted(counted.last + service.latency, view, fx);
        Some(counted)
    }

    /// How many of those counted were slow, and when the last of them was issued.
    fn slowed(
        &self,
        count: u64,
        last: Time,
        service: Service,
        fx: &mut Effects<Alarm>,
    ) -> (u64, Option<Time>) {
        if service.slow <= 0.0 || count == 0 {
            return (0, None);
        }
        let mut draw = fx.draw(SLOW_DRAW);
        let after = tries_before(service.slow, &mut draw).filter(|after| *after < count);
        after.map_or((0, None), |after| {
            let others = occurrences(count - 1 - after, service.slow, &mut draw);
            (1 + others, Some(last - self.params.every * after))
        })
    }
}
