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
        if self.slots.len() + self.outages.len() <= 64 {
            let bit = |(at, down): (usize, bool)| u64::from(down) << at;
            return Some(
                slots.chain(outages).enumerate().map(bit).fold(0, |all, bit| all | bit).into(),
            );
        }
        let bit = |(at, down): (usize, bool)| u128::from(down) << at;
        Some(slots.chain(outages).enumerate().map(bit).fold(0, |all, bit| all | bit))
    }

    /// Lets machines be down or up, by their numbers, whatever their clocks say.
    pub(in crate::reliability) fn stand(&mut self, down: impl Fn(usize) -> bool) {
        for (at, slot) in self.slots.iter_mut().enumerate() {
            slot.state = if down(at) { State::Repairing } else { State::Up };
        }
    }
}
