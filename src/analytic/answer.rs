//! The exact answer to a plan: availability of each service and what goes with it.

use super::build;
use super::chain::Chain;
use super::importance::{self, Importance};
use super::model::Model;
use super::obstacle::Obstacle;
use super::prism;
use super::solve;
use crate::plan::Plan;

/// Hours of the year that rates and the first year refer to.
pub const YEAR_HOURS: f64 = 8_760.0;

/// Most states of a chain of which the probability of an outage in the first year is worth its time.
const STATES_FEW: usize = 400;

/// What is up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measured {
    /// A read from an API server's cache reaches one.
    ApiReadCached,
    /// A write commits.
    ApiWrite,
    /// A majority of etcd's members can vote.
    EtcdQuorum,
    /// etcd has a leader: the simulator's service `etcd-quorum`.
    EtcdLeader,
    /// Writes commit, and a kube-scheduler holds the Lease.
    Scheduling,
    /// Writes commit, and a kube-controller-manager holds the Lease.
    Reconciliation,
}

impl Measured {
    /// Everything that is measured, in the order of reports.
    pub const ALL: [Measured; 6] = [
        Measured::ApiReadCached,
        Measured::ApiWrite,
        Measured::EtcdQuorum,
        Measured::EtcdLeader,
        Measured::Scheduling,
        Measured::Reconciliation,
    ];

    /// The name in output.
    pub fn name(self) -> &'static str {
        match self {
            Measured::ApiReadCached => "api-read-cached",
            Measured::ApiWrite => "api-write",
            Measured::EtcdQuorum => "etcd-quorum",
            Measured::EtcdLeader => "etcd-leader",
            Measured::Scheduling => "scheduling",
            Measured::Reconciliation => "reconciliation",
        }
    }
}

/// The numbers of one service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceAnswer {
    /// Which.
    pub measured: Measured,
    /// The long-run share of time up.
    pub availability: f64,
    /// The long-run share of time down, with all its digits however small it is.
    pub unavailability: f64,
    /// How often it goes down, in the long run.
    pub outages_per_year: f64,
    /// The mean length of an outage, in hours; `None` if there are none.
    pub mean_outage_hours: Option<f64>,
    /// The mean time from the start, when all is up and new, to the first outage, in hours; `None`
    /// if there never is one.
    pub mttf_hours: Option<f64>,
    /// The expected share of the first year up.
    pub first_year_up: f64,
    /// The expected share of the first year down.
    pub first_year_down: f64,
    /// The probability of an outage within the first year; `None` for chains of many states, where
    /// it would take long.
    pub first_year_outage: Option<f64>,
}

impl ServiceAnswer {
    /// Minutes a year down, in the long run.
    pub fn minutes_per_year(&self) -> f64 {
        self.unavailability * YEAR_HOURS * 60.0
    }

    /// The number of nines: 3 for 99.9 %.
    pub fn nines(&self) -> f64 {
        -libm::log10(self.unavailability)
    }
}

/// Requests that succeed at once, where balancers take time to notice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestAnswer {
    /// The long-run share that succeeds.
    pub success: f64,
    /// The long-run share that is lost.
    pub loss: f64,
    /// The expected share lost in the first year.
    pub first_year_loss: f64,
}

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How many states the chain has, after lumping.
    pub states: usize,
    /// How many rates.
    pub rates: usize,
    /// Each service, in the order of [`Measured::ALL`].
    pub services: Vec<ServiceAnswer>,
    /// Requests, where balancers take time to notice.
    pub requests: Option<RequestAnswer>,
}

/// The chain of a plan, ready for questions.
#[derive(Clone, Debug)]
pub struct Exact {
    chain: Chain,
    model: Model,
    requests: bool,
}

impl Exact {
    /// The chain of a plan.
    ///
    /// # Errors
    /// Everything that stands in the way, if anything does.
    pub fn of(plan: &Plan) -> Result<Exact, Vec<Obstacle>> {
        let model = build::model(plan)?;
        let chain = Chain::of(&model).map_err(|obstacle| vec![obstacle])?;
        Ok(Exact { chain, requests: model.detection.is_some(), model })
    }

    /// The chain in the PRISM language, all states written out.
    pub fn prism(&self, title: &str) -> String {
        prism::text(&self.chain, title, self.requests)
    }

    /// The combinations of parts that take a service down when they fail, none larger than needed,
    /// and how much each part matters to it.
    pub fn importance(&self, measured: Measured) -> (Vec<Vec<String>>, Vec<Importance>) {
        let parts = self.model.failing();
        let at = Measured::ALL.iter().position(|other| *other == measured).unwrap_or(0);
        let static_model = self.model.without_timers();
        let down = |set: &[usize]| !static_model.levels(&static_model.with_down(set)).up[at];
        let (cuts, found) = importance::importance(&parts, &down);
        let named = |cut: Vec<usize>| cut.into_iter().map(|at| parts[at].0.clone()).collect();
        (cuts.into_iter().map(named).collect(), found)
    }

    /// The answer.
    ///
    /// # Errors
    /// If the chain does not come back to where it begins, so that there is no long run.
    pub fn answer(&self) -> Result<Answer, Vec<Obstacle>> {
        let chain = &self.chain;
        let Some(weights) = solve::stationary(chain) else {
            let message = "what is up at the start never comes back, so that there is no long run";
            return Err(vec![Obstacle::other("reliability", message)]);
        };
        let losses = |at: usize| {
            let levels = &chain.levels[at];
            let mut lost: Vec<f64> = levels.up.iter().map(|up| f64::from(!*up)).collect();
            lost.push(1.0 - levels.request_success);
            lost
        };
        let first_year = solve::earned_until(chain, YEAR_HOURS, &losses);
        let mut services: Vec<ServiceAnswer> = Vec::new();
        for (at, measured) in Measured::ALL.into_iter().enumerate() {
            let same = (0..at)
                .find(|other| chain.levels.iter().all(|levels| levels.up[*other] == levels.up[at]));
            services.push(match same {
                Some(other) => ServiceAnswer { measured, ..services[other] },
                None => self.service(at, measured, &weights, first_year[at] / YEAR_HOURS),
            });
        }
        let loss = weights.iter().zip(&chain.levels);
        let loss: f64 = loss.map(|(weight, levels)| weight * (1.0 - levels.request_success)).sum();
        let requests = RequestAnswer {
            success: 1.0 - loss,
            loss,
            first_year_loss: first_year[Measured::ALL.len()] / YEAR_HOURS,
        };
        Ok(Answer {
            states: chain.len(),
            rates: chain.entries().count(),
            services,
            requests: self.requests.then_some(requests),
        })
    }

    fn service(
        &self,
        at: usize,
        measured: Measured,
        weights: &[f64],
        first_year_down: f64,
    ) -> ServiceAnswer {
        let chain = &self.chain;
        let up = |state: usize| chain.levels[state].up[at];
        let down = (0..chain.len()).filter(|state| !up(*state));
        let unavailability: f64 = down.map(|state| weights[state]).sum();
        let falls = chain.entries().filter(|(from, to, _)| up(*from) && !up(*to));
        let rate: f64 = falls.map(|(from, _, rate)| weights[from] * rate).sum();
        let mttf_hours = solve::mean_time_to_first(chain, &up);
        let first_year_outage = match mttf_hours {
            None => Some(0.0),
            Some(_) if chain.len() > STATES_FEW => None,
            Some(_) => Some(solve::reached_by(chain, YEAR_HOURS, &up)),
        };
        ServiceAnswer {
            measured,
            availability: 1.0 - unavailability,
            unavailability,
            outages_per_year: rate * YEAR_HOURS,
            mean_outage_hours: (rate > 0.0).then(|| unavailability / rate),
            mttf_hours,
            first_year_up: 1.0 - first_year_down,
            first_year_down,
            first_year_outage,
        }
    }
}
