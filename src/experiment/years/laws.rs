//! A trial in which every protocol is replaced by laws: the failure process alone.

use super::ledger::{MEASURES, YearRow};
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::reliability::course::Course;
use crate::reliability::ideal::Measure;

/// Everything up.
const ALL_UP: u8 = u8::MAX >> (8 - MEASURES);

/// One trial of so many years.
pub fn trial(course: &mut impl Course, key: Key, span: Duration) -> YearRow {
    course.reset(key);
    let mut row = YearRow { span: span.as_nanos(), ..YearRow::default() };
    let mut began = [None::<u64>; MEASURES];
    let (mut at, end) = (0, span.as_nanos());
    let mut levels = course.levels();
    loop {
        let next = course.next().nanos().min(end);
        for (index, measure) in Measure::ALL.into_iter().enumerate().filter(|_| levels != ALL_UP) {
            if levels >> index & 1 == 0 {
                row.measures[index].reasons[course.reason(measure) as usize] += next - at;
            }
        }
        let beside = lost(course.share_served(), next - at);
        row.lost += beside;
        let served = [Measure::ApiReadCached, Measure::ApiRead, Measure::ApiWrite];
        for measure in served.into_iter().filter(|_| beside > 0) {
            if levels >> measure as usize & 1 == 1 {
                row.measures[measure as usize].unserved += beside;
            }
        }
        at = next;
        if at >= end {
            break;
        }
        course.step();
        row.events += 1;
        let now = course.levels();
        if now == levels {
            continue;
        }
        for (index, (spell, began)) in row.measures.iter_mut().zip(&mut began).enumerate() {
            let (was, is) = (levels >> index & 1 == 1, now >> index & 1 == 1);
            match (was, is) {
                (true, false) => {
                    spell.outages += 1;
                    spell.first.get_or_insert(at);
                    *began = Some(at);
                }
                (false, true) => spell.end(began.take(), at),
                _ => {}
            }
        }
        levels = now;
    }
    for (spell, began) in row.measures.iter_mut().zip(began) {
        spell.end(began, end);
    }
    row
}

/// Nanoseconds' worth of requests that are lost at this share.
pub(super) fn lost(share: f64, span: u64) -> u64 {
    if share >= 1.0 {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the span")]
    let lost = ((1.0 - share) * span as f64).round() as u64;
    lost
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
