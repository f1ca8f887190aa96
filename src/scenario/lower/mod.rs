//! From what a scenario says to a plan. What is wrong was found before: [`rules`](super::rules) are
//! held against a [`Subject`], and only one without errors is lowered.
//!
//! Absent on purpose: text and places; problems.

mod components;
mod expect;
pub mod layout;
mod load;
mod network;
pub mod reliability;
mod schedule;
mod services;
mod supervision;
mod workloads;

pub use schedule::repaired;

use crate::component::id::{ComponentId, Kind, MachineId};
use crate::component::view::Settlement;
use crate::components::keepalived::KeepalivedParams;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::plan::client::{ClientPlan, ClientTarget, Stalls};
use crate::plan::{BootPlan, KernelPlan, Leaders, Plan, Start};
use crate::scenario::raw::Scenario;
use crate::scenario::raw::run::StartWord;
use crate::transport::retransmission::SynTimers;
use layout::Layout;
use std::sync::Arc;

/// What rules speak of: a scenario and the machines and processes that follow from it.
#[derive(Debug)]
pub struct Subject {
    /// What the file says.
    pub scenario: Scenario,
    /// Machines and processes. Counts out of range were cut to the nearest possible.
    pub layout: Layout,
}

impl Subject {
    /// The machines and processes of a scenario.
    pub fn new(scenario: Scenario) -> Subject {
        let layout = Layout::new(&scenario);
        Subject { scenario, layout }
    }

    /// The plan of a subject that keeps all rules.
    pub fn plan(&self) -> Plan {
        let (scenario, layout) = (&self.scenario, &self.layout);
        let run = &scenario.run.section.params;
        let network = &scenario.cluster.network.params;
        let services = services::services(scenario, layout);
        let workloads = workloads::workloads(scenario, layout);
        let parts = components::Parts::new(scenario, layout, &services, &workloads);
        Plan {
            name: scenario.metadata.params.name.clone(),
            description: scenario.metadata.params.description.clone(),
            versions: scenario.versions,
            kernel: KernelPlan {
                syn: SynTimers { linear: network.syn_linear, hz: network.hz },
                signal: supervision::signals(scenario, layout),
            },
            map: Arc::new(layout.map.clone()),
            params: parts.params,
            static_pod: parts.static_pod,
            unjoined: supervision::unjoined(scenario, layout),
            restart: parts.restart,
            network: network::directions(&scenario.cluster, &layout.map),
            streams: network::streams(scenario),
            heartbeat: network::heartbeat(scenario),
            boot: BootPlan { boot: network.machine_boot.clone() },
            services,
            workloads,
            clients: self.clients(),
            schedule: schedule::schedule(scenario, layout),
            reliability: reliability::reliability(&scenario.reliability, layout),
            timings: scenario.timings.timings.clone(),
            start: match run.start {
                StartWord::Settled => Start::Settled,
                StartWord::Cold => Start::Cold,
            },
            leaders: self.leaders(),
            until: run.until,
            seed: run.seed,
            measure_from: run.measure_from as usize,
            expect: expect::expectations(scenario),
        }
    }

    /// The machines that user pods may run on.
    pub fn open_machines(&self) -> Vec<MachineId> {
        workloads::open_machines(&self.scenario, &self.layout)
    }

    /// The options of each keepalived instance, by the process's name.
    pub fn keepalived(&self) -> Vec<(String, KeepalivedParams)> {
        let map = &self.layout.map;
        let instances = map.of_kind(Kind::Keepalived);
        let of = |id| components::keepalived_params(&self.scenario, &self.layout, id);
        instances.map(|id| (map.name(id).to_owned(), of(id))).collect()
    }

    fn clients(&self) -> Vec<(ComponentId, ClientPlan)> {
        let clients = self.layout.clients.iter().zip(&self.scenario.clients);
        clients
            .map(|(id, client)| {
                let options = &client.section.params;
                let servers = client.target.iter().flat_map(|target| {
                    self.layout.servers(target.value.as_str().unwrap_or_default())
                });
                let servers: Vec<ComponentId> = servers.collect();
                let plan = ClientPlan {
                    name: client.name.clone(),
                    class: options.class.class(),
                    every: options.every,
                    timeout: options.timeout,
                    stalls: (options.stall != Law::Fixed(Duration::ZERO)).then(|| Stalls {
                        every: options.stall_every,
                        length: options.stall.clone(),
                    }),
                    delay: Some(options.delay.clone())
                        .filter(|law| *law != Law::Fixed(Duration::ZERO)),
                    target: if servers.is_empty() {
                        ClientTarget::Endpoint
                    } else {
                        ClientTarget::Servers(servers)
                    },
                };
                (*id, plan)
            })
            .collect()
    }

    /// Who is named; the address is with the highest priority unless the scenario says otherwise.
    fn leaders(&self) -> Leaders {
        let map = &self.layout.map;
        let mut named = Settlement {
            vip_holder: components::highest_priority(&self.scenario, &self.layout),
            ..Settlement::default()
        };
        for leader in &self.scenario.run.leaders {
            let Some(machine) = map.find_machine(&leader.machine) else { continue };
            match leader.what.as_str() {
                "etcd" => named.etcd_leader = map.local(machine, Kind::Etcd),
                "vip" if map.lease_of(Kind::KubeVip).is_none() => {
                    named.vip_holder = map.local(machine, Kind::Keepalived);
                }
                what => {
                    let name = if what == "vip" { Kind::KubeVip.name() } else { what };
                    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
                    let holder = kind.and_then(|kind| map.local(machine, kind));
                    let lease = kind.and_then(|kind| map.lease_of(kind));
                    named.lease_holders.extend(lease.zip(holder));
                }
            }
        }
        Leaders { named }
    }
}
