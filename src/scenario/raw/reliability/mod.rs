//! `reliability`: what fails by itself, in the file's own words, presets filled in.
//!
//! Absent on purpose: whether the names exist and go together (rules), and who is meant (lower).

mod class;
mod common;
mod crew;
mod mode;
mod preset;

pub use class::Class;
pub use common::{GROUP_FIELDS, Group, GroupEffect, SHOCK_FIELDS, ShockEntry};
pub use crew::{CREW_FIELDS, CrewEntry, OrderWord, WORK_FIELDS, WorkEntry};
pub use mode::{FIELDS as MODE_FIELDS, ModeEntry};
pub use preset::{PRESETS, Preset};

use crate::kernel::time::Duration;
use crate::plan::share::Share;
use crate::scenario::document::{Entry, Node, Path};
use crate::scenario::reader::{Fields, Reader};
use crate::scenario::section::GIVEN;

/// The fields of the section, with their meaning.
pub const FIELDS: [(&str, &str); 13] = [
    (
        "preset",
        "Rates and durations by name; what is written beside takes their place, class by class.",
    ),
    (
        "machines",
        "How machines fail, by what they are for: `controlPlane`, `etcd`, `loadBalancer`, `worker`.",
    ),
    ("processes", "How processes fail while their machine is up, by program."),
    ("disks", "How the disks of machines with an etcd member stall."),
    ("links", "How machines lose their connection to the network."),
    ("cluster", "How the whole cluster is put out of service: an operator's error, a certificate."),
    ("zones", "Outages of every zone."),
    ("racks", "Outages of groups of machines."),
    ("shocks", "What stops all processes of a program at once."),
    ("bursts", "Failures of machines that take another one with them."),
    ("crews", "Who repairs: `unlimited`, or a list of crews."),
    ("plannedWork", "Work on machines, one after the other, in windows that come round."),
    ("overrides", "How single things fail instead, by name: `cp1`, `cp1/etcd`, `cp1/disk`."),
];

/// The ways in which the things of a class fail.
#[derive(Clone, Debug)]
pub struct ClassEntry {
    /// Which things.
    pub class: Class,
    /// How they fail; none: never.
    pub modes: Vec<ModeEntry>,
    /// Where it stands, or would.
    pub path: Path,
    /// Where the figures are from.
    pub source: &'static str,
}

/// How a single thing fails instead.
#[derive(Clone, Debug)]
pub struct Override {
    /// Its name.
    pub name: String,
    /// How it fails.
    pub modes: Vec<ModeEntry>,
    /// Where.
    pub path: Path,
}

/// Failures of machines that come in bursts.
#[derive(Clone, Debug)]
pub struct BurstsEntry {
    /// The share of failures that are part of one.
    pub share: Share,
    /// The time between the first and the last.
    pub window: Duration,
    /// How often the same zone is hit.
    pub same_zone: Share,
    /// Where it stands, or would.
    pub path: Path,
    /// Where the figures are from.
    pub source: &'static str,
}

/// The section.
#[derive(Clone, Debug, Default)]
pub struct Reliability {
    /// The preset, if one is named.
    pub preset: Option<&'static Preset>,
    /// Classes of things, in the order of [`Class::ALL`].
    pub classes: Vec<ClassEntry>,
    /// Single things.
    pub overrides: Vec<Override>,
    /// Outages of each zone, if there are any.
    pub zones: Option<Group>,
    /// Outages of racks.
    pub racks: Vec<Group>,
    /// Shocks.
    pub shocks: Vec<ShockEntry>,
    /// Bursts.
    pub bursts: Option<BurstsEntry>,
    /// Crews; none: unlimited.
    pub crews: Vec<CrewEntry>,
    /// Planned work.
    pub work: Vec<WorkEntry>,
}

/// Where the section stands.
pub fn place() -> Path {
    Path::root().key("reliability")
}

impl Reliability {
    pub(super) fn read(entry: Option<&Entry>, reader: &Reader) -> Reliability {
        let mut section = Reliability::default();
        let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        let Some(fields) = entry.and_then(|e| reader.fields(&e.node, "`reliability`", &known))
        else {
            return section;
        };
        let words: Vec<(&str, &'static Preset)> =
            PRESETS.iter().map(|preset| (preset.name, preset)).collect();
        section.preset = fields.optional_with("preset", |node, reader| reader.word(node, &words));
        if let Some(preset) = section.preset {
            preset.fill(&mut section);
        }
        section.read_classes(&fields, reader);
        section.read_common(&fields, reader);
        if let Some(entry) = fields.get("crews") {
            section.crews = CrewEntry::read_all(&entry.node, reader, &place().key("crews"));
        }
        section.work.extend(
            list(&fields, "plannedWork", reader)
                .filter_map(|(node, path)| WorkEntry::read(node, reader, path)),
        );
        if let Some(entry) = fields.get("overrides") {
            let path = place().key("overrides");
            for entry in reader.entries(&entry.node).unwrap_or_default() {
                let path = path.key(&*entry.key);
                let modes = mode::read_all(&entry.node, reader, &path);
                section.overrides.push(Override { name: entry.key.clone(), modes, path });
            }
        }
        section
    }

    fn read_classes(&mut self, fields: &Fields, reader: &Reader) {
        for group in ["machines", "processes"] {
            let members = Class::members(group);
            let Some(inner) = fields.section(group, "a group of classes", &members) else {
                continue;
            };
            for entry in inner.given() {
                let name = format!("{group}.{}", entry.key);
                self.put(&name, &entry.node, reader, place().key(group).key(&*entry.key));
            }
        }
        for name in ["disks", "links", "cluster"] {
            if let Some(entry) = fields.get(name) {
                self.put(name, &entry.node, reader, place().key(name));
            }
        }
        self.classes.sort_by_key(|entry| entry.class);
    }

    /// A class's modes take the place of the preset's.
    fn put(&mut self, name: &str, node: &Node, reader: &Reader, path: Path) {
        let Some(class) = Class::named(name) else { return };
        let modes = mode::read_all(node, reader, &path);
        self.classes.retain(|entry| entry.class != class);
        self.classes.push(ClassEntry { class, modes, path, source: GIVEN });
    }

    fn read_common(&mut self, fields: &Fields, reader: &Reader) {
        if let Some(entry) = fields.get("zones") {
            self.zones = Group::read(&entry.node, reader, place().key("zones"), false);
        }
        let racks = list(fields, "racks", reader);
        self.racks.extend(racks.filter_map(|(node, path)| Group::read(node, reader, path, true)));
        let shocks = list(fields, "shocks", reader);
        self.shocks.extend(shocks.filter_map(|(node, path)| ShockEntry::read(node, reader, path)));
        let known = ["share", "window", "sameZone"];
        if let Some(fields) = fields.section("bursts", "`bursts`", &known) {
            let share = |name: &str| fields.required_with(name, mode::share);
            let (part, same_zone) = (share("share"), share("sameZone"));
            let window = fields.required("window");
            if let (Some(share), Some(same_zone), Some(window)) = (part, same_zone, window) {
                let path = place().key("bursts");
                self.bursts = Some(BurstsEntry { share, window, same_zone, path, source: GIVEN });
            }
        }
    }

    /// Whether the section says anything.
    pub fn is_empty(&self) -> bool {
        self.preset.is_none()
            && self.classes.is_empty()
            && self.overrides.is_empty()
            && self.zones.is_none()
            && self.racks.is_empty()
            && self.shocks.is_empty()
            && self.bursts.is_none()
            && self.crews.is_empty()
            && self.work.is_empty()
    }
}

/// The items of a list with their places.
fn list<'n>(
    fields: &Fields<'n>,
    name: &'static str,
    reader: &Reader,
) -> impl Iterator<Item = (&'n Node, Path)> {
    let found = fields
        .get(name)
        .and_then(|entry| entry.node.items().or_else(|| reader.wrong_type(&entry.node, "a list")));
    let items = found.unwrap_or(&[]).iter().enumerate();
    items.map(move |(at, node)| (node, place().key(name).index(at)))
}
