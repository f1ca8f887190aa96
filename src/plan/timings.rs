//! Timings of protocols that a law takes the place of: for speed, for teaching, and so that the same
//! plan has an exact solution.
//!
//! Without one, a failover takes as long as the protocol's own timers make it take: message by message
//! in a world, or ([`Preset::Drawn`]) in one draw.

use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use std::collections::BTreeMap;

/// A timing that a law can take the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timing {
    /// From "nobody holds the virtual address, and a balancer can be used" to "it is held". Begins
    /// anew when no balancer is left. The usable one that is declared first takes the address;
    /// nobody gives it up to a better one that comes back.
    VipTakeover,
    /// From "quorum, and no leader" to "leader". Begins anew when quorum is lost. A leader is lost
    /// when it stops being a usable voter, or with the quorum; the winner is any usable voter, all
    /// alike.
    EtcdElection,
    /// From the end of a machine's repair to its etcd member's vote; the API server beside it serves
    /// at once. It begins anew after the next repair if the machine fails meanwhile.
    EtcdRejoin,
    /// From an API server's failure to its leaving the balancers' rotation. One that recovers before
    /// never leaves.
    LbFall,
    /// From an API server's recovery to its return to the rotation.
    LbRise,
    /// From "writes work, and no kube-scheduler holds the Lease" to "one holds it". The Lease is lost
    /// when the holder's machine goes down; its time runs only while writes work.
    SchedulerTakeover,
    /// The same of the kube-controller-manager.
    ControllerManagerTakeover,
}

impl Timing {
    /// Every timing, with its name in files and its meaning.
    pub const ALL: [(Timing, &'static str, &'static str); 7] = [
        (
            Timing::VipTakeover,
            "vip.takeover",
            "From the loss of the address's holder, or from when a balancer can be used again, to the next holder.",
        ),
        (
            Timing::EtcdElection,
            "etcd.election",
            "From the loss of the leader, or from the return of quorum, to the next leader.",
        ),
        (
            Timing::EtcdRejoin,
            "etcd.rejoin",
            "From the end of a machine's repair until its etcd member votes again.",
        ),
        (
            Timing::LbFall,
            "lb.fall",
            "From an API server's failure until the balancers take it out of the rotation.",
        ),
        (
            Timing::LbRise,
            "lb.rise",
            "From an API server's recovery until it is back in the rotation.",
        ),
        (
            Timing::SchedulerTakeover,
            "scheduler.takeover",
            "From the loss of the Lease's holder until another kube-scheduler holds it, while writes work.",
        ),
        (
            Timing::ControllerManagerTakeover,
            "controller_manager.takeover",
            "From the loss of the Lease's holder until another kube-controller-manager holds it, while writes work.",
        ),
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        Timing::ALL[self as usize].1
    }
}

/// What decides about a timing that has no law of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// Worlds play the protocols, if no timing at all has a law; beside one that has, as
    /// [`Preset::Drawn`].
    #[default]
    None,
    /// It takes no time at all, and neither do start-ups, detection and warm-up.
    Ideal,
    /// It is drawn from the protocol's own timers, in one number for each failover.
    Drawn,
}

impl Preset {
    /// Those that have a name in files.
    pub const NAMED: [(&'static str, Preset); 2] =
        [("ideal", Preset::Ideal), ("drawn", Preset::Drawn)];

    /// The name in files.
    pub fn name(self) -> Option<&'static str> {
        Preset::NAMED.iter().find(|(_, preset)| *preset == self).map(|(name, _)| *name)
    }
}

/// The laws that take the place of protocols.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timings {
    /// What decides about the others.
    pub preset: Preset,
    /// The laws that were given. Instantaneous is a fixed zero.
    pub laws: BTreeMap<Timing, Law>,
}

impl Timings {
    /// Takes no time.
    pub const INSTANTANEOUS: Law = Law::Fixed(Duration::ZERO);

    /// The law of a timing; `None`: the protocol's own timers decide.
    pub fn law(&self, timing: Timing) -> Option<&Law> {
        const NONE: &Law = &Timings::INSTANTANEOUS;
        self.laws.get(&timing).or_else(|| (self.preset == Preset::Ideal).then_some(NONE))
    }

    /// Whether a law takes the place of every protocol: nothing is left to its timers.
    pub fn is_whole(&self) -> bool {
        Timing::ALL.iter().all(|(timing, ..)| self.law(*timing).is_some())
    }

    /// Whether worlds play the protocols over years: nothing takes their place.
    pub fn are_played(&self) -> bool {
        self.preset == Preset::None && self.laws.is_empty()
    }

    /// Whether a law takes no time.
    pub fn is_instantaneous(law: &Law) -> bool {
        matches!(law, Law::Fixed(span) if span.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: names are looked up by the timing itself.
    #[test]
    fn names_stand_in_the_order_of_timings() {
        for (timing, name, doc) in Timing::ALL {
            assert_eq!(timing.name(), name);
            assert!(doc.ends_with('.'));
        }
    }

    /// Law: the preset gives a law to whatever has none, and takes nothing back.
    #[test]
    fn the_preset_fills_up() {
        let law = Law::Exponential { mean: Duration::from_secs(2) };
        let laws = BTreeMap::from([(Timing::EtcdElection, law.clone())]);
        let timings = Timings { preset: Preset::Ideal, laws };
        assert_eq!(timings.law(Timing::EtcdElection), Some(&law));
        assert!(Timings::is_instantaneous(timings.law(Timing::LbFall).unwrap()));
        assert!(timings.is_whole() && !Timings::default().is_whole());
        assert_eq!(Timings::default().law(Timing::LbFall), None);
    }

    /// Law: worlds play the protocols only where nothing at all takes their place; what is drawn has
    /// no law.
    #[test]
    fn what_is_drawn_is_not_played() {
        let drawn = Timings { preset: Preset::Drawn, laws: BTreeMap::new() };
        assert!(Timings::default().are_played() && !drawn.are_played() && !drawn.is_whole());
        let laws = BTreeMap::from([(Timing::LbRise, Timings::INSTANTANEOUS)]);
        assert!(!Timings { preset: Preset::None, laws }.are_played());
        assert_eq!((Preset::Drawn.name(), Preset::None.name()), (Some("drawn"), None));
    }
}
