//! A run in the Chrome trace format, which Perfetto (ui.perfetto.dev) and `chrome://tracing` open:
//! machines as processes, components as threads, a slice for each role or level for as long as it
//! lasted, and an instant for each fault.

use super::blame::fault_words;
use super::words::state;
use crate::component::fact::Fact;
use crate::component::id::ComponentId;
use crate::component::view::ProcessState;
use crate::kernel::time::Time;
use crate::measure::case::{Case, Findings};
use crate::measure::outage::Severity;
use crate::world::observer::Change;
use serde_json::{Value, json};

/// The process under which services stand.
const SERVICES: usize = 1;
/// The process under which API objects stand.
const OBJECTS: usize = 2;
/// Machines come after these.
const MACHINES: usize = 3;

/// The trace of a run.
pub fn trace(case: &Case, findings: &Findings) -> Value {
    let mut events = names(case);
    events.extend(component_slices(case));
    events.extend(service_slices(case, findings));
    events.extend(faults(case));
    json!({ "displayTimeUnit": "ms", "traceEvents": events })
}

/// Microseconds from the start of the run, as the format wants them.
fn micros(t: Time) -> f64 {
    t.since_start_nanos() as f64 / 1e3
}

fn process_of(case: &Case, id: ComponentId) -> usize {
    case.plan.map.machine_of(id).map_or(OBJECTS, |machine| MACHINES + machine.index())
}

fn names(case: &Case) -> Vec<Value> {
    let process = |pid: usize, name: &str| json!({ "ph": "M", "name": "process_name", "pid": pid, "args": { "name": name } });
    let thread = |pid: usize, tid: usize, name: &str| {
        let args = json!({ "name": name });
        json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": args })
    };
    let map = &case.plan.map;
    let mut events = vec![process(SERVICES, "services"), process(OBJECTS, "API objects")];
    events.extend(map.machines().map(|(id, m)| process(MACHINES + id.index(), &m.name)));
    for (id, component) in map.components() {
        let name = component.name.split_once('/').map_or(component.name.as_str(), |(_, n)| n);
        events.push(thread(process_of(case, id), id.index() + 1, name));
    }
    for (at, track) in case.history.tracks.iter().enumerate() {
        events.push(thread(SERVICES, at + 1, track.service.name()));
    }
    events
}

fn slice(pid: usize, tid: usize, name: &str, from: Time, to: Time) -> Value {
    let (ts, dur) = (micros(from), micros(to) - micros(from));
    json!({ "ph": "X", "name": name, "pid": pid, "tid": tid, "ts": ts, "dur": dur })
}

/// One component's states over the run.
struct Life<'a> {
    process: ProcessState,
    fact: &'a Fact,
    since: Time,
    label: Option<String>,
    slices: Vec<(String, Time, Time)>,
}

impl Life<'_> {
    fn note(&mut self, case: &Case, now: Time) {
        let label = state(case.plan, self.process, self.fact);
        if label != self.label {
            self.close(now);
            self.label = label;
            self.since = now;
        }
    }

    fn close(&mut self, now: Time) {
        if let Some(label) = self.label.take()
            && now > self.since
        {
            self.slices.push((label, self.since, now));
        }
    }
}

fn component_slices(case: &Case) -> Vec<Value> {
    let mut lives: Vec<Life> = case.plan.map.components().map(|(id, _)| begin(case, id)).collect();
    for transition in case.history.transitions() {
        let at = transition.at;
        match &transition.change {
            Change::Fact { of, to, .. } => {
                lives[of.index()].fact = to;
                lives[of.index()].note(case, at);
            }
            Change::Process { of, to, .. } => {
                lives[of.index()].process = *to;
                lives[of.index()].note(case, at);
            }
            Change::Power { .. } => {}
        }
    }
    let mut events = Vec::new();
    for ((id, _), mut life) in case.plan.map.components().zip(lives) {
        life.close(case.until);
        let (pid, tid) = (process_of(case, id), id.index() + 1);
        events.extend(life.slices.iter().map(|(name, a, b)| slice(pid, tid, name, *a, *b)));
    }
    events
}

/// How a component began: as its first change says, or as it ended if it never changed.
fn begin<'a>(case: &Case<'a>, id: ComponentId) -> Life<'a> {
    let first = case.history.processes().find(|change| change.of == id);
    let process = first.map_or(case.end.processes[id.index()].state, |change| change.from);
    let fact = case.fact_before(Time::START, id);
    let label = state(case.plan, process, fact);
    Life { process, fact, since: Time::START, label, slices: Vec::new() }
}

fn service_slices(case: &Case, findings: &Findings) -> Vec<Value> {
    let mut events = Vec::new();
    for (at, record) in findings.services.iter().enumerate() {
        for interval in &record.intervals {
            let name = match interval.severity {
                Severity::Outage => "outage",
                Severity::Degradation => "degraded",
            };
            let to = interval.to.unwrap_or(case.until);
            let mut event = slice(SERVICES, at + 1, name, interval.from, to);
            if let Some(blame) = &interval.blame {
                event["args"] = json!({ "blame": super::blame::line(case, blame) });
            }
            events.push(event);
        }
    }
    events
}

fn faults(case: &Case) -> Vec<Value> {
    let instant = |fired: &crate::world::observer::FaultFired| {
        let name = fault_words(fired.verb, &fired.targets, fired.undo);
        json!({ "ph": "i", "s": "g", "name": name, "pid": SERVICES, "tid": 0, "ts": micros(fired.at) })
    };
    case.history.faults().map(instant).collect()
}
