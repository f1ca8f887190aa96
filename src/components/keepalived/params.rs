//! keepalived's options, their defaults and contradictions, and the timers that follow from them.

use crate::component::param::{ParamValue, Params, Problem, params, sort, words};
use crate::component::versions::Versions;
use crate::components::health_check::{Depth, Names, Pacing, Rules};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use serde_json::{Map, Value, json};

words! {
    /// The state in which an instance says it wants to begin.
    pub enum InitialState {
        /// Clears `nopreempt` and `preempt_delay`, and makes 255 the default priority; it does not
        /// make the instance begin as master.
        Master = "MASTER",
        /// No such effects.
        Backup = "BACKUP",
    }
}

words! {
    /// What a `vrrp_script` runs.
    pub enum ScriptKind {
        /// Whether the process exists; a hung one does.
        Killall = "killall -0 haproxy",
        /// Whether the balancer's port accepts; a hung process does.
        Connect = "nc -z localhost",
        /// kubeadm's script: whether `/healthz` is served through the balancer within `--max-time`.
        CheckApiserver = "check_apiserver.sh",
    }
}

params! {
    /// A `vrrp_script` with its `track_script` entry.
    pub struct VrrpScript {
        /// What it runs.
        script: ScriptKind = "script", |_v| ScriptKind::Killall,
            "keepalived.conf(5): no default; the commonest check of a balancer";
        /// From the start of a run to the start of the next.
        interval: Duration = "interval", |_v| Duration::from_secs(1), "keepalived.conf(5), `interval`";
        /// How long a run may take; unset: `interval`.
        timeout: Option<Duration> = "timeout", |_v| None, "keepalived.conf(5), `timeout`";
        /// How long `curl` in `check_apiserver.sh` waits for the answer.
        max_time: Duration = "--max-time", |_v| Duration::from_secs(2),
            "kubeadm ha-considerations, check_apiserver.sh";
        /// Failed runs in a row after which the script counts as failed.
        fall: u32 = "fall", |_v| 1, "keepalived.conf(5), `fall`";
        /// Good runs in a row after which it counts as good.
        rise: u32 = "rise", |_v| 1, "keepalived.conf(5), `rise`";
        /// Added to the priority: if above 0 while good, if below 0 while failed; 0: failure is FAULT.
        weight: i32 = "weight", |_v| 0, "keepalived.conf(5), `weight`";
    }
}

params! {
    /// A `vrrp_track_process` of the balancer.
    pub struct TrackProcess {
        /// As a script's `weight`.
        weight: i32 = "weight", |_v| 0, "keepalived.conf(5), `vrrp_track_process`";
    }
}

params! {
    /// One VRRP instance.
    pub struct KeepalivedParams {
        /// The state in which it says it wants to begin.
        state: InitialState = "state", |_v| InitialState::Backup, "keepalived.conf(5), `state`";
        /// 1 to 254, the highest becomes master; 255 is the owner of the address. Unset: 100, with
        /// `state MASTER` 255.
        priority: Option<u32> = "priority", |_v| None, "keepalived.conf(5), `priority`";
        /// From advert to advert.
        advert_int: Duration = "advert_int", |_v| Duration::from_secs(1),
            "keepalived.conf(5), `advert_int`";
        /// 2 or 3.
        vrrp_version: u32 = "vrrp_version", |_v| 2, "keepalived.conf(5), `vrrp_version`";
        /// How many adverts may be missing before a backup takes over.
        down_timer_adverts: u32 = "down_timer_adverts", |_v| 3,
            "keepalived.conf(5), `down_timer_adverts`; RFC 5798";
        /// A higher priority does not take the address from a living master.
        nopreempt: bool = "nopreempt", |_v| false, "keepalived.conf(5), `nopreempt`";
        /// How long a lower master is honoured before it is preempted.
        preempt_delay: Duration = "preempt_delay", |_v| Duration::ZERO,
            "keepalived.conf(5), `preempt_delay`";
        /// From the first announcement by gratuitous ARP to the second; `0s`: no second.
        garp_master_delay: Duration = "garp_master_delay", |_v| Duration::from_secs(5),
            "keepalived.conf(5), `garp_master_delay`";
        /// Gratuitous ARPs in an announcement; 0: none.
        garp_master_repeat: u32 = "garp_master_repeat", |_v| 5,
            "keepalived.conf(5), `garp_master_repeat`";
        /// From one renewed announcement of a master to the next, at the advert that falls due then;
        /// `0s`: none. It bounds how long a neighbour may send to a holder that left without a word.
        garp_master_refresh: Duration = "garp_master_refresh", |_v| Duration::ZERO,
            "keepalived.conf(5), `garp_master_refresh`";
        /// Gratuitous ARPs when a master hears a lower one; 0: none. Unset: `garp_master_repeat`.
        garp_lower_prio_repeat: Option<u32> = "garp_lower_prio_repeat", |_v| None,
            "keepalived.conf(5), `garp_lower_prio_repeat`";
        /// A script that checks the balancer beside it; unset: none.
        vrrp_script: Option<VrrpScript> = "vrrp_script", |_v| None, "keepalived.conf(5), `vrrp_script`";
        /// Tracks the balancer's process through the kernel; unset: not.
        track_process: Option<TrackProcess> = "track_process", |_v| None,
            "keepalived.conf(5), `vrrp_track_process`";
        /// From SIGTERM, or from the end of a fault of its interface or script, until the process gets to it.
        signal_delay: Law = "signal-delay", |_v| Law::Fixed(Duration::ZERO), "hasim: at once";
        /// From the instant at which an instance becomes master (its advert leaves then) or hears a higher
        /// one until its address is added or removed.
        wake_up: Law = "wakeUp", |_v| Law::Fixed(Duration::ZERO), "hasim: at once";
        /// From the start of the process until its child speaks VRRP, an address that an earlier one left
        /// being removed then.
        startup: Law = "startup", |_v| Law::Fixed(Duration::ZERO), "hasim: at once";
    }
}

/// Reads a section inside a section.
fn nested<T: Params>(value: &Value) -> Result<T, String> {
    let Some(entries) = value.as_object() else {
        return Err(format!("expected a section of options, found {}", sort(value)));
    };
    let mut section = T::defaults(&Versions::default());
    for (name, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
        if !section.set(name, value).map_err(|wrong| format!("`{name}`: {wrong}"))? {
            let known: Vec<&str> = T::fields().iter().map(|field| field.name).collect();
            return Err(format!("no option `{name}`; there are {}", known.join(", ")));
        }
    }
    Ok(section)
}

fn shown<T: Params>(section: &T) -> Value {
    let entries = section.effective().into_iter().map(|e| (e.name.to_owned(), e.value));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn schema_of<T: Params>() -> Value {
    let fields = T::fields().into_iter().map(|f| (f.name.to_owned(), (f.schema)()));
    let properties = Value::Object(fields.collect::<Map<_, _>>());
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

impl ParamValue for VrrpScript {
    fn read(value: &Value) -> Result<Self, String> {
        nested(value)
    }
    fn show(&self) -> Value {
        shown(self)
    }
    fn schema() -> Value {
        schema_of::<Self>()
    }
}

impl ParamValue for TrackProcess {
    fn read(value: &Value) -> Result<Self, String> {
        nested(value)
    }
    fn show(&self) -> Value {
        shown(self)
    }
    fn schema() -> Value {
        schema_of::<Self>()
    }
}

impl VrrpScript {
    /// The rules of its runs in true time.
    pub(super) fn rules(&self, local: impl Fn(Duration) -> Duration) -> Rules {
        let timeout = self.timeout.unwrap_or(self.interval);
        let curl = self.script == ScriptKind::CheckApiserver;
        let limit = if curl { timeout.min(self.max_time) } else { timeout };
        let limit_name = if limit < timeout { "curl --max-time" } else { "timeout" };
        let interval = local(self.interval);
        Rules {
            rise: self.rise,
            fall: self.fall,
            inter: interval,
            fastinter: interval,
            downinter: interval,
            pacing: Pacing::StartToStart,
            depth: if curl { Depth::Reply } else { Depth::Connect },
            handshake: false,
            connect_limit: local(limit),
            reply_fresh: Duration::ZERO,
            reply_total: local(limit),
            spread: 0,
            syn: 0.into(),
            names: Names {
                inter: "interval",
                fastinter: "interval",
                downinter: "interval",
                connect_limit: limit_name,
                reply_limit: limit_name,
                work: "etcd-healthcheck-timeout",
            },
        }
    }
}

/// What keepalived uses where a priority is out of range or missing.
const PRIORITY_DEFAULT: u8 = 100;
/// The owner of the address.
pub(super) const PRIORITY_OWNER: u8 = 255;

impl KeepalivedParams {
    /// The configured priority as keepalived takes it, before scripts change it.
    pub fn base_priority(&self) -> u8 {
        match self.priority.map(u8::try_from) {
            None if self.state == InitialState::Master => PRIORITY_OWNER,
            None | Some(Err(_) | Ok(0)) => PRIORITY_DEFAULT,
            Some(Ok(priority)) => priority,
        }
    }

    /// The priority while scripts and processes are `good` or not.
    pub fn priority_with(&self, script: Option<bool>, process: bool) -> u8 {
        let base = self.base_priority();
        if base == PRIORITY_OWNER {
            return base;
        }
        let script = self.vrrp_script.as_ref().map_or(0, |s| share(s.weight, script));
        let process = self.track_process.as_ref().map_or(0, |p| share(p.weight, Some(process)));
        let sum = i32::from(base).saturating_add(script).saturating_add(process).clamp(1, 254);
        u8::try_from(sum).unwrap_or(base)
    }

    /// Whether a lower master may keep the address for ever.
    pub fn keeps_lower(&self) -> bool {
        self.nopreempt && self.may_wait()
    }

    /// `preempt_delay`, where it has an effect.
    pub(super) fn delay_before_preempting(&self) -> Duration {
        if self.may_wait() { self.preempt_delay } else { Duration::ZERO }
    }

    fn may_wait(&self) -> bool {
        self.state == InitialState::Backup && self.base_priority() != PRIORITY_OWNER
    }

    /// `Skew_Time`: version 2 in seconds, version 3 in adverts of the master.
    pub fn skew(&self, priority: u8, master_advert_int: Duration) -> Duration {
        let unit = if self.vrrp_version == 2 { Duration::from_secs(1) } else { master_advert_int };
        unit * (256 - u64::from(priority)) / 256
    }

    /// `Master_Down_Interval`.
    pub fn master_down(&self, priority: u8, master_advert_int: Duration) -> Duration {
        master_advert_int * u64::from(self.down_timer_adverts)
            + self.skew(priority, master_advert_int)
    }

    /// Contradictions within one instance, as keepalived treats them.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = self.check_ranges();
        if self.priority.is_some_and(|p| !(1..=255).contains(&p)) {
            problems.push(warning(
                "priority",
                "priority not valid: keepalived uses 100 instead".to_owned(),
                "give a priority from 1 to 254".to_owned(),
            ));
        }
        if self.priority.is_none() && self.state == InitialState::Master {
            problems.push(warning(
                "priority",
                "`state MASTER` without a priority makes the instance the address owner, 255".to_owned(),
                "give a priority from 1 to 254".to_owned(),
            ));
        }
        if self.state == InitialState::Master {
            for (field, given) in
                [("nopreempt", self.nopreempt), ("preempt_delay", !self.preempt_delay.is_zero())]
            {
                if given {
                    problems.push(warning(
                        field,
                        format!("`{field}` has no effect with `state MASTER`: keepalived clears it"),
                        "set `\"state\": \"BACKUP\"` on every instance".to_owned(),
                    ));
                }
            }
        }
        problems
    }

    fn check_ranges(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let whole = self.advert_int.as_nanos().is_multiple_of(1_000_000_000);
        let range = match self.vrrp_version {
            2 => Duration::from_secs(1)..=Duration::from_secs(255),
            _ => Duration::from_millis(10)..=Duration::from_millis(40_950),
        };
        if !range.contains(&self.advert_int) || (self.vrrp_version == 2 && !whole) {
            let allowed = if self.vrrp_version == 2 {
                "whole seconds from 1s to 255s (version 3 has centiseconds)"
            } else {
                "10ms to 40.95s"
            };
            let message = format!("`advert_int` is {}, but must be {allowed}", self.advert_int);
            problems.push(error("advert_int", message, "the default is 1s".to_owned()));
        }
        if !(2..=3).contains(&self.vrrp_version) {
            let message = format!("there is no VRRP version {}", self.vrrp_version);
            problems.push(error("vrrp_version", message, "2 and 3 exist".to_owned()));
        }
        if !(1..=100).contains(&self.down_timer_adverts) {
            problems.push(error(
                "down_timer_adverts",
                "`down_timer_adverts` must be from 1 to 100".to_owned(),
                "the default is 3".to_owned(),
            ));
        }
        if self.preempt_delay > Duration::from_secs(1000) {
            problems.push(error(
                "preempt_delay",
                "`preempt_delay` must be from 0s to 1000s".to_owned(),
                "leave it out for none".to_owned(),
            ));
        }
        problems.extend(self.vrrp_script.iter().flat_map(check_script));
        let process = self.track_process.as_ref().map_or(0, |process| process.weight);
        problems.extend(check_weight("track_process.weight", process));
        problems
    }

    /// Contradictions with the other instances of the same address.
    pub fn check_beside(&self, others: &[&KeepalivedParams]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mine = self.base_priority();
        if self.vrrp_version == 2 && others.iter().any(|o| o.advert_int != self.advert_int) {
            problems.push(warning(
                "advert_int",
                "version 2 drops adverts of another interval: both instances will be master".to_owned(),
                "give every instance the same `advert_int`".to_owned(),
            ));
        }
        if others.iter().any(|o| o.vrrp_version != self.vrrp_version) {
            problems.push(warning(
                "vrrp_version",
                "keepalived drops adverts of another version: both instances will be master".to_owned(),
                "give every instance the same `vrrp_version`".to_owned(),
            ));
        }
        let weights = [
            ("vrrp_script.weight", self.vrrp_script.as_ref().map(|s| s.weight)),
            ("track_process.weight", self.track_process.as_ref().map(|p| p.weight)),
        ];
        let below = others.iter().map(|o| o.base_priority()).filter(|p| *p < mine).max();
        for (field, weight) in weights {
            let (Some(weight), Some(below)) = (weight.filter(|w| *w < 0), below) else { continue };
            if i32::from(mine) + weight >= i32::from(below) {
                problems.push(warning(
                    field,
                    format!("{mine}{weight} is not below {below}: failing never moves the address"),
                    format!("use a weight below {}", i32::from(below) - i32::from(mine)),
                ));
            }
        }
        problems
    }
}

/// What a tracked object adds to the priority (`vrrp_track.c`); nothing before its first result.
fn share(weight: i32, good: Option<bool>) -> i32 {
    match good {
        Some(true) => weight.max(0),
        Some(false) => weight.min(0),
        None => 0,
    }
}

fn check_script(script: &VrrpScript) -> Vec<Problem> {
    let mut problems: Vec<Problem> = check_weight("vrrp_script.weight", script.weight).into_iter().collect();
    let zeros = [
        ("vrrp_script.rise", script.rise == 0),
        ("vrrp_script.fall", script.fall == 0),
        ("vrrp_script.interval", script.interval.is_zero()),
        ("vrrp_script.timeout", script.timeout.is_some_and(Duration::is_zero)),
        ("vrrp_script.--max-time", script.max_time.is_zero()),
    ];
    let zeros = zeros.into_iter().filter(|(_, zero)| *zero).map(|(field, _)| {
        let option = field.trim_start_matches("vrrp_script.");
        let help = "the defaults are rise 1, fall 1, interval 1s, --max-time 2s".to_owned();
        error(field, format!("`{option}` of a script must be above 0"), help)
    });
    problems.extend(zeros);
    problems
}

fn check_weight(field: &'static str, weight: i32) -> Option<Problem> {
    let message = format!("the weight is {weight}, but must be from -253 to 253");
    (weight.abs() > 253).then(|| error(field, message, "0 makes a failure FAULT".to_owned()))
}

fn error(field: &'static str, message: String, help: String) -> Problem {
    Problem { field, message, help, fatal: true }
}

fn warning(field: &'static str, message: String, help: String) -> Problem {
    Problem { field, message, help, fatal: false }
}
