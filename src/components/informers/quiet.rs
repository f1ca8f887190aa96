//! Quiet times, in which nothing is simulated, and the book of all requests.
//!
//! While every watch stands and no server has too much to do, the requests that processes make beside
//! are answered without a seat ever lacking (by Erlang's formula, for fewer than one in 10⁹): they are
//! only counted, by a draw from Poisson's law. When a connection breaks or a watch ends, requests are
//! issued one by one, until all watches stand again and nothing is repeated; those that would be
//! answered whatever else goes on send no message. What was under way at that moment counts as answered.

use super::process::{Process, What};
use super::{Alarm, Informers, Offer};
use crate::component::effects::Standing;
use crate::component::fact::Resource;
use crate::component::record::{HerdRecord, Record};
use crate::component::{Blame, ComponentId, Effects, View};
use crate::components::api_server::capacity::erlang_b;
use crate::components::path;
use crate::kernel::law::{Law, counts};
use crate::kernel::time::{Duration, Time};

/// Purposes of draws.
const ARRIVAL_DRAW: u32 = 0;
const PICK_DRAW: u32 = 1;
const COUNT_DRAW: u32 = 4;

/// From one line of the book to the next.
const LINE: Duration = Duration::from_secs(1);

/// How rarely a request may find no seat for requests to be counted.
const NEVER: f64 = 1e-9;

/// Up to this share of a server's seats their requests are taken to be no matter to others.
const LIGHT: f64 = 0.1;

/// The book: since the start, but for the two that say of what.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) issued: u64,
    pub(super) served: u64,
    pub(super) rejected: u64,
    pub(super) timed_out: u64,
    pub(super) sent: u64,
    pub(super) turned_away: u64,
    pub(super) lists: u64,
    /// Sent to each API server since the last line.
    pub(super) to_each: Vec<u64>,
    /// What had been turned away by the last line.
    pub(super) turned_away_before: u64,
}

impl Informers {
    pub(super) fn count_sent(&mut self, server: ComponentId) {
        self.ledger.sent += 1;
        let at = self.wiring.servers.iter().position(|offer| offer.id == server);
        if let Some(count) = at.and_then(|at| self.ledger.to_each.get_mut(at)) {
            *count += 1;
        }
    }

    /// How many connections each API server has.
    fn connected(&self) -> Vec<u32> {
        let mut counts = vec![0; self.wiring.servers.len()];
        let standing = self.processes.iter().filter_map(|p| p.connection.standing());
        for ends in standing {
            let at = self.wiring.servers.iter().position(|offer| offer.id == ends.server);
            if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        }
        counts
    }

    /// Whether every server has seats for what comes to it.
    fn fits(&self) -> bool {
        self.loads().all(|(offer, load)| erlang_b(offer.seats, load) < NEVER)
    }

    /// Whether they take so little of any server that a request more or less is no matter to others.
    fn is_light(&self) -> bool {
        self.loads().all(|(offer, load)| load <= f64::from(offer.seats) * LIGHT)
    }

    /// How many seats each server needs on average.
    fn loads(&self) -> impl Iterator<Item = (&Offer, f64)> {
        let each = self.params.rate() / f64::from(self.params.processes.max(1));
        let servers = self.wiring.servers.iter().zip(self.connected());
        servers.map(move |(offer, connected)| {
            (offer, f64::from(connected) * each * offer.work + self.wiring.beside)
        })
    }

    /// Whether a request that a process made now would be answered, whatever else goes on: its way
    /// works, its server is not busy, and all of them together need few of its seats.
    fn is_foreseen(&self, at: usize, view: &View) -> Option<Standing> {
        let process = &self.processes[at];
        let ends = process.connection.standing().filter(|_| process.stuck.is_none())?;
        let what = (self.class(), Resource::Objects);
        let way = path::latency_on(view, view.me, (ends.near, ends.server), what);
        let works = self.light && !self.wiring.eager && way.is_some() && view.flows(ends.id);
        works.then_some(ends)
    }

    /// Whether some server has so much to do that requests have to be made to see what they meet.
    pub(super) fn is_contended(&self, view: &View) -> bool {
        let busy = |offer: &Offer| view.api_server(offer.id).is_some_and(|fact| fact.contended);
        self.wiring.servers.iter().any(busy)
    }

    /// Writes a line of the book.
    fn write_line(&mut self, fx: &mut Effects<Alarm>) {
        let pending: usize = self.processes.iter().map(|process| process.requests.len()).sum();
        let unwatched: usize = self.processes.iter().map(Process::unwatched).sum();
        let most_connected = self.connected().into_iter().max().unwrap_or(0);
        let ledger = &mut self.ledger;
        let most_sent = ledger.to_each.iter().copied().max().unwrap_or(0);
        ledger.to_each.fill(0);
        let short = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        fx.record(Record::Herd(HerdRecord {
            client: self.me,
            issued: ledger.issued,
            served: ledger.served,
            rejected: ledger.rejected,
            timed_out: ledger.timed_out,
            pending: short(pending as u64),
            sent: ledger.sent,
            turned_away: ledger.turned_away,
            lists: ledger.lists,
            unwatched: short(unwatched as u64),
            most_sent: short(most_sent),
            most_connected,
        }));
    }

    /// A line is due: requests are counted from now on if all is quiet.
    pub(super) fn line(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let before = self.ledger.turned_away;
        let calm = std::mem::replace(&mut self.ledger.turned_away_before, before) == before
            && !self.wiring.eager
            && !self.is_contended(view)
            && self.processes.iter().all(Process::is_settled)
            && self.fits();
        self.light = self.is_light();
        self.write_line(fx);
        if calm {
            if std::mem::take(&mut self.lost) {
                fx.record(Record::Note("all informers watch"));
            }
            self.quiet = Some(view.now);
            fx.clear(Alarm::Arrival);
            fx.clear(Alarm::Line);
        } else {
            fx.set_after(Alarm::Line, LINE, "book of requests");
        }
    }

    /// Something happens: requests are issued one by one from now on.
    pub(super) fn wake(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let Some(since) = self.quiet.take() else { return };
        self.turn = (fx.event(), view.now);
        let passed = view.now.saturating_since(since).as_secs_f64();
        let count = counts::arrivals(self.params.rate() * passed, &mut fx.draw(COUNT_DRAW));
        self.ledger.issued += count;
        self.ledger.served += count;
        self.ledger.sent += count;
        self.write_line(fx);
        self.begin_arrivals(view, fx);
    }

    /// Requests are issued from now on.
    pub(super) fn begin_arrivals(&self, view: &View, fx: &mut Effects<Alarm>) {
        fx.set_after(Alarm::Line, LINE, "book of requests");
        self.plan_arrival(view, fx);
    }

    fn plan_arrival(&self, view: &View, fx: &mut Effects<Alarm>) {
        if self.params.every.is_zero() {
            return;
        }
        let mean = self.params.every.mul_f64(1.0 / f64::from(self.params.processes.max(1)));
        let gap = Law::Exponential { mean }.sample(&mut fx.draw(ARRIVAL_DRAW));
        let at: Time = view.now + gap;
        let (event, turned) = self.turn;
        let wait = at.saturating_since(turned);
        fx.set(Alarm::Arrival, at, Blame::of("client schedule", wait).since(event));
    }

    /// One of the processes asks something.
    pub(super) fn arrive(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let among = self.processes.len().max(1) as u64;
        let at = usize::try_from(fx.draw(PICK_DRAW).below(among)).unwrap_or(0);
        if let Some(ends) = self.is_foreseen(at, view) {
            self.ledger.issued += 1;
            self.ledger.served += 1;
            self.count_sent(ends.server);
        } else {
            self.issue(at, What::Other, view);
            self.settle_up(at, view, fx);
        }
        self.plan_arrival(view, fx);
    }
}
