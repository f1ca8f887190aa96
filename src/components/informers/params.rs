//! What informers are like: how many, what else their processes ask, and who they are to the servers.

use crate::component::param::{Problem, params, words};
use crate::components::api_server::capacity::PriorityLevel;
use crate::components::connection::Settings;
use crate::kernel::time::Duration;

words! {
    /// What the processes ask beside the lists and watches of their informers.
    pub enum Asked {
        /// GETs or LISTs that the watch cache answers.
        ReadCached = "read-cached",
        /// Quorum GETs.
        Read = "read",
        /// Writes.
        Write = "write",
    }
}

words! {
    /// As whom the processes ask: requests of one user are one flow to priority and fairness.
    pub enum Users {
        /// Each process is a user of its own, as kubelets are.
        Own = "own",
        /// All are one user, as the pods of a `DaemonSet` are with their service account.
        Shared = "shared",
    }
}

params! {
    /// Many processes with informers: each holds watches on one API server, and lists anew where it has to.
    pub struct InformerParams {
        /// How many processes, each with one connection.
        processes: u32 = "processes", |_v| 100, "hasim: agents on a hundred nodes";
        /// How many informers (reflectors) each has.
        reflectors: u32 = "reflectors", |_v| 10, "estimate: what a kubelet watches";
        /// Mean time between two other requests of a process, which come at random; 0s: there are none.
        every: Duration = "every", |_v| Duration::from_secs(10), "estimate: a status every 10 s";
        /// What those requests are.
        class: Asked = "class", |_v| Asked::ReadCached, "hasim: reads that the watch cache answers";
        /// When a LIST, the start of a WATCH or another request is given up.
        timeout: Duration = "timeout", |_v| Duration::from_secs(60), "kube-apiserver --request-timeout: it does so itself";
        /// The priority level of what they ask.
        level: PriorityLevel = "priorityLevel", |_v| PriorityLevel::WorkloadLow, "kube-apiserver: flow schema service-accounts";
        /// As whom they ask.
        users: Users = "users", |_v| Users::Own, "hasim: each process has its own account";
        /// Seconds from the last frame that came until a PING is sent; 0: none is.
        read_idle: u32 = "HTTP2_READ_IDLE_TIMEOUT_SECONDS", |_v| 30,
            "k8s.io/apimachinery util/net/http.go, readIdleTimeoutSeconds";
        /// Seconds that the answer to a PING may take before the connection is closed.
        ping_timeout: u32 = "HTTP2_PING_TIMEOUT_SECONDS", |_v| 15,
            "k8s.io/apimachinery util/net/http.go, pingTimeoutSeconds";
        /// When a connection that does not come about is given up.
        dial_timeout: Duration = "dialTimeout", |_v| Duration::from_secs(30), "client-go: net.Dialer Timeout";
        /// How long the TLS handshake of a new connection may take.
        handshake_timeout: Duration = "tlsHandshakeTimeout", |_v| Duration::from_secs(10),
            "client-go transport/cache.go, tlsHandshakeTimeout";
    }
}

/// Most processes of one entry: their number is part of a call's key.
pub const PROCESSES_MAX: u32 = 10_000;
/// Most informers of one process.
pub const REFLECTORS_MAX: u32 = 100;

impl InformerParams {
    /// The limits of their connections.
    pub fn settings(&self) -> Settings {
        Settings {
            read_idle: Duration::from_secs(u64::from(self.read_idle)),
            ping_timeout: Duration::from_secs(u64::from(self.ping_timeout)),
            dial_timeout: self.dial_timeout,
            handshake_timeout: self.handshake_timeout,
        }
    }

    /// Other requests of all processes, a second.
    pub fn rate(&self) -> f64 {
        let every = self.every.as_secs_f64();
        if every > 0.0 { f64::from(self.processes) / every } else { 0.0 }
    }

    /// Contradictions.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |field, message: String, help: &str| {
            problems.push(Problem { field, message, help: help.to_owned(), fatal: true });
        };
        let counts = [
            ("processes", self.processes, PROCESSES_MAX),
            ("reflectors", self.reflectors, REFLECTORS_MAX),
        ];
        for (field, count, most) in counts {
            if count == 0 || count > most {
                let message = format!("`{field}` is {count}");
                wrong(field, message, &format!("write a number from 1 to {most}"));
            }
        }
        for (field, span) in [("timeout", self.timeout), ("dialTimeout", self.dial_timeout)] {
            if span.is_zero() {
                wrong(field, format!("`{field}` must be above 0s"), "write for example \"30s\"");
            }
        }
        problems
    }
}
