//! Who repairs, in which order, and which work is planned.

use crate::component::param::ParamValue;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::scenario::document::{Data, Node, Path};
use crate::scenario::reader::Reader;
use serde_json::{Value, json};

/// The fields of a crew, with their meaning.
pub const CREW_FIELDS: [(&str, &str); 3] = [
    ("count", "How many repairs can go on at once."),
    (
        "for",
        "The classes that it repairs, such as `machines.etcd`; for `preemptive` the most urgent first.",
    ),
    (
        "order",
        "`fcfs`: in the order of failure, never interrupted; `preemptive`: a more urgent class interrupts.",
    ),
];

/// The fields of planned work, with their meaning.
pub const WORK_FIELDS: [(&str, &str); 8] = [
    ("cause", "What it is called in reports."),
    ("on", "Classes of machines, or machines by name, worked on one after the other."),
    ("every", "From one window's opening to the next."),
    ("first", "When the first window opens; left out: after `every`."),
    ("window", "How long a window is open; left out: until the next one."),
    ("for", "How long a machine is down: a law."),
    ("pause", "From a machine's return to the next one's turn."),
    ("onlyWhenWhole", "Whether the next machine waits until everything else is up; left out: yes."),
];

/// In which order a crew repairs, as a file says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderWord {
    /// In the order of failure.
    Fcfs,
    /// The most urgent first.
    Preemptive,
}

const ORDERS: [(&str, OrderWord); 2] =
    [("fcfs", OrderWord::Fcfs), ("preemptive", OrderWord::Preemptive)];

/// A crew.
#[derive(Clone, Debug)]
pub struct CrewEntry {
    /// How many.
    pub count: u32,
    /// The names of the classes that it repairs.
    pub classes: Vec<String>,
    /// In which order.
    pub order: OrderWord,
    /// Where it stands.
    pub path: Path,
}

impl CrewEntry {
    /// `unlimited`, or a list.
    pub(super) fn read_all(node: &Node, reader: &Reader, path: &Path) -> Vec<CrewEntry> {
        if let Data::Text(_) = &node.data {
            reader.word(node, &[("unlimited", ())]);
            return Vec::new();
        }
        let mut at = 0;
        let read = |node: &Node, reader: &Reader| {
            at += 1;
            CrewEntry::read(node, reader, path.index(at - 1))
        };
        reader.list_with(node, read).unwrap_or_default()
    }

    fn read(node: &Node, reader: &Reader, path: Path) -> Option<CrewEntry> {
        let known: Vec<&str> = CREW_FIELDS.iter().map(|(name, _)| *name).collect();
        let fields = reader.fields(node, "a crew", &known)?;
        let count = fields.or("count", 1);
        let order = fields.optional_with("order", |node, reader| reader.word(node, &ORDERS));
        let classes = fields.required("for")?;
        Some(CrewEntry { count, classes, order: order.unwrap_or(OrderWord::Fcfs), path })
    }

    /// The crew as a file has it.
    pub fn show(&self) -> Value {
        let order = ORDERS.iter().find(|(_, order)| *order == self.order).map(|(word, _)| *word);
        json!({ "count": self.count, "for": self.classes, "order": order })
    }
}

/// Planned work.
#[derive(Clone, Debug)]
pub struct WorkEntry {
    /// What it is called.
    pub cause: Option<String>,
    /// Classes or machines.
    pub on: Vec<String>,
    /// From window to window.
    pub every: Duration,
    /// When the first opens.
    pub first: Option<Duration>,
    /// How long each is open.
    pub window: Option<Duration>,
    /// How long a machine is down.
    pub lasts: Law,
    /// Between machines.
    pub pause: Duration,
    /// Whether it waits until all else is up.
    pub only_when_whole: bool,
    /// Where it stands, or would.
    pub path: Path,
}

impl WorkEntry {
    pub(super) fn read(node: &Node, reader: &Reader, path: Path) -> Option<WorkEntry> {
        let known: Vec<&str> = WORK_FIELDS.iter().map(|(name, _)| *name).collect();
        let fields = reader.fields(node, "planned work", &known)?;
        let on = fields.required("on");
        let every = fields.required("every");
        let lasts = fields.required("for");
        Some(WorkEntry {
            cause: fields.optional("cause"),
            first: fields.optional("first"),
            window: fields.optional("window"),
            pause: fields.or("pause", Duration::ZERO),
            only_when_whole: fields.or("onlyWhenWhole", true),
            on: on?,
            every: every?,
            lasts: lasts?,
            path,
        })
    }

    /// The work as a file has it.
    pub fn show(&self) -> Value {
        let mut value = json!({
            "on": self.on, "every": self.every.show(), "for": self.lasts.show(),
            "pause": self.pause.show(), "onlyWhenWhole": self.only_when_whole
        });
        if let Some(cause) = &self.cause {
            value["cause"] = json!(cause);
        }
        for (name, span) in [("first", self.first), ("window", self.window)] {
            if let Some(span) = span {
                value[name] = span.show();
            }
        }
        value
    }
}
