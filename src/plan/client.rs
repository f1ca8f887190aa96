//! Clients: who asks what of whom, and how often.

use crate::component::id::ComponentId;
use crate::component::record::RequestClass;
use crate::kernel::time::Duration;

/// To whom a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientTarget {
    /// The address that clients use, over whatever stands before the API servers.
    Endpoint,
    /// These servers, each polled on its own schedule (etcd members, or API servers).
    Servers(Vec<ComponentId>),
}

/// A client with a stated schedule: one request every `every`, not waiting for earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientPlan {
    /// Its name.
    pub name: String,
    /// What it asks for, in turn for each listed class at the same instants.
    pub class: RequestClass,
    /// Between requests.
    pub every: Duration,
    /// When it gives a request up.
    pub timeout: Duration,
    /// To whom.
    pub target: ClientTarget,
}
