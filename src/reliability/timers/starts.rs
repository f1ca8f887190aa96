//! From power, or from the start of a process, until it does what it is there for.

use super::{longest, part_of};
use crate::component::id::{ComponentId, Kind};
use crate::components::Params;
use crate::components::api_server::PREFLIGHT_PERIOD;
use crate::kernel::law::Law;
use crate::kernel::stream::Draw;
use crate::kernel::time::Duration;
use crate::plan::Plan;

/// How machines and processes come up.
#[derive(Clone, Debug)]
pub(super) struct Starts {
    boot: Law,
    /// From the start of a kubelet until it starts its static pods.
    kubelet: Law,
    member: Option<Member>,
    server: Option<Server>,
    balancer: Option<Balancer>,
}

#[derive(Clone, Debug)]
struct Member {
    is_pod: bool,
    startup: Law,
    /// Its peers dial it within this long after its process has started.
    dialled: Duration,
    has_peers: bool,
}

#[derive(Clone, Debug)]
struct Server {
    is_pod: bool,
    port_open: Law,
    first_http: Law,
    /// The member that starts beside it, if it knows no other.
    beside: Option<Beside>,
}

/// A member whose port opens once the cluster has taken note of it.
#[derive(Clone, Debug)]
struct Beside {
    startup: Law,
    dialled: Duration,
    heartbeat: Duration,
    /// How long it waits until it repeats a note that got lost.
    repeats: Duration,
}

#[derive(Clone, Debug)]
struct Balancer {
    is_pod: bool,
    startup: Law,
}

const AT_ONCE: Law = Law::Fixed(Duration::ZERO);

impl Starts {
    pub(super) fn of(plan: &Plan) -> Self {
        let kubelet = plan.map.of_kind(Kind::Kubelet).find_map(|id| match plan.params_of(id) {
            Params::Kubelet(params, _) if supervises(plan, id) => Some(params.start.clone()),
            _ => None,
        });
        let first = |ids: &[ComponentId]| ids.first().copied();
        let balancer = plan.map.of_kind(Kind::LoadBalancer).next();
        Self {
            boot: plan.boot.boot.clone(),
            kubelet: kubelet.unwrap_or(AT_ONCE),
            member: first(&plan.services.members).and_then(|id| Member::of(plan, id)),
            server: first(&plan.services.api_servers).and_then(|id| Server::of(plan, id)),
            balancer: balancer.and_then(|id| Balancer::of(plan, id)),
        }
    }

    /// Until a process can be started.
    fn until_start(&self, is_pod: bool, machine: bool, draw: &mut Draw) -> Duration {
        match (machine, is_pod) {
            (false, _) => Duration::ZERO,
            (true, false) => self.boot.sample(draw),
            (true, true) => self.boot.sample(draw).saturating_add(self.kubelet.sample(draw)),
        }
    }

    pub(super) fn member(&self, draw: &mut Draw, machine: bool) -> Duration {
        let Some(member) = &self.member else { return Duration::ZERO };
        let begins = self.until_start(member.is_pod, machine, draw);
        begins.saturating_add(member.votes(draw))
    }

    pub(super) fn server(&self, draw: &mut Draw, machine: bool) -> Duration {
        let Some(server) = &self.server else { return Duration::ZERO };
        let begins = self.until_start(server.is_pod, machine, draw);
        let beside = server.beside.as_ref().filter(|_| machine);
        let etcd = beside.map_or(Duration::ZERO, |member| member.is_found(draw));
        let port = server.port_open.sample(draw);
        begins.saturating_add(etcd).saturating_add(server.first_http.sample(draw).max(port))
    }

    /// A time that a member's way to its vote does not exceed.
    pub(super) fn longest_member(&self) -> Duration {
        let Some(member) = &self.member else { return Duration::ZERO };
        longest([&self.boot, &self.kubelet, &member.startup]).saturating_add(member.dialled)
    }

    /// A time that a server's start and a balancer's together do not exceed.
    pub(super) fn longest_others(&self) -> Duration {
        let begins = longest([&self.boot, &self.kubelet]);
        let server = self.server.as_ref().map_or(Duration::ZERO, |server| {
            let beside = server.beside.as_ref().map_or(Duration::ZERO, Beside::longest);
            longest([&server.port_open, &server.first_http]).saturating_add(beside)
        });
        let balancer = self.balancer.as_ref().map_or(Duration::ZERO, |b| b.startup.longest());
        begins.saturating_add(server).saturating_add(begins).saturating_add(balancer)
    }

    pub(super) fn balancer(&self, draw: &mut Draw, machine: bool) -> Duration {
        let Some(balancer) = &self.balancer else { return Duration::ZERO };
        let begins = self.until_start(balancer.is_pod, machine, draw);
        begins.saturating_add(balancer.startup.sample(draw))
    }
}

impl Member {
    fn of(plan: &Plan, id: ComponentId) -> Option<Self> {
        let Params::Etcd(params, wiring) = plan.params_of(id) else { return None };
        Some(Self {
            is_pod: plan.static_pod[id.index()],
            startup: params.startup.clone(),
            dialled: plan.streams.dial_pause,
            has_peers: wiring.members.len() > 1,
        })
    }

    /// From the start of the process: its log is read, and a peer has dialled it.
    fn votes(&self, draw: &mut Draw) -> Duration {
        let startup = self.startup.sample(draw);
        if self.has_peers { startup.max(part_of(self.dialled, draw)) } else { startup }
    }
}

impl Server {
    fn of(plan: &Plan, id: ComponentId) -> Option<Self> {
        let Params::ApiServer(params, wiring) = plan.params_of(id) else { return None };
        let beside = match wiring.etcd_servers.as_slice() {
            [member] => Beside::of(plan, id, *member),
            _ => None,
        };
        Some(Self {
            is_pod: plan.static_pod[id.index()],
            port_open: params.port_open.clone(),
            first_http: params.first_http.clone(),
            beside,
        })
    }
}

impl Beside {
    fn of(plan: &Plan, server: ComponentId, member: ComponentId) -> Option<Self> {
        let Params::Etcd(params, _) = plan.params_of(member) else { return None };
        let together = plan.map.machine_of(server) == plan.map.machine_of(member);
        together.then(|| Self {
            startup: params.startup.clone(),
            dialled: plan.streams.dial_pause,
            heartbeat: params.heartbeat_interval,
            repeats: params.request_timeout(),
        })
    }

    /// A time that [`Beside::is_found`] does not exceed.
    fn longest(&self) -> Duration {
        let hears = self.startup.longest().saturating_add(self.heartbeat);
        hears.saturating_add(self.repeats).saturating_add(PREFLIGHT_PERIOD)
    }

    /// The first look of a server that starts with it that finds its port open. It sends its note when
    /// it hears the leader; if the leader has not dialled it by then, the note is lost.
    fn is_found(&self, draw: &mut Draw) -> Duration {
        let hears = self.startup.sample(draw) + part_of(self.heartbeat, draw);
        let lost = part_of(self.dialled, draw) > hears;
        let opens = if lost { hears + self.repeats } else { hears };
        PREFLIGHT_PERIOD * opens.as_nanos().div_ceil(PREFLIGHT_PERIOD.as_nanos())
    }
}

impl Balancer {
    fn of(plan: &Plan, id: ComponentId) -> Option<Self> {
        let Params::LoadBalancer(params, _) = plan.params_of(id) else { return None };
        Some(Self { is_pod: plan.static_pod[id.index()], startup: params.startup.clone() })
    }
}

/// Whether static pods run on a kubelet's machine.
fn supervises(plan: &Plan, kubelet: ComponentId) -> bool {
    let machine = plan.map.machine_of(kubelet);
    machine.is_some_and(|m| plan.map.on_machine(m).any(|id| plan.static_pod[id.index()]))
}
