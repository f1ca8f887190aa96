//! The hold model through hasim's agenda, a binary heap and simcore, in one process: take the earliest of
//! a fixed number of pending events and put it back an exponential span later.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml`. All draw by ChaCha8 through a
//! ziggurat. Times are the wall clock's, the least of several rounds taken in turn, so that a busy
//! machine disturbs all alike.

use hasim::kernel::agenda::{Agenda, Cell};
use hasim::kernel::time::{Duration, Time};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext};
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

const EVENTS: u32 = 400_000;
const ROUNDS: usize = 9;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn span(rng: &mut ChaCha8Rng) -> f64 {
    Exp1.sample(rng)
}

fn later(rng: &mut ChaCha8Rng) -> Duration {
    Duration::from_secs(1).mul_f64(span(rng))
}

/// One of the queues, filled: runs so many events.
trait Hold {
    fn run(&mut self, events: u32);
}

struct Hasim(Agenda, ChaCha8Rng);

impl Hasim {
    fn new(pending: u32) -> Self {
        let (mut agenda, mut rng) = (Agenda::new(pending as usize), rng());
        (0..pending).for_each(|cell| agenda.set(Cell(cell), Time::START + later(&mut rng)));
        Self(agenda, rng)
    }
}

impl Hold for Hasim {
    fn run(&mut self, events: u32) {
        for _ in 0..events {
            let (now, cell) = self.0.next().expect("every entity always has an event");
            self.0.set(cell, now + later(&mut self.1));
            black_box(cell);
        }
    }
}

/// Instant, running number for equal instants, and 16 bytes of content.
struct Raw(BinaryHeap<Reverse<(Time, u64, [u64; 2])>>, u64, ChaCha8Rng);

impl Raw {
    fn new(pending: u32) -> Self {
        let mut raw = Self(BinaryHeap::new(), 0, rng());
        (0..pending).for_each(|n| raw.push(Time::START, [u64::from(n), 0]));
        raw
    }

    fn push(&mut self, now: Time, item: [u64; 2]) {
        self.1 += 1;
        let at = now + later(&mut self.2);
        self.0.push(Reverse((at, self.1, item)));
    }
}

impl Hold for Raw {
    fn run(&mut self, events: u32) {
        for _ in 0..events {
            let Reverse((now, _, item)) = self.0.pop().expect("every entity always has an event");
            self.push(now, black_box(item));
        }
    }
}

#[derive(Clone, Serialize)]
struct Again {}

struct Entity(SimulationContext, Rc<RefCell<ChaCha8Rng>>);

impl EventHandler for Entity {
    fn on(&mut self, event: Event) {
        black_box(event.id);
        self.0.emit_self(Again {}, span(&mut self.1.borrow_mut()));
    }
}

struct Simcore(Simulation);

impl Simcore {
    fn new(pending: u32) -> Self {
        let (mut sim, rng) = (Simulation::new(1), Rc::new(RefCell::new(rng())));
        for number in 0..pending {
            let name = format!("entity {number}");
            let context = sim.create_context(&name);
            context.emit_self(Again {}, span(&mut rng.borrow_mut()));
            sim.add_handler(&name, Rc::new(RefCell::new(Entity(context, rng.clone()))));
        }
        Self(sim)
    }
}

impl Hold for Simcore {
    fn run(&mut self, events: u32) {
        for _ in 0..events {
            self.0.step();
        }
    }
}

fn main() {
    println!("pending   hasim   heap   simcore (M events/s)   hasim : heap   hasim : simcore");
    for pending in [16, 128, 4096] {
        let mut queues: [Box<dyn Hold>; 3] = [
            Box::new(Hasim::new(pending)),
            Box::new(Raw::new(pending)),
            Box::new(Simcore::new(pending)),
        ];
        let mut best = [f64::INFINITY; 3];
        for _ in 0..ROUNDS {
            for (queue, best) in queues.iter_mut().zip(&mut best) {
                let began = Instant::now();
                queue.run(EVENTS);
                *best = best.min(began.elapsed().as_secs_f64());
            }
        }
        let [hasim, raw, simcore] = best.map(|secs| f64::from(EVENTS) / secs / 1e6);
        let (to_raw, to_simcore) = (hasim / raw, hasim / simcore);
        println!("{pending:7} {hasim:7.1} {raw:6.1} {simcore:9.1} {to_raw:31.2} {to_simcore:17.2}");
    }
}
