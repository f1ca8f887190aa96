//! Which hosts and zones can be exchanged without a difference to anything: their states are then
//! counted once (lumping by symmetry).

use super::model::{Clock, Host, Model, Repair, Sort};
use super::phases::Phases;

/// All that tells a host from another one, the outages that it is in apart.
#[derive(Debug, PartialEq)]
struct Likeness<'a> {
    parts: Vec<PartLikeness<'a>>,
    roles: (bool, bool, bool),
    present: [bool; 7],
    knows: Knows,
}

#[derive(Debug, PartialEq)]
struct PartLikeness<'a> {
    sort: Sort,
    crew: Option<usize>,
    urgency: u32,
    clocks: &'a [Clock],
    repairs: &'a [Repair],
    boot: Option<&'a Phases>,
}

/// Which members an API server knows, seen from its own host.
#[derive(Debug, PartialEq)]
enum Knows {
    Own,
    All,
    Named(Vec<usize>),
}

impl Model {
    /// Finds what can be exchanged.
    pub(super) fn exchangeable(&mut self) {
        let count = self.hosts.len();
        let zones = self.alike_zones();
        let mut grouped: Vec<Vec<usize>> = Vec::new();
        for at in 0..count {
            let same =
                |other: &Vec<usize>| self.same_place(other[0], at) && self.alike(other[0], at);
            match grouped.iter().position(same) {
                Some(found) => grouped[found].push(at),
                None => grouped.push(vec![at]),
            }
        }
        self.alike = grouped.into_iter().filter(|hosts| hosts.len() > 1).collect();
        self.alike_zones = zones;
    }

    fn same_place(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.hosts[one], &self.hosts[other]);
        one.overlays == other.overlays && one.crashes == other.crashes
    }

    fn alike(&self, one: usize, other: usize) -> bool {
        let free = |at: usize| !self.is_named(at) && !self.is_ranked(at, false);
        free(one) && free(other) && self.likeness(one) == self.likeness(other)
    }

    /// Whether clients or the address single a host out.
    fn is_named(&self, at: usize) -> bool {
        match self.way {
            super::model::Way::Balancer(host) | super::model::Way::Server(host) => host == at,
            _ => false,
        }
    }

    /// Whether it matters that of two usable balancers the first takes the address: within a place,
    /// not while all usable ones are in the same state; in different places, always.
    fn is_ranked(&self, at: usize, other_places: bool) -> bool {
        let host = &self.hosts[at];
        if self.vip.is_none() || !host.balancer {
            return false;
        }
        let one_state = |part: &super::model::PartModel| part.ups() == 1;
        let (from, to) = host.slots;
        let own = self.parts.iter().filter(|part| (from..to).contains(&part.slot));
        let mut relevant = own.clone().filter(|part| part.sort != Sort::Alone);
        other_places || host.api || host.member || !relevant.all(one_state) || own.count() != 1
    }

    fn likeness(&self, at: usize) -> Likeness<'_> {
        let host = &self.hosts[at];
        let (from, to) = host.slots;
        let own = self.parts.iter().filter(|part| (from..to).contains(&part.slot));
        let parts = own.map(|part| PartLikeness {
            sort: part.sort,
            crew: part.crew,
            urgency: part.urgency,
            clocks: &part.clocks,
            repairs: &part.repairs,
            boot: part.boot.as_ref(),
        });
        let members = self.hosts.iter().filter(|host| host.member).count();
        let knows = if host.knows == [at] {
            Knows::Own
        } else if host.knows.len() == members {
            Knows::All
        } else {
            Knows::Named(host.knows.clone())
        };
        let present = [
            host.machine,
            host.link,
            host.disk,
            host.api_part,
            host.member_part,
            host.manager_part,
            host.scheduler_part,
        ];
        Likeness {
            parts: parts.collect(),
            roles: (host.api, host.member, host.balancer),
            present: present.map(|part| part.is_some()),
            knows,
        }
    }

    /// Outages with the same laws whose hosts are alike, one by one, and in no other outage.
    fn alike_zones(&self) -> Vec<Vec<(usize, Vec<usize>)>> {
        let whole = |host: &Host| host.overlays.len() + host.crashes.len() == 1;
        let mut groups: Vec<Vec<(usize, Vec<usize>)>> = Vec::new();
        for (at, outage) in self.outages.iter().enumerate() {
            let hosts = &outage.hosts;
            let free = hosts.iter().all(|host| {
                whole(&self.hosts[*host]) && !self.is_named(*host) && !self.is_ranked(*host, true)
            });
            if !free {
                continue;
            }
            let found = groups.iter_mut().find_map(|group| {
                let (first, of_first) = &group[0];
                let other = &self.outages[*first];
                let laws = other.failure == outage.failure && other.repair == outage.repair;
                let matched = self.matched(of_first, hosts)?;
                (laws && other.crash == outage.crash).then_some((group, matched))
            });
            match found {
                Some((group, matched)) => group.push((at, matched)),
                None => groups.push(vec![(at, hosts.clone())]),
            }
        }
        groups.into_iter().filter(|group| group.len() > 1).collect()
    }

    /// The hosts of another outage in the order of the alike ones of the first.
    fn matched(&self, first: &[usize], other: &[usize]) -> Option<Vec<usize>> {
        let mut left = other.to_vec();
        let mut matched = Vec::new();
        for host in first {
            let at = left.iter().position(|o| self.likeness(*host) == self.likeness(*o))?;
            matched.push(left.remove(at));
        }
        left.is_empty().then_some(matched)
    }
}
