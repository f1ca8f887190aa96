//! Who holds a virtual address, whichever program keeps it: what neighbours and clients can observe.
//!
//! Absent on purpose: how holders come to it, which is keepalived's and kube-vip's.

use super::fact::{Fact, VrrpFact};
use crate::kernel::time::Time;
use serde::Serialize;

/// What can be observed of a kube-vip instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressFact {
    /// It believes that it holds the Lease.
    pub leads: bool,
    /// The address is configured on the machine; it stays behind when the process is killed.
    pub holds: bool,
    /// When it last announced the address by gratuitous ARP.
    pub announced: Option<Time>,
}

/// An address as it is configured on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When its holder last announced it by gratuitous ARP.
    pub announced: Option<Time>,
}

impl Fact {
    /// The virtual address on this component's machine; `None` if it is not configured there.
    pub fn held(&self) -> Option<Held> {
        match *self {
            Fact::Vrrp(VrrpFact { holds: true, announced, .. })
            | Fact::KubeVip(AddressFact { holds: true, announced, .. }) => Some(Held { announced }),
            _ => None,
        }
    }

    /// When the virtual address was last announced, by a component that may hold it.
    pub fn announced(&self) -> Option<Time> {
        match *self {
            Fact::Vrrp(VrrpFact { announced, .. })
            | Fact::KubeVip(AddressFact { announced, .. }) => announced,
            _ => None,
        }
    }

    /// Whether this is what a component says that may hold a virtual address.
    pub fn is_of_address(&self) -> bool {
        matches!(self, Fact::Vrrp(_) | Fact::KubeVip(_))
    }
}
