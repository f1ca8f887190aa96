//! The terminal: where results and complaints go, and whether they are coloured.

use super::arguments::Color;
use super::terminal::Look;
use crate::report::style::{Piece, Styled, Tone};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

/// Columns that output is laid out for where nothing says otherwise.
const COLUMNS: usize = 80;

/// Standard output and standard error, with what is known of them.
pub struct Console {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    colour_out: bool,
    colour_err: bool,
    failed: Option<io::Error>,
}

impl Console {
    /// The streams of this process.
    pub fn of_process(color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let out = AutoStream::new(io::stdout(), choice);
        let err = AutoStream::new(io::stderr(), choice);
        let coloured = |choice: ColorChoice| choice != ColorChoice::Never;
        Self {
            colour_out: coloured(out.current_choice()),
            colour_err: coloured(err.current_choice()),
            out: Box::new(io::BufWriter::new(out)),
            err: Box::new(err),
            failed: None,
        }
    }

    /// How complaints are laid out.
    pub fn look(&self) -> Look {
        Look { colour: self.colour_err, width: COLUMNS }
    }

    /// How results are laid out.
    pub fn look_out(&self) -> Look {
        Look { colour: self.colour_out, width: COLUMNS }
    }

    /// Prints a result. A reader that has gone away (`| head`) is no error.
    pub fn print(&mut self, text: &str) {
        let printed = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        self.failed = self.failed.take().or(printed.err().filter(|error| !gone(error)));
    }

    /// Why a result could not be printed, if one could not: a full disk, say.
    pub fn failure(&mut self) -> Option<io::Error> {
        self.failed.take()
    }

    /// Prints lines with their tones as colours.
    pub fn print_lines(&mut self, lines: &[Styled]) {
        let text: String = lines.iter().map(|line| painted(line, self.colour_out)).collect();
        self.print(&text);
    }

    /// Complains. Nobody is left to tell about complaints that cannot be written.
    pub fn complain(&mut self, text: &str) {
        let _nobody = writeln!(self.err, "{text}").and_then(|()| self.err.flush());
    }
}

fn painted(line: &Styled, colour: bool) -> String {
    if !colour {
        return format!("{line}\n");
    }
    let paint = |piece: &Piece| {
        let style = style_of(piece.tone);
        format!("{style}{}{style:#}", piece.text)
    };
    let pieces: Vec<String> = line.pieces.iter().map(paint).collect();
    format!("{}\n", pieces.concat())
}

fn style_of(tone: Tone) -> Style {
    let colour = |c: AnsiColor| Style::new().fg_color(Some(c.into()));
    match tone {
        Tone::Plain => Style::new(),
        Tone::Heading => Style::new().bold(),
        Tone::Fault => colour(AnsiColor::Magenta).bold(),
        Tone::Bad => colour(AnsiColor::Red),
        Tone::Warning => colour(AnsiColor::Yellow),
        Tone::Good => colour(AnsiColor::Green),
        Tone::Dim => Style::new().dimmed(),
    }
}
