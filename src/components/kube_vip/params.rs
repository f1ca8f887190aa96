//! kube-vip's options, their defaults and contradictions.

use crate::component::param::{Problem, params};
use crate::component::versions::Versions;
use crate::components::candidate::{between, kept};
use crate::components::lease::{ClientGo, Election, Kubeconfig};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;

/// The time-out of kube-vip's client: `defaultTimeout` in pkg/k8s/client.go.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);
/// client-go's limits of a connection to another machine: util/net/http.go of k8s.io/apimachinery.
const READ_IDLE_SECONDS: u32 = 30;
const PING_TIMEOUT_SECONDS: u32 = 15;
/// Below this the announcements are taken to be misconfigured.
const ARP_RATE_LEAST: Duration = Duration::from_millis(500);
/// What is used instead, and by default.
const ARP_RATE: Duration = Duration::from_secs(3);

/// The options of an election, as client-go calls them and as kube-vip's manifest does.
const NAMES: [(&str, &str); 3] = [
    ("leaseDuration", "vip_leaseduration"),
    ("renewDeadline", "vip_renewdeadline"),
    ("retryPeriod", "vip_retryperiod"),
];

params! {
    /// One kube-vip in ARP mode, by the environment variables of its manifest.
    pub struct KubeVipParams {
        /// How long those without the Lease wait since they last saw it change. Must exceed
        /// `vip_renewdeadline`.
        lease_duration: Duration = "vip_leaseduration", |v| by_release(v, 5, 15),
            "kube-vip cmd/kube-vip.go, --leaseDuration: 5 s up to 1.0, 15 s since 1.1";
        /// How long one renewal may keep failing before the holder gives the address up. Must exceed
        /// `vip_retryperiod` × 1.2.
        renew_deadline: Duration = "vip_renewdeadline", |v| by_release(v, 3, 10),
            "kube-vip cmd/kube-vip.go, --leaseRenewDuration: 3 s up to 1.0, 10 s since 1.1";
        /// Between two attempts; those without the Lease stretch it by up to 120 %.
        retry_period: Duration = "vip_retryperiod", |v| by_release(v, 1, 2),
            "kube-vip cmd/kube-vip.go, --leaseRetry: 1 s up to 1.0, 2 s since 1.1";
        /// From one announcement of the holder by gratuitous ARP to the next; below `500ms` it is `3s`.
        arp_rate: Duration = "vip_arpRate", |_v| ARP_RATE,
            "kube-vip cmd/kube-vip.go, --arpRate, in milliseconds there";
        /// Whether the winner announces the address at once; else with the next announcement that its
        /// process would make, up to `vip_arpRate` later.
        announces_at_once: bool = "announcesAtOnce", |v| !v.kube_vip.at_least(0, 9),
            "kube-vip: one ticker for all addresses since 0.9 (pkg/arp/arp.go)";
        /// Which API server the instance uses: the one on its machine (`local`), or the virtual address
        /// itself (`endpoint`), which needs the API to come and go.
        kubeconfig: Kubeconfig = "kubeconfig", |_v| Kubeconfig::Local,
            "kube-vip manifest: admin.conf with the host alias `kubernetes` for 127.0.0.1";
        /// Which client-go: the details of an attempt differ between its releases.
        client_go: ClientGo = "client-go", |v| client_go(v), "kube-vip go.mod by tags";
        /// From the start of the process until it removes an address that an earlier one left, and
        /// makes its first attempt at the Lease.
        startup: Law = "startup", |_v| between(100, 500),
            "estimate: as the scheduler's 140 ms, with a look at the network";
    }
}

/// Whole seconds that changed with 1.1.
fn by_release(versions: &Versions, before: u64, since: u64) -> Duration {
    Duration::from_secs(if versions.kube_vip.at_least(1, 1) { since } else { before })
}

fn client_go(versions: &Versions) -> ClientGo {
    let release = versions.kube_vip;
    match release {
        _ if release.at_least(1, 1) => ClientGo::V0_34,
        _ if release.at_least(0, 9) => ClientGo::V0_30,
        _ if release.at_least(0, 6) => ClientGo::V0_27,
        _ => ClientGo::V0_21,
    }
}

impl KubeVipParams {
    /// What the elector is told.
    pub fn election(&self) -> Election {
        Election {
            lease_duration: self.lease_duration,
            renew_deadline: self.renew_deadline,
            retry_period: self.retry_period,
            client_timeout: CLIENT_TIMEOUT,
            release_on_cancel: true,
            by_node: true,
            client_go: self.client_go,
            connection: Some(kept(READ_IDLE_SECONDS, PING_TIMEOUT_SECONDS)),
        }
    }

    /// How often a holder announces itself.
    pub fn announces_every(&self) -> Duration {
        if self.arp_rate < ARP_RATE_LEAST { ARP_RATE } else { self.arp_rate }
    }

    /// What contradicts itself, as the real software treats it.
    pub fn check(&self) -> Vec<Problem> {
        let problem = |field, message: String, help: &str| Problem {
            field,
            message,
            help: help.to_owned(),
            fatal: false,
        };
        let mut problems: Vec<Problem> = self.election().check().into_iter().map(renamed).collect();
        if self.arp_rate < ARP_RATE_LEAST {
            let message = format!("`vip_arpRate` is {}, below 500ms: kube-vip uses 3s", self.arp_rate);
            problems.push(problem("vip_arpRate", message, "the default is 3s"));
        }
        if self.kubeconfig == Kubeconfig::Endpoint {
            let message = "the instances elect through the address that they elect the holder of: once \
                           it is lost, nobody can take it";
            let help = "use the API server of the own machine, `\"kubeconfig\": \"local\"`";
            problems.push(problem("kubeconfig", message.to_owned(), help));
        }
        problems
    }
}

/// A problem of client-go's in the words of kube-vip's manifest.
fn renamed(mut problem: Problem) -> Problem {
    for (theirs, ours) in NAMES {
        if problem.field == theirs {
            problem.field = ours;
        }
        problem.message = problem.message.replace(theirs, ours);
        problem.help = problem.help.replace(theirs, ours);
    }
    problem
}
