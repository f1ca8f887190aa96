//! The verbs of a scenario's faults: what each is called, whom it may hit, which options it takes,
//! and the timed settings it stands for. One file for each family of verbs.
//!
//! Verbs read like English and keep process, machine, link, disk, clock and zone apart: `stop` is
//! SIGTERM to a process, `powerOff` takes a machine, `isolate` its network.
//!
//! Absent on purpose: files and places in them (the scenario layer hands over values and maps the
//! problems back), and carrying out (the world's operator).

pub mod nearest;
pub mod option;
pub mod target;

mod backup;
mod certificates;
mod clock;
mod config;
mod disk;
mod dns;
mod isolate;
mod link;
pub mod membership;
mod out_of_service;
mod partition;
mod power;
mod process;
mod rolling;
mod zone_outage;

use crate::component::id::Kind;
use crate::plan::schedule::{Action, Target};
use option::{Options, VerbOption};

/// Which sort of target a verb takes, and how its value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Processes of these kinds; of any if the list is empty.
    Processes(&'static [Kind]),
    /// Machines; a process by role stands for its machine.
    Machines,
    /// Zones by name.
    Zones,
    /// A list of two sides, each a target or a list of targets.
    TwoSides,
    /// `{"from": …, "to": …}`, each a target or a list of targets.
    FromTo,
    /// One etcd member.
    Member,
    /// An etcd member, or a list of two: the old one and the one that takes its place.
    Succession,
    /// What an earlier fault hit, written as that fault wrote it.
    Earlier,
}

/// What a verb was given.
#[derive(Clone, Debug)]
pub struct Given {
    /// Whom it hits; of two sides the first.
    pub targets: Vec<Target>,
    /// The other side, where the verb has one.
    pub others: Vec<Target>,
    /// Its options.
    pub options: Options,
}

/// What a verb does.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// At its time.
    pub action: Action,
    /// When `for` has passed.
    pub undo: Option<Action>,
    /// To whom.
    pub targets: Vec<Target>,
}

impl Act {
    /// Something that stays, or whose end is another verb.
    fn lasting(action: Action, targets: Vec<Target>) -> Act {
        Act { action, undo: None, targets }
    }

    /// Something that `for` ends.
    fn until(action: Action, undo: Action, targets: Vec<Target>) -> Act {
        Act { action, undo: Some(undo), targets }
    }
}

/// One verb.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// The field's name in a fault.
    pub name: &'static str,
    /// What it does, for people and editors.
    pub doc: &'static str,
    /// Whom it may hit.
    pub whom: Whom,
    /// Whether `for` may end it.
    pub ends: bool,
    /// Which earlier verbs it repairs.
    pub repairs: &'static [&'static str],
    /// Its options, beside `at`, `for` and `every`.
    pub options: &'static [VerbOption],
    /// What it stands for. Verbs for [`Whom::Earlier`] take the earlier fault's undoing instead.
    pub act: fn(&Given) -> Act,
}

impl Verb {
    /// Whom it may hit with these options: a pause that stops the clock takes a whole machine.
    pub fn whom_with(&self, options: &Options) -> Whom {
        if process::suspends(options) {
            return Whom::Machines;
        }
        certificates::holders(options).unwrap_or(self.whom)
    }
}

/// Every verb, in the order of the documentation.
pub const VERBS: [&Verb; 40] = [
    &process::STOP,
    &process::KILL,
    &process::KILL_CHILD,
    &process::KILL_PARENT,
    &process::START,
    &process::RESTART,
    &process::PAUSE,
    &process::RESUME,
    &process::STARVE,
    &config::PUSH_BAD_CONFIG,
    &config::ROLL_BACK,
    &certificates::EXPIRE,
    &certificates::RENEW,
    &power::POWER_OFF,
    &power::POWER_ON,
    &isolate::ISOLATE,
    &isolate::HEAL,
    &partition::PARTITION,
    &partition::ONE_WAY,
    &link::SLOW_LINK,
    &link::LOSSY_LINK,
    &disk::STALL_DISK,
    &disk::FREE_DISK,
    &disk::SLOW_DISK,
    &disk::FILL_DATABASE,
    &disk::DISARM,
    &disk::WIPE_DATA,
    &clock::SKEW_CLOCK,
    &dns::DROP_RECORD,
    &dns::ADD_RECORD,
    &zone_outage::ZONE_OUTAGE,
    &rolling::UPGRADE,
    &rolling::REBOOT,
    &rolling::ROLLING_RESTART,
    &membership::GROWTH,
    &membership::REPLACE_MEMBER,
    &backup::SNAPSHOT,
    &backup::RESTORE,
    &backup::FORCE_NEW_CLUSTER,
    &out_of_service::OUT_OF_SERVICE,
];

/// The verb of that name.
pub fn verb(name: &str) -> Option<&'static Verb> {
    VERBS.into_iter().find(|verb| verb.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: a verb's name is found, and names are unique; so are its options' names.
    #[test]
    fn names_are_unique() {
        for known in VERBS {
            assert_eq!(verb(known.name).map(|v| v.doc), Some(known.doc));
            assert_eq!(VERBS.iter().filter(|v| v.name == known.name).count(), 1, "{}", known.name);
        }
    }

    /// Law: what a verb repairs is a verb that has an end.
    #[test]
    fn repairs_name_verbs_that_end() {
        for repair in VERBS {
            for name in repair.repairs {
                assert!(verb(name).is_some_and(|v| v.ends), "{} repairs {name}", repair.name);
            }
        }
    }
}
