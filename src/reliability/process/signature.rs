//! What is up, as one number.

use super::{Process, State};

impl Process<'_> {
    /// A bit for each thing that is not up and for each common outage under way; `None` where 128
    /// bits do not hold them.
    pub fn signature(&self) -> Option<u128> {
        if self.slots.len() + self.outages.len() > 128 {
            return None;
        }
        let slots = self.slots.iter().map(|slot| slot.state != State::Up);
        let outages = self.outages.iter().map(|outage| outage.away);
        let bit = |(at, down): (usize, bool)| u128::from(down) << at;
        Some(slots.chain(outages).enumerate().map(bit).fold(0, |all, bit| all | bit))
    }
}
