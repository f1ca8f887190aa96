//! Why what is down is down: what it needs and has not, or a failover that goes on.
//!
//! Absent on purpose: which thing failed first.

use super::{Ideal, Measure, Reason};
use crate::plan::timings::Timing;

/// Measures by their bits, in the order of [`Measure::ALL`].
type Measures = u8;

const fn bit(measure: Measure) -> Measures {
    1 << measure as u8
}

/// What clients of the API get, by way of the balancers and the API servers.
const BY_SERVERS: Measures = bit(Measure::ApiReadCached)
    | bit(Measure::ApiRead)
    | bit(Measure::ApiWrite)
    | bit(Measure::Scheduling)
    | bit(Measure::Reconciliation);

/// What needs no etcd.
const WITHOUT_ETCD: Measures = bit(Measure::Endpoint) | bit(Measure::ApiReadCached);

impl Ideal<'_> {
    /// Why a measure that is down is down.
    pub fn reason(&self, measure: Measure) -> Reason {
        let mut why = Reason::Failover;
        self.blame(bit(measure), |_, reason| why = reason);
        why
    }

    /// The same of each measure whose bit is set, told with its number.
    pub(in crate::reliability) fn blame(
        &self,
        down: Measures,
        mut tell: impl FnMut(usize, Reason),
    ) {
        let mut each = |mut measures: Measures, reason| {
            while measures != 0 {
                tell(measures.trailing_zeros() as usize, reason);
                measures &= measures - 1;
            }
        };
        if self.scenes.now().cluster && self.process.is_worked_on() {
            return each(down, Reason::PlannedWork);
        }
        let mut left = down;
        for (measures, reason) in self.lacks_now() {
            each(left & measures, reason);
            left &= !measures;
        }
        each(left, Reason::Failover);
    }

    /// What a measure needs and has not, whatever takes over; `None`: it is up, or a failover goes
    /// on.
    pub fn lack(&self, measure: Measure) -> Option<Reason> {
        let mut lacks = self.lacks_now().into_iter();
        lacks.find(|(measures, _)| measures & bit(measure) != 0).map(|(_, reason)| reason)
    }

    /// Whether [`Ideal::lack`] would tell anything.
    pub fn lacks(&self, measure: Measure) -> bool {
        self.lack(measure).is_some()
    }

    /// Which measures lack what; the first that a measure stands in counts.
    fn lacks_now(&self) -> [(Measures, Reason); 4] {
        let scene = self.scenes.now();
        let cluster = if scene.cluster { 0 } else { Measures::MAX };
        // By their own checks balancers send nobody to servers without etcd, so that cached reads end.
        let is_checked = self.takes.is_drawn(Timing::LbFall);
        let ended = bit(Measure::ApiReadCached) & !self.levels();
        let mut with_etcd = if is_checked { !WITHOUT_ETCD | ended } else { !WITHOUT_ETCD };
        for measure in [Measure::Endpoint, Measure::ApiReadCached] {
            let is_down = self.levels() & bit(measure) == 0;
            if is_down && (self.is_night(measure) || self.lacks_api()) {
                with_etcd |= bit(measure);
            }
        }
        let quorum = if self.could_lead() { 0 } else { with_etcd };
        let no_balancer = !self.balancers.is_empty() && scene.balancers.serving == 0;
        let balancer = if no_balancer { BY_SERVERS | bit(Measure::Endpoint) } else { 0 };
        let lacking = |measures, etcd| {
            if self.any_server(scene.servers.serving, etcd) { 0 } else { BY_SERVERS & measures }
        };
        let server = lacking(with_etcd, true) | lacking(!with_etcd, false);
        [
            (cluster, Reason::Cluster),
            (quorum, Reason::Quorum),
            (balancer, Reason::Balancer),
            (server, Reason::ApiServer),
        ]
    }
}
