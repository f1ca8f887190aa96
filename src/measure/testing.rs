//! A cluster moved by hand: three stacked control-plane nodes behind two balancers, with every change
//! made by the test, so that measures and reports can be held against histories known exactly.

use super::{Case, Findings, Watch};
use crate::component::blame::{Blame, EventId};
use crate::component::fact::{
    Ability, AddressFact, ApiServerFact, CandidateFact, Condition, EtcdFact, Fact, Holder,
    KubeletFact, LeaseFact, LoadBalancerFact, NodeFact, Renewals, Role, VrrpFact, VrrpState,
};
use crate::component::id::{ComponentId, Kind, MachineId};
use crate::component::lever::{Lever, Setting};
use crate::component::map::{MachineRole, Map};
use crate::component::param::Params as _;
use crate::component::reach::{Direction, Reach};
use crate::component::record::{Record, RequestClass};
use crate::component::versions::Versions;
use crate::component::view::{
    MachineState, PeerStreams, Process, ProcessState, Settlement, Surroundings,
};
use crate::components::Params;
use crate::components::load_balancer::{self, LoadBalancerParams};
use crate::kernel::cadence::Cadence;
use crate::kernel::law::Law;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::plan::client::{ClientPlan, ClientTarget};
use crate::plan::reliability::Reliability;
use crate::plan::schedule::{Action, Applied, Fault, Schedule};
use crate::plan::service::{Endpoint, Services};
use crate::plan::timings::Timings;
use crate::plan::{BootPlan, KernelPlan, Leaders, Plan, Restart, Start};
use crate::transport::peer_stream::StreamLaw;
use crate::world::event::{Event, EventKind, EventLog};
use crate::world::observer::{Change, FaultFired, Observer, Transition};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Milliseconds after the start.
pub(crate) fn at(ms: u64) -> Time {
    Time::at(Duration::from_millis(ms))
}

/// Milliseconds.
pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The cluster.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) plan: Plan,
    pub(crate) all: Surroundings,
    pub(crate) log: EventLog,
    pub(crate) watch: Watch,
    pub(crate) now: Time,
}

fn map() -> Map {
    let mut map = Map::default();
    let zone = map.add_zone("zone-a");
    let mut machines = Vec::new();
    for name in ["cp1", "cp2", "cp3"] {
        machines.push((map.add_machine(name, MachineRole::ControlPlane, zone), name));
    }
    for name in ["lb1", "lb2"] {
        machines.push((map.add_machine(name, MachineRole::LoadBalancer, zone), name));
    }
    let outside = map.add_machine("clients", MachineRole::Outside, zone);
    let stacked =
        [Kind::Etcd, Kind::ApiServer, Kind::Scheduler, Kind::ControllerManager, Kind::Kubelet];
    for (machine, name) in &machines {
        let kinds: &[Kind] =
            if name.starts_with("cp") { &stacked } else { &[Kind::LoadBalancer, Kind::Keepalived] };
        for kind in kinds {
            map.add_process(*kind, *machine, &format!("{name}/{}", kind.name()));
        }
    }
    map.add_process(Kind::Client, outside, "writer");
    for lease in ["kube-scheduler", "kube-controller-manager"] {
        map.add_object(Kind::Lease, &format!("lease/{lease}"));
    }
    for node in ["cp1", "cp2", "cp3"] {
        map.add_object(Kind::Node, &format!("node/{node}"));
    }
    map
}

fn plan() -> Plan {
    let map = map();
    let of = |kind: Kind| map.of_kind(kind).collect::<Vec<_>>();
    let link = Direction {
        delay: Duration::from_micros(250),
        jitter: Duration::ZERO,
        loss: 0,
        extra_delay: Duration::ZERO,
        extra_loss: 0,
        cuts: 0,
    };
    let writer = ClientPlan {
        stalls: None,
        delay: None,
        name: "writer".to_owned(),
        class: RequestClass::Write,
        every: ms(100),
        // Nobody plays the client: all that it would have issued is pending.
        timeout: ms(120_000),
        target: ClientTarget::Endpoint,
    };
    let fault = Fault {
        verb: "powerOff",
        at: Law::Fixed(ms(60_000)),
        lasts: None,
        every: None,
        action: Action::Power(false),
        undo: None,
        targets: Vec::new(),
        repairs: None,
    };
    let services = Services {
        endpoint: Endpoint::Vip { holders: of(Kind::Keepalived), fronts: of(Kind::LoadBalancer) },
        api_servers: of(Kind::ApiServer),
        members: of(Kind::Etcd),
        outside: map.find_machine("clients").unwrap(),
    };
    Plan {
        name: "by-hand".to_owned(),
        description: "Claim: moved by hand.".to_owned(),
        versions: Versions::default(),
        params: vec![Params::Object(Fact::Absent); map.component_count()],
        static_pod: vec![false; map.component_count()],
        unjoined: Vec::new(),
        restart: vec![Restart::Never; map.component_count()],
        kernel: KernelPlan {
            syn: 0.into(),
            signal: vec![Law::Fixed(Duration::ZERO); map.component_count()],
        },
        network: vec![link; map.machine_count() * map.machine_count()],
        streams: StreamLaw::etcd(ms(1000), 0.into()),
        heartbeat: ms(100),
        boot: BootPlan { boot: Law::Fixed(ms(30_000)) },
        services,
        workloads: Arc::default(),
        clients: vec![(map.find_component("writer").unwrap(), writer)],
        schedule: Schedule { faults: vec![fault] },
        reliability: Reliability::default(),
        timings: Timings::default(),
        start: Start::Settled,
        leaders: Leaders::default(),
        until: ms(120_000),
        seed: 1,
        measure_from: 0,
        expect: Vec::new(),
        map: Arc::new(map),
    }
}

/// The fact of each component in the settled cluster, which cp1 and lb1 lead.
fn settled_fact(map: &Map, id: ComponentId) -> Fact {
    let first = map.place(id).ends_with('1');
    let entry = map.component(id);
    let member = |name: &str| map.find_component(name);
    match entry.kind {
        Kind::Etcd => Fact::Etcd(EtcdFact {
            role: if first { Role::Leader } else { Role::Follower },
            term: 5,
            lead: member("cp1/etcd"),
            serving: true,
            settled: first,
            index: 1000,
            ..EtcdFact::default()
        }),
        Kind::ApiServer => Fact::ApiServer(serving()),
        Kind::Scheduler | Kind::ControllerManager => {
            Fact::Candidate(CandidateFact { leading: first, acting: first })
        }
        Kind::LoadBalancer => Fact::LoadBalancer(LoadBalancerFact {
            listening: true,
            rotation: 0b111,
            ..LoadBalancerFact::default()
        }),
        Kind::Keepalived => Fact::Vrrp(VrrpFact {
            state: if first { VrrpState::Master } else { VrrpState::Backup },
            holds: first,
            priority: if first { 101 } else { 100 },
            announced: first.then_some(Time::START),
            ..VrrpFact::default()
        }),
        Kind::KubeVip => Fact::KubeVip(AddressFact::default()),
        Kind::Kubelet => Fact::Kubelet(KubeletFact::default()),
        Kind::Client | Kind::Workload => Fact::Absent,
        Kind::Lease => {
            let program = entry.name.trim_start_matches("lease/");
            let holder = member(&format!("cp1/{program}"));
            Fact::Lease(LeaseFact {
                holder: holder.map(|component| Holder { component, incarnation: 1 }),
                duration_seconds: 15,
                renewals: Renewals::Every(Cadence::new(at(1_300), ms(2000))),
                writes: 1,
                ..LeaseFact::default()
            })
        }
        Kind::Node => Fact::Node(NodeFact::of(Condition::True, None)),
    }
}

/// An API server that serves everything.
pub(crate) fn serving() -> ApiServerFact {
    ApiServerFact {
        listening: true,
        http: true,
        ready: true,
        live: true,
        read_cached: Ability::Works,
        read: Ability::Works,
        write: Ability::Works,
        answered: 1_000_000,
        ..ApiServerFact::default()
    }
}

impl Board {
    /// The settled cluster at the start of a run.
    pub(crate) fn settled() -> Self {
        Self::of(plan())
    }

    /// The same, with `option redispatch` and one retry.
    pub(crate) fn redispatching() -> Self {
        let mut plan = plan();
        let defaults = LoadBalancerParams::defaults(&plan.versions);
        let params = LoadBalancerParams { redispatch: true, retries: 1, ..defaults };
        let wiring = load_balancer::Wiring {
            habit: load_balancer::Habit::Checks,
            servers: plan.services.api_servers.clone(),
        };
        for id in plan.map.of_kind(Kind::LoadBalancer) {
            let params = Params::LoadBalancer(Box::new(params.clone()), wiring.clone());
            plan.params[id.index()] = params;
        }
        Self::of(plan)
    }

    fn of(plan: Plan) -> Self {
        let map = plan.map.clone();
        let running = Process {
            state: ProcessState::Running,
            incarnation: 1,
            since: Time::START,
            expired: crate::component::certificate::Expired::default(),
        };
        let pairs = map.of_kind(Kind::Keepalived).zip(map.of_kind(Kind::LoadBalancer));
        let all = Surroundings {
            facts: map.components().map(|(id, _)| settled_fact(&map, id)).collect(),
            processes: vec![running; map.component_count()],
            machines: vec![MachineState::default(); map.machine_count()],
            reach: Reach::new(map.machine_count(), |a, b| plan.direction(a, b)),
            settlement: Settlement::default(),
            vip: pairs.collect(),
            neighbours: vec![None; map.machine_count()],
            streams: PeerStreams::default(),
            connections: BTreeMap::new(),
            map,
        };
        let mut watch = Watch::new(&plan);
        watch.settled(Time::START, &all, EventId::START);
        Self { plan, all, log: EventLog::default(), watch, now: Time::START }
    }

    /// A component by name.
    pub(crate) fn id(&self, name: &str) -> ComponentId {
        self.plan.map.find_component(name).unwrap()
    }

    /// A machine by name.
    pub(crate) fn machine(&self, name: &str) -> MachineId {
        self.plan.map.find_machine(name).unwrap()
    }

    /// Something happens because of an earlier event, after a wait.
    pub(crate) fn event(&mut self, t: Time, who: &str, parent: EventId, blame: Blame) -> EventId {
        self.now = t;
        let owner = Some(self.id(who));
        self.log.push(Event { at: t, owner, parent, blame, kind: EventKind::Alarm(0) })
    }

    /// Machines lose power; every process there ends.
    pub(crate) fn power_off(&mut self, t: Time, name: &str) -> EventId {
        self.now = t;
        let kind = EventKind::Fault { index: 0, undo: false };
        let event =
            Event { at: t, owner: None, parent: EventId::START, blame: Blame::default(), kind };
        let because = self.log.push(event);
        let machine = self.machine(name);
        let applied =
            vec![Applied { fault: 0, undo: false, setting: Setting::Power(machine, false) }];
        let targets = vec![name.to_owned()];
        let fired = FaultFired {
            at: t,
            index: 0,
            undo: false,
            verb: "powerOff",
            targets,
            others: Vec::new(),
            applied,
            because,
        };
        self.watch.fault(&fired, &self.all);
        self.all.machines[machine.index()].powered = false;
        self.tell(Change::Power { machine, on: false }, because);
        let there: Vec<ComponentId> = self.plan.map.on_machine(machine).collect();
        for id in there {
            self.set_process(id, ProcessState::Dead, because);
            self.set_fact(id, Fact::Absent, because);
        }
        because
    }

    fn tell(&mut self, change: Change, because: EventId) {
        self.watch.transition(&Transition { at: self.now, change, because }, &self.all);
    }

    /// A process changes.
    pub(crate) fn set_process(&mut self, id: ComponentId, to: ProcessState, because: EventId) {
        let from = std::mem::replace(&mut self.all.processes[id.index()].state, to);
        self.tell(Change::Process { of: id, from, to, incarnation: 1 }, because);
    }

    /// The data of a process are wiped.
    pub(crate) fn wipe(&mut self, t: Time, name: &str) {
        self.now = t;
        let setting = Setting::Process(self.id(name), Lever::WipeData);
        let fired = FaultFired {
            at: t,
            index: 0,
            undo: false,
            verb: "wipeData",
            targets: vec![name.to_owned()],
            others: Vec::new(),
            applied: vec![Applied { fault: 0, undo: false, setting }],
            because: EventId::START,
        };
        self.watch.fault(&fired, &self.all);
    }

    /// A fact changes.
    pub(crate) fn set_fact(&mut self, id: ComponentId, to: Fact, because: EventId) {
        let from = std::mem::replace(&mut self.all.facts[id.index()], to.clone());
        let change = Change::Fact { of: id, from: Box::new(from), to: Box::new(to) };
        self.tell(change, because);
    }

    /// A component tells something that is no fact.
    pub(crate) fn record(&mut self, name: &str, record: Record, because: EventId) {
        let id = self.id(name);
        self.watch.record(self.now, id, &record, because);
    }

    /// The instant is over.
    pub(crate) fn settle(&mut self, because: EventId) {
        self.watch.settled(self.now, &self.all, because);
    }

    /// The case as it stands, at the end of the plan's run.
    pub(crate) fn case(&self) -> Case<'_> {
        Case {
            key: Key::new(1, 0),
            plan: &self.plan,
            history: self.watch.history(),
            log: &self.log,
            end: &self.all,
            until: Time::at(self.plan.until),
        }
    }

    /// Everything measured.
    pub(crate) fn findings(&self) -> Findings {
        Findings::of(&self.case())
    }

    /// cp1, which leads everything, loses power at 60 s; etcd elects cp2 and cp3 takes the scheduler's
    /// Lease; balancers take cp1 out.
    pub(crate) fn power_off_cp1() -> Self {
        let mut board = Self::settled();
        for lease in ["lease/kube-scheduler", "lease/kube-controller-manager"] {
            let id = board.id(lease);
            let Fact::Lease(fact) = board.all.facts[id.index()] else { panic!("a lease") };
            board.all.facts[id.index()] =
                Fact::Lease(LeaseFact { renewals: Renewals::Once(at(59_300)), ..fact });
        }
        let fault = board.power_off(at(60_000), "cp1");
        board.lose_etcd(fault);
        board.settle(fault);
        board.elect_cp2(fault);
        board.mark_cp1_down(fault);
        board.take_lease(at(76_100), "kube-scheduler", "cp3", fault);
        board.take_lease(at(77_000), "kube-controller-manager", "cp2", fault);
        board
    }

    fn api_servers(&mut self, names: [&str; 2], write: Ability, because: EventId) {
        for name in names {
            let fact = ApiServerFact { write, read: write, ..serving() };
            let id = self.id(name);
            self.set_fact(id, Fact::ApiServer(fact), because);
        }
    }

    fn lose_etcd(&mut self, because: EventId) {
        self.api_servers(["cp2/kube-apiserver", "cp3/kube-apiserver"], Ability::Hangs, because);
    }

    fn elect_cp2(&mut self, fault: EventId) {
        let wait = Blame::of("election-timeout", ms(1250)).and("tick", ms(50));
        let campaign = self.event(at(61_200), "cp2/etcd", fault, wait);
        self.record("cp2/etcd", Record::Campaign { term: 6, pre: false }, campaign);
        let won = self.event(at(61_202), "cp2/etcd", campaign, Blame::of("network", ms(2)));
        let (cp2, cp3) = (self.id("cp2/etcd"), self.id("cp3/etcd"));
        for (id, role) in [(cp2, Role::Leader), (cp3, Role::Follower)] {
            let settled = role == Role::Leader;
            let fact = EtcdFact {
                role,
                term: 6,
                lead: Some(cp2),
                serving: true,
                settled,
                index: 1001,
                ..EtcdFact::default()
            };
            self.set_fact(id, Fact::Etcd(fact), won);
        }
        self.api_servers(["cp2/kube-apiserver", "cp3/kube-apiserver"], Ability::Works, won);
        self.settle(won);
    }

    fn mark_cp1_down(&mut self, fault: EventId) {
        let wait = Blame::of("fall × inter", ms(10_000)).and("until the next check", ms(700));
        for balancer in ["lb1/haproxy", "lb2/haproxy"] {
            let marked = self.event(at(70_700), balancer, fault, wait.clone());
            let id = self.id(balancer);
            let fact = LoadBalancerFact {
                listening: true,
                rotation: 0b110,
                ..LoadBalancerFact::default()
            };
            self.set_fact(id, Fact::LoadBalancer(fact), marked);
            self.settle(marked);
        }
    }

    fn take_lease(&mut self, t: Time, program: &str, by: &str, fault: EventId) {
        let slack = t.since(at(74_300));
        let wait = Blame::of("leaseDuration", ms(15_000)).and("until its next try", slack);
        let taker = format!("{by}/{program}");
        let because = self.event(t, &taker, fault, wait);
        let (lease, component) = (self.id(&format!("lease/{program}")), self.id(&taker));
        let fact = LeaseFact {
            holder: Some(Holder { component, incarnation: 1 }),
            duration_seconds: 15,
            transitions: 1,
            renewals: Renewals::Every(Cadence::new(t, ms(2000))),
            acquired: Some(t),
            writes: 1,
        };
        self.set_fact(lease, Fact::Lease(fact), because);
        let acting = Fact::Candidate(CandidateFact { leading: true, acting: true });
        self.set_fact(component, acting, because);
        self.record(&taker, Record::Acted { surplus: false }, because);
        self.settle(because);
    }
}
