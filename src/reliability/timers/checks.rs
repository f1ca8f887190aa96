//! Health checks of API servers: how long until the verdict flips, for a change at an arbitrary phase of
//! the checks.
//!
//! What follows the first check that meets the change takes always the same time, so that it is
//! computed once; only the wait for that check, and the spread of later ones, are drawn. A check that
//! is under way at the change is taken for one that ends with it: it lasts a round trip or two.

use super::{Lost, mean_delay};
use crate::component::id::Kind;
use crate::components::Params;
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
    /// From the first answer of a server that starts until a check is content with it.
    ready: Ready,
}

/// What a check wants to see of a server that starts, seen from its first answer.
#[derive(Clone, Debug)]
enum Ready {
    /// An open port, which comes before: (start to open port, start to first answer).
    Port(Law, Law),
    /// Any answer.
    Answer,
    /// The end of its start-up: (start to first answer, start to there).
    Readyz(Law, Law),
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
        let good = Target::Answers { round_trip: trip, work: Duration::ZERO, good: true };
        let down = |target| Flip::of(rules, true, good, target);
        Some(Self {
            spread: f64::from(rules.spread) / 100.0,
            silent: down(Target::Silent),
            refused: down(Target::Refused(trip)),
            hung: down(Target::Hung(trip)),
            rise: Flip::of(rules, false, Target::Refused(trip), good),
            ready: Ready::of(plan, kind),
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

    pub(super) fn rise(&self, draw: &mut Draw) -> Duration {
        let flip = self.rise.draw(self.spread, draw);
        match &self.ready {
            Ready::Answer => flip,
            Ready::Port(port, http) => {
                let (port, http) = (port.sample(draw), http.sample(draw));
                flip.saturating_sub(http.saturating_sub(port))
            }
            Ready::Readyz(http, ready) => {
                let (http, ready) = (http.sample(draw), ready.sample(draw));
                flip.saturating_add(ready.saturating_sub(http))
            }
        }
    }
}

impl Ready {
    fn of(plan: &Plan, kind: CheckKind) -> Self {
        let server = plan.services.api_servers.first().map(|id| plan.params_of(*id));
        let Some(Params::ApiServer(params, _)) = server else { return Self::Answer };
        let http = params.first_http.clone();
        match kind {
            CheckKind::TcpCheck => Self::Port(params.port_open.clone(), http),
            CheckKind::SslHello | CheckKind::Livez | CheckKind::Healthz => Self::Answer,
            CheckKind::Readyz => Self::Readyz(http, params.readyz.clone()),
        }
    }
}

impl Flip {
    /// The flip of a checker at rest, `up` or not, that met `before` and meets `after`.
    fn of(rules: Rules, up: bool, before: Target, after: Target) -> Self {
        let dice = |_| 0.5;
        let begins = Time::START;
        let rest = |rules: Rules, target| {
            let check = HealthCheck::settled(rules, up, begins, target);
            check.flip(begins, &dice).map_or(Duration::MAX, |flip| flip.at.since(begins))
        };
        let even = Rules { spread: 0, ..rules };
        // How long one check takes: the flip of a checker that is content with one.
        let one = Rules { rise: 1, fall: 1, ..even };
        let took = HealthCheck::settled(one, !up, begins, before);
        let took = took.flip(begins, &dice).map_or(Duration::ZERO, |flip| flip.at.since(begins));
        let further = if up { rules.fall } else { rules.rise };
        Self {
            wait: if up { rules.inter } else { rules.downinter },
            took,
            pacing: rules.pacing,
            rest: rest(even, after),
            further: further.saturating_sub(1),
            between: rules.fastinter,
        }
    }

    fn draw(&self, spread: f64, draw: &mut Draw) -> Duration {
        if self.rest == Duration::MAX {
            return self.rest;
        }
        if spread > 0.0 {
            return self.draw_spread(spread, draw);
        }
        let cycle = match self.pacing {
            Pacing::AfterEnd => self.wait + self.took,
            Pacing::StartToStart => self.wait,
        };
        cycle.mul_f64(draw.uniform()) + self.rest
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
