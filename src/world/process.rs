//! The life of processes and machines: start, end, pause, power.

use super::event::EventKind;
use super::observer::{Change, Observer};
use super::{Inbox, Letter, Origin, World};
use crate::component::Cause;
use crate::component::blame::{Blame, EventId};
use crate::component::certificate::{Certificates, Expired};
use crate::component::effects::ExitStatus;
use crate::component::id::{ComponentId, Kind, MachineId};
use crate::component::lever::Lever;
use crate::component::record::Record;
use crate::component::view::ProcessState;
use crate::kernel::agenda::Cell;
use crate::kernel::time::{Duration, Time};
use crate::plan::Restart;

/// Between SIGTERM and SIGKILL of a container. Kubernetes: terminationGracePeriodSeconds 30 of
/// static pods.
const GRACE: Duration = Duration::from_secs(30);

/// How long a process lives that cannot use its configuration. Assumed: it reads flags and files first.
const READING: Duration = Duration::from_millis(10);

/// Purpose of the draw for a machine's boot, among the machine's own draws.
const BOOT_DRAW: u32 = 1;
/// Purpose of the draw for the delay of a SIGTERM; components number theirs from 0.
const SIGNAL_DRAW: u32 = 1_000;

impl World<'_> {
    fn set_process(&mut self, id: ComponentId, to: ProcessState, observer: &mut impl Observer) {
        let process = &mut self.all.processes[id.index()];
        let from = std::mem::replace(&mut process.state, to);
        process.since = self.now;
        let incarnation = process.incarnation;
        self.tell(Change::Process { of: id, from, to, incarnation }, observer);
        self.wake_watchers(id);
    }

    /// Starts a process that is not running, on a machine with power.
    pub(super) fn start_process(&mut self, id: ComponentId, observer: &mut impl Observer) {
        let off =
            self.all.map.machine_of(id).is_some_and(|m| !self.all.machines[m.index()].powered);
        let barred = self.bars[id.index()] > 0;
        if off || barred || self.all.processes[id.index()].state != ProcessState::Dead {
            return;
        }
        self.held_down[id.index()] = false;
        self.unjoined.remove(&id);
        self.all.processes[id.index()].incarnation += 1;
        let shown = self.expired[id.index()];
        self.all.processes[id.index()].expired = Expired { shown, since: Time::ZERO };
        self.set_process(id, ProcessState::Running, observer);
        self.streams_of_started(id);
        self.deliver(id, Cause::Boot, observer);
        if self.misconfigured[id.index()] {
            let origin = Origin::new(self.event, Blame::of("reads its configuration", READING));
            let incarnation = self.all.processes[id.index()].incarnation;
            let (to, letter) = (u32::from(id.0), Letter::Grace(id, incarnation, origin));
            self.post.push(self.now + READING, to, to, letter);
        }
    }

    /// A process's configuration is replaced: by one that it cannot use, or by a sound one.
    pub(super) fn configure(&mut self, id: ComponentId, sound: bool, observer: &mut impl Observer) {
        self.misconfigured[id.index()] = !sound;
        if sound {
            self.start_process(id, observer);
        } else {
            self.restart(id, observer);
        }
    }

    /// Certificates of a process expire, or are renewed on its disk: an etcd member reads them there for
    /// every connection, all others when they start.
    pub(super) fn certify(
        &mut self,
        id: ComponentId,
        which: Certificates,
        valid: bool,
        observer: &mut impl Observer,
    ) {
        let kind = self.all.map.component(id).kind;
        let set = which.intersection(Certificates::of(kind));
        let turned = |old: Certificates| if valid { old.difference(set) } else { old.union(set) };
        let disk = &mut self.expired[id.index()];
        *disk = turned(*disk);
        if valid && kind != Kind::Etcd {
            return;
        }
        let expired = &mut self.all.processes[id.index()].expired;
        let before = expired.shown;
        expired.shown = turned(before);
        if expired.shown == before {
            return;
        }
        let serving = Certificates::API_SERVING;
        if expired.shown.intersects(serving) && !before.intersects(serving) {
            expired.since = self.now;
        }
        self.changed = true;
        self.pull(id, Lever::Expire, observer);
        self.streams_of_certified(id);
        self.wake_watchers(id);
    }

    /// A process fails until it is repaired.
    pub(super) fn fail(&mut self, id: ComponentId, observer: &mut impl Observer) {
        self.bars[id.index()] += 1;
        self.pull(id, Lever::Kill, observer);
    }

    /// A failure is repaired.
    pub(super) fn mend(&mut self, id: ComponentId, observer: &mut impl Observer) {
        let bars = &mut self.bars[id.index()];
        *bars = bars.saturating_sub(1);
        let machine = self.all.map.machine_of(id);
        let kubelet = machine.and_then(|m| self.all.map.local(m, Kind::Kubelet));
        let waits = self.plan.static_pod[id.index()]
            && kubelet.is_some_and(|kubelet| {
                self.all.processes[kubelet.index()].state == ProcessState::Dead
            });
        if !waits {
            self.start_process(id, observer);
        }
    }

    /// SIGKILL: nothing is tidied up. `rst`: the machine's kernel resets the connections.
    pub(super) fn kill_process(
        &mut self,
        id: ComponentId,
        rst: bool,
        observer: &mut impl Observer,
    ) {
        if self.all.processes[id.index()].state == ProcessState::Dead {
            return;
        }
        self.end(id, rst, observer);
        let lever = if rst { Lever::Kill } else { Lever::PowerLoss };
        self.deliver(id, Cause::Lever(lever), observer);
        self.restart_by_manager(id);
    }

    /// The process ends by its own doing.
    pub(super) fn exit_process(
        &mut self,
        id: ComponentId,
        status: ExitStatus,
        observer: &mut impl Observer,
    ) {
        if self.all.processes[id.index()].state == ProcessState::Dead {
            return;
        }
        let reason = match status {
            ExitStatus::Clean => "exits with status 0",
            ExitStatus::Fatal(reason) => reason,
        };
        observer.record(self.now, id, &Record::Exit { reason }, self.event);
        self.end(id, true, observer);
        self.deliver(id, Cause::Lever(Lever::Kill), observer);
        self.restart_by_manager(id);
    }

    fn end(&mut self, id: ComponentId, rst: bool, observer: &mut impl Observer) {
        self.silence(id);
        self.inboxes[id.index()] = Inbox::default();
        self.set_process(id, ProcessState::Dead, observer);
        self.drop_calls_of(id, rst);
        self.streams_of_ended(id, rst);
        self.connections_of_ended(id, rst);
    }

    /// Forgets the alarms of a process and what it had not sent yet.
    fn silence(&mut self, id: ComponentId) {
        let base = self.layout.bases[id.index()];
        let count = self.machines[id.index()].alarms();
        for offset in 0..u32::try_from(count).unwrap_or(0) {
            self.agenda.clear(Cell(base + offset));
        }
        let target = u32::from(id.0);
        self.post.drop_where(|to, from, letter| match letter {
            Letter::Depart(..) => to == target,
            Letter::Start(..) => from == target && to != target,
            _ => false,
        });
    }

    fn restart_by_manager(&mut self, id: ComponentId) {
        if std::mem::take(&mut self.restarting[id.index()]) {
            let to = u32::from(id.0);
            let origin = Origin::new(self.event, Blame::default());
            self.post.push(self.now, to, to, Letter::Start(id, origin));
            return;
        }
        let Restart::Always(wait) = self.plan.restart[id.index()] else { return };
        let on = self.all.map.machine_of(id).is_some_and(|m| self.all.machines[m.index()].powered);
        if on && !self.held_down[id.index()] {
            let origin = Origin::new(self.event, Blame::of("RestartSec", wait));
            let to = u32::from(id.0);
            self.post.push(self.now + wait, to, to, Letter::Start(id, origin));
        }
    }

    /// SIGTERM, and SIGKILL after the grace period.
    pub(super) fn terminate(&mut self, id: ComponentId, observer: &mut impl Observer) {
        let process = self.all.processes[id.index()];
        if process.state == ProcessState::Dead {
            return;
        }
        let to = u32::from(id.0);
        let origin = Origin::new(self.event, Blame::of("terminationGracePeriodSeconds", GRACE));
        let letter = Letter::Grace(id, process.incarnation, origin);
        self.post.push(self.now + GRACE, to, to, letter);
        self.signal(id, observer);
    }

    /// SIGTERM, and a start as soon as the process has ended.
    pub(super) fn restart(&mut self, id: ComponentId, observer: &mut impl Observer) {
        if self.all.processes[id.index()].state == ProcessState::Dead {
            self.start_process(id, observer);
        } else {
            self.restarting[id.index()] = true;
            self.terminate(id, observer);
        }
    }

    /// SIGTERM, which the process gets to when it is given a processor.
    pub(super) fn signal(&mut self, id: ComponentId, observer: &mut impl Observer) {
        let stream = self.all.map.component(id).stream;
        let occurrence = self.log.count() as u64;
        let law = &self.plan.kernel.signal[id.index()];
        let wait = law.sample(&mut self.key.draw(stream, SIGNAL_DRAW, occurrence));
        let process = self.all.processes[id.index()];
        if wait.is_zero() || process.state == ProcessState::Dead {
            self.pull(id, Lever::Stop, observer);
            return;
        }
        let origin = Origin::new(self.event, Blame::of("signal-delay", wait));
        let to = u32::from(id.0);
        self.post.push(self.now + wait, to, to, Letter::Signal(id, process.incarnation, origin));
    }

    /// A process gets to its SIGTERM, if it still is the one that was meant.
    pub(super) fn signalled(
        &mut self,
        id: ComponentId,
        incarnation: u32,
        observer: &mut impl Observer,
    ) {
        if self.all.processes[id.index()].incarnation == incarnation {
            self.pull(id, Lever::Stop, observer);
        }
    }

    /// Pulls a process's lever.
    pub(super) fn pull(&mut self, id: ComponentId, lever: Lever, observer: &mut impl Observer) {
        let state = self.all.processes[id.index()].state;
        match (lever, state) {
            (Lever::Kill | Lever::PowerLoss, _) => {
                self.kill_process(id, lever == Lever::Kill, observer);
            }
            (Lever::WipeData | Lever::Space(_), _)
            | (Lever::Restore(_) | Lever::ForceNewCluster, ProcessState::Dead) => {
                self.deliver(id, Cause::Lever(lever), observer);
            }
            (Lever::Stop, ProcessState::Paused) => self.inboxes[id.index()].stop = true,
            (Lever::Pause, ProcessState::Running) => {
                self.set_process(id, ProcessState::Paused, observer);
                self.deliver(id, Cause::Lever(lever), observer);
            }
            (Lever::Resume, ProcessState::Paused) if !self.is_suspended(id) => {
                self.resume(id, observer);
            }
            (Lever::Pause | Lever::Resume, _) | (_, ProcessState::Dead) => {}
            _ => self.deliver(id, Cause::Lever(lever), observer),
        }
    }

    /// Elapsed timers and waiting messages are found at once, timers first as they were due.
    pub(super) fn resume(&mut self, id: ComponentId, observer: &mut impl Observer) {
        let inbox = std::mem::take(&mut self.inboxes[id.index()]);
        self.set_process(id, ProcessState::Running, observer);
        for cell in inbox.alarms {
            self.agenda.set(cell, self.now);
        }
        self.restore_timers(inbox.frozen);
        self.deliver(id, Cause::Lever(Lever::Resume), observer);
        for (mail, origin) in inbox.mail {
            let from = u32::from(mail.from.0);
            self.post.push(self.now, u32::from(id.0), from, Letter::Arrive(mail, origin));
        }
        self.connections_of_resumed(id);
        if inbox.stop {
            self.pull(id, Lever::Stop, observer);
        }
    }

    /// Turns a machine off or on.
    pub(super) fn power(&mut self, machine: MachineId, on: bool, observer: &mut impl Observer) {
        if self.all.machines[machine.index()].powered == on {
            return;
        }
        self.all.machines[machine.index()].powered = on;
        self.tell(Change::Power { machine, on }, observer);
        let there: Vec<ComponentId> = self.all.map.on_machine(machine).collect();
        if on {
            self.all.machines[machine.index()].powered_since = self.now;
            self.boot(machine, &there);
        } else {
            self.all.machines[machine.index()].disk_stalled = false;
            self.end_suspension(machine);
            for id in &there {
                let target = u32::from(id.0);
                self.post.drop_where(|to, _, letter| {
                    to == target && matches!(letter, Letter::Start(..))
                });
                self.kill_process(*id, false, observer);
                self.forget_address(*id, observer);
            }
        }
        self.network_changed(machine);
    }

    /// The address that a killed keepalived or kube-vip left on its machine goes with the power.
    fn forget_address(&mut self, id: ComponentId, observer: &mut impl Observer) {
        if self.all.facts[id.index()].held().is_some() {
            self.deliver(id, Cause::Lever(Lever::PowerLoss), observer);
        }
    }

    /// After the boot the service manager starts its units, and the kubelet its static pods.
    fn boot(&mut self, machine: MachineId, there: &[ComponentId]) {
        let stream = self.all.map.machine(machine).stream;
        let occurrence = self.log.count() as u64;
        let wait = self.plan.boot.boot.sample(&mut self.key.draw(stream, BOOT_DRAW, occurrence));
        let kubelet = self.all.map.local(machine, Kind::Kubelet);
        for id in there {
            self.held_down[id.index()] = false;
            self.restarting[id.index()] = false;
            let waits = self.unjoined.contains(id);
            if !waits && (kubelet.is_none() || !self.plan.static_pod[id.index()]) {
                let origin = Origin::new(self.event, Blame::of("machine boot", wait));
                let to = u32::from(id.0);
                self.post.push(self.now + wait, to, to, Letter::Start(*id, origin));
            }
        }
    }

    /// Starts the event of a fault or its end.
    pub(super) fn begin_fault(&mut self, index: usize, undo: bool) {
        let origin = Origin { parent: Some(EventId::START), blame: Blame::default() };
        self.begin(None, origin, EventKind::Fault { index, undo });
    }
}
