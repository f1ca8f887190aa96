//! Certificates that expire, each alone or many on the same day.
//!
//! kubeadm's leaf certificates live for a year, and all those that were made on one day expire on one:
//! its `upgrade` renews them, or `kubeadm certs renew`, which shows only after a restart.
//!
//! What an expiry does follows from which certificate it is. A serving one is looked at when a connection
//! is made, so that connections that stand go on: an API server without one is trusted by no new client,
//! though it runs, and balancers that verify nothing see it healthy. A member of etcd is refused by those
//! that connect anew, after a restart or a break. Who asks the API by a client certificate is refused at
//! once, for it is looked at with each request. An expired CA is all that it has signed.
//!
//! Absent on purpose: what the front proxy leads to (aggregated API servers), `kubectl logs` and `exec`,
//! and the kubelet's rotation of its own.

use super::option::{OptionSort, Options, VerbOption};
use super::{Act, Given, Verb, Whom};
use crate::component::certificate::Certificates;
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

/// Which certificate.
const CERTIFICATE: VerbOption = VerbOption {
    name: "certificate",
    doc: "Which of their certificates: `all`; of an API server `serving`, `etcd-client` or `front-proxy`; of an etcd member `etcd-server` or `etcd-peer`; of all others `client`; or all that a CA has signed: `kubernetes-ca`, `etcd-ca`, `front-proxy-ca`.",
    sort: OptionSort::Words(&[
        "all",
        "serving",
        "etcd-client",
        "front-proxy",
        "etcd-server",
        "etcd-peer",
        "client",
        "kubernetes-ca",
        "etcd-ca",
        "front-proxy-ca",
    ]),
};

/// The expiry.
pub(super) const EXPIRE: Verb = Verb {
    name: "expireCertificates",
    doc: "Certificates of these processes expire. Connections that stand go on; new ones to an API server or an etcd member fail, and the API refuses a scheduler, controller-manager, kubelet or kube-vip at once. Health checks of balancers and kubelets verify nothing. `for` renews them as `renewCertificates` does.",
    whom: HOLDERS,
    ends: true,
    repairs: &[],
    options: &[CERTIFICATE],
    act: |given| {
        let which = which(given);
        let (expire, renew) = (Action::Certificate(which, false), Action::Certificate(which, true));
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
    options: &[CERTIFICATE],
    act: |given| Act::lasting(Action::Certificate(which(given), true), given.targets.clone()),
};

/// Who has such a certificate, if one is named.
pub(super) fn holders(options: &Options) -> Option<Whom> {
    let mut words = Certificates::WORDS.iter().map(|(word, _)| *word);
    let kinds: &'static [Kind] = match words.find(|w| options.is_word(CERTIFICATE.name, w))? {
        "serving" | "etcd-client" | "front-proxy" | "front-proxy-ca" => &[Kind::ApiServer],
        "etcd-server" | "etcd-peer" => &[Kind::Etcd],
        "client" => &[Kind::Scheduler, Kind::ControllerManager, Kind::KubeVip, Kind::Kubelet],
        "kubernetes-ca" => &[
            Kind::ApiServer,
            Kind::Scheduler,
            Kind::ControllerManager,
            Kind::KubeVip,
            Kind::Kubelet,
        ],
        "etcd-ca" => &[Kind::ApiServer, Kind::Etcd],
        _ => return None,
    };
    Some(Whom::Processes(kinds))
}

fn which(given: &Given) -> Certificates {
    Certificates::named(given.options.word(CERTIFICATE.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: a word is for those processes alone that show such a certificate.
    #[test]
    fn words_are_for_those_who_have_them() {
        for (word, set) in Certificates::WORDS {
            let mut options = Options::default();
            options.put(CERTIFICATE.name, CERTIFICATE.sort.read(&word.into()).unwrap());
            let Whom::Processes(kinds) = EXPIRE.whom_with(&options) else { panic!("{word}") };
            for kind in Kind::ALL {
                assert_eq!(
                    kinds.contains(&kind),
                    Certificates::of(kind).intersects(set),
                    "{word} {kind:?}"
                );
            }
        }
    }

    /// Law: the option knows every word for certificates, in their order.
    #[test]
    fn every_certificate_has_its_word() {
        let OptionSort::Words(words) = CERTIFICATE.sort else { panic!("not a word") };
        assert_eq!(words, Certificates::WORDS.map(|(word, _)| word));
    }
}
