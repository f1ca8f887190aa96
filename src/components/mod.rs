//! The registry of kinds: one line each. It generates the enumerations of parameters and machines
//! and the dispatch; the compiler lists what else a new kind needs.
//!
//! API objects (Lease, Node) have no machine: their facts change when a write commits.

pub mod health_check;

use crate::component::effects::{DrawCounts, Outbox};
use crate::component::fact::Fact;
use crate::component::{Alarm, Cause, Component, ComponentId, Effects, EventId, Map, View};
use crate::kernel::stream::{Key, StreamName};
use crate::kernel::time::Time;

/// What the world lends a component for one call.
#[derive(Debug)]
pub struct Lent<'a> {
    /// First alarm cell of the component.
    pub base: u32,
    /// Collects the effects.
    pub out: &'a mut Outbox,
    /// The run's random key.
    pub key: &'a Key,
    /// The component's name among streams.
    pub name: StreamName,
    /// The component's draw counters.
    pub counts: &'a mut DrawCounts,
    /// The event that is being handled.
    pub event: EventId,
}

impl Lent<'_> {
    /// Calls one machine with its own alarm type.
    #[allow(dead_code, reason = "used by the generated dispatch for each kind")]
    fn call<C: Component>(self, machine: &mut C, cause: Cause<usize>, view: &View) {
        let mut fx = Effects::new(view.now, self.base, self.out, self.key, self.name, self.counts)
            .in_event(self.event);
        machine.on(typed(cause), view, &mut fx);
    }
}

/// Gives an alarm back its type.
fn typed<A: Alarm>(cause: Cause<usize>) -> Cause<A> {
    match cause {
        Cause::Settle => Cause::Settle,
        Cause::Boot => Cause::Boot,
        Cause::Alarm(index) => Cause::Alarm(A::at_index(index)),
        Cause::Saw(id) => Cause::Saw(id),
        Cause::Mail(mail) => Cause::Mail(mail),
        Cause::Lever(lever) => Cause::Lever(lever),
    }
}

/// Generates the registry from one line a kind: `Variant(module): Machine, Params, Wiring;`.
macro_rules! components {
    ($( $(#[doc = $doc:literal])+ $kind:ident($module:ident): $machine:ident, $params:ident, $wiring:ident; )*) => {
        $( pub mod $module; )*

        /// The parameters and the wiring of one component.
        #[derive(Clone, Debug)]
        pub enum Params {
            $( $(#[doc = $doc])+ $kind(Box<$module::$params>, $module::$wiring), )*
            /// An API object with the fact it begins with.
            Object(Fact),
        }

        /// One component's state.
        #[derive(Debug)]
        pub enum Machine {
            $( $(#[doc = $doc])+ $kind(Box<$module::$machine>), )*
            /// An API object.
            Object,
        }

        impl Machine {
            /// Builds the machine of a component.
            pub fn new(me: ComponentId, params: &Params) -> Self {
                let _ = me;
                match params {
                    $( Params::$kind(params, wiring) => Self::$kind(Box::new($module::$machine::new(me, params, wiring))), )*
                    Params::Object(_) => Self::Object,
                }
            }

            /// How many alarm cells it needs.
            pub fn alarms(&self) -> usize {
                match self {
                    $( Self::$kind(machine) => machine.alarms(), )*
                    Self::Object => 0,
                }
            }

            /// Whose facts and reachability wake it.
            pub fn watches(&self, map: &Map) -> Vec<ComponentId> {
                let _ = map;
                match self {
                    $( Self::$kind(machine) => machine.watches(map), )*
                    Self::Object => Vec::new(),
                }
            }

            /// Whether it looks at all that it watches whenever it sees any of it change.
            pub fn looks_at_all(&self) -> bool {
                match self {
                    $( Self::$kind(_) => <$module::$machine as Component>::LOOKS_AT_ALL, )*
                    Self::Object => true,
                }
            }

            /// Delivers one cause.
            pub fn on(&mut self, cause: Cause<usize>, view: &View, lent: Lent) {
                match self {
                    $( Self::$kind(machine) => lent.call(machine.as_mut(), cause, view), )*
                    Self::Object => { let _ = (cause, view, lent); }
                }
            }

            /// Its fact as told to somebody who asks now, where that is newer than the published one.
            pub fn asked(&self, now: Time) -> Option<Fact> {
                match self {
                    $( Self::$kind(machine) => machine.asked(now), )*
                    Self::Object => { let _ = now; None }
                }
            }
        }
    };
}

components! {
    /// A kube-apiserver.
    ApiServer(api_server): ApiServer, ApiServerParams, Wiring;
    /// A kubelet.
    Kubelet(kubelet): Kubelet, KubeletParams, Wiring;
    /// A client with a schedule.
    Client(client): Client, ClientParams, Wiring;
    /// Many processes with informers.
    Informers(informers): Informers, InformerParams, Wiring;
    /// An etcd member.
    Etcd(etcd): Etcd, EtcdParams, Wiring;
    /// An `HAProxy`.
    LoadBalancer(load_balancer): LoadBalancer, LoadBalancerParams, Wiring;
    /// A kube-scheduler.
    Scheduler(scheduler): Scheduler, SchedulerParams, Wiring;
    /// A kube-controller-manager.
    ControllerManager(controller_manager): ControllerManager, ControllerManagerParams, Wiring;
    /// A keepalived daemon.
    Keepalived(keepalived): Keepalived, KeepalivedParams, Wiring;
    /// A kube-vip.
    KubeVip(kube_vip): KubeVip, KubeVipParams, Wiring;
}

mod address;
pub mod binder;
pub mod candidate;
pub mod connection;
pub mod lease;
pub mod node_monitor;
pub mod path;
pub mod replication;
pub mod taint_eviction;
#[cfg(test)]
mod testing;
pub mod workload;
