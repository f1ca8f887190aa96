//! JSON and YAML as one tree in which every value and key knows its place in the text.
//!
//! Both formats give the same tree. JSON is read as its standard says, YAML as version 1.2 says
//! within what people write for Kubernetes: one document, text keys, anchors, aliases and merge
//! keys; tags are refused. Size, depth and the growth by aliases are bounded.
//!
//! Absent on purpose: what the fields mean (see [`reader`](super::reader)).

mod json;
mod path;
mod typed;
mod yaml;

#[cfg(test)]
mod tests;

pub use path::{Path, PathError, Step};
pub use typed::DeserializeError;

use serde_json::{Number, Value};

use crate::scenario::code::Code;
use crate::scenario::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::scenario::source::{Source, visible};

/// Deepest nesting of lists and objects that is read. Scenarios need about eight.
pub const DEPTH_MAX: usize = 64;

/// Most values that anchors and aliases of one YAML file may copy in all.
pub const ALIAS_VALUES_MAX: usize = 100_000;

/// The language of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON (RFC 8259).
    Json,
    /// YAML 1.2.
    Yaml,
}

impl Format {
    /// The format by a file's name (`.json`, `.yaml`, `.yml`), else by the look of its text.
    pub fn of(source: &Source) -> Format {
        let extension = source.name().rsplit_once('.').map(|(_, last)| last.to_ascii_lowercase());
        match extension.as_deref() {
            Some("json") => Format::Json,
            Some("yaml" | "yml") => Format::Yaml,
            _ => Format::sniff(source.text()),
        }
    }

    /// JSON if the text begins like a JSON object or list, else YAML.
    fn sniff(text: &str) -> Format {
        if text.trim_start().starts_with(['{', '[']) { Format::Json } else { Format::Yaml }
    }
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value's text, quotes and brackets included. A value left out in YAML (`key:`) has the
    /// place of its key.
    pub span: Span,
    /// What it is.
    pub data: Data,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `null`, or a value left out in YAML.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// A text, escapes resolved.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object, in the order of the file, each key once.
    Map(Vec<Entry>),
}

/// One field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key, escapes resolved.
    pub key: String,
    /// The key's place, quotes included.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

impl Node {
    /// The fields, if this is an object.
    pub fn entries(&self) -> Option<&[Entry]> {
        if let Data::Map(entries) = &self.data { Some(entries) } else { None }
    }

    /// The items, if this is a list.
    pub fn items(&self) -> Option<&[Node]> {
        if let Data::List(items) = &self.data { Some(items) } else { None }
    }

    /// The field of that name, if this is an object that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|entry| entry.key == key)
    }

    /// Whether this is `null` or left out.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// The value without places.
    pub fn to_value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(bool) => Value::Bool(*bool),
            Data::Number(number) => Value::Number(number.clone()),
            Data::Text(text) => Value::String(text.clone()),
            Data::List(items) => items.iter().map(Node::to_value).collect(),
            Data::Map(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.node.to_value())).collect()
            }
        }
    }

    /// What this is, in words for a message.
    pub fn describe(&self) -> String {
        const SHOWN_MAX: usize = 40;
        match &self.data {
            Data::Null => "nothing (null)".to_owned(),
            Data::Bool(bool) => bool.to_string(),
            Data::Number(number) => format!("the number {number}"),
            Data::Text(text) if text.is_empty() => "an empty text".to_owned(),
            Data::Text(text) if text.chars().count() > SHOWN_MAX => "a long text".to_owned(),
            Data::Text(text) => format!("the text `{}`", visible(text)),
            Data::List(items) if items.is_empty() => "an empty list".to_owned(),
            Data::List(_) => "a list".to_owned(),
            Data::Map(entries) if entries.is_empty() => "an empty object".to_owned(),
            Data::Map(_) => "an object".to_owned(),
        }
    }
}

/// The tree of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The language it was written in.
    pub format: Format,
    /// The outermost value.
    pub root: Node,
}

impl Document {
    /// Reads a source in the format of its name or look.
    ///
    /// There is no document if the text cannot be read to its end. There may be one beside errors
    /// (duplicate keys), so that all problems of the file can be told in one go.
    pub fn parse(source: &Source) -> (Option<Document>, Diagnostics) {
        Document::parse_as(Format::of(source), source)
    }

    /// Reads a source in the format given; otherwise as [`Document::parse`].
    pub fn parse_as(format: Format, source: &Source) -> (Option<Document>, Diagnostics) {
        let text = source.text();
        let mut diagnostics = Diagnostics::new();
        let root = match format {
            _ if text.trim().is_empty() => Err(empty(text).into()),
            Format::Json => json::parse(text, &mut diagnostics),
            Format::Yaml => yaml::parse(text, &mut diagnostics),
        };
        match root {
            Ok(root) => (Some(Document { format, root }), diagnostics),
            Err(mut fatal) => {
                if fatal.code == Code::JSON_SYNTAX && Format::sniff(text) == Format::Yaml {
                    fatal.help = Some("a YAML file needs a name that ends in .yaml".to_owned());
                }
                diagnostics.push(*fatal);
                (None, diagnostics)
            }
        }
    }

    /// The value at a path.
    pub fn node(&self, path: &Path) -> Option<&Node> {
        self.find(path).map(|(node, _)| node)
    }

    /// The place of the value at a path; that of the nearest value around it that the file has, if
    /// it has none there (a default, say).
    pub fn span_of(&self, path: &Path) -> Span {
        self.nearest(path, |node, _| node.span)
    }

    /// The place of the key that leads to a path; that of the value where there is no key (list
    /// items, the root), and of what is around it as for [`Document::span_of`].
    pub fn key_span_of(&self, path: &Path) -> Span {
        self.nearest(path, |node, entry| entry.map_or(node.span, |entry| entry.key_span))
    }

    fn nearest(&self, path: &Path, place: impl Fn(&Node, Option<&Entry>) -> Span) -> Span {
        if let Some((node, entry)) = self.find(path) {
            return place(node, entry);
        }
        let mut around = path.parent();
        while let Some(path) = around {
            if let Some((node, entry)) = self.find(&path) {
                // All of a section's text would be too much to point at; its key is enough.
                return entry.map_or(Span::at(node.span.start), |entry| entry.key_span);
            }
            around = path.parent();
        }
        Span::at(self.root.span.start)
    }

    fn find(&self, path: &Path) -> Option<(&Node, Option<&Entry>)> {
        let mut found = (&self.root, None);
        for step in path.steps() {
            found = match step {
                Step::Key(key) => found.0.entry(key).map(|entry| (&entry.node, Some(entry)))?,
                Step::Index(index) => (found.0.items()?.get(*index)?, None),
            };
        }
        Some(found)
    }
}

fn empty(text: &str) -> Diagnostic {
    Diagnostic::error(Code::TRUNCATED, "the file is empty")
        .at(Span::at(text.len()), "expected a value")
}

/// Nesting beyond [`DEPTH_MAX`].
fn too_deep(span: Span) -> Diagnostic {
    let message = format!("nested more than {DEPTH_MAX} levels deep");
    Diagnostic::error(Code::TOO_DEEP, message).at(span, "one level too many")
}

/// Keys of one object seen so far, to find those given twice.
#[derive(Default)]
struct Keys(std::collections::BTreeMap<String, Span>);

impl Keys {
    /// Notes a key; the second of two equal ones is a diagnostic that shows both.
    fn note(&mut self, key: &str, span: Span, diagnostics: &mut Diagnostics) -> bool {
        let Some(first) = self.0.get(key) else {
            self.0.insert(key.to_owned(), span);
            return true;
        };
        let message = format!("the field `{}` is given twice", visible(key));
        diagnostics.push(
            Diagnostic::error(Code::DUPLICATE_KEY, message)
                .at(span, "given again here")
                .also(*first, "first given here")
                .help("keep one of them"),
        );
        false
    }
}
