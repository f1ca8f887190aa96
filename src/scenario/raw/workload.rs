//! Workloads: what runs on the nodes.

use crate::component::param::{ParamValue, params, sort, words};
use crate::component::versions::Versions;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::scenario::document::{Node, Path};
use crate::scenario::reader::Reader;
use crate::scenario::section::Section;
use serde_json::{Value, json};

words! {
    /// Which controller keeps up the number of pods.
    pub enum KindWord {
        /// A Deployment.
        Deployment = "Deployment",
        /// A StatefulSet.
        StatefulSet = "StatefulSet",
        /// A bare pod, which nobody replaces.
        Pod = "Pod",
    }
}

words! {
    /// In which order a StatefulSet creates its pods.
    pub enum ManagementWord {
        /// Each when those before it are ready.
        OrderedReady = "OrderedReady",
        /// All at once.
        Parallel = "Parallel",
    }
}

/// How long pods tolerate a silent node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toleration {
    /// For so many seconds.
    Seconds(u32),
    /// A toleration without `tolerationSeconds`.
    Forever,
}

/// The word for a toleration without an end.
const FOREVER: &str = "forever";

impl Toleration {
    /// As a span; `None`: for ever.
    pub fn span(self) -> Option<Duration> {
        match self {
            Toleration::Seconds(seconds) => Some(Duration::from_secs(u64::from(seconds))),
            Toleration::Forever => None,
        }
    }
}

impl ParamValue for Toleration {
    fn read(value: &Value) -> Result<Self, String> {
        if value.as_str() == Some(FOREVER) {
            return Ok(Toleration::Forever);
        }
        let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
        seconds.map(Toleration::Seconds).ok_or_else(|| {
            format!(
                "expected a number of seconds such as 300, or \"{FOREVER}\", found {}",
                sort(value)
            )
        })
    }

    fn show(&self) -> Value {
        match self {
            Toleration::Seconds(seconds) => json!(seconds),
            Toleration::Forever => json!(FOREVER),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "const": FOREVER }] })
    }
}

params! {
    /// Pods on the nodes, and who keeps up their number.
    pub struct WorkloadOptions {
        /// The controller: `Deployment`, `StatefulSet`, or `Pod` for a bare one.
        kind: KindWord = "kind", |_v| KindWord::Deployment, "hasim: the usual one";
        /// How many pods are desired.
        replicas: u32 = "replicas", |_v| 1, "apps/v1: replicas 1";
        /// How many seconds its pods tolerate the taints `not-ready` and `unreachable`; `"forever"`: they
        /// are never evicted. Left out: what the API server adds to every pod.
        toleration: Option<Toleration> = "tolerationSeconds", |_v| None,
            "DefaultTolerationSeconds: kube-apiserver --default-…-toleration-seconds 300";
        /// StatefulSet only: `OrderedReady`, each pod when those before it are ready, or `Parallel`.
        management: ManagementWord = "podManagementPolicy", |_v| ManagementWord::OrderedReady,
            "apps/v1: podManagementPolicy OrderedReady";
        /// Seconds from SIGTERM to SIGKILL of its containers.
        grace: u32 = "terminationGracePeriodSeconds", |_v| 30,
            "core/v1: terminationGracePeriodSeconds 30";
        /// How long its image takes to a node that does not have it.
        image_pull: Law = "imagePull",
            |_v| Law::Uniform { from: Duration::from_secs(2), to: Duration::from_secs(20) },
            "estimate: 50-500 MB at 25 MB/s";
        /// From a pod's reaching its node, with its image there, until it is ready and in use: sandbox,
        /// start, readiness probe, endpoints.
        start: Law = "start",
            |_v| Law::Uniform { from: Duration::from_secs(2), to: Duration::from_secs(5) },
            "estimate: 2-5 s";
        /// From SIGTERM until its containers have ended.
        stop: Law = "stop",
            |_v| Law::Uniform { from: Duration::from_millis(100), to: Duration::from_secs(2) },
            "estimate: a program that heeds SIGTERM";
    }
}

/// One workload.
#[derive(Debug)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// Its options.
    pub section: Section<WorkloadOptions>,
}

impl Workload {
    pub(super) fn read(
        node: &Node,
        reader: &Reader,
        versions: &Versions,
        path: Path,
    ) -> Option<Workload> {
        let mut known = Section::<WorkloadOptions>::names();
        known.push("name");
        let fields = reader.fields(node, "a workload", &known)?;
        let mut section = Section::defaults(versions, path);
        section.take(&fields, reader);
        Some(Workload { name: fields.required("name")?, section })
    }

    /// The name of its object: `deployment/web`.
    pub fn object(&self) -> String {
        let kind = match self.section.params.kind {
            KindWord::Deployment => "deployment",
            KindWord::StatefulSet => "statefulset",
            KindWord::Pod => "pod",
        };
        format!("{kind}/{}", self.name)
    }
}
