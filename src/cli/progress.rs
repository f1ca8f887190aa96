//! Progress on a terminal, a time limit, and the first interrupt, which ends a study in order.

#![expect(clippy::disallowed_types, reason = "a time limit is in the user's own time")]

use crate::experiment::trials::Guide;
use crate::kernel::time::Duration;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{self, Instant};

/// Set by the first interrupt. A signal has no other way to speak.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Exit code of a second interrupt, as shells give it: 128 + SIGINT.
const KILLED: i32 = 130;

/// How often the bar is drawn, per second.
const DRAWS: u8 = 8;

/// Why trials ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// They were all done, or enough.
    Done,
    /// The time that they might take is over.
    TimeOver,
    /// The user asked to.
    Interrupted,
}

/// Watches trials.
pub(super) struct Progress {
    bar: ProgressBar,
    deadline: Option<Instant>,
}

impl Progress {
    /// Starts to watch; `done` of `all` trials are done already. The bar shows on a terminal only.
    pub(super) fn start(done: u64, all: u64, limit: Option<Duration>) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS);
        let bar = ProgressBar::with_draw_target(Some(all), target).with_position(done);
        let style = "{bar:30} {human_pos} of {human_len} trials, {elapsed} gone, {eta} to go";
        bar.set_style(
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.reset_eta();
        // Where no handler can be set, an interrupt ends the process, as it would without hasim.
        let _ = ctrlc::set_handler(interrupt);
        Self { bar, deadline: limit.and_then(after) }
    }

    /// Takes the bar away; why the trials ended.
    pub(super) fn finish(&self) -> Ended {
        self.bar.finish_and_clear();
        if INTERRUPTED.load(Ordering::Relaxed) {
            Ended::Interrupted
        } else if self.time_is_over() {
            Ended::TimeOver
        } else {
            Ended::Done
        }
    }

    fn time_is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

impl Guide for Progress {
    fn ended(&self, trials: u64) {
        self.bar.inc(trials);
    }

    fn stop(&self) -> bool {
        INTERRUPTED.load(Ordering::Relaxed) || self.time_is_over()
    }
}

fn after(limit: Duration) -> Option<Instant> {
    Instant::now().checked_add(time::Duration::from_nanos(limit.as_nanos()))
}

#[expect(clippy::exit, reason = "the second interrupt means now")]
fn interrupt() {
    if INTERRUPTED.swap(true, Ordering::Relaxed) {
        std::process::exit(KILLED);
    }
}
