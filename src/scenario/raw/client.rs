//! Clients with a stated schedule.

use super::{Placed, one_or_many};
use crate::component::fact::Resource;
use crate::component::param::{params, words};
use crate::component::record::RequestClass;
use crate::component::versions::Versions;
use crate::components::client::ConnectionOptions;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::scenario::document::{Node, Path};
use crate::scenario::reader::Reader;
use crate::scenario::section::Section;

words! {
    /// What a client asks for.
    pub enum ClassWord {
        /// A quorum GET.
        Read = "read",
        /// A GET or LIST with resourceVersion=0, answered from the API server's cache.
        ReadCached = "read-cached",
        /// A write.
        Write = "write",
        /// It opens a connection and asks for nothing.
        Connect = "connect",
    }
}

words! {
    /// About which sort of object a client asks.
    pub enum ResourceWord {
        /// Any but the others.
        Objects = "objects",
        /// Leases: of leader election and of nodes.
        Leases = "leases",
        /// Nodes.
        Nodes = "nodes",
    }
}

impl ResourceWord {
    /// The sort of object.
    pub fn resource(self) -> Resource {
        match self {
            ResourceWord::Objects => Resource::Objects,
            ResourceWord::Leases => Resource::Leases,
            ResourceWord::Nodes => Resource::Nodes,
        }
    }
}

impl ClassWord {
    /// The class of its requests.
    pub fn class(self) -> RequestClass {
        match self {
            ClassWord::Read => RequestClass::Read,
            ClassWord::ReadCached => RequestClass::ReadCached,
            ClassWord::Write => RequestClass::Write,
            ClassWord::Connect => RequestClass::Connect,
        }
    }
}

params! {
    /// A client that sends one request every `every`, not waiting for earlier ones.
    pub struct ClientOptions {
        /// What it asks for.
        class: ClassWord = "class", |_v| ClassWord::Read, "hasim: a quorum GET";
        /// Of which sort of object: an API server stores each over connections to etcd of its own,
        /// which come back after an outage at times of their own.
        resource: ResourceWord = "resource", |_v| ResourceWord::Objects, "hasim: any object but Leases and nodes";
        /// Between requests.
        every: Duration = "every", |_v| Duration::from_millis(100), "hasim: as the measured clients";
        /// When it gives a request up.
        timeout: Duration = "timeout", |_v| Duration::from_secs(5), "hasim: as the measured clients";
        /// How long its machine now and then has no processor for it, answers being noted afterwards.
        stall: Law = "stall", |_v| Law::Fixed(Duration::ZERO), "hasim: never";
        /// Mean time between such stalls, which come at random.
        stall_every: Duration = "stallEvery", |_v| Duration::from_secs(10), "hasim: without effect where `stall` is 0s";
        /// How much later than it came each answer is noted, for itself: the client shares a processor.
        delay: Law = "delay", |_v| Law::Fixed(Duration::ZERO), "hasim: at once";
        /// Where one is dialled for itself (endpoint kind `all-servers`, or `connection: long-lived`):
        /// when it gives a connection up that does not come about, and tries the next server, if any.
        dial_timeout: Duration = "dialTimeout", |_v| Duration::from_secs(30), "client-go: net.Dialer Timeout";
    }
}

/// One client.
#[derive(Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its options.
    pub section: Section<ClientOptions>,
    /// How it holds its connections.
    pub connection: Section<ConnectionOptions>,
    /// To whom it sends: one word, or a list of processes.
    pub target: Vec<Placed>,
}

impl Client {
    pub(super) fn read(
        node: &Node,
        reader: &Reader,
        versions: &Versions,
        path: Path,
    ) -> Option<Client> {
        let mut known = Section::<ClientOptions>::names();
        known.extend(Section::<ConnectionOptions>::names());
        known.extend(["name", "target"]);
        let fields = reader.fields(node, "a client", &known)?;
        let target =
            fields.get("target").map(|entry| one_or_many(&entry.node, &path.key("target")));
        let mut section = Section::defaults(versions, path.clone());
        section.take(&fields, reader);
        let mut connection = Section::defaults(versions, path);
        connection.take(&fields, reader);
        let name = fields.required("name")?;
        Some(Client { name, section, connection, target: target.unwrap_or_default() })
    }
}
