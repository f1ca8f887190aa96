//! The options that kube-scheduler and kube-controller-manager share, declared once.

use crate::components::connection::Settings;
use crate::kernel::time::Duration;

/// client-go's limits of connecting: `net.Dialer` `Timeout`, and transport/cache.go.
const DIAL_TIMEOUT: Duration = Duration::from_secs(30);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Declares the options of one leader-elected instance: those of leader election, and what is the
/// program's own.
macro_rules! candidate_params {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            release: |$rv:ident| $release:expr, $release_source:expr;
            startup: |$sv:ident| $startup:expr, $startup_source:expr;
            warm_up: |$wv:ident| $warm_up:expr, $warm_up_source:expr;
            $($own:tt)*
        }
    ) => {
        $crate::component::param::params! {
            $(#[$meta])*
            pub struct $name {
                /// Whether instances elect a leader. Without, every instance acts all the time, and
                /// several of them do the same work.
                leader_elect: bool = "leaderElect", |v| true,
                    "--leader-elect (component-base config/v1alpha1/defaults.go)";
                /// How long those who do not hold the Lease wait since they last saw it change. Longer
                /// survives slow storage, shorter fails over faster. Must exceed `renewDeadline`.
                lease_duration: Duration = "leaseDuration", |v| Duration::from_secs(15),
                    "--leader-elect-lease-duration (component-base config/v1alpha1/defaults.go)";
                /// How long one renewal may keep failing before the holder gives up and exits. Must
                /// exceed `retryPeriod` × 1.2.
                renew_deadline: Duration = "renewDeadline", |v| Duration::from_secs(10),
                    "--leader-elect-renew-deadline (component-base config/v1alpha1/defaults.go)";
                /// Between two attempts; those who do not hold the Lease stretch it by up to 120 %.
                retry_period: Duration = "retryPeriod", |v| Duration::from_secs(2),
                    "--leader-elect-retry-period (component-base config/v1alpha1/defaults.go)";
                /// Whether SIGTERM gives the Lease back, so that another takes it at its next attempt.
                release_on_cancel: bool = "releaseOnCancel", |$rv| $release, $release_source;
                /// When one request for the Lease is given up. `null`: the whole `renewDeadline` in
                /// 1.20, later half of it and at least 1 s.
                election_client_timeout: Option<Duration> = "electionClientTimeout", |v| None,
                    "kube-scheduler options.go in 1.20; client-go resourcelock.NewFromKubeconfig later";
                /// Which client-go: the details of an attempt differ between its releases.
                client_go: ClientGo = "client-go", |v| ClientGo::of(v),
                    "the release's own client-go (tools/leaderelection/leaderelection.go by tags)";
                /// Which API server the instance uses: the one on its machine (`local`), or the address
                /// that clients use (`endpoint`).
                kubeconfig: Kubeconfig = "kubeconfig", |v| Kubeconfig::Local,
                    "kubeadm: /etc/kubernetes/scheduler.conf and controller-manager.conf";
                /// Where the API server is on another machine: seconds from the last frame that came on
                /// the one connection to it until a PING is sent; 0: none is.
                read_idle: u32 = "HTTP2_READ_IDLE_TIMEOUT_SECONDS", |v| 30,
                    "k8s.io/apimachinery util/net/http.go, readIdleTimeoutSeconds";
                /// Seconds that the answer to that PING may take before the connection is closed.
                ping_timeout: u32 = "HTTP2_PING_TIMEOUT_SECONDS", |v| 15,
                    "k8s.io/apimachinery util/net/http.go, pingTimeoutSeconds";
                /// From the start of the process to its first attempt.
                startup: Law = "startup", |$sv| $startup, $startup_source;
                /// From the attempt that won the Lease to the first work done.
                warm_up: Law = "warmUp", |$wv| $warm_up, $warm_up_source;
                /// From the creation of an object until the leader's first action on it is seen.
                reaction: Law = "reaction", |v| Law::Fixed(Duration::ZERO), "hasim: at once";
                /// From SIGTERM to the end of the process.
                shutdown: Option<Law> = "shutdown", |v| None, "hasim: at once";
                $($own)*
            }
        }

        impl $name {
            /// What the elector is told.
            pub fn election(&self) -> Election {
                let timeout = self.election_client_timeout;
                Election {
                    lease_duration: self.lease_duration,
                    renew_deadline: self.renew_deadline,
                    retry_period: self.retry_period,
                    client_timeout: timeout
                        .unwrap_or_else(|| self.client_go.request_timeout(self.renew_deadline)),
                    release_on_cancel: self.release_on_cancel,
                    by_node: false,
                    client_go: self.client_go,
                    connection: Some(kept(self.read_idle, self.ping_timeout)),
                }
            }

            /// What an instance does, whichever program it is.
            pub(super) fn habits(&self) -> Habits {
                Habits {
                    leader_elect: self.leader_elect,
                    election: self.election(),
                    kubeconfig: self.kubeconfig,
                    startup: self.startup.clone(),
                    warm_up: self.warm_up.clone(),
                }
            }
        }
    };
}
pub(crate) use candidate_params;

/// How a connection is kept, by the settings in whole seconds.
pub(crate) fn kept(read_idle: u32, ping_timeout: u32) -> Settings {
    let seconds = |n: u32| Duration::from_secs(u64::from(n));
    Settings {
        read_idle: seconds(read_idle),
        ping_timeout: seconds(ping_timeout),
        dial_timeout: DIAL_TIMEOUT,
        handshake_timeout: HANDSHAKE_TIMEOUT,
    }
}
