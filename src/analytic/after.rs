//! What follows an event at once: who loses what it held, which timers begin, which stages are drawn.

use super::model::{Host, Model, PartModel, TimerModel, narrow};
use super::phases::Phases;
use super::state::State;
use crate::plan::reliability::Order;

/// A place whose stage is yet to be drawn: what one stage adds to it, and the law.
#[derive(Clone, Copy)]
struct Begin<'a> {
    slot: usize,
    stride: u16,
    phases: &'a Phases,
}

/// A state after an event, with the stages that begin in it.
pub(super) struct After<'a> {
    pub(super) state: State,
    begins: Vec<Begin<'a>>,
}

impl<'a> After<'a> {
    pub(super) fn of(state: &[u16]) -> After<'a> {
        After { state: state.to_vec(), begins: Vec::new() }
    }

    pub(super) fn begin(&mut self, slot: usize, base: u16, stride: u16, phases: &'a Phases) {
        self.state[slot] = base;
        self.begins.push(Begin { slot, stride, phases });
    }
}

/// Who hears of the states that follow, each with its rate.
pub(super) type Hear<'h> = dyn FnMut(f64, State) + 'h;

impl Model {
    pub(super) fn join_queue(&self, state: &mut [u16], at: usize, crew: usize) {
        let own = &self.parts[at];
        let waiting = |part: &&PartModel| part.crew == Some(crew) && state[part.queue] > 0;
        let ahead = match self.crews[crew].1 {
            Order::Fcfs => self.parts.iter().filter(waiting).count(),
            Order::Preemptive => {
                let before = |part: &&PartModel| part.urgency <= own.urgency;
                self.parts.iter().filter(waiting).filter(before).count()
            }
        };
        let place = narrow(ahead + 1);
        for part in self.parts.iter().filter(|part| part.crew == Some(crew)) {
            if state[part.queue] >= place {
                state[part.queue] += 1;
            }
        }
        state[own.queue] = place;
    }

    pub(super) fn leave_queue(&self, state: &mut [u16], at: usize) {
        let own = &self.parts[at];
        let Some(crew) = own.crew else { return };
        let place = std::mem::take(&mut state[own.queue]);
        if place == 0 {
            return;
        }
        for part in self.parts.iter().filter(|part| part.crew == Some(crew)) {
            if state[part.queue] > place {
                state[part.queue] -= 1;
            }
        }
    }

    /// What follows at once; then the stages that begin are drawn.
    pub(super) fn finish<'a>(&'a self, rate: f64, mut after: After<'a>, hear: &mut Hear) {
        self.settle(&mut after);
        let After { state, begins } = after;
        let mut branches = vec![(rate, state)];
        for begin in begins {
            let drawn = branches.iter().flat_map(|(rate, state)| {
                begin.phases.start.iter().map(move |(share, stage)| {
                    let mut state = state.clone();
                    state[begin.slot] += narrow(*stage) * begin.stride;
                    (rate * share, state)
                })
            });
            branches = drawn.collect();
        }
        for (rate, state) in branches {
            hear(rate, self.ordered(state));
        }
    }

    /// Holders that can hold no more lose what they held; timers begin and end.
    fn settle<'a>(&'a self, after: &mut After<'a>) {
        let votes = |m: &Model, s: &[u16], h: &Host| m.votes(s, h) && m.has_quorum(s);
        let timers: [Watch<'a>; 4] = [
            (
                self.vip.as_ref(),
                |h| h.holds_vip,
                |m, s, h| m.balances(s, h),
                |m, s, h| m.balances(s, h),
            ),
            (self.election.as_ref(), |h| h.leads, votes, votes),
            (
                self.manager.as_ref(),
                |h| h.holds_manager,
                |m, s, h| m.keeps_lease(s, h, h.manager_part),
                |m, s, h| m.writes(s) && m.takes_lease(s, h, h.manager_part),
            ),
            (
                self.scheduler.as_ref(),
                |h| h.holds_scheduler,
                |m, s, h| m.keeps_lease(s, h, h.scheduler_part),
                |m, s, h| m.writes(s) && m.takes_lease(s, h, h.scheduler_part),
            ),
        ];
        for (timer, mark, keeps, takes) in timers {
            let Some(timer) = timer else { continue };
            for host in &self.hosts {
                if let Some(slot) = mark(host).filter(|_| !keeps(self, &after.state, host)) {
                    after.state[slot] = 0;
                }
            }
            let held = self.anyone(&after.state, mark);
            let needed = !held && self.hosts.iter().any(|host| takes(self, &after.state, host));
            match (needed, after.state[timer.slot]) {
                (true, 0) => after.begin(timer.slot, 1, 1, &timer.phases),
                (true, _) => {}
                (false, _) => after.state[timer.slot] = 0,
            }
        }
        for host in &self.hosts {
            self.settle_rotation(after, host);
        }
    }

    fn settle_rotation<'a>(&'a self, after: &mut After<'a>, host: &Host) {
        let (Some(slot), Some(detection)) = (host.rotation, &self.detection) else { return };
        let out = 1 + narrow(detection.fall.as_ref().map_or(0, Phases::len));
        let healthy = self.serves(&after.state, host);
        let code = after.state[slot];
        let within = code < out;
        match (within, healthy) {
            (true, true) => after.state[slot] = 0,
            (true, false) if code == 0 => match &detection.fall {
                Some(fall) => after.begin(slot, 1, 1, fall),
                None => after.state[slot] = out,
            },
            (false, false) => after.state[slot] = out,
            (false, true) if code == out => match &detection.rise {
                Some(rise) => after.begin(slot, out + 1, 1, rise),
                None => after.state[slot] = 0,
            },
            _ => {}
        }
    }
}

/// A timer with its mark, who keeps it and who can take it.
type Watch<'a> = (
    Option<&'a TimerModel>,
    fn(&Host) -> Option<usize>,
    fn(&Model, &[u16], &Host) -> bool,
    fn(&Model, &[u16], &Host) -> bool,
);

/// A part that comes up is new: its clocks begin.
pub(super) fn renew<'a>(part: &'a PartModel, after: &mut After<'a>) {
    after.state[part.slot] = 0;
    let mut stride = 1;
    for clock in &part.clocks {
        after.begins.push(Begin { slot: part.slot, stride, phases: &clock.phases });
        stride *= narrow(clock.phases.len());
    }
}
