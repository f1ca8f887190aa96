//! Typed values from spanned nodes: what does not fit becomes a diagnostic with its place, and
//! reading goes on, so that all problems of a file come together.
//!
//! Whoever reads gets `None` for what is wrong and may go on with anything: the diagnostics say
//! whether the result can be used.
//!
//! Absent on purpose: the fields of scenarios, and defaults.

mod fields;
mod nearest;
mod value;

#[cfg(test)]
mod tests;

pub use fields::Fields;
pub use nearest::{listed, nearest};
pub use value::FromNode;

use std::cell::RefCell;
use std::ops::RangeBounds;

use serde::Deserialize;

use crate::scenario::code::Code;
use crate::scenario::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::scenario::document::{Data, Entry, Node};
use crate::scenario::source::Source;

/// Reads nodes of one source and collects what is wrong with them.
#[derive(Debug)]
pub struct Reader<'a> {
    source: &'a Source,
    found: RefCell<Diagnostics>,
}

impl<'a> Reader<'a> {
    /// A reader for the nodes of that source.
    pub fn new(source: &'a Source) -> Reader<'a> {
        Reader { source, found: RefCell::default() }
    }

    /// Everything that was wrong.
    pub fn finish(self) -> Diagnostics {
        self.found.into_inner()
    }

    /// Notes a problem.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// Whether an error was noted so far.
    pub fn has_errors(&self) -> bool {
        self.found.borrow().has_errors()
    }

    /// The text of a node as the file has it.
    pub fn written(&self, node: &Node) -> &'a str {
        self.source.slice(node.span)
    }

    /// A value of a type that knows how to be read.
    pub fn read<T: FromNode>(&self, node: &Node) -> Option<T> {
        T::from_node(node, self)
    }

    /// The fields of an object of which the names in `known` are valid. Others are reported, and
    /// so is a node that is no object. `what` names the object in messages: `a fault`.
    pub fn fields<'n>(
        &'n self,
        node: &'n Node,
        what: &'n str,
        known: &'n [&'n str],
    ) -> Option<Fields<'n>> {
        let start = node.span.start;
        let first = self.source.text()[start..].chars().next().map_or(0, char::len_utf8);
        self.fields_at(node, Span::new(start, start + first), what, known)
    }

    fn fields_at<'n>(
        &'n self,
        node: &'n Node,
        place: Span,
        what: &'n str,
        known: &'n [&'n str],
    ) -> Option<Fields<'n>> {
        let entries = self.entries(node)?;
        let fields = Fields { reader: self, entries, place, what, known };
        fields.report_unknown();
        Some(fields)
    }

    /// The entries of an object whose keys are names chosen by the user.
    pub fn entries<'n>(&self, node: &'n Node) -> Option<&'n [Entry]> {
        node.entries().or_else(|| self.wrong_type(node, "an object"))
    }

    /// A list, each item read by `read`; items that are wrong are left out.
    pub fn list_with<T>(
        &self,
        node: &Node,
        mut read: impl FnMut(&Node, &Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = node.items().or_else(|| self.wrong_type(node, "a list"))?;
        Some(items.iter().filter_map(|item| read(item, self)).collect())
    }

    /// A list, or a single item without its brackets; otherwise as [`Reader::list_with`].
    pub fn one_or_many_with<T>(
        &self,
        node: &Node,
        mut read: impl FnMut(&Node, &Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        match node.items() {
            Some(_) => self.list_with(node, read),
            None => read(node, self).map(|only| vec![only]),
        }
    }

    /// One of a few words, each with what it stands for.
    pub fn word<T: Clone>(&self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let valid = || words.iter().map(|(word, _)| *word);
        let Data::Text(text) = &node.data else {
            return self.wrong_type(node, &listed(valid(), "or"));
        };
        if let Some((_, meant)) = words.iter().find(|(word, _)| word == text) {
            return Some(meant.clone());
        }
        let message = format!("expected {}, found {}", listed(valid(), "or"), node.describe());
        let label = nearest(text, valid()).map(|word| format!("did you mean `{word}`?"));
        self.report(
            Diagnostic::error(Code::UNKNOWN_WORD, message).at(node.span, label.unwrap_or_default()),
        );
        None
    }

    /// A text with a form of its own, such as `leader of etcd`. `what` says what it is (`a
    /// target such as "cp1/etcd"`), the closure what is wrong.
    pub fn parse<T>(
        &self,
        node: &Node,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Data::Text(text) = &node.data else {
            return self.wrong_type(node, what);
        };
        parse(text).map_err(|wrong| self.invalid(node, Code::BAD_TEXT, wrong)).ok()
    }

    /// A number within bounds; `wanted` says which: `a probability from 0 to 1`.
    pub fn number_in(
        &self,
        node: &Node,
        wanted: &str,
        bounds: impl RangeBounds<f64>,
    ) -> Option<f64> {
        let Data::Number(number) = &node.data else {
            return self.wrong_type(node, wanted);
        };
        let within = number.as_f64().filter(|number| bounds.contains(number));
        within.or_else(|| self.bad_number(node, wanted))
    }

    /// Any type that can be deserialised, with the place of the innermost value that is wrong.
    pub fn deserialize<'n, T: Deserialize<'n>>(&self, node: &'n Node, code: Code) -> Option<T> {
        node.deserialize()
            .map_err(|error| {
                let span = error.span().unwrap_or(node.span);
                self.report(Diagnostic::error(code, error.to_string()).at(span, ""));
            })
            .ok()
    }

    /// Notes that a value is wrong for a reason that needs no second place.
    pub fn invalid(&self, node: &Node, code: Code, message: impl Into<String>) {
        self.report(Diagnostic::error(code, message).at(node.span, ""));
    }

    /// Notes that a value is of the wrong type. Always `None`, to be returned at once.
    pub fn wrong_type<T>(&self, node: &Node, expected: &str) -> Option<T> {
        let message = format!("expected {expected}, found {}", node.describe());
        let diagnostic = Diagnostic::error(Code::WRONG_TYPE, message).at(node.span, "");
        self.report(match self.hint(node, expected) {
            Some(hint) => diagnostic.help(hint),
            None => diagnostic,
        });
        None
    }

    fn bad_number<T>(&self, node: &Node, wanted: &str) -> Option<T> {
        let message = format!("expected {wanted}, found {}", self.written(node));
        self.invalid(node, Code::BAD_NUMBER, message);
        None
    }

    /// What people who write this usually mean.
    fn hint(&self, node: &Node, expected: &str) -> Option<String> {
        let written = self.written(node);
        match &node.data {
            Data::Number(_) if expected.contains("duration") => {
                Some(format!("a duration has a unit: write `\"{written}s\"` for seconds"))
            }
            Data::Number(_) | Data::Bool(_) if expected.contains("text") => {
                Some(format!("put it in quotes: `\"{written}\"`"))
            }
            Data::Text(text) if expected.starts_with("true or false") => {
                let meant = match text.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "true" | "y" => "true",
                    "no" | "off" | "false" | "n" => "false",
                    _ => return None,
                };
                Some(format!("write `{meant}`, without quotes"))
            }
            Data::Text(text) if expected.contains("number") && text.parse::<f64>().is_ok() => {
                Some(format!("write `{text}`, without quotes"))
            }
            _ => None,
        }
    }
}
