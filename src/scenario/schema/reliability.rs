//! The schema of `reliability` and `timings`.

use super::{Properties, list, object};
use crate::plan::timings::{Preset, Timing};
use crate::scenario::raw::reliability::{
    CREW_FIELDS, Class, FIELDS, GROUP_FIELDS, MODE_FIELDS, PRESETS, SHOCK_FIELDS, WORK_FIELDS,
};
use crate::scenario::raw::timings::INSTANTANEOUS;
use serde_json::{Value, json};

/// The schema of `reliability`.
pub(super) fn section() -> Value {
    let modes = modes();
    let mut all = Properties::new();
    for (name, doc) in FIELDS {
        let mut schema = match name {
            "preset" => json!({ "enum": PRESETS.iter().map(|p| p.name).collect::<Vec<_>>() }),
            "machines" | "processes" => {
                let members = Class::members(name).into_iter();
                object(members.map(|member| (member.to_owned(), modes.clone())).collect())
            }
            "disks" | "links" | "cluster" => modes.clone(),
            "zones" => {
                let own =
                    GROUP_FIELDS.iter().filter(|(name, _)| !["name", "machines"].contains(name));
                fields(&own.copied().collect::<Vec<_>>())
            }
            "racks" => {
                let own = GROUP_FIELDS.iter().filter(|(name, _)| *name != "for");
                list(&fields(&own.copied().collect::<Vec<_>>()))
            }
            "shocks" => list(&fields(&SHOCK_FIELDS)),
            "bursts" => object(Properties::from_iter([
                ("share".to_owned(), json!({ "type": ["number", "string"] })),
                ("window".to_owned(), json!({ "$ref": "#/$defs/duration" })),
                ("sameZone".to_owned(), json!({ "type": ["number", "string"] })),
            ])),
            "crews" => json!({ "anyOf": [{ "const": "unlimited" }, list(&fields(&CREW_FIELDS))] }),
            "plannedWork" => list(&fields(&WORK_FIELDS)),
            _ => json!({ "type": "object", "additionalProperties": modes.clone() }),
        };
        schema["description"] = doc.into();
        all.insert(name.to_owned(), schema);
    }
    object(all)
}

fn modes() -> Value {
    let one = fields(&MODE_FIELDS);
    json!({ "anyOf": [one, list(&one)] })
}

fn fields(fields: &[(&str, &str)]) -> Value {
    let described = fields.iter().map(|(name, doc)| {
        let mut schema = match *name {
            "failure" | "repair" | "boot" => json!({ "$ref": "#/$defs/law" }),
            "for" | "every" => json!({}),
            "first" | "window" | "pause" => json!({ "$ref": "#/$defs/duration" }),
            "perYear" => json!({ "type": "number", "exclusiveMinimum": 0 }),
            "count" => json!({ "type": "integer", "minimum": 1 }),
            "needsCrew" | "onlyWhenWhole" => json!({ "type": "boolean" }),
            "machines" | "on" => list(&json!({ "type": "string" })),
            "effect" => json!({ "enum": ["overlay", "crash"] }),
            "order" => json!({ "enum": ["fcfs", "preemptive"] }),
            _ => json!({ "type": "string" }),
        };
        schema["description"] = (*doc).into();
        ((*name).to_owned(), schema)
    });
    object(described.collect())
}

/// The schema of `timings`.
pub(super) fn timings() -> Value {
    let mut all = Properties::new();
    let doc = "What has no law of its own: ideal, it takes no time, start-ups and warm-up included; drawn, a number from the protocol's own timers.";
    let presets = Preset::NAMED.map(|(name, _)| name);
    all.insert("preset".to_owned(), json!({ "enum": presets, "description": doc }));
    for (_, name, doc) in Timing::ALL {
        let law = json!({ "$ref": "#/$defs/law" });
        let schema = json!({ "anyOf": [{ "const": INSTANTANEOUS }, law], "description": doc });
        all.insert(name.to_owned(), schema);
    }
    json!({ "anyOf": [{ "enum": presets }, object(all)] })
}
