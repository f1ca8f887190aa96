//! What VRRP's states allow, whatever is lost on the way.
//!
//! An address that a killed daemon left on its machine is nobody's state: its instance is in INIT.
//! Absent on purpose: how many hold the address, which partitions decide.

use super::{Law, Violation};
use crate::component::fact::{Fact, VrrpFact, VrrpState};
use crate::kernel::time::Time;
use crate::measure::case::Case;

/// The priority of an instance that owns the address: it is MASTER from its start.
const OWNER: u8 = 255;

/// What a change of state breaks, in words.
fn broken(from: &VrrpFact, to: &VrrpFact) -> Option<&'static str> {
    match (from.state, to.state) {
        (_, VrrpState::Master) if !to.holds => Some("is MASTER without the address"),
        (_, VrrpState::Backup | VrrpState::Fault) if to.holds => {
            Some("holds the address without being MASTER")
        }
        (VrrpState::Fault, VrrpState::Master) => Some("becomes MASTER straight from FAULT"),
        (VrrpState::Init, VrrpState::Master) if to.priority != OWNER => {
            Some("becomes MASTER at its start without owning the address")
        }
        _ => None,
    }
}

/// Every change that breaks them. What a settled run begins with has no change before it.
pub(super) fn rules(case: &Case) -> Vec<Violation> {
    let mut found = Vec::new();
    for change in case.history.facts().filter(|change| change.at > Time::START) {
        let (Fact::Vrrp(from), Fact::Vrrp(to)) = (change.from, change.to) else { continue };
        if let Some(what) = broken(from, to) {
            let what = format!("{} {what}", case.plan.map.name(change.of));
            found.push(Violation { law: Law::VrrpRules, at: change.at, what });
        }
    }
    found
}
