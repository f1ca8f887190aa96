//! What is so in a state: who is up, who can be used, which services are there.

use super::model::{Host, Model, Way};

/// A state.
pub(super) type State = Vec<u16>;

/// The services in a state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Levels {
    /// Up or down, in the order of [`super::answer::Measured::ALL`].
    pub(super) up: [bool; 6],
    /// The share of requests that succeed at once.
    pub(super) request_success: f64,
}

impl Model {
    /// Whether a part is up; what cannot fail is.
    pub(super) fn is_up(&self, state: &[u16], part: Option<usize>) -> bool {
        part.is_none_or(|at| state[self.parts[at].slot] < self.parts[at].ups())
    }

    /// Whether an outage is on.
    pub(super) fn is_out(&self, state: &[u16], outage: usize) -> bool {
        let outage = &self.outages[outage];
        usize::from(state[outage.slot]) >= outage.failure.len()
    }

    fn machine_up(&self, state: &[u16], host: &Host) -> bool {
        self.is_up(state, host.machine)
    }

    /// Whether a host can be reached: up, connected, in no outage.
    fn is_usable(&self, state: &[u16], host: &Host) -> bool {
        self.machine_up(state, host)
            && self.is_up(state, host.link)
            && !host.overlays.iter().any(|outage| self.is_out(state, *outage))
    }

    /// Whether a host's API server serves.
    pub(super) fn serves(&self, state: &[u16], host: &Host) -> bool {
        host.api
            && self.is_usable(state, host)
            && self.is_up(state, host.api_part)
            && self.is_up(state, self.cluster)
    }

    /// Whether a host's member can vote.
    pub(super) fn votes(&self, state: &[u16], host: &Host) -> bool {
        host.member
            && self.is_usable(state, host)
            && self.is_up(state, host.member_part)
            && self.is_up(state, host.disk)
            && host.rejoin.is_none_or(|slot| state[slot] == 0)
    }

    /// Whether a host's balancer can be used.
    pub(super) fn balances(&self, state: &[u16], host: &Host) -> bool {
        host.balancer
            && self.is_usable(state, host)
            && host.balancer_parts.iter().all(|part| self.is_up(state, Some(*part)))
    }

    /// Whether a host keeps a Lease that it holds, and whether it can take one.
    pub(super) fn keeps_lease(&self, state: &[u16], host: &Host, part: Option<usize>) -> bool {
        host.api && self.machine_up(state, host) && self.is_up(state, part)
    }

    pub(super) fn takes_lease(&self, state: &[u16], host: &Host, part: Option<usize>) -> bool {
        host.api && self.is_usable(state, host) && self.is_up(state, part)
    }

    /// Whether a majority of members can vote.
    pub(super) fn has_quorum(&self, state: &[u16]) -> bool {
        self.hosts.iter().filter(|host| self.votes(state, host)).count() >= self.quorum
    }

    /// Whether some host has a mark.
    pub(super) fn anyone(&self, state: &[u16], mark: impl Fn(&Host) -> Option<usize>) -> bool {
        self.hosts.iter().any(|host| mark(host).is_some_and(|slot| state[slot] == 1))
    }

    /// Whether there is a leader.
    pub(super) fn has_leader(&self, state: &[u16]) -> bool {
        if self.election.is_some() {
            self.anyone(state, |host| host.leads)
        } else {
            self.has_quorum(state)
        }
    }

    fn path(&self, state: &[u16]) -> bool {
        match &self.way {
            Way::Servers | Way::Server(_) => true,
            Way::Balancer(host) => self.balances(state, &self.hosts[*host]),
            Way::Vip if self.vip.is_some() => self.anyone(state, |host| host.holds_vip),
            Way::Vip => self.hosts.iter().any(|host| self.balances(state, host)),
        }
    }

    /// Whether a request can reach a server for which `good` holds.
    fn reaches(&self, state: &[u16], good: impl Fn(&Host) -> bool) -> bool {
        let usable = |host: &Host| self.serves(state, host) && good(host);
        self.path(state)
            && match self.way {
                Way::Server(host) => usable(&self.hosts[host]),
                _ => self.hosts.iter().any(usable),
            }
    }

    /// Whether a write commits.
    pub(super) fn writes(&self, state: &[u16]) -> bool {
        let voter = |at: &usize| self.votes(state, &self.hosts[*at]);
        self.has_leader(state) && self.reaches(state, |host| host.knows.iter().any(voter))
    }

    fn leased(
        &self,
        state: &[u16],
        timed: bool,
        mark: impl Fn(&Host) -> Option<usize>,
        part: impl Fn(&Host) -> Option<usize>,
    ) -> bool {
        if timed {
            return self.anyone(state, mark);
        }
        self.hosts.iter().any(|host| self.takes_lease(state, host, part(host)))
    }

    /// The services.
    pub(super) fn levels(&self, state: &[u16]) -> Levels {
        let writes = self.writes(state);
        let manager =
            self.leased(state, self.manager.is_some(), |h| h.holds_manager, |h| h.manager_part);
        let scheduler = self.leased(
            state,
            self.scheduler.is_some(),
            |h| h.holds_scheduler,
            |h| h.scheduler_part,
        );
        let up = [
            self.reaches(state, |_| true),
            writes,
            self.has_quorum(state),
            self.has_leader(state),
            writes && scheduler,
            writes && manager,
        ];
        Levels { up, request_success: self.request_success(state) }
    }

    /// Requests that reach a server in rotation which is healthy.
    fn request_success(&self, state: &[u16]) -> f64 {
        let Some(detection) = &self.detection else { return 1.0 };
        let fallen = 1 + detection.fall.as_ref().map_or(0, super::phases::Phases::len);
        let mut within = 0_u32;
        let mut healthy = 0_u32;
        for host in self.hosts.iter().filter(|host| host.api) {
            if host.rotation.is_some_and(|slot| usize::from(state[slot]) < fallen) {
                within += 1;
                healthy += u32::from(self.serves(state, host));
            }
        }
        if within == 0 { 0.0 } else { f64::from(healthy) / f64::from(within) }
    }

    /// The same state with alike hosts and zones in order.
    pub(super) fn ordered(&self, mut state: State) -> State {
        for hosts in &self.alike {
            let slots: Vec<(usize, usize)> = hosts.iter().map(|at| self.hosts[*at].slots).collect();
            let mut rows: Vec<State> =
                slots.iter().map(|(from, to)| state[*from..*to].to_vec()).collect();
            if rows.is_sorted() {
                continue;
            }
            rows.sort_unstable();
            for ((from, to), row) in slots.iter().zip(rows) {
                state[*from..*to].copy_from_slice(&row);
            }
        }
        for zones in &self.alike_zones {
            let rows = |(outage, hosts): &(usize, Vec<usize>)| {
                let slot = self.outages[*outage].slot;
                let own = hosts.iter().map(|at| self.hosts[*at].slots);
                let mut places = vec![slot];
                places.extend(own.flat_map(|(from, to)| from..to));
                places
            };
            let places: Vec<Vec<usize>> = zones.iter().map(rows).collect();
            let mut contents: Vec<State> = places
                .iter()
                .map(|slots| slots.iter().map(|slot| state[*slot]).collect())
                .collect();
            contents.sort_unstable();
            for (slots, row) in places.iter().zip(contents) {
                for (slot, value) in slots.iter().zip(row) {
                    state[*slot] = value;
                }
            }
        }
        state
    }
}
