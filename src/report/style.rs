//! Text with tones: what a line means, not how it looks.

use std::fmt;

/// What a piece of text means to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// A heading.
    Heading,
    /// A fault or repair that the scenario orders.
    Fault,
    /// Something got worse.
    Bad,
    /// Something is half there, or about to change.
    Warning,
    /// Something got better.
    Good,
    /// Background: reasons, units.
    Dim,
}

/// A stretch of text in one tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text, without line breaks.
    pub text: String,
    /// Its tone.
    pub tone: Tone,
}

/// One line of output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Styled {
    /// From left to right.
    pub pieces: Vec<Piece>,
}

impl Styled {
    /// A line in one tone.
    pub fn of(text: impl Into<String>, tone: Tone) -> Self {
        Self::default().with(text, tone)
    }

    /// A line that means nothing special.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::of(text, Tone::Plain)
    }

    /// Adds a piece at the end.
    #[must_use]
    pub fn with(mut self, text: impl Into<String>, tone: Tone) -> Self {
        self.pieces.push(Piece { text: text.into(), tone });
        self
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.chars().count()).sum()
    }
}

impl fmt::Display for Styled {
    /// The text alone; spaces at the end are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.pieces.iter().map(|piece| piece.text.as_str()).collect();
        f.write_str(text.trim_end())
    }
}

/// Lines as plain text, each ended by a line feed.
pub fn plain(lines: &[Styled]) -> String {
    lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n")
}
