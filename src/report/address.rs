//! The words for what holders of the virtual address do.

use super::style::Tone;
use super::words::Said;
use crate::component::fact::{AddressFact, VrrpFact, VrrpState};

/// What a keepalived's change says.
pub(super) fn vrrp(from: &VrrpFact, to: &VrrpFact) -> Said {
    let mut said = Vec::new();
    if from.state != to.state {
        said.push(format!("becomes {}", vrrp_state(to.state)));
    }
    if from.holds != to.holds {
        said.push(if to.holds { "takes the address" } else { "gives the address up" }.to_owned());
    }
    if from.state == to.state && from.priority != to.priority && from.state != VrrpState::Init {
        said.push(format!("priority {} → {}", from.priority, to.priority));
    }
    let tone = match (from.holds, to.holds, to.state) {
        (false, true, _) => Tone::Good,
        (true, false, _) | (_, _, VrrpState::Fault) => Tone::Bad,
        _ => Tone::Plain,
    };
    (!said.is_empty()).then(|| (said.join(", "), tone))
}

/// What a kube-vip's change says.
pub(super) fn kube_vip(from: AddressFact, to: AddressFact) -> Said {
    match (from.holds, to.holds) {
        (false, true) => Some(("takes the address".to_owned(), Tone::Good)),
        (true, false) => Some(("gives the address up".to_owned(), Tone::Bad)),
        _ => None,
    }
}

/// What a kube-vip is at.
pub(super) fn kube_vip_state(fact: AddressFact) -> &'static str {
    if fact.leads { "leads" } else { "stands by" }
}

/// A VRRP state as keepalived logs it.
pub(super) fn vrrp_state(state: VrrpState) -> &'static str {
    match state {
        VrrpState::Init => "INIT",
        VrrpState::Backup => "BACKUP",
        VrrpState::Master => "MASTER",
        VrrpState::Fault => "FAULT",
    }
}
