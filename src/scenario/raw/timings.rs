//! `timings`: laws that take the place of protocols' timings.

use crate::component::param::ParamValue;
use crate::kernel::law::Law;
use crate::plan::timings::{Preset, Timing, Timings};
use crate::scenario::document::{Data, Entry, Node, Path};
use crate::scenario::reader::Reader;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Takes no time.
pub const INSTANTANEOUS: &str = "instantaneous";

/// The section.
#[derive(Clone, Debug, Default)]
pub struct TimingsSection {
    /// What it says.
    pub timings: Timings,
    /// Where each law stands.
    pub places: BTreeMap<Timing, Path>,
}

/// Where the section stands.
pub fn place() -> Path {
    Path::root().key("timings")
}

impl TimingsSection {
    pub(super) fn read(entry: Option<&Entry>, reader: &Reader) -> TimingsSection {
        let mut section = TimingsSection::default();
        let Some(entry) = entry else { return section };
        if let Data::Text(_) = &entry.node.data {
            section.timings.preset = reader.word(&entry.node, &Preset::NAMED).unwrap_or_default();
            return section;
        }
        let mut known: Vec<&str> = Timing::ALL.iter().map(|(_, name, _)| *name).collect();
        known.push("preset");
        let Some(fields) = reader.fields(&entry.node, "`timings`", &known) else { return section };
        let preset =
            fields.optional_with("preset", |node, reader| reader.word(node, &Preset::NAMED));
        section.timings.preset = preset.unwrap_or_default();
        for (timing, name, _) in Timing::ALL {
            if let Some(law) = fields.optional_with(name, law) {
                section.timings.laws.insert(timing, law);
                section.places.insert(timing, place().key(name));
            }
        }
        section
    }

    /// The section as a file has it.
    pub fn show(&self) -> Vec<(&'static str, Value)> {
        let preset = self.timings.preset.name().map(|name| ("preset", json!(name)));
        let laws = self.timings.laws.iter().map(|(timing, law)| {
            let instantaneous = Timings::is_instantaneous(law);
            (timing.name(), if instantaneous { json!(INSTANTANEOUS) } else { law.show() })
        });
        preset.into_iter().chain(laws).collect()
    }
}

fn law(node: &Node, reader: &Reader) -> Option<Law> {
    match &node.data {
        Data::Text(text) if text == INSTANTANEOUS => Some(Timings::INSTANTANEOUS),
        _ => reader.read(node),
    }
}
