//! The timeline: one line per state transition, with when, who, what, and because of what.
//!
//! Processes of one machine that end or start at one instant share a line, and so do services whose
//! level changes together. Changes that nobody would notice (an index, a phase) have no line.

use super::blame::fault_words;
use super::layout::{WIDTH, wrap};
use super::style::{Styled, Tone};
use super::words;
use crate::component::blame::EventId;
use crate::component::fact::{Fact, Renewals};
use crate::component::id::{ComponentId, MachineId};
use crate::component::record::Record;
use crate::component::view::ProcessState;
use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::measure::history::{FactChange, Recorded, Seen, Step};
use crate::measure::invariants::data_lost;
use crate::measure::share::Share;
use crate::plan::schedule::Action;
use crate::plan::service::Service;
use crate::world::observer::{Change, FaultFired, Transition};
use std::collections::BTreeSet;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Time,
    /// Who: a process, a machine, or `services`.
    pub who: String,
    /// What.
    pub what: String,
    /// Because of what; empty for what a fault did at once.
    pub why: String,
    /// How it is meant.
    pub tone: Tone,
    /// The event it belongs to.
    pub because: EventId,
}

/// Processes of one machine that did the same at one instant.
struct Group {
    at: Time,
    machine: Option<MachineId>,
    because: EventId,
    to: ProcessState,
    members: Vec<ComponentId>,
}

/// Turns a history into lines.
struct Writer<'a> {
    case: &'a Case<'a>,
    lines: Vec<Line>,
    group: Option<Group>,
    /// The process whose exit has just been told in words.
    exited: Option<(Time, ComponentId)>,
    /// The events that have a line.
    told: BTreeSet<EventId>,
}

/// Every line of a run up to `until`.
pub fn lines(case: &Case) -> Vec<Line> {
    let mut writer =
        Writer { case, lines: Vec::new(), group: None, exited: None, told: BTreeSet::new() };
    let mut levels = level_changes(case);
    levels.reverse();
    for seen in &case.history.seen {
        while levels.last().is_some_and(|(at, ..)| *at < seen.at()) {
            writer.levels(levels.pop());
        }
        writer.seen(seen);
    }
    while !levels.is_empty() {
        writer.levels(levels.pop());
    }
    writer.flush();
    writer.losses();
    writer.lines
}

/// Changes of services' levels at one instant, by the event that made them.
type Levels = (Time, EventId, Vec<(Service, Step, Step)>);

fn level_changes(case: &Case) -> Vec<Levels> {
    let mut changes: Vec<Levels> = Vec::new();
    for track in &case.history.tracks {
        for pair in track.steps.windows(2) {
            let (at, because) = (pair[1].at, pair[1].because);
            let entry = (track.service, pair[0], pair[1]);
            match changes.iter_mut().find(|(t, b, _)| (*t, *b) == (at, because)) {
                Some((.., services)) => services.push(entry),
                None => changes.push((at, because, vec![entry])),
            }
        }
    }
    changes.sort_by_key(|(at, because, _)| (*at, *because));
    changes
}

impl Writer<'_> {
    /// What wiped disks cost has a line where the leader without it was elected.
    fn losses(&mut self) {
        for lost in data_lost(self.case) {
            let place = self.lines.partition_point(|line| line.at <= lost.at);
            let line = Line {
                at: lost.at,
                who: "etcd".to_owned(),
                what: format!("data lost: {}", lost.what),
                why: String::new(),
                tone: Tone::Bad,
                because: EventId::START,
            };
            self.lines.insert(place, line);
        }
    }

    fn seen(&mut self, seen: &Seen) {
        match seen {
            Seen::Transition(transition) => self.transition(transition),
            Seen::Record(recorded) => self.record(recorded),
            Seen::Fault(fired) => self.fault(fired),
        }
    }

    fn add(&mut self, at: Time, who: String, said: (String, Tone), because: EventId) {
        self.flush();
        let why = words::reason(self.case.plan, self.case.log, because, &who, &mut self.told);
        self.lines.push(Line { at, who, what: said.0, why, tone: said.1, because });
    }

    fn transition(&mut self, transition: &Transition) {
        let (at, because) = (transition.at, transition.because);
        match &transition.change {
            Change::Fact { of, from, to } => {
                let change = FactChange { at, of: *of, from, to };
                let said = words::change(self.case.plan, &change);
                if let Some(said) = said.filter(|_| !self.passing(&change)) {
                    let who = words::subject(self.case.plan, &change);
                    self.add(at, who, said, because);
                }
            }
            Change::Process { of, from, to, .. } => {
                if *to == ProcessState::Dead && self.exited == Some((at, *of)) {
                    return;
                }
                let state = if *from == ProcessState::Paused && *to == ProcessState::Running {
                    let who = self.case.plan.map.name(*of).to_owned();
                    return self.add(at, who, ("resumes".to_owned(), Tone::Good), because);
                } else {
                    *to
                };
                self.join(at, *of, state, because);
            }
            Change::Power { machine, on } => {
                let who = self.case.plan.map.machine(*machine).name.clone();
                let said = if *on {
                    ("has power and boots".to_owned(), Tone::Good)
                } else {
                    ("loses power".to_owned(), Tone::Bad)
                };
                self.add(at, who, said, because);
            }
        }
    }

    /// Whether a Lease's renewals stop and go on, by the same holder, within their usual period.
    fn passing(&self, change: &FactChange) -> bool {
        let (Fact::Lease(from), Fact::Lease(to)) = (change.from, change.to) else { return false };
        let (Renewals::Every(cadence), Renewals::Once(last)) = (from.renewals, to.renewals) else {
            return false;
        };
        let usual = last + cadence.period() + cadence.period() / 2;
        let goes_on = |fact: &Fact| match fact {
            Fact::Lease(lease) => {
                lease.holder == to.holder && matches!(lease.renewals, Renewals::Every(_))
            }
            _ => false,
        };
        let later = self.case.history.facts().skip_while(|c| c.at < change.at);
        let mut soon = later.take_while(|c| c.at <= usual.max(change.at));
        soon.any(|c| c.of == change.of && goes_on(c.to))
    }

    /// Adds a process to the group that does the same, or begins another.
    fn join(&mut self, at: Time, of: ComponentId, to: ProcessState, because: EventId) {
        let machine = self.case.plan.map.machine_of(of);
        match &mut self.group {
            Some(group) if (group.at, group.machine, group.to) == (at, machine, to) => {
                group.members.push(of);
            }
            _ => {
                self.flush();
                self.group = Some(Group { at, machine, because, to, members: vec![of] });
            }
        }
    }

    fn flush(&mut self) {
        let Some(group) = self.group.take() else { return };
        let map = &self.case.plan.map;
        let (one, many, tone) = match group.to {
            ProcessState::Dead => ("is gone", "are gone", Tone::Bad),
            ProcessState::Running => ("starts", "start", Tone::Good),
            ProcessState::Paused => ("is paused", "are paused", Tone::Bad),
        };
        let (who, what) = match (group.members.as_slice(), group.machine) {
            ([single], _) => (map.name(*single).to_owned(), one.to_owned()),
            (members, machine) => {
                let kinds = members.iter().map(|id| map.component(*id).kind.name());
                let names = kinds.collect::<Vec<_>>().join(", ");
                let who = machine.map_or(String::new(), |m| map.machine(m).name.clone());
                (who, format!("{names} {many}"))
            }
        };
        self.add(group.at, who, (what, tone), group.because);
    }

    fn record(&mut self, recorded: &Recorded) {
        let name = self.case.plan.map.name(recorded.of).to_owned();
        let said = match recorded.record {
            Record::Campaign { term, pre: true } => {
                (format!("pre-campaigns for term {term}"), Tone::Warning)
            }
            Record::Campaign { term, pre: false } => {
                (format!("campaigns in term {term}"), Tone::Warning)
            }
            Record::Exit { reason } => {
                self.exited = Some((recorded.at, recorded.of));
                let said = if reason.starts_with("exits") {
                    reason.to_owned()
                } else {
                    format!("exits: {reason}")
                };
                (said, Tone::Bad)
            }
            Record::ProbeKill { process } => {
                let killed = self.case.plan.map.name(process);
                (format!("kills {killed}: its probe failed too often"), Tone::Bad)
            }
            Record::Acted { surplus: true } => {
                ("acts although another holds the lease".to_owned(), Tone::Bad)
            }
            Record::Restored { lost, .. } => {
                (format!("is restored from a snapshot that lacks {lost} entries"), Tone::Warning)
            }
            Record::Note(words) => (words.to_owned(), Tone::Plain),
            _ => return,
        };
        self.add(recorded.at, name, said, recorded.because);
    }

    fn fault(&mut self, fired: &FaultFired) {
        let what = fault_words(fired.verb, &fired.targets, fired.undo);
        let faults = &self.case.plan.schedule.faults;
        let rolls = faults.get(fired.index).is_some_and(|f| matches!(f.action, Action::Roll(_)));
        let who = match fired.undo {
            _ if rolls => "operator",
            true => "repair",
            false => "fault",
        };
        let who = who.to_owned();
        self.add(fired.at, who, (what, Tone::Fault), fired.because);
    }

    fn levels(&mut self, change: Option<Levels>) {
        self.flush();
        let Some((at, because, services)) = change else { return };
        let at = (at, because);
        let names = |which: &dyn Fn(&Step) -> bool| {
            let named = services.iter().filter(|(.., to)| which(to));
            named.map(|(service, ..)| service.name()).collect::<Vec<_>>().join(", ")
        };
        let down = names(&|to| to.share.is_none());
        let up = names(&|to| to.share.is_all());
        self.services(at, "down", &down, Tone::Bad);
        let mut told = vec![Share::NONE, Share::ALL];
        for (.., to) in &services {
            if !told.contains(&to.share) {
                told.push(to.share);
                let part = names(&|step| step.share == to.share);
                self.services(at, &format!("{} served", to.share), &part, Tone::Warning);
            }
        }
        self.services(at, "served", &up, Tone::Good);
    }

    fn services(&mut self, at: (Time, EventId), verb: &str, names: &str, tone: Tone) {
        if !names.is_empty() {
            let what = format!("{verb}: {names}");
            let who = "services".to_owned();
            let (at, because) = at;
            self.lines.push(Line { at, who, what, why: String::new(), tone, because });
        }
    }
}

/// Columns of the time.
const TIME: usize = 9;
/// The most columns of the name of who.
const WHO_MAX: usize = 27;
/// From how many like lines in a row on only the first is printed.
const REPEATS_MIN: usize = 3;

/// The lines as text of at most 80 columns: what is too long goes on below. Of lines that belong to
/// one event only the first says why; what repeats without anything in between is told once, with
/// how often it came again.
pub fn render(lines: &[Line]) -> Vec<Styled> {
    let longest = lines.iter().map(|line| line.who.chars().count()).max().unwrap_or(0);
    let who = longest.min(WHO_MAX);
    let mut rendered = Vec::new();
    let mut told = None;
    for alike in lines.chunk_by(|a, b| a.who == b.who && a.what == b.what) {
        let repeats = alike.len() >= REPEATS_MIN;
        for line in &alike[..if repeats { 1 } else { alike.len() }] {
            let why = if told == Some(line.because) { "" } else { line.why.as_str() };
            rendered.extend(render_line(line, why, who));
            told = Some(line.because);
        }
        if let Some(last) = alike.last().filter(|_| repeats) {
            let again = format!("… {} more times, until {}", alike.len() - 1, last.at);
            let indent = " ".repeat(TIME + 2 + who + 2);
            rendered.push(Styled::plain(indent).with(again, Tone::Dim));
            told = Some(last.because);
        }
    }
    rendered
}

fn render_line(line: &Line, why: &str, who: usize) -> Vec<Styled> {
    let indent = TIME + 2 + who + 2;
    let room = WIDTH - indent;
    let name = if line.who.chars().count() <= who {
        line.who.clone()
    } else {
        let kept: String = line.who.chars().take(who - 1).collect();
        format!("{kept}…")
    };
    let mut what = wrap(&line.what, room).into_iter();
    let mut rendered = vec![
        Styled::of(format!("{:>TIME$}  ", line.at.to_string()), Tone::Dim)
            .with(format!("{name:<who$}  "), Tone::Plain)
            .with(what.next().unwrap_or_default(), line.tone),
    ];
    let below = |text: String, tone| Styled::plain(" ".repeat(indent)).with(text, tone);
    rendered.extend(what.map(|text| below(text, line.tone)));
    append_reason(&mut rendered, why, room, indent);
    rendered
}

/// The reason stands behind what happened if it fits, below it if not.
fn append_reason(rendered: &mut Vec<Styled>, why: &str, room: usize, indent: usize) {
    if why.is_empty() {
        return;
    }
    let fits = |last: &&mut Styled| last.width() + 2 + why.chars().count() <= WIDTH;
    if let Some(last) = rendered.last_mut().filter(|last| fits(last)) {
        *last = std::mem::take(last).with(format!("  {why}"), Tone::Dim);
        return;
    }
    for text in wrap(why, room - 2) {
        rendered.push(Styled::plain(" ".repeat(indent + 2)).with(text, Tone::Dim));
    }
}
