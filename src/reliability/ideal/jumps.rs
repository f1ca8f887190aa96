//! Services along a chain of jumps: where no law has memory, a state is what is up and who holds what,
//! and whoever walks along the chain decides what comes next.
//!
//! The rules are those of the process and of the services themselves: a jump lets one thing fail or
//! end at an instant that never moves on, and all follows as it would have by its own clocks.
//!
//! Absent on purpose: time, chance, and what is measured.

use super::seat::Seat;
use super::{Ideal, Measure, Timing};
use crate::plan::Plan;
use crate::plan::timings::Timings;
use crate::reliability::process::{self, rate};

/// Which seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Office {
    Vip,
    Leader,
    Scheduler,
    Manager,
}

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    /// Something that failed is put right.
    Repair(process::Ending),
    /// A takeover, with who wins.
    Takeover(Office, usize),
    /// A server comes into the rotation, or goes.
    Backend(usize),
    /// A member has caught up.
    Rejoin(usize),
}

/// Something under way that will end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ending {
    what: What,
    /// How often it would end in a second.
    pub rate: f64,
}

impl Ending {
    /// Whether something that failed is put right by it: a repair, a boot, an outage's end, or a
    /// member that votes again.
    pub fn puts_right(&self) -> bool {
        matches!(self.what, What::Repair(_) | What::Rejoin(_))
    }
}

/// Whether nothing in a plan has memory: all laws are exponential, or of timings that take no time.
pub fn forgets(plan: &Plan) -> bool {
    let timeless = |(timing, ..): &(Timing, &str, &str)| {
        let law = plan.timings.law(*timing);
        law.is_some_and(|law| Timings::is_instantaneous(law) || rate(law).is_some())
    };
    process::forgets(&plan.reliability) && Timing::ALL.iter().all(timeless)
}

impl Ideal<'_> {
    fn seat(&mut self, office: Office) -> &mut Seat {
        match office {
            Office::Vip => &mut self.vip,
            Office::Leader => &mut self.leader,
            Office::Scheduler => &mut self.scheduler,
            Office::Manager => &mut self.manager,
        }
    }

    /// Everything under way, in one order; a takeover once for each that can win.
    pub fn endings(&self, into: &mut Vec<Ending>) {
        into.clear();
        let mut repairs = Vec::new();
        self.process.endings(&mut repairs);
        into.extend(repairs.iter().map(|one| Ending { what: What::Repair(*one), rate: one.rate }));
        // The first balancer that can be used takes the address.
        let usable = self.means.usable;
        self.takeover(Office::Vip, &self.vip, usable & usable.wrapping_neg(), into);
        self.takeover(Office::Leader, &self.leader, self.means.votes, into);
        let [schedulers, managers] = self.scenes.now().candidates;
        self.takeover(Office::Scheduler, &self.scheduler, schedulers.serving, into);
        self.takeover(Office::Manager, &self.manager, managers.serving, into);
        for (at, (inside, moving)) in self.rotation.each().enumerate() {
            let timing = if inside { Timing::LbFall } else { Timing::LbRise };
            let rate = self.rate(timing).filter(|_| moving);
            into.extend(rate.map(|rate| Ending { what: What::Backend(at), rate }));
        }
        for (at, waits) in self.rejoins.each().enumerate() {
            let rate = self.rate(Timing::EtcdRejoin).filter(|_| waits);
            into.extend(rate.map(|rate| Ending { what: What::Rejoin(at), rate }));
        }
    }

    fn rate(&self, timing: Timing) -> Option<f64> {
        self.plan.timings.law(timing).and_then(rate)
    }

    fn takeover(&self, office: Office, seat: &Seat, able: u64, into: &mut Vec<Ending>) {
        let Some(rate) = self.rate(seat.timing).filter(|_| !seat.due.is_never()) else {
            return;
        };
        let each = rate / f64::from(able.count_ones().max(1));
        let winners = (0..64).filter(|at| able >> at & 1 == 1);
        into.extend(winners.map(|at| Ending { what: What::Takeover(office, at), rate: each }));
    }

    /// Lets something under way end.
    pub fn end(&mut self, ending: &Ending) {
        let now = self.now;
        match ending.what {
            What::Repair(repair) => self.process.end(&repair, now),
            What::Takeover(office, winner) => {
                let seat = self.seat(office);
                (seat.due, seat.appointed) = (now, Some(winner));
            }
            What::Backend(at) => self.rotation.hasten(at, now),
            What::Rejoin(at) => self.rejoins.hasten(at, now),
        }
        self.follow(matches!(ending.what, What::Repair(_)));
        if let What::Takeover(office, _) = ending.what {
            self.seat(office).appointed = None;
        }
    }

    /// Writes down all that tells one state from another, where nothing has memory.
    pub fn stance(&self, into: &mut Vec<usize>) {
        into.clear();
        self.process.stance(into);
        let holder = |seat: &Seat| match seat.holder() {
            Some(at) => 2 + at,
            None => usize::from(!seat.due.is_never()),
        };
        let twins = self.twins();
        let own = |measure: Measure| twins[measure as usize] == Some(measure);
        // A seat that takes no time to take is held whenever anybody can hold it; by whom, tells
        // something of Leases alone, which their holders lose with their processes.
        let offices = [
            (&self.vip, false),
            (&self.leader, false),
            (&self.scheduler, own(Measure::Scheduling)),
            (&self.manager, own(Measure::Reconciliation)),
        ];
        for (seat, tells) in offices {
            let timed = !self.takes.at_once(seat.timing);
            into.push(if timed || tells { holder(seat) } else { 0 });
        }
        let rotation = self.rotation.each();
        into.extend(rotation.map(|(inside, moving)| usize::from(inside) + 2 * usize::from(moving)));
        into.extend(self.rejoins.each().map(usize::from));
    }
}
