//! The fields of one object.

use crate::scenario::code::Code;
use crate::scenario::diagnostic::{Diagnostic, Span};
use crate::scenario::document::{Entry, Node};
use crate::scenario::source::visible;

use super::{FromNode, Reader, listed, nearest};

/// An object whose field names were checked.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) entries: &'a [Entry],
    /// Where to point when something is missing: the object's key, else its first character.
    pub(super) place: Span,
    pub(super) what: &'a str,
    pub(super) known: &'a [&'a str],
}

impl<'a> Fields<'a> {
    /// Where to point for the object as a whole.
    pub fn place(&self) -> Span {
        self.place
    }

    /// The fields that are given and valid, in the order of the file; `null` counts as not given.
    pub fn given(&self) -> impl Iterator<Item = &'a Entry> {
        let known = self.known;
        let valid = move |entry: &&Entry| known.contains(&entry.key.as_str());
        self.entries.iter().filter(valid).filter(|entry| !entry.node.is_null())
    }

    /// The field of that name, which must be a valid one, if it is given; `null` is not.
    pub fn get(&self, name: &str) -> Option<&'a Entry> {
        assert!(self.known.contains(&name), "{name} is read but no field of {}", self.what);
        self.given().find(|entry| entry.key == name)
    }

    /// The place of a field's value, else [`Fields::place`].
    pub fn span(&self, name: &str) -> Span {
        self.get(name).map_or(self.place, |entry| entry.node.span)
    }

    /// A field that may be left out.
    pub fn optional<T: FromNode>(&self, name: &str) -> Option<T> {
        self.optional_with(name, |node, reader| reader.read(node))
    }

    /// A field that may be left out, read by a function.
    pub fn optional_with<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a Node, &'a Reader<'a>) -> Option<T>,
    ) -> Option<T> {
        read(&self.get(name)?.node, self.reader)
    }

    /// A field that may be left out for its default, which also stands in for a wrong value.
    pub fn or<T: FromNode>(&self, name: &str, default: T) -> T {
        self.optional(name).unwrap_or(default)
    }

    /// A field that must be there.
    pub fn required<T: FromNode>(&self, name: &str) -> Option<T> {
        self.required_with(name, |node, reader| reader.read(node))
    }

    /// A field that must be there, read by a function.
    pub fn required_with<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a Node, &'a Reader<'a>) -> Option<T>,
    ) -> Option<T> {
        match self.get(name) {
            Some(entry) => read(&entry.node, self.reader),
            None => self.missing(&[name]),
        }
    }

    /// An object within this one, that may be left out. `what` names it in messages.
    pub fn section(&self, name: &str, what: &'a str, known: &'a [&'a str]) -> Option<Fields<'a>> {
        let entry = self.get(name)?;
        self.reader.fields_at(&entry.node, entry.key_span, what, known)
    }

    /// The one that is given of fields of which exactly one must be.
    pub fn one_of(&self, names: &[&str]) -> Option<&'a Entry> {
        let mut given = self.given().filter(|entry| names.contains(&entry.key.as_str()));
        let Some(first) = given.next() else {
            return self.missing(names);
        };
        let Some(second) = given.next() else {
            return Some(first);
        };
        let message = format!("{} has both `{}` and `{}`", self.what, first.key, second.key);
        let valid = listed(names.iter().copied(), "or");
        self.reader.report(
            Diagnostic::error(Code::ONE_OF, message)
                .at(second.key_span, "only one of the two can be")
                .also(first.key_span, "the other")
                .help(format!("keep exactly one of {valid}")),
        );
        None
    }

    /// One of these names is needed and none is given. If one of them is there misspelled, that
    /// has been said already.
    fn missing<T>(&self, names: &[&str]) -> Option<T> {
        let misspelled = |entry: &Entry| {
            let near = nearest(&entry.key, self.known.iter().copied());
            near.is_some_and(|near| names.contains(&near))
        };
        if self.unknown().any(misspelled) {
            return None;
        }
        let one_of = if names.len() > 1 { "one of " } else { "" };
        let names = listed(names.iter().copied(), "or");
        let message = format!("{one_of}{names} is missing in {}", self.what);
        self.reader
            .report(Diagnostic::error(Code::MISSING_FIELD, message).at(self.place, "needed here"));
        None
    }

    fn unknown(&self) -> impl Iterator<Item = &'a Entry> {
        let known = self.known;
        self.entries.iter().filter(move |entry| !known.contains(&entry.key.as_str()))
    }

    pub(super) fn report_unknown(&self) {
        let known = || self.known.iter().copied();
        for entry in self.unknown() {
            let name = visible(&entry.key);
            let message = format!("{} has no field `{name}`", self.what);
            let near = nearest(&entry.key, known());
            let label = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
            self.reader.report(
                Diagnostic::error(Code::UNKNOWN_FIELD, message)
                    .at(entry.key_span, label)
                    .help(format!("the fields are {}", listed(known(), "and"))),
            );
        }
    }
}
