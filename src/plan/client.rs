//! Clients: who asks what of whom, and how often.

use crate::component::id::ComponentId;
use crate::component::record::RequestClass;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;

/// To whom a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientTarget {
    /// The address that clients use, over whatever stands before the API servers.
    Endpoint,
    /// These servers, each polled on its own schedule (etcd members, or API servers).
    Servers(Vec<ComponentId>),
}

/// Stretches in which a client's machine has no processor for it: an answer is noted at their end.
#[derive(Clone, Debug, PartialEq)]
pub struct Stalls {
    /// Mean time between them; they come at random.
    pub every: Duration,
    /// How long each lasts.
    pub length: Law,
}

/// A client with a stated schedule: one request every `every`, not waiting for earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientPlan {
    /// Its name.
    pub name: String,
    /// What it asks for, in turn for each listed class at the same instants.
    pub class: RequestClass,
    /// Between requests.
    pub every: Duration,
    /// When it gives a request up.
    pub timeout: Duration,
    /// When its machine keeps it from noting answers; `None`: never.
    pub stalls: Option<Stalls>,
    /// How much later than it came each answer is noted; `None`: at once.
    pub delay: Option<Law>,
    /// To whom.
    pub target: ClientTarget,
}
