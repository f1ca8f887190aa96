//! The text of a file with its name: bytes in, lines and columns out.
//!
//! A source exists even for a file that cannot be used, so that its problems can be shown.
//!
//! Absent on purpose: what the text says (see [`document`](super::document)).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::scenario::code::Code;
use crate::scenario::diagnostic::{Diagnostic, Span};

/// Largest file that is read, in bytes. A scenario is a few kilobytes; this leaves room for
/// generated ones and keeps a mistaken argument (a log, an image) from filling the memory.
pub const FILE_BYTES_MAX: usize = 4 << 20;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A place as editors count it: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// A file's name and text. Spans are byte offsets into [`Source::text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    /// Offset of each line's first byte.
    lines: Vec<usize>,
}

impl Source {
    /// A text that is known to be one. A byte order mark at its start is left out.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Source {
        let mut text = text.into();
        if text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Source { name: name.into(), text, lines }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// For a file that cannot be opened or read, is too large, or is not UTF-8; the source that
    /// comes along shows the place, as far as there is one.
    pub fn open(path: &Path) -> Result<Source, Box<(Source, Diagnostic)>> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Source::read(name, file),
            Err(error) => Err(unreadable(name, &error)),
        }
    }

    /// Reads anything, such as standard input, under the name given.
    ///
    /// # Errors
    ///
    /// As [`Source::open`].
    pub fn read(
        name: impl Into<String>,
        input: impl Read,
    ) -> Result<Source, Box<(Source, Diagnostic)>> {
        let name = name.into();
        let mut bytes = Vec::new();
        if let Err(error) = input.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes) {
            return Err(unreadable(name, &error));
        }
        Source::from_bytes(name, bytes)
    }

    /// Takes bytes that ought to be UTF-8.
    ///
    /// # Errors
    ///
    /// For more than [`FILE_BYTES_MAX`] bytes and for bytes that are not UTF-8.
    pub fn from_bytes(
        name: impl Into<String>,
        bytes: Vec<u8>,
    ) -> Result<Source, Box<(Source, Diagnostic)>> {
        let name = name.into();
        if bytes.len() > FILE_BYTES_MAX {
            let message = format!("larger than {} MiB", FILE_BYTES_MAX >> 20);
            let diagnostic = Diagnostic::error(Code::TOO_LARGE, message)
                .help("a scenario is a few kilobytes; is this the right file?");
            return Err(Box::new((Source::new(name, ""), diagnostic)));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(name, text)),
            Err(error) => {
                let (valid, bytes) = (error.utf8_error().valid_up_to(), error.into_bytes());
                Err(not_utf8(name, valid, &bytes))
            }
        }
    }

    /// The name to show: a path as it was given, or what stands for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text, without a byte order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span; empty if the span does not lie in the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or("")
    }

    /// Line and column of a byte; what ends a line, and bytes beyond the end, have the place after
    /// the last character before them.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset);
        let Span { start, end } = self.line(line);
        let before = self.text.as_bytes()[start..offset.min(end)].iter();
        // Every character has one byte that does not continue another.
        let column = before.filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
        Position { line, column }
    }

    /// The text of a line, counted from 1, without what ends it; empty beyond the last.
    pub fn line(&self, number: usize) -> Span {
        let Some(start) = number.checked_sub(1).and_then(|index| self.lines.get(index)) else {
            return Span::at(self.text.len());
        };
        let next = self.lines.get(number).map_or(self.text.len(), |next| next - 1);
        let text = &self.text[*start..next];
        Span::new(*start, start + text.strip_suffix('\r').unwrap_or(text).len())
    }
}

/// A text of the file within a message: control characters as escapes, all else as it is.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() })
        .collect()
}

fn unreadable(name: String, error: &std::io::Error) -> Box<(Source, Diagnostic)> {
    let diagnostic = Diagnostic::error(Code::CANNOT_OPEN, format!("cannot read the file: {error}"));
    Box::new((Source::new(name, ""), diagnostic))
}

/// The source has the text with the replacement character where a byte is wrong, so that the
/// place can be shown: up to there the offsets agree with those of the file.
fn not_utf8(name: String, valid: usize, bytes: &[u8]) -> Box<(Source, Diagnostic)> {
    let message = format!("not UTF-8: 0x{:02X} at byte offset {valid}", bytes[valid]);
    let help = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "this looks like UTF-16; save the file as UTF-8",
        _ => "save the file as UTF-8",
    };
    let marked = bytes.starts_with(BYTE_ORDER_MARK.as_bytes());
    let start = valid - if marked { BYTE_ORDER_MARK.len() } else { 0 };
    let span = Span::new(start, start + char::REPLACEMENT_CHARACTER.len_utf8());
    let diagnostic = Diagnostic::error(Code::NOT_UTF8, message).at(span, "here").help(help);
    Box::new((Source::new(name, String::from_utf8_lossy(bytes)), diagnostic))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: lines and columns count from 1, in characters, whatever ends the lines.
    #[test]
    fn places_are_counted_as_editors_do() {
        let source = Source::new("x", "\u{feff}äb\r\nc\n");
        for (offset, line, column) in [
            (0, 1, 1),
            (2, 1, 2),
            (3, 1, 3),
            (4, 1, 3),
            (5, 2, 1),
            (6, 2, 2),
            (7, 3, 1),
            (99, 3, 1),
        ] {
            assert_eq!(source.position(offset), Position { line, column }, "byte {offset}");
        }
        let lines: Vec<&str> = (0..5).map(|line| source.slice(source.line(line))).collect();
        assert_eq!(lines, ["", "äb", "c", "", ""]);
    }

    /// Law: a byte that is not UTF-8 is named by its offset and shown in its line.
    #[test]
    fn wrong_bytes_have_a_place() {
        let (source, diagnostic) =
            *Source::from_bytes("x", b"\xEF\xBB\xBFa\nb\xE4c".to_vec()).unwrap_err();
        assert_eq!(diagnostic.code, Code::NOT_UTF8);
        assert_eq!(diagnostic.message, "not UTF-8: 0xE4 at byte offset 6");
        let span = diagnostic.span().unwrap();
        assert_eq!(source.slice(span), "\u{fffd}");
        assert_eq!(source.position(span.start), Position { line: 2, column: 2 });
    }

    /// Law: a file that is missing, a folder or too large is a diagnostic, not a failure.
    #[test]
    fn files_that_cannot_be_used_are_said_so() {
        let folder = Source::open(Path::new("src")).unwrap_err();
        assert_eq!(folder.1.code, Code::CANNOT_OPEN);
        let missing = Source::open(Path::new("no/such/file.json")).unwrap_err();
        assert_eq!(missing.1.code, Code::CANNOT_OPEN);
        assert_eq!(missing.0.name(), "no/such/file.json");
        let large = Source::read("x", std::io::repeat(b' ')).unwrap_err();
        assert_eq!(large.1.code, Code::TOO_LARGE);
    }
}
