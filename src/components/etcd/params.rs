//! The options of an etcd member, with their defaults and what etcd refuses.
//!
//! Absent on purpose: options that change nothing here (URLs, TLS, quotas, compaction).

use super::idealised::{ElectionTimer, LogLag};
use crate::component::param::{Problem, params};
use crate::component::versions::Version;
use crate::kernel::law::Law;
use crate::kernel::stream::Draw;
use crate::kernel::time::Duration;

/// The tick of a raft whose time is continuous: short enough to tell in no result, long enough for a
/// clock's rate to show in it.
const GRAIN: Duration = Duration::from_micros(1);

/// Length of the log at a settled start: any that leaves room before it would do.
pub(super) const SETTLED_LOG: u64 = 1000;

/// The longest election-timeout that etcd accepts (server/embed/config.go, `maxElectionMs`).
const ELECTION_MAX: Duration = Duration::from_secs(50);

params! {
    /// Options of an etcd member; from `fsync` on they describe the machine it runs on, and the last
    /// three make it another implementation of raft than etcd.
    pub struct EtcdParams {
        /// Time between the leader's heartbeats, and the length of a raft tick.
        heartbeat_interval: Duration = "heartbeat-interval", |_v| Duration::from_millis(100),
            "etcd --heartbeat-interval";
        /// Least time without a leader after which a follower campaigns; it waits up to twice as long.
        ///
        /// In whole ticks, rounded down. At least five heartbeat-intervals, at most 50 s.
        election_timeout: Duration = "election-timeout", |_v| Duration::from_secs(1),
            "etcd --election-timeout";
        /// Whether a member asks if it could win before it raises its term.
        ///
        /// Without it a member that returns from isolation deposes the leader.
        pre_vote: bool = "pre-vote", |v| v.etcd.at_least(3, 5),
            "etcd --pre-vote: false in 3.4, true from 3.5";
        /// Whether a member that starts next to two connected peers skips most of its first wait.
        initial_election_tick_advance: bool = "initial-election-tick-advance", |_v| true,
            "etcd --initial-election-tick-advance";
        /// Entries between snapshots to disk; up to 3.5 also how long the log grows beyond the 5000
        /// entries that are kept for members that lag.
        snapshot_count: u32 = "snapshot-count",
            |v| if v.etcd.at_least(3, 6) { 10_000 } else { 100_000 },
            "etcd --snapshot-count: 100000 up to 3.5, 10000 from 3.6";
        /// Whether a change of members is refused that would put the quorum at risk: not all voters
        /// connected for 5 s when one is added, too few when one is removed.
        strict_reconfig_check: bool = "strict-reconfig-check", |_v| true,
            "etcd --strict-reconfig-check";
        /// How long the disk takes to make log entries and votes durable.
        fsync: Law = "fsync", |_v| Law::Fixed(Duration::from_millis(5)),
            "model: half of the 10 ms that etcd's hardware guide asks of the 99th percentile";
        /// From the start of the process to its first raft tick: reading snapshot and log.
        startup: Law = "startup",
            |_v| Law::Uniform { from: Duration::from_millis(50), to: Duration::from_millis(150) },
            "measured: about 0.1 s with a small data directory";
        /// From the commit of an entry to its answer: applying it to the key-value store.
        apply: Duration = "apply", |_v| Duration::ZERO,
            "model: negligible next to fsync";
        /// How long a snapshot takes to reach and enter a member that lags too far behind.
        snapshot_transfer: Law = "snapshot-transfer", |_v| Law::Fixed(Duration::from_secs(1)),
            "model: 100 MB at 100 MB/s";
        /// From SIGTERM until the process gets to it: more where processors are short.
        signal_delay: Law = "signal-delay", |_v| Law::Fixed(Duration::ZERO), "model: at once";
        /// From the end of a leadership transfer (or from SIGTERM of a follower) to the exit.
        shutdown: Law = "shutdown", |_v| Law::Fixed(Duration::from_millis(170)),
            "measured: exit 0.27 s after SIGTERM, the transfer's poll taking 0.1 s of it";
        /// How long a follower waits for a leader before it campaigns: `ticks`, as etcd does, or a law
        /// of continuous time, as in the literature and in other implementations.
        ///
        /// With a law, `election-timeout` is only the span of check-quorum and of the lease that
        /// ignores votes; heartbeats are `heartbeat-interval` apart from the start of leadership, which
        /// must be less than the law's least value. No ticks are skipped at the start then.
        randomized_election_timeout: ElectionTimer = "randomized-election-timeout",
            |_v| ElectionTimer::Ticks, "etcd-io/raft raft.go, randomizedElectionTimeout: in ticks";
        /// Whether a leader steps down that a majority has not answered within `election-timeout`, and
        /// whether members ignore votes while they have heard a leader within it.
        check_quorum: bool = "check-quorum", |_v| true,
            "etcd-io/raft Config.CheckQuorum: etcd sets it";
        /// How many entries of the leader's log each member lacks when a settled run begins, in the
        /// order of the members: entries under way that end with their leader. A member gets them with
        /// the next request that reaches it from a leader.
        log_lag: LogLag = "log-lag", |_v| LogLag::default(),
            "model: everybody has everything";
    }
}

impl EtcdParams {
    /// How long etcd waits for a request before it answers with a time-out: 5 s + 2 election-timeouts
    /// (`ReqTimeout`, server/config).
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(5) + self.election_timeout * 2
    }

    /// Whether time-outs are counted in ticks, as etcd does.
    pub fn is_ticking(&self) -> bool {
        self.randomized_election_timeout == ElectionTimer::Ticks
    }

    /// Contradictions between options, as etcd treats them.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = match &self.randomized_election_timeout {
            ElectionTimer::Ticks => self.check_ticks(),
            ElectionTimer::Law(law) => self.check_law(law),
        };
        for (field, law) in [
            ("fsync", &self.fsync),
            ("startup", &self.startup),
            ("snapshot-transfer", &self.snapshot_transfer),
            ("shutdown", &self.shutdown),
        ] {
            if let Err(error) = law.check() {
                problems.push(refused(field, error.to_string(), "write a fixed duration or a law"));
            }
        }
        if self.log_lag.most() > SETTLED_LOG {
            let message = format!("a log of {SETTLED_LOG} entries cannot lack more of them");
            problems.push(refused("log-lag", message, "any number above 0 decides votes alike"));
        }
        problems
    }

    /// What etcd refuses.
    fn check_ticks(&self) -> Vec<Problem> {
        let (heartbeat, election) = (self.heartbeat_interval, self.election_timeout);
        let mut problems = Vec::new();
        if heartbeat.is_zero() {
            let message = "`heartbeat-interval` must be above 0".to_owned();
            problems.push(refused("heartbeat-interval", message, "the default is 100ms"));
        } else if election < heartbeat * 5 {
            let message = format!(
                "--election-timeout[{election}] should be at least as 5 times as \
                 --heartbeat-interval[{heartbeat}]"
            );
            problems.push(refused(
                "election-timeout",
                message,
                "etcd refuses to start; the defaults are 1s and 100ms",
            ));
        }
        if election > ELECTION_MAX {
            let message = format!(
                "--election-timeout[{election}] is too long, and should be set less than 50s"
            );
            problems.push(refused("election-timeout", message, "etcd refuses to start"));
        }
        problems
    }

    /// What no raft can work with, whatever its clock.
    fn check_law(&self, law: &Law) -> Vec<Problem> {
        const FIELD: &str = "randomized-election-timeout";
        let (heartbeat, election) = (self.heartbeat_interval, self.election_timeout);
        if let Err(error) = law.check() {
            return vec![refused(FIELD, error.to_string(), "write `ticks` or a law")];
        }
        let mut problems = Vec::new();
        for (field, span) in [("heartbeat-interval", heartbeat), ("election-timeout", election)] {
            if span < GRAIN {
                let message = format!("`{field}` must be {GRAIN} or more");
                problems.push(refused(field, message, "the defaults are 100ms and 1s"));
            }
        }
        let least = Duration::from_secs_f64(law.quantile(0.0)).unwrap_or(Duration::ZERO);
        if heartbeat >= least {
            let message =
                format!("`{FIELD}` can be {least}, and heartbeats are {heartbeat} apart");
            let help = "followers would campaign between two heartbeats; half of the least \
                        time-out is usual";
            problems.push(refused(FIELD, message, help));
        } else if self.check_quorum && election > least {
            let message = format!(
                "members ignore votes for `election-timeout`, {election}, but may campaign after \
                 {least}"
            );
            let help = format!("set `election-timeout` to {least}, or `check-quorum` to false");
            problems.push(Problem { field: "election-timeout", message, help, fatal: false });
        }
        problems
    }
}

fn refused(field: &'static str, message: String, help: &str) -> Problem {
    Problem { field, message, help: help.to_owned(), fatal: true }
}

/// The options as the machine uses them, with what follows from them.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Between a leader's heartbeats: heartbeat-interval.
    pub(super) heartbeat: Duration,
    /// Length of a raft tick: heartbeat-interval, or next to nothing where time is continuous.
    pub(super) tick: Duration,
    /// `ElectionTicks`: election-timeout in whole ticks.
    pub(super) ticks: u64,
    /// How long etcd waits for a request before it answers with a time-out.
    pub(super) request_timeout: Duration,
    /// How often a read index is asked for again (`readIndexRetryTime`). None before 3.5, but for the
    /// patch releases of 3.4 from 20 on (etcd-io/etcd PR 14258 and 14269).
    pub(super) read_retry: Option<Duration>,
    /// Up to 3.4 `/health` fails at once without a leader.
    pub(super) health_needs_leader: bool,
    /// From 3.6 the log in memory is cut every 100 entries, not with each snapshot.
    pub(super) short_log: bool,
    /// The longest sync that nobody takes for a death: the shortest random time-out, less the tick in
    /// which a follower counts and the one by which the last heartbeat may lie back.
    pub(super) patience: Duration,
    /// The share of syncs that last longer than that.
    pub(super) long_syncs: f64,
    /// Mean of `fsync`.
    pub(super) sync: Duration,
    /// The options themselves.
    pub(super) options: EtcdParams,
}

/// Entries kept behind a snapshot for members that lag (`DefaultSnapshotCatchUpEntries`).
const CATCH_UP_ENTRIES: u64 = 5000;

impl Rules {
    /// What follows from the options in a release.
    pub(super) fn new(options: &EtcdParams, release: Version) -> Self {
        let heartbeat = options.heartbeat_interval;
        let continuous = options.randomized_election_timeout != ElectionTimer::Ticks;
        let tick = if continuous { GRAIN } else { heartbeat };
        let patience = options.election_timeout.saturating_sub(heartbeat * 2);
        Self {
            heartbeat,
            tick,
            ticks: options.election_timeout / tick,
            request_timeout: options.request_timeout(),
            read_retry: (release >= Version { major: 3, minor: 4, patch: 20 })
                .then(|| Duration::from_millis(500)),
            health_needs_leader: !release.at_least(3, 5),
            short_log: release.at_least(3, 6),
            patience,
            long_syncs: super::slow_disk::share(&options.fsync, patience),
            sync: Duration::from_secs_f64(options.fsync.mean()).unwrap_or(Duration::ZERO),
            options: options.clone(),
        }
    }

    /// A random time-out in ticks, at least one.
    pub(super) fn draw_timeout(&self, mut draw: Draw) -> u64 {
        match &self.options.randomized_election_timeout {
            ElectionTimer::Ticks => self.ticks + draw.below(self.ticks),
            ElectionTimer::Law(law) => (law.sample(&mut draw) / self.tick).max(1),
        }
    }

    /// Whether a member that starts may skip most of its first wait.
    pub(super) fn skips_ticks(&self) -> bool {
        self.options.initial_election_tick_advance && self.tick == self.heartbeat
    }

    /// The first entry that a leader whose log ends at `last` still has in memory.
    pub(super) fn first_retained(&self, last: u64) -> u64 {
        let every = if self.short_log { 100 } else { u64::from(self.options.snapshot_count.max(1)) };
        (last / every * every).saturating_sub(CATCH_UP_ENTRIES) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::param::Params;
    use crate::component::versions::Versions;

    /// Law: etcd refuses what etcd refuses, in its own words.
    #[test]
    fn contradictions_are_those_that_etcd_refuses() {
        let good = EtcdParams::defaults(&Versions::default());
        assert_eq!(good.check(), []);
        let short = EtcdParams { election_timeout: Duration::from_millis(300), ..good.clone() };
        let problem = &short.check()[0];
        assert!(problem.fatal && problem.message.contains("[300ms] should be at least as 5 times"));
        let long = EtcdParams { election_timeout: Duration::from_secs(51), ..good.clone() };
        assert!(long.check()[0].message.contains("less than 50s"));
        let none = EtcdParams { heartbeat_interval: Duration::ZERO, ..good };
        assert_eq!(none.check()[0].field, "heartbeat-interval");
    }

    /// Law: a law of continuous time frees heartbeats from etcd's rule, but not from raft's.
    #[test]
    fn a_law_of_time_outs_must_leave_room_for_heartbeats() {
        let law = |from, to| {
            let (from, to) = (Duration::from_millis(from), Duration::from_millis(to));
            ElectionTimer::Law(Law::Uniform { from, to })
        };
        let good = EtcdParams {
            randomized_election_timeout: law(150, 300),
            heartbeat_interval: Duration::from_millis(75),
            election_timeout: Duration::from_millis(150),
            ..EtcdParams::defaults(&Versions::default())
        };
        assert_eq!(good.check(), []);
        let late = EtcdParams { randomized_election_timeout: law(75, 300), ..good.clone() };
        assert!(late.check()[0].fatal && late.check()[0].message.contains("75ms apart"));
        let sticky = EtcdParams { election_timeout: Duration::from_millis(200), ..good.clone() };
        assert!(!sticky.check()[0].fatal);
        let free = EtcdParams { check_quorum: false, ..sticky };
        assert_eq!(free.check(), []);
        let lag = LogLag::of(&[0, 1001]);
        assert_eq!(EtcdParams { log_lag: lag, ..good }.check()[0].field, "log-lag");
    }

    /// Law: the oldest release asks without pre-vote, and the log kept follows its release.
    #[test]
    fn releases_differ_in_pre_vote_and_in_the_log_they_keep() {
        let old = Versions { etcd: Version::new(3, 4), ..Versions::default() };
        let (then, now) = (EtcdParams::defaults(&old), EtcdParams::defaults(&Versions::default()));
        assert!(!then.pre_vote && now.pre_vote);
        assert_eq!(Rules::new(&then, Version::new(3, 4)).first_retained(199_999), 95_001);
        assert_eq!(Rules::new(&now, Version::new(3, 6)).first_retained(199_999), 194_901);
    }
}
