//! Certificates that expire, each alone or many on the same day.
//!
//! kubeadm's leaf certificates live for a year, and all those that were made on one day expire on one:
//! its `upgrade` renews them, or `kubeadm certs renew`, which shows only after a restart.
//!
//! What an expiry does follows from whose certificate it is. An API server's: no client trusts it, though
//! it runs, and balancers that verify nothing see it healthy. A member of etcd: its peers and the API
//! servers refuse it. A scheduler, controller-manager or kubelet: the API refuses it. An expired CA is
//! all of them at once. Absent on purpose: connections that were made before and would go on for a
//! while, the front proxy, the kubelet's rotation of its own, and schedulers and controller-managers
//! whose kubeconfig leads through a balancer.

use super::{Act, Verb, Whom};
use crate::component::id::Kind;
use crate::plan::schedule::Action;

/// Who has a certificate.
const HOLDERS: Whom = Whom::Processes(&[
    Kind::ApiServer,
    Kind::Etcd,
    Kind::Scheduler,
    Kind::ControllerManager,
    Kind::KubeVip,
    Kind::Kubelet,
]);

/// The expiry.
pub(super) const EXPIRE: Verb = Verb {
    name: "expireCertificates",
    doc: "The certificates of these processes expire: an API server is trusted by no client, an etcd member refused by its peers and by API servers as if it were stopped, the API refuses a scheduler, controller-manager or kubelet. Health checks of balancers and kubelets verify nothing. `for` renews them as `renewCertificates` does.",
    whom: HOLDERS,
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| {
        let (expire, renew) = (Action::Certificate(false), Action::Certificate(true));
        Act::until(expire, renew, given.targets.clone())
    },
};

/// The renewal.
pub(super) const RENEW: Verb = Verb {
    name: "renewCertificates",
    doc: "`kubeadm certs renew`: new certificates lie on the disk. A process shows the one that it has read until it is restarted; an etcd member reads it at once.",
    whom: HOLDERS,
    ends: false,
    repairs: &["expireCertificates"],
    options: &[],
    act: |given| Act::lasting(Action::Certificate(true), given.targets.clone()),
};
