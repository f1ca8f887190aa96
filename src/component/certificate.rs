//! Certificates that processes show each other, and which of them have expired.
//!
//! A certificate is looked at when a connection is made: what stands goes on. Only who asks the API by a
//! client certificate is looked at anew with each request (the x509 authenticator of kube-apiserver).
//!
//! Absent on purpose: certificates of things that are not modelled, such as a kubelet's serving one.

use super::id::Kind;
use crate::kernel::time::Time;
use bitflags::bitflags;

bitflags! {
    /// A set of certificates.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Certificates: u8 {
        /// `apiserver.crt`: what a kube-apiserver shows those who connect to it.
        const API_SERVING = 1;
        /// `apiserver-etcd-client.crt`: what it shows etcd.
        const ETCD_CLIENT = 2;
        /// `front-proxy-client.crt`: what it shows aggregated API servers, which are not modelled.
        const FRONT_PROXY = 4;
        /// `etcd/server.crt`: what an etcd member shows its clients.
        const ETCD_SERVING = 8;
        /// `etcd/peer.crt`: what it shows its peers, as server and as client.
        const ETCD_PEER = 16;
        /// That of a kubeconfig: what a scheduler, controller-manager, kubelet or kube-vip shows the API.
        const CLIENT = 32;
    }
}

impl Certificates {
    /// The words for certificates in scenario files, each with the set that it means; a CA is all that it
    /// has signed.
    pub const WORDS: [(&'static str, Certificates); 10] = [
        ("all", Self::all()),
        ("serving", Self::API_SERVING),
        ("etcd-client", Self::ETCD_CLIENT),
        ("front-proxy", Self::FRONT_PROXY),
        ("etcd-server", Self::ETCD_SERVING),
        ("etcd-peer", Self::ETCD_PEER),
        ("client", Self::CLIENT),
        ("kubernetes-ca", Self::API_SERVING.union(Self::CLIENT)),
        ("etcd-ca", Self::ETCD_CLIENT.union(Self::ETCD_SERVING).union(Self::ETCD_PEER)),
        ("front-proxy-ca", Self::FRONT_PROXY),
    ];

    /// What a word means; none if there is no such word.
    pub fn named(word: &str) -> Certificates {
        Self::WORDS.iter().find(|(name, _)| *name == word).map_or(Self::empty(), |(_, set)| *set)
    }

    /// All that a process of this kind shows.
    pub const fn of(kind: Kind) -> Certificates {
        match kind {
            Kind::ApiServer => Self::API_SERVING.union(Self::ETCD_CLIENT).union(Self::FRONT_PROXY),
            Kind::Etcd => Self::ETCD_SERVING.union(Self::ETCD_PEER),
            Kind::Scheduler | Kind::ControllerManager | Kind::Kubelet | Kind::KubeVip => {
                Self::CLIENT
            }
            _ => Self::empty(),
        }
    }
}

/// The expired certificates that a process shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Which.
    pub shown: Certificates,
    /// From when on whoever connects to it sees an expired one; what was connected before stands. With
    /// a process that started with it: always.
    pub since: Time,
}

impl Default for Expired {
    fn default() -> Self {
        Self { shown: Certificates::empty(), since: Time::ZERO }
    }
}

impl Expired {
    /// Whether one who has been connected since `made` to a process that shows `any` of these went on
    /// regardless: they have not expired, or did later.
    pub fn spares(&self, any: Certificates, made: Time) -> bool {
        !self.shown.intersects(any) || made < self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: every word means something that some kind shows, `all` everything, and a CA what it signed.
    #[test]
    fn words_mean_certificates() {
        let all = Kind::ALL
            .into_iter()
            .fold(Certificates::empty(), |all, k| all.union(Certificates::of(k)));
        assert_eq!(Certificates::named("all"), all);
        for (word, set) in Certificates::WORDS {
            assert!(
                set != Certificates::empty() && set.difference(all) == Certificates::empty(),
                "{word}"
            );
        }
        assert_eq!(Certificates::named("front"), Certificates::empty());
        let cas = ["kubernetes-ca", "etcd-ca", "front-proxy-ca"].map(Certificates::named);
        assert_eq!(cas.into_iter().fold(Certificates::empty(), Certificates::union), all);
    }

    /// Law: who connected before the expiry is spared, who connects at it or later is not.
    #[test]
    fn what_stands_is_spared() {
        let at = |s| Time::START + crate::kernel::time::Duration::from_secs(s);
        let expired = Expired { shown: Certificates::API_SERVING, since: at(10) };
        assert!(expired.spares(Certificates::API_SERVING, at(9)));
        assert!(!expired.spares(Certificates::API_SERVING, at(10)));
        assert!(expired.spares(Certificates::CLIENT, at(10)));
    }
}
