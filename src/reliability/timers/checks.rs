//! Health checks of API servers: how long until the verdict flips, for a change at an arbitrary phase of
//! the checks.
//!
//! What follows the first check that meets the change takes always the same time, so that it is
//! computed once; only the wait for that check, and the spread of later ones, are drawn. A check that
//! is under way at the change is taken for one that ends with it: it lasts a round trip or two.

use super::leases::request_times;
use super::{Lost, longest, mean_delay, part_of};
use crate::component::id::Kind;
use crate::components::Params;
use crate::components::api_server::{ApiServerParams, HOOK_PERIOD};
use crate::components::health_check::{HealthCheck, Pacing, Rules, Target};
use crate::components::load_balancer::{CheckKind, CloudCheck, Habit};
use crate::kernel::cadence::covering_gap;
use crate::kernel::law::Law;
use crate::kernel::stream::Draw;
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;

/// From a change to the verdict on it.
#[derive(Clone, Copy, Debug)]
struct Flip {
    /// The wait between two checks before the change, and how long each of those takes.
    wait: Duration,
    took: Duration,
    pacing: Pacing,
    /// From one check of a checker at rest to the next.
    cycle: Duration,
    /// From the start of the first check that meets the change to the verdict, without spread; never
    /// where checks do not notice.
    rest: Duration,
    /// How many waits of which length are in there.
    further: u32,
    between: Duration,
}

/// The checks of one balancer.
#[derive(Clone, Debug)]
pub(super) struct Checks {
    spread: f64,
    silent: Flip,
    refused: Flip,
    hung: Flip,
    rise: Flip,
    coming: Coming,
}

/// A server that starts, as checks meet it: nothing listens, the kernel accepts, it answers, it is ready.
#[derive(Clone, Debug)]
struct Coming {
    port_open: Law,
    first_http: Law,
    readyz: Law,
    /// With what a check is content.
    content: Content,
    /// How long one lasts that is never answered, how long one under way from the server's first answer,
    /// and how long one that passes.
    unanswered: Duration,
    answered: Duration,
    passes: Duration,
    /// How long one that is answered otherwise.
    refuses: Duration,
    /// How long its first list takes.
    list: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    OpenPort,
    Answer,
    Readiness,
}

impl Checks {
    /// Those of the first balancer that checks; `None` where none does.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let balancers: Vec<_> = plan.map.of_kind(Kind::LoadBalancer).collect();
        let (params, habit) = balancers.iter().find_map(|id| match plan.params_of(*id) {
            Params::LoadBalancer(params, wiring) => Some((params, &wiring.habit)),
            _ => None,
        })?;
        let (rules, kind) = match habit {
            Habit::Checks => (params.rules(|span| span), params.check),
            Habit::Cloud(cloud) => {
                let readyz = cloud.health_check == CloudCheck::Readyz;
                let kind = if readyz { CheckKind::Readyz } else { CheckKind::TcpCheck };
                (cloud.rules(|span| span), kind)
            }
            Habit::Passive { .. } => return None,
        };
        let rules = Rules { syn: plan.kernel.syn, ..rules };
        let servers = &plan.services.api_servers;
        let trip = mean_delay(plan, &balancers, servers) * 2;
        let good = answer(trip, true);
        let down = |target| Flip::of(rules, true, good, target);
        Some(Self {
            spread: f64::from(rules.spread) / 100.0,
            silent: down(Target::Silent),
            refused: down(Target::Refused(trip)),
            hung: down(Target::Hung(trip)),
            rise: Flip::of(rules, false, Target::Refused(trip), good),
            coming: Coming::of(plan, kind, rules, trip),
        })
    }

    pub(super) fn fall(&self, draw: &mut Draw, lost: Lost) -> Duration {
        match lost {
            Lost::Silently => self.silent.draw(self.spread, draw),
            Lost::Stalled => self.hung.draw(self.spread, draw),
            Lost::Exited | Lost::InOrder | Lost::Beside => self.refused.draw(self.spread, draw),
            Lost::Nobody => Duration::ZERO,
        }
    }

    /// A time that [`Checks::rise`] does not exceed: the check under way when the server comes, those in
    /// vain until it is ready, and those until the verdict, each as late as it may be.
    pub(super) fn longest_rise(&self) -> Duration {
        let (coming, rise) = (&self.coming, &self.rise);
        let answers = longest([&coming.port_open, &coming.first_http]).saturating_mul(2);
        let ready = coming.readyz.longest().saturating_add(HOOK_PERIOD);
        let checks = rise.cycle + coming.unanswered + coming.answered + coming.refuses + rise.took;
        let waits = rise.wait * 6 + rise.between * u64::from(rise.further);
        let comes = answers.saturating_add(ready);
        comes.saturating_add(checks + waits).saturating_add(rise.rest)
    }

    pub(super) fn rise(&self, draw: &mut Draw) -> Duration {
        let coming = &self.coming;
        let port = coming.port_open.sample(draw);
        let http = coming.first_http.sample(draw).max(port);
        let ready = match coming.content {
            Content::Readiness => coming.ready(http, draw),
            Content::OpenPort | Content::Answer => http,
        };
        let (accepted, readied) = (http - port, ready - port);
        if coming.content == Content::OpenPort {
            return self.rise.draw(self.spread, draw).saturating_sub(accepted);
        }
        // Counted from the open port. The check that waits for the first answer sets the phase of those
        // after it.
        let mut begins = self.rise.phase(draw);
        while begins < accepted {
            if begins + coming.unanswered > accepted {
                if readied == accepted {
                    return coming.answered + self.rise.rest.saturating_sub(coming.passes);
                }
                begins = self.rise.next(begins, accepted - begins + coming.answered);
                break;
            }
            begins = self.rise.next(begins, coming.unanswered);
        }
        let cycle = self.rise.next(Duration::ZERO, coming.refuses);
        let in_vain = readied.saturating_sub(begins).as_nanos().div_ceil(cycle.as_nanos().max(1));
        (begins + cycle * in_vain).saturating_add(self.rise.rest).saturating_sub(accepted)
    }
}

impl Coming {
    fn of(plan: &Plan, kind: CheckKind, rules: Rules, trip: Duration) -> Self {
        let server = plan.services.api_servers.first().map(|id| plan.params_of(*id));
        let params = match server {
            Some(Params::ApiServer(params, _)) => Some(params),
            _ => None,
        };
        let law = |of: fn(&ApiServerParams) -> &Law| {
            params.map_or(Law::Fixed(Duration::ZERO), |params| of(params).clone())
        };
        let graceful = params.is_some_and(|params| !params.livez_grace_period.is_zero());
        let content = match kind {
            CheckKind::TcpCheck => Content::OpenPort,
            CheckKind::SslHello => Content::Answer,
            CheckKind::Livez | CheckKind::Healthz if graceful => Content::Answer,
            CheckKind::Livez | CheckKind::Healthz | CheckKind::Readyz => Content::Readiness,
        };
        let (hung, good) = (Target::Hung(trip), answer(trip, true));
        Self {
            port_open: law(|params| &params.port_open),
            first_http: law(|params| &params.first_http),
            readyz: law(|params| &params.readyz),
            content,
            unanswered: lasts(rules, hung, false),
            answered: answered(rules, trip),
            passes: lasts(rules, good, true),
            refuses: lasts(rules, answer(trip, false), false),
            list: request_times(plan).0,
        }
    }
}

impl Coming {
    /// When it is ready, its first answer coming at `http`: its caches need a list, and it looks for
    /// that once a period.
    fn ready(&self, http: Duration, draw: &mut Draw) -> Duration {
        let ready = self.readyz.sample(draw).max(http);
        if ready < http + self.list { ready + HOOK_PERIOD } else { ready }
    }
}

/// What a check meets that is answered, to its content or not.
fn answer(trip: Duration, good: bool) -> Target {
    Target::Answers { round_trip: trip, work: Duration::ZERO, good }
}

/// How long a check lasts from the first answer of a program that has kept it waiting.
fn answered(rules: Rules, trip: Duration) -> Duration {
    let one = Rules { rise: 1, fall: 1, spread: 0, ..rules };
    let waits = lasts(rules, Target::Hung(trip), false);
    let (dice, heard) = (|_| 0.5, Time::START + waits / 2);
    let mut check = HealthCheck::settled(one, false, Time::START, Target::Hung(trip));
    check.see(heard, answer(trip, true), &dice);
    check.flip(heard, &dice).map_or(Duration::ZERO, |flip| flip.at.since(heard))
}

/// How long one check lasts that meets this target and passes or not.
fn lasts(rules: Rules, target: Target, passes: bool) -> Duration {
    let one = Rules { rise: 1, fall: 1, spread: 0, ..rules };
    let check = HealthCheck::settled(one, !passes, Time::START, target);
    let flip = check.flip(Time::START, &|_| 0.5);
    flip.map_or(Duration::ZERO, |flip| flip.at.since(Time::START))
}

impl Flip {
    /// The flip of a checker at rest, `up` or not, that met `before` and meets `after`.
    fn of(rules: Rules, up: bool, before: Target, after: Target) -> Self {
        let even = Rules { spread: 0, ..rules };
        let check = HealthCheck::settled(even, up, Time::START, after);
        let flip = check.flip(Time::START, &|_| 0.5);
        let further = if up { rules.fall } else { rules.rise };
        let new = Self {
            cycle: Duration::ZERO,
            wait: if up { rules.inter } else { rules.downinter },
            took: lasts(rules, before, up),
            pacing: rules.pacing,
            rest: flip.map_or(Duration::MAX, |flip| flip.at.since(Time::START)),
            further: further.saturating_sub(1),
            between: rules.fastinter,
        };
        Self { cycle: new.next(Duration::ZERO, new.took), ..new }
    }

    /// When the check after one begins that began then and took so long.
    fn next(&self, began: Duration, took: Duration) -> Duration {
        match self.pacing {
            Pacing::AfterEnd => began + took + self.wait,
            Pacing::StartToStart => {
                began + self.wait * took.as_nanos().div_ceil(self.wait.as_nanos().max(1)).max(1)
            }
        }
    }

    /// The wait for the next check at an arbitrary instant.
    fn phase(&self, draw: &mut Draw) -> Duration {
        part_of(self.cycle, draw)
    }

    fn draw(&self, spread: f64, draw: &mut Draw) -> Duration {
        if self.rest == Duration::MAX {
            return self.rest;
        }
        if spread > 0.0 {
            return self.draw_spread(spread, draw);
        }
        self.phase(draw) + self.rest
    }

    /// The same where each wait is longer or shorter by up to a share.
    fn draw_spread(&self, spread: f64, draw: &mut Draw) -> Duration {
        let bound = |share: f64| self.took + self.wait.mul_f64(share);
        let gap = covering_gap(bound(1.0 - spread), bound(1.0 + spread), draw.uniform());
        let mut flips = gap.mul_f64(draw.uniform()) + self.rest;
        for _ in 0..self.further {
            let wait = self.between.mul_f64(1.0 + spread * (2.0 * draw.uniform() - 1.0));
            flips = (flips + wait).saturating_sub(self.between);
        }
        flips
    }
}
