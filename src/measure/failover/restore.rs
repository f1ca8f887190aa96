//! What a restore of etcd costs: writes, and time without service.
//!
//! Absent on purpose: the decision to restore, which is the operator's moment.

use super::{Metric, Value, count, span};
use crate::component::record::Record;
use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::plan::service::Service;

pub(super) const METRICS: &[Metric] = &[
    span("restore.data_loss", "the snapshot to the loss of quorum: what is lost (RPO)", data_loss),
    count("restore.lost_writes", "entries of the log that the snapshot lacks", lost_writes),
    span("restore.service_back", "loss of quorum until it is back (RTO)", service_back),
];

/// When the snapshots were taken that members were restored from, when that was, and what they lack.
fn restored<'a>(case: &Case<'a>) -> impl Iterator<Item = (Time, Time, u64)> + use<'a> {
    case.history.records().filter_map(|recorded| match recorded.record {
        Record::Restored { taken, lost } => Some((recorded.at, taken, lost)),
        _ => None,
    })
}

/// When the quorum was lost that the first restore brought back.
fn loss(case: &Case) -> Option<Time> {
    let (at, ..) = restored(case).next()?;
    let track = case.history.track(Service::EtcdQuorum)?;
    let before = track.steps.iter().rev().find(|step| step.at <= at)?;
    before.share.is_none().then_some(before.at)
}

fn data_loss(case: &Case) -> Option<Value> {
    let (_, taken, _) = restored(case).next()?;
    Some(Value::Duration(loss(case)?.saturating_since(taken)))
}

fn lost_writes(case: &Case) -> Option<Value> {
    restored(case).map(|(_, _, lost)| lost).max().map(Value::Count)
}

fn service_back(case: &Case) -> Option<Value> {
    let loss = loss(case)?;
    let track = case.history.track(Service::EtcdQuorum)?;
    let back = track.steps.iter().find(|step| step.at > loss && !step.share.is_none())?;
    Some(Value::Duration(back.at.since(loss)))
}
