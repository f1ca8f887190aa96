//! What holders of a virtual address have in common, whichever program keeps it: when repeating an
//! announcement tells anybody something.

use crate::component::{ComponentId, View};

/// Whether an announcement of the holder `view.me` would be news: to one who sends to another holder,
/// or may come to because there is one among `peers`. All others hear what they know.
pub(super) fn is_disputed(peers: &[ComponentId], view: &View) -> bool {
    let mut entries = view.all.neighbours.iter().zip(&view.all.machines);
    let astray = entries
        .any(|(entry, machine)| machine.powered && entry.is_some_and(|holder| holder != view.me));
    astray || peers.iter().any(|peer| view.fact(*peer).held().is_some())
}
