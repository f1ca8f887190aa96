//! Start-up and shutdown of an API server.
//!
//! Start: the port opens; etcd must accept a connection within 60 s; HTTP is served; the post-start
//! hooks need a working etcd within 30 s, else the process ends; then /readyz is 200.
//! Stop: /readyz fails at once, the listener closes after `shutdown-delay-duration`, requests under
//! way are drained for up to 60 s, and the process exits.

use super::state::Life;
use super::{Alarm, ApiServer, START_DRAW};
use crate::component::effects::{ExitStatus, HangUp};
use crate::component::view::Probe;
use crate::component::{ComponentId, Effects, View};
use crate::kernel::time::Duration;

/// etcd is tried this often before start-up goes on. kube-apiserver: `app/server.go`, 60 × 1 s.
pub const PREFLIGHT_PERIOD: Duration = Duration::from_secs(1);
/// Start-up ends if none has accepted a connection for this long.
pub const PREFLIGHT_TIMEOUT: Duration = Duration::from_secs(60);

/// The hook that creates the default roles tries this often, this long; its failure is fatal.
/// kube-apiserver: `storage_rbac.go`, `hooks.go`.
pub const HOOK_PERIOD: Duration = Duration::from_secs(1);
/// How long it tries.
pub const HOOK_TIMEOUT: Duration = Duration::from_secs(30);

/// Requests under way are waited for this long. kube-apiserver: `ShutdownTimeout` 60 s.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(60);

impl ApiServer {
    /// The server has been running for long.
    pub(super) fn settle(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.life = Life {
            running: true,
            started: view.now,
            etcd_found: Some(view.now),
            listening: true,
            http: true,
            hooked: true,
            ..Life::default()
        };
        self.storages.settle(view);
        self.cache.settle(view, fx);
    }

    /// The process has been started.
    pub(super) fn boot(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let port = self.params.port_open.sample(&mut fx.draw(START_DRAW));
        let http = self.params.first_http.sample(&mut fx.draw(START_DRAW)).max(port);
        let ready = self.params.readyz.sample(&mut fx.draw(START_DRAW)).max(http);
        let grace = self.params.livez_grace_period;
        self.life = Life {
            running: true,
            started: view.now,
            to_http: http,
            to_ready: ready,
            grace: !grace.is_zero(),
            ..Life::default()
        };
        self.cache.boot(view, fx);
        fx.set_after(Alarm::PortOpen, port, "start to open port");
        if !grace.is_zero() {
            fx.set_after(Alarm::LivezGrace, grace, "livez-grace-period");
        }
        self.preflight(view, fx);
    }

    /// Tries whether any etcd member accepts a connection.
    pub(super) fn preflight(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let accepts = |p| matches!(p, Probe::Answers(_) | Probe::Hung(_));
        if self.wiring.etcd_servers.iter().any(|m| accepts(view.probe(*m))) {
            self.life.etcd_found = Some(view.now);
            self.storages.open(view, fx);
            fx.set_after(Alarm::Http, self.life.to_http, "start to first HTTP");
        } else if view.now.since(self.life.started) >= PREFLIGHT_TIMEOUT {
            fx.exit(ExitStatus::Fatal("cannot connect to etcd within 60 s"));
        } else {
            fx.set_after(Alarm::Preflight, PREFLIGHT_PERIOD, "etcd preflight");
        }
    }

    /// The HTTP server is up: requests that waited are taken, the caches are filled.
    pub(super) fn serve_http(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.life.http = true;
        self.relist(view, fx);
        self.release_held(view, fx);
        let rest = self.life.to_ready.saturating_sub(self.life.to_http);
        fx.set_after(Alarm::Readyz, rest, "start to readyz");
    }

    /// The hooks have had their time: start-up ends once etcd works, or the process does.
    pub(super) fn finish_start(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let since = self.life.etcd_found.unwrap_or(self.life.started) + self.life.to_ready;
        if self.reads_work(view) && self.cache.ready {
            self.life.hooked = true;
        } else if view.now.saturating_since(since) >= HOOK_TIMEOUT {
            fx.exit(ExitStatus::Fatal("a post-start hook failed: etcd did not answer for 30 s"));
        } else {
            fx.set_after(Alarm::Readyz, HOOK_PERIOD, "post-start hooks");
        }
    }

    /// SIGTERM.
    pub(super) fn stop(&mut self, fx: &mut Effects<Alarm>) {
        if self.life.stopping {
            return;
        }
        self.life.stopping = true;
        let delay = self.params.shutdown_delay_duration;
        if delay.is_zero() {
            self.close_listener(fx);
        } else {
            fx.set_after(Alarm::Close, delay, "shutdown-delay-duration");
        }
    }

    /// No new connections; those open may finish.
    pub(super) fn close_listener(&mut self, fx: &mut Effects<Alarm>) {
        self.life.listening = false;
        fx.hang_up(HangUp::GoAway);
        fx.set_after(Alarm::Drained, DRAIN_TIMEOUT, "ShutdownTimeout");
    }

    /// Exits once nothing is under way.
    pub(super) fn finish_stop(&mut self, fx: &mut Effects<Alarm>) {
        if self.life.stopping && !self.life.listening && self.relays.is_idle() {
            fx.exit(ExitStatus::Clean);
        }
    }

    /// The process is gone with all it had in memory.
    pub(super) fn die(&mut self) {
        self.life = Life::default();
        self.storages.reset();
        self.cache.reset();
        self.forget_requests();
    }

    /// The process was paused and missed what changed meanwhile.
    pub(super) fn look_again(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        for member in self.wiring.etcd_servers.clone() {
            self.storages.saw(member, view, fx);
        }
        self.watch_leaders(view, fx);
    }

    /// A member, or the path to it, changed.
    pub(super) fn saw(&mut self, member: ComponentId, view: &View, fx: &mut Effects<Alarm>) {
        self.storages.saw(member, view, fx);
        self.watch_leaders(view, fx);
    }
}
