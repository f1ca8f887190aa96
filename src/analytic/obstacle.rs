//! What stands in the way of an exact answer.

use crate::component::id::Kind;
use crate::kernel::law::Law;
use crate::plan::Plan;
use crate::plan::service::Endpoint;
use crate::plan::timings::Timing;

/// One thing that the exact solution cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Where it is in a scenario: `reliability.machines.controlPlane`, `timings["vip.takeover"]`.
    pub place: String,
    /// What it is, in a sentence without its full stop.
    pub message: String,
}

impl Obstacle {
    /// A law without stages.
    pub(super) fn law(place: impl Into<String>, law: &Law) -> Obstacle {
        let name = match law {
            Law::Fixed(_) => "a fixed span",
            Law::Uniform { .. } => "a uniform law",
            Law::Weibull { .. } => "a Weibull law",
            Law::LogNormal { .. } => "a lognormal law",
            Law::Gamma { .. } => "a gamma law whose shape is not a small whole number",
            Law::Erlang { .. } => "an Erlang law of more than 400 stages",
            Law::Empirical(_) => "a law of samples",
            Law::Hyperexponential { .. } => "a hyperexponential law of more than 400 branches",
            Law::Exponential { .. } => "a law",
        };
        let message = format!("{name} has no exponential stages");
        Obstacle { place: place.into(), message }
    }

    /// A timing that is left to its protocol.
    pub(super) fn protocol(timing: Timing) -> Obstacle {
        let place = format!("timings[\"{}\"]", timing.name());
        let message = "the protocol's own timers decide; give it a law, or all of them with the preset `ideal`";
        Obstacle { place, message: message.to_owned() }
    }

    /// An endpoint for which the chain has no state.
    pub(super) fn endpoint(plan: &Plan) -> Option<Obstacle> {
        let message = if matches!(plan.services.endpoint, Endpoint::Dns { .. }) {
            "a name's dead addresses are chosen until somebody changes it, and nobody does at a rate"
        } else if plan.map.of_kind(Kind::KubeVip).next().is_some() {
            "kube-vip is elected through the API that its address leads to"
        } else {
            return None;
        };
        Some(Obstacle::other("cluster.endpoint.kind", message))
    }

    /// Anything else.
    pub(super) fn other(place: impl Into<String>, message: impl Into<String>) -> Obstacle {
        Obstacle { place: place.into(), message: message.into() }
    }
}
