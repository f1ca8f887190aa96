//! The `reliability` in force: presets written out, every class with its source.

use super::Item;
use crate::component::param::ParamValue;
use crate::scenario::raw::reliability::{
    Class, ClassEntry, CrewEntry, Group, ModeEntry, Reliability, ShockEntry, WorkEntry,
};
use serde_json::{Value, json};

/// The section as items.
pub(super) fn items(section: &Reliability) -> Vec<Item> {
    let mut items = Vec::new();
    for group in ["machines", "processes"] {
        let members = Class::members(group).into_iter().filter_map(|member| {
            let class = Class::named(&format!("{group}.{member}"))?;
            class_item(section, class, member)
        });
        items.push(Item::object(group, members.collect()));
    }
    for class in [Class::Disk, Class::Link, Class::Cluster] {
        items.extend(class_item(section, class, class.name()));
    }
    if let Some(zones) = &section.zones {
        items.push(Item::Value("zones".to_owned(), zones.show(), zones.source.to_owned()));
    }
    if let Some(bursts) = &section.bursts {
        let value = json!({
            "share": bursts.share.show(),
            "window": bursts.window.show(),
            "sameZone": bursts.same_zone.show()
        });
        items.push(Item::Value("bursts".to_owned(), value, bursts.source.to_owned()));
    }
    let preset = section.preset.map(|preset| format!("preset {}", preset.name));
    let lists: [(&str, Vec<Value>); 4] = [
        ("racks", section.racks.iter().map(Group::show).collect()),
        ("shocks", section.shocks.iter().map(ShockEntry::show).collect()),
        ("crews", section.crews.iter().map(CrewEntry::show).collect()),
        ("plannedWork", section.work.iter().map(WorkEntry::show).collect()),
    ];
    for (name, list) in lists {
        match (&preset, name) {
            _ if list.is_empty() => {}
            (Some(preset), "plannedWork") => {
                items.push(Item::Value(name.to_owned(), Value::Array(list), preset.clone()));
            }
            _ => items.push(Item::given(name, Value::Array(list))),
        }
    }
    let overrides = section.overrides.iter().map(|own| Item::given(&own.name, modes(&own.modes)));
    items.push(Item::object("overrides", overrides.collect()));
    items
}

fn class_item(section: &Reliability, class: Class, name: &str) -> Option<Item> {
    let entry: &ClassEntry = section.classes.iter().find(|entry| entry.class == class)?;
    Some(Item::Value(name.to_owned(), modes(&entry.modes), entry.source.to_owned()))
}

fn modes(modes: &[ModeEntry]) -> Value {
    match modes {
        [one] => one.show(),
        many => many.iter().map(ModeEntry::show).collect(),
    }
}
