//! What hits several things at once: outages of zones and racks, shocks.

use super::mode;
use crate::component::id::Kind;
use crate::component::param::ParamValue;
use crate::kernel::law::Law;
use crate::scenario::code::Code;
use crate::scenario::document::{Node, Path};
use crate::scenario::reader::Reader;
use serde_json::{Value, json};

/// The fields of an outage of zones or a rack, with their meaning.
pub const GROUP_FIELDS: [(&str, &str); 8] = [
    ("name", "Racks only: what it is called."),
    ("machines", "Racks only: the names of the machines in it."),
    (
        "for",
        "Zones only: the classes of machines in them that an outage hits; left out: all. What stands outside of the zones, such as a provider's balancer, is not named.",
    ),
    ("failure", "From the end of an outage to the next: a law."),
    ("perYear", "Instead of `failure`: outages a year, at a constant rate."),
    ("repair", "How long an outage lasts: a law."),
    (
        "effect",
        "`overlay`: its machines cannot be used meanwhile, nothing else; `crash`: they lose their power, and boot after.",
    ),
    ("boot", "`crash` only: how long a machine boots when power is back: a law."),
];

/// The fields of a shock, with their meaning.
pub const SHOCK_FIELDS: [(&str, &str); 5] = [
    ("stops", "The program whose running processes stop, all at once."),
    ("every", "Between shocks: a law."),
    ("perYear", "Instead of `every`: shocks a year, at a constant rate."),
    ("repair", "How long each of them takes to be up again, independently: a law."),
    ("cause", "What it is called in reports."),
];

/// What an outage does to its machines.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupEffect {
    /// They cannot be used.
    Overlay,
    /// They lose their power and boot after.
    Crash(Law),
}

/// Outages of each zone, or of a rack.
#[derive(Clone, Debug)]
pub struct Group {
    /// A rack's name; empty for zones.
    pub name: String,
    /// A rack's machines; none for zones, which have theirs.
    pub machines: Vec<String>,
    /// Of zones, the classes of machines that are hit; `None`: all.
    pub classes: Option<Vec<String>>,
    /// From the end of an outage to the next.
    pub failure: Law,
    /// How long it lasts.
    pub repair: Law,
    /// What it does.
    pub effect: GroupEffect,
    /// Where it stands, or would.
    pub path: Path,
    /// Where the figures are from.
    pub source: &'static str,
}

impl Group {
    pub(super) fn read(node: &Node, reader: &Reader, path: Path, rack: bool) -> Option<Group> {
        let known = GROUP_FIELDS.iter().map(|(name, _)| *name);
        let of_zones = |name: &&str| !["name", "machines"].contains(name);
        let known: Vec<&str> = if rack {
            known.filter(|name| *name != "for").collect()
        } else {
            known.filter(of_zones).collect()
        };
        let what = if rack { "a rack" } else { "`zones`" };
        let fields = reader.fields(node, what, &known)?;
        let name = if rack { fields.required("name") } else { Some(String::new()) };
        let machines: Option<Vec<String>> =
            if rack { fields.required("machines") } else { Some(Vec::new()) };
        let classes = if rack { None } else { fields.optional("for") };
        let failure = mode::failure(&fields, "failure");
        let repair = fields.required("repair");
        let words = [("overlay", false), ("crash", true)];
        let crash = fields.required_with("effect", |node, reader| reader.word(node, &words));
        let effect = if crash? {
            GroupEffect::Crash(fields.required("boot")?)
        } else {
            if let Some(entry) = fields.get("boot") {
                let message = "`boot` is for the effect `crash`: nothing boots after `overlay`";
                reader.invalid(&entry.node, Code::ONE_OF, message);
            }
            GroupEffect::Overlay
        };
        let source = crate::scenario::section::GIVEN;
        Some(Group {
            name: name?,
            machines: machines?,
            classes,
            failure: failure?,
            repair: repair?,
            effect,
            path,
            source,
        })
    }

    /// The outages as a file has them.
    pub fn show(&self) -> Value {
        let mut value = json!({ "failure": self.failure.show(), "repair": self.repair.show() });
        value["effect"] = match &self.effect {
            GroupEffect::Overlay => json!("overlay"),
            GroupEffect::Crash(boot) => {
                value["boot"] = boot.show();
                json!("crash")
            }
        };
        if let Some(classes) = &self.classes {
            value["for"] = json!(classes);
        }
        if !self.name.is_empty() {
            value["name"] = json!(self.name);
            value["machines"] = json!(self.machines);
        }
        value
    }
}

/// What stops all processes of a program at once.
#[derive(Clone, Debug)]
pub struct ShockEntry {
    /// The program.
    pub stops: Kind,
    /// Between shocks.
    pub every: Law,
    /// Until each is up again.
    pub repair: Law,
    /// What it is called.
    pub cause: Option<String>,
    /// Where it stands.
    pub path: Path,
}

impl ShockEntry {
    pub(super) fn read(node: &Node, reader: &Reader, path: Path) -> Option<ShockEntry> {
        let known: Vec<&str> = SHOCK_FIELDS.iter().map(|(name, _)| *name).collect();
        let fields = reader.fields(node, "a shock", &known)?;
        let programs = Kind::ALL.into_iter().filter(|k| k.is_process() && *k != Kind::Client);
        let words: Vec<(&str, Kind)> = programs.map(|kind| (kind.name(), kind)).collect();
        let stops = fields.required_with("stops", |node, reader| reader.word(node, &words));
        let every = mode::failure(&fields, "every");
        let repair = fields.required("repair");
        let cause = fields.optional("cause");
        Some(ShockEntry { stops: stops?, every: every?, repair: repair?, cause, path })
    }

    /// The shock as a file has it.
    pub fn show(&self) -> Value {
        let mut value = json!({
            "stops": self.stops.name(), "every": self.every.show(), "repair": self.repair.show()
        });
        if let Some(cause) = &self.cause {
            value["cause"] = json!(cause);
        }
        value
    }
}
