//! What a busy machine makes of the answers that its client gets: an answer that comes while the client
//! has no processor is noted when it gets one, and every answer waits a little for its turn.
//!
//! Stalls come at random and are the same for all clients of a trial that have the same law, since they
//! stand on one machine.

use crate::component::id::ComponentId;
use crate::kernel::law::Law;
use crate::kernel::stream::{Key, StreamName};
use crate::kernel::time::{Duration, Time};
use crate::plan::client::Stalls;

/// Purposes of the draws.
const GAP_DRAW: u32 = 0;
const LENGTH_DRAW: u32 = 1;
const DELAY_DRAW: u32 = 0;

/// By how much a client notes an answer late, for itself: the instant at which it came names the draw,
/// so that it is the same in each metric and however the answer was simulated.
pub(super) fn delay(law: &Law, key: Key, client: ComponentId, came: Time) -> Duration {
    let stream = StreamName::of("delays of the clients' answers").part(u64::from(client.0));
    law.sample(&mut key.draw(stream, DELAY_DRAW, came.since(Time::START).as_nanos()))
}

/// The stalls of a trial up to an instant, in order, each from its beginning to its end.
pub(super) fn of(stalls: &Stalls, key: Key, until: Time) -> Vec<(Time, Time)> {
    let stream = StreamName::of("stalls of the clients' machine");
    let mut found = Vec::new();
    let mut at = Time::START;
    for number in 0.. {
        let mean = stalls.every;
        let gap = Law::Exponential { mean }.sample(&mut key.draw(stream, GAP_DRAW, number));
        let length = stalls.length.sample(&mut key.draw(stream, LENGTH_DRAW, number));
        at += gap.max(Duration::from_nanos(1));
        if at >= until {
            break;
        }
        let end = at + length;
        found.push((at, end));
        at = end;
    }
    found
}
