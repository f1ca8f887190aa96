//! Before anything comes of a night by itself: most are elections, and over by then, so that no server
//! hears of them.
//!
//! Absent on purpose: what comes of it after that.

use super::super::scene::{Bits, each_of};
use super::{Nights, Standing};
use crate::kernel::time::Time;

/// The fall of a night: nothing comes of it by itself for some time, and most are over before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dusk {
    since: Time,
    /// Servers that have no etcd since then.
    servers: Bits,
    /// What they would have made of it: see [`Standing`].
    open: Bits,
    near: Bits,
    members: Bits,
    silent: Bits,
    led: Bits,
}

impl Nights {
    /// Whether it is day for every server.
    pub(in super::super) fn are_over(&self) -> bool {
        self.night == 0 && self.dusk.is_none()
    }

    /// Whether it is day for all of these, who have etcd: a dusk of theirs is over then.
    pub(super) fn dawns(&mut self, up: Bits) -> bool {
        if self.night != 0 || self.dusk.is_some_and(|dusk| dusk.servers & !up != 0) {
            return false;
        }
        (self.dusk, self.soonest) = (None, Time::NEVER);
        true
    }

    /// Lets dusk fall for all who have no etcd, if it is day for them; whether it does.
    pub(super) fn dusk(&mut self, it: Standing) -> bool {
        let servers = it.up & !it.fed;
        let until = it.now + it.timers.cache_kept().min(it.law.patience());
        if !self.are_over() || servers & it.came != 0 || until <= it.now {
            return false;
        }
        let Standing { now: since, near, members, silent, led, .. } = it;
        self.dusk = Some(Dusk { since, servers, open: self.open, near, members, silent, led });
        self.soonest = until;
        true
    }

    /// Lets it be night since dusk.
    pub(super) fn darken(&mut self, dusk: Dusk, it: Standing) {
        let Dusk { since: now, near, members, silent, led, .. } = dusk;
        let then = Standing { now, near, members, silent, led, ..it };
        for at in each_of(dusk.servers) {
            let accepting = self.accepting(at, dusk.open, then);
            if let Some(server) = self.servers.get_mut(at) {
                server.darken(then, self.reach[at], accepting);
            }
        }
        self.night = dusk.servers;
    }
}
