//! Faults of processes: they end, start, or stop to execute.

use super::option::{OptionSort, Options, VerbOption};
use super::{Act, Given, Verb, Whom};
use crate::component::id::Kind;
use crate::component::lever::Lever;
use crate::plan::schedule::Action;

/// SIGTERM.
pub(super) const STOP: Verb = Verb {
    name: "stop",
    doc: "SIGTERM: the process shuts down in its own way. A service manager then leaves it down; a running kubelet starts a static pod again, as after `crictl stop`. `for` starts it again at the latest.",
    whom: Whom::Processes(&[]),
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| Act::until(Action::Lever(Lever::Stop), Action::Start, targets(given)),
};

/// SIGKILL.
pub(super) const KILL: Verb = Verb {
    name: "kill",
    doc: "SIGKILL: nothing is tidied up. A supervisor (kubelet, systemd) starts the process again as it does; `for` starts it again at the latest.",
    whom: Whom::Processes(&[]),
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| Act::until(Action::Lever(Lever::Kill), Action::Start, targets(given)),
};

/// SIGKILL of a part of keepalived.
pub(super) const KILL_CHILD: Verb = Verb {
    name: "killChild",
    doc: "SIGKILL of keepalived's VRRP child alone: the address stays until the parent starts the next child, after 0, 1, 2, 4 … 60 s (doubling while children die within a minute), which removes it and begins as backup.",
    whom: Whom::Processes(&[Kind::Keepalived]),
    ends: false,
    repairs: &[],
    options: &[],
    act: |given| Act::lasting(Action::Lever(Lever::KillChild), targets(given)),
};

/// SIGKILL of the other part.
pub(super) const KILL_PARENT: Verb = Verb {
    name: "killParent",
    doc: "SIGKILL of keepalived's parent alone: the kernel sends its child SIGTERM, which leaves in order, so that this is no `kill` but a `stop`. `for` starts it again.",
    whom: Whom::Processes(&[Kind::Keepalived]),
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| Act::until(Action::Lever(Lever::Stop), Action::Start, targets(given)),
};

/// Start.
pub(super) const START: Verb = Verb {
    name: "start",
    doc: "Starts a process that is not running; nothing happens to one that is.",
    whom: Whom::Processes(&[]),
    ends: false,
    repairs: &["stop", "kill", "killParent"],
    options: &[],
    act: |given| Act::lasting(Action::Start, targets(given)),
};

/// Stop and start.
pub(super) const RESTART: Verb = Verb {
    name: "restart",
    doc: "SIGTERM, and a start as soon as the process has ended.",
    whom: Whom::Processes(&[]),
    ends: false,
    repairs: &[],
    options: &[],
    act: |given| Act::lasting(Action::Restart, targets(given)),
};

/// The clock of a machine that is suspended.
const STOPS: &str = "stops";

/// Whether a pause is that of a whole machine with its clock.
pub(super) fn suspends(options: &Options) -> bool {
    options.is_word("clock", STOPS)
}

/// SIGSTOP.
pub(super) const PAUSE: Verb = Verb {
    name: "pause",
    doc: "SIGSTOP, starvation or a long garbage collection of a process: no code runs, while the kernel still accepts connections. With `clock: stops` a whole virtual machine is suspended. `for` resumes it.",
    whom: Whom::Processes(&[]),
    ends: true,
    repairs: &[],
    options: &[VerbOption {
        name: "clock",
        doc: "`runs`: the machine's clock goes on, so that elapsed timers fire at once afterwards. `stops`: the target is a machine, whose hypervisor suspends it; its monotonic clock stands still, so that its timers go on where they were and what it last saw seems younger than it is.",
        sort: OptionSort::Words(&["runs", STOPS]),
    }],
    act: |given| {
        if suspends(&given.options) {
            return Act::until(Action::Suspend(true), Action::Suspend(false), targets(given));
        }
        Act::until(Action::Lever(Lever::Pause), Action::Lever(Lever::Resume), targets(given))
    },
};

/// SIGCONT.
pub(super) const RESUME: Verb = Verb {
    name: "resume",
    doc: "SIGCONT: elapsed timers fire and waiting messages are read at once. A suspended machine goes on.",
    whom: Whom::Processes(&[]),
    ends: false,
    repairs: &["pause"],
    options: &[],
    act: |given| Act::lasting(Action::Lever(Lever::Resume), targets(given)),
};

/// Too little processor for a machine.
pub(super) const STARVE: Verb = Verb {
    name: "starve",
    doc: "The machine gets too little processor, as a virtual machine does on an overcommitted host: time and again all its processes stand still together, while its kernel still accepts connections. `for` ends it.",
    whom: Whom::Machines,
    ends: true,
    repairs: &[],
    options: &[
        VerbOption {
            name: "runs",
            doc: "How long its processes run until they stand still again: a duration or a law.",
            sort: OptionSort::Law,
        },
        VerbOption {
            name: "stalls",
            doc: "How long they stand still: a duration or a law.",
            sort: OptionSort::Law,
        },
    ],
    act: |given| {
        let (runs, stalls) = (given.options.law("runs"), given.options.law("stalls"));
        Act::until(Action::Starve { runs, stalls }, Action::Feed, targets(given))
    },
};

fn targets(given: &Given) -> Vec<crate::plan::schedule::Target> {
    given.targets.clone()
}
