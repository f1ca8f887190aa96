//! What can happen in a state, at which rate, and what follows at once.

use super::after::{After, Hear, renew};
use super::model::{Host, Model, PartModel, Repair, Sort, TimerModel, narrow};
use super::phases::{Phases, Stage};
use super::state::State;

/// Whether a mark's taking takes time, who can have it and where it stands.
type Mark = (bool, fn(&Host) -> bool, fn(&Host) -> Option<usize>);

impl Model {
    /// The states in which everything begins, each with its probability.
    pub(super) fn starts(&self) -> Vec<(f64, State)> {
        let mut after = After::of(&vec![0; self.width]);
        for part in &self.parts {
            renew(part, &mut after);
        }
        for outage in &self.outages {
            after.begin(outage.slot, 0, 1, &outage.failure);
        }
        for shock in &self.shocks {
            after.begin(shock.slot, 0, 1, &shock.every);
        }
        let marks: [Mark; 4] = [
            (self.vip.is_some(), |h| h.balancer, |h| h.holds_vip),
            (self.election.is_some(), |h| h.member, |h| h.leads),
            (self.manager.is_some(), |h| h.api, |h| h.holds_manager),
            (self.scheduler.is_some(), |h| h.api, |h| h.holds_scheduler),
        ];
        for (timed, can, mark) in marks {
            let first = self.hosts.iter().find(|host| can(host));
            if let Some(slot) = first.and_then(mark).filter(|_| timed) {
                after.state[slot] = 1;
            }
        }
        let mut found = Vec::new();
        self.finish(1.0, after, &mut |share, state| found.push((share, state)));
        found
    }

    /// In how many combinations of stages it can begin.
    pub(super) fn ways_to_start(&self) -> f64 {
        let clocks = self.parts.iter().flat_map(|part| &part.clocks).map(|clock| &clock.phases);
        let outages = self.outages.iter().map(|outage| &outage.failure);
        let shocks = self.shocks.iter().map(|shock| &shock.every);
        clocks.chain(outages).chain(shocks).map(|law| law.start.len() as f64).product()
    }

    /// Everything that can happen in a state.
    pub(super) fn moves(&self, state: &[u16], hear: &mut Hear) {
        for at in 0..self.parts.len() {
            self.part_moves(state, at, hear);
        }
        for at in 0..self.outages.len() {
            self.outage_moves(state, at, hear);
        }
        for shock in &self.shocks {
            let Stage { rate, next } = shock.every.stages[usize::from(state[shock.slot])];
            let mut after = After::of(state);
            if let Some(next) = next {
                after.state[shock.slot] = narrow(next);
            } else {
                after.begin(shock.slot, 0, 1, &shock.every);
                for (part, repair) in &shock.stops {
                    let runs = self.runs(state, *part) && self.is_up(state, Some(*part));
                    if runs {
                        self.fail(&mut after, *part, *repair);
                    }
                }
            }
            self.finish(rate, after, hear);
        }
        self.timer_moves(state, hear);
        for host in &self.hosts {
            self.rejoin_moves(state, host, hear);
            self.rotation_moves(state, host, hear);
        }
    }

    /// Whether a part's clocks run: those of a process while its machine is up.
    fn runs(&self, state: &[u16], at: usize) -> bool {
        self.parts[at].sort != Sort::Process || self.is_up(state, self.machine_of(at))
    }

    /// The machine part of a process's host.
    fn machine_of(&self, at: usize) -> Option<usize> {
        let slot = self.parts[at].slot;
        let host = self.hosts.iter().find(|host| (host.slots.0..host.slots.1).contains(&slot));
        host.and_then(|host| host.machine)
    }

    fn host_of(&self, at: usize) -> Option<&Host> {
        self.hosts.iter().find(|host| host.machine == Some(at))
    }

    fn part_moves(&self, state: &[u16], at: usize, hear: &mut Hear) {
        let part = &self.parts[at];
        let code = state[part.slot];
        if code < part.ups() {
            if self.runs(state, at) {
                self.clock_moves(state, at, hear);
            }
            return;
        }
        if code >= part.waiting() {
            self.boot_moves(state, at, hear);
            return;
        }
        if !self.runs(state, at) {
            return;
        }
        let Some(repair) = (0..part.repairs.len()).rev().find(|r| part.down(*r) <= code) else {
            return;
        };
        let waits = part.crew.filter(|_| part.repairs[repair].needs_crew);
        if waits.is_some_and(|crew| state[part.queue] > self.crews[crew].0) {
            return;
        }
        let base = part.down(repair);
        let Stage { rate, next } = part.repairs[repair].phases.stages[usize::from(code - base)];
        let mut after = After::of(state);
        if let Some(next) = next {
            after.state[part.slot] = base + narrow(next);
        } else {
            self.leave_queue(&mut after.state, at);
            self.come_back(&mut after, at);
        }
        self.finish(rate, after, hear);
    }

    /// The clocks of what is up: each has its stage in the code, the first counts in ones.
    fn clock_moves(&self, state: &[u16], at: usize, hear: &mut Hear) {
        let part = &self.parts[at];
        let code = state[part.slot];
        let mut stride = 1;
        for clock in &part.clocks {
            let count = narrow(clock.phases.len());
            let place = (code / stride) % count;
            let Stage { rate, next } = clock.phases.stages[usize::from(place)];
            let mut after = After::of(state);
            match next {
                Some(next) => {
                    after.state[part.slot] = code - place * stride + narrow(next) * stride;
                }
                None => self.fail(&mut after, at, clock.repair),
            }
            self.finish(rate, after, hear);
            stride *= count;
        }
    }

    fn boot_moves(&self, state: &[u16], at: usize, hear: &mut Hear) {
        let part = &self.parts[at];
        let (code, Some(boot)) = (state[part.slot], &part.boot) else { return };
        if code < part.booting() {
            return;
        }
        let Stage { rate, next } = boot.stages[usize::from(code - part.booting())];
        let mut after = After::of(state);
        match next {
            Some(next) => after.state[part.slot] = part.booting() + narrow(next),
            None => self.bring_up(&mut after, at),
        }
        self.finish(rate, after, hear);
    }

    /// A part fails, and waits for its crew if it needs one.
    fn fail<'a>(&'a self, after: &mut After<'a>, at: usize, repair: usize) {
        let part = &self.parts[at];
        let Repair { phases, needs_crew } = &part.repairs[repair];
        after.begin(part.slot, part.down(repair), 1, phases);
        if let Some(crew) = part.crew.filter(|_| *needs_crew) {
            self.join_queue(&mut after.state, at, crew);
        }
        if part.sort == Sort::Machine {
            self.reset_host(after, at);
        }
    }

    /// A machine that is down has no failed processes: they are all up when it comes back.
    fn reset_host(&self, after: &mut After, at: usize) {
        let Some(host) = self.host_of(at) else { return };
        for part in self.processes(host) {
            self.leave_queue(&mut after.state, part);
            after.state[self.parts[part].slot] = 0;
        }
        if let Some(slot) = host.rejoin {
            after.state[slot] = 0;
        }
    }

    fn processes<'a>(&'a self, host: &'a Host) -> impl Iterator<Item = usize> + 'a {
        let (from, to) = host.slots;
        let within = move |part: &PartModel| (from..to).contains(&part.slot);
        let parts = self.parts.iter().enumerate();
        parts.filter(move |(_, part)| part.sort == Sort::Process && within(part)).map(|(at, _)| at)
    }

    /// A repair has ended.
    fn come_back<'a>(&'a self, after: &mut After<'a>, at: usize) {
        let part = &self.parts[at];
        if part.sort != Sort::Machine {
            after.state[part.slot] = 0;
            renew(part, after);
            return;
        }
        let host = self.host_of(at);
        let dark = |host: &Host| host.crashes.iter().any(|o| self.is_out(&after.state, *o));
        if host.is_some_and(dark) {
            after.state[part.slot] = part.waiting();
        } else {
            self.bring_up(after, at);
        }
    }

    /// A machine comes up with all its processes; its member has to catch up.
    fn bring_up<'a>(&'a self, after: &mut After<'a>, at: usize) {
        let part = &self.parts[at];
        after.state[part.slot] = 0;
        renew(part, after);
        let Some(host) = self.host_of(at) else { return };
        let processes: Vec<usize> = self.processes(host).collect();
        for process in processes {
            renew(&self.parts[process], after);
        }
        if let (Some(slot), Some(phases)) = (host.rejoin, &self.rejoin) {
            after.begin(slot, 1, 1, phases);
        }
    }

    fn outage_moves(&self, state: &[u16], at: usize, hear: &mut Hear) {
        let outage = &self.outages[at];
        let code = usize::from(state[outage.slot]);
        let ups = outage.failure.len();
        let mut after = After::of(state);
        let Stage { rate, next } = match code.checked_sub(ups) {
            None => outage.failure.stages[code],
            Some(place) => outage.repair.stages[place],
        };
        let base = if code < ups { 0 } else { ups };
        match next {
            Some(next) => after.state[outage.slot] = narrow(base + next),
            None if code < ups => {
                after.begin(outage.slot, narrow(ups), 1, &outage.repair);
                if outage.crash {
                    self.lose_power(&mut after, &outage.hosts);
                }
            }
            None => {
                after.begin(outage.slot, 0, 1, &outage.failure);
                if outage.crash {
                    self.power_back(&mut after, &outage.hosts);
                }
            }
        }
        self.finish(rate, after, hear);
    }

    fn lose_power(&self, after: &mut After, hosts: &[usize]) {
        for machine in hosts.iter().filter_map(|host| self.hosts[*host].machine) {
            let part = &self.parts[machine];
            let code = after.state[part.slot];
            if code < part.ups() || code >= part.booting() {
                after.state[part.slot] = part.waiting();
                self.reset_host(after, machine);
            }
        }
    }

    fn power_back<'a>(&'a self, after: &mut After<'a>, hosts: &[usize]) {
        for host in hosts {
            let host = &self.hosts[*host];
            let Some(machine) = host.machine else { continue };
            let part = &self.parts[machine];
            let dark = host.crashes.iter().any(|outage| self.is_out(&after.state, *outage));
            if dark || after.state[part.slot] != part.waiting() {
                continue;
            }
            match &part.boot {
                Some(boot) => after.begin(part.slot, part.booting(), 1, boot),
                None => self.bring_up(after, machine),
            }
        }
    }

    fn timer_moves(&self, state: &[u16], hear: &mut Hear) {
        let usable = |host: &Host| self.balances(state, host);
        let votes = |host: &Host| self.votes(state, host);
        let manager = |host: &Host| self.takes_lease(state, host, host.manager_part);
        let scheduler = |host: &Host| self.takes_lease(state, host, host.scheduler_part);
        self.timer(state, self.vip.as_ref(), &usable, |h| h.holds_vip, true, hear);
        self.timer(state, self.election.as_ref(), &votes, |h| h.leads, false, hear);
        self.timer(state, self.manager.as_ref(), &manager, |h| h.holds_manager, false, hear);
        self.timer(state, self.scheduler.as_ref(), &scheduler, |h| h.holds_scheduler, false, hear);
    }

    /// A running timer goes on; at its end the first of those that can takes the mark, or any of
    /// them, all alike.
    fn timer(
        &self,
        state: &[u16],
        timer: Option<&TimerModel>,
        can: &dyn Fn(&Host) -> bool,
        mark: fn(&Host) -> Option<usize>,
        first: bool,
        hear: &mut Hear,
    ) {
        let Some(timer) = timer.filter(|timer| state[timer.slot] > 0) else { return };
        let Stage { rate, next } = timer.phases.stages[usize::from(state[timer.slot] - 1)];
        if let Some(next) = next {
            let mut after = After::of(state);
            after.state[timer.slot] = narrow(next + 1);
            self.finish(rate, after, hear);
            return;
        }
        let able = self.hosts.iter().filter(|host| can(host)).filter_map(mark);
        let mut able: Vec<usize> = able.collect();
        if first {
            able.truncate(1);
        }
        for slot in &able {
            let mut after = After::of(state);
            after.state[timer.slot] = 0;
            after.state[*slot] = 1;
            self.finish(rate / able.len() as f64, after, hear);
        }
    }

    fn rejoin_moves(&self, state: &[u16], host: &Host, hear: &mut Hear) {
        let (Some(slot), Some(phases)) = (host.rejoin, &self.rejoin) else { return };
        if state[slot] == 0 {
            return;
        }
        let Stage { rate, next } = phases.stages[usize::from(state[slot] - 1)];
        let mut after = After::of(state);
        after.state[slot] = next.map_or(0, |next| narrow(next + 1));
        self.finish(rate, after, hear);
    }

    fn rotation_moves(&self, state: &[u16], host: &Host, hear: &mut Hear) {
        let (Some(slot), Some(detection)) = (host.rotation, &self.detection) else { return };
        let out = 1 + narrow(detection.fall.as_ref().map_or(0, Phases::len));
        let code = state[slot];
        let (phases, base, end) = match code {
            0 => return,
            code if code < out => (&detection.fall, 1, out),
            code if code == out => return,
            _ => (&detection.rise, out + 1, 0),
        };
        let Some(phases) = phases else { return };
        let Stage { rate, next } = phases.stages[usize::from(code - base)];
        let mut after = After::of(state);
        after.state[slot] = next.map_or(end, |next| base + narrow(next));
        self.finish(rate, after, hear);
    }
}
