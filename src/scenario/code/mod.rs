//! The codes of diagnostics and what they mean: the one source of `hasim explain` and of the page
//! of codes in the documentation.
//!
//! `S0xx`: the file cannot be read. `S1xx`: its form is wrong. `S2xx`: its meaning is; those are
//! told by [`rules`](super::rules), each with its own record.
//!
//! A code is never given a second meaning: a code that is dropped is not used again.

mod form;
mod reading;

use std::fmt;
use std::str::FromStr;

/// What sort of problem, for people to look up and for programs to tell apart: `S101`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code(u16);

impl Code {
    /// The code of that number, below 1,000.
    pub const fn new(number: u16) -> Code {
        assert!(number < 1_000, "codes have three digits");
        Code(number)
    }

    /// What is known of the code: `None` for codes of rules, which are known to their records.
    pub fn info(self) -> Option<&'static CodeInfo> {
        all().find(|info| info.code == self)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{:03}", self.0)
    }
}

/// A text is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("codes are written like `S101`")]
pub struct CodeError;

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Code, CodeError> {
        let digits = text.strip_prefix(['S', 's']).ok_or(CodeError)?;
        let good = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| good).map(Code).ok_or(CodeError)
    }
}

/// A code's page.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo {
    /// The code.
    pub code: Code,
    /// What is wrong, in general, in a few words.
    pub title: &'static str,
    /// Why that is a problem and what to do, in a paragraph.
    pub explanation: &'static str,
    /// A file, or the part of one, that has the problem. Empty where a text cannot show it.
    pub bad: &'static str,
    /// The same without the problem.
    pub good: &'static str,
}

impl CodeInfo {
    /// The page as a section of Markdown.
    pub fn markdown(&self) -> String {
        let example = |head: &str, text: &str| match text {
            "" => String::new(),
            text => format!("\n{head}\n\n```\n{}\n```\n", text.trim_end()),
        };
        let (bad, good) = (example("Wrong:", self.bad), example("Right:", self.good));
        format!("## {}: {}\n\n{}\n{bad}{good}", self.code, self.title, self.explanation)
    }
}

/// Every code that is not a rule's, in order.
pub fn all() -> impl Iterator<Item = &'static CodeInfo> {
    reading::CODES.iter().chain(form::CODES)
}

/// The page of all codes in Markdown: those of [`all`], then the rules' as given.
pub fn page<'a>(rules: impl IntoIterator<Item = &'a CodeInfo>) -> String {
    let own = all().map(CodeInfo::markdown);
    let sections: Vec<String> = own.chain(rules.into_iter().map(CodeInfo::markdown)).collect();
    format!("# Codes\n\n{INTRODUCTION}\n\n{}", sections.join("\n"))
}

const INTRODUCTION: &str = "What hasim says of a scenario file carries a code. `S0xx`: the file cannot be read. \
`S1xx`: its form is wrong. `S2xx`: its meaning is. `hasim explain CODE` prints a section of this page.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::document::Document;
    use crate::scenario::source::Source;

    /// Law: codes are in order, once each, and every one is explained in sentences.
    #[test]
    fn every_code_is_explained_once() {
        let infos: Vec<_> = all().collect();
        assert!(infos.windows(2).all(|pair| pair[0].code < pair[1].code));
        for info in infos {
            assert!(info.explanation.ends_with('.') && !info.title.ends_with('.'), "{info:?}");
            assert_eq!(info.bad.is_empty(), info.good.is_empty(), "{info:?}");
        }
    }

    /// Law: a code reads back from what is written of it, in either case.
    #[test]
    fn codes_read_back() {
        assert_eq!("S001".parse(), Ok(Code::CANNOT_OPEN));
        assert_eq!("s101".parse(), Ok(Code::UNKNOWN_FIELD));
        for text in ["", "S", "101", "S1", "S+01", "S0001", "E101"] {
            assert_eq!(text.parse::<Code>(), Err(CodeError), "{text}");
        }
    }

    /// Law: the bad example of a reading code has that problem and no other, the good one none.
    #[test]
    fn examples_of_reading_codes_show_them() {
        let codes = |text: &str| -> Vec<Code> {
            let (_, diagnostics) = Document::parse(&Source::new("example", text));
            diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
        };
        for info in reading::CODES.iter().filter(|info| !info.bad.is_empty()) {
            assert_eq!(codes(info.bad), [info.code], "{}", info.bad);
            assert_eq!(codes(info.good), [], "{}", info.good);
        }
    }
}
