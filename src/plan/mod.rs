//! What is simulated: a validated, immutable plan. A plan that exists is valid, so that building a
//! world from it cannot fail.
//!
//! Absent on purpose: behaviour, text, places in files.

pub mod client;
pub mod expect;
pub mod fingerprint;
pub mod metric_names;
pub mod reliability;
pub mod rolling;
pub mod schedule;
pub mod service;
pub mod share;
pub mod timings;
pub mod topology;

use crate::component::id::{ComponentId, MachineId};
use crate::component::map::Map;
use crate::component::reach::Direction;
use crate::component::versions::Versions;
use crate::component::view::Settlement;
use crate::components::Params;
use crate::components::workload::Shared;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::transport::peer_stream::StreamLaw;
use crate::transport::retransmission::SynTimers;
use std::sync::Arc;

/// How the world begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Start {
    /// Everything leads and holds at time 0, with ages and phases from their stationary laws.
    #[default]
    Settled,
    /// Every machine is powered on at time 0.
    Cold,
}

/// Leaders that a scenario names; the others are drawn for each run. The holder of the virtual
/// address is always named where there is one: the instance with the highest priority by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaders {
    /// What the scenario fixed.
    pub named: Settlement,
}

/// What the machines' kernels do.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelPlan {
    /// How they repeat SYNs.
    pub syn: SynTimers,
    /// From SIGTERM until the process gets to it, per component in the map's order.
    pub signal: Vec<Law>,
}

/// How a machine's processes come up when it boots.
#[derive(Clone, Debug, PartialEq)]
pub struct BootPlan {
    /// From power to the start of its services.
    pub boot: Law,
}

/// What restarts a process that ended, beside a kubelet.
#[derive(Clone, Debug, PartialEq)]
pub enum Restart {
    /// Nobody.
    Never,
    /// The service manager, this long after the end (systemd `Restart=always`, `RestartSec`).
    Always(Duration),
}

/// A validated scenario.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// Its claim, for people.
    pub description: String,
    /// Which releases.
    pub versions: Versions,
    /// The machines' kernels.
    pub kernel: KernelPlan,
    /// Machines and components.
    pub map: Arc<Map>,
    /// The parameters of each component, in the map's order.
    pub params: Vec<Params>,
    /// Static processes that a kubelet keeps running, per component; `false` elsewhere.
    pub static_pod: Vec<bool>,
    /// Processes that do not run until something starts them: their machines are not joined yet.
    pub unjoined: Vec<ComponentId>,
    /// The service manager's policy, per component.
    pub restart: Vec<Restart>,
    /// One direction between each two machines, row by row.
    pub network: Vec<Direction>,
    /// The streams between etcd members.
    pub streams: StreamLaw,
    /// The etcd members' heartbeat-interval: how often the streams carry something.
    pub heartbeat: Duration,
    /// How machines boot.
    pub boot: BootPlan,
    /// The path of the measured services.
    pub services: service::Services,
    /// What runs on the nodes.
    pub workloads: Shared,
    /// The clients with a stated schedule, and the component that stands for each.
    pub clients: Vec<(ComponentId, client::ClientPlan)>,
    /// The faults.
    pub schedule: schedule::Schedule,
    /// What fails by itself.
    pub reliability: reliability::Reliability,
    /// The laws that take the place of protocols.
    pub timings: timings::Timings,
    /// How the world begins.
    pub start: Start,
    /// Who leads at the start, where the scenario says so.
    pub leaders: Leaders,
    /// How long the run is.
    pub until: Duration,
    /// The seed, unless the caller gives another.
    pub seed: u64,
    /// Which fault, by position, is the zero of metrics that count from "fault".
    pub measure_from: usize,
    /// What the scenario claims.
    pub expect: Vec<expect::Expectation>,
}

impl Plan {
    /// The parameters of one component.
    pub fn params_of(&self, id: ComponentId) -> &Params {
        &self.params[id.index()]
    }

    /// The etcd members that an API server knows; none of anything else.
    pub fn etcd_servers_of(&self, id: ComponentId) -> &[ComponentId] {
        match self.params_of(id) {
            Params::ApiServer(_, wiring) => &wiring.etcd_servers,
            _ => &[],
        }
    }

    /// The fault-free network between two machines.
    pub fn direction(&self, from: MachineId, to: MachineId) -> Direction {
        self.network[from.index() * self.map.machine_count() + to.index()]
    }
}
