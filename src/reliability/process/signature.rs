//! What is up, as bits.

use super::{Process, State};

/// A bit for each thing that is not up and for each common outage under way.
pub type Signature = [u64; 2];

impl Process<'_> {
    /// What is not up now; `None` where there is no room for everything that can fail.
    #[inline]
    pub fn signature(&self) -> Option<Signature> {
        (self.slots.len() + self.outages.len() <= 128).then_some(self.down)
    }

    /// Lets a slot be in this state.
    #[inline]
    pub(super) fn put(&mut self, at: usize, state: State) {
        self.slots[at].state = state;
        self.mark(at, state != State::Up);
    }

    /// Keeps in mind whether a slot, or an outage by its number after them, is down.
    #[inline]
    pub(super) fn mark(&mut self, number: usize, down: bool) {
        if let Some(word) = self.down.get_mut(number / 64) {
            *word = *word & !(1 << (number % 64)) | u64::from(down) << (number % 64);
        }
    }

    /// Lets machines be down or up, by their numbers, whatever their clocks say.
    pub(in crate::reliability) fn stand(&mut self, down: impl Fn(usize) -> bool) {
        for at in 0..self.slots.len() {
            self.put(at, if down(at) { State::Repairing } else { State::Up });
        }
    }
}
