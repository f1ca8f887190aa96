//! What an instance knows of the balancer beside it: the verdict of a `vrrp_script`, and whether a
//! tracked process exists.

use super::{Fx, KeepalivedAlarm, KeepalivedParams, SCRIPT_DRAW, ScriptKind, VrrpScript, Wiring};
use crate::component::id::ComponentId;
use crate::component::view::{ProcessState, View};
use crate::components::health_check::{HealthCheck, Target};
use crate::kernel::time::Duration;

/// Scripts run at strict intervals: no check ever asks for a number.
fn no_dice(_: u64) -> f64 {
    0.5
}

/// The tracked objects of an instance.
#[derive(Debug, Default)]
pub(super) struct Tracking {
    balancer: Option<ComponentId>,
    /// The balancer's servers, by their bits in its rotation.
    servers: Vec<ComponentId>,
    kind: Option<ScriptKind>,
    script: Option<HealthCheck>,
    process_dead: bool,
}

impl Tracking {
    /// At a settled start everything has been good for long.
    pub(super) fn settled(
        params: &KeepalivedParams,
        wiring: &Wiring,
        view: &View,
        fx: Fx,
    ) -> Self {
        let script = params.vrrp_script.as_ref().map(|script| {
            let rules = script.rules(|span| view.local(span));
            let phase = fx.draw(SCRIPT_DRAW).uniform_duration(Duration::ZERO, rules.inter);
            HealthCheck::settled(rules, true, view.now + phase, GOOD)
        });
        let kind = params.vrrp_script.as_ref().map(|script| script.script);
        let servers = wiring.servers.clone();
        Self { balancer: wiring.balancer, servers, kind, script, process_dead: false }
    }

    /// At the start of the process the script runs at once, and its first result decides.
    pub(super) fn starting(params: &KeepalivedParams, wiring: &Wiring, view: &View) -> Self {
        let kind = params.vrrp_script.as_ref().map(|script| script.script);
        let servers = wiring.servers.clone();
        let mut tracking = Self { balancer: wiring.balancer, servers, kind, ..Self::default() };
        tracking.process_dead = tracking.dead(view);
        tracking.script = params.vrrp_script.as_ref().map(|script| {
            let rules = script.rules(|span| view.local(span));
            HealthCheck::undecided(rules, view.now, tracking.target(view))
        });
        tracking
    }

    /// The script's verdict; `None` without a result yet, or without a script.
    pub(super) fn script(&self) -> Option<bool> {
        self.script.as_ref().and_then(HealthCheck::verdict)
    }

    /// Whether the tracked process exists.
    pub(super) fn process(&self) -> bool {
        !self.process_dead
    }

    /// Whether an object of weight 0 keeps the instance out of the election.
    pub(super) fn faulty(&self, params: &KeepalivedParams) -> bool {
        let weightless = |script: &VrrpScript| script.weight == 0;
        (params.vrrp_script.as_ref().is_some_and(weightless) && self.script() != Some(true))
            || (params.track_process.as_ref().is_some_and(|p| p.weight == 0) && self.process_dead)
    }

    fn dead(&self, view: &View) -> bool {
        self.balancer.is_some_and(|id| view.process(id).state == ProcessState::Dead)
    }

    /// What a run of the script meets now.
    fn target(&self, view: &View) -> Target {
        let Some(balancer) = self.balancer else { return GOOD };
        match self.kind {
            Some(ScriptKind::Killall) if self.dead(view) => Target::Refused(Duration::ZERO),
            Some(ScriptKind::Killall) | None => GOOD,
            Some(ScriptKind::Connect) => Target::of(view.probe(balancer), true, true),
            Some(ScriptKind::CheckApiserver) => match Target::of(view.probe(balancer), true, true) {
                Target::Answers { .. } => self.served(balancer, view),
                target => target,
            },
        }
    }

    /// What a question to `/healthz` meets behind the balancer: the best that a server in rotation
    /// has to say. (Which of them a run asks is not modelled: while one is healthy, runs pass.)
    fn served(&self, balancer: ComponentId, view: &View) -> Target {
        let rotation = view.load_balancer(balancer).map_or(0, |fact| fact.rotation);
        let asked = self.servers.iter().enumerate().filter(|(at, _)| rotation >> at & 1 == 1);
        let answers = asked.map(|(_, id)| {
            let fact = view.api_server(*id).copied().unwrap_or_default();
            Target::of(view.probe(*id), fact.http, fact.live).waiting(fact.health_wait)
        });
        let rank = |target: &Target| match target {
            Target::Answers { good: true, .. } => 0,
            Target::Answers { .. } => 1,
            Target::Hung(_) => 2,
            Target::Silent | Target::Unreachable => 3,
            Target::Refused(_) => 4,
        };
        // With nobody in rotation the balancer closes the connection at once.
        answers.min_by_key(rank).unwrap_or(Target::Refused(Duration::ZERO))
    }

    /// Everything is published at a settled start: a balancer that never started was missed long ago.
    pub(super) fn look(&mut self, params: &KeepalivedParams, view: &View, fx: Fx) {
        let never = self.balancer.is_some_and(|id| view.process(id).incarnation == 0);
        if let (true, Some(script)) = (never, &params.vrrp_script) {
            let rules = script.rules(|span| view.local(span));
            let phase = fx.draw(SCRIPT_DRAW).uniform_duration(Duration::ZERO, rules.inter);
            let target = self.target(view);
            self.script = Some(HealthCheck::settled(rules, false, view.now + phase, target));
        }
        self.saw(view, fx);
    }

    /// The balancer changed.
    pub(super) fn saw(&mut self, view: &View, fx: Fx) {
        self.process_dead = self.dead(view);
        let target = self.target(view);
        if let Some(script) = &mut self.script {
            script.see(view.now, target, &no_dice);
        }
        self.plan(view, fx);
    }

    /// One alarm for the run that flips the script's verdict.
    pub(super) fn plan(&self, view: &View, fx: Fx) {
        match self.script.as_ref().and_then(|script| script.flip(view.now, &no_dice)) {
            Some(flip) => fx.set(KeepalivedAlarm::Script, flip.at, flip.blame),
            None => fx.clear(KeepalivedAlarm::Script),
        }
    }

    /// The run that flips the verdict ends now.
    pub(super) fn decide(&mut self, view: &View, fx: Fx) {
        if let Some(script) = &mut self.script {
            script.advance(view.now, &no_dice);
        }
        self.plan(view, fx);
    }

    /// The process executes again after a pause.
    pub(super) fn wake(&mut self, view: &View) {
        self.process_dead = self.dead(view);
        let target = self.target(view);
        if let Some(script) = &mut self.script {
            script.wake(view.now, target);
        }
    }

    /// The machine's clock runs at another rate.
    pub(super) fn clock_changed(&mut self, params: &KeepalivedParams, view: &View, fx: Fx) {
        if let (Some(check), Some(script)) = (&mut self.script, &params.vrrp_script) {
            check.change_rules(view.now, script.rules(|span| view.local(span)), &no_dice);
        }
        self.plan(view, fx);
    }
}

/// A run that passes at once.
const GOOD: Target =
    Target::Answers { round_trip: Duration::ZERO, work: Duration::ZERO, good: true };
