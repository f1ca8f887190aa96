//! The network between machines without faults.

use crate::component::map::MachineRole;
use crate::component::map::{MachineEntry, Map};
use crate::component::reach::Direction;
use crate::kernel::time::Duration;
use crate::scenario::raw::Scenario;
use crate::scenario::raw::cluster::Cluster;
use crate::transport::peer_stream::StreamLaw;
use crate::transport::retransmission::SynTimers;

/// One direction between each two machines, row by row.
pub(super) fn directions(cluster: &Cluster, map: &Map) -> Vec<Direction> {
    let machines: Vec<&MachineEntry> = map.machines().map(|(_, machine)| machine).collect();
    let pairs = machines.iter().flat_map(|from| machines.iter().map(move |to| (from, to)));
    pairs.map(|(from, to)| direction(cluster, from, to)).collect()
}

/// Clients stand outside of all zones, as near to each as its machines are to each other.
fn direction(cluster: &Cluster, from: &MachineEntry, to: &MachineEntry) -> Direction {
    let (near, far) = (&cluster.network.params, &cluster.between_zones.params);
    let outside = [from, to].iter().any(|machine| machine.role == MachineRole::Outside);
    let apart = !outside && from.zone != to.zone;
    let (delay, jitter, loss) = if apart {
        (
            far.latency.unwrap_or(near.latency),
            far.jitter.unwrap_or(near.jitter),
            far.loss.unwrap_or(near.loss),
        )
    } else {
        (near.latency, near.jitter, near.loss)
    };
    Direction { delay, jitter, loss: loss.0, extra_delay: Duration::ZERO, extra_loss: 0, cuts: 0 }
}

/// The streams between etcd members.
pub(super) fn streams(scenario: &Scenario) -> StreamLaw {
    let network = &scenario.cluster.network.params;
    let syn = SynTimers { linear: network.syn_linear, hz: network.hz };
    StreamLaw::etcd(scenario.cluster.kinds.etcd.base.params.election_timeout, syn)
}

/// etcd's heartbeat-interval.
pub(super) fn heartbeat(scenario: &Scenario) -> Duration {
    scenario.cluster.kinds.etcd.base.params.heartbeat_interval
}
