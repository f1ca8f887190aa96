//! Health checks as load balancers, keepalived scripts and probes do them: a target is declared down
//! after `fall` failed checks in a row and up after `rise` good ones.
//!
//! Checks are never simulated one by one. [`HealthCheck`] is arithmetic on a constant target: when
//! the target changes, the caller says so ([`HealthCheck::see`]), the checks of the time before are
//! booked in one go, one that is in flight is planned anew, and [`HealthCheck::flip`] tells when the
//! verdict will change if nothing else does. The caller keeps a single alarm for that instant.
//!
//! Where packets get lost for good, a healthy target fails some checks: [`HealthCheck::bad_luck`] draws
//! the end of the next run of them that is long enough.
//!
//! Absent on purpose: what a verdict *means*, alarms, and how a target is observed. Callers decide.

mod check;
mod luck;
mod target;

use crate::component::blame::Blame;
use crate::kernel::cadence::covering_gap;
use crate::kernel::time::{Duration, Time};
use crate::transport::retransmission::SynTimers;
use check::Check;

pub use luck::Luck;
pub use target::Target;

/// How deep a check looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// It is content with a connection: a hung program passes.
    Connect,
    /// It waits for an answer.
    Reply,
}

/// From when the wait for the next check counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    /// From the end of the check before (`HAProxy`).
    AfterEnd,
    /// From its start; a check is left out while the one before still runs (keepalived scripts).
    StartToStart,
}

/// What a checker believes of its target before its first check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Up; `fall` failures take it down.
    FullyUp,
    /// Up, but the first failure takes it down.
    Up,
    /// Down, but the first good check brings it up.
    Down,
    /// Down; `rise` good checks bring it up.
    FullyDown,
}

/// What the time-outs and waits are called in the real software, for blame lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// Wait between checks of a target that is fully up.
    pub inter: &'static str,
    /// Wait while neither verdict is settled.
    pub fastinter: &'static str,
    /// Wait between checks of a target that is fully down.
    pub downinter: &'static str,
    /// What ends an attempt to connect.
    pub connect_limit: &'static str,
    /// What ends the wait for an answer.
    pub reply_limit: &'static str,
    /// What a program waits for before it answers.
    pub work: &'static str,
}

/// The configuration of a check, in true time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Good checks in a row that bring a target up; at least 1.
    pub rise: u32,
    /// Failed checks in a row that take a target down; at least 1.
    pub fall: u32,
    /// Wait before the next check while fully up; above zero.
    pub inter: Duration,
    /// Wait in between the extremes.
    pub fastinter: Duration,
    /// Wait while fully down.
    pub downinter: Duration,
    /// From when waits count.
    pub pacing: Pacing,
    /// What is checked.
    pub depth: Depth,
    /// Connecting includes a TLS handshake, which a hung program does not take part in.
    pub handshake: bool,
    /// How long an attempt to connect may take.
    pub connect_limit: Duration,
    /// The wait for an answer ends at the later of: this long after the connection …
    pub reply_fresh: Duration,
    /// … and this long after the check began.
    pub reply_total: Duration,
    /// Each wait is stretched or shortened by up to this share, in percent (`spread-checks`).
    pub spread: u32,
    /// How the kernel repeats SYNs.
    pub syn: SynTimers,
    /// For blame lines.
    pub names: Names,
}

impl Rules {
    /// Health of a target that is fully up.
    fn full(&self) -> u32 {
        self.rise + self.fall - 1
    }

    fn wait(&self, health: u32) -> (Duration, &'static str) {
        match health {
            0 => (self.downinter, self.names.downinter),
            health if health == self.full() => (self.inter, self.names.inter),
            _ => (self.fastinter, self.names.fastinter),
        }
    }
}

/// A random number from [0, 1) for check number n, the same whenever it is asked for.
pub type Dice<'a> = &'a dyn Fn(u64) -> f64;

/// What the checker does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The next check begins then.
    Waiting(Time),
    /// A check is in flight.
    Running(Check),
}

/// The instant at which a verdict will change, with the waits that lead there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// When the deciding check ends.
    pub at: Time,
    /// What the time from now until then is made of.
    pub blame: Blame,
}

/// Booking by single checks before the phase of a spread check counts as forgotten.
const SPREAD_STEPS_MAX: u32 = 1000;

/// One checker of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    rules: Rules,
    /// `HAProxy`'s counter: 0 is down, `rise + fall − 1` fully up, up from `rise` on.
    health: u32,
    /// No check has ended yet, and the first will decide.
    undecided: bool,
    stage: Stage,
    target: Target,
    /// When the target changed last, and target and check in flight as they were before.
    before: Option<(Time, Target, Check)>,
    count: u64,
}

impl HealthCheck {
    /// A checker that begins as `HAProxy` does: up, but one failure from down.
    pub fn starting(rules: Rules, first: Time, target: Target) -> Self {
        let (health, stage) = (rules.rise, Stage::Waiting(first));
        Self { rules, health, undecided: false, stage, target, before: None, count: 0 }
    }

    /// The same checker, not yet begun, with another belief (`init-state`).
    pub fn believing(self, start: Start) -> Self {
        let health = match start {
            Start::FullyUp => self.rules.full(),
            Start::Up => self.rules.rise,
            Start::Down => self.rules.rise.saturating_sub(1),
            Start::FullyDown => 0,
        };
        Self { health, ..self }
    }

    /// A checker whose first result decides, as keepalived's scripts do (`init`).
    pub fn undecided(rules: Rules, first: Time, target: Target) -> Self {
        Self { undecided: true, ..Self::starting(rules, first, target) }
    }

    /// A checker that has been at rest for long: fully up or down, its next check at `next`.
    pub fn settled(rules: Rules, up: bool, next: Time, target: Target) -> Self {
        let health = if up { rules.full() } else { 0 };
        Self { health, ..Self::starting(rules, next, target) }
    }

    /// What the checks so far say; `None` before the first one of an undecided checker.
    pub fn verdict(&self) -> Option<bool> {
        (!self.undecided).then_some(self.health >= self.rules.rise)
    }

    /// What it believes to be checking.
    pub fn target(&self) -> Target {
        self.target
    }

    /// From now on checks meet another target. Books what has ended before `now`.
    pub fn see(&mut self, now: Time, target: Target, dice: Dice) {
        if target == self.target {
            return;
        }
        self.book(now, false, dice);
        let old = std::mem::replace(&mut self.target, target);
        if let Stage::Running(check) = &mut self.stage {
            // Of several changes at one instant the last one counts: what lasts no time meets no packet.
            let same = self.before.filter(|(at, _, was)| (*at, was.began) == (now, check.began));
            let (_, old, was) = *self.before.insert(same.unwrap_or((now, old, *check)));
            *check = if old == target { was } else { was.meet(now, target, &self.rules) };
        }
    }

    /// Books every check that has ended by `now`, those that end at this instant included.
    pub fn advance(&mut self, now: Time, dice: Dice) {
        self.book(now, true, dice);
    }

    /// From now on other waits and time-outs hold (the checker's clock runs at another rate). One that
    /// is running keeps its end.
    pub fn change_rules(&mut self, now: Time, rules: Rules, dice: Dice) {
        self.book(now, false, dice);
        self.rules = rules;
    }

    /// The checker executes again after standing still: what fell due meanwhile happens now, and a
    /// check in flight finds what the kernel has for it.
    pub fn wake(&mut self, now: Time, target: Target) {
        self.target = target;
        match &mut self.stage {
            Stage::Waiting(at) => *at = (*at).max(now),
            Stage::Running(check) => *check = check.meet(now, target, &self.rules).not_before(now),
        }
    }

    /// A failure that traffic has shown (`on-error fail-check`) counts like a failed check.
    pub fn fail(&mut self, now: Time, dice: Dice) {
        self.book(now, false, dice);
        self.note(false);
    }

    /// `on-error sudden-death`: the next failure takes the target down.
    pub fn weaken(&mut self, now: Time, dice: Dice) {
        self.book(now, false, dice);
        self.health = self.health.min(self.rules.rise);
    }

    /// `on-error mark-down`: down at once.
    pub fn condemn(&mut self, now: Time, dice: Dice) {
        self.book(now, false, dice);
        self.health = 0;
    }

    /// The next check begins at most `fastinter` from now.
    pub fn hasten(&mut self, now: Time, dice: Dice) {
        self.book(now, false, dice);
        if let Stage::Waiting(at) = &mut self.stage {
            *at = (*at).min(now + self.rules.fastinter);
        }
    }

    /// When the verdict will change if the target stays as it is, seen from `now`.
    pub fn flip(&self, now: Time, dice: Dice) -> Option<Flip> {
        let mut ahead = self.clone();
        let mut blame = Blame::default();
        let mut at = now;
        for _ in 0..2 * (self.rules.full() + 2) {
            if ahead.at_rest() {
                return None;
            }
            let (next, parameter) = ahead.next();
            add(&mut blame, parameter, next.saturating_since(at));
            at = at.max(next);
            ahead.step(dice);
            if ahead.verdict() != self.verdict() {
                return Some(Flip { at, blame });
            }
        }
        None
    }

    /// No check that is to come can change anything.
    fn at_rest(&self) -> bool {
        let Stage::Waiting(at) = self.stage else { return false };
        let passes = Check::begin(at, self.target, &self.rules).passes;
        !self.undecided && self.health == if passes { self.rules.full() } else { 0 }
    }

    /// The next thing to happen, and which option makes us wait for it.
    fn next(&self) -> (Time, &'static str) {
        match self.stage {
            Stage::Waiting(at) => (at, self.rules.wait(self.health).1),
            Stage::Running(check) => (check.ends, check.reason),
        }
    }

    fn step(&mut self, dice: Dice) {
        match self.stage {
            Stage::Waiting(at) => {
                self.stage = Stage::Running(Check::begin(at, self.target, &self.rules));
            }
            Stage::Running(check) => {
                self.note(check.passes);
                self.undecided = false;
                self.stage = Stage::Waiting(self.next_start(check, dice));
                self.count += 1;
            }
        }
    }

    /// `set_server_check_status` and `check_notify_success/failure` of `HAProxy`: one opposite result
    /// restores the extreme.
    fn note(&mut self, passed: bool) {
        let full = self.rules.full();
        if passed {
            let health = if self.undecided { full } else { (self.health + 1).min(full) };
            self.health = if health >= self.rules.rise { full } else { health };
        } else {
            let health = if self.undecided { 0 } else { self.health.saturating_sub(1) };
            self.health = if health < self.rules.rise { 0 } else { health };
        }
    }

    fn next_start(&self, check: Check, dice: Dice) -> Time {
        let wait = self.rules.wait(self.health).0;
        match self.rules.pacing {
            Pacing::AfterEnd if self.rules.spread == 0 => check.ends + wait,
            Pacing::AfterEnd => {
                let share = f64::from(self.rules.spread) / 100.0;
                check.ends + wait.mul_f64(1.0 + share * (2.0 * dice(self.count) - 1.0))
            }
            Pacing::StartToStart => {
                let took = check.ends.since(check.began).as_nanos();
                check.began + wait * took.div_ceil(wait.as_nanos()).max(1)
            }
        }
    }

    /// Carries out what happens before `to`, or up to and including it.
    fn book(&mut self, to: Time, inclusive: bool, dice: Dice) {
        let mut steps = 0;
        loop {
            if self.at_rest() && (self.rules.spread == 0 || steps > 2 * SPREAD_STEPS_MAX) {
                self.skip(to, dice);
                steps = 0;
            }
            let next = self.next().0;
            if next > to || (next == to && !inclusive) {
                return;
            }
            self.step(dice);
            steps += 1;
        }
    }

    /// Leaves out whole cycles of a checker at rest, up to the last that begins before `to`.
    fn skip(&mut self, to: Time, dice: Dice) {
        let Stage::Waiting(start) = self.stage else { return };
        if start >= to {
            return;
        }
        let check = Check::begin(start, self.target, &self.rules);
        if self.rules.spread > 0 {
            return self.forget_phase(to, check, dice);
        }
        let cycle = self.next_start(check, dice).since(start);
        let cycles = (to.since(start).as_nanos() - 1) / cycle.as_nanos();
        self.count += cycles;
        self.stage = Stage::Waiting(start + cycle * cycles);
    }

    /// So many spread waits have passed that any phase is as likely as another: draws the cycle in
    /// which `to` falls, and where in it.
    fn forget_phase(&mut self, to: Time, check: Check, dice: Dice) {
        let took = check.ends.since(check.began);
        let wait = self.rules.wait(self.health).0;
        let share = f64::from(self.rules.spread) / 100.0;
        let (least, most) = (wait.mul_f64(1.0 - share), wait.mul_f64(1.0 + share));
        let gap = covering_gap(took + least, took + most, dice(self.count));
        let began = to - gap.mul_f64(dice(self.count + 1));
        self.count += 2;
        self.stage = if began + took >= to {
            Stage::Running(Check::begin(began, self.target, &self.rules))
        } else {
            Stage::Waiting(began + gap)
        };
    }
}

/// Adds a wait to the term of the same name: a blame line has room for six.
fn add(blame: &mut Blame, parameter: &'static str, amount: Duration) {
    if let Some(term) = blame.terms.iter_mut().find(|term| term.parameter == parameter) {
        term.amount = term.amount.saturating_add(amount);
        return;
    }
    *blame = std::mem::take(blame).and(parameter, amount);
}

#[cfg(test)]
mod tests;
