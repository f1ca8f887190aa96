//! From a plan to its model, or to what stands in the way.
//!
//! What no measured service depends on is left out (workers, kubelets), unless it shares a crew.

use super::model::{
    Clock, Detection, Host, Model, OutageModel, PartModel, Repair, ShockModel, Sort, TimerModel,
    Way,
};
use super::obstacle::Obstacle;
use super::phases::Phases;
use crate::component::id::{ComponentId, Kind, MachineId};
use crate::kernel::law::Law;
use crate::plan::Plan;
use crate::plan::reliability::{CommonOutage, Mode, OutageEffect, Part, Thing};
use crate::plan::service::Endpoint;
use crate::plan::timings::{Timing, Timings};
use std::collections::BTreeSet;

/// A model under construction.
pub(super) struct Builder<'a> {
    plan: &'a Plan,
    model: Model,
    obstacles: Vec<Obstacle>,
    /// The machine of each host.
    machines: Vec<MachineId>,
}

/// The model of a plan.
pub(super) fn model(plan: &Plan) -> Result<Model, Vec<Obstacle>> {
    let mut builder = Builder::new(plan);
    builder.refuse_what_has_no_rates();
    builder.machines = builder.machines_that_matter();
    builder.timers();
    builder.hosts();
    builder.common();
    builder.shocks();
    builder.cluster();
    builder.model.exchangeable();
    let mut model = builder.model;
    let mut slot = model.width;
    let timers = [&mut model.vip, &mut model.election, &mut model.manager, &mut model.scheduler];
    for timer in timers.into_iter().flatten() {
        timer.slot = slot;
        slot += 1;
    }
    model.width = slot;
    if builder.obstacles.is_empty() { Ok(model) } else { Err(builder.obstacles) }
}

impl<'a> Builder<'a> {
    fn new(plan: &'a Plan) -> Builder<'a> {
        let crews = plan.reliability.crews.iter();
        let crews = crews.map(|crew| (u16::try_from(crew.count).unwrap_or(u16::MAX), crew.order));
        let members = plan.services.members.len();
        let model = Model {
            width: 0,
            parts: Vec::new(),
            hosts: Vec::new(),
            outages: Vec::new(),
            shocks: Vec::new(),
            crews: crews.collect(),
            cluster: None,
            way: Way::Servers,
            vip: None,
            election: None,
            manager: None,
            scheduler: None,
            rejoin: None,
            detection: None,
            quorum: members / 2 + 1,
            alike: Vec::new(),
            alike_zones: Vec::new(),
        };
        Builder { plan, model, obstacles: Vec::new(), machines: Vec::new() }
    }

    fn refuse_what_has_no_rates(&mut self) {
        let reliability = &self.plan.reliability;
        if reliability.bursts.is_some() {
            let message = "the second failure of a burst comes within a window, not at a rate";
            self.obstacles.push(Obstacle::other("reliability.bursts", message));
        }
        if !reliability.work.is_empty() {
            let message = "planned work comes by the calendar, not at a rate";
            self.obstacles.push(Obstacle::other("reliability.plannedWork", message));
        }
        if reliability.is_empty() {
            let message = "nothing fails by itself: give things laws of failure, or name a preset";
            self.obstacles.push(Obstacle::other("reliability", message));
        }
        self.obstacles.extend(Obstacle::endpoint(self.plan));
        if !self.plan.schedule.faults.is_empty() {
            let message =
                "a fault that is ordered happens once; an exact answer is of what fails by itself";
            self.obstacles.push(Obstacle::other("faults", message));
        }
    }

    fn machine_of(&self, id: ComponentId) -> Option<MachineId> {
        self.plan.map.machine_of(id)
    }

    fn balancers(&self) -> &'a [ComponentId] {
        match &self.plan.services.endpoint {
            Endpoint::Vip { fronts, .. } => fronts,
            Endpoint::Balancer(id) => std::slice::from_ref(id),
            Endpoint::OneServer(_) | Endpoint::AllServers | Endpoint::Dns { .. } => &[],
        }
    }

    fn machines_that_matter(&self) -> Vec<MachineId> {
        let services = &self.plan.services;
        let ids = services.api_servers.iter().chain(&services.members).chain(self.balancers());
        let mut machines: BTreeSet<MachineId> = ids.filter_map(|id| self.machine_of(*id)).collect();
        for part in self.plan.reliability.parts.iter().filter(|part| part.crew.is_some()) {
            match part.thing {
                Thing::Machine(machine) | Thing::Disk(machine) | Thing::Link(machine) => {
                    machines.insert(machine);
                }
                Thing::Process(id) => machines.extend(self.machine_of(id)),
                Thing::Cluster => {}
            }
        }
        machines.into_iter().collect()
    }

    /// A timing's stages; `None` if it takes no time.
    fn timing(&mut self, timing: Timing) -> Option<Phases> {
        let Some(law) = self.plan.timings.law(timing) else {
            self.obstacles.push(Obstacle::protocol(timing));
            return None;
        };
        if Timings::is_instantaneous(law) {
            return None;
        }
        let phases = Phases::of(law);
        if phases.is_none() {
            let place = format!("timings[\"{}\"]", timing.name());
            self.obstacles.push(Obstacle::law(place, law));
        }
        phases
    }

    fn timers(&mut self) {
        let timer = |phases: Option<Phases>| phases.map(|phases| TimerModel { slot: 0, phases });
        self.model.way = self.way();
        if self.model.way == Way::Vip {
            self.model.vip = timer(self.timing(Timing::VipTakeover));
        }
        self.model.election = timer(self.timing(Timing::EtcdElection));
        self.model.rejoin = self.timing(Timing::EtcdRejoin);
        self.model.manager = timer(self.timing(Timing::ControllerManagerTakeover));
        self.model.scheduler = timer(self.timing(Timing::SchedulerTakeover));
        if !self.balancers().is_empty() {
            let (fall, rise) = (self.timing(Timing::LbFall), self.timing(Timing::LbRise));
            if fall.is_some() || rise.is_some() {
                self.model.detection = Some(Detection { fall, rise });
            }
        }
    }

    fn way(&self) -> Way {
        let host = |id: ComponentId| {
            let machine = self.machine_of(id);
            self.machines.iter().position(|own| Some(*own) == machine).unwrap_or(0)
        };
        match &self.plan.services.endpoint {
            Endpoint::Vip { .. } => Way::Vip,
            Endpoint::Balancer(id) => Way::Balancer(host(*id)),
            Endpoint::OneServer(id) => Way::Server(host(*id)),
            Endpoint::AllServers | Endpoint::Dns { .. } => Way::Servers,
        }
    }

    fn slot(&mut self) -> usize {
        self.model.width += 1;
        self.model.width - 1
    }

    fn stages(&mut self, law: &Law, place: &str) -> Phases {
        if let Some(phases) = Phases::of(law) {
            return phases;
        }
        let obstacle = Obstacle::law(place, law);
        if !self.obstacles.contains(&obstacle) {
            self.obstacles.push(obstacle);
        }
        Phases { start: Vec::new(), stages: Vec::new() }
    }

    fn hosts(&mut self) {
        for machine in self.machines.clone() {
            let from = self.model.width;
            let mut host = self.host(machine);
            let marks = [
                self.model.rejoin.is_some() && host.member,
                self.model.detection.is_some() && host.api,
                self.model.election.is_some() && host.member,
                self.model.vip.is_some() && host.balancer,
                self.model.manager.is_some() && host.api,
                self.model.scheduler.is_some() && host.api,
            ];
            let mut slots = marks.map(|there| there.then(|| self.slot())).into_iter();
            for place in [
                &mut host.rejoin,
                &mut host.rotation,
                &mut host.leads,
                &mut host.holds_vip,
                &mut host.holds_manager,
                &mut host.holds_scheduler,
            ] {
                *place = slots.next().flatten();
            }
            host.slots = (from, self.model.width);
            self.model.hosts.push(host);
        }
    }

    fn host(&mut self, machine: MachineId) -> Host {
        let map = &self.plan.map;
        let services = &self.plan.services;
        let here = |ids: &[ComponentId]| {
            ids.iter().copied().find(|id| map.machine_of(*id) == Some(machine))
        };
        let api = here(&services.api_servers);
        let member = here(&services.members);
        let balancer = here(self.balancers());
        let process = |kind| map.local(machine, kind).map(Thing::Process);
        let keepalived = process(Kind::Keepalived);
        let addresses = api.map_or(&[][..], |id| self.plan.etcd_servers_of(id));
        let knows = addresses.iter().filter_map(|id| {
            let machine = map.machine_of(*id);
            self.machines.iter().position(|own| Some(*own) == machine)
        });
        let mut host = Host {
            api: api.is_some(),
            member: member.is_some(),
            balancer: balancer.is_some(),
            knows: knows.collect(),
            ..Host::default()
        };
        host.machine = self.machine(machine);
        host.link = self.thing(Thing::Link(machine), Sort::Alone);
        if host.member {
            host.disk = self.thing(Thing::Disk(machine), Sort::Alone);
        }
        host.api_part = api.and_then(|id| self.thing(Thing::Process(id), Sort::Process));
        host.member_part = member.and_then(|id| self.thing(Thing::Process(id), Sort::Process));
        let balancing = balancer.map(Thing::Process).into_iter().chain(keepalived);
        for thing in balancing.filter(|_| host.balancer) {
            host.balancer_parts.extend(self.thing(thing, Sort::Process));
        }
        if host.api {
            let manager = process(Kind::ControllerManager);
            host.manager_part = manager.and_then(|thing| self.thing(thing, Sort::Process));
            let scheduler = process(Kind::Scheduler);
            host.scheduler_part = scheduler.and_then(|thing| self.thing(thing, Sort::Process));
        }
        host
    }

    /// A machine's part: also where it only loses its power now and then.
    fn machine(&mut self, machine: MachineId) -> Option<usize> {
        let crash = self.plan.reliability.outages.iter().find(|outage| {
            outage.machines.contains(&machine) && outage.effect != OutageEffect::Overlay
        });
        let found = self.thing(Thing::Machine(machine), Sort::Machine);
        let at = match (found, crash) {
            (Some(at), _) => at,
            (None, None) => return None,
            (None, Some(_)) => {
                let name = self.plan.map.machine(machine).name.clone();
                self.add(name, Sort::Machine, None, 0, Vec::new(), Vec::new())
            }
        };
        if let Some(CommonOutage { name, effect: OutageEffect::Crash { boot }, .. }) = crash
            && !Timings::is_instantaneous(boot)
        {
            let boot = self.stages(boot, &format!("the boot after an outage of {name}"));
            self.model.parts[at].boot = Some(boot);
        }
        Some(at)
    }

    /// The part of a thing, if it fails.
    fn thing(&mut self, thing: Thing, sort: Sort) -> Option<usize> {
        let plan = self.plan;
        let part = plan.reliability.part(thing);
        let shocks: Vec<&Law> = match thing {
            Thing::Process(id) => {
                let shocks = plan.reliability.shocks.iter();
                shocks.filter(|s| s.processes.contains(&id)).map(|s| &s.repair).collect()
            }
            _ => Vec::new(),
        };
        if part.is_none() && shocks.is_empty() {
            return None;
        }
        let mut repairs: Vec<Repair> = Vec::new();
        let mut clocks = Vec::new();
        let modes: &[Mode] = part.map_or(&[], |part| &part.modes);
        for mode in modes {
            let class = part.map_or("", |part| part.class);
            let place = format!("reliability.{class}");
            let phases = self.stages(&mode.failure, &place);
            let repair = self.repair(&mode.repair, mode.needs_crew, &place, &mut repairs);
            clocks.push(Clock { phases, repair });
        }
        for law in shocks {
            self.repair(law, false, "reliability.shocks", &mut repairs);
        }
        let name = part.map_or_else(|| self.name_of(thing), |part| part.name.clone());
        let crew = part.and_then(|part: &Part| part.crew);
        let urgency = part.map_or(0, |part| part.urgency);
        Some(self.add(name, sort, crew, urgency, clocks, repairs))
    }

    fn name_of(&self, thing: Thing) -> String {
        match thing {
            Thing::Process(id) => self.plan.map.name(id).to_owned(),
            _ => String::new(),
        }
    }

    /// The number of a repair among those of a part.
    fn repair(
        &mut self,
        law: &Law,
        needs_crew: bool,
        place: &str,
        repairs: &mut Vec<Repair>,
    ) -> usize {
        let repair = Repair { phases: self.stages(law, place), needs_crew };
        repairs.iter().position(|known| *known == repair).unwrap_or_else(|| {
            repairs.push(repair);
            repairs.len() - 1
        })
    }

    fn add(
        &mut self,
        name: String,
        sort: Sort,
        crew: Option<usize>,
        urgency: u32,
        clocks: Vec<Clock>,
        repairs: Vec<Repair>,
    ) -> usize {
        let (slot, queue) = (self.slot(), self.slot());
        let boot = None;
        let part = PartModel { name, sort, slot, queue, crew, urgency, clocks, repairs, boot };
        self.model.parts.push(part);
        self.model.parts.len() - 1
    }

    fn cluster(&mut self) {
        self.model.cluster = self.thing(Thing::Cluster, Sort::Alone);
    }

    fn common(&mut self) {
        for outage in &self.plan.reliability.outages {
            let inside = |host: &usize| outage.machines.contains(&self.machines[*host]);
            let hosts: Vec<usize> = (0..self.machines.len()).filter(inside).collect();
            if hosts.is_empty() {
                continue;
            }
            let place = format!("reliability, outages of {}", outage.name);
            let failure = self.stages(&outage.failure, &place);
            let repair = self.stages(&outage.repair, &place);
            let crash = outage.effect != OutageEffect::Overlay;
            let at = self.model.outages.len();
            for host in &hosts {
                let host = &mut self.model.hosts[*host];
                if crash { host.crashes.push(at) } else { host.overlays.push(at) }
            }
            let (slot, name) = (self.slot(), outage.name.clone());
            self.model.outages.push(OutageModel { name, slot, failure, repair, crash, hosts });
        }
    }

    fn shocks(&mut self) {
        for shock in &self.plan.reliability.shocks {
            let every = self.stages(&shock.every, "reliability.shocks");
            let phases = self.stages(&shock.repair, "reliability.shocks");
            let repair = Repair { phases, needs_crew: false };
            let names = shock.processes.iter().map(|id| self.plan.map.name(*id));
            let stops = names.filter_map(|name| {
                let at = self.model.parts.iter().position(|part| part.name == name)?;
                let repair = self.model.parts[at].repairs.iter().position(|r| *r == repair)?;
                Some((at, repair))
            });
            let stops = stops.collect();
            let slot = self.slot();
            self.model.shocks.push(ShockModel { slot, every, stops });
        }
    }
}
