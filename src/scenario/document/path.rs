//! Key paths: how a place in a document is named without its text, `faults[2].at`.

use std::fmt;
use std::str::FromStr;

/// One step down a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into an object, by key.
    Key(String),
    /// Into a list, by index from 0.
    Index(usize),
}

/// The steps from a document's root to one of its values. Empty: the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Step>);

/// Why a text is no key path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no key path such as `faults[2].at`: trouble at byte {offset}")]
pub struct PathError {
    text: String,
    offset: usize,
}

impl Path {
    /// The root.
    pub fn root() -> Path {
        Path::default()
    }

    /// One step further, by key.
    pub fn key(&self, key: impl Into<String>) -> Path {
        self.then(Step::Key(key.into()))
    }

    /// One step further, by index from 0.
    pub fn index(&self, index: usize) -> Path {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Path {
        Path(self.0.iter().cloned().chain([step]).collect())
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// One step back; `None` at the root.
    pub fn parent(&self) -> Option<Path> {
        let (_, steps) = self.0.split_last()?;
        Some(Path(steps.to_vec()))
    }
}

/// Whether a key can stand in a path without quotes.
fn plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'))
}

/// `faults[2].at`; keys that hold other characters are quoted: `zones["a.b"]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if plain(key) && position == 0 => write!(f, "{key}")?,
                Step::Key(key) if plain(key) => write!(f, ".{key}")?,
                Step::Key(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str()))?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Path, PathError> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let trouble = || PathError { text: text.to_owned(), offset: text.len() - rest.len() };
            let (step, length) = next_step(rest, steps.is_empty()).ok_or_else(trouble)?;
            steps.push(step);
            rest = &rest[length..];
        }
        Ok(Path(steps))
    }
}

/// The first step of `rest` and its length in bytes.
fn next_step(rest: &str, first: bool) -> Option<(Step, usize)> {
    if let Some(inside) = rest.strip_prefix("[\"") {
        let mut stream = serde_json::Deserializer::from_str(&rest[1..]).into_iter::<String>();
        let key = stream.next()?.ok()?;
        let end = 1 + stream.byte_offset();
        let closed = !inside.is_empty() && rest[end..].starts_with(']');
        return closed.then_some((Step::Key(key), end + 1));
    }
    if let Some(inside) = rest.strip_prefix('[') {
        let digits = &inside[..inside.find(']')?];
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
        return Some((Step::Index(number.parse().ok()?), digits.len() + 2));
    }
    let word = if first { rest } else { rest.strip_prefix('.')? };
    let key = &word[..word.find(['.', '[']).unwrap_or(word.len())];
    plain(key).then(|| (Step::Key(key.to_owned()), rest.len() - word.len() + key.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: a path reads back from what is written of it, odd keys included.
    #[test]
    fn paths_read_back() {
        for (path, text) in [
            (Path::root(), ""),
            (Path::root().key("faults").index(2).key("at"), "faults[2].at"),
            (Path::root().index(0).index(1), "[0][1]"),
            (Path::root().key("a.b").key("c"), r#"["a.b"].c"#),
            (Path::root().key("a").key("\"]\n").key(""), r#"a["\"]\n"][""]"#),
            (Path::root().key("heartbeat-interval"), "heartbeat-interval"),
            (Path::root().key("$schema"), "$schema"),
        ] {
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse::<Path>().unwrap(), path);
        }
    }

    /// Law: what is no path is refused, with the place.
    #[test]
    fn other_texts_are_refused() {
        for (text, offset) in
            [("a..b", 1), (".a", 0), ("a[", 1), ("a[-1]", 1), ("a[1", 1), ("a[\"b]", 1), ("a b", 0)]
        {
            assert_eq!(text.parse::<Path>().unwrap_err().offset, offset, "{text}");
        }
    }
}
