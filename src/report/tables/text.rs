//! The tables as people read them, in the look of the tools that print them.
//!
//! Absent on purpose: columns that are not modelled; each table names them.

use super::{AddressRow, BackendRow, LeaseRow, MemberRow, NodeRow, PodRow, Tables};
use crate::report::layout::{WIDTH, boxed, columns, wrap};
use crate::report::style::{Styled, Tone};
/// The command that prints the table of nodes.
const NODES: &str = "kubectl get nodes -o wide -L topology.kubernetes.io/zone";

/// Columns of that command that are not modelled.
const NODES_WITHOUT: &str =
    "(without INTERNAL-IP, EXTERNAL-IP, OS-IMAGE, KERNEL-VERSION, CONTAINER-RUNTIME)";

/// Columns of `kubectl get pods -o wide` that are not modelled.
const PODS_WITHOUT: &str = "(without RESTARTS, IP, NOMINATED NODE, READINESS GATES)";

/// Columns of `etcdctl endpoint status` that are not modelled.
const MEMBERS_WITHOUT: &str = "(without ID, DB SIZE, IS LEARNER, RAFT APPLIED INDEX)";

impl Tables {
    /// All tables as text.
    pub fn render(&self) -> Vec<Styled> {
        let mut lines = Vec::new();
        section(&mut lines, NODES, self.last_known(self.render_nodes()));
        section(&mut lines, "kubectl get pods -o wide", self.last_known(self.render_pods()));
        section(&mut lines, "etcdctl endpoint status -w table", self.render_members());
        let leases = self.last_known(self.render_leases());
        section(&mut lines, "kubectl -n kube-system get leases", leases);
        section(&mut lines, "HAProxy: servers of backend kube-apiserver", self.render_backends());
        let elected = self.address.iter().all(|row| row.priority.is_none());
        let program = if elected { "kube-vip" } else { "keepalived" };
        section(&mut lines, &format!("{program}: the virtual address"), self.render_address());
        lines
    }

    /// A table of what is stored, marked where nobody could ask for it.
    fn last_known(&self, mut lines: Vec<String>) -> Vec<String> {
        if !self.answers && !lines.is_empty() {
            lines.insert(0, "(no API server answers: what was stored last)".to_owned());
        }
        lines
    }

    fn render_nodes(&self) -> Vec<String> {
        let row = |n: &NodeRow| {
            let age = "<unknown>".to_owned();
            let status = n.status.to_owned();
            vec![n.name.clone(), status, n.roles.to_owned(), age, n.version.clone(), n.zone.clone()]
        };
        let rows: Vec<_> = self.nodes.iter().map(row).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let mut lines = columns(&["NAME", "STATUS", "ROLES", "AGE", "VERSION", "ZONE"], &rows);
        lines.push(NODES_WITHOUT.to_owned());
        lines
    }

    fn render_pods(&self) -> Vec<String> {
        let row = |p: &PodRow| {
            let ready = if p.ready { "1/1" } else { "0/1" }.to_owned();
            let age = p.age.clone().unwrap_or("<unknown>".to_owned());
            let node = p.node.clone().unwrap_or("<none>".to_owned());
            vec![p.name.clone(), ready, p.status.to_owned(), age, node]
        };
        let rows: Vec<_> = self.pods.iter().map(row).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let mut lines = columns(&["NAME", "READY", "STATUS", "AGE", "NODE"], &rows);
        lines.push(PODS_WITHOUT.to_owned());
        lines
    }

    fn render_members(&self) -> Vec<String> {
        let row = |m: &MemberRow| {
            let (term, index) = (m.raft_term.to_string(), m.raft_index.to_string());
            let leader = m.is_leader.to_string();
            let errors = if m.errors.is_empty() { "" } else { "below" }.to_owned();
            vec![m.endpoint.clone(), m.version.clone(), leader, term, index, errors]
        };
        let answering = self.members.iter().filter(|member| member.answers);
        let header = ["ENDPOINT", "VERSION", "IS LEADER", "RAFT TERM", "RAFT INDEX", "ERRORS"];
        let mut lines = boxed(&header, &answering.map(row).collect::<Vec<_>>());
        for member in self.members.iter().filter(|m| m.answers && !m.errors.is_empty()) {
            lines.extend(wrap(&format!("{}: {}", member.endpoint, member.errors), WIDTH));
        }
        lines.push(MEMBERS_WITHOUT.to_owned());
        for silent in self.members.iter().filter(|member| !member.answers) {
            let endpoint = &silent.endpoint;
            let said = format!(
                "Failed to get the status of endpoint {endpoint} (context deadline exceeded)"
            );
            lines.extend(wrap(&said, WIDTH));
        }
        lines
    }

    fn render_leases(&self) -> Vec<String> {
        let row = |l: &LeaseRow| {
            let age = "<unknown>".to_owned();
            let transitions = l.transitions.to_string();
            vec![l.name.clone(), l.holder.clone(), age, l.renewed.clone(), transitions]
        };
        let rows: Vec<_> = self.leases.iter().map(row).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        columns(&["NAME", "HOLDER", "AGE", "RENEWED", "TRANSITIONS"], &rows)
    }

    fn render_backends(&self) -> Vec<String> {
        let row = |b: &BackendRow| vec![b.balancer.clone(), b.server.clone(), b.status.to_owned()];
        let rows: Vec<_> = self.backends.iter().map(row).collect();
        if rows.is_empty() { Vec::new() } else { columns(&["BALANCER", "SERVER", "STATUS"], &rows) }
    }

    fn render_address(&self) -> Vec<String> {
        let row = |a: &AddressRow| {
            let holds = if a.holds { "yes" } else { "no" }.to_owned();
            let priority = a.priority.map(|priority| priority.to_string());
            [vec![a.node.clone(), a.state.to_owned()], priority.into_iter().collect(), vec![holds]]
                .concat()
        };
        let rows: Vec<_> = self.address.iter().map(row).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        if self.address.iter().all(|row| row.priority.is_none()) {
            return columns(&["NODE", "STATE", "HOLDS ADDRESS"], &rows);
        }
        columns(&["NODE", "STATE", "PRIORITY", "HOLDS ADDRESS"], &rows)
    }
}

/// A heading and its table, if there is one.
fn section(lines: &mut Vec<Styled>, title: &str, table: Vec<String>) {
    if table.is_empty() {
        return;
    }
    if !lines.is_empty() {
        lines.push(Styled::default());
    }
    lines.push(Styled::of(title, Tone::Heading));
    lines.extend(table.into_iter().map(|text| {
        const BAD: [&str; 4] = ["NotReady", " 0/1 ", "DOWN", "Failed"];
        let bad = BAD.iter().any(|word| text.contains(word));
        let tone = if text.starts_with("(without ") { Tone::Dim } else { Tone::Plain };
        Styled::of(text, if bad { Tone::Bad } else { tone })
    }));
}
