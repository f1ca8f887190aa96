//! By which API server each candidate for a Lease reaches the cluster.
//!
//! Absent on purpose: whether that server works.

use super::scene::{Bits, bits};
use crate::component::id::{ComponentId, Kind};
use crate::components::Params;
use crate::components::lease::Kubeconfig;
use crate::plan::Plan;

/// The ways of the candidates for one Lease.
#[derive(Clone, Debug)]
pub(super) struct Ways {
    /// Those that use the address that clients use.
    shared: Bits,
    /// Those that use the API server of their own number, as most do: it stands beside them.
    beside: Bits,
    /// Others that use one server, with its number.
    others: Vec<(usize, usize)>,
}

impl Ways {
    /// Those of the candidates of this kind.
    pub(super) fn of(plan: &Plan, kind: Kind) -> Self {
        let servers: Vec<_> = plan.map.of_kind(kind).map(|id| own_server(plan, id)).collect();
        let all = |holds: &dyn Fn(usize) -> bool| bits(servers.len(), holds);
        let other = |(at, server): (usize, &Option<usize>)| {
            server.filter(|server| *server != at).map(|server| (at, server))
        };
        Self {
            shared: all(&|at| servers[at].is_none()),
            beside: all(&|at| servers[at] == Some(at)),
            others: servers.iter().enumerate().filter_map(other).collect(),
        }
    }

    /// Who can write if these API servers serve and have etcd, and if writes by the address work.
    #[inline]
    pub(super) fn able(&self, served: Bits, write: bool) -> Bits {
        let shared = if write { self.shared } else { 0 };
        let others = self.others.iter().filter(|(_, server)| served >> server & 1 == 1);
        others.fold(shared | served & self.beside, |all, (at, _)| all | 1 << at)
    }
}

/// The API server whose name stands in a candidate's kubeconfig; `None`: the address that clients use.
fn own_server(plan: &Plan, id: ComponentId) -> Option<usize> {
    let (kubeconfig, wiring) = match plan.params_of(id) {
        Params::Scheduler(params, wiring) => (params.kubeconfig, wiring),
        Params::ControllerManager(params, wiring) => (params.kubeconfig, wiring),
        _ => return None,
    };
    let own = kubeconfig == Kubeconfig::Local;
    let place = || plan.services.api_servers.iter().position(|server| *server == wiring.server);
    own.then(place).flatten()
}
