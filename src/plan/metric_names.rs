//! The names of metrics, as scenarios and results spell them.
//!
//! Data only: what each measures is told where it is measured.

/// A metric's value is a span of time, or a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricSort {
    /// A span of time.
    Span,
    /// A whole number.
    Count,
}

/// Every metric, by name.
pub const METRICS: [(&str, MetricSort); 75] = {
    use MetricSort::{Count, Span};
    [
        ("etcd.first_campaign", Span),
        ("etcd.election", Span),
        ("etcd.campaign_rounds", Count),
        ("etcd.write_outage", Span),
        ("etcd.old_leader_step_down", Span),
        ("etcd.heal_write_outage", Span),
        ("etcd.put_time_to_error", Span),
        ("etcd.restart_to_leader", Span),
        ("etcd.restart_to_write", Span),
        ("etcd.cold_start_to_leader", Span),
        ("etcd.start_to_known_leader", Span),
        ("lb.mark_down", Span),
        ("lb.mark_up", Span),
        ("client.failed_requests", Count),
        ("client.last_affected_start", Span),
        ("client.longest_request", Span),
        ("client.recovery_spread", Span),
        ("client.reconnected", Span),
        ("vip.takeover", Span),
        ("vip.client_gap", Span),
        ("vip.dual_ownership", Span),
        ("vip.preempt_back", Span),
        ("scheduler.failover", Span),
        ("controller_manager.failover", Span),
        ("scheduler.first_binding", Span),
        ("controller_manager.first_action", Span),
        ("scheduler.old_leader_exit", Span),
        ("controller_manager.old_leader_exit", Span),
        ("scheduler.old_leader_exit_after_cont", Span),
        ("controller_manager.old_leader_exit_after_cont", Span),
        ("scheduler.old_leader_first_write_after_cont", Span),
        ("controller_manager.old_leader_first_write_after_cont", Span),
        ("scheduler.overlap", Span),
        ("controller_manager.overlap", Span),
        ("scheduler.acting_at_once", Count),
        ("controller_manager.acting_at_once", Count),
        ("scheduler.binding_conflicts", Count),
        ("api.read_outage", Span),
        ("api.write_outage", Span),
        ("api.read_failures", Count),
        ("api.write_failures", Count),
        ("api.read_last_failed_start", Span),
        ("api.write_last_failed_start", Span),
        ("api.recovery_read_outage", Span),
        ("api.recovery_write_outage", Span),
        ("apiserver.port_open", Span),
        ("apiserver.first_http", Span),
        ("apiserver.readyz", Span),
        ("apiserver.haproxy_up", Span),
        ("apiserver.probe_kill", Span),
        ("scheduler.start_to_candidacy", Span),
        ("controller_manager.start_to_candidacy", Span),
        ("quorum.leader_exit", Span),
        ("quorum.etcd_elected", Span),
        ("quorum.survivor_write_back", Span),
        ("quorum.restarted_write_back", Span),
        ("quorum.scheduler_lease_back", Span),
        ("quorum.controller_manager_lease_back", Span),
        ("restore.data_loss", Span),
        ("restore.lost_writes", Count),
        ("restore.service_back", Span),
        ("node.not_ready", Span),
        ("node.not_ready_after_last_renewal", Span),
        ("node.others_not_ready", Count),
        ("node.others_longest_not_ready", Span),
        ("node.no_execute", Span),
        ("pod.evicted", Span),
        ("pod.replaced", Span),
        ("informers.watching_again", Span),
        ("informers.storm", Span),
        ("informers.relists", Count),
        ("informers.turned_away", Count),
        ("informers.failed_requests", Count),
        ("informers.peak_rate", Count),
        ("informers.peak_connections", Count),
    ]
};

/// What sort of value the metric of that name has; `None` if there is no such metric.
pub fn metric_sort(name: &str) -> Option<MetricSort> {
    METRICS.iter().find(|(metric, _)| *metric == name).map(|(_, sort)| *sort)
}
