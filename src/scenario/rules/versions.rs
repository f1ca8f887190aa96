//! Releases whose behaviour is known.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::versions::Version;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(220);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a release whose behaviour is not known",
        explanation: "Modelled are Kubernetes from 1.20, etcd from 3.4, HAProxy from 2.0, keepalived from 2.0 and kube-vip from 0.4: releases before these differ in ways that are not modelled. Later releases than those known behave as the latest known one.",
        bad: scenario!(r#""versions": { "etcd": "2.3" }"#),
        good: scenario!(r#""versions": { "etcd": "3.4.13" }"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let versions = &subject.scenario.versions;
    let known = [
        ("kubernetes", versions.kubernetes, Version::new(1, 20)),
        ("etcd", versions.etcd, Version::new(3, 4)),
        ("haproxy", versions.haproxy, Version::new(2, 0)),
        ("keepalived", versions.keepalived, Version::new(2, 0)),
        ("kube-vip", versions.kube_vip, Version::new(0, 4)),
    ];
    let old = known.into_iter().filter(|(_, given, oldest)| {
        !given.at_least(oldest.major, oldest.minor) || given.major > oldest.major + 1
    });
    old.map(|(name, given, oldest)| {
        let message = format!("{name} {given} is not modelled");
        let path = Path::root().key("versions").key(name);
        Problem::error(CODE, path, message).help(format!("modelled are releases from {oldest} on"))
    })
    .collect()
}
