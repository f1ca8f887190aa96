//! Problems of the user's file as data: what is wrong, where, and what would be right.
//!
//! All problems of a file are collected; nobody fixes a file one error per run.
//!
//! Absent on purpose: colours and layout (see `cli::terminal`), and the meaning of codes
//! (see [`code`](super::code)).

use serde_json::{Value, json};

use crate::scenario::code::Code;
use crate::scenario::source::Source;

/// Diagnostics kept of one file; more are only counted. Nobody reads the hundred-and-first.
pub const DIAGNOSTICS_MAX: usize = 100;

/// A stretch of a source's text in bytes, end exclusive. May be empty: a place between characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte; never below `start`.
    pub end: usize,
}

impl Span {
    /// The stretch from `start` up to, not including, `end`.
    pub fn new(start: usize, end: usize) -> Span {
        assert!(start <= end, "a span from {start} back to {end}");
        Span { start, end }
    }

    /// The empty stretch before the byte at `offset`.
    pub fn at(offset: usize) -> Span {
        Span { start: offset, end: offset }
    }

    /// From the start of this span to the end of the other, which must not lie before it.
    pub fn to(self, other: Span) -> Span {
        Span::new(self.start, other.end.max(self.start))
    }
}

/// Whether a problem stops the file from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, though probably not as meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A remark on one stretch of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The text remarked upon.
    pub span: Span,
    /// The remark; empty when the message says it all.
    pub text: String,
    /// Whether this is the place of the problem; other labels show what it conflicts with.
    pub primary: bool,
}

/// One problem of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What sort of problem; `hasim explain CODE` tells more.
    pub code: Code,
    /// Whether it stops the file from being used.
    pub severity: Severity,
    /// What is wrong, in a line that can stand alone.
    pub message: String,
    /// Where; empty when the problem is of the file as a whole.
    pub labels: Vec<Label>,
    /// What would be right.
    pub help: Option<String>,
    /// Another file that has a part in it, such as a table of samples.
    pub related: Option<String>,
}

impl Diagnostic {
    /// A problem that stops the file from being used.
    pub fn error(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            related: None,
        }
    }

    /// A problem that leaves the file usable.
    pub fn warning(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message) }
    }

    /// Adds the place of the problem.
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into(), primary: true });
        self
    }

    /// Adds a place that has a part in it.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into(), primary: false });
        self
    }

    /// Says what would be right.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// Names another file that has a part in it.
    pub fn related(mut self, file: impl Into<String>) -> Diagnostic {
        self.related = Some(file.into());
        self
    }

    /// The place of the problem: the first by place of the primary labels, else of all.
    pub fn span(&self) -> Option<Span> {
        let spans = |primary: bool| {
            self.labels.iter().filter(move |label| label.primary == primary).map(|label| label.span)
        };
        spans(true).min().or_else(|| spans(false).min())
    }

    /// The diagnostic as it appears in machine-readable output.
    pub fn to_json(&self, source: &Source) -> Value {
        let labels: Vec<Value> = self.labels.iter().map(|label| label.to_json(source)).collect();
        let place = self.span().map(|span| source.position(span.start));
        json!({
            "code": self.code.to_string(),
            "severity": self.severity.word(),
            "message": self.message,
            "file": source.name(),
            "line": place.map(|place| place.line),
            "column": place.map(|place| place.column),
            "labels": labels,
            "help": self.help,
            "relatedFile": self.related,
        })
    }
}

impl Label {
    fn to_json(&self, source: &Source) -> Value {
        let (start, end) = (source.position(self.span.start), source.position(self.span.end));
        json!({
            "primary": self.primary,
            "text": self.text,
            "start": { "byte": self.span.start, "line": start.line, "column": start.column },
            "end": { "byte": self.span.end, "line": end.line, "column": end.column },
        })
    }
}

/// All problems of one file, ordered by place; those of the file as a whole come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    kept: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Diagnostics {
    /// No problems yet.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds one. Beyond [`DIAGNOSTICS_MAX`] the last by place is only counted.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        match diagnostic.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        let place = diagnostic.span();
        let index = self.kept.partition_point(|other| other.span() <= place);
        self.kept.insert(index, diagnostic);
        self.kept.truncate(DIAGNOSTICS_MAX);
    }

    /// Adds all of another collection on the same file.
    pub fn append(&mut self, other: Diagnostics) {
        let (errors, warnings) = (self.errors + other.errors, self.warnings + other.warnings);
        for diagnostic in other.kept {
            self.push(diagnostic);
        }
        (self.errors, self.warnings) = (errors, warnings);
    }

    /// Whether the file cannot be used.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors there are, those not kept included.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many warnings there are, those not kept included.
    pub fn warnings(&self) -> usize {
        self.warnings
    }

    /// How many were only counted.
    pub fn omitted(&self) -> usize {
        self.errors + self.warnings - self.kept.len()
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The diagnostics kept, in the order of their places.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.kept.iter()
    }

    /// All of it as machine-readable output has it.
    pub fn to_json(&self, source: &Source) -> Value {
        let list: Vec<Value> = self.iter().map(|diagnostic| diagnostic.to_json(source)).collect();
        json!({
            "file": source.name(),
            "errors": self.errors,
            "warnings": self.warnings,
            "omitted": self.omitted(),
            "diagnostics": list,
        })
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: diagnostics come in the order of their places, whatever order they were found in.
    #[test]
    fn diagnostics_are_ordered_by_place() {
        let mut all = Diagnostics::new();
        for start in [7, 3, 9] {
            all.push(Diagnostic::error(Code::UNKNOWN_FIELD, "x").at(Span::at(start), ""));
        }
        all.push(Diagnostic::warning(Code::CANNOT_OPEN, "whole file"));
        let places: Vec<_> = all.iter().map(|d| d.span().map(|span| span.start)).collect();
        assert_eq!(places, [None, Some(3), Some(7), Some(9)]);
    }

    /// Law: a flood of problems is bounded, and an error that was only counted still counts.
    #[test]
    fn a_flood_is_counted() {
        let mut all = Diagnostics::new();
        for start in 0..DIAGNOSTICS_MAX {
            all.push(Diagnostic::warning(Code::UNKNOWN_FIELD, "x").at(Span::at(start), ""));
        }
        assert!(!all.has_errors());
        let mut more = Diagnostics::new();
        more.push(Diagnostic::error(Code::UNKNOWN_FIELD, "x").at(Span::at(5_000), ""));
        all.append(more);
        assert!(all.has_errors());
        assert_eq!((all.iter().count(), all.omitted()), (DIAGNOSTICS_MAX, 1));
    }
}
