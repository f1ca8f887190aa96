//! The hold model: take the earliest of a fixed number of pending events, put it back an
//! exponential span later, and so on. It is what a queue does in a simulation in steady state.
//!
//! The kernel's agenda and mail queue run beside std's `BinaryHeap` in one process, so that their
//! ratio means something on any machine. Spans come from a table (the queue alone), from the
//! kernel's draws by name, one address per event, which then cannot be computed before the event
//! is known; from one long draw; and, as in the raw loop that other simulators are measured by,
//! from `ChaCha8` through a ziggurat.

#![allow(missing_docs, reason = "criterion's macros declare undocumented items")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hasim::kernel::agenda::{Agenda, Cell};
use hasim::kernel::law::Law;
use hasim::kernel::mail::MailQueue;
use hasim::kernel::stream::{Draw, Key, StreamName};
use hasim::kernel::time::{Duration, Time};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

/// Events per measured iteration.
const EVENTS: u32 = 4096;

/// Pending events: about a control plane, a larger one, and far beyond any.
const PENDING: [u32; 3] = [16, 128, 4096];

const MEAN: Duration = Duration::from_secs(1);

/// Where the span to an entity's next event comes from.
trait Spans {
    fn next(&mut self, entity: u32) -> Duration;
}

/// Spans drawn beforehand, so that only the queue is measured.
struct Table {
    spans: Vec<Duration>,
    place: usize,
}

impl Table {
    fn new() -> Table {
        let mut keyed = Keyed::new(1);
        Table { spans: (0..4096).map(|_| keyed.next(0)).collect(), place: 0 }
    }
}

impl Spans for Table {
    fn next(&mut self, _: u32) -> Duration {
        self.place = (self.place + 1) % 4096;
        self.spans[self.place]
    }
}

/// The kernel's draws: by entity, purpose and occurrence.
struct Keyed {
    key: Key,
    names: Vec<StreamName>,
    occurrences: Vec<u64>,
    law: Law,
}

impl Keyed {
    fn new(entities: u32) -> Keyed {
        let all = StreamName::of("entity");
        Keyed {
            key: Key::new(1, 1),
            names: (0..entities).map(|entity| all.part(u64::from(entity))).collect(),
            occurrences: vec![0; entities as usize],
            law: Law::Exponential { mean: MEAN },
        }
    }
}

impl Spans for Keyed {
    fn next(&mut self, entity: u32) -> Duration {
        let occurrence = &mut self.occurrences[entity as usize];
        *occurrence += 1;
        self.law.sample(&mut self.key.draw(self.names[entity as usize], 0, *occurrence))
    }
}

/// One draw of the kernel for all entities: its numbers follow each other.
struct Stream {
    draw: Draw,
    law: Law,
}

impl Stream {
    fn new() -> Stream {
        let draw = Key::new(1, 1).draw(StreamName::of("all"), 0, 0);
        Stream { draw, law: Law::Exponential { mean: MEAN } }
    }
}

impl Spans for Stream {
    fn next(&mut self, _: u32) -> Duration {
        self.law.sample(&mut self.draw)
    }
}

/// What the peers' raw loop draws: one sequential generator for all entities.
struct Ziggurat(ChaCha8Rng);

impl Spans for Ziggurat {
    fn next(&mut self, _: u32) -> Duration {
        let variate: f64 = Exp1.sample(&mut self.0);
        MEAN.mul_f64(variate)
    }
}

/// A queue of one event per entity.
trait Hold {
    /// Every entity's first event.
    fn filled(entities: u32, spans: &mut impl Spans) -> Self;

    /// Takes the earliest event and puts it back later.
    fn step(&mut self, spans: &mut impl Spans) -> u32;
}

impl Hold for Agenda {
    fn filled(entities: u32, spans: &mut impl Spans) -> Agenda {
        let mut agenda = Agenda::new(entities as usize);
        (0..entities).for_each(|cell| agenda.set(Cell(cell), Time::START + spans.next(cell)));
        agenda
    }

    fn step(&mut self, spans: &mut impl Spans) -> u32 {
        let (now, cell) = self.next().expect("every entity always has an event");
        self.set(cell, now + spans.next(cell.0));
        cell.0
    }
}

impl Hold for MailQueue<[u64; 2]> {
    fn filled(entities: u32, spans: &mut impl Spans) -> MailQueue<[u64; 2]> {
        let mut queue = MailQueue::new();
        (0..entities).for_each(|n| queue.push(Time::START + spans.next(n), n, n, [0; 2]));
        queue
    }

    fn step(&mut self, spans: &mut impl Spans) -> u32 {
        let (now, target, source, item) = self.pop().expect("every entity always has an event");
        self.push(now + spans.next(target), target, source, item);
        target
    }
}

/// The raw loop: instant, running number for equal instants, and 16 bytes of content.
struct Raw {
    heap: BinaryHeap<Reverse<(Time, u64, [u64; 2])>>,
    count: u64,
}

impl Raw {
    fn push(&mut self, at: Time, item: [u64; 2]) {
        self.count += 1;
        self.heap.push(Reverse((at, self.count, item)));
    }
}

impl Hold for Raw {
    fn filled(entities: u32, spans: &mut impl Spans) -> Raw {
        let mut raw = Raw { heap: BinaryHeap::new(), count: 0 };
        (0..entities).for_each(|n| raw.push(Time::START + spans.next(n), [u64::from(n), 0]));
        raw
    }

    fn step(&mut self, spans: &mut impl Spans) -> u32 {
        let Reverse((now, _, item)) = self.heap.pop().expect("every entity always has an event");
        let entity = u32::try_from(item[0]).expect("entities are numbered by 32 bits");
        self.push(now + spans.next(entity), item);
        entity
    }
}

/// Measures one queue with one source of spans at every number of pending events.
#[allow(clippy::disallowed_types, reason = "criterion measures real time")]
fn hold<Q: Hold, S: Spans>(criterion: &mut Criterion, name: &str, source: impl Fn(u32) -> S) {
    let mut group = criterion.benchmark_group("hold");
    group.throughput(Throughput::Elements(u64::from(EVENTS)));
    group.sample_size(20);
    group.warm_up_time(std::time::Duration::from_millis(200));
    group.measurement_time(std::time::Duration::from_millis(800));
    for pending in PENDING {
        let mut spans = source(pending);
        let mut queue = Q::filled(pending, &mut spans);
        group.bench_function(BenchmarkId::new(name, pending), |bencher| {
            bencher.iter(|| {
                for _ in 0..EVENTS {
                    black_box(queue.step(&mut spans));
                }
            });
        });
    }
    group.finish();
}

fn all(criterion: &mut Criterion) {
    hold::<Raw, _>(criterion, "raw, table", |_| Table::new());
    hold::<Agenda, _>(criterion, "agenda, table", |_| Table::new());
    hold::<MailQueue<_>, _>(criterion, "mail, table", |_| Table::new());
    hold::<Raw, _>(criterion, "raw, keyed", Keyed::new);
    hold::<Agenda, _>(criterion, "agenda, keyed", Keyed::new);
    hold::<MailQueue<_>, _>(criterion, "mail, keyed", Keyed::new);
    hold::<Raw, _>(criterion, "raw, stream", |_| Stream::new());
    hold::<Agenda, _>(criterion, "agenda, stream", |_| Stream::new());
    let chacha = |_| Ziggurat(ChaCha8Rng::seed_from_u64(1));
    hold::<Raw, _>(criterion, "raw, chacha8", chacha);
    hold::<Agenda, _>(criterion, "agenda, chacha8", chacha);
}

criterion_group!(benches, all);
criterion_main!(benches);
