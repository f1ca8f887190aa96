//! One process with informers: its connection, its watches and its requests.
//!
//! Data and arithmetic only; what they do when is told in [`watches`](super::watches) and
//! [`requests`](super::requests).

use crate::components::connection::{Connection, Settings};
use crate::kernel::stream::Draw;
use crate::kernel::time::{Duration, Time};

/// A reflector's waits after a failure: 0.8 s, doubling, at most 30 s, each times 1 + U; they begin anew
/// where none was needed for two minutes. client-go tools/cache/reflector.go, `backoffManager`.
const BACKOFF_FIRST: Duration = Duration::from_millis(800);
const BACKOFF_MAX: Duration = Duration::from_secs(30);
const BACKOFF_RESET: Duration = Duration::from_secs(120);

/// How a reflector waits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    waits: u32,
    last: Option<Time>,
}

impl Backoff {
    /// How long it waits now.
    pub(super) fn next(&mut self, now: Time, draw: &mut Draw) -> Duration {
        if self.last.is_none_or(|last| now.saturating_since(last) > BACKOFF_RESET) {
            self.waits = 0;
        }
        let wait = (BACKOFF_FIRST * (1 << self.waits.min(10))).min(BACKOFF_MAX);
        self.waits += 1;
        self.last = Some(now);
        wait.mul_f64(1.0 + draw.uniform())
    }
}

/// What a reflector is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// It waits before it asks again.
    Pausing(Time),
    /// It has asked for a LIST or a WATCH.
    Asking,
    /// It watches, over this connection.
    On(u64),
}

/// An informer, as far as the API server sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reflector {
    pub(super) watch: Watch,
    /// Up to when it knows what changed; `None`: it has to list.
    pub(super) known: Option<Time>,
    pub(super) backoff: Backoff,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The LIST of a reflector (by number).
    List(usize),
    /// The WATCH of a reflector, from this instant on.
    Watch(usize, Time),
    /// What the process asks beside.
    Other,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It waits for a connection.
    Waiting,
    /// It was sent on this one.
    Riding(u64),
    /// It is sent again then.
    Pausing(Time),
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) id: u64,
    pub(super) what: What,
    pub(super) deadline: Time,
    pub(super) place: Place,
    /// How often it has been sent again.
    pub(super) tries: u32,
}

impl Request {
    pub(super) fn wakes(&self) -> (Time, &'static str) {
        match self.place {
            Place::Pausing(at) if at < self.deadline => (at, "Retry-After"),
            _ => (self.deadline, "client timeout"),
        }
    }
}

/// A process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) connection: Connection,
    /// Which of the targets it dials, counting on.
    pub(super) target: usize,
    pub(super) reflectors: Vec<Reflector>,
    pub(super) requests: Vec<Request>,
    /// Since when nothing has come over its connection.
    pub(super) stuck: Option<Time>,
    /// The connection on which the server takes nothing more.
    pub(super) retiring: Option<u64>,
    /// When its alarm is set.
    pub(super) planned: Option<Time>,
}

impl Process {
    /// A process that has just started.
    pub(super) fn new(settings: Settings, reflectors: u32, target: usize) -> Self {
        let fresh = Reflector { watch: Watch::Asking, known: None, backoff: Backoff::default() };
        Self {
            connection: Connection::new(settings),
            target,
            reflectors: vec![fresh; reflectors as usize],
            requests: Vec::new(),
            stuck: None,
            retiring: None,
            planned: None,
        }
    }

    /// Whether it holds all its watches over a connection that works, and repeats nothing.
    pub(super) fn is_settled(&self) -> bool {
        let standing = self.connection.standing().filter(|_| self.stuck.is_none());
        let Some(ends) = standing else { return false };
        let first = |request: &Request| request.what == What::Other && request.tries == 0;
        self.reflectors.iter().all(|reflector| reflector.watch == Watch::On(ends.id))
            && self.requests.iter().all(first)
    }

    pub(super) fn unwatched(&self) -> usize {
        let off = |reflector: &&Reflector| !matches!(reflector.watch, Watch::On(_));
        self.reflectors.iter().filter(off).count()
    }

    /// The first thing that is due of its requests and reflectors.
    pub(super) fn due(&self) -> Option<(Time, &'static str)> {
        let requests = self.requests.iter().map(Request::wakes);
        let pauses = self.reflectors.iter().filter_map(|reflector| match reflector.watch {
            Watch::Pausing(at) => Some((at, "reflector back-off")),
            _ => None,
        });
        requests.chain(pauses).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::stream::{Key, StreamName};

    /// Law: the first wait is in [0.8, 1.6) s, waits double up to [30, 60) s, and begin anew after two
    /// quiet minutes.
    #[test]
    fn waits_double_and_begin_anew() {
        let mut draw = Key::new(1, 0).draw(StreamName::of("reflector"), 0, 0);
        let mut backoff = Backoff::default();
        let mut now = Time::START;
        for secs in [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0] {
            let wait = backoff.next(now, &mut draw).as_secs_f64();
            assert!((secs..2.0 * secs).contains(&wait), "{wait} s where {secs} s was due");
            now += Duration::from_secs(60);
        }
        now += Duration::from_secs(61);
        assert!((0.8..1.6).contains(&backoff.next(now, &mut draw).as_secs_f64()));
    }
}
