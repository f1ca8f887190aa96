//! JSON to nodes. Written here because a parser that reports what was expected, and where, is
//! short, and no library gives byte spans together with that; strings and numbers are decoded by
//! `serde_json`, and a test holds both to accept the same texts.

use crate::scenario::code::Code;
use crate::scenario::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::scenario::source::visible;

use super::{DEPTH_MAX, Data, Entry, Keys, Node, too_deep};

type Parsed<T> = Result<T, Box<Diagnostic>>;

/// Reads one value and nothing after it.
pub(super) fn parse(text: &str, diagnostics: &mut Diagnostics) -> Parsed<Node> {
    let mut parser = Parser { text, at: 0, open: Vec::new(), diagnostics };
    let root = parser.value()?;
    parser.skip_space();
    match parser.peek() {
        None => Ok(root),
        Some(_) => Err(parser.unexpected("the end of the file").into()),
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Byte offset of what comes next.
    at: usize,
    /// Places of the brackets that are open.
    open: Vec<usize>,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_space(&mut self) {
        let trimmed = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
        self.at = self.text.len() - trimmed.len();
    }

    /// Takes `c` if it comes next, after white space.
    fn take(&mut self, c: char) -> bool {
        self.skip_space();
        let taken = self.rest().starts_with(c);
        self.at += if taken { c.len_utf8() } else { 0 };
        taken
    }

    fn value(&mut self) -> Parsed<Node> {
        self.skip_space();
        let start = self.at;
        let data = match self.peek() {
            Some('{') => self.object()?,
            Some('[') => self.list()?,
            Some('"') => Data::Text(self.string()?.0),
            Some('-' | '0'..='9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { span: Span::new(start, self.at), data })
    }

    /// Enters a bracket.
    fn enter(&mut self) -> Parsed<()> {
        if self.open.len() == DEPTH_MAX {
            return Err(too_deep(Span::new(self.at, self.at + 1)).into());
        }
        self.open.push(self.at);
        self.at += 1;
        Ok(())
    }

    fn object(&mut self) -> Parsed<Data> {
        self.enter()?;
        let (mut entries, mut keys) = (Vec::new(), Keys::default());
        if !self.take('}') {
            loop {
                let entry = self.entry()?;
                if keys.note(&entry.key, entry.key_span, self.diagnostics) {
                    entries.push(entry);
                }
                if self.closed('}')? {
                    break;
                }
            }
        }
        self.open.pop();
        Ok(Data::Map(entries))
    }

    fn entry(&mut self) -> Parsed<Entry> {
        self.skip_space();
        if self.peek() != Some('"') {
            return Err(self.no_key().into());
        }
        let (key, key_span) = self.string()?;
        if !self.take(':') {
            return Err(self.unexpected("`:` after the field's name").into());
        }
        Ok(Entry { key, key_span, node: self.value()? })
    }

    fn list(&mut self) -> Parsed<Data> {
        self.enter()?;
        let mut items = Vec::new();
        if !self.take(']') {
            loop {
                items.push(self.value()?);
                if self.closed(']')? {
                    break;
                }
            }
        }
        self.open.pop();
        Ok(Data::List(items))
    }

    /// After an item: whether the bracket closes; if not, a comma was taken.
    fn closed(&mut self, close: char) -> Parsed<bool> {
        if self.take(close) {
            return Ok(true);
        }
        let comma = self.at;
        if !self.take(',') {
            return Err(self.unexpected(&format!("`,` or `{close}`")).into());
        }
        if self.take(close) {
            let message = format!("a comma before `{close}`");
            return Err(syntax(message, Span::new(comma, comma + 1), "remove it")
                .help("JSON has no trailing commas; YAML files (.yaml) may have them")
                .into());
        }
        Ok(false)
    }

    /// `true`, `false` or `null`; anything else is an error.
    fn word(&mut self) -> Parsed<Data> {
        let word = self.leading_word();
        let data = match word {
            "true" => Data::Bool(true),
            "false" => Data::Bool(false),
            "null" => Data::Null,
            _ => return Err(self.no_value(word).into()),
        };
        self.at += word.len();
        Ok(data)
    }

    fn leading_word(&self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+')));
        &rest[..end.unwrap_or(rest.len())]
    }

    fn number(&mut self) -> Parsed<Data> {
        let word = self.leading_word();
        let span = Span::new(self.at, self.at + word.len());
        // A number ends where its word ends: `15s` is a text without quotes, not 15 and s.
        let Ok(number) = serde_json::from_str(word) else {
            return Err(bad_number(word, span).into());
        };
        self.at = span.end;
        Ok(Data::Number(number))
    }

    /// A string's content and its place with quotes.
    fn string(&mut self) -> Parsed<(String, Span)> {
        let start = self.at;
        let end = self.string_end(start)?;
        let span = Span::new(start, end);
        let Ok(text) = serde_json::from_str(&self.text[start..end]) else {
            let message = "half of a `\\u` surrogate pair without its other half";
            return Err(syntax(message, span, "in this text").into());
        };
        self.at = end;
        Ok((text, span))
    }

    /// One past the closing quote of the string that begins at `start`.
    fn string_end(&self, start: usize) -> Parsed<usize> {
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        loop {
            match bytes.get(at) {
                None => {
                    return Err(self
                        .truncated("the closing `\"`", Some((start, "this text")))
                        .into());
                }
                Some(b'"') => return Ok(at + 1),
                Some(b'\\') => at += escape_length(self.text, at)?,
                Some(b'\n' | b'\r') => {
                    let span = Span::new(start, at);
                    return Err(syntax("a text without its closing `\"`", span, "begins here")
                        .help("a line break inside a text is written `\\n`")
                        .into());
                }
                Some(control @ 0..=0x1F) => {
                    let message = format!("a control character (0x{control:02X}) in a text");
                    let instead = if *control == b'\t' {
                        "write `\\t`".to_owned()
                    } else {
                        format!("write `\\u{control:04x}`")
                    };
                    return Err(syntax(message, Span::new(at, at + 1), instead).into());
                }
                Some(_) => at += 1,
            }
        }
    }

    /// Something else comes than what is expected.
    fn unexpected(&self, expected: &str) -> Diagnostic {
        let Some(found) = self.peek() else {
            return self.truncated(expected, None);
        };
        let span = Span::new(self.at, self.at + found.len_utf8());
        let found = visible(&found.to_string());
        let error = syntax(format!("expected {expected}, found `{found}`"), span, "");
        if self.comment() { error.help(NO_COMMENTS) } else { error }
    }

    fn no_value(&self, word: &str) -> Diagnostic {
        if word.is_empty() {
            let error = self.unexpected("a value");
            return match self.peek() {
                Some('\'') => error.help(DOUBLE_QUOTES),
                _ => error,
            };
        }
        let span = Span::new(self.at, self.at + word.len());
        let help = match word.to_ascii_lowercase().as_str() {
            lower @ ("true" | "false" | "null") => format!("write `{lower}`"),
            "none" | "nil" => "write `null`".to_owned(),
            "nan" | "inf" | "infinity" => "JSON has no such number".to_owned(),
            _ => format!("write `\"{word}\"`: a text needs quotes"),
        };
        syntax(format!("expected a value, found `{word}`"), span, "").help(help)
    }

    fn no_key(&self) -> Diagnostic {
        let expected = "the name of a field in double quotes";
        let error = self.unexpected(expected);
        match (self.peek(), self.leading_word()) {
            (Some('\''), _) => error.help(DOUBLE_QUOTES),
            (_, "") => error,
            (_, word) => {
                let span = Span::new(self.at, self.at + word.len());
                syntax(format!("expected {expected}, found `{word}`"), span, "")
                    .help(format!("write `\"{word}\"`"))
            }
        }
    }

    fn comment(&self) -> bool {
        ["//", "/*", "#"].iter().any(|start| self.rest().starts_with(start))
    }

    /// The text ends too early. Shows what is still open.
    fn truncated(&self, expected: &str, within: Option<(usize, &str)>) -> Diagnostic {
        let end = self.text.trim_end().len();
        let message = format!("the file ends too early: expected {expected}");
        let error = Diagnostic::error(Code::TRUNCATED, message).at(Span::at(end), "ends here");
        let open = self.open.last().map(|at| (*at, "this bracket"));
        match within.or(open) {
            Some((at, what)) => error.also(Span::new(at, at + 1), format!("{what} is not closed")),
            None => error,
        }
    }
}

const NO_COMMENTS: &str = "JSON has no comments; YAML files (.yaml) have, after `#`";
const DOUBLE_QUOTES: &str = "JSON uses double quotes";

/// Length of the escape that begins at `at`.
fn escape_length(text: &str, at: usize) -> Parsed<usize> {
    let after = &text[at + 1..];
    let wrong = |length: usize| {
        let message = "an escape that JSON does not have";
        syntax(message, Span::new(at, at + 1 + length), "")
            .help("the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with 4 hex digits")
    };
    match after.chars().next() {
        // The end of the file is found by the caller.
        None => Ok(1),
        Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => Ok(2),
        Some('u') => {
            let digits = after[1..].bytes().take(4).take_while(u8::is_ascii_hexdigit).count();
            // Too few digits at the very end of the text are a text cut short.
            let complete = digits == 4 || after.len() == 1 + digits;
            if complete { Ok(2 + digits) } else { Err(wrong(1 + digits).into()) }
        }
        Some(other) => Err(wrong(other.len_utf8()).into()),
    }
}

fn bad_number(word: &str, span: Span) -> Diagnostic {
    let digits = word.trim_start_matches('-');
    let help = if digits.len() > 1 && digits.starts_with('0') && !digits.contains(['.', 'e', 'E']) {
        "a number has no leading zeros".to_owned()
    } else if digits.contains(|c: char| c.is_alphabetic() && c != 'e' && c != 'E') {
        format!("write `\"{word}\"`: a text needs quotes")
    } else {
        "numbers are written like 15, -1.5 or 2e-3, up to about 1.8e308".to_owned()
    };
    syntax(format!("`{word}` is no number"), span, "").help(help)
}

fn syntax(message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::JSON_SYNTAX, message).at(span, label)
}
