//! Checks that fail, or take long, because packets get lost for good: jumped over up to the next run
//! of failures that takes the target down, and up to the run of good checks that brings it up again.
//!
//! A lost SYN is repeated after 1 s and lost data after 0.2 s; whether that is in time depends on the
//! check's own limits. Absent on purpose: losses while a change of the target itself is being noticed.

use super::check::Check;
use super::{Depth, HealthCheck, Pacing, Stage, Target};
use crate::kernel::stream::Draw;
use crate::kernel::time::{Duration, Time};
use crate::transport::loss::{Lateness, Runs, either};
use crate::transport::retransmission::Schedule;

/// What losses do to a check of a healthy target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Luck {
    /// How likely it fails.
    pub fails: f64,
    /// How long it takes on average: a failed one.
    failed: Duration,
    /// A good one.
    good: Duration,
    /// How much of that is due to losses.
    late: Duration,
}

impl HealthCheck {
    /// What losses there and back (as probabilities) do to checks of the present target; `None` if
    /// nothing, or if checks fail anyway.
    pub fn luck(&self, there: f64, back: f64) -> Option<Luck> {
        let (Target::Answers { round_trip, .. } | Target::Hung(round_trip)) = self.target else {
            return None;
        };
        let sample = Check::begin(Time::START, self.target, &self.rules);
        if there + back <= 0.0 || !sample.passes {
            return None;
        }
        let rules = &self.rules;
        let loss = either(there, back);
        let window = rules.reply_fresh.max(rules.reply_total);
        let data = |loss| Lateness::of_data(loss, window);
        let exchange = data(there).then(data(back));
        let (mut reached, mut passes, mut taken) = (1.0, 0.0, 0.0);
        let mut given_up = 0.0;
        for syn in Schedule::syn(Time::ZERO, rules.syn).transmissions() {
            let late = syn.since(Time::ZERO);
            if late.saturating_add(round_trip) > rules.connect_limit {
                break;
            }
            let left = rules.reply_fresh.max(rules.reply_total.saturating_sub(late));
            let in_time = match rules.depth {
                Depth::Connect => 1.0,
                Depth::Reply => exchange.within(left.saturating_sub(round_trip)),
            };
            let limit = rules.connect_limit.saturating_sub(late).saturating_sub(round_trip);
            let greeted = if rules.handshake { exchange.within(limit) } else { 1.0 };
            let in_time = in_time * greeted;
            let here = reached * (1.0 - loss);
            passes += here * in_time;
            taken += here * in_time * late.as_secs_f64();
            given_up += here * (1.0 - in_time) * late.saturating_add(left).as_secs_f64();
            reached *= loss;
        }
        given_up += reached * rules.connect_limit.as_secs_f64();
        let fails = (1.0 - passes).max(0.0);
        let mean = |sum: f64, share: f64| {
            if share > 0.0 { Duration::from_secs(1).mul_f64(sum / share) } else { Duration::ZERO }
        };
        let late = mean(taken, passes);
        let good = late + sample.ends.since(Time::START);
        Some(Luck { fails, failed: mean(given_up, fails), good, late })
    }

    /// When losses alone take a healthy target down that is at rest; `None` if never.
    pub fn bad_luck(&self, now: Time, luck: Luck, draw: &mut Draw) -> Option<Time> {
        let at_rest = self.verdict() == Some(true) && self.health == self.rules.full();
        let runs = Runs { probability: luck.fails, length: self.rules.fall };
        let tries = runs.tries(draw).filter(|_| at_rest)?;
        let before = tries - u64::from(self.rules.fall);
        let share = before_the_run(luck.fails, self.rules.fall);
        let mean = luck.good.mul_f64(1.0 - share) + luck.failed.mul_f64(share);
        let first = self.next_begin(now, luck) + self.cycle(mean, self.rules.inter) * before;
        let failing =
            self.cycle(luck.failed, self.rules.fastinter) * (u64::from(self.rules.fall) - 1);
        Some(first + failing + luck.failed)
    }

    /// A check has just ended; the next one comes after its wait.
    pub fn start_over(&mut self, now: Time) {
        self.stage = Stage::Waiting(now + self.rules.wait(self.health).0);
    }

    /// A target that is down and healthy again: the checks are left out that come before the run of
    /// good ones which brings it up.
    pub fn hold_off(&mut self, luck: Luck, draw: &mut Draw) {
        let runs = Runs { probability: 1.0 - luck.fails, length: self.rules.rise };
        let Stage::Waiting(at) = self.stage else { return };
        let tries = runs.tries(draw).unwrap_or(u64::MAX);
        let before = tries.saturating_sub(u64::from(self.rules.rise));
        let share = before_the_run(1.0 - luck.fails, self.rules.rise);
        let mean = luck.good.mul_f64(share) + luck.failed.mul_f64(1.0 - share);
        let late = luck.late * u64::from(self.rules.rise);
        self.stage = Stage::Waiting(at + self.cycle(mean, self.rules.downinter) * before + late);
    }

    /// From check to check.
    fn cycle(&self, takes: Duration, wait: Duration) -> Duration {
        match self.rules.pacing {
            Pacing::AfterEnd => takes + wait,
            Pacing::StartToStart => wait * takes.as_nanos().div_ceil(wait.as_nanos()).max(1),
        }
    }

    /// When the next check begins.
    fn next_begin(&self, now: Time, luck: Luck) -> Time {
        let cycle = self.cycle(luck.good, self.rules.inter);
        match self.stage {
            Stage::Waiting(at) if at >= now => at,
            Stage::Waiting(at) => at + cycle * now.since(at).as_nanos().div_ceil(cycle.as_nanos()),
            Stage::Running(check) => check.ends.max(now) + self.rules.inter,
        }
    }
}

/// Of the tries before the first run of so many outcomes of one kind, which share is of that kind:
/// they come in blocks of fewer than `length` of them, each ended by one of the other kind.
fn before_the_run(probability: f64, length: u32) -> f64 {
    let (mut weight, mut weights, mut sum) = (1.0, 0.0, 0.0);
    for j in 0..length {
        weights += weight;
        sum += weight * f64::from(j);
        weight *= probability;
    }
    let mean = sum / weights;
    mean / (mean + 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::{Names, Rules};
    use super::*;
    use crate::kernel::stream::{Key, StreamName};
    use crate::transport::retransmission::SynTimers;

    const RULES: Rules = Rules {
        rise: 2,
        fall: 3,
        inter: Duration::from_secs(2),
        fastinter: Duration::from_secs(2),
        downinter: Duration::from_secs(2),
        pacing: Pacing::AfterEnd,
        depth: Depth::Connect,
        handshake: false,
        connect_limit: Duration::from_secs(2),
        reply_fresh: Duration::from_secs(2),
        reply_total: Duration::from_secs(2),
        spread: 0,
        syn: SynTimers { linear: 0, hz: 0 },
        names: Names {
            inter: "inter",
            fastinter: "fastinter",
            downinter: "downinter",
            connect_limit: "timeout check",
            reply_limit: "timeout check",
            work: "etcd-healthcheck-timeout",
        },
    };

    fn draw(n: u64) -> Draw {
        Key::new(8, 0).draw(StreamName::of("luck"), 0, n << 20)
    }

    fn check() -> HealthCheck {
        let target = Target::Answers {
            round_trip: Duration::from_millis(1),
            work: Duration::ZERO,
            good: true,
        };
        HealthCheck::settled(RULES, true, Time::START, target)
    }

    /// Every check on its own, every SYN tossed: when the target is declared down, and from then up.
    fn eager(loss: f64, n: u64) -> (f64, f64) {
        let mut draw = Key::new(9, 0).draw(StreamName::of("toss"), 0, n << 20);
        let (mut now, mut failed, mut good, mut fallen) = (0.0, 0, 0, None);
        loop {
            let vanishes = |draw: &mut Draw| draw.uniform() < loss || draw.uniform() < loss;
            let first_lost = vanishes(&mut draw);
            let good_enough = !first_lost || !vanishes(&mut draw);
            now += match (first_lost, good_enough) {
                (false, _) => 0.001,
                (true, true) => 1.001,
                (true, false) => 2.0,
            };
            (failed, good) = if good_enough { (0, good + 1) } else { (failed + 1, 0) };
            if fallen.is_none() && failed == 3 {
                fallen = Some(now);
                good = 0;
            }
            if let Some(at) = fallen.filter(|_| good == 2) {
                return (at, now - at);
            }
            now += 2.0;
        }
    }

    /// Law: jumping to the runs that matter agrees with checking one by one: mean times until down and
    /// until up again, with a third of all packets lost (bounds: four standard errors of both means;
    /// the waits' standard deviations are at most their means).
    #[test]
    fn jumping_agrees_with_checking() {
        const N: u64 = 4000;
        let loss = 1.0 / 3.0;
        let luck = check().luck(loss, loss).unwrap();
        assert!((luck.fails - (1.0_f64 - 4.0 / 9.0).powi(2)).abs() < 1e-12);
        let (mut lazy, mut one_by_one) = ((0.0, 0.0), (0.0, 0.0));
        let dice = |_: u64| 0.5;
        for n in 0..N {
            let at = check().bad_luck(Time::START, luck, &mut draw(2 * n)).unwrap();
            let mut down = check();
            down.condemn(at, &dice);
            down.start_over(at);
            down.hold_off(luck, &mut draw(2 * n + 1));
            let up = down.flip(at, &dice).unwrap().at;
            lazy.0 += at.since(Time::START).as_secs_f64();
            lazy.1 += up.since(at).as_secs_f64();
            let (a, b) = eager(loss, n);
            one_by_one.0 += a;
            one_by_one.1 += b;
        }
        let near = |a: f64, b: f64, what: &str| {
            let (a, b) = (a / N as f64, b / N as f64);
            // Either mean has a standard error of at most mean / sqrt(N).
            assert!((a - b).abs() < 4.0 * b * (2.0 / N as f64).sqrt(), "{what}: {a} and {b}");
        };
        near(lazy.0, one_by_one.0, "down");
        near(lazy.1, one_by_one.1, "up");
    }

    /// Law: no luck is needed without losses, nor where checks fail anyway.
    #[test]
    fn luck_needs_losses_and_a_healthy_target() {
        assert_eq!(check().luck(0.0, 0.0), None);
        let dead = HealthCheck::settled(RULES, true, Time::START, Target::Silent);
        assert_eq!(dead.luck(0.1, 0.1), None);
    }
}
