//! A trial in which every protocol is replaced by laws: the failure process alone.

use super::ledger::{MEASURES, YearRow};
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::reliability::course::Course;
use crate::reliability::ideal::Measure;

/// One trial of so many years.
pub fn trial(course: &mut impl Course, key: Key, span: Duration) -> YearRow {
    course.reset(key);
    let mut row = YearRow { span: span.as_nanos(), ..YearRow::default() };
    let mut began = [0; MEASURES];
    let (mut at, end) = (0, span.as_nanos());
    let mut levels = course.levels();
    mark(&mut row, &mut began, !levels, at);
    loop {
        let next = course.next().nanos().min(end);
        spend(&mut row, course, levels, (at, next));
        at = next;
        if at >= end {
            break;
        }
        course.step();
        row.events += 1;
        let now = course.levels();
        if now != levels {
            mark(&mut row, &mut began, levels & !now, at);
            each(now & !levels, |index| row.measures[index].end(Some(began[index]), at));
            levels = now;
        }
    }
    each(!levels, |index| row.measures[index].end(Some(began[index]), end));
    row
}

/// What goes down.
fn mark(row: &mut YearRow, began: &mut [u64; MEASURES], down: u8, at: u64) {
    each(down, |index| {
        row.measures[index].outages += 1;
        row.measures[index].first.get_or_insert(at);
        began[index] = at;
    });
}

/// Time passes with this up.
fn spend(row: &mut YearRow, course: &mut impl Course, levels: u8, (mut at, end): (u64, u64)) {
    if levels != u8::MAX {
        let span = end - at;
        course.blame(!levels, |index, reason| {
            row.measures[index].reasons[reason as usize] += span;
        });
    }
    while at < end {
        let share = course.share_served();
        if share >= 1.0 {
            return;
        }
        let drifts = course.drift(Time::START + Duration::from_nanos(end));
        let until = drifts.map_or(end, Nanos::nanos);
        let beside = lost(share, until - at);
        at = until;
        row.lost += beside;
        for measure in [Measure::ApiReadCached, Measure::ApiRead, Measure::ApiWrite] {
            if levels >> measure as usize & 1 == 1 {
                row.measures[measure as usize].unserved += beside;
            }
        }
    }
}

/// Each measure whose bit is set.
#[inline]
fn each(mut bits: u8, mut act: impl FnMut(usize)) {
    while bits != 0 {
        act(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// Nanoseconds' worth of requests that are lost at this share.
pub(super) fn lost(share: f64, span: u64) -> u64 {
    if share >= 1.0 {
        return 0;
    }
    // Not `round`: without SSE4.1 that is a call.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "about the span")]
    let lost = ((1.0 - share) * span as f64 + 0.5) as u64;
    lost.min(span)
}

/// The instant as a plain number.
pub(super) trait Nanos {
    /// Nanoseconds since time 0.
    fn nanos(self) -> u64;
}

impl Nanos for Time {
    fn nanos(self) -> u64 {
        self.saturating_since(Time::START).as_nanos()
    }
}
