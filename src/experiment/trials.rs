//! Many trials in parallel, the same result whatever the number of threads.
//!
//! Trials are cut into blocks of fixed size, counted from trial 0; each block is folded in the order of
//! its trials, and the blocks are joined in their order. So even sums of floats do not depend on who
//! computed what. Blocks are handed out in order, so that whoever stops early has a run of finished
//! trials without gaps.
//!
//! A trial that panics (a bug of hasim) is left out and told, with what is needed to replay it; the
//! others stand.
//!
//! Absent on purpose: what a trial is; clocks, files and signals, which a [`Guide`] stands for.

use rayon::ThreadPoolBuilder;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Trials in a block: few enough to share among threads, enough to make joining cheap. Part of the
/// result, as floating sums depend on it.
pub const BLOCK: u64 = 16;

/// Which trials, and on how many threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// The seed that all trials share.
    pub seed: u64,
    /// The number of the first.
    pub first: u64,
    /// How many trials.
    pub trials: u64,
    /// Threads to use; `None`: as many as the machine has cores.
    pub threads: Option<usize>,
}

impl Sampling {
    /// The numbers of the trials.
    pub fn range(&self) -> Range<u64> {
        self.first..self.first.saturating_add(self.trials)
    }
}

/// Who watches the trials from outside: a progress bar, a time limit, an interrupt.
pub trait Guide: Sync {
    /// So many trials have ended; called from any thread.
    fn ended(&self, _trials: u64) {}

    /// Whether to stop: blocks that have begun are finished, none is begun any more.
    fn stop(&self) -> bool {
        false
    }
}

/// Nobody watches; all trials are run.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Guide for Unwatched {}

/// A trial that ended in a panic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Its number.
    pub trial: u64,
    /// The seed.
    pub seed: u64,
    /// What the panic said.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { trial, seed, message } = self;
        write!(
            f,
            "trial {trial} panicked ({message}); replay it with --seed {seed} --trial {trial}"
        )
    }
}

/// What became of the trials.
#[derive(Clone, Debug)]
pub struct Folded<A> {
    /// The fold over all trials that ended well.
    pub total: A,
    /// The others, in order.
    pub failures: Vec<Failure>,
}

/// Threads could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start {threads} threads: {reason}")]
pub struct NoThreads {
    threads: usize,
    reason: String,
}

/// What a stretch of trials has collected.
pub trait Join: Default + Send {
    /// Adds what a later stretch has.
    fn absorb(&mut self, later: Self);
}

/// How the results of trials become one.
pub trait Fold<T>: Join {
    /// Whether a trial may be over so soon that telling of each would take longer than the trial: the
    /// guide hears of whole blocks.
    const QUICK: bool = false;

    /// Adds the next trial's result.
    fn add(&mut self, trial: u64, result: T);
}

/// Results as they come, in order of trials.
impl<T: Send> Join for Vec<T> {
    fn absorb(&mut self, later: Self) {
        self.extend(later);
    }
}

impl<T: Send> Fold<T> for Vec<T> {
    fn add(&mut self, _trial: u64, result: T) {
        self.push(result);
    }
}

/// A stretch of trials that were folded one after the other.
#[derive(Clone, Debug)]
pub struct Block<A> {
    /// Their numbers.
    pub trials: Range<u64>,
    /// What became of them.
    pub folded: Folded<A>,
}

impl<A: Join> Block<A> {
    /// Adds the block that follows.
    ///
    /// # Panics
    ///
    /// If it does not follow.
    pub fn extend(&mut self, later: Block<A>) {
        assert_eq!(self.trials.end, later.trials.start, "blocks come in order, without gaps");
        self.trials.end = later.trials.end;
        self.folded.total.absorb(later.folded.total);
        self.folded.failures.extend(later.folded.failures);
    }
}

/// Runs every trial and folds the results.
///
/// # Errors
///
/// If the threads cannot be started.
pub fn fold<T, A: Fold<T>>(
    sampling: &Sampling,
    run: impl Fn(u64) -> T + Sync,
    guide: &dyn Guide,
) -> Result<Folded<A>, NoThreads> {
    let mut all = Folded { total: A::default(), failures: Vec::new() };
    blocks(sampling, run, guide, |block: Block<A>| {
        all.total.absorb(block.folded.total);
        all.failures.extend(block.folded.failures);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

/// Runs every trial; `sink` gets the blocks in order and without gaps, until it breaks or the guide
/// stops.
///
/// # Errors
///
/// If the threads cannot be started.
pub fn blocks<T, A: Fold<T>>(
    sampling: &Sampling,
    run: impl Fn(u64) -> T + Sync,
    guide: &dyn Guide,
    sink: impl FnMut(Block<A>) -> ControlFlow<()> + Send,
) -> Result<(), NoThreads> {
    let threads = sampling.threads.unwrap_or(0);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| NoThreads { threads, reason: error.to_string() })?;
    let range = sampling.range();
    let first = range.start / BLOCK;
    let next = AtomicU64::new(first);
    let queue = Queue { waiting: BTreeMap::new(), next: first, sink };
    let queue = Mutex::new(queue);
    let ended = AtomicBool::new(false);
    pool.broadcast(|_| {
        while !ended.load(Ordering::Relaxed) && !guide.stop() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let trials = trials_of(number, &range);
            if trials.is_empty() {
                break;
            }
            let done = block(trials, sampling.seed, &run, guide);
            // A sink that panicked is not used again: its lock stays poisoned, and the panic goes on.
            let Ok(mut queue) = queue.lock() else { break };
            if queue.push(number, done).is_break() {
                ended.store(true, Ordering::Relaxed);
            }
        }
    });
    Ok(())
}

/// Blocks that are finished before an earlier one is.
struct Queue<A, S> {
    waiting: BTreeMap<u64, Box<Block<A>>>,
    next: u64,
    sink: S,
}

impl<A, S: FnMut(Block<A>) -> ControlFlow<()>> Queue<A, S> {
    /// Takes a block and passes on what is complete. Once the sink has broken, nothing reaches it.
    fn push(&mut self, number: u64, block: Block<A>) -> ControlFlow<()> {
        if number != self.next {
            self.waiting.insert(number, Box::new(block));
            return ControlFlow::Continue(());
        }
        self.pass(block)?;
        while let Some(block) = self.waiting.remove(&self.next) {
            self.pass(*block)?;
        }
        ControlFlow::Continue(())
    }

    fn pass(&mut self, block: Block<A>) -> ControlFlow<()> {
        let flow = (self.sink)(block);
        self.next = if flow.is_break() { u64::MAX } else { self.next + 1 };
        flow
    }
}

fn block<T, A: Fold<T>>(
    trials: Range<u64>,
    seed: u64,
    run: &(impl Fn(u64) -> T + Sync),
    guide: &dyn Guide,
) -> Block<A> {
    let mut folded = Folded { total: A::default(), failures: Vec::new() };
    for trial in trials.clone() {
        // A trial shares nothing with others but what it only reads.
        match catch_unwind(AssertUnwindSafe(|| run(trial))) {
            Ok(result) => folded.total.add(trial, result),
            Err(panic) => {
                let message = message(panic.as_ref());
                folded.failures.push(Failure { trial, seed, message });
            }
        }
        if !A::QUICK {
            guide.ended(1);
        }
    }
    if A::QUICK {
        guide.ended(trials.end - trials.start);
    }
    Block { trials, folded }
}

/// The trials of a block that lie in the range.
fn trials_of(block: u64, range: &Range<u64>) -> Range<u64> {
    let from = block.saturating_mul(BLOCK).max(range.start);
    from..block.saturating_add(1).saturating_mul(BLOCK).min(range.end)
}

/// What a panic said, on one line.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default, Debug, PartialEq)]
    struct Sum(f64, u64);

    impl Join for Sum {
        fn absorb(&mut self, later: Self) {
            self.0 += later.0;
            self.1 += later.1;
        }
    }

    impl Fold<f64> for Sum {
        fn add(&mut self, _trial: u64, result: f64) {
            self.0 += result;
            self.1 += 1;
        }
    }

    fn sampling(trials: u64, threads: usize) -> Sampling {
        Sampling { seed: 1, first: 0, trials, threads: Some(threads) }
    }

    /// Law: the same bits for any number of threads, though floating sums depend on their order.
    #[test]
    fn threads_change_nothing() {
        let run = |trial: u64| 1.0 / (trial as f64 + 0.7);
        let sum =
            |threads| fold::<_, Sum>(&sampling(70_001, threads), run, &Unwatched).unwrap().total;
        let one = sum(1);
        assert_eq!(one.1, 70_001);
        for threads in [2, 3, 7] {
            assert_eq!(sum(threads).0.to_bits(), one.0.to_bits(), "{threads}");
        }
    }

    /// Law: results come in the order of trials, each once, and progress hears of each.
    #[test]
    fn results_are_in_order() {
        let heard = Ears { heard: AtomicU64::new(0), enough: u64::MAX };
        let found: Folded<Vec<u64>> = fold(&sampling(1_000, 3), |trial| trial, &heard).unwrap();
        assert_eq!(found.total, (0..1_000).collect::<Vec<_>>());
        assert_eq!(heard.heard.load(Ordering::Relaxed), 1_000);
    }

    /// Law: a panic costs its own trial only, and says how to replay it.
    #[test]
    fn a_panic_is_told_and_costs_one_trial() {
        let run = |trial: u64| {
            assert!(trial != 33, "two leaders\nin term 4");
            trial
        };
        let found: Folded<Vec<u64>> = fold(&sampling(40, 2), run, &Unwatched).unwrap();
        assert_eq!(found.total.len(), 39);
        assert_eq!(
            found.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["trial 33 panicked (two leaders in term 4); replay it with --seed 1 --trial 33"]
        );
    }

    struct Ears {
        heard: AtomicU64,
        enough: u64,
    }

    impl Guide for Ears {
        fn ended(&self, trials: u64) {
            self.heard.fetch_add(trials, Ordering::Relaxed);
        }

        fn stop(&self) -> bool {
            self.heard.load(Ordering::Relaxed) >= self.enough
        }
    }

    /// Law: who stops has the first trials without a gap, and not many more than asked for.
    #[test]
    fn a_stop_leaves_no_gap() {
        let ears = Ears { heard: AtomicU64::new(0), enough: 500 };
        let found: Folded<Vec<u64>> = fold(&sampling(100_000, 3), |trial| trial, &ears).unwrap();
        let count = found.total.len() as u64;
        assert_eq!(found.total, (0..count).collect::<Vec<_>>());
        assert!((500..=500 + 3 * BLOCK).contains(&count), "{count}");
    }

    /// Law: slices cut anywhere give the trials of the whole, and an end that the results demand is
    /// the same for any number of threads.
    #[test]
    fn slices_and_ends_are_exact() {
        let slice = |first, trials| {
            let sampling = Sampling { seed: 1, first, trials, threads: Some(2) };
            let found: Folded<Vec<u64>> = fold(&sampling, |trial| trial, &Unwatched).unwrap();
            found.total
        };
        assert_eq!([slice(0, 37), slice(37, 100), slice(137, 1)].concat(), slice(0, 138));
        for threads in [1, 2, 5] {
            let mut seen = Vec::new();
            let end = |block: Block<Vec<u64>>| {
                seen.extend(block.folded.total);
                if seen.len() >= 200 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            blocks(&sampling(10_000, threads), |trial| trial, &Unwatched, end).unwrap();
            assert_eq!(seen.len(), 208, "{threads} threads");
        }
    }
}
