//! `HAProxy`'s options, their defaults and contradictions, and what they mean for a check.

use crate::component::param::{Params, Problem, params, words};
use crate::component::versions::{Version, Versions};
use crate::components::health_check::{Depth, Names, Pacing, Rules, Start};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;

words! {
    /// What a health check asks of a server.
    pub enum CheckKind {
        /// `option tcp-check` without rules, or `check` alone: it connects.
        TcpCheck = "tcp-check",
        /// `option httpchk GET /readyz`: 200 passes.
        Readyz = "httpchk /readyz",
        /// `option httpchk GET /livez`: 200 passes.
        Livez = "httpchk /livez",
        /// `option httpchk GET /healthz`: 200 passes.
        Healthz = "httpchk /healthz",
        /// `option ssl-hello-chk`: it sends a greeting once connected, and any TLS answer passes.
        SslHello = "ssl-hello-chk",
    }
}

words! {
    /// What is believed of a server when the process starts.
    pub enum InitState {
        /// Up; `fall` failed checks take it down.
        FullyUp = "fully-up",
        /// Up, but the first failed check takes it down.
        Up = "up",
        /// Down, but the first good check brings it up.
        Down = "down",
        /// Down; `rise` good checks bring it up.
        FullyDown = "fully-down",
    }
}

impl InitState {
    /// What a checker believes before its first check.
    pub(super) fn start(self) -> Start {
        match self {
            InitState::FullyUp => Start::FullyUp,
            InitState::Up => Start::Up,
            InitState::Down => Start::Down,
            InitState::FullyDown => Start::FullyDown,
        }
    }
}

words! {
    /// How a server is chosen for a new connection.
    pub enum Balance {
        /// In turn, by the order of the list.
        RoundRobin = "roundrobin",
    }
}

words! {
    /// What happens to the sessions of a server that is marked down.
    pub enum OnMarkedDown {
        /// They are cut, and clients reconnect.
        ShutdownSessions = "shutdown-sessions",
    }
}

words! {
    /// Which traffic counts as evidence about a server.
    pub enum Observe {
        /// Connections: established or not.
        Layer4 = "layer4",
    }
}

words! {
    /// What `error-limit` errors in a row seen by `observe` do.
    pub enum OnError {
        /// The next check comes after `fastinter`.
        Fastinter = "fastinter",
        /// Counts as a failed check, and the next one comes after `fastinter`.
        FailCheck = "fail-check",
        /// One more failure takes the server down; the next check comes after `fastinter`.
        SuddenDeath = "sudden-death",
        /// The server is down at once; the next check comes after `fastinter`.
        MarkDown = "mark-down",
    }
}

params! {
    /// One backend of `HAProxy` and its servers, in `mode tcp`.
    pub struct LoadBalancerParams {
        /// What a health check asks of a server.
        check: CheckKind = "check", |_v| CheckKind::TcpCheck,
            "doc/configuration.txt, `check`: without an option a check only connects";
        /// The check speaks TLS: the handshake then counts as connecting, for the time-outs.
        check_ssl: bool = "check-ssl", |_v| false, "doc/configuration.txt, `check-ssl`";
        /// Wait between the end of a check and the start of the next, while the server is fully up.
        inter: Duration = "inter", |_v| Duration::from_secs(2), "doc/configuration.txt, `inter`";
        /// Wait while neither up nor down is settled; default: `inter`.
        fastinter: Option<Duration> = "fastinter", |_v| None, "doc/configuration.txt, `fastinter`";
        /// Wait while the server is fully down; default: `inter`.
        downinter: Option<Duration> = "downinter", |_v| None, "doc/configuration.txt, `downinter`";
        /// Good checks in a row after which a server is up.
        rise: u32 = "rise", |_v| 2, "doc/configuration.txt, `rise`";
        /// Failed checks in a row after which a server is down.
        fall: u32 = "fall", |_v| 3, "doc/configuration.txt, `fall`";
        /// What is believed of a server when the process starts (an option since 3.1).
        init_state: InitState = "init-state", |_v| InitState::Up,
            "doc/configuration.txt, `init-state`";
        /// Each wait between checks varies by up to this many percent, 0 to 50.
        spread_checks: u32 = "spread-checks", |_v| 0, "doc/configuration.txt, `spread-checks`";
        /// How long a check may take once connected; unset: `inter` limits the whole check.
        timeout_check: Option<Duration> = "timeout check", |_v| None,
            "doc/configuration.txt, `timeout check`";
        /// How long an attempt to connect to a server may take; unset: until the kernel gives up.
        timeout_connect: Option<Duration> = "timeout connect", |_v| None,
            "doc/configuration.txt, `timeout connect`";
        /// How long a client may be silent; unset: for ever.
        timeout_client: Option<Duration> = "timeout client", |_v| None,
            "doc/configuration.txt, `timeout client`";
        /// How long a server may be silent; unset: for ever.
        timeout_server: Option<Duration> = "timeout server", |_v| None,
            "doc/configuration.txt, `timeout server`";
        /// How long both sides of an established connection may be silent; unset: the lesser of
        /// `timeout client` and `timeout server`.
        timeout_tunnel: Option<Duration> = "timeout tunnel", |_v| None,
            "doc/configuration.txt, `timeout tunnel`";
        /// How often a failed attempt to connect is repeated.
        retries: u32 = "retries", |_v| 3, "doc/configuration.txt, `retries`";
        /// A repeated attempt may go to another server.
        redispatch: bool = "option redispatch", |_v| false,
            "doc/configuration.txt, `option redispatch`";
        /// How a server is chosen.
        balance: Balance = "balance", |_v| Balance::RoundRobin, "doc/configuration.txt, `balance`";
        /// What happens to the sessions of a server that is marked down; unset: nothing.
        on_marked_down: Option<OnMarkedDown> = "on-marked-down", |_v| None,
            "doc/configuration.txt, `on-marked-down`";
        /// Which traffic counts as evidence about a server; unset: none.
        observe: Option<Observe> = "observe", |_v| None, "doc/configuration.txt, `observe`";
        /// Errors in a row, seen by `observe`, that make `on-error` act.
        error_limit: u32 = "error-limit", |_v| 10, "doc/configuration.txt, `error-limit`";
        /// What those errors do.
        on_error: OnError = "on-error", |_v| OnError::FailCheck, "doc/configuration.txt, `on-error`";
        /// From the start of the process until its ports are open. Not an option of `HAProxy`.
        startup: Law = "startup", |_v| Law::Fixed(Duration::ZERO),
            "binds before it forks, within milliseconds (assumed)";
        /// Whether the release ends a check at a `timeout check` below `inter`. Not an option of
        /// `HAProxy`: the fix 7c788f098 of June 2025 (2.6.12 measured without it).
        prompt_check_timeout: bool = "prompt-check-timeout", |v| fixed_check_timeout(v.haproxy),
            "HAProxy commit 7c788f098; backports to maintained branches assumed";
    }
}

/// Whether a release has the fix of check time-outs: all from 3.3 on, and the newest patch releases
/// of older branches.
fn fixed_check_timeout(version: Version) -> bool {
    version.at_least(3, 3) || version.patch == u16::MAX
}

/// The longest wait that `HAProxy` accepts anywhere: its timers are 32-bit milliseconds.
const TIMER_MAX: Duration = Duration::from_millis(2_147_483_647);

impl LoadBalancerParams {
    /// Contradictions, as `HAProxy` treats them.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = self.check_ranges();
        problems.extend(self.check_timeouts());
        if self.observe.is_none() && self.on_error != OnError::FailCheck {
            problems.push(warning(
                "on-error",
                "`on-error` acts only on errors that `observe` sees".to_owned(),
                "add `\"observe\": \"layer4\"`".to_owned(),
            ));
        }
        let http =
            matches!(self.check, CheckKind::Readyz | CheckKind::Livez | CheckKind::Healthz);
        if http && !self.check_ssl {
            problems.push(warning(
                "check-ssl",
                "kube-apiserver answers a check without TLS with 400; here it counts as answered"
                    .to_owned(),
                "set `\"check-ssl\": true`, as kubeadm's example does".to_owned(),
            ));
        }
        problems
    }

    fn check_ranges(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (field, value) in [("rise", self.rise), ("fall", self.fall)] {
            if value == 0 {
                let help = format!("`{field}` counts checks: at least 1");
                problems.push(error(field, format!("`{field}` has to be > 0"), help));
            }
        }
        if self.spread_checks > 50 {
            problems.push(error(
                "spread-checks",
                format!("`spread-checks` is {}, but must be from 0 to 50", self.spread_checks),
                "values around 2 to 5 are usual".to_owned(),
            ));
        }
        if self.error_limit == 0 {
            problems.push(error(
                "error-limit",
                "`error-limit` has to be > 0".to_owned(),
                "the default is 10".to_owned(),
            ));
        }
        problems
    }

    fn check_timeouts(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let waits = [
            ("inter", Some(self.inter)),
            ("fastinter", self.fastinter),
            ("downinter", self.downinter),
            ("timeout check", self.timeout_check),
            ("timeout connect", self.timeout_connect),
            ("timeout client", self.timeout_client),
            ("timeout server", self.timeout_server),
            ("timeout tunnel", self.timeout_tunnel),
        ];
        for (field, wait) in waits {
            let range = Duration::from_millis(1)..=TIMER_MAX;
            if let Some(wait) = wait.filter(|wait| !range.contains(wait)) {
                let message = format!("`{field}` is {wait}, but must be from 1ms to {TIMER_MAX}");
                problems.push(error(field, message, "leave it out for the default".to_owned()));
            }
        }
        for (field, wait) in &waits[4..7] {
            if wait.is_none() {
                problems.push(warning(
                    field,
                    format!("`{field}` is missing: such a wait may last for ever"),
                    "HAProxy warns of missing time-outs; kubeadm's example has 5s, 35s and 35s"
                        .to_owned(),
                ));
            }
        }
        if self.timeout_check.is_some_and(|wait| wait > self.inter * u64::from(self.fall.max(1))) {
            problems.push(warning(
                "timeout check",
                "a single hung check takes longer than all checks to down should".to_owned(),
                "keep `timeout check` below `inter` times `fall`".to_owned(),
            ));
        }
        problems
    }

    /// How long an established connection may be silent. In TCP mode what one side sends also counts
    /// for the other (`option independent-streams` is off), so one limit serves both.
    pub(super) fn idle_limit(&self) -> Option<Duration> {
        let sides = [self.timeout_client, self.timeout_server].into_iter().flatten().min();
        self.timeout_tunnel.or(sides)
    }

    /// The rules of a check in true time, `local` turning a stretch of the balancer's clock into it.
    pub fn rules(&self, local: impl Fn(Duration) -> Duration) -> Rules {
        let connect = match self.timeout_check {
            None => self.inter,
            Some(_) => self.timeout_connect.map_or(self.inter, |limit| limit.min(self.inter)),
        };
        let (fresh, total) = self.reply_limits(connect);
        let connect_name = match (self.timeout_check, self.timeout_connect) {
            (Some(_), Some(limit)) if limit < self.inter => "timeout connect",
            _ => "inter (as check time-out)",
        };
        Rules {
            rise: self.rise,
            fall: self.fall,
            inter: local(self.inter),
            fastinter: local(self.fastinter.unwrap_or(self.inter)),
            downinter: local(self.downinter.unwrap_or(self.inter)),
            pacing: Pacing::AfterEnd,
            depth: if self.check == CheckKind::TcpCheck { Depth::Connect } else { Depth::Reply },
            handshake: self.check_ssl,
            connect_limit: local(connect),
            reply_fresh: local(fresh),
            reply_total: local(total),
            spread: self.spread_checks,
            syn: 0.into(),
            names: Names {
                inter: "inter",
                fastinter: if self.fastinter.is_some() { "fastinter" } else { "inter" },
                downinter: if self.downinter.is_some() { "downinter" } else { "inter" },
                connect_limit: connect_name,
                reply_limit: if fresh.is_zero() { connect_name } else { "timeout check" },
                work: "etcd-healthcheck-timeout",
            },
        }
    }

    /// How long an answer may take: after the connection, and after the start of the check.
    fn reply_limits(&self, connect: Duration) -> (Duration, Duration) {
        match self.timeout_check {
            None => (Duration::ZERO, self.inter),
            Some(limit) if self.prompt_check_timeout => (limit, Duration::ZERO),
            Some(limit) => (limit, connect),
        }
    }
}

fn error(field: &'static str, message: String, help: String) -> Problem {
    Problem { field, message, help, fatal: true }
}

fn warning(field: &'static str, message: String, help: String) -> Problem {
    Problem { field, message, help, fatal: false }
}

impl Default for LoadBalancerParams {
    fn default() -> Self {
        Self::defaults(&Versions::default())
    }
}
