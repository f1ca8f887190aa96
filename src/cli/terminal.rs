//! Diagnostics as text for people, in the manner of rustc.
//!
//! Colour is asked for by the caller, who knows the terminal. Machine-readable output is
//! [`Diagnostics::to_json`].

use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str,
};

use crate::scenario::code::CodeInfo;
use crate::scenario::diagnostic::{Diagnostic, Diagnostics, Label, Severity, Span};
use crate::scenario::source::{Position, Source};

/// How to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// With escape sequences for colour.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Look {
    /// Without colour, 80 columns: for pipes and files.
    pub const PLAIN: Look = Look { colour: false, width: 80 };
}

/// Narrowest width that is honoured: below it nothing fits beside the line numbers.
const WIDTH_MIN: usize = 40;

/// Labels more lines away from the problem than this are only named.
const LINES_MAX: usize = 500;

/// All diagnostics with the lines they are about, and a closing line that counts them.
pub fn render(source: &Source, diagnostics: &Diagnostics, look: Look) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&render_one(source, diagnostic, look));
        text.push_str("\n\n");
    }
    text.push_str(&summary(source, diagnostics));
    text
}

/// One diagnostic with the lines it is about, without a line end after it.
pub fn render_one(source: &Source, diagnostic: &Diagnostic, look: Look) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let width = look.width.max(WIDTH_MIN);
    let code = diagnostic.code.to_string();
    let title = level.primary_title(diagnostic.message.as_str()).id(code);
    let mut group = Group::with_title(title);
    let name = normalize_untrusted_str(source.name());
    let shown = Shown::of(source, diagnostic, width);
    let place = diagnostic.span().map(|span| source.position(span.start));
    group = match &shown {
        Some(shown) => group.element(shown.snippet().path(&name)),
        None => group.element(Origin::path(&name)),
    };
    for label in shown.iter().flat_map(|shown| &shown.far) {
        let Position { line, column } = source.position(label.span.start);
        let note = format!("{}: line {line}, column {column}", label.text);
        group = group.element(Level::NOTE.message(note));
    }
    let gutter = place.map_or(0, |place| place.line.to_string().len()) + " = help: ".len();
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(wrapped(help, width.saturating_sub(gutter))));
    }
    if let Some(file) = &diagnostic.related {
        group = group.element(Level::NOTE.message(format!("the other file is {file}")));
    }
    let renderer = if look.colour { Renderer::styled() } else { Renderer::plain() };
    let text = renderer.term_width(width).render(&[group]);
    match (&shown, place) {
        (Some(shown), Some(Position { line, column })) if shown.columns_cut > 0 => {
            // The renderer counts columns in what it was given.
            let counted = format!("{name}:{line}:{}", column - shown.columns_cut);
            text.replacen(&counted, &format!("{name}:{line}:{column}"), 1)
        }
        _ => text,
    }
}

/// `scenario.json: 2 errors, 1 warning`; empty if there is nothing to count.
pub fn summary(source: &Source, diagnostics: &Diagnostics) -> String {
    let count = |number: usize, word: &str| match number {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{number} {word}s")),
    };
    let counts = [count(diagnostics.errors(), "error"), count(diagnostics.warnings(), "warning")];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let Some(first) = diagnostics.iter().next() else {
        return String::new();
    };
    let omitted = match diagnostics.omitted() {
        0 => String::new(),
        more => format!(", {more} of them not shown"),
    };
    let name = normalize_untrusted_str(source.name());
    let (counts, code) = (counts.join(", "), first.code);
    format!("{name}: {counts}{omitted}; `hasim explain {code}` tells more\n")
}

/// A code's page, wrapped.
pub fn explain(info: &CodeInfo, look: Look) -> String {
    let example = |head: &str, text: &str| match text {
        "" => String::new(),
        text => format!("\n{head}\n\n{}", indented(text)),
    };
    let (bad, good) = (example("Wrong:", info.bad), example("Right:", info.good));
    let paragraph = wrapped(info.explanation, look.width.max(WIDTH_MIN));
    format!("{}: {}\n\n{paragraph}\n{bad}{good}", info.code, info.title)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n").replace("    \n", "\n")).collect()
}

/// The part of the text that is handed to the renderer, which would otherwise look at all of it
/// and print lines of any length: the lines of the labels, cut to the columns around them.
struct Shown<'a> {
    text: String,
    first_line: usize,
    /// Columns left out at the start of every line.
    columns_cut: usize,
    /// Labels with their places in `text`, none longer than a line.
    near: Vec<(Range<usize>, &'a Label)>,
    /// Labels too far from the problem to be in the same picture.
    far: Vec<&'a Label>,
}

impl<'a> Shown<'a> {
    fn of(source: &Source, diagnostic: &'a Diagnostic, width: usize) -> Option<Shown<'a>> {
        let place = source.position(diagnostic.span()?.start);
        let labels = diagnostic.labels.iter();
        let placed = labels.map(|label| (source.position(label.span.start), label));
        let (near, far): (Vec<_>, Vec<_>) = placed.partition(|(other, _)| {
            other.line.abs_diff(place.line) <= LINES_MAX
                && other.column.abs_diff(place.column) <= width / 2
        });
        let lines = near.iter().map(|(place, _)| place.line);
        let (first_line, last_line) = (lines.clone().min()?, lines.max()?);
        // Room for the renderer to choose its margins from.
        let start = place.column.saturating_sub(width * 2).max(1);
        let columns = start..place.column + width * 2;
        let mut shown = Shown {
            text: String::new(),
            first_line,
            columns_cut: start - 1,
            near: Vec::new(),
            far: far.into_iter().map(|(_, label)| label).collect(),
        };
        for line in first_line..=last_line {
            let piece = cut(source, source.line(line), &columns);
            for (_, label) in near.iter().filter(|(place, _)| place.line == line) {
                shown.near.push((shown.place_of(source, label, piece, width), label));
            }
            shown.text.push_str(source.slice(piece));
            shown.text.push('\n');
        }
        Some(shown)
    }

    /// Where a label is once its line's piece is appended.
    fn place_of(&self, source: &Source, label: &Label, piece: Span, width: usize) -> Range<usize> {
        let start = label.span.start.clamp(piece.start, piece.end);
        let end = label.span.end.clamp(start, piece.end);
        let marked = source.slice(Span::new(start, end));
        let length = marked.char_indices().nth(width / 2).map_or(marked.len(), |(at, _)| at);
        let offset = self.text.len() + start - piece.start;
        offset..offset + length
    }

    fn snippet(&self) -> Snippet<'_, Annotation<'_>> {
        let annotation = |(place, label): &(Range<usize>, &'a Label)| {
            let kind =
                if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let text = Some(label.text.as_str()).filter(|text| !text.is_empty());
            kind.span(place.clone()).label(text)
        };
        Snippet::source(self.text.as_str())
            .line_start(self.first_line)
            .annotations(self.near.iter().map(annotation))
    }
}

/// The part of a line within columns, which count from 1.
fn cut(source: &Source, line: Span, columns: &Range<usize>) -> Span {
    let text = source.slice(line);
    let byte = |column: usize| {
        let mut characters = text.char_indices().map(|(at, _)| at);
        line.start + characters.nth(column - 1).unwrap_or(text.len())
    };
    Span::new(byte(columns.start), byte(columns.end))
}

/// Lines of at most `width` characters, broken at spaces.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
