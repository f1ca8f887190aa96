//! The schedule of a client, and how it holds its connections.

use crate::component::param::{Problem, params, words};
use crate::component::ComponentId;
use crate::components::connection::Settings;
use crate::kernel::time::Duration;

params! {
    /// The schedule of a client.
    pub struct ClientParams {
        /// From request to request, at each target.
        every: Duration = "every", |_v| Duration::from_millis(100), "the measured client: one request each 100 ms";
        /// When a request is given up.
        timeout: Duration = "timeout", |_v| Duration::from_secs(5), "the measured client: 5 s";
        /// Where it knows several servers: the next one is tried when no connection has come about
        /// within this long.
        dial_timeout: Duration = "dialTimeout", |_v| Duration::from_secs(30), "client-go: rest transport, net.Dialer Timeout";
    }
}

impl ClientParams {
    /// Contradictions.
    pub fn check(&self) -> Vec<Problem> {
        let empty = [
            ("every", self.every),
            ("timeout", self.timeout),
            ("dialTimeout", self.dial_timeout),
        ];
        let problem = |field: &'static str| Problem {
            field,
            message: format!("`{field}` must be above 0s"),
            help: "write for example \"100ms\"".to_owned(),
            fatal: true,
        };
        empty.into_iter().filter(|(_, d)| d.is_zero()).map(|(field, _)| problem(field)).collect()
    }
}

words! {
    /// Whether a client keeps its connection.
    pub enum ConnectionUse {
        /// One for each request.
        PerRequest = "per-request",
        /// One HTTP/2 connection for all requests, as client-go holds it.
        LongLived = "long-lived",
    }
}

params! {
    /// How a client holds its connections.
    pub struct ConnectionOptions {
        /// One connection for each request, or one that stays.
        connection: ConnectionUse = "connection", |_v| ConnectionUse::PerRequest, "hasim: as the measured clients";
        /// Long-lived: seconds from the last frame that came until a PING is sent; 0: none is.
        read_idle: u32 = "HTTP2_READ_IDLE_TIMEOUT_SECONDS", |_v| 30,
            "k8s.io/apimachinery util/net/http.go, readIdleTimeoutSeconds";
        /// Long-lived: seconds that the answer to a PING may take before the connection is closed.
        ping_timeout: u32 = "HTTP2_PING_TIMEOUT_SECONDS", |_v| 15,
            "k8s.io/apimachinery util/net/http.go, pingTimeoutSeconds";
        /// Long-lived: how long the TLS handshake of a new connection may take.
        handshake_timeout: Duration = "tlsHandshakeTimeout", |_v| Duration::from_secs(10),
            "client-go transport/cache.go, tlsHandshakeTimeout";
        /// Long-lived: how often a read is sent again, 1 s later each time, when its connection broke.
        /// Writes are not: they may have been done.
        max_retries: u32 = "maxRetries", |_v| 10, "client-go rest/request.go, maxRetries";
        /// Long-lived: the control-plane machine with whose API server the connection stands at a
        /// settled start; drawn evenly if not given.
        connected_to: Option<String> = "connectedTo", |_v| None, "hasim: drawn";
    }
}

impl ConnectionOptions {
    /// How a long-lived connection is held, if one is.
    pub fn held(&self, dial_timeout: Duration, connected_to: Option<ComponentId>) -> Option<Held> {
        let settings = Settings {
            read_idle: Duration::from_secs(u64::from(self.read_idle)),
            ping_timeout: Duration::from_secs(u64::from(self.ping_timeout)),
            dial_timeout,
            handshake_timeout: self.handshake_timeout,
        };
        let held = Held { settings, max_retries: self.max_retries, connected_to };
        (self.connection == ConnectionUse::LongLived).then_some(held)
    }
}

/// How a client holds its one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its limits.
    pub settings: Settings,
    /// How often a read is sent again after a broken connection.
    pub max_retries: u32,
    /// With which API server it stands at a settled start; `None`: drawn.
    pub connected_to: Option<ComponentId>,
}
