//! One section of options: what the file gives over the real software's defaults, with the place
//! of each option for the problems that are found later.
//!
//! Knows no kind: it asks the section's parameters for their fields.

use crate::component::param::Problem as ParamProblem;
use crate::component::param::{Effective, FieldInfo, Params};
use crate::component::versions::Versions;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::scenario::code::Code;
use crate::scenario::document::{Entry, Node, Path};
use crate::scenario::reader::{Fields, Reader};
use crate::scenario::rules::Problem;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The source of a value that the file gives.
pub const GIVEN: &str = "this file";

/// A section with its defaults filled in.
#[derive(Clone, Debug)]
pub struct Section<P> {
    /// The options in force.
    pub params: P,
    /// Where the section stands, or would.
    pub path: Path,
    /// The options that the file gives, with their places (an override's is not in the section).
    given: BTreeMap<&'static str, Path>,
}

impl<P: Params> Section<P> {
    /// A section of which nothing is given.
    pub fn defaults(versions: &Versions, path: Path) -> Section<P> {
        Section { params: P::defaults(versions), path, given: BTreeMap::new() }
    }

    /// The names of its options.
    pub fn names() -> Vec<&'static str> {
        P::fields().iter().map(|field| field.name).collect()
    }

    /// Reads a section that holds nothing but options.
    pub fn read(
        entry: Option<&Entry>,
        reader: &Reader,
        what: &str,
        versions: &Versions,
        path: Path,
    ) -> Section<P> {
        let mut section = Section::defaults(versions, path);
        let names = Section::<P>::names();
        if let Some(fields) = entry.and_then(|e| reader.fields(&e.node, what, &names)) {
            section.take(&fields, reader);
        }
        section
    }

    /// Takes the options among an object's fields.
    pub fn take(&mut self, fields: &Fields, reader: &Reader) {
        let path = self.path.clone();
        for entry in fields.given() {
            self.set(entry, reader, path.key(&*entry.key));
        }
    }

    /// Sets one option if there is one of that name; a wrong value is reported.
    pub fn set(&mut self, entry: &Entry, reader: &Reader, path: Path) {
        let Some(field) = P::fields().into_iter().find(|field| field.name == entry.key) else {
            return;
        };
        if !well_formed(&field, &entry.node, reader) {
            return;
        }
        match self.params.set(field.name, &entry.node.to_value()) {
            Ok(_) => {
                self.given.insert(field.name, path);
            }
            Err(message) => reader.invalid(&entry.node, Code::WRONG_TYPE, message),
        }
    }

    /// Whether the file gives an option, or that around an inner one (`vrrp_script.weight`).
    pub fn gives(&self, name: &str) -> bool {
        self.given.contains_key(outer(name).0)
    }

    /// Every option with its value and source: that of its default, or this file.
    pub fn effective(&self) -> Vec<Effective> {
        let mut all = self.params.effective();
        for option in all.iter_mut().filter(|option| self.gives(option.name)) {
            option.source = GIVEN;
        }
        all
    }

    /// Whether the file gives any option.
    pub fn gives_any(&self) -> bool {
        !self.given.is_empty()
    }

    /// The place of an option: where it is given, else where it would be.
    pub fn place(&self, name: &str) -> Path {
        let (name, inner) = outer(name);
        let place = self.given.get(name).cloned().unwrap_or_else(|| self.path.key(name));
        inner.into_iter().fold(place, |place, inner| place.key(inner))
    }

    /// Contradictions that the section's own parameters found. A section of which nothing is given
    /// is the real software's own affair: what runs badly there is not warned of.
    pub fn problems(&self, code: Code, found: Vec<ParamProblem>) -> Vec<Problem> {
        let said = found.into_iter().filter(|problem| problem.fatal || self.gives_any());
        said.map(|problem| self.problem(code, problem)).collect()
    }

    /// The problem at its option if the file gives that, else at another one that the message names:
    /// against a default it is the other one that was changed.
    fn problem(&self, code: Code, found: ParamProblem) -> Problem {
        let options = self.effective();
        let named: Vec<&Effective> =
            options.iter().filter(|option| names(&found.message, option.name)).collect();
        let given = named.iter().find(|option| self.gives(option.name));
        let place = match given {
            Some(option) if !self.gives(found.field) => self.place(option.name),
            _ => self.place(found.field),
        };
        let mut problem = if found.fatal {
            Problem::error(code, place.clone(), found.message.clone())
        } else {
            Problem::warning(code, place.clone(), found.message.clone())
        };
        if named.len() > 1 {
            let values = named.iter().map(|o| format!("{} is {}", o.name, bare(&o.value)));
            problem = problem.label(values.collect::<Vec<_>>().join(", "));
        }
        for option in named.iter().filter(|option| self.gives(option.name)) {
            let other = self.place(option.name);
            if other != place {
                problem = problem.also(other, String::new());
            }
        }
        problem.help(found.help)
    }
}

/// An option, and the one within it that is meant, if one is.
fn outer(name: &str) -> (&str, Option<&str>) {
    name.split_once('.').map_or((name, None), |(outer, inner)| (outer, Some(inner)))
}

/// Whether a message names an option, as a word of its own.
fn names(message: &str, option: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    message.match_indices(option).any(|(at, _)| {
        let before = message[..at].trim_end_matches("--");
        !before.ends_with(part) && !message[at + option.len()..].starts_with(part)
    })
}

/// A value without quotes.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Checks the form of a value by its schema, for diagnostics with exact places. What the schema
/// does not tell is left to the option itself.
fn well_formed(field: &FieldInfo, node: &Node, reader: &Reader) -> bool {
    formed(field.name, &(field.schema)(), node, reader)
}

fn formed(name: &str, schema: &Value, node: &Node, reader: &Reader) -> bool {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words: Vec<(&str, ())> =
            words.iter().filter_map(|word| word.as_str().map(|word| (word, ()))).collect();
        return reader.word(node, &words).is_some();
    }
    // `null` is no value that a file gives, so that of the alternatives the other one is meant.
    if let Some([inner, null]) = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice)
        && null.get("type").and_then(Value::as_str) == Some("null")
    {
        return formed(name, inner, node, reader);
    }
    if let Some(options) = schema.get("properties").and_then(Value::as_object) {
        return all_formed(name, options, node, reader);
    }
    let reference = schema.get("$ref").and_then(Value::as_str);
    match (reference, schema.get("type").and_then(Value::as_str)) {
        (Some("#/$defs/duration"), _) => reader.read::<Duration>(node).is_some(),
        (Some("#/$defs/law"), _) => reader.read::<Law>(node).is_some(),
        (_, Some("boolean")) => reader.read::<bool>(node).is_some(),
        (_, Some("string")) => reader.read::<String>(node).is_some(),
        (_, Some("number")) => reader.read::<f64>(node).is_some(),
        _ => true,
    }
}

/// Checks the options of a section within a section.
fn all_formed(name: &str, options: &Map<String, Value>, node: &Node, reader: &Reader) -> bool {
    let known: Vec<&str> = options.keys().map(String::as_str).collect();
    let what = format!("`{name}`");
    let Some(fields) = reader.fields(node, &what, &known) else { return false };
    let entries = node.entries().unwrap_or_default();
    let mut good = entries.iter().all(|entry| known.contains(&entry.key.as_str()));
    for entry in fields.given() {
        let schema = &options[&entry.key];
        good &=
            formed(&entry.key, schema, &entry.node, reader) && whole(schema, &entry.node, reader);
    }
    good
}

/// Checks a whole number; other values pass.
fn whole(schema: &Value, node: &Node, reader: &Reader) -> bool {
    if let Some([inner, _]) = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) {
        return whole(inner, node, reader);
    }
    match (schema.get("type").and_then(Value::as_str), schema.get("minimum")) {
        (Some("integer"), Some(_)) => reader.read::<u32>(node).is_some(),
        (Some("integer"), None) => reader.read::<i32>(node).is_some(),
        _ => true,
    }
}
