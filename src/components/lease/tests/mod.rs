//! Laws of leader election: against the eager twin, against closed forms and published quantiles, and
//! against measured failovers.

pub(crate) mod arena;
mod eager;
mod measured;
mod takeover;
mod twin;

use super::{ClientGo, Election};
use crate::kernel::time::{Duration, Time};

/// leaseDuration, renewDeadline and retryPeriod in seconds.
fn election(seconds: (u64, u64, u64), client_go: ClientGo) -> Election {
    let renew_deadline = Duration::from_secs(seconds.1);
    Election {
        lease_duration: Duration::from_secs(seconds.0),
        renew_deadline,
        retry_period: Duration::from_secs(seconds.2),
        client_timeout: client_go.request_timeout(renew_deadline),
        release_on_cancel: false,
        by_node: false,
        client_go,
        connection: None,
    }
}

const DEFAULTS: (u64, u64, u64) = (15, 10, 2);

fn seconds(s: f64) -> Time {
    Time::START + Duration::from_secs_f64(s).unwrap()
}

/// Seconds since the start of the run.
fn since_start(at: Time) -> f64 {
    at.since(Time::START).as_secs_f64()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index below the number of samples"
)]
fn quantile(sorted: &[f64], p: f64) -> f64 {
    sorted[((sorted.len() as f64 * p) as usize).min(sorted.len() - 1)]
}

fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len() as f64
}
