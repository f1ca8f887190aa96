//! YAML to nodes, from the events of `saphyr_parser`.
//!
//! The parser counts places in characters; spans are bytes. Its events are folded with a stack of
//! our own, so that neither depth nor aliases can exhaust anything.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use crate::scenario::code::Code;
use crate::scenario::diagnostic::{Diagnostic, Diagnostics, Span};

use super::{ALIAS_VALUES_MAX, DEPTH_MAX, Data, Entry, Keys, Node, too_deep};

mod refusal;
mod scalar;

use refusal::{advice, is_text_tag, refuse_tag, second_document, unsupported};

type Parsed<T> = Result<T, Box<Diagnostic>>;
type MaybeTag<'a> = Option<Cow<'a, Tag>>;

/// Reads the one document of a text.
pub(super) fn parse(text: &str, diagnostics: &mut Diagnostics) -> Parsed<Node> {
    let mut folder = Folder {
        text,
        places: Places::new(text),
        frames: Vec::new(),
        anchors: BTreeMap::new(),
        copied: 0,
        root: None,
        diagnostics,
    };
    let mut events = Parser::new_from_str(text);
    while let Some(event) = events.next_event() {
        let (event, span) = event.map_err(|error| folder.syntax(&error))?;
        let span = folder.places.span(span);
        folder.on(event, span)?;
    }
    Ok(folder.root.ok_or_else(|| super::empty(text))?)
}

/// Byte offsets by character number.
struct Places {
    /// Empty if all characters are single bytes.
    offsets: Vec<usize>,
    end: usize,
}

impl Places {
    fn new(text: &str) -> Places {
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(offset, _)| offset).collect()
        };
        Places { offsets, end: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        if self.offsets.is_empty() {
            character.min(self.end)
        } else {
            self.offsets.get(character).copied().unwrap_or(self.end)
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        let start = self.byte(span.start.index());
        Span::new(start, self.byte(span.end.index()).max(start))
    }
}

/// A list or object whose end has not come yet.
struct Frame {
    start: Span,
    /// Where what it holds so far ends in the text; the places of aliased values are elsewhere.
    end: usize,
    anchor: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map(Fields),
}

#[derive(Default)]
struct Fields {
    entries: Vec<Entry>,
    keys: Keys,
    /// The key whose value comes next.
    key: Option<Key>,
    /// Objects whose fields fill in what is not given here (`<<`).
    merged: Vec<Node>,
}

struct Key {
    text: String,
    span: Span,
    merge: bool,
}

/// A value that aliases may copy.
struct Anchored {
    node: Node,
    values: usize,
    height: usize,
}

struct Folder<'a> {
    text: &'a str,
    places: Places,
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Anchored>,
    /// Values copied by anchors and aliases so far.
    copied: usize,
    root: Option<Node>,
    diagnostics: &'a mut Diagnostics,
}

impl Folder<'_> {
    fn on(&mut self, event: Event, span: Span) -> Parsed<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(text, style, anchor, &tag, span),
            Event::SequenceStart(anchor, tag) => {
                self.open(Inside::List(Vec::new()), anchor, &tag, span)
            }
            Event::MappingStart(anchor, tag) => {
                self.open(Inside::Map(Fields::default()), anchor, &tag, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::DocumentStart(_) if self.root.is_some() => Err(second_document(span).into()),
            _ => Ok(()),
        }
    }

    fn open(&mut self, inside: Inside, anchor: usize, tag: &MaybeTag, span: Span) -> Parsed<()> {
        refuse_tag(tag, span)?;
        if let Some(Fields { key: None, .. }) = self.fields() {
            return Err(unsupported("a list or an object as the name of a field", span).into());
        }
        if self.frames.len() == DEPTH_MAX {
            return Err(too_deep(span).into());
        }
        self.frames.push(Frame { start: span, end: span.end, anchor, inside });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Parsed<()> {
        let Some(Frame { start, end, anchor, inside }) = self.frames.pop() else {
            return Ok(());
        };
        let data = match inside {
            Inside::List(items) => Data::List(items),
            Inside::Map(fields) => Data::Map(fields.merge()?),
        };
        // Blocks have no closing bracket: they end with their last value, before any blank lines.
        let span =
            if start.start < start.end { start.to(span) } else { Span::new(start.start, end) };
        self.value(Node { span, data }, anchor, span)
    }

    fn scalar(
        &mut self,
        text: Cow<str>,
        style: ScalarStyle,
        anchor: usize,
        tag: &MaybeTag,
        span: Span,
    ) -> Parsed<()> {
        let span = self.trimmed(span);
        let text_wanted = is_text_tag(tag);
        if !text_wanted {
            refuse_tag(tag, span)?;
        }
        let plain = style == ScalarStyle::Plain && !text_wanted;
        if let Some(Fields { key: key @ None, .. }) = self.fields() {
            if plain && text.is_empty() {
                return Err(unsupported("a field without a name", span).into());
            }
            let merge = plain && text == "<<";
            *key = Some(Key { text: text.clone().into_owned(), span, merge });
            return self.anchor(Node { span, data: Data::Text(text.into_owned()) }, anchor);
        }
        let data =
            if plain { scalar::resolve(&text, span)? } else { Data::Text(text.into_owned()) };
        let left_out = plain && data == Data::Null && span.start == span.end;
        let key = self.fields().and_then(|fields| fields.key.as_ref());
        let span = if left_out { key.map_or(span, |key| key.span) } else { span };
        self.value(Node { span, data }, anchor, span)
    }

    /// Puts a complete value, written at `place`, where it belongs.
    fn value(&mut self, node: Node, anchor: usize, place: Span) -> Parsed<()> {
        if let Some(frame) = self.frames.last_mut() {
            frame.end = frame.end.max(place.end);
        }
        if anchor != 0 {
            self.anchor(node.clone(), anchor)?;
        }
        match self.frames.last_mut().map(|frame| &mut frame.inside) {
            None => self.root = Some(node),
            Some(Inside::List(items)) => items.push(node),
            Some(Inside::Map(fields)) => fields.set(node, self.diagnostics),
        }
        Ok(())
    }

    /// Keeps a value for aliases, if it has an anchor.
    fn anchor(&mut self, node: Node, anchor: usize) -> Parsed<()> {
        if anchor != 0 {
            let (values, height) = measure(&node);
            self.copy(values, node.span)?;
            self.anchors.insert(anchor, Anchored { node, values, height });
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Parsed<()> {
        if let Some(Fields { key: None, .. }) = self.fields() {
            return Err(unsupported("an alias as the name of a field", span).into());
        }
        let Some(Anchored { node, values, height }) = self.anchors.get(&anchor) else {
            let message = "an alias inside the value that it stands for";
            return Err(Diagnostic::error(Code::YAML_SYNTAX, message)
                .at(span, "this has no end")
                .into());
        };
        if self.frames.len() + height > DEPTH_MAX {
            return Err(too_deep(span).into());
        }
        let (node, values) = (node.clone(), *values);
        self.copy(values, span)?;
        self.value(node, 0, span)
    }

    fn copy(&mut self, values: usize, span: Span) -> Parsed<()> {
        self.copied += values;
        if self.copied <= ALIAS_VALUES_MAX {
            return Ok(());
        }
        let message = format!("anchors and aliases copy more than {ALIAS_VALUES_MAX} values");
        Err(Diagnostic::error(Code::ALIASES, message)
            .at(span, "the limit is exceeded here")
            .help("write out what is meant, or split the scenario")
            .into())
    }

    /// The object under construction, if the innermost frame is one.
    fn fields(&mut self) -> Option<&mut Fields> {
        match &mut self.frames.last_mut()?.inside {
            Inside::Map(fields) => Some(fields),
            Inside::List(_) => None,
        }
    }

    /// Without the line ends that multi-line texts are followed by.
    fn trimmed(&self, span: Span) -> Span {
        let text = &self.text[span.start..span.end];
        Span::new(span.start, span.start + text.trim_end().len())
    }

    /// An error of the parser as a diagnostic.
    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let place = self.places.byte(error.marker().index());
        if error.info() == "recursion limit exceeded" {
            return too_deep(Span::at(place));
        }
        let end = self.text.trim_end().len();
        let cut = place >= end || error.info().contains("end of stream");
        let (code, start) = if cut {
            (Code::TRUNCATED, "the file ends too early")
        } else {
            (Code::YAML_SYNTAX, "not valid YAML")
        };
        let message = format!("{start}: {}", error.info().replace('`', "'"));
        let length = self.text[place..].chars().next().map_or(0, char::len_utf8);
        let span = if place >= end { Span::at(end) } else { Span::new(place, place + length) };
        let mut diagnostic = Diagnostic::error(code, message).at(span, "");
        let open = self.frames.iter().rev().map(|frame| frame.start.start);
        let bracket = open.into_iter().find(|at| self.text[*at..].starts_with(['{', '[']));
        if let Some(at) = bracket.filter(|at| cut && *at < span.start) {
            diagnostic = diagnostic.also(Span::new(at, at + 1), "this bracket is not closed");
        }
        diagnostic.help = advice(error.info()).map(str::to_owned);
        diagnostic
    }
}

impl Fields {
    fn set(&mut self, node: Node, diagnostics: &mut Diagnostics) {
        let Some(key) = self.key.take() else {
            return;
        };
        if key.merge {
            self.merged.push(node);
        } else if self.keys.note(&key.text, key.span, diagnostics) {
            self.entries.push(Entry { key: key.text, key_span: key.span, node });
        }
    }

    /// The fields, those filled in by `<<` last. What is given here wins, then what comes first.
    fn merge(mut self) -> Parsed<Vec<Entry>> {
        for source in std::mem::take(&mut self.merged) {
            let span = source.span;
            let parts = if let Data::List(items) = source.data { items } else { vec![source] };
            for part in parts {
                let Data::Map(entries) = part.data else {
                    let message = "`<<` takes an object or a list of objects";
                    return Err(Diagnostic::error(Code::YAML_SYNTAX, message)
                        .at(span, "this is neither")
                        .into());
                };
                let mut quiet = Diagnostics::new();
                let missing = |e: &Entry| self.keys.note(&e.key, e.key_span, &mut quiet);
                self.entries.extend(entries.into_iter().filter(missing));
            }
        }
        Ok(self.entries)
    }
}

/// Values in a node, itself included, and how many levels of lists and objects it has.
fn measure(node: &Node) -> (usize, usize) {
    let parts: Vec<&Node> = match &node.data {
        Data::List(items) => items.iter().collect(),
        Data::Map(entries) => entries.iter().map(|entry| &entry.node).collect(),
        _ => return (1, 0),
    };
    let measured = parts.into_iter().map(measure);
    measured.fold((1, 1), |(values, height), (more, below)| (values + more, height.max(below + 1)))
}
